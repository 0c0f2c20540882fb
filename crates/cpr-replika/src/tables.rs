//! Every table, named after its layout's version. docs/format.md draws the bytes.

use redb::{MultimapTableDefinition, TableDefinition};

/// The newest store format that this version reads and the one it writes.
pub(crate) const FORMAT: u32 = 1;

/// Persons as known now. Key: [`cpr_model::PersonKey`]. Value: sealed `cpr_model::stored::v1::Person`.
pub(crate) const PERSONS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons/v1");

/// What the register no longer states of a person, with the deliveries between which it did.
///
/// Key: person, and the delivery that ended the last entry; [`OPEN`] for the row that is still added to. A scan from
/// (person, k + 1) reads all that was still believed as of delivery k: mostly one row. Value: sealed
/// `cpr_model::stored::v1::Past`.
pub(crate) const SUPERSEDED: TableDefinition<(u32, u32), &[u8]> = TableDefinition::new("superseded/v1");

/// The second half of the key of a row of [`SUPERSEDED`] that is still added to.
pub(crate) const OPEN: u32 = u32::MAX;

/// Events (099, 900) as received. Key: person, delivery, running number. Value: sealed; record number, packed values.
pub(crate) const EVENTS: TableDefinition<(u32, u32, u16), &[u8]> = TableDefinition::new("events/v1");

/// Who has ever mentioned a number in 001 PNRGAELD or in 022. Key: the number mentioned. Value: the person whose record
/// does. The chain itself is read from the records, as of any delivery; this is the way back.
pub(crate) const NUMBERS: MultimapTableDefinition<u32, u32> = MultimapTableDefinition::new("numbers/v1");

/// Whom a delivery changed. Key: delivery. Value: sealed roaring bitmap of person keys.
pub(crate) const CHANGED: TableDefinition<u32, &[u8]> = TableDefinition::new("changed/v1");

/// The ledger. Key: delivery. Value: sealed `stored::v1::Delivery`.
pub(crate) const DELIVERIES: TableDefinition<u32, &[u8]> = TableDefinition::new("deliveries/v1");

/// Which delivery a file was. Key: SHA-256 of the file. Value: delivery.
pub(crate) const DIGESTS: TableDefinition<&[u8; 32], u32> = TableDefinition::new("digests/v1");

/// Format and configuration, as text.
pub(crate) const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
