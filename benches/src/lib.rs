//! What the benchmarks share: made-up extracts, the peers, how times are taken and where results go.
//!
//! The extracts are those of [`cpr_population`]: [`population`] is the same persons in every benchmark, [`full`] their
//! load, and nights follow it by [`Deltas`]. The same size gives the same bytes.

pub mod documents;
pub mod machine;
pub mod packs;
#[cfg(feature = "peers")]
pub mod peers;
pub mod results;
pub mod samples;

use cpr_population::{Deltas, Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::Pnr;

/// Persons of a run that sets no other size.
pub const DEFAULT_PERSONS: u32 = 100_000;

const SEED: u64 = 1;

/// How many persons the benchmarks take: the environment variable `REPLIKA_BENCH_PERSONS`, or [`DEFAULT_PERSONS`].
pub fn persons() -> u32 {
    let set = std::env::var("REPLIKA_BENCH_PERSONS").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(DEFAULT_PERSONS)
}

/// The persons of the benchmarks, so many of them.
pub fn population(of: u32) -> Population {
    Population::new(SEED, of)
}

/// What files are made for: all records of family `std`.
pub fn product() -> Product {
    Product { family: Family::named("std").expect("the family is part of the product"), task: "123401".to_owned() }
}

/// The full extract of a population, in memory.
pub fn full(population: &Population) -> Vec<u8> {
    population.full_extract(Vec::new(), &product()).expect("writing into memory")
}

/// The next ordinary night, in memory.
pub fn night(nights: &mut Deltas<'_>) -> Vec<u8> {
    nights.next_delta(Vec::new()).expect("writing into memory")
}

/// The next night as one in which these persons move and nobody else does anything, in memory.
pub fn night_of(nights: &mut Deltas<'_>, ranks: &[u32]) -> Vec<u8> {
    nights.next_delta_of_moves(Vec::new(), ranks).expect("writing into memory")
}

/// About `count` ranks of persons who live here and fit, spread over all.
pub fn residents(population: &Population, count: u32, fits: impl Fn(u32) -> bool) -> Vec<u32> {
    let of = u64::from(population.persons());
    let bound = |at: u32| (u64::from(at) * of / u64::from(count.max(1))) as u32;
    let found =
        (0..count).filter_map(|at| (bound(at)..bound(at + 1)).find(|rank| fits(*rank) && population.lives_here(*rank)));
    found.collect()
}

/// The numbers of the persons that a file delivers, in its order.
pub fn persons_in(extract: &[u8]) -> Vec<Pnr> {
    let lines = extract.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"001"));
    lines.filter_map(|line| Pnr::parse(line.get(3..13)?)).collect()
}
