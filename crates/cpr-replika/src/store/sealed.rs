//! The header before every stored value: schema, length, CRC32. Undecodable bytes are an error, never a wrong person.

use rkyv::api::low::LowValidator;
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Failure;
use rkyv::util::AlignedVec;

use crate::error::Error;
use crate::store::guard::Guard;

/// The schema of sealed values, in every header.
const SCHEMA: u16 = 2;

/// Schema (u16), sections that follow (u16), payload length (u32), CRC32 (u32) over row key and payload; all
/// little-endian.
pub(crate) const HEADER: usize = 12;

/// Archives need this alignment; values are padded to a multiple of it, so that most stand right in their page.
pub(crate) const ALIGNMENT: usize = 4;

/// Header and payload of one row, ready to insert, in a buffer that is reused.
///
/// The row's key is part of the checksum, so a value that stands under another key does not open.
pub(crate) fn seal(row: Row, payload: &[u8], sealed: &mut Vec<u8>) {
    sealed.clear();
    seal_section(row, payload, sealed);
}

/// Adds a second section to a sealed value, whose header says so from now on.
pub(crate) fn seal_second(row: Row, payload: &[u8], sealed: &mut Vec<u8>) {
    sealed[2..4].copy_from_slice(&1u16.to_le_bytes());
    seal_section(row, payload, sealed);
}

fn seal_section(row: Row, payload: &[u8], sealed: &mut Vec<u8>) {
    sealed.extend(SCHEMA.to_le_bytes());
    sealed.extend([0; 2]);
    let length = u32::try_from(payload.len()).expect("a row of less than 4 GiB");
    sealed.extend(length.to_le_bytes());
    sealed.extend(checksum(row, payload).to_le_bytes());
    sealed.extend_from_slice(payload);
    while !sealed.len().is_multiple_of(ALIGNMENT) {
        sealed.push(0);
    }
}

/// The payload of a sealed value.
#[inline]
pub(crate) fn open<'a>(table: &'static str, row: Row, sealed: &'a [u8]) -> Result<&'a [u8], Error> {
    open_first(table, row, sealed).map(|(payload, _)| payload)
}

/// The payload of the first of several sealed sections that stand end to end, and the sections after it.
#[inline]
pub(crate) fn open_first<'a>(table: &'static str, row: Row, sealed: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
    let section = Section::parse(table, sealed)?;
    if checksum(row, section.payload) != section.checksum {
        return Err(Error::Corrupt { table, what: "checksum" });
    }
    // The header is not part of the checksum: a section that is gone, or bytes that are none, must not pass for another
    // value.
    if section.is_last != section.after.is_empty() {
        return Err(Error::Corrupt { table, what: "not the sections that its header says" });
    }
    Ok((section.payload, section.after))
}

/// The payload of the first section of a value that was compared with another check already.
#[inline]
pub(crate) fn first<'a>(table: &'static str, sealed: &'a [u8]) -> Result<&'a [u8], Error> {
    Ok(Section::parse(table, sealed)?.payload)
}

/// A section as it stands at the front of sealed bytes.
struct Section<'a> {
    payload: &'a [u8],
    checksum: u32,
    is_last: bool,
    after: &'a [u8],
}

impl<'a> Section<'a> {
    #[inline]
    fn parse(table: &'static str, sealed: &'a [u8]) -> Result<Section<'a>, Error> {
        let corrupt = |what| Error::Corrupt { table, what };
        let (header, rest) = sealed.split_first_chunk::<HEADER>().ok_or_else(|| corrupt("shorter than its header"))?;
        let [s0, s1, f0, f1, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
        if u16::from_le_bytes([s0, s1]) != SCHEMA {
            return Err(corrupt("a schema this version does not know"));
        }
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let shorter = || corrupt("shorter than its header says");
        let payload = rest.get(..length).ok_or_else(shorter)?;
        let after = rest.get(length.next_multiple_of(ALIGNMENT)..).ok_or_else(shorter)?;
        let is_last = u16::from_le_bytes([f0, f1]) == 0;
        Ok(Section { payload, checksum: u32::from_le_bytes([c0, c1, c2, c3]), is_last, after })
    }
}

/// That a person's value, of one or two sections, has its seals.
pub(crate) fn check_sections(table: &'static str, rows: [Row; 2], sealed: &[u8]) -> Result<(), Error> {
    let (_, second) = open_first(table, rows[0], sealed)?;
    match second.is_empty() {
        true => Ok(()),
        false => open(table, rows[1], second).map(drop),
    }
}

/// The key of a row, or its first two parts: part of the checksum.
pub(crate) type Row = (u32, u32);

/// The row's key is where the checksum starts from, so that equal payloads of two persons never have equal checksums.
#[inline]
fn checksum((first, second): Row, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(first ^ second.wrapping_mul(0x9E37_79B1));
    crc.update(payload);
    crc.finalize()
}

/// True when an archive can be read where it stands; else it must be copied first.
#[inline]
pub(crate) fn is_aligned(payload: &[u8]) -> bool {
    payload.as_ptr().align_offset(ALIGNMENT) == 0
}

/// An aligned copy.
#[cold]
pub(crate) fn aligned(bytes: &[u8]) -> AlignedVec<ALIGNMENT> {
    let mut copy = AlignedVec::with_capacity(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// A stored value for as long as its page is held; copied when it does not stand aligned in it.
pub(crate) enum Held<'s> {
    InPlace(Guard<'s, &'static [u8]>),
    Copied(AlignedVec<ALIGNMENT>),
}

impl<'s> Held<'s> {
    #[inline]
    pub(crate) fn new(guard: Guard<'s, &'static [u8]>) -> Held<'s> {
        if is_aligned(guard.value()) { Held::InPlace(guard) } else { Held::Copied(aligned(guard.value())) }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Held::InPlace(guard) => guard.value(),
            Held::Copied(copy) => copy,
        }
    }
}

/// The archive in the first section of a value that was opened and validated before.
#[inline]
pub(crate) fn reopen<T>(sealed: &[u8]) -> &T
where
    T: rkyv::Portable + for<'v> CheckBytes<LowValidator<'v, Failure>>,
{
    rkyv::api::low::access::<T, Failure>(&sealed[HEADER..HEADER + length(sealed)])
        .expect("the same bytes were validated before")
}

/// The sections after the first of a value that was opened before.
#[inline]
pub(crate) fn after_first(sealed: &[u8]) -> &[u8] {
    sealed.get((HEADER + length(sealed)).next_multiple_of(ALIGNMENT)..).unwrap_or_default()
}

/// The payload length that a header states; 0 when there is none.
#[inline]
fn length(sealed: &[u8]) -> usize {
    sealed.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize
}

/// Checked access to an archive.
#[inline]
pub(crate) fn access<'a, T>(table: &'static str, payload: &'a [u8]) -> Result<&'a T, Error>
where
    T: rkyv::Portable + for<'v> CheckBytes<LowValidator<'v, Failure>>,
{
    rkyv::api::low::access::<T, Failure>(payload)
        .map_err(|_| Error::Corrupt { table, what: "not an archive of its schema" })
}

/// Opens a sealed archive and hands it to `read`, copied first when it does not stand aligned.
pub(crate) fn with_archive<T, O>(
    table: &'static str,
    row: Row,
    sealed: &[u8],
    read: impl FnOnce(&T) -> O,
) -> Result<O, Error>
where
    T: rkyv::Portable + for<'v> CheckBytes<LowValidator<'v, Failure>>,
{
    let payload = open(table, row, sealed)?;
    if is_aligned(payload) {
        return access::<T>(table, payload).map(read);
    }
    access::<T>(table, &aligned(payload)).map(read)
}

/// Puts the rkyv bytes of a value that cannot fail to serialize (plain structs and vectors) into a buffer that is
/// reused.
pub(crate) fn archive(
    value: &impl for<'a> rkyv::Serialize<
        rkyv::api::high::HighSerializer<AlignedVec, rkyv::ser::allocator::ArenaHandle<'a>, Failure>,
    >,
    buffer: &mut AlignedVec,
) {
    buffer.clear();
    *buffer =
        rkyv::api::high::to_bytes_in(value, std::mem::take(buffer)).expect("memory takes plain structs and vectors");
}
