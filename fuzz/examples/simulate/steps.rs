//! What is done to a folder, one step at a time: each is one call of the engine on a store that is opened for it and
//! closed again.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use cpr_model::Pnr;
use cpr_replika::{
    ApplyOptions, Config, DeliveryNumber, EraseOptions, Error, EventCursor, FilterChange, Keep, Packed, Replika,
    TidyOptions, UnknownNumbers,
};
use cpr_subscription::Profile;

use crate::answers::{KeyNumber, key_source, make_key, options};
use crate::disk;
use crate::model::{File, MUNICIPALITIES, Model, NUMBERS, PERSONS, SINGLE, SUBSCRIBERS, family, pnr};
use crate::outgoing::{self, Outgoing, Way};
use crate::questions::{self, Asked};
use crate::random::Random;

/// What is done. To send again is what a host does that was killed before it knew; when files are fetched, a reader has
/// taken what could be, and that is seen.
#[derive(Clone, Debug)]
pub enum Step {
    Create,
    Subscribe { subscriber: &'static str },
    Night { file: File, is_load: bool, packs: bool },
    Send { delivery: usize, way: Way },
    SendAgain { delivery: usize, way: Way },
    Fetch,
    Follow { subscriber: &'static str, filter: String },
    Unfollow { subscriber: &'static str, filter: String },
    AddReader,
    Acknowledge { delivery: u32 },
    Erase { persons: Vec<&'static str>, packs: bool },
    Readmit { persons: Vec<&'static str> },
    Keep { filters: Vec<String> },
    Tidy { packs: bool },
    Compact,
    Rekey { to: KeyNumber },
    RewriteUnderKey { to: KeyNumber },
    Pack { base: bool },
    Mirror,
    Restore,
    Ask { asked: Asked },
    TidyLog { today: u32, keep_days: u32 },
}

/// What is there, beside what the model knows.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub model: Model,
    /// The key of the store.
    pub key: KeyNumber,
    /// The key of the packs, once there are some.
    pub packs: Option<KeyNumber>,
    pub mirrored: Option<KeyNumber>,
    /// Deliveries that were sent on.
    pub sent: usize,
    /// Whether the files of the last of them are still what a delivery once more would give, and the way they went.
    pub repeatable: Option<Way>,
    /// Whether there is something to fetch.
    pub is_waiting: bool,
    pub is_subscribed: usize,
    pub is_created: bool,
    /// What the access log must hold, and how many questions there ever were.
    pub questions: Vec<Asked>,
    pub asked: usize,
    /// Days since the first, for the access log.
    pub today: u32,
}

impl Scene {
    /// The next step: the first ones are the same for all.
    pub fn choose(&self, random: &mut Random) -> Step {
        let model = &self.model;
        if !self.is_created {
            return Step::Create;
        }
        if self.is_subscribed < SUBSCRIBERS.len() {
            return Step::Subscribe { subscriber: SUBSCRIBERS[self.is_subscribed] };
        }
        if model.known() == 0 && model.keep.is_none() && random.one_in(5) {
            return Step::Keep { filters: kept(random) };
        }
        if model.known() == 0 {
            return Step::Night { file: model.next_file(random, true), is_load: true, packs: false };
        }
        loop {
            if let Some(step) = self.maybe(random) {
                return step;
            }
        }
    }

    /// A step, when there is something for it.
    fn maybe(&self, random: &mut Random) -> Option<Step> {
        let model = &self.model;
        let subscriber = *random.pick(&SUBSCRIBERS);
        let step = match random.below(30) {
            0..=4 => {
                let (file, packs) = (model.next_file(random, false), random.one_in(3));
                Step::Night { file, is_load: false, packs }
            }
            5..=7 | 26..=29 => self.send(random)?,
            8..=10 => {
                let filter = match random.below(4) {
                    0 => "everything".to_owned(),
                    1 => format!("{:04}", random.pick(&MUNICIPALITIES)),
                    _ => (*random.pick(&PERSONS[..SINGLE])).to_owned(),
                };
                // Followed already, or followed before: the model of the moments between is no business of this.
                let had = model.followed.get(subscriber).is_some_and(|all| all.iter().any(|one| one.filter == filter));
                (!had).then_some(Step::Follow { subscriber, filter })?
            }
            11 => {
                let all = model.followed.get(subscriber)?;
                let filter = all.iter().find(|followed| followed.until.is_none())?.filter.clone();
                Step::Unfollow { subscriber, filter }
            }
            12 if model.reader.is_none() => Step::AddReader,
            12 => Step::Acknowledge { delivery: model.known() as u32 },
            13 => {
                let persons = human_beings(random, 5, |_| true);
                let packs = self.packs == Some(self.key) && random.one_in(2);
                (!persons.is_empty()).then_some(Step::Erase { persons, packs })?
            }
            14 => {
                let persons = human_beings(random, 2, |person| model.barred.contains(person));
                (!persons.is_empty()).then_some(Step::Readmit { persons })?
            }
            15 => Step::Compact,
            16 if self.key > 0 => Step::Rekey { to: self.key + 1 },
            16 => Step::RewriteUnderKey { to: 1 },
            17 => Step::Pack { base: random.one_in(3) },
            18 => self.packs.map(|_| Step::Mirror)?,
            19 => self.packs.map(|_| Step::Restore)?,
            20 | 21 => {
                let day = self.today + if random.one_in(2) { random.below(3) as u32 } else { 0 };
                Step::Ask { asked: Asked { number: self.asked, person: *random.pick(&PERSONS[..]), day } }
            }
            22 => Step::Keep { filters: kept(random) },
            23 | 24 if model.keep.is_none() => return None,
            23 | 24 => {
                let mut after = model.clone();
                after.tidy();
                // Of nobody who goes, packs are not written.
                let goes = after.erases > model.erases;
                Step::Tidy { packs: goes && self.packs == Some(self.key) && random.one_in(2) }
            }
            _ if self.questions.is_empty() => return None,
            _ => Step::TidyLog { today: self.today + random.below(3) as u32, keep_days: random.below(3) as u32 },
        };
        Some(step)
    }

    /// Files on their way.
    fn send(&self, random: &mut Random) -> Option<Step> {
        let step = match random.below(5) {
            0 if self.is_waiting => Step::Fetch,
            1 => Step::SendAgain { delivery: self.sent, way: self.repeatable? },
            _ => Step::Send { delivery: self.next_to_send()?, way: outgoing::choose(random) },
        };
        Some(step)
    }

    fn next_to_send(&self) -> Option<usize> {
        (self.sent + 1..=self.model.known()).find(|&delivery| !self.model.nights[delivery - 1].is_load)
    }

    /// What the step has made of the scene.
    pub fn take(&mut self, step: &Step) {
        let model = &mut self.model;
        if matches!(step, Step::Erase { .. } | Step::Tidy { .. }) {
            self.repeatable = None;
        }
        match step {
            Step::Create => self.is_created = true,
            Step::Subscribe { subscriber } => {
                self.is_subscribed += 1;
                model.followed.entry(subscriber).or_default();
            }
            Step::Night { file, is_load, packs } => {
                model.take(file, *is_load);
                self.packs = if *packs { Some(self.key) } else { self.packs };
            }
            Step::Send { delivery, way } => {
                for subscriber in SUBSCRIBERS {
                    if model.file_for(*delivery, subscriber).is_some() {
                        let day = model.nights[delivery - 1].file.day;
                        model.given.entry(subscriber).or_default().push(day);
                        self.is_waiting |= *way == Way::Outbox;
                    }
                }
                (self.sent, self.repeatable) = (*delivery, Some(*way));
            }
            Step::SendAgain { .. } => {}
            Step::Fetch => self.is_waiting = false,
            Step::Follow { subscriber, filter } => model.follow(subscriber, filter),
            Step::Unfollow { subscriber, filter } => model.unfollow(subscriber, filter),
            Step::AddReader => model.reader = Some(0),
            Step::Acknowledge { delivery } => model.reader = Some(*delivery),
            Step::Erase { persons, packs } => {
                model.erase(persons);
                self.packs = if *packs { Some(self.key) } else { self.packs };
            }
            Step::Keep { filters } => model.keep = Some(filters.clone()),
            Step::Tidy { packs } => {
                model.tidy();
                self.packs = if *packs { Some(self.key) } else { self.packs };
            }
            Step::Readmit { persons } => persons.iter().for_each(|person| _ = model.barred.remove(person)),
            Step::Compact | Step::Restore => {}
            Step::Rekey { to } | Step::RewriteUnderKey { to } => self.key = *to,
            Step::Pack { .. } => self.packs = Some(self.key),
            Step::Mirror => self.mirrored = self.packs,
            Step::Ask { asked } => {
                self.questions.push(asked.clone());
                (self.asked, self.today) = (self.asked + 1, asked.day);
            }
            Step::TidyLog { today, keep_days } => {
                self.questions = questions::left(&self.questions, *today, *keep_days);
                self.today = *today;
            }
        }
    }
}

/// Who is kept from now on: a municipality or two, and a person.
fn kept(random: &mut Random) -> Vec<String> {
    let mut filters: Vec<String> =
        MUNICIPALITIES.iter().filter(|_| random.one_in(2)).map(|code| format!("{code:04}")).collect();
    if random.one_in(2) {
        filters.push((*random.pick(&PERSONS[..SINGLE])).to_owned());
    }
    filters
}

/// Some of those who are asked for, one in so many, each with all numbers.
fn human_beings(random: &mut Random, one_in: u64, wanted: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut some: Vec<&str> = PERSONS[..SINGLE].iter().copied().filter(|_| random.one_in(one_in)).collect();
    if random.one_in(one_in) {
        some.extend(NUMBERS);
    }
    some.retain(|person| wanted(person));
    some
}

/// How a step is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// Once.
    Once,
    /// Where it fails, once more on the same open store.
    WithAnotherTry,
    /// It may have been taken before.
    Again,
}

/// Takes a step in a folder.
pub fn run(step: &Step, scene: &Scene, home: &Path, how: How) -> Result<(), Error> {
    let [store, packs, follower, restored] =
        ["store", "packs", "follower", "restored-store"].map(|name| home.join(name));
    let key = scene.key;
    let taken = match step {
        Step::Create => {
            if how == How::Again && Replika::open_with(&store, &options(home, key)).is_err() {
                // What is told as unfinished is there to be removed.
                fs::remove_file(&store).ok();
            }
            let config = Config { family: Some(family()), ..Config::default() };
            let made = if key > 0 { make_key(home, key) } else { Ok(()) };
            made.and_then(|()| Replika::create_with(&store, &config, &options(home, key))).map(|replika| {
                disk::done();
                drop(replika);
            })
        }
        Step::Rekey { to } => {
            let rekey = || Replika::rekey(&store, &*key_source(home, key), &*key_source(home, *to));
            make_key(home, *to).and_then(|()| rekey()).map(|()| disk::done())
        }
        Step::Mirror => {
            let packs_key = scene.packs.unwrap_or(0);
            Packed::follow(&follower, &packs, &options(home, packs_key)).map(|_| disk::done())
        }
        Step::Restore => {
            let packs_key = scene.packs.unwrap_or(0);
            Replika::restore(&packs, &restored, &options(home, packs_key)).map(|replika| {
                disk::done();
                drop(replika);
            })
        }
        Step::Ask { asked } => questions::ask(&home.join("log"), asked).map(|()| disk::done()),
        Step::TidyLog { today, keep_days } => {
            questions::tidy(&home.join("log"), *today, *keep_days).map(|()| disk::done())
        }
        Step::Fetch => {
            outgoing::outbox(&home.join("sent")).take_receipts();
            disk::done();
            Ok(())
        }
        step => on_store(step, scene, home, how),
    };
    match taken {
        Err(Error::Exists | Error::ConsumerExists | Error::WrongKey) if how == How::Again => Ok(()),
        taken => taken,
    }
}

fn on_store(step: &Step, scene: &Scene, home: &Path, how: How) -> Result<(), Error> {
    let replika = Replika::open_with(home.join("store"), &options(home, scene.key))?;
    let taken = match act(step, scene, &replika, home) {
        Err(_) if how == How::WithAnotherTry => act(step, scene, &replika, home),
        taken => taken,
    };
    taken.map(|()| disk::done())
}

fn act(step: &Step, scene: &Scene, replika: &Replika, home: &Path) -> Result<(), Error> {
    let packs = home.join("packs");
    let folders = [packs.as_path()];
    let go_on = |_| ControlFlow::Continue(());
    let numbers = |persons: &[&str]| persons.iter().map(|person| pnr(person)).collect::<Vec<Pnr>>();
    match step {
        Step::Subscribe { subscriber } => {
            replika.add_subscriber(&subscriber.parse().expect("a name"), Profile::SF6002).map(drop)
        }
        Step::Night { file, is_load, packs: with_packs } => {
            let options = ApplyOptions { pack: with_packs.then_some(&*packs), ..ApplyOptions::named("night") };
            let bytes = Cursor::new(file.bytes());
            let taken = if *is_load { replika.load(bytes, &options) } else { replika.apply(bytes, &options) };
            taken.map(drop)
        }
        Step::Send { delivery, way } | Step::SendAgain { delivery, way } => {
            let file = &scene.model.nights[delivery - 1].file;
            let ledger = replika.snapshot().delivery(DeliveryNumber(*delivery as u32))?;
            let mut sink = Outgoing::new(&home.join("sent"), *way);
            let report = replika.deliver(&ledger, Cursor::new(file.bytes()), &mut sink)?;
            match report.undelivered.into_iter().next() {
                None => Ok(()),
                Some(file) => Err(Error::Folder { doing: "sending a file", source: file.error }),
            }
        }
        Step::Follow { subscriber, filter } => {
            change(replika, subscriber, FilterChange::Add(filter.parse().expect("a filter")))
        }
        Step::Unfollow { subscriber, filter } => {
            change(replika, subscriber, FilterChange::Remove(filter.parse().expect("a filter")))
        }
        Step::AddReader => replika.add_consumer("reader", EventCursor::BEGINNING),
        Step::Acknowledge { delivery } => replika.acknowledge("reader", EventCursor::after(DeliveryNumber(*delivery))),
        Step::Erase { persons, packs } => {
            let folders = &folders[..usize::from(*packs)];
            let options = EraseOptions { unfollow: true, packs: folders, ..EraseOptions::default() };
            replika.erase(&numbers(persons), "a simulation", &options).map(drop)
        }
        Step::Readmit { persons } => replika.readmit(&numbers(persons)).map(drop),
        Step::Keep { filters } => {
            let filters = filters.iter().map(|filter| filter.parse().expect("a filter")).collect();
            replika.keep(&Keep { filters, ..Keep::default() })
        }
        Step::Tidy { packs } => {
            let options = TidyOptions { packs: &folders[..usize::from(*packs)], ..TidyOptions::default() };
            replika.tidy(&options).map(drop)
        }
        Step::Compact => replika.compact(go_on).map(drop),
        Step::RewriteUnderKey { to } => {
            make_key(home, *to)?;
            replika.rewrite_under_key(key_source(home, *to), go_on).map(drop)
        }
        Step::Pack { base: true } => replika.snapshot().write_base(packs).map(drop),
        Step::Pack { base: false } => replika.snapshot().write_pack(packs).map(drop),
        Step::Create | Step::Rekey { .. } | Step::Mirror | Step::Restore => unreachable!("on no open store"),
        Step::Ask { .. } | Step::TidyLog { .. } | Step::Fetch => unreachable!("on no store"),
    }
}

fn change(replika: &Replika, subscriber: &str, change: FilterChange) -> Result<(), Error> {
    replika.change_filters(&subscriber.parse().expect("a name"), &[change], UnknownNumbers::Keep).map(drop)
}

impl Step {
    /// Whether a failure that does not say otherwise leaves the store as before: of whatever one transaction stores, or
    /// one renaming, that is promised.
    pub fn tells_whether_it_is_done(&self) -> bool {
        match self {
            Step::Night { packs, .. } | Step::Erase { packs, .. } | Step::Tidy { packs } => !packs,
            Step::Subscribe { .. } | Step::Follow { .. } | Step::Unfollow { .. } | Step::Readmit { .. } => true,
            Step::AddReader | Step::Acknowledge { .. } | Step::Keep { .. } => true,
            _ => false,
        }
    }

    /// Whether the store is written anew beside itself, and takes its own place.
    pub fn replaces_the_store(&self) -> bool {
        matches!(self, Step::Compact | Step::RewriteUnderKey { .. } | Step::Erase { .. } | Step::Tidy { .. })
    }

    /// Whether the step, taken once more, changes something.
    pub fn counts_twice(&self) -> bool {
        matches!(self, Step::Erase { .. } | Step::Ask { .. })
    }

    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    }
}
