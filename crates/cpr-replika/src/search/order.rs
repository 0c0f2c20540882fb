//! In which order parts that must all be true are asked: first what leaves fewest.
//!
//! A day, a house or given persons leave few whatever stands beside them. Of the words of a name and the sets of a
//! municipality, a citizenship or a protection that is not so: `Hans*` may be the tenth part of a country, and an island
//! a hundred persons. Their rows tell how long they are without being read. What is asked later is only looked for among
//! those whom the first left, so the order is not the answer's, only its price.

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::years::Years;
use crate::search::Scope;
use crate::search::patterns::WordPattern;
use crate::search::plan::{Leaf, Node, WORDS};
use crate::snapshot::Snapshot;

/// A part whose rows say how much there is of it.
enum Measured<'q> {
    Set(SetKind, u32),
    Word(&'q WordPattern),
}

impl<'q> Leaf<'q> {
    fn measured(&self, scope: Scope) -> Option<Measured<'q>> {
        match self {
            Leaf::Protection(kind) => Some(Measured::Set(SetKind::Protection, kind.0.into())),
            Leaf::Citizenship(country) if scope == Scope::Now => {
                Some(Measured::Set(SetKind::Citizenship, country.0.into()))
            }
            Leaf::Address(asked, None) if scope == Scope::Now && !asked.asks_streets() => {
                Some(Measured::Set(SetKind::Municipality, asked.municipality?.0.into()))
            }
            // A shape without a beginning is looked for among all words.
            Leaf::Name(_, word) if !word.start.is_empty() => Some(Measured::Word(word)),
            _ => None,
        }
    }
}

impl Snapshot {
    /// The parts in the order in which they are asked.
    pub(super) fn in_order<'n, 'q>(
        &self,
        mut parts: Vec<&'n Node<'q>>,
        scope: Scope,
        years: &Years,
    ) -> Result<Vec<&'n Node<'q>>, Error> {
        parts.sort_by_key(|part| part.rank());
        let measured = |part: &Node<'q>| if let Node::Leaf(leaf) = part { leaf.measured(scope) } else { None };
        let is_narrowed = parts.first().is_none_or(|part| part.rank() < WORDS);
        if is_narrowed || parts.iter().filter(|part| measured(part).is_some()).count() < 2 {
            return Ok(parts);
        }
        // Sets have a row a year and words of a beginning any number, which are only counted up to what is least.
        let mut sized: Vec<(u8, u64, &Node<'q>)> = parts.iter().map(|part| (part.rank(), 0, *part)).collect();
        sized.sort_by_key(|(.., part)| matches!(measured(part), Some(Measured::Word(_))));
        let mut least = u64::MAX;
        for (rank, bytes, part) in &mut sized {
            let Some(of) = measured(part) else { continue };
            *bytes = self.bytes_of(&of, years, least)?;
            *rank = WORDS;
            least = least.min(*bytes);
        }
        sized.sort_by_key(|(rank, bytes, _)| (*rank, *bytes));
        Ok(sized.into_iter().map(|(.., part)| part).collect())
    }

    /// The bytes of the rows that must be read for a part; no more of them are added up than `enough`.
    fn bytes_of(&self, of: &Measured<'_>, years: &Years, enough: u64) -> Result<u64, Error> {
        let mut bytes = 0;
        match of {
            Measured::Set(kind, value) => {
                for span in years.spans() {
                    let (first, last) = ((*kind as u8, *value, *span.start()), (*kind as u8, *value, *span.end()));
                    for row in self.tables().sets.range(first..=last)? {
                        bytes += row?.1.value().len() as u64;
                    }
                }
            }
            Measured::Word(word) => {
                for row in self.rows_of_words(word, years)? {
                    bytes += row?.1.value().len() as u64;
                    if bytes > enough {
                        break;
                    }
                }
            }
        }
        Ok(bytes)
    }
}
