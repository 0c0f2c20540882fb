//! What a word or an address looks like that a query asks for.

use std::fmt;
use std::ops::RangeInclusive;

use cpr_model::{Folder, MunicipalityCode, StreetCode, latin1_of};
use cpr_subscription::{Door, Floor, HouseNumber};

/// A folded word, or the shape of one; see [`cpr_model::Folder`].
#[derive(Clone, Eq, PartialEq)]
pub struct WordPattern {
    /// What the word begins with, up to the first wildcard.
    pub(crate) start: Vec<u8>,
    /// The rest, with `*` and `?`; none when the word ends where `start` does.
    pub(crate) rest: Option<Vec<u8>>,
}

/// Says which kind it is.
impl fmt::Debug for WordPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.rest.as_deref() {
            None => "word",
            Some(b"*") => "prefix",
            Some(_) => "wildcard",
        })
    }
}

impl WordPattern {
    /// The pattern of one word as it is typed: `*` is any number of folded letters, `?` is one (`å` is two). A hyphen
    /// joins. None when it has neither a letter, a digit nor a wildcard.
    pub fn parse(word: &str) -> Option<WordPattern> {
        let mut folded = Vec::new();
        let mut folder = Folder::default();
        let mut part = String::new();
        for c in word.chars().filter(|c| !matches!(c, '-' | '‐' | '‑' | '–')).chain(['*']) {
            if !matches!(c, '*' | '?') {
                part.push(c);
                continue;
            }
            folder.words(&latin1_of(&part), |word| folded.extend_from_slice(word));
            folded.push(c as u8);
            part.clear();
        }
        folded.pop();
        let wild = folded.iter().position(|byte| matches!(byte, b'*' | b'?'));
        match wild {
            _ if folded.is_empty() => None,
            None => Some(WordPattern { start: folded, rest: None }),
            Some(at) => Some(WordPattern { rest: Some(folded.split_off(at)), start: folded }),
        }
    }

    /// True when a folded word has this shape.
    pub(crate) fn matches(&self, word: &[u8]) -> bool {
        let Some(after) = word.strip_prefix(self.start.as_slice()) else { return false };
        match self.rest.as_deref() {
            None => after.is_empty(),
            Some(rest) => wild(rest, after),
        }
    }
}

/// Whether a word is of a shape with `*` and `?`: greedy with one point to fall back to.
fn wild(pattern: &[u8], word: &[u8]) -> bool {
    let (mut p, mut w, mut back) = (0, 0, None);
    while w < word.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                back = Some((p, w));
            }
            Some(&byte) if byte == b'?' || byte == word[w] => (p, w) = (p + 1, w + 1),
            _ => match back {
                Some((after, from)) => {
                    (p, w) = (after, from + 1);
                    back = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// An address as far as it is asked for: one row must have every part that is given.
///
/// Postal code, postal district and town stand in 003 only, which CPR sends for the current address: a former address
/// never has them.
#[derive(Clone, Default)]
pub struct AddressPattern {
    /// KOMKOD.
    pub municipality: Option<MunicipalityCode>,
    /// VEJKOD.
    pub street: Option<StreetCode>,
    /// Words of the street's name, all of them: a street whose codes ever bore such a name.
    pub street_name: Vec<WordPattern>,
    /// HUSNR within one of these, both ends included; houses order by number, then by letter. Empty: any.
    pub houses: Vec<RangeInclusive<HouseNumber>>,
    /// ETAGE.
    pub floor: Option<Floor>,
    /// SIDEDOER.
    pub door: Option<Door>,
    /// BNR, Greenland's houses; zeros before it do not matter.
    pub building: Option<String>,
    /// POSTNR between these, both included.
    pub postal_code: Option<RangeInclusive<u16>>,
    /// Words of the postal district (POSTDISTTXT).
    pub postal_district: Vec<WordPattern>,
    /// Words of the town (BYNVN).
    pub town: Vec<WordPattern>,
}

/// Says which parts are asked for.
impl fmt::Debug for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("municipality", self.municipality.is_some()),
            ("street", self.street.is_some()),
            ("street name", !self.street_name.is_empty()),
            ("houses", !self.houses.is_empty()),
            ("floor", self.floor.is_some()),
            ("door", self.door.is_some()),
            ("building", self.building.is_some()),
            ("postal code", self.postal_code.is_some()),
            ("postal district", !self.postal_district.is_empty()),
            ("town", !self.town.is_empty()),
        ];
        f.write_str("Address")?;
        f.debug_set().entries(parts.iter().filter(|(_, asked)| *asked).map(|(name, _)| name)).finish()
    }
}

impl AddressPattern {
    /// The words of a text as patterns; a hyphen splits.
    pub fn words(text: &str) -> Vec<WordPattern> {
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | ';' | '-'));
        words.filter_map(WordPattern::parse).collect()
    }

    /// True when nothing beside a municipality is asked for.
    pub(crate) fn is_municipality_alone(&self) -> bool {
        self.street.is_none()
            && self.street_name.is_empty()
            && self.houses.is_empty()
            && !self.asks_document()
            && !self.asks_003()
    }

    /// True when a part is asked for that says in which streets to look.
    pub(crate) fn asks_streets(&self) -> bool {
        self.street.is_some() || self.postal_code.is_some() || !self.street_name.is_empty()
    }

    /// True when a part is asked for that no index has.
    pub(crate) fn asks_document(&self) -> bool {
        self.floor.is_some() || self.door.is_some() || self.building.is_some()
    }

    /// True when a part is asked for that only 003 has.
    pub(crate) fn asks_003(&self) -> bool {
        self.postal_code.is_some() || !self.postal_district.is_empty() || !self.town.is_empty()
    }
}
