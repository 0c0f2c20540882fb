//! What is asked of the open stores, and that they answer the same.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

use benches::documents;
use benches::packs;
use benches::peers::{self, ENGINE, PACKS, POSTGRESQL, Peer, Question, ROWS};
use benches::results::Results;
use benches::samples::{Run, Subject};
use cpr_replika::cpr_model::{Aspect, Date, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_pack::Checks;
use cpr_replika::cpr_subscription::{AgeRange, birth_dates};
use cpr_replika::{DeliveryNumber, Query, Replika, Snapshot};

use super::{Plan, Prepared, key};

/// Every question to every store that answers it, in turn, round by round.
pub(super) fn reads(plan: &Plan, nights: &Prepared, results: &mut Results) {
    let store = plan.of_store(ENGINE).join("store");
    let (moved, others) = (&nights.moved, &nights.others);
    let [keys, other_keys] = [moved, others].map(|pnrs| pnrs.iter().map(|pnr| key(*pnr)).collect::<Vec<u32>>());
    let peers = plan.open_peers();
    check_documents(&store, &keys, &peers);
    let replika = Replika::open(&store).expect("the store");
    let snapshot = replika.snapshot();
    let packed = packs::open_mapped(&plan.of_store(PACKS), Checks::AtFirstTouch).snapshot();
    let rows: Vec<_> =
        plan.stores().filter(|store| ROWS.contains(store)).map(|name| (name, plan.of_store(name))).collect();
    let counts = Counts::of(&snapshot);
    let mut subjects = vec![Subject::new("the clock alone", "none", |run| run(&mut |at| at))];
    for (name, view) in [(ENGINE, &snapshot), (PACKS, &packed)] {
        subjects.extend(ours(name, view, moved, others));
        subjects.extend(counts.ours(name, view));
    }
    for (name, folder) in &rows {
        subjects.extend(of_rows(name, folder, &keys, &other_keys));
        if *name == POSTGRESQL {
            subjects.extend(counts.of_postgresql(folder));
        }
    }
    for (store, peer) in &peers {
        subjects.push(Subject::new("person now", store, |run| peer.read(&keys, peers::handed_out, run)));
        subjects.push(Subject::new("person now, CRC32 of the bytes", store, |run| {
            peer.read(&keys, peers::checksummed, run);
        }));
    }
    check_answers(&subjects, keys.len());
    check_superseded(&snapshot, moved);
    for _ in 0..plan.rounds {
        for subject in &mut subjects {
            subject.round(keys.len());
        }
    }
    for subject in &subjects {
        for (at, threads) in ["1 thread", "2 threads"].into_iter().enumerate() {
            let (latency, measure) = (subject.median(at), subject.measure);
            results.add(&format!("{measure}, {threads}, p50"), subject.store, "ns", latency.p50);
            results.add(&format!("{measure}, {threads}, p99"), subject.store, "ns", latency.p99);
            results.add(&format!("{measure}, {threads}, mean"), subject.store, "ns", latency.mean);
        }
    }
}

/// The persons who moved have as many superseded rows as the questions say.
fn check_superseded(snapshot: &Snapshot, moved: &[Pnr]) {
    let history = |pnr: Pnr, aspect| snapshot.history(pnr, aspect).expect("a read");
    let versions = moved.iter().flat_map(|pnr| Aspect::all().flat_map(|aspect| history(*pnr, aspect)));
    let gone = versions.filter(|fact| fact.as_fact().known().to.is_some());
    let superseded = gone.count() / moved.len();
    assert!((20..=28).contains(&superseded), "about 20 superseded rows, not {superseded}");
}

/// The moment in the world of every as-of read.
fn moment() -> Timestamp {
    Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"))
}

/// The engine's reads: of persons who moved again and again, and of others.
fn ours<'a>(store: &'static str, snapshot: &'a Snapshot, moved: &'a [Pnr], others: &'a [Pnr]) -> Vec<Subject<'a>> {
    let person = |at: usize| snapshot.person(moved[at]).expect("a read").expect("held");
    let as_of = |pnr: Pnr, valid: Option<Timestamp>| {
        let image = snapshot.as_of(pnr, valid, Some(DeliveryNumber(1))).expect("a read").expect("held");
        if valid.is_some() { image.facts().count() } else { image.all_facts().count() }
    };
    let subject = |measure, get: Box<dyn Fn(usize) -> usize + Sync + 'a>| {
        Subject::new(measure, store, move |run: &mut Run<'_>| run(&mut |at| get(at)))
    };
    vec![
        subject("person now", Box::new(move |at| person(at).delivered().0 as usize)),
        subject("person now, every row", Box::new(move |at| person(at).facts().count())),
        subject(
            "person now, every value decoded",
            Box::new(move |at| {
                let person = person(at);
                let mut rows = 0;
                for fact in person.all_facts() {
                    for value in fact.values().iter() {
                        std::hint::black_box(value);
                    }
                    rows += 1;
                }
                rows
            }),
        ),
        subject(AS_OF_MOVED, Box::new(move |at| as_of(moved[at], Some(moment())))),
        subject(AS_OF_OTHERS, Box::new(move |at| as_of(others[at], Some(moment())))),
        subject("as of a delivery, 20 superseded rows", Box::new(move |at| as_of(moved[at], None))),
        subject(HISTORY, Box::new(move |at| snapshot.history(moved[at], Aspect::Address).expect("a read").len())),
    ]
}

const AS_OF_MOVED: &str = "as of a delivery and a moment, 20 superseded rows";
const AS_OF_OTHERS: &str = "as of a delivery and a moment, unchanged since";
const HISTORY: &str = "history of the address";
const COUNT: &str = "count of a municipality";
const CHILDREN: &str = "count of the children of a municipality";

/// The same questions to the stores of rows.
fn of_rows<'a>(store: &'static str, folder: &'a Path, moved: &'a [u32], others: &'a [u32]) -> Vec<Subject<'a>> {
    let at = Question::AsOf { valid: moment().digits(), known: 1 };
    let asked = [
        ("person now, every value decoded", Question::Now, moved),
        (AS_OF_MOVED, at, moved),
        (AS_OF_OTHERS, at, others),
        (HISTORY, Question::AddressHistory, moved),
    ];
    let subject = |(measure, question, keys)| {
        Subject::new(measure, store, move |run: &mut Run<'_>| peers::read_rows(store, folder, question, keys, run))
    };
    asked.into_iter().map(subject).collect()
}

/// Whom questions about many are about.
struct Counts {
    municipalities: Vec<u16>,
    /// Of children, on the day of the load.
    born: RangeInclusive<Date>,
}

impl Counts {
    /// Every municipality in which somebody lives.
    fn of(snapshot: &Snapshot) -> Counts {
        let lives = |code: &u16| snapshot.count(&Query::municipality(MunicipalityCode(*code))).expect("a count") > 0;
        let day = snapshot.delivery(DeliveryNumber(1)).expect("the load").production_date;
        let children = AgeRange::new(0, 17).ok().and_then(|range| birth_dates(range, day)).expect("dates of birth");
        Counts { municipalities: (1..=999).filter(lives).collect(), born: children }
    }

    fn ours<'a>(&'a self, store: &'static str, snapshot: &'a Snapshot) -> [Subject<'a>; 2] {
        let municipality =
            |at: usize| Query::municipality(MunicipalityCode(self.municipalities[at % self.municipalities.len()]));
        let count = move |query: &Query| snapshot.count(query).expect("a count") as usize;
        let children = move |at| Query::And(vec![municipality(at), Query::Born(self.born.clone())]);
        [
            Subject::new(COUNT, store, move |run: &mut Run<'_>| run(&mut |at| count(&municipality(at)))),
            Subject::new(CHILDREN, store, move |run: &mut Run<'_>| run(&mut |at| count(&children(at)))),
        ]
    }

    fn of_postgresql<'a>(&'a self, folder: &'a Path) -> [Subject<'a>; 2] {
        let born = self.born.start().digits()..=self.born.end().digits();
        let count = |measure, born: Option<RangeInclusive<u32>>| {
            Subject::new(measure, POSTGRESQL, move |run: &mut Run<'_>| {
                peers::read_counts(folder, &self.municipalities, born.clone(), run);
            })
        };
        [count(COUNT, None), count(CHILDREN, Some(born))]
    }
}

/// The peers must hold, byte for byte, the documents that the engine's file does.
fn check_documents(store: &Path, keys: &[u32], peers: &[(&'static str, Box<dyn Peer>)]) {
    let documents: HashMap<u32, Vec<u8>> = documents::of_keys(store, keys).into_iter().collect();
    for (name, peer) in peers {
        peer.read(keys, peers::checksummed, &mut |get| {
            for (at, key) in keys.iter().enumerate() {
                assert!(get(at) == peers::checksummed(&documents[key]), "{name} holds another document");
            }
        });
    }
}

/// Stores that are asked the same must answer the same, or their times say nothing.
fn check_answers(subjects: &[Subject<'_>], persons: usize) {
    let answers = |subject: &Subject<'_>| {
        let mut all = Vec::new();
        (subject.read)(&mut |get| all = (0..persons).map(&mut *get).collect());
        all
    };
    for (at, subject) in subjects.iter().enumerate() {
        // The engine counts deliveries, where the stores of documents hand out bytes.
        let is_asked = |other: &&Subject<'_>| other.measure == subject.measure && other.store != ENGINE;
        let peer = subjects[at + 1..].iter().find(is_asked);
        let counts_deliveries = subject.measure == "person now" && [ENGINE, PACKS].contains(&subject.store);
        if let Some(peer) = peer.filter(|_| !counts_deliveries) {
            assert!(answers(subject) == answers(peer), "{subject:?} and {peer:?} do not answer the same");
        }
    }
}
