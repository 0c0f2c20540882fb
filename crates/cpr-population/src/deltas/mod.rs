//! Nights of change: who moves, marries, is born, dies, on top of a population.

mod common_events;
mod rare_events;
mod state;

use std::io::{self, Write};

use cpr_model::Date;

use crate::days::{Day, date, next_working_day};
use crate::extract::record_template::Sheets;
use crate::extract::{Extract, Product};
use crate::population::Population;

use self::state::State;

/// The nights after a full extract, one after the other; each follows the production date of the one before.
///
/// It holds whom something has happened to; memory grows with those, not with the population.
pub struct Nights<'a> {
    state: State<'a>,
    sheets: Sheets,
    product: Product,
    persons_per_night: u32,
}

/// Says how many, not who.
impl std::fmt::Debug for Nights<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nights after {} of {} persons each", date(self.state.day), self.persons_per_night)
    }
}

impl Population {
    /// The nights after the full extract, in each of which about this many persons are delivered.
    pub fn nights(&self, product: &Product, persons_per_night: u32) -> Nights<'_> {
        Nights {
            state: State::new(&self.families),
            sheets: Sheets::new(product.family),
            product: product.clone(),
            persons_per_night,
        }
    }
}

impl Nights<'_> {
    /// The production date of the next night: the next working day.
    pub fn next_production_date(&self) -> Date {
        date(next_working_day(self.state.day))
    }

    /// Writes the next night as a change extract.
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_night<W: Write>(&mut self, out: W) -> io::Result<W> {
        let previous = self.state.dawn();
        // A small population may have less to happen than is asked for: chances are limited, not looked for without end.
        for _ in 0..u64::from(self.persons_per_night) * 40 {
            if self.state.register.concerned() >= self.persons_per_night as usize {
                break;
            }
            self.state.happens();
        }
        self.state.orders();
        self.written(out, previous)
    }

    /// Writes the next night as one in which these persons move, each alone, and nothing else happens: for who needs the same
    /// persons to change night after night. Ranks of persons that do not live here then are left out, see
    /// [`Population::lives_here`].
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_night_of<W: Write>(&mut self, out: W, ranks: &[u32]) -> io::Result<W> {
        const TRIES: usize = 8;
        let previous = self.state.dawn();
        for &rank in ranks.iter().filter(|rank| **rank < self.state.families.cohorts.persons()) {
            let pnr = self.state.families.pnr(rank);
            let Some(home) = self.state.register.look(pnr).and_then(|person| person.address().map(|row| row.what))
            else {
                continue;
            };
            self.state.enter();
            for _ in 0..TRIES {
                // A home drawn may be the one the person has.
                let to = self.state.home_near(home.municipality);
                if self.state.register.moves(pnr, to, self.state.day) {
                    break;
                }
            }
        }
        self.written(out, previous)
    }

    fn written<W: Write>(&mut self, out: W, previous: Day) -> io::Result<W> {
        let dates = [date(self.state.day), date(previous)];
        let mut extract = Extract::new(out, &self.product, &self.sheets, &self.state.families.places, dates)?;
        for &(pnr, at) in &self.state.receipts {
            extract.receipt(pnr, at)?;
        }
        for person in self.state.register.concerned_tonight() {
            // Who is no longer subscribed to is delivered no more.
            if let Some(number) = person.number.filter(|number| !self.state.ended.contains(number)) {
                extract.person(person, number)?;
            }
        }
        self.state.register.close_night();
        self.state.receipts.clear();
        extract.finish(&std::mem::take(&mut self.state.refusals))
    }
}
