//! What a service says of an answered question, and to whom it says it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpr_model::Pnr;

use crate::error::NotLogged;

/// Who asks, under which agreement and for what purpose, as the host knows it from its own access control.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Asker {
    /// The system, or the user of a command.
    pub system: String,
    /// The agreement that allows the question; empty when there is none to name.
    pub agreement: String,
    /// What for.
    pub purpose: String,
}

/// An answered question.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Question {
    /// The service: `SF1520`.
    pub service: &'static str,
    /// Its operation: `PersonLookup`.
    pub operation: &'static str,
    /// Whom it was about; nobody for a search.
    pub asked: Vec<Pnr>,
    /// Who beside them stands in the answer: relatives, hits. May be the first of them only.
    pub shown: Vec<Pnr>,
    /// How many stand in the answer beside those asked about, when they are more than `shown` holds.
    pub shown_count: u64,
    /// True when there was an answer.
    pub found: bool,
    /// True when someone in the answer has a protection of name and address; none when that is not known.
    pub protected: Option<bool>,
    /// The delivery as of which it was answered.
    pub delivery: u32,
    /// The digest of the receipt, when persons were erased: it names nobody.
    pub receipt: Option<[u8; 32]>,
}

impl Question {
    /// A question to a service, about nobody yet.
    pub fn about(service: &'static str, operation: &'static str) -> Question {
        Question { service, operation, ..Question::default() }
    }
}

/// Says nothing of the persons.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("service", &self.service)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// What is logged: the question, who asked it, and how long the answer took.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who asked.
    pub asker: Arc<Asker>,
    /// What.
    pub question: Question,
    /// How long it took to answer.
    pub elapsed: Duration,
}

/// Where answered questions are told.
pub trait AccessLog: Send + Sync {
    /// Takes an answered question; called before its answer leaves.
    ///
    /// # Errors
    /// [`NotLogged`]: the answer must not leave.
    fn record(&self, entry: Entry) -> Result<(), NotLogged>;
}

/// Who asks, and the log that is told. A request to a service carries one, so that no host forgets the log.
#[derive(Clone, Copy)]
pub struct Caller<'a>(Option<(&'a dyn AccessLog, &'a Arc<Asker>)>);

impl<'a> Caller<'a> {
    /// Questions of `asker`, told to `log`.
    pub fn new(log: &'a dyn AccessLog, asker: &'a Arc<Asker>) -> Caller<'a> {
        Caller(Some((log, asker)))
    }

    /// Nobody is told: for tests, and for a host that keeps an account of its own.
    pub fn unlogged() -> Caller<'static> {
        Caller(None)
    }

    /// A question has come in.
    pub fn begin(self) -> Inquiry<'a> {
        Inquiry(self.0.map(|(log, asker)| (log, asker, Instant::now())))
    }
}

/// Says whether there is a log.
impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Caller(logged)" } else { "Caller(unlogged)" })
    }
}

impl PartialEq for Caller<'_> {
    fn eq(&self, other: &Caller<'_>) -> bool {
        match (self.0, other.0) {
            (None, None) => true,
            (Some((log, asker)), Some((log_of_other, asker_of_other))) => {
                std::ptr::addr_eq(log, log_of_other) && asker == asker_of_other
            }
            _ => false,
        }
    }
}

impl Eq for Caller<'_> {}

/// A question that is being answered.
#[must_use = "an answered question is to be logged"]
pub struct Inquiry<'a>(Option<(&'a dyn AccessLog, &'a Arc<Asker>, Instant)>);

impl Inquiry<'_> {
    /// The answer is ready to leave; `question` is called when there is a log, and says with
    /// [`NotLogged::Unaccountable`] that it cannot tell who stands in the answer.
    ///
    /// # Errors
    /// [`NotLogged`]: the answer must not leave.
    pub fn answered(self, question: impl FnOnce() -> Result<Question, NotLogged>) -> Result<(), NotLogged> {
        let Some((log, asker, since)) = self.0 else { return Ok(()) };
        let question = question()?;
        log.record(Entry { asker: asker.clone(), question, elapsed: since.elapsed() })
    }
}
