//! Holds one document against a query.
//!
//! Each part of it is asked when it is true: a set of stretches of valid time. In scope *now* and *ever* that is all of
//! time or none; at the same time, it is when the rows that have it held. Then *all* is the common part, *any* the
//! union, *not* the rest, and a person is meant when anything is left.

use cpr_model::{Aspect, CurrentRows, Fact, Field, Folder, PersonKey, Text};
use cpr_subscription::{Door, Floor, HouseNumber};

use crate::index::keys::street;
use crate::index::name_part::NamePart;
use crate::search::Scope;
use crate::search::patterns::{AddressPattern, WordPattern};
use crate::search::plan::{Leaf, Node};

/// Stretches of valid time, ascending and apart: from, and the first moment after; digits of timestamps.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Spans(Vec<(u64, u64)>);

const END: u64 = u64::MAX;

impl Spans {
    fn always() -> Spans {
        Spans(vec![(0, END)])
    }

    fn when(holds: bool) -> Spans {
        if holds { Spans::always() } else { Spans::default() }
    }

    pub(crate) fn of(mut spans: Vec<(u64, u64)>) -> Spans {
        spans.retain(|(from, to)| from < to);
        spans.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(spans.len());
        for (from, to) in spans {
            match joined.last_mut() {
                Some((_, end)) if from <= *end => *end = (*end).max(to),
                _ => joined.push((from, to)),
            }
        }
        Spans(joined)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn and(&self, other: &Spans) -> Spans {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
        Spans::of(pairs.collect())
    }

    fn or(mut self, other: Spans) -> Spans {
        self.0.extend(other.0);
        Spans::of(self.0)
    }

    pub(crate) fn not(&self) -> Spans {
        let mut rest = Vec::with_capacity(self.0.len() + 1);
        let mut from = 0;
        for &(start, end) in &self.0 {
            rest.push((from, start));
            from = end;
        }
        rest.push((from, END));
        Spans::of(rest)
    }
}

impl Node<'_> {
    /// True when the person with these rows is meant.
    pub(crate) fn holds(&self, key: PersonKey, person: &CurrentRows<'_>, scope: Scope) -> bool {
        !self.spans(key, person, scope).is_empty()
    }

    fn spans(&self, key: PersonKey, person: &CurrentRows<'_>, scope: Scope) -> Spans {
        match self {
            Node::And(all) => {
                let mut common = Spans::always();
                for node in all {
                    if common.is_empty() {
                        break;
                    }
                    common = common.and(&node.spans(key, person, scope));
                }
                common
            }
            Node::Or(any) => any.iter().fold(Spans::default(), |found, node| found.or(node.spans(key, person, scope))),
            Node::Not(node) => node.spans(key, person, scope).not(),
            Node::Leaf(leaf) => leaf.spans(key, person, scope),
        }
    }
}

impl Leaf<'_> {
    fn spans(&self, key: PersonKey, person: &CurrentRows<'_>, scope: Scope) -> Spans {
        match self {
            Leaf::Persons(keys) => Spans::when(keys.contains(key.as_u32())),
            Leaf::Born(dates, _) => Spans::when(person.birth_date().is_some_and(|born| dates.contains(&born))),
            Leaf::Sex(sex) => {
                let letter = [sex.letter()];
                Spans::when(person.person().is_some_and(|row| row.sex().latin1() == letter))
            }
            Leaf::Status(range) => Spans::when(person.status().is_some_and(|status| range.contains(&status))),
            Leaf::Protection(kind) => Spans::when(person.protections().any(|row| row.kind() == Some(*kind))),
            Leaf::Citizenship(country) => {
                let is_meant =
                    |fact: &Fact<'_>| fact.citizenship().is_some_and(|row| row.country_code() == Some(*country));
                rows(person, scope, Aspect::Citizenship, is_meant)
            }
            Leaf::Name(part, word) => names(person, scope, *part, word),
            Leaf::Address(address, streets) => {
                let is_meant = |fact: &Fact<'_>| has_address(fact, address, streets.as_deref(), person);
                when_at_address(person, scope, is_meant)
            }
        }
    }
}

/// When the rows of an aspect that are meant hold. Now it is the row that counts; else also the historic ones that CPR
/// has not marked, and what stands beside the row that counts.
fn rows(person: &CurrentRows<'_>, scope: Scope, aspect: Aspect, is_meant: impl Fn(&Fact<'_>) -> bool) -> Spans {
    let stated = person.facts().iter().filter(|fact| fact.aspect() == aspect && fact.mark().is_none());
    match scope {
        Scope::Now => Spans::when(person.row(aspect).is_some_and(|fact| is_meant(&fact))),
        Scope::Ever => Spans::when(stated.into_iter().any(is_meant)),
        Scope::AtTheSameTime => Spans::of(stated.filter(|fact| is_meant(fact)).map(period).collect()),
    }
}

/// When the person lived at an address that is meant. A current address of a status under which nobody lives anywhere
/// is the last known one: nobody lives there now, and nobody did since that status began.
fn when_at_address(person: &CurrentRows<'_>, scope: Scope, is_meant: impl Fn(&Fact<'_>) -> bool) -> Spans {
    let left = person.person().filter(|_| !person.lives_somewhere());
    let Some(left) = left else { return rows(person, scope, Aspect::Address, is_meant) };
    match scope {
        Scope::Now => Spans::default(),
        Scope::Ever => rows(person, scope, Aspect::Address, is_meant),
        Scope::AtTheSameTime => {
            let end = left.status_date().map_or(0, |since| since.value.digits());
            let meant = person.facts().iter().filter(|fact| fact.mark().is_none() && is_meant(fact));
            let stretch = |fact: &Fact<'_>| {
                let (from, to) = period(fact);
                (from, if fact.is_historic() { to } else { to.min(end) })
            };
            Spans::of(meant.map(stretch).collect())
        }
    }
}

fn period(fact: &Fact<'_>) -> (u64, u64) {
    let period = fact.valid();
    (period.from.map_or(0, |from| from.digits()), period.to.map_or(END, |to| to.digits()))
}

/// When a name with this word was borne. The addressing name of 003 is that of the current name.
fn names(person: &CurrentRows<'_>, scope: Scope, part: NamePart, word: &WordPattern) -> Spans {
    let fields: &[Field] = match part {
        NamePart::Any => &[Field::GivenNames, Field::MiddleNames, Field::Surname, Field::AddressingName],
        NamePart::Given => &[Field::GivenNames],
        NamePart::Middle => &[Field::MiddleNames],
        NamePart::Surname => &[Field::Surname],
        NamePart::Addressing => &[Field::AddressingName],
    };
    let own =
        rows(person, scope, Aspect::Name, |fact| fields.iter().any(|field| has_word(fact.values().text(*field), word)));
    let is_of_003 = || person.formatted_address().is_some_and(|row| has_word(row.addressing_name(), word));
    if !matches!(part, NamePart::Any | NamePart::Addressing) || !is_of_003() {
        return own;
    }
    match person.row(Aspect::Name) {
        Some(current) if scope == Scope::AtTheSameTime => own.or(Spans::of(vec![period(&current)])),
        _ => Spans::always(),
    }
}

fn has_word(text: Text<'_>, pattern: &WordPattern) -> bool {
    let mut found = false;
    Folder::default().words(text.latin1(), |word| found |= pattern.matches(word));
    found
}

/// True when an address has every part that is asked for; what only 003 says belongs to the address that counts.
fn has_address(fact: &Fact<'_>, asked: &AddressPattern, streets: Option<&[u32]>, person: &CurrentRows<'_>) -> bool {
    let Some(row) = fact.address() else { return false };
    let coded = || {
        let (municipality, code) = (row.municipality_code()?, row.street_code()?);
        Some(street(municipality.0, code.0))
    };
    let house = || HouseNumber::parse(row.house_number().latin1());
    let is_asked = asked.municipality.is_none_or(|code| row.municipality_code() == Some(code))
        && asked.street.is_none_or(|code| row.street_code() == Some(code))
        && (asked.houses.is_empty()
            || house().is_some_and(|house| asked.houses.iter().any(|range| range.contains(&house))))
        && asked.floor.is_none_or(|floor| Floor::parse(row.floor().latin1()) == Some(floor))
        && asked.door.is_none_or(|door| Door::parse(row.side_or_door().latin1()) == Some(door))
        && asked.building.as_deref().is_none_or(|building| {
            significant(building.as_bytes()).eq_ignore_ascii_case(significant(row.building_number().latin1()))
        });
    if !is_asked {
        return false;
    }
    if let Some(streets) = streets
        && coded().is_none_or(|street| streets.binary_search(&street).is_err())
    {
        return false;
    }
    if !asked.asks_003() {
        return true;
    }
    let Some(formatted) = person.formatted_residence().filter(|_| person.is_answer(fact)) else { return false };
    asked.postal_code.as_ref().is_none_or(|range| formatted.postal_code().is_some_and(|code| range.contains(&code)))
        && asked.postal_district.iter().all(|word| has_word(formatted.postal_district(), word))
        && asked.town.iter().all(|word| has_word(formatted.town(), word))
}

/// A building number without the zeros and blanks it is filled with.
fn significant(number: &[u8]) -> &[u8] {
    let number = number.trim_ascii();
    &number[number.iter().take_while(|&&byte| byte == b'0').count()..]
}
