//! Ascending numbers as the distances between them, seven bits to a byte, lowest first: how a row holds many persons in
//! few bytes.

use std::ops::ControlFlow;

/// Adds the distances of ascending numbers to a payload.
pub(crate) fn write(numbers: impl IntoIterator<Item = u64>, payload: &mut Vec<u8>) {
    let mut last = 0;
    for number in numbers {
        let mut rest = number - last;
        while rest >= 0x80 {
            payload.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        payload.push(rest as u8);
        last = number;
    }
}

/// Calls `each` with the numbers, ascending; `bits` is how many the greatest can have, 57 at most.
///
/// # Errors
/// What is wrong with the bytes.
#[inline]
pub(crate) fn read(payload: &[u8], bits: u32, mut each: impl FnMut(u64)) -> Result<(), &'static str> {
    let all = |number| {
        each(number);
        ControlFlow::Continue(())
    };
    read_while(payload, bits, all)
}

/// As [`read`], for as long as `each` wants more of them.
///
/// # Errors
/// What is wrong with the bytes up to there.
#[inline]
pub(crate) fn read_while(
    payload: &[u8],
    bits: u32,
    mut each: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<(), &'static str> {
    let (mut last, mut distance, mut shift) = (0u64, 0u64, 0);
    for &byte in payload {
        if shift > bits {
            return Err("a distance that does not end");
        }
        distance |= u64::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 {
            last += distance;
            if last >> bits != 0 {
                return Err("a person behind all numbers");
            }
            if each(last).is_break() {
                return Ok(());
            }
            (distance, shift) = (0, 0);
        }
    }
    if shift == 0 { Ok(()) } else { Err("half an entry") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_damaged_distances_are_told() {
        let numbers = [0, 1, 127, 128, 300, 70_000, u64::from(u32::MAX)];
        let mut payload = Vec::new();
        write(numbers, &mut payload);
        let mut found = Vec::new();
        assert_eq!(read(&payload, 32, |number| found.push(number)), Ok(()));
        assert_eq!(found, numbers);
        let mut first = Vec::new();
        let three = |number| {
            first.push(number);
            if first.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert_eq!(read_while(&payload, 32, three), Ok(()));
        assert_eq!(first, numbers[..3]);
        assert_eq!(read(&payload, 31, |_| ()), Err("a person behind all numbers"));
        assert_eq!(read(&[0x80], 32, |_| ()), Err("half an entry"));
        assert_eq!(read(&[0xFF; 9], 32, |_| ()), Err("a distance that does not end"));
    }
}
