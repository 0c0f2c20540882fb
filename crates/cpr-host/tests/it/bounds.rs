//! What is taken at once, and how the host ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cpr_host::demo::requests::{self, Requests};
use cpr_wire::{Endpoint, sf1520};

use crate::kit::{NOBODY, Running};

const FIFTH: Endpoint = Endpoint::Sf1520(sf1520::Version::V5);

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let running = Running::start_with(|config| config.bounds.body_bytes = 2000);
    let large = format!("{}{}", "x".repeat(2001), "");
    assert_eq!(running.post(FIFTH.path(), "school", &large).status, 413);
    let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", FIFTH.path());
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n9c4\r\n{}\r\n0\r\n\r\n", "x".repeat(0x9c4));
    assert_eq!(running.send("school", &chunked).expect("an answer").status, 413);
    assert!(running.watch("/metrics").body.contains("cpr_host_bodies_refused_total 2"));
    let lookup = requests::complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    assert!(running.post(FIFTH.path(), "school", &lookup).body.contains("PNR not found"), "it goes on");
}

#[test]
fn slow_clients_lose_their_connections_and_hold_up_nobody() {
    let mut running = Running::start_with(|config| config.bounds.read = Duration::from_millis(300));
    let address = running.host().address();
    let mut silent = TcpStream::connect(address).expect("a connection");
    silent.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut half_head = running.connect("school");
    half_head.write_all(b"POST /service HTTP/1.1\r\nhost:").expect("half a head");
    let mut half_body = running.connect("school");
    let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf", FIFTH.path());
    half_body.write_all(head.as_bytes()).expect("half a body");
    let since = Instant::now();
    let mut told = Vec::new();
    half_body.read_to_end(&mut told).ok();
    assert!(told.starts_with(b"HTTP/1.1 408 "));
    half_head.read_to_end(&mut Vec::new()).ok();
    silent.read_to_end(&mut Vec::new()).expect("an end");
    assert!(since.elapsed() < Duration::from_secs(5));
    running.stop();
}

#[test]
fn connections_beyond_the_bound_are_turned_away() {
    let running = Running::start_with(|config| config.bounds.connections = 2);
    let lookup = requests::complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    let text = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{lookup}",
        FIFTH.path(),
        lookup.len()
    );
    let mut held = [running.connect("school"), running.connect("school")];
    for stream in &mut held {
        stream.write_all(text.as_bytes()).expect("a request");
        stream.read_exact(&mut [0; 12]).expect("an answer");
    }
    assert!(running.send("school", &text).is_err());
    assert!(running.watch("/metrics").body.contains("cpr_host_connections_refused_total 1"));
}

#[test]
fn the_host_ends_within_two_seconds_though_clients_stay() {
    let mut running = Running::start();
    let lookup = requests::complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    let text = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{lookup}",
        FIFTH.path(),
        lookup.len()
    );
    let mut idle = running.connect("school");
    idle.write_all(text.as_bytes()).expect("a request");
    idle.read_exact(&mut [0; 12]).expect("an answer");
    let mut half = running.connect("school");
    half.write_all(&text.as_bytes()[..text.len() - 10]).expect("half a request");
    let _silent = TcpStream::connect(running.host().address()).expect("a connection");
    let since = Instant::now();
    running.stop();
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    running.start_again(|_| {});
    assert_eq!(running.watch("/health").status, 200, "store and log are free again");
}
