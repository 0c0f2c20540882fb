//! One seed: steps of a made-up store, and what becomes of each when the power is cut, a call fails, the disk fills up
//! or bytes change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use cpr_replika::Replika;

use crate::answers::{self, Answers, KeyNumber, PartName, options};
use crate::crash::{Replay, outcome};
use crate::damage;
use crate::disk::{self, Failing, History, Tree};
use crate::guarded::guarded;
use crate::model::{SUBSCRIBERS, same};
use crate::outgoing::{self, Way};
use crate::part::{Answer, Part};
use crate::questions;
use crate::random::Random;
use crate::steps::{How, Scene, Step, run};

/// Crash states of a step that was taken though a call failed, or that another process has taken up.
const CUT_STATES: usize = 4;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub steps: usize,
    /// Crash states of a step.
    pub states: usize,
    /// Runs of a step with calls that fail.
    pub failures: usize,
    /// Damaged copies of what a step has left.
    pub damages: usize,
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub seeds: u64,
    pub steps: u64,
    /// Different crash states that were opened and asked.
    pub states: u64,
    /// Of those, in which the step was taken again.
    pub again: u64,
    pub failures: u64,
    /// Runs of a process that died, with another one that took up what it had left.
    pub kills: u64,
    pub damages: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.states += other.states;
        self.again += other.again;
        self.failures += other.failures;
        self.kills += other.kills;
        self.damages += other.damages;
    }
}

/// Folders of a trial, in memory where the system has such.
pub struct Folders {
    live: PathBuf,
    crashed: PathBuf,
}

impl Folders {
    pub fn new(home: &Path) -> Folders {
        Folders { live: home.join("live"), crashed: home.join("crashed") }
    }
}

pub struct Trial<'a> {
    folders: &'a Folders,
    effort: Effort,
    random: Random,
    scene: Scene,
    pub tally: Tally,
    /// Whether each step is told.
    is_told: bool,
}

/// What a step is held against.
struct Around<'a> {
    step: &'a Step,
    scene: &'a Scene,
    before: &'a Answers,
    after: &'a Answers,
    /// Keys of the store before and after.
    keys: [KeyNumber; 2],
    /// The names of what it changes.
    touched: BTreeSet<PathBuf>,
}

impl<'a> Trial<'a> {
    pub fn new(folders: &'a Folders, effort: Effort, seed: u64, is_told: bool) -> Trial<'a> {
        let mut random = Random::new(seed);
        let scene = Scene { key: if random.one_in(3) { 1 } else { 0 }, ..Scene::default() };
        Trial { folders, effort, random, scene, tally: Tally { seeds: 1, ..Tally::default() }, is_told }
    }

    /// Takes every step of the seed; an error is a difference from what must be.
    pub fn run(&mut self) -> Result<(), String> {
        disk::write_tree(&self.folders.live, &Tree::default());
        let mut before = Answers::of_nothing();
        for number in 0..self.effort.steps {
            let step = self.scene.choose(&mut self.random);
            let told = |what: String| format!("step {number}, {}: {what}", step.name());
            if self.is_told {
                eprintln!("step {number}: {step:?}");
            }
            before = self.take(&step, before).map_err(told)?;
        }
        Ok(())
    }

    fn take(&mut self, step: &Step, before: Answers) -> Result<Answers, String> {
        let live = &self.folders.live;
        if matches!(step, Step::Restore) {
            fs::remove_file(live.join("restored-store")).ok();
        }
        let mut before = before;
        if matches!(step, Step::Fetch) {
            let fetched = outgoing::fetch(&live.join("sent"));
            before.sent.retain(|name, seen| fetched.get(name) != Some(seen));
        }
        let before = Answers {
            restored: if live.join("restored-store").exists() { before.restored } else { Part::Nothing },
            ..before
        };
        let reader = self.scene.packs.and_then(|key| answers::open_packs(&live.join("packs"), key).ok());
        let seen = reader.as_ref().map(|reader| answers::of_snapshot(&reader.snapshot()));
        disk::arm(live, None);
        let taken = guarded(|| run(step, &self.scene, live, How::Once).map_err(|error| error.to_string()));
        let history = disk::disarm();
        taken.map_err(|error| format!("it fails: {error}"))?;
        check_log(&history, live)?;

        let then = self.scene.clone();
        self.scene.take(step);
        let after = self.check_live(step, &before)?;
        if let Some(reader) = reader {
            same("a reader of packs who stands where he stood", Some(answers::of_snapshot(&reader.snapshot())), seen)?;
        }
        let keys = [then.key, self.scene.key];
        let around = Around { step, scene: &then, before: &before, after: &after, keys, touched: history.touched() };
        self.cut(&around, &history, self.effort.states)?;
        for _ in 0..self.effort.failures {
            self.fail(&around, &history)?;
        }
        self.kill(&around, &history)?;
        for _ in 0..self.effort.damages {
            self.tally.damages +=
                damage::try_one(live, &self.folders.crashed, self.scene.key, &after, &mut self.random)?;
        }
        self.tally.steps += 1;
        Ok(after)
    }

    /// Holds the folder after a step against the model.
    fn check_live(&self, step: &Step, before: &Answers) -> Result<Answers, String> {
        let (live, model) = (&self.folders.live, &self.scene.model);
        let (store, after) = guarded(|| {
            let store = Replika::open_with(live.join("store"), &options(live, self.scene.key));
            let store = store.map_err(|error| format!("it does not open: {error}"))?;
            model.check(&store.snapshot())?;
            let readers = store.consumers().map_err(|error| error.to_string())?;
            let stand = readers.iter().map(|reader| reader.cursor.delivery().0).collect::<Vec<_>>();
            same("where a reader of events stands", stand, model.reader.into_iter().collect::<Vec<_>>())?;
            let answers = answers::of_snapshot(&store.snapshot());
            drop(store);
            Ok((answers, Answers::of(live, &[self.scene.key], self.highest_key(), before, |_| true)))
        })?;
        let is_part = |part: &Part, answers: &[Answer]| matches!(part, Part::Is(found) if found.ends_with(answers));
        let writes_packs = matches!(
            step,
            Step::Pack { .. }
                | Step::Night { packs: true, .. }
                | Step::Erase { packs: true, .. }
                | Step::Tidy { packs: true }
        );
        if writes_packs && after.packs != Part::Is(store) {
            return Err("the packs do not answer as the store".to_owned());
        }
        if !writes_packs && after.packs != before.packs {
            return Err("the packs answer otherwise".to_owned());
        }
        if matches!(step, Step::Mirror) && after.follower != after.packs {
            return Err("the follower does not answer as the packs".to_owned());
        }
        if let (Step::Restore, Part::Is(packs)) = (step, &after.packs)
            && !is_part(&after.restored, packs)
        {
            return Err("the restored store does not answer as the packs".to_owned());
        }
        same("what the access log tells", &after.log, &questions::expected(&self.scene.questions))?;
        let mut sent = before.sent.clone();
        if let Step::Send { delivery, way } = step {
            for subscriber in SUBSCRIBERS {
                let file = self.scene.model.file_for(*delivery, subscriber);
                sent.extend(file.map(|(name, bytes)| outgoing::expected(*way, subscriber, &name, &bytes)));
            }
        }
        same("the files that were sent", &after.sent, &sent)?;
        if matches!(step, Step::Fetch) {
            let again = outgoing::outbox(&live.join("sent")).take_receipts();
            same("which files are told as fetched once more", again, Vec::new())?;
        }
        Ok(after)
    }

    fn highest_key(&self) -> KeyNumber {
        [Some(self.scene.key), self.scene.packs, self.scene.mirrored].into_iter().flatten().max().unwrap_or(0) + 1
    }

    /// Cuts the power at moments of a step, and asks what is left.
    fn cut(&mut self, around: &Around<'_>, history: &History, wanted: usize) -> Result<(), String> {
        let events = history.events.len();
        let mut seen = HashSet::new();
        let mut replay = Replay::new(history);
        // Moments in the order of time, the last one among them; more than one state of some.
        let mut moments: Vec<usize> = (1..wanted).map(|_| self.random.below(events as u64 + 1) as usize).collect();
        moments.push(events);
        moments.sort_unstable();
        for moment in moments {
            while replay.at() < moment && replay.advance() {}
            let crash = replay.crash(&mut self.random);
            if seen.insert((crash.number, replay.is_done)) {
                let is_done = replay.is_done;
                self.check_crash(around, &crash.tree, is_done)
                    .map_err(|what| format!("power cut after event {moment} of {events}: {what}"))?;
            }
        }
        Ok(())
    }

    fn check_crash(&mut self, around: &Around<'_>, tree: &Tree, is_done: bool) -> Result<(), String> {
        self.tally.states += 1;
        let crashed = &self.folders.crashed;
        disk::write_tree(crashed, &Tree::default());
        disk::add_to_tree(crashed, tree, |first| around.has(first));
        let cuts_again = self.random.one_in(64);
        if cuts_again {
            disk::arm(crashed, None);
        }
        let found = guarded(|| Ok(around.ask(crashed, is_done, self.highest_key())));
        let history = disk::disarm();
        let found = found?;
        around.check(&found, Taken::cut_off(is_done))?;
        if cuts_again {
            let mut replay = Replay::new(&history);
            for _ in 0..4 {
                let moment = self.random.below(history.events.len() as u64 + 1) as usize;
                while replay.at() < moment && replay.advance() {}
                self.tally.states += 1;
                disk::write_tree(crashed, &replay.crash(&mut self.random).tree);
                let found = guarded(|| Ok(around.ask(crashed, is_done, self.highest_key())))?;
                around
                    .check(&found, Taken::cut_off(is_done))
                    .map_err(|what| format!("and another one while it was opened: {what}"))?;
            }
        } else if self.random.one_in(8) {
            self.tally.again += 1;
            disk::add_to_tree(crashed, tree, |first| !around.has(first));
            self.check_again(around, &found)?;
        }
        Ok(())
    }

    /// What was cut off is verified, and done once more; what could be fetched before is not there again.
    fn check_again(&mut self, around: &Around<'_>, found: &Answers) -> Result<(), String> {
        let home = &self.folders.crashed;
        let is_store = matches!(found.store, Part::Is(_));
        // A key that was changed halfway is told: one copy of the header is the old one.
        if is_store && !matches!(around.step, Step::Rekey { .. }) {
            let key = around.keys[usize::from(found.store == around.after.store)];
            let faults = guarded(|| {
                let tried = [key, around.keys[0], around.keys[1]]
                    .map(|key| Replika::verify_file(home.join("store"), &options(home, key)));
                let report = tried.into_iter().find_map(Result::ok).ok_or("a store that opens cannot be verified")?;
                Ok(format!("{:?}", report.faults))
            })?;
            same("what a verification finds", faults, "[]".to_owned())?;
        }
        if around.step.counts_twice() && (&found.store, &found.log) == (&around.after.store, &around.after.log) {
            return Ok(());
        }
        if around.has_its_new_key(home) {
            return Ok(());
        }
        let fetches = matches!(around.step, Step::Send { way: Way::Outbox, .. }) && around.touches(PartName::Sent);
        let fetched = match fetches && self.random.one_in(2) {
            true => outgoing::fetch(&home.join("sent")),
            false => BTreeMap::new(),
        };
        guarded(|| take_again(around, home))?;
        let mut found = guarded(|| Ok(around.ask(home, true, self.highest_key())))?;
        for (name, seen) in fetched {
            if found.sent.insert(name, seen).is_some() {
                return Err("done again: a file that was fetched is there to be fetched again".to_owned());
            }
        }
        around.check(&found, Taken::Done).map_err(|what| format!("done again: {what}"))
    }

    /// Has the process die in the middle of the step and another one take it again, and then cuts the power: of what
    /// the first one wrote and did not sync, the second sees all, and the disk may have nothing.
    fn kill(&mut self, around: &Around<'_>, history: &History) -> Result<(), String> {
        if around.step.counts_twice() {
            return Ok(());
        }
        self.tally.kills += 1;
        let crashed = &self.folders.crashed;
        disk::write_tree(crashed, &history.before);
        let at = 1 + self.random.below(history.calls);
        disk::arm(crashed, Some(Failing::DeadFrom(at)));
        // Whatever it says, nobody hears it.
        let dead = guarded(|| Ok(run(around.step, around.scene, crashed, How::Once).is_ok()));
        disk::take_up();
        let taken = match around.has_its_new_key(crashed) {
            true => Ok(()),
            false => guarded(|| take_again(around, crashed)),
        };
        let history = disk::disarm();
        let told = |what: String| format!("killed before call {at}, taken up by another process: {what}");
        dead.and(taken).map_err(told)?;
        self.cut(around, &history, CUT_STATES).map_err(told)
    }

    /// Takes the step with a call that fails, or on a disk that fills up.
    fn fail(&mut self, around: &Around<'_>, history: &History) -> Result<(), String> {
        self.tally.failures += 1;
        let crashed = &self.folders.crashed;
        disk::write_tree(crashed, &history.before);
        let at = 1 + self.random.below(history.calls);
        let another_try = if around.step.counts_twice() { How::Once } else { How::WithAnotherTry };
        // Behind that call the old store is gone, and a power cut may bring it back.
        let naming = history.store_named_at.filter(|_| around.step.replaces_the_store() && self.random.one_in(4));
        let (failing, how) = match self.random.below(3) {
            _ if naming.is_some() => (Failing::Once(naming.unwrap_or_default(), libc::EIO), How::Once),
            0 => (Failing::FullFrom(at), How::Once),
            1 => (Failing::Once(at, libc::EIO), How::Once),
            _ => (Failing::Once(at, libc::EIO), another_try),
        };
        disk::arm(crashed, Some(failing));
        let taken = guarded(|| Ok(run(around.step, around.scene, crashed, how).map_err(|error| error.kind())));
        let taken_history = disk::disarm();
        let told = |what: String| format!("{failing:?}, {how:?}: {what}");
        let taken = taken.map_err(told)?;
        let found = guarded(|| Ok(around.ask(crashed, taken.is_ok(), self.highest_key()))).map_err(told)?;
        around.check(&found, if taken.is_ok() { Taken::Done } else { Taken::Failed }).map_err(told)?;
        if naming.is_some() {
            same("what is told of a store whose new name is not durable", taken, Err("maybe_replaced"))
                .map_err(told)?;
            if found.store != around.after.store {
                return Err(told("told as replaced, and it is not".to_owned()));
            }
        }
        if let Err(kind) = taken {
            let may_be_done = matches!(kind, "maybe_stored" | "maybe_changed" | "maybe_replaced" | "not_packed")
                || how == How::WithAnotherTry;
            if around.step.tells_whether_it_is_done() && !may_be_done && found.store != around.before.store {
                return Err(told(format!("told as {kind}, and it was done")));
            }
            self.check_again(around, &found).map_err(told)?;
        } else {
            self.cut(around, &taken_history, CUT_STATES).map_err(told)?;
        }
        Ok(())
    }
}

/// How far a step came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Taken {
    /// It was told as done.
    Done,
    /// The power was cut before that.
    CutOff,
    /// It was told as failed.
    Failed,
}

impl Taken {
    fn cut_off(is_done: bool) -> Taken {
        if is_done { Taken::Done } else { Taken::CutOff }
    }
}

impl Around<'_> {
    fn ask(&self, home: &Path, is_done: bool, highest: KeyNumber) -> Answers {
        let keys = if is_done { &self.keys[1..] } else { &self.keys[..] };
        Answers::of(home, keys, highest, self.before, |part| self.touches(part))
    }

    /// Whether the step has changed a part, or something beside it on its way there.
    fn touches(&self, part: PartName) -> bool {
        let part = part.path();
        let names = [part.to_owned(), format!(".{part}.new"), format!(".{part}.part")];
        names.iter().any(|name| self.touched.contains(Path::new(name)))
    }

    /// Whether the step gives the store another key, and it has that already.
    fn has_its_new_key(&self, home: &Path) -> bool {
        matches!(self.step, Step::RewriteUnderKey { .. } | Step::Rekey { .. })
            && Replika::open_with(home.join("store"), &options(home, self.keys[0])).is_err()
    }

    fn has(&self, first: &Path) -> bool {
        first == Path::new(answers::KEYS) || self.touched.contains(first)
    }

    /// Days of the access log go one after the other, the oldest first.
    fn is_between(&self, found: &Part) -> bool {
        let (Part::Is(before), Part::Is(found)) = (&self.before.log, found) else { return false };
        let after = if let Part::Is(after) = &self.after.log { &after[..] } else { &[] };
        matches!(self.step, Step::TidyLog { .. }) && before.ends_with(found) && found.ends_with(after)
    }

    /// Before or after, never between; and after, once it was told as done.
    fn check(&self, found: &Answers, taken: Taken) -> Result<(), String> {
        let is_done = taken == Taken::Done;
        let parts = [
            ("store", &found.store, &self.before.store, &self.after.store),
            ("packs", &found.packs, &self.before.packs, &self.after.packs),
            ("follower", &found.follower, &self.before.follower, &self.after.follower),
            ("restored store", &found.restored, &self.before.restored, &self.after.restored),
            ("access log", &found.log, &self.before.log, &self.after.log),
        ];
        for (name, found, before, after) in parts {
            let is_begun =
                matches!(self.step, Step::Create) && matches!(found, Part::Refused("unfinished" | "not_a_store"));
            if found == after || (!is_done && (found == before || is_begun || self.is_between(found))) {
                continue;
            }
            let how = match found {
                Part::Nothing => "is gone".to_owned(),
                Part::Refused(kind) => format!("does not open: {kind}"),
                _ if found == before => "is as before, and was told as changed".to_owned(),
                Part::Is(answers) => match answers.iter().find_map(|answer| answer.err()) {
                    Some(kind) => format!("refuses an answer: {kind}"),
                    None => "answers neither as before nor as after".to_owned(),
                },
            };
            return Err(format!("the {name} {how}"));
        }
        let is_sent = |name: &String| found.sent.get(name) == self.after.sent.get(name);
        if !found.sent.keys().all(is_sent) || !self.before.sent.keys().all(is_sent) {
            return Err("a file that was sent is not what it must be".to_owned());
        }
        let is_noted = self.before.store != self.after.store && found.store == self.after.store;
        // Where one file could not be taken the others are noted; the note of it may change no answer.
        let lacks = match taken {
            Taken::Failed => found.sent == self.before.sent && self.after.sent != self.before.sent,
            Taken::Done | Taken::CutOff => found.sent != self.after.sent,
        };
        if (is_done || is_noted) && lacks {
            return Err("a file is noted as sent, and is not there".to_owned());
        }
        let is_ahead = self.before.packs != self.after.packs && found.packs == self.after.packs;
        if is_ahead && found.store != self.after.store {
            return Err("the packs are ahead of the store".to_owned());
        }
        Ok(())
    }
}

fn take_again(around: &Around<'_>, home: &Path) -> Result<(), String> {
    run(around.step, around.scene, home, How::Again).map_err(|error| format!("it fails when done again: {error}"))
}

/// That every call was noted.
fn check_log(history: &History, live: &Path) -> Result<(), String> {
    let (noted, real) = (outcome(history), disk::read_tree(live));
    let by_name = |tree: &Tree| -> Vec<(PathBuf, Option<std::sync::Arc<Vec<u8>>>)> {
        let content = |node: &disk::Node| match node {
            disk::Node::Folder => None,
            disk::Node::File(file) => Some(std::sync::Arc::clone(&tree.contents[*file])),
        };
        tree.names.iter().map(|(name, node)| (name.clone(), content(node))).collect()
    };
    let (noted, real) = (by_name(&noted), by_name(&real));
    match noted.iter().zip(&real).find(|(noted, real)| noted != real) {
        None if noted.len() == real.len() => Ok(()),
        differs => Err(format!("the simulator has not seen every change: {:?}", differs.map(|(noted, _)| &noted.0))),
    }
}
