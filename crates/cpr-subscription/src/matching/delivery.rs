//! The persons of each subscriber for a whole delivery, without writing down every pair of the two.
//!
//! Persons are numbered as they come. Each term collects the persons that it matches, by [`Outcome`]; ages that stand
//! alone are sorted once, so that a range is a slice. What many subscribers share is kept as bits. The persons of one
//! subscriber are then the bits of its terms, laid over each other when they are asked for.

use std::fmt;
use std::ops::Range;

use cpr_model::{Date, PersonKey};

use crate::bits::{positions, set_bits, set_first_bits};
use crate::filter::Filter;
use crate::filter::age::AgeRange;
use crate::subscriber::SubscriberNumber;

use super::candidate::{Candidate, ImageOnDay};
use super::matcher::Matcher;
use super::reason::{ImageChange, OUTCOMES, Outcome, PersonChange};
use super::term_tables::PackedLists;

/// A delivery while its persons come; see [`Matcher::deliver`].
pub struct DeliveryMatching<'m> {
    matcher: &'m Matcher,
    day: Date,
    persons: Vec<PersonKey>,
    /// Term and outcome, and the person's place.
    hits: Vec<(u32, u32)>,
    /// Age and place of those who are as old in both images, only after, only before.
    ages: [Vec<(u32, u32)>; 3],
    /// Subscriber and place of those who are followed by number.
    numbered: Vec<(u32, u32)>,
}

/// Says how far it has come.
impl fmt::Debug for DeliveryMatching<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matching of {} persons", self.persons.len())
    }
}

impl Matcher {
    /// Begins a delivery with this production date.
    pub fn deliver(&self, day: Date) -> DeliveryMatching<'_> {
        DeliveryMatching {
            matcher: self,
            day,
            persons: Vec::new(),
            hits: Vec::new(),
            ages: Default::default(),
            numbered: Vec::new(),
        }
    }
}

impl<'m> DeliveryMatching<'m> {
    /// Takes one person; each comes once.
    pub fn add(&mut self, change: &PersonChange<'_>) {
        let matcher = self.matcher;
        let position_of_person = u32::try_from(self.persons.len()).expect("fewer persons than numbers that can be");
        self.persons.push(change.number);
        let person = Candidate::new(change, self.day);
        let hits = &mut self.hits;
        let mut hit = |term: u32, outcome: Outcome| {
            hits.push((term * OUTCOMES as u32 + outcome.index() as u32, position_of_person))
        };
        matcher.matches(&person, &mut hit);
        let age = |image: &Option<ImageOnDay>| image.as_ref().and_then(|image| image.age);
        match (age(&person.before), age(&person.after)) {
            (Some(before), Some(after)) if before == after => self.ages[0].push((u32::from(after), position_of_person)),
            (None, Some(after)) => self.ages[1].push((u32::from(after), position_of_person)),
            (Some(before), None) => self.ages[2].push((u32::from(before), position_of_person)),
            (Some(_), Some(_)) => matcher.age_matches(&person, &mut hit),
            (None, None) => {}
        }
        let followers = change.followers.iter().filter_map(|follower| matcher.position(*follower));
        self.numbered.extend(followers.map(|follower| (follower, position_of_person)));
        for (_, follower) in change.chain_followers {
            if let Some(follower) = matcher.position(*follower)
                && matcher.subscribers[follower as usize].profile.number_chain
            {
                self.numbered.push((follower, position_of_person));
            }
        }
    }

    /// All persons have come.
    pub fn finish(self) -> MatchedDelivery<'m> {
        let matcher = self.matcher;
        let ages = self.ages.map(|pairs| PackedLists::new(usize::from(AgeRange::HIGHEST) + 1, &pairs));
        let mut matched = MatchedDelivery {
            matcher,
            bit_words: self.persons.len().div_ceil(64),
            persons: self.persons,
            hits: PackedLists::new(matcher.terms.len() * OUTCOMES, &self.hits),
            ages,
            numbered: PackedLists::new(matcher.subscribers.len(), &self.numbered),
            shared: Vec::new(),
            shared_at: vec![NOT_SHARED; matcher.terms.len() * matcher.profiles.len()],
        };
        matched.share_common_terms();
        matched
    }
}

/// The place of the bits of a term and profile that have none.
const NOT_SHARED: u32 = u32::MAX;

/// Who is sent which persons of a delivery, by the profile of each subscriber.
pub struct MatchedDelivery<'m> {
    matcher: &'m Matcher,
    persons: Vec<PersonKey>,
    /// Words of 64 bits that a set of persons has.
    bit_words: usize,
    hits: PackedLists,
    ages: [PackedLists; 3],
    numbered: PackedLists,
    /// Sets that several subscribers share, end to end, and where that of each term and profile stands, in words.
    shared: Vec<u64>,
    shared_at: Vec<u32>,
}

/// Says how many there are.
impl fmt::Debug for MatchedDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deliveries of {} persons to {} subscribers", self.persons.len(), self.matcher.subscribers.len())
    }
}

impl MatchedDelivery<'_> {
    /// The persons in the order in which they came; a [`DeliveryPersons`] holds places in it.
    pub fn persons(&self) -> &[PersonKey] {
        &self.persons
    }

    /// Replaces `set` by the persons of one subscriber; by none when it was not given to [`Matcher::new`].
    pub fn collect(&self, subscriber: SubscriberNumber, set: &mut DeliveryPersons) {
        set.bit_words.clear();
        set.bit_words.resize(self.bit_words, 0);
        if let Some(position) = self.matcher.position(subscriber) {
            self.union_persons_of(position, &mut set.bit_words);
        }
    }

    /// Gives each subscriber that is sent anything its persons, by number of subscriber.
    pub fn for_each(&self, mut sink: impl FnMut(SubscriberNumber, &DeliveryPersons)) {
        let mut set = DeliveryPersons::default();
        for (position, subscriber) in (0u32..).zip(&self.matcher.subscribers) {
            set.bit_words.clear();
            set.bit_words.resize(self.bit_words, 0);
            self.union_persons_of(position, &mut set.bit_words);
            if !set.is_empty() {
                sink(subscriber.number, &set);
            }
        }
    }

    /// The persons in a set that came from here, in the order in which they came.
    pub fn keys<'a>(&'a self, set: &'a DeliveryPersons) -> impl Iterator<Item = PersonKey> + 'a {
        set.positions().map(|position_of_person| self.persons[position_of_person])
    }

    /// Lays everything that the profile of a subscriber takes over `words`.
    fn union_persons_of(&self, position: u32, bit_words: &mut [u64]) {
        let matcher = self.matcher;
        if matcher.everything.binary_search(&position).is_ok() {
            return set_first_bits(bit_words, self.persons.len());
        }
        set_bits(bit_words, self.numbered.of(position as usize));
        let profile_at = matcher.subscribers[position as usize].profile_at as usize;
        for &term in matcher.terms_of.of(position as usize) {
            match self.shared_at[term as usize * matcher.profiles.len() + profile_at] {
                NOT_SHARED => self.union_term(term as usize, profile_at, bit_words),
                at => {
                    let shared = &self.shared[at as usize..at as usize + self.bit_words];
                    bit_words.iter_mut().zip(shared).for_each(|(word, shared)| *word |= shared);
                }
            }
        }
    }

    /// Lays the persons of a term that a profile takes over `words`.
    fn union_term(&self, term: usize, profile_at: usize, bit_words: &mut [u64]) {
        self.each_list(term, profile_at, |positions_list| set_bits(bit_words, positions_list));
    }

    /// Gives the persons of a term that a profile takes, list by list.
    fn each_list(&self, term: usize, profile_at: usize, mut sink: impl FnMut(&[u32])) {
        let profile = self.matcher.profiles[profile_at];
        for outcome in Outcome::all().filter(|outcome| profile.takes(*outcome)) {
            sink(self.hits.of(term * OUTCOMES + outcome.index()));
            if let Some((ages, range)) = self.persons_by_age(term, outcome) {
                range.for_each(|age| sink(ages.of(age)));
            }
        }
    }

    /// The persons by age that an age range matches so, and its ages.
    fn persons_by_age(&self, term: usize, outcome: Outcome) -> Option<(&PackedLists, Range<usize>)> {
        let Filter::AgeRange(range) = self.matcher.terms[term] else { return None };
        let ages = match outcome {
            Outcome { change: Some(ImageChange::Within), derived: false } => &self.ages[0],
            Outcome { change: Some(ImageChange::Enters), derived: false } => &self.ages[1],
            Outcome { change: Some(ImageChange::Leaves), derived: false } => &self.ages[2],
            _ => return None,
        };
        Some((ages, usize::from(range.from())..usize::from(range.to()) + 1))
    }

    /// Keeps as bits what several subscribers share, where that is less to lay over than the list.
    fn share_common_terms(&mut self) {
        let matcher = self.matcher;
        let mut bit_words = vec![0; self.bit_words];
        for term in 0..matcher.terms.len() {
            let followers = matcher.followers_of.of(term);
            if followers.len() < 2 {
                continue;
            }
            for profile_at in 0..matcher.profiles.len() {
                let takes = |&&of: &&u32| matcher.subscribers[of as usize].profile_at as usize == profile_at;
                let mut length = 0;
                self.each_list(term, profile_at, |positions_list| length += positions_list.len());
                // Laying a word costs about a quarter of marking a person.
                if length <= self.bit_words / 4 || followers.iter().filter(takes).take(2).count() < 2 {
                    continue;
                }
                let at = self.shared.len();
                if u32::try_from(at + self.bit_words).is_err() {
                    return;
                }
                bit_words.fill(0);
                self.union_term(term, profile_at, &mut bit_words);
                self.shared.extend_from_slice(&bit_words);
                self.shared_at[term * matcher.profiles.len() + profile_at] = at as u32;
            }
        }
    }
}

/// Persons of a delivery, by their place in it. Made to be reused.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct DeliveryPersons {
    bit_words: Vec<u64>,
}

/// Says how many, not who.
impl fmt::Debug for DeliveryPersons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonSet of {}", self.len())
    }
}

impl DeliveryPersons {
    /// How many persons.
    pub fn len(&self) -> usize {
        self.bit_words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True for no persons.
    pub fn is_empty(&self) -> bool {
        self.bit_words.iter().all(|&word| word == 0)
    }

    /// True when the person at this place of [`MatchedDelivery::persons`] is in the set.
    pub fn contains(&self, position_of_person: usize) -> bool {
        self.bit_words.get(position_of_person / 64).is_some_and(|word| word >> (position_of_person % 64) & 1 == 1)
    }

    /// The places in [`MatchedDelivery::persons`], ascending.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        positions(&self.bit_words)
    }
}
