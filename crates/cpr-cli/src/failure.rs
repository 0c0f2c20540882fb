//! How a command ends badly: the reasons, their exit codes, and what is said of each as text and as JSON.
//!
//! A failure says where and what, never whom: no argument of the command line is repeated but paths of files.

use std::io;

use cpr_replika::cpr_extract::RecordNumber;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::cpr_subscription::{FilterError, NameError};
use cpr_replika::{DeliveryNumber, Error, Snapshot};
use cpr_services::access_log::{NotLogged, OpenError};
use serde::Serialize;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine's reason, with the file it is about when there is one.
    Engine(Error, Option<String>),
    /// Reported already, as part of an answer; only the exit code is left.
    Reported(u8),
    /// The command line does not make sense.
    Usage(&'static str),
    /// A text on the command line is no filter; or one on this line of standard input.
    Filter(FilterError, Option<usize>),
    /// A text on the command line is no name of a subscriber.
    Name(NameError),
    /// The replica does not hold this number (as of then).
    UnknownPerson,
    /// CPR has the number, and nobody needs it here.
    NotKept,
    /// No records stand under this number, but those of another name it as one that was given up.
    FormerNumber {
        /// The number now, where the chain leads to one. It is part of the answer and of no error.
        current: Option<Pnr>,
    },
    /// What is searched for cannot be read.
    Query(String),
    /// Nothing was known on the day asked for: the first delivery was produced later.
    BeforeFirstDelivery(Date),
    /// A file of the caller's, or standard input, cannot be read.
    Reading(String, io::Error),
    /// A file cannot be written.
    Writing(String, io::Error),
    /// What stands where a file is to be written is not to be replaced.
    NotReplaced(String, &'static str),
    /// The folder does not hold the lake that is to be added to, or a lake cannot be written.
    #[cfg(feature = "lake")]
    Lake(String, String),
    /// Where the store is to be, it cannot be made.
    NoFolder(String),
    /// The store stayed open elsewhere for as long as was waited.
    Locked {
        /// How long, in seconds.
        waited: u64,
    },
    /// The file shows no sign of the family that was named, and all of another of which that one is a variant.
    NarrowerFamily {
        /// The file.
        file: String,
        /// The family that it fits.
        found: &'static str,
    },
    /// The file was never applied, so nobody can be sent anything of it.
    NotApplied(String),
    /// The delivery is stored, and what subscribers are sent of it could not all be written.
    Undelivered {
        /// What could not be read or written.
        target: String,
        /// The delivery.
        delivery: DeliveryNumber,
        /// Why.
        error: io::Error,
        /// The command that goes on from here; none where the file came through a pipe.
        again: Option<String>,
    },
    /// A service's answer could not be written in its form.
    Form(cpr_services::Error),
    /// Standard output is gone.
    Output(io::Error),
    /// The access log cannot be opened or read.
    AccessLog(OpenError),
    /// What was to be printed is not in the access log.
    NotLogged(NotLogged),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        Failure::AccessLog(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Engine(error, None)
    }
}

impl From<cpr_services::Error> for Failure {
    fn from(error: cpr_services::Error) -> Failure {
        match error {
            cpr_services::Error::Engine(error) => Failure::from(error),
            cpr_services::Error::Marking { .. } => {
                Failure::Usage("version 1.0 of the service does not have that marking")
            }
            cpr_services::Error::NotLogged(error) => Failure::NotLogged(error),
            error => Failure::Form(error),
        }
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Failure {
        Failure::Filter(error, None)
    }
}

impl Failure {
    /// What was to be printed did not leave: for want of the access log, or of a reader.
    pub(crate) fn of_output(error: io::Error) -> Failure {
        if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<NotLogged>()) {
            return Failure::NotLogged(*error);
        }
        match error.downcast::<OpenError>() {
            Ok(error) => Failure::AccessLog(error),
            Err(error) => Failure::Output(error),
        }
    }

    /// A file of the access log cannot be read or written.
    pub(crate) fn log_io(error: io::Error) -> Failure {
        Failure::AccessLog(OpenError::Io(error))
    }

    /// Why nothing is said of a number: nobody has it, or it is not kept here.
    pub(crate) fn not_held(snapshot: &Snapshot, pnr: Pnr) -> Result<Failure, Failure> {
        Ok(if snapshot.is_left_out(pnr)? { Failure::NotKept } else { Failure::UnknownPerson })
    }

    /// True when whoever read the answer had enough of it (`| head`): no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code: 1 refused input, 2 usage, 3 trouble with the store or the output.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Reported(code) => *code,
            Failure::Usage(_) | Failure::Query(_) | Failure::Filter(..) | Failure::Name(_) => 2,
            Failure::Engine(error, _) if error.is_refusal() => 1,
            #[cfg(feature = "lake")]
            Failure::Lake(..) => 1,
            Failure::Engine(Error::Input(_), _)
            | Failure::UnknownPerson
            | Failure::NotKept
            | Failure::FormerNumber { .. }
            | Failure::BeforeFirstDelivery(_)
            | Failure::NarrowerFamily { .. }
            | Failure::NotApplied(_)
            | Failure::NotReplaced(..)
            | Failure::Reading(..)
            | Failure::Writing(..) => 1,
            Failure::Engine(..)
            | Failure::NoFolder(_)
            | Failure::Locked { .. }
            | Failure::Undelivered { .. }
            | Failure::Form(_)
            | Failure::Output(_)
            | Failure::AccessLog(_)
            | Failure::NotLogged(_) => 3,
        }
    }

    /// A stable word for programs; all stand in docs/json.md.
    fn kind(&self) -> &'static str {
        match self {
            Failure::Engine(error, _) => error.kind(),
            Failure::Reported(_) => "reported",
            Failure::Usage(_) | Failure::Query(_) | Failure::Filter(..) | Failure::Name(_) => "usage",
            Failure::UnknownPerson => "unknown_person",
            Failure::NotKept => "not_kept",
            Failure::FormerNumber { .. } => "former_number",
            Failure::BeforeFirstDelivery(_) => "before_first_delivery",
            Failure::Reading(..) | Failure::Writing(..) => "file",
            Failure::NotReplaced(..) => "not_replaced",
            #[cfg(feature = "lake")]
            Failure::Lake(..) => "lake",
            Failure::NoFolder(_) => "no_folder",
            Failure::Locked { .. } => "locked",
            Failure::NarrowerFamily { .. } => "other_family",
            Failure::NotApplied(_) => "not_applied",
            Failure::Undelivered { .. } => "undelivered",
            Failure::Form(_) => "form",
            Failure::Output(_) => "output",
            Failure::AccessLog(_) => "access_log",
            Failure::NotLogged(_) => "not_logged",
        }
    }

    /// What is said to people, without the list of faults.
    pub(crate) fn text(&self) -> String {
        match self {
            Failure::Engine(error, None) => engine_text(error),
            Failure::Engine(error, Some(file)) => format!("{file}: {}", engine_text(error)),
            Failure::Reported(_) => String::new(),
            Failure::Usage(what) => (*what).to_owned(),
            Failure::Query(what) => what.clone(),
            Failure::Filter(error, None) => filter_text(error),
            Failure::Filter(error, Some(line)) => format!("line {line} of standard input: {}", filter_text(error)),
            Failure::Name(error) => error.to_string(),
            Failure::UnknownPerson => "the replica does not hold this number".to_owned(),
            Failure::NotKept => "CPR has this number, and the replica does not keep it".to_owned(),
            Failure::FormerNumber { .. } => {
                "this number was given up for another; no records stand under it any longer".to_owned()
            }
            Failure::BeforeFirstDelivery(first) => {
                format!("nothing was known then: the first delivery was produced on {first}")
            }
            Failure::Reading(file, error) => format!("{file}: reading failed: {error}"),
            Failure::Writing(file, error) => format!("{file}: writing failed: {error}"),
            Failure::NotReplaced(file, why) => format!("{file}: {why}"),
            #[cfg(feature = "lake")]
            Failure::Lake(folder, why) => format!("{folder}: {why}"),
            Failure::NoFolder(folder) => format!("there is no folder {folder} for the store; make it first"),
            Failure::Locked { waited: 0 } => {
                "the store is open elsewhere; --wait SECONDS waits until it is free".to_owned()
            }
            Failure::Locked { waited } => {
                format!("the store is open elsewhere, and was not free within {waited} s (--wait SECONDS)")
            }
            Failure::NarrowerFamily { file, found } => {
                format!("{file}: nothing in the file is of the family named; it is of {found}, a narrower one")
            }
            Failure::NotApplied(file) => format!("{file}: the file was not applied to this store; apply it first"),
            Failure::Undelivered { target, delivery, error, again } => {
                let on = match again {
                    Some(again) => format!("to write its files:\n{again}"),
                    None => "to write its files, give the same extract as a file to `replika thin`".to_owned(),
                };
                format!("{target}: {error}. Delivery {delivery} is stored; {on}")
            }
            Failure::Form(error) => format!("the answer cannot be written: {error}"),
            Failure::Output(error) => format!("writing the answer failed: {error}"),
            Failure::AccessLog(error) => error.to_string(),
            Failure::NotLogged(error) => error.to_string(),
        }
    }

    /// The faults of a refused extract, a line each; none where [`Failure::text`] says it all.
    pub(crate) fn faults(&self) -> Vec<String> {
        match self {
            Failure::Engine(Error::Extract { faults, .. }, _) if faults.len() > 1 => {
                faults.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a program is told.
    pub(crate) fn as_answer(&self) -> impl Serialize {
        let (fault, file) = match self {
            Failure::Engine(error, file) => (error.first_fault(), file.as_deref()),
            Failure::Reading(file, _)
            | Failure::Writing(file, _)
            | Failure::NotReplaced(file, _)
            | Failure::NarrowerFamily { file, .. }
            | Failure::NotApplied(file) => (None, Some(file.as_str())),
            _ => (None, None),
        };
        let error = ErrorAnswer {
            kind: self.kind(),
            file,
            line: fault.map(|fault| fault.line),
            record: fault.and_then(|fault| fault.record).map(RecordNumber),
            field: fault.and_then(|fault| fault.field),
            reason: match (fault, self) {
                (Some(fault), _) => fault.reason.to_string(),
                (None, Failure::Engine(error, _)) => engine_text(error),
                _ => self.text(),
            },
        };
        let current_pnr = match self {
            Failure::FormerNumber { current } => Some(*current),
            _ => None,
        };
        FailedAnswer { error, current_pnr }
    }
}

/// What stands in the place of an answer.
#[derive(Serialize)]
struct FailedAnswer<'a> {
    error: ErrorAnswer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_pnr: Option<Option<Pnr>>,
}

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    kind: &'static str,
    file: Option<&'a str>,
    line: Option<u64>,
    record: Option<RecordNumber>,
    field: Option<&'static str>,
    reason: String,
}

/// The engine's text, but for what would repeat a number of the command line.
fn engine_text(error: &Error) -> String {
    match error {
        Error::CodeNotInUse => format!("{error}; --allow-unknown-code takes it all the same"),
        Error::UnknownDelivery { last, .. } => format!("there is no such delivery; the last is {last}"),
        error => error.to_string(),
    }
}

/// The text of what is no filter, but for what would repeat a part of it.
fn filter_text(error: &FilterError) -> String {
    match error {
        FilterError::ImpossibleAgeRange { .. } => "an impossible age range: the lower age comes first".to_owned(),
        error => error.to_string(),
    }
}
