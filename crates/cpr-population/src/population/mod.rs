//! A population: who there is, one by one or as a full extract.

pub(crate) mod cohorts;
pub(crate) mod families;
pub(crate) mod homes;
pub(crate) mod life;
mod rarities;
mod residence;
mod timestamps;

use std::io::{self, Write};

use cpr_model::{Date, Pnr};

use crate::days::{TODAY, date};
use crate::extract::record_template::RecordTemplates;
use crate::extract::{Extract, Product};
use crate::population::cohorts::MOST_PERSONS;
use crate::population::families::Families;
use crate::population::life::Scratch;

/// A made-up Denmark: a number of persons from a seed. The same two give the same persons, for ever and byte by byte.
///
/// It holds some thousand numbers, whatever its size: each person is a function of rank and seed, and so are relatives.
pub struct Population {
    pub(crate) families: Families,
}

/// Says how many, not who.
impl std::fmt::Debug for Population {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Population of {} persons", self.persons())
    }
}

impl Population {
    /// The most persons there can be.
    pub const MOST_PERSONS: u32 = MOST_PERSONS;

    /// The population of this seed with this many numbers, at most [`Population::MOST_PERSONS`] (more are not made).
    pub fn new(seed: u64, persons: u32) -> Population {
        Population { families: Families::new(seed, persons.min(MOST_PERSONS)) }
    }

    /// How many numbers there are, whatever has become of their bearers.
    pub fn persons(&self) -> u32 {
        self.families.cohorts.persons()
    }

    /// The day as of which the population stands, the production date of its full extract: 2026-01-05.
    pub fn production_date(&self) -> Date {
        date(TODAY)
    }

    /// The number of the person with this rank in birth order, below [`Population::persons`].
    pub fn pnr_at(&self, rank: u32) -> Pnr {
        self.families.pnr(rank)
    }

    /// The rank of a number, when it is one of the population.
    pub fn rank_of(&self, pnr: Pnr) -> Option<u32> {
        self.families.rank_of(pnr)
    }

    /// What the person with this rank was called at birth: given name and surname, for benchmarks of a search.
    pub fn birth_name_at(&self, rank: u32) -> (String, String) {
        let name = self.families.birth_name(rank);
        (name.given.into_owned(), name.surname.into_owned())
    }

    /// Where the person with this rank lives: municipality, street code and street name; none without a home here.
    pub fn street_at(&self, rank: u32) -> Option<(u16, u16, String)> {
        let person = self.families.person_at(rank, &mut Scratch::default());
        let at = person.address()?.value;
        Some((at.municipality, at.street, crate::reference_data::places::street_name(at.municipality, at.street)))
    }

    /// Whether the person with this rank, below [`Population::persons`], is alive and has an address here as a
    /// resident.
    pub fn lives_here(&self, rank: u32) -> bool {
        let person = self.families.person_at(rank, &mut Scratch::default());
        person.status < 20 && person.address().is_some()
    }

    /// Writes everybody as an establishment extract: its two production dates are the same.
    ///
    /// Persons stream; their addressing rows wait in a scratch file (see [`tempfile::tempfile`]).
    ///
    /// # Errors
    /// Those of the writer and of the scratch file; `InvalidInput` for a task that is not six digits.
    pub fn full_extract<W: Write>(&self, out: W, product: &Product) -> io::Result<W> {
        let templates = RecordTemplates::new(product.family);
        let mut extract = Extract::new(out, product, &templates, &self.families.places, [date(TODAY); 2])?;
        let mut scratch = Scratch::default();
        for rank in 0..self.persons() {
            let person = self.families.person_at(rank, &mut scratch);
            extract.write_person(&person, self.families.pnr(rank))?;
        }
        extract.finish(&[])
    }
}
