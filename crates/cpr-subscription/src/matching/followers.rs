//! Who filters on a number: millions of numbers in two sorted arrays.
//!
//! A service that keeps its filters in a store looks followers up there; this is for those who hold them in memory. A
//! number costs eight bytes, and four for each subscriber that follows it.

use std::fmt;

use cpr_model::PersonKey;

use crate::sorted_rows::advance;
use crate::subscriber::SubscriberNumber;

/// The subscribers of each number.
#[derive(Clone, Default)]
pub struct Followers {
    /// The numbers that anybody follows, ascending.
    numbers: Vec<u32>,
    /// Where the subscribers of each number end.
    ends: Vec<u32>,
    subscribers: Vec<SubscriberNumber>,
}

/// Says how many numbers, not which.
impl fmt::Debug for Followers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Followers of {} numbers", self.numbers.len())
    }
}

impl Followers {
    /// Who follows what, in any order; at most 2^32 - 1 pairs.
    pub fn new(mut pairs: Vec<(PersonKey, SubscriberNumber)>) -> Followers {
        pairs.sort_unstable();
        pairs.dedup();
        let mut followers = Followers::default();
        for (number, subscriber) in pairs {
            let number = number.as_u32();
            followers.subscribers.push(subscriber);
            let end = u32::try_from(followers.subscribers.len()).expect("fewer than 2^32 pairs, as documented");
            if followers.numbers.last() == Some(&number) {
                followers.ends.pop();
            } else {
                followers.numbers.push(number);
            }
            followers.ends.push(end);
        }
        followers
    }

    /// The subscribers of a number, ascending.
    pub fn of(&self, number: PersonKey) -> &[SubscriberNumber] {
        match self.numbers.binary_search(&number.as_u32()) {
            Ok(at) => self.at(at),
            Err(_) => &[],
        }
    }

    /// Looks up numbers that ascend, each from where the last one was found.
    pub fn walk(&self) -> FollowersWalk<'_> {
        FollowersWalk { followers: self, at: 0 }
    }

    fn at(&self, at: usize) -> &[SubscriberNumber] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.subscribers[start as usize..self.ends[at] as usize]
    }
}

/// A place in [`Followers`]; see [`Followers::walk`].
#[derive(Debug)]
pub struct FollowersWalk<'a> {
    followers: &'a Followers,
    at: usize,
}

impl<'a> FollowersWalk<'a> {
    /// The subscribers of a number. One below an earlier number is found too, from the start again.
    pub fn of(&mut self, number: PersonKey) -> &'a [SubscriberNumber] {
        let (numbers, key) = (&self.followers.numbers, number.as_u32());
        if self.at.checked_sub(1).is_some_and(|before| numbers[before] >= key) {
            self.at = 0;
        }
        self.at = advance(numbers, self.at, |&number| number < key);
        match numbers.get(self.at) {
            Some(&found) if found == key => self.followers.at(self.at),
            _ => &[],
        }
    }
}
