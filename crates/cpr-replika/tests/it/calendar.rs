//! What is due between two days: birthdays and protections that run out.

use cpr_replika::cpr_subscription::age_on;
use cpr_replika::{Due, Error, Replika};
use expect_test::expect;

use crate::kit::{Person, day, told};

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
