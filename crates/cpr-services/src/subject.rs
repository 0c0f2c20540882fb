//! One person as a service sees it: the rows that count ([`CurrentRows`]), and what the services ask of them beyond
//! that.

use std::borrow::Cow;

use cpr_replika::cpr_model::{Aspect, CurrentRows, Date, Pnr, RelatedPnr, Timestamp, facts};
use cpr_replika::{Config, Fact, Image, Snapshot};

use crate::contract_types::text;
use crate::error::Error;
use crate::protected_persons::PLACES;
use crate::request::Request;

/// A person as of the moment and the delivery of a request.
pub(crate) struct Subject<'i> {
    pub(crate) pnr: Pnr,
    /// Believed as of the delivery, of all of valid time, and which of them count.
    rows: CurrentRows<'i>,
    /// The same for now; none where that is the moment of the request.
    now: Option<CurrentRows<'i>>,
    valid: Option<Timestamp>,
    config: &'i Config,
    /// Where the chain of numbers ends, when that is another number; see [`Subject::follow_chain`].
    current_pnr: Option<Pnr>,
}

impl<'i> Subject<'i> {
    /// The person of an image; `config` is that of the store, which says what it holds at all.
    pub(crate) fn read(pnr: Pnr, image: &'i Image<'_>, valid: Option<Timestamp>, config: &'i Config) -> Subject<'i> {
        let mut facts: Vec<Fact<'i>> = image.all_facts().collect();
        Fact::sort_told(&mut facts);
        let now = valid.map(|_| CurrentRows::read(facts.iter().copied(), None));
        let rows = CurrentRows::read(facts, valid);
        Subject { pnr, rows, now, valid, config, current_pnr: None }
    }

    /// The person as if no row told of a place.
    pub(crate) fn without_places(mut self) -> Subject<'i> {
        let told: Vec<Fact<'i>> =
            self.rows.facts().iter().filter(|fact| !PLACES.contains(&fact.aspect())).copied().collect();
        self.rows = CurrentRows::read(told.iter().copied(), self.valid);
        self.now = self.now.map(|_| CurrentRows::read(told, None));
        self
    }

    /// The rows of an aspect that count, seen as what they are.
    pub(crate) fn all<T>(&self, aspect: Aspect, view: fn(&Fact<'i>) -> Option<T>) -> impl Iterator<Item = T> {
        self.rows.rows(aspect).filter_map(move |fact| view(&fact))
    }

    /// The row that counts; of several the one that began last.
    pub(crate) fn fact(&self, aspect: Aspect) -> Option<Fact<'i>> {
        self.rows.row(aspect)
    }

    /// Current, historic and marked rows of an aspect, the one that is current first, then the one that began last.
    pub(crate) fn history(&self, aspect: Aspect) -> Vec<Fact<'i>> {
        let mut rows: Vec<Fact<'i>> = self.begun(aspect).copied().collect();
        rows.sort_by_key(|fact| (!self.is_current(fact), fact.is_historic(), std::cmp::Reverse(fact.valid().from)));
        rows
    }

    /// True when a row is the current one of its aspect, whatever the moment asked about. Where CPR sends two of a kind
    /// that a person has once, the other is a past one without an end.
    pub(crate) fn is_current(&self, fact: &Fact<'_>) -> bool {
        !fact.is_historic() && self.now.as_ref().unwrap_or(&self.rows).is_answer(fact)
    }

    /// True when there are historic rows of an aspect.
    pub(crate) fn has_history(&self, aspect: Aspect) -> bool {
        self.begun(aspect).any(|fact| fact.is_historic())
    }

    /// The rows of an aspect that had begun at the moment asked for.
    fn begun(&self, aspect: Aspect) -> impl Iterator<Item = &Fact<'i>> {
        let began = |fact: &Fact<'i>| self.valid.is_none_or(|at| fact.valid().from.is_none_or(|from| from <= at));
        self.rows.facts().iter().filter(move |fact| fact.aspect() == aspect && began(fact))
    }

    /// The rows that count when the current is asked for, or all of them. An address is current only while one lives
    /// there.
    pub(crate) fn versions(&self, aspect: Aspect, history: bool) -> Vec<Fact<'i>> {
        match history {
            true => self.history(aspect),
            false if aspect == Aspect::Address && !self.rows.lives_somewhere() => Vec::new(),
            false => self.fact(aspect).into_iter().collect(),
        }
    }

    /// False when the status is one under which nobody lives anywhere: an address that still comes is the last one
    /// known.
    pub(crate) fn lives_somewhere(&self) -> bool {
        self.rows.lives_somewhere()
    }

    /// The protections recorded now, whatever the moment asked about.
    pub(crate) fn protections(&self) -> impl Iterator<Item = facts::Protection<'i>> {
        let rows = self.rows.facts().iter().filter(|fact| fact.aspect() == Aspect::Protection);
        rows.filter(|fact| !fact.is_historic() && fact.mark().is_none()).filter_map(|fact| fact.protection())
    }

    pub(crate) fn person(&self) -> Option<facts::Person<'i>> {
        self.rows.person()
    }

    /// Finds the number now in force by following the chain of numbers to its end: a number that was given up may name
    /// another one that was given up later.
    pub(crate) fn follow_chain(mut self, snapshot: &Snapshot, request: &Request<'_>) -> Result<Subject<'i>, Error> {
        let stated = self.person().and_then(|person| known(person.current_pnr())).filter(|stated| *stated != self.pnr);
        let is_given_up = self.person().and_then(facts::Person::status).is_some_and(|status| status.is_replaced());
        if stated.is_some() || is_given_up {
            let chain = snapshot.numbers(self.pnr, request.known)?;
            self.current_pnr = chain.and_then(|chain| chain.current).or(stated).filter(|current| *current != self.pnr);
        }
        Ok(self)
    }

    /// The number now in force; none when it is the one asked for.
    pub(crate) fn current_pnr(&self) -> Option<Pnr> {
        self.current_pnr
    }

    /// True when the store holds rows of this aspect at all: where it does not, nothing can be said, not even *none*.
    pub(crate) fn holds(&self, aspect: Aspect) -> bool {
        self.config.carries(aspect)
    }

    /// Those of these aspects that the store does not hold.
    pub(crate) fn not_held(&self, aspects: &[Aspect]) -> Vec<&'static str> {
        aspects.iter().filter(|aspect| !self.holds(**aspect)).map(|aspect| aspect.name()).collect()
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
        self.rows.name()
    }

    pub(crate) fn civil_status(&self) -> Option<facts::CivilStatus<'i>> {
        self.rows.civil_status()
    }

    pub(crate) fn citizenship(&self) -> Option<facts::Citizenship<'i>> {
        self.rows.citizenship()
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

    /// The coded address where the person lives; none for one who lives in neither Denmark nor Greenland.
    pub(crate) fn address(&self) -> Option<facts::Address<'i>> {
        self.rows.address()
    }

    /// The formatted address (003) when it is that of the moment asked for. CPR keeps one, without a date: it goes with
    /// the current address, where it names no other place.
    pub(crate) fn formatted(&self) -> Option<facts::FormattedAddress<'i>> {
        let formatted = self.rows.formatted_residence()?;
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
        // As of no moment only a stay abroad that goes on counts, not the immigration that a product tells of as
        // current.
        let fact = self.fact(Aspect::Emigration)?;
        (self.valid.is_some() || fact.valid().to.is_none()).then(|| fact.emigration()).flatten()
    }

    pub(crate) fn parents(&self) -> Option<facts::Parents<'i>> {
        self.rows.parents()
    }

    /// Children in the order of their numbers' digits.
    pub(crate) fn children(&self) -> Vec<Pnr> {
        self.rows.children()
    }

    /// The birth date recorded; it may differ from the date in the number.
    pub(crate) fn birth_date(&self) -> Option<Date> {
        self.person().and_then(facts::Person::birth_date).map(|born| born.value)
    }
}

/// The number of a relation, when it has one.
pub(crate) fn known(related: Option<RelatedPnr>) -> Option<Pnr> {
    match related {
        Some(RelatedPnr::Known(pnr)) => Some(pnr),
        Some(RelatedPnr::Unknown) | None => None,
    }
}
