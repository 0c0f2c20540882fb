//! Every output that carries an address, and that none of it stands there when the host has it withheld.

use cpr_replika::{Replika, Scope};
use cpr_services::gctp::{self, Service};
use cpr_services::search::{adrsog1, solr};
use cpr_services::sf1525::{self, Depth, Markings};
use cpr_services::sf6008::{self, Operation};
use cpr_services::{Caller, Error, NoRegister, ProtectedPersons, Request, sf1520};

use crate::kit::{date, pnr, told};

const HIDDEN: &str = "6101701112";
const SPOUSE: &str = "6101701113";
const OPEN: &str = "6101701115";
/// Given up for the number that is protected.
const OLD: &str = "6201701116";

/// Places that stand in the rows of the persons: street, house, city, and what the texts say.
const PLACES: [&str; 7] = ["Skjulvej", "Gemmested", "Contakt", "Utland", "Fortidvej", "3777", "3778"];

fn lives(house: &str) -> String {
    format!(
        "001 STATUS=01, KOEN=K, FOED_DT=1970-01-01
         008 FORNVN=Gerda, EFTERNVN=Holm, NVNHAENSTART=197001011200
         002 KOMKOD=0851, VEJKOD=3777, HUSNR={house}, TILFLYDTO=202001011200
         023 KOMKOD=0851, VEJKOD=3778, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202001011200
         003 ADRNVN=Gerda Holm, STANDARDADR=Skjulvej {house}, POSTNR=9000, POSTDISTTXT=Gemmested, KOMKOD=0851, VEJKOD=3777, HUSNR={house}, VEJADRNVN=Skjulvej
         012 CIVST=G, AEGTEPNR=6101701113, HAENSTART-CIVILSTAND=199501011200"
    )
}

fn store() -> Replika {
    let protected = format!("{}\n004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01", lives("007"));
    let given_up = "001 PNRGAELD=6101701112, STATUS=60, STATUSHAENSTART=202601021000, KOEN=K, FOED_DT=1970-01-01
         023 KOMKOD=0851, VEJKOD=3777, HUSNR=007, TILFLYDTO=200001011200, FRAFLYDTO=202001011200";
    let (chained, open) = (format!("{protected}\n022 PNR=6201701116"), lives("009"));
    let spouse = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
         012 CIVST=G, AEGTEPNR=6101701112, HAENSTART-CIVILSTAND=199501011200";
    let before = lives("007");
    // Not protected yet in the first delivery.
    told(&[
        &[(HIDDEN, &before), (SPOUSE, spouse), (OPEN, &open), (OLD, given_up)],
        &[(HIDDEN, &chained), (SPOUSE, spouse), (OPEN, &open), (OLD, given_up)],
    ])
}

/// Every output about a number, by name; none where it is refused.
fn outputs(replika: &Replika, request: &Request<'_>) -> Vec<(String, Option<String>)> {
    let snapshot = replika.snapshot();
    let kept = |error: Error| assert!(matches!(error, Error::Protected), "{error}");
    let mut outputs = Vec::new();
    for service in Service::ALL {
        let xml = gctp::answer(&snapshot, service, request).map_err(kept).ok();
        outputs.push((service.name().to_owned(), xml.map(|of| of.found().expect("held").to_xml().expect("XML"))));
    }
    for version in [sf1520::Version::V4, sf1520::Version::V5] {
        let of = sf1520::answer(&snapshot, version, request, &NoRegister).map_err(kept).ok();
        let xml = of.map(|of| of.found().expect("held").answer.to_xml(version).expect("XML"));
        outputs.push((format!("SF1520 {version:?}"), xml));
    }
    let all = Markings::all(Depth::WithHistory);
    let of = sf1525::answer(&snapshot, sf1525::Version::V2, &all, request, &NoRegister).map_err(kept).ok();
    outputs.push(("SF1525".to_owned(), of.map(|of| of.found().expect("held").answer.to_xml().expect("XML"))));
    let of = sf6008::answer(&snapshot, Operation::Extended, request).map_err(kept).ok();
    let xml = of.map(|of| sf6008::to_xml(Operation::Extended, &[&of.found().expect("held").answer]).expect("XML"));
    outputs.push(("SF6008".to_owned(), xml));
    outputs
}

fn ask(number: &str, protected_persons: ProtectedPersons) -> Request<'static> {
    Request { protected_persons, ..Request::on(pnr(number), date("2026-01-08"), Caller::unlogged()) }
}

/// The outputs that name a place.
fn with_places(outputs: &[(String, Option<String>)]) -> Vec<&str> {
    let names_place =
        |xml: &Option<String>| PLACES.iter().any(|place| xml.as_ref().is_some_and(|xml| xml.contains(place)));
    outputs.iter().filter(|(_, xml)| names_place(xml)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn every_output_with_an_address_withholds_that_of_a_protected_person() {
    let replika = store();
    let told = outputs(&replika, &ask(HIDDEN, ProtectedPersons::Tell));
    let carry = ["Stam+", "Stam", "Familie+", "Familie", "navne3", "SF1520 V4", "SF1520 V5", "SF1525", "SF6008"];
    let found = with_places(&told);
    for name in carry.iter().filter(|name| **name != "navne3") {
        assert!(found.contains(name), "{name} carries an address: {found:?}");
    }
    for number in [HIDDEN, OLD, SPOUSE] {
        let request = ask(number, ProtectedPersons::Withhold);
        let known = Request { known: Some(cpr_replika::DeliveryNumber(1)), ..request };
        let valid = Request { valid: Some(crate::kit::moment("2010-01-01")), ..request };
        for request in [request, known, valid] {
            let withheld = outputs(&replika, &request);
            assert_eq!(with_places(&withheld), [""; 0]);
            assert!(withheld.iter().all(|(_, xml)| xml.is_some()));
        }
    }
    assert_eq!(with_places(&outputs(&replika, &ask(OPEN, ProtectedPersons::Withhold))), found);
}

#[test]
fn a_question_about_a_protected_person_is_refused_under_any_number() {
    let replika = store();
    for number in [HIDDEN, OLD] {
        assert!(outputs(&replika, &ask(number, ProtectedPersons::Refuse)).iter().all(|(_, xml)| xml.is_none()));
    }
    let of_spouse = outputs(&replika, &ask(SPOUSE, ProtectedPersons::Refuse));
    assert_eq!(with_places(&of_spouse), [""; 0], "as a relative withheld");
    assert!(of_spouse.iter().all(|(_, xml)| xml.is_some()));
}

#[test]
fn a_search_by_address_neither_finds_nor_counts_a_protected_person() {
    let (replika, caller) = (store(), Caller::unlogged());
    let snapshot = replika.snapshot();
    for (policy, count) in [(ProtectedPersons::Tell, 2), (ProtectedPersons::Withhold, 1), (ProtectedPersons::Refuse, 1)]
    {
        let asked = adrsog1::Request::parse([("VEJK", "3777"), ("KOMK", "851")], policy).expect("a request");
        let answer = adrsog1::answer(caller, &snapshot, &asked, date("2026-01-08")).expect("a search");
        assert_eq!((answer.count, answer.rows.len() as u64), (count, count));
        for (query, scope, open) in [
            ("vejkode:3777 AND kommunekode:0851", Scope::Now, 2),
            ("vejkode:3777 AND kommunekode:0851", Scope::Ever, 3),
            ("efternavn:Holm", Scope::Now, 2),
        ] {
            let asked = solr::Request::parse(query, policy).expect("a query");
            let by_name = query.starts_with("efternavn");
            let expected = if policy == ProtectedPersons::Tell || by_name { open } else { 1 };
            let answer = solr::answer(caller, &snapshot, &asked, scope).expect("a search");
            assert_eq!((answer.found, answer.docs.len() as u64), (expected, expected), "{query} {scope:?} {policy:?}");
        }
        let asked = solr::Request::parse("kommunekode:0851", policy).expect("a query");
        let refused = solr::answer(caller, &snapshot, &asked, Scope::Now);
        assert!(refused.is_err(), "a municipality alone is too little asked, whatever is left out of it");
    }
}
