//! The change codes that may be subscribed to: those that CPR uses, as far as they are public. A list, since CPR's
//! changes.

use std::collections::BTreeSet;

use super::Filter;
use super::error::FilterError;
use super::event_code::EventCode;

/// Change codes (hændelseskoder) that a subscription may name. SF6002 accepts only those in use, since a filter on any
/// other would never match. Which these are is CPR's to say and grows: a host that knows better makes a list of its
/// own, or adds to this one.
///
/// ```
/// use cpr_subscription::{ChangeCodes, EventCode, Filter, FilterKind};
/// let code = |text| Filter::parse(FilterKind::EventChangeCode, text);
/// let mut codes = ChangeCodes::in_use();
/// assert!(codes.check(&code("A01")?).is_ok());
/// assert!(codes.check(&code("X99")?).is_err());
/// codes.extend([EventCode::parse(b"X99")?]);
/// assert!(codes.check(&code("X99")?).is_ok());
/// # Ok::<(), cpr_subscription::FilterError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangeCodes {
    /// None where every code is accepted.
    accepted: Option<BTreeSet<EventCode>>,
}

/// The codes that a client of SF6002 in production ships, those of CPR's own test extracts, and those that a rule of
/// events reads.
const IN_USE: [&str; 56] = [
    "A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A09", "A10", "A13", "A14", "A15", "A16", "A17", "A19",
    "A20", "A21", "A23", "A24", "A25", "A27", "A29", "A31", "A32", "A33", "A34", "A35", "A36", "A37", "A38", "A40",
    "A42", "A45", "A47", "A51", "A73", "A74", "K74", "P02", "P03", "P10", "P11", "P31", "P32", "P35", "P36", "P40",
    "P42", "P43", "P48", "P49", "P51", "P55", "P56", "P58",
];

impl ChangeCodes {
    /// The codes in use, as far as they are public.
    pub fn in_use() -> ChangeCodes {
        IN_USE.iter().map(|code| EventCode::parse(code.as_bytes()).expect("a code of three characters")).collect()
    }

    /// Every code, also one that CPR does not use yet.
    pub fn any() -> ChangeCodes {
        ChangeCodes { accepted: None }
    }

    /// True when a code is among them.
    pub fn contains(&self, code: &EventCode) -> bool {
        self.accepted.as_ref().is_none_or(|accepted| accepted.contains(code))
    }

    /// Refuses a filter that names another code, at any place in it.
    ///
    /// # Errors
    /// [`FilterError::CodeNotInUse`].
    pub fn check(&self, filter: &Filter) -> Result<(), FilterError> {
        match filter {
            Filter::EventChangeCode(code) if !self.contains(code) => Err(FilterError::CodeNotInUse),
            Filter::AllOf(all) => all.members().iter().try_for_each(|member| self.check(member)),
            _ => Ok(()),
        }
    }
}

impl FromIterator<EventCode> for ChangeCodes {
    fn from_iter<I: IntoIterator<Item = EventCode>>(codes: I) -> ChangeCodes {
        ChangeCodes { accepted: Some(codes.into_iter().collect()) }
    }
}

/// Adds codes to the list; where every code is accepted, nothing is left to add.
impl Extend<EventCode> for ChangeCodes {
    fn extend<I: IntoIterator<Item = EventCode>>(&mut self, codes: I) {
        if let Some(accepted) = &mut self.accepted {
            accepted.extend(codes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_not_in_use_is_refused_wherever_it_stands() {
        let codes = ChangeCodes::in_use();
        let filter = |text: &str| text.parse::<Filter>().expect("a filter");
        for accepted in ["A01", "P56", "0851", "0-17", "0851+A01"] {
            assert_eq!(codes.check(&filter(accepted)), Ok(()), "{accepted}");
        }
        for refused in ["A99", "B12", "0851+A99"] {
            assert_eq!(codes.check(&filter(refused)), Err(FilterError::CodeNotInUse), "{refused}");
        }
        let own: ChangeCodes = [EventCode::parse(b"A99").expect("a code")].into_iter().collect();
        assert_eq!((own.check(&filter("A99")), own.check(&filter("A01"))), (Ok(()), Err(FilterError::CodeNotInUse)));
        assert_eq!(ChangeCodes::any().check(&filter("0851+A99")), Ok(()));
    }
}
