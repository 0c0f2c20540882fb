//! Writes a pack in one pass: tables in the order of their names, rows in the order of their keys.
//!
//! It holds a buffer of 2 MiB, 6 bytes for each block of 4 KiB, the first keys, and of a table with numbers two to six
//! bytes a row, from which the hash section is made when the table ends. At ten million rows of 500 bytes these are some
//! 45 MB beside the hash section of 107 MB.

use std::io::{Seek, SeekFrom, Write};
use std::mem;
use std::path::Path;
use std::sync::Arc;

use crate::block::BLOCK_BYTES;
use crate::cipher::BlockCipher;
use crate::error::Error;
use crate::first_keys::NewFirstKeys;
use crate::hash::{Lines, Places, can_be_placed};
use crate::header::{Description, Encryption, Header, Kind, Seal, VERSION};
use crate::keys::{Key, Keys, RawKey};
use crate::new_file::NewFile;
use crate::row::{Head, UNIT_BYTES};
use crate::trailer::{MAX_NAME_BYTES, NO_START, TableEntry};

/// Bytes that are written at once, from a multiple of as many on: what Linux (from 6.16 on with ext4, sooner with XFS)
/// then keeps in memory as one page, which a map of the file takes one entry of the processor's tables for.
const BUFFER_BYTES: u64 = 2 << 20;

/// Writes one pack. See the [crate's example](crate).
///
/// After an error the pack cannot be finished; drop the writer.
pub struct Writer<S> {
    blocks: Blocks<S>,
    description: Description,
    tables: Vec<TableEntry>,
    first_keys: Vec<u8>,
    table: Option<OpenTable>,
    failed: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Summary {
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows in all tables, with those that say that a row of the base is gone.
    pub rows: u64,
    /// The pack's seal, by which an overlay names its base.
    pub seal: Seal,
}

/// The table that rows are added to.
struct OpenTable {
    entry: TableEntry,
    last_key: Vec<u8>,
    first_keys: NewFirstKeys,
    places: Places,
}

impl Writer<NewFile> {
    /// Begins a pack that will stand at `path`, in a folder that is there. Nothing is seen there until
    /// [`publish`](Writer::publish); dropping the writer removes what was written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn create(path: &Path, description: &Description) -> Result<Self, Error> {
        Writer::new(NewFile::create(path)?, description)
    }

    /// As [`create`](Writer::create), of an encrypted pack: each block is encrypted before it is written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn create_sealed(path: &Path, description: &Description, cipher: Arc<dyn BlockCipher>) -> Result<Self, Error> {
        Writer::new_sealed(NewFile::create(path)?, description, cipher)
    }

    /// Ends the pack, synchronises it, makes it readable by its owner alone and writable by nobody, and puts it under
    /// its name; what stood there is replaced at once, and stays readable by whoever has it open.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; what stood there stands there still, unless only the folder could not be synchronised.
    pub fn publish(self) -> Result<Summary, Error> {
        let (file, summary) = self.finish()?;
        file.publish()?;
        Ok(summary)
    }
}

impl<S: Write + Seek> Writer<S> {
    /// Begins a pack at the start of `sink`, which should be empty.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn new(sink: S, description: &Description) -> Result<Self, Error> {
        Writer::begin(sink, description, None)
    }

    /// Begins an encrypted pack at the start of `sink`, which should be empty.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn new_sealed(sink: S, description: &Description, cipher: Arc<dyn BlockCipher>) -> Result<Self, Error> {
        Writer::begin(sink, description, Some(cipher))
    }

    fn begin(sink: S, description: &Description, cipher: Option<Arc<dyn BlockCipher>>) -> Result<Self, Error> {
        let (buffer, checks, starts) = Default::default();
        let mut blocks = Blocks { sink, cipher, buffer, at: BLOCK_BYTES as u64, checks, written: 0, starts };
        // The header's place: its bytes are known at the end.
        blocks.sink.write_all(&[0; BLOCK_BYTES]).map_err(Error::io("writing a pack"))?;
        let (tables, first_keys) = (Vec::new(), Vec::new());
        Ok(Writer { blocks, description: *description, tables, first_keys, table: None, failed: false })
    }

    /// Says what digest of the state the header gives, where it was not known when the pack was begun.
    pub fn set_digest(&mut self, digest: [u8; 32]) {
        self.description.digest = digest;
    }

    /// Begins the next table, and ends the one before. Tables come in the order of their names.
    ///
    /// # Errors
    ///
    /// [`Error::Unwritable`] for a name out of order, an empty one or one of more than 63 bytes; [`Error::Io`].
    pub fn table(&mut self, name: &str, keys: Keys) -> Result<(), Error> {
        self.guarded(|writer| {
            writer.end_table()?;
            if name.is_empty() || name.len() > MAX_NAME_BYTES {
                return Err(Error::Unwritable { why: "the name of a table has 1 to 63 bytes" });
            }
            if writer.tables.last().is_some_and(|last| *last.name >= *name) {
                return Err(Error::Unwritable { why: "tables come in the order of their names" });
            }
            let entry = TableEntry {
                name: name.to_owned(),
                keys,
                rows: 0,
                gone: 0,
                rows_at: writer.blocks.at,
                rows_bytes: 0,
                lines_at: 0,
                lines: 0,
                seed: 0,
                first_keys_bytes: 0,
            };
            let (last_key, first_keys, places) = (Vec::new(), NewFirstKeys::new(keys), Places::default());
            writer.table = Some(OpenTable { entry, last_key, first_keys, places });
            Ok(())
        })
    }

    /// Adds the next row of the table.
    ///
    /// # Errors
    ///
    /// [`Error::Order`] for a key that is not greater than the one before; [`Error::OtherKeys`] for one of the other
    /// kind; [`Error::Unwritable`] before the first table, for a key of more than 65 535 bytes, a value of 4 GiB, or
    /// more than 32 GiB of rows in one table; [`Error::Io`].
    pub fn row<'k>(&mut self, key: impl Into<Key<'k>>, value: &[u8]) -> Result<(), Error> {
        let key = key.into();
        self.guarded(|writer| writer.push(key, Some(value)))
    }

    /// Says that the base has a row that is gone. Its key takes its place among the rows.
    ///
    /// # Errors
    ///
    /// As [`row`](Writer::row), and [`Error::Unwritable`] when this is a base.
    pub fn gone<'k>(&mut self, key: impl Into<Key<'k>>) -> Result<(), Error> {
        let key = key.into();
        self.guarded(|writer| match writer.description.kind {
            Kind::Base => Err(Error::Unwritable { why: "nothing is gone in a base" }),
            Kind::Overlay { .. } => writer.push(key, None),
        })
    }

    /// Ends the pack and gives the sink back.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Unwritable`] after an earlier error.
    pub fn finish(mut self) -> Result<(S, Summary), Error> {
        self.guarded(Self::end_table)?;
        self.guarded(|writer| writer.blocks.write())?;
        let Writer { blocks, tables, first_keys, mut description, .. } = self;
        let Blocks { mut sink, cipher, at, checks, written, mut starts, .. } = blocks;
        starts.resize(written as usize, NO_START);
        let mut trailer = Vec::new();
        if cipher.is_some() {
            trailer.extend_from_slice(&mem::take(&mut description.digest));
        }
        trailer.extend(tables.iter().flat_map(TableEntry::encode));
        trailer.extend_from_slice(&checks);
        trailer.extend(starts.iter().flat_map(|start| start.to_le_bytes()));
        trailer.extend_from_slice(&first_keys);
        let parameters = cipher.as_ref().map(|cipher| cipher.parameters());
        let mut header = Header {
            version: VERSION,
            description,
            file_bytes: at + trailer.len() as u64,
            trailer_at: at,
            trailer_check: 0,
            tables: tables.len() as u32,
            encryption: parameters.map(|parameters| Encryption { parameters, trailer_tag: [0; _] }),
        };
        if let Some(cipher) = &cipher {
            let sealed = cipher.seal(header.trailer_place(), &header.context(), &mut trailer);
            let trailer_tag = sealed.map_err(Error::Cipher)?;
            header.encryption = parameters.map(|parameters| Encryption { parameters, trailer_tag });
        }
        header.trailer_check = crc32fast::hash(&trailer);
        let (bytes, seal) = header.encode();
        let written = sink.write_all(&trailer).and_then(|()| sink.seek(SeekFrom::Start(0)));
        written
            .and_then(|_| sink.write_all(&bytes))
            .and_then(|()| sink.flush())
            .map_err(Error::io("writing a pack"))?;
        let rows = tables.iter().map(|table| table.rows).sum();
        Ok((sink, Summary { bytes: header.file_bytes, rows, seal }))
    }

    /// Refuses everything after an error: what was written then is no pack.
    fn guarded(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if mem::replace(&mut self.failed, true) {
            return Err(Error::Unwritable { why: "an earlier error has ended it" });
        }
        act(self)?;
        self.failed = false;
        Ok(())
    }

    fn push(&mut self, key: Key<'_>, value: Option<&[u8]>) -> Result<(), Error> {
        let Writer { blocks, table, .. } = self;
        let Some(OpenTable { entry, last_key, first_keys, places }) = table else {
            return Err(Error::Unwritable { why: "a row stands in a table" });
        };
        if key.keys() != entry.keys {
            return Err(Error::OtherKeys { asked: key.keys(), found: entry.keys });
        }
        let raw = RawKey::of(key);
        if entry.rows > 0 && raw.bytes() <= &last_key[..] {
            return Err(Error::Order { table: entry.name.clone(), row: entry.rows });
        }
        let head = Head::of(raw, value.map(<[u8]>::len));
        let head = head.ok_or(Error::Unwritable { why: "a key of more than 65 535 bytes, or a value of 4 GiB" })?;
        let offset = blocks.at - entry.rows_at;
        if !can_be_placed(offset + head.row_bytes()) {
            return Err(Error::Unwritable { why: "more than 32 GiB of rows in one table" });
        }
        first_keys.push(offset, raw);
        if let Key::Number(number) = key {
            places.push(number, (offset / UNIT_BYTES) as u32);
        }
        blocks.start_row();
        let start = head.encode(raw);
        let key = if let RawKey::Bytes(key) = raw { key } else { &[] };
        let (before, after) = (&[0; 8][..head.zeros_before_value()], &[0; 8][..head.zeros_after_value()]);
        let parts = [&start[..], key, before, value.unwrap_or_default(), after];
        parts.iter().try_for_each(|part| blocks.append(part))?;
        if head.has_check() {
            let mut check = crc32fast::Hasher::new();
            parts.iter().for_each(|part| check.update(part));
            blocks.append(&check.finalize().to_le_bytes())?;
        }
        entry.rows += 1;
        entry.gone += u64::from(value.is_none());
        last_key.clear();
        last_key.extend_from_slice(raw.bytes());
        Ok(())
    }

    /// Writes the hash section of the table, and notes what is where.
    fn end_table(&mut self) -> Result<(), Error> {
        let Some(OpenTable { mut entry, first_keys, places, .. }) = self.table.take() else { return Ok(()) };
        entry.rows_bytes = self.blocks.at - entry.rows_at;
        let first_keys = first_keys.finish(entry.rows_bytes);
        entry.first_keys_bytes = first_keys.len() as u64;
        self.first_keys.extend(first_keys);
        self.blocks.end_block()?;
        entry.lines_at = self.blocks.at;
        if entry.keys == Keys::Numbers {
            let lines = Lines::of(&places).ok_or(Error::Unwritable { why: "too many rows in one table" })?;
            drop(places);
            (entry.lines, entry.seed) = (lines.count(), lines.seed);
            lines.bytes().try_for_each(|line| self.blocks.append(&line))?;
            self.blocks.end_block()?;
        }
        self.tables.push(entry);
        Ok(())
    }
}

/// The blocks so far, all but the last ones written, with what the trailer says of each.
struct Blocks<S> {
    sink: S,
    cipher: Option<Arc<dyn BlockCipher>>,
    buffer: Vec<u8>,
    /// Where the next byte goes.
    at: u64,
    /// The checks of the blocks that are written, as they stand in the trailer.
    checks: Vec<u8>,
    written: u64,
    starts: Vec<u16>,
}

impl<S: Write> Blocks<S> {
    /// Notes that a row starts here.
    fn start_row(&mut self) {
        let block = (self.at / BLOCK_BYTES as u64 - 1) as usize;
        if self.starts.len() <= block {
            self.starts.resize(block, NO_START);
            self.starts.push((self.at % BLOCK_BYTES as u64 / UNIT_BYTES) as u16);
        }
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while bytes.len() as u64 >= self.room() {
            let (now, later) = bytes.split_at(self.room() as usize);
            self.buffer.extend_from_slice(now);
            self.at += now.len() as u64;
            self.write()?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes there are to where the next write ends.
    fn room(&self) -> u64 {
        BUFFER_BYTES - self.at % BUFFER_BYTES
    }

    /// Fills the block with zeros.
    fn end_block(&mut self) -> Result<(), Error> {
        let zeros = self.at.next_multiple_of(BLOCK_BYTES as u64) - self.at;
        self.append(&[0; BLOCK_BYTES][..zeros as usize])
    }

    /// Writes the blocks of the buffer, all of them whole.
    fn write(&mut self) -> Result<(), Error> {
        for block in self.buffer.chunks_exact_mut(BLOCK_BYTES) {
            self.written += 1;
            match &self.cipher {
                None => self.checks.extend(crc32fast::hash(block).to_le_bytes()),
                Some(cipher) => self.checks.extend(cipher.seal(self.written, &[], block).map_err(Error::Cipher)?),
            }
        }
        self.sink.write_all(&self.buffer).map_err(Error::io("writing a pack"))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Says what it is, not what it holds.
impl<S> std::fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("description", &self.description).finish_non_exhaustive()
    }
}
