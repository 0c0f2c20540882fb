//! SF1520's search string read as Lucene reads it, and ADRSOG1.

use std::io::Cursor;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::{ApplyOptions, Config, Policy, Replika, Scope, Search};
use cpr_services::search::adrsog1::{self, RequestError};
use cpr_services::search::solr::{self, QueryError, Request};
use cpr_services::{Caller, ProtectedPersons};

use crate::kit::{date, samples, test_extract, told};

const ANE: &str = "6101801231";
const BO: &str = "6101801232";
const CARL: &str = "7212554441";

fn persons() -> Replika {
    let ane = "001 STATUS=01, KOEN=K, FOED_DT=1980-01-01
        002 KOMKOD=0621, VEJKOD=0042, HUSNR=001, ETAGE=01, SIDEDOER=  tv, TILFLYDTO=199912312000
        003 ADRNVN=Ane Marie Skov, KOMKOD=0621, VEJKOD=0042, HUSNR=001, POSTNR=6000, VEJADRNVN=Akseltorv
        004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01
        008 FORNVN=Ane Marie, EFTERNVN=Skov, NVNHAENSTART=198001010000";
    let bo = "001 STATUS=01, KOEN=M, FOED_DT=1980-01-01
        002 KOMKOD=0621, VEJKOD=0043, HUSNR=001, TILFLYDTO=201001010000
        003 ADRNVN=Bo Dahl, KOMKOD=0621, VEJKOD=0043, HUSNR=001, POSTNR=6000, VEJADRNVN=Ny Torv
        008 FORNVN=Bo, EFTERNVN=Dahl, NVNHAENSTART=198001010000";
    let carl = "001 STATUS=03, KOEN=M, FOED_DT=1955-12-12
        002 KOMKOD=0621, VEJKOD=0042, HUSNR=007B, TILFLYDTO=201001010000
        003 ADRNVN=Carl Skov, KOMKOD=0621, VEJKOD=0042, HUSNR=007B, POSTNR=6000, VEJADRNVN=Akseltorv
        008 FORNVN=Carl, EFTERNVN=Skov, NVNHAENSTART=195512120000";
    told(&[&[(ANE, ane), (BO, bo), (CARL, carl)]])
}

#[test]
fn a_search_string_means_what_lucene_says() {
    let replika = persons();
    for (query, expected) in [
        // The example of the contract: only the first word is bound to the field, and `1` is a house of its own.
        ("q=(standardadresse:Akseltorv 1) AND (postnummer:6000)", &[CARL, ANE, BO][..]),
        ("standardadresse:\"Akseltorv 1\"", &[ANE]),
        ("standardadresse:\"Akseltorv 1, 1. tv\"", &[ANE]),
        ("standardadresse:\"Akseltorv 7B\"", &[CARL]),
        ("standardadresse:(+Akseltorv +1)", &[ANE]),
        ("efternavn:Skov", &[CARL, ANE]),
        ("efternavn:Skov fornavn:Bo", &[CARL, ANE, BO]),
        ("efternavn:Skov AND fornavn:Bo", &[]),
        // OR does not loosen what AND has required: `a OR b AND c` is `a +b +c`.
        ("fornavn:Bo OR efternavn:Skov AND koen:K", &[ANE]),
        ("efternavn:Skov -koen:K", &[CARL]),
        ("efternavn:Skov NOT (koen:K OR status:01)", &[CARL]),
        ("-efternavn:Skov +koen:M", &[BO]),
        ("q=efternavn:Skov koen:K&q.op=AND", &[ANE]),
        ("q=efternavn%3ASkov%20%26%26%20koen%3AK&rows=5", &[ANE]),
        ("efternavn:Sk?v^2 && koen:K", &[ANE]),
        ("navn:(Ane* Bo)", &[ANE, BO]),
        ("\"Ane Marie\"", &[ANE]),
        ("foedselsdato:[1950-01-01 TO 1959-12-31]", &[CARL]),
        ("foedselsdato:[* TO 1979-12-31T00:00:00Z]", &[CARL]),
        ("foedselsdato:195*", &[CARL]),
        ("vejnavn:akseltorv AND husnummer:[2 TO 9]", &[CARL]),
        ("vejnavn:aksel* AND husnummer:(1 OR 7B) AND kommunekode:0621", &[CARL, ANE]),
        ("vejkode:42 AND etage:1. AND sidedoer:tv", &[ANE]),
        ("personnummer:6101801232", &[BO]),
        ("6101801232", &[BO]),
        ("akseltorv", &[CARL, ANE]),
        // No parameter is called `navn:"q` or `freq`; a query that has an `=` in it is a query all the same.
        ("navn:\"q=1\"", &[]),
        ("freq=hansen", &[]),
        ("vejnavn:akseltorv&rows=7", &[CARL, ANE]),
        ("rows=7&vejnavn:akseltorv", &[CARL, ANE]),
        ("q=vejnavn:akseltorv&fl=*", &[CARL, ANE]),
    ] {
        let request = Request::parse(query, ProtectedPersons::Tell).unwrap_or_else(|error| panic!("{query}: {error}"));
        let open = Search { policy: Policy::open(), ..request.search(Scope::Now) };
        let hits = replika.snapshot().search(&open).unwrap();
        let numbers: Vec<&str> = hits.rows.iter().map(|hit| hit.pnr.reveal()).collect();
        assert_eq!(numbers, expected, "{query}");
    }
}

#[test]
fn what_cannot_be_read_is_told_by_its_place() {
    let place = |error: QueryError| match error {
        QueryError::Syntax { at, .. } | QueryError::Field { at } | QueryError::Value { at, .. } => Some(at),
        _ => None,
    };
    for (query, expected) in [
        ("", Some(0)),
        ("efternavn:", Some(10)),
        ("efternavn:Skov)", Some(14)),
        ("(efternavn:Skov", Some(15)),
        ("efternavn:\"Skov", Some(15)),
        ("AND efternavn:Skov", Some(3)),
        ("efternavn:Skov AND", Some(18)),
        ("efternavn:Skov~2", Some(14)),
        ("efternavn:Skov AND ukendt:1", Some(19)),
        ("koen:X", Some(0)),
        ("efternavn:[A TO B]", Some(0)),
        ("foedselsdato:{19500101 TO 19600101}", Some(0)),
        ("postnummer:[6000 UNTIL 7000]", Some(17)),
        ("q=navn:Skov&rows=many", None),
        ("rows=5&q=", Some(0)),
    ] {
        assert_eq!(place(Request::parse(query, ProtectedPersons::Tell).unwrap_err()), expected, "{query}");
    }
    assert!(Request::parse(&"(".repeat(100_000), ProtectedPersons::Tell).is_err(), "depth is bounded");
}

#[test]
fn sf1520_requires_a_criterion_and_pages_by_the_last_number() {
    let replika = persons();
    let snapshot = replika.snapshot();
    let ask = |query: &str| {
        solr::answer(Caller::unlogged(), &snapshot, &Request::parse(query, ProtectedPersons::Tell).unwrap(), Scope::Now)
    };
    assert!(ask("postnummer:6000").unwrap_err().to_string().contains("street name"));
    let first = ask("q=efternavn:*&rows=2").unwrap();
    assert_eq!((first.found, first.docs.len(), first.next.as_deref()), (3, 2, Some(ANE)));
    assert_eq!(first.docs[1].beskyttelser, [1]);
    assert_eq!(first.docs[1].personadresseringsnavn.as_deref(), Some("Ane Marie Skov"));
    let second = ask(&format!("q=efternavn:*&rows=2&cursorMark={ANE}")).unwrap();
    assert_eq!((second.docs.len(), second.next), (1, None));
    for (query, is_refused) in [("rows=2000000000", true), ("rows=99999&start=2", true), ("rows=99999&start=1", false)]
    {
        let asked = ask(&format!("q=efternavn:*&{query}"));
        assert_eq!(asked.is_err_and(|error| error.to_string().contains("page by page")), is_refused, "{query}");
    }
    let skipped = ask("q=efternavn:*&rows=2&start=2").unwrap();
    assert_eq!(skipped.docs, second.docs);
}

fn adrsog1(replika: &Replika, fields: &[(&str, &str)]) -> Result<adrsog1::Answer, RequestError> {
    let request = adrsog1::Request::parse(fields.iter().copied(), ProtectedPersons::Tell)?;
    Ok(adrsog1::answer(Caller::unlogged(), &replika.snapshot(), &request, date("2026-01-02")).expect("an answer"))
}

#[test]
fn adrsog1_gives_a_row_for_each_resident() {
    let replika = persons();
    let at = [("VEJK", "0042"), ("POST", "6000")];
    let with = |more: &[(&'static str, &'static str)]| adrsog1(&replika, &[&at, more].concat()).unwrap();
    let all = with(&[]);
    assert_eq!((all.count, all.rows.len(), all.rest.as_deref()), (2, 2, None));
    let row: Vec<(&str, &str)> = all.rows[1].fields.iter().map(|field| (field.name, field.value.as_str())).collect();
    let expected = [
        ("AKM", " "),
        ("CNVN_ADRNVN", "Skov,Ane Marie"),
        ("CNVN_STATUS", "01"),
        ("CPRS_FOEDDATO", "19800101"),
        ("ETAGE", "01"),
        ("HUSNR", "001"),
        ("KOMKOD", "0621"),
        ("PNR", ANE),
        ("SIDEDOER", " tv"),
        ("STARTDATO", "199912312000"),
        ("TABMRK", "1"),
        ("VEJKOD", "0042"),
    ];
    assert_eq!(row, expected);
    assert_eq!(all.rows[1].protections.rows().len(), 1);
    let most = adrsog1::Request::parse([at[0], at[1], ("MAXA", "200000")], ProtectedPersons::Tell).unwrap();
    assert!(
        adrsog1::answer(Caller::unlogged(), &replika.snapshot(), &most, date("2026-01-02")).is_err(),
        "a page is bounded"
    );
    let first = with(&[("MAXA", "1")]);
    assert_eq!((first.rows.len(), first.rest.as_deref()), (1, Some(CARL)));
    let second = with(&[("MAXA", "1"), ("REST", CARL)]);
    assert_eq!((second.rows[0].value("PNR"), second.rest), (Some(ANE), None));
    let counted = with(&[("AIA", "X")]);
    assert_eq!((counted.count, counted.rows.len()), (2, 0));
    let header = "<CprServiceHeader r=\"ADRSOG1\"/>";
    let table = |xml: String| xml[xml.find("<Table").unwrap()..].split('>').next().unwrap().to_owned();
    let counted = counted.to_xml().unwrap();
    assert!(counted.contains(header));
    assert_eq!(table(counted), "<Table r=\"ADRSOEG\" aia=\"2\"/");
    let all_rows = all.to_xml().unwrap();
    assert!(all_rows.contains(header), "empty, as recorded");
    assert_eq!(table(all_rows), "<Table r=\"ADRSOEG\"");
    assert!(first.to_xml().unwrap().contains(&format!("<Key><Field r=\"REST\" v=\"{CARL}\"/></Key>")));
    for (field, expected) in [
        (("HNR", "0001"), 0),
        (("HNR", "001"), 1),
        (("HNR", "7B"), 1),
        (("ETAG", "01"), 1),
        (("SIDO", "tv"), 1),
        (("NVN", "Skov"), 2),
        (("NVN1", "Sko"), 0),
        (("NVN", "Sko*"), 0),
        (("KON", "M"), 1),
        (("STAF", "03"), 1),
        (("STAF", "70"), 0),
        (("STB", "5100"), 0),
    ] {
        let found = adrsog1(&replika, &[at[0], at[1], field]).map(|answer| answer.count);
        assert_eq!(found.unwrap_or(0), expected, "{field:?}");
    }
    let by_name = adrsog1(&replika, &[("VNVN", "Akseltorv"), ("KOMK", "0621")]).unwrap();
    assert_eq!(by_name.rows, all.rows);
}

#[test]
fn adrsog1_requires_a_street_and_a_place() {
    let replika = persons();
    for (fields, expected) in [
        (&[("VEJK", "0042")][..], RequestError::Missing { one: "POST", other: "KOMK" }),
        (&[("KOMK", "0621"), ("VNVN", "")], RequestError::Missing { one: "VEJK", other: "VNVN" }),
        (&[("VEJK", "0042"), ("KOMK", "X")], RequestError::Value { field: "KOMK" }),
        (&[("VEJ", "0042")], RequestError::Unknown),
    ] {
        assert_eq!(adrsog1(&replika, fields).unwrap_err(), expected);
    }
}

/// Everybody whose standard address, asked back as CPR wrote it, or street name does not find them: how many, of how
/// many.
fn not_found_by_their_address(replika: &Replika) -> (usize, usize) {
    let snapshot = replika.snapshot();
    let (mut missed, mut asked) = (0, 0);
    for pnr in snapshot.pnrs().expect("a read") {
        let pnr = pnr.expect("a read");
        let person = snapshot.person(pnr).expect("a read").expect("held");
        let rows: Vec<_> = person.facts().filter_map(|fact| fact.formatted_address()).collect();
        for row in rows {
            let fields = [("standardadresse", row.standard_address()), ("vejnavn", row.street_addressing_name())];
            for (field, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
                asked += 1;
                let query = format!("q={field}:\"{}\"&rows=5000", text.reveal());
                let search = Search {
                    policy: Policy::open(),
                    ..Request::parse(&query, ProtectedPersons::Tell).expect("a query").search(Scope::Now)
                };
                missed +=
                    usize::from(!snapshot.search(&search).expect("a search").rows.iter().any(|hit| hit.pnr == pnr));
            }
        }
    }
    (missed, asked)
}

#[test]
fn a_standard_address_asked_back_as_it_was_written_finds_its_person() {
    let at = |house: &str, line: &str, name: &str| {
        format!(
            "001 STATUS=01, KOEN=K, FOED_DT=1980-01-01
            002 KOMKOD=0621, VEJKOD=0042, {house}, TILFLYDTO=199912312000
            003 ADRNVN=Ane Skov, KOMKOD=0621, VEJKOD=0042, {house}, STANDARDADR={line}, POSTNR=6000, VEJADRNVN={name}"
        )
    };
    for (house, line, name) in [
        ("HUSNR=007A", "Skovvej 7 A", "Skovvej"),
        ("HUSNR=007A, ETAGE=01, SIDEDOER=  tv", "Skovvej 7 A,1 tv", "Skovvej"),
        ("HUSNR=012, ETAGE=st, SIDEDOER=0003", "Skovvej 12,st-3", "Skovvej"),
        ("HUSNR=123A, ETAGE=st, SIDEDOER=  tv", "Skovvej 123A, st. tv", "Skovvej"),
        ("BNR=1234", "Skovvej BNR 1234", "Skovvej"),
        ("HUSNR=012", "Dronning Ingrids Vej 12", "Dr Ingrids V"),
        ("HUSNR=012", "10. Februar Vej 12", "10 Feb Vej"),
    ] {
        let replika = told(&[&[(ANE, &at(house, line, name))]]);
        let ask = |query: String| {
            let search = Search {
                policy: Policy::open(),
                ..Request::parse(&query, ProtectedPersons::Tell).unwrap().search(Scope::Now)
            };
            replika.snapshot().search(&search).unwrap().rows.len()
        };
        assert_eq!(ask(format!("standardadresse:\"{line}\"")), 1, "{line}");
        assert_eq!(ask(format!("standardadresse:\"{}\"", line.replace(',', " "))), 1, "{line} without its comma");
        assert_eq!(ask(format!("vejnavn:\"{name}\"")), 1, "{name}");
        let spelled = [" 1", " 7", " BNR"].iter().fold(line, |street, end| street.split(end).next().unwrap());
        assert_eq!(ask(format!("vejnavn:\"{spelled}\"")), 1, "{spelled}");
    }
}

#[test]
fn every_address_of_a_made_up_denmark_finds_its_person() {
    for family in ["std", "2022"] {
        let product = Product { family: Family::named(family).unwrap(), task: "123401".to_owned() };
        let extract = Population::new(11, 500).full_extract(Vec::new(), &product).unwrap();
        let replika = Replika::in_memory(&Config::default()).unwrap();
        replika.load(Cursor::new(extract), &ApplyOptions::named("made up")).unwrap();
        let (missed, asked) = not_found_by_their_address(&replika);
        assert!(missed == 0 && asked > 600, "{missed} of {asked}");
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_address_of_the_samples_finds_its_person() {
    let Some(samples) = samples("every_address_of_the_samples_finds_its_person") else { return };
    let (missed, asked) = not_found_by_their_address(&test_extract(&samples));
    assert!(missed == 0 && asked > 100, "{missed} of {asked}");
}
