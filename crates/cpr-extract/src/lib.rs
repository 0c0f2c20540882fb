//! CPR's extract files (udtræk): bytes in, typed records out, and back byte for byte.
//!
//! An extract is ISO 8859-1 text, one fixed-width record per line; the first three bytes name the record, and what
//! they mean is decided by the [`Family`] of the product. Layouts are data (`layouts/records.csv`): a new product is
//! new rows.
//!
//! The crate opens no file and never looks at the clock. It reads from anything that can be read and sought (a file best
//! as a `PlacedFile`), in memory that does not grow with the file, but for an index of the 003 records, which CPR puts
//! after all persons:
//!
//! 1. [`records`] gives every record, or the located [`Fault`] of a line; the caller goes on or stops.
//! 2. [`check`] reads a whole extract once and says whether it is complete and fits: header, counts, faults, index.
//! 3. [`Groups`] reads it again, person by person, each with the 003 that stands far behind.
//! 4. [`RecordLayout::render`] turns packed values into the line they came from, and [`ExtractWriter`] writes whole
//!    files.
//!
//! No bytes make it panic, and no error ever says what a field held.

mod block;
mod check;
mod checked;
mod checker;
mod column;
mod family;
mod fault;
mod find_family;
mod foreign;
mod found;
mod groups;
mod index;
mod lines;
#[cfg(unix)]
mod placed_file;
mod record;
mod record_number;
mod repeated;
#[cfg(feature = "serde")]
mod serialize;
mod source;
mod style;
mod template;
mod writer;

pub use check::{check, check_seen};
pub use checked::{CheckOptions, Checked, Header, InputError, Waive};
pub use column::{Column, Format};
pub use family::{Family, RecordLayout, Role};
pub use fault::{Fault, Reason};
pub use find_family::{FIRST_LINES, find_family, fits_family};
pub use groups::{Group, Groups, LineWidth};
pub use lines::{Item, Records, records};
#[cfg(unix)]
pub use placed_file::PlacedFile;
pub use record::Record;
pub use record_number::RecordNumber;
pub use source::Changed;
pub use style::{Line, LineEnd, Padding, Style};
pub use writer::{ComposeError, ExtractWriter, end_counter};

#[cfg(test)]
mod tests;
