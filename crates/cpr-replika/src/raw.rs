//! The stored values of a store as bytes, for benchmarks that hand them to other stores and for fuzzers that change
//! them; and the engine without the checks of blocks, to measure what they cost.
//!
//! Behind the feature `raw`. docs/format.md draws the values; nothing here checks them.

use std::path::Path;

use redb::ReadableTable;

use crate::error::Error;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::file::{Opened, Options};
use crate::store::tables::PERSONS;

/// Hands on every person's key and stored value, in key order.
///
/// # Errors
/// As [`crate::Replika::open`].
pub fn for_each_person(store: impl AsRef<Path>, mut visit: impl FnMut(u32, &[u8])) -> Result<(), Error> {
    let opened = Opened::open_read_only(store.as_ref(), &Options::default())?;
    let read = opened.begin_read()?;
    for row in read.open_table(PERSONS)?.iter()? {
        let (key, value) = row?;
        visit(key.value(), value.value());
    }
    Ok(())
}

/// Replaces the stored value of one person.
///
/// # Errors
/// As [`crate::Replika::open`].
pub fn write_person(store: impl AsRef<Path>, key: u32, value: &[u8]) -> Result<(), Error> {
    let opened = Opened::open(store.as_ref(), &Options::default())?;
    let write = opened.begin_write()?;
    write.open_table(PERSONS)?.insert(key, value)?;
    write.commit()?;
    Ok(())
}

/// A store whose file is the storage engine's own: no block of it has a check, and no other call opens it. It is for
/// measuring what the checks cost, and for nothing else: damage is served.
///
/// # Errors
/// As [`Replika::open_or_create`].
pub fn open_or_create_without_checks(
    path: impl AsRef<Path>,
    config: &Config,
    options: &Options,
) -> Result<Replika, Error> {
    Replika::open_or_initialize(Opened::without_checks(path.as_ref(), options)?, &config.settled()?)
}
