//! Reads a whole extract once and says whether it may be applied: complete, in order, every field sound.

use std::io::{self, Read, Seek, SeekFrom};

use crate::checked::{CheckOptions, Checked};
use crate::checker::Checker;
use crate::lines::{Item, records};
use crate::repeated::Comparison;

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
pub fn check<R: Read + Seek>(mut source: R, options: CheckOptions<'_>) -> io::Result<Checked> {
    source.seek(SeekFrom::Start(0))?;
    let mut checker = Checker::new(options);
    let mut lines = records(&mut source, options.family, options.ignored);
    while !checker.has_ended() {
        let before = (lines.line() + 1, lines.offset());
        match lines.next_item()? {
            None => break,
            Some(Item::Record(record)) => checker.record(&record),
            Some(Item::Fault(fault, bytes)) => checker.misfit(fault, bytes),
            Some(Item::Ignored(number, _)) => checker.ignored(number, before),
        }
    }
    let (line, offset) = (lines.line(), lines.offset());
    let (trailer, checksums) = lines.into_trailer_and_checksums();
    checker.end_reading();
    let repeated = checker.take_repeated();
    if !repeated.is_empty() {
        let compared = Comparison::read(source, options.family, options.ignored, &checksums, &repeated)?;
        checker.compared(&repeated, &compared);
    }
    Ok(checker.finish(line, offset, trailer, checksums))
}
