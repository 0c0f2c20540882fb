//! Who is how old: finding, following and initial loads, beside the plain definition, on every day of a year.

use std::collections::BTreeSet;

use cpr_replika::cpr_model::{Date, Day};
use cpr_replika::cpr_subscription::{AgeRange, Filter, Profile, age_on, birth_dates};
use cpr_replika::{FilterChange, Query, Snapshot, UnknownNumbers};

use crate::kit::{Person, pnr, told};

/// Days of a month as dates have them, those that no month has included.
const DAYS: [u32; 9] = [0, 1, 2, 15, 27, 28, 29, 30, 31];

/// Numbers whose digits say each such day of 1997 in each month, the unknown one included; every fifth is recorded as
/// born on the next day.
fn persons() -> Vec<(String, Date)> {
    let days = (0..=12).flat_map(|month| DAYS.map(|day| (month, day)));
    let person = |(at, (month, day)): (usize, (u32, u32))| {
        let number = format!("{:02}{month:02}970{at:03}", day + 60);
        (number, Date::from_digits(1997_00_00 + month * 100 + day + u32::from(at % 5 == 0)).expect("digits"))
    };
    days.enumerate().map(person).collect()
}

fn found(snapshot: &Snapshot, range: AgeRange, day: Date) -> BTreeSet<String> {
    let Some(dates) = birth_dates(range, day) else { return BTreeSet::new() };
    let found = snapshot.find(&Query::Born(dates)).unwrap();
    found.iter().map(|key| key.pnr().reveal().to_owned()).collect()
}

#[test]
fn on_every_day_of_a_year_everybody_has_one_age() {
    let persons = persons();
    let rows: Vec<String> = persons.iter().map(|(_, born)| format!("001 STATUS=01, FOED_DT={born}")).collect();
    let delivered: Vec<Person<'_>> =
        persons.iter().zip(&rows).map(|((number, _), rows)| (number.as_str(), rows.as_str())).collect();
    let told = told(&[&delivered]);
    let ranges = [(0, 1), (0, 2), (2, 2), (3, 3), (2, 3), (3, 99)];
    let ranges = ranges.map(|(from, to)| AgeRange::new(from, to).unwrap());
    let names = ranges.map(|range| format!("ages-{range}").parse().unwrap());
    for (name, range) in names.iter().zip(ranges) {
        told.replika.add_subscriber(name, Profile::SF6002).unwrap();
        let filters = [FilterChange::Add(Filter::AgeRange(range))];
        told.replika.change_filters(name, &filters, UnknownNumbers::Keep).unwrap();
    }
    let snapshot = told.replika.snapshot();
    for day in (1..=12).flat_map(|month| (1..=31).map(move |day| 2000_00_00 + month * 100 + day)) {
        let day = Date::from_digits(day).unwrap();
        for range in ranges {
            let is_of_age = |born: Date| age_on(born, day).is_some_and(|age| range.contains(age));
            let expected: BTreeSet<String> =
                persons.iter().filter(|(_, born)| is_of_age(*born)).map(|(number, _)| number.clone()).collect();
            assert_eq!(found(&snapshot, range, day), expected, "ages {range} on {day}");
        }
        // Whose birthday is near.
        let near = persons.iter().filter(|(_, born)| (born.digits() % 10_000).abs_diff(day.digits() % 10_000) < 2);
        for (number, born) in near {
            let Some(existing) = Day::of(day) else { continue };
            let following: Vec<String> = snapshot
                .followers(pnr(number), existing)
                .unwrap()
                .into_iter()
                .map(|follower| follower.name.to_string())
                .collect();
            let of_age = ranges.into_iter().filter(|range| age_on(*born, day).is_some_and(|age| range.contains(age)));
            let mut expected: Vec<String> = of_age.map(|range| format!("ages-{range}")).collect();
            expected.sort_unstable();
            assert_eq!(following, expected, "on {day}");
        }
    }
}
