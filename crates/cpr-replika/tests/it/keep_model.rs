//! A store kept for one municipality of a made-up Denmark against a store of everybody and a naive reading of the rule.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::io::Cursor;

use cpr_population::{Population, Product};
use cpr_replika::cpr_model::{Aspect, CurrentRows, MunicipalityCode, PersonKey, Pnr, RelatedPnr, Value};
use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{ApplyOptions, DeliveryNumber, Error, Keep, Query, Replika, Snapshot, TidyOptions};

use crate::kit::{config, std_family};
use crate::subscriptions::{filter, name, subscribe};

const NIGHTS: u32 = 30;
const PERSONS: u32 = 700;
const GRACE_DAYS: i32 = 7;

type Persons = BTreeSet<PersonKey>;

/// Everybody, as the register has them.
struct Register {
    replika: Replika,
    /// The municipalities that are kept, for the deliveries behind each.
    rules: Vec<(u32, Vec<u16>)>,
    /// Who was needed as of a delivery, by the municipalities: read once.
    needed: RefCell<HashMap<(u32, Vec<u16>), Persons>>,
}

impl Register {
    fn rule_of(&self, delivery: u32) -> &[u16] {
        &self.rules.iter().rev().find(|(since, _)| *since < delivery).unwrap().1
    }

    /// Who lives in one of the municipalities as of a delivery.
    fn needed(&self, known: u32, municipalities: &[u16]) -> Persons {
        let found = || self.residents(known, municipalities);
        self.needed.borrow_mut().entry((known, municipalities.to_vec())).or_insert_with(found).clone()
    }

    fn residents(&self, known: u32, municipalities: &[u16]) -> Persons {
        let snapshot = self.replika.snapshot();
        let lives_there = |pnr: &Pnr| {
            let image = snapshot.as_of(*pnr, None, Some(DeliveryNumber(known))).unwrap();
            let rows = image.map(|image| CurrentRows::read(image.all_facts(), None).municipality());
            rows.flatten().is_some_and(|code| municipalities.contains(&code.0))
        };
        snapshot.pnrs().unwrap().map(Result::unwrap).filter(lives_there).filter_map(|pnr| pnr.key()).collect()
    }

    /// All numbers of the human being.
    fn numbers(&self, key: PersonKey) -> Persons {
        let chain = self.replika.snapshot().numbers(key.pnr(), None).unwrap();
        let numbers = chain.iter().flat_map(|chain| &chain.numbers).filter_map(|number| number.pnr.key());
        numbers.chain([key]).collect()
    }

    /// Whom the records of a number name of the family, as of a delivery.
    fn family(&self, key: PersonKey, known: u32) -> Persons {
        let snapshot = self.replika.snapshot();
        let Some(image) = snapshot.as_of(key.pnr(), None, Some(DeliveryNumber(known))).unwrap() else {
            return Persons::new();
        };
        let of_family = [Aspect::Person, Aspect::Parents, Aspect::Child, Aspect::CivilStatus, Aspect::Custody];
        let rows = CurrentRows::read(image.all_facts(), None);
        let rows = rows.counting().filter(|fact| of_family.contains(&fact.aspect()));
        let values =
            rows.flat_map(|fact| fact.values().iter().map(|(field, value)| (field.term(), value)).collect::<Vec<_>>());
        let named = values.filter_map(|(term, value)| match value {
            Value::Pnr(RelatedPnr::Known(pnr)) if term != "PNRGAELD" => pnr.key(),
            _ => None,
        });
        named.collect()
    }
}

fn keys(snapshot: &Snapshot) -> Persons {
    snapshot.pnrs().unwrap().filter_map(|pnr| pnr.unwrap().key()).collect()
}

fn lines(snapshot: &Snapshot, key: PersonKey) -> Vec<Vec<u8>> {
    let group = snapshot.group(key.pnr(), None).unwrap().expect("held");
    group.reveal().map(<[u8]>::to_vec).collect()
}

fn brought(file: &[u8]) -> Persons {
    let lines = file.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"001"));
    lines.filter_map(|line| Pnr::parse(line.get(3..13)?)?.key()).collect()
}

fn thirty_nights(families: bool) {
    let population = Population::new(7, PERSONS);
    let product = Product { family: std_family(), task: "123401".to_owned() };
    let full = population.full_extract(Vec::new(), &product).unwrap();
    let kept = Replika::in_memory(&config()).unwrap();
    let all = Replika::in_memory(&config()).unwrap();
    all.load(Cursor::new(&full), &ApplyOptions::named("full")).unwrap();
    // The municipality with the most residents, and the next.
    let mut sizes: Vec<(u64, u16)> = (101..900)
        .map(|code| (all.snapshot().find(&Query::municipality(MunicipalityCode(code))).unwrap().len(), code))
        .collect();
    sizes.sort_unstable();
    let [(_, second), (_, first)] = sizes[sizes.len() - 2..] else { unreachable!("hundreds") };
    let rule = |codes: &[u16]| Keep {
        filters: codes.iter().map(|code| filter(&format!("{code:04}"))).collect(),
        families,
        grace_days: GRACE_DAYS as u16,
    };
    kept.keep(&rule(&[first])).unwrap();
    kept.load(Cursor::new(&full), &ApplyOptions::named("full")).unwrap();
    let mut register = Register { replika: all, rules: vec![(0, vec![first])], needed: RefCell::default() };

    let mut held = Persons::new();
    let mut seen = Persons::new();
    take(&register, &mut held, &mut seen, &brought(&full), 1, families);
    check(&register, &kept, &held, &seen);
    let (mut went, mut returned, mut ever_gone) = (0, 0, Persons::new());
    let mut nights = population.deltas(&product, 90);
    for night in 1..=NIGHTS {
        let file = nights.next_delta(Vec::new()).unwrap();
        register.replika.apply(Cursor::new(&file), &ApplyOptions::named("night")).unwrap();
        kept.apply(Cursor::new(&file), &ApplyOptions::named("night")).unwrap();
        let known = kept.snapshot().known().0;
        let before = held.clone();
        take(&register, &mut held, &mut seen, &brought(&file), known, families);
        returned += held.difference(&before).filter(|key| ever_gone.contains(*key)).count();
        if night % 4 == 0 {
            let gone = needless(&register, &held, known, families);
            let receipt = kept.tidy(&TidyOptions::default()).unwrap();
            assert_eq!(receipt.is_some(), !gone.is_empty(), "night {night}");
            went += gone.len();
            held.retain(|key| !gone.contains(key));
            ever_gone.extend(gone);
        }
        if night == 10 {
            // A subscriber follows another municipality: who lives there was left out, and is fetched.
            subscribe(&kept, "desk", Profile::SF6002, &[&format!("{second:04}")]);
            register.rules.push((known, vec![first, second]));
            let refused = kept.initial_load(&name("desk"), &mut Vec::new());
            assert!(matches!(refused, Err(Error::NotAdmitted { .. })));
            let mut file = Vec::new();
            register.replika.snapshot().export(None, &mut file).unwrap();
            let report = kept.admit(Cursor::new(&file), &ApplyOptions::named("full")).unwrap();
            // So that both count deliveries alike.
            let empty = register.replika.load(
                Cursor::new(&file),
                &ApplyOptions {
                    allow: cpr_replika::Allow { reload: true, older: true, ..Default::default() },
                    ..ApplyOptions::named("full")
                },
            );
            assert_eq!(empty.unwrap().delivery.counts.persons_changed, 0);
            let before = held.clone();
            take(&register, &mut held, &mut seen, &brought(&file), known + 1, families);
            assert_eq!(report.delivery.counts.persons_new, (held.len() - before.len()) as u64);
            assert!(held.len() > before.len());
            kept.initial_load(&name("desk"), &mut Vec::new()).unwrap();
        }
        check(&register, &kept, &held, &seen);
    }
    assert!(went > 0, "nobody ever left");
    assert!(families || returned > 0 || went > 3, "{returned} came back, {went} went");
}

/// The rule, naively: of a file those are taken who are needed with one of their numbers, as the file or the store has
/// it, who name one who is, where families are kept, and who are held.
fn take(register: &Register, held: &mut Persons, seen: &mut Persons, file: &Persons, known: u32, families: bool) {
    let needed = register.needed(known, register.rule_of(known));
    let here: Persons = file.union(held).copied().collect();
    let is_own =
        |key: PersonKey| register.numbers(key).iter().any(|number| needed.contains(number) && here.contains(number));
    let mut kept: Persons = file.iter().copied().filter(|key| is_own(*key) || held.contains(key)).collect();
    if families {
        let of_family =
            |key: &PersonKey| register.family(*key, known).iter().any(|named| here.contains(named) && is_own(*named));
        kept.extend(file.iter().copied().filter(of_family));
    }
    let with_numbers =
        |key: &PersonKey| register.numbers(*key).iter().any(|number| kept.contains(number) || held.contains(number));
    let all: Persons = file.iter().copied().filter(with_numbers).collect();
    held.extend(all);
    seen.extend(file);
}

/// Who is held, and was needed on no day of the grace.
fn needless(register: &Register, held: &Persons, last: u32, families: bool) -> Persons {
    let snapshot = register.replika.snapshot();
    let number = |delivery: u32| {
        let date = snapshot.delivery(DeliveryNumber(delivery)).unwrap().production_date;
        cpr_replika::cpr_model::Day::of(date).unwrap().number()
    };
    let first = number(last) - GRACE_DAYS;
    let mut left = held.clone();
    for delivery in 1..=last {
        // Its state held until the next one: in the days of grace?
        if delivery < last && number(delivery + 1) <= first {
            continue;
        }
        let needed = register.needed(delivery, register.rule_of(if delivery == last { last + 1 } else { delivery }));
        let needed: Persons = needed.intersection(held).copied().collect();
        let is_own = |key: PersonKey| register.numbers(key).iter().any(|number| needed.contains(number));
        let is_needed = |key: &PersonKey| {
            let numbers = register.numbers(*key);
            let relatives =
                || numbers.iter().flat_map(|number| register.family(*number, delivery)).collect::<Persons>();
            is_own(*key) || families && relatives().into_iter().any(is_own)
        };
        left.retain(|key| !is_needed(key));
    }
    left
}

fn check(register: &Register, kept: &Replika, held: &Persons, seen: &Persons) {
    let (all, snapshot) = (register.replika.snapshot(), kept.snapshot());
    assert_eq!(keys(&snapshot), *held);
    let left_out: Persons = snapshot.left_out().unwrap().iter().collect();
    assert_eq!(left_out, seen.difference(held).copied().collect());
    for key in held {
        assert_eq!(lines(&snapshot, *key), lines(&all, *key));
    }
    assert_eq!(snapshot.verify().unwrap().faults, []);
}

#[test]
fn a_store_of_one_municipality_over_thirty_nights_is_what_the_rule_says() {
    thirty_nights(false);
}

#[test]
fn a_store_of_one_municipality_and_its_families_over_thirty_nights_is_what_the_rule_says() {
    thirty_nights(true);
}
