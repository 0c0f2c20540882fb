//! Record types that are not chosen: what the store does not hold is unknown, and never answered as none.

use cpr_replika::cpr_model::{CountryCode, MunicipalityCode, ProtectionKind};
use cpr_replika::cpr_subscription::{Filter, Profile, SubscriberName};
use cpr_replika::{Error, FilterChange, Query, Refusal, Replika, Scope, UnknownNumbers};
use cpr_services::gctp::{self, Service};
use cpr_services::search::{adrsog1, solr};
use cpr_services::sf1525::{Depth, Marking, Markings};
use cpr_services::{Caller, ProtectedPersons};
use cpr_services::{NoRegister, Request, sf1520, sf1525, sf6008};

use crate::kit::{date, pnr, told_to};

const MAN: &str = "6101701111";

/// A customer who has chosen names only; and one who has chosen all, of the same person.
fn stores() -> [Replika; 2] {
    let rows = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
        008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200";
    [Some(vec![1, 8, 99]), None].map(|chosen| told_to("std", chosen, &[&[(MAN, rows)]]))
}

#[test]
fn a_service_leaves_out_what_the_store_does_not_hold() {
    let [names, all] = stores();
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let basic = |replika: &Replika| {
        let found = sf6008::answer(&replika.snapshot(), sf6008::Operation::Basic, &request).expect("a read").found();
        let found = found.expect("held");
        (found.answer.protected, found.protections.is_known(), found.not_held.contains(&"protection"))
    };
    assert_eq!(basic(&names), (None, false, true));
    assert_eq!(basic(&all), (Some(false), true, false));

    let lookup = |replika: &Replika| {
        let answer = sf1520::answer(&replika.snapshot(), sf1520::Version::V5, &request, &NoRegister).expect("a read");
        let answer = answer.found().expect("held");
        (answer.answer.to_xml(sf1520::Version::V5).expect("XML"), answer.not_held.len())
    };
    let (xml, not_held) = lookup(&names);
    assert!(xml.contains("<adressebeskyttelse/><vejviserbeskyttelse/><markedsfoeringsbeskyttelse/>"), "unknown");
    assert!(!xml.contains("antalBoernUnder18") && not_held > 10);
    let (xml, not_held) = lookup(&all);
    assert!(xml.contains("<adressebeskyttelse><beskyttet>false</beskyttet></adressebeskyttelse>"));
    assert!(xml.contains("<antalBoernUnder18>0</antalBoernUnder18>") && not_held == 0);
    assert!(!xml.contains("vejviserbeskyttelse"), "none");

    let stam = |replika: &Replika| {
        let answer = gctp::answer(&replika.snapshot(), Service::FamiliePlus, &request).expect("a read");
        let row = answer.found().expect("held").rows.remove(0);
        ["BESKYT", "POSTNR", "FORAELDREMYNMRK", "HISTORIKMRK"].map(|field| row.value(field).map(str::to_owned))
    };
    let blank = Some(String::new());
    assert_eq!(stam(&names), [blank.clone(), None, blank, None], "there without a value, or left out");
    assert_eq!(stam(&all), [None, Some("0".to_owned()), None, None]);

    let markings = Markings::default().with(Marking::Relations, Depth::Current).with(Marking::Name, Depth::Current);
    let version = sf1525::Version::V2;
    let answer = sf1525::answer(&names.snapshot(), version, &markings, &request, &NoRegister).expect("a read");
    assert_eq!(
        answer.found().expect("held").not_held,
        ["protection", "civil_status", "child", "parents", "custody"],
        "of what is marked"
    );

    let markings = Markings::default().with(Marking::Events, Depth::Current).with(Marking::Name, Depth::Current);
    // Changes come with 099 whatever is chosen.
    for replika in [&names, &all] {
        let answer = sf1525::answer(&replika.snapshot(), version, &markings, &request, &NoRegister).expect("a read");
        assert!(!answer.found().expect("held").not_held.contains(&"event"));
    }
}

fn is_refused<T>(answer: Result<T, impl std::fmt::Display>) -> bool {
    answer.is_err_and(|error| error.to_string().starts_with("the store does not hold"))
}

#[test]
fn a_question_about_what_the_store_does_not_hold_is_refused() {
    let [names, all] = stores();
    let municipality = MunicipalityCode(851);
    let queries = [
        Query::municipality(municipality),
        Query::Protection(ProtectionKind(1)),
        Query::Citizenship(CountryCode(5100)),
        Query::And(vec![Query::All, Query::Not(Box::new(Query::Protection(ProtectionKind(1))))]),
    ];
    for query in &queries {
        assert!(matches!(names.snapshot().find(query), Err(Error::Search(Refusal::NotHeld { .. }))));
        assert!(all.snapshot().find(query).is_ok());
    }
    assert_eq!(names.snapshot().find(&Query::All).expect("a read").len(), 1);
    for query in [
        "vejkode:42",
        "efternavn:Holm AND vejnavn:Skovvej",
        "efternavn:Holm -landekode:5100",
        "efternavn:Holm AND postnummer:9000",
    ] {
        let request = solr::Request::parse(query, ProtectedPersons::Tell).expect("a query");
        assert!(is_refused(names.snapshot().search(&request.search(Scope::Now))), "{query}");
    }
    // The names of streets come from 003, also where 002 tells their codes.
    let coded = told_to("std", Some(vec![1, 2]), &[&[("6101701111", "001 STATUS=01\n002 KOMKOD=0851, VEJKOD=0042")]]);
    for query in ["vejnavn:Skovvej", "standardadresse:\"Skovvej 7\""] {
        let request = solr::Request::parse(query, ProtectedPersons::Tell).expect("a query");
        assert!(is_refused(coded.snapshot().search(&request.search(Scope::Now))), "{query}");
    }
    let request = solr::Request::parse("efternavn:Holm", ProtectedPersons::Tell).expect("a query");
    assert_eq!(solr::answer(Caller::unlogged(), &names.snapshot(), &request, Scope::Now).expect("a search").found, 1);
    let request =
        adrsog1::Request::parse([("VEJK", "42"), ("KOMK", "851")], ProtectedPersons::Tell).expect("a request");
    assert!(is_refused(adrsog1::answer(Caller::unlogged(), &names.snapshot(), &request, date("2026-01-08"))));

    let subscriber = "x".parse::<SubscriberName>().expect("a name");
    let add = |replika: &Replika, filter: Filter| {
        replika.add_subscriber(&subscriber, Profile::SF6002).expect("a subscriber");
        replika.change_filters(&subscriber, &[FilterChange::Add(filter)], UnknownNumbers::Keep)
    };
    assert!(is_refused(add(&names, Filter::Municipality(municipality))));
    assert!(add(&names, Filter::Everything).is_ok());
    assert!(add(&all, Filter::Municipality(municipality)).is_ok());
}
