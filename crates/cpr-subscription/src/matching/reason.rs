//! Why a person is sent to a subscriber, and which of the reasons count for a subscriber.

use cpr_model::{Date, DerivedMark, MunicipalityCode, PersonKey};

use crate::filter::address::{AddressFilter, AddressSubject};
use crate::filter::age::AgeRange;
use crate::filter::event_code::{EventCode, EventLabel};
use crate::subscriber::SubscriberNumber;

/// A person as one image of the register shows it: what filters look at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    /// Where the person lives now; none for the dead, the emigrated and the disappeared.
    pub municipality: Option<MunicipalityCode>,
    /// The birth date as recorded (FOED_DT), which may differ from the number's, and may lack month and day.
    pub birth_date: Option<Date>,
    /// Where in the municipality; none when there is no street code.
    pub address: Option<AddressSubject>,
}

/// A person of a delivery: what was held, what is sent, and what is said to have happened.
#[derive(Clone, Copy, Debug)]
pub struct PersonChange<'a> {
    /// The number of the record group.
    pub number: PersonKey,
    /// As held before the delivery; none for a person not held.
    pub before: Option<&'a Subject>,
    /// As the delivery says; none for a person that it takes away.
    pub after: Option<&'a Subject>,
    /// The events of the day (099).
    pub events: &'a [EventLabel],
    /// Who filters on this number.
    pub followers: &'a [SubscriberNumber],
    /// Who filters on another number of the same person, and on which.
    pub chain_followers: &'a [(PersonKey, SubscriberNumber)],
}

/// With which image a filter holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ImageChange {
    /// Before and after.
    Within,
    /// Only after: moved in, born, immigrated.
    Enters,
    /// Only before: moved out, died, emigrated, disappeared.
    Leaves,
}

impl ImageChange {
    /// A stable word: `within`, `enters`, `leaves`.
    pub fn name(self) -> &'static str {
        match self {
            ImageChange::Within => "within",
            ImageChange::Enters => "enters",
            ImageChange::Leaves => "leaves",
        }
    }

    /// What it means that a filter held before, and holds after.
    pub(crate) fn of(before: bool, after: bool) -> Option<ImageChange> {
        match (before, after) {
            (true, true) => Some(ImageChange::Within),
            (false, true) => Some(ImageChange::Enters),
            (true, false) => Some(ImageChange::Leaves),
            (false, false) => None,
        }
    }
}

/// Names an *all of* within one [`crate::Matcher`]; see [`crate::Matcher::all_of`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AllOfNumber(pub(crate) u32);

/// Why a subscriber could be sent a person.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The subscriber follows everybody.
    Everything,
    /// It follows the number of the record group.
    Number,
    /// It follows this other number of the same person.
    NumberChain(PersonKey),
    /// It follows a municipality where the person lives or lived.
    Municipality(MunicipalityCode, ImageChange),
    /// It follows these ages.
    Age(AgeRange, ImageChange),
    /// It follows an address where the person lives or lived.
    Address(AddressFilter, ImageChange),
    /// It follows this code, and the person has such an event today: the own, or one derived from a relative's.
    Event(EventCode, Option<DerivedMark>),
    /// All members of an *all of* hold.
    AllOf {
        /// Which one.
        filter: AllOfNumber,
        /// With which image; none when no member looks at an image (numbers and events alone).
        change: Option<ImageChange>,
        /// True when an event that it asks for is there only as derived.
        derived: bool,
    },
}

/// Which reasons have a person delivered. *Everything*, the number itself and own events always do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Profile {
    /// The filter held before and holds after.
    pub within: bool,
    /// The filter holds after, and did not before.
    pub enters: bool,
    /// The filter held before, and does not after: the farewell.
    pub leaves: bool,
    /// Another number of the same person is followed.
    pub number_chain: bool,
    /// Events derived from a relative's, which carry a mark beside the code.
    pub derived_events: bool,
}

/// A flag byte with bits that no profile has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the profile of a subscriber has unknown flags")]
pub struct UnknownFlags;

impl Profile {
    /// SF6002 1.x: all but the farewell and the chain of numbers. A derived event delivers, since that service's filter
    /// has room for the code only.
    pub const SF6002: Profile =
        Profile { within: true, enters: true, leaves: false, number_chain: false, derived_events: true };

    /// The profile in one byte.
    pub fn to_byte(self) -> u8 {
        u8::from(self.within)
            | u8::from(self.enters) << 1
            | u8::from(self.leaves) << 2
            | u8::from(self.number_chain) << 3
            | u8::from(self.derived_events) << 4
    }

    /// The profile that [`Profile::to_byte`] wrote.
    ///
    /// # Errors
    /// [`UnknownFlags`] when a bit is set that means nothing.
    pub fn from_byte(byte: u8) -> Result<Profile, UnknownFlags> {
        if byte >> 5 != 0 {
            return Err(UnknownFlags);
        }
        let flag = |bit: u8| byte >> bit & 1 == 1;
        Ok(Profile {
            within: flag(0),
            enters: flag(1),
            leaves: flag(2),
            number_chain: flag(3),
            derived_events: flag(4),
        })
    }

    /// True when the reason has the person delivered.
    pub fn delivers(self, reason: &Reason) -> bool {
        match *reason {
            Reason::Everything | Reason::Number => true,
            Reason::NumberChain(_) => self.number_chain,
            Reason::Municipality(_, change) | Reason::Age(_, change) | Reason::Address(_, change) => {
                self.takes(Outcome { change: Some(change), derived: false })
            }
            Reason::Event(_, mark) => self.takes(Outcome { change: None, derived: mark.is_some() }),
            Reason::AllOf { change, derived, .. } => self.takes(Outcome { change, derived }),
        }
    }

    /// True when a filter that matched so has the person delivered.
    pub(crate) fn takes(self, outcome: Outcome) -> bool {
        let image = match outcome.change {
            None => true,
            Some(ImageChange::Within) => self.within,
            Some(ImageChange::Enters) => self.enters,
            Some(ImageChange::Leaves) => self.leaves,
        };
        image && (self.derived_events || !outcome.derived)
    }
}

/// How a filter matched a person: all that a profile asks about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) change: Option<ImageChange>,
    /// Only by events derived from a relative's.
    pub(crate) derived: bool,
}

/// How many outcomes there are.
pub(crate) const OUTCOMES: usize = 8;

impl Outcome {
    /// Its place among all outcomes.
    pub(crate) fn index(self) -> usize {
        let image = self.change.map_or(0, |change| change as usize + 1);
        image + usize::from(self.derived) * 4
    }

    pub(crate) fn all() -> impl Iterator<Item = Outcome> {
        const IMAGES: [Option<ImageChange>; 4] =
            [None, Some(ImageChange::Within), Some(ImageChange::Enters), Some(ImageChange::Leaves)];
        (0..OUTCOMES).map(|at| Outcome { change: IMAGES[at % 4], derived: at >= 4 })
    }
}
