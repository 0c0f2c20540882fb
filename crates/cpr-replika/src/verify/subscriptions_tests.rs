//! Each damage that verification must see, done on purpose.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::Pnr;
use cpr_subscription::Profile;
use redb::{ReadableTable, WriteTransaction};

use super::*;
use crate::apply::ApplyOptions;
use crate::ledger::delivery::Delivery;
use crate::ledger::state_digest::StateDigest;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::sealed;
use crate::store::tables::{DELIVERIES, FILTERS, FOLLOWERS, MATCHES, STREAMS, SUBSCRIBERS};
use crate::subscriptions::registry::{FilterChange, UnknownNumbers};

const ANNA: &str = "6101801231";

/// A store with one subscriber, which follows one number, and one delta that matched it.
fn store() -> Replika {
    let family = Family::named("std").unwrap();
    let replika = Replika::in_memory(&Config { family: Some(family), ..Config::default() }).unwrap();
    let name = "x".parse().unwrap();
    replika.add_subscriber(&name, Profile::SF6002).unwrap();
    let filters = [FilterChange::Add(ANNA.parse().unwrap()), FilterChange::Add("0101".parse().unwrap())];
    replika.change_filters(&name, &filters, UnknownNumbers::Keep).unwrap();
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let date = |digits| Date::from_digits(digits).unwrap();
    let [today, before] = [2026_01_02, 2026_01_01].map(date);
    let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
    writer.record(1, Pnr::parse(ANNA.as_bytes()).unwrap(), &[("STATUS", "01")]).unwrap();
    replika.apply(Cursor::new(writer.finish().unwrap()), &ApplyOptions::named("made up")).unwrap();
    let snapshot = replika.snapshot();
    replika.note_given(snapshot.known(), &snapshot.recipients(snapshot.known()).unwrap()).unwrap();
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    assert_eq!(replika.snapshot().matched(snapshot.known(), &name).unwrap().len(), 1);
    replika
}

fn damaged(damage: impl Fn(&WriteTransaction, u32)) -> Vec<&'static str> {
    let replika = store();
    let anna = Pnr::parse(ANNA.as_bytes()).and_then(|pnr| pnr.key()).unwrap();
    replika
        .change(|write, _| {
            damage(write, anna.as_u32());
            Ok(())
        })
        .unwrap();
    replika.snapshot().verify().unwrap().faults.into_iter().map(|fault| fault.what).collect()
}

#[test]
fn every_damage_to_subscriptions_is_found() {
    let spans = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let set = |delivery: u32, subscriber: u32, keys: &[u32]| {
        let (mut bytes, mut sealed) = (Vec::new(), Vec::new());
        keys.iter().copied().collect::<RoaringBitmap>().serialize_into(&mut bytes).unwrap();
        sealed::seal((delivery, subscriber), &bytes, &mut sealed);
        sealed
    };
    let filter = |write: &WriteTransaction, subscriber, key: &[u8], value: &[u8]| {
        write.open_table(FILTERS).unwrap().insert((subscriber, key), value).unwrap();
    };
    let municipality = [3, 0, 101];
    let still = spans(&[0, u32::MAX]);

    let found = damaged(|write, anna| _ = write.open_multimap_table(FOLLOWERS).unwrap().remove(anna, 1).unwrap());
    assert_eq!(
        found,
        ["a filter on a number that does not stand with the number", "a follower of a number without a filter on it"]
    );
    let found = damaged(|write, anna| _ = write.open_multimap_table(FOLLOWERS).unwrap().insert(anna, 2).unwrap());
    assert_eq!(found, ["a follower of a number without a filter on it"]);
    assert_eq!(damaged(|write, _| filter(write, 2, &municipality, &still)), ["a filter of no subscriber"]);
    assert_eq!(damaged(|write, _| filter(write, 1, &[9, 9], &still)), ["a filter that does not unpack"]);
    for impossible in [&[][..], &[1, 1], &[0, 2], &[2, u32::MAX], &[0, u32::MAX, 1, u32::MAX], &[0, 1, 1, u32::MAX]] {
        let impossible = spans(impossible);
        assert_eq!(damaged(|write, _| filter(write, 1, &municipality, &impossible)), ["spans that cannot be"]);
    }
    assert_eq!(damaged(|write, _| filter(write, 1, &municipality, &still[1..])), ["half a span"]);
    let matches = |key: (u32, u32), value: Vec<u8>| {
        damaged(|write, _| _ = write.open_table(MATCHES).unwrap().insert(key, value.as_slice()).unwrap())
    };
    assert_eq!(matches((1, 1), set(1, 1, &[7])), ["a match that was not in the delivery", "a key of no number"]);
    assert_eq!(matches((1, 2), set(1, 2, &[])), ["matches of no subscriber"]);
    assert_eq!(matches((2, 1), set(2, 1, &[])), ["matches of no delivery"]);
    assert_eq!(matches((1, 1), set(1, 2, &[])), ["checksum"]);
    let stream = |key: (u32, u32), date: u32| {
        damaged(|write, _| _ = write.open_table(STREAMS).unwrap().insert(key, date).unwrap())
    };
    assert_eq!(stream((1, 2), 2026_01_01), ["a file of no delivery"]);
    assert_eq!(stream((2, 1), 2026_01_01), ["a file of no subscriber"]);
    assert_eq!(stream((1, 1), 100_000_000), ["not a date"]);
    let second = damaged(|write, _| _ = write.open_table(SUBSCRIBERS).unwrap().insert("y", (1, 3)).unwrap());
    assert_eq!(second, ["two subscribers with one number"]);
    let profile = damaged(|write, _| _ = write.open_table(SUBSCRIBERS).unwrap().insert("x", (1, 255)).unwrap());
    assert_eq!(profile, ["a profile that cannot be"]);
}

#[test]
fn a_digest_of_another_state_is_found() {
    let told = damaged(|write, _| {
        let mut table = write.open_table(DELIVERIES).unwrap();
        let row = table.get(1).unwrap().unwrap().value().to_vec();
        let mut delivery = Delivery::open(DeliveryNumber(1), &row).unwrap();
        assert!(delivery.state.is_some());
        delivery.state = Some(StateDigest::from_bytes([7; 32]));
        let mut sealed = Vec::new();
        delivery.seal(&mut sealed);
        table.insert(1, sealed.as_slice()).unwrap();
    });
    assert_eq!(told, ["the digest of another state"]);
}
