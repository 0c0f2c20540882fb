//! What is due between two days: birthdays and protections that run out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cpr_replika::cpr_subscription::age_on;
use cpr_replika::{Due, EraseOptions, Error, Packed, Replika, Snapshot};
use expect_test::expect;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::kit::{DAYS, Person, apply, config, day, extract_of_day, pnr, told};

fn person<'a>(number: &'a str, rows: &'a str) -> Person<'a> {
    (number, rows)
}

fn register() -> Replika {
    let persons = [
        person("6101081230", "001 STATUS=01, FOED_DT=2008-01-01\n002 KOMKOD=0101, TILFLYDTO=200801010000"),
        // Born on 29 February, so the day in 2026 is 1 March.
        person("8902084231", "001 STATUS=01, FOED_DT=2008-02-29"),
        person("6103084232", "001 STATUS=01, FOED_DT=2008-03-01"),
        // The number says another day than the record.
        person("6106084233", "001 STATUS=01, FOED_DT=2008-03-02"),
        person("6100084234", "001 STATUS=80, FOED_DT=2008-00-00"),
        person("6103084235", "001 STATUS=90, FOED_DT=2008-03-01"),
        person("6103084236", "001 STATUS=60, PNRGAELD=6103084232, FOED_DT=2008-03-01"),
        person(
            "6103704237",
            "001 STATUS=01, FOED_DT=1970-03-01
             002 KOMKOD=0751, TILFLYDTO=200801010000
             004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-03-01
             004 BESKYTTYPE=0003, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-04-01
             004 BESKYTTYPE=0005, START_DT-BESKYTTELSE=2025-03-01",
        ),
    ];
    told(&[&persons]).replika
}

#[test]
fn who_reaches_an_age_and_whose_protection_ends() {
    let replika = register();
    let due = |first: &str, last: &str, ages: &[u16]| -> String {
        let events = replika.snapshot().calendar(day(first), day(last), ages).unwrap();
        let line = |event: &cpr_replika::CalendarEvent| {
            let what = match event.due {
                Due::ReachesAge(age) => age.to_string(),
                Due::ProtectionEnds(kind) => kind.to_string(),
                other => other.name().to_owned(),
            };
            let place = event.municipality.map_or(String::new(), |code| format!(" in {code}"));
            format!("{} {} {} {what}{place}\n", event.day, event.pnr.reveal(), event.due.name())
        };
        events.iter().map(line).collect()
    };
    expect![[r#"
        2026-01-01 6100084234 reaches_age 18
        2026-01-01 6101081230 reaches_age 18 in 0101
        2026-03-01 6103084232 reaches_age 18
        2026-03-01 8902084231 reaches_age 18
        2026-03-01 6103704237 protection_ends 0001 in 0751
        2026-03-02 6106084233 reaches_age 18
    "#]]
    .assert_eq(&due("2026-01-01", "2026-03-31", &[18]));
    expect![[r#"
        2026-03-01 6103084232 reaches_age 18
        2026-03-01 8902084231 reaches_age 18
        2026-03-01 6103704237 reaches_age 56 in 0751
        2026-03-01 6103704237 protection_ends 0001 in 0751
    "#]]
    .assert_eq(&due("2026-03-01", "2026-03-01", &[18, 56, 18]));
    expect![[r#""#]].assert_eq(&due("2026-02-28", "2026-02-28", &[18]));
    expect![[r#"
        2024-02-29 8902084231 reaches_age 16
    "#]]
    .assert_eq(&due("2024-02-29", "2024-02-29", &[16]));
    assert_eq!(due("2026-04-02", "2026-12-31", &[]), "");
    assert_eq!(due("1700-01-01", "1701-01-01", &[18, 999]), "");
}

#[test]
fn every_day_alone_gives_what_all_days_together_give_and_age_agrees() {
    let snapshot = register().snapshot();
    let days: Vec<_> = [(1, 31), (2, 28), (3, 31)]
        .into_iter()
        .flat_map(|(month, last)| (1..=last).map(move |day| format!("2026-{month:02}-{day:02}")))
        .collect();
    let all = snapshot.calendar(day(&days[0]), day(&days[days.len() - 1]), &[18, 56]).unwrap();
    let one_by_one: Vec<_> =
        days.iter().flat_map(|one| snapshot.calendar(day(one), day(one), &[18, 56]).unwrap()).collect();
    assert_eq!(all, one_by_one);
    for event in all {
        let Due::ReachesAge(age) = event.due else { continue };
        let person = snapshot.person(event.pnr).unwrap().unwrap();
        let birth = person.facts().find_map(|fact| fact.person()?.birth_date()).unwrap().value;
        assert_eq!(age_on(birth, event.day), Some(age));
    }
}

#[test]
fn days_in_the_wrong_order_are_refused() {
    let refused = register().snapshot().calendar(day("2026-02-01"), day("2026-01-31"), &[18]).unwrap_err();
    assert!(matches!(refused, Error::DaysOutOfOrder) && refused.is_refusal());
}

#[test]
fn a_birthday_is_a_day_of_the_calendar_and_of_the_range() {
    let replika = told(&[&[person("6101824231", "001 STATUS=01, FOED_DT=1982-02-30")]]).replika;
    let days = |first: &str, last: &str| -> Vec<String> {
        let due = replika.snapshot().calendar(day(first), day(last), &[44]).unwrap();
        due.iter().map(|event| event.day.to_string()).collect()
    };
    assert_eq!(days("2026-02-01", "2026-02-28"), [""; 0]);
    assert_eq!(days("2026-03-01", "2026-03-01"), ["2026-03-01"]);
    assert_eq!(days("2026-03-02", "2026-12-31"), [""; 0]);
}

#[test]
fn what_is_due_on_a_day_that_no_month_has_is_due_on_the_day_after_it() {
    let rows = "001 STATUS=01, FOED_DT=1983-02-30
        004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-04-31
        004 BESKYTTYPE=0003, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-03-31";
    let replika = told(&[&[person("6102834238", rows)]]).replika;
    let due = |first: &str, last: &str| -> Vec<String> {
        let events = replika.snapshot().calendar(day(first), day(last), &[43]).unwrap();
        events.iter().map(|event| event.day.to_string()).collect()
    };
    assert_eq!(due("2026-01-01", "2026-12-31"), ["2026-03-01", "2026-03-31", "2026-05-01"]);
    assert_eq!(due("2026-04-01", "2026-04-30"), [""; 0]);
    assert_eq!(due("2026-05-01", "2026-05-01"), ["2026-05-01"]);
}

const PROTECTED: [&str; 4] = ["6101801231", "6101801240", "6102850015", "9005019999"];

/// Protections that a person may have, and the day on which each is due.
const PROTECTIONS: [(&str, Option<&str>); 8] = [
    ("004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-03-01", Some("2026-03-01")),
    ("004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-04-01, SLET_DT-BESKYTTELSE=2026-04-31", Some("2026-05-01")),
    ("004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-05-01", None),
    ("004 BESKYTTYPE=0003, START_DT-BESKYTTELSE=2025-03-01, SLET_DT-BESKYTTELSE=2026-03-01", Some("2026-03-01")),
    ("004 BESKYTTYPE=0003, START_DT-BESKYTTELSE=2025-03-02, SLET_DT-BESKYTTELSE=2026-05-01", Some("2026-05-01")),
    ("004 BESKYTTYPE=0002, START_DT-BESKYTTELSE=2025-03-02, SLET_DT-BESKYTTELSE=2026-13-00", Some("2027-01-01")),
    ("004 BESKYTTYPE=0004, START_DT-BESKYTTELSE=2025-03-02, SLET_DT-BESKYTTELSE=2026-00-00", Some("2026-01-01")),
    ("004 BESKYTTYPE=0005, SLET_DT-BESKYTTELSE=2026-02-28", Some("2026-02-28")),
];

/// What happens to the register.
#[derive(Clone, Debug)]
enum Step {
    /// These persons are delivered, with these protections.
    Night(BTreeMap<&'static str, Vec<usize>>),
    Erase(&'static str),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let protections = subsequence((0..PROTECTIONS.len()).collect::<Vec<_>>(), 0..4);
    let persons = prop::collection::btree_map(select(PROTECTED.to_vec()), protections, 0..=PROTECTED.len());
    let step = prop_oneof![4 => persons.prop_map(Step::Night), 1 => select(PROTECTED.to_vec()).prop_map(Step::Erase)];
    prop::collection::vec(step, 1..DAYS.len())
}

type Ends = BTreeSet<(String, String, String)>;

/// Day, number and kind of all that the calendar has between two days.
fn ends(snapshot: &Snapshot, first: &str, last: &str) -> Ends {
    let due = snapshot.calendar(day(first), day(last), &[]).unwrap();
    let kind = |due| if let Due::ProtectionEnds(kind) = due { kind.to_string() } else { String::new() };
    due.iter().map(|event| (event.day.to_string(), event.pnr.reveal().to_owned(), kind(event.due))).collect()
}

/// The same of the persons one by one.
fn walked(held: &BTreeMap<&'static str, Vec<usize>>, first: &str, last: &str) -> Ends {
    let mut all = Ends::new();
    for (number, protections) in held {
        for (row, due) in protections.iter().map(|&at| PROTECTIONS[at]) {
            if let Some(due) = due.filter(|due| (first..=last).contains(due)) {
                all.insert((due.to_owned(), (*number).to_owned(), row[15..19].to_owned()));
            }
        }
    }
    all
}

fn check_ends(steps: &[Step], packs: &Path) -> Result<(), TestCaseError> {
    let replika = Replika::in_memory(&config()).unwrap();
    let (mut held, mut barred, mut nights) = (BTreeMap::new(), BTreeSet::new(), 0);
    for step in steps {
        match step {
            Step::Night(persons) => {
                nights += 1;
                let rows = |at: &Vec<usize>| at.iter().map(|&at| PROTECTIONS[at].0).collect::<Vec<_>>().join("\n");
                let texts: Vec<(&str, String)> = persons
                    .iter()
                    .map(|(number, protections)| (*number, format!("001 STATUS=01\n{}", rows(protections))))
                    .collect();
                let persons_of: Vec<Person<'_>> = texts.iter().map(|(number, text)| (*number, &text[..])).collect();
                apply(&replika, &extract_of_day(nights, &persons_of)).unwrap();
                let let_in = persons.iter().filter(|(number, _)| !barred.contains(*number));
                held.extend(let_in.map(|(number, protections)| (*number, protections.clone())));
            }
            Step::Erase(number) if held.remove(number).is_some() => {
                replika.erase(&[pnr(number)], "made up", &EraseOptions::default()).unwrap();
                barred.insert(*number);
            }
            Step::Erase(_) => continue,
        }
        replika.snapshot().write_pack(packs).unwrap();
        for snapshot in [replika.snapshot(), Packed::open(packs).unwrap().snapshot()] {
            prop_assert_eq!(snapshot.verify().unwrap().faults, []);
            let days = ["2026-01-01", "2026-02-28", "2026-03-01", "2026-04-30", "2026-05-01", "2027-01-01"];
            for (at, first) in days.iter().enumerate() {
                for last in &days[at..] {
                    prop_assert_eq!(ends(&snapshot, first, last), walked(&held, first, last));
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn ends_of_protections_are_those_of_a_walk_over_all_persons_whatever_happens_to_them(steps in steps()) {
        check_ends(&steps, tempfile::tempdir().unwrap().path())?;
    }
}
