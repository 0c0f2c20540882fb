//! A script of a few bytes as three extracts of few persons with up to 2 000 rows each: held line for line, thinned and
//! written back, and the work is in line with the size.
//!
//! Where a kind of work takes more time than so many rows should, it is done again with four times the rows: it may
//! take four times as long, with room for a busy machine, and not sixteen times as work that is quadratic does. Time
//! is that of the processor, in this process; with `REPLIKA_FUZZ_UNTIMED` set it is not looked at. Memory is the
//! fuzzer's to watch (`-rss_limit_mb`).
#![no_main]

use std::io::{Cursor, sink};
use std::sync::LazyLock;
use std::time::Duration;

use cpr_extract::{CheckOptions, Waive, check};
use cpr_model::{Aspect, Timestamp};
use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, Config, DeliveryNumber, EventFilter, FilterChange, NamePart, Outcome, Query, Replika, Scope, Search,
    UnknownNumbers,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::held::hold;
use replika_fuzz::lines::Told;
use replika_fuzz::processor_time::processor_time;
use replika_fuzz::rows::Script;
use replika_fuzz::thinned::thin;
use replika_fuzz::write_back::write_back;

/// What a kind of work may take without another look: this, and so much for each row.
const FLOOR: Duration = Duration::from_millis(20);
const FOR_A_ROW: Duration = Duration::from_micros(10);

/// How many times the rows, and how many times the time they may take.
const LARGER: usize = 4;
const LONGER: u32 = 10;

/// Whether time is looked at.
static TIMED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("REPLIKA_FUZZ_UNTIMED").is_none());

fuzz_target!(|bytes: &[u8]| {
    let Some(script) = Script::read(bytes) else { return };
    let (extracts, rows) = script.extracts(1);
    for extract in &extracts {
        write_back(extract, script.family);
        thin(extract, script.family);
    }
    let (replika, took) = work(&extracts, &script);
    let told: Vec<Told> = extracts.iter().map(|extract| Told::by(extract, script.family)).collect();
    hold(&replika.snapshot(), &told);
    drop(replika);
    if *TIMED && took.iter().any(|(_, took)| *took > FLOOR + FOR_A_ROW * rows as u32) {
        assert_linear(&script, &extracts, took);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let most = max_size.min(Script::MOST_BYTES);
    fuzzer_mutate(data, size.min(most), most)
});

/// Works on more rows, each size twice: what is quadratic is slow every time.
fn assert_linear(script: &Script, extracts: &[Vec<u8>], took: Vec<(&'static str, Duration)>) {
    let least = |a: Vec<(&'static str, Duration)>, b: Vec<(&'static str, Duration)>| {
        let both = a.into_iter().zip(b);
        both.map(|((name, a), (_, b))| (name, a.min(b))).collect::<Vec<_>>()
    };
    let took = least(took, work(extracts, script).1);
    let (larger, rows) = script.extracts(LARGER);
    let took_larger = least(work(&larger, script).1, work(&larger, script).1);
    for ((name, took), (_, took_larger)) in took.into_iter().zip(took_larger) {
        let may = FLOOR + LONGER * took;
        assert!(took_larger < may, "{name}: {took:?}, and {took_larger:?} of {LARGER} times the rows, {rows} in all");
    }
}

/// Puts the extracts into a store of their family, which an extract of nobody does not tell, asks it everything, and
/// tells what took how long.
fn work(extracts: &[Vec<u8>], script: &Script) -> (Replika, Vec<(&'static str, Duration)>) {
    let mut watch = Watch { started: processor_time(), took: Vec::new() };
    for extract in extracts {
        let options =
            CheckOptions { family: script.family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
        let checked = check(Cursor::new(extract), options).expect("memory can be read");
        assert!(checked.is_sound(), "a script that writes no sound extract: {}", checked.faults[0]);
    }
    watch.lap("check");
    let replika = Replika::in_memory(&Config {
        window_years: script.window_years,
        family: Some(script.family),
        ..Config::default()
    });
    let replika = replika.expect("a window there is");
    let subscriber = "somebody".parse().expect("a name");
    replika.add_subscriber(&subscriber, Profile::SF6002).expect("a new name");
    for filter in ["everything", "A01", "0-17", "0001"].map(|filter| filter.parse().expect("a filter")) {
        let change = [FilterChange::Add(filter)];
        replika.change_filters(&subscriber, &change, UnknownNumbers::Keep).expect("a filter");
    }
    for extract in extracts {
        let report = replika.apply(Cursor::new(extract), &ApplyOptions::named("made-up"));
        let report = report.unwrap_or_else(|error| panic!("a sound extract: {}", error.kind()));
        assert_eq!(report.outcome, Outcome::Applied);
        watch.lap(["apply 1", "apply 2", "apply 3"][report.delivery.number.0 as usize - 1]);
    }
    const SOUND: &str = "a store of sound extracts answers";
    let snapshot = replika.snapshot();
    assert!(snapshot.verify().expect(SOUND).is_clean());
    watch.lap("verify");
    let persons: Vec<_> = snapshot.pnrs().expect(SOUND).map(|pnr| pnr.expect(SOUND)).collect();
    let deliveries: Vec<_> = (1..=snapshot.known().0).map(DeliveryNumber).collect();
    for known in deliveries.iter().copied() {
        let at = Timestamp::end_of(snapshot.delivery(known).expect(SOUND).production_date);
        for pnr in persons.iter().copied() {
            snapshot.group(pnr, Some(known)).expect(SOUND);
            if let Some(image) = snapshot.as_of(pnr, Some(at), Some(known)).expect(SOUND) {
                let _ = (image.facts().count(), image.residence(at));
            }
            snapshot.diff(pnr, DeliveryNumber(known.0 - 1), known).expect(SOUND);
        }
    }
    watch.lap("as of, difference");
    for pnr in persons.iter().copied() {
        for aspect in Aspect::all() {
            snapshot.history(pnr, aspect).expect(SOUND);
            snapshot.timeline(pnr, aspect, None).expect(SOUND);
            snapshot.holding(pnr, aspect, None).expect(SOUND);
        }
    }
    watch.lap("history, timeline");
    for pnr in persons.iter().copied() {
        snapshot.numbers(pnr, None).expect(SOUND);
        snapshot.events(pnr).expect(SOUND);
    }
    watch.lap("numbers, received events");
    for pnr in persons.iter().copied() {
        snapshot.about(pnr).expect(SOUND);
    }
    watch.lap("everything about a person");
    for delivery in deliveries {
        for event in snapshot.events_of(delivery, EventFilter::default()).expect(SOUND) {
            event.expect(SOUND);
        }
        watch.lap("events");
        snapshot.matches(delivery, &subscriber).expect(SOUND);
        watch.lap("matches");
    }
    for scope in [Scope::Ever, Scope::AtTheSameTime] {
        let lives = Query::municipality(cpr_model::MunicipalityCode(1));
        let query = Query::And(vec![lives, Query::name(NamePart::Any, "1")]);
        snapshot.search(&Search { scope, ..Search::now(query) }).expect(SOUND);
    }
    watch.lap("search");
    snapshot.export(None, &mut sink()).expect(SOUND);
    watch.lap("export");
    (replika, watch.took)
}

/// The time of the processor since the last lap.
struct Watch {
    started: Duration,
    took: Vec<(&'static str, Duration)>,
}

impl Watch {
    fn lap(&mut self, name: &'static str) {
        let now = processor_time();
        self.took.push((name, now - self.started));
        self.started = now;
    }
}
