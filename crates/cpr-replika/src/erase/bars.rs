//! Who may not come back: numbers that were erased, and those that are one with them, until they are readmitted.
//!
//! A bar names nobody: it is a keyed pseudonym of the number, with those of the numbers that its records led to. Who
//! holds the store has the key and can undo it by trying all numbers. A number that the caller *named* stays barred;
//! another one is barred for as long as links of records (001 PNRGAELD, 022) connect it with a named one, either way.
//! What a person's rows of a delivery link takes the place of what they linked before, unless a history window may have
//! dropped it: then only an event that undoes a change of number (P42, P43) ends a link that is no longer stated.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use cpr_extract::{Group, Groups};
use cpr_model::{Field, PersonKey, Pnr};
use hmac::{Hmac, KeyInit, Mac};
use redb::WriteTransaction;
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::person::mentions::mentioned;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::read_table::One;
use crate::store::secret::read_secret;
use crate::store::tables::{META, name};

/// What the settings of bars begin with; a pseudonym follows.
const BAR: &str = "barred/";
/// Behind every such setting.
const BAR_END: &str = "barred0";
/// Groups that are read at a time.
const CHUNK: usize = 8 * 1024;
/// Events that undo a change of number.
const UNDOING: [&[u8]; 2] = [b"P42", b"P43"];

/// What stands for a number.
type Pseudonym = [u8; 16];

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Bar {
    is_named: bool,
    links: BTreeSet<Pseudonym>,
}

/// Every bar of a store.
pub(crate) struct Bars {
    key: [u8; 32],
    stored: BTreeMap<Pseudonym, Bar>,
    now: BTreeMap<Pseudonym, Bar>,
}

/// What the rows of a person in a file say of its other numbers.
pub(crate) struct Stated {
    key: u32,
    links: Vec<u32>,
    /// An event says that a change of number was undone.
    is_undone: bool,
}

/// What the persons of a file say of their other numbers.
pub(crate) fn read_stated(mut groups: Groups<'_, impl Read + Seek>) -> Result<Vec<Stated>, Error> {
    let (mut all, mut chunk) = (Vec::new(), Vec::new());
    loop {
        let count = groups.next_chunk(&mut chunk, CHUNK).map_err(Error::of_source)?;
        if count == 0 {
            return Ok(all);
        }
        all.extend(chunk[..count].iter().map(stated));
    }
}

fn stated(group: &Group) -> Stated {
    let own = group.key();
    let links = group.facts(0).filter_map(|fact| mentioned(&fact)).filter(|key| *key != own);
    let is_undone = group.events().any(|(_, values)| UNDOING.contains(&values.text(Field::EventCode).latin1()));
    Stated { key: own.as_u32(), links: links.map(PersonKey::as_u32).collect(), is_undone }
}

impl Bars {
    pub(crate) fn read(settings: &One<&'static str, &'static str>) -> Result<Bars, Error> {
        let secret = read_secret(settings)?;
        let key = Sha256::new().chain_update(b"replika bars of a store").chain_update(secret).finalize().into();
        let mut stored = BTreeMap::new();
        for row in settings.range::<&str>(BAR..BAR_END)? {
            let (key, text) = row?;
            let corrupt = Error::Corrupt { table: name::META, what: "a bar" };
            let (pseudonym, bar) = parse(key.value(), text.value()).ok_or(corrupt)?;
            stored.insert(pseudonym, bar);
        }
        Ok(Bars { key, now: stored.clone(), stored })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    /// How many numbers are barred.
    pub(crate) fn len(&self) -> u64 {
        self.now.len() as u64
    }

    /// Whether a number is barred.
    pub(crate) fn has(&self, key: u32) -> bool {
        self.now.contains_key(&self.pseudonym(key))
    }

    fn pseudonym(&self, key: u32) -> Pseudonym {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(&key.to_le_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        *digest.first_chunk().expect("a digest has 32 bytes")
    }

    /// Bars a number, with what its records linked.
    pub(crate) fn add(&mut self, key: u32, is_named: bool, links: &[u32]) {
        let links: Vec<Pseudonym> = links.iter().map(|&link| self.pseudonym(link)).collect();
        let bar = self.now.entry(self.pseudonym(key)).or_default();
        bar.is_named |= is_named;
        bar.links.extend(links);
    }

    /// Takes what a file says into the bars, and returns whom of the file they leave out.
    pub(crate) fn take(&mut self, file: &[Stated], has_all_history: bool) -> RoaringBitmap {
        let names: Vec<Pseudonym> = file.iter().map(|stated| self.pseudonym(stated.key)).collect();
        let of_file = || file.iter().zip(&names);
        let undone: BTreeSet<Pseudonym> =
            of_file().filter(|(stated, _)| stated.is_undone).map(|(_, name)| *name).collect();
        let mut graph = self.now.clone();
        for bar in graph.values_mut() {
            bar.links.retain(|link| !undone.contains(link));
        }
        for (stated, name) in of_file() {
            if stated.links.is_empty() && !graph.contains_key(name) {
                continue;
            }
            let links: Vec<Pseudonym> = stated.links.iter().map(|&link| self.pseudonym(link)).collect();
            let bar = graph.entry(*name).or_default();
            if has_all_history || stated.is_undone {
                bar.links.clear();
            }
            bar.links.extend(links);
        }
        let named = graph.iter().filter(|(_, bar)| bar.is_named).map(|(name, _)| *name).collect();
        let reached = reach(&graph, named);
        let mut barred = RoaringBitmap::new();
        for (stated, name) in of_file().filter(|(_, name)| reached.contains(*name)) {
            barred.insert(stated.key);
            graph.entry(*name).or_default();
        }
        graph.retain(|name, _| reached.contains(name));
        self.now = graph;
        barred
    }

    /// Lifts the bars of a number and of all that are one with it; how many there were.
    fn lift(&mut self, key: u32) -> u64 {
        let before = self.now.len();
        let one = reach(&self.now, vec![self.pseudonym(key)]);
        self.now.retain(|name, _| !one.contains(name));
        (before - self.now.len()) as u64
    }

    /// Writes what has changed.
    pub(crate) fn write(&self, write: &WriteTransaction) -> Result<(), Error> {
        if self.now == self.stored {
            return Ok(());
        }
        let mut table = write.open_table(META)?;
        for name in self.stored.keys().filter(|name| !self.now.contains_key(*name)) {
            table.remove(setting(name).as_str())?;
        }
        for (name, bar) in self.now.iter().filter(|(name, bar)| self.stored.get(*name) != Some(bar)) {
            let word = if bar.is_named { "named" } else { "linked" };
            let links = bar.links.iter().map(hex::encode);
            let text = std::iter::once(word.to_owned()).chain(links).collect::<Vec<_>>().join(" ");
            table.insert(setting(name).as_str(), text.as_str())?;
        }
        Ok(())
    }
}

/// Whom links connect with these, either way, themselves among them.
fn reach(graph: &BTreeMap<Pseudonym, Bar>, mut open: Vec<Pseudonym>) -> BTreeSet<Pseudonym> {
    let mut both_ways: BTreeMap<Pseudonym, Vec<Pseudonym>> = BTreeMap::new();
    for (name, bar) in graph {
        for link in &bar.links {
            both_ways.entry(*name).or_default().push(*link);
            both_ways.entry(*link).or_default().push(*name);
        }
    }
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(both_ways.get(&name).into_iter().flatten());
        }
    }
    reached
}

fn setting(name: &Pseudonym) -> String {
    format!("{BAR}{}", hex::encode(name))
}

fn parse(key: &str, text: &str) -> Option<(Pseudonym, Bar)> {
    let pseudonym = |text: &str| -> Option<Pseudonym> { hex::decode(text).ok()?.try_into().ok() };
    let mut words = text.split(' ');
    let is_named = match words.next()? {
        "named" => true,
        "linked" => false,
        _ => return None,
    };
    Some((pseudonym(key.strip_prefix(BAR)?)?, Bar { is_named, links: words.map(pseudonym).collect::<Option<_>>()? }))
}

impl Replika {
    /// Lets persons in again who were erased, with all numbers that are one with theirs: the next delivery that brings
    /// rows of them stores them. How many numbers were barred is the answer.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], and failures of the storage.
    pub fn readmit(&self, persons: &[Pnr]) -> Result<u64, Error> {
        self.change(|write, _| {
            let mut bars = Bars::read(&self.snapshot().tables().meta)?;
            let lifted = persons.iter().filter_map(|pnr| pnr.key()).map(|key| bars.lift(key.as_u32())).sum();
            bars.write(write)?;
            Ok(lifted)
        })
    }
}

impl Snapshot {
    /// How many numbers are barred: those that were erased, and those seen since that are one with them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn barred(&self) -> Result<u64, Error> {
        Ok(Bars::read(&self.tables().meta)?.len())
    }
}
