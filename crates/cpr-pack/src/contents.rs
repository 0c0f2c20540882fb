//! What an open pack holds in memory: its index, and the way to its rows.

use std::ops::Range;
use std::sync::Arc;

use crate::asked::Asked;
use crate::block::BLOCK_BYTES;
use crate::cipher::CipherSource;
use crate::error::Error;
use crate::first_keys::FirstKeys;
use crate::header::{Description, Header, Seal, part};
use crate::keys::Keys;
use crate::lines_in_file::LinesInFile;
use crate::memory::Memory;
use crate::sealed::Sealed;
use crate::space::{Bytes, Checks, Space, TrailerBytes};
use crate::trailer::{NO_START, TableEntry, Trailer};

/// Header and trailer of a pack, checked, and its space of blocks.
pub(crate) struct Contents {
    pub(crate) description: Description,
    pub(crate) seal: Seal,
    pub(crate) is_encrypted: bool,
    pub(crate) space: Space,
    /// Where in the trailer the first row of each block is named.
    starts: Range<usize>,
    pub(crate) parts: Vec<Part>,
}

/// What an open pack holds of a table.
pub(crate) struct Part {
    pub(crate) entry: TableEntry,
    pub(crate) first_keys: FirstKeys,
    /// The hash section, where the pack itself is not in memory.
    pub(crate) lines: Option<LinesInFile>,
    /// How often lines were asked for that are still to be read from the disk.
    pub(crate) asked: Asked,
}

/// How a pack is opened.
#[derive(Clone, Copy)]
pub(crate) enum Opening<'o> {
    Plain(Checks),
    Sealed { ciphers: &'o dyn CipherSource, cache_bytes: usize },
}

impl Contents {
    /// Checks header and trailer. That takes the longer the more blocks there are, some 6 bytes each; hash sections,
    /// which are larger, are left for when they are asked.
    pub(crate) fn of(bytes: Bytes, opening: Opening<'_>) -> Result<Contents, Error> {
        let length = bytes.length()?;
        if length < BLOCK_BYTES as u64 {
            return Err(Error::NotAPack);
        }
        let header = bytes.copy(0..BLOCK_BYTES as u64)?;
        let (header, seal) = Header::decode(&part(header.bytes(), 0), length)?;
        let trailer = TrailerBytes::of(&bytes, header.trailer_at..length)?;
        if crc32fast::hash(trailer.bytes(&bytes)) != header.trailer_check {
            return Err(Error::damaged("the trailer does not have its check", header.trailer_at));
        }
        let mut description = header.description;
        let (space, Trailer { tables, starts, .. }) = match (opening, header.encryption) {
            (Opening::Plain(when), None) => {
                let decoded = Trailer::decode(trailer.bytes(&bytes), 0, &header)?;
                (Space::new(bytes, trailer, decoded.checks.clone(), when), decoded)
            }
            (Opening::Plain(_), Some(_)) => return Err(Error::Encrypted),
            (Opening::Sealed { .. }, None) => return Err(Error::NotEncrypted),
            (Opening::Sealed { ciphers, cache_bytes }, Some(encryption)) => {
                let cipher = ciphers.cipher(&description.store, &encryption.parameters).map_err(Error::Cipher)?;
                let mut trailer = trailer.bytes(&bytes).to_vec();
                if !cipher.open(header.trailer_place(), &header.context(), &mut trailer, &encryption.trailer_tag) {
                    return Err(Error::damaged("the trailer is not what was encrypted", header.trailer_at));
                }
                let Some(digest) = trailer.first_chunk() else {
                    return Err(Error::damaged("the trailer contradicts itself", header.trailer_at));
                };
                description.digest = *digest;
                let decoded = Trailer::decode(&trailer, digest.len(), &header)?;
                let trailer = Arc::new(Memory::of(trailer));
                let sealed = Sealed::new(cipher, Arc::clone(&trailer), decoded.checks.clone(), cache_bytes);
                (Space::sealed(bytes, TrailerBytes::Own(trailer), sealed)?, decoded)
            }
        };
        let parts = tables.into_iter().map(|(entry, first_keys)| {
            space.bytes().will_ask(entry.lines_range());
            let lines = (!space.is_whole()).then(|| LinesInFile::new(entry.lines_range()));
            let asked = Asked::of(space.bytes(), &entry, &first_keys);
            Part { entry, first_keys, lines, asked }
        });
        let parts = parts.collect();
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

    /// Where the first row of a block starts, in units of eight bytes; none where no row does, and behind the blocks.
    pub(crate) fn first_row_of(&self, block: u64) -> Option<u16> {
        let starts = self.space.trailer().get(self.starts.clone())?;
        let at = usize::try_from(block).ok()?.checked_sub(1)?.checked_mul(2)?;
        let start = u16::from_le_bytes(*starts.get(at..)?.first_chunk()?);
        (start != NO_START).then_some(start)
    }
}
