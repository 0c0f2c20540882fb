//! Nothing that is printed for a programmer tells who a person is.

use std::fmt::Write;

use cpr_replika::cpr_model::Aspect;
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, EventCursor, EventFilter, Query, Replika};

use crate::snapshots::{PERSON, extract, pnr};

#[test]
fn debug_output_of_every_answer_tells_nothing_of_the_person() {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    let mut told = String::new();
    for night in 1..=3 {
        let options = ApplyOptions::named("night");
        let report = replika.apply(extract(night), &options).unwrap();
        write!(told, "{report:?} {options:?}").unwrap();
    }
    let snapshot = replika.snapshot();
    let (person, first) = (pnr(PERSON), Some(DeliveryNumber(1)));
    write!(told, "{replika:?} {snapshot:?} {:?}", snapshot.person(person)).unwrap();
    write!(told, "{:?} {:?}", snapshot.as_of(person, None, first), snapshot.group(person, first)).unwrap();
    write!(told, "{:?}", snapshot.diff(person, DeliveryNumber(1), DeliveryNumber(3))).unwrap();
    write!(told, "{:?} {:?}", snapshot.events(person), snapshot.numbers(person, None)).unwrap();
    for aspect in Aspect::all() {
        write!(told, "{:?} {:?}", snapshot.history(person, aspect), snapshot.timeline(person, aspect, None)).unwrap();
    }
    let feed = snapshot.events_since(EventCursor::BEGINNING, EventFilter::default()).unwrap();
    write!(told, "{feed:?}").unwrap();
    for event in feed {
        let event = event.unwrap();
        write!(told, "{event:?} {0} {0:?} {1} {2:?}", event.id, event.cursor, snapshot.payload(&event)).unwrap();
    }
    let all_days = ["0001-01-01", "9999-12-31"].map(|text| text.parse().unwrap());
    write!(told, "{:?}", snapshot.calendar(all_days[0], all_days[1], &[18])).unwrap();
    write!(told, "{:?} {:?}", snapshot.verify(), snapshot.stats()).unwrap();
    write!(told, "{:?}", snapshot.find(&Query::All)).unwrap();
    assert!(told.contains("address") && told.contains("Pnr(..)"), "it tells what, not whom");
    for what in [
        "ApplyOptions { dry_run: false, allow: Allow { wrong_count: false",
        "Replika at delivery 3",
        "Snapshot at delivery 3",
        "Person of ",
        "PersonSet of 1",
        "Image as of delivery 1",
        " lines of delivery 1",
        "EventFeed before delivery 1, up to 3",
        " of delivery 2",
        "EventId(",
    ] {
        assert!(told.contains(what), "{what} is not told");
    }
    let key = person.key().unwrap().as_u32().to_string();
    for secret in [PERSON, "Sofie", "Skovvej", key.as_str(), "83, 111, 102", "54, 49, 48, 49"] {
        assert!(!told.contains(secret), "{secret} is told");
    }
}

#[cfg(unix)]
#[test]
fn a_store_is_for_its_owner_alone_whatever_stood_there() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let (new, reserved) = (folder.path().join("new"), folder.path().join("reserved"));
    std::fs::write(&reserved, b"").unwrap();
    std::fs::set_permissions(&reserved, PermissionsExt::from_mode(0o666)).unwrap();
    for path in [&new, &reserved] {
        drop(cpr_replika::Replika::create(path, &cpr_replika::Config::default()).unwrap());
        assert_eq!(mode(path), 0o600);
        for open in [cpr_replika::Replika::open, cpr_replika::Replika::open_read_only] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
            drop(open(path).unwrap());
            assert_eq!(mode(path), 0o600, "an older store is made private when it is opened");
        }
    }
}

#[test]
fn what_always_comes_is_always_chosen_and_never_passed_over() {
    use cpr_replika::{Config, Replika};
    let config = Config { chosen: Some(vec![8, 2, 8, 0, 999]), ..Config::default() };
    assert_eq!(Replika::in_memory(&config).unwrap().settings().chosen, Some(vec![1, 2, 8, 99]));
    for record in [0, 1, 999] {
        let config = Config { ignored: vec![record], ..Config::default() };
        assert_eq!(Replika::in_memory(&config).unwrap_err().kind(), "config", "{record}");
    }
}
