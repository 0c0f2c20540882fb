//! Who follows whom: subscribers and their filters, the matches of each delivery, the files each subscriber is given.
//!
//! A [`Subscriber`] has a profile and filters, which [`Replika::change_filters`](crate::Replika::change_filters) adds
//! and removes. Each delivery is matched in its own transaction; from then on
//!
//! * [`Snapshot::matched`](crate::Snapshot::matched) says whom it had for a subscriber, and
//!   [`Snapshot::matches`](crate::Snapshot::matches) why, with the filters as they were then;
//! * [`Replika::deliver`](crate::Replika::deliver) gives each subscriber its file of the night ([`crate::deliver`]);
//! * [`Replika::initial_load`](crate::Replika::initial_load) begins a subscriber's stream with all whom it follows;
//! * [`Snapshot::followers`](crate::Snapshot::followers) tells who follows a person, and by what.
//!
//! docs/subscriptions.md has the kinds of filter and what they mean.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cpr_replika::cpr_subscription::Profile;
//! use cpr_replika::subscriptions::{FilterChange, UnknownNumbers};
//! let replika = demo()?;
//! let school = "school".parse()?;
//! replika.add_subscriber(&school, Profile::SF6002)?;
//! replika.change_filters(&school, &[FilterChange::Add("0-17+0851".parse()?)], UnknownNumbers::Keep)?;
//! assert_eq!(replika.snapshot().followed(&school)?.len(), 1, "the child who lives there");
//! # Ok(()) }
//! ```

pub(crate) mod admission;
pub(crate) mod explanation;
pub(crate) mod keep;
pub(crate) mod keep_settings;
pub(crate) mod keeper;
pub(crate) mod matching;
pub(crate) mod registry;
pub(crate) mod spans;
pub(crate) mod stored_filters;
pub(crate) mod streams;
pub(crate) mod subject_view;

pub use self::explanation::Explanation;
pub use self::keep::Keep;
pub use self::matching::{Follower, Match, Matches};
pub use self::registry::{FilterChange, FilterPolicy, UnknownNumbers};
pub use self::stored_filters::Subscriber;
pub use self::streams::{InitialLoad, Recipient};
