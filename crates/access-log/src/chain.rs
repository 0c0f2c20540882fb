//! The one writer of a folder: lines go to the file of their day, each chained to the line before.
//!
//! A write that fails leaves the log as it was: what a part of it left behind the last whole line is cut off, before
//! anything else is written. A file begins as a part and gets its name with its first line in it. When it is deleted while
//! it is open, no line is written any more.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use private_file::PartFile;

use crate::entry::Entry;
use crate::error::OpenError;
use crate::key::LogKey;
use crate::line::{self, Answered, Head, Note, Said};
use crate::tail::{RUN_BYTES, day_path, days, read_tail};

/// What is to become a line.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) at: SystemTime,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Entry(Entry),
    Note(Note),
}

impl Item {
    pub(crate) fn note(note: Note) -> Item {
        Item { at: SystemTime::now(), what: What::Note(note) }
    }
}

/// The open end of a log.
#[derive(Debug)]
pub(crate) struct Chain {
    folder: PathBuf,
    key: LogKey,
    most_persons: usize,
    /// Held for as long as the log is open.
    _lock: File,
    /// The file of the last day; none in a new log.
    open: Option<DayFile>,
    head: Head,
}

#[derive(Debug)]
struct DayFile {
    day: String,
    /// The moment from which lines belong to a later file.
    ends: SystemTime,
    file: File,
    /// So many bytes are whole lines.
    length: u64,
    /// True when there may be bytes behind them.
    is_torn: bool,
}

impl Chain {
    /// Opens the end of the log in a folder, which is made when it is not there.
    pub(crate) fn open(folder: &Path, key: LogKey, most_persons: usize) -> Result<Chain, OpenError> {
        private_file::make_own_folder(folder)?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::Locked,
            TryLockError::Error(error) => OpenError::Io(error),
        })?;
        // Whoever was killed may have begun a day, or removed one, and not have come to this.
        private_file::sync_folder_of(&path)?;
        let folder = folder.to_owned();
        let mut chain = Chain { folder, key, most_persons, _lock: lock, open: None, head: Head::NONE };
        if let Some(day) = days(&chain.folder)?.pop() {
            chain.open_end(day)?;
        }
        Ok(chain)
    }

    fn open_end(&mut self, day: String) -> Result<(), OpenError> {
        let mut file = OpenOptions::new().read(true).append(true).open(day_path(&self.folder, &day))?;
        let tail = read_tail(&mut file, &self.key)?.ok_or(OpenError::Broken)?;
        self.head = tail.head;
        let is_torn = tail.unfinished_bytes > 0;
        self.open = Some(DayFile { ends: end_of(&day), day, file, length: tail.whole_bytes, is_torn });
        if tail.unfinished_bytes > 0 {
            let bytes = tail.unfinished_bytes;
            self.append(&mut VecDeque::from([Item::note(Note::Repaired { bytes })]), true)?;
        }
        Ok(())
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Puts another file into the place of the open one.
    #[cfg(test)]
    pub(crate) fn swap_file(&mut self, file: File) -> File {
        std::mem::replace(&mut self.open.as_mut().expect("a file is open").file, file)
    }

    /// Writes items in their order, each leaving the queue when its line is written, or `synced`. What is left in the
    /// queue after an error is not in the log.
    pub(crate) fn append(&mut self, items: &mut VecDeque<Item>, synced: bool) -> io::Result<()> {
        while let Some(first) = items.front() {
            // A clock that went back makes no earlier file.
            if self.open.as_ref().is_none_or(|open| open.ends <= first.at) {
                self.begin_day(first.at)?;
            }
            self.append_run(items, synced)?;
        }
        Ok(())
    }

    /// A new file, which begins with the head of the one before.
    fn begin_day(&mut self, at: SystemTime) -> io::Result<()> {
        if let Some(before) = &mut self.open {
            before.cut_torn()?;
            before.file.sync_data()?;
        }
        let day = utc_day(at);
        let path = day_path(&self.folder, &day);
        let mut bytes = Vec::new();
        let begins = Said::Note(Note::Begins { day: day.clone(), previous: self.head });
        let head = line::write(&mut bytes, &self.key, &self.head, at, begins);
        let part = PartFile::create(&path)?;
        part.file().write_all(&bytes)?;
        part.publish()?;
        let file = OpenOptions::new().append(true).open(&path)?;
        self.open = Some(DayFile { ends: end_of(&day), day, file, length: bytes.len() as u64, is_torn: false });
        self.head = head;
        Ok(())
    }

    /// Writes the items at the front that belong to the open file.
    fn append_run(&mut self, items: &mut VecDeque<Item>, synced: bool) -> io::Result<()> {
        let Chain { key, most_persons, open, head, .. } = self;
        let open = open.as_mut().expect("the file of the day was opened");
        let (mut bytes, mut after, mut count) = (Vec::new(), *head, 0);
        for item in items.iter() {
            if bytes.len() >= RUN_BYTES || item.at >= open.ends {
                break;
            }
            let said = match &item.what {
                What::Entry(entry) => Said::Answered(Answered::from_entry(entry, key, *most_persons)),
                What::Note(note) => Said::Note(note.clone()),
            };
            after = line::write(&mut bytes, key, &after, item.at, said);
            count += 1;
        }
        open.append(&bytes, synced)?;
        *head = after;
        items.drain(..count);
        Ok(())
    }

    /// Removes the files whose days are before the last `keep_days` ones, counted back from `today`: how many they
    /// were. The log says so first, so that its checker knows them to be gone rightly.
    pub(crate) fn tidy(&mut self, keep_days: u32, now: SystemTime) -> io::Result<u64> {
        let first_kept = now - Duration::from_secs(u64::from(keep_days) * 86_400);
        let first_kept = utc_day(first_kept);
        // That of the last entry goes, too, unless what the log says now is written to it.
        let stays = self.open.as_ref().filter(|open| now < open.ends).map(|open| open.day.clone());
        // Days that a call before removed, and could not make durable.
        private_file::sync_folder_of(&day_path(&self.folder, &first_kept))?;
        let mut old = days(&self.folder)?;
        old.retain(|day| *day < first_kept && Some(day) != stays.as_ref());
        let Some(last_old) = old.last() else { return Ok(0) };
        let tail = read_tail(&mut File::open(day_path(&self.folder, last_old))?, &self.key)?;
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "the end of an old file was changed");
        let until = tail.ok_or_else(broken)?.head;
        let note = Note::Tidied { keep_days, files: old.len() as u64, until };
        self.append(&mut VecDeque::from([Item { at: now, what: What::Note(note) }]), true)?;
        for day in &old {
            let path = day_path(&self.folder, day);
            fs::remove_file(&path)?;
            // The oldest first, also behind a power cut: a file that is gone between others is a fault.
            private_file::sync_folder_of(&path)?;
        }
        Ok(old.len() as u64)
    }
}

impl DayFile {
    /// Cuts off what stands behind the last whole line.
    fn cut_torn(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// A file that was deleted takes no line any more: nobody would ever read it.
    fn check_in_place(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            if self.file.metadata()?.nlink() == 0 {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8], synced: bool) -> io::Result<()> {
        self.check_in_place()?;
        self.cut_torn()?;
        let sync = |file: &File| if synced { file.sync_data() } else { Ok(()) };
        match self.file.write_all(bytes).and_then(|()| sync(&self.file)) {
            Ok(()) => self.length += bytes.len() as u64,
            Err(error) => {
                self.is_torn = self.file.set_len(self.length).is_err();
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The first moment after a day in UTC.
fn end_of(day: &str) -> SystemTime {
    let day = day.parse::<Date>().and_then(|day| day.tomorrow()?.to_zoned(TimeZone::UTC));
    // A file that is named by no day takes everything, as one of a day that is still to come does.
    day.map_or(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40), |next| next.timestamp().into())
}

/// The day in UTC: `2026-11-25`.
fn utc_day(at: SystemTime) -> String {
    Timestamp::try_from(at).unwrap_or_default().to_zoned(TimeZone::UTC).date().to_string()
}
