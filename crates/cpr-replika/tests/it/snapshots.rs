//! Snapshots: consistent for as long as they are held, from any thread, whatever is applied meanwhile.

use std::io::Cursor;

use cpr_replika::cpr_extract::{ExtractWriter, Family, Style};
use cpr_replika::cpr_model::{Aspect, Date, Pnr};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika, Snapshot};

pub(crate) const PERSON: &str = "6101801234";

pub(crate) fn pnr(text: &str) -> Pnr {
    Pnr::parse(text.as_bytes()).unwrap()
}

/// One person in house number `night`.
pub(crate) fn extract(night: u32) -> Cursor<Vec<u8>> {
    let day = |n: u32| Date::from_digits(2026_01_01 + n / 28 * 100 + n % 28).unwrap();
    let family = Family::named("std").unwrap();
    let mut writer =
        ExtractWriter::new(Vec::new(), family, Style::default(), "123401", day(night), day(night - 1)).unwrap();
    let (person, house) = (pnr(PERSON), format!("{night:03}"));
    writer.record(1, person, &[("STATUS", "01"), ("KOEN", "K")]).unwrap();
    writer.record(2, person, &[("KOMKOD", "0101"), ("HUSNR", &house), ("TILFLYDTO", "202001010000")]).unwrap();
    writer.record(8, person, &[("FORNVN", "Sofie"), ("NVNHAENSTART", "198001010000")]).unwrap();
    writer.record(3, person, &[("ADRNVN", "Sofie"), ("STANDARDADR", "Skovvej 1")]).unwrap();
    writer.record(22, person, &[("PNR", "7212554441"), ("SLUT_DT-PERSON", "2001-01-01")]).unwrap();
    writer.record(99, person, &[("HAENDELSE", "A01")]).unwrap();
    Cursor::new(writer.finish().unwrap())
}

fn house(snapshot: &Snapshot, known: Option<u32>) -> String {
    let image = snapshot.as_of(pnr(PERSON), None, known.map(DeliveryNumber)).unwrap().unwrap();
    let address = image.aspect(Aspect::Address).next().unwrap();
    address.address().unwrap().house_number().reveal().into_owned()
}

fn applied(nights: std::ops::RangeInclusive<u32>, replika: &Replika) {
    for night in nights {
        replika.apply(extract(night), &ApplyOptions::named("night")).unwrap();
    }
}

#[test]
fn a_snapshot_stays_what_it_was_while_deliveries_are_applied() {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    applied(1..=1, &replika);
    let held = replika.snapshot();
    applied(2..=3, &replika);
    assert_eq!((held.known(), house(&held, None)), (DeliveryNumber(1), "001".to_owned()));
    assert!(held.as_of(pnr(PERSON), None, Some(DeliveryNumber(2))).is_err(), "it does not know of the next");
    let now = replika.snapshot();
    assert_eq!([None, Some(1), Some(2)].map(|known| house(&now, known)), ["003", "001", "002"]);
}

#[test]
fn snapshots_are_read_from_other_threads_while_a_delivery_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let replika = Replika::create(folder.path().join("store"), &Config::default()).unwrap();
    applied(1..=1, &replika);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0;
                    while seen < 40 {
                        let snapshot = replika.snapshot();
                        let known = snapshot.known().0;
                        assert!(known >= seen, "no reader goes back in time");
                        assert_eq!(house(&snapshot, None), format!("{known:03}"), "a delivery is seen whole");
                        seen = known;
                    }
                })
            })
            .collect();
        applied(2..=40, &replika);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_snapshot_outlives_the_handle_that_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = Replika::create(&path, &Config::default()).unwrap();
    applied(1..=2, &replika);
    let snapshot = replika.snapshot();
    drop(replika);
    assert_eq!(house(&snapshot, Some(1)), "001");
    drop(snapshot);
    let again = Replika::open_read_only(&path).unwrap();
    assert_eq!(house(&again.snapshot(), None), "002");
}

/// The file of a store that is open is what a killed process leaves behind.
#[test]
fn after_a_killed_writer_a_store_opens_to_read_and_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let replika = Replika::create(path("store"), &Config::default()).unwrap();
    applied(1..=2, &replika);
    std::fs::copy(path("store"), path("killed")).unwrap();
    std::fs::copy(path("store"), path("killed too")).unwrap();
    let readers = [Replika::open_read_only(path("killed")).unwrap(), Replika::open_read_only(path("killed")).unwrap()];
    assert_eq!(readers.map(|reader| house(&reader.snapshot(), None)), ["002", "002"]);
    let writer = Replika::open(path("killed too")).unwrap();
    applied(3..=3, &writer);
    assert!(writer.snapshot().verify().unwrap().is_clean());
}

/// Enough deliveries that a person's superseded facts fill several rows: every one of them still answers.
#[test]
fn after_many_deliveries_each_is_still_known() {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    applied(1..=200, &replika);
    let snapshot = replika.snapshot();
    for known in 1..=200 {
        assert_eq!(house(&snapshot, Some(known)), format!("{known:03}"));
        let group = snapshot.group(pnr(PERSON), Some(DeliveryNumber(known))).unwrap().unwrap();
        let lines: Vec<&[u8]> = group.reveal().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[1].windows(3).any(|text| text == format!("{known:03}").as_bytes()));
    }
    assert_eq!(snapshot.history(pnr(PERSON), Aspect::Address).unwrap().len(), 200);
    assert!(snapshot.verify().unwrap().is_clean());
    let rows = snapshot.stats().unwrap().tables.into_iter().find(|table| table.name == "superseded/v2").unwrap().rows;
    assert!(rows > 2 && rows < 20, "{rows} rows of superseded facts");
}
