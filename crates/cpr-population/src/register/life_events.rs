//! What happens to people: moves, marriages, births, deaths, names, protection; and to whom else that is an event.

use cpr_model::Pnr;

use crate::days::years_on;
use crate::days::{Day, date};
use crate::person::{Abroad, Address, Civil, Custody, Moment, Name, Parent, PersonRows, Protection, Relative, Row};

use super::Register;
use super::rows::{began_before, clear_home, end_marriage, end_residence, supersede_open_row};

impl Register<'_> {
    /// A01.
    pub(crate) fn moves(&mut self, pnr: Pnr, to: Address, day: Day) -> bool {
        let Some(person) = self.resident(pnr) else { return false };
        let can = person.address().is_some_and(|row| row.from.digits < Moment::on(day).digits && row.value != to);
        let Some(person) = self.add_event_if(can, pnr, "A01") else { return false };
        supersede_open_row(&mut person.addresses, to, Moment::on(day));
        clear_home(person);
        true
    }

    /// A06.
    pub(crate) fn emigrates(&mut self, pnr: Pnr, country: u16, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| began_before(&person.addresses, day));
        let Some(person) = self.add_event_if(can, pnr, "A06") else { return false };
        end_residence(person, day, 80);
        let stay = Abroad { to_country: country, ..Abroad::default() };
        person.abroad.push(Row::since(stay, Moment::on(day)));
        true
    }

    /// A02.
    pub(crate) fn disappears(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| began_before(&person.addresses, day));
        let Some(person) = self.add_event_if(can, pnr, "A02") else { return false };
        end_residence(person, day, 70);
        person.disappeared.push(Row::since((), Moment::on(day)));
        true
    }

    /// A04, A03, P31: back from abroad, found again, or a home for somebody who only had a number.
    pub(crate) fn comes(&mut self, pnr: Pnr, home: Address, day: Day) -> bool {
        let Some(before) = self.person_now(pnr) else { return false };
        let code = match before.status {
            80 if began_before(&before.abroad, day) => "A04",
            70 if began_before(&before.disappeared, day) => "A03",
            20 if began_before(&before.addresses, day) => "P31",
            _ => return false,
        };
        let Some(person) = self.add_event(pnr, code, "") else { return false };
        let back = Moment::on(day);
        for row in person.abroad.iter_mut().filter(|row| row.to.is_none()) {
            row.to = Some(back);
            row.value.from_country = row.value.to_country;
        }
        person.disappeared.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(back));
        if code == "P31" {
            // The office that stood for a home turns out never to have been one.
            for row in person.addresses.iter_mut().filter(|row| row.to.is_none()) {
                (row.to, row.mark) = (Some(row.from), 'A');
            }
            let from_country = person.citizenships.last().map_or(5999, |row| row.value);
            let stay = Abroad { from_country, ..Abroad::default() };
            person.abroad.push(Row { to: Some(back), ..Row::since(stay, Moment::default()) });
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
            let fits = |person: PersonRows| {
                let adult = person.born.is_some_and(|born| years_on(born, 18) <= date(day));
                let never_married_row =
                    person.civil.iter().any(|row| row.to.is_none() && matches!(row.value.status, 'U' | 'F' | 'E'));
                adult && never_married_row && began_before(&person.civil, day)
            };
            if one == other || !self.resident(pnr).is_some_and(fits) {
                return false;
            }
        }
        let surname = self.person_now(other).and_then(|person| person.name().map(|name| name.surname.clone()));
        for (pnr, spouse, derived) in &mut couple {
            let Some(person) = self.add_event(*pnr, "A19", derived) else { return false };
            let civil = Civil { status: 'G', spouse: Relative::Number(*spouse), separation_link: 0 };
            // Having been unmarried leaves no history.
            person.civil.retain(|row| row.to.is_some() || row.value.status != 'U');
            supersede_open_row(&mut person.civil, civil, Moment::on(day));
        }
        if let Some(surname) = surname.filter(|_| takes_name)
            && let Some(name) = self.person_now(one).and_then(|person| person.name().cloned())
        {
            self.renamed(one, Name { surname, ..name }, day, "P58");
        }
        true
    }

    /// A20, and the spouse with ÆG.
    pub(crate) fn divorces(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day) else { return false };
        if self.spouse(spouse, day) != Some(pnr) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.add_event(pnr, "A20", derived) else { return false };
            end_marriage(person, 'F', Moment::on(day));
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
            let Some(person) = self.add_event(pnr, "P35", derived) else { return false };
            if person.separations.iter().all(|row| row.to.is_some()) {
                person.separations.push(Row::since(link, Moment::on(day)));
                person.civil.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.value.separation_link = link);
            }
        }
        true
    }

    /// A21; the spouse (ÆG) is widowed, minor children (BØ) lose the custody of this parent. Nothing changes for
    /// anybody else: 014 and 015 go on naming the dead.
    pub(crate) fn dies(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(before) = self.person_now(pnr) else { return false };
        if before.status >= 20 || !began_before(&before.addresses, day) || !began_before(&before.civil, day) {
            return false;
        }
        let spouse = self.spouse(pnr, day);
        let Some(person) = self.add_event(pnr, "A21", "") else { return false };
        end_residence(person, day, 90);
        let open = person.civil.iter().find(|row| row.to.is_none()).map(|row| row.value.spouse.clone());
        let civil = Civil { status: 'D', spouse: open.unwrap_or_default(), separation_link: 0 };
        person.civil.retain(|row| row.to.is_some() || row.value.status != 'U');
        supersede_open_row(&mut person.civil, civil, Moment::on(day));
        person.separations.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(Moment::on(day)));
        person.protections.clear();
        person.custody.clear();
        (person.guardianship, person.order_to_move) = (None, None);
        if let Some(spouse) = spouse.filter(|spouse| *spouse != pnr)
            && let Some(widowed) = self.add_event(spouse, "A21", "ÆG")
        {
            end_marriage(widowed, 'E', Moment::on(day));
        }
        self.update_custody(&before, "A21", false);
        true
    }

    /// A36: a child without a name, at its mother's; she with MO, the father with FA.
    pub(crate) fn born(&mut self, child: Pnr, is_man: bool, mother: Pnr, day: Day) -> bool {
        let Some(hers) = self.resident(mother).filter(|person| began_before(&person.addresses, day)) else {
            return false;
        };
        let Some(home) = hers.address().map(|row| row.value) else { return false };
        if self.person_now(child).is_some() {
            return false;
        }
        let father = self.spouse(mother, day);
        let parent = |pnr| Parent { who: Relative::Number(pnr), since: Some(date(day)), uncertain: false };
        let nobody = Relative::Unnumbered { born: None, name: Default::default() };
        let unknown = Parent { who: nobody, since: Some(date(day)), uncertain: true };
        let custody = |kind| Custody { kind, from: date(day), deleted: Some(years_on(date(day), 18)), holder: None };
        let mut person = PersonRows {
            number: Some(child),
            status: if home.municipality > 900 { 5 } else { 1 },
            is_man,
            born: Some(date(day)),
            number_from: Some(date(day)),
            addresses: vec![Row::since(home, Moment::on(day))],
            birth_authority: 7001 + home.municipality,
            citizenships: vec![Row::since(5100, Moment::on(day))],
            church: vec![Row::since('A', Moment::on(day))],
            civil: vec![Row::since(
                Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 },
                Moment::default(),
            )],
            mother: parent(mother),
            father: father.map_or(unknown, parent),
            custody: vec![custody(3)],
            ..PersonRows::default()
        };
        person.custody.extend(father.map(|_| custody(4)));
        self.insert(person);
        self.add_event(child, "A36", "");
        for (pnr, derived) in [(Some(mother), "MO"), (father, "FA")] {
            if let Some(parent) = pnr.and_then(|pnr| self.add_event(pnr, "A36", derived)) {
                parent.children.push(child);
            }
        }
        true
    }

    /// A14 for who had no name, A13 for who had one.
    pub(crate) fn renames(&mut self, pnr: Pnr, name: Name, day: Day) -> bool {
        let Some(person) = self.person_now(pnr).filter(|person| person.status < 20) else { return false };
        let code = if person.name().is_none() { "A14" } else { "A13" };
        self.renamed(pnr, name, day, code)
    }

    fn renamed(&mut self, pnr: Pnr, name: Name, day: Day, code: &'static str) -> bool {
        let can =
            self.person_now(pnr).is_some_and(|person| began_before(&person.names, day) && person.name() != Some(&name));
        let Some(person) = self.add_event_if(can, pnr, code) else { return false };
        supersede_open_row(&mut person.names, name, Moment::on(day));
        if code == "A14" {
            let (born, member) = (person.church.last().map(|row| row.from), Row::since('F', Moment::on(day)));
            person.church = vec![Row { from: born.unwrap_or(member.from), ..member }];
        }
        true
    }

    /// A33: protection of name and address for a year, or its end.
    pub(crate) fn changes_protection(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| person.status < 20);
        let Some(person) = self.add_event_if(can, pnr, "A33") else { return false };
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
        let can = self.person_now(pnr).is_some_and(|person| {
            person.status < 20
                && began_before(&person.church, day)
                && person.church.last().is_some_and(|row| row.value != 'A')
        });
        let Some(person) = self.add_event_if(can, pnr, "A34") else { return false };
        let is_out = person.church.last().is_some_and(|row| row.value == 'U');
        supersede_open_row(&mut person.church, if is_out { 'F' } else { 'U' }, Moment::on(day));
        true
    }

    /// A27: becomes a Dane.
    pub(crate) fn becomes_danish(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some_and(|person| {
            began_before(&person.citizenships, day) && person.citizenships.last().is_some_and(|row| row.value != 5100)
        });
        let Some(person) = self.add_event_if(can, pnr, "A27") else { return false };
        supersede_open_row(&mut person.citizenships, 5100, Moment::on(day));
        person.elections.clear();
        true
    }
}
