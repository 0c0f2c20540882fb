//! What the fuzz targets share: extracts about people who do not exist, the lines of an extract read without the
//! engine, and mutations that know what a line is.
//!
//! The targets themselves stand in `fuzz_targets/`, one per boundary; the README says how to run them.

pub mod dice;
pub mod held;
pub mod lines;
pub mod made_up;
pub mod markup;
pub mod mutate;
pub mod pair;
pub mod processor_time;
pub mod queries;
pub mod requests;
pub mod rows;
pub mod thinned;
pub mod write_back;
