//! One line of a log: JSON whose last member is the MAC over the bytes before it and the MAC of the line before.
//!
//! `{"n":7,"time":…,…,"mac":"…"}`: the MAC covers everything up to the comma in front of `"mac"`. The bytes after that
//! have one form only, so that no byte of a line can be another.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::key::{LineMac, LogKey, Pseudonym};

/// No line is longer, its line end included: 2 × 1000 pseudonyms and five texts.
pub(crate) const MAX_LINE: usize = 128 << 10;
/// So many persons of each kind a line can name.
pub(crate) const MAX_PERSONS: usize = 1000;
/// A longer text is cut, since a line must not grow with what a caller sends.
const MAX_CHARS: usize = 500;

const BEFORE_MAC: &[u8] = b",\"mac\":\"";
const AFTER_MAC: &[u8] = b"\"}";
const TAIL: usize = BEFORE_MAC.len() + 64 + AFTER_MAC.len();

/// How far a log goes: the number of its last line, and that line's MAC. As text `7-3f…`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Lines are numbered from 1, and go on from file to file.
    pub line: u64,
    pub(crate) mac: LineMac,
}

impl Head {
    /// Before the first line.
    pub(crate) const NONE: Head = Head { line: 0, mac: [0; 32] };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.line, hex::encode(self.mac))
    }
}

/// What is no head of a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a head is the number of a line, a hyphen and 64 hexadecimal digits")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Head, NotAHead> {
        let (line, mac) = text.split_once('-').ok_or(NotAHead)?;
        let line = line.parse().map_err(|_| NotAHead)?;
        Ok(Head { line, mac: read_mac(mac.as_bytes()).ok_or(NotAHead)? })
    }
}

impl Serialize for Head {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Head, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A line as it was read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Line<'a> {
    /// Its number.
    pub n: u64,
    /// When, in UTC: `2026-11-25T23:58:22.123456Z`.
    pub time: String,
    /// What it says.
    #[serde(flatten)]
    pub said: Said<'a>,
}

/// What a line says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Said<'a> {
    /// What the log says of itself.
    Note(Note),
    /// A question was answered.
    Answered(Answered<'a>),
}

/// An answered question.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Answered<'a> {
    /// Who asked.
    pub system: Cow<'a, str>,
    /// Under which agreement.
    pub agreement: Cow<'a, str>,
    /// The service.
    pub service: Cow<'a, str>,
    /// Its operation.
    pub operation: Cow<'a, str>,
    /// What for.
    pub purpose: Cow<'a, str>,
    /// Whom it was about, the first of them.
    pub asked: Vec<Pseudonym>,
    /// How many they are.
    pub asked_count: u64,
    /// Who beside them stood in the answer, the first of them.
    pub shown: Vec<Pseudonym>,
    /// How many they are.
    pub shown_count: u64,
    /// True when there was an answer.
    pub found: bool,
    /// True when someone in it is protected; none when that is not known.
    pub protected: Option<bool>,
    /// As of which delivery.
    pub delivery: u32,
    /// How long the answer took, in milliseconds.
    pub ms: f64,
    /// SHA-256 of the receipt of an erase, in hexadecimal; in no other line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

impl<'a> Answered<'a> {
    /// What is written of an entry; no more than `most` persons of each kind.
    pub(crate) fn from_entry(entry: &'a Entry, key: &LogKey, most: usize) -> Answered<'a> {
        let most = most.min(MAX_PERSONS);
        let Entry { asker, question, elapsed } = entry;
        let pseudonyms =
            |of: &[cpr_model::Pnr]| of.iter().take(most).map(|pnr| key.pseudonym(*pnr)).collect::<Vec<_>>();
        Answered {
            system: cut(&asker.system),
            agreement: cut(&asker.agreement),
            service: cut(question.service),
            operation: cut(question.operation),
            purpose: cut(&asker.purpose),
            asked: pseudonyms(&question.asked),
            asked_count: question.asked.len() as u64,
            shown: pseudonyms(&question.shown),
            shown_count: question.shown_count.max(question.shown.len() as u64),
            found: question.found,
            protected: question.protected,
            delivery: question.delivery,
            ms: elapsed.as_micros() as f64 / 1000.0,
            receipt: question.receipt.map(hex::encode),
        }
    }

    /// True when the line names a person.
    pub fn names(&self, person: Pseudonym) -> bool {
        self.asked.contains(&person) || self.shown.contains(&person)
    }
}

fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CHARS) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
    }
}

/// What a log says of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The first line of a file.
    Begins {
        /// The day of the file's name.
        day: String,
        /// The head of the file before.
        previous: Head,
    },
    /// A writer in mode *beside* opened the log.
    Opened {
        /// So many lines at most it holds back; they are lost when it is killed.
        capacity: u64,
    },
    /// It closed the log, and held nothing back.
    Closed,
    /// Questions were answered whose lines could not be written.
    Lost {
        /// How many.
        count: u64,
    },
    /// A last line that was not whole was removed when the log was opened: a writer had been killed while it wrote.
    Repaired {
        /// How many bytes.
        bytes: u64,
    },
    /// Files older than some days are to be removed.
    Tidied {
        /// So many days are kept.
        keep_days: u32,
        /// How many files go.
        files: u64,
        /// The last line of them.
        until: Head,
    },
}

/// Appends a line to `out`, and gives the head after it.
pub(crate) fn write(out: &mut Vec<u8>, key: &LogKey, before: &Head, at: SystemTime, said: Said<'_>) -> Head {
    let start = out.len();
    let line = before.line + 1;
    let time = Timestamp::try_from(at).unwrap_or_default();
    let time = format!("{time:.6}");
    serde_json::to_writer(&mut *out, &Line { n: line, time, said }).expect("a line is JSON, and memory takes it");
    out.pop();
    let mac = key.line_mac(&before.mac, &out[start..]);
    out.extend_from_slice(BEFORE_MAC);
    out.extend_from_slice(hex::encode(mac).as_bytes());
    out.extend_from_slice(AFTER_MAC);
    out.push(b'\n');
    Head { line, mac }
}

/// A line without its line end, taken apart: the bytes under the MAC, and the MAC.
pub(crate) fn split(line: &[u8]) -> Option<(&[u8], LineMac)> {
    let (body, tail) = line.split_at(line.len().checked_sub(TAIL)?);
    let mac = tail.strip_prefix(BEFORE_MAC)?.strip_suffix(AFTER_MAC)?;
    Some((body, read_mac(mac)?))
}

/// What the bytes under a MAC say.
pub(crate) fn parse(body: &[u8]) -> Option<Line<'static>> {
    serde_json::from_slice(&[body, b"}"].concat()).ok()
}

/// 64 digits, small letters: a MAC has one form.
fn read_mac(text: &[u8]) -> Option<LineMac> {
    let mut mac = LineMac::default();
    let is_small = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_small && hex::decode_to_slice(text, &mut mac).is_ok()).then_some(mac)
}
