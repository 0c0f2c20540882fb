//! A store and its packs give the same answers: every read of a snapshot, and the services on top.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use cpr_population::{Deltas, Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Aspect, Date, Day, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_pack::{Checks, Pack};
use cpr_replika::cpr_subscription::{Filter, Profile, SubscriberName};
use cpr_replika::{
    AddressPattern, ApplyOptions, Config, DeliveryNumber, Error, EventCursor, EventFilter, FilterChange, Image,
    KeyFile, NamePart, Options, OwnedFact, PackKey, Packed, PersonSet, Query, Replika, Search, Snapshot,
    UnknownNumbers, WordPattern,
};
use cpr_services::Caller;
use cpr_services::{NoRegister, Request, gctp, sf1520, sf6008};
use proptest::prelude::*;

const PERSONS: u32 = 80;

/// A snapshot of a store, and of its packs.
struct Both<'s> {
    store: &'s Snapshot,
    pack: &'s Snapshot,
}

impl Both<'_> {
    /// Holds what both answer to be the same. No test prints an answer: it may be about a real person.
    fn same<T: PartialEq>(&self, what: &str, read: impl Fn(&Snapshot) -> Result<T, Error>) -> T {
        let (store, pack) = (read(self.store), read(self.pack));
        match (store, pack) {
            (Ok(store), Ok(pack)) => {
                assert!(store == pack, "{what}: they differ");
                pack
            }
            (store, pack) => panic!("{what}: {:?} and {:?}", store.err(), pack.err()),
        }
    }

    /// Everything that can be asked of a snapshot as a whole.
    fn hold_whole(&self) {
        assert_eq!(self.store.settings(), self.pack.settings());
        assert_eq!(self.store.known(), self.pack.known());
        assert_eq!(self.store.last_delivery(), self.pack.last_delivery());
        assert!(self.same("verify", Snapshot::verify).is_clean());
        let rows = |snapshot: &Snapshot| {
            let mut tables = snapshot.stats()?.tables;
            tables.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(tables.into_iter().map(|table| (table.name, table.rows)).collect::<Vec<_>>())
        };
        self.same("rows of the tables", rows);
        for delivery in self.same("deliveries", Snapshot::deliveries) {
            let number = delivery.number;
            self.same("a delivery", |snapshot| snapshot.delivery(number));
            self.same("the delivery on a day", |snapshot| {
                snapshot.delivery_on(Day::of(delivery.production_date).expect("a day"))
            });
            self.same("changes", |snapshot| Ok(snapshot.changes(number)?.collect::<Vec<_>>()));
            let events = self.same("events of a delivery", |snapshot| {
                snapshot.events_of(number, EventFilter::default())?.collect::<Result<Vec<_>, _>>()
            });
            for event in events {
                self.same("the payload of an event", |snapshot| {
                    Ok(snapshot.payload(&event)?.map(|image| image.map(|image| facts_of(&image))))
                });
            }
            self.same("export", |snapshot| {
                let mut out = Vec::new();
                snapshot.export(Some(number), &mut out).map(|persons| (persons, out))
            });
        }
        self.same("the feed", |snapshot| {
            snapshot.events_since(EventCursor::BEGINNING, EventFilter::default())?.collect::<Result<Vec<_>, _>>()
        });
        let [first, last] = ["2026-01-01", "2026-12-31"].map(|day| day.parse().expect("a day"));
        self.same("the calendar", |snapshot| snapshot.calendar(first, last, &[18, 67]));
        self.hold_sets();
        self.hold_subscribers();
    }

    fn hold_sets(&self) {
        let municipalities: BTreeSet<u16> = everybody(self.store)
            .into_iter()
            .filter_map(|pnr| Some(self.store.person(pnr).expect("a read")?.address()?.municipality_code()?.0))
            .collect();
        for code in municipalities.into_iter().map(MunicipalityCode) {
            let found = self.same("find", |snapshot| snapshot.find(&Query::municipality(code)));
            self.same("export of some", |snapshot| {
                let mut out = Vec::new();
                snapshot.export_persons(&found, &mut out).map(|persons| (persons, out))
            });
            let pattern = AddressPattern { municipality: Some(code), ..AddressPattern::default() };
            self.hold_search(Query::Address(pattern));
        }
        let [from, to] = ["1950-01-01", "1999-12-31"].map(|day| Date::parse(day).expect("a date"));
        let born = Query::Born(from..=to);
        self.same("find by birth", |snapshot| snapshot.find(&born));
        let others = Query::Not(Box::new(born));
        self.same("find all others", |snapshot| snapshot.find(&others));
        for delivery in 1..=self.store.known().0 {
            self.same("find changed", |snapshot| snapshot.find(&Query::Changed(DeliveryNumber(delivery))));
            for code in ["A01", "A05", "A09", "A36", "P04"] {
                let query = Query::ChangedBy(DeliveryNumber(delivery), code.to_owned());
                self.same("find by event", |snapshot| snapshot.find(&query));
            }
        }
        for name in ["Jen*", "Hansen", "An*", "M?ller", "Peter"] {
            self.hold_search(Query::name(NamePart::Any, name));
        }
        let streets = AddressPattern {
            street_name: WordPattern::parse("Nørre*").into_iter().collect(),
            ..AddressPattern::default()
        };
        self.hold_search(Query::Address(streets));
        let postal = AddressPattern { postal_code: Some(1000..=4999), ..AddressPattern::default() };
        self.hold_search(Query::Address(postal));
    }

    fn hold_search(&self, query: Query) {
        let mut search = Search { limit: 7, count: true, ..Search::now(query) };
        loop {
            let hits = self.same("search", |snapshot| snapshot.search(&search));
            match hits.next {
                Some(next) => search.after = Some(next),
                None => break,
            }
        }
    }

    fn hold_subscribers(&self) {
        for subscriber in self.same("subscribers", Snapshot::subscribers) {
            let name = &subscriber.name;
            self.same("a subscriber", |snapshot| snapshot.subscriber(name));
            self.same("filters", |snapshot| snapshot.filters(name, None));
            self.same("filters on nobody", |snapshot| snapshot.filters_on_nobody(name));
            self.same("followed", |snapshot| snapshot.followed(name));
            for delivery in (1..=self.store.known().0).map(DeliveryNumber) {
                self.same("filters then", |snapshot| snapshot.filters(name, Some(delivery)));
                self.same("matched", |snapshot| snapshot.matched(delivery, name));
                self.same("matches", |snapshot| Ok(snapshot.matches(delivery, name)?.persons));
                self.same("recipients", |snapshot| {
                    let all = snapshot.recipients(delivery)?.into_iter();
                    Ok(all.map(|to| (to.subscriber, to.persons, to.previous_production_date)).collect::<Vec<_>>())
                });
            }
        }
    }

    /// Everything that can be asked of one person.
    fn hold_person(&self, pnr: Pnr, day: Date) {
        self.same("person", |snapshot| {
            let person = snapshot.person(pnr)?;
            Ok(person.map(|person| (person.delivered(), person.all_facts().map(owned).collect::<Vec<_>>())))
        });
        self.same("received events", |snapshot| {
            let events = snapshot.events(pnr)?;
            let rows = events.events.iter().map(|row| (row.delivery, row.event().code().reveal().into_owned()));
            Ok((rows.collect::<Vec<_>>(), events.complete_since))
        });
        self.same("followers", |snapshot| snapshot.followers(pnr, Day::of(day).expect("a day")));
        let last = self.store.known();
        for known in (1..=last.0).map(DeliveryNumber) {
            self.same("numbers", |snapshot| snapshot.numbers(pnr, Some(known)));
            self.same("lines", |snapshot| {
                let lines = snapshot.group(pnr, Some(known))?;
                Ok(lines.map(|lines| lines.reveal().map(<[u8]>::to_vec).collect::<Vec<_>>()))
            });
            for valid in [None, Some(Timestamp::end_of(day))] {
                self.same("as of", |snapshot| {
                    let image = snapshot.as_of(pnr, valid, Some(known))?;
                    Ok(image.map(|image| (facts_of(&image), image.residence(Timestamp::end_of(day)).is_some())))
                });
            }
            self.same("diff", |snapshot| snapshot.diff(pnr, known, last));
        }
        for aspect in Aspect::all() {
            self.same("holding", |snapshot| snapshot.holding(pnr, aspect, None));
            self.same("history", |snapshot| snapshot.history(pnr, aspect));
        }
    }

    fn hold_services(&self, pnr: Pnr, day: Date) {
        let request = Request::on(pnr, day, Caller::unlogged());
        for service in gctp::Service::ALL {
            self.same(service.name(), |snapshot| Ok(gctp::answer(snapshot, service, &request).expect("an answer")));
        }
        self.same("SF6008", |snapshot| {
            let answer = sf6008::answer(snapshot, sf6008::Operation::Extended, &request).expect("an answer");
            Ok(answer.found().map(|found| found.answer.clone()))
        });
        self.same("SF1520", |snapshot| {
            let answer = sf1520::answer(snapshot, sf1520::Version::V5, &request, &NoRegister);
            let answer = answer.expect("an answer");
            Ok(answer.found().map(|found| found.answer.to_xml(sf1520::Version::V5).expect("XML")))
        });
    }
}

fn owned(fact: cpr_replika::Fact<'_>) -> OwnedFact {
    fact.to_owned()
}

fn facts_of(image: &Image<'_>) -> Vec<OwnedFact> {
    image.all_facts().map(owned).collect()
}

fn everybody(snapshot: &Snapshot) -> Vec<Pnr> {
    snapshot.pnrs().expect("a read").map(|pnr| pnr.expect("a read")).collect()
}

/// Holds every read on a store and on a folder of its packs to be the same.
pub(crate) fn hold(store: &Snapshot, pack: &Snapshot, day: Date) {
    let both = Both { store, pack };
    both.hold_whole();
    let pnrs = both.same("pnrs", |snapshot| snapshot.pnrs()?.collect::<Result<Vec<_>, _>>());
    assert!(pnrs.len() >= PERSONS as usize);
    both.same("the digest", Snapshot::state_digest);
    for (at, pnr) in pnrs.into_iter().enumerate() {
        both.hold_person(pnr, day);
        if at % 8 == 0 {
            both.hold_services(pnr, day);
        }
    }
    let nobody = Pnr::parse(b"9112999999").expect("ten digits");
    both.hold_person(nobody, day);
}

/// A made-up Denmark that is delivered night by night, with subscribers and a reader of events.
pub(crate) struct Register {
    pub(crate) replika: Replika,
    pub(crate) product: Product,
}

impl Register {
    pub(crate) fn new(population: &Population, family: &str) -> Register {
        Register::in_store(Replika::in_memory(&Config::default()).expect("a store"), population, family)
    }

    fn in_store(replika: Replika, population: &Population, family: &str) -> Register {
        let product = Product { family: Family::named(family).expect("a family"), task: "123401".to_owned() };
        let extract = population.full_extract(Vec::new(), &product).expect("in memory");
        replika.load(Cursor::new(extract), &ApplyOptions::named("full")).expect("a sound extract");
        Register { replika, product }
    }

    /// Subscribers by municipality, by age and by number.
    pub(crate) fn subscribe(&self) {
        let name = |name: &str| -> SubscriberName { name.parse().expect("a name") };
        let snapshot = self.replika.snapshot();
        let pnrs = everybody(&snapshot);
        let here: Vec<MunicipalityCode> = pnrs
            .iter()
            .filter_map(|pnr| snapshot.person(*pnr).expect("a read")?.address()?.municipality_code())
            .collect();
        let by_number = pnrs.iter().step_by(3).filter_map(|pnr| pnr.key()).map(Filter::Pnr);
        let by_place = here.into_iter().take(3).map(Filter::Municipality);
        for (subscriber, filters) in
            [("numbers", by_number.collect::<Vec<_>>()), ("places", by_place.collect::<Vec<_>>())]
        {
            self.replika.add_subscriber(&name(subscriber), Profile::SF6002).expect("written");
            let changes: Vec<FilterChange> = filters.into_iter().map(FilterChange::Add).collect();
            self.replika.change_filters(&name(subscriber), &changes, UnknownNumbers::Keep).expect("written");
        }
    }

    pub(crate) fn night(&self, deltas: &mut Deltas<'_>) {
        self.deliver(deltas.next_delta(Vec::new()).expect("in memory"));
    }

    /// A night in which these persons move, and nobody else does anything.
    fn quiet_night(&self, deltas: &mut Deltas<'_>, ranks: &[u32]) {
        self.deliver(deltas.next_delta_of_moves(Vec::new(), ranks).expect("in memory"));
    }

    pub(crate) fn deliver(&self, delta: Vec<u8>) {
        deliver(&self.replika, delta);
    }
}

/// Applies a night, and notes that each subscriber was given its file.
pub(crate) fn deliver(replika: &Replika, delta: Vec<u8>) {
    replika.apply(Cursor::new(delta), &ApplyOptions::named("delta")).expect("it follows");
    let delivery = replika.snapshot().known();
    let recipients = replika.snapshot().recipients(delivery).expect("a read");
    replika.note_given(delivery, &recipients).expect("written");
}

/// A store, its base, its overlay and a store that was restored from them.
fn hold_all(seed: u64, family: &str, folder: &Path, options: &Options) {
    let population = Population::new(seed, PERSONS);
    let path = |name: &str| folder.join(name);
    let replika = Replika::create_with(path("store"), &Config::default(), options).expect("a store");
    let register = Register::in_store(replika, &population, family);
    let pack = || register.replika.snapshot().write_pack(path("packs")).expect("written");
    let day = || register.replika.snapshot().last_delivery().expect("a delivery").production_date;
    register.subscribe();
    let mut deltas = population.deltas(&register.product, 50);
    register.night(&mut deltas);
    let first = pack();
    assert!(first.is_base);
    let packed = Packed::open_encrypted(path("packs"), options).expect("packs");
    hold(&register.replika.snapshot(), &packed.snapshot(), day());

    // A quiet night: few persons, and what is kept beside deliveries.
    register.quiet_night(&mut deltas, &[3, 50]);
    register.replika.add_consumer("reader", EventCursor::BEGINNING).expect("written");
    register.replika.remove_subscriber(&"places".parse().expect("a name")).expect("written");
    let report = pack();
    assert_eq!((report.is_base, report.delivery), (false, register.replika.snapshot().known()));
    assert!(packed.poll().expect("a read"));
    hold(&register.replika.snapshot(), &packed.snapshot(), day());
    let key = options.key.clone().map(PackKey::new);
    let read = Packed::open_with(path("packs"), move |path| match &key {
        Some(key) => Pack::read_sealed(path, key),
        None => Pack::read(path, Checks::AtEveryRead),
    });
    let read = read.expect("packs");
    Both { store: &register.replika.snapshot(), pack: &read.snapshot() }.hold_whole();
    assert!(Packed::verify(path("packs"), options).expect("a read").is_clean());
    assert_eq!(packed.digest(), register.replika.snapshot().state_digest().expect("a read"));
    assert!(packed.digest() == report.digest && report.digest != first.digest);

    let restored = Replika::restore(path("packs"), path("restored"), options).expect("restored");
    hold(&register.replika.snapshot(), &restored.snapshot(), day());
    assert_eq!(restored.consumers().expect("a read"), register.replika.consumers().expect("a read"));

    // The next overlay is over the same base; a base that is damaged makes place for a new one.
    let base = path("packs").join(first.file);
    register.night(&mut deltas);
    assert!(!pack().is_base && base.exists());
    assert!(packed.poll().expect("a read"));
    hold(&register.replika.snapshot(), &packed.snapshot(), day());
    std::fs::remove_file(&base).expect("removed");
    assert!(pack().is_base);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]
    #[test]
    fn a_store_its_base_its_overlay_and_a_restored_store_give_the_same_answers(seed: u64, family in 0..2usize) {
        let folder = tempfile::tempdir().expect("a folder");
        hold_all(seed, ["std", "uuid"][family], folder.path(), &Options::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]
    #[test]
    fn an_encrypted_store_its_packs_and_a_restored_store_give_the_same_answers(seed: u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyFile::create(folder.path().join("key")).expect("a key");
        // Room for few decrypted blocks.
        let options = Options { key: Some(Arc::new(key)), cache_bytes: 64 * 1024 };
        hold_all(seed, "std", folder.path(), &options);
    }
}

#[test]
fn an_empty_store_has_packs_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    replika.snapshot().write_base(folder.path()).expect("written");
    let snapshot = Packed::open(folder.path()).expect("packs").snapshot();
    assert_eq!((snapshot.known(), everybody(&snapshot).len()), (DeliveryNumber(0), 0));
    assert_eq!(snapshot.find(&Query::All).expect("answered"), PersonSet::default());
    assert!(snapshot.verify().expect("a read").is_clean());
}
