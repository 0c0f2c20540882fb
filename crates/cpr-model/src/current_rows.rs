//! The rows of one person that count, now or at a moment in the world: the one definition that every reader shares.
//!
//! A row counts *now* when its record is a current one and bears no mark; at a moment, when it held in the world then.
//! Of several rows of a kind that a person has once, the one that began last is the answer, here and therefore
//! everywhere: the others were true once, as far as anybody can say; of two that began together it is the same one in
//! whatever order they are read. The text of an address (003) is that of the address that counts, or of none.

use crate::{Aspect, Date, Fact, MunicipalityCode, Pnr, ProtectionKind, RelatedPnr, Status, Text, Timestamp, facts};

#[cfg(test)]
mod tests;

/// One more than the highest number of an aspect.
const ASPECTS: usize = Aspect::Event as usize + 1;

/// No row of an aspect counts.
const NO_ROW: u32 = u32::MAX;

/// The facts of one person as of one delivery, and which of them count.
#[derive(Clone, Debug)]
pub struct CurrentRows<'a> {
    facts: Vec<Fact<'a>>,
    at: Option<Timestamp>,
    /// By number of the aspect: the position of the row that counts.
    latest: [u32; ASPECTS],
}

/// Memory of rows that were read, to be used again: a delivery reads millions of persons.
#[derive(Debug, Default)]
pub struct RowsBuffer(Vec<Fact<'static>>);

impl<'a> CurrentRows<'a> {
    /// Reads the facts of a person, of all of valid time; `at` is the moment at which they count, none for now.
    pub fn read(facts: impl IntoIterator<Item = Fact<'a>>, at: Option<Timestamp>) -> CurrentRows<'a> {
        CurrentRows::read_into(RowsBuffer::default(), facts, at)
    }

    /// As [`CurrentRows::read`], in memory that was used before.
    pub fn read_into(
        buffer: RowsBuffer,
        facts: impl IntoIterator<Item = Fact<'a>>,
        at: Option<Timestamp>,
    ) -> CurrentRows<'a> {
        let mut rows: Vec<Fact<'a>> = buffer.0;
        rows.extend(facts);
        let mut latest = [NO_ROW; ASPECTS];
        for (position, fact) in rows.iter().enumerate().filter(|(_, fact)| counts(fact, at)) {
            let best = &mut latest[usize::from(fact.aspect().number())];
            if *best == NO_ROW || begins_last(&rows[*best as usize], fact) {
                *best = position as u32;
            }
        }
        CurrentRows { facts: rows, at, latest }
    }

    /// Gives the memory back for the next person.
    pub fn recycle(self) -> RowsBuffer {
        let mut facts = self.facts;
        facts.clear();
        // Nothing is left to convert; collecting keeps the memory.
        RowsBuffer(facts.into_iter().map(|_| unreachable!("it was cleared")).collect())
    }

    /// Every fact that was read, whether it counts or not, in its order.
    pub fn facts(&self) -> &[Fact<'a>] {
        &self.facts
    }

    /// True when there are no facts: nobody is held.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The row of an aspect that counts; of several the one that began last.
    pub fn row(&self, aspect: Aspect) -> Option<Fact<'a>> {
        self.facts.get(self.latest[usize::from(aspect.number())] as usize).copied()
    }

    /// True when this is the row of its aspect that counts; of two that say the same, both are.
    pub fn is_answer(&self, fact: &Fact<'_>) -> bool {
        self.row(fact.aspect()).is_some_and(|row| {
            row.is_historic() == fact.is_historic() && row.mark() == fact.mark() && row.values() == fact.values()
        })
    }

    /// Every row that counts, in order.
    pub fn counting(&self) -> impl Iterator<Item = Fact<'a>> + '_ {
        self.facts.iter().copied().filter(|fact| counts(fact, self.at))
    }

    /// Every row of an aspect that counts: of those that a person has several of.
    pub fn rows(&self, aspect: Aspect) -> impl Iterator<Item = Fact<'a>> + '_ {
        let any = self.latest[usize::from(aspect.number())] != NO_ROW;
        self.facts.iter().copied().filter(move |fact| any && fact.aspect() == aspect && counts(fact, self.at))
    }

    /// Personoplysninger (001).
    pub fn person(&self) -> Option<facts::Person<'a>> {
        self.row(Aspect::Person)?.person()
    }

    /// STATUS.
    pub fn status(&self) -> Option<Status> {
        self.person()?.status()
    }

    /// FOED_DT, which may differ from the date in the number.
    pub fn birth_date(&self) -> Option<Date> {
        self.person()?.birth_date().map(|born| born.value)
    }

    /// The coded address (002), whether the person lives there or is only known to have lived there last.
    pub fn last_known_address(&self) -> Option<facts::Address<'a>> {
        self.row(Aspect::Address)?.address()
    }

    /// Where the person lives: the coded address, under a status under which one lives somewhere. CPR also sends the
    /// last known address of the disappeared, the emigrated and the dead; nobody lives there.
    pub fn address(&self) -> Option<facts::Address<'a>> {
        self.last_known_address().filter(|_| self.lives_somewhere())
    }

    /// KOMKOD of where the person lives.
    pub fn municipality(&self) -> Option<MunicipalityCode> {
        self.address()?.municipality_code()
    }

    /// False under a status under which nobody lives anywhere (30 and above), unless it began after the moment asked
    /// about: CPR keeps no history of the status.
    pub fn lives_somewhere(&self) -> bool {
        let Some(person) = self.person() else { return true };
        let began_later = || {
            let since = person.status_date().map(|since| since.value);
            self.at.zip(since).is_some_and(|(at, since)| at < since)
        };
        person.status().is_none_or(Status::has_residence) || began_later()
    }

    /// Navn (008).
    pub fn name(&self) -> Option<facts::Name<'a>> {
        self.row(Aspect::Name)?.name()
    }

    /// Klarskriftadresse (003).
    pub fn formatted_address(&self) -> Option<facts::FormattedAddress<'a>> {
        self.row(Aspect::FormattedAddress)?.formatted_address()
    }

    /// The formatted address, when it is the text of where the person lives. It may name another place than the coded
    /// address that counts: where it does, the place that counts has no text.
    pub fn formatted_residence(&self) -> Option<facts::FormattedAddress<'a>> {
        let formatted = self.formatted_address().filter(|_| self.lives_somewhere())?;
        self.address().is_none_or(|coded| is_text_of(formatted, coded)).then_some(formatted)
    }

    /// Civilstand (012).
    pub fn civil_status(&self) -> Option<facts::CivilStatus<'a>> {
        self.row(Aspect::CivilStatus)?.civil_status()
    }

    /// Statsborgerskab (010).
    pub fn citizenship(&self) -> Option<facts::Citizenship<'a>> {
        self.row(Aspect::Citizenship)?.citizenship()
    }

    /// Beskyttelser (004), in the order of the rows.
    pub fn protections(&self) -> impl Iterator<Item = facts::Protection<'a>> + '_ {
        self.rows(Aspect::Protection).filter_map(|fact| fact.protection())
    }

    /// BESKYTTYPE of each protection, ascending.
    pub fn protection_kinds(&self) -> Vec<ProtectionKind> {
        let mut kinds: Vec<ProtectionKind> = self.protections().filter_map(|row| row.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The children's numbers (014), ascending.
    pub fn children(&self) -> Vec<Pnr> {
        let numbers = self.rows(Aspect::Child).filter_map(|fact| known(fact.child()?.child_pnr()));
        sorted(numbers.collect())
    }

    /// Mother and father (015, or part of 001).
    pub fn parents(&self) -> Option<facts::Parents<'a>> {
        let of = |aspect| self.row(aspect).and_then(|fact| fact.parents());
        of(Aspect::Parents).or_else(|| of(Aspect::Person))
    }

    /// The number in force that the person's row names (001 PNRGAELD); none when it names none.
    pub fn stated_current_pnr(&self) -> Option<Pnr> {
        known(self.person()?.current_pnr())
    }

    /// The numbers given up (022), ascending. They are history by nature, and count whatever the moment.
    pub fn former_numbers(&self) -> Vec<Pnr> {
        let numbers = self.facts.iter().filter_map(|fact| known(fact.former_number()?.former_pnr()));
        sorted(numbers.collect())
    }
}

/// True when a formatted address names no other place than a coded one: what it leaves out contradicts nothing.
fn is_text_of(formatted: facts::FormattedAddress<'_>, coded: facts::Address<'_>) -> bool {
    let (municipality, street) = (formatted.municipality_code(), formatted.street_code());
    let texts = [
        (formatted.house_number(), coded.house_number()),
        (formatted.floor(), coded.floor()),
        (formatted.side_or_door(), coded.side_or_door()),
    ];
    municipality.is_none_or(|code| coded.municipality_code() == Some(code))
        && street.is_none_or(|code| coded.street_code() == Some(code))
        && texts.iter().all(|(of_003, of_002)| of_003.is_empty() || said(of_003) == said(of_002))
}

fn said<'t>(text: &Text<'t>) -> &'t [u8] {
    text.latin1().trim_ascii()
}

fn sorted(mut numbers: Vec<Pnr>) -> Vec<Pnr> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// True when a row began after another one. Of two that began together their bytes decide, so that the answer never
/// depends on the order in which rows stand in a file, a document or a past.
fn begins_last(other: &Fact<'_>, fact: &Fact<'_>) -> bool {
    let (before, after) = (other.valid().from, fact.valid().from);
    before < after || before == after && other.values().bytes() <= fact.values().bytes()
}

/// True when a row counts: as of no moment the current, unmarked rows, else those that held in the world.
fn counts(fact: &Fact<'_>, at: Option<Timestamp>) -> bool {
    match at {
        None => !fact.is_historic() && fact.mark().is_none(),
        Some(at) => fact.holds_at(at),
    }
}

fn known(related: Option<RelatedPnr>) -> Option<Pnr> {
    match related {
        Some(RelatedPnr::Known(pnr)) => Some(pnr),
        Some(RelatedPnr::Unknown) | None => None,
    }
}
