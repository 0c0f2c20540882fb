//! The example service of docs/embedding.md runs. That it compiles in a crate outside the workspace is for
//! `.ci/outside_crate`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{Config, FilterChange, Replika, UnknownNumbers};

#[allow(dead_code, unreachable_pub, missing_docs, reason = "an example, of which the test takes what it needs")]
#[path = "../../examples/service.rs"]
mod service;

use self::service::Service;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo").join(name)
}

/// Status and body.
fn get(address: SocketAddr, target: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// As whoever fetches extracts from CPR should: under its name it is whole.
fn put(inbox: &Path, name: &str, bytes: &[u8]) {
    fs::write(inbox.join(format!(".{name}.part")), bytes).unwrap();
    fs::rename(inbox.join(format!(".{name}.part")), inbox.join(name)).unwrap();
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_example_service_applies_delivers_and_tells_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, outbox) = (folder.path().join("inbox"), folder.path().join("outbox"));
    let replika = Replika::create(folder.path().join("replika.db"), &Config::default()).unwrap();
    let service = Service::start(replika, &inbox, &outbox, "127.0.0.1:0").unwrap();
    let address = service.address();
    let school = "school".parse().unwrap();
    service.replika().add_subscriber(&school, Profile::SF6002).unwrap();
    let filter = FilterChange::Add("0851".parse().unwrap());
    service.replika().change_filters(&school, &[filter], UnknownNumbers::Keep).unwrap();

    put(&inbox, "D260105.L999901", &fs::read(demo("D260105.L999901")).unwrap());
    wait_until("the first extract", || inbox.join(".D260105.L999901.done").exists());
    assert_eq!(get(address, "/events?since=0"), (200, String::new()), "a load is silent");

    // Nothing has happened yet: the client waits, and is told as soon as the night is there.
    let waiting = std::thread::spawn(move || get(address, "/events?since=1&wait=60"));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished(), "it waits");
    put(&inbox, "D260106.L999901", &fs::read(demo("D260106.L999901")).unwrap());
    let (status, events) = waiting.join().unwrap();
    assert_eq!(status, 200);
    assert!(events.lines().any(|line| line.contains("\tchild_born\t6601264322")), "{events}");
    let last = events.lines().last().unwrap().split('\t').next().unwrap();
    assert_eq!(get(address, &format!("/events?since={last}")), (200, String::new()), "each event once");
    wait_until("the subscriber's file", || outbox.join("school/D260106.L999901").exists());

    // What cannot be is told by its class, and a damaged extract is put aside.
    assert_eq!(get(address, "/events?since=nowhere").0, 400);
    assert_eq!(get(address, "/events?since=9").0, 404);
    assert_eq!(get(address, "/elsewhere").0, 404);
    put(&inbox, "D260107.L999901", b"0000");
    wait_until("the damaged extract", || inbox.join(".D260107.L999901.refused").exists());

    // Whoever waits when it ends is answered.
    let waiting = std::thread::spawn(move || get(address, "/events?since=2&wait=60"));
    std::thread::sleep(Duration::from_millis(300));
    service.stop();
    assert_eq!(waiting.join().unwrap(), (200, String::new()));
}

#[test]
fn the_example_service_names_no_inner_crate() {
    const SERVICE: &str = include_str!("../../examples/service.rs");
    for inner in ["cpr_model", "cpr_extract", "cpr_subscription", "cpr_events", "bitemporal", "redb"] {
        assert!(!SERVICE.contains(inner), "it names {inner}");
    }
}
