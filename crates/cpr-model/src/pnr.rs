//! The personnummer, and the key of four bytes that stands for it.

use std::fmt;
use std::ops::RangeInclusive;

use crate::Date;

/// A personnummer: ten ASCII digits, `DDMMYYSSSS`. Any ten pass: modulus 11 has not held for all
/// since 2007-10-01, and replacement numbers (erstatningspersonnumre) add 60 to the day.
/// Source: cpr.dk, "Opbygning af CPR-nummeret" and "Erstatningspersonnummer i eksterne systemer".
///
/// ```
/// use cpr_model::Pnr;
/// let pnr: Pnr = "6101801234".parse()?; // 60 is added to the day: a replacement number
/// assert_eq!(pnr.reveal(), "6101801234");
/// assert_eq!(format!("{pnr:?}"), "Pnr(..)");
/// # Ok::<(), cpr_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pnr([u8; 10]);

impl Pnr {
    /// Reads ten ASCII digits and nothing else.
    pub fn parse(digits: &[u8]) -> Option<Pnr> {
        let digits: [u8; 10] = digits.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Pnr(digits))
    }

    /// The number whose digits are those of `value`, zero-filled to ten.
    pub(crate) fn from_number(value: u64) -> Option<Pnr> {
        (value < 10_000_000_000).then(|| {
            let mut digits = [b'0'; 10];
            let mut rest = value;
            for digit in digits.iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            Pnr(digits)
        })
    }

    /// The digits in clear. Every call site is a place where a person can be identified.
    pub fn reveal(&self) -> &str {
        str::from_utf8(&self.0).expect("ten ASCII digits, checked by `parse`")
    }

    /// As [`Pnr::reveal`], as bytes.
    #[inline]
    pub fn reveal_digits(&self) -> &[u8; 10] {
        &self.0
    }

    /// The key of this number, or none when its day or month cannot be one (see [`PersonKey`]).
    #[inline]
    pub fn key(&self) -> Option<PersonKey> {
        PersonKey::of(*self)
    }

    /// The five pairs of digits, as numbers.
    #[inline]
    fn pairs(&self) -> [u32; 5] {
        let [d0, d1, d2, d3, d4, d5, d6, d7, d8, d9] = self.0;
        // Eight digits at once, a byte each: ten times each of them and the one behind it stay below 100.
        let digits = u64::from_le_bytes([d0, d1, d2, d3, d4, d5, d6, d7]) & 0x0F0F_0F0F_0F0F_0F0F;
        let sums = digits * 10 + (digits >> 8);
        let pair = |at: u32| (sums >> (16 * at) & 0xFF) as u32;
        [pair(0), pair(1), pair(2), pair(3), u32::from(d8 & 0x0F) * 10 + u32::from(d9 & 0x0F)]
    }
}

/// Prints `Pnr(..)`; there is no `Display`, so a number cannot reach a log by accident.
impl fmt::Debug for Pnr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pnr(..)")
    }
}

/// A related person's number as a record states it: PNRMOR, AEGTEPNR, RELPNR and the like.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RelatedPnr {
    /// `0000000000`: the person exists, but CPR gives no number (none known, or it was removed).
    Unknown,
    /// The number as stated.
    Known(Pnr),
}

/// First year of the century table: digits 5-8 with years 58-99 are the 1800s.
const FIRST_YEAR: u32 = 1858;
/// Last year of the century table: digits 5-8 with years 00-57 are the 2000s.
const LAST_YEAR: u32 = 2057;
const MONTHS: u32 = 13;
const DAY_SLOTS: u32 = 64;
const SERIALS: u32 = 10_000;

/// The key of a person in the store: day of birth by the digits of the number, then the serial number.
///
/// A bijection with the personnummer, so no table is needed; total over days 0-31 and 60-91 (replacement numbers) and
/// months 0-12. Its order is birth order, the order of CPR's files: a day + 60 number sorts beside its day.
/// Source of the century rule: cpr.dk, "Personnummeret i CPR", table of the 7th digit.
///
/// ```
/// use cpr_model::{PersonKey, Pnr};
/// let pnr: Pnr = "6101801234".parse()?;
/// let key = pnr.key().expect("day 61 is day 1 of a replacement number");
/// assert_eq!((key.pnr(), key.date().to_string().as_str()), (pnr, "1980-01-01"));
/// assert_eq!(PersonKey::from_u32(key.as_u32()), Some(key));
/// # Ok::<(), cpr_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PersonKey(u32);

impl PersonKey {
    /// The key of a number, or none when its day is 32-59 or above 91 or its month is above 12.
    #[inline]
    pub fn of(pnr: Pnr) -> Option<PersonKey> {
        let [day, month, year, hundreds, rest] = pnr.pairs();
        let serial = hundreds * 100 + rest;
        let slot = match day {
            0..=31 => day * 2,
            60..=91 => (day - 60) * 2 + 1,
            _ => return None,
        };
        if month >= MONTHS {
            return None;
        }
        let date = (century(serial, year) + year - FIRST_YEAR) * MONTHS * DAY_SLOTS + month * DAY_SLOTS + slot;
        Some(PersonKey(date * SERIALS + serial))
    }

    /// The key that is stored as `value`, or none when no number has it.
    pub fn from_u32(value: u32) -> Option<PersonKey> {
        let key = PersonKey(value);
        let (year, month, day, serial) = key.parts();
        let digits = u64::from(day) * 100_000_000 + u64::from(month) * 1_000_000 + u64::from(year % 100) * 10_000;
        let pnr = Pnr::from_number(digits + u64::from(serial))?;
        (PersonKey::of(pnr) == Some(key)).then_some(key)
    }

    /// The key as it is stored. It identifies the person as surely as the number does.
    #[inline]
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// The number with this key.
    pub fn pnr(self) -> Pnr {
        let (year, month, day, serial) = self.parts();
        let digits = u64::from(day) * 100_000_000 + u64::from(month) * 1_000_000 + u64::from(year % 100) * 10_000;
        Pnr::from_number(digits + u64::from(serial)).expect("day below 100, month below 100: ten digits at most")
    }

    /// The date that the digits of the number say, of a day + 60 number the day meant. The register may record another.
    pub fn date(self) -> Date {
        let (year, month, day, _) = self.parts();
        Date::from_digits(year * 10_000 + month * 100 + day % 60).expect("eight digits")
    }

    /// The first and the last value a key can have (see [`PersonKey::as_u32`]) whose number says a date in this range;
    /// none when no number can. The ends of the range may be digits that no number has, such as the 32nd.
    pub fn values_of_dates(dates: &RangeInclusive<Date>) -> Option<RangeInclusive<u32>> {
        // Slots of earlier dates: a date that no number says lies between the slots of its neighbours.
        let slots_before = |digits: u32| {
            let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
            let year = year.clamp(FIRST_YEAR, LAST_YEAR + 1) - FIRST_YEAR;
            let of_year =
                if month < MONTHS { month * DAY_SLOTS + day.min(DAY_SLOTS / 2) * 2 } else { MONTHS * DAY_SLOTS };
            let of_year = if (FIRST_YEAR..=LAST_YEAR).contains(&(digits / 10_000)) { of_year } else { 0 };
            year * MONTHS * DAY_SLOTS + of_year
        };
        let first = slots_before(dates.start().digits());
        let end = slots_before(dates.end().digits() + 1);
        (first < end).then(|| first * SERIALS..=(end - 1) * SERIALS + (SERIALS - 1))
    }

    fn parts(self) -> (u32, u32, u32, u32) {
        let (date, serial) = (self.0 / SERIALS, self.0 % SERIALS);
        let slot = date % DAY_SLOTS;
        let day = slot / 2 + (slot % 2) * 60;
        (FIRST_YEAR + date / (MONTHS * DAY_SLOTS), date / DAY_SLOTS % MONTHS, day, serial)
    }
}

/// Prints `PersonKey(..)`: the key is the number in another spelling.
impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(..)")
    }
}

fn century(serial: u32, year: u32) -> u32 {
    match serial / 1000 {
        0..=3 => 1900,
        4 | 9 if year >= 37 => 1900,
        4 | 9 => 2000,
        _ if year >= 58 => 1800,
        _ => 2000,
    }
}
