//! An event on its way to a distributor of messages, and the receipt that comes back.

use cpr_wire::cpr_events::{Cause, EventKind};
use cpr_wire::cpr_model::{Aspect, Date, Field, MunicipalityCode, Pnr, Timestamp, Values, ValuesWriter};
use cpr_wire::event_message::{EventMessage, Id, NAMESPACE, Publisher, Receipt};
use cpr_wire::xml::{Document, Element};
use cpr_wire::{Cvr, Error, Limits};

use crate::kit::{NUMBER, find, text};

const OTHER: &str = "6101801235";

/// Code A01, derived from a parent's.
fn cause() -> Cause {
    let mut packed = Vec::new();
    let mut writer = ValuesWriter(&mut packed);
    writer.text(Field::EventCode, b"A01");
    writer.text(Field::DerivedMark, b"MO");
    writer.digits(Field::UpdatedInCprAt, 2026_01_05_12_30);
    Cause::read(Values::new(&packed))
}

/// A move that touches another person.
pub(crate) fn moved() -> EventMessage {
    let pnr = |digits: &str| Pnr::parse(digits.as_bytes()).expect("ten digits");
    EventMessage {
        id: "11111111-2222-4333-8444-555555555555".parse().expect("a UUID"),
        kind: EventKind::MovedIn,
        cause: Some(cause()),
        pnr: pnr(NUMBER),
        related: vec![pnr(OTHER)],
        aspects: vec![Aspect::Address, Aspect::FormattedAddress],
        municipality_before: Some(MunicipalityCode(101)),
        municipality_after: Some(MunicipalityCode(851)),
        authority: Cvr::parse("12345678"),
        receivers: vec![Cvr::parse("12345678").expect("eight digits")],
        delivery: 7,
        production_date: Date::parse("2026-07-06").expect("a date"),
        created: Timestamp::from_digits(2026_07_06_23_05).expect("a moment"),
        valid_from: Timestamp::from_digits(2026_01_05_99_99),
    }
}

pub(crate) fn publisher() -> Publisher {
    Publisher {
        message_type: Id::Uuid("22222222-2222-4333-8444-555555555555".parse().expect("a UUID")),
        responsible: Some("33333333-2222-4333-8444-555555555555".parse().expect("a UUID")),
        source: Some("44444444-2222-4333-8444-555555555555".parse().expect("a UUID")),
        classification: Some(Id::Urn("urn:classification & more".to_owned())),
        actions: Vec::new(),
    }
}

fn parse(xml: &str) -> Document {
    Document::parse(xml, &Limits::REQUEST).expect("well-formed")
}

/// The identification in the first element of this name.
fn id<'d>(element: Element<'d>, name: &str) -> &'d str {
    let found = find(element, name).unwrap_or_else(|| panic!("{name} is not there"));
    found.children().next().expect("an identification").text()
}

#[test]
fn a_filter_sees_who_what_and_where() {
    let document = parse(&moved().to_xml(&publisher()));
    assert!(document.root().is("urn:oio:besked:kuvert:1.0", "Haendelsesbesked"));
    assert_eq!(id(document.root(), "BeskedId"), "11111111-2222-4333-8444-555555555555");
    let filters = find(document.root(), "Filtreringsdata").expect("filters");
    assert_eq!(id(filters, "Beskedtype"), "22222222-2222-4333-8444-555555555555");
    assert_eq!(id(filters, "TilladtModtager"), "urn:oio:cvr-nr:12345678");
    let registration = find(filters, "ObjektRegistrering").expect("the person");
    assert_eq!(id(registration, "ObjektAnsvarligMyndighed"), "urn:oio:cvr-nr:12345678");
    assert_eq!(id(registration, "ObjektId"), format!("urn:oio:cpr-nr:{NUMBER}"));
    assert_eq!(id(registration, "ObjektHandling"), "urn:replika:cpr-event:1:moved_in");
    let related = filters.children().filter(|child| child.name() == "RelateretObjekt");
    let related: Vec<(&str, &str)> = related.map(|child| (id(child, "ObjektId"), id(child, "ObjektRolle"))).collect();
    let municipality = |code: &str| format!("{NAMESPACE}:municipality:{code}");
    assert_eq!(
        related,
        [
            (format!("urn:oio:cpr-nr:{OTHER}").as_str(), "urn:replika:cpr-event:1:role:related"),
            (municipality("0101").as_str(), "urn:replika:cpr-event:1:role:before"),
            (municipality("0851").as_str(), "urn:replika:cpr-event:1:role:after"),
        ]
    );
}

#[test]
fn the_payload_tells_the_engines_own_fields() {
    let document = parse(&moved().to_xml(&publisher()));
    let payload = find(document.root(), "PersonEvent").expect("a payload");
    assert_eq!(payload.namespace(), Some(NAMESPACE));
    let fields: Vec<(&str, &str)> = payload.children().map(|child| (child.name(), child.text())).collect();
    assert_eq!(
        fields,
        [
            ("Kind", "moved_in"),
            ("Cause", ""),
            ("Pnr", NUMBER),
            ("RelatedPnr", OTHER),
            ("ChangedAspect", "address"),
            ("ChangedAspect", "formatted_address"),
            ("MunicipalityBefore", "0101"),
            ("MunicipalityAfter", "0851"),
            ("ValidFrom", &moved().valid_from.expect("there").to_string()),
            ("Delivery", "7"),
            ("ProductionDate", "2026-07-06"),
        ]
    );
    let cause = find(payload, "Cause").expect("a cause");
    assert_eq!((text(cause, "Code"), text(cause, "DerivedMark")), ("A01", "MO"));
}

#[test]
fn times_are_of_danish_time_and_what_is_no_day_is_left_out() {
    let document = parse(&moved().to_xml(&publisher()));
    assert_eq!(id(document.root(), "Dannelsestidspunkt"), "2026-07-06T23:05:00.000+02:00");
    assert_eq!(id(document.root(), "GyldighedFra"), "2026-01-05T00:00:00.000+01:00");
    let partial = EventMessage { valid_from: Timestamp::from_digits(1961_00_00_00_00), ..moved() };
    assert!(find(parse(&partial.to_xml(&publisher())).root(), "GyldighedFra").is_none());
}

#[test]
fn every_try_is_the_same_and_a_push_holds_the_same_message() {
    assert_eq!(moved().to_xml(&publisher()), moved().to_xml(&publisher()));
    let push = parse(&moved().to_push_xml(&publisher()));
    assert!(push.root().is("urn:oio:sts:1.0.0", "ModtagBeskedInput"));
    assert_eq!(id(push.root(), "BeskedId"), "11111111-2222-4333-8444-555555555555");
}

#[test]
fn a_kind_goes_under_the_name_that_receivers_know() {
    let known = Id::Urn("urn:oio:cpr:personhaendelse:004".to_owned());
    let publisher = Publisher { actions: vec![(EventKind::MovedIn, known)], ..publisher() };
    let document = parse(&moved().to_xml(&publisher));
    assert_eq!(id(document.root(), "ObjektHandling"), "urn:oio:cpr:personhaendelse:004");
}

#[test]
fn debug_tells_no_number() {
    assert_eq!(format!("{:?}", moved()), "moved_in of delivery 7");
    let person = Id::Urn(format!("urn:oio:cpr-nr:{NUMBER}"));
    assert_eq!(format!("{person:?}"), "Urn(..)");
}

#[test]
fn a_receipt_is_read_alone_and_within_an_output() {
    let receipt = |code: &str, more: &str| {
        format!("<StandardRetur xmlns=\"urn:oio:sagdok:3.0.0\"><StatusKode>{code}</StatusKode>{more}</StandardRetur>")
    };
    let parse = |xml: &str| Receipt::parse(xml.as_bytes(), &Limits::REQUEST);
    let taken = receipt("20", "");
    for xml in [
        taken.clone(),
        format!("<o:ModtagBeskedOutput xmlns:o=\"urn:oio:sts:1.0.0\">{taken}</o:ModtagBeskedOutput>"),
        format!("<o:AfsendBeskedOutput xmlns:o=\"urn:oio:sts:beskedfordeler:1.0.0\">{taken}</o:AfsendBeskedOutput>"),
    ] {
        assert!(parse(&xml).expect("a receipt").is_taken(), "{xml}");
    }
    let refused = parse(&receipt("41", &format!("<FejlbeskedTekst>{NUMBER}</FejlbeskedTekst>"))).expect("a receipt");
    assert_eq!((refused.code, refused.is_taken()), (Receipt::TOKEN_EXPIRED, false));
    assert_eq!(refused.text.as_deref(), Some(NUMBER));
    assert_eq!(format!("{refused:?}"), "Receipt(41)");
    assert_eq!(parse(&receipt("x", "")), Err(Error::Value { element: "StatusKode" }));
    assert_eq!(parse("<a/>"), Err(Error::Missing { element: "StandardRetur" }));
    assert_eq!(
        parse("<StandardRetur><StatusKode>20</StatusKode></StandardRetur>"),
        Err(Error::Missing { element: "StandardRetur" })
    );
}
