//! Which family of layouts a file is of, when nobody has said.

use std::io::{self, Read, Seek, SeekFrom};

use crate::family::Family;
use crate::foreign;
use crate::lines::{Item, records};

/// Finds the one family that every line fits, reading the source from its start for each candidate.
///
/// Only the first `lines` lines are looked at ([`FIRST_LINES`], or `u64::MAX` for all). What rules a family out stands
/// in the first lines of a file as a rule, and [`crate::check`] holds all lines against the one that is found; a
/// variant whose own records come later is found by looking at all. A variant is tried only where the family that it
/// extends does not fit. When no family fits, the answer is the one that the fewest lines misfit: [`crate::check`]
/// tells what is wrong with it.
///
/// # Errors
/// Those of the source; the inner error names the families that fit equally well.
///
/// ```
/// use std::io::Cursor;
/// use cpr_extract::{FIRST_LINES, find_family};
///
/// let extract = "00000000000001234012026010520260102\n\
///                0016101801234          01000000000000 K\n\
///                999999999999900000001\n";
/// let found = find_family(&mut Cursor::new(extract), &[], FIRST_LINES)?;
/// assert_eq!(found.map(|family| family.name), Ok("std"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn find_family<R: Read + Seek>(
    source: &mut R,
    ignored: &[u16],
    lines: u64,
) -> io::Result<Result<&'static Family, Vec<&'static str>>> {
    if is_empty_or_foreign(source)? {
        // It fits them all or none; any of them tells what it is.
        return Ok(Ok(&Family::all()[0]));
    }
    let mut fitting: Vec<&'static Family> = Vec::new();
    for family in Family::all() {
        let is_covered = fitting.iter().any(|other| family.is_variant_of(other));
        if !is_covered && misfits(source, family, ignored, lines, 1)? == 0 {
            fitting.push(family);
        }
    }
    if fitting.is_empty() {
        let mut closest = (u64::MAX, &Family::all()[0]);
        for family in Family::all() {
            let count = misfits(source, family, ignored, lines.min(FIRST_LINES), u64::MAX)?;
            if count < closest.0 {
                closest = (count, family);
            }
        }
        return Ok(Ok(closest.1));
    }
    Ok(match fitting.as_slice() {
        [one] => Ok(one),
        several => Err(several.iter().map(|family| family.name).collect()),
    })
}

/// True when every line of the source is a record of the family; an empty source is of none.
///
/// # Errors
/// Those of the source.
pub fn fits_family<R: Read + Seek>(source: &mut R, family: &'static Family, ignored: &[u16]) -> io::Result<bool> {
    Ok(source.seek(SeekFrom::End(0))? > 0 && misfits(source, family, ignored, u64::MAX, 1)? == 0)
}

/// Lines by which [`find_family`] tells the families apart as a rule.
pub const FIRST_LINES: u64 = 10_000;

fn is_empty_or_foreign<R: Read + Seek>(source: &mut R) -> io::Result<bool> {
    source.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    source.by_ref().take(foreign::LOOKED_AT).read_to_end(&mut first)?;
    Ok(first.is_empty() || foreign::format_of(&first).is_some())
}

/// How many of the first lines are no records of the family; counting stops at `enough`.
fn misfits<R: Read + Seek>(
    source: &mut R,
    family: &'static Family,
    ignored: &[u16],
    first_lines: u64,
    enough: u64,
) -> io::Result<u64> {
    source.seek(SeekFrom::Start(0))?;
    let mut lines = records(source, family, ignored);
    let mut count = 0;
    while count < enough
        && lines.line() < first_lines
        && let Some(item) = lines.next_item()?
    {
        count += u64::from(matches!(item, Item::Fault(..)));
    }
    Ok(count)
}
