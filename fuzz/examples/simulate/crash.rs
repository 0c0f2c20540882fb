//! What a power cut may leave of a history of changes.
//!
//! What was synced is there. Of what was not, any sectors of 512 bytes of any write may be, any change of a length,
//! and any change of a name: in the order of time up to a moment (a process that died, a disk that writes in order), or
//! in no order at all. A name is durable once its folder was synced, and what a file holds once the file was.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Event, FileId, History, Node, Tree};
use crate::random::Random;

const SECTOR: u64 = 512;

/// A state that a power cut may leave.
pub struct Crash {
    pub tree: Tree,
    /// States with the same number are the same state of one history.
    pub number: u64,
}

/// How much of what was not synced is left.
#[derive(Clone, Copy, Debug)]
enum Kept {
    /// Everything: the process died, and the system did not.
    All,
    None,
    /// What was done before one of the changes, and that one torn.
    Until(usize),
    /// Of every eight sectors and names so many, the names in order or not.
    Some {
        sectors: u64,
        names: u64,
    },
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(PathBuf, Node),
    Move(PathBuf, PathBuf, Node),
    Remove(PathBuf),
}

/// Goes through a history, and knows at each moment what is durable and what is on its way.
pub struct Replay<'a> {
    history: &'a History,
    /// Events that have happened.
    at: usize,
    names: BTreeMap<PathBuf, Node>,
    contents: Vec<Arc<Vec<u8>>>,
    /// Names as the process sees them.
    seen: BTreeMap<PathBuf, Node>,
    pending_names: Vec<(usize, NameChange)>,
    pending: Vec<(usize, FileId)>,
    /// Changes with every sync.
    synced: u64,
    pub is_done: bool,
}

impl<'a> Replay<'a> {
    pub fn new(history: &'a History) -> Replay<'a> {
        let before = &history.before;
        Replay {
            history,
            at: 0,
            names: before.names.clone(),
            contents: before.contents.clone(),
            seen: before.names.clone(),
            pending_names: Vec::new(),
            pending: Vec::new(),
            synced: 0,
            is_done: false,
        }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// Has the next event happen; false behind the last.
    pub fn advance(&mut self) -> bool {
        let Some(event) = self.history.events.get(self.at) else { return false };
        match event {
            Event::Create { file, path } => {
                self.contents.resize_with((*file + 1).max(self.contents.len()), Arc::default);
                self.rename(NameChange::Set(path.clone(), Node::File(*file)));
            }
            Event::Write { file, .. } | Event::Length { file, .. } => self.pending.push((self.at, *file)),
            Event::Sync { file } => self.sync(*file),
            Event::Rename { from, to } => {
                if let Some(&node) = self.seen.get(from) {
                    self.rename(NameChange::Move(from.clone(), to.clone(), node));
                }
            }
            Event::Link { from, to } => {
                if let Some(&node) = self.seen.get(from) {
                    self.rename(NameChange::Set(to.clone(), node));
                }
            }
            Event::Remove { path } => self.rename(NameChange::Remove(path.clone())),
            Event::MakeFolder { path } => self.rename(NameChange::Set(path.clone(), Node::Folder)),
            Event::SyncFolder { path } => self.sync_folder(path),
            Event::Done => self.is_done = true,
        }
        self.at += 1;
        true
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.seen);
        self.pending_names.push((self.at, change));
    }

    fn sync(&mut self, file: FileId) {
        let (of_file, others): (Vec<_>, Vec<_>) = self.pending.drain(..).partition(|(_, of)| *of == file);
        self.pending = others;
        if of_file.is_empty() {
            return;
        }
        self.synced += 1;
        let content = Arc::make_mut(&mut self.contents[file]);
        of_file.iter().for_each(|(at, _)| apply(&self.history.events[*at], content, &mut |_| true));
    }

    fn sync_folder(&mut self, folder: &Path) {
        let of_folder = |change: &NameChange| change.paths().any(|path| path.parent() == Some(folder));
        let (durable, others): (Vec<_>, Vec<_>) =
            self.pending_names.drain(..).partition(|(_, change)| of_folder(change));
        self.pending_names = others;
        self.synced += u64::from(!durable.is_empty());
        durable.iter().for_each(|(_, change)| change.apply(&mut self.names));
    }

    /// A state that a power cut now may leave.
    pub fn crash(&self, random: &mut Random) -> Crash {
        let kept = match random.below(8) {
            0 => Kept::All,
            1 => Kept::None,
            2 | 3 => Kept::Until(self.at - random.below((self.pending.len() + 1).min(12) as u64) as usize),
            4 => Kept::Some { sectors: 0, names: 8 },
            5 => Kept::Some { sectors: 8, names: random.below(9) },
            _ => Kept::Some { sectors: random.below(9), names: random.below(9) },
        };
        self.crash_of(kept, random)
    }

    fn crash_of(&self, kept: Kept, random: &mut Random) -> Crash {
        let mut number = DefaultHasher::new();
        self.synced.hash(&mut number);
        let mut keeps = |event: usize, is_name: bool| {
            let keeps = match kept {
                Kept::All => true,
                Kept::None => false,
                Kept::Until(last) if event + 1 == last && !is_name => random.below(2) == 0,
                Kept::Until(last) => event < last,
                Kept::Some { sectors, names } => random.below(8) < if is_name { names } else { sectors },
            };
            (event, keeps).hash(&mut number);
            keeps
        };
        let mut names = self.names.clone();
        for (event, change) in &self.pending_names {
            if keeps(*event, true) {
                change.apply(&mut names);
            }
        }
        let mut contents = self.contents.clone();
        for (event, file) in &self.pending {
            apply(&self.history.events[*event], Arc::make_mut(&mut contents[*file]), &mut |_| keeps(*event, false));
        }
        // What stood in a folder that is not there is not there either.
        let is_there = |path: &Path, names: &BTreeMap<PathBuf, Node>| {
            path.ancestors()
                .skip(1)
                .filter(|above| !above.as_os_str().is_empty())
                .all(|above| names.contains_key(above))
        };
        let all = names.clone();
        names.retain(|path, _| is_there(path, &all));
        Crash { tree: Tree { names, contents }, number: number.finish() }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            NameChange::Set(path, node) => _ = names.insert(path.clone(), *node),
            NameChange::Move(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            NameChange::Remove(path) => _ = names.remove(path),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let (one, other) = match self {
            NameChange::Set(path, _) | NameChange::Remove(path) => (path, None),
            NameChange::Move(from, to, _) => (from, Some(to)),
        };
        std::iter::once(one).chain(other).map(PathBuf::as_path)
    }
}

/// Makes a change in part: of a write, the sectors that are kept.
fn apply(event: &Event, bytes: &mut Vec<u8>, keeps: &mut dyn FnMut(u64) -> bool) {
    match event {
        Event::Length { bytes: length, .. } => {
            if keeps(0) {
                bytes.resize(*length as usize, 0);
            }
        }
        Event::Write { at, content, grows, .. } => {
            let (mut from, end) = (*at, *at + content.len() as u64);
            while from < end {
                let to = end.min((from / SECTOR + 1) * SECTOR);
                if keeps(from) {
                    if *grows && (bytes.len() as u64) < to {
                        bytes.resize(to as usize, 0);
                    }
                    let piece = &content[(from - at) as usize..(to - at) as usize];
                    if let Some(place) = bytes.get_mut(from as usize..to as usize) {
                        place.copy_from_slice(piece);
                    }
                }
                from = to;
            }
        }
        _ => {}
    }
}

/// The folder after all of a history, to hold against the real one: a call that was not noted would be seen.
pub fn outcome(history: &History) -> Tree {
    let mut replay = Replay::new(history);
    while replay.advance() {}
    replay.crash_of(Kept::All, &mut Random::new(0)).tree
}
