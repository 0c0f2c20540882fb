//! Facts and changes in CPR's own terms: every field by its name, with its text as received.

use cpr_extract::{Family, RecordLayout};
use cpr_model::{Fact, OwnedFact, Pnr};

use crate::snapshot::Snapshot;

/// What a snapshot handed out of one person, with what it takes to name its fields: whose it is, and the layouts of the
/// store's family. With the feature `serde` a fact, a change, lists of them, a person and an image stand so in JSON.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use cpr_replika::cpr_model::Aspect;
/// let (replika, sofie) = (demo()?, "6101801234".parse()?);
/// let snapshot = replika.snapshot();
/// let history = snapshot.history(sofie, Aspect::Address)?;
/// let first = snapshot.describe(sofie, &history[0]);
/// assert!(first.fields().contains(&("KOMKOD", "0751".to_owned())));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Described<'a, T: ?Sized> {
    pub(crate) of: &'a T,
    pub(crate) pnr: Pnr,
    pub(crate) family: Option<&'static Family>,
}

/// Says that there is something, not of whom.
impl<T: ?Sized> std::fmt::Debug for Described<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Described(..)")
    }
}

impl Snapshot {
    /// What this snapshot handed out of a person, in CPR's own terms.
    pub fn describe<'a, T: ?Sized>(&self, pnr: Pnr, of: &'a T) -> Described<'a, T> {
        Described { of, pnr, family: self.settings().family }
    }
}

impl<T: ?Sized> Described<'_, T> {
    /// Another part of the same person.
    #[cfg(feature = "serde")]
    pub(crate) fn part<'b, P: ?Sized>(&self, of: &'b P) -> Described<'b, P> {
        Described { of, pnr: self.pnr, family: self.family }
    }
}

impl Described<'_, Fact<'_>> {
    /// Every field of the record after its number, by CPR's name, as received: trailing blanks cut, a blank field
    /// empty.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let layout: Option<&RecordLayout> = self.family.and_then(|family| family.record(self.of.record()));
        let Some(layout) = layout else { return Vec::new() };
        let mut line = Vec::new();
        layout.render(Some(self.pnr), self.of.values(), &mut line);
        layout.texts(&line).map(|(name, text)| (name, text.reveal().into_owned())).collect()
    }
}

impl Described<'_, OwnedFact> {
    /// As of a borrowed fact.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        Described { of: &self.of.as_fact(), pnr: self.pnr, family: self.family }.fields()
    }
}
