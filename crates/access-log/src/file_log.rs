//! The supplied log: a folder of files, written *before* answers leave or *beside* them.
//!
//! *Before*: whoever asks waits for the line. Threads that come while another one writes are written by the next one
//! together (group commit), so a sync is shared by all who wait for it. *Beside*: the question is put into a queue of a
//! fixed length, which a thread of the log's own writes every ten milliseconds; the queue is lost when the process is
//! killed, and the log says how long it may have been.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use crate::chain::{Chain, Item, What};
use crate::entry::{AccessLog, Entry};
use crate::error::{NotLogged, OpenError};
use crate::key::LogKey;
use crate::line::{Head, Note};

/// How a log is written.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// Whether answers wait for their lines.
    pub mode: Mode,
    /// What happens when a line cannot be written.
    pub on_failure: OnFailure,
    /// So many persons of each kind (asked for, shown) are named in a line, 1000 at most; all are counted.
    pub most_persons: usize,
}

/// Whether answers wait for their lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// An answer leaves when its line is this durable.
    Before(Durability),
    /// Answers do not wait; so many lines at most are held back.
    Beside {
        /// How many.
        capacity: usize,
    },
}

/// How durable a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// The system has it: it outlives a kill of the process.
    Written,
    /// The disk has it: it outlives a power cut.
    Synced,
}

/// What happens when a line cannot be written: the disk is full, or the queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnFailure {
    /// The answer is refused.
    Refuse,
    /// The answer leaves; it is counted ([`FileLog::lost`]), and the log says so in its next line.
    GoOn,
}

/// What a tidying did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tidied {
    /// How many files were removed.
    pub files: u64,
}

/// A log in a folder. One process writes it at a time, with any number of threads.
#[derive(Debug)]
pub struct FileLog {
    shared: Arc<Shared>,
    /// The writer of mode *beside*.
    writer: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Debug)]
struct Shared {
    options: LogOptions,
    queue: Mutex<Queue>,
    /// The queue is half full, or the log is to be closed.
    urgent: Condvar,
    end: Mutex<End>,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    /// How many were ever taken in.
    taken_in: u64,
    /// How many the writer has taken out and not written yet.
    in_hand: usize,
    /// Answers that left without a line since the log last said so, and in all.
    untold: u64,
    lost: u64,
    is_closed: bool,
}

#[derive(Debug)]
struct End {
    chain: Chain,
    /// So many of those taken in are decided: written, refused or lost.
    decided: u64,
    /// Those that were refused and do not know it yet.
    refused: HashMap<u64, NotLogged>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileLog {
    /// Opens the log in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// [`OpenError`]; above all when another process writes it, or its end was changed.
    pub fn open(folder: &Path, key: LogKey, options: &LogOptions) -> Result<FileLog, OpenError> {
        let mut chain = Chain::open(folder, key, options.most_persons)?;
        if let Mode::Beside { capacity } = options.mode {
            let note = Note::Opened { capacity: capacity as u64 };
            chain.append(&mut VecDeque::from([Item::note(note)]), true)?;
        }
        let end = Mutex::new(End { chain, decided: 0, refused: HashMap::new() });
        let shared = Shared { options: *options, queue: Mutex::default(), urgent: Condvar::new(), end };
        let shared = Arc::new(shared);
        let of_writer = shared.clone();
        let writer = match options.mode {
            Mode::Before(_) => None,
            Mode::Beside { .. } => {
                let named = thread::Builder::new().name("access log".to_owned());
                Some(named.spawn(move || of_writer.write_beside())?)
            }
        };
        Ok(FileLog { shared, writer })
    }

    /// How far the log goes. Told elsewhere now and then, it proves later that nothing was cut off up to here.
    pub fn head(&self) -> Head {
        lock(&self.shared.end).chain.head()
    }

    /// So many answers left without a line since the log was opened.
    pub fn lost(&self) -> u64 {
        lock(&self.shared.queue).lost
    }

    /// Removes the files older than so many days; today's is always kept.
    ///
    /// # Errors
    /// When the log cannot be written, or a file not removed.
    pub fn tidy(&self, keep_days: u32) -> io::Result<Tidied> {
        let files = lock(&self.shared.end).chain.tidy(keep_days, SystemTime::now())?;
        Ok(Tidied { files })
    }

    /// Writes what is held back, and closes the log. Dropping it does the same and cannot tell whether it went well.
    ///
    /// # Errors
    /// When what was held back could not be written: [`FileLog::lost`] has counted it until here.
    pub fn close(mut self) -> io::Result<()> {
        self.finish()
    }

    /// Puts another file into the place of the open one, as if the disk had become another.
    #[cfg(test)]
    pub(crate) fn swap_file(&self, file: std::fs::File) -> std::fs::File {
        lock(&self.shared.end).chain.swap_file(file)
    }

    fn finish(&mut self) -> io::Result<()> {
        lock(&self.shared.queue).is_closed = true;
        self.shared.urgent.notify_all();
        match self.writer.take() {
            Some(writer) => writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer of the log panicked"))),
            None => self.shared.write_untold(),
        }
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        self.finish().ok();
    }
}

impl AccessLog for FileLog {
    fn record(&self, entry: Entry) -> Result<(), NotLogged> {
        let item = Item { at: SystemTime::now(), what: What::Entry(entry) };
        match self.shared.options.mode {
            Mode::Before(durability) => self.shared.record_before(item, durability),
            Mode::Beside { capacity } => self.shared.record_beside(item, capacity),
        }
    }
}

impl Shared {
    fn record_before(&self, item: Item, durability: Durability) -> Result<(), NotLogged> {
        let ticket = {
            let mut queue = lock(&self.queue);
            if queue.is_closed {
                return Err(NotLogged::Closed);
            }
            queue.items.push_back(item);
            queue.taken_in += 1;
            queue.taken_in
        };
        let mut end = lock(&self.end);
        if end.decided < ticket {
            self.write_group(&mut end, durability == Durability::Synced);
        }
        end.refused.remove(&ticket).map_or(Ok(()), Err)
    }

    /// Writes whatever waits, and decides it.
    fn write_group(&self, end: &mut End, synced: bool) {
        let (mut items, untold) = {
            let mut queue = lock(&self.queue);
            (std::mem::take(&mut queue.items), std::mem::take(&mut queue.untold))
        };
        let last = end.decided + items.len() as u64;
        let told = match untold {
            0 => Ok(()),
            count => end.chain.append(&mut VecDeque::from([Item::note(Note::Lost { count })]), synced),
        };
        if told.is_err() {
            lock(&self.queue).untold += untold;
        }
        if let Err(error) = told.and_then(|()| end.chain.append(&mut items, synced)) {
            // What was written has left the queue; the tickets of the rest are the last ones.
            let count = items.len() as u64;
            match self.options.on_failure {
                OnFailure::GoOn => lock(&self.queue).lose(count),
                OnFailure::Refuse => {
                    let why = NotLogged::Write(error.kind());
                    end.refused.extend((last - count + 1..=last).map(|ticket| (ticket, why)));
                }
            }
        }
        end.decided = last;
    }

    /// What left without a line and was not told yet, when the log is closed.
    fn write_untold(&self) -> io::Result<()> {
        let count = lock(&self.queue).untold;
        if count > 0 {
            let mut note = VecDeque::from([Item::note(Note::Lost { count })]);
            lock(&self.end).chain.append(&mut note, true)?;
            lock(&self.queue).untold -= count;
        }
        Ok(())
    }

    fn record_beside(&self, item: Item, capacity: usize) -> Result<(), NotLogged> {
        let mut queue = lock(&self.queue);
        if queue.is_closed {
            return Err(NotLogged::Closed);
        }
        let held = queue.items.len() + queue.in_hand;
        if held >= capacity {
            return match self.options.on_failure {
                OnFailure::Refuse => Err(NotLogged::Behind),
                OnFailure::GoOn => {
                    queue.lose(1);
                    Ok(())
                }
            };
        }
        queue.items.push_back(item);
        if queue.items.len() == capacity.div_ceil(2) {
            self.urgent.notify_one();
        }
        Ok(())
    }

    /// The thread of mode *beside*. What cannot be written is tried again until the log is closed.
    fn write_beside(&self) -> io::Result<()> {
        let mut items = VecDeque::new();
        loop {
            let is_closed = self.take_out(&mut items);
            let written = lock(&self.end).chain.append(&mut items, is_closed);
            let mut queue = lock(&self.queue);
            queue.in_hand = items.iter().filter(|item| matches!(item.what, What::Entry(_))).count();
            match written {
                Err(error) if is_closed => {
                    let rest = queue.in_hand as u64;
                    queue.lose(rest);
                    return Err(error);
                }
                // A disk that is full is not asked a hundred times a second.
                Err(_) => {
                    let wait = Duration::from_millis(200);
                    drop(self.urgent.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner));
                }
                Ok(()) if is_closed && queue.items.is_empty() && queue.untold == 0 => {
                    drop(queue);
                    let mut closed = VecDeque::from([Item::note(Note::Closed)]);
                    return lock(&self.end).chain.append(&mut closed, true);
                }
                Ok(()) => {}
            }
        }
    }

    /// Waits for items, and takes them out behind those that are left; true when the log is closed.
    fn take_out(&self, items: &mut VecDeque<Item>) -> bool {
        const PAUSE: Duration = Duration::from_millis(10);
        let mut queue = lock(&self.queue);
        if !queue.is_closed && items.is_empty() {
            queue = self.urgent.wait_timeout(queue, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.in_hand += queue.items.len();
        items.append(&mut queue.items);
        match std::mem::take(&mut queue.untold) {
            0 => {}
            count => items.push_back(Item::note(Note::Lost { count })),
        }
        queue.is_closed
    }
}

impl Queue {
    fn lose(&mut self, count: u64) {
        self.untold += count;
        self.lost += count;
    }
}
