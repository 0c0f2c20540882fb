//! A made-up Denmark from a seed: full extracts and nights of change, as files CPR could have sent.
//!
//! [`Population::new`] stands for any number of persons and holds none of them: a person is a function of seed and rank,
//! and relatives find each other by permutations that can be asked both ways. So the extract of ten million
//! persons takes the memory of one of a thousand, and the same seed gives the same bytes.
//!
//! All numbers are test numbers: 60 is added to the day. The crate writes to what it is given; it knows no clock and
//! opens nothing but a scratch file.

mod archetypes;
mod basis;
mod cast;
mod chance;
mod codes;
mod cohorts;
mod days;
mod extract;
mod families;
mod happenings;
mod homes;
mod kin;
mod life;
mod names;
mod nights;
mod person;
mod places;
mod population;
mod records;
mod scenario;
mod sheet;
mod undoings;
mod upkeep;

pub use archetypes::{ArchetypeGroup, archetypes};
pub use basis::{TOWN_HALL_STREET, basis};
pub use cast::Cast;
pub use codes::{DERIVED_MARKS, EVENT_CODES};
pub use extract::Product;
pub use nights::Nights;
pub use population::Population;
pub use scenario::{Scenario, ScenarioError};

#[cfg(test)]
mod tests;
