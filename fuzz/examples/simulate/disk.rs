//! The simulated disk: real files in memory, a log of every call that changes them, and calls that fail on purpose.
//!
//! While it is armed, each call below its folder is numbered and noted in order. What a power cut may leave of them is
//! worked out from the log ([`crate::crash`]); that a process dies is one of these. The faults here are those of a
//! disk, and those that a careless writer of files would make, planted where all files pass ([`Vice`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::c_int;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel;
use crate::outgoing::is_fetched_from;

/// A file, under whatever name: the same for as long as it is there.
pub type FileId = usize;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Node {
    Folder,
    File(FileId),
}

/// Names and contents of a folder, with paths below it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub names: BTreeMap<PathBuf, Node>,
    pub contents: Vec<Arc<Vec<u8>>>,
}

/// One change, as it was made.
#[derive(Clone, Debug)]
pub enum Event {
    Create {
        file: FileId,
        path: PathBuf,
    },
    /// `grows` when it made the file longer.
    Write {
        file: FileId,
        at: u64,
        content: Vec<u8>,
        grows: bool,
    },
    Length {
        file: FileId,
        bytes: u64,
    },
    Sync {
        file: FileId,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// The file has both names.
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    SyncFolder {
        path: PathBuf,
    },
    /// The caller was told that what was asked is done.
    Done,
}

/// A call that changes something, or asks for its being durable.
pub enum Call<'a> {
    Open { path: &'a Path, truncates: bool },
    Write { fd: c_int, at: Option<u64>, content: &'a [u8] },
    Length { fd: c_int, bytes: u64 },
    Sync { fd: c_int },
    Rename { from: &'a Path, to: &'a Path },
    Link { from: &'a Path, to: &'a Path },
    Remove { path: &'a Path },
    MakeFolder { path: &'a Path },
}

/// Calls that fail.
#[derive(Clone, Copy, Debug)]
pub enum Failing {
    /// This call, counted from 1, and no other.
    Once(u64, c_int),
    /// The disk is full from this call on: whatever makes files or lengthens them.
    FullFrom(u64),
    /// The process dies before this call: neither it nor a later one changes anything.
    DeadFrom(u64),
}

/// What a careless writer of files does, or a disk that lies: planted where all files pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Vice {
    /// A store is not synced.
    StoreSync = 1,
    /// A file that is written beside its name is not synced before it gets it.
    PartSync,
    /// A folder is not synced.
    FolderSync,
    /// A file gets its name before it is synced.
    RenameBeforeSync,
    /// Both copies of a store's root are one.
    RootInPlace,
    /// The first sync of a store is left out.
    FirstSync,
    /// A line of the access log is not synced.
    LineSync,
    /// A subscriber's file gets its name before it is synced: of the outbox, metadata say that one is whole.
    OutgoingRenamed,
    /// A file of the outbox is told as whole before it is durable.
    OutgoingTold,
    /// Folders of the outbox are not synced.
    OutgoingFolders,
}

static ARMED: AtomicBool = AtomicBool::new(false);
static VICE: AtomicU8 = AtomicU8::new(0);
static DISK: Mutex<Option<Disk>> = Mutex::new(None);

pub fn set_vice(vice: Option<Vice>) {
    VICE.store(vice.map_or(0, |vice| vice as u8), Ordering::Relaxed);
}

fn has(vice: Vice) -> bool {
    VICE.load(Ordering::Relaxed) == vice as u8
}

pub fn is_armed() -> bool {
    ARMED.load(Ordering::Relaxed)
}

fn disk() -> MutexGuard<'static, Option<Disk>> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Disk {
    root: PathBuf,
    before: Tree,
    names: HashMap<PathBuf, FileId>,
    files: HashMap<u64, FileId>,
    next: FileId,
    events: Vec<Event>,
    /// Syncs that a vice holds back until something is renamed.
    held_back: Vec<Event>,
    syncs: u64,
    calls: u64,
    /// The call that makes the new name of a store durable; 0 as long as it has only been renamed.
    store_named_at: Option<u64>,
    failing: Option<Failing>,
}

/// What was done to a folder.
#[derive(Debug, Default)]
pub struct History {
    pub before: Tree,
    pub events: Vec<Event>,
    /// Calls, failed ones among them.
    pub calls: u64,
    /// The call that made the name of a store durable that took the place of another.
    pub store_named_at: Option<u64>,
}

/// Reads a folder.
pub fn read_tree(root: &Path) -> Tree {
    let mut tree = Tree::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder that is there") {
            let name = folder.join(entry.expect("an entry").file_name());
            if root.join(&name).is_dir() {
                tree.names.insert(name.clone(), Node::Folder);
                folders.push(name);
            } else {
                tree.names.insert(name.clone(), Node::File(tree.contents.len()));
                tree.contents.push(Arc::new(fs::read(root.join(&name)).expect("a file that is there")));
            }
        }
    }
    tree
}

/// Makes a folder hold this and nothing else.
pub fn write_tree(root: &Path, tree: &Tree) {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("a folder of ours cannot be removed: {error}"),
        _ => fs::create_dir_all(root).expect("a folder of ours"),
    }
    add_to_tree(root, tree, |_| true);
}

/// Makes a folder hold this too, of what has one of these first names.
pub fn add_to_tree(root: &Path, tree: &Tree, with: impl Fn(&Path) -> bool) {
    for (name, node) in tree.names.iter().filter(|(name, _)| with(first_name(name))) {
        match node {
            Node::Folder => fs::create_dir_all(root.join(name)).expect("a folder"),
            Node::File(file) => fs::write(root.join(name), &**tree.contents[*file]).expect("a file"),
        }
    }
}

/// The first name of a path, which says of what part of a folder it is.
fn first_name(path: &Path) -> &Path {
    path.iter().next().map_or(path, Path::new)
}

impl History {
    /// The first names of all that was changed.
    pub fn touched(&self) -> BTreeSet<PathBuf> {
        let mut names: HashMap<FileId, PathBuf> = HashMap::new();
        for (name, node) in &self.before.names {
            if let Node::File(file) = node {
                names.insert(*file, first_name(name).to_owned());
            }
        }
        let mut touched = BTreeSet::new();
        for event in &self.events {
            let paths = match event {
                Event::Create { file, path } => {
                    names.insert(*file, first_name(path).to_owned());
                    vec![path]
                }
                Event::Write { file, .. } | Event::Length { file, .. } | Event::Sync { file } => {
                    names.get(file).into_iter().collect()
                }
                Event::Rename { from, to } | Event::Link { from, to } => vec![from, to],
                Event::Remove { path } | Event::MakeFolder { path } | Event::SyncFolder { path } => vec![path],
                Event::Done => Vec::new(),
            };
            touched.extend(paths.into_iter().map(|path| first_name(path).to_owned()));
        }
        touched
    }
}

/// Notes from now on what is done below a folder.
pub fn arm(root: &Path, failing: Option<Failing>) {
    let before = read_tree(root);
    let mut names = HashMap::new();
    let mut files = HashMap::new();
    for (name, node) in &before.names {
        if let Node::File(file) = node {
            files.insert(fs::metadata(root.join(name)).expect("read just now").ino(), *file);
            names.insert(name.clone(), *file);
        }
    }
    let next = before.contents.len();
    *disk() = Some(Disk {
        root: root.to_owned(),
        before,
        names,
        files,
        next,
        events: Vec::new(),
        held_back: Vec::new(),
        syncs: 0,
        calls: 0,
        store_named_at: None,
        failing,
    });
    ARMED.store(true, Ordering::SeqCst);
}

/// Notes nothing any more, and tells what was done.
pub fn disarm() -> History {
    ARMED.store(false, Ordering::SeqCst);
    let Some(mut disk) = disk().take() else { return History::default() };
    disk.events.append(&mut disk.held_back);
    let store_named_at = disk.store_named_at.filter(|&call| call > 0);
    History { before: disk.before, events: disk.events, calls: disk.calls, store_named_at }
}

/// Notes that the caller was told that what was asked is done; who is dead was told nothing.
pub fn done() {
    if let Some(disk) = disk().as_mut().filter(|disk| !disk.is_dead()) {
        disk.events.push(Event::Done);
    }
}

/// From now on no call fails: another process takes up what is there, with nothing synced that was not.
pub fn take_up() {
    if let Some(disk) = disk().as_mut() {
        disk.failing = None;
    }
}

/// Where a read or write of a file really goes.
pub fn place(fd: c_int, at: u64) -> u64 {
    const ROOTS: std::ops::Range<u64> = 2 * 4096..4 * 4096;
    if !has(Vice::RootInPlace) || !ROOTS.contains(&at) {
        return at;
    }
    let is_store = kernel::path_of(fd).is_some_and(|path| path.to_string_lossy().contains("store"));
    if is_store { ROOTS.start + at % 4096 } else { at }
}

/// A call of the process: noted, or failed. `real` makes it, at the place that it is told.
pub fn call(call: Call<'_>, real: impl FnOnce(u64) -> i64) -> i64 {
    let at = match call {
        Call::Write { at: Some(at), .. } => at,
        _ => 0,
    };
    if !is_armed() {
        return real(at);
    }
    let mut disk = disk();
    let Some((disk, target)) = disk.as_mut().and_then(|disk| disk.target(&call).map(|target| (disk, target))) else {
        return real(at);
    };
    disk.calls += 1;
    if let Some(error) = disk.failure(&call, &target) {
        kernel::set_errno(error);
        return -1;
    }
    let answer = real(at);
    let error = kernel::errno();
    if answer >= 0 {
        disk.note(&call, target, answer);
    }
    kernel::set_errno(error);
    answer
}

/// What a call is about.
enum Target {
    Name(PathBuf),
    Names(PathBuf, PathBuf),
    File { file: FileId, bytes: u64, position: u64 },
    Folder(PathBuf),
}

impl Disk {
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }

    /// None for what is no business of this disk.
    fn target(&self, call: &Call<'_>) -> Option<Target> {
        let of_open = |fd: c_int| {
            let found = kernel::found(fd)?;
            if found.is_folder {
                return Some(Target::Folder(self.inside(&kernel::path_of(fd)?)?));
            }
            let file = *self.files.get(&found.inode)?;
            Some(Target::File { file, bytes: found.bytes, position: kernel::position(fd, found.bytes) })
        };
        match call {
            Call::Open { path, .. } | Call::Remove { path } | Call::MakeFolder { path } => {
                self.inside(path).map(Target::Name)
            }
            Call::Rename { from, to } | Call::Link { from, to } => {
                Some(Target::Names(self.inside(from)?, self.inside(to)?))
            }
            Call::Write { fd, .. } | Call::Length { fd, .. } | Call::Sync { fd } => of_open(*fd),
        }
    }

    fn is_dead(&self) -> bool {
        matches!(self.failing, Some(Failing::DeadFrom(at)) if self.calls >= at)
    }

    /// The error that a call is to fail with.
    fn failure(&self, call: &Call<'_>, target: &Target) -> Option<c_int> {
        match self.failing? {
            Failing::Once(at, error) => (self.calls == at).then_some(error),
            Failing::DeadFrom(at) => (self.calls >= at).then_some(libc::EIO),
            Failing::FullFrom(at) => {
                let is_larger = match (call, target) {
                    (Call::Open { .. }, Target::Name(name)) => !self.names.contains_key(name),
                    (Call::Write { .. }, _) | (Call::MakeFolder { .. }, _) => true,
                    (Call::Length { bytes, .. }, Target::File { bytes: now, .. }) => bytes > now,
                    _ => false,
                };
                (self.calls >= at && is_larger).then_some(libc::ENOSPC)
            }
        }
    }

    fn note(&mut self, call: &Call<'_>, target: Target, answer: i64) {
        match (call, target) {
            (Call::Open { truncates, .. }, Target::Name(path)) => match self.names.get(&path) {
                Some(&file) if *truncates => self.events.push(Event::Length { file, bytes: 0 }),
                Some(_) => {}
                None => {
                    let file = self.next;
                    self.next += 1;
                    let inode = kernel::found(answer as c_int).expect("opened just now").inode;
                    self.files.insert(inode, file);
                    self.names.insert(path.clone(), file);
                    self.events.push(Event::Create { file, path });
                }
            },
            (Call::Write { at, content, .. }, Target::File { file, bytes, position }) => {
                let at = at.unwrap_or(position);
                let content = content[..answer as usize].to_vec();
                let grows = at + content.len() as u64 > bytes;
                self.events.push(Event::Write { file, at, content, grows });
            }
            (Call::Length { bytes, .. }, Target::File { file, .. }) => {
                self.events.push(Event::Length { file, bytes: *bytes });
            }
            (Call::Sync { .. }, Target::File { file, .. }) => self.note_sync(file),
            (Call::Sync { .. }, Target::Folder(path)) if has(Vice::OutgoingTold) && is_fetched_from(&path) => {
                self.held_back.push(Event::SyncFolder { path });
            }
            (Call::Sync { .. }, Target::Folder(path)) if has(Vice::OutgoingFolders) && path.starts_with("sent") => {}
            (Call::Sync { .. }, Target::Folder(path)) if !has(Vice::FolderSync) => {
                if self.store_named_at == Some(0) {
                    self.store_named_at = Some(self.calls);
                }
                self.events.push(Event::SyncFolder { path });
            }
            (Call::Rename { .. }, Target::Names(from, to)) => {
                if let Some(file) = self.names.remove(&from) {
                    self.names.insert(to.clone(), file);
                }
                if to == Path::new("store") {
                    self.store_named_at = Some(0);
                }
                self.note_name(&to.clone(), Event::Rename { from, to });
            }
            (Call::Link { .. }, Target::Names(from, to)) => {
                if let Some(&file) = self.names.get(&from) {
                    self.names.insert(to.clone(), file);
                }
                self.note_name(&to.clone(), Event::Link { from, to });
            }
            (Call::Remove { .. }, Target::Name(path)) => {
                self.names.remove(&path);
                self.events.push(Event::Remove { path });
            }
            (Call::MakeFolder { .. }, Target::Name(path)) => self.events.push(Event::MakeFolder { path }),
            _ => {}
        }
    }

    /// A file got a name: what a vice held back goes behind it.
    fn note_name(&mut self, name: &Path, event: Event) {
        let ends_waiting = !has(Vice::OutgoingTold) || name.extension().is_some_and(|end| end == "metadata");
        self.events.push(event);
        if ends_waiting {
            self.events.append(&mut self.held_back);
        }
    }

    fn note_sync(&mut self, file: FileId) {
        let name = self.names.iter().find(|(_, found)| **found == file).map(|(name, _)| name.as_path());
        let is_outgoing = name.is_some_and(|name| {
            (has(Vice::OutgoingTold) && is_fetched_from(name))
                || (has(Vice::OutgoingRenamed) && name.starts_with("sent"))
        });
        let name = name.map(Path::to_string_lossy).unwrap_or_default();
        let is_part = name.ends_with(".part") || name.ends_with(".new");
        let is_store = name.contains("store") && !is_part;
        self.syncs += u64::from(is_store);
        let is_left_out = (has(Vice::StoreSync) && is_store)
            || (has(Vice::FirstSync) && is_store && self.syncs == 1)
            || (has(Vice::LineSync) && name.ends_with(".jsonl"))
            || (has(Vice::PartSync) && is_part);
        if is_left_out {
            return;
        }
        let held_back = (has(Vice::RenameBeforeSync) && is_part) || is_outgoing;
        let events = if held_back { &mut self.held_back } else { &mut self.events };
        events.push(Event::Sync { file });
    }
}
