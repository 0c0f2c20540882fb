//! The filters of all subscribers by value, so that a person finds those that can match without looking at the others.
//!
//! Equal filters of several subscribers are one *term*. A term stands in one table, under the one value that it cannot
//! match without: an *all of* under that of its most selective member. A person asks each table with the values of both
//! images; what it finds is then held against the person by the definition of the filter.

use std::collections::BTreeMap;
use std::fmt;

use cpr_model::Date;

use crate::filter::Filter;
use crate::filter::event_code::EventLabel;
use crate::subscriber::SubscriberNumber;

use super::candidate::{Candidate, ImageOnDay};
use super::followers::Followers;
use super::reason::{AllOfNumber, Outcome, PersonChange, Profile, Reason};
use super::term_tables::{
    NO_AGE, PackedLists, TermTables, event_bit, most_selective_member, municipality_row, rows_under,
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
    pub(crate) subscribers: Vec<MatcherSubscriber>,
    /// Distinct profiles of the subscribers.
    pub(crate) profiles: Vec<Profile>,
    /// Positions of those who follow everybody.
    pub(crate) everything: Vec<u32>,
    /// Distinct filters on neither a number nor everybody, in order.
    pub(crate) terms: Vec<Filter>,
    /// Positions of the subscribers of each term.
    pub(crate) followers_of: PackedLists,
    /// The terms of each subscriber.
    pub(crate) terms_of: PackedLists,
    term_tables: TermTables,
}

#[derive(Clone, Copy)]
pub(crate) struct MatcherSubscriber {
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
            MatcherSubscriber { number, profile, profile_at: at.expect("collected above") as u32 }
        };
        let subscribers: Vec<MatcherSubscriber> = profiles.into_iter().map(subscriber).collect();
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
        let followers_of = PackedLists::new(terms.len(), &pairs);
        let reversed: Vec<(u32, u32)> = pairs.iter().map(|&(term, subscriber)| (subscriber, term)).collect();
        let terms_of = PackedLists::new(subscribers.len(), &reversed);
        let terms: Vec<Filter> = terms.into_keys().collect();
        let term_tables = TermTables::new(&terms);
        let matcher =
            Matcher { subscribers, profiles: distinct, everything, terms, followers_of, terms_of, term_tables };
        (matcher, Followers::new(numbers))
    }

    /// The filter that a reason of this matcher names; none for a reason of another one, whose numbers are its own.
    pub fn all_of(&self, number: AllOfNumber) -> Option<&Filter> {
        self.terms.get(number.0 as usize).filter(|filter| matches!(filter, Filter::AllOf(_)))
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
        let person = Candidate::new(change, day);
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
        let person = Candidate::new(change, day);
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
                let of_code = events.iter().filter(|event| event.code == *code).map(|event| event.derived_mark);
                each_once(of_code, |mark| sink(Reason::Event(*code, mark)));
            }
            Filter::AllOf(_) => {
                let Outcome { change, derived } = outcome;
                sink(Reason::AllOf { filter: AllOfNumber(term), change, derived });
            }
            Filter::Pnr(_) | Filter::Everything => {}
        }
    }

    /// Gives every term that matches, and how, but for age ranges that stand alone.
    pub(crate) fn matches(&self, person: &Candidate<'_>, each: &mut impl FnMut(u32, Outcome)) {
        let mut give_if_matching = |term: u32| {
            if let Some(outcome) = person.outcome(&self.terms[term as usize]) {
                each(term, outcome);
            }
        };
        let (before, after) = (&person.before, &person.after);
        let municipality = |image: &Option<ImageOnDay>| image.as_ref().and_then(|image| image.municipality);
        let here = municipality(after);
        let left = municipality(before).filter(|code| here != Some(*code));
        let events = person.change.events;
        let ages = [after, before].map(|image| image.as_ref().and_then(|image| image.age).unwrap_or(NO_AGE));
        let event_bits = events.iter().fold(0, |event_bits, event| event_bits | event_bit(event.code));
        for code in [here, left].into_iter().flatten() {
            let previews = self.term_tables.municipalities.of(municipality_row(code) as usize).iter();
            previews
                .filter(|preview| preview.admits(ages, event_bits))
                .for_each(|preview| give_if_matching(preview.term));
        }
        let street = |image: &Option<ImageOnDay>| {
            let image = (*image)?;
            Some((image.municipality?, image.address?.street))
        };
        let left = before.filter(|_| street(before) != street(after));
        for image in [*after, left].iter().flatten() {
            self.term_tables.addresses(image).iter().for_each(|&(_, term)| give_if_matching(term));
        }
        each_once(events.iter().map(|event| event.code), |code| {
            rows_under(&self.term_tables.events, &code).iter().for_each(|&(_, term)| give_if_matching(term));
        });
        if !self.term_tables.numbers.is_empty() {
            rows_under(&self.term_tables.numbers, &person.change.number)
                .iter()
                .for_each(|&(_, term)| give_if_matching(term));
        }
        if self.term_tables.has_age_sets {
            self.by_age(&self.term_tables.age_sets, person, &mut give_if_matching);
        }
    }

    /// Gives every age range that stands alone and matches, and how.
    pub(crate) fn age_matches(&self, person: &Candidate<'_>, each: &mut impl FnMut(u32, Outcome)) {
        self.by_age(&self.term_tables.ages, person, &mut |term| {
            if let Some(outcome) = person.outcome(&self.terms[term as usize]) {
                each(term, outcome);
            }
        });
    }

    /// Gives every term of a table that stands under the age of either image, once.
    fn by_age(&self, table: &PackedLists, person: &Candidate<'_>, each: &mut impl FnMut(u32)) {
        let age = |image: &Option<ImageOnDay>| image.as_ref().and_then(|image| image.age);
        let (before, after) = (age(&person.before), age(&person.after));
        let has_been_given = |term: u32| match most_selective_member(&self.terms[term as usize]) {
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

fn position(subscribers: &[MatcherSubscriber], number: SubscriberNumber) -> Option<u32> {
    // Numbers are mostly given without gaps: the first guess is where it would stand then.
    let first = subscribers.first()?.number.0;
    let guess = number.0.checked_sub(first)? as usize;
    if subscribers.get(guess).is_some_and(|subscriber| subscriber.number == number) {
        return Some(guess as u32);
    }
    subscribers.binary_search_by_key(&number, |subscriber| subscriber.number).ok().map(|at| at as u32)
}

/// Gives each value once: of a few at no cost, of many in time that grows with them.
fn each_once<T: Copy + Ord>(values: impl Iterator<Item = T> + Clone, mut each: impl FnMut(T)) {
    const FEW: usize = 16;
    if values.clone().nth(FEW).is_some() {
        let mut sorted: Vec<T> = values.collect();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.into_iter().for_each(each);
        return;
    }
    for (at, value) in values.clone().enumerate() {
        if values.clone().take(at).all(|earlier| earlier != value) {
            each(value);
        }
    }
}
