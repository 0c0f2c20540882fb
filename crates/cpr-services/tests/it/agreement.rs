//! One truth: services, `find`, `search`, filters and events say the same of a person on a day and as of a delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_population::{Population, Product, archetypes};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{
    Aspect, CountryCode, Date, Day, MunicipalityCode, Pnr, ProtectionKind, Status, StreetCode,
};
use cpr_replika::cpr_subscription::{ChangeCodes, EventCode, Filter, Profile};
use cpr_replika::{
    AddressPattern, ApplyOptions, Config, DeliveryNumber, EventFilter, FilterChange, NamePart, PersonSet, Query,
    Replika, Scope, Search, Snapshot, UnknownNumbers,
};
use cpr_services::Caller;
use cpr_services::sf1525::{Depth, Markings};
use cpr_services::{NoRegister, Protections, Request, gctp, sf1520, sf1525, sf6008};
use proptest::prelude::*;

use crate::kit::{date, pnr, told};

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
    let pnrs = held(&replika.snapshot());
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
            let search = Search { limit: 100_000, ..Search::now(Query::Address(pattern)) };
            let hits = snapshot.search(&search).expect("answered");
            let hits = hits.rows.into_iter().map(|hit| hit.pnr).collect();
            (code, (found(Query::municipality(MunicipalityCode(code))), hits))
        })
        .collect();
    for (&pnr, truth) in &truths {
        let (key, request) = (pnr.key().expect("held"), Request::on(pnr, day, Caller::unlogged()));
        for (code, (set, hits)) in &here {
            let lives = truth.municipality == Some(*code);
            assert_eq!((set.contains(key), hits.contains(&pnr)), (lives, lives), "find and search, {code:04}");
        }
        let followers = snapshot.followers(pnr, Day::of(day).expect("a day")).expect("answered");
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
            assert!(found(Query::status(Status(status))).contains(key), "find by status");
        }
        let own = snapshot.person(pnr).expect("a read").expect("held").protections();
        for kind in &own {
            assert!(found(Query::Protection(*kind)).contains(key), "find by protection");
        }
        let told = Protections::of_person(&snapshot, &request).expect("a read").expect("held");
        let kinds: BTreeSet<ProtectionKind> = told.rows().iter().map(|row| row.kind).collect();
        assert_eq!(Vec::from_iter(kinds), truth.protections, "protections");
        let search = Search::now(Query::Persons([key].into_iter().collect()));
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

/// What the services say of everybody, in their XML; as of a delivery, or of the last one.
fn answers(snapshot: &Snapshot, day: Date, known: Option<DeliveryNumber>, pnrs: &[Pnr]) -> Vec<[String; 4]> {
    let of = |pnr: &Pnr| {
        let request = Request { known, ..Request::on(*pnr, day, Caller::unlogged()) };
        let basic = sf1520::answer(snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
        let family = gctp::answer(snapshot, gctp::Service::FamiliePlus, &request).expect("a read");
        let record = sf6008::answer(snapshot, sf6008::Operation::Extended, &request).expect("a read");
        let markings = Markings::all(Depth::WithHistory);
        let whole = sf1525::answer(snapshot, sf1525::Version::V2, &markings, &request, &NoRegister).expect("a read");
        let record = record.found().map(|of| sf6008::to_xml(sf6008::Operation::Extended, &[&of.answer]));
        [
            basic.found().map(|of| of.answer.to_xml(sf1520::Version::V5)),
            family.found().map(|of| of.to_xml()),
            record,
            whole.found().map(|of| of.answer.to_xml()),
        ]
        .map(|xml| xml.map_or(String::new(), |xml| xml.expect("written to memory")))
    };
    pnrs.iter().map(of).collect()
}

fn held(snapshot: &Snapshot) -> Vec<Pnr> {
    snapshot.pnrs().expect("a read").map(|pnr| pnr.expect("a read")).collect()
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

/// What ends between two rows that began together moves to the past; the other stays where it was.
#[test]
fn of_rows_that_began_together_the_order_is_the_one_given_then() {
    const WHO: &str = "6101124000";
    const PERSON: &str = "001 STATUS=01, KOEN=K, FOED_DT=2012-01-01\n";
    const MOTHER: &str = "016 RELTYP-FORÆLDREMYN=0003, START_DT-FORÆLDREMYN=2012-01-01\n";
    const FATHER: &str = "016 RELTYP-FORÆLDREMYN=0004, START_DT-FORÆLDREMYN=2012-01-01\n";
    for (both, one) in [([MOTHER, FATHER], FATHER), ([MOTHER, FATHER], MOTHER), ([FATHER, MOTHER], MOTHER)] {
        let (before, after) = (format!("{PERSON}{}{}", both[0], both[1]), format!("{PERSON}{one}"));
        let (early, late) = (told(&[&[(WHO, &before)]]), told(&[&[(WHO, &before)], &[(WHO, &after)]]));
        let then = Some(DeliveryNumber(1));
        let say = |replika: &Replika| answers(&replika.snapshot(), date("2026-01-05"), then, &[pnr(WHO)]);
        assert_eq!(say(&early), say(&late));
        let timeline = |replika: &Replika| {
            let rows = replika.snapshot().timeline(pnr(WHO), Aspect::Custody, then).expect("a read");
            let said = rows.iter().map(|(held, fact)| (*held, fact.as_fact().values().bytes().to_vec()));
            said.collect::<Vec<_>>()
        };
        assert_eq!(timeline(&early), timeline(&late));
        assert_eq!(timeline(&early).len(), 2);
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

/// Two current rows of each kind that a person has once; those of 2020 began last. 003 is the text of `of_003`.
fn two_of_each(newer_first: bool, of_003: &str) -> String {
    let pairs = [
        (
            "002 KOMKOD=0101, VEJKOD=0007, HUSNR=003, TILFLYDTO=201001010000",
            "002 KOMKOD=0751, VEJKOD=0120, HUSNR=007A, TILFLYDTO=202001010000",
        ),
        (
            "008 FORNVN=Ane, EFTERNVN=Gammel, NVNHAENSTART=201001010000",
            "008 FORNVN=Ane, EFTERNVN=Nyby, NVNHAENSTART=202001010000",
        ),
        (
            "010 LANDEKOD=5130, HAENSTART-STATSBORGERSKAB=201001010000",
            "010 LANDEKOD=5100, HAENSTART-STATSBORGERSKAB=202001010000",
        ),
        (
            "012 CIVST=G, AEGTEPNR=6201801230, HAENSTART-CIVILSTAND=201001010000",
            "012 CIVST=F, HAENSTART-CIVILSTAND=202001010000",
        ),
    ];
    let mut rows = "001 STATUS=01, KOEN=K, FOED_DT=1980-01-01\n".to_owned();
    for (older, newer) in pairs {
        let (first, second) = if newer_first { (newer, older) } else { (older, newer) };
        rows += &format!("{first}\n{second}\n");
    }
    rows + of_003
}

const TEXT_OF_NEWER: &str = "003 ADRNVN=Ane Nyby, STANDARDADR=Prøvevej 7A, POSTNR=8000, POSTDISTTXT=Aarhus C, KOMKOD=0751, VEJKOD=0120, HUSNR=007A, VEJADRNVN=Prøvevej";
const TEXT_OF_OLDER: &str = "003 ADRNVN=Ane Nyby, STANDARDADR=Torvet 3, POSTNR=2200, POSTDISTTXT=København N, KOMKOD=0101, VEJKOD=0007, HUSNR=003, VEJADRNVN=Torvet";

#[test]
fn of_two_current_rows_every_answer_takes_the_one_that_began_last() {
    const WHO: &str = "6101801234";
    for (newer_first, of_003) in
        [(true, TEXT_OF_NEWER), (false, TEXT_OF_NEWER), (true, TEXT_OF_OLDER), (false, TEXT_OF_OLDER)]
    {
        let rows = two_of_each(newer_first, of_003);
        let replika = told(&[&[(WHO, &rows)]]);
        let day = date("2026-01-05");
        assert_eq!(hold(&replika, day), 1);
        hold_events(&replika);
        let snapshot = replika.snapshot();
        assert!(snapshot.verify().expect("a read").is_clean());
        let request = Request::on(pnr(WHO), day, Caller::unlogged());
        assert_eq!(truth(&snapshot, pnr(WHO)).municipality, Some(751));

        let found = |query: Query, scope| {
            let search = Search { scope, ..Search::now(query) };
            snapshot.search(&search).expect("answered").rows.len()
        };
        let address = |pattern: AddressPattern| Query::Address(pattern);
        let street = |code| address(AddressPattern { street: Some(StreetCode(code)), ..AddressPattern::default() });
        let postal = |code| address(AddressPattern { postal_code: Some(code..=code), ..AddressPattern::default() });
        let surname = |word| Query::name(NamePart::Surname, word);
        let country = |code| Query::Citizenship(CountryCode(code));
        for (counts, other) in
            [(street(120), street(7)), (surname("nyby"), surname("gammel")), (country(5100), country(5130))]
        {
            let of = |query: &Query, scope| found(query.clone(), scope);
            assert_eq!((of(&counts, Scope::Now), of(&other, Scope::Now)), (1, 0), "{counts:?}");
            assert_eq!((of(&counts, Scope::Ever), of(&other, Scope::Ever)), (1, 1), "it was so, for all that is known");
        }
        let has_text = of_003 == TEXT_OF_NEWER;
        assert_eq!((found(postal(8000), Scope::Now), found(postal(2200), Scope::Now)), (usize::from(has_text), 0));

        let basic = sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
        let basic = basic.found().expect("held").answer;
        let text = has_text.then(|| "Prøvevej 7A".to_owned());
        assert_eq!(
            (basic.addresses.current.street_code, &basic.addresses.current.standard_address),
            (Some(120), &text)
        );
        assert_eq!(basic.addresses.past.iter().map(|row| row.street_code).collect::<Vec<_>>(), [Some(7)]);
        let record = sf6008::answer(&snapshot, sf6008::Operation::Extended, &request).expect("a read");
        let record = record.found().expect("held").answer;
        assert_eq!((record.street_code, &record.standard_address), (Some(120), &text));
        assert_eq!(record.surname.as_deref(), Some("Nyby"));
        for service in [gctp::Service::StamPlus, gctp::Service::Stam] {
            let rows = gctp::answer(&snapshot, service, &request).expect("a read").found().expect("held").rows;
            let said = |field| rows[0].value(field).map(str::to_owned);
            assert_eq!((said("VEJKOD").as_deref(), said("HUSNR").as_deref()), (Some("0120"), Some("007A")));
            assert_eq!((said("STADR"), said("POSTNR")), (text.clone(), has_text.then(|| "8000".to_owned())));
        }
        for (depth, states) in [(Depth::Current, vec!["AKTUEL"]), (Depth::WithHistory, vec!["AKTUEL", "HISTORISK"])] {
            let answer = sf1525::answer(&snapshot, sf1525::Version::V2, &Markings::all(depth), &request, &NoRegister);
            let answer = answer.expect("a read").found().expect("held").answer;
            assert_eq!(answer.addresses.iter().map(|row| row.state).collect::<Vec<_>>(), states);
            assert_eq!(answer.names.iter().map(|row| row.state).collect::<Vec<_>>(), states);
            assert_eq!(answer.citizenships.iter().map(|row| row.state).collect::<Vec<_>>(), states);
            assert_eq!(answer.civil_statuses.iter().map(|row| row.state).collect::<Vec<_>>(), states);
            assert_eq!(answer.addresses[0].street_code, Some(120));
            assert_eq!(answer.addresses[0].standard_address, text);
            assert_eq!(answer.civil_statuses[0].kind.as_deref(), Some("F"));
        }
    }
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
        let mut then = Vec::new();
        for _ in 0..4 {
            let snapshot = replika.snapshot();
            let pnrs = held(&snapshot);
            then.push((day, snapshot.known(), answers(&snapshot, day, None, &pnrs), pnrs));
            day = deltas.next_production_date();
            let delta = deltas.next_delta(Vec::new()).expect("in memory");
            for event in delta.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"099")) {
                let code = EventCode::parse(&event[25..28]).expect("a code");
                assert!(ChangeCodes::in_use().contains(&code), "{code} comes and cannot be followed");
            }
            replika.apply(Cursor::new(delta), &ApplyOptions::named("delta")).expect("it follows");
        }
        for (day, known, then, pnrs) in then {
            let later = answers(&replika.snapshot(), day, Some(known), &pnrs);
            prop_assert!(then == later, "an answer as of delivery {known} is not the one that was given then");
        }
        prop_assert!(hold(&replika, day) >= 150);
        hold_events(&replika);
        prop_assert!(replika.snapshot().verify().expect("a read").is_clean());
    }
}
