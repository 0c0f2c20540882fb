//! Who comes into the register, and who belongs to whom: immigrants without a number, children who get one late,
//! paternity and adoption.

use cpr_model::{Date, Pnr};

use crate::days::years_on;
use crate::days::{Day, date};
use crate::person::{Abroad, Address, Civil, Custody, Moment, Name, Parent, PersonRows, Relative, Row, number_of};

use super::Register;

/// Somebody who had no number until now.
pub(crate) struct Newcomer {
    pub(crate) number: Pnr,
    pub(crate) is_man: bool,
    pub(crate) born: Date,
    pub(crate) name: Name,
    /// Where from: citizenship and country of departure.
    pub(crate) country: u16,
}

impl Register<'_> {
    /// A05: an immigrant without a number gets one; its record of immigration has no emigration half.
    pub(crate) fn immigrates(&mut self, newcomer: Newcomer, home: Address, day: Day) -> bool {
        if newcomer.born >= date(day) || self.person_now(newcomer.number).is_some() {
            return false;
        }
        let number = newcomer.number;
        self.insert(newcomer.into_rows(home, day));
        self.add_event(number, "A05", "").is_some()
    }

    /// A51: a child born abroad some years ago gets a number at its mother's (MO); the father, her husband, with FA.
    pub(crate) fn gets_number_late(&mut self, newcomer: Newcomer, mother: Pnr, day: Day) -> bool {
        let home = self.resident(mother).and_then(|person| person.address().map(|row| row.value));
        let Some(home) = home.filter(|_| newcomer.born < date(day) && self.person_now(newcomer.number).is_none())
        else {
            return false;
        };
        let (number, born) = (newcomer.number, newcomer.born);
        let mut person = newcomer.into_rows(home, day);
        let parents = [(Some(mother), "MO", 3), (self.spouse(mother, day), "FA", 4)];
        for (pnr, _, kind) in parents {
            let Some(pnr) = pnr else { continue };
            let parent = Parent { who: Relative::Number(pnr), since: Some(born), uncertain: false };
            if kind == 3 {
                person.mother = parent;
            } else {
                person.father = parent;
            }
            person.custody.push(Custody { kind, from: date(day), deleted: Some(years_on(born, 18)), holder: None });
        }
        self.insert(person);
        self.add_event(number, "A51", "");
        for (pnr, derived, _) in parents {
            if let Some(parent) = pnr.and_then(|pnr| self.add_event(pnr, "A51", derived)) {
                parent.children.push(number);
            }
        }
        true
    }

    /// A37 (paternity), A38 (the father was another), A35 (adoption): other parents in place of those there were, who
    /// lose the child (TM, TF) as the new ones get it (NM, NF).
    pub(crate) fn gets_parents(
        &mut self,
        child: Pnr,
        code: &'static str,
        [mother, father]: [Option<Pnr>; 2],
        day: Day,
    ) -> bool {
        let Some(before) = self.resident(child) else { return false };
        let changes = [(&before.mother, mother, ["TM", "NM"]), (&before.father, father, ["TF", "NF"])];
        let is_new = |(held, new, _): &(&Parent, Option<Pnr>, _)| new.is_some() && number_of(&held.who) != *new;
        if [mother, father].contains(&Some(child)) || !changes.iter().any(is_new) {
            return false;
        }
        let Some(person) = self.add_event(child, code, "") else { return false };
        for (parent, new) in [(&mut person.mother, mother), (&mut person.father, father)] {
            if let Some(new) = new {
                *parent = Parent { who: Relative::Number(new), since: Some(date(day)), uncertain: false };
            }
        }
        for (held, new, [lost, gained]) in changes.into_iter().filter(is_new) {
            if let Some(parent) = number_of(&held.who).and_then(|old| self.add_event(old, code, lost)) {
                parent.children.retain(|other| *other != child);
            }
            if let Some(parent) = new.and_then(|new| self.add_event(new, code, gained)) {
                parent.children.push(child);
            }
        }
        true
    }

    /// A parent who died has custody of nobody, one who is alive after all has it again: the minor children are
    /// delivered (BØ).
    pub(crate) fn update_custody(&mut self, parent: &PersonRows, code: &'static str, is_alive: bool) {
        let today = Date::from_digits((self.entered_at / 10_000) as u32);
        for child in &parent.children {
            let Some(held) = self.person_now(*child).filter(|child| child.status < 20) else { continue };
            let kind = if number_of(&held.mother.who) == parent.number { 3 } else { 4 };
            let has = held.custody.iter().any(|row| row.kind == kind);
            let of_age = held.born.map(|born| years_on(born, 18));
            if has == is_alive || (is_alive && (of_age <= today || of_age.is_none())) {
                continue;
            }
            let Some(child) = self.add_event(*child, code, "BØ") else { continue };
            child.custody.retain(|row| row.kind != kind);
            if let Some(from) = held.born.filter(|_| is_alive) {
                child.custody.push(Custody { kind, from, deleted: of_age, holder: None });
            }
        }
    }
}

impl Newcomer {
    fn into_rows(self, home: Address, day: Day) -> PersonRows {
        let unknown = |born| Parent {
            who: Relative::Unnumbered { born: None, name: Default::default() },
            since: Some(born),
            uncertain: true,
        };
        let birth = Moment { uncertain: true, ..Moment::new(self.born, 0) };
        let stay = Abroad { from_country: self.country, ..Abroad::default() };
        let never_married_row = Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 };
        PersonRows {
            number: Some(self.number),
            status: if home.municipality > 900 { 5 } else { 1 },
            is_man: self.is_man,
            born: Some(self.born),
            number_from: Some(date(day)),
            addresses: vec![Row::since(home, Moment::on(day))],
            abroad: vec![Row { to: Some(Moment::on(day)), ..Row::since(stay, Moment::default()) }],
            names: vec![Row::since(self.name, birth)],
            birth_authority: self.country,
            citizenships: vec![Row::since(self.country, birth)],
            church: vec![Row::since('U', birth)],
            civil: vec![Row::since(never_married_row, Moment::default())],
            mother: unknown(self.born),
            father: unknown(self.born),
            ..PersonRows::default()
        }
    }
}
