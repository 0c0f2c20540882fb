//! Names of streets: which street codes ever bore a name, and which had residents under a postal code.
//!
//! CPR's road register is not part of the extracts, but 003 names the street and the postal code of each person's address, and
//! some records of address carry the street's name themselves. Both are kept per street, not per person: what a delivery adds
//! is the names that nobody had told before. Nothing is taken away, so an earlier name of a street still leads to it; who lives
//! there now is asked of the index of streets. docs/format.md draws the bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use cpr_extract::Group;
use cpr_model::stored::v2::{self, ArchivedPerson};
use cpr_model::{Aspect, Field, StandardAddress, Value, Values, folded_line};
use redb::{ReadableTable, WriteTransaction};

use crate::error::Error;
use crate::index::keys::street;
use crate::index::words::WordHasher;
use crate::store::sealed;
use crate::store::tables::{POSTAL_STREETS, STREET_NAMES, name};

/// What one record says of its street.
#[derive(Clone, Copy, Default)]
struct Told<'a> {
    municipality: Option<u16>,
    street: Option<u16>,
    postal_code: Option<u16>,
    name: &'a [u8],
    standard: &'a [u8],
}

impl<'a> Told<'a> {
    fn read(values: Values<'a>) -> Told<'a> {
        let mut told = Told::default();
        for (field, value) in values.iter() {
            match (field, value) {
                (Field::MunicipalityCode, Value::Number(code)) => told.municipality = code,
                (Field::StreetCode, Value::Number(code)) => told.street = code,
                (Field::PostalCode, Value::Number(code)) => told.postal_code = code,
                (Field::StreetAddressingName | Field::StreetName, Value::Text(name)) => told.name = name.latin1(),
                (Field::StandardAddressLine, Value::Text(line)) => told.standard = line.latin1(),
                _ => {}
            }
        }
        told
    }
}

/// Name and postal code.
type Named = (Box<[u8]>, u16);

/// The names and postal codes that a delivery tells of streets.
#[derive(Default)]
pub(crate) struct StreetNames {
    /// What was told of each street, as it stands in the records. Found by 64 bits of what it says, so that what most persons
    /// repeat costs one look.
    told: HashMap<(u32, u64), Named, BuildHasherDefault<WordHasher>>,
}

impl StreetNames {
    /// Notes what the rows of a person say, unless those before said the same.
    pub(crate) fn person(&mut self, before: Option<&ArchivedPerson>, after: &Group) {
        let rows = || after.rows().map(|(row, values)| (row.shape, values)).filter(|(shape, _)| is_of_address(*shape));
        let held = || before.into_iter().flat_map(ArchivedPerson::facts).map(|(fact, values)| (fact.shape, values));
        let known: HashSet<(u8, Values<'_>), BuildHasherDefault<WordHasher>> =
            held().filter(|(shape, _)| is_of_address(*shape)).collect();
        let says_no_more =
            || rows().all(|row| known.contains(&row)) && current_address(rows()) == current_address(held());
        if before.is_none() || !says_no_more() {
            self.read(rows);
        }
    }

    /// Notes what a stored person says.
    pub(crate) fn stored(&mut self, person: &ArchivedPerson) {
        let rows = || person.facts().map(|(fact, values)| (fact.shape, values));
        self.read(|| rows().filter(|(shape, _)| is_of_address(*shape)));
    }

    fn read<'a, I: Iterator<Item = (u8, Values<'a>)>>(&mut self, rows: impl Fn() -> I) {
        // The postal code is that of the current address, whatever street 003 names.
        let current = current_address(rows());
        for (shape, values) in rows() {
            let formatted = matches!(v2::aspect(shape), Some((Aspect::FormattedAddress, _)));
            if !formatted && values.get(Field::StreetName).is_none() {
                continue;
            }
            let told = Told::read(values);
            self.note(told);
            // The standard address may spell the street's name in another way than the field that has but 20 characters for it.
            let spelled = StandardAddress::parse(told.standard).street;
            if spelled != told.name {
                self.note(Told { name: spelled, ..told });
            }
            if let Some(address) = current.filter(|_| formatted) {
                let (municipality, street) =
                    (address.number(Field::MunicipalityCode), address.number(Field::StreetCode));
                if (municipality, street) != (told.municipality, told.street) {
                    self.note(Told { municipality, street, postal_code: told.postal_code, ..Told::default() });
                }
            }
        }
    }

    fn note(&mut self, told: Told<'_>) {
        let (Some(municipality), Some(code)) = (told.municipality, told.street) else { return };
        if told.name.is_empty() && told.postal_code.is_none() {
            return;
        }
        let street = street(municipality, code);
        let postal_code = told.postal_code.unwrap_or(0);
        let mut says = WordHasher::default();
        says.write(told.name);
        says.write_u32(postal_code.into());
        let new = || (told.name.into(), postal_code);
        self.told.entry((street, says.finish())).or_insert_with(new);
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

    /// The rows that what was told calls for: streets by each word of a name and the whole name, and by postal code.
    pub(crate) fn expected(self) -> (ByName, BTreeMap<u16, BTreeSet<u32>>) {
        let (mut names, mut postal) = (ByName::new(), BTreeMap::<u16, BTreeSet<u32>>::new());
        for ((street, _), (name, code)) in self.told {
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

/// The current address; of two, the one that began last.
fn current_address<'a>(rows: impl Iterator<Item = (u8, Values<'a>)>) -> Option<Values<'a>> {
    let current = rows.filter(|(shape, _)| *shape == v2::shape(Aspect::Address, false));
    current.map(|(_, values)| values).max_by_key(|values| values.timestamp(Field::MovedIn))
}

/// True for records that may name a street, or say where the postal code of one that does belongs.
fn is_of_address(shape: u8) -> bool {
    matches!(v2::aspect(shape), Some((Aspect::FormattedAddress | Aspect::Address, _)))
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
