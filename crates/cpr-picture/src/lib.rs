//! One person's facts as a picture, with both clocks: valid time across, known time down, a lane for each aspect.
//!
//! A pure function from facts to SVG, or to a page of HTML around it with a slider of deliveries. Each fact is one
//! rectangle: its left and right edges are where it began and ended in the world, its upper and lower edges the
//! deliveries that brought it and took it back. So what a correction changed lies below what was believed before. Rows
//! that CPR marked as wrong are hatched; the present is a line.
//!
//! ```
//! use cpr_model::{Aspect, Date, Fact, Field, RowKind, Values, ValuesWriter};
//! use cpr_picture::{Moment, Picture, svg};
//!
//! let mut packed = Vec::new();
//! ValuesWriter(&mut packed).digits(Field::MovedIn, 2020_01_01_12_00);
//! let kind = RowKind::new(Aspect::Address, false);
//! let known = bitemporal::Known { from: 1, to: None };
//! let facts = [Fact::new(2, kind, known, Values::new(&packed)).ok_or("an aspect")?];
//! let produced: Date = "2026-01-05".parse()?;
//! let deliveries = [Moment { delivery: 1, produced }];
//! let picture = Picture { facts: &facts, deliveries: &deliveries, aspects: &[], title: None, reveal: false };
//! assert!(svg(&picture)?.starts_with("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without `reveal` no name, number or address stands in it, only codes: a municipality, a civil status, a country. The
//! crate reads no clock and no store, and nothing that it writes fetches anything.

mod titles;

mod label;
mod scale;

mod layout;

mod html;
mod svg;

use std::fmt;

use cpr_model::{Aspect, Date, Fact};

pub use html::html;
pub use svg::svg;

#[cfg(test)]
mod tests;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Every version of the person's facts, in any order.
    pub facts: &'a [Fact<'a>],
    /// The deliveries, ascending; the last one is the present.
    pub deliveries: &'a [Moment],
    /// The aspects that get a lane; all of them when there is none.
    pub aspects: &'a [Aspect],
    /// Who it is, shown only where names and numbers are.
    pub title: Option<&'a str>,
    /// Whether names, numbers and addresses stand in it.
    pub reveal: bool,
}

/// A delivery, and the day on which CPR produced it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Its number.
    pub delivery: u32,
    /// Its production date.
    pub produced: Date,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to draw.
    Nothing,
    /// There are more facts than anybody could make out.
    TooMany {
        /// The most that are drawn.
        most: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Nothing => f.write_str("there is no fact to draw"),
            Error::TooMany { most } => {
                write!(f, "there are more than {most} facts to draw; name fewer aspects")
            }
        }
    }
}

impl std::error::Error for Error {}
