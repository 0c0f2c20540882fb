//! Lookups over TLS with certificates of clients.

use cpr_host::demo::requests::{self, Requests, complete};
use cpr_wire::{Endpoint, sf1520, sf1525};

use crate::kit::{NOBODY, Running};

const FIFTH: Endpoint = Endpoint::Sf1520(sf1520::Version::V5);

#[test]
fn each_request_of_the_demonstration_is_answered_as_it_says() {
    let running = Running::start();
    let number = running.number();
    let mut told = Vec::new();
    for request in running.demo.requests.list() {
        let response = running.post(request.endpoint.path(), request.system, &request.body);
        told.push((request.shows, response.status));
        let is_about_the_person = response.body.contains(&number);
        let is_about_nobody = request.shows.contains("nobody") || request.shows.contains("no agreement");
        let is_a_word = request.shows == "SF6002: follow the person";
        assert_eq!(is_about_the_person, !is_about_nobody && !is_a_word, "{}: {}", request.shows, response.body);
    }
    let refused: Vec<&str> = told.iter().filter(|(_, status)| *status != 200).map(|(shows, _)| *shows).collect();
    assert_eq!(refused, ["SF1520: a number that nobody has", "a service that the clinic has no agreement for"]);
    assert!(!running.everything_logged().contains(&number), "no log has the number");
}

#[test]
fn a_person_is_found_and_an_unknown_number_is_a_fault() {
    let running = Running::start();
    let number = running.number();
    for version in [sf1520::Version::V4, sf1520::Version::V5] {
        let endpoint = Endpoint::Sf1520(version);
        let found = running.ask(endpoint, "school", &requests::lookup_sf1520(version, &number));
        assert_eq!(found.status, 200);
        assert!(found.body.contains("PersonLookupResponse") && found.body.contains(&number));
        assert!(running.last_call().contains("\"outcome\":\"answered\""));
    }
    let unknown = running.ask(FIFTH, "school", &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    assert_eq!(unknown.status, 500);
    assert!(unknown.body.contains("PNR not found") && unknown.body.contains("ServiceplatformFault"));
    assert!(running.last_call().contains("\"outcome\":\"unknown_number\""));
    let malformed = running.ask(FIFTH, "school", &requests::lookup_sf1520(sf1520::Version::V5, "123"));
    assert!(malformed.status == 500 && malformed.body.contains("PNR_NOT_VALID"));
}

#[test]
fn the_gctp_services_answer_with_their_receipts() {
    let running = Running::start();
    let ask = |service: &str, number: &str| {
        let fields = [("PNR", number.to_owned())];
        running.ask(Endpoint::Gctp, "school", &requests::lookup_gctp(service, &fields)).body
    };
    assert!(ask("stam+", &running.number()).contains("Kvit r=&quot;Ok&quot;"), "a name without regard to case");
    let unknown = ask("Navne3", NOBODY);
    assert!(unknown.contains("v=&quot;172&quot;"), "{unknown}");
    let malformed = ask("Navne3", "12");
    assert!(malformed.contains("v=&quot;52&quot;"), "{malformed}");
    assert!(ask("Stam", &running.number()).contains("NO_SERVICE_AGREEMENT"), "it is in no agreement of the school");
    assert!(ask("Nothing", NOBODY).contains("UNKNOWN_SERVICE"));
}

#[test]
fn sf1525_says_in_its_own_header_that_there_is_no_answer() {
    let running = Running::start();
    let endpoint = Endpoint::Sf1525(sf1525::Version::V2);
    let found = running.ask(endpoint, "school", &requests::lookup_sf1525(&running.number()));
    assert!(found.status == 200 && found.body.contains("PersonStamoplysningerSamlingHent_O"));
    let unknown = running.ask(endpoint, "school", &requests::lookup_sf1525(NOBODY));
    assert!(unknown.status == 200 && unknown.body.contains("SvarReaktion") && unknown.body.contains("PNR not found"));
}

#[test]
fn contracts_are_served_from_the_folder_that_is_configured_and_are_not_there_without_it() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let text = get(&format!("{}/?wsdl", FIFTH.path()));
    let without = Running::start();
    assert_eq!(without.send("school", &text).expect("an answer").status, 404);
    let contracts = tempfile::tempdir().expect("a folder");
    std::fs::write(contracts.path().join("SF1520-5.wsdl"), "<definitions/>").expect("a file");
    let with = Running::start_with(|config| config.contracts = Some(contracts.path().to_owned()));
    assert_eq!(with.send("school", &text).expect("an answer").body, "<definitions/>");
    let other = with.send("school", &get("/service/CPRLookup/CPRLookup/2?wsdl")).expect("an answer");
    assert_eq!(other.status, 404);
    assert_eq!(with.send("school", &get("/service/../../etc/passwd?wsdl")).expect("an answer").status, 404);
    assert_eq!(with.send("school", &get(FIFTH.path())).expect("an answer").status, 405);
}

#[test]
fn calls_are_counted_by_system_service_and_outcome() {
    let running = Running::start();
    running.ask(FIFTH, "school", &requests::lookup_sf1520(sf1520::Version::V5, &running.number()));
    running.ask(FIFTH, "clinic", &requests::lookup_sf1520(sf1520::Version::V5, NOBODY));
    let metrics = running.watch("/metrics").body;
    for line in [
        "cpr_host_calls_total{system=\"school\",service=\"SF1520/5\",outcome=\"answered\"} 1",
        "cpr_host_calls_total{system=\"clinic\",service=\"SF1520/5\",outcome=\"denied_service\"} 1",
        "cpr_host_call_seconds_count{service=\"SF1520/5\"} 2",
        "cpr_host_delivery 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(running.watch("/health").status, 200);
    assert_eq!(running.watch("/other").status, 404);
    // What operations see is not for clients.
    let body = complete(FIFTH, &Requests::SCHOOL, "");
    assert_eq!(running.post("/metrics", "school", &body).status, 404);
}
