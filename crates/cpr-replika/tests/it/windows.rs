//! Stores whose customer gets a few years of history only, beside a naive model: what was ever stated and not taken
//! back.
//!
//! The model keeps, for each person, the rows that came last and those that have left the window since, until a row
//! that came says otherwise of their time. It compares every row with every other and knows no index.

use std::collections::{BTreeMap, BTreeSet};

use cpr_replika::cpr_model::{Date, MunicipalityCode, Timestamp};
use cpr_replika::{ALL_HISTORY, Config, DeliveryNumber, NamePart, Query, Replika, Scope, Search, Snapshot};
use proptest::prelude::*;

use crate::kit::{self, PLAIN, TASK, config, pnr, std_family};

const PERSONS: [&str; 3] = ["6101801231", "6101801232", "7212554441"];
const NAMES: [&str; 4] = ["Bæk", "Dam", "Eng", "Fjord"];
const MUNICIPALITIES: [u16; 4] = [101, 751, 657, 851];

/// What holds from a moment until the next entry: a municipality or a surname, by its place in the list above.
type Timeline = BTreeMap<u64, usize>;

/// A person as CPR holds it.
#[derive(Clone, Debug, Default)]
struct Recorded {
    lives: Timeline,
    named: Timeline,
}

/// What happens to a person before a night.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Something else from the night on.
    Changes(usize),
    /// Something else from years before on: what CPR held to be so since then never was.
    Backdated(usize, u32),
    /// The last change was wrong.
    Undone,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0usize..4).prop_map(Event::Changes),
        2 => (0usize..4, 0u32..9).prop_map(|(what, years)| Event::Backdated(what, years)),
        1 => Just(Event::Undone),
    ]
}

fn happen(timeline: &mut Timeline, event: Event, night: u64) {
    match event {
        Event::Changes(what) => _ = timeline.insert(night * 10_000, what),
        Event::Backdated(what, years) => {
            let from = (night - u64::from(years) * 10_000) * 10_000 + 1200;
            timeline.retain(|since, _| *since < from);
            timeline.insert(from, what);
        }
        Event::Undone if timeline.len() > 1 => _ = timeline.pop_last(),
        Event::Undone => {}
    }
    // A change to the same is none.
    let mut last = None;
    timeline.retain(|_, what| last.replace(*what) != Some(*what));
}

/// One row of the model: what it is of, what it says, from and to; no `to` in a current row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Row {
    is_name: bool,
    says: usize,
    from: u64,
    to: Option<u64>,
}

impl Row {
    fn overlaps(&self, other: &Row) -> bool {
        let end = |row: &Row| row.to.unwrap_or(u64::MAX);
        self.is_name == other.is_name && self.from < end(other) && other.from < end(self)
    }

    fn text(&self) -> String {
        let (name, place) = (NAMES[self.says], MUNICIPALITIES[self.says]);
        match (self.is_name, self.to) {
            (true, None) => format!("008 FORNVN=Åse, EFTERNVN={name}, NVNHAENSTART={:012}", self.from),
            (true, Some(to)) => {
                format!("026 FORNVN=Åse, EFTERNVN={name}, NVNHAENSTART={:012}, NVNHAENSLUT={to:012}", self.from)
            }
            (false, None) => format!("002 KOMKOD={place:04}, VEJKOD=0042, TILFLYDTO={:012}", self.from),
            (false, Some(to)) => {
                format!("023 KOMKOD={place:04}, VEJKOD=0042, TILFLYDTO={:012}, FRAFLYDTO={to:012}", self.from)
            }
        }
    }
}

impl Recorded {
    /// The rows of a file whose window leaves out what ended at `window` or before.
    fn rows(&self, window: u64) -> Vec<Row> {
        let of = |is_name: bool, timeline: &Timeline| -> Vec<Row> {
            let starts: Vec<(u64, usize)> = timeline.iter().map(|(from, says)| (*from, *says)).collect();
            let end = |at: usize| starts.get(at + 1).map(|(next, _)| *next);
            (0..starts.len())
                .map(|at| Row { is_name, says: starts[at].1, from: starts[at].0, to: end(at) })
                .filter(|row| row.to.is_none_or(|to| to > window))
                .rev()
                .collect()
        };
        [of(false, &self.lives), of(true, &self.named)].concat()
    }
}

/// What the model believes of a person: the rows of the last file, and those that left the window.
#[derive(Clone, Debug, Default)]
struct Believed {
    rows: Vec<Row>,
    aged: Vec<Row>,
}

impl Believed {
    fn deliver(&mut self, rows: Vec<Row>, window: u64) {
        let came: Vec<Row> = rows.iter().copied().filter(|row| !self.rows.contains(row)).collect();
        let left = std::mem::replace(&mut self.rows, rows);
        let left = left.into_iter().filter(|row| row.to.is_some_and(|to| to <= window));
        self.aged.extend(left);
        self.aged.retain(|row| !self.rows.contains(row) && !came.iter().any(|new| new.overlaps(row)));
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.aged)
    }
}

fn rows_of(snapshot: &Snapshot, person: &str, known: u32) -> BTreeSet<(bool, u64, Option<u64>)> {
    let image = snapshot.as_of(pnr(person), None, Some(DeliveryNumber(known))).unwrap();
    let image = image.expect("a person who is held");
    let dated = image.all_facts().filter(|fact| fact.name().is_some() || fact.address().is_some());
    let digits = |time: Timestamp| time.digits();
    dated
        .map(|fact| (fact.name().is_some(), fact.valid().from.map_or(0, digits), fact.valid().to.map(digits)))
        .collect()
}

fn searched(snapshot: &Snapshot, name: &str, scope: Scope) -> BTreeSet<String> {
    let search = Search { scope, limit: 10, ..Search::now(Query::name(NamePart::Surname, name)) };
    snapshot.search(&search).unwrap().rows.iter().map(|hit| hit.pnr.reveal().to_owned()).collect()
}

fn check(snapshot: &Snapshot, model: &BTreeMap<&str, Believed>, known: u32) {
    for (person, believed) in model {
        let expected = believed.all().map(|row| (row.is_name, row.from, row.to)).collect();
        assert_eq!(rows_of(snapshot, person, known), expected, "what is believed");
        let image = snapshot.as_of(pnr(person), None, Some(DeliveryNumber(known))).unwrap().unwrap();
        for row in believed.all() {
            let at = Timestamp::from_digits(row.from).unwrap();
            let lives = image.all_facts().filter(|fact| fact.address().is_some() && fact.holds_at(at)).count();
            assert!(lives <= 1, "nobody lives in two places at a time");
        }
    }
    for (at, name) in NAMES.iter().enumerate() {
        let bears = |current: bool| -> BTreeSet<String> {
            let is = |row: &&Row| row.is_name && row.says == at && (!current || row.to.is_none());
            model
                .iter()
                .filter(|(_, believed)| believed.all().any(|row| is(&row)))
                .map(|(person, _)| (*person).to_owned())
                .collect()
        };
        assert_eq!(searched(snapshot, name, Scope::Now), bears(true));
        assert_eq!(searched(snapshot, name, Scope::Ever), bears(false));
        let lives =
            |believed: &Believed| believed.rows.iter().any(|row| !row.is_name && row.says == at && row.to.is_none());
        let expected: BTreeSet<String> =
            model.iter().filter(|(_, believed)| lives(believed)).map(|(person, _)| (*person).to_owned()).collect();
        let found = snapshot.find(&Query::municipality(MunicipalityCode(MUNICIPALITIES[at]))).unwrap();
        let found: BTreeSet<String> = found.iter().map(|key| key.pnr().reveal().to_owned()).collect();
        assert_eq!(found, expected);
    }
    let verified = snapshot.verify().unwrap();
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
}

/// Twelve nights, half a year apart, so that rows leave every window but the whole.
fn nights() -> Vec<Date> {
    let digits = (0..12).map(|night| (2019 + night / 2) * 10_000 + if night % 2 == 0 { 107 } else { 707 });
    digits.filter_map(Date::from_digits).collect()
}

type Life = Vec<Vec<(usize, bool, Event)>>;

fn replay(window_years: u8, life: &Life) {
    let replika = Replika::in_memory(&Config { window_years, ..config() }).unwrap();
    let mut recorded: BTreeMap<&str, Recorded> = BTreeMap::new();
    let mut model: BTreeMap<&str, Believed> = BTreeMap::new();
    for person in PERSONS {
        let begun = || Timeline::from([(2010_01_01_1200, 0)]);
        recorded.insert(person, Recorded { lives: begun(), named: begun() });
    }
    let mut previous = Date::from_digits(2019_01_01).unwrap();
    for (at, (night, events)) in nights().into_iter().zip(life).enumerate() {
        for &(person, is_name, event) in events {
            let person = recorded.get_mut(PERSONS[person]).unwrap();
            let timeline = if is_name { &mut person.named } else { &mut person.lives };
            happen(timeline, event, night.digits().into());
        }
        let years = if window_years == ALL_HISTORY { 9999 } else { window_years.into() };
        let window = u64::from(night.years_before(years).digits()) * 10_000;
        let mut persons: Vec<(&str, String)> = Vec::new();
        for (person, recorded) in &recorded {
            let rows = recorded.rows(window);
            let lines: Vec<String> = rows.iter().map(Row::text).collect();
            persons.push((*person, format!("001 STATUS=01, FOED_DT=1980-01-01, KOEN=K\n{}", lines.join("\n"))));
            model.entry(*person).or_default().deliver(rows, window);
        }
        let persons: Vec<kit::Person<'_>> = persons.iter().map(|(person, rows)| (*person, rows.as_str())).collect();
        let days = [night.to_string(), previous.to_string()];
        let extract = kit::extract_as(std_family(), PLAIN, TASK, [&days[0], &days[1]], &persons);
        kit::apply(&replika, &extract).unwrap();
        previous = night;
        check(&replika.snapshot(), &model, at as u32 + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn twelve_nights_leave_what_the_plain_definition_says_under_every_window(
        life in prop::collection::vec(prop::collection::vec((0..PERSONS.len(), any::<bool>(), event()), 0..4), 12),
    ) {
        for window_years in [0, 1, 2, 3, 4, 5, ALL_HISTORY] {
            replay(window_years, &life);
        }
    }
}
