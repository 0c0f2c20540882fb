//! One fact with its two clocks, borrowed from the store or owned.

use std::fmt;

use bitemporal::{Known, Period};
use cpr_model::stored::v2;
use cpr_model::{Aspect, ChangeClass, CorrectionMark, FactRef, Timestamp, Values, facts};

/// A fact: one record as received, with its period in the world and the deliveries in which it was believed.
#[derive(Clone, Copy)]
pub struct FactView<'a> {
    aspect: Aspect,
    historic: bool,
    record: u8,
    known: Known,
    values: Values<'a>,
}

impl<'a> FactView<'a> {
    #[inline]
    pub(crate) fn new(record: u8, shape: u8, known: Known, values: Values<'a>) -> Option<FactView<'a>> {
        let (aspect, historic) = v2::aspect(shape)?;
        Some(FactView { aspect, historic, record, known, values })
    }

    /// What the fact is about.
    #[inline]
    pub fn aspect(&self) -> Aspect {
        self.aspect
    }

    /// True for a historic record: CPR delivers it as a thing of the past.
    pub fn is_historic(&self) -> bool {
        self.historic
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

    /// The bounds that the row states. A historic row without an end has none here, where [`FactView::valid`] makes it a
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
    pub fn values(&self) -> Values<'a> {
        self.values
    }

    /// A copy that owns its values.
    pub fn to_fact(&self) -> Fact {
        Fact {
            aspect: self.aspect,
            historic: self.historic,
            record: self.record,
            known: self.known,
            values: self.values.bytes().into(),
        }
    }

    pub(crate) fn as_ref(&self) -> FactRef<'a> {
        FactRef { aspect: self.aspect, historic: self.historic, values: self.values }
    }
}

macro_rules! typed {
    ($($name:ident $view:ident $($aspect:ident)|+;)*) => {
        impl<'a> FactView<'a> {
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

/// Says what the fact is about and when, not what it states.
impl fmt::Debug for FactView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:03}) known from {}", self.aspect.name(), self.record, self.known.from)?;
        self.known.to.map_or(Ok(()), |to| write!(f, " to {to}"))
    }
}

/// A fact that owns its values; see [`FactView`] through [`Fact::view`].
#[derive(Clone, Eq, PartialEq)]
pub struct Fact {
    aspect: Aspect,
    historic: bool,
    record: u8,
    known: Known,
    values: Box<[u8]>,
}

impl Fact {
    /// The fact.
    pub fn view(&self) -> FactView<'_> {
        FactView {
            aspect: self.aspect,
            historic: self.historic,
            record: self.record,
            known: self.known,
            values: Values::new(&self.values),
        }
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// One change between two deliveries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Of which kind.
    pub class: ChangeClass,
    /// What it is about.
    pub aspect: Aspect,
    /// The fact before, when one ceased; for a row that aged out, the row.
    pub before: Option<Fact>,
    /// The fact after, when one came; for a row that aged out, the same row, which stays known.
    pub after: Option<Fact>,
}
