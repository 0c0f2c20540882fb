//! Numbers that are given up for another, doubled, annulled, or taken back, and who points at them.

use std::collections::BTreeSet;

use cpr_model::{Date, Pnr};

use crate::days::{Day, date};
use crate::person::{FormerNumber, Moment, PersonRows, Relative, number_of};

use super::Register;
use super::rows::began_before;

impl Register<'_> {
    /// P03: another number, which takes the history over; spouse, children and parents point at it.
    pub(crate) fn changes_number(&mut self, old: Pnr, new: Pnr, born: Date, day: Day) -> bool {
        let Some(before) = self.resident(old) else { return false };
        if self.person_now(new).is_some()
            || !began_before(&before.addresses, day)
            || before.number_from.is_some_and(|from| from >= date(day))
        {
            return false;
        }
        let mut renewed = before.clone();
        renewed.number = Some(new);
        renewed.born = Some(born);
        (renewed.number_from, renewed.number_from_uncertain) = (Some(date(day)), false);
        let from = before.number_from.unwrap_or(born);
        renewed.former_numbers.push(FormerNumber { number: old, from, to: date(day) });
        renewed.events.clear();
        self.insert(renewed);
        self.add_event(new, "P03", "PN");
        let Some(given_up) = self.add_event(old, "P03", "") else { return false };
        retire_number(given_up, new, day);
        self.renumber_in_relatives(&before, old, new, "P03");
        true
    }

    /// The relatives of a person whose number changed are delivered with the new one.
    fn renumber_in_relatives(&mut self, before: &PersonRows, old: Pnr, new: Pnr, code: &'static str) {
        let change = |relative: &mut Relative| {
            if number_of(relative) == Some(old) {
                *relative = Relative::Number(new);
            }
        };
        for spouse in before.civil.iter().filter_map(|row| number_of(&row.value.spouse)).collect::<BTreeSet<_>>() {
            if let Some(person) = self.add_event(spouse, code, "ÆG") {
                person.civil.iter_mut().for_each(|row| change(&mut row.value.spouse));
            }
        }
        for child in &before.children {
            if let Some(person) = self.add_event(*child, code, "BØ") {
                change(&mut person.mother.who);
                change(&mut person.father.who);
            }
        }
        for (parent, derived) in [(&before.mother, "MO"), (&before.father, "FA")] {
            if let Some(person) = number_of(&parent.who).and_then(|pnr| self.add_event(pnr, code, derived)) {
                person.children.iter_mut().filter(|child| **child == old).for_each(|child| *child = new);
            }
        }
    }

    /// A40: the number should not exist. Only one for administration, to which nobody points.
    pub(crate) fn annuls_number(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| is_bare(&person, day));
        let Some(person) = self.add_event_if(can, pnr, "A40") else { return false };
        (person.status, person.status_since, person.number_to) = (30, Moment::on(day), Some(date(day)));
        person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(row.from));
        true
    }

    /// P02: the number for administration is a second one of somebody who lives here (PN), which lists it from now on.
    pub(crate) fn deletes_double(&mut self, double: Pnr, kept: Pnr, day: Day) -> bool {
        let Some(before) = self.person_now(double).filter(|person| is_bare(person, day)) else { return false };
        let is_same = self.resident(kept).is_some_and(|person| person.is_man == before.is_man);
        let Some(from) = before.number_from.filter(|from| is_same && *from < date(day)) else { return false };
        let Some(person) = self.add_event(double, "P02", "") else { return false };
        (person.status, person.status_since, person.number_to) = (50, Moment::on(day), Some(date(day)));
        person.current_number = Some(kept);
        person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(Moment::on(day)));
        person.contact_lines.clear();
        if let Some(person) = self.add_event(kept, "P02", "PN") {
            person.former_numbers.push(FormerNumber { number: double, from, to: date(day) });
        }
        true
    }

    /// P43: the two are two persons after all; the revived number is as it was, the other (PT) lists it no longer.
    pub(crate) fn revives_double(&mut self, double: Pnr) -> bool {
        let Some(before) = self.person_now(double).filter(|person| person.status == 50) else { return false };
        let lists = |person: &PersonRows| person.former_numbers.iter().any(|row| row.number == double);
        let kept = before.current_number.filter(|kept| self.person_now(*kept).as_ref().is_some_and(lists));
        let Some(kept) = kept else { return false };
        let Some(person) = self.add_event(double, "P43", "") else { return false };
        let deleted = Some(person.status_since);
        person.addresses.iter_mut().filter(|row| row.to == deleted).for_each(|row| row.to = None);
        let since = person.address().map_or(Moment::default(), |row| row.from);
        (person.status, person.status_since) = (20, since);
        (person.number_to, person.current_number) = (None, None);
        if let Some(person) = self.add_event(kept, "P43", "PT") {
            person.former_numbers.retain(|row| row.number != double);
        }
        true
    }

    /// P42: the change of number is undone; the one given up now (PT) is the changed one, and relatives follow.
    pub(crate) fn takes_number_back(&mut self, new: Pnr, day: Day) -> bool {
        let Some(before) = self.resident(new).filter(|person| began_before(&person.addresses, day)) else {
            return false;
        };
        let Some(old) = before.former_numbers.last().map(|row| row.number) else { return false };
        let Some(from) = before.number_from.filter(|from| *from < date(day)) else { return false };
        let is_given_up = |person: &PersonRows| person.status == 60 && person.current_number == Some(new);
        let Some(former) = self.person_now(old).filter(is_given_up) else { return false };
        let mut taken = before.clone();
        (taken.number, taken.born, taken.number_from) = (Some(old), former.born, former.number_from);
        taken.former_numbers.pop();
        taken.former_numbers.push(FormerNumber { number: new, from, to: date(day) });
        taken.events = former.events;
        self.insert(taken);
        self.add_event(old, "P42", "");
        let Some(given_up) = self.add_event(new, "P42", "PT") else { return false };
        retire_number(given_up, old, day);
        self.renumber_in_relatives(&before, new, old, "P42");
        true
    }
}

/// A number for administration without relatives, whose office stood for a home before this day.
fn is_bare(person: &PersonRows, day: Day) -> bool {
    let has_parent = [&person.mother, &person.father].into_iter().any(|parent| number_of(&parent.who).is_some());
    person.status == 20 && !has_parent && person.children.is_empty() && began_before(&person.addresses, day)
}

/// What is left of a number that was given up for another.
fn retire_number(person: &mut PersonRows, current: Pnr, day: Day) {
    (person.status, person.status_since) = (60, Moment::on(day));
    (person.current_number, person.number_to) = (Some(current), Some(date(day)));
    person.children.clear();
    person.former_numbers.clear();
    person.custody.clear();
    person.protections.clear();
    person.separations.clear();
    person.civil.retain(|row| row.to.is_none());
    for row in &mut person.civil {
        if number_of(&row.value.spouse).is_some() {
            row.value.spouse = Relative::Unnumbered { born: None, name: Default::default() };
        }
    }
    person.names.retain(|row| row.to.is_none());
    person.abroad.clear();
    person.disappeared.clear();
    person.addresses.retain(|row| row.to.is_none());
    person.addresses.iter_mut().for_each(|row| row.to = Some(Moment::on(day)));
}
