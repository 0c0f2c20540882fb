//! One truth: services, `find`, `search`, filters and events say the same of a person on a day and as of a delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_population::{Population, Product, archetypes};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Date, MunicipalityCode, Pnr, ProtectionKind, Status};
use cpr_replika::cpr_subscription::{Filter, Profile};
use cpr_replika::{
    AddressPattern, ApplyOptions, Config, Criterion, DeliveryNumber, EventFilter, FilterChange, PersonSet, Query,
    Replika, Search, Snapshot, UnknownNumbers,
};
use cpr_services::{NoRegister, Protections, Request, sf1520, sf6008};
use proptest::prelude::*;

fn product(family: &str) -> Product {
    Product { family: Family::named(family).expect("a family"), task: "123401".to_owned() }
}

/// What everybody must say of one person.
#[derive(Debug, PartialEq)]
struct Truth {
    municipality: Option<u16>,
    status: Option<u8>,
    protections: Vec<ProtectionKind>,
    current: Option<Pnr>,
}

/// The definition, read off the person and the chain of numbers.
fn truth(snapshot: &Snapshot, pnr: Pnr) -> Truth {
    let person = snapshot.person(pnr).expect("a read").expect("held");
    let current = snapshot.numbers(pnr, None).expect("a read").and_then(|chain| chain.current);
    let mut protections: BTreeSet<ProtectionKind> = person.protections().into_iter().collect();
    if person.status().is_some_and(Status::is_replaced)
        && let Some(now) = current
        && let Some(now) = snapshot.person(now).expect("a read")
    {
        protections.extend(now.protections());
    }
    let municipality = person.address().and_then(|row| row.municipality_code()).map(|code| code.0);
    let protections = protections.into_iter().collect();
    Truth { municipality, status: person.status().map(|status| status.0), protections, current }
}

/// Holds every way to ask to the definition, for everybody in the store.
fn hold(replika: &Replika, day: Date) -> usize {
    let pnrs: Vec<Pnr> = replika.snapshot().pnrs().expect("a read").map(|pnr| pnr.expect("a read")).collect();
    let truths: BTreeMap<Pnr, Truth> = pnrs.iter().map(|pnr| (*pnr, truth(&replika.snapshot(), *pnr))).collect();
    let municipalities: BTreeSet<u16> = truths.values().filter_map(|truth| truth.municipality).collect();
    let everywhere = "everywhere".parse().expect("a name");
    replika.add_subscriber(&everywhere, Profile::SF6002).expect("written");
    let filters: Vec<FilterChange> =
        municipalities.iter().map(|code| FilterChange::Add(Filter::Municipality(MunicipalityCode(*code)))).collect();
    replika.change_filters(&everywhere, &filters, UnknownNumbers::Keep).expect("written");
    let snapshot = replika.snapshot();
    let found = |query| snapshot.find(&query).expect("answered");
    let here: BTreeMap<u16, (PersonSet, BTreeSet<Pnr>)> = municipalities
        .iter()
        .map(|&code| {
            let pattern = AddressPattern { municipality: Some(MunicipalityCode(code)), ..AddressPattern::default() };
            let search = Search { limit: 100_000, ..Search::now(Criterion::Address(pattern)) };
            let hits = snapshot.search(&search).expect("answered");
            let hits = hits.rows.into_iter().map(|hit| hit.pnr).collect();
            (code, (found(Query::Municipality(MunicipalityCode(code))), hits))
        })
        .collect();
    for (&pnr, truth) in &truths {
        let (key, request) = (pnr.key().expect("held"), Request::on(pnr, day));
        for (code, (set, hits)) in &here {
            let lives = truth.municipality == Some(*code);
            assert_eq!((set.contains(key), hits.contains(&pnr)), (lives, lives), "find and search, {code:04}");
        }
        let followers = snapshot.followers(pnr, day).expect("answered");
        let following: Vec<u16> = followers
            .iter()
            .flat_map(|follower| &follower.filters)
            .filter_map(|filter| match filter {
                Filter::Municipality(code) => Some(code.0),
                _ => None,
            })
            .collect();
        assert_eq!(following, Vec::from_iter(truth.municipality), "filters");
        if let Some(status) = truth.status {
            assert!(found(Query::Status(Status(status))).contains(key), "find by status");
        }
        let own = snapshot.person(pnr).expect("a read").expect("held").protections();
        for kind in &own {
            assert!(found(Query::Protection(*kind)).contains(key), "find by protection");
        }
        let told = Protections::of_person(&snapshot, &request).expect("a read").expect("held");
        let kinds: BTreeSet<ProtectionKind> = told.rows().iter().map(|row| row.kind).collect();
        assert_eq!(Vec::from_iter(kinds), truth.protections, "protections");
        let search = Search::now(Criterion::Persons([key].into_iter().collect()));
        let rows = snapshot.search(&search).expect("answered").rows;
        assert_eq!(rows[0].protections, truth.protections, "a search row");

        let current = truth.current.filter(|current| *current != pnr).map(|current| current.reveal().to_owned());
        let answer = sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
        let answer = answer.found().expect("held");
        assert_eq!(answer.answer.addresses.current.municipality_code, truth.municipality, "SF1520's address");
        assert_eq!(answer.answer.person.current_pnr, current, "SF1520's number");
        let record = sf6008::answer(&snapshot, sf6008::Operation::Basic, &request).expect("a read");
        let record = record.found().expect("held").answer;
        assert_eq!((record.municipality_code, record.current_pnr), (truth.municipality, current), "SF6008");
        assert_eq!(record.status, truth.status, "SF6008's status");
        let protected = truth.protections.contains(&ProtectionKind::NAME_AND_ADDRESS);
        assert_eq!(record.protected, Some(protected), "SF6008's protection");
    }
    truths.len()
}

/// The municipality after an event is where the person lives as of its delivery.
fn hold_events(replika: &Replika) {
    let snapshot = replika.snapshot();
    for delivery in 1..=snapshot.known().0 {
        let events = snapshot.events_of(DeliveryNumber(delivery), EventFilter::default()).expect("answered");
        for event in events {
            let event = event.expect("a read");
            let image = snapshot.as_of(event.pnr, None, Some(event.delivery)).expect("a read");
            let lives = image.and_then(|image| image.address()?.municipality_code());
            assert_eq!(event.municipality_after, lives, "{} of delivery {delivery}", event.kind);
        }
    }
}

#[test]
fn everybody_says_the_same_of_the_archetypes() {
    let (fixture, _) = archetypes();
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    let extract = fixture.full_extract(Vec::new(), &product("std")).expect("in memory");
    replika.load(Cursor::new(extract), &ApplyOptions::named("archetypes")).expect("a sound extract");
    assert!(hold(&replika, fixture.production_date()) >= 50);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn everybody_says_the_same_of_a_made_up_denmark(seed: u64, family in 0..2usize) {
        let product = product(["std", "uuid"][family]);
        let population = Population::new(seed, 150);
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        let extract = population.full_extract(Vec::new(), &product).expect("in memory");
        replika.load(Cursor::new(extract), &ApplyOptions::named("full")).expect("a sound extract");
        let mut deltas = population.deltas(&product, 60);
        let mut day = population.production_date();
        for _ in 0..4 {
            day = deltas.next_production_date();
            let delta = deltas.next_delta(Vec::new()).expect("in memory");
            replika.apply(Cursor::new(delta), &ApplyOptions::named("delta")).expect("it follows");
        }
        prop_assert!(hold(&replika, day) >= 150);
        hold_events(&replika);
        prop_assert!(replika.snapshot().verify().expect("a read").is_clean());
    }
}
