//! Reads a whole extract once and says whether it may be applied: complete, in order, every field sound.

use std::io::{self, Read, Seek, SeekFrom};

use crate::block::{Block, Helpers, Shown};
use crate::checked::{CheckOptions, Checked};
use crate::checker::Checker;
use crate::lines::Lines;
use crate::repeated::Comparison;
use crate::source::{Buffers, Checksums};

/// Reads the source from its start to its end, and checks everything that does not need the store. Persons who stand in
/// the file more than once take a second reading, in which their groups are compared.
///
/// Time is linear in the bytes. Memory is an index of 16 bytes for each 003 that stands behind the persons.
///
/// # Errors
/// Those of reading the source, `FileTooLarge` beyond 256 GiB, and `InvalidData` when it changes between two readings.
/// What is wrong with the extract stands in [`Checked::faults`].
///
/// ```
/// use std::io::Cursor;
///
/// use cpr_extract::{CheckOptions, Family, Reason, Waive, check};
///
/// let extract = "00000000000001234012026010520260102\n\
///                0016101801234          01000000000000 K\n\
///                0106101801234510019910320129\n\
///                999999999999900000002\n";
/// let family = Family::named("std").expect("a family");
/// let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 20, waive: Waive::default() };
/// let checked = check(Cursor::new(extract), options)?;
/// assert_eq!(checked.persons, 1);
/// let fault = checked.faults[0];
/// assert_eq!((fault.line, fault.record, fault.field), (3, Some(10), Some("HAENSTART-STATSBORGERSKAB")));
/// assert_eq!(fault.reason, Reason::NotATimestamp);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn check<R: Read + Seek>(source: R, options: CheckOptions<'_>) -> io::Result<Checked> {
    check_and_see(source, options, None::<fn(&[u8])>)
}

/// As [`check`], and has `see` see every byte of the file in its order, on a thread of its own when the file is not
/// small: for a digest, say. Where reading ends before its time, it has seen no more than was read.
///
/// # Errors
/// As [`check`].
pub fn check_seen<R: Read + Seek>(
    source: R,
    options: CheckOptions<'_>,
    see: impl FnMut(&[u8]) + Send,
) -> io::Result<Checked> {
    check_and_see(source, options, Some(see))
}

fn check_and_see<R: Read + Seek>(
    mut source: R,
    options: CheckOptions<'_>,
    see: Option<impl FnMut(&[u8]) + Send>,
) -> io::Result<Checked> {
    source.seek(SeekFrom::Start(0))?;
    let mut checker = Checker::new(options);
    let lines = Lines::new(&mut source, options.family, options.ignored, Checksums::Left(Buffers::default()));
    let read = std::thread::scope(|scope| read_through(lines, &mut checker, Helpers::new(scope, see)))?;
    checker.end_reading();
    let repeated = checker.take_repeated();
    if !repeated.is_empty() {
        let compared = Comparison::read(source, options.family, options.ignored, &read.checksums, &repeated)?;
        checker.compared(&repeated, &compared);
    }
    Ok(checker.finish(read.shown.lines, read.shown.bytes, read.trailer, read.checksums))
}

/// What the first reading leaves behind beside what the checker knows.
#[derive(Default)]
struct FirstReading {
    shown: Shown,
    trailer: Vec<u8>,
    checksums: Vec<u64>,
}

impl FirstReading {
    /// Shows a block to the checker, which wants to know more so far.
    fn show(&mut self, block: &Block, checker: &mut Checker<'_>) {
        self.checksums.extend(block.checksum);
        if !checker.has_ended() {
            self.shown = block.show(checker);
        }
    }
}

/// Blocks that are looked at while others are read.
const BLOCKS: usize = 8;

/// Reads lines to the end of the file, or of what the checker wants to know. What their fields hold is looked at beside
/// the reading, and the checker sees a block when some of those behind it have been read.
fn read_through<'scope, R: Read>(
    mut lines: Lines<'_, R>,
    checker: &mut Checker<'_>,
    mut helpers: Helpers<'scope, '_, impl FnMut(&[u8]) + Send + 'scope>,
) -> io::Result<FirstReading> {
    let mut read = FirstReading::default();
    let (mut block, mut spare) = (Block::default(), Vec::<Block>::new());
    block.begin(1);
    let mut failed = None;
    while !checker.has_ended() {
        lines.take_plain(|start, layout, length, end| block.push_record(start, layout, length, end));
        let found = lines.next_found().unwrap_or_else(|error| {
            failed = Some(error);
            None
        });
        // Lines before this one stand in buffers that were left behind.
        while let Some(buffer) = lines.source_mut().take_full() {
            block.buffer = buffer;
            let mut next = spare.pop().unwrap_or_default();
            next.begin(lines.line());
            helpers.give(std::mem::replace(&mut block, next));
            while let Some(mut done) = helpers.take(BLOCKS) {
                read.show(&done, checker);
                lines.source_mut().reuse(std::mem::take(&mut done.buffer.bytes));
                spare.push(done);
            }
        }
        let Some(found) = found else { break };
        block.push(found, lines.source_mut().start());
    }
    let end = Shown { lines: lines.line(), bytes: lines.offset() };
    let (source, trailer) = lines.into_source_and_trailer();
    block.buffer = source.into_last();
    helpers.finish(block).for_each(|done| read.show(&done, checker));
    if checker.has_ended() {
        return Ok(read);
    }
    (read.shown, read.trailer) = (end, trailer);
    failed.map_or(Ok(read), Err)
}
