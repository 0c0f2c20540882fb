//! The archetypes: 60 persons in eleven groups, each with something that a receiver must get right.
//!
//! After the archetype data of the national test environment. Everybody's surname is the name of the group. The record of
//! shared residence (delt bopæl) has no public layout: those children have two holders of custody who live apart, and a
//! note that says so. Partial guardianship shows in families that have its kind (052 in `2022`).

use cpr_model::Pnr;

use crate::basis::town_hall;
use crate::cast::{Cast, adopt, bury, marry};
use crate::days::{Day, TODAY, date, day_of};
use crate::life::years_on;
use crate::person::{
    Abroad, Address, Civil, Custody, Dossier, FormerNumber, Guardianship, Moment, Name, Note, Protection, Relative, Row,
};

/// A group of archetypes: its name, which is the surname of its members, and their numbers.
#[derive(Clone, Debug)]
pub struct ArchetypeGroup {
    /// `Statsborger`, `Civilstand`, …
    pub name: &'static str,
    /// The members.
    pub members: Vec<Pnr>,
}

/// The archetypes as of 2026-01-05, and who belongs to which group.
pub fn archetypes() -> (Cast, Vec<ArchetypeGroup>) {
    let mut set = Set { cast: Cast::new(TODAY), groups: Vec::new(), made: 0 };
    set.group("Statsborger", foreigners);
    set.group("Civilstand", civil_states);
    set.group("Forældremyndighed", custody);
    set.group("Delebarn", shared_residence);
    set.group("Værgemål", guardianship);
    set.group("Beskyttet", protected);
    set.group("Bortrejst", gone);
    set.group("Nummerskift", changed_numbers);
    set.group("Navneskift", former_names);
    set.group("Skilt", former_spouses);
    set.group("Forældreløs", without_parents);
    (set.cast, set.groups)
}

struct Set {
    cast: Cast,
    groups: Vec<ArchetypeGroup>,
    made: u16,
}

const NUMBERS: [&str; 9] = ["Et", "To", "Tre", "Fire", "Fem", "Seks", "Syv", "Otte", "Ni"];

fn from(day: Day) -> Moment {
    Moment::new(date(day), 0)
}

fn past<T>(what: T, begin: Day, end: Day) -> Row<T> {
    Row { to: Some(from(end)), ..Row::since(what, from(begin)) }
}

fn civil(status: char, spouse: Option<Pnr>) -> Civil {
    Civil { status, spouse: spouse.map_or(Relative::Nobody, Relative::Number), separation_link: 0 }
}

impl Set {
    fn group(&mut self, name: &'static str, make: fn(&mut Set, &'static str) -> Vec<Dossier>) {
        let persons = make(self, name);
        self.groups.push(ArchetypeGroup { name, members: persons.iter().filter_map(|person| person.number).collect() });
        persons.into_iter().for_each(|person| self.cast.register.add(person));
    }

    /// The members of a group, all at one address of their own, born a year apart from `year` on; women and men by turns.
    fn members(&mut self, name: &'static str, years: &[i32]) -> Vec<Dossier> {
        let mut members = Vec::new();
        for (at, year) in years.iter().enumerate() {
            self.made += 1;
            let home = Address { street: 2, house: self.made, ..town_hall(101) };
            let born = day_of(*year, 3, 4 + at as i32);
            members.push(self.cast.person([NUMBERS[at], name], at % 2 == 1, born, home, day_of(2018, 5, 1)));
        }
        members
    }
}

/// Citizens of Germany, Poland and Syria, a stateless person, and one who became a Dane.
fn foreigners(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1985; 5]);
    for (person, country) in members.iter_mut().zip([5180, 5154, 5486, 5103, 5172]) {
        let (born, came) = (day_of(1985, 3, 4), day_of(2018, 5, 1));
        person.citizenships = vec![Row::since(country, from(born))];
        (person.church, person.birth_authority) = (vec![Row::since('U', from(came))], country);
        person.number_from = Some(date(came));
        let what = Abroad { from_country: if country == 5103 { 5999 } else { country }, ..Abroad::default() };
        person.abroad = vec![Row { to: Some(from(came)), ..Row::since(what, Moment::default()) }];
        person.elections = if country == 5180 { vec![(4, date(came), date(came))] } else { Vec::new() };
    }
    let (begin, end) = (day_of(1985, 3, 4), day_of(2024, 12, 2));
    members[4].citizenships = vec![past(5172, begin, end), Row::since(5100, from(end))];
    members
}

/// Unmarried, married, separated, divorced, widowed, in a registered partnership, out of one, survivor of one, dead.
fn civil_states(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1960; 9]);
    let numbers: Vec<Option<Pnr>> = members.iter().map(|person| person.number).collect();
    let (wed, end) = (day_of(1995, 6, 3), day_of(2020, 2, 10));
    let rows = |first: char, last: char, other: usize| {
        vec![past(civil(first, numbers[other]), wed, end), Row::since(civil(last, numbers[other]), from(end))]
    };
    members[1].civil = vec![Row::since(civil('G', numbers[2]), from(wed))];
    members[2].civil = vec![Row::since(civil('G', numbers[1]), from(wed))];
    let separated = day_of(2025, 9, 1);
    let link = from(separated).digits + 1015;
    for at in [1, 2] {
        members[at].civil[0].what.separation_link = link;
        members[at].separations = vec![Row::since(link, from(separated))];
    }
    members[3].civil = vec![Row::since(
        Civil { spouse: Relative::Unnumbered { born: None, name: "Udtzen,Heinrich".into() }, ..civil('F', None) },
        from(end),
    )];
    // The widow of the last one, who died.
    members[4].civil = rows('G', 'E', 8);
    members[8].civil = vec![Row::since(civil('G', numbers[4]), from(wed))];
    bury(&mut members[8], end);
    members[5].civil = vec![Row::since(civil('P', None), from(wed))];
    members[6].civil = rows('P', 'O', 5);
    members[5].civil = rows('P', 'O', 6);
    members[7].civil = vec![Row::since(civil('L', None), from(end))];
    members
}

/// Parents together, a mother alone, and a holder who is no parent.
fn custody(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1985, 1984, 2014, 2016, 2012, 1970]);
    let home = members[0].addresses[0].what;
    members[2..5].iter_mut().for_each(|child| child.addresses[0].what = home);
    let (parents, rest) = members.split_at_mut(2);
    let [mother, father] = parents else { return members };
    adopt(&mut rest[0], Some(mother), Some(father), TODAY);
    adopt(&mut rest[1], Some(mother), None, TODAY);
    let holder = rest[3].number;
    let since = date(day_of(2021, 1, 11));
    let deleted = rest[2].born.map(|born| years_on(born, 18));
    rest[2].custody = vec![Custody { kind: 5, from: since, deleted, holder }];
    members
}

/// Two children of parents who live apart and share custody, and the note that says where they live.
fn shared_residence(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1986, 1985, 2015, 2017]);
    let (parents, children) = members.split_at_mut(2);
    let [mother, father] = parents else { return members };
    for child in children {
        adopt(child, Some(mother), Some(father), TODAY);
        child.addresses[0].what = mother.addresses[0].what;
        let from = date(day_of(2023, 3, 1));
        child.notes = vec![Note { number: 1, text: "Delt bopæl hos moder og fader".into(), from, deleted: None }];
    }
    members
}

/// Full guardianship by number, partial by number, full by name and address; and the two guardians.
fn guardianship(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1950, 1990, 1999, 1975, 1978]);
    let guardians = [members[3].number, members[4].number];
    let begin = date(day_of(2022, 10, 3));
    let row = |guardian, is_partial| {
        Some(Guardianship {
            from: begin,
            deleted: None,
            guardian,
            lines: ["Storegade 4".into(), "8000 Aarhus C".into()],
            is_partial,
        })
    };
    members[0].guardianship = row(guardians[0].map_or(Relative::Nobody, Relative::Number), false);
    members[1].guardianship = row(guardians[1].map_or(Relative::Nobody, Relative::Number), true);
    members[2].guardianship = row(Relative::Unnumbered { born: None, name: "Advokat Lund".into() }, false);
    members
}

/// Name and address; local directory; marketing; a family of two with the first; one whose protection ran out unnoticed.
fn protected(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1970, 1975, 1980, 1988, 2019, 1992]);
    let kinds: [&[u16]; 6] = [&[1, 2], &[2], &[3], &[1, 2, 3], &[1, 2], &[1, 2]];
    for (at, (person, kinds)) in members.iter_mut().zip(kinds).enumerate() {
        let begin = date(if at == 5 { day_of(2024, 1, 15) } else { day_of(2025, 8, 1) });
        let row = |kind: &u16| Protection {
            kind: *kind,
            from: begin,
            deleted: years_on(begin, if *kind == 3 { 100 } else { 1 }),
        };
        person.protections = kinds.iter().map(row).collect();
    }
    let home = members[3].addresses[0].what;
    let (mothers, children) = members.split_at_mut(4);
    children[0].addresses[0].what = home;
    adopt(&mut children[0], Some(&mut mothers[3]), None, TODAY);
    members
}

/// Emigrated three times over: lately, with an address there, and home again; disappeared, and found; dead.
fn gone(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1979; 6]);
    let (out, back) = (day_of(2021, 7, 1), day_of(2023, 9, 15));
    for person in &mut members[..5] {
        person.addresses[0].to = Some(from(out));
    }
    let home = members[2].addresses[0].what;
    let lines = || ["Tallkroken 5".into(), "S 23456 Borås".into(), "Sverige".into()];
    let abroad = |lines| Abroad { to_country: 5120, from_country: 0, lines };
    members[0].abroad = vec![Row::since(abroad(Default::default()), from(out))];
    members[1].abroad = vec![Row::since(abroad(lines()), from(out))];
    members[2].abroad = vec![past(Abroad { from_country: 5120, ..abroad(lines()) }, out, back)];
    members[3].disappeared = vec![Row::since((), from(out))];
    members[4].disappeared = vec![past((), out, back)];
    for person in [2, 4] {
        members[person].addresses.push(Row::since(home, from(back)));
    }
    for (person, status) in [(0, 80), (1, 80), (3, 70)] {
        (members[person].status, members[person].status_since) = (status, from(out));
    }
    bury(&mut members[5], out);
    members
}

/// A changed number, a double one, and an annulled one; each beside the number in force or another person.
fn changed_numbers(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1968; 6]);
    let changed = day_of(2024, 4, 8);
    for (old, new, status) in [(0, 2, 60), (1, 3, 50)] {
        let (former, current) = (members[old].number, members[new].number);
        let begin = date(day_of(1968, 4, 2));
        members[new].former_numbers =
            former.map(|number| FormerNumber { number, from: begin, to: date(changed) }).into_iter().collect();
        members[new].number_from = Some(date(changed));
        let given_up = &mut members[old];
        given_up.current_number = current;
        (given_up.status, given_up.status_since) = (status, from(changed));
        given_up.number_to = Some(date(changed));
        given_up.addresses[0].to = Some(from(changed));
    }
    let annulled = &mut members[4];
    (annulled.status, annulled.status_since) = (30, from(changed));
    annulled.number_to = Some(date(changed));
    annulled.addresses[0].to = Some(annulled.addresses[0].from);
    members
}

/// One former name, three, a misspelled one that was corrected, and a newborn without one.
fn former_names(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1972, 1973, 1974, 2025]);
    let called = |surname: &str, given: &str| Name {
        given: given.to_owned().into(),
        surname: surname.to_owned().into(),
        ..Name::default()
    };
    let born = day_of(1972, 3, 4);
    members[0].names = vec![
        past(called("Ågård", "Et"), born, day_of(2001, 5, 5)),
        Row::since(called(name, "Et"), from(day_of(2001, 5, 5))),
    ];
    let days = [born + 366, day_of(1990, 1, 8), day_of(2003, 10, 1), day_of(2019, 12, 2)];
    let names = ["Øster", "Æbelø", "Ülle"];
    members[1].names = (0..3).map(|at| past(called(names[at], "To"), days[at], days[at + 1])).collect();
    members[1].names.push(Row::since(called(name, "To"), from(days[3])));
    let wrong = Row { mark: 'K', ..past(called("Navneskifte", "Tre"), day_of(1974, 3, 6), day_of(1974, 3, 6)) };
    members[2].names.insert(0, wrong);
    let newborn = &mut members[3];
    newborn.born = Some(date(day_of(2025, 12, 20)));
    newborn.number = Some(set.cast.number(day_of(2025, 12, 20), true));
    newborn.number_from = newborn.born;
    newborn.addresses[0].from = from(day_of(2025, 12, 20));
    newborn.citizenships = vec![Row::since(5100, from(day_of(2025, 12, 20)))];
    newborn.church = vec![Row::since('A', from(day_of(2025, 12, 20)))];
    newborn.names.clear();
    members
}

/// Two who were married to each other, and one of them twice more.
fn former_spouses(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[1965, 1964, 1967, 1969]);
    let numbers: Vec<Option<Pnr>> = members.iter().map(|person| person.number).collect();
    let days = [day_of(1988, 7, 2), day_of(1994, 3, 1), day_of(1996, 8, 10), day_of(2009, 11, 4), day_of(2011, 5, 7)];
    members[0].civil = vec![
        past(civil('G', numbers[1]), days[0], days[1]),
        past(civil('F', numbers[1]), days[1], days[2]),
        past(civil('G', numbers[2]), days[2], days[3]),
        past(civil('F', numbers[2]), days[3], days[4]),
    ];
    for (at, begin, end) in [(1, days[0], days[1]), (2, days[2], days[3])] {
        let ended = Row::since(civil('F', numbers[0]), from(end));
        members[at].civil = vec![past(civil('G', numbers[0]), begin, end), ended];
    }
    let mut history = std::mem::take(&mut members[0].civil);
    let (one, rest) = members.split_at_mut(1);
    marry(&mut one[0], &mut rest[2], days[4]);
    history.append(&mut one[0].civil);
    one[0].civil = history;
    members
}

/// Children whose parents are not known, known by name only, dead, or of whom one is unknown.
fn without_parents(set: &mut Set, name: &'static str) -> Vec<Dossier> {
    let mut members = set.members(name, &[2013, 2014, 2015, 2016, 1980]);
    let named = |who: &str| Relative::Unnumbered { born: Some(date(day_of(1985, 1, 1))), name: who.to_owned().into() };
    (members[1].mother.who, members[1].father.who) = (named("Udtzen,Ulrike"), named("Udtzen,Heinrich"));
    members[3].father.who = Relative::Nobody;
    members[3].father.since = None;
    let (children, parents) = members.split_at_mut(4);
    adopt(&mut children[2], Some(&mut parents[0]), None, TODAY);
    children[2].custody.clear();
    bury(&mut parents[0], day_of(2020, 6, 6));
    members
}
