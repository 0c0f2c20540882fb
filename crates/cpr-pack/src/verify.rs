//! Reads all of a pack and compares it: blocks with their checks, rows with the index.

use crate::contents::Contents;
use crate::error::Error;
use crate::header::Kind;
use crate::keys::Key;
use crate::row::UNIT_BYTES;
use crate::section::{Reader, Section};
use crate::space::BLOCK_BYTES;
use crate::trailer::STRIDE_BYTES;

/// What was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// Blocks of 4 KiB that have their check.
    pub blocks: u64,
    /// Rows that stand where the index says, with those that are gone.
    pub rows: u64,
}

pub(crate) fn verify(contents: &Contents) -> Result<Verified, Error> {
    let blocks = contents.space.verify()?;
    let mut rows = 0;
    for part in &contents.parts {
        verify_rows(Section { contents, part })?;
        rows += part.entry.rows;
    }
    Ok(Verified { blocks, rows })
}

/// Compares the rows of a table with its index.
fn verify_rows(section: Section<'_>) -> Result<(), Error> {
    let entry = &section.part.entry;
    let is_base = section.contents.description.kind == Kind::Base;
    let mut reader = Reader::new(section);
    let mut first_keys = section.part.first_keys.iter();
    let mut blocks = section.block_of(0)..section.block_of(entry.rows_bytes.next_multiple_of(BLOCK_BYTES as u64));
    let (mut at, mut rows, mut gone, mut stride_end) = (0, 0, 0, 0);
    let mut last_key: Option<Vec<u8>> = None;
    while at < entry.rows_bytes {
        let row = reader.row_at(at)?;
        let wrong = |what| section.damaged(what, at);
        if last_key.as_deref().is_some_and(|last| last >= row.key_bytes()) {
            return Err(wrong("rows are out of order"));
        }
        if row.is_gone() && is_base {
            return Err(wrong("a row of a base is gone"));
        }
        if at >= stride_end {
            if first_keys.next() != Some(((at / UNIT_BYTES) as u32, row.key_bytes())) {
                return Err(wrong("the first keys are those of other rows"));
            }
            stride_end = (at / STRIDE_BYTES + 1) * STRIDE_BYTES;
        }
        if blocks.start <= section.block_of(at) {
            let started = blocks.by_ref().find_map(|block| section.start_of(block).transpose()).transpose()?;
            if started != Some(at) {
                return Err(wrong("the trailer names another row as the first of its block"));
            }
        }
        if let Key::Number(number) = row.key()
            && section.find(number)?.map(u64::from) != Some(at / UNIT_BYTES)
        {
            return Err(wrong("the hash section does not lead to a row"));
        }
        (rows, gone) = (rows + 1, gone + u64::from(row.is_gone()));
        let last = last_key.get_or_insert_default();
        last.clear();
        last.extend_from_slice(row.key_bytes());
        at += row.row_bytes();
    }
    let more = first_keys.next().is_some() || blocks.any(|block| section.start_of(block).is_ok_and(|at| at.is_some()));
    if rows != entry.rows || gone != entry.gone || more {
        return Err(section.damaged("the trailer counts other rows", 0));
    }
    Ok(())
}
