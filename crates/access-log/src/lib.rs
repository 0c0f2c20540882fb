//! Who looked at whom, when and why: an append-only log in which every cut, changed or reordered line shows.
//!
//! A service hands each answered question to an [`AccessLog`] before its answer leaves; [`FileLog`] is the one
//! supplied. It writes JSON lines, a file a day, for their owner alone. Each line carries an HMAC over itself and the
//! line before; each file begins with the head of the one before. Persons stand in it as keyed pseudonyms. The key
//! ([`LogKey`]) lies elsewhere: whoever has the folder alone learns no number from it, and can change nothing unseen. A
//! [`Head`] that was told elsewhere proves that the end is whole; [`read_log`] checks all of it. The lines are drawn in
//! docs/access-log.md.
//!
//! The crate knows no store and no service. It reads the clock, for the time in its lines.
//!
//! ```
//! use std::sync::Arc;
//!
//! use access_log::{Asker, Caller, Durability, FileLog, LogKey, LogOptions, Mode, OnFailure, Question, read_log};
//! use cpr_model::Pnr;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let key = || LogKey::new([7; 32]);
//! let options =
//!     LogOptions { mode: Mode::Before(Durability::Written), on_failure: OnFailure::Refuse, most_persons: 100 };
//! let log = FileLog::open(folder.path(), key(), &options)?;
//! let asker = Arc::new(Asker { system: "school".into(), agreement: "4711".into(), purpose: "enrolment".into() });
//! let inquiry = Caller::new(&log, &asker).begin();
//! let pnr = Pnr::parse(b"6101801234").ok_or("ten digits")?;
//! inquiry.answered(|| Ok(Question { asked: vec![pnr], found: true, ..Question::about("SF1520", "PersonLookup") }))?;
//! log.close()?;
//! let read = read_log(folder.path(), &key(), &[], |_| {})?;
//! assert!(read.is_whole());
//! assert_eq!(read.answers, 1);
//! # Ok(()) }
//! ```

mod chain;
mod entry;
mod error;
mod file_log;
mod key;
mod line;
mod reader;
mod tail;

pub use entry::{AccessLog, Asker, Caller, Entry, Inquiry, Question};
pub use error::{NotLogged, OpenError};
pub use file_log::{Durability, FileLog, LogOptions, Mode, OnFailure, Tidied};
pub use key::{LogKey, Pseudonym};
pub use line::{Answered, Head, Line, Note, Said};
pub use reader::{Fault, LogCheck, check_day, read_log};

#[cfg(test)]
mod tests;
