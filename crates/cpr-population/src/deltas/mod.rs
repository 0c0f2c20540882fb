//! Deltas (change extracts) of the nights after a full extract: who moves, marries, is born, dies.
//!
//! Each follows the production date of the one before. What happens is drawn (`common_events`, `rare_events`) and left
//! to the register to carry out; how a file is written is left to `extract`.

mod common_events;
mod rare_events;
mod state;

use std::io::{self, Write};

use cpr_model::Date;

use crate::days::{Day, date, next_working_day};
use crate::extract::record_template::RecordTemplates;
use crate::extract::{Extract, Product};
use crate::population::Population;

use self::state::DeltaState;

/// The nights after a full extract, one after the other; each follows the production date of the one before.
///
/// It holds whom something has happened to; memory grows with those, not with the population.
pub struct Deltas<'a> {
    state: DeltaState<'a>,
    templates: RecordTemplates,
    product: Product,
    persons_per_delta: u32,
}

/// Says how many, not who.
impl std::fmt::Debug for Deltas<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deltas after {} of {} persons each", date(self.state.day), self.persons_per_delta)
    }
}

impl Population {
    /// The nights after the full extract, in each of which about this many persons are delivered.
    pub fn deltas(&self, product: &Product, persons_per_delta: u32) -> Deltas<'_> {
        Deltas {
            state: DeltaState::new(&self.families),
            templates: RecordTemplates::new(product.family),
            product: product.clone(),
            persons_per_delta,
        }
    }
}

impl Deltas<'_> {
    /// The production date of the next night: the next working day.
    pub fn next_production_date(&self) -> Date {
        date(next_working_day(self.state.day))
    }

    /// Writes the next night as a change extract.
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_delta<W: Write>(&mut self, out: W) -> io::Result<W> {
        let previous = self.state.begin_day();
        // A small population may have less to happen than is asked for: chances are limited, not looked for without
        // end.
        for _ in 0..u64::from(self.persons_per_delta) * 40 {
            if self.state.register.delivered_count() >= self.persons_per_delta as usize {
                break;
            }
            self.state.draw_event();
        }
        self.state.draw_customer_orders();
        self.write_delta(out, previous)
    }

    /// Writes the next night as one in which these persons move, each alone, and nothing else happens: for who needs
    /// the same persons to change night after night. Ranks of persons that do not live here then are left out, see
    /// [`Population::lives_here`].
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_delta_of_moves<W: Write>(&mut self, out: W, ranks: &[u32]) -> io::Result<W> {
        const TRIES: usize = 8;
        let previous = self.state.begin_day();
        for &rank in ranks.iter().filter(|rank| **rank < self.state.families.cohorts.persons()) {
            let pnr = self.state.families.pnr(rank);
            let Some(home) =
                self.state.register.person_now(pnr).and_then(|person| person.address().map(|row| row.value))
            else {
                continue;
            };
            self.state.set_entry_time();
            for _ in 0..TRIES {
                // A home drawn may be the one the person has.
                let to = self.state.draw_home_near(home.municipality);
                if self.state.register.moves(pnr, to, self.state.day) {
                    break;
                }
            }
        }
        self.write_delta(out, previous)
    }

    fn write_delta<W: Write>(&mut self, out: W, previous: Day) -> io::Result<W> {
        let dates = [date(self.state.day), date(previous)];
        let mut extract = Extract::new(out, &self.product, &self.templates, &self.state.families.places, dates)?;
        for &(pnr, at) in &self.state.receipts {
            extract.write_receipt(pnr, at)?;
        }
        for person in self.state.register.delivered() {
            // Who is no longer subscribed to is delivered no more.
            if let Some(number) = person.number.filter(|number| !self.state.ended.contains(number)) {
                extract.write_person(person, number)?;
            }
        }
        self.state.register.close_delta();
        self.state.receipts.clear();
        extract.finish(&std::mem::take(&mut self.state.refusals))
    }
}
