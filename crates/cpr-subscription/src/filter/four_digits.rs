//! Codes of four digits, as text and as two bytes: municipalities and streets.

/// One to four digits, not all zeros.
pub(crate) fn parse_four_digits(text: &str) -> Option<u16> {
    let is_code = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| text.parse().ok()).flatten().filter(|&code| code > 0)
}

/// A code of four digits in two bytes, not zero.
pub(crate) fn four_digits_from_bytes(high: u8, low: u8) -> Option<u16> {
    Some(u16::from_be_bytes([high, low])).filter(|code| (1..=9999).contains(code))
}
