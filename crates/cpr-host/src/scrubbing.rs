//! Scrubs: while the host answers, the store and the packs are read block by block at the rate that is configured, so
//! that what a disk has lost in silence is told before somebody asks for it.
//!
//! The first begins when the host does, each further one so long after the last one began. Damage is told and nothing is
//! done about it: whoever runs the host has copies, and `replika salvage`.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use cpr_replika::{Error, Options, Packed, Replika, ScrubProgress, VerifyReport};

use crate::config::Scrub;
use crate::journal::{Journal, Line};
use crate::metrics::{Metrics, Number};

/// How often it is looked whether the next one is due.
const BEAT: Duration = Duration::from_millis(200);
/// Places that a line names.
const MOST_PLACES: usize = 5;

/// Scrubs the store and the packs again and again.
pub(crate) struct Scrubber {
    pub(crate) config: Scrub,
    pub(crate) replika: Arc<Replika>,
    /// The folder of packs, when there is one.
    pub(crate) packs: Option<PathBuf>,
    /// How packs are opened.
    pub(crate) options: Options,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Scrubber {
    /// Scrubs until the host is to end.
    pub(crate) fn run(&self) {
        while !self.stopping.load(Ordering::Relaxed) {
            let begun = Instant::now();
            self.scrub();
            while begun.elapsed() < self.config.every && !self.stopping.load(Ordering::Relaxed) {
                thread::sleep(BEAT.min(self.config.every));
            }
        }
    }

    /// One that cannot be read to its end keeps nobody from what was found of the other.
    fn scrub(&self) {
        let rate = NonZeroU64::new(self.config.bytes_a_second);
        let go_on = |_: ScrubProgress| match self.stopping.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let store = Some(("store", self.replika.scrub(rate, go_on)));
        let packs = self.packs.as_ref().map(|folder| ("packs", Packed::scrub(folder, &self.options, rate, go_on)));
        let (mut reports, mut is_whole) = (Vec::new(), true);
        for (what, found) in [store, packs].into_iter().flatten() {
            match found {
                Ok(report) => reports.push((what, report)),
                Err(Error::Stopped) => return,
                Err(error) => {
                    is_whole = false;
                    self.journal.tell(&Line::event("scrub_failed", Some(what.to_owned()), Some(error.to_string())));
                }
            }
        }
        if is_whole || reports.iter().any(|(_, report)| report.fault_count > 0) {
            self.tell(&reports);
        }
    }

    fn tell(&self, reports: &[(&'static str, VerifyReport)]) {
        let faults: u64 = reports.iter().map(|(_, report)| report.fault_count).sum();
        let blocks: u64 = reports.iter().map(|(_, report)| report.blocks).sum();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.metrics.set(Number::ScrubFaults, faults);
        self.metrics.set(Number::ScrubFinished, now);
        self.metrics.add(Number::Scrubs);
        let about = Some(format!("{blocks} blocks"));
        if faults == 0 {
            return self.journal.tell(&Line::event("scrubbed", about, None));
        }
        let of = |(what, report): &(&'static str, VerifyReport)| {
            let places = report.faults.iter().filter_map(|fault| Some(format!("{}: {}", fault.place?, fault.what)));
            let places: Vec<String> = places.take(MOST_PLACES).collect();
            (report.fault_count > 0).then(|| format!("{what}: {} faults, {}", report.fault_count, places.join("; ")))
        };
        let told: Vec<String> = reports.iter().filter_map(of).collect();
        self.journal.tell(&Line::event("damage_found", about, Some(told.join("; "))));
    }
}
