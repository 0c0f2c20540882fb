//! The inbox: nightly extracts are put into a folder, applied in the order of their names, delivered, and moved to
//! `done/`.
//!
//! Each step leaves the folders so that the next start goes on where it ended: an extract that was applied and not
//! delivered is known by its bytes, and [`Outbox`] knows what it has given. An extract that the engine refuses goes to
//! `refused/`, with the reason in `NAME.reason` beside it, and stops the line until somebody removes that file. One
//! that follows an extract that is not there yet waits for it. Names that begin with a dot, and metadata, are passed
//! over.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use cpr_replika::apply::{ApplyOptions, Outcome, Progress, Report};
use cpr_replika::cpr_extract::PlacedFile;
use cpr_replika::{DeliverOptions, DeliveryNumber, Error, ErrorClass, Replika};

use crate::config;
use crate::journal::{Event, Journal, Line};
use crate::metrics::{Metrics, Number};
use crate::outbox::{Outbox, Steps, write_whole};
use crate::source::KeptPacks;

/// How often the folder is looked at.
const BEAT: Duration = Duration::from_millis(200);
/// How often what is old is removed.
const BETWEEN_TIDYINGS: Duration = Duration::from_secs(3600);
const REASON: &str = ".reason";
/// The first wait before an extract is tried again, and the longest: each try reads all of it.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Takes extracts from a folder.
pub struct Inbox {
    replika: Arc<Replika>,
    packs: Option<KeptPacks>,
    folder: PathBuf,
    settled: Duration,
    keep_days: u32,
    outbox: Outbox,
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
    stopping: Arc<AtomicBool>,
    steps: Steps,
    /// What was last seen of the next file, and when it first looked so.
    seen: Option<(String, u64, Option<SystemTime>, Instant)>,
    /// What was told last, so that it is told once.
    told: Option<(&'static str, String)>,
    /// Names in the folder that are no text, as they were told.
    unreadable: Vec<String>,
    /// Until when nothing is tried again.
    pause: Option<Pause>,
}

/// An extract that could not be taken is left alone for a while, unless the folder changes.
struct Pause {
    /// The names in it; none when it could not be read.
    names: Option<Vec<String>>,
    beat: Beat,
    since: Instant,
    wait: Duration,
}

/// What a look at the folder led to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Beat {
    /// Nothing is there, or nothing that is whole.
    Idle,
    /// An extract was applied, delivered and put away.
    Took,
    /// An extract was refused, or had been: the line stands still.
    Refused,
    /// The next extract follows one that is not there.
    Gap,
    /// Something failed, and is tried again.
    Trouble,
}

/// Why an extract is not put away.
enum Halt {
    Refused(Error),
    Gap(Error),
    Trouble(String),
    Stopped,
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Halt {
        Halt::Trouble(error.to_string())
    }
}

impl Inbox {
    /// Takes extracts from the folder that is configured; when `stopping` is true, no further one.
    pub fn new(
        config: &config::Inbox,
        outbox: Outbox,
        replika: Arc<Replika>,
        journal: Arc<dyn Journal>,
        metrics: Arc<Metrics>,
        stopping: Arc<AtomicBool>,
    ) -> Inbox {
        let (folder, settled, keep_days) = (config.folder.clone(), config.settled, config.keep_days);
        let steps = outbox.steps();
        let packs = None;
        let (seen, told, pause) = (None, None, None);
        Inbox {
            replika,
            packs,
            folder,
            settled,
            keep_days,
            outbox,
            journal,
            metrics,
            stopping,
            steps,
            seen,
            told,
            unreadable: Vec::new(),
            pause,
        }
    }

    /// The same, and the packs have each extract before it is delivered: who asks upon a file is told what is in it.
    #[must_use]
    pub fn keeping(self, packs: Option<KeptPacks>) -> Inbox {
        Inbox { packs, ..self }
    }

    /// Takes extracts until the host is to end.
    pub fn run(mut self) {
        let mut tidied: Option<Instant> = None;
        while !self.stopping.load(Ordering::Relaxed) {
            if tidied.is_none_or(|at| at.elapsed() > BETWEEN_TIDYINGS) {
                self.tidy(SystemTime::now());
                tidied = Some(Instant::now());
            }
            if self.beat() != Beat::Took {
                thread::sleep(BEAT);
            }
        }
    }

    /// Looks at the folder, and takes the next extract when it is whole. One that could not be taken is tried again
    /// after longer and longer waits.
    pub fn beat(&mut self) -> Beat {
        let names = match self.names() {
            Ok((names, unreadable)) => {
                self.tell_unreadable(unreadable);
                Some(names)
            }
            // Told below.
            Err(_) => None,
        };
        let paused = self.pause.as_ref().filter(|pause| pause.names == names && pause.since.elapsed() < pause.wait);
        let beat = match paused.map(|pause| pause.beat) {
            Some(beat) => beat,
            None => self.look(names),
        };
        self.metrics.set(Number::LineStopped, u64::from(beat == Beat::Refused));
        self.metrics.set(Number::LineWaits, u64::from(matches!(beat, Beat::Gap | Beat::Trouble)));
        self.metrics.set_waiting(self.outbox.waiting());
        self.take_receipts();
        beat
    }

    /// Takes the next extract, or says why not.
    fn look(&mut self, names: Option<Vec<String>>) -> Beat {
        let beat = match self.take_next() {
            Ok(None) => Beat::Idle,
            Ok(Some(true)) => Beat::Took,
            Ok(Some(false)) => Beat::Refused,
            Err((_, Halt::Stopped)) => Beat::Idle,
            Err((name, Halt::Gap(error))) => self.say(Beat::Gap, "extract_waits", name, error.to_string()),
            Err((name, Halt::Trouble(error))) => self.say(Beat::Trouble, "inbox_trouble", name, error),
            Err((name, Halt::Refused(error))) => match self.refuse(&name, &error) {
                Ok(()) => {
                    self.metrics.add(Number::ExtractsRefused);
                    self.say(Beat::Refused, "extract_refused", name, error.to_string())
                }
                Err(error) => self.say(Beat::Trouble, "inbox_trouble", name, error.to_string()),
            },
        };
        self.pause = matches!(beat, Beat::Gap | Beat::Trouble).then(|| {
            let before = self.pause.take().filter(|pause| pause.names == names);
            let wait = before.map_or(FIRST_WAIT, |pause| (pause.wait * 2).min(LONGEST_WAIT));
            Pause { names, beat, since: Instant::now(), wait }
        });
        beat
    }

    /// Counts the files that were fetched since the last look.
    fn take_receipts(&self) {
        for (system, name) in self.outbox.take_receipts() {
            self.metrics.count_fetched(&system);
            self.journal.tell(&Line::event("file_fetched", Some(format!("{system}, {name}")), None));
        }
    }

    /// Files that are never taken: CPR's names are ASCII, and one that is no text cannot be told from others.
    fn tell_unreadable(&mut self, names: Vec<String>) {
        for name in names.iter().filter(|name| !self.unreadable.contains(name)) {
            let why = "its name is no text: it is not taken";
            self.journal.tell(&Line::event("extract_name", Some(name.clone()), Some(why.to_owned())));
        }
        self.unreadable = names;
    }

    fn say(&mut self, beat: Beat, event: &'static str, name: String, error: String) -> Beat {
        let told = Some((event, format!("{name} {error}")));
        if self.told != told {
            self.told = told;
            self.journal.tell(&Line::Event(Event { event, about: Some(name), error: Some(error) }));
        }
        beat
    }

    /// True when an extract was put away, false when the line is stopped, none when there is nothing to take.
    fn take_next(&mut self) -> Result<Option<bool>, (String, Halt)> {
        let nameless = |error: io::Error| (String::new(), Halt::from(error));
        let (names, _) = self.names().map_err(nameless)?;
        self.metrics.set(Number::ExtractsWaiting, names.len() as u64);
        if self.finish_refusals(&names).map_err(nameless)? {
            return Ok(Some(false));
        }
        let Some(name) = names.into_iter().next() else { return Ok(None) };
        match self.is_settled(&name) {
            Ok(true) => self.take(&name).map(Some).map_err(|halt| (name, halt)),
            Ok(false) => Ok(None),
            Err(error) => Err((name, error.into())),
        }
    }

    /// Extracts in the order of their names, which is that of CPR's dates; and as far as they can be shown, names that
    /// are no text.
    fn names(&self) -> io::Result<(Vec<String>, Vec<String>)> {
        private_file::make_folder(&self.folder)?;
        let (mut names, mut unreadable) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = match entry.file_name().into_string() {
                Ok(name) => name,
                Err(name) => {
                    unreadable.push(name.to_string_lossy().into_owned());
                    continue;
                }
            };
            let is_beside = name.starts_with('.') || name.ends_with(".metadata") || name.ends_with(".trigger");
            if !is_beside && entry.file_type()?.is_file() {
                names.push(name);
            }
        }
        names.sort();
        unreadable.sort();
        Ok((names, unreadable))
    }

    /// True when the file has not changed for as long as was configured.
    fn is_settled(&mut self, name: &str) -> io::Result<bool> {
        let metadata = fs::metadata(self.folder.join(name))?;
        let (bytes, changed) = (metadata.len(), metadata.modified().ok());
        match &self.seen {
            Some((seen, was, before, since)) if (seen.as_str(), *was, *before) == (name, bytes, changed) => {
                Ok(since.elapsed() >= self.settled)
            }
            _ => {
                self.seen = Some((name.to_owned(), bytes, changed, Instant::now()));
                Ok(self.settled.is_zero())
            }
        }
    }

    fn take(&mut self, name: &str) -> Result<bool, Halt> {
        let path = self.folder.join(name);
        let report = self.apply(name, &path)?;
        (self.steps)("applied")?;
        if let Some(packs) = &self.packs {
            packs.bring(&self.replika).map_err(|error| Halt::Trouble(format!("packs: {error}")))?;
            (self.steps)("packed")?;
        }
        let options = DeliverOptions { pack: self.packs.as_ref().map(KeptPacks::folder) };
        let file = File::open(&path)?;
        let delivered = self.replika.deliver_with(&report.delivery, file, &mut self.outbox, &options);
        let delivered = delivered.map_err(|error| Halt::Trouble(error.to_string()))?;
        if let Some(failed) = delivered.undelivered.into_iter().next() {
            let subscriber = failed.file.subscriber.as_str();
            let is_stopping = self.stopping.load(Ordering::Relaxed);
            return Err(if is_stopping {
                Halt::Stopped
            } else {
                Halt::Trouble(format!("{subscriber}: {}", failed.error))
            });
        }
        (self.steps)("delivered")?;
        self.put_away(name, "done", report.delivery.number)?;
        (self.steps)("done")?;
        self.metrics.add(Number::ExtractsApplied);
        self.told = None;
        let told = format!("{name}, delivery {}, {} files", report.delivery.number.0, delivered.delivered.len());
        let event = if report.outcome == Outcome::AlreadyApplied { "extract_finished" } else { "extract_applied" };
        self.journal.tell(&Line::event(event, Some(told), None));
        Ok(true)
    }

    /// Applies an extract; the first one is a starting point, of which nobody is told.
    fn apply(&self, name: &str, path: &Path) -> Result<Report, Halt> {
        let progress = |_: Progress| match self.stopping.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let options = ApplyOptions {
            applied_at: i64::try_from(now).ok(),
            progress: Some(&progress),
            ..ApplyOptions::named(name)
        };
        let is_first = self.replika.snapshot().known() == DeliveryNumber(0);
        let take = if is_first { Replika::load } else { Replika::apply };
        take(&self.replika, PlacedFile::new(File::open(path)?), &options).map_err(|error| match error {
            Error::Stopped => Halt::Stopped,
            Error::SequenceGap { .. } => Halt::Gap(error),
            // Somebody still writes it.
            Error::Changed => Halt::Trouble(error.to_string()),
            error if matches!(error.class(), ErrorClass::RefusedInput | ErrorClass::OutOfOrder) => Halt::Refused(error),
            error => Halt::Trouble(error.to_string()),
        })
    }

    /// Moves an extract to a folder beside, where another one of its name may lie already.
    fn put_away(&self, name: &str, folder: &str, number: DeliveryNumber) -> io::Result<()> {
        let folder = self.folder.join(folder);
        private_file::make_own_folder(&folder)?;
        let mut to = folder.join(name);
        if to.try_exists()? {
            to = folder.join(format!("{name}.{}", number.0));
        }
        let from = self.folder.join(name);
        fs::rename(&from, &to)?;
        private_file::sync_folder_of(&to)?;
        private_file::sync_folder_of(&from)
    }

    /// The reason first: from then on the line stands still.
    fn refuse(&self, name: &str, error: &Error) -> io::Result<()> {
        let folder = self.folder.join("refused");
        private_file::make_own_folder(&folder)?;
        write_whole(&folder.join(format!("{name}{REASON}")), &mut |out| writeln!(out, "{error}"))?;
        (self.steps)("reason")?;
        self.put_away(name, "refused", self.replika.snapshot().known())?;
        (self.steps)("refused")
    }

    /// True when an extract stands refused. One that was refused when the host was killed is put away first.
    fn finish_refusals(&self, names: &[String]) -> io::Result<bool> {
        let folder = self.folder.join("refused");
        let mut is_stopped = false;
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            // Nobody knows what stands there: nothing is taken over it.
            Err(error) => return Err(error),
        };
        for entry in entries {
            let Ok(reason) = entry?.file_name().into_string() else { continue };
            let Some(name) = reason.strip_suffix(REASON) else { continue };
            is_stopped = true;
            if names.iter().any(|waiting| waiting == name) && !folder.join(name).try_exists()? {
                self.put_away(name, "refused", self.replika.snapshot().known())?;
            }
        }
        Ok(is_stopped)
    }

    /// Removes what is older than is kept. An extract whose reason nobody has removed stays. What should go and cannot
    /// be removed is told: it is about persons.
    pub fn tidy(&self, now: SystemTime) {
        let beside = ["done", "refused"].map(|name| self.folder.join(name));
        for folder in beside.into_iter().chain(self.outbox.state_folders()) {
            if let Err(error) = self.tidy_folder(&folder, now)
                && error.kind() != io::ErrorKind::NotFound
            {
                let folder = folder.display().to_string();
                self.journal.tell(&Line::event("not_tidied", Some(folder), Some(error.to_string())));
            }
        }
    }

    /// Goes on behind what cannot be removed; the last trouble.
    fn tidy_folder(&self, folder: &Path, now: SystemTime) -> io::Result<()> {
        let keep = Duration::from_secs(u64::from(self.keep_days) * 24 * 3600);
        let mut tidied = Ok(());
        for file in fs::read_dir(folder)? {
            let file = file?;
            let path = file.path();
            let changed = file.metadata().and_then(|metadata| metadata.modified());
            let is_old = changed.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > keep));
            let name = file.file_name().to_string_lossy().into_owned();
            let reason = path.with_file_name(format!("{name}{REASON}"));
            let is_open = [REASON, ".staged", ".given"].iter().any(|ending| name.ends_with(ending));
            let is_needed = is_open || reason.exists();
            if is_old && !is_needed {
                tidied = fs::remove_file(&path).and(tidied);
            }
        }
        tidied
    }
}
