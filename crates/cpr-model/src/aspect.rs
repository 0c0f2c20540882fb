//! What a fact is about, and where its valid time stands.

use bitemporal::Period;

use crate::values::Bounds;
use crate::{Field, Timestamp, Values};

/// CPR's mark on a historic row (ANNKOR).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CorrectionMark {
    /// K, ret: one or more values were wrong; another row holds the right ones.
    Corrected,
    /// A, fortrudt: the row never was true.
    Annulled,
    /// Æ, teknisk ændring: reshaped by a technical change such as a merger of municipalities.
    Technical,
}

impl CorrectionMark {
    /// The mark written as this ISO 8859-1 character; none for a blank.
    pub fn from_latin1(mark: u8) -> Option<CorrectionMark> {
        match mark {
            b'K' => Some(CorrectionMark::Corrected),
            b'A' => Some(CorrectionMark::Annulled),
            0xC6 => Some(CorrectionMark::Technical),
            _ => None,
        }
    }

    /// The character as CPR writes it.
    pub fn letter(self) -> char {
        match self {
            CorrectionMark::Corrected => 'K',
            CorrectionMark::Annulled => 'A',
            CorrectionMark::Technical => 'Æ',
        }
    }
}

macro_rules! aspects {
    ($($(#[$doc:meta])* $number:literal $name:ident $text:literal $start:expr, $end:expr, $slot:expr;)*) => {
        /// What a fact is about. One aspect has a current record, a historic one, or both; which, is the layout's
        /// business.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum Aspect {
            $($(#[$doc])* $name = $number,)*
        }

        const ASPECTS: &[AspectInfo] = &[$(AspectInfo {
            aspect: Aspect::$name, name: $text, start: $start, end: $end, slot: $slot,
        },)*];
    };
}

struct AspectInfo {
    aspect: Aspect,
    name: &'static str,
    start: Option<Field>,
    end: Option<Field>,
    slot: Option<Field>,
}

use Field as F;

aspects! {
    /// Personoplysninger: status, sex, birth date, occupation; full: parents and documentation too. The dates in it are
    /// those of the number and of the status, not of the row, so the row holds whatever the moment.
    1 Person "person" None, None, None;
    /// Adresse, coded.
    2 Address "address" Some(F::MovedIn), Some(F::MovedOut), None;
    /// Klarskriftadresse and adresseringsnavn.
    3 FormattedAddress "formatted_address" None, None, None;
    /// Beskyttelse.
    4 Protection "protection" Some(F::ProtectionStartDate), Some(F::ProtectionEndDate), Some(F::ProtectionKind);
    /// Udrejse and stays abroad.
    5 Emigration "emigration" Some(F::Emigrated), Some(F::Immigrated), None;
    /// Kontaktadresse.
    6 ContactAddress "contact_address" Some(F::AddressTextStartDate), None, None;
    /// Forsvinding.
    7 Disappearance "disappearance" Some(F::Disappeared), Some(F::FoundAgain), None;
    /// Navn.
    8 Name "name" Some(F::NameStart), Some(F::NameEnd), None;
    /// Fødselsregistreringssted.
    9 BirthRegistration "birth_registration" None, None, None;
    /// Statsborgerskab.
    10 Citizenship "citizenship" Some(F::CitizenshipStart), Some(F::CitizenshipEnd), None;
    /// Folkekirkeforhold.
    11 Church "church" Some(F::ChurchMembershipStartDate), Some(F::ChurchMembershipEndDate), None;
    /// Civilstand.
    12 CivilStatus "civil_status" Some(F::CivilStatusStart), Some(F::CivilStatusEnd), None;
    /// Separation.
    13 Separation "separation" Some(F::SeparationStartDate), Some(F::SeparationEndDate), None;
    /// Barn.
    14 Child "child" None, None, Some(F::ChildPnr);
    /// Forældreoplysninger.
    15 Parents "parents" None, None, None;
    /// Forældremyndighed, on the child.
    16 Custody "custody" Some(F::CustodyStartDate), None, Some(F::CustodyRelationType);
    /// Umyndiggørelse og værge.
    17 Guardianship "guardianship" Some(F::GuardianshipStartDate), None, None;
    /// Kommunale forhold.
    18 MunicipalCondition "municipal_condition" Some(F::MunicipalConditionStartDate), None, Some(F::MunicipalConditionType);
    /// Notat.
    19 Note "note" Some(F::NoteStartDate), None, Some(F::NoteNumber);
    /// Valgoplysninger.
    20 Election "election" Some(F::ElectionInformationStartDate), None, Some(F::ElectionCode);
    /// Flyttepåbud.
    21 OrderToMove "order_to_move" Some(F::OrderToMoveStartDate), None, None;
    /// Historisk personnummer: a number the person gave up.
    22 FormerNumber "former_number" Some(F::PnrStartDate), Some(F::PnrEndDate), Some(F::FormerPnr);
    /// Mother with address, of the statusudtræk U12180-P.
    23 MotherAddress "mother_address" None, None, None;
    /// Father with address, of the statusudtræk U12180-P.
    24 FatherAddress "father_address" None, None, None;
    /// Child with address, of the statusudtræk U12180-P.
    25 ChildAddress "child_address" None, None, Some(F::ChildPnr);
    /// Hændelse: accumulates, is never replaced.
    26 Event "event" None, None, None;
}

impl Aspect {
    /// How many there are: their numbers are 1 to this.
    pub(crate) const COUNT: usize = ASPECTS.len();

    /// Every aspect, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Aspect> {
        ASPECTS.iter().map(|info| info.aspect)
    }

    /// The aspect with this number, or none.
    #[inline]
    pub fn from_number(number: u8) -> Option<Aspect> {
        ASPECTS.get(usize::from(number).checked_sub(1)?).map(|info| info.aspect)
    }

    /// The aspect with this name (`civil_status`), or none.
    pub fn from_name(name: &str) -> Option<Aspect> {
        ASPECTS.iter().find(|info| info.name == name).map(|info| info.aspect)
    }

    /// The name in snake case, stable.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The number in stored facts, stable; below 64.
    #[inline]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The field where valid time starts, for aspects that CPR dates.
    pub fn start(self) -> Option<Field> {
        self.info().start
    }

    /// The field where valid time ends.
    pub fn end(self) -> Option<Field> {
        self.info().end
    }

    /// The field that tells several current rows of one person apart (protection kind, child, …).
    pub fn slot(self) -> Option<Field> {
        self.info().slot
    }

    /// Address, abroad and disappeared: at any time at most one of the three, the *residence line*.
    pub fn is_residence(self) -> bool {
        matches!(self, Aspect::Address | Aspect::Emigration | Aspect::Disappearance)
    }

    /// The period in which a row of this aspect holds in the world.
    ///
    /// A row that CPR does not date holds without bounds. A historic row without an end, and a first immigration (a
    /// stay abroad without its emigration half), are points: they have no length. Marks are not looked at.
    #[inline]
    pub fn period(self, values: Values<'_>, historic: bool) -> Period<Timestamp> {
        let info = self.info();
        self.period_between(values.bounds(info.start, info.end), historic)
    }

    /// The bounds that a row states, none where it states none: those of [`Aspect::period`] before anything is
    /// concluded.
    pub fn stated_bounds(self, values: Values<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
        let info = self.info();
        let Bounds { from, to, .. } = values.bounds(info.start, info.end);
        (from, to)
    }

    /// CPR's mark on a row of this aspect.
    pub fn mark(self, values: Values<'_>) -> Option<CorrectionMark> {
        let info = self.info();
        values.bounds(info.start, info.end).mark.and_then(CorrectionMark::from_latin1)
    }

    /// True when a row of this aspect held in the world at this moment: unmarked, and the moment lies in its period.
    #[inline]
    pub fn holds_at(self, values: Values<'_>, historic: bool, at: Timestamp) -> bool {
        let info = self.info();
        let bounds = values.bounds(info.start, info.end);
        let marked = bounds.mark.and_then(CorrectionMark::from_latin1).is_some();
        !marked && self.period_between(bounds, historic).contains(at)
    }

    #[inline]
    fn period_between(self, Bounds { from, to, .. }: Bounds, historic: bool) -> Period<Timestamp> {
        let point = |at: Option<Timestamp>| {
            let at = at.or(Timestamp::from_digits(0));
            Period { from: at, to: at }
        };
        match (from, to) {
            (from, None) if historic => point(from),
            (None, Some(to)) if self == Aspect::Emigration => point(Some(to)),
            (from, to) => Period { from, to },
        }
    }

    #[inline]
    fn info(self) -> &'static AspectInfo {
        &ASPECTS[usize::from(self.number()) - 1]
    }
}
