//! Folding of names for search: what is typed and what the register holds come out as the same words.
//!
//! A folded word is ISO 8859-1 bytes: the letters `a`-`z`, `æ` and `ø`, and digits. In order:
//!
//! * case is dropped; `å` and `aa` are one (`aa`), as are `ä` and `æ`, `ö` and `ø`: one letter in Danish, spelt three
//!   ways;
//! * other accents are dropped (`é` is `e`, `ü` is `u`, `ñ` is `n`); `ß` is `ss`, `ð` is `d`, `þ` is `th`;
//! * apostrophes and full stops within a word are dropped: `O'Brien` is `obrien`;
//! * a hyphen splits and joins: `Anne-Marie` is the words `anne`, `marie` and `annemarie`;
//! * whatever else is no letter or digit splits.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Ends a word.
const SPLIT: u8 = 0;
/// Splits and joins.
const HYPHEN: u8 = 1;
/// Is passed over.
const DROP: u8 = 2;
/// Two letters: see [`pair`].
const PAIR: u8 = 3;

/// What each character of ISO 8859-1 folds to: a letter or digit, or one of the above.
const FOLDED: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [SPLIT; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = folded(at as u8);
        at += 1;
    }
    table
}

const fn folded(character: u8) -> u8 {
    match character {
        b'0'..=b'9' | b'a'..=b'z' => character,
        b'A'..=b'Z' => character.to_ascii_lowercase(),
        b'-' | 0xAD => HYPHEN,
        b'\'' | b'.' | b'`' | 0xB4 => DROP,
        0xC5 | 0xE5 | 0xDE | 0xFE | 0xDF => PAIR,
        0xC4 | 0xE4 | 0xC6 | 0xE6 => 0xE6,
        0xD6 | 0xF6 | 0xD8 | 0xF8 => 0xF8,
        0xC0..=0xC3 | 0xE0..=0xE3 => b'a',
        0xC7 | 0xE7 => b'c',
        0xC8..=0xCB | 0xE8..=0xEB => b'e',
        0xCC..=0xCF | 0xEC..=0xEF => b'i',
        0xD0 | 0xF0 => b'd',
        0xD1 | 0xF1 => b'n',
        0xD2..=0xD5 | 0xF2..=0xF5 => b'o',
        0xD9..=0xDC | 0xF9..=0xFC => b'u',
        0xDD | 0xFD | 0xFF => b'y',
        _ => SPLIT,
    }
}

/// The letters of a character that folds to two.
const fn pair(character: u8) -> [u8; 2] {
    match character {
        0xDE | 0xFE => *b"th",
        0xDF => *b"ss",
        _ => *b"aa",
    }
}

/// Folds texts into words, in buffers that are reused.
///
/// ```
/// use cpr_model::{Folder, latin1_of};
/// let mut words = Vec::new();
/// Folder::default().words(&latin1_of("Anne-Marie Ågård"), |word| words.push(word.to_vec()));
/// assert_eq!(words, [&b"anne"[..], b"marie", b"annemarie", b"aagaard"]);
/// ```
#[derive(Clone, Default)]
pub struct Folder {
    /// The letters of the parts of one word, end to end.
    joined: Vec<u8>,
}

/// Says nothing of what was folded.
impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Folder")
    }
}

impl Folder {
    /// Calls `word` with each folded word of an ISO 8859-1 text, in its order; of a word with hyphens, with its parts
    /// and then with the parts joined.
    pub fn words(&mut self, latin1: &[u8], mut word: impl FnMut(&[u8])) {
        self.joined.clear();
        // Where the part begins; and whether there was a part before it.
        let (mut start, mut parts) = (0, 0);
        for &character in latin1 {
            match FOLDED[usize::from(character)] {
                DROP => {}
                PAIR => self.joined.extend(pair(character)),
                HYPHEN => {
                    if self.joined.len() > start {
                        word(&self.joined[start..]);
                        parts += 1;
                        start = self.joined.len();
                    }
                }
                SPLIT => {
                    self.end(start, parts, &mut word);
                    (start, parts) = (0, 0);
                }
                letter => self.joined.push(letter),
            }
        }
        self.end(start, parts, &mut word);
    }

    fn end(&mut self, start: usize, parts: u32, word: &mut impl FnMut(&[u8])) {
        if self.joined.len() > start {
            word(&self.joined[start..]);
        }
        // With one part, a hyphen at its edge splits nothing.
        if parts > 1 || parts == 1 && self.joined.len() > start {
            word(&self.joined);
        }
        self.joined.clear();
    }
}

/// The words of a text as one folded line, each after a blank but the first; hyphens split only. Two spellings of one
/// street name have one line.
pub fn folded_line(latin1: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = Vec::with_capacity(latin1.len());
    let mut gap = false;
    for &character in latin1 {
        match FOLDED[usize::from(character)] {
            DROP => continue,
            SPLIT | HYPHEN => {
                gap = true;
                continue;
            }
            _ => {}
        }
        if gap && !line.is_empty() {
            line.push(b' ');
        }
        gap = false;
        match FOLDED[usize::from(character)] {
            PAIR => line.extend(pair(character)),
            letter => line.push(letter),
        }
    }
    line
}

/// What a person types, in ISO 8859-1. A letter that comes in parts (`A` and a ring, as some systems write all text) is
/// put together first. CPR writes letters it does not have without their accents, and so does this; dashes and quotes
/// become plain ones, and a character of another alphabet becomes a blank.
pub fn latin1_of(text: &str) -> Vec<u8> {
    // A mark that no letter takes, and what is not seen, parts no word.
    let is_seen = |c: &char| !is_combining_mark(*c) && !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}');
    text.nfc().filter(is_seen).map(latin1_letter).collect()
}

fn latin1_letter(c: char) -> u8 {
    match c {
        '\0'..='\u{ff}' => c as u8,
        '‐' | '‑' | '–' | '—' => b'-',
        '‘' | '’' | 'ʼ' => b'\'',
        _ => LETTERS
            .iter()
            .find(|(letters, _)| letters.contains(c))
            .map_or_else(|| without_accents(c), |(_, letter)| *letter),
    }
}

/// The letter that an accented one is made of; a blank for one that is made of nothing plainer.
fn without_accents(c: char) -> u8 {
    let mut base = ' ';
    decompose_canonical(c, |part| {
        if !is_combining_mark(part) {
            base = part;
        }
    });
    u8::try_from(base).unwrap_or(b' ')
}

/// Letters that are not made of a plainer one and an accent, or that stand for another one in Danish, and what they
/// fold to.
const LETTERS: &[(&str, u8)] =
    &[("Đđ", b'd'), ("Ħħ", b'h'), ("ı", b'i'), ("Łł", b'l'), ("Őő", 0xF8), ("Ŧŧ", b't'), ("Ŀŀ", b'l')];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        Folder::default()
            .words(&latin1_of(text), |word| words.push(word.iter().map(|&byte| char::from(byte)).collect()));
        words
    }

    #[test]
    fn spellings_of_one_name_fold_to_one_word() {
        for spellings in [
            &["Hansen", "HANSEN", "hansen", " Hansen "][..],
            &["Ågård", "Aagaard", "ÅGÅRD", "aagård"],
            &["Jørgen", "Jörgen", "JØRGEN"],
            &["Kjær", "Kjär", "KJÆR"],
            &["André", "Andre", "ANDRÈ"],
            &["O'Brien", "OBrien", "O’Brien"],
            &["Müller", "Muller"],
            &["Łukasz", "Lukasz"],
            // In parts, as systems that write all text decomposed hand it over.
            &["A\u{30a}ga\u{30a}rd", "Ågård", "\u{212b}gård"],
            &["Mu\u{308}ller", "Muller"],
            &["Jo\u{308}rgen", "Jørgen"],
            &["Zlatic\u{301}", "Zlatić", "Zlatic"],
            &["Nguye\u{302}\u{303}n", "Nguyễn", "Nguyen"],
            &["Ha\u{333}ns\u{200d}en", "Hansen"],
            &["Weiß", "Weiss"],
            &["Þórdís", "Thordis"],
        ] {
            let folded: Vec<Vec<String>> = spellings.iter().map(|spelling| words(spelling)).collect();
            assert!(folded.iter().all(|words| words.len() == 1 && *words == folded[0]), "{folded:?}");
        }
    }

    #[test]
    fn letters_of_their_own_stay_apart() {
        for (one, other) in [("Søren", "Soren"), ("Kjær", "Kjaer"), ("Bo", "Boe"), ("Anne", "Ane")] {
            assert_ne!(words(one), words(other));
        }
    }

    #[test]
    fn a_hyphen_splits_and_joins() {
        for (text, expected) in [
            ("Anne-Marie", &["anne", "marie", "annemarie"][..]),
            ("Anne-Marie Skov", &["anne", "marie", "annemarie", "skov"]),
            ("Anne\u{2010}Marie", &["anne", "marie", "annemarie"]),
            ("Anne–Marie", &["anne", "marie", "annemarie"]),
            ("A-B-C", &["a", "b", "c", "abc"]),
            ("-Marie-", &["marie"]),
            ("Hansen,Anne-Marie", &["hansen", "anne", "marie", "annemarie"]),
            ("Nørre Allé 7B", &["nørre", "alle", "7b"]),
            ("--", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_line_holds_the_words_of_a_street() {
        let line = |text: &str| folded_line(&latin1_of(text));
        assert_eq!(line("H.C. Andersens Boulevard"), b"hc andersens boulevard");
        assert_eq!(line("  Chr.-Winthers  Vej"), b"chr winthers vej");
        assert_eq!(line("Ågade"), line("AAGADE"));
        assert_eq!(line(" - "), b"");
    }

    #[test]
    fn what_was_folded_is_not_printed() {
        let mut folder = Folder::default();
        folder.words(b"Sofie", |_| {});
        assert_eq!(format!("{folder:?}"), "Folder");
    }

    #[test]
    fn every_byte_folds_to_letters_and_digits() {
        for byte in 0..=u8::MAX {
            Folder::default().words(&[b'x', byte], |word| {
                assert!(
                    word.iter()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || [0xE6, 0xF8].contains(byte))
                );
            });
        }
    }
}
