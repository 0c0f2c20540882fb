//! The header before every stored value: schema, length, CRC32. Undecodable bytes are an error, never a wrong person.

use cpr_model::stored::v1::SCHEMA;
use rkyv::api::high::HighValidator;
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Failure;
use rkyv::util::AlignedVec;

use crate::error::Error;

/// Schema (u16), zero (u16), payload length (u32), CRC32 (u32) over row key and payload; all little-endian.
pub(crate) const HEADER: usize = 12;

/// Archives need this alignment; values are padded to a multiple of it, so that most stand right in their page.
const ALIGNMENT: usize = 4;

/// Appends nothing and allocates nothing but the buffer: header and payload of one row, ready to insert.
///
/// The row's key is part of the checksum, so a value that stands under another key does not open.
pub(crate) fn seal(row: u32, payload: &[u8], sealed: &mut Vec<u8>) {
    sealed.clear();
    sealed.extend(SCHEMA.to_le_bytes());
    sealed.extend([0; 2]);
    sealed.extend((payload.len() as u32).to_le_bytes());
    sealed.extend(checksum(row, payload).to_le_bytes());
    sealed.extend_from_slice(payload);
    while !sealed.len().is_multiple_of(ALIGNMENT) {
        sealed.push(0);
    }
}

/// The payload of a sealed value.
pub(crate) fn open<'a>(table: &'static str, row: u32, sealed: &'a [u8]) -> Result<&'a [u8], Error> {
    let corrupt = |what| Error::Corrupt { table, what };
    let (header, rest) = sealed.split_first_chunk::<HEADER>().ok_or(corrupt("shorter than its header"))?;
    let [s0, s1, _, _, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if u16::from_le_bytes([s0, s1]) != SCHEMA {
        return Err(corrupt("a schema this version does not know"));
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let payload = rest.get(..length).ok_or(corrupt("shorter than its header says"))?;
    if checksum(row, payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(corrupt("checksum"));
    }
    Ok(payload)
}

fn checksum(row: u32, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&row.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// An archive that can be read in place, or was copied because its bytes did not stand aligned.
pub(crate) fn is_aligned(payload: &[u8]) -> bool {
    payload.as_ptr().align_offset(ALIGNMENT) == 0
}

/// Checked access to an archive.
pub(crate) fn access<'a, T>(table: &'static str, payload: &'a [u8]) -> Result<&'a T, Error>
where
    T: rkyv::Portable + for<'v> CheckBytes<HighValidator<'v, Failure>>,
{
    rkyv::access::<T, Failure>(payload).map_err(|_| Error::Corrupt { table, what: "not an archive of its schema" })
}

/// Opens a sealed archive and hands it to `read`, copied first when it does not stand aligned.
pub(crate) fn with_archive<T, O>(
    table: &'static str,
    row: u32,
    sealed: &[u8],
    read: impl FnOnce(&T) -> O,
) -> Result<O, Error>
where
    T: rkyv::Portable + for<'v> CheckBytes<HighValidator<'v, Failure>>,
{
    let payload = open(table, row, sealed)?;
    if is_aligned(payload) {
        return access::<T>(table, payload).map(read);
    }
    let mut copy = AlignedVec::<ALIGNMENT>::with_capacity(payload.len());
    copy.extend_from_slice(payload);
    access::<T>(table, &copy).map(read)
}

/// The rkyv bytes of a value that cannot fail to serialize (plain structs and vectors).
pub(crate) fn archive(
    value: &impl for<'a> rkyv::Serialize<
        rkyv::api::high::HighSerializer<AlignedVec, rkyv::ser::allocator::ArenaHandle<'a>, rkyv::rancor::Error>,
    >,
) -> AlignedVec {
    rkyv::to_bytes::<rkyv::rancor::Error>(value).expect("plain structs and vectors serialize into memory")
}
