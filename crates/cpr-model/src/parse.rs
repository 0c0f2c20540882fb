//! Values from text, in one style: `FromStr` reads what `Display` prints (of a [`Pnr`], what [`Pnr::reveal`] gives),
//! and the error says what was expected, never what was there.

use std::str::FromStr;

use crate::{CountryCode, Date, Day, MunicipalityCode, Pnr, ProtectionKind, Status, StreetCode, Timestamp};

/// A text that is no value of the type asked for. It does not repeat the text, which may be a personnummer.
///
/// ```
/// use cpr_model::Pnr;
/// let error = "610180-1234".parse::<Pnr>().unwrap_err();
/// assert_eq!(error.to_string(), "not a personnummer of ten digits");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ParseError {
    /// What was expected.
    pub expected: &'static str,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not {}", self.expected)
    }
}

impl std::error::Error for ParseError {}

/// Reads ten digits, without a hyphen, as [`Pnr::parse`] does.
impl FromStr for Pnr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Pnr, ParseError> {
        Pnr::parse(text.as_bytes()).ok_or(ParseError { expected: "a personnummer of ten digits" })
    }
}

/// Reads `YYYY-MM-DD` or `YYYYMMDD`; any digits pass, since CPR sends such. A question takes a [`Day`].
impl FromStr for Date {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Date, ParseError> {
        Date::parse(text).ok_or(ParseError { expected: "a date as YYYY-MM-DD" })
    }
}

/// Reads `YYYY-MM-DD` or `YYYYMMDD`, of a day that the calendar has.
impl FromStr for Day {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Day, ParseError> {
        let day = Date::parse(text).and_then(Day::of);
        day.ok_or(ParseError { expected: "a day of the calendar as YYYY-MM-DD" })
    }
}

/// Reads `YYYY-MM-DD HH:MM`, with a blank or a `T` between, or twelve digits; any digits pass, minute 99 too.
impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Timestamp, ParseError> {
        let digits: Vec<u8> = match text.as_bytes() {
            [y @ .., b'-', m1, m2, b'-', d1, d2, b' ' | b'T', h1, h2, b':', n1, n2] if y.len() == 4 => {
                [y, &[*m1, *m2, *d1, *d2, *h1, *h2, *n1, *n2]].concat()
            }
            plain => plain.to_vec(),
        };
        let number = (digits.len() == 12).then(|| number_of(&digits)).flatten();
        number.and_then(Timestamp::from_digits).ok_or(ParseError { expected: "a timestamp as YYYY-MM-DD HH:MM" })
    }
}

/// Reads one or two digits.
impl FromStr for Status {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Status, ParseError> {
        let number = (text.len() <= 2).then(|| number_of(text.as_bytes())).flatten();
        number.map(|number| Status(number as u8)).ok_or(ParseError { expected: "a status of two digits" })
    }
}

macro_rules! four_digits {
    ($($name:ident $expected:literal,)*) => {$(
        /// Reads one to four digits: `751` is `0751`.
        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<$name, ParseError> {
                let number = (text.len() <= 4).then(|| number_of(text.as_bytes())).flatten();
                number.map(|number| $name(number as u16)).ok_or(ParseError { expected: $expected })
            }
        }
    )*};
}

four_digits! {
    MunicipalityCode "a municipality code of four digits",
    StreetCode "a street code of four digits",
    CountryCode "a country code of four digits",
    ProtectionKind "a kind of protection of four digits",
}

/// The number that digits write; none for anything else, and for none.
fn number_of(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_value_is_told_without_the_text() {
        let error = |text: &str| {
            [
                text.parse::<Pnr>().err(),
                text.parse::<Date>().err(),
                text.parse::<Day>().err(),
                text.parse::<Timestamp>().err(),
                text.parse::<MunicipalityCode>().err(),
                text.parse::<Status>().err(),
            ]
        };
        for text in [
            "",
            "x",
            "-1",
            "+1",
            "6101801234x",
            "2026-1-01",
            "2026-01-01 1:00",
            "１２３４５６７８９０",
            "12345678901234567890",
        ] {
            for error in error(text) {
                let told = error.expect(text).to_string();
                assert!(
                    told.starts_with("not a ") && (text.is_empty() || !told.contains(text)) || text == "x",
                    "{told}"
                );
            }
        }
        assert!("2026-02-30".parse::<Day>().is_err() && "2026-02-30".parse::<Date>().is_ok());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(digits in 0u64..1_000_000_000_000, code in 0u16..10_000, any in ".{0,14}") {
            let time = Timestamp::from_digits(digits).unwrap();
            prop_assert_eq!(time.to_string().parse(), Ok(time));
            prop_assert_eq!(format!("{digits:012}").parse(), Ok(time));
            prop_assert_eq!(time.date().to_string().parse(), Ok(time.date()));
            prop_assert_eq!(MunicipalityCode(code).to_string().parse(), Ok(MunicipalityCode(code)));
            prop_assert_eq!(StreetCode(code).to_string().parse(), Ok(StreetCode(code)));
            prop_assert_eq!(CountryCode(code).to_string().parse(), Ok(CountryCode(code)));
            prop_assert_eq!(ProtectionKind(code).to_string().parse(), Ok(ProtectionKind(code)));
            prop_assert_eq!(Status((code % 100) as u8).to_string().parse(), Ok(Status((code % 100) as u8)));
            let pnr = Pnr::parse(format!("{:010}", digits % 10_000_000_000).as_bytes()).unwrap();
            prop_assert_eq!(pnr.reveal().parse(), Ok(pnr));
            if let Some(day) = Day::of(time.date()) {
                prop_assert_eq!(day.to_string().parse(), Ok(day));
            }
            let _ = (any.parse::<Pnr>(), any.parse::<Day>(), any.parse::<Timestamp>(), any.parse::<Status>());
        }
    }
}
