//! Addresses as filters name them: municipality and street code, and as much of the rest as is wanted.

use std::fmt;

use cpr_model::{MunicipalityCode, StreetCode};

use super::error::FilterError;
use super::four_digits::{four_digits_from_bytes, parse_four_digits};

macro_rules! part {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $write:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Reads it as a register or a person writes it: blanks around it, missing zeros and either case allowed.
            /// None when it is blank, too long, or holds anything but letters, digits, `-` and `/`.
            pub fn parse(latin1: &[u8]) -> Option<$name> {
                let part = latin1.trim_ascii();
                let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/');
                if part.is_empty() || part.len() > $bytes || !part.iter().all(is_plain) {
                    return None;
                }
                let write: fn(&[u8], &mut [u8; $bytes]) -> Option<()> = $write;
                let mut bytes = [0; $bytes];
                write(part, &mut bytes)?;
                Some($name(bytes))
            }

            fn as_str(&self) -> &str {
                let length = self.0.iter().position(|&byte| byte == 0).unwrap_or($bytes);
                str::from_utf8(&self.0[..length]).expect("ASCII, checked by `parse`")
            }

            /// The bytes it has as part of a stored filter or index, in the order of the part; zeros when it is not
            /// named.
            pub fn stored(part: Option<$name>) -> [u8; $bytes] {
                part.map_or([0; $bytes], |part| part.0)
            }

            fn from_stored(bytes: [u8; $bytes]) -> Option<Option<$name>> {
                if bytes == [0; $bytes] {
                    return Some(None);
                }
                let length = bytes.iter().position(|&byte| byte == 0).unwrap_or($bytes);
                $name::parse(&bytes[..length]).filter(|part| part.0 == bytes).map(Some)
            }
        }

        /// Says what it is, not what it holds.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

part! {
    /// Husnummer (HUSNR): three digits and a letter or none, `091`, `077A`.
    HouseNumber, 4, |part, bytes| {
        let digits = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) || part.len() > digits + 1 {
            return None;
        }
        write_zero_padded(&part[..digits], &mut bytes[..3]);
        bytes[3] = part.get(digits).map_or(0, u8::to_ascii_uppercase);
        Some(())
    }
}
part! {
    /// Etage (ETAGE): `01`, `st`, `kl`, `k2`.
    Floor, 2, |part, bytes| {
        write_part(part, bytes);
        Some(())
    }
}
part! {
    /// Sidedør (SIDEDOER): `tv`, `th`, `mf`, a number of four digits (`0012`), or what else stands on the door.
    Door, 4, |part, bytes| {
        write_part(part, bytes);
        Some(())
    }
}

/// Digits at the right behind zeros.
fn write_zero_padded(digits: &[u8], bytes: &mut [u8]) {
    let zeros = bytes.len() - digits.len();
    bytes[..zeros].fill(b'0');
    bytes[zeros..].copy_from_slice(digits);
}

/// A number as [`fill_left`], and anything else in small letters at the left.
fn write_part(part: &[u8], bytes: &mut [u8]) {
    if part.iter().all(u8::is_ascii_digit) {
        return write_zero_padded(part, bytes);
    }
    bytes[..part.len()].copy_from_slice(part);
    bytes.make_ascii_lowercase();
}

/// Where a person lives within the municipality, as far as codes say it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddressSubject {
    /// VEJKOD.
    pub street: StreetCode,
    /// HUSNR.
    pub house: Option<HouseNumber>,
    /// ETAGE.
    pub floor: Option<Floor>,
    /// SIDEDOER.
    pub door: Option<Door>,
}

/// A street, a house, a floor or a dwelling: what is not named may be anything.
///
/// Its text is `0851:8512:091:01:tv`, cut where nothing more is named; a part left out in the middle is empty.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AddressFilter {
    /// KOMKOD; street codes are unique within it.
    pub municipality: MunicipalityCode,
    /// VEJKOD.
    pub street: StreetCode,
    /// HUSNR.
    pub house: Option<HouseNumber>,
    /// ETAGE.
    pub floor: Option<Floor>,
    /// SIDEDOER.
    pub door: Option<Door>,
}

/// Bytes of a stored address filter.
pub(crate) const ADDRESS_BYTES: usize = 14;

impl AddressFilter {
    /// True when a person who lives so lives where the filter says.
    pub fn holds(&self, municipality: MunicipalityCode, address: &AddressSubject) -> bool {
        self.municipality == municipality
            && self.street == address.street
            && (self.house.is_none() || self.house == address.house)
            && (self.floor.is_none() || self.floor == address.floor)
            && (self.door.is_none() || self.door == address.door)
    }

    /// Reads the parts between colons.
    pub(crate) fn parse(text: &str) -> Result<AddressFilter, FilterError> {
        let parts: Vec<&str> = text.split(':').collect();
        if !(2..=5).contains(&parts.len()) {
            return Err(FilterError::NotAnAddress { part: "number of parts" });
        }
        let refused = |part| move || FilterError::NotAnAddress { part };
        let code = |at: usize, part| parse_four_digits(parts[at]).ok_or_else(refused(part));
        fn optional<T>(text: Option<&&str>, parse: fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
            match text.map_or("", |text| text.trim()) {
                "" => Some(None),
                text => parse(text.as_bytes()).map(Some),
            }
        }
        Ok(AddressFilter {
            municipality: MunicipalityCode(code(0, "municipality")?),
            street: StreetCode(code(1, "street")?),
            house: optional(parts.get(2), HouseNumber::parse).ok_or_else(refused("house number"))?,
            floor: optional(parts.get(3), Floor::parse).ok_or_else(refused("floor"))?,
            door: optional(parts.get(4), Door::parse).ok_or_else(refused("door"))?,
        })
    }

    /// The address in clear.
    pub fn reveal(&self) -> String {
        let house = self.house.as_ref().map_or("", HouseNumber::as_str);
        let floor = self.floor.as_ref().map_or("", Floor::as_str);
        let door = self.door.as_ref().map_or("", Door::as_str);
        let text = format!("{}:{}:{house}:{floor}:{door}", self.municipality, self.street);
        text.trim_end_matches(':').to_owned()
    }

    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.municipality.0.to_be_bytes());
        bytes.extend(self.street.0.to_be_bytes());
        bytes.extend(HouseNumber::stored(self.house));
        bytes.extend(Floor::stored(self.floor));
        bytes.extend(Door::stored(self.door));
    }

    pub(crate) fn take_from(bytes: &[u8; ADDRESS_BYTES]) -> Option<AddressFilter> {
        let [m1, m2, s1, s2, h1, h2, h3, h4, f1, f2, d1, d2, d3, d4] = *bytes;
        Some(AddressFilter {
            municipality: MunicipalityCode(four_digits_from_bytes(m1, m2)?),
            street: StreetCode(four_digits_from_bytes(s1, s2)?),
            house: HouseNumber::from_stored([h1, h2, h3, h4])?,
            floor: Floor::from_stored([f1, f2])?,
            door: Door::from_stored([d1, d2, d3, d4])?,
        })
    }
}

/// Says how much of an address it names, not which.
impl fmt::Debug for AddressFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressFilter(..)")
    }
}
