//! Who may call what: certificate, system and agreement together.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use access_log::{LogKey, read_log};
use cpr_host::demo::requests::{self, Requests};
use cpr_wire::{Endpoint, sf1520};

use crate::kit::{NOBODY, Running, add_stranger, connect};

const FIFTH: Endpoint = Endpoint::Sf1520(sf1520::Version::V5);

fn lookup(number: &str) -> String {
    requests::lookup_sf1520(sf1520::Version::V5, number)
}

#[test]
fn without_a_certificate_or_with_one_of_another_authority_there_is_no_connection() {
    let running = Running::start();
    let authority = running.folder.path().join("authority.pem");
    let mut bare = connect(running.host().address(), &authority, None);
    bare.write_all(b"GET / HTTP/1.1\r\n\r\n").ok();
    assert!(bare.read(&mut [0; 100]).is_err(), "no certificate");
    add_stranger(running.folder.path(), "stranger");
    assert!(running.send("stranger", "GET / HTTP/1.1\r\n\r\n").is_err(), "another authority");
    let told = || running.journal.lines().iter().filter(|line| line.contains("handshake_failed")).count();
    // The client may hear of it before the host has told it.
    let since = Instant::now();
    while told() < 2 && since.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(told(), 2);
    assert!(running.watch("/metrics").body.contains("cpr_host_handshakes_failed_total 2"));
}

#[test]
fn a_call_is_refused_unless_certificate_system_and_agreement_fit_together() {
    let running = Running::start();
    let number = running.number();
    let school = Requests::SCHOOL;
    let unknown = running.demo.authority.issue("nobody", &[]).expect("a certificate");
    unknown.write(running.folder.path(), "unknown").expect("files");
    let cases = [
        ("a certificate of no system", "unknown", school, "denied_certificate"),
        ("another system's certificate", "clinic", school, "denied_system"),
        ("an agreement that lacks the service", "clinic", Requests::CLINIC, "denied_service"),
        ("another system's agreement", "school", school.with_agreement_of(&Requests::CLINIC), "denied_agreement"),
    ];
    for (what, certificate, context, outcome) in cases {
        let refused = running.ask_as(FIFTH, certificate, &context, &lookup(&number));
        assert_eq!(refused.status, 500, "{what}");
        assert!(refused.body.contains("NO_SERVICE_AGREEMENT") && !refused.body.contains(&number), "{what}");
        let line = running.last_call();
        assert!(line.contains(&format!("\"outcome\":\"{outcome}\"")), "{what}: {line}");
    }
    // A stranger is not told what is wrong with a request either.
    let broken = running.post(FIFTH.path(), "unknown", "no envelope");
    assert!(broken.body.contains("NO_SERVICE_AGREEMENT"));
    assert!(!running.everything_logged().contains(&number));
}

#[test]
fn the_service_that_the_context_names_must_be_the_one_that_is_called() {
    let strict = Running::start();
    let body = requests::complete(FIFTH, &Requests::SCHOOL, &lookup(NOBODY));
    let other = body.replace("4925d7a0-1b5b-11ec-bdc6-b312b83236d4", "d84f1ac8-76ca-11e3-abab-138252136bdf");
    assert_ne!(body, other);
    assert!(strict.post(FIFTH.path(), "school", &other).body.contains("NO_SERVICE_AGREEMENT"));
    assert!(strict.last_call().contains("denied_service"));
    let lenient = Running::start_with(|config| config.any_service_uuid = true);
    assert!(lenient.post(FIFTH.path(), "school", &other).body.contains("PNR not found"));
}

#[test]
fn an_authority_alone_means_the_one_system_of_certificate_and_cvr_number() {
    let ask = |running: &Running, certificate: &str| {
        let namespace = sf1520::Version::V5.namespace();
        let authority = Requests::SCHOOL.authority_xml();
        let request =
            format!("<PersonLookupRequest xmlns=\"{namespace}\">{authority}<PNR>{NOBODY}</PNR></PersonLookupRequest>");
        running.ask(FIFTH, certificate, &request).body
    };
    let running = Running::start();
    assert!(ask(&running, "school").contains("PNR not found"));
    assert!(ask(&running, "clinic").contains("NO_SERVICE_AGREEMENT"), "the clinic is of another authority");
    let two = Running::start_with(|config| {
        let mut twin = config.systems[0].clone();
        twin.name = "twin".parse().expect("a name");
        config.systems.push(twin);
    });
    assert!(ask(&two, "school").contains("NO_SERVICE_AGREEMENT"), "two systems could be meant");
    let namespace = sf1520::Version::V5.namespace();
    let nobody = format!("<PersonLookupRequest xmlns=\"{namespace}\"><PNR>{NOBODY}</PNR></PersonLookupRequest>");
    assert!(running.ask(FIFTH, "school", &nobody).body.contains("NO_SERVICE_AGREEMENT"), "no context");
    assert!(running.last_call().contains("denied_no_context"));
}

#[test]
fn every_call_about_somebody_stands_in_the_access_log() {
    let mut running = Running::start();
    running.ask(FIFTH, "school", &lookup(&running.number()));
    running.ask(FIFTH, "school", &lookup(NOBODY));
    running.ask(FIFTH, "clinic", &lookup(NOBODY));
    running.stop();
    let folder = running.folder.path().join("access");
    let key = LogKey::read(&running.folder.path().join("access.key"), &folder).expect("a key");
    let mut lines = 0;
    let check = read_log(&folder, &key, &[], |_| lines += 1).expect("a log");
    assert!(check.is_whole());
    assert_eq!((check.answers, lines), (2, 3), "two calls and the beginning; who was refused has looked at nobody");
}
