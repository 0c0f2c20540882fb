//! The first 4 KiB of a pack: what it is, how long, where the trailer stands, and a check over all of it. Drawn in
//! docs/format.md.

use crate::block::BLOCK_BYTES;
use crate::cipher::{Parameters, TAG_BYTES, Tag};
use crate::error::Error;
use crate::keys::Keys;

/// How a pack begins: no text, no line ends that a transfer could change unseen.
const MAGIC: [u8; 8] = *b"\x89PACK\r\n\x1a";

/// The version of the format that this crate writes. It reads [`OLDER_VERSION`], too.
pub(crate) const VERSION: u32 = 3;

/// A version in which tables of numbers have their first keys as tables of bytes have them.
const OLDER_VERSION: u32 = 2;

/// What byte 33 says of a pack whose blocks are encrypted; 0 says that they are not.
const ENCRYPTED: u8 = 1;

/// Where the tag of an encrypted trailer stands, and the parameters of the cipher.
const TRAILER_TAG: usize = 112;
const PARAMETERS: usize = 144;

/// Where the bytes begin that later versions may give a meaning; zeros here.
const RESERVED: usize = 272;

/// Where the header's own check stands, behind everything that it covers.
const CHECK: usize = BLOCK_BYTES - 4;

pub(crate) type HeaderBytes = [u8; BLOCK_BYTES];

/// What a pack says of itself; the caller's to fill in when writing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Description {
    /// The store whose rows these are.
    pub store: [u8; 16],
    /// All rows, or those that differ from a base.
    pub kind: Kind,
    /// The delivery as of which the rows are.
    pub delivery: u32,
    /// The version of what the rows mean; the caller's.
    pub rows_version: u32,
    /// A digest of the state that the rows say; the caller's, zeros for none.
    pub digest: [u8; 32],
}

/// Whether a pack is whole by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// It holds every row.
    Base,
    /// It holds the rows that differ from one base.
    Overlay {
        /// The delivery of the base.
        base_delivery: u32,
        /// The seal of the base.
        base_seal: Seal,
    },
}

/// The check of a pack's header, which covers the checks of all the rest: packs of other content have another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seal(pub u32);

/// What the header says, in the order of its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) description: Description,
    pub(crate) file_bytes: u64,
    pub(crate) trailer_at: u64,
    pub(crate) trailer_check: u32,
    pub(crate) tables: u32,
    /// None when the blocks stand in the clear.
    pub(crate) encryption: Option<Encryption>,
}

/// What the header of an encrypted pack says beside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encryption {
    pub(crate) parameters: Parameters,
    pub(crate) trailer_tag: Tag,
}

impl Header {
    /// The bytes to be written, and the seal in them.
    pub(crate) fn encode(&self) -> (HeaderBytes, Seal) {
        let mut bytes = [0; BLOCK_BYTES];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        let Description { store, kind, delivery, rows_version, digest } = self.description;
        put(0, &MAGIC);
        put(8, &self.version.to_le_bytes());
        put(12, &rows_version.to_le_bytes());
        put(16, &store);
        match kind {
            Kind::Base => put(32, &[1]),
            Kind::Overlay { base_delivery, base_seal } => {
                put(32, &[2]);
                put(40, &base_delivery.to_le_bytes());
                put(44, &base_seal.0.to_le_bytes());
            }
        }
        put(36, &delivery.to_le_bytes());
        put(48, &self.file_bytes.to_le_bytes());
        put(56, &self.trailer_at.to_le_bytes());
        put(64, &self.trailer_check.to_le_bytes());
        put(68, &self.tables.to_le_bytes());
        put(80, &digest);
        if let Some(Encryption { parameters, trailer_tag }) = &self.encryption {
            put(33, &[ENCRYPTED]);
            put(TRAILER_TAG, trailer_tag);
            put(PARAMETERS, parameters);
        }
        let check = crc32fast::hash(&bytes[..CHECK]);
        bytes[CHECK..].copy_from_slice(&check.to_le_bytes());
        (bytes, Seal(check))
    }

    /// Reads a header and compares the file's length with it.
    pub(crate) fn decode(bytes: &HeaderBytes, file_bytes: u64) -> Result<(Header, Seal), Error> {
        let four = |at: usize| u32_at(bytes, at);
        let eight = |at: usize| u64_at(bytes, at);
        if bytes[..8] != MAGIC {
            return Err(Error::NotAPack);
        }
        let version = four(8);
        if ![OLDER_VERSION, VERSION].contains(&version) {
            return Err(Error::Version { found: version, expected: VERSION });
        }
        if crc32fast::hash(&bytes[..CHECK]) != four(CHECK) {
            return Err(Error::damaged("the header does not have its check", 0));
        }
        let zeros = [34..36, 72..80, TRAILER_TAG + TAG_BYTES..PARAMETERS, RESERVED..CHECK];
        let is_plain = bytes[33] == 0;
        let is_known = if is_plain { is_zero(&bytes[TRAILER_TAG..RESERVED]) } else { bytes[33] == ENCRYPTED };
        if !is_known || zeros.into_iter().any(|zeros| !is_zero(&bytes[zeros])) {
            return Err(Error::Unknown { what: "a field of a later version" });
        }
        let kind = match bytes[32] {
            1 => Kind::Base,
            2 => Kind::Overlay { base_delivery: four(40), base_seal: Seal(four(44)) },
            _ => return Err(Error::Unknown { what: "a kind of pack" }),
        };
        let description = Description {
            store: part(bytes, 16),
            kind,
            delivery: four(36),
            rows_version: four(12),
            digest: part(bytes, 80),
        };
        let header = Header {
            version,
            description,
            file_bytes: eight(48),
            trailer_at: eight(56),
            trailer_check: four(64),
            tables: four(68),
            encryption: (!is_plain)
                .then(|| Encryption { parameters: part(bytes, PARAMETERS), trailer_tag: part(bytes, TRAILER_TAG) }),
        };
        if header.file_bytes != file_bytes {
            return Err(Error::Length { stated: header.file_bytes, found: file_bytes });
        }
        let trailer_at = header.trailer_at;
        if !trailer_at.is_multiple_of(BLOCK_BYTES as u64) || trailer_at < BLOCK_BYTES as u64 || trailer_at > file_bytes
        {
            return Err(Error::damaged("the trailer stands outside of the file", 56));
        }
        Ok((header, Seal(four(CHECK))))
    }
}

impl Header {
    /// What an encrypted trailer is authenticated with: the header without what follows from the trailer as it stands
    /// in the file.
    pub(crate) fn context(&self) -> HeaderBytes {
        let encryption = self.encryption.map(|encryption| Encryption { trailer_tag: [0; _], ..encryption });
        let (mut bytes, _) = Header { trailer_check: 0, encryption, ..*self }.encode();
        bytes[CHECK..].fill(0);
        bytes
    }

    /// Whether tables of such keys have a first key for each of their blocks.
    pub(crate) fn has_first_keys_of_blocks(&self, keys: Keys) -> bool {
        keys == Keys::Numbers && self.version > OLDER_VERSION
    }

    /// Bytes of the check of a block.
    pub(crate) fn check_bytes(&self) -> usize {
        if self.encryption.is_some() { TAG_BYTES } else { 4 }
    }

    /// Under which place the trailer is encrypted: that of the block behind the last one.
    pub(crate) fn trailer_place(&self) -> u64 {
        self.trailer_at / BLOCK_BYTES as u64
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// `N` bytes at a place that is known to be there.
pub(crate) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("N bytes were taken")
}

/// The number in four bytes, lowest first, at a place that is known to be there.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(part(bytes, at))
}

/// Likewise of eight bytes.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(part(bytes, at))
}
