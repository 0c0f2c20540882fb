//! The filters of all subscribers by value, so that a person finds those that can match without looking at the others.
//!
//! Equal filters of several subscribers are one *term*. A term stands in one table, under the one value that it cannot
//! match without: an *all of* under that of its most selective member. A person asks each table with the values of both
//! images; what it finds is then held against the person by the definition of the filter.

use std::collections::BTreeMap;
use std::fmt;

use cpr_model::{Date, MunicipalityCode, PersonKey};

use crate::reason::Outcome;
use crate::{
    AddressSubject, AgeRange, AllOf, AllOfNumber, Change, EventCode, EventLabel, Filter, Followers, PersonChange,
    Profile, Reason, SubscriberNumber, age_on,
};

/// One subscriber: what it follows, and which reasons count.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Unique among those given to one [`Matcher`].
    pub subscriber: SubscriberNumber,
    /// Which reasons deliver.
    pub profile: Profile,
    /// What it follows; nothing is nobody. Filters on numbers may be left out by a caller who looks them up elsewhere.
    pub filters: Vec<Filter>,
}

/// The filters of all subscribers, ready to be held against persons.
pub struct Matcher {
    /// By number.
    pub(crate) subscribers: Vec<Subscriber>,
    /// Distinct profiles of the subscribers.
    pub(crate) profiles: Vec<Profile>,
    /// Positions of those who follow everybody.
    pub(crate) everything: Vec<u32>,
    /// Distinct filters on neither a number nor everybody, in order.
    pub(crate) terms: Vec<Filter>,
    /// Positions of the subscribers of each term.
    pub(crate) followers_of: Lists,
    /// The terms of each subscriber.
    pub(crate) terms_of: Lists,
    tables: Tables,
}

#[derive(Clone, Copy)]
pub(crate) struct Subscriber {
    pub(crate) number: SubscriberNumber,
    pub(crate) profile: Profile,
    /// Its place in [`Matcher::profiles`].
    pub(crate) profile_at: u32,
}

/// Says how many there are.
impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher of {} subscribers with {} terms", self.subscribers.len(), self.terms.len())
    }
}

/// Many short lists, end to end.
pub(crate) struct Lists<T = u32> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Default> Lists<T> {
    /// The lists of `(list, item)` pairs, for lists 0 to `count`; items keep their order. Fewer than 2^32 pairs.
    pub(crate) fn new(count: usize, pairs: &[(u32, T)]) -> Lists<T> {
        let mut ends = vec![0u32; count + 1];
        for &(list, _) in pairs {
            ends[list as usize + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut items = vec![T::default(); pairs.len()];
        for &(list, item) in pairs {
            let next = &mut ends[list as usize];
            items[*next as usize] = item;
            *next += 1;
        }
        ends.truncate(count);
        Lists { ends, items }
    }

    pub(crate) fn of(&self, list: usize) -> &[T] {
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start as usize..self.ends[list] as usize]
    }
}

const MUNICIPALITIES: usize = 10_000;
const AGES: usize = AgeRange::HIGHEST as usize + 1;

/// Terms by the value that they cannot match without.
struct Tables {
    /// Terms by municipality code.
    municipalities: Lists<Gate>,
    /// Street codes and terms by municipality code.
    addresses: Lists<(u16, u32)>,
    /// Age ranges that stand alone, by each age in them.
    ages: Lists,
    /// *All of* nothing but age ranges, by each age in the narrowest.
    age_sets: Lists,
    has_age_sets: bool,
    /// By code.
    events: Vec<(EventCode, u32)>,
    /// *All of* with a number.
    numbers: Vec<(PersonKey, u32)>,
}

/// The member that the fewest persons of a delivery match: by number, address, municipality, code, age.
fn anchor(filter: &Filter) -> &Filter {
    let Filter::AllOf(all) = filter else { return filter };
    let rank = |member: &&Filter| match member {
        Filter::Pnr(_) => (0, 0),
        Filter::Address(_) => (1, 0),
        Filter::Municipality(_) => (2, 0),
        Filter::EventChangeCode(_) => (3, 0),
        Filter::AgeRange(range) => (4, range.to() - range.from()),
        Filter::Everything | Filter::AllOf(_) => (5, 0),
    };
    all.members().iter().min_by_key(rank).expect("an all-of has two members or more")
}

impl Tables {
    fn new(terms: &[Filter]) -> Tables {
        let (mut municipalities, mut addresses, mut ages, mut age_sets) = (vec![], vec![], vec![], vec![]);
        let (mut events, mut numbers) = (vec![], vec![]);
        for (term, filter) in (0u32..).zip(terms) {
            match anchor(filter) {
                Filter::Municipality(code) => municipalities.push((place(*code), Gate::new(term, filter))),
                Filter::Address(address) => addresses.push((place(address.municipality), (address.street.0, term))),
                Filter::EventChangeCode(code) => events.push((*code, term)),
                Filter::Pnr(number) => numbers.push((*number, term)),
                Filter::AgeRange(range) => {
                    let table = if matches!(filter, Filter::AllOf(_)) { &mut age_sets } else { &mut ages };
                    table.extend((range.from()..=range.to()).map(|age| (u32::from(age), term)));
                }
                Filter::Everything | Filter::AllOf(_) => {}
            }
        }
        addresses.sort_unstable();
        events.sort_unstable();
        numbers.sort_unstable();
        Tables {
            municipalities: Lists::new(MUNICIPALITIES, &municipalities),
            addresses: Lists::new(MUNICIPALITIES, &addresses),
            ages: Lists::new(AGES, &ages),
            has_age_sets: !age_sets.is_empty(),
            age_sets: Lists::new(AGES, &age_sets),
            events,
            numbers,
        }
    }

    fn addresses(&self, image: &Image) -> &[(u16, u32)] {
        let (Some(municipality), Some(address)) = (image.municipality, image.address) else { return &[] };
        equal(self.addresses.of(place(municipality) as usize), &address.street.0)
    }
}

/// What a term asks beside its municipality, in so few bytes that most terms of a municipality are passed over without a
/// look at their filters. What passes may still not match.
#[derive(Clone, Copy, Default)]
struct Gate {
    term: u32,
    /// Ages that either image must have; up to `NO_AGE` when the term asks none.
    from: u16,
    to: u16,
    /// A bit for each code asked for.
    codes: u64,
}

/// Stands for the age of an image that has none.
const NO_AGE: u16 = u16::MAX;

impl Gate {
    fn new(term: u32, filter: &Filter) -> Gate {
        let mut gate = Gate { term, from: 0, to: NO_AGE, codes: 0 };
        let members = if let Filter::AllOf(all) = filter { all.members() } else { &[] };
        for member in members {
            match member {
                Filter::AgeRange(range) => {
                    gate.from = gate.from.max(range.from());
                    gate.to = gate.to.min(range.to());
                }
                Filter::EventChangeCode(code) => gate.codes |= bit(*code),
                _ => {}
            }
        }
        gate
    }

    fn admits(&self, ages: [u16; 2], codes: u64) -> bool {
        let is_between = |age| self.from <= age && age <= self.to;
        self.codes & !codes == 0 && (is_between(ages[0]) || is_between(ages[1]))
    }
}

/// One of 64 bits for a code; several codes share one.
fn bit(code: EventCode) -> u64 {
    let [a, b, c] = code.bytes();
    1 << (u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> 26)
}

/// The place of a municipality in its table; codes beyond four digits share the place of none.
fn place(code: MunicipalityCode) -> u32 {
    if usize::from(code.0) < MUNICIPALITIES { u32::from(code.0) } else { 0 }
}

/// The rows of a sorted table under a key.
fn equal<'a, K: Ord>(rows: &'a [(K, u32)], key: &K) -> &'a [(K, u32)] {
    let start = rows.partition_point(|(of, _)| of < key);
    let length = rows[start..].iter().take_while(|(of, _)| of == key).count();
    &rows[start..start + length]
}

/// One image of a person as filters see it on the day.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Image {
    municipality: Option<MunicipalityCode>,
    pub(crate) age: Option<u16>,
    address: Option<AddressSubject>,
}

/// A person as filters see it on the day.
pub(crate) struct Person<'a> {
    pub(crate) change: &'a PersonChange<'a>,
    pub(crate) before: Option<Image>,
    pub(crate) after: Option<Image>,
}

impl<'a> Person<'a> {
    pub(crate) fn new(change: &'a PersonChange<'a>, day: Date) -> Person<'a> {
        let image = |subject: &crate::Subject| Image {
            municipality: subject.municipality,
            age: subject.birth_date.and_then(|birth| age_on(birth, day)).filter(|&age| age <= AgeRange::HIGHEST),
            address: subject.address,
        };
        Person { change, before: change.before.map(image), after: change.after.map(image) }
    }

    /// How a filter matches the person; none when it does not. The definition, whatever led here.
    pub(crate) fn outcome(&self, filter: &Filter) -> Option<Outcome> {
        let image = |change| Some(Outcome { change: Some(change), derived: false });
        match filter {
            Filter::AllOf(all) => self.all(all),
            Filter::Pnr(number) => (*number == self.change.number).then_some(Outcome { change: None, derived: false }),
            Filter::Everything => Some(Outcome { change: None, derived: false }),
            Filter::EventChangeCode(code) => {
                let mut marks = self.change.events.iter().filter(|event| event.code == *code).peekable();
                marks.peek()?;
                Some(Outcome { change: None, derived: marks.all(|event| event.derived_mark.is_some()) })
            }
            Filter::AgeRange(_) | Filter::Municipality(_) | Filter::Address(_) => {
                image(Change::of(holds(filter, &self.before), holds(filter, &self.after))?)
            }
        }
    }

    /// Every number and event must hold today, and what looks at an image all in the same one.
    fn all(&self, all: &AllOf) -> Option<Outcome> {
        let (mut before, mut after, mut has_images, mut derived) = (true, true, false, false);
        for member in all.members() {
            match member {
                Filter::AgeRange(_) | Filter::Municipality(_) | Filter::Address(_) => {
                    has_images = true;
                    before = before && holds(member, &self.before);
                    after = after && holds(member, &self.after);
                    if !before && !after {
                        return None;
                    }
                }
                _ => derived |= self.outcome(member)?.derived,
            }
        }
        let change = if has_images { Some(Change::of(before, after)?) } else { None };
        Some(Outcome { change, derived })
    }
}

/// True when a filter that looks at an image holds in it.
fn holds(filter: &Filter, image: &Option<Image>) -> bool {
    let Some(image) = image else { return false };
    match filter {
        Filter::AgeRange(range) => image.age.is_some_and(|age| range.contains(age)),
        Filter::Municipality(code) => image.municipality == Some(*code),
        Filter::Address(filter) => {
            matches!((image.municipality, &image.address), (Some(code), Some(address)) if filter.holds(code, address))
        }
        _ => false,
    }
}

impl Matcher {
    /// Takes the filters of all subscribers. Those on numbers are given back by number: whoever matches gives each
    /// person its followers ([`PersonChange::followers`]), from there or from a store of its own.
    ///
    /// A subscriber given twice has the filters of both, and the profile of the last.
    pub fn new(subscriptions: impl IntoIterator<Item = Subscription>) -> (Matcher, Followers) {
        let mut numbers = Vec::new();
        let mut terms: BTreeMap<Filter, Vec<SubscriberNumber>> = BTreeMap::new();
        let mut profiles: BTreeMap<SubscriberNumber, Profile> = BTreeMap::new();
        let mut everything: Vec<SubscriberNumber> = Vec::new();
        for Subscription { subscriber, profile, filters } in subscriptions {
            profiles.insert(subscriber, profile);
            for filter in filters {
                match filter {
                    Filter::Pnr(number) => numbers.push((number, subscriber)),
                    Filter::Everything => everything.push(subscriber),
                    filter => terms.entry(filter).or_default().push(subscriber),
                }
            }
        }
        let mut distinct: Vec<Profile> = profiles.values().copied().collect();
        distinct.sort_unstable_by_key(|profile| profile.to_byte());
        distinct.dedup();
        let subscriber = |(number, profile): (SubscriberNumber, Profile)| {
            let at = distinct.binary_search_by_key(&profile.to_byte(), |of| of.to_byte());
            Subscriber { number, profile, profile_at: at.expect("collected above") as u32 }
        };
        let subscribers: Vec<Subscriber> = profiles.into_iter().map(subscriber).collect();
        let position = |number: &SubscriberNumber| position(&subscribers, *number).expect("collected above");
        let mut everything: Vec<u32> = everything.iter().map(position).collect();
        let mut pairs: Vec<(u32, u32)> = (0u32..)
            .zip(terms.values())
            .flat_map(|(term, of)| of.iter().map(move |number| (term, number)))
            .map(|(term, number)| (term, position(number)))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        everything.sort_unstable();
        everything.dedup();
        let followers_of = Lists::new(terms.len(), &pairs);
        let reversed: Vec<(u32, u32)> = pairs.iter().map(|&(term, subscriber)| (subscriber, term)).collect();
        let terms_of = Lists::new(subscribers.len(), &reversed);
        let terms: Vec<Filter> = terms.into_keys().collect();
        let tables = Tables::new(&terms);
        let matcher = Matcher { subscribers, profiles: distinct, everything, terms, followers_of, terms_of, tables };
        (matcher, Followers::new(numbers))
    }

    /// The filter that a reason names.
    pub fn all_of(&self, number: AllOfNumber) -> &Filter {
        &self.terms[number.0 as usize]
    }

    /// The subscribers, by number.
    pub fn subscribers(&self) -> impl ExactSizeIterator<Item = (SubscriberNumber, Profile)> {
        self.subscribers.iter().map(|subscriber| (subscriber.number, subscriber.profile))
    }

    /// The place of a subscriber; none when it was not given to [`Matcher::new`].
    pub(crate) fn position(&self, number: SubscriberNumber) -> Option<u32> {
        position(&self.subscribers, number)
    }

    /// Every reason that any subscriber has for a person, on the day of production; whether it delivers is for
    /// [`Profile::delivers`] to say. Each reason comes once, in no order.
    ///
    /// Followers of the number that were not given to [`Matcher::new`] are passed over.
    pub fn reasons(&self, change: &PersonChange<'_>, day: Date, mut sink: impl FnMut(SubscriberNumber, Reason)) {
        let number = |position: u32| self.subscribers[position as usize].number;
        for &subscriber in &self.everything {
            sink(number(subscriber), Reason::Everything);
        }
        for subscriber in change.followers.iter().filter(|subscriber| self.position(**subscriber).is_some()) {
            sink(*subscriber, Reason::Number);
        }
        for (other, subscriber) in change.chain_followers.iter().filter(|(_, of)| self.position(*of).is_some()) {
            sink(*subscriber, Reason::NumberChain(*other));
        }
        let person = Person::new(change, day);
        let mut each = |term: u32, outcome: Outcome| {
            self.term_reasons(term, outcome, change.events, |reason| {
                for &subscriber in self.followers_of.of(term as usize) {
                    sink(number(subscriber), reason);
                }
            });
        };
        self.matches(&person, &mut each);
        self.age_matches(&person, &mut each);
    }

    /// As [`Matcher::reasons`], for one subscriber: at the cost of its filters, not of everybody's.
    pub fn reasons_of(
        &self,
        subscriber: SubscriberNumber,
        change: &PersonChange<'_>,
        day: Date,
        mut sink: impl FnMut(Reason),
    ) {
        let Some(position) = self.position(subscriber) else { return };
        if self.everything.binary_search(&position).is_ok() {
            sink(Reason::Everything);
        }
        if change.followers.contains(&subscriber) {
            sink(Reason::Number);
        }
        for (other, _) in change.chain_followers.iter().filter(|(_, of)| *of == subscriber) {
            sink(Reason::NumberChain(*other));
        }
        let person = Person::new(change, day);
        for &term in self.terms_of.of(position as usize) {
            if let Some(outcome) = person.outcome(&self.terms[term as usize]) {
                self.term_reasons(term, outcome, change.events, &mut sink);
            }
        }
    }

    /// The reasons that a term gives which matched so: one, but for a code one for each of its marks.
    fn term_reasons(&self, term: u32, outcome: Outcome, events: &[EventLabel], mut sink: impl FnMut(Reason)) {
        let change = || outcome.change.expect("a filter that looks at an image says which");
        match &self.terms[term as usize] {
            Filter::AgeRange(range) => sink(Reason::Age(*range, change())),
            Filter::Municipality(code) => sink(Reason::Municipality(*code, change())),
            Filter::Address(address) => sink(Reason::Address(*address, change())),
            Filter::EventChangeCode(code) => {
                for (at, event) in events.iter().enumerate().filter(|(_, event)| event.code == *code) {
                    if !events[..at].contains(event) {
                        sink(Reason::Event(*code, event.derived_mark));
                    }
                }
            }
            Filter::AllOf(_) => {
                let Outcome { change, derived } = outcome;
                sink(Reason::AllOf { filter: AllOfNumber(term), change, derived });
            }
            Filter::Pnr(_) | Filter::Everything => {}
        }
    }

    /// Gives every term that matches, and how, but for age ranges that stand alone.
    pub(crate) fn matches(&self, person: &Person<'_>, each: &mut impl FnMut(u32, Outcome)) {
        let mut one = |term: u32| {
            if let Some(outcome) = person.outcome(&self.terms[term as usize]) {
                each(term, outcome);
            }
        };
        let (before, after) = (&person.before, &person.after);
        let municipality = |image: &Option<Image>| image.as_ref().and_then(|image| image.municipality);
        let here = municipality(after);
        let left = municipality(before).filter(|code| here != Some(*code));
        let events = person.change.events;
        let ages = [after, before].map(|image| image.as_ref().and_then(|image| image.age).unwrap_or(NO_AGE));
        let codes = events.iter().fold(0, |codes, event| codes | bit(event.code));
        for code in [here, left].into_iter().flatten() {
            let gates = self.tables.municipalities.of(place(code) as usize).iter();
            gates.filter(|gate| gate.admits(ages, codes)).for_each(|gate| one(gate.term));
        }
        let street = |image: &Option<Image>| {
            let image = (*image)?;
            Some((image.municipality?, image.address?.street))
        };
        let left = before.filter(|_| street(before) != street(after));
        for image in [*after, left].iter().flatten() {
            self.tables.addresses(image).iter().for_each(|&(_, term)| one(term));
        }
        for (at, event) in events.iter().enumerate() {
            if !events[..at].iter().any(|earlier| earlier.code == event.code) {
                equal(&self.tables.events, &event.code).iter().for_each(|&(_, term)| one(term));
            }
        }
        if !self.tables.numbers.is_empty() {
            equal(&self.tables.numbers, &person.change.number).iter().for_each(|&(_, term)| one(term));
        }
        if self.tables.has_age_sets {
            self.by_age(&self.tables.age_sets, person, &mut one);
        }
    }

    /// Gives every age range that stands alone and matches, and how.
    pub(crate) fn age_matches(&self, person: &Person<'_>, each: &mut impl FnMut(u32, Outcome)) {
        self.by_age(&self.tables.ages, person, &mut |term| {
            if let Some(outcome) = person.outcome(&self.terms[term as usize]) {
                each(term, outcome);
            }
        });
    }

    /// Gives every term of a table that stands under the age of either image, once.
    fn by_age(&self, table: &Lists, person: &Person<'_>, each: &mut impl FnMut(u32)) {
        let age = |image: &Option<Image>| image.as_ref().and_then(|image| image.age);
        let (before, after) = (age(&person.before), age(&person.after));
        let has_been_given = |term: u32| match anchor(&self.terms[term as usize]) {
            Filter::AgeRange(range) => after.is_some_and(|age| range.contains(age)),
            _ => false,
        };
        if let Some(age) = after {
            table.of(usize::from(age)).iter().for_each(|&term| each(term));
        }
        if let Some(age) = before.filter(|_| before != after) {
            let terms = table.of(usize::from(age)).iter();
            terms.filter(|term| !has_been_given(**term)).for_each(|&term| each(term));
        }
    }
}

fn position(subscribers: &[Subscriber], number: SubscriberNumber) -> Option<u32> {
    // Numbers are mostly given without gaps: the first guess is where it would stand then.
    let first = subscribers.first()?.number.0;
    let guess = number.0.checked_sub(first)? as usize;
    if subscribers.get(guess).is_some_and(|subscriber| subscriber.number == number) {
        return Some(guess as u32);
    }
    subscribers.binary_search_by_key(&number, |subscriber| subscriber.number).ok().map(|at| at as u32)
}
