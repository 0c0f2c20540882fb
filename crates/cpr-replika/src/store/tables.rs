//! Every table, named after its layout's version. docs/format.md draws the bytes.

use redb::{MultimapTableDefinition, TableDefinition};

/// The store format that this version reads and writes. Format 1 was replaced before anything was released with it.
pub(crate) const FORMAT: u32 = 2;

/// Persons as known now. Key: [`cpr_model::PersonKey`]. Value: two sealed sections end to end,
/// `cpr_model::stored::v2::Person` and, once something has happened to the person, `cpr_model::stored::v2::Past`: an
/// as-of read finds both with one get. The second section is sealed as row (person, [`OPEN`]).
pub(crate) const PERSONS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons/v2");

/// The past of persons to whom much has happened: what the second section of [`PERSONS`] held when it was full.
///
/// Key: person, and the delivery of its last entry. A scan from (person, k + 1), and then the section, reads all that was
/// still believed as of delivery k. Value: sealed `cpr_model::stored::v2::Past`.
pub(crate) const SUPERSEDED: TableDefinition<(u32, u32), &[u8]> = TableDefinition::new("superseded/v2");

/// The second half of the row under which the past that is still added to is sealed.
pub(crate) const OPEN: u32 = u32::MAX;

/// Who has ever mentioned a number in 001 PNRGAELD or in 022. Key: the number mentioned. Value: the person whose record
/// does. The chain itself is read from the records, as of any delivery; this is the way back.
pub(crate) const NUMBERS: MultimapTableDefinition<u32, u32> = MultimapTableDefinition::new("numbers/v1");

/// Whom a delivery changed. Key: delivery. Value: sealed roaring bitmap of person keys.
pub(crate) const CHANGED: TableDefinition<u32, &[u8]> = TableDefinition::new("changed/v1");

/// Secondary indexes as known now. Key: kind, value, year of the persons' numbers (see `crate::index`). Value: sealed
/// roaring bitmap of person keys, or for a street house numbers and person keys.
pub(crate) const SETS: TableDefinition<(u8, u32, u16), &[u8]> = TableDefinition::new("sets/v1");

/// Words of names as known now. Key: folded word, and which sixteen years of numbers. Value: sealed list of person keys, each
/// with where in the names the word stands (see `crate::index::words`).
pub(crate) const WORDS: TableDefinition<(&[u8], u8), &[u8]> = TableDefinition::new("words/v1");

/// Streets that ever bore a name. Key: a folded word of the name, the folded name. Value: sealed list of municipality and street
/// codes, ascending.
pub(crate) const STREET_NAMES: TableDefinition<(&[u8], &[u8]), &[u8]> = TableDefinition::new("street_names/v1");

/// Streets that ever had residents under a postal code. Key: postal code. Value: as in [`STREET_NAMES`].
pub(crate) const POSTAL_STREETS: TableDefinition<u16, &[u8]> = TableDefinition::new("postal_streets/v1");

/// Whom a delivery brought an event of a change code. Key: delivery, code. Value: sealed roaring bitmap of person keys.
pub(crate) const CHANGED_BY: TableDefinition<(u32, &[u8]), &[u8]> = TableDefinition::new("changed_by/v1");

/// Whom a delivery brought without a change. Key: delivery. Value: sealed roaring bitmap of person keys.
pub(crate) const REDELIVERED: TableDefinition<u32, &[u8]> = TableDefinition::new("redelivered/v1");

/// Subscribers. Key: name. Value: number, and the flags of the profile.
pub(crate) const SUBSCRIBERS: TableDefinition<&str, (u32, u8)> = TableDefinition::new("subscribers/v1");

/// What subscribers follow, ever. Key: number of the subscriber, `cpr_subscription::Filter::to_bytes`. Value: pairs of u32,
/// little-endian: the filter counts for the deliveries behind the first, up to the second (all ones: still).
pub(crate) const FILTERS: TableDefinition<(u32, &[u8]), &[u8]> = TableDefinition::new("filters/v1");

/// Who filters on a number now. Key: person. Value: number of a subscriber.
pub(crate) const FOLLOWERS: MultimapTableDefinition<u32, u32> = MultimapTableDefinition::new("followers/v1");

/// Whom a delivery has for a subscriber, by its profile and filters then. Key: delivery, number of the subscriber. Value:
/// sealed roaring bitmap of person keys; no row is nobody.
pub(crate) const MATCHES: TableDefinition<(u32, u32), &[u8]> = TableDefinition::new("matches/v1");

/// The files a subscriber was given. Key: number of the subscriber, delivery. Value: the previous production date that the
/// start record of the file says, digits YYYYMMDD.
pub(crate) const STREAMS: TableDefinition<(u32, u32), u32> = TableDefinition::new("streams/v1");

/// The ledger. Key: delivery. Value: sealed `stored::v1::Delivery`.
pub(crate) const DELIVERIES: TableDefinition<u32, &[u8]> = TableDefinition::new("deliveries/v1");

/// Which delivery a file was. Key: SHA-256 of the file. Value: delivery.
pub(crate) const DIGESTS: TableDefinition<&[u8; 32], u32> = TableDefinition::new("digests/v1");

/// How far each reader of the feed of events has come. Key: its name. Value: sealed delivery, person's place, event's place.
/// Absent until the first is added.
pub(crate) const CONSUMERS: TableDefinition<&str, &[u8]> = TableDefinition::new("consumers/v1");

/// Format and configuration, as text, and the secret of event ids.
pub(crate) const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
