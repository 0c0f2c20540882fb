//! A made-up Denmark from a seed: full extracts and nights of change, as files CPR could have sent.
//!
//! [`Population::new`] stands for any number of persons and holds none of them: a person is a function of seed and
//! rank, and relatives find each other by permutations that can be asked both ways. So the extract of ten million
//! persons takes the memory of one of a thousand, and the same seed gives the same bytes.
//!
//! All numbers are test numbers: 60 is added to the day. The crate writes to what it is given; it knows no clock and
//! opens nothing but a scratch file.

mod days;
mod rng;

mod person;
mod reference_data;

mod extract;

mod population;

mod register;

mod deltas;
mod fixtures;

pub use deltas::Deltas;
pub use extract::Product;
pub use fixtures::Fixture;
pub use fixtures::archetypes::{ArchetypeGroup, archetypes};
pub use fixtures::basis::{TOWN_HALL_STREET, basis};
pub use fixtures::scenario::{Scenario, ScenarioError};
pub use population::Population;
pub use reference_data::codes::{DERIVED_MARKS, EVENT_CODES};
pub use reference_data::places::is_municipality;

#[cfg(test)]
mod tests;
