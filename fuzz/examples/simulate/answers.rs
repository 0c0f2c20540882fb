//! What a folder answers: its store, its packs, their follower, a restored store, the files that were sent, and its
//! access log.
//!
//! What is right the model says ([`crate::model`]).

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cpr_model::{Aspect, Date, MunicipalityCode, Timestamp};
use cpr_replika::{
    DeliveryNumber, Error, EventFilter, Fact, KeyFile, KeySource, Options, Packed, Query, Replika, Snapshot,
};
use private_file::folder_of;

use crate::model::{MUNICIPALITIES, PERSONS, pnr};
use crate::outgoing;
use crate::part::{Answer, Part, number};
use crate::questions;

/// All of a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answers {
    pub store: Part,
    pub packs: Part,
    pub follower: Part,
    pub restored: Part,
    /// The files that subscribers find, and what they see of each.
    pub sent: BTreeMap<String, u64>,
    /// The access log.
    pub log: Part,
}

/// Which file of a folder has a key; 0: no key.
pub type KeyNumber = u8;

/// The folder of the keys in a folder.
pub const KEYS: &str = "keys";

fn key_file(home: &Path, key: KeyNumber) -> PathBuf {
    home.join(KEYS).join(key.to_string())
}

pub fn key_source(home: &Path, key: KeyNumber) -> Arc<dyn KeySource> {
    Arc::new(KeyFile::new(key_file(home, key)))
}

/// Has a folder hold a key, where it does not.
pub fn make_key(home: &Path, key: KeyNumber) -> Result<(), Error> {
    let file = key_file(home, key);
    let made = private_file::make_folder(&home.join(KEYS)).and_then(|()| match file.exists() {
        true => Ok(()),
        false => KeyFile::create(file).map(drop),
    });
    made.map_err(|source| Error::Folder { doing: "making a key", source })
}

fn is_there(home: &Path, key: KeyNumber) -> bool {
    key == 0 || key_file(home, key).exists()
}

/// The cache of the stores of a seed.
static CACHE_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Of every third seed, stores are opened without a cache: what was written is read back from the disk at once, and a
/// load is written in stages.
pub fn choose_cache(seed: u64) {
    CACHE_BYTES.store(if seed.is_multiple_of(3) { 0 } else { 8 * 1024 * 1024 }, Ordering::Relaxed);
}

pub fn options(home: &Path, key: KeyNumber) -> Options {
    Options { cache_bytes: CACHE_BYTES.load(Ordering::Relaxed), key: (key > 0).then(|| key_source(home, key)) }
}

fn facts<'f>(facts: impl Iterator<Item = Fact<'f>>) -> u64 {
    let mut hasher = DefaultHasher::new();
    facts.for_each(|fact| {
        (fact.record(), fact.known().from, fact.known().to).hash(&mut hasher);
        fact.values().bytes().hash(&mut hasher);
    });
    hasher.finish()
}

/// Asks a snapshot whatever it can be asked.
pub fn of_snapshot(snapshot: &Snapshot) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut add = |answer: Result<u64, Error>| answers.push(answer.map_err(|error| error.kind()));
    let known = snapshot.known().0;
    let moment = Timestamp::end_of(Date::from_digits(2010_01_01).expect("a day"));
    for person in PERSONS.map(pnr) {
        add(snapshot.person(person).map(|found| facts(found.iter().flat_map(|person| person.facts()))));
        add(snapshot.numbers(person, None).map(|chain| number(format!("{chain:?}"))));
        add(snapshot.events(person).map(|events| number(format!("{events:?}"))));
        let history = snapshot.history(person, Aspect::Address);
        add(history.map(|history| facts(history.iter().map(|fact| fact.as_fact()))));
        for known in 1..=known {
            let known = Some(DeliveryNumber(known));
            let group = snapshot.group(person, known);
            add(group.map(|group| number(group.map(|group| group.reveal().map(<[u8]>::to_vec).collect::<Vec<_>>()))));
            let image = snapshot.as_of(person, Some(moment), known);
            add(image.map(|image| facts(image.iter().flat_map(|image| image.facts()))));
        }
    }
    for code in MUNICIPALITIES {
        let found = snapshot.find(&Query::municipality(MunicipalityCode(code)));
        add(found.map(|found| number(found.iter().collect::<Vec<_>>())));
    }
    add(snapshot.deliveries().map(|mut ledger| {
        ledger.iter_mut().for_each(|delivery| delivery.counts.duration = Duration::ZERO);
        number(format!("{ledger:?}"))
    }));
    for delivery in (1..=known).map(DeliveryNumber) {
        add(events(snapshot, delivery));
        let recipients = snapshot.recipients(delivery);
        add(recipients.map(|all| number(all.iter().map(|one| one.previous_production_date).collect::<Vec<_>>())));
    }
    add(snapshot.erase_receipts().map(|receipts| number(format!("{receipts:?}"))));
    add(snapshot.barred());
    add(snapshot.keep().map(|keep| number(format!("{keep:?}"))));
    add(snapshot.left_out().map(|left_out| number(left_out.iter().collect::<Vec<_>>())));
    // The last question, since nothing can be asked of subscribers who cannot be read.
    match snapshot.subscribers() {
        Err(error) => add(Err(error)),
        Ok(subscribers) => {
            for subscriber in subscribers {
                add(Ok(number(format!("{subscriber:?}"))));
                let filters = snapshot.filters(&subscriber.name, None);
                add(filters.map(|filters| number(filters.iter().map(|filter| filter.to_bytes()).collect::<Vec<_>>())));
                for delivery in (1..=known).map(DeliveryNumber) {
                    let matched = snapshot.matched(delivery, &subscriber.name);
                    add(matched.map(|matched| number(matched.iter().collect::<Vec<_>>())));
                }
            }
        }
    }
    answers
}

fn events(snapshot: &Snapshot, delivery: DeliveryNumber) -> Result<u64, Error> {
    let mut told = Vec::new();
    for event in snapshot.events_of(delivery, EventFilter::default())? {
        told.push(event?.id.bytes());
    }
    Ok(number(told))
}

/// Asks a store whatever it can be asked: of its readers of events first.
pub fn of_store(replika: &Replika) -> Vec<Answer> {
    let readers = replika.consumers().map(|readers| number(format!("{readers:?}")));
    let mut answers = vec![readers.map_err(|error| error.kind())];
    answers.extend(of_snapshot(&replika.snapshot()));
    answers
}

fn part(answers: Result<Vec<Answer>, Error>) -> Part {
    match answers {
        Ok(answers) => Part::Is(answers),
        Err(error) => Part::Refused(error.kind()),
    }
}

pub fn store_at(path: &Path, key: KeyNumber) -> Part {
    match path.exists() {
        true => part(Replika::open_with(path, &options(folder_of(path), key)).map(|replika| of_store(&replika))),
        false => Part::Nothing,
    }
}

/// The packs of a folder, with the key that opens them: a store's key may have changed since they were written.
pub fn packs_at(folder: &Path, key: KeyNumber) -> Part {
    let opened = || {
        for key in (0..=key).rev().filter(|key| is_there(folder_of(folder), *key)) {
            match open_packs(folder, key) {
                Err(error) if is_other_key(&error) => {}
                opened => return opened,
            }
        }
        Err(Error::WrongKey)
    };
    match opened() {
        Err(Error::NoPacks | Error::NotFound) => Part::Nothing,
        opened => part(opened.map(|packs| of_snapshot(&packs.snapshot()))),
    }
}

fn is_other_key(error: &Error) -> bool {
    matches!(error, Error::WrongKey | Error::KeyNeeded | Error::NotEncrypted)
}

pub fn open_packs(folder: &Path, key: KeyNumber) -> Result<Packed, Error> {
    match key {
        0 => Packed::open(folder),
        key => Packed::open_encrypted(folder, &options(folder_of(folder), key)),
    }
}

/// The parts of a folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartName {
    Store,
    Packs,
    Follower,
    Restored,
    Sent,
    Log,
}

impl PartName {
    /// The name below which it stands; its parts on the way there have others.
    pub fn path(self) -> &'static str {
        match self {
            PartName::Store => "store",
            PartName::Packs => "packs",
            PartName::Follower => "follower",
            PartName::Restored => "restored-store",
            PartName::Sent => "sent",
            PartName::Log => "log",
        }
    }
}

impl Answers {
    /// What an empty folder answers.
    pub fn of_nothing() -> Answers {
        let nothing = || Part::Nothing;
        Answers {
            store: nothing(),
            packs: nothing(),
            follower: nothing(),
            restored: nothing(),
            sent: BTreeMap::new(),
            log: nothing(),
        }
    }

    /// Asks the parts of a folder that may have changed, and takes the others from what was answered before. The store
    /// has one of these keys, everything else any up to the highest.
    pub fn of(
        home: &Path,
        keys: &[KeyNumber],
        highest: KeyNumber,
        before: &Answers,
        may_have_changed: impl Fn(PartName) -> bool,
    ) -> Answers {
        let all: Vec<KeyNumber> = (0..=highest).collect();
        let store = |name: PartName, keys: &[KeyNumber]| {
            let path = home.join(name.path());
            if !path.exists() {
                return Part::Nothing;
            }
            let keys = keys.iter().filter(|key| is_there(home, **key));
            let tried = keys.map(|&key| store_at(&path, key));
            let is_other_key =
                |part: &Part| matches!(part, Part::Refused("wrong_key" | "key_needed" | "not_encrypted"));
            tried.into_iter().find(|part| !is_other_key(part)).unwrap_or(Part::Refused("wrong_key"))
        };
        let packs = |name: PartName| packs_at(&home.join(name.path()), highest);
        let ask = |name: PartName, before: &Part| match name {
            name if !may_have_changed(name) => before.clone(),
            PartName::Store => store(name, keys),
            PartName::Restored => store(name, &all),
            PartName::Log => questions::at(&home.join(name.path())),
            name => packs(name),
        };
        Answers {
            store: ask(PartName::Store, &before.store),
            packs: ask(PartName::Packs, &before.packs),
            follower: ask(PartName::Follower, &before.follower),
            restored: ask(PartName::Restored, &before.restored),
            sent: match may_have_changed(PartName::Sent) {
                true => outgoing::sent_files(&home.join(PartName::Sent.path())),
                false => before.sent.clone(),
            },
            log: ask(PartName::Log, &before.log),
        }
    }
}
