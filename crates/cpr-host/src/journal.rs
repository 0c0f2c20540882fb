//! What the host tells of itself: a JSON line for each call, and one for whatever else happens.
//!
//! A line names system, agreement, service, operation and outcome, as the platform's own log does; it has no room for a
//! number, a name or a word of a request. Whom a call was about stands in the access log, as a pseudonym.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// A line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A call was answered or refused.
    Call(Call),
    /// Something else has happened.
    Event(Event),
}

/// A call.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The system; none when the certificate is nobody's, or several have it and the request does not say which.
    pub system: Option<String>,
    /// The agreement that allowed it.
    pub agreement: Option<String>,
    /// The service.
    pub service: &'static str,
    /// The operation; none when the request could not be read.
    pub operation: Option<&'static str>,
    /// What became of it.
    pub outcome: &'static str,
    /// The trouble, where it was the host's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took.
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub elapsed: Duration,
}

fn milliseconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1e6).round() / 1e3)
}

/// Something that happened beside calls.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// A stable word.
    pub event: &'static str,
    /// The file, system or address that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Line {
    /// Something that happened.
    pub fn event(event: &'static str, about: Option<String>, error: Option<String>) -> Line {
        Line::Event(Event { event, about, error })
    }
}

/// Where lines go.
pub trait Journal: Send + Sync {
    /// Takes a line.
    fn tell(&self, line: &Line);
}

/// Lines as JSON, each with the time.
#[derive(Debug)]
pub struct JsonLines<W>(Mutex<W>);

impl<W: Write> JsonLines<W> {
    /// Lines to a writer.
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines(Mutex::new(out))
    }
}

#[derive(Serialize)]
struct Timed<'a> {
    time: String,
    #[serde(flatten)]
    line: &'a Line,
}

impl<W: Write + Send> Journal for JsonLines<W> {
    /// A line that cannot be written is lost: calls about persons are accounted for by the access log.
    fn tell(&self, line: &Line) {
        let time = format!("{:.3}", jiff::Timestamp::now());
        let Ok(mut text) = serde_json::to_vec(&Timed { time, line }) else { return };
        text.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text).ok();
    }
}

/// Lines for tests, kept.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Vec<String>>);

impl Kept {
    /// The lines so far, as JSON.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Journal for Kept {
    fn tell(&self, line: &Line) {
        let text = serde_json::to_string(line).expect("a line goes into JSON");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}
