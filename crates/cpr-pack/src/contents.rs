//! What an open pack holds in memory: its index, and the way to its rows.

use crate::error::Error;
use crate::header::{Description, Header, Seal, part};
use crate::keys::Keys;
use crate::memory::Memory;
use crate::space::{BLOCK_BYTES, Bytes, Checks, Space};
use crate::trailer::{FirstKeys, TableEntry, Trailer};

/// Header and trailer of a pack, checked, and its space of blocks.
pub(crate) struct Contents {
    pub(crate) description: Description,
    pub(crate) seal: Seal,
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

impl Contents {
    /// Checks header and trailer; of a file it reads the hash sections too.
    pub(crate) fn of(bytes: Bytes, when: Checks) -> Result<Contents, Error> {
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
        let Trailer { tables, checks, starts } = Trailer::decode(trailer.bytes(), &header)?;
        let space = Space::new(bytes, checks, when);
        let parts = tables.into_iter().map(|(entry, first_keys)| {
            let lines = entry.lines_range();
            space.bytes().populate(lines.clone());
            let lines = if space.is_whole() { None } else { Some(space.read_index(lines)?) };
            Ok(Part { entry, first_keys, lines })
        });
        let parts = parts.collect::<Result<_, Error>>()?;
        Ok(Contents { description: header.description, seal, space, starts, parts })
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
