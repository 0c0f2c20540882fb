//! Mutations that keep an extract an extract: lines move, repeat, vanish and change by the digit.
//!
//! Bytes changed blindly nearly always make a line that the reader refuses, and then nothing behind the reader is
//! tested.

use crate::dice::Dice;

/// One to four changes of whole lines or of single characters within one.
pub fn extract(bytes: &[u8], seed: u32) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    // Line ends stay with their lines.
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=dice.below(4) {
        if lines.is_empty() {
            break;
        }
        let (at, to) = (dice.below(lines.len()), dice.below(lines.len()));
        match dice.below(9) {
            0 => lines.swap(at, to),
            1 => {
                let line = lines.remove(at);
                lines.insert(to, line);
            }
            2 => {
                let line = lines[at].clone();
                lines.insert(to, line);
            }
            3 => {
                lines.remove(at);
            }
            // Another person's line.
            4 => {
                let number: Vec<u8> = lines[to].iter().skip(3).take(10).copied().collect();
                if let Some(cell) = lines[at].get_mut(3..13).filter(|_| number.len() == 10) {
                    cell.copy_from_slice(&number);
                }
            }
            // The same columns of another line.
            5 => {
                let (from, length) = (dice.below(300), dice.below(40));
                let other = lines[to].get(from..from + length).map(<[u8]>::to_vec);
                if let (Some(other), Some(cell)) = (other, lines[at].get_mut(from..from + length)) {
                    cell.copy_from_slice(&other);
                }
            }
            // More or fewer blanks before the line end.
            6 => {
                let end = lines[at].iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
                if dice.below(2) == 0 && end > 0 && lines[at][end - 1] == b' ' {
                    lines[at].remove(end - 1);
                } else {
                    lines[at].splice(end..end, std::iter::repeat_n(b' ', 1 + dice.below(3)));
                }
            }
            _ => change_character(&mut lines[at], &mut dice),
        }
    }
    lines.concat()
}

/// A digit becomes a digit, anything else a character that some field takes.
fn change_character(line: &mut [u8], dice: &mut Dice) {
    const CHARACTERS: &[u8] = b" *+=KA-0129Xx\xc6\xd8\xe5\x00\x85";
    let at = dice.below(line.len());
    let new = CHARACTERS[dice.below(CHARACTERS.len())];
    match line.get_mut(at) {
        Some(digit) if digit.is_ascii_digit() && dice.below(8) != 0 => *digit = b'0' + dice.below(10) as u8,
        Some(byte) if !b"\r\n".contains(byte) => *byte = new,
        _ => {}
    }
}

/// Puts a mutated input where the fuzzer wants it; its size is the answer.
pub fn put(mutated: &[u8], data: &mut [u8], max_size: usize) -> usize {
    let size = mutated.len().min(max_size).min(data.len());
    data[..size].copy_from_slice(&mutated[..size]);
    size
}

/// One to four changes of whole lines of settings, of a name or of a value.
pub fn settings(text: &[u8], seed: u32) -> Vec<u8> {
    const VALUES: [&[u8]; 12] = [
        b"true",
        b"0",
        b"1",
        b"-1",
        b"100000001",
        b"\"\"",
        b"\"tell\"",
        b"\"*\"",
        b"[]",
        b"{}",
        b"\"1.0\"",
        b"\"day\"",
    ];
    let mut dice = Dice::new(seed);
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=dice.below(4) {
        if lines.is_empty() {
            break;
        }
        let (at, to) = (dice.below(lines.len()), dice.below(lines.len()));
        let value = |line: &[u8]| line.iter().position(|&byte| byte == b'=').map(|place| place + 1);
        match dice.below(6) {
            0 => lines.swap(at, to),
            1 => {
                let line = lines[at].clone();
                lines.insert(to, line);
            }
            2 => drop(lines.remove(at)),
            // A comment becomes a setting: the examples have the rarer ones behind a sign.
            3 if lines[at].starts_with(b"# ") => drop(lines[at].drain(..2)),
            4 => {
                if let (Some(start), Some(from)) = (value(&lines[at]), value(&lines[to])) {
                    let other = lines[to][from..].to_vec();
                    lines[at].splice(start.., other);
                }
            }
            5 => {
                if let Some(start) = value(&lines[at]) {
                    lines[at].splice(start.., [VALUES[dice.below(VALUES.len())], b"\n"].concat());
                }
            }
            _ => change_character(&mut lines[at], &mut dice),
        }
    }
    lines.concat()
}
