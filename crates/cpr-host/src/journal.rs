//! What the host tells of itself: a JSON line for each call, and one for whatever else happens.
//!
//! A line names system, agreement, service, operation and outcome, as the platform's own log does; it has no room for a
//! number, a name or a word of a request. Whom a call was about stands in the access log, as a pseudonym.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
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
    /// Takes a line. It does not wait for whoever reads it.
    fn tell(&self, line: &Line);

    /// Waits, not for long, until what was told is written: the process ends.
    fn finish(&self) {}
}

/// Lines that wait to be written, at most.
const WAITING: usize = 10_000;
/// How long is waited at the end for those that wait.
const LAST: Duration = Duration::from_millis(300);

/// Lines as JSON, each with the time, written by a thread of its own: nobody waits for whoever reads them. Where that
/// one is so slow that too many wait, lines are lost, and how many is told.
#[derive(Debug)]
pub struct JsonLines {
    waiting: SyncSender<Waiting>,
    lost: Arc<AtomicU64>,
}

/// What the writer is given.
#[derive(Debug)]
enum Waiting {
    Line(Vec<u8>),
    /// Everything before it was written.
    Done(SyncSender<()>),
}

impl JsonLines {
    /// Lines to a writer.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn new(out: impl Write + Send + 'static) -> io::Result<JsonLines> {
        let (waiting, lines) = mpsc::sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        thread::Builder::new().name("journal".to_owned()).spawn(move || write_lines(out, &lines, &counted))?;
        Ok(JsonLines { waiting, lost })
    }
}

/// Writes lines until there is nobody to tell any. One that cannot be written is lost: calls about persons are accounted
/// for by the access log.
fn write_lines(mut out: impl Write, lines: &Receiver<Waiting>, lost: &AtomicU64) {
    for waiting in lines {
        match waiting {
            Waiting::Line(text) => drop(out.write_all(&text)),
            Waiting::Done(done) => drop(done.try_send(())),
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let told = Line::event("lines_lost", Some(lost.to_string()), None);
            to_json(&told).map(|text| out.write_all(&text).ok());
        }
    }
}

#[derive(Serialize)]
struct Timed<'a> {
    time: String,
    #[serde(flatten)]
    line: &'a Line,
}

fn to_json(line: &Line) -> Option<Vec<u8>> {
    let time = format!("{:.3}", jiff::Timestamp::now());
    let mut text = serde_json::to_vec(&Timed { time, line }).ok()?;
    text.push(b'\n');
    Some(text)
}

impl Journal for JsonLines {
    fn tell(&self, line: &Line) {
        let Some(text) = to_json(line) else { return };
        if self.waiting.try_send(Waiting::Line(text)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn finish(&self) {
        let (done, is_done) = mpsc::sync_channel(1);
        if self.waiting.try_send(Waiting::Done(done)).is_ok() {
            is_done.recv_timeout(LAST).ok();
        }
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// A reader that takes nothing until it is told to.
    struct Stalled {
        goes_on: Receiver<()>,
        read: Sender<String>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.goes_on.recv().ok();
            self.read.send(String::from_utf8_lossy(bytes).into_owned()).ok();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_stalls_and_what_is_lost_is_counted() {
        let ((go_on, goes_on), (read, lines)) = (mpsc::channel(), mpsc::channel());
        let journal = JsonLines::new(Stalled { goes_on, read }).expect("a thread");
        for _ in 0..WAITING + 100 {
            journal.tell(&Line::event("started", None, None));
        }
        drop(go_on);
        journal.finish();
        drop(journal);
        let lines: Vec<String> = lines.into_iter().collect();
        let started = lines.iter().filter(|line| line.contains("\"started\"")).count();
        let lost =
            lines.iter().filter_map(|line| line.split("\"about\":\"").nth(1)?.split('"').next()?.parse::<usize>().ok());
        assert_eq!(started + lost.sum::<usize>(), WAITING + 100);
        assert!(started >= WAITING, "{started} were kept");
    }
}
