//! Work grows with what is asked and what is answered, not with the store: rows that are looked up or read are counted,
//! which no machine disturbs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Day, Pnr};
use cpr_subscription::{Filter, Profile, SubscriberName};

use crate::apply::ApplyOptions;
use crate::delivery_number::DeliveryNumber;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::rows_read::counted;
use crate::subscriptions::{FilterChange, UnknownNumbers};

/// A person of an extract: number and rows.
type Person = (String, Vec<(u16, Vec<(&'static str, String)>)>);

fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).unwrap()
}

/// The so-manyth number of a made-up series; those of one series and different ones are different persons.
fn number(series: u32, at: u32) -> String {
    format!("61{:02}{:02}{:04}", at / 400 % 12 + 1, 60 + series, 1000 + at % 400)
}

fn living(number: String) -> Person {
    let address = vec![("KOMKOD", "0751".to_owned()), ("VEJKOD", "0042".to_owned())];
    (number, vec![(1, vec![("STATUS", "01".to_owned())]), (2, address)])
}

fn deliver(replika: &Replika, day: u32, persons: &[Person]) {
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let [today, before] = [2026_01_01 + day, 2026_01_00 + day].map(|digits| Date::from_digits(digits).unwrap());
    let mut writer =
        ExtractWriter::new(Vec::new(), Family::named("std").unwrap(), style, "123401", today, before).unwrap();
    for (number, rows) in persons {
        for (record, fields) in rows {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(field, value)| (*field, value.as_str())).collect();
            writer.record(*record, pnr(number), &fields).unwrap();
        }
    }
    replika.apply(Cursor::new(writer.finish().unwrap()), &ApplyOptions::named("made up")).unwrap();
}

fn store() -> Replika {
    Replika::in_memory(&Config { family: Family::named("std"), ..Config::default() }).unwrap()
}

/// Two persons who name the same former numbers, which have no records of their own.
fn with_shared_numbers(shared: u32, ended: Option<&str>) -> Replika {
    let replika = store();
    let names = |of: String| {
        let mut rows = vec![(1, vec![("STATUS", "01".to_owned())])];
        for at in 0..shared {
            let end = ended.map(|end| ("SLUT_DT-PERSON", end.to_owned()));
            rows.push((22, [Some(("PNR", number(1, at))), end].into_iter().flatten().collect()));
        }
        (of, rows)
    };
    deliver(&replika, 1, &[names(number(2, 0)), names(number(2, 1))]);
    replika
}

#[test]
fn a_chain_of_numbers_is_read_in_proportion_to_it_though_two_persons_name_all_of_it() {
    for ended in [None, Some("2010-01-01")] {
        let read = |shared| {
            let replika = with_shared_numbers(shared, ended);
            counted(|| {
                let chain = replika.snapshot().numbers(pnr(&number(2, 0)), None).unwrap().unwrap();
                assert_eq!(chain.numbers.len() as u32, shared + 2);
            })
        };
        let (few, many) = (read(100), read(400));
        assert!(few > 200 && many < few * 4 + 8, "{few} rows for 100 numbers, {many} for 400");
        assert!(many < 400 * 9, "{many} rows for 400 numbers");
    }
}

fn subscribed(replika: &Replika, name: &str, filters: &[String]) -> SubscriberName {
    let name: SubscriberName = name.parse().unwrap();
    replika.add_subscriber(&name, Profile::SF6002).unwrap();
    let changes: Vec<FilterChange> = filters.iter().map(|text| FilterChange::Add(text.parse().unwrap())).collect();
    replika.change_filters(&name, &changes, UnknownNumbers::Keep).unwrap();
    name
}

#[test]
fn who_follows_a_person_is_told_without_a_look_at_numbers_that_are_followed_or_at_other_persons() {
    let read = |persons: u32, numbers: u32| {
        let replika = store();
        let all: Vec<Person> = (0..persons).map(|at| living(number(1, at))).collect();
        deliver(&replika, 1, &all);
        let numbers: Vec<String> = (0..numbers).map(|at| number(1, at)).chain(["0751".to_owned()]).collect();
        for subscriber in ["school", "clinic"] {
            subscribed(&replika, subscriber, &numbers);
        }
        counted(|| {
            let followers = replika.snapshot().followers(pnr(&number(1, 0)), "2026-01-02".parse().unwrap()).unwrap();
            let of_one: Vec<Filter> = [&number(1, 0), "0751"].map(|text| text.parse().unwrap()).to_vec();
            assert_eq!(followers.iter().map(|follower| &follower.filters).collect::<Vec<_>>(), [&of_one, &of_one]);
        })
    };
    assert_eq!(read(10, 1), read(200, 150));
}

#[test]
fn the_reasons_of_a_night_are_told_by_one_look_at_each_person_of_it_and_one_at_who_names_them() {
    // Everybody of the night was given up for one person, who is not in it.
    let read = |of_night: u32, others: u32| {
        let replika = store();
        let names = (0..of_night).map(|at| (22, vec![("PNR", number(1, at))]));
        let holder = (number(2, 0), [(1, vec![("STATUS", "01".to_owned())])].into_iter().chain(names).collect());
        let mut persons: Vec<Person> = (0..others).map(|at| living(number(3, at))).collect();
        persons.push(holder);
        deliver(&replika, 1, &persons);
        let subscriber = subscribed(&replika, "school", &["0751".to_owned(), number(2, 0)]);
        let mut night: Vec<Person> = (0..of_night).map(|at| living(number(1, at))).collect();
        night.iter_mut().for_each(|(_, rows)| rows.push((99, vec![("HAENDELSE", "A01".to_owned())])));
        let applied = counted(|| deliver(&replika, 2, &night));
        let told = counted(|| {
            let matches = replika.snapshot().matches(DeliveryNumber(2), &subscriber).unwrap();
            assert_eq!(matches.persons.len() as u32, of_night);
            assert!(
                matches.persons.iter().all(|one| one.delivered && one.reasons.len() == 2),
                "municipality and chain"
            );
        });
        (applied, told)
    };
    let (applied_few, told_few) = read(50, 10);
    let (applied_many, told_many) = read(200, 300);
    assert!(told_many < told_few * 4, "{told_few} rows for 50 persons, {told_many} for 200");
    assert!(told_many < 200 * 4, "{told_many} rows for 200 persons");
    assert!(applied_many < applied_few * 4, "{applied_few} rows for 50 persons, {applied_many} for 200");
}

#[test]
fn who_reaches_an_age_on_a_day_is_told_by_reading_those_alone() {
    let read = |others: u32| {
        let replika = store();
        let mut persons: Vec<Person> = (0..others).map(|at| living(number(1, at))).collect();
        for (_, rows) in &mut persons {
            rows[0].1.push(("FOED_DT", "1961-01-01".to_owned()));
        }
        let mut due = living("6107614231".to_owned());
        due.1[0].1.push(("FOED_DT", "1961-07-01".to_owned()));
        persons.push(due);
        deliver(&replika, 1, &persons);
        let day: Day = "2026-07-01".parse().unwrap();
        counted(|| assert_eq!(replika.snapshot().calendar(day, day, &[65]).unwrap().len(), 1))
    };
    assert_eq!(read(5), read(300));
}

#[test]
fn whose_protections_end_on_a_day_is_told_by_reading_those_alone() {
    let read = |others: u32| {
        let replika = store();
        let protected = |number: String, ends: String| {
            let mut person = living(number);
            person.1.push((4, vec![("BESKYTTYPE", "0001".to_owned()), ("SLET_DT-BESKYTTELSE", ends)]));
            person
        };
        let mut persons: Vec<Person> =
            (0..others).map(|at| protected(number(1, at), format!("2026-08-{:02}", at % 28 + 1))).collect();
        persons.extend((0..others).map(|at| {
            let mut person = living(number(2, at));
            person.1.push((4, vec![("BESKYTTYPE", "0003".to_owned())]));
            person
        }));
        persons.push(protected(number(3, 0), "2026-07-01".to_owned()));
        deliver(&replika, 1, &persons);
        let [day, next]: [Day; 2] = ["2026-07-01", "2026-07-02"].map(|day| day.parse().unwrap());
        counted(|| {
            assert_eq!(replika.snapshot().calendar(day, day, &[]).unwrap().len(), 1);
            assert_eq!(replika.snapshot().calendar(next, next, &[]).unwrap().len(), 0);
        })
    };
    assert_eq!(read(5), read(300));
    assert!(read(5) < 10, "{} rows", read(5));
}

#[test]
fn what_a_night_copied_is_given_free_by_what_the_next_one_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = Replika::create(&path, &Config { family: Family::named("std"), ..Config::default() }).unwrap();
    let pages = |replika: &Replika| {
        let write = replika.database().begin_write().unwrap();
        let pages = write.stats().unwrap().allocated_pages();
        write.abort().unwrap();
        pages
    };
    for night in 1..=4 {
        let mut persons: Vec<Person> = (0..400).map(|at| living(number(1, at))).collect();
        persons.iter_mut().for_each(|(_, rows)| rows[1].1.push(("HUSNR", format!("{night:03}"))));
        deliver(&replika, night, &persons);
    }
    let copied = pages(&replika);
    replika.database().free_pages_of_before().unwrap();
    let open = pages(&replika);
    drop(replika);
    let closed = pages(&Replika::open(&path).unwrap());
    assert!(open * 10 <= closed * 11, "{open} pages that are not free, {closed} once the store was closed");
    assert!(copied > open + open / 4, "{copied} pages before, of which {open} are left");
}
