//! What happens to people, and to whom else that is an event: each happening changes the rows of everybody concerned as
//! CPR would, with an event (099) for each of them.
//!
//! The register holds whom something happened to, on top of a population or of nobody. A happening that cannot be (the
//! dead do not move) changes nothing and says so by `false`.

use std::collections::{BTreeMap, BTreeSet};

use cpr_model::{Date, Pnr};

use crate::days::{Day, date};
use crate::families::Families;
use crate::life::{Workroom, number_of, years_on};
use crate::person::{
    Abroad, Address, Civil, Custody, Dossier, Event, FormerNumber, Moment, Name, Parent, Protection, Relative, Row,
};
use crate::undoings::{give_up, take_back};

/// The state of everybody to whom something happened.
pub(crate) struct Register<'a> {
    base: Option<&'a Families>,
    held: BTreeMap<u32, Dossier>,
    /// Whom the night's file is about.
    tonight: BTreeSet<u32>,
    room: Workroom,
    /// TIMESTAMPU of what happens next.
    pub(crate) entered_at: u64,
}

fn key(pnr: Pnr) -> u32 {
    pnr.key().map_or(0, |key| key.as_u32())
}

pub(crate) fn at(day: Day) -> Moment {
    Moment::new(date(day), 0)
}

/// Ends the open row with a new one.
fn replace<T>(rows: &mut Vec<Row<T>>, what: T, from: Moment) {
    rows.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(from));
    rows.push(Row::since(what, from));
}

impl<'a> Register<'a> {
    pub(crate) fn new(base: Option<&'a Families>) -> Register<'a> {
        Register { base, held: BTreeMap::new(), tonight: BTreeSet::new(), room: Workroom::default(), entered_at: 0 }
    }

    pub(crate) fn add(&mut self, person: Dossier) {
        let number = person.number.map_or(0, key);
        self.held.insert(number, person);
    }

    pub(crate) fn is_held(&self, pnr: Pnr) -> bool {
        self.held.contains_key(&key(pnr))
    }

    /// How many persons tonight's file is about.
    pub(crate) fn concerned(&self) -> usize {
        self.tonight.len()
    }

    pub(crate) fn is_concerned(&self, pnr: Pnr) -> bool {
        self.tonight.contains(&key(pnr))
    }

    /// The person as of now, without a claim on memory.
    pub(crate) fn look(&mut self, pnr: Pnr) -> Option<Dossier> {
        if let Some(person) = self.held.get(&key(pnr)) {
            return Some(person.clone());
        }
        let base = self.base?;
        let rank = base.rank_of(pnr)?;
        Some(base.person(rank, &mut self.room))
    }

    /// Delivers the person tonight, with this event.
    pub(crate) fn concern(&mut self, pnr: Pnr, code: &'static str, derived: &'static str) -> Option<&mut Dossier> {
        if !self.held.contains_key(&key(pnr)) {
            let person = self.look(pnr)?;
            self.held.insert(key(pnr), person);
        }
        self.tonight.insert(key(pnr));
        // TIMESTAMPU is blank for who is delivered on request and after CPR's own check.
        let at = if matches!(code, "A74" | "K74") { 0 } else { self.entered_at };
        let person = self.held.get_mut(&key(pnr))?;
        let is_new = !person.events.iter().any(|event| (event.code, event.derived) == (code, derived));
        person.events.extend(is_new.then_some(Event { at, code, derived }));
        Some(person)
    }

    /// Everybody who is held, and who of them is concerned tonight, in the order of the file.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Dossier> {
        self.held.values()
    }

    pub(crate) fn concerned_tonight(&self) -> impl Iterator<Item = &Dossier> {
        self.tonight.iter().filter_map(|key| self.held.get(key))
    }

    /// The next night begins: its events are told once.
    pub(crate) fn close_night(&mut self) {
        for key in std::mem::take(&mut self.tonight) {
            if let Some(person) = self.held.get_mut(&key) {
                person.events.clear();
            }
        }
    }

    /// The person as of now, when alive and living here.
    pub(crate) fn resident(&mut self, pnr: Pnr) -> Option<Dossier> {
        self.look(pnr).filter(|person| person.status < 20 && person.address().is_some())
    }

    /// A01.
    pub(crate) fn moves(&mut self, pnr: Pnr, to: Address, day: Day) -> bool {
        let Some(person) = self.resident(pnr) else { return false };
        let can = person.address().is_some_and(|row| row.from.digits < at(day).digits && row.what != to);
        let Some(person) = self.concern_if(can, pnr, "A01") else { return false };
        replace(&mut person.addresses, to, at(day));
        forget_home(person);
        true
    }

    /// A09: the address turns out to have been another, from the same day.
    pub(crate) fn corrects_address(&mut self, pnr: Pnr, right: Address) -> bool {
        let can = self.resident(pnr).is_some();
        let Some(person) = self.concern_if(can, pnr, "A09") else { return false };
        let Some(row) = person.addresses.iter_mut().find(|row| row.to.is_none()) else { return false };
        let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
        row.what = right;
        person.addresses.insert(0, wrong);
        true
    }

    /// A10: the last move never was.
    pub(crate) fn annuls_move(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| take_back(&mut person.addresses));
        let Some(person) = self.concern_if(can, pnr, "A10") else { return false };
        forget_home(person);
        take_back(&mut person.addresses)
    }

    pub(crate) fn concern_if(&mut self, can: bool, pnr: Pnr, code: &'static str) -> Option<&mut Dossier> {
        if can { self.concern(pnr, code, "") } else { None }
    }

    /// A06.
    pub(crate) fn emigrates(&mut self, pnr: Pnr, country: u16, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| began(&person.addresses, day));
        let Some(person) = self.concern_if(can, pnr, "A06") else { return false };
        leave(person, day, 80);
        let what = Abroad { to_country: country, ..Abroad::default() };
        person.abroad.push(Row::since(what, at(day)));
        true
    }

    /// A02.
    pub(crate) fn disappears(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| began(&person.addresses, day));
        let Some(person) = self.concern_if(can, pnr, "A02") else { return false };
        leave(person, day, 70);
        person.disappeared.push(Row::since((), at(day)));
        true
    }

    /// A04, A03, P31: back from abroad, found again, or a home for somebody who only had a number.
    pub(crate) fn comes(&mut self, pnr: Pnr, home: Address, day: Day) -> bool {
        let Some(before) = self.look(pnr) else { return false };
        let code = match before.status {
            80 if began(&before.abroad, day) => "A04",
            70 if began(&before.disappeared, day) => "A03",
            20 if began(&before.addresses, day) => "P31",
            _ => return false,
        };
        let Some(person) = self.concern(pnr, code, "") else { return false };
        let back = at(day);
        for row in person.abroad.iter_mut().filter(|row| row.to.is_none()) {
            row.to = Some(back);
            row.what.from_country = row.what.to_country;
        }
        person.disappeared.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(back));
        if code == "P31" {
            // The office that stood for a home turns out never to have been one.
            for row in person.addresses.iter_mut().filter(|row| row.to.is_none()) {
                (row.to, row.mark) = (Some(row.from), 'A');
            }
            let from_country = person.citizenships.last().map_or(5999, |row| row.what);
            let what = Abroad { from_country, ..Abroad::default() };
            person.abroad.push(Row { to: Some(back), ..Row::since(what, Moment::default()) });
        }
        person.contact_lines.clear();
        person.addresses.push(Row::since(home, back));
        (person.status, person.status_since) = (if home.municipality > 900 { 5 } else { 1 }, Moment::default());
        true
    }

    /// A19, and the spouse with ÆG; P58 when the first takes the other's name.
    pub(crate) fn marries(&mut self, one: Pnr, other: Pnr, day: Day, takes_name: bool) -> bool {
        let mut couple = [(one, other, ""), (other, one, "ÆG")];
        for (pnr, ..) in couple {
            let fits = |person: Dossier| {
                let adult = person.born.is_some_and(|born| years_on(born, 18) <= date(day));
                let single =
                    person.civil.iter().any(|row| row.to.is_none() && matches!(row.what.status, 'U' | 'F' | 'E'));
                adult && single && began(&person.civil, day)
            };
            if one == other || !self.resident(pnr).is_some_and(fits) {
                return false;
            }
        }
        let surname = self.look(other).and_then(|person| person.name().map(|name| name.surname.clone()));
        for (pnr, spouse, derived) in &mut couple {
            let Some(person) = self.concern(*pnr, "A19", derived) else { return false };
            let civil = Civil { status: 'G', spouse: Relative::Number(*spouse), separation_link: 0 };
            // Having been unmarried leaves no history.
            person.civil.retain(|row| row.to.is_some() || row.what.status != 'U');
            replace(&mut person.civil, civil, at(day));
        }
        if let Some(surname) = surname.filter(|_| takes_name)
            && let Some(name) = self.look(one).and_then(|person| person.name().cloned())
        {
            self.renamed(one, Name { surname, ..name }, day, "P58");
        }
        true
    }

    /// The spouse of a person who is married.
    pub(crate) fn spouse(&mut self, pnr: Pnr, day: Day) -> Option<Pnr> {
        let person = self.look(pnr).filter(|person| began(&person.civil, day))?;
        let row = person.civil.iter().find(|row| row.to.is_none() && row.what.status == 'G')?;
        number_of(&row.what.spouse)
    }

    /// A20, and the spouse with ÆG.
    pub(crate) fn divorces(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day) else { return false };
        if self.spouse(spouse, day) != Some(pnr) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.concern(pnr, "A20", derived) else { return false };
            end_marriage(person, 'F', at(day));
        }
        true
    }

    /// P35, and the spouse with ÆG: both get the same key to join by.
    pub(crate) fn separates(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day) else { return false };
        if self.spouse(spouse, day) != Some(pnr) {
            return false;
        }
        let link = self.entered_at;
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.concern(pnr, "P35", derived) else { return false };
            if person.separations.iter().all(|row| row.to.is_some()) {
                person.separations.push(Row::since(link, at(day)));
                person.civil.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.what.separation_link = link);
            }
        }
        true
    }

    /// A24: the wedding was on another day, for both.
    pub(crate) fn corrects_wedding(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day) else { return false };
        let right = at(day);
        // The row before must still have begun before, on both sides.
        let mut fits = |pnr| {
            let rows = self.look(pnr).map(|person| person.civil).unwrap_or_default();
            rows.iter().all(|row| row.to.is_none() || row.mark != ' ' || row.from.digits < right.digits)
        };
        if !fits(pnr) || !fits(spouse) || self.spouse(spouse, day) != Some(pnr) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.concern(pnr, "A24", derived) else { return false };
            let Some(open) = person.civil.iter().position(|row| row.to.is_none()) else { return false };
            let wrong_start = person.civil[open].from;
            let wrong = Row { to: Some(wrong_start), mark: 'K', ..person.civil[open].clone() };
            // The row before moves with it, without a mark.
            person.civil.iter_mut().filter(|row| row.mark == ' ' && row.to == Some(wrong_start)).for_each(|row| {
                row.to = Some(right);
            });
            person.civil[open].from = right;
            person.civil.insert(0, wrong);
        }
        true
    }

    /// A21; the spouse (ÆG) is widowed, minor children (BØ) lose the custody of this parent. Nothing changes for anybody else: 014 and
    /// 015 go on naming the dead.
    pub(crate) fn dies(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(before) = self.look(pnr) else { return false };
        if before.status >= 20 || !began(&before.addresses, day) || !began(&before.civil, day) {
            return false;
        }
        let spouse = self.spouse(pnr, day);
        let Some(person) = self.concern(pnr, "A21", "") else { return false };
        leave(person, day, 90);
        let open = person.civil.iter().find(|row| row.to.is_none()).map(|row| row.what.spouse.clone());
        let civil = Civil { status: 'D', spouse: open.unwrap_or_default(), separation_link: 0 };
        person.civil.retain(|row| row.to.is_some() || row.what.status != 'U');
        replace(&mut person.civil, civil, at(day));
        person.separations.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(at(day)));
        person.protections.clear();
        person.custody.clear();
        (person.guardianship, person.order_to_move) = (None, None);
        if let Some(spouse) = spouse.filter(|spouse| *spouse != pnr)
            && let Some(widowed) = self.concern(spouse, "A21", "ÆG")
        {
            end_marriage(widowed, 'E', at(day));
        }
        self.holds_custody(&before, "A21", false);
        true
    }

    /// A36: a child without a name, at its mother's; she with MO, the father with FA.
    pub(crate) fn born(&mut self, child: Pnr, is_man: bool, mother: Pnr, day: Day) -> bool {
        let Some(hers) = self.resident(mother).filter(|person| began(&person.addresses, day)) else { return false };
        let Some(home) = hers.address().map(|row| row.what) else { return false };
        if self.look(child).is_some() {
            return false;
        }
        let father = self.spouse(mother, day);
        let parent = |pnr| Parent { who: Relative::Number(pnr), since: Some(date(day)), uncertain: false };
        let nobody = Relative::Unnumbered { born: None, name: Default::default() };
        let unknown = Parent { who: nobody, since: Some(date(day)), uncertain: true };
        let custody = |kind| Custody { kind, from: date(day), deleted: Some(years_on(date(day), 18)), holder: None };
        let mut person = Dossier {
            number: Some(child),
            status: if home.municipality > 900 { 5 } else { 1 },
            is_man,
            born: Some(date(day)),
            number_from: Some(date(day)),
            addresses: vec![Row::since(home, at(day))],
            birth_authority: 7001 + home.municipality,
            citizenships: vec![Row::since(5100, at(day))],
            church: vec![Row::since('A', at(day))],
            civil: vec![Row::since(
                Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 },
                Moment::default(),
            )],
            mother: parent(mother),
            father: father.map_or(unknown, parent),
            custody: vec![custody(3)],
            ..Dossier::default()
        };
        person.custody.extend(father.map(|_| custody(4)));
        self.add(person);
        self.concern(child, "A36", "");
        for (pnr, derived) in [(Some(mother), "MO"), (father, "FA")] {
            if let Some(parent) = pnr.and_then(|pnr| self.concern(pnr, "A36", derived)) {
                parent.children.push(child);
            }
        }
        true
    }

    /// A14 for who had no name, A13 for who had one.
    pub(crate) fn renames(&mut self, pnr: Pnr, name: Name, day: Day) -> bool {
        let Some(person) = self.look(pnr).filter(|person| person.status < 20) else { return false };
        let code = if person.name().is_none() { "A14" } else { "A13" };
        self.renamed(pnr, name, day, code)
    }

    fn renamed(&mut self, pnr: Pnr, name: Name, day: Day, code: &'static str) -> bool {
        let can = self.look(pnr).is_some_and(|person| began(&person.names, day) && person.name() != Some(&name));
        let Some(person) = self.concern_if(can, pnr, code) else { return false };
        replace(&mut person.names, name, at(day));
        if code == "A14" {
            let (born, member) = (person.church.last().map(|row| row.from), Row::since('F', at(day)));
            person.church = vec![Row { from: born.unwrap_or(member.from), ..member }];
        }
        true
    }

    /// A16: the name was spelled wrongly.
    pub(crate) fn corrects_name(&mut self, pnr: Pnr, right: Name) -> bool {
        let can = self.look(pnr).is_some_and(|person| person.name().is_some_and(|name| *name != right));
        let Some(person) = self.concern_if(can, pnr, "A16") else { return false };
        let Some(row) = person.names.iter_mut().find(|row| row.to.is_none()) else { return false };
        let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
        row.what = right;
        person.names.insert(0, wrong);
        true
    }

    /// A33: protection of name and address for a year, or its end.
    pub(crate) fn protects(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.look(pnr).is_some_and(|person| person.status < 20);
        let Some(person) = self.concern_if(can, pnr, "A33") else { return false };
        if person.protections.iter().any(|row| row.kind == 1) {
            person.protections.clear();
        } else {
            let row = |kind| Protection { kind, from: date(day), deleted: years_on(date(day), 1) };
            person.protections.retain(|row| row.kind > 2);
            person.protections.splice(0..0, [row(1), row(2)]);
        }
        true
    }

    /// A34: into the church or out of it.
    pub(crate) fn changes_church(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.look(pnr).is_some_and(|person| {
            person.status < 20 && began(&person.church, day) && person.church.last().is_some_and(|row| row.what != 'A')
        });
        let Some(person) = self.concern_if(can, pnr, "A34") else { return false };
        let is_out = person.church.last().is_some_and(|row| row.what == 'U');
        replace(&mut person.church, if is_out { 'F' } else { 'U' }, at(day));
        true
    }

    /// A27: becomes a Dane.
    pub(crate) fn becomes_danish(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| {
            began(&person.citizenships, day) && person.citizenships.last().is_some_and(|row| row.what != 5100)
        });
        let Some(person) = self.concern_if(can, pnr, "A27") else { return false };
        replace(&mut person.citizenships, 5100, at(day));
        person.elections.clear();
        true
    }

    /// P03: another number, which takes the history over; spouse, children and parents point at it.
    pub(crate) fn changes_number(&mut self, old: Pnr, new: Pnr, born: Date, day: Day) -> bool {
        let Some(before) = self.resident(old) else { return false };
        if self.look(new).is_some()
            || !began(&before.addresses, day)
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
        self.add(renewed);
        self.concern(new, "P03", "PN");
        let Some(given_up) = self.concern(old, "P03", "") else { return false };
        give_up(given_up, new, day);
        self.point_at(&before, old, new, "P03");
        true
    }

    /// The relatives of a person whose number changed are delivered with the new one.
    pub(crate) fn point_at(&mut self, before: &Dossier, old: Pnr, new: Pnr, code: &'static str) {
        let change = |relative: &mut Relative| {
            if number_of(relative) == Some(old) {
                *relative = Relative::Number(new);
            }
        };
        for spouse in before.civil.iter().filter_map(|row| number_of(&row.what.spouse)).collect::<BTreeSet<_>>() {
            if let Some(person) = self.concern(spouse, code, "ÆG") {
                person.civil.iter_mut().for_each(|row| change(&mut row.what.spouse));
            }
        }
        for child in &before.children {
            if let Some(person) = self.concern(*child, code, "BØ") {
                change(&mut person.mother.who);
                change(&mut person.father.who);
            }
        }
        for (parent, derived) in [(&before.mother, "MO"), (&before.father, "FA")] {
            if let Some(person) = number_of(&parent.who).and_then(|pnr| self.concern(pnr, code, derived)) {
                person.children.iter_mut().filter(|child| **child == old).for_each(|child| *child = new);
            }
        }
    }
}

/// True when the open row began before this day, so that something can end it.
pub(crate) fn began<T>(rows: &[Row<T>], day: Day) -> bool {
    rows.iter().filter(|row| row.to.is_none()).all(|row| row.from.digits < at(day).digits)
}

fn leave(person: &mut Dossier, day: Day, status: u8) {
    person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(at(day)));
    (person.status, person.status_since) = (status, at(day));
    forget_home(person);
}

/// What belongs to the home is gone with it.
fn forget_home(person: &mut Dossier) {
    person.care_of = Default::default();
    person.locality = Default::default();
    person.supplementary = None;
}

fn end_marriage(person: &mut Dossier, status: char, to: Moment) {
    let open = person.civil.iter().find(|row| row.to.is_none()).map(|row| row.what.clone());
    if let Some(civil) = open {
        replace(&mut person.civil, Civil { status, separation_link: 0, ..civil }, to);
    }
    person.separations.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(to));
}
