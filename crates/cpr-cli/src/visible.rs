//! Texts from outside, made fit to be shown: control characters by their number, numbers of persons not at all.

use std::fmt::{self, Write as _};
use std::path::Path;

/// A text with its control characters as `\u{1b}`; line ends and tabs stay.
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' | '\t' => f.write_char(c),
            c if c.is_control() => c.escape_unicode().fmt(f),
            c => f.write_char(c),
        })
    }
}

/// A value within a line of text: its line ends are control characters too.
pub(crate) fn one_line(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for c in value.chars() {
        match c.is_control() {
            true => line.extend(c.escape_unicode()),
            false => line.push(c),
        }
    }
    line
}

/// A path for a message. What looks like a personnummer in it, typed where a file was wanted, is left out.
pub(crate) fn path(path: &Path) -> String {
    without_numbers(&one_line(&path.to_string_lossy()))
}

/// The text with each `6101801234` and `610180-1234` as `..`.
fn without_numbers(text: &str) -> String {
    let is_number = |bytes: &[u8]| {
        let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        match bytes.len() {
            10 => digits(bytes),
            11 => digits(&bytes[..6]) && bytes[6] == b'-' && digits(&bytes[7..]),
            _ => false,
        }
    };
    let bytes = text.as_bytes();
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = text[at..].chars().next() {
        let ends = [10, 11].map(|length| at + length);
        match ends.into_iter().find(|&end| bytes.get(at..end).is_some_and(is_number)) {
            Some(end) => {
                shown += "..";
                at = end;
            }
            None => {
                shown.push(c);
                at += c.len_utf8();
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Visible, one_line, without_numbers};

    #[test]
    fn control_characters_are_shown_and_line_ends_only_where_lines_are_meant() {
        assert_eq!(Visible("a\u{1b}[2J\u{9b}\n").to_string(), "a\\u{1b}[2J\\u{9b}\n");
        assert_eq!(one_line("Ærø\r\nb\u{7f}"), "Ærø\\u{d}\\u{a}b\\u{7f}");
    }

    #[test]
    fn a_path_does_not_tell_a_number_that_stands_in_it() {
        assert_eq!(without_numbers("/æ/6101801234/x"), "/æ/../x");
        assert_eq!(without_numbers("610180-1234"), "..");
        assert_eq!(without_numbers("D260105.L999901"), "D260105.L999901");
    }
}
