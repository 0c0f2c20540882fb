//! What is taken at once, and how the host ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cpr_host::demo::requests::{self, Requests};
use cpr_wire::{Endpoint, sf1520};

use crate::kit::{NOBODY, Running, read_answer};

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

/// A lookup of a number that nobody has.
fn lookup() -> String {
    let lookup = requests::complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    let (path, length) = (FIFTH.path(), lookup.len());
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{lookup}")
}

#[test]
fn the_connection_that_was_quiet_longest_gives_way_when_all_places_are_taken() {
    let running = Running::start_with(|config| config.bounds.connections = 2);
    let text = lookup();
    let mut held = [running.connect("school"), running.connect("school")];
    for at in [1, 0] {
        held[at].write_all(text.as_bytes()).expect("a request");
        assert!(read_answer(&mut held[at]).expect("an answer").contains("PNR not found"));
    }
    let mut third = running.connect("school");
    third.write_all(text.as_bytes()).expect("a request");
    assert!(read_answer(&mut third).expect("an answer").contains("PNR not found"));
    held[0].write_all(text.as_bytes()).expect("a request");
    assert!(read_answer(&mut held[0]).expect("an answer").contains("PNR not found"), "it keeps its place");
    assert_eq!(held[1].read(&mut [0; 1]).unwrap_or(0), 0, "it was quiet longer");
    assert!(running.watch("/metrics").body.contains("cpr_host_connections_displaced_total 1"));
}

#[test]
fn clients_without_a_handshake_do_not_keep_others_out() {
    let running = Running::start_with(|config| {
        (config.bounds.connections, config.bounds.read) = (4, Duration::from_secs(60));
    });
    let text = lookup();
    let mut early = running.connect("school");
    early.write_all(text.as_bytes()).expect("a request");
    assert!(read_answer(&mut early).expect("an answer").contains("PNR not found"));
    let address = running.host().address();
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    let mut half = TcpStream::connect(address).expect("a connection");
    half.write_all(&[22, 3, 1, 1]).expect("half a handshake");
    for _ in 0..10 {
        let mut late = running.connect("school");
        late.write_all(text.as_bytes()).expect("a request");
        assert!(read_answer(&mut late).expect("an answer").contains("PNR not found"));
    }
    early.write_all(text.as_bytes()).expect("a request");
    assert!(read_answer(&mut early).expect("an answer").contains("PNR not found"), "it keeps its place all the time");
    let metrics = running.watch("/metrics").body;
    assert!(metrics.contains("cpr_host_connections_displaced_total 0"), "{metrics}");
    let displaced = metrics.lines().find_map(|line| line.strip_prefix("cpr_host_strangers_displaced_total "));
    let displaced: u32 = displaced.and_then(|count| count.parse().ok()).expect("a count");
    assert!(displaced >= 38, "three of 41 had a place: {metrics}");
    drop(silent);
}

#[test]
fn the_host_ends_within_two_seconds_though_clients_stay() {
    let mut running = Running::start();
    let text = lookup();
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
