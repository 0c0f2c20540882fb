//! Names of streets: which street codes ever bore a name, and which had residents under a postal code.
//!
//! CPR's road register is not part of the extracts, but 003 names the street and the postal code of each person's
//! address, and some records of address carry the street's name themselves. Both are kept per street, not per person:
//! what a delivery adds is the names that nobody had mentioned before. Nothing is taken away, so an earlier name of a
//! street still leads to it; who lives there now is asked of the index of streets. docs/format.md draws the bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;

use cpr_model::{Aspect, CurrentRows, Fact, Field, StandardAddress, Value, Values, folded_line};
use redb::{ReadableTable, WriteTransaction};
use rustc_hash::FxBuildHasher;

use crate::error::Error;
use crate::index::keys::street;
use crate::store::sealed;
use crate::store::tables::{POSTAL_STREETS, STREET_NAMES, name};

/// What one record says of its street.
#[derive(Clone, Copy, Default)]
struct StreetMention<'a> {
    municipality: Option<u16>,
    street: Option<u16>,
    postal_code: Option<u16>,
    name: &'a [u8],
    standard: &'a [u8],
}

impl<'a> StreetMention<'a> {
    fn read(values: Values<'a>) -> StreetMention<'a> {
        let mut mention = StreetMention::default();
        for (field, value) in values.iter() {
            match (field, value) {
                (Field::MunicipalityCode, Value::Number(code)) => mention.municipality = code,
                (Field::StreetCode, Value::Number(code)) => mention.street = code,
                (Field::PostalCode, Value::Number(code)) => mention.postal_code = code,
                (Field::StreetAddressingName | Field::StreetName, Value::Text(name)) => mention.name = name.latin1(),
                (Field::StandardAddressLine, Value::Text(line)) => mention.standard = line.latin1(),
                _ => {}
            }
        }
        mention
    }
}

/// Name and postal code.
type Named = (Box<[u8]>, u16);

/// The names and postal codes that a delivery tells of streets.
#[derive(Default)]
pub(crate) struct StreetNames {
    /// What was said of each street, as it stands in the records. Found by 64 bits of what it says, so that what most
    /// persons repeat costs one look.
    mentions: HashMap<(u32, u64), Named, FxBuildHasher>,
}

impl StreetNames {
    /// Collects what the rows of a person say after a delivery, unless all of them stood before and the same address
    /// was the current one: a row less may make another one current.
    pub(crate) fn change(&mut self, before: &CurrentRows<'_>, after: &CurrentRows<'_>) {
        if before.is_empty() {
            return self.add(after);
        }
        let held: HashSet<_, FxBuildHasher> =
            before.facts().iter().filter(|fact| is_of_address(fact)).map(Fact::line).collect();
        let mut rows = after.facts().iter().filter(|fact| is_of_address(fact));
        let [current_before, current_after] = [before, after].map(|rows| rows.row(Aspect::Address));
        let same_address = current_before.map(|fact| fact.line()) == current_after.map(|fact| fact.line());
        if !same_address || !rows.all(|row| held.contains(&row.line())) {
            self.add(after);
        }
    }

    /// Collects what the rows of a person say.
    pub(crate) fn add(&mut self, rows: &CurrentRows<'_>) {
        // The postal code is that of the current address, whatever street 003 names.
        let current = rows.last_known_address();
        for fact in rows.facts().iter().filter(|fact| is_of_address(fact)) {
            let formatted = fact.aspect() == Aspect::FormattedAddress;
            if !formatted && fact.values().get(Field::StreetName).is_none() {
                continue;
            }
            let mention = StreetMention::read(fact.values());
            self.collect(mention);
            // The standard address may spell the street's name in another way than the field that has but 20 characters
            // for it.
            let spelled = StandardAddress::parse(mention.standard).street;
            if spelled != mention.name {
                self.collect(StreetMention { name: spelled, ..mention });
            }
            if let Some(address) = current.filter(|_| formatted) {
                let municipality = address.municipality_code().map(|code| code.0);
                let street = address.street_code().map(|code| code.0);
                if (municipality, street) != (mention.municipality, mention.street) {
                    let postal_code = mention.postal_code;
                    self.collect(StreetMention { municipality, street, postal_code, ..StreetMention::default() });
                }
            }
        }
    }

    fn collect(&mut self, mention: StreetMention<'_>) {
        let (Some(municipality), Some(code)) = (mention.municipality, mention.street) else { return };
        if mention.name.is_empty() && mention.postal_code.is_none() {
            return;
        }
        let street = street(municipality, code);
        let postal_code = mention.postal_code.unwrap_or(0);
        let says = FxBuildHasher.hash_one((mention.name, postal_code));
        let new = || (mention.name.into(), postal_code);
        self.mentions.entry((street, says)).or_insert_with(new);
    }

    /// Adds what is new to the tables.
    pub(crate) fn write(self, write: &WriteTransaction) -> Result<(), Error> {
        let (names, postal) = self.expected();
        let (mut payload, mut sealed) = (Vec::new(), Vec::new());
        let mut seal = |row, streets: &BTreeSet<u32>, sealed: &mut Vec<u8>| {
            payload.clear();
            payload.extend(streets.iter().flat_map(|street| street.to_le_bytes()));
            sealed::seal(row, &payload, sealed);
        };
        let mut table = write.open_table(STREET_NAMES)?;
        for ((word, line), mut streets) in names {
            let key = (&*word, &*line);
            let held = table.get(key)?.map(|stored| name_row(key, stored.value())).transpose()?.unwrap_or_default();
            if streets.iter().all(|street| held.binary_search(street).is_ok()) {
                continue;
            }
            streets.extend(held);
            seal(name_sealing(key), &streets, &mut sealed);
            table.insert(key, sealed.as_slice())?;
        }
        let mut table = write.open_table(POSTAL_STREETS)?;
        for (code, mut streets) in postal {
            let held = table.get(code)?.map(|stored| postal_row(code, stored.value())).transpose()?.unwrap_or_default();
            if streets.iter().all(|street| held.binary_search(street).is_ok()) {
                continue;
            }
            streets.extend(held);
            seal((code.into(), 0), &streets, &mut sealed);
            table.insert(code, sealed.as_slice())?;
        }
        Ok(())
    }

    /// The rows that what was said calls for: streets by each word of a name and the whole name, and by postal code.
    pub(crate) fn expected(self) -> (ByName, BTreeMap<u16, BTreeSet<u32>>) {
        let (mut names, mut postal) = (ByName::new(), BTreeMap::<u16, BTreeSet<u32>>::new());
        for ((street, _), (name, code)) in self.mentions {
            let line = folded_line(&name);
            for word in line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
                names.entry((word.into(), line.as_slice().into())).or_default().insert(street);
            }
            if code != 0 {
                postal.entry(code).or_default().insert(street);
            }
        }
        (names, postal)
    }
}

/// Streets by word and whole folded name.
pub(crate) type ByName = BTreeMap<(Box<[u8]>, Box<[u8]>), BTreeSet<u32>>;

/// True for records that may name a street, or say where the postal code of one that does belongs.
pub(crate) fn is_of_address(fact: &Fact<'_>) -> bool {
    matches!(fact.aspect(), Aspect::FormattedAddress | Aspect::Address)
}

/// The streets of a row of names.
pub(crate) fn name_row(key: (&[u8], &[u8]), sealed: &[u8]) -> Result<Vec<u32>, Error> {
    streets(name::STREET_NAMES, sealed::open(name::STREET_NAMES, name_sealing(key), sealed)?)
}

/// The streets of a postal code.
pub(crate) fn postal_row(code: u16, sealed: &[u8]) -> Result<Vec<u32>, Error> {
    streets(name::POSTAL_STREETS, sealed::open(name::POSTAL_STREETS, (code.into(), 0), sealed)?)
}

fn streets(table: &'static str, payload: &[u8]) -> Result<Vec<u32>, Error> {
    let (streets, rest) = payload.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Corrupt { table, what: "half a street" });
    }
    Ok(streets.iter().map(|street| u32::from_le_bytes(*street)).collect())
}

/// What the checksum of a row starts from.
fn name_sealing((word, line): (&[u8], &[u8])) -> sealed::Row {
    (crc32fast::hash(word), crc32fast::hash(line))
}

#[cfg(test)]
mod tests {
    use bitemporal::Known;
    use cpr_model::{RowKind, ValuesWriter};

    use super::*;

    /// What a row says: the moment of moving in (0 for none), a street of Copenhagen, a postal code, and the street's name.
    type Said = (Aspect, u64, u16, Option<u16>, &'static str);

    fn packed(rows: &[Said]) -> Vec<(Aspect, Vec<u8>)> {
        let pack = |&(aspect, moved_in, street, postal_code, name): &Said| {
            let mut packed = Vec::new();
            let mut values = ValuesWriter(&mut packed);
            values.digits(Field::MovedIn, moved_in);
            values.number(Field::MunicipalityCode, Some(101));
            values.number(Field::StreetCode, Some(street));
            values.number(Field::PostalCode, postal_code);
            values.text(Field::StreetAddressingName, name.as_bytes());
            (aspect, packed)
        };
        rows.iter().map(pack).collect()
    }

    fn read(rows: &[(Aspect, Vec<u8>)]) -> CurrentRows<'_> {
        let known = Known { from: 1, to: None };
        let facts = rows.iter().map(|(aspect, packed)| {
            Fact::new(1, RowKind::new(*aspect, false), known, Values::new(packed)).expect("an aspect")
        });
        CurrentRows::read(facts, None)
    }

    /// The streets that a change makes known under the postal code 2100.
    fn told(before: &[Said], after: &[Said]) -> Vec<u32> {
        let (before, after) = (packed(before), packed(after));
        let mut names = StreetNames::default();
        names.change(&read(&before), &read(&after));
        let (_, postal) = names.expected();
        postal.get(&2100).into_iter().flatten().map(|street| street & 0xFFFF).collect()
    }

    #[test]
    fn what_all_stood_before_tells_nothing_unless_another_address_is_the_current_one() {
        let [first, second] = [(7, 2010_01_01_12_00), (8, 2020_01_01_12_00)]
            .map(|(street, moved_in)| (Aspect::Address, moved_in, street, None, ""));
        let text = (Aspect::FormattedAddress, 0, 9, Some(2100), "Skovvej");
        let other_text = (Aspect::FormattedAddress, 0, 10, Some(2100), "Strandvej");
        let name = (Aspect::Name, 0, 0, None, "");
        let before = [first, second, text];
        let changes: [(&[Said], &[Said], &[u32]); 6] = [
            // The street of the text, and that of the address.
            (&[], &before, &[8, 9]),
            (&before, &before, &[]),
            (&before, &[first, second, text, name], &[]),
            (&before, &[first, second, other_text], &[8, 10]),
            (&before, &[second, text], &[]),
            (&before, &[first, text], &[7, 9]),
        ];
        for (at, (before, after, streets)) in changes.into_iter().enumerate() {
            assert_eq!(told(before, after), streets, "change {at}");
        }
    }
}
