//! Who is sent what of a night's delivery: filters, matching them against every changed person, and thinning the file.
//!
//! A subscriber is a number and a set of [`Filter`]s; no filter is nothing, and [`Filter::Everything`] is a filter of
//! its own. [`Matcher`] holds the filters of all subscribers by value, so that a delivery costs one pass over its
//! persons:
//!
//! 1. [`Matcher::reasons`] says for one person who is sent it, and why ([`Reason`]).
//! 2. [`Matcher::deliver`] takes the persons of a delivery one by one and gives the persons of each subscriber.
//! 3. [`FileIndex`] knows where each person stands in the delivery's file, and copies a subscriber's lines out of it.
//!
//! Both ways of matching give the same answer. Everything here is data in and data out: no store, no files, no clock;
//! the day of production comes from the file. What the filters mean stands in docs/subscriptions.md.
//!
//! No error and no `Debug` says which person or address a filter names; [`Filter::reveal`] marks every place that does.

mod bits;
#[cfg(feature = "serde")]
mod serialize;
mod sorted_rows;

mod filter;
mod subscriber;

mod matching;
mod thin;

pub use cpr_model::DerivedMark;
pub use filter::address::{AddressFilter, AddressSubject, Door, Floor, HouseNumber};
pub use filter::age::{AgeRange, age_on, birth_dates, birth_dates_reaching};
pub use filter::change_codes::ChangeCodes;
pub use filter::error::FilterError;
pub use filter::event_code::{EventCode, EventLabel};
pub use filter::kind::FilterKind;
pub use filter::{AllOf, Filter};
pub use matching::delivery::{DeliveryMatching, DeliveryPersons, MatchedDelivery};
pub use matching::followers::{Followers, FollowersWalk};
pub use matching::matcher::{Matcher, Subscription};
pub use matching::reason::{AllOfNumber, ImageChange, PersonChange, Profile, Reason, Subject, UnknownFlags};
pub use subscriber::{FilterAnswer, NameError, SubscriberName, SubscriberNumber};
pub use thin::{FileIndex, Output, Owner, Selection, Stream, TaskNumber, ThinError, Thinned};

#[cfg(test)]
mod tests;
