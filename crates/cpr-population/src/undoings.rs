//! What turns out never to have been, or to have been otherwise: names, marriages, deaths, separations, numbers.
//!
//! CPR keeps the wrong row with a mark and no length; the one before it leaves history and holds again.

use cpr_model::Pnr;

use crate::days::{Day, date};
use crate::happenings::{Register, at, began};
use crate::life::number_of;
use crate::person::{Civil, Dossier, FormerNumber, Moment, Relative, Row};

/// Takes the open row back; false, and nothing done, when there is none before it that can hold again.
pub(crate) fn take_back<T>(rows: &mut Vec<Row<T>>) -> bool {
    let Some(last) = rows.iter().rposition(|row| row.to.is_none()) else { return false };
    let from = rows[last].from;
    let is_before = |row: &Row<T>| row.mark == ' ' && row.to == Some(from) && row.from.digits < from.digits;
    let Some(before) = rows.iter().position(is_before) else { return false };
    rows[before].to = None;
    let wrong = rows.remove(last);
    rows.insert(0, Row { to: Some(from), mark: 'A', ..wrong });
    true
}

/// As [`take_back`]; who has no civil status before was unmarried, which leaves no history.
fn take_civil_back(rows: &mut Vec<Row<Civil>>) {
    if take_back(rows) {
        return;
    }
    for row in rows.iter_mut().filter(|row| row.to.is_none()) {
        (row.to, row.mark) = (Some(row.from), 'A');
    }
    let single = Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 };
    rows.push(Row::since(single, Moment::default()));
}

/// STATUS of who lives at the open address.
fn active_status(person: &Dossier) -> u8 {
    let place = person.address().map(|row| (row.what.municipality > 900, row.what.street >= 9_900));
    match place {
        Some((true, is_posted)) => 5 + 2 * u8::from(is_posted),
        Some((false, true)) => 3,
        _ => 1,
    }
}

impl Register<'_> {
    /// A17: the name was never taken.
    pub(crate) fn annuls_name(&mut self, pnr: Pnr) -> bool {
        let can = self.look(pnr).is_some_and(|mut person| person.status < 20 && take_back(&mut person.names));
        let Some(person) = self.concern_if(can, pnr, "A17") else { return false };
        take_back(&mut person.names)
    }

    /// A25: there was no wedding, for both.
    pub(crate) fn annuls_wedding(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day).filter(|spouse| *spouse != pnr) else { return false };
        let is_separated = |person: Dossier| person.separations.iter().any(|row| row.to.is_none());
        if self.spouse(spouse, day) != Some(pnr) || self.look(pnr).is_none_or(is_separated) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.concern(pnr, "A25", derived) else { return false };
            take_civil_back(&mut person.civil);
        }
        true
    }

    /// A25: the person is alive; who was widowed (ÆG) is married again, minor children (BØ) have custody as before.
    pub(crate) fn annuls_death(&mut self, pnr: Pnr) -> bool {
        let Some(before) = self.look(pnr).filter(|person| person.status == 90) else { return false };
        let died = before.status_since;
        let Some(dead) = before.civil.iter().find(|row| row.to.is_none()).cloned() else { return false };
        if !before.addresses.iter().any(|row| row.mark == ' ' && row.to == Some(died)) || dead.from != died {
            return false;
        }
        let widowed = number_of(&dead.what.spouse).filter(|spouse| {
            let own = |row: &Row<Civil>| number_of(&row.what.spouse) == Some(pnr) && row.from == died;
            let is_widowed = |row: &Row<Civil>| row.to.is_none() && row.what.status == 'E' && own(row);
            self.look(*spouse).is_some_and(|person| person.civil.iter().any(is_widowed))
        });
        let Some(person) = self.concern(pnr, "A25", "") else { return false };
        person.addresses.iter_mut().filter(|row| row.mark == ' ' && row.to == Some(died)).for_each(|row| row.to = None);
        person.separations.iter_mut().filter(|row| row.to == Some(died)).for_each(|row| row.to = None);
        take_civil_back(&mut person.civil);
        (person.status, person.status_since) = (active_status(person), Moment::default());
        if let Some(person) = widowed.and_then(|spouse| self.concern(spouse, "A25", "ÆG")) {
            take_civil_back(&mut person.civil);
        }
        self.holds_custody(&before, "A25", true);
        true
    }

    /// A29: the citizenship was never given.
    pub(crate) fn annuls_citizenship(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| take_back(&mut person.citizenships));
        let Some(person) = self.concern_if(can, pnr, "A29") else { return false };
        take_back(&mut person.citizenships)
    }

    /// P56: never entered or left the church; the past row has no mark, only no length.
    pub(crate) fn annuls_church(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| take_back(&mut person.church));
        let Some(person) = self.concern_if(can, pnr, "P56") else { return false };
        take_back(&mut person.church)
    }

    /// P36 (they live together again), P48 (it began earlier) or P49 (it never was), and the spouse with ÆG.
    pub(crate) fn settles_separation(&mut self, pnr: Pnr, code: &'static str, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day).filter(|spouse| *spouse != pnr) else { return false };
        let earlier = at(day - 40);
        let is_open = |person: Dossier| {
            let could = code != "P48" || began(&person.civil, day - 40);
            let open = person.separations.iter().find(|row| row.to.is_none());
            could && began(&person.separations, day) && open.is_some_and(|row| row.from != earlier)
        };
        if self.spouse(spouse, day) != Some(pnr)
            || ![pnr, spouse].into_iter().all(|pnr| self.look(pnr).is_some_and(is_open))
        {
            return false;
        }
        let link = if code == "P48" { self.entered_at } else { 0 };
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.concern(pnr, code, derived) else { return false };
            let Some(open) = person.separations.iter().position(|row| row.to.is_none()) else { return false };
            let row = &mut person.separations[open];
            match code {
                "P36" => row.to = Some(at(day)),
                "P49" => (row.to, row.mark) = (Some(row.from), 'A'),
                _ => {
                    let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
                    (row.what, row.from) = (link, earlier);
                    person.separations.insert(0, wrong);
                }
            }
            person.civil.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.what.separation_link = link);
        }
        true
    }

    /// A40: the number should not exist. Only one for administration, to which nobody points.
    pub(crate) fn annuls_number(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.look(pnr).is_some_and(|person| is_bare(&person, day));
        let Some(person) = self.concern_if(can, pnr, "A40") else { return false };
        (person.status, person.status_since, person.number_to) = (30, at(day), Some(date(day)));
        person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(row.from));
        true
    }

    /// P02: the number for administration is a second one of somebody who lives here (PN), which lists it from now on.
    pub(crate) fn deletes_double(&mut self, double: Pnr, kept: Pnr, day: Day) -> bool {
        let Some(before) = self.look(double).filter(|person| is_bare(person, day)) else { return false };
        let is_same = self.resident(kept).is_some_and(|person| person.is_man == before.is_man);
        let Some(from) = before.number_from.filter(|from| is_same && *from < date(day)) else { return false };
        let Some(person) = self.concern(double, "P02", "") else { return false };
        (person.status, person.status_since, person.number_to) = (50, at(day), Some(date(day)));
        person.current_number = Some(kept);
        person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(at(day)));
        person.contact_lines.clear();
        if let Some(person) = self.concern(kept, "P02", "PN") {
            person.former_numbers.push(FormerNumber { number: double, from, to: date(day) });
        }
        true
    }

    /// P43: the two are two persons after all; the revived number is as it was, the other (PT) lists it no longer.
    pub(crate) fn revives_double(&mut self, double: Pnr) -> bool {
        let Some(before) = self.look(double).filter(|person| person.status == 50) else { return false };
        let lists = |person: &Dossier| person.former_numbers.iter().any(|row| row.number == double);
        let kept = before.current_number.filter(|kept| self.look(*kept).as_ref().is_some_and(lists));
        let Some(kept) = kept else { return false };
        let Some(person) = self.concern(double, "P43", "") else { return false };
        let deleted = Some(person.status_since);
        person.addresses.iter_mut().filter(|row| row.to == deleted).for_each(|row| row.to = None);
        let since = person.address().map_or(Moment::default(), |row| row.from);
        (person.status, person.status_since) = (20, since);
        (person.number_to, person.current_number) = (None, None);
        if let Some(person) = self.concern(kept, "P43", "PT") {
            person.former_numbers.retain(|row| row.number != double);
        }
        true
    }

    /// P42: the change of number is undone; the one given up now (PT) is the changed one, and relatives follow.
    pub(crate) fn takes_number_back(&mut self, new: Pnr, day: Day) -> bool {
        let Some(before) = self.resident(new).filter(|person| began(&person.addresses, day)) else { return false };
        let Some(old) = before.former_numbers.last().map(|row| row.number) else { return false };
        let Some(from) = before.number_from.filter(|from| *from < date(day)) else { return false };
        let is_given_up = |person: &Dossier| person.status == 60 && person.current_number == Some(new);
        let Some(former) = self.look(old).filter(is_given_up) else { return false };
        let mut taken = before.clone();
        (taken.number, taken.born, taken.number_from) = (Some(old), former.born, former.number_from);
        taken.former_numbers.pop();
        taken.former_numbers.push(FormerNumber { number: new, from, to: date(day) });
        taken.events = former.events;
        self.add(taken);
        self.concern(old, "P42", "");
        let Some(given_up) = self.concern(new, "P42", "PT") else { return false };
        give_up(given_up, old, day);
        self.point_at(&before, new, old, "P42");
        true
    }
}

/// A number for administration without relatives, whose office stood for a home before this day.
fn is_bare(person: &Dossier, day: Day) -> bool {
    let has_parent = [&person.mother, &person.father].into_iter().any(|parent| number_of(&parent.who).is_some());
    person.status == 20 && !has_parent && person.children.is_empty() && began(&person.addresses, day)
}

/// What is left of a number that was given up for another.
pub(crate) fn give_up(person: &mut Dossier, current: Pnr, day: Day) {
    (person.status, person.status_since) = (60, at(day));
    (person.current_number, person.number_to) = (Some(current), Some(date(day)));
    person.children.clear();
    person.former_numbers.clear();
    person.custody.clear();
    person.protections.clear();
    person.separations.clear();
    person.civil.retain(|row| row.to.is_none());
    for row in &mut person.civil {
        if number_of(&row.what.spouse).is_some() {
            row.what.spouse = Relative::Unnumbered { born: None, name: Default::default() };
        }
    }
    person.names.retain(|row| row.to.is_none());
    person.abroad.clear();
    person.disappeared.clear();
    person.addresses.retain(|row| row.to.is_none());
    person.addresses.iter_mut().for_each(|row| row.to = Some(at(day)));
}
