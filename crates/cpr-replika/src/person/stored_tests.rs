//! The bytes of stored persons are pinned: a layout that changes is a new version.

use cpr_model::{Aspect, Field, RowKind, Values, ValuesWriter};
use rkyv::util::AlignedVec;

use super::v2;
use crate::person::value;
use crate::store;

fn rows_of_hex(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(16).map(hex::encode).collect()
}

#[test]
fn the_stored_document_of_version_1_has_these_bytes() {
    let mut values = Vec::new();
    let mut writer = ValuesWriter(&mut values);
    writer.number(Field::Status, Some(1));
    writer.text(Field::Sex, b"K");
    let first = writer.0.len() as u32;
    let mut writer = ValuesWriter(&mut values);
    writer.digits(Field::MovedIn, 2000_0101_1200);
    writer.number(Field::MunicipalityCode, Some(101));
    let fact = |end, id, record, aspect| v2::FactHeader {
        known_from: 1,
        end,
        id,
        record,
        kind: RowKind::new(aspect, false).0,
    };
    let person = v2::Document {
        delivered: 2,
        in_group: 2,
        facts: vec![fact(first, 0, 1, Aspect::Person), fact(values.len() as u32, 1, 2, Aspect::Address)],
        values,
        widths: vec![v2::LineWidth { line: 1, bytes: 306 }],
    };
    let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(&person).unwrap();
    assert_eq!(rows_of_hex(&bytes), GOLDEN);
    let archived = rkyv::access::<v2::ArchivedDocument, rkyv::rancor::Error>(&bytes).unwrap();
    let read: Vec<_> = archived.rows().collect();
    assert_eq!(read.iter().map(|(fact, _)| *fact).collect::<Vec<_>>(), person.facts);
    assert_eq!(read[1].1.number(Field::MunicipalityCode), Some(101));
}

#[test]
fn the_stored_past_has_these_bytes() {
    let mut values = Vec::new();
    ValuesWriter(&mut values).text(Field::Sex, b"K");
    let fact = v2::FactHeader { known_from: 1, end: 0, id: 7, record: 1, kind: RowKind::new(Aspect::Person, false).0 };
    let mut past = v2::Past { since: 2, ..v2::Past::default() };
    past.push_group(3, 5, [7, 9].into_iter(), [v2::LineWidth { line: 1, bytes: 306 }].into_iter());
    past.push_fact(fact, Values::new(&values), 5);
    let mut event = Vec::new();
    ValuesWriter(&mut event).text(Field::EventCode, b"A01");
    past.push_event(6, 99, Values::new(&event));
    let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(&past).unwrap();
    assert_eq!(rows_of_hex(&bytes), GOLDEN_PAST);
    let archived = rkyv::access::<v2::ArchivedPast, rkyv::rancor::Error>(&bytes).unwrap();
    assert_eq!(archived.last(), 6);
    let facts: Vec<_> = archived.rows().collect();
    assert_eq!(facts, [(v2::FactHeader { end: 3, ..fact }, Values::new(&values), 5)]);
    let events: Vec<_> = archived.events().collect();
    assert_eq!(events, [(v2::PastEvent { delivery: 6, record: 99, end: 6 }, Values::new(&event))]);
    let (group, order, widths) = archived.group_at(4).unwrap();
    assert_eq!((group.delivered, order, widths), (3, vec![7, 9], vec![v2::LineWidth { line: 1, bytes: 306 }]));
    let mut copy = v2::Past::default();
    copy.copy_from(archived);
    assert_eq!(rows_of_hex(&rkyv::to_bytes::<rkyv::rancor::Error>(&copy).unwrap()), GOLDEN_PAST);
}

fn of_kind(kind: u8) -> v2::FactHeader {
    v2::FactHeader { known_from: 1, end: 0, id: 0, record: 1, kind }
}

/// The value of a person of two rows, with a past of one more; kinds as they are given.
fn sealed(key: u32, kinds: [u8; 2], past: u8) -> Vec<u8> {
    let (mut archive, mut value) = (AlignedVec::new(), Vec::new());
    let document = v2::Document { delivered: 1, in_group: 2, facts: kinds.map(of_kind).to_vec(), ..Default::default() };
    store::sealed::archive(&document, &mut archive);
    value::seal_document(key, &archive, &mut value);
    let mut happened = v2::Past::default();
    happened.push_group(1, 2, [0].into_iter(), std::iter::empty());
    happened.push_fact(of_kind(past), Values::new(&[]), 2);
    store::sealed::archive(&happened, &mut archive);
    value::seal_past(key, &archive, &mut value);
    value
}

#[test]
fn a_fact_that_is_about_nothing_is_told_as_damage_though_its_seal_is_right() {
    let name = RowKind::new(Aspect::Name, true).0;
    let open = |kinds, past| {
        // As it stands in a page: aligned.
        let value = store::sealed::aligned(&sealed(7, kinds, past));
        let opened = value::StoredPerson::open(7, &value).map(|person| person.document.is_some());
        let document = value::with_document(7, &value, |document| document.facts.len());
        (opened.map_err(|error| error.to_string()), document.map_err(|error| error.to_string()))
    };
    assert_eq!(open([name, name], name), (Ok(true), Ok(2)));
    for nothing in [0, 0x7F, 0xFF] {
        for kinds in [[nothing, name], [name, nothing], [nothing, nothing]] {
            let told = open(kinds, name);
            assert!(told.0.is_err_and(|error| error.contains("a fact of no aspect")), "{kinds:?}");
            assert!(told.1.is_err_and(|error| error.contains("a fact of no aspect")), "{kinds:?}");
        }
        assert!(open([name, name], nothing).0.is_err_and(|error| error.contains("a fact of no aspect")));
    }
}

#[test]
fn a_past_is_put_away_when_it_is_full_and_not_before() {
    let full = |events: u32| {
        let (mut archive, mut value) = (AlignedVec::new(), Vec::new());
        store::sealed::archive(&v2::Document::default(), &mut archive);
        value::seal_document(7, &archive, &mut value);
        let document_bytes = value.len();
        let mut past = v2::Past::default();
        for delivery in 1..=events {
            past.push_event(delivery, 99, Values::new(&[0; 100]));
        }
        if !past.is_empty() {
            store::sealed::archive(&past, &mut archive);
            value::seal_past(7, &archive, &mut value);
        }
        let past_bytes = value.len() - document_bytes;
        let value = store::sealed::aligned(&value);
        let person = value::StoredPerson::open(7, &value).expect("sound");
        assert_eq!(person.sealed_document().len(), document_bytes);
        (past_bytes, person.full_past(7).expect("sound").map(|(last, _)| last))
    };
    assert_eq!(full(0), (0, None));
    let sizes: Vec<_> = (1..60).map(full).collect();
    assert!(sizes[0].0 < value::FULL_BYTES && sizes[58].0 > value::FULL_BYTES);
    for (events, (bytes, found)) in (1..).zip(sizes) {
        assert_eq!(found, (bytes >= value::FULL_BYTES).then_some(events), "{bytes} bytes");
    }
}

#[test]
fn what_is_stored_is_counted_by_debug_and_not_told() {
    let fact = v2::FactHeader { known_from: 1, end: 4, id: 0, record: 8, kind: RowKind::new(Aspect::Name, false).0 };
    let document =
        v2::Document { delivered: 1, in_group: 1, facts: vec![fact], values: b"Anna".to_vec(), widths: Vec::new() };
    assert_eq!(format!("{document:?}"), "Document of 1 facts");
    assert_eq!(format!("{:?}", v2::Past::default()), "Past of 0 facts and 0 events");
}

const GOLDEN_PAST: &[&str] = &[
    "01000000030000000700010105000000",
    "05014b00030000000500000002000000",
    "01000000070009000100320106000000",
    "6300000006000000f001034130310000",
    "02000000bcffffff01000000c4ffffff",
    "03000000c0ffffff01000000c8ffffff",
    "02000000c4ffffff01000000c0ffffff",
    "01000000c4ffffff06000000",
];

const GOLDEN: &[&str] = &[
    "01000000050000000000010101000000",
    "0e00000001000202020105014b34003e",
    "fd902e2d650001003201000002000000",
    "02000000ccffffff02000000dcffffff",
    "0e000000e2ffffff01000000",
];
