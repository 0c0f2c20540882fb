//! One person as a service sees it: the rows that count, found by what they are about.

use std::borrow::Cow;

use cpr_replika::cpr_model::{Aspect, Date, Pnr, RelatedPnr, Timestamp, facts};
use cpr_replika::{Fact, Image};

use crate::contract_types::text;

/// A person as of the moment and the delivery of a request.
pub(crate) struct Subject<'i> {
    pub(crate) pnr: Pnr,
    /// Believed as of the delivery, of all of valid time.
    believed: Vec<Fact<'i>>,
    /// By the number of the aspect: the row that counts; of several the one that began last.
    counting: [Option<Fact<'i>>; ASPECTS],
    valid: Option<Timestamp>,
}

/// One more than the highest number of an aspect.
const ASPECTS: usize = Aspect::Event as usize + 1;

impl<'i> Subject<'i> {
    pub(crate) fn of(pnr: Pnr, image: &'i Image<'_>, valid: Option<Timestamp>) -> Subject<'i> {
        let believed: Vec<Fact<'i>> = image.all_facts().collect();
        let mut counting: [Option<Fact<'i>>; ASPECTS] = [None; ASPECTS];
        for fact in believed.iter().filter(|fact| counts(fact, valid)) {
            let best = &mut counting[usize::from(fact.aspect().number())];
            if best.is_none_or(|best| best.valid().from <= fact.valid().from) {
                *best = Some(*fact);
            }
        }
        Subject { pnr, believed, counting, valid }
    }

    /// The rows that count, of the aspect that the view is of.
    pub(crate) fn all<T>(&self, view: impl Fn(&Fact<'i>) -> Option<T>) -> impl Iterator<Item = T> {
        self.believed.iter().filter_map(move |fact| view(fact).filter(|_| counts(fact, self.valid)))
    }

    /// The row that counts; of several the one that began last.
    pub(crate) fn fact(&self, aspect: Aspect) -> Option<Fact<'i>> {
        self.counting[usize::from(aspect.number())]
    }

    /// Current, historic and marked rows of an aspect, the one that began last first.
    pub(crate) fn history(&self, aspect: Aspect) -> Vec<Fact<'i>> {
        let mut rows: Vec<Fact<'i>> = self.begun(aspect).copied().collect();
        rows.sort_by_key(|fact| (fact.is_historic(), std::cmp::Reverse(fact.valid().from)));
        rows
    }

    /// True when there are historic rows of an aspect.
    pub(crate) fn has_history(&self, aspect: Aspect) -> bool {
        self.begun(aspect).any(|fact| fact.is_historic())
    }

    /// The rows of an aspect that had begun at the moment asked for.
    fn begun(&self, aspect: Aspect) -> impl Iterator<Item = &Fact<'i>> {
        let began = |fact: &Fact<'i>| self.valid.is_none_or(|at| fact.valid().from.is_none_or(|from| from <= at));
        self.believed.iter().filter(move |fact| fact.aspect() == aspect && began(fact))
    }

    /// The rows that count when the current is asked for, or all of them.
    pub(crate) fn versions(&self, aspect: Aspect, history: bool) -> Vec<Fact<'i>> {
        if history { self.history(aspect) } else { self.fact(aspect).into_iter().collect() }
    }

    pub(crate) fn person(&self) -> Option<facts::Person<'i>> {
        self.fact(Aspect::Person).and_then(|fact| fact.person())
    }

    /// The number now in force; none when it is the one asked for.
    pub(crate) fn current_pnr(&self) -> Option<Pnr> {
        let stated = self.person().and_then(|person| known(person.current_pnr()));
        stated.filter(|current| *current != self.pnr)
    }

    /// The row of 001 when its status holds at the moment asked for: CPR keeps no history of the status.
    pub(crate) fn with_status(&self) -> Option<facts::Person<'i>> {
        let began = |person: &facts::Person<'_>| person.status_date().is_none_or(|since| self.reached(since.value));
        self.person().filter(began)
    }

    /// The status, when it is one of those that the typed contracts know.
    pub(crate) fn contract_status(&self) -> Option<u8> {
        let status = self.with_status()?.status()?.0;
        [1, 3, 5, 7, 20, 30, 50, 60, 70, 80, 90].contains(&status).then_some(status)
    }

    /// The civil status, when it is one of those that the typed contracts know.
    pub(crate) fn contract_civil_status(&self) -> Option<String> {
        let letter = text(self.civil_status()?.civil_status())?;
        ["U", "G", "F", "E", "P", "O", "L", "D"].contains(&letter.as_str()).then_some(letter)
    }

    fn reached(&self, since: Timestamp) -> bool {
        self.valid.is_none_or(|at| since <= at)
    }

    pub(crate) fn name(&self) -> Option<facts::Name<'i>> {
        self.fact(Aspect::Name).and_then(|fact| fact.name())
    }

    pub(crate) fn civil_status(&self) -> Option<facts::CivilStatus<'i>> {
        self.fact(Aspect::CivilStatus).and_then(|fact| fact.civil_status())
    }

    pub(crate) fn citizenship(&self) -> Option<facts::Citizenship<'i>> {
        self.fact(Aspect::Citizenship).and_then(|fact| fact.citizenship())
    }

    pub(crate) fn guardianship(&self) -> Option<facts::Guardianship<'i>> {
        self.fact(Aspect::Guardianship).and_then(|fact| fact.guardianship())
    }

    /// K or M. Where the row does not say, the last digit of the number does: odd for men.
    pub(crate) fn sex(&self) -> String {
        let stated = self.person().and_then(|person| text(person.sex())).filter(|sex| sex == "K" || sex == "M");
        let odd = self.pnr.reveal().as_bytes()[9] % 2 == 1;
        stated.unwrap_or_else(|| if odd { "M" } else { "K" }.to_owned())
    }

    /// The coded address; none for one who lives in neither Denmark nor Greenland.
    pub(crate) fn address(&self) -> Option<facts::Address<'i>> {
        self.fact(Aspect::Address).and_then(|fact| fact.address())
    }

    /// The formatted address (003) when it is that of the moment asked for. CPR keeps one, without a date: it goes with the
    /// current address.
    pub(crate) fn formatted(&self) -> Option<facts::FormattedAddress<'i>> {
        let formatted = self.fact(Aspect::FormattedAddress).and_then(|fact| fact.formatted_address())?;
        let current = self.valid.is_none() || self.fact(Aspect::Address).is_some_and(|fact| !fact.is_historic());
        current.then_some(formatted)
    }

    /// The addressing name: of the name that held, else of 003 when the current name did.
    pub(crate) fn addressing_name(&self) -> Option<Cow<'i, str>> {
        let name = self.fact(Aspect::Name);
        let own = name.and_then(|fact| fact.name()).map(facts::Name::addressing_name);
        let current = self.valid.is_none() || name.is_some_and(|fact| !fact.is_historic());
        let formatted = self.fact(Aspect::FormattedAddress).and_then(|fact| fact.formatted_address());
        let of_003 = formatted.filter(|_| current).map(facts::FormattedAddress::addressing_name);
        of_003.into_iter().chain(own).find(|text| !text.is_empty()).map(|text| text.reveal())
    }

    pub(crate) fn emigration(&self) -> Option<facts::Emigration<'i>> {
        // As of no moment only a stay abroad that goes on counts, not the immigration that a product tells of as current.
        let fact = self.fact(Aspect::Emigration)?;
        (self.valid.is_some() || fact.valid().to.is_none()).then(|| fact.emigration()).flatten()
    }

    /// Mother and father: 015, or in the full product part of 001.
    pub(crate) fn parents(&self) -> Option<facts::Parents<'i>> {
        let of = |aspect| self.fact(aspect).and_then(|fact| fact.parents());
        of(Aspect::Parents).or_else(|| of(Aspect::Person))
    }

    /// Children in the order of their numbers' digits.
    pub(crate) fn children(&self) -> Vec<Pnr> {
        let mut children: Vec<Pnr> =
            self.all(|fact| fact.child()).filter_map(|child| known(child.child_pnr())).collect();
        children.sort_unstable();
        children.dedup();
        children
    }

    /// The birth date recorded; it may differ from the date in the number.
    pub(crate) fn birth_date(&self) -> Option<Date> {
        self.person().and_then(facts::Person::birth_date).map(|born| born.value)
    }
}

/// True when a row counts: as of no moment the current, unmarked rows, else those that held in the world.
fn counts(fact: &Fact<'_>, valid: Option<Timestamp>) -> bool {
    match valid {
        None => !fact.is_historic() && fact.mark().is_none(),
        Some(at) => fact.holds_at(at),
    }
}

/// The number of a relation, when it has one.
pub(crate) fn known(related: Option<RelatedPnr>) -> Option<Pnr> {
    match related {
        Some(RelatedPnr::Known(pnr)) => Some(pnr),
        Some(RelatedPnr::Unknown) | None => None,
    }
}
