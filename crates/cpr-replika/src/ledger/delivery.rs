//! Deliveries: the engine's own clock, and the report of each.

use std::time::Duration;

use cpr_extract::{InputError, LineEnd, Padding, Style};
use cpr_model::{ChangeClass, Date};
use rkyv::rancor::Failure;
use rkyv::util::AlignedVec;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::state_digest::StateDigest;
use crate::ledger::stored::v1;
use crate::store::sealed;
use crate::store::tables::name;

/// How a delivery came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeliveryKind {
    /// A starting point: `load`.
    Load,
    /// A change extract: `apply`.
    Delta,
    /// Persons taken from a full extract who had been left out: `admit`.
    Admission,
}

impl DeliveryKind {
    /// A stable word: `load`, `delta`, `admission`.
    pub fn name(self) -> &'static str {
        match self {
            DeliveryKind::Load => "load",
            DeliveryKind::Delta => "delta",
            DeliveryKind::Admission => "admission",
        }
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// Its number, the known time of everything it brought.
    pub number: DeliveryNumber,
    /// How it came in.
    pub kind: DeliveryKind,
    /// OPGAVENR.
    pub task: String,
    /// PRODDTO.
    pub production_date: Date,
    /// PRODDTOFORRIG.
    pub previous_production_date: Date,
    /// The date from which the chain of deliveries up to this one has no gap: events are complete since then.
    pub events_complete_since: Date,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// The name that the caller gave.
    pub file_name: String,
    /// When the caller says it was applied, in seconds since 1970 UTC.
    pub applied_at: Option<i64>,
    /// How the file spelled its lines.
    pub style: Style,
    /// The digest of the state after it. None in a dry run; of deliveries before an erase, after which nobody can
    /// compute it anew; and of those of a store that had none when it was written.
    pub state: Option<StateDigest>,
    /// What it did.
    pub counts: Counts,
}

/// What a delivery did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Persons not held before.
    pub persons_new: u64,
    /// Persons with at least one fact that came or went.
    pub persons_changed: u64,
    /// Persons redelivered with the same facts.
    pub persons_unchanged: u64,
    /// Facts that were held already and keep their known time.
    pub facts_kept: u64,
    /// Facts that this delivery brought.
    pub facts_new: u64,
    /// Facts that this delivery took back.
    pub facts_superseded: u64,
    /// Changes by class, in the order of [`ChangeClass::ALL`].
    pub classes: [u64; ChangeClass::ALL.len()],
    /// Events (099, 900).
    pub events: u64,
    /// Receipts for deleted subscriptions (997).
    pub receipts: u64,
    /// CPR's error records (910): the first 100 000.
    pub input_errors: Vec<InputError>,
    /// Error records behind those, of which nothing but their number is kept.
    pub input_errors_beyond: u64,
    /// Groups left out because they are equal to an earlier one of the same person in the file.
    pub repeated_persons: u64,
    /// Persons left out since they were erased, or their chain of numbers reaches one who was.
    pub persons_barred: u64,
    /// Persons left out since nobody needs them ([`Keep`](crate::Keep)).
    pub persons_left_out: u64,
    /// Current rows of a kind that a person has once beside another one of the kind: kept as received. Every answer
    /// takes the one that began last.
    pub doubled_rows: u64,
    /// Records with a character outside CPR's set, kept as they are.
    pub odd_characters: u64,
    /// New facts whose end lies before their start: kept as received, and without length.
    pub inverted_periods: u64,
    /// Faults that the caller had accepted by name.
    pub waived: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// From the first byte read to the commit.
    pub duration: Duration,
}

impl Delivery {
    pub(crate) fn seal(&self, sealed: &mut Vec<u8>) {
        let counts = &self.counts;
        let (padding, padding_bytes) = match self.style.padding {
            Padding::Cut => (0, 0),
            Padding::Full => (1, 0),
            Padding::Fixed(bytes) => (2, bytes),
        };
        let stored = v1::Delivery {
            kind: match self.kind {
                DeliveryKind::Load => 0,
                DeliveryKind::Delta => 1,
                DeliveryKind::Admission => 2,
            },
            task: self.task.clone(),
            production_date: self.production_date.digits(),
            previous_production_date: self.previous_production_date.digits(),
            events_complete_since: self.events_complete_since.digits(),
            digest: self.digest,
            file_name: self.file_name.clone(),
            applied_at: self.applied_at.map(|seconds| v1::Wide::from(seconds as u64)),
            line_end: match self.style.line_end {
                LineEnd::None => 0,
                LineEnd::Lf => 1,
                LineEnd::CrLf => 2,
            },
            padding,
            padding_bytes,
            trailer: self.style.trailer.clone(),
            counts: self.numbers().into_iter().map(v1::Wide::from).collect(),
            classes: counts.classes.map(v1::Wide::from).to_vec(),
            input_errors: counts.input_errors.iter().map(|error| (error.number, error.text.clone())).collect(),
        };
        let mut archive = AlignedVec::new();
        sealed::archive(&stored, &mut archive);
        sealed::seal((self.number.0, 0), &archive, sealed);
    }

    pub(crate) fn open(number: DeliveryNumber, sealed: &[u8]) -> Result<Delivery, Error> {
        let corrupt = |what| Error::Corrupt { table: name::DELIVERIES, what };
        let stored =
            sealed::with_archive::<v1::ArchivedDelivery, _>(name::DELIVERIES, (number.0, 0), sealed, |archived| {
                rkyv::deserialize::<v1::Delivery, Failure>(archived)
            })?
            .map_err(|_| corrupt("not an archive of its schema"))?;
        let (numbers, state) = split_numbers(&stored.counts).ok_or(corrupt("counts"))?;
        let date = |digits| Date::from_digits(digits).ok_or(corrupt("a date"));
        Ok(Delivery {
            number,
            kind: match stored.kind {
                0 => DeliveryKind::Load,
                1 => DeliveryKind::Delta,
                2 => DeliveryKind::Admission,
                _ => return Err(corrupt("kind of delivery")),
            },
            task: stored.task,
            production_date: date(stored.production_date)?,
            previous_production_date: date(stored.previous_production_date)?,
            events_complete_since: date(stored.events_complete_since)?,
            digest: stored.digest,
            file_name: stored.file_name,
            applied_at: stored.applied_at.map(|seconds| u64::from(seconds) as i64),
            style: Style {
                line_end: match stored.line_end {
                    0 => LineEnd::None,
                    1 => LineEnd::Lf,
                    2 => LineEnd::CrLf,
                    _ => return Err(corrupt("line end")),
                },
                padding: match stored.padding {
                    0 => Padding::Cut,
                    1 => Padding::Full,
                    2 => Padding::Fixed(stored.padding_bytes),
                    _ => return Err(corrupt("padding")),
                },
                trailer: stored.trailer,
            },
            state,
            counts: Counts {
                classes: {
                    let classes: Vec<u64> = stored.classes.into_iter().map(u64::from).collect();
                    classes.try_into().map_err(|_| corrupt("change classes"))?
                },
                input_errors: {
                    let errors = stored.input_errors.into_iter();
                    errors.map(|(number, text)| InputError { number, text }).collect()
                },
                ..numbers
            },
        })
    }
}

impl Delivery {
    /// The date from which on a person first held by this delivery has all events.
    pub(crate) fn events_since(&self) -> Date {
        match self.kind {
            DeliveryKind::Load | DeliveryKind::Admission => self.production_date,
            DeliveryKind::Delta => self.previous_production_date,
        }
    }
}

impl Delivery {
    /// The numbers of the report, then the digest of the state where there is one; [`split_numbers`] reads them back.
    fn numbers(&self) -> Vec<u64> {
        let state = self.state.map(StateDigest::to_bytes);
        let state = state.iter().flat_map(|state| state.as_chunks().0);
        let mut numbers = self.counts.numbers().to_vec();
        if self.counts.input_errors_beyond == 0 {
            numbers.truncate(USUAL_COUNTS);
        }
        numbers.extend(state.map(|eight| u64::from_le_bytes(*eight)));
        numbers
    }
}

/// How many numbers a report has.
const COUNTS: usize = 18;

/// How many are stored where the last one, which seldom counts anything, is 0.
const USUAL_COUNTS: usize = 17;

/// How many it had before persons were barred or left out: later ones are 0 where they are missing.
const LEAST_COUNTS: usize = 15;

/// How many numbers the digest of a state is.
const STATE: usize = 4;

fn split_numbers(stored: &[v1::Wide]) -> Option<(Counts, Option<StateDigest>)> {
    let mut numbers = [v1::Wide::from(0); COUNTS];
    let counts = if stored.len() == USUAL_COUNTS + STATE { USUAL_COUNTS } else { stored.len().min(COUNTS) };
    let (counts, state) = stored.split_at(counts);
    numbers[..counts.len()].copy_from_slice(counts);
    let state = match state {
        [] => None,
        state => {
            let words: [v1::Wide; STATE] = state.try_into().ok()?;
            let words = words.map(|word| u64::from(word).to_le_bytes());
            Some(StateDigest::from_bytes(words.as_flattened().try_into().ok()?))
        }
    };
    (counts.len() >= LEAST_COUNTS).then(|| (Counts::from_numbers(numbers), state))
}

impl Counts {
    /// The plain numbers in the order in which they are stored; [`Counts::from_numbers`] reads them back.
    fn numbers(&self) -> [u64; COUNTS] {
        [
            self.persons_new,
            self.persons_changed,
            self.persons_unchanged,
            self.facts_kept,
            self.facts_new,
            self.facts_superseded,
            self.events,
            self.receipts,
            self.odd_characters,
            self.inverted_periods,
            self.waived,
            self.bytes,
            self.duration.as_micros() as u64,
            self.repeated_persons,
            self.doubled_rows,
            self.persons_barred,
            self.persons_left_out,
            self.input_errors_beyond,
        ]
    }

    fn from_numbers(numbers: [v1::Wide; COUNTS]) -> Counts {
        let [
            persons_new,
            persons_changed,
            persons_unchanged,
            facts_kept,
            facts_new,
            facts_superseded,
            events,
            receipts,
            odd_characters,
            inverted_periods,
            waived,
            bytes,
            duration_micros,
            repeated_persons,
            doubled_rows,
            persons_barred,
            persons_left_out,
            input_errors_beyond,
        ] = numbers.map(u64::from);
        let duration = Duration::from_micros(duration_micros);
        let (classes, input_errors) = Default::default();
        Counts {
            persons_new,
            persons_changed,
            persons_unchanged,
            facts_kept,
            facts_new,
            facts_superseded,
            classes,
            events,
            receipts,
            input_errors,
            input_errors_beyond,
            repeated_persons,
            persons_barred,
            persons_left_out,
            doubled_rows,
            odd_characters,
            inverted_periods,
            waived,
            bytes,
            duration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_records_that_are_only_counted_are_stored_with_and_without_the_digest_of_the_state() {
        let words = |delivery: &Delivery| delivery.numbers().into_iter().map(v1::Wide::from).collect::<Vec<_>>();
        for (beyond, state) in [(0, None), (0, Some(7)), (9, None), (9, Some(7))] {
            let state = state.map(|byte| StateDigest::from_bytes([byte; 32]));
            let counts = Counts { input_errors_beyond: beyond, persons_left_out: 3, ..Counts::default() };
            let delivery = Delivery {
                number: DeliveryNumber(1),
                kind: DeliveryKind::Delta,
                task: String::new(),
                production_date: Date::from_digits(2026_01_05).unwrap(),
                previous_production_date: Date::from_digits(2026_01_05).unwrap(),
                events_complete_since: Date::from_digits(2026_01_05).unwrap(),
                digest: [0; 32],
                file_name: String::new(),
                applied_at: None,
                style: Style::default(),
                state,
                counts,
            };
            let (read, digest) = split_numbers(&words(&delivery)).unwrap();
            assert_eq!((read.input_errors_beyond, read.persons_left_out), (beyond, 3));
            assert_eq!(digest, state);
        }
    }
}
