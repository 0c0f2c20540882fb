//! The digest of the state in the ledger: that of every delivery is what computing it anew gives, wherever the state is
//! kept.

use cpr_replika::{ApplyOptions, DeliveryNumber, EraseOptions, Options, Packed, Replika, Snapshot};

use crate::kit::{apply, config, extract_of_day, pnr};

const GONE: &str = "6301801234";

/// Rows that stay, change, go, come back and are told again, with events.
fn delivered(days: std::ops::RangeInclusive<usize>, replika: &Replika) {
    for day in days {
        let moved =
            format!("001 STATUS=01\n002 KOMKOD=0751, VEJKOD=004{day}, TILFLYDTO=20240{day}011200\n099 HAENDELSE=A05");
        let same = "001 STATUS=01\n008 FORNVN=Maja, EFTERNVN=Mejse, NVNHAENSTART=198001010000";
        let flips = if day % 2 == 0 { same.to_owned() } else { format!("{same}\n010 LANDEKOD=5100") };
        let mut persons = vec![("6101801234", &*moved), ("6201801234", &*flips), (GONE, same)];
        persons.truncate(if day == 3 { 2 } else { 3 });
        apply(replika, &extract_of_day(day, &persons)).unwrap();
        check(&replika.snapshot());
    }
}

fn check(snapshot: &Snapshot) {
    assert_eq!(snapshot.ledger_digest(), Some(snapshot.state_digest().unwrap()), "delivery {}", snapshot.known());
}

#[test]
fn the_ledger_has_the_digest_of_every_state_and_so_has_whatever_was_made_of_it() {
    let (folder, replika) = (tempfile::tempdir().unwrap(), Replika::in_memory(&config()).unwrap());
    assert_eq!(replika.snapshot().ledger_digest(), None);
    let [packs, own] = ["packs", "own"].map(|name| folder.path().join(name));
    delivered(1..=2, &replika);
    replika.snapshot().write_pack(&packs).unwrap();
    delivered(3..=5, &replika);
    let report = replika.snapshot().write_pack(&packs).unwrap();
    let ledger = replika.snapshot().deliveries().unwrap();
    assert_eq!(Some(report.digest), ledger[4].state);
    assert_eq!(format!("{:?}", report.digest), format!("StateDigest({})", report.digest));
    Packed::follow(&own, &packs, &Options::default()).unwrap();
    let followed = Packed::open(&own).unwrap();
    check(&followed.snapshot());
    assert_eq!(Some(followed.digest()), ledger[4].state);
    for known in 1..=5 {
        let path = folder.path().join(known.to_string());
        let restored = Replika::restore_known_at(&own, &path, DeliveryNumber(known), &Options::default());
        let restored = restored.unwrap().0.snapshot();
        check(&restored);
        assert_eq!(restored.deliveries().unwrap(), ledger[..known as usize]);
    }
    let states: Vec<_> = ledger.iter().map(|delivery| delivery.state.unwrap().to_string()).collect();
    assert!((1..5).all(|at| !states[..at].contains(&states[at])), "each is another");
}

#[test]
fn a_dry_run_has_no_digest_and_the_same_files_give_the_same() {
    let [one, other] = [0, 1].map(|_| Replika::in_memory(&config()).unwrap());
    [&one, &other].into_iter().for_each(|replika| delivered(1..=3, replika));
    assert_eq!(one.snapshot().ledger_digest(), other.snapshot().ledger_digest());
    let extract = extract_of_day(4, &[("6101801234", "001 STATUS=01")]);
    let options = ApplyOptions { dry_run: true, ..ApplyOptions::named("a dry run") };
    assert_eq!(one.apply(std::io::Cursor::new(extract), &options).unwrap().delivery.state, None);
}

#[test]
fn after_an_erase_the_last_state_alone_has_a_digest_and_it_goes_on_from_there() {
    let replika = Replika::in_memory(&config()).unwrap();
    delivered(1..=3, &replika);
    let before = replika.snapshot().deliveries().unwrap();
    let erase = |number: &str| replika.erase(&[pnr(number)], "they asked for it", &EraseOptions::default()).unwrap();
    erase("6909801234");
    assert_eq!(replika.snapshot().deliveries().unwrap(), before, "nobody was held");
    erase(GONE);
    check(&replika.snapshot());
    let after = replika.snapshot().deliveries().unwrap();
    assert_eq!(after.iter().map(|delivery| delivery.state.is_some()).collect::<Vec<_>>(), [false, false, true]);
    assert_ne!(after[2].state, before[2].state);
    delivered(4..=5, &replika);
    assert!(replika.snapshot().verify().unwrap().is_clean());
}
