//! Who is kept: others are left out, who is not needed goes, and who is needed again comes back whole.

use std::io::Cursor;

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, Config, DeliveryKind, DeliveryNumber, Error, FilterChange, Going, Keep, Replika, TidyOptions,
    UnknownNumbers,
};

use crate::kit::{Person, apply, config, exported, extract, extract_of_day, pnr};
use crate::subscriptions::{filter, name, subscribe};

const ANNA: &str = "6101801231";
const BO: &str = "6201801235";
const CARL: &str = "6301801239";
const DORA: &str = "6401801232";
const ALL: [&str; 4] = [ANNA, BO, CARL, DORA];

const HERE: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001011200";
const THERE: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0101, VEJKOD=0042, TILFLYDTO=202001011200";

fn keep(filters: &[&str]) -> Keep {
    Keep { filters: filters.iter().map(|text| filter(text)).collect(), ..Keep::default() }
}

fn store(keep: &Keep) -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    replika.keep(keep).unwrap();
    replika
}

fn held(replika: &Replika) -> Vec<&'static str> {
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    let snapshot = replika.snapshot();
    ALL.into_iter().filter(|number| snapshot.person(pnr(number)).unwrap().is_some()).collect()
}

fn left_out(replika: &Replika) -> Vec<&'static str> {
    let snapshot = replika.snapshot();
    let found: Vec<_> = ALL.into_iter().filter(|number| snapshot.is_left_out(pnr(number)).unwrap()).collect();
    assert_eq!(snapshot.left_out().unwrap().len(), found.len() as u64);
    found
}

fn tidy(replika: &Replika) -> Option<cpr_replika::Receipt> {
    replika.tidy(&TidyOptions::default()).unwrap().map(|erasure| erasure.receipt)
}

/// The full extract of a day: production date and the one before are the same.
fn full(day: &str, persons: &[Person<'_>]) -> Vec<u8> {
    extract(day, day, persons)
}

fn admit(replika: &Replika, file: &[u8]) -> Result<cpr_replika::Report, Error> {
    replika.admit(Cursor::new(file), &ApplyOptions::named("full"))
}

#[test]
fn others_of_a_load_or_delivery_are_left_out_counted_and_remembered() {
    let replika = store(&keep(&["0751"]));
    let report = apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, THERE), (CARL, THERE)])).unwrap();
    assert_eq!((report.delivery.counts.persons_new, report.delivery.counts.persons_left_out), (1, 2));
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA], vec![BO, CARL]));
    // Bo comes whole when he moves here; Dora was never heard of.
    let report = apply(&replika, &extract_of_day(2, &[(BO, HERE), (CARL, THERE)])).unwrap();
    assert_eq!((report.delivery.counts.persons_new, report.delivery.counts.persons_left_out), (1, 1));
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA, BO], vec![CARL]));
    assert!(!replika.snapshot().is_left_out(pnr(DORA)).unwrap());
    assert_eq!(replika.snapshot().delivery(DeliveryNumber(2)).unwrap().counts.persons_left_out, 1);
}

#[test]
fn who_goes_is_gone_from_packs_too_whether_they_are_named_then_or_later() {
    let folder = tempfile::tempdir().unwrap();
    let [then, later] = ["then", "later"].map(|name| folder.path().join(name));
    let replika = store(&keep(&["0751"]));
    apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, HERE), (CARL, THERE)])).unwrap();
    apply(&replika, &extract_of_day(2, &[(BO, THERE)])).unwrap();
    replika.snapshot().write_base(&later).unwrap();
    let with = |packs: &std::path::Path| {
        let options = TidyOptions { packs: &[packs], ..TidyOptions::default() };
        replika.tidy(&options).unwrap().map(|erasure| (erasure.receipt.persons, erasure.packs.len()))
    };
    assert_eq!(with(&then), Some((1, 1)));
    // Nobody goes any more, and these packs are of before.
    assert_eq!(with(&later), None);
    for packs in [&then, &later] {
        let snapshot = cpr_replika::Packed::open(packs).unwrap().snapshot();
        let held = |number: &&str| snapshot.person(pnr(number)).unwrap().is_some();
        assert_eq!(ALL.into_iter().filter(held).collect::<Vec<_>>(), [ANNA]);
        assert!(snapshot.is_left_out(pnr(BO)).unwrap(), "CPR has him");
        assert_eq!(snapshot.state_digest().unwrap(), replika.snapshot().state_digest().unwrap());
    }
    let written = std::fs::read_dir(&later).unwrap().count();
    assert_eq!(with(&later), None);
    assert_eq!(std::fs::read_dir(&later).unwrap().count(), written);
}

#[test]
fn who_is_held_is_still_told_of_and_goes_after_the_days_of_grace() {
    let replika = store(&Keep { grace_days: 1, ..keep(&["0751"]) });
    apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, HERE)])).unwrap();
    // Day 2 (5 January): Anna leaves. The store has her new address.
    apply(&replika, &extract_of_day(2, &[(ANNA, THERE)])).unwrap();
    assert_eq!(held(&replika), [ANNA, BO]);
    assert_eq!((replika.snapshot().tidy_scope().unwrap().persons, tidy(&replika)), (0, None));
    // Day 3 is 6 January.
    apply(&replika, &extract_of_day(3, &[])).unwrap();
    assert_eq!(replika.snapshot().tidy_scope().unwrap().numbers, [pnr(ANNA)]);
    let receipt = tidy(&replika).unwrap();
    assert_eq!((receipt.kind, receipt.persons, receipt.held), (Going::Tidy, 1, 1));
    assert!(replika.snapshot().is_receipt(&receipt).unwrap());
    assert_eq!(replika.snapshot().erase_receipts().unwrap(), [receipt]);
    assert_eq!((held(&replika), left_out(&replika)), (vec![BO], vec![ANNA]));
    assert_eq!(replika.snapshot().barred().unwrap(), 0);
    assert!(!String::from_utf8(exported(&replika)).unwrap().contains(ANNA));
    assert_eq!(tidy(&replika), None, "nobody is left to go");
    // She comes back with all that CPR says of her, and is not known as of before.
    apply(&replika, &extract_of_day(4, &[(ANNA, HERE)])).unwrap();
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA, BO], vec![]));
    assert!(replika.snapshot().as_of(pnr(ANNA), None, Some(DeliveryNumber(3))).unwrap().is_none());
}

#[test]
fn a_rule_that_is_made_narrower_has_its_grace_and_none_without_days() {
    for (grace_days, goes_at_once) in [(0, true), (2, false)] {
        let replika = store(&Keep { grace_days, ..keep(&["0751", "0101"]) });
        apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, THERE)])).unwrap();
        apply(&replika, &extract_of_day(2, &[])).unwrap();
        replika.keep(&Keep { grace_days, ..keep(&["0751"]) }).unwrap();
        assert_eq!(tidy(&replika).is_some(), goes_at_once);
        for day in [3, 4, 5] {
            apply(&replika, &extract_of_day(day, &[])).unwrap();
        }
        tidy(&replika);
        assert_eq!(held(&replika), [ANNA]);
    }
}

#[test]
fn a_store_that_kept_everybody_has_a_grace_too() {
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, THERE)])).unwrap();
    assert_eq!(replika.snapshot().keep().unwrap(), None);
    let rule = Keep { grace_days: 1, ..keep(&["0751"]) };
    replika.keep(&rule).unwrap();
    assert_eq!(replika.snapshot().keep().unwrap(), Some(rule));
    assert_eq!(tidy(&replika), None);
    apply(&replika, &extract_of_day(2, &[])).unwrap();
    assert_eq!(tidy(&replika), None);
    apply(&replika, &extract_of_day(3, &[])).unwrap();
    assert_eq!(tidy(&replika).unwrap().persons, 1);
    assert_eq!(held(&replika), [ANNA]);
}

#[test]
fn ages_end_without_a_delivery() {
    let child = "001 STATUS=01, FOED_DT=2008-01-06";
    let replika = store(&keep(&["0-17"]));
    apply(&replika, &extract_of_day(1, &[(ANNA, child), (BO, HERE)])).unwrap();
    apply(&replika, &extract_of_day(2, &[])).unwrap();
    assert_eq!((held(&replika), tidy(&replika)), (vec![ANNA], None));
    apply(&replika, &extract_of_day(3, &[])).unwrap();
    assert_eq!(tidy(&replika).unwrap().persons, 1, "eighteen today");
}

#[test]
fn a_human_being_is_kept_with_all_numbers_and_a_family_where_that_is_asked_for() {
    let old = format!("001 PNRGAELD={BO}, STATUS=60");
    let new = format!("{HERE}\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    let spouse = format!("{THERE}\n012 CIVST=G, AEGTEPNR={BO}, HAENSTART-CIVILSTAND=200005051200");
    let persons: [Person<'_>; 4] = [(ANNA, &old), (BO, &new), (CARL, &spouse), (DORA, THERE)];
    let replika = store(&keep(&["0751"]));
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    assert_eq!(held(&replika), [ANNA, BO]);
    let replika = store(&Keep { families: true, ..keep(&["0751"]) });
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    assert_eq!(held(&replika), [ANNA, BO, CARL]);
    assert_eq!(tidy(&replika), None);
    // The number of today was left out; the old one alone comes and is hers.
    let replika = store(&keep(&[ANNA]));
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    assert_eq!(held(&replika), [ANNA, BO]);
    assert_eq!(tidy(&replika), None);
    // Each alone, in nights of their own.
    let replika = store(&Keep { families: true, ..keep(&["0751"]) });
    for (at, person) in [1, 0, 2, 3].into_iter().enumerate() {
        apply(&replika, &extract_of_day(at + 1, &[persons[person]])).unwrap();
    }
    assert_eq!(held(&replika), [ANNA, BO, CARL]);
    // Who is kept for a relative goes with it.
    let gone = HERE.replace("0751", "0101") + &format!("\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    apply(&replika, &extract_of_day(5, &[(BO, &gone)])).unwrap();
    assert_eq!(tidy(&replika).unwrap().persons, 2);
    assert_eq!((held(&replika), left_out(&replika)), (vec![], vec![ANNA, BO, CARL, DORA]));
}

#[test]
fn who_names_a_relative_who_is_not_needed_or_not_known_is_left_out() {
    let replika = store(&Keep { families: true, ..keep(&["0751"]) });
    let spouse = format!("{THERE}\n012 CIVST=G, AEGTEPNR={BO}, HAENSTART-CIVILSTAND=200005051200");
    apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (CARL, &spouse)])).unwrap();
    assert_eq!(held(&replika), [ANNA], "nobody knows the spouse");
    apply(&replika, &extract_of_day(2, &[(BO, THERE), (CARL, &spouse)])).unwrap();
    assert_eq!(held(&replika), [ANNA], "nobody needs the spouse");
    // Who has moved away is held until the store is tidied, and is not needed.
    apply(&replika, &extract_of_day(3, &[(BO, HERE)])).unwrap();
    apply(&replika, &extract_of_day(4, &[(BO, THERE)])).unwrap();
    apply(&replika, &extract_of_day(5, &[(CARL, &spouse)])).unwrap();
    assert_eq!(held(&replika), [ANNA, BO]);
}

#[test]
fn a_number_that_is_one_with_a_held_one_is_kept_whichever_of_the_two_says_so() {
    let given_up = format!("001 PNRGAELD={BO}, STATUS=60");
    let in_force = format!("{HERE}\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    for (held_first, comes) in [(HERE, given_up.as_str()), (&in_force, "001 STATUS=60")] {
        let replika = store(&keep(&["0751"]));
        apply(&replika, &extract_of_day(1, &[(BO, held_first)])).unwrap();
        apply(&replika, &extract_of_day(2, &[(ANNA, comes), (CARL, THERE)])).unwrap();
        assert_eq!(held(&replika), [ANNA, BO], "{comes}");
    }
}

#[test]
fn whose_number_of_before_is_followed_is_kept_though_that_one_has_no_record() {
    let replika = store(&keep(&["0751"]));
    subscribe(&replika, "desk", Profile::SF6002, &[ANNA]);
    let in_force = format!("{THERE}\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    apply(&replika, &extract_of_day(1, &[(BO, &in_force), (CARL, THERE)])).unwrap();
    assert_eq!(held(&replika), [BO]);
}

#[test]
fn whom_subscribers_follow_is_kept_and_a_change_code_alone_keeps_nobody() {
    let replika = store(&keep(&[]));
    subscribe(&replika, "desk", Profile::SF6002, &["0751", "A01", "A05+65-120", BO]);
    let old = THERE.replace("1980", "1940");
    let with_event = format!("{THERE}\n099 HAENDELSE=A01");
    let persons: [Person<'_>; 4] = [(ANNA, HERE), (BO, THERE), (CARL, &with_event), (DORA, &old)];
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA, BO, DORA], vec![CARL]));
    replika.change_filters(&name("desk"), &[FilterChange::Remove(filter("0751"))], UnknownNumbers::Keep).unwrap();
    assert_eq!(tidy(&replika).unwrap().persons, 1);
    assert_eq!(held(&replika), [BO, DORA]);
    let refused = replika.keep(&keep(&["A01"]));
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
    assert!(replika.keep(&keep(&["A01+0751"])).is_err());
}

#[test]
fn following_one_who_was_left_out_waits_for_the_admission_from_a_full_extract() {
    let replika = store(&keep(&["0751"]));
    let of_day_1: [Person<'_>; 3] = [(ANNA, HERE), (BO, THERE), (CARL, THERE)];
    let load = full("2026-01-02", &of_day_1);
    replika.load(Cursor::new(&load), &ApplyOptions::named("full")).unwrap();
    subscribe(&replika, "desk", Profile::SF6002, &["0-17+0751", "0751:0042"]);
    assert_eq!(replika.snapshot().waiting_for_admission(&name("desk")).unwrap(), [], "of those who are kept");
    for asked in [BO, "0101", "30-50"] {
        subscribe(&replika, "desk", Profile::SF6002, &[asked]);
        let waiting = replika.snapshot().waiting_for_admission(&name("desk")).unwrap();
        assert_eq!(waiting, [filter(asked)]);
        let refused = replika.initial_load(&name("desk"), &mut Vec::new());
        assert!(matches!(refused, Err(Error::NotAdmitted { filters: 1 })), "{refused:?}");
        let removed = FilterChange::Remove(filter(asked));
        replika.change_filters(&name("desk"), &[removed], UnknownNumbers::Keep).unwrap();
        assert!(replika.initial_load(&name("desk"), &mut Vec::new()).is_ok());
    }
    subscribe(&replika, "desk", Profile::SF6002, &[BO, "0101"]);
    // The store goes on; the extract must be of the day where it stands. Its load is then too old.
    apply(&replika, &extract_of_day(2, &[(CARL, HERE)])).unwrap();
    assert!(matches!(admit(&replika, &load), Err(Error::Older { .. })));
    let later = full("2026-01-06", &of_day_1);
    assert!(matches!(admit(&replika, &later), Err(Error::SequenceGap { .. })));
    let before = replika.snapshot();
    let file = full("2026-01-05", &[(ANNA, THERE), (BO, THERE), (CARL, HERE), (DORA, "001 STATUS=70")]);
    let report = admit(&replika, &file).unwrap();
    assert_eq!(report.delivery.kind, DeliveryKind::Admission);
    assert_eq!((report.delivery.counts.persons_new, report.delivery.counts.persons_left_out), (1, 1));
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA, BO, CARL], vec![DORA]));
    let same = |number: &str| {
        let lines = |snapshot: &cpr_replika::Snapshot| {
            let group = snapshot.group(pnr(number), None).unwrap().unwrap();
            group.reveal().map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        lines(&before) == lines(&replika.snapshot())
    };
    assert!(same(ANNA), "who is held stays as the deliveries have it");
    let mut file = Vec::new();
    assert_eq!(replika.initial_load(&name("desk"), &mut file).unwrap().persons, 3);
    // Silent, and the next night follows on.
    assert_eq!(replika.snapshot().matched(DeliveryNumber(3), &name("desk")).unwrap().len(), 0);
    apply(&replika, &extract_of_day(3, &[(BO, THERE)])).unwrap();
    assert_eq!(replika.snapshot().matched(DeliveryNumber(4), &name("desk")).unwrap().len(), 1);
    held(&replika);
}

#[test]
fn the_very_file_that_was_loaded_admits_whom_a_wider_rule_needs() {
    let replika = store(&keep(&["0751"]));
    let load = full("2026-01-01", &[(ANNA, HERE), (BO, THERE)]);
    replika.load(Cursor::new(&load), &ApplyOptions::named("full")).unwrap();
    replika.keep(&keep(&["everything"])).unwrap();
    assert_eq!(replika.snapshot().keep_waiting_for_admission().unwrap(), [filter("everything")]);
    // What a subscriber asks for is covered by the rule, and waits as the rule does.
    subscribe(&replika, "desk", Profile::SF6002, &["0101"]);
    assert_eq!(replika.snapshot().waiting_for_admission(&name("desk")).unwrap().len(), 1);
    assert_eq!(admit(&replika, &load).unwrap().delivery.counts.persons_new, 1);
    assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA, BO], vec![]));
    assert_eq!(replika.snapshot().keep_waiting_for_admission().unwrap(), []);
    assert!(replika.initial_load(&name("desk"), &mut Vec::new()).is_ok());
    let again = replika.load(Cursor::new(&load), &ApplyOptions::named("full")).unwrap();
    assert_eq!(again.delivery.number, DeliveryNumber(1));
    let everybody = Replika::in_memory(&Config::default()).unwrap();
    assert!(matches!(admit(&everybody, &load), Err(Error::Config(_))));
}

#[test]
fn an_erase_finds_a_number_in_the_rule_and_among_those_left_out() {
    let replika = store(&keep(&[ANNA, "0751"]));
    apply(&replika, &extract_of_day(1, &[(ANNA, THERE), (BO, THERE)])).unwrap();
    let erase = |number: &str, unfollow| {
        let options = cpr_replika::EraseOptions { unfollow, ..Default::default() };
        replika.erase(&[pnr(number)], "no ground", &options).map(|erasure| erasure.receipt)
    };
    assert!(matches!(erase(ANNA, false), Err(Error::Followed { filters: 1 })));
    assert_eq!(erase(ANNA, true).unwrap().filters, 1);
    assert_eq!(replika.snapshot().keep().unwrap().unwrap().filters, [filter("0751")]);
    assert_eq!(left_out(&replika), [BO]);
    erase(BO, false).unwrap();
    assert_eq!((held(&replika), left_out(&replika)), (vec![], vec![]));
    // Barred, and so neither kept nor left out.
    let report = apply(&replika, &extract_of_day(2, &[(ANNA, HERE), (BO, THERE)])).unwrap();
    assert_eq!((report.delivery.counts.persons_barred, report.delivery.counts.persons_left_out), (2, 0));
    assert_eq!((held(&replika), left_out(&replika)), (vec![], vec![]));
}

#[test]
fn a_filter_that_was_removed_keeps_nothing_back_and_one_among_others_keeps_its_number() {
    let replika = store(&keep(&["0751"]));
    subscribe(&replika, "desk", Profile::SF6002, &[&format!("{ANNA}+0751"), BO]);
    apply(&replika, &extract_of_day(1, &[(ANNA, THERE), (BO, THERE)])).unwrap();
    assert_eq!((held(&replika), tidy(&replika)), (vec![ANNA, BO], None));
    replika.change_filters(&name("desk"), &[FilterChange::Remove(filter(BO))], UnknownNumbers::Keep).unwrap();
    assert_eq!(tidy(&replika).unwrap().filters, 1, "what it followed once goes too");
    assert_eq!(held(&replika), [ANNA]);
    assert_eq!(replika.snapshot().filters(&name("desk"), None).unwrap().len(), 1);
}

#[test]
fn whom_a_removed_subscriber_followed_has_the_same_grace_as_whom_a_removed_filter_did() {
    for (grace_days, remove_subscriber) in [(0, false), (0, true), (1, false), (1, true)] {
        let replika = store(&Keep { grace_days, ..keep(&["0751"]) });
        let followed = ["A05+0101", CARL];
        subscribe(&replika, "desk", Profile::SF6002, &followed);
        apply(&replika, &extract_of_day(1, &[(ANNA, HERE), (BO, THERE), (CARL, "001 STATUS=01")])).unwrap();
        apply(&replika, &extract_of_day(2, &[])).unwrap();
        assert_eq!((held(&replika), tidy(&replika)), (vec![ANNA, BO, CARL], None));
        if remove_subscriber {
            replika.remove_subscriber(&name("desk")).unwrap();
        } else {
            let removed = followed.map(|text| FilterChange::Remove(filter(text)));
            replika.change_filters(&name("desk"), &removed, UnknownNumbers::Keep).unwrap();
        }
        assert_eq!(tidy(&replika).is_some(), grace_days == 0, "{remove_subscriber}");
        // Day 3, a day later: day 2 is a day of grace on which the filters counted. Day 4 is the first that has none.
        apply(&replika, &extract_of_day(3, &[])).unwrap();
        assert_eq!((tidy(&replika), held(&replika).len()), (None, if grace_days == 0 { 1 } else { 3 }));
        apply(&replika, &extract_of_day(4, &[])).unwrap();
        assert_eq!(tidy(&replika).is_some(), grace_days == 1, "{remove_subscriber}");
        assert_eq!((held(&replika), left_out(&replika)), (vec![ANNA], vec![BO, CARL]));
        assert_eq!(replika.snapshot().keep().unwrap().unwrap().filters, [filter("0751")]);
    }
}
