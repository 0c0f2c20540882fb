//! The stored value of a person: the document, and behind it the past, each in a seal. This module alone knows how they
//! stand.
//!
//! The document is everything known now. The past is what happened to the person since the past before it was closed:
//! it grows with each change and, once it is [`FULL_BYTES`] long, is put away as a segment of its own
//! ([`crate::store::tables::SUPERSEDED`]), and a new one begun. An as-of read of the last few deliveries is therefore
//! one get.

use crate::error::Error;
use crate::person::stored::v2::{ArchivedDocument, ArchivedFactHeader, ArchivedPast};
use crate::store::guard::Guard;
use crate::store::sealed::{self, Held};
use crate::store::tables::{OPEN_SEGMENT, name};

/// A past that has grown to this many bytes is put away from the person's value, and a new one begun.
pub(crate) const FULL_BYTES: usize = 3 * 1024;

/// What is held of a person, validated.
#[derive(Clone, Copy, Default)]
pub(crate) struct StoredPerson<'a> {
    /// None for a person who is not held.
    pub(crate) document: Option<&'a ArchivedDocument>,
    /// The past that is still added to.
    pub(crate) past: Option<&'a ArchivedPast>,
    /// The value, and how much of it is the document in its seal.
    value: &'a [u8],
    document_bytes: usize,
}

impl<'a> StoredPerson<'a> {
    /// Opens and validates both sections; no bytes are nobody.
    pub(crate) fn open(key: u32, value: &'a [u8]) -> Result<StoredPerson<'a>, Error> {
        if value.is_empty() {
            return Ok(StoredPerson::default());
        }
        let (document, section) = open_document(key, value)?;
        let past = open_past(key, section)?;
        Ok(StoredPerson { document: Some(document), past, value, document_bytes: value.len() - section.len() })
    }

    /// The document in its seal, as it stands.
    pub(crate) fn sealed_document(&self) -> &'a [u8] {
        &self.value[..self.document_bytes]
    }

    /// The past when it is full: the delivery of its last entry, and its archive.
    pub(crate) fn full_past(&self, key: u32) -> Result<Option<(u32, &'a [u8])>, Error> {
        let section = &self.value[self.document_bytes..];
        match self.past {
            Some(past) if section.len() >= FULL_BYTES => {
                Ok(Some((past.last(), sealed::open(name::PERSONS, (key, OPEN_SEGMENT), section)?)))
            }
            _ => Ok(None),
        }
    }
}

/// Opens and validates the document at the front of a value; what stands behind it is returned too.
#[inline]
pub(crate) fn open_document(key: u32, value: &[u8]) -> Result<(&ArchivedDocument, &[u8]), Error> {
    let (payload, section) = sealed::open_first(name::PERSONS, (key, 0), value)?;
    let document = sealed::access::<ArchivedDocument>(name::PERSONS, payload)?;
    check_kinds(name::PERSONS, document.facts.iter())?;
    Ok((document, section))
}

/// A person's value for as long as what holds it is held, its document validated.
pub(crate) enum HeldPerson<'s> {
    /// In a page of the store, or in a block of a pack that is read from a file; `delivered` is what its document says.
    InPage { held: Held<'s>, delivered: u32 },
    /// In a pack that is mapped or in memory, where it stays as long as the snapshot.
    InPack { value: &'s [u8], document: &'s ArchivedDocument },
}

impl<'s> HeldPerson<'s> {
    /// Validates the document at the front of a value. The seal is opened but where a pack stands for the value, see
    /// [`Guard::checked_in_memory`].
    #[inline]
    pub(crate) fn open(key: u32, guard: Guard<'s, &'static [u8]>) -> Result<HeldPerson<'s>, Error> {
        match guard.checked_in_memory() {
            Some(value) if sealed::is_aligned(value) => {
                Ok(HeldPerson::InPack { value, document: document_of_pack(value)? })
            }
            _ => HeldPerson::open_sealed(key, guard),
        }
    }

    /// As [`HeldPerson::open`], and the seal is opened whatever stands for the value.
    #[inline]
    pub(crate) fn open_sealed(key: u32, guard: Guard<'s, &'static [u8]>) -> Result<HeldPerson<'s>, Error> {
        // Validated before it is moved: a guard is large, and moving it twice costs as much as the archive check.
        let value = guard.value();
        if sealed::is_aligned(value) {
            let delivered = open_document(key, value)?.0.delivered.to_native();
            return Ok(HeldPerson::InPage { held: Held::InPlace(guard), delivered });
        }
        let copy = sealed::aligned(value);
        let delivered = open_document(key, &copy)?.0.delivered.to_native();
        Ok(HeldPerson::InPage { held: Held::Copied(copy), delivered })
    }

    /// Both sections in their seals.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            HeldPerson::InPage { held, .. } => held.bytes(),
            HeldPerson::InPack { value, .. } => value,
        }
    }

    /// What the document says of its last delivery.
    #[inline]
    pub(crate) fn delivered(&self) -> u32 {
        match self {
            HeldPerson::InPage { delivered, .. } => *delivered,
            HeldPerson::InPack { document, .. } => document.delivered.to_native(),
        }
    }

    /// The document.
    #[inline]
    pub(crate) fn document(&self) -> &ArchivedDocument {
        match self {
            HeldPerson::InPage { held, .. } => sealed::reopen(held.bytes()),
            HeldPerson::InPack { document, .. } => document,
        }
    }
}

/// Validates the document at the front of a value that a pack has compared with its check.
#[inline]
fn document_of_pack(value: &[u8]) -> Result<&ArchivedDocument, Error> {
    let document = sealed::access::<ArchivedDocument>(name::PERSONS, sealed::first(name::PERSONS, value)?)?;
    check_kinds(name::PERSONS, document.facts.iter())?;
    Ok(document)
}

/// Opens and validates the past behind a document; none when it is empty.
pub(crate) fn open_past(key: u32, section: &[u8]) -> Result<Option<&ArchivedPast>, Error> {
    if section.is_empty() {
        return Ok(None);
    }
    let (payload, after) = sealed::open_first(name::PERSONS, (key, OPEN_SEGMENT), section)?;
    if !after.is_empty() {
        return Err(Error::Corrupt { table: name::PERSONS, what: "more than two sections" });
    }
    access_past(name::PERSONS, payload).map(Some)
}

/// Opens and validates a past that was put away.
fn open_segment(row: (u32, u32), value: &[u8]) -> Result<&ArchivedPast, Error> {
    access_past(name::SUPERSEDED, sealed::open(name::SUPERSEDED, row, value)?)
}

fn access_past<'a>(table: &'static str, payload: &'a [u8]) -> Result<&'a ArchivedPast, Error> {
    let past = sealed::access::<ArchivedPast>(table, payload)?;
    check_kinds(table, past.facts.iter().map(|past| &past.fact))?;
    Ok(past)
}

/// That every fact is about something: whoever reads them need not ask again.
#[inline]
fn check_kinds<'a>(table: &'static str, facts: impl Iterator<Item = &'a ArchivedFactHeader>) -> Result<(), Error> {
    // Without a branch for each: they are sound but in a damaged store.
    match facts.fold(true, |sound, fact| sound & fact.has_aspect()) {
        true => Ok(()),
        false => Err(Error::Corrupt { table, what: "a fact of no aspect" }),
    }
}

/// The archive of the document at the front of a value.
pub(crate) fn document_archive(key: u32, value: &[u8]) -> Result<&[u8], Error> {
    Ok(sealed::open_first(name::PERSONS, (key, 0), value)?.0)
}

/// Seals the archive of a document.
pub(crate) fn seal_document(key: u32, archive: &[u8], sealed: &mut Vec<u8>) {
    sealed::seal((key, 0), archive, sealed);
}

/// Adds the archive of a past behind a sealed document.
pub(crate) fn seal_past(key: u32, archive: &[u8], sealed: &mut Vec<u8>) {
    sealed::seal_second((key, OPEN_SEGMENT), archive, sealed);
}

/// Seals a past that is put away; `last` is the delivery of its last entry.
pub(crate) fn seal_segment(key: u32, last: u32, archive: &[u8], sealed: &mut Vec<u8>) {
    sealed::seal((key, last), archive, sealed);
}

/// The past of a value both of whose sections were opened before.
pub(crate) fn past_again(value: &[u8]) -> Option<&ArchivedPast> {
    let section = sealed::after_first(value);
    (!section.is_empty()).then(|| sealed::reopen(section))
}

/// A past that was put away: one stored row, validated.
pub(crate) struct PastSegment<'s> {
    held: Held<'s>,
}

impl<'s> PastSegment<'s> {
    pub(crate) fn open(row: (u32, u32), guard: Guard<'s, &'static [u8]>) -> Result<PastSegment<'s>, Error> {
        let held = Held::new(guard);
        open_segment(row, held.bytes())?;
        Ok(PastSegment { held })
    }

    pub(crate) fn archived(&self) -> &ArchivedPast {
        sealed::reopen(self.held.bytes())
    }
}

/// The first document in any bytes, copied where it does not stand aligned, for a look that keeps nothing.
pub(crate) fn with_document<O>(key: u32, value: &[u8], read: impl FnOnce(&ArchivedDocument) -> O) -> Result<O, Error> {
    if sealed::is_aligned(value) {
        return open_document(key, value).map(|(document, _)| read(document));
    }
    open_document(key, &sealed::aligned(value)).map(|(document, _)| read(document))
}
