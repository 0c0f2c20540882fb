//! Matching three ways: as stored when a delivery was applied, as told later from the images, and as a matcher that is
//! written from the definition knows it, filter by filter and person by person.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_replika::cpr_extract::{LineEnd, Padding, Style};
use cpr_replika::cpr_subscription::{ImageChange, Profile, Reason};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Match, Matches, Replika, UnknownNumbers};
use cpr_replika::{FilterChange, cpr_subscription::Filter};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::kit::{self, DAYS, TASK, config, extract_as, std_family};
use crate::subscriptions::{filter, name};

const NUMBERS: [&str; 4] = ["6101801231", "6101801232", "7212554441", "6802080009"];

const PROFILES: [Profile; 3] = [
    Profile::SF6002,
    Profile { within: true, enters: true, leaves: true, number_chain: true, derived_events: true },
    Profile { within: false, enters: true, leaves: false, number_chain: true, derived_events: false },
];

const FILTERS: [&str; 18] = [
    "everything",
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    "0-17",
    "18-45",
    "46-46",
    "0101",
    "0851",
    "A01",
    "A21",
    "P03",
    "0851:8512",
    "0851:8512:091",
    "0-17+0851",
    "18-45+A21",
    "0-45+0101",
    "6101801231+A01",
];

/// A person as a delivery says it is: the rows it is written from.
#[derive(Clone, Debug)]
struct Told {
    birth: &'static str,
    /// KOMKOD, VEJKOD and HUSNR.
    address: Option<(&'static str, &'static str, &'static str)>,
    current: Option<&'static str>,
    former: Vec<&'static str>,
    /// HAENDELSE and AFLEDTMRK.
    events: Vec<(&'static str, &'static str)>,
}

impl Told {
    fn rows(&self) -> String {
        let mut rows = "001 STATUS=01".to_owned();
        if !self.birth.is_empty() {
            rows += &format!(", FOED_DT={}", self.birth);
        }
        self.current.iter().for_each(|number| rows += &format!(", PNRGAELD={number}"));
        if let Some((municipality, street, house)) = self.address {
            rows += &format!("\n002 KOMKOD={municipality}, VEJKOD={street}, HUSNR={house}");
        }
        for number in &self.former {
            rows += &format!("\n022 PNR={number}, START_DT-PERSON=1980-01-01, SLUT_DT-PERSON=1990-01-01");
        }
        for (at, (code, mark)) in self.events.iter().enumerate() {
            rows += &format!("\n099 HAENDELSE={code}, AFLEDTMRK={mark}, TIMESTAMPU=2026010512{at:02}");
        }
        rows
    }

    /// The other numbers of the same person that the rows name.
    fn mentions(&self) -> BTreeSet<&'static str> {
        self.current.into_iter().chain(self.former.iter().copied()).collect()
    }
}

fn told() -> impl Strategy<Value = Told> {
    let birth = select(vec!["", "1980-01-05", "1979-00-00", "2008-01-05", "2008-01-06", "2008-02-29"]);
    let address = select(vec![
        None,
        Some(("0101", "1188", "012")),
        Some(("0851", "8512", "091")),
        Some(("0851", "8512", "091A")),
        Some(("0851", "0042", "091")),
    ]);
    let current = prop::option::weighted(0.2, select(NUMBERS.to_vec()));
    let former = subsequence(NUMBERS.to_vec(), 0..=1);
    let events = vec![("A01", ""), ("A21", ""), ("A21", "ÆG"), ("P03", "PN"), ("A45", "")];
    let events = subsequence(events.clone(), 0..=events.len());
    (birth, address, current, former, events).prop_map(|(birth, address, current, former, events)| Told {
        birth,
        address,
        current,
        former,
        events,
    })
}

/// What the definition looks at, written down as it is defined.
struct Definition<'a> {
    number: &'a str,
    before: Option<&'a Told>,
    after: &'a Told,
    /// Other numbers of the same person.
    chain: BTreeSet<&'static str>,
    day: &'static str,
}

/// Filter, with which image it holds, and the mark of an event or that an *all of* is derived.
type Why = (String, Option<ImageChange>, String);

impl Definition<'_> {
    fn reasons(&self, text: &str) -> Vec<Why> {
        let why = |change, mark: &str| (text.to_owned(), change, mark.to_owned());
        if text.contains('+') {
            return self.all_of(text).into_iter().collect();
        }
        if is_number(text) {
            let own = (text == self.number).then(|| why(None, ""));
            let chain = (text != self.number && self.chain.contains(text)).then(|| why(None, "chain"));
            return own.into_iter().chain(chain).collect();
        }
        if is_code(text) {
            let events = self.after.events.iter().filter(|(code, _)| *code == text);
            return events.map(|(_, mark)| why(None, mark)).collect();
        }
        if text == "everything" {
            return vec![why(None, "")];
        }
        let before = self.before.is_some_and(|told| self.holds(text, told));
        change(before, self.holds(text, self.after)).map(|change| why(Some(change), "")).into_iter().collect()
    }

    fn all_of(&self, text: &str) -> Option<Why> {
        let (images, day): (Vec<&str>, Vec<&str>) =
            text.split('+').partition(|member| !is_number(member) && !is_code(member));
        let mut derived = false;
        for member in day {
            let found = self.reasons(member);
            let found: Vec<&Why> = found.iter().filter(|(_, _, mark)| mark != "chain").collect();
            if found.is_empty() {
                return None;
            }
            derived |= found.iter().all(|(_, _, mark)| !mark.is_empty());
        }
        let all = |told: &Told| images.iter().all(|member| self.holds(member, told));
        let change = match images.is_empty() {
            true => None,
            false => Some(change(self.before.is_some_and(all), all(self.after))?),
        };
        Some((text.to_owned(), change, if derived { "derived" } else { "" }.to_owned()))
    }

    /// Whether an age, a municipality or an address holds in an image.
    fn holds(&self, text: &str, told: &Told) -> bool {
        if let Some((from, to)) = text.split_once('-') {
            let ages = from.parse().unwrap()..=to.parse().unwrap();
            return age(told.birth, self.day).is_some_and(|age| ages.contains(&age));
        }
        let Some((municipality, street, house)) = told.address else { return false };
        let wanted: Vec<&str> = text.split(':').collect();
        wanted.iter().zip([municipality, street, house]).all(|(wanted, is)| *wanted == is)
    }
}

fn is_number(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    text.len() == 3
}

fn change(before: bool, after: bool) -> Option<ImageChange> {
    match (before, after) {
        (true, true) => Some(ImageChange::Within),
        (false, true) => Some(ImageChange::Enters),
        (true, false) => Some(ImageChange::Leaves),
        (false, false) => None,
    }
}

/// Full years by the calendar.
fn age(birth: &str, day: &str) -> Option<i32> {
    let parts = |text: &str| text.split('-').map(|part| part.parse::<i32>().ok()).collect::<Option<Vec<_>>>();
    let (birth, day) = (parts(birth)?, parts(day)?);
    let years = day[0] - birth[0] - i32::from((day[1], day[2]) < (birth[1], birth[2]));
    (years >= 0).then_some(years)
}

fn delivers(profile: Profile, (text, change, mark): &Why) -> bool {
    let image = match change {
        None => true,
        Some(ImageChange::Within) => profile.within,
        Some(ImageChange::Enters) => profile.enters,
        Some(ImageChange::Leaves) => profile.leaves,
    };
    let chain = mark == "chain";
    let derived = !chain && !mark.is_empty();
    assert!(!derived || is_code(text) || text.contains('+'), "only events are derived");
    image && (!chain || profile.number_chain) && (!derived || profile.derived_events)
}

/// The engine's reason in the words of the definition.
fn why(reason: &Reason, found: &Match, matches: &Matches) -> Why {
    let (text, change, mark) = match reason {
        Reason::Everything => ("everything".to_owned(), None, String::new()),
        Reason::Number => (found.pnr.reveal().to_owned(), None, String::new()),
        Reason::NumberChain(other) => (other.pnr().reveal().to_owned(), None, "chain".to_owned()),
        Reason::Municipality(code, change) => (code.to_string(), Some(*change), String::new()),
        Reason::Age(range, change) => (range.to_string(), Some(*change), String::new()),
        Reason::Address(address, change) => (address.reveal(), Some(*change), String::new()),
        Reason::Event(code, mark) => (code.to_string(), None, mark.map_or(String::new(), |mark| mark.to_string())),
        Reason::AllOf { filter, change, derived } => {
            let derived = if *derived { "derived" } else { "" };
            (matches.all_of(*filter).expect("a reason of these").reveal(), *change, derived.to_owned())
        }
    };
    (text, change, mark)
}

/// Everything that is told in one case.
#[derive(Clone, Debug)]
struct Story {
    deliveries: Vec<BTreeMap<&'static str, Told>>,
    /// Before each delivery: subscriber, added or removed, filter.
    changes: Vec<Vec<(usize, bool, &'static str)>>,
    /// The first delivery is a load.
    loads: bool,
    full_width: bool,
    window_years: u8,
}

fn story() -> impl Strategy<Value = Story> {
    let delivery = prop::collection::btree_map(select(NUMBERS.to_vec()), told(), 0..=NUMBERS.len());
    let changes = (0..PROFILES.len(), prop::bool::weighted(0.7), select(FILTERS.to_vec()));
    let changes = prop::collection::vec(changes, 0..8);
    let parts = (
        prop::collection::vec(delivery, 4),
        prop::collection::vec(changes, 4),
        any::<bool>(),
        any::<bool>(),
        select(vec![0, 5, 99]),
    );
    parts.prop_map(|(deliveries, changes, loads, full_width, window_years)| Story {
        deliveries,
        changes,
        loads,
        full_width,
        window_years,
    })
}

/// What the definition says of each delivery: for each subscriber, the persons with their reasons.
type Expected = Vec<Vec<BTreeMap<&'static str, BTreeSet<Why>>>>;

fn expected(story: &Story) -> Expected {
    let mut held: BTreeMap<&'static str, Told> = BTreeMap::new();
    // Historic rows that fall out of the window stay known, so what they name does.
    let mut mentions: BTreeMap<&'static str, BTreeSet<&'static str>> = BTreeMap::new();
    let mut following = vec![BTreeSet::new(); PROFILES.len()];
    let mut all = Vec::new();
    for (at, delivery) in story.deliveries.iter().enumerate() {
        for (subscriber, added, text) in &story.changes[at] {
            let filters: &mut BTreeSet<&str> = &mut following[*subscriber];
            _ = if *added { filters.insert(text) } else { filters.remove(text) };
        }
        let named_before = mentions.clone();
        let before = held.clone();
        for (number, told) in delivery {
            let former = before.get(number).map_or(Vec::new(), |before| before.former.clone());
            let mut told = told.clone();
            let named = told.mentions();
            if story.window_years != 99 {
                told.former.extend(former);
            }
            let kept = told.mentions();
            mentions.insert(number, named.into_iter().chain(kept).collect());
            held.insert(number, told);
        }
        let mut of_delivery = vec![BTreeMap::new(); PROFILES.len()];
        for (&number, told) in delivery.iter().filter(|_| at > 0 || !story.loads) {
            let mut chain: BTreeSet<&str> = mentions[number].clone();
            chain.extend(named_before.get(number).into_iter().flatten());
            chain.extend(mentions.iter().filter(|(_, named)| named.contains(number)).map(|(holder, _)| *holder));
            let definition = Definition { number, before: before.get(number), after: told, chain, day: DAYS[at + 1] };
            for (subscriber, filters) in following.iter().enumerate() {
                let reasons: BTreeSet<Why> = filters.iter().flat_map(|text| definition.reasons(text)).collect();
                if !reasons.is_empty() {
                    of_delivery[subscriber].insert(number, reasons);
                }
            }
        }
        all.push(of_delivery);
    }
    all
}

/// Tells the engine the story.
fn engine(story: &Story) -> Replika {
    let replika = Replika::in_memory(&Config { window_years: story.window_years, ..config() }).unwrap();
    for (at, profile) in PROFILES.into_iter().enumerate() {
        replika.add_subscriber(&name(&at.to_string()), profile).unwrap();
    }
    for (at, delivery) in story.deliveries.iter().enumerate() {
        for (subscriber, added, text) in &story.changes[at] {
            let change: fn(Filter) -> FilterChange = if *added { FilterChange::Add } else { FilterChange::Remove };
            let change = [change(filter(text))];
            replika.change_filters(&name(&subscriber.to_string()), &change, UnknownNumbers::Keep).unwrap();
        }
        let padding = if story.full_width { Padding::Full } else { Padding::Cut };
        let style = Style { line_end: LineEnd::Lf, padding, trailer: Vec::new() };
        let rows: Vec<(&str, String)> = delivery.iter().map(|(number, told)| (*number, told.rows())).collect();
        let persons: Vec<kit::Person<'_>> = rows.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
        let file = extract_as(std_family(), style, TASK, [DAYS[at + 1], DAYS[at]], &persons);
        let options = ApplyOptions::named("made up");
        let told = match at == 0 && story.loads {
            true => replika.load(Cursor::new(file), &options),
            false => replika.apply(Cursor::new(file), &options),
        };
        told.unwrap();
    }
    replika
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn matches_are_the_same_at_once_later_and_by_the_definition(story in story()) {
        let replika = engine(&story);
        let snapshot = replika.snapshot();
        prop_assert_eq!(snapshot.verify().unwrap().faults, []);
        for (at, of_delivery) in expected(&story).into_iter().enumerate() {
            let delivery = DeliveryNumber(at as u32 + 1);
            for (subscriber, (profile, defined)) in PROFILES.into_iter().zip(of_delivery).enumerate() {
                let subscriber = name(&subscriber.to_string());
                let matches = snapshot.matches(delivery, &subscriber).unwrap();
                let later: BTreeMap<&str, BTreeSet<Why>> = matches
                    .persons
                    .iter()
                    .map(|found| {
                        let reasons = found.reasons.iter().map(|reason| why(reason, found, &matches));
                        (found.pnr.reveal(), reasons.collect())
                    })
                    .collect();
                prop_assert_eq!(&later, &defined, "reasons of delivery {} for {}", delivery, &subscriber);
                let stored: BTreeSet<String> = snapshot
                    .matched(delivery, &subscriber)
                    .unwrap()
                    .iter()
                    .map(|key| key.pnr().reveal().to_owned())
                    .collect();
                let delivered = defined.iter().filter(|(_, reasons)| reasons.iter().any(|why| delivers(profile, why)));
                let delivered: BTreeSet<String> = delivered.map(|(number, _)| (*number).to_owned()).collect();
                prop_assert_eq!(stored, delivered, "persons of delivery {} for {}", delivery, &subscriber);
                let told = matches.persons.iter().all(|found| {
                    found.delivered == found.reasons.iter().any(|reason| profile.delivers(reason))
                });
                prop_assert!(told, "what is stored is what the reasons deliver");
            }
        }
    }
}
