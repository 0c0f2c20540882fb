//! How a command ends badly: what is printed where, and the exit code.

use std::io;
use std::process::ExitCode;

use cpr_replika::cpr_subscription::{FilterError, NameError, ThinError};
use cpr_replika::{DeliveryNumber, Error};

use crate::json::{self, Json};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine's reason, with the file it is about when there is one.
    Engine(Error, Option<String>),
    /// Said already, as part of an answer; only the exit code is left.
    Told(u8),
    /// The command line does not make sense.
    Usage(&'static str),
    /// A text on the command line is no filter; or one on this line of standard input.
    Filter(FilterError, Option<usize>),
    /// A text on the command line is no name of a subscriber.
    Name(NameError),
    /// The replica does not hold this number (as of then).
    UnknownPerson,
    /// No records stand under this number, but those of another name it as one that was given up.
    FormerNumber,
    /// A file of the caller's cannot be read or written.
    File(String, io::Error),
    /// The file was never applied, so nobody can be sent anything of it.
    NotApplied(String),
    /// The delivery is stored, and what subscribers are sent of it could not all be written.
    Undelivered {
        /// What could not be read or written.
        target: String,
        /// The delivery.
        delivery: DeliveryNumber,
        /// Why.
        error: ThinError,
        /// The command that goes on from here.
        again: String,
    },
    /// Standard output is gone.
    Output(io::Error),
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
            error => Failure::Output(io::Error::other(error)),
        }
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Failure {
        Failure::Filter(error, None)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl Failure {
    /// Prints the failure, to standard output as JSON or to standard error as text, and gives the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        if let Failure::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return ExitCode::SUCCESS;
        }
        let code = self.code();
        if matches!(self, Failure::Told(_)) {
            return ExitCode::from(code);
        }
        if as_json && code != 2 {
            json::print(&json::object([("error", self.as_json())])).ok();
        } else {
            eprintln!("replika: {}", self.text());
            self.more_faults();
        }
        ExitCode::from(code)
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Told(code) => *code,
            Failure::Usage(_) | Failure::Filter(..) | Failure::Name(_) => 2,
            Failure::Engine(error, _) if error.is_refusal() => 1,
            Failure::Engine(Error::Input(_), _)
            | Failure::UnknownPerson
            | Failure::FormerNumber
            | Failure::NotApplied(_)
            | Failure::File(..) => 1,
            Failure::Engine(..) | Failure::Undelivered { .. } | Failure::Output(_) => 3,
        }
    }

    fn text(&self) -> String {
        match self {
            Failure::Engine(error, None) => error.to_string(),
            Failure::Engine(error, Some(file)) => format!("{file}: {error}"),
            Failure::Told(_) => String::new(),
            Failure::Usage(what) => (*what).to_owned(),
            Failure::Filter(error, None) => error.to_string(),
            Failure::Filter(error, Some(line)) => format!("line {line} of standard input: {error}"),
            Failure::Name(error) => error.to_string(),
            Failure::NotApplied(file) => format!("{file}: the file was not applied to this store; apply it first"),
            Failure::Undelivered { target, delivery, error, again } => {
                let cause = std::error::Error::source(error).map_or(String::new(), |cause| format!(": {cause}"));
                format!("{target}: {error}{cause}. Delivery {delivery} is stored; to write its files: {again}")
            }
            Failure::UnknownPerson => "the replica does not hold this number".to_owned(),
            Failure::FormerNumber => {
                "the replica has no records of its own under this number, which its holder gave up".to_owned()
            }
            Failure::File(file, error) => format!("{file}: {error}"),
            Failure::Output(error) => format!("writing the answer failed: {error}"),
        }
    }

    /// The faults after the first, a line each.
    fn more_faults(&self) {
        if let Failure::Engine(Error::Extract { faults, .. }, _) = self {
            for fault in faults.iter().skip(1) {
                eprintln!("  {fault}");
            }
        }
    }

    fn as_json(&self) -> Json {
        let kind = match self {
            Failure::Engine(error, _) => error.kind(),
            Failure::UnknownPerson => "unknown_person",
            Failure::FormerNumber => "former_number",
            Failure::File(..) => "file",
            Failure::NotApplied(_) => "not_applied",
            Failure::Undelivered { .. } => "undelivered",
            _ => "output",
        };
        let mut members = vec![("kind", Json::from(kind))];
        if let Failure::Engine(error, file) = self {
            let fault = error.first_fault();
            members.push(("file", file.as_deref().map_or(Json::Null, Json::from)));
            members.push(("line", fault.map_or(Json::Null, |fault| fault.line.into())));
            members.push(("record", fault.and_then(|fault| fault.record).map_or(Json::Null, json::record)));
            members.push(("field", fault.and_then(|fault| fault.field).map_or(Json::Null, Json::from)));
            let reason = fault.map_or_else(|| error.to_string(), |fault| fault.reason.to_string());
            members.push(("reason", reason.into()));
        } else {
            members.push(("reason", self.text().into()));
        }
        json::object(members)
    }
}
