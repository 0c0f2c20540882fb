//! Mutations that keep a search string one: words, fields, operators, ranges and parameters come, go and change places.

use crate::dice::Dice;

/// What stands in a search string, each a piece of its own.
const PIECES: [&str; 52] = [
    "navn:",
    "fornavn:",
    "mellemnavn:",
    "efternavn:",
    "personadresseringsnavn:",
    "foedselsdato:",
    "personnummer:",
    "koen:",
    "status:",
    "landekode:",
    "kommunekode:",
    "vejkode:",
    "vejnavn:",
    "husnummer:",
    "etage:",
    "sidedoer:",
    "bygningsnummer:",
    "postnummer:",
    "postdistrikt:",
    "bynavn:",
    "standardadresse:",
    "AND",
    "OR",
    "NOT",
    "+",
    "-",
    "!",
    "(",
    ")",
    "*",
    "?",
    "*:*",
    "^2",
    "\"",
    "[1 TO 9]",
    "[* TO 19801231]",
    "[1950-01-01 TO *]",
    "198*",
    "K",
    "M",
    "01",
    "70",
    "0101",
    "1",
    "2 tv",
    "st.",
    "Akseltorv 1A, 2. tv",
    "%20",
    "&q=",
    "&rows=3",
    "&start=1",
    "&q.op=AND",
];

/// Words of the store that is searched, so that somebody is found: the caller's.
pub fn query(text: &[u8], words: &[String], seed: u32) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let text = String::from_utf8_lossy(text);
    let mut pieces: Vec<&str> = text.split_inclusive([' ', ':', '(', ')', '&', '"', '=']).collect();
    for _ in 0..=dice.below(4) {
        let (at, to) = (dice.below(pieces.len() + 1), dice.below(pieces.len().max(1)));
        match dice.below(8) {
            0 if !pieces.is_empty() => {
                pieces.remove(to);
            }
            1 if !pieces.is_empty() => pieces.insert(at, pieces[to]),
            2 if at < pieces.len() => pieces.swap(at, to),
            3 | 4 => pieces.insert(at, &words[dice.below(words.len())]),
            5 => pieces.insert(at, " "),
            _ => pieces.insert(at, PIECES[dice.below(PIECES.len())]),
        }
    }
    pieces.concat().into_bytes()
}
