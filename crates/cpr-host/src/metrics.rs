//! What is counted, as Prometheus reads it. Labels come from the configuration and from fixed lists, never from a
//! request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::journal::Call;

/// Upper bounds of the classes of times, in seconds.
const BOUNDS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// A number that is counted or told.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Number {
    /// Connections that are open.
    Connections,
    /// Connections turned away since there were too many, all of them being answered.
    ConnectionsRefused,
    /// Connections that had shown a certificate, closed since another one came.
    ConnectionsDisplaced,
    /// Connections without one, closed since another one came.
    StrangersDisplaced,
    /// Handshakes that failed: no certificate, one of another authority, a version of TLS that is too old.
    HandshakesFailed,
    /// Calls that did not get their turn in time.
    CallsTurnedAway,
    /// Bodies that were too large, or too slow.
    BodiesRefused,
    /// Extracts that lie in the inbox.
    ExtractsWaiting,
    /// Extracts that were applied and delivered.
    ExtractsApplied,
    /// Extracts that were refused.
    ExtractsRefused,
    /// 1 when an extract was refused and the line stands still.
    LineStopped,
    /// 1 when the next extract waits for one that is missing, or for trouble to end.
    LineWaits,
    /// Events whose receipt has come.
    EventsPublished,
    /// Tries that were refused.
    EventsRefused,
    /// Events that are parked.
    EventsParked,
    /// Events that wait behind those.
    EventsWaiting,
    /// 1 when nobody takes events.
    EventsUnreachable,
    /// Scrubs that came to their end.
    Scrubs,
    /// What the last one found damaged.
    ScrubFaults,
    /// When it ended, in seconds since 1970 UTC.
    ScrubFinished,
    /// Connections closed since their client had as many as one may have.
    ConnectionsOverShare,
}

/// Name, kind and meaning of each, in the order of [`Number`].
const NUMBERS: [(&str, &str, &str); 21] = [
    ("connections", "gauge", "Open connections."),
    ("connections_refused_total", "counter", "Connections turned away because all places are being answered."),
    ("connections_displaced_total", "counter", "Quiet connections closed because their place was needed."),
    ("strangers_displaced_total", "counter", "Connections without a handshake closed because their place was needed."),
    ("handshakes_failed_total", "counter", "TLS handshakes that failed, those without a certificate among them."),
    ("calls_turned_away_total", "counter", "Calls that did not get their turn in time."),
    ("bodies_refused_total", "counter", "Requests whose body was too large or too slow."),
    ("extracts_waiting", "gauge", "Extracts in the inbox."),
    ("extracts_applied_total", "counter", "Extracts applied and delivered."),
    ("extracts_refused_total", "counter", "Extracts refused."),
    ("line_stopped", "gauge", "1 when an extract was refused and none is taken until somebody has seen to it."),
    ("line_waits", "gauge", "1 when the next extract follows a missing one, or something fails and is tried again."),
    ("events_published_total", "counter", "Events whose receipt has come."),
    ("events_refused_total", "counter", "Tries to publish an event that were refused."),
    ("events_parked", "gauge", "Events that were refused too often, until somebody has seen to them."),
    ("events_waiting", "gauge", "Events that wait behind a parked one of the same person."),
    ("events_unreachable", "gauge", "1 when events are tried again because nobody takes them."),
    ("scrubs_total", "counter", "Scrubs of the store and the packs that came to their end."),
    ("scrub_faults", "gauge", "Places that the last scrub found damaged."),
    ("scrub_finished_seconds", "gauge", "When the last scrub ended, in seconds since 1970 UTC; 0 before."),
    ("connections_over_share_total", "counter", "Connections closed because their certificate had its share of them."),
];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    numbers: [AtomicU64; NUMBERS.len()],
    /// The last delivery whose events are all published, and one more; 0 where none are.
    published: AtomicU64,
    /// By system, service and outcome.
    calls: Mutex<BTreeMap<(String, &'static str, &'static str), u64>>,
    /// Files that wait to be fetched, by system.
    waiting: Mutex<BTreeMap<String, u64>>,
    /// Files that were fetched, by system.
    fetched: Mutex<BTreeMap<String, u64>>,
    /// By service.
    times: Mutex<BTreeMap<&'static str, Times>>,
}

#[derive(Debug, Default)]
struct Times {
    classes: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// One more.
    pub fn add(&self, number: Number) {
        self.numbers[number as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn subtract(&self, number: Number) {
        self.numbers[number as usize].fetch_sub(1, Ordering::Relaxed);
    }

    /// Tells a number.
    pub fn set(&self, number: Number, value: u64) {
        self.numbers[number as usize].store(value, Ordering::Relaxed);
    }

    /// Tells how many files wait to be fetched by each system.
    pub fn set_waiting(&self, waiting: BTreeMap<String, u64>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    /// Tells the last delivery whose events are all published.
    pub fn set_published(&self, delivery: u32) {
        self.published.store(u64::from(delivery) + 1, Ordering::Relaxed);
    }

    /// Counts a file that a system has fetched.
    pub fn count_fetched(&self, system: &str) {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner).entry(system.to_owned()).or_default() += 1;
    }

    /// How many.
    pub fn get(&self, number: Number) -> u64 {
        self.numbers[number as usize].load(Ordering::Relaxed)
    }

    /// Counts a call.
    pub fn count(&self, call: &Call) {
        let key = (call.system.clone().unwrap_or_default(), call.service, call.outcome);
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(call.service).or_default();
        let seconds = call.elapsed.as_secs_f64();
        times.count += 1;
        times.seconds += seconds;
        for (class, bound) in times.classes.iter_mut().zip(BOUNDS) {
            *class += u64::from(seconds <= bound);
        }
    }

    /// The text that Prometheus reads; `delivery` is the last one applied.
    pub fn to_text(&self, delivery: u32) -> String {
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = write!(out, "# HELP cpr_host_{name} {help}\n# TYPE cpr_host_{name} {kind}\n");
        };
        head(&mut out, "delivery", "gauge", "Number of the last delivery applied.");
        let _ = writeln!(out, "cpr_host_delivery {delivery}");
        for (at, (name, kind, help)) in NUMBERS.into_iter().enumerate() {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "cpr_host_{name} {}", self.numbers[at].load(Ordering::Relaxed));
        }
        if let Some(published) = self.published.load(Ordering::Relaxed).checked_sub(1) {
            head(&mut out, "events_lag_deliveries", "gauge", "Deliveries with events that are still to be published.");
            let _ = writeln!(out, "cpr_host_events_lag_deliveries {}", u64::from(delivery).saturating_sub(published));
        }
        head(&mut out, "outbox_files", "gauge", "Files that wait to be fetched, by system.");
        for (system, count) in &*self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(out, "cpr_host_outbox_files{{system=\"{system}\"}} {count}");
        }
        head(&mut out, "files_fetched_total", "counter", "Files that were fetched, by system.");
        for (system, count) in &*self.fetched.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(out, "cpr_host_files_fetched_total{{system=\"{system}\"}} {count}");
        }
        head(&mut out, "calls_total", "counter", "Calls by system, service and outcome.");
        for ((system, service, outcome), count) in &*self.calls.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("system=\"{system}\",service=\"{service}\",outcome=\"{outcome}\"");
            let _ = writeln!(out, "cpr_host_calls_total{{{labels}}} {count}");
        }
        head(&mut out, "call_seconds", "histogram", "Time from the body of a request to its answer, by service.");
        for (service, times) in &*self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            for (bound, class) in BOUNDS.iter().zip(times.classes) {
                let _ = writeln!(out, "cpr_host_call_seconds_bucket{{service=\"{service}\",le=\"{bound}\"}} {class}");
            }
            let (count, seconds) = (times.count, times.seconds);
            let _ = writeln!(out, "cpr_host_call_seconds_bucket{{service=\"{service}\",le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "cpr_host_call_seconds_sum{{service=\"{service}\"}} {seconds}");
            let _ = writeln!(out, "cpr_host_call_seconds_count{{service=\"{service}\"}} {count}");
        }
        out
    }
}
