//! How keys and values stand in a pack: bytes that sort as the keys do. docs/format.md draws them.
//!
//! Numbers stand with the highest byte first, parts of a key end to end. Behind text that is followed by another part
//! stands a zero, which no such text contains: words are letters and digits ([`cpr_model::Folder`]).

use std::ops::RangeInclusive;

use cpr_pack::Keys;

/// What a column of a table holds.
pub(crate) trait Column: redb::Value + 'static {
    /// How a pack finds keys of this kind.
    const KEYS: Keys = Keys::Bytes;

    /// The number that a key of [`Keys::Numbers`] is.
    #[inline]
    fn number(_: &Self::SelfType<'_>) -> Option<u32> {
        None
    }

    /// The keys of one person, where keys begin with one.
    fn of_person(_: u32) -> Option<RangeInclusive<Self::SelfType<'static>>> {
        None
    }

    /// Adds the bytes of a value.
    fn encode(value: &Self::SelfType<'_>, into: &mut Vec<u8>);

    /// The value of these bytes; none when they are of no value.
    fn decode(bytes: &[u8]) -> Option<Self::SelfType<'_>>;
}

impl Column for u32 {
    const KEYS: Keys = Keys::Numbers;

    #[inline]
    fn number(value: &u32) -> Option<u32> {
        Some(*value)
    }

    fn of_person(person: u32) -> Option<RangeInclusive<u32>> {
        Some(person..=person)
    }

    fn encode(value: &u32, into: &mut Vec<u8>) {
        into.extend(value.to_be_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<u32> {
        bytes.try_into().ok().map(u32::from_be_bytes)
    }
}

impl Column for u16 {
    fn encode(value: &u16, into: &mut Vec<u8>) {
        into.extend(value.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<u16> {
        bytes.try_into().ok().map(u16::from_be_bytes)
    }
}

impl Column for &'static [u8] {
    fn encode(value: &&[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(value);
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<&[u8]> {
        Some(bytes)
    }
}

impl Column for &'static [u8; 32] {
    fn encode(value: &&[u8; 32], into: &mut Vec<u8>) {
        into.extend_from_slice(*value);
    }

    fn decode(bytes: &[u8]) -> Option<&[u8; 32]> {
        bytes.try_into().ok()
    }
}

impl Column for &'static str {
    fn encode(value: &&str, into: &mut Vec<u8>) {
        into.extend_from_slice(value.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<&str> {
        str::from_utf8(bytes).ok()
    }
}

impl Column for (u32, u32) {
    fn of_person(person: u32) -> Option<RangeInclusive<(u32, u32)>> {
        Some((person, 0)..=(person, u32::MAX))
    }

    fn encode(value: &(u32, u32), into: &mut Vec<u8>) {
        into.extend(value.0.to_be_bytes());
        into.extend(value.1.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<(u32, u32)> {
        let (first, second) = bytes.split_first_chunk()?;
        Some((u32::from_be_bytes(*first), u32::decode(second)?))
    }
}

impl Column for (u32, u8) {
    fn encode(value: &(u32, u8), into: &mut Vec<u8>) {
        into.extend(value.0.to_be_bytes());
        into.push(value.1);
    }

    fn decode(bytes: &[u8]) -> Option<(u32, u8)> {
        let (&last, first) = bytes.split_last()?;
        Some((u32::decode(first)?, last))
    }
}

impl Column for (u8, u32, u16) {
    fn encode(value: &(u8, u32, u16), into: &mut Vec<u8>) {
        into.push(value.0);
        into.extend(value.1.to_be_bytes());
        into.extend(value.2.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<(u8, u32, u16)> {
        let (&first, rest) = bytes.split_first()?;
        let (second, third) = rest.split_first_chunk()?;
        Some((first, u32::from_be_bytes(*second), u16::decode(third)?))
    }
}

impl Column for (u32, &'static [u8]) {
    fn encode(value: &(u32, &[u8]), into: &mut Vec<u8>) {
        into.extend(value.0.to_be_bytes());
        into.extend_from_slice(value.1);
    }

    fn decode(bytes: &[u8]) -> Option<(u32, &[u8])> {
        let (first, second) = bytes.split_first_chunk()?;
        Some((u32::from_be_bytes(*first), second))
    }
}

impl Column for (&'static [u8], u8) {
    fn encode(value: &(&[u8], u8), into: &mut Vec<u8>) {
        into.extend_from_slice(value.0);
        into.extend([0, value.1]);
    }

    fn decode(bytes: &[u8]) -> Option<(&[u8], u8)> {
        let (text, &[0, last]) = bytes.split_last_chunk()? else { return None };
        (!text.contains(&0)).then_some((text, last))
    }
}

impl Column for (&'static [u8], &'static [u8]) {
    fn encode(value: &(&[u8], &[u8]), into: &mut Vec<u8>) {
        into.extend_from_slice(value.0);
        into.push(0);
        into.extend_from_slice(value.1);
    }

    fn decode(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let zero = bytes.iter().position(|byte| *byte == 0)?;
        Some((&bytes[..zero], &bytes[zero + 1..]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded<C: Column>(value: C::SelfType<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        C::encode(&value, &mut bytes);
        bytes
    }

    fn word() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![1..=3u8, 1..=255u8], 0..4)
    }

    proptest! {
        #[test]
        fn bytes_sort_as_keys_do_and_give_them_back(
            a in (word(), word(), any::<(u8, u16)>(), 0..3u32), b in (word(), word(), any::<(u8, u16)>(), 0..3u32),
        ) {
            macro_rules! check {
                ($($type:ty: $of:expr;)*) => {$({
                    let of = $of;
                    let [first, second] = [encoded::<$type>(of(&a)), encoded::<$type>(of(&b))];
                    prop_assert_eq!(first.cmp(&second), of(&a).cmp(&of(&b)));
                    prop_assert!(<$type>::decode(&first) == Some(of(&a)));
                })*};
            }
            type Parts = (Vec<u8>, Vec<u8>, (u8, u16), u32);
            fn words(of: &Parts) -> (&[u8], &[u8]) { (&of.0, &of.1) }
            fn chunk(of: &Parts) -> (&[u8], u8) { (&of.0, of.2.0) }
            fn numbered(of: &Parts) -> (u32, &[u8]) { (of.3, &of.1) }
            check! {
                u32: |of: &Parts| of.3 << 24 | u32::from(of.2.1);
                u16: |of: &Parts| of.2.1;
                (u32, u32): |of: &Parts| (of.3, u32::from(of.2.1));
                (u32, u8): |of: &Parts| (of.3, of.2.0);
                (u8, u32, u16): |of: &Parts| (of.2.0 % 2, of.3, of.2.1);
                (u32, &'static [u8]): numbered;
                (&'static [u8], u8): chunk;
                (&'static [u8], &'static [u8]): words;
            }
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            fn again<C: Column>(bytes: &[u8]) -> bool {
                C::decode(bytes).is_none_or(|value| encoded::<C>(value) == bytes)
            }
            prop_assert!(again::<u32>(&bytes) && again::<u16>(&bytes) && again::<&'static str>(&bytes));
            prop_assert!(again::<(u32, u32)>(&bytes) && again::<(u32, u8)>(&bytes) && again::<(u8, u32, u16)>(&bytes));
            prop_assert!(again::<(&'static [u8], u8)>(&bytes) && again::<(u32, &'static [u8])>(&bytes));
            prop_assert!(again::<(&'static [u8], &'static [u8])>(&bytes) && again::<&'static [u8; 32]>(&bytes));
        }
    }
}
