//! Packs: frozen, checked files of sorted tables, for many readers. Bytes in, rows out.
//!
//! A pack holds the rows of some tables as of one delivery. A **base** holds all of them; an **overlay** holds what
//! differs from one base, and says which of its rows are gone. A pack is written once, by a [`Writer`], and never
//! changed: it is replaced by another one under the same name. So any number of processes can read it, without a lock.
//!
//! Four ways in give the same [`Pack`]:
//!
//! | | reads | memory | a get |
//! |---|---|---|---|
//! | [`Pack::map`] (`unsafe`) | through a memory map | shared with all other processes | two cache misses |
//! | [`Pack::read`] | the whole file, at once | the file's size | two cache misses |
//! | [`Pack::from_bytes`] | memory that is there already | none | two cache misses |
//! | [`Pack::open`] | what is asked for, and keeps the index of it | up to 2 % of the file | one read of a page |
//!
//! An encrypted pack is written by [`Writer::create_sealed`] and opened by [`Pack::open_sealed`] or
//! [`Pack::read_sealed`]; the cipher is the caller's ([`BlockCipher`]). It cannot be mapped.
//!
//! [`Pack::table`] and [`Packs::table`] (base and overlay as one) give a [`Table`]: [`Table::get`] by number or by
//! bytes, [`Table::get_many`], [`Table::range`] and [`Table::iter`] from both ends.
//!
//! ```
//! use std::io::Cursor;
//! use cpr_pack::{Checks, Description, Keys, Kind, Pack, Writer};
//!
//! # fn main() -> Result<(), cpr_pack::Error> {
//! let description = Description { store: [7; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };
//! let mut writer = Writer::new(Cursor::new(Vec::new()), &description)?;
//! writer.table("persons", Keys::Numbers)?;
//! writer.row(4, b"four")?;
//! writer.row(7, b"seven")?;
//! writer.table("words", Keys::Bytes)?;
//! writer.row(b"egon", b"\x04")?;
//! let (file, _) = writer.finish()?;
//!
//! let pack = Pack::from_bytes(file.into_inner(), Checks::AtFirstTouch)?;
//! let persons = pack.table("persons", Keys::Numbers)?;
//! assert_eq!(persons.get(7)?.as_deref(), Some(&b"seven"[..]));
//! assert_eq!(persons.get(5)?, None);
//! let words = pack.table("words", Keys::Bytes)?;
//! assert_eq!(words.range(&b"e"[..]..)?.count(), 1);
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! * **Any bytes are safe to read**: no panic, no hang, memory in line with the file. Everything that a header or a row
//!   says is compared with what is there. (Of a *mapped* file more must be promised by whoever maps it: see
//!   [`Pack::map`].)
//! * **Damage is an error, with its place, or has no effect.** Header and trailer are checked when a pack is opened;
//!   each block of 4 KiB when [`Checks`] says so. A check is a CRC32: it finds accidents, not forgeries.
//! * A pack is there whole or not at all: it is written under another name, synchronised, then renamed.
//! * No error and no `Debug` says what a key or a value is.
//!
//! What keys and values mean is the caller's; docs/format.md draws every byte. Files are private: only their owner may
//! read.

mod asked;
mod block;
mod cipher;
mod contents;
mod error;
mod first_keys;
mod hash;
mod header;
mod keys;
mod lines_in_file;
mod map;
mod memory;
mod new_file;
mod numbers;
mod pack;
mod packs;
mod range;
mod row;
mod sealed;
mod section;
mod space;
mod table;
mod trailer;
mod value;
mod verify;
mod writer;

pub use cipher::{BlockCipher, CipherSource, Parameters, TAG_BYTES, Tag};
pub use error::Error;
pub use header::{Description, Kind, Seal};
pub use keys::{Key, Keys};
pub use new_file::NewFile;
pub use pack::Pack;
pub use packs::{Packs, TablePlace};
pub use range::{Range, Row};
pub use space::Checks;
pub use table::{Table, TableSize};
pub use value::Value;
pub use verify::{Fault, Verified};
pub use writer::{Summary, Writer};

#[cfg(test)]
mod tests;
