//! Keys of the indexes: kinds of sets, years of numbers, streets and houses.

use cpr_subscription::HouseNumber;

/// What a row of the index is about; part of its key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(crate) enum SetKind {
    /// Everybody who is held; value 0.
    Held = 1,
    /// KOMKOD of the current address.
    Municipality = 2,
    /// STATUS.
    Status = 3,
    /// BESKYTTYPE of each protection.
    Protection = 4,
    /// LANDEKOD of the current citizenship.
    Citizenship = 5,
    /// The recorded birth date, of those whose number says another one; 0 when none is recorded.
    DifferingBirthDate = 6,
    /// KOMKOD and VEJKOD of the current address, with house numbers.
    Street = 7,
    /// Everybody who stands under [`SetKind::DifferingBirthDate`], whatever date is recorded; value 0.
    OtherThanNumber = 8,
    /// Numbers that deliveries brought and that nobody needs; value 0. Kept, not derived (`crate::index::left_out`).
    LeftOut = 9,
    /// SLET_DT of each protection that has one.
    ProtectionEnd = 10,
}

/// Above the number of every kind.
pub(crate) const KINDS: usize = SetKind::ProtectionEnd as usize + 1;

/// Years of numbers in a row of words.
pub(crate) const YEARS_OF_WORDS: u16 = 16;

/// Keys of one year.
const YEAR: u32 = 13 * 64 * 10_000;

/// The part of a row's key that says which persons it can hold.
pub(crate) fn year_of(key: u32) -> u16 {
    (key / YEAR) as u16
}

/// The keys that a row of this year can hold.
pub(crate) fn numbers_of(year: u16) -> std::ops::Range<u32> {
    let first = u32::from(year).saturating_mul(YEAR);
    first..first.saturating_add(YEAR)
}

/// The value of a street's row.
pub(crate) fn street(municipality: u16, street: u16) -> u32 {
    u32::from(municipality) << 16 | u32::from(street)
}

/// A house number as it stands in a street's row: in order of the numbers, then of the letters.
pub(crate) fn house(number: Option<HouseNumber>) -> u32 {
    u32::from_be_bytes(HouseNumber::stored(number))
}
