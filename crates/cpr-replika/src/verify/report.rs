//! What a verification found: how much it read, and what does not hold, without a word about whom.

use crate::damage::Place;
use crate::error::Error;

/// What stands for a table where the file below them is meant.
const FILE: &str = "file";

/// How many faults are told; all are counted.
pub(super) const TOLD: usize = 100;

/// One thing that does not hold. It does not say of whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifyFault {
    /// The table, or `file` when it is about the file below them.
    pub table: &'static str,
    /// What does not hold.
    pub what: &'static str,
    /// Where in the file, when that is known.
    pub place: Option<Place>,
}

/// What a verification found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Persons read.
    pub persons: u64,
    /// Facts known now.
    pub facts: u64,
    /// Superseded facts read.
    pub superseded: u64,
    /// Events read.
    pub events: u64,
    /// Deliveries read.
    pub deliveries: u64,
    /// Blocks of the file that were tried against their checks; 0 when only a snapshot was verified.
    pub blocks: u64,
    /// Blocks that are not in use, and a second copy of the root, that do not check in a file that was once left
    /// without being closed: what was being written when it was cut off. No fault.
    pub unsettled: u64,
    /// The first faults, each once, however many rows it was found in.
    pub faults: Vec<VerifyFault>,
    /// How many there are in all, as many as rows and blocks that they were found in.
    pub fault_count: u64,
}

impl VerifyReport {
    /// True when everything holds.
    pub fn is_clean(&self) -> bool {
        self.fault_count == 0
    }

    pub(super) fn fault(&mut self, table: &'static str, what: &'static str) {
        self.add(VerifyFault { table, what, place: None });
    }

    /// True when the file below the tables has a fault.
    pub(super) fn tells_a_place(&self) -> bool {
        self.faults.iter().any(|fault| fault.place.is_some())
    }

    /// A fault of the file, which may have been told already by another who came across it.
    pub(super) fn fault_at(&mut self, place: Place, what: &'static str) {
        let fault = VerifyFault { table: FILE, what, place: Some(place) };
        if !self.faults.contains(&fault) {
            self.add(fault);
        }
    }

    fn add(&mut self, fault: VerifyFault) {
        self.fault_count += 1;
        if self.faults.len() < TOLD && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub(super) fn expect(&mut self, holds: bool, table: &'static str, what: &'static str) {
        if !holds {
            self.fault(table, what);
        }
    }

    /// The value of a read, or a fault in its place; failures of the storage itself are passed on.
    pub(super) fn sound<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Error::Corrupt { table, what }) => {
                self.fault(table, what);
                Ok(None)
            }
            Err(Error::Damaged { place, what }) => {
                self.fault_at(place, what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// As [`VerifyReport::sound`], of what a row says about a delivery.
    pub(super) fn sound_of<T>(&mut self, read: Result<T, Error>, table: &'static str) -> Result<Option<T>, Error> {
        match read {
            Err(Error::UnknownDelivery { .. }) => {
                self.fault(table, "a row about a delivery of which a row is missing");
                Ok(None)
            }
            read => self.sound(read),
        }
    }

    /// The report of the rows, with what was found of the file before.
    pub(super) fn take_over(&mut self, mut rows: VerifyReport) {
        let file = std::mem::take(self);
        let told = rows.faults.len();
        rows.faults.retain(|fault| fault.place.is_none() || !file.faults.contains(fault));
        rows.fault_count -= (told - rows.faults.len()) as u64;
        *self = VerifyReport { blocks: file.blocks, unsettled: file.unsettled, ..rows };
        self.fault_count += file.fault_count;
        self.faults.splice(0..0, file.faults);
        self.faults.truncate(TOLD);
    }
}
