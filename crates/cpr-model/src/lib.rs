//! What the register says, without knowing how a file spells it or where it is stored.
//!
//! A person is a list of *facts*; each fact is one record as CPR sent it, taken apart into [`Field`] values and packed
//! ([`Values`]), and belongs to one [`Aspect`] (address, name, civil status, …). The same packed form serves the
//! current and the historic record and every product of CPR, so one typed view per aspect ([`facts`]) reads them all.
//! Every value is kept as received beside its meaning: zero and partial dates, minute 99, blanks against zeros,
//! correction marks.
//!
//! Nothing here prints a number, a name or an address: `Debug` of every type that can hold one says only what it is.

mod aspect;
mod calendar;
mod change;
mod code;
mod current_rows;
mod derived_mark;
mod fact;
mod field;
mod fold;
mod parse;
mod pnr;
#[cfg(feature = "serde")]
mod serialize;
mod standard_address;
mod text;
mod time;
mod values;

pub mod facts;

pub use aspect::{Aspect, CorrectionMark};
pub use calendar::{Day, birthday, full_years, minutes_ahead_of_utc};
pub use change::{ChangeClass, Classified, Situation, classify};
pub use code::{CountryCode, MunicipalityCode, ProtectionKind, Status, StreetCode};
pub use current_rows::{CurrentRows, RowsBuffer};
pub use derived_mark::DerivedMark;
pub use fact::{Fact, OwnedFact, RowKind};
pub use field::{Field, Kind};
pub use fold::{Folder, folded_line, latin1_of};
pub use parse::ParseError;
pub use pnr::{PersonKey, Pnr, RelatedPnr};
pub use standard_address::StandardAddress;
pub use text::Text;
pub use time::{Date, Timestamp, Uncertain};
pub use values::{Value, Values, ValuesWriter};

#[cfg(test)]
mod test_rows;
#[cfg(test)]
mod tests;
