//! Deliveries: the engine's own clock, and the report of each.

use std::time::Duration;

use cpr_extract::{InputError, LineEnd, Padding, Style};
use cpr_model::{ChangeClass, Date};
use rkyv::rancor::Failure;
use rkyv::util::AlignedVec;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
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
    /// CPR's error records (910).
    pub input_errors: Vec<InputError>,
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

/// What became of an extract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the delivery of the report.
    Applied,
    /// The very same file was applied before, as the delivery of the report; nothing was done.
    AlreadyApplied,
    /// It would be the delivery of the report; nothing was stored.
    DryRun,
}

impl Outcome {
    /// A stable word: `applied`, `already_applied`, `dry_run`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::AlreadyApplied => "already_applied",
            Outcome::DryRun => "dry_run",
        }
    }
}

/// The answer to an extract.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What became of it.
    pub outcome: Outcome,
    /// The delivery that it is, was, or would be.
    pub delivery: Delivery,
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
            counts: counts.numbers().into_iter().map(v1::Wide::from).collect(),
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
            counts: Counts {
                classes: {
                    let classes: Vec<u64> = stored.classes.into_iter().map(u64::from).collect();
                    classes.try_into().map_err(|_| corrupt("change classes"))?
                },
                input_errors: {
                    let errors = stored.input_errors.into_iter();
                    errors.map(|(number, text)| InputError { number, text }).collect()
                },
                ..Counts::from_numbers(&stored.counts).ok_or(corrupt("counts"))?
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

impl Counts {
    /// The plain numbers in the order in which they are stored; [`Counts::from_numbers`] reads them back.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = vec![
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
        ];
        // Only where persons were erased, or not all are kept.
        let mut left_out = vec![self.persons_barred, self.persons_left_out];
        while left_out.last() == Some(&0) {
            left_out.pop();
        }
        numbers.extend(left_out);
        numbers
    }

    fn from_numbers(stored: &[v1::Wide]) -> Option<Counts> {
        let (numbers, left_out) = stored.split_first_chunk::<15>()?;
        let (persons_barred, persons_left_out) = match *left_out {
            [] => (0, 0),
            [barred] => (u64::from(barred), 0),
            [barred, left_out] => (u64::from(barred), u64::from(left_out)),
            _ => return None,
        };
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
        ] = numbers.map(u64::from);
        let duration = Duration::from_micros(duration_micros);
        let (classes, input_errors) = Default::default();
        Some(Counts {
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
            repeated_persons,
            persons_barred,
            persons_left_out,
            doubled_rows,
            odd_characters,
            inverted_periods,
            waived,
            bytes,
            duration,
        })
    }
}
