//! With the feature `serde`: what is handed out stands in JSON as docs/json.md says.

use std::collections::BTreeSet;
use std::io::Cursor;

use cpr_replika::cpr_model::{Aspect, Date, Day};
use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, Config, DeliveryNumber, EventCursor, EventFilter, FilterChange, NamePart, Query, Replika, Search,
    UnknownNumbers,
};
use serde_json::{Value, json, to_value};

const DOCUMENT: &str = include_str!("../../../../docs/json.md");
const SOFIE: &str = "6101801234";

/// Members that data names: CPR's field names, classes.
const NAMED_BY_DATA: [&str; 2] = ["fields", "classes"];

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                names.insert(name.clone());
                if !NAMED_BY_DATA.contains(&name.as_str()) {
                    collect_names(member, names);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

fn demo() -> Replika {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    for name in ["D260105.L999901", "D260106.L999901"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo");
        let extract = std::fs::read(folder.join(name)).unwrap();
        replika.apply(Cursor::new(extract), &ApplyOptions::named(name)).unwrap();
        if replika.snapshot().known().0 == 1 {
            let school = "school".parse().unwrap();
            replika.add_subscriber(&school, Profile::SF6002).unwrap();
            let filters = [SOFIE, "0-17+0851"].map(|text| FilterChange::Add(text.parse().unwrap()));
            replika.change_filters(&school, &filters, UnknownNumbers::Keep).unwrap();
        }
    }
    replika
}

/// Everything that the demo's store hands out, as JSON.
fn handed_out() -> Vec<(&'static str, Value)> {
    let replika = demo();
    let snapshot = replika.snapshot();
    let sofie = SOFIE.parse().unwrap();
    let (first, second) = (DeliveryNumber(1), DeliveryNumber(2));
    let day = |digits| Day::of(Date::from_digits(digits).unwrap()).unwrap();
    let person = snapshot.person(sofie).unwrap().unwrap();
    let image = snapshot.as_of(sofie, None, Some(first)).unwrap().unwrap();
    let history = snapshot.history(sofie, Aspect::Address).unwrap();
    let changes = snapshot.diff(sofie, first, second).unwrap();
    let events = snapshot.events_since(EventCursor::BEGINNING, EventFilter::default()).unwrap();
    let calendar = snapshot.calendar(day(2026_01_01), day(2026_12_31), &[46]).unwrap();
    let hits = snapshot.search(&Search::now(Query::name(NamePart::Surname, "Bækg*"))).unwrap();
    let chain = snapshot.numbers(sofie, None).unwrap().unwrap();
    let school = "school".parse().unwrap();
    let json = |value: serde_json::Result<Value>| value.unwrap();
    vec![
        ("delivery", json(to_value(snapshot.delivery(second).unwrap()))),
        ("person", json(to_value(snapshot.describe(sofie, &person)))),
        ("image", json(to_value(snapshot.describe(sofie, &image)))),
        ("history", json(to_value(snapshot.describe(sofie, &history[..])))),
        ("diff", json(to_value(snapshot.describe(sofie, &changes[..])))),
        ("group", json(to_value(snapshot.group(sofie, None).unwrap()))),
        ("chain", json(to_value(&chain))),
        ("number", json(to_value(chain.numbers[0]))),
        ("received", json(to_value(snapshot.events(sofie).unwrap()))),
        ("events", json(to_value(events.map(Result::unwrap).collect::<Vec<_>>()))),
        ("calendar", json(to_value(calendar))),
        ("hits", json(to_value(hits))),
        ("subscriber", json(to_value(snapshot.subscriber(&school).unwrap()))),
        ("recipients", json(to_value(snapshot.recipients(second).unwrap()))),
        ("matches", json(to_value(snapshot.matches(second, &school).unwrap()))),
        ("followers", json(to_value(snapshot.followers(sofie, day(2026_01_06)).unwrap()))),
        ("load", json(to_value(replika.initial_load(&school, &mut Vec::new()).unwrap()))),
        ("settings", json(to_value(snapshot.settings()))),
        ("stats", json(to_value(snapshot.stats().unwrap()))),
        ("verify", json(to_value(snapshot.verify().unwrap()))),
    ]
}

#[test]
fn every_member_of_what_is_handed_out_stands_in_the_document() {
    for (what, value) in handed_out() {
        let mut names = BTreeSet::new();
        collect_names(&value, &mut names);
        assert!(!names.is_empty(), "{what}: {value}");
        for name in names {
            assert!(DOCUMENT.contains(&format!("\"{name}\"")), "{what}: \"{name}\" is not in docs/json.md");
        }
    }
}

#[test]
fn values_stand_as_cpr_writes_them() {
    let all = handed_out();
    let of = |what: &str| &all.iter().find(|(name, _)| *name == what).unwrap().1;
    let fact = &of("history")[0];
    assert_eq!((&fact["record"], &fact["valid_from"]), (&json!("023"), &json!("2009-06-13T14:00")));
    assert_eq!((&fact["known_from"], &fact["known_to"], &fact["mark"]), (&json!(1), &json!(2), &Value::Null));
    assert_eq!((&fact["fields"]["PNR"], &fact["fields"]["KOMKOD"]), (&json!(SOFIE), &json!("0751")));
    assert_eq!(of("diff")[0]["class"], "late_report");
    assert_eq!(of("chain"), &json!({ "current_pnr": SOFIE, "numbers": [SOFIE] }));
    assert_eq!(of("load"), &json!({ "known": 2, "production_date": "2026-01-06", "persons": 2 }));
    assert_eq!(of("matches")["persons"][0]["reasons"][0]["filter"], SOFIE);
    assert_eq!(of("settings")["family"], "std");
    assert_eq!(of("calendar")[0]["municipality"], "0851");
}
