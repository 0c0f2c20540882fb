//! One fact: a record line as received, with its two clocks; borrowed from wherever it stands, or owned.
//!
//! The rows of an extract and those of a stored person are read as the same [`Fact`], so that whoever compares, indexes
//! or classifies facts need not know where they come from.

use std::cmp::Ordering;
use std::fmt;

use bitemporal::{Known, Period};

use crate::{Aspect, CorrectionMark, Timestamp, Values, facts};

/// What a row is about, and whether its record is a historic one, in one byte: the number of the aspect, and the
/// highest bit for history. Any byte can be one; [`RowKind::decode`] tells those that say something.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RowKind(pub u8);

impl RowKind {
    /// The bit of a historic record.
    pub const HISTORIC: u8 = 0x80;

    /// The kind of a record of this aspect.
    pub fn new(aspect: Aspect, historic: bool) -> RowKind {
        RowKind(aspect.number() | if historic { RowKind::HISTORIC } else { 0 })
    }

    /// Whether the byte names an aspect: what [`RowKind::decode`] would say, by one look.
    #[inline]
    pub fn names_aspect(self) -> bool {
        NAMES_ASPECT[usize::from(self.0)]
    }

    /// The aspect, and whether the record is a historic one; none for a byte that names no aspect.
    #[inline]
    pub fn decode(self) -> Option<(Aspect, bool)> {
        let aspect = Aspect::from_number(self.0 & !RowKind::HISTORIC)?;
        Some((aspect, self.0 & RowKind::HISTORIC != 0))
    }
}

/// Of each byte, whether it names an aspect.
const NAMES_ASPECT: [bool; 256] = {
    let mut named = [false; 256];
    let mut number = 1;
    while number <= Aspect::COUNT {
        named[number] = true;
        named[number | RowKind::HISTORIC as usize] = true;
        number += 1;
    }
    named
};

/// A fact: one record as received, with its period in the world and the deliveries in which it was believed.
#[derive(Clone, Copy)]
pub struct Fact<'a> {
    pub(crate) aspect: Aspect,
    pub(crate) historic: bool,
    record: u8,
    known: Known,
    pub(crate) values: Values<'a>,
}

impl<'a> Fact<'a> {
    /// A fact of this kind; none for a kind that names no aspect. Families number their records of persons below 256.
    #[inline]
    pub fn new(record: u8, kind: RowKind, known: Known, values: Values<'a>) -> Option<Fact<'a>> {
        let (aspect, historic) = kind.decode()?;
        Some(Fact { aspect, historic, record, known, values })
    }

    /// What the fact is about.
    #[inline]
    pub fn aspect(&self) -> Aspect {
        self.aspect
    }

    /// True for a historic record: CPR delivers it as a thing of the past.
    #[inline]
    pub fn is_historic(&self) -> bool {
        self.historic
    }

    /// Aspect and tense in one byte.
    pub fn kind(&self) -> RowKind {
        RowKind::new(self.aspect, self.historic)
    }

    /// The record number in the store's family.
    pub fn record(&self) -> u16 {
        u16::from(self.record)
    }

    /// The deliveries between which it was believed.
    pub fn known(&self) -> Known {
        self.known
    }

    /// The period in the row (virkningstid); it may be empty or inverted. See [`Aspect::period`].
    pub fn valid(&self) -> Period<Timestamp> {
        self.aspect.period(self.values, self.historic)
    }

    /// The bounds that the row states. A historic row without an end has none here, where [`Fact::valid`] makes it a
    /// point in time, since it is not said how long it held.
    pub fn stated_bounds(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        self.aspect.stated_bounds(self.values)
    }

    /// CPR's mark: a marked row is kept, and never counts as true in the world.
    pub fn mark(&self) -> Option<CorrectionMark> {
        self.aspect.mark(self.values)
    }

    /// True when the fact, as believed, held in the world at this moment: unmarked, and the moment lies in its period.
    #[inline]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.aspect.holds_at(self.values, self.historic, at)
    }

    /// The packed values, by field.
    #[inline]
    pub fn values(&self) -> Values<'a> {
        self.values
    }

    /// What the line says: equal for equal lines, whenever they were received.
    pub fn line(&self) -> (u8, RowKind, Values<'a>) {
        (self.record, self.kind(), self.values)
    }

    /// The order in which rows are told: by aspect and by when they began, then by what they say. Where rows stand in a
    /// document depends on when each was superseded, so that whoever lists or prefers rows goes by this order: an
    /// answer as of a delivery is then the one that was given after it.
    pub fn told_order(&self, other: &Fact<'_>) -> Ordering {
        let when = |fact: &Fact<'_>| (fact.aspect, fact.valid().from, fact.historic);
        when(self).cmp(&when(other)).then_with(|| {
            let said = |fact: &Fact<'_>| (fact.valid().to.is_none(), fact.valid().to, fact.record);
            said(self).cmp(&said(other)).then_with(|| self.values.bytes().cmp(other.values.bytes()))
        })
    }

    /// Puts facts into the order of [`Fact::told_order`], reading of each once when it began.
    pub fn sort_told(facts: &mut [Fact<'_>]) {
        let mut began: Vec<_> =
            facts.iter().map(|fact| ((fact.aspect, fact.valid().from, fact.historic), *fact)).collect();
        began.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.told_order(&other.1)));
        facts.iter_mut().zip(began).for_each(|(place, (_, fact))| *place = fact);
    }

    /// A copy that owns its values.
    pub fn to_owned(&self) -> OwnedFact {
        OwnedFact {
            aspect: self.aspect,
            historic: self.historic,
            record: self.record,
            known: self.known,
            values: self.values.bytes().into(),
        }
    }
}

macro_rules! typed {
    ($($name:ident $view:ident $($aspect:ident)|+;)*) => {
        impl<'a> Fact<'a> {
            $(
                #[doc = concat!("The fact as [`facts::", stringify!($view), "`], when it is one.")]
                pub fn $name(&self) -> Option<facts::$view<'a>> {
                    matches!(self.aspect, $(Aspect::$aspect)|+).then(|| facts::$view::new(self.values))
                }
            )*
        }
    };
}

typed! {
    person Person Person;
    address Address Address;
    formatted_address FormattedAddress FormattedAddress | MotherAddress | FatherAddress | ChildAddress;
    protection Protection Protection;
    emigration Emigration Emigration;
    contact_address ContactAddress ContactAddress;
    disappearance Disappearance Disappearance;
    name Name Name;
    birth_registration BirthRegistration BirthRegistration;
    citizenship Citizenship Citizenship;
    church Church Church;
    civil_status CivilStatus CivilStatus;
    separation Separation Separation;
    child Child Child;
    parents Parents Parents | Person;
    custody Custody Custody;
    guardianship Guardianship Guardianship;
    municipal_condition MunicipalCondition MunicipalCondition;
    note Note Note;
    election Election Election;
    order_to_move OrderToMove OrderToMove;
    former_number FormerNumber FormerNumber;
}

/// Says what the fact is about and when it was known, not what it states.
impl fmt::Debug for Fact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:03}) known from {}", self.aspect.name(), self.record, self.known.from)?;
        self.known.to.map_or(Ok(()), |to| write!(f, " to {to}"))
    }
}

/// A fact that owns its values; see [`Fact`] through [`OwnedFact::as_fact`].
#[derive(Clone, Eq, PartialEq)]
pub struct OwnedFact {
    aspect: Aspect,
    historic: bool,
    record: u8,
    known: Known,
    values: Box<[u8]>,
}

impl OwnedFact {
    /// The fact.
    pub fn as_fact(&self) -> Fact<'_> {
        Fact {
            aspect: self.aspect,
            historic: self.historic,
            record: self.record,
            known: self.known,
            values: Values::new(&self.values),
        }
    }
}

impl fmt::Debug for OwnedFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_fact().fmt(f)
    }
}
