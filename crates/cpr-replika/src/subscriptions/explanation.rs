//! Why a person is told to a subscriber, by the text of the filter that holds.

use std::fmt;

use cpr_model::{DerivedMark, Pnr};
use cpr_subscription::{Filter, FilterKind, ImageChange, Matcher, Reason};

/// A reason, told by the filter that holds; see [`super::Matches::explain`].
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The kind of the filter by its name in docs/subscriptions.md, or `NumberChain`.
    pub kind: &'static str,
    /// The filter's canonical text; of a `NumberChain` the other number of the person, which is followed.
    pub filter: String,
    /// With which image it holds; none where the filter looks at no image.
    pub change: Option<ImageChange>,
    /// Whose event it is; none for the person's own.
    pub derived_mark: Option<DerivedMark>,
    /// True when an event that the filter asks for is there only as derived from a relative's.
    pub derived: bool,
}

/// Says of which kind the filter is, not whom it names.
impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Explanation by {}", self.kind)
    }
}

impl Explanation {
    /// None for a reason of another matcher that names a filter which this one does not have.
    pub(crate) fn read(reason: &Reason, pnr: Pnr, matcher: &Matcher) -> Option<Explanation> {
        let of = |kind: FilterKind, filter, change| Explanation {
            kind: kind.name(),
            filter,
            change,
            derived_mark: None,
            derived: false,
        };
        Some(match reason {
            Reason::Everything => of(FilterKind::Everything, Filter::Everything.reveal(), None),
            Reason::Number => of(FilterKind::Pnr, pnr.reveal().to_owned(), None),
            Reason::NumberChain(other) => {
                Explanation { kind: "NumberChain", ..of(FilterKind::Pnr, other.pnr().reveal().to_owned(), None) }
            }
            Reason::Municipality(code, change) => of(FilterKind::Municipality, code.to_string(), Some(*change)),
            Reason::Age(range, change) => of(FilterKind::AgeRange, range.to_string(), Some(*change)),
            Reason::Address(address, change) => of(FilterKind::Address, address.reveal(), Some(*change)),
            Reason::Event(code, mark) => Explanation {
                derived_mark: *mark,
                derived: mark.is_some(),
                ..of(FilterKind::EventChangeCode, code.to_string(), None)
            },
            Reason::AllOf { filter, change, derived } => {
                Explanation { derived: *derived, ..of(FilterKind::AllOf, matcher.all_of(*filter)?.reveal(), *change) }
            }
        })
    }
}
