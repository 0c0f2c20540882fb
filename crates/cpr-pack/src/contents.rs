//! What an open pack holds in memory: its index, and the way to its rows.

use crate::block::BLOCK_BYTES;
use crate::cipher::{CipherSource, TAG_BYTES};
use crate::error::Error;
use crate::header::{Description, Header, Seal, part, u32_at};
use crate::keys::Keys;
use crate::memory::Memory;
use crate::sealed::Sealed;
use crate::space::{Bytes, Checks, Space};
use crate::trailer::{FirstKeys, TableEntry, Trailer};

/// Header and trailer of a pack, checked, and its space of blocks.
pub(crate) struct Contents {
    pub(crate) description: Description,
    pub(crate) seal: Seal,
    pub(crate) is_encrypted: bool,
    pub(crate) space: Space,
    /// For each block, where its first row starts, in units of eight bytes.
    pub(crate) starts: Vec<u16>,
    pub(crate) parts: Vec<Part>,
}

/// What an open pack holds of a table.
pub(crate) struct Part {
    pub(crate) entry: TableEntry,
    pub(crate) first_keys: FirstKeys,
    /// The hash section, where the pack itself is not in memory.
    pub(crate) lines: Option<Memory>,
}

/// How a pack is opened.
#[derive(Clone, Copy)]
pub(crate) enum Opening<'o> {
    Plain(Checks),
    Sealed { ciphers: &'o dyn CipherSource, cache_bytes: usize },
}

impl Contents {
    /// Checks header and trailer; of a file it reads the hash sections too.
    pub(crate) fn of(bytes: Bytes, opening: Opening<'_>) -> Result<Contents, Error> {
        let length = bytes.length()?;
        if length < BLOCK_BYTES as u64 {
            return Err(Error::NotAPack);
        }
        let header = bytes.copy(0..BLOCK_BYTES as u64)?;
        let (header, seal) = Header::decode(&part(header.bytes(), 0), length)?;
        bytes.populate(header.trailer_at..length);
        let trailer = bytes.copy(header.trailer_at..length)?;
        if crc32fast::hash(trailer.bytes()) != header.trailer_check {
            return Err(Error::damaged("the trailer does not have its check", header.trailer_at));
        }
        let mut description = header.description;
        let (space, Trailer { tables, starts, .. }) = match (opening, header.encryption) {
            (Opening::Plain(when), None) => {
                let trailer = Trailer::decode(trailer.bytes(), &header)?;
                (Space::new(bytes, sums(&trailer.checks), when), trailer)
            }
            (Opening::Plain(_), Some(_)) => return Err(Error::Encrypted),
            (Opening::Sealed { .. }, None) => return Err(Error::NotEncrypted),
            (Opening::Sealed { ciphers, cache_bytes }, Some(encryption)) => {
                let cipher = ciphers.cipher(&description.store, &encryption.parameters).map_err(Error::Cipher)?;
                let mut trailer = trailer.into_vec();
                if !cipher.open(header.trailer_place(), &header.context(), &mut trailer, &encryption.trailer_tag) {
                    return Err(Error::damaged("the trailer is not what was encrypted", header.trailer_at));
                }
                let Some((digest, trailer)) = trailer.split_first_chunk() else {
                    return Err(Error::damaged("the trailer contradicts itself", header.trailer_at));
                };
                description.digest = *digest;
                let trailer = Trailer::decode(trailer, &header)?;
                let tags = trailer.checks.as_chunks::<TAG_BYTES>().0.to_vec();
                (Space::sealed(bytes, Sealed::new(cipher, tags, cache_bytes))?, trailer)
            }
        };
        let parts = tables.into_iter().map(|(entry, first_keys)| {
            let lines = entry.lines_range();
            space.bytes().populate(lines.clone());
            let lines = if space.is_whole() { None } else { Some(space.read_index(lines)?) };
            Ok(Part { entry, first_keys, lines })
        });
        let parts = parts.collect::<Result<_, Error>>()?;
        Ok(Contents { description, seal, is_encrypted: header.encryption.is_some(), space, starts, parts })
    }

    /// Where among the tables one stands.
    pub(crate) fn place_of(&self, name: &str, keys: Keys) -> Result<Option<usize>, Error> {
        let place = self.parts.iter().position(|part| part.entry.name == name);
        match place.map(|place| self.parts[place].entry.keys).filter(|found| *found != keys) {
            Some(found) => Err(Error::OtherKeys { asked: keys, found }),
            None => Ok(place),
        }
    }
}

fn sums(checks: &[u8]) -> Vec<u32> {
    checks.chunks_exact(4).map(|bytes| u32_at(bytes, 0)).collect()
}
