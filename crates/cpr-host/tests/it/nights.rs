//! Nights through the inbox, with the host killed between any two steps.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cpr_host::config::Config;
use cpr_host::demo::Demo;
use cpr_host::demo::requests::subscription;
use cpr_host::inbox::{Beat, Inbox};
use cpr_host::journal::Kept;
use cpr_host::metrics::{Metrics, Number};
use cpr_host::outbox::{Outbox, Steps};
use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_subscription::{Filter, Profile, SubscriberName};
use cpr_replika::deliver::{OutgoingFile, Sink};
use cpr_replika::{FilterChange, Replika, UnknownNumbers};
use cpr_wire::{Endpoint, FileMetadata, Limits};
use private_file::watched;
use tempfile::TempDir;

use crate::kit::Running;

/// A folder whose inbox is looked at by hand.
struct Line {
    folder: TempDir,
    config: Config,
    nights: Vec<PathBuf>,
    journal: Arc<Kept>,
    metrics: Arc<Metrics>,
}

impl Line {
    /// Two systems follow everybody.
    fn new(nights: usize) -> Line {
        let folder = tempfile::tempdir().expect("a folder");
        let any = ([127, 0, 0, 1], 0).into();
        let demo = Demo::prepare(folder.path(), 100, any, any).expect("a demonstration");
        let nights = demo.write_nights(nights).expect("nights");
        let mut config = Config::read(&demo.config).expect("a configuration");
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
        let replika = Replika::open(&config.store).expect("a store");
        for name in ["school", "clinic"] {
            let name: SubscriberName = name.parse().expect("a name");
            replika.add_subscriber(&name, Profile::SF6002).expect("a subscriber");
            let everybody = [FilterChange::Add(Filter::Everything)];
            replika.change_filters(&name, &everybody, UnknownNumbers::Keep).expect("a filter");
        }
        Line { folder, config, nights, journal: Arc::default(), metrics: Arc::default() }
    }

    /// A look at the folder by a host that has just started, and is killed behind so many steps.
    fn beat_until(&self, most_steps: usize) -> Beat {
        self.with_inbox(most_steps, |mut inbox| inbox.beat())
    }

    fn with_inbox<T>(&self, most_steps: usize, ask: impl FnOnce(Inbox) -> T) -> T {
        let done = AtomicUsize::new(0);
        let step = move |_: &'static str| match done.fetch_add(1, Ordering::Relaxed) + 1 >= most_steps {
            true => Err(io::Error::other("killed")),
            false => Ok(()),
        };
        let stopping = Arc::new(AtomicBool::new(false));
        let settings = self.config.inbox.as_ref().expect("an inbox");
        let outbox = Outbox::new(settings.outbox.clone(), self.config.recipients(), stopping.clone(), Arc::new(step));
        let replika = Arc::new(Replika::open(&self.config.store).expect("a store"));
        ask(Inbox::new(settings, outbox, replika, self.journal.clone(), self.metrics.clone(), stopping))
    }

    fn beat(&self) -> Beat {
        self.beat_until(usize::MAX)
    }

    fn put(&self, night: usize) -> String {
        let name = self.nights[night].file_name().expect("a name").to_str().expect("ASCII").to_owned();
        fs::copy(&self.nights[night], self.inbox().join(&name)).expect("a copy");
        name
    }

    fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    /// Fetches what is there, as a reader does: whatever has metadata, and then deletes both.
    fn fetch(&self, system: &str) -> Vec<(String, String)> {
        fetch(&self.folder.path().join("outbox").join(system).join("IN"))
    }
}

/// Names and contents of the files that are whole; they are deleted.
pub(crate) fn fetch(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "metadata") {
            let metadata = fs::read(&path).expect("metadata");
            let metadata = FileMetadata::parse(&metadata, &Limits::REQUEST).expect("a trigger");
            let file = folder.join(&metadata.file_name);
            let bytes = fs::read(&file).expect("the file is there before its metadata");
            assert_eq!(bytes.len() as u64, metadata.bytes, "it is whole");
            let account = folder.parent().and_then(Path::file_name).expect("a system");
            assert_eq!(metadata.recipients, [account.to_str().expect("ASCII")], "readers look for their own account");
            let text: String = bytes.into_iter().map(char::from).collect();
            fs::remove_file(&file).expect("a file");
            fs::remove_file(&path).expect("a file");
            files.push((metadata.file_name, text));
        }
    }
    files
}

#[test]
fn an_extract_that_waits_is_not_read_again_and_again_but_when_another_one_comes() {
    let line = Line::new(3);
    let settings = line.config.inbox.as_ref().expect("an inbox");
    let (stopping, step) = (Arc::new(AtomicBool::new(false)), Arc::new(|_: &'static str| Ok(())));
    let outbox = Outbox::new(settings.outbox.clone(), line.config.recipients(), stopping.clone(), step);
    let replika = Arc::new(Replika::open(&line.config.store).expect("a store"));
    let (journal, metrics) = (line.journal.clone(), line.metrics.clone());
    let mut inbox = Inbox::new(settings, outbox, replika.clone(), journal, metrics, stopping);
    line.put(1);
    let since = Instant::now();
    assert_eq!(inbox.beat(), Beat::Gap);
    let options = cpr_replika::ApplyOptions::named("by hand");
    replika.apply(fs::File::open(&line.nights[0]).expect("a night"), &options).expect("a delivery");
    let beat = inbox.beat();
    // Where the machine was busy elsewhere, the wait may be over.
    if since.elapsed() < Duration::from_millis(200) {
        assert_eq!(beat, Beat::Gap, "it is not tried at once");
    }
    line.put(2);
    if beat == Beat::Gap {
        assert_eq!(inbox.beat(), Beat::Took, "the folder has changed");
    }
    assert_eq!(inbox.beat(), Beat::Took);
}

#[test]
fn each_file_is_given_once_and_whole_wherever_the_host_is_killed() {
    const STEPS: usize = 11;
    let line = Line::new(STEPS + 1);
    let mut fetched = [Vec::new(), Vec::new()];
    let mut fetch_all = || {
        for (system, files) in ["school", "clinic"].into_iter().zip(&mut fetched) {
            files.extend(line.fetch(system));
        }
    };
    for night in 0..=STEPS {
        let name = line.put(night);
        let killed = line.beat_until(night + 1);
        // The last step is the last there is: behind it nothing is left to be done.
        assert_eq!(killed, if night < STEPS { Beat::Trouble } else { Beat::Took }, "night {night}");
        fetch_all();
        assert!(matches!(line.beat(), Beat::Took | Beat::Idle));
        fetch_all();
        assert_eq!(line.beat(), Beat::Idle, "nothing is left of night {night}");
        assert!(line.inbox().join("done").join(name).exists());
    }
    for files in &fetched {
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(files.len(), STEPS + 1, "{names:?}");
        let mut last: Option<&str> = None;
        for (name, text) in files {
            let (produced, previous) = (&text[19..27], &text[27..35]);
            assert!(last.is_none_or(|last| last == previous), "{name} follows the one before");
            assert!(text.lines().last().is_some_and(|line| line.starts_with("999")), "{name} has its end");
            last = Some(produced);
        }
    }
    let agreement = line.config.systems[0].agreements[0].uuid.to_string();
    assert!(fetched[0].iter().all(|(name, _)| name.ends_with(&agreement)), "readers look for their agreement");
}

#[test]
fn days_that_piled_up_are_taken_in_order_and_a_missing_one_is_waited_for() {
    let line = Line::new(3);
    line.put(1);
    line.put(2);
    assert_eq!(line.beat(), Beat::Gap);
    assert_eq!(line.metrics.get(Number::LineWaits), 1);
    line.put(0);
    assert_eq!([line.beat(), line.beat(), line.beat(), line.beat()], [Beat::Took, Beat::Took, Beat::Took, Beat::Idle]);
    assert_eq!(line.metrics.get(Number::LineWaits), 0);
    assert_eq!(line.fetch("school").len(), 3);
    assert_eq!(line.metrics.get(Number::ExtractsApplied), 3);
}

#[test]
fn a_refused_extract_stops_the_line_until_somebody_has_seen_to_it() {
    let line = Line::new(1);
    let night = line.put(0);
    let damaged = "D000000.L123401";
    let text = fs::read(&line.nights[0]).expect("a night");
    fs::write(line.inbox().join(damaged), &text[..text.len() / 2]).expect("a file");
    // Killed when the reason stands, and the file does not lie beside it yet.
    assert_eq!(line.beat_until(1), Beat::Trouble);
    assert!(line.inbox().join(damaged).exists());
    assert_eq!([line.beat(), line.beat()], [Beat::Refused, Beat::Refused]);
    assert_eq!(line.metrics.get(Number::LineStopped), 1);
    let refused = line.inbox().join("refused");
    let reason = fs::read_to_string(refused.join(format!("{damaged}.reason"))).expect("a reason");
    assert!(!reason.trim().is_empty() && refused.join(damaged).exists() && !line.inbox().join(damaged).exists());
    assert!(line.inbox().join(&night).exists(), "the next one waits");
    fs::remove_file(refused.join(format!("{damaged}.reason"))).expect("a file");
    assert_eq!(line.beat(), Beat::Took);
    assert_eq!(line.metrics.get(Number::LineStopped), 0);
}

#[test]
fn what_cannot_be_taken_seen_or_removed_is_told() {
    let line = Line::new(1);
    line.put(0);
    let odd = std::os::unix::ffi::OsStrExt::from_bytes(b"D26\xFF0.L123401");
    fs::write(line.inbox().join::<&std::ffi::OsStr>(odd), "an extract").expect("a file");
    // Whoever cannot see whether an extract stands refused takes none over it.
    fs::write(line.inbox().join("refused"), "in the place of the folder").expect("a file");
    assert_eq!(line.beat(), Beat::Trouble);
    fs::remove_file(line.inbox().join("refused")).expect("a file");
    assert_eq!(line.beat(), Beat::Took);
    let told = |event: &str| line.journal.lines().iter().filter(|line| line.contains(event)).count();
    assert!(told("extract_name") >= 1, "{:?}", line.journal.lines());
    fs::remove_dir_all(line.inbox().join("done")).expect("a folder");
    fs::write(line.inbox().join("done"), "in the place of the folder").expect("a file");
    line.with_inbox(usize::MAX, |inbox| inbox.tidy(std::time::SystemTime::now()));
    assert_eq!(told("not_tidied"), 1, "{:?}", line.journal.lines());
}

#[test]
fn a_file_that_changes_is_not_taken_yet() {
    let mut line = Line::new(1);
    line.config.inbox.as_mut().expect("an inbox").settled = Duration::from_secs(3600);
    line.put(0);
    fs::write(line.inbox().join(".D000001.L123401"), "on its way").expect("a file");
    fs::write(line.inbox().join("D000001.L123401.metadata"), "of a sender").expect("a file");
    assert_eq!(line.beat(), Beat::Idle);
    assert_eq!(line.metrics.get(Number::ExtractsWaiting), 1);
    line.config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
    assert_eq!([line.beat(), line.beat()], [Beat::Took, Beat::Idle]);
}

#[test]
fn who_is_followed_over_soap_is_in_the_file_of_the_next_night() {
    let mut running = Running::start_with(|config| {
        config.inbox.as_mut().expect("an inbox").settled = Duration::from_millis(300);
    });
    let number = running.number();
    let follow = subscription("AddPNRSubscription", &format!("<PNR>{number}</PNR>"));
    assert!(running.ask(Endpoint::Sf6002, "school", &follow).body.contains("ADDED"));
    let nights = running.demo.write_nights(2).expect("nights");
    let inbox = running.folder.path().join("inbox");
    let fetched = running.folder.path().join("outbox/school/IN");
    for (at, night) in nights.iter().enumerate() {
        fs::copy(night, inbox.join(night.file_name().expect("a name"))).expect("a copy");
        let since = Instant::now();
        let files = loop {
            let files = fetch(&fetched);
            if !files.is_empty() {
                break files;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "{:?}", running.journal.lines());
            std::thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(files.len(), 1);
        assert!(files[0].1.contains(&format!("001{number}")), "night {at}");
        assert!(running.watch("/metrics").body.contains("cpr_host_line_stopped 0"));
        running.stop();
        running.start_again(|config| config.inbox.as_mut().expect("an inbox").settled = Duration::from_millis(300));
    }
    assert!(running.watch("/metrics").body.contains("cpr_host_delivery 3"));
    assert!(!running.everything_logged().contains(&number));
}

#[test]
fn the_host_ends_within_two_seconds_of_a_load_and_takes_it_up_again() {
    let mut running = Running::start();
    running.stop();
    let folder = running.folder.path().to_owned();
    let product = Product { family: Family::named("2022").expect("a family"), task: "123401".to_owned() };
    let extract = Population::new(7, 3000).full_extract(Vec::new(), &product).expect("in memory");
    fs::write(folder.join("inbox/D260105.L123401"), extract).expect("a file");
    let store = folder.join("empty.db");
    let onto_empty = |config: &mut Config| {
        config.store = store.clone();
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
    };
    running.start_again(onto_empty);
    std::thread::sleep(Duration::from_millis(300));
    let since = Instant::now();
    running.stop();
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    // A commit under way is not waited for; in a process of its own it would have ended with it.
    let since = Instant::now();
    while Replika::open(&store).is_err() {
        assert!(since.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    running.start_again(onto_empty);
    while !running.watch("/health").body.contains("\"delivery\":1") {
        assert!(since.elapsed() < Duration::from_secs(120), "{:?}", running.journal.lines());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Takes each file by an outbox that is killed, and by the one that comes after it.
struct Killed {
    config: Config,
    kills: usize,
}

impl Sink for Killed {
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        for killed_behind in ["given", "metadata"] {
            let folder = tempfile::tempdir()?;
            let [fetch, state] = [(file.subscriber.as_str(), "IN"), (".state", file.subscriber.as_str())]
                .map(|(above, below)| folder.path().join(above).join(below));
            let outbox =
                |steps: Steps| Outbox::new(folder.path().to_owned(), self.config.recipients(), Arc::default(), steps);
            let kill = move |step: &'static str| match step == killed_behind {
                true => Err(io::Error::other("killed")),
                false => Ok(()),
            };
            outbox(Arc::new(kill)).take(file, write).expect_err("it was killed");
            let mut next = outbox(Arc::new(|_| Ok(())));
            let (taken, synced) = watched::synced(|| next.take(file, write));
            taken?;
            // That it was given, before its metadata is where a reader looks; then that it is there and done.
            assert_eq!(synced, [state.clone(), fetch, state], "killed behind {killed_behind}");
            self.kills += 1;
        }
        Ok(())
    }
}

#[cfg(unix)]
#[test]
fn what_a_killed_host_had_only_renamed_is_durable_before_it_is_noted_as_given() {
    let line = Line::new(1);
    let replika = Replika::open(&line.config.store).expect("a store");
    let night = || fs::File::open(&line.nights[0]).expect("a night");
    let report = replika.apply(night(), &cpr_replika::ApplyOptions::named("night")).expect("a delivery");
    let mut sink = Killed { config: line.config.clone(), kills: 0 };
    let delivered = replika.deliver(&report.delivery, night(), &mut sink).expect("files");
    assert_eq!((delivered.delivered.len(), sink.kills), (2, 4), "each file, killed behind each of two steps");
}
