//! Four processes read packs while a fifth writes nights, and each of them is killed at any moment: every answer is of
//! one delivery.
//!
//! The processes are this test itself, started anew. `PACKS_NIGHTS=200 cargo test --release -p cpr-services --test it
//! packs_killed -- --nocapture` is the big run.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cpr_population::Population;
use cpr_replika::cpr_model::{Date, MunicipalityCode};
use cpr_replika::cpr_pack::{Checks, Pack};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Options, Packed, Query, Replika, Snapshot};
use cpr_services::{Caller, NoRegister, Request, gctp, sf1520};

use crate::packs::Register;

const FOLDER: &str = "PACKS_FOLDER";
const TASK: &str = "PACKS_TASK";
const NIGHTS: &str = "PACKS_NIGHTS";
const READERS: usize = 4;
const PERSONS: u32 = 40;

fn population() -> Population {
    Population::new(12, PERSONS)
}

/// What a reader may ask; each answer is a number, which differs where the answer does.
struct Questions {
    population: Population,
    municipalities: Vec<MunicipalityCode>,
    day: Date,
}

impl Questions {
    fn new() -> Questions {
        let population = population();
        let places = (0..PERSONS).filter_map(|rank| population.street_at(rank));
        let municipalities: BTreeSet<u16> = places.map(|(municipality, ..)| municipality).collect();
        let municipalities = municipalities.into_iter().map(MunicipalityCode).collect();
        Questions { population, municipalities, day: Date::parse("2026-02-01").unwrap() }
    }

    /// The services on each person, who lives in each municipality, and everything.
    fn count(&self) -> usize {
        PERSONS as usize + self.municipalities.len() + 1
    }

    fn answer(&self, snapshot: &Snapshot, question: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        let persons = PERSONS as usize;
        if question < persons {
            self.ask_services(snapshot, question as u32, &mut hasher);
        } else if let Some(code) = self.municipalities.get(question - persons) {
            let found = snapshot.find(&Query::municipality(*code)).unwrap();
            let mut rows = Vec::new();
            (snapshot.export_persons(&found, &mut rows).unwrap(), rows).hash(&mut hasher);
        } else {
            let mut rows = Vec::new();
            (snapshot.export(None, &mut rows).unwrap(), rows).hash(&mut hasher);
            assert!(snapshot.verify().unwrap().is_clean());
        }
        hasher.finish()
    }

    fn ask_services(&self, snapshot: &Snapshot, rank: u32, hasher: &mut DefaultHasher) {
        let request = Request::on(self.population.pnr_at(rank), self.day, Caller::unlogged());
        for service in gctp::Service::ALL {
            let answer = gctp::answer(snapshot, service, &request).unwrap();
            answer.found().map(|found| found.to_xml().unwrap()).hash(hasher);
        }
        let answer = sf1520::answer(snapshot, sf1520::Version::V5, &request, &NoRegister).unwrap();
        answer.found().map(|found| found.answer.to_xml(sf1520::Version::V5).unwrap()).hash(hasher);
    }
}

/// Where the processes work.
struct Place<'f>(&'f Path);

impl Place<'_> {
    fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    fn packs(&self) -> PathBuf {
        self.0.join("packs")
    }

    /// The extract of a delivery.
    fn extract(&self, delivery: u32) -> PathBuf {
        self.0.join(format!("extract-{delivery}"))
    }

    /// Makes the extracts, and the store after the first of them. Returns the answers to all questions after each.
    fn prepare(&self, nights: u32) -> Vec<Vec<u64>> {
        let population = population();
        let register = Register::new(&population, "std");
        let mut deltas = population.deltas(&register.product, 12);
        let questions = Questions::new();
        let answers = |snapshot: Snapshot| {
            let all = 0..questions.count();
            all.map(|question| questions.answer(&snapshot, question)).collect::<Vec<_>>()
        };
        let full = population.full_extract(Vec::new(), &register.product).unwrap();
        let replika = Replika::create(self.store(), &Config::default()).unwrap();
        replika.load(Cursor::new(full), &ApplyOptions::named("full")).unwrap();
        replika.snapshot().write_pack(self.packs()).unwrap();
        let mut expected = vec![Vec::new(), answers(register.replika.snapshot())];
        for delivery in 2..2 + nights {
            let delta = deltas.next_delta(Vec::new()).unwrap();
            fs::write(self.extract(delivery), &delta).unwrap();
            register.deliver(delta);
            expected.push(answers(register.replika.snapshot()));
        }
        expected
    }

    /// Applies what is left of the nights, and writes packs after each. Goes on where one that was killed had come to.
    fn write_nights(&self) {
        let replika = Replika::open(self.store()).unwrap();
        replika.snapshot().write_pack(self.packs()).unwrap();
        loop {
            let delivery = replika.snapshot().known().0 + 1;
            let Ok(delta) = fs::read(self.extract(delivery)) else { return };
            replika.apply(Cursor::new(delta), &ApplyOptions::named("delta")).unwrap();
            replika.snapshot().write_pack(self.packs()).unwrap();
            if delivery.is_multiple_of(3) {
                replika.snapshot().write_base(self.packs()).unwrap();
            }
        }
    }

    /// Answers until it is killed, and says each answer in one write of a few bytes, which a pipe takes whole or not.
    fn answer_questions(&self, reader: usize) {
        let packed = match reader % 2 {
            0 => Packed::open(self.packs()),
            _ => Packed::open_with(self.packs(), |path| Pack::read(path, Checks::AtEveryRead)),
        };
        let (packed, questions) = (packed.unwrap(), Questions::new());
        for turn in reader.. {
            packed.poll().unwrap();
            let (snapshot, question) = (packed.snapshot(), turn * 7 % questions.count());
            let answer = questions.answer(&snapshot, question);
            std::io::stderr().write_all(format!("{} {question} {answer}\n", snapshot.known()).as_bytes()).unwrap();
        }
    }

    fn start(&self, task: &str) -> Process {
        let test = "packs_killed::what_is_read_beside_a_writer_is_of_one_delivery_whoever_is_killed";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(FOLDER, self.0).env(TASK, task);
        Process(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

/// Killed when it is dropped.
struct Process(process::Child);

impl Process {
    fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        BufReader::new(self.0.stderr.take().unwrap()).lines().map(|line| line.unwrap())
    }

    fn kill(&mut self) -> ExitStatus {
        let _ = self.0.kill();
        self.0.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a reader has said, in all its lives.
#[derive(Default)]
struct Heard {
    answers: usize,
    lives: usize,
    deliveries: BTreeSet<usize>,
}

impl Heard {
    /// Starts a reader and kills it again and again, until it has read the last delivery after the writer was done.
    fn hear(place: &Place<'_>, reader: usize, expected: &[Vec<u64>], is_written: &AtomicBool) -> Heard {
        let mut heard = Heard::default();
        loop {
            let was_written = is_written.load(Ordering::Acquire);
            let mut process = place.start(&reader.to_string());
            let mut lines = process.lines();
            let most = 1 + (heard.lives * 17 + reader * 5) % 60;
            let mut last = 0;
            lines.by_ref().take(most).for_each(|line| last = heard.note(&line, expected));
            process.kill();
            lines.for_each(|line| last = heard.note(&line, expected));
            heard.lives += 1;
            if was_written {
                assert_eq!(last, expected.len() - 1, "what was written is read");
                return heard;
            }
        }
    }

    fn note(&mut self, line: &str, expected: &[Vec<u64>]) -> usize {
        let numbers: Option<Vec<u64>> = line.split(' ').map(|number| number.parse().ok()).collect();
        let Some([delivery, question, answer]) = numbers.as_deref() else { panic!("a reader says: {line}") };
        let delivery = *delivery as usize;
        assert_eq!(expected[delivery][*question as usize], *answer, "question {question} as of delivery {delivery}");
        self.answers += 1;
        self.deliveries.insert(delivery);
        delivery
    }
}

/// Starts the writer until it has written all nights, and kills it at moments that are spread over its work. Returns
/// how often.
fn write_and_kill(place: &Place<'_>) -> u32 {
    for kills in 0u32.. {
        let mut process = place.start("write");
        let said = process.lines();
        let said = thread::spawn(move || said.collect::<Vec<_>>().join("\n"));
        // Longer from life to life: on a machine that is busy it comes to its end too.
        thread::sleep(Duration::from_millis(u64::from(10 + kills * 37 % (50 + 25 * kills))));
        let is_done = process.0.try_wait().unwrap().is_some();
        let status = process.kill();
        let said = said.join().unwrap();
        if is_done {
            assert!(status.success(), "the writer says: {said}");
            return kills;
        }
    }
    unreachable!("a writer that lives longer each time comes to its end")
}

#[test]
fn what_is_read_beside_a_writer_is_of_one_delivery_whoever_is_killed() {
    if let (Some(folder), Ok(task)) = (std::env::var_os(FOLDER), std::env::var(TASK)) {
        let place = Place(Path::new(&folder));
        return task.parse().map_or_else(|_| place.write_nights(), |reader| place.answer_questions(reader));
    }
    let nights = std::env::var(NIGHTS).map_or(8, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let place = Place(folder.path());
    let (expected, is_written) = (place.prepare(nights), AtomicBool::new(false));
    let (kills, heard) = thread::scope(|scope| {
        let hear = |reader| Heard::hear(&place, reader, &expected, &is_written);
        let readers: Vec<_> = (0..READERS).map(|reader| scope.spawn(move || hear(reader))).collect();
        let kills = thread::Builder::new().spawn_scoped(scope, || write_and_kill(&place)).unwrap().join();
        is_written.store(true, Ordering::Release);
        (kills.unwrap(), readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>())
    });
    let answers: usize = heard.iter().map(|heard| heard.answers).sum();
    let lives: usize = heard.iter().map(|heard| heard.lives).sum();
    let deliveries = heard.into_iter().fold(BTreeSet::new(), |all, heard| &all | &heard.deliveries).len();
    println!("{answers} answers of {deliveries} deliveries, 0 wrong; {kills} writers and {lives} readers killed");
    assert!(kills > 0 && lives > READERS && deliveries > 1);
    assert!(Packed::verify(place.packs(), &Options::default()).unwrap().is_clean());
    let replika = Replika::open(place.store()).unwrap();
    assert_eq!(replika.snapshot().known(), DeliveryNumber(nights + 1));
    assert!(replika.snapshot().verify().unwrap().is_clean());
    let files = fs::read_dir(place.packs()).unwrap().count();
    assert!(files <= 4, "CURRENT, LOCK, a base and an overlay, and nothing that the killed have left");
}
