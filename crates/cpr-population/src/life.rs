//! The life of the person with a rank, as the register tells it on [`TODAY`].

use cpr_model::{Date, Pnr};

use crate::chance::{Dice, mix};
use crate::days::{CPR_START, Day, TODAY, date, day_of, year_of};
use crate::families::{ADDRESSES_KEPT, Couple, Families, Lot, NAMES_KEPT, topic};
use crate::homes::{COUNTRIES, Stay};
use crate::names;
use crate::person::{
    Abroad, Address, Civil, Custody, Dossier, FormerNumber, Guardianship, Moment, Name, Note, Parent, Protection,
    Relative, Row, Words,
};
use crate::places::{self, FIRST_GREENLAND};
use crate::records::relative_name;

const DENMARK: u16 = 5100;
pub(crate) const OCCUPATIONS: &[&str] = &[
    "Pensionist",
    "Sygeplejerske",
    "Tømrer",
    "Lærer",
    "Kontorassistent",
    "Chauffør",
    "Ingeniør",
    "Pædagog",
    "Murer",
    "Landmand",
    "Bager",
    "Elektriker",
    "Frisør",
    "Smed",
    "Studerende",
    "Læge",
    "Translatør",
    "Fisker",
    "Maler",
    "Kok",
];

/// Room for what the making of one person needs, used again for the next.
#[derive(Default)]
pub(crate) struct Workroom {
    stays: Vec<Stay>,
    children: Vec<u32>,
}

/// A day with a time as CPR filled it in: converted data 2000 or 1200, the clock of the registration, 0000 since 2020.
pub(crate) fn moment(day: Day, key: u64) -> Moment {
    let word = mix(key ^ (day as u64) << 32);
    let time = match year_of(day) {
        ..1968 => [2000, 1200][(word & 1) as usize],
        1968..2020 => (8 + word % 9) * 100 + (word >> 32) % 60,
        _ => 0,
    };
    Moment::new(date(day), time)
}

/// The year of a day, month and day 00.
fn year_alone(day: Day) -> Date {
    Date::from_digits(year_of(day) as u32 * 10_000).expect("eight digits")
}

/// As CPR writes a moment of which only the year is known: `196100001299`, with a mark.
fn year_only(day: Day) -> Moment {
    Moment { uncertain: true, ..Moment::new(year_alone(day), 1299) }
}

impl Families {
    /// The person with this rank.
    pub(crate) fn person(&self, rank: u32, room: &mut Workroom) -> Dossier {
        let lot = self.lot(rank);
        let birthday = self.cohorts.birthday(rank);
        let mut person = Dossier { number: Some(self.pnr(rank)), is_man: Families::is_man(rank), ..Dossier::default() };
        let dice = &mut self.dice(topic::LIFE, rank);
        person.born = Some(date(birthday));
        person.born_uncertain = dice.hits(12);
        // Of some who came from abroad long after their birth only the year of it is known.
        if matches!(lot, Lot::Immigrant(day) if day > birthday + 20 * 365) && year_of(birthday) < 1960 && dice.hits(60)
        {
            (person.born, person.born_uncertain) = (Some(year_alone(birthday)), true);
        }
        self.number(&mut person, rank, lot, birthday);
        self.belonging(&mut person, rank, lot, birthday, dice);
        let couple = if lot.is_resident() { self.couple(rank) } else { None };
        self.names(&mut person, rank, lot, couple.as_ref());
        self.parents(&mut person, rank, lot, birthday);
        if !lot.is_resident() {
            self.without_residence(&mut person, rank, lot, birthday, dice);
            return person;
        }
        let death = self.death(rank);
        if death.is_none() && dice.hits(450) && birthday < TODAY - 17 * 365 {
            person.occupation = Words::Borrowed(*dice.pick(OCCUPATIONS, 1));
        }
        self.residence(&mut person, rank, lot, death, couple.as_ref(), room);
        self.civil_status(&mut person, rank, death, couple.as_ref());
        self.children(rank, couple.as_ref(), &mut room.children);
        person.children.extend(room.children.iter().map(|child| self.pnr(*child)));
        self.oddities(&mut person, rank, birthday);
        person
    }

    fn number(&self, person: &mut Dossier, rank: u32, lot: Lot, birthday: Day) {
        let given = match lot {
            Lot::Immigrant(day) => day,
            Lot::Administrative => (birthday + 26 * 365).min(TODAY - 20),
            _ => birthday,
        };
        person.number_from = Some(date(given));
        person.number_from_uncertain = given < CPR_START;
        if let Some(former) = self.former_of(rank) {
            let changed = self.changed_number(former);
            person.number_from = Some(date(changed));
            person.number_from_uncertain = false;
            let number = FormerNumber { number: self.pnr(former), from: date(given.min(changed)), to: date(changed) };
            person.former_numbers.push(number);
        }
    }

    /// When the number with this rank was given up.
    fn changed_number(&self, former: u32) -> Day {
        let entry = match self.lot(former + 2) {
            Lot::Immigrant(day) => day,
            _ => self.cohorts.birthday(former + 2),
        };
        let end = self.death(former + 2).unwrap_or(TODAY) - 1;
        let start = (entry + 1).max(CPR_START + 1).min(end);
        self.dice(topic::ODDITIES, former).between(start, end)
    }

    fn belonging(&self, person: &mut Dossier, rank: u32, lot: Lot, birthday: Day, dice: &mut Dice) {
        let foreign = *dice.pick(&COUNTRIES, 2);
        let is_native = !matches!(lot, Lot::Immigrant(_) | Lot::Administrative);
        let own = if is_native { DENMARK } else { foreign };
        person.birth_authority = if is_native { 7001 + dice.roll(2_300) as u16 } else { own };
        if dice.hits(40) {
            person.birth_text = Words::Borrowed(["Rigshospitalet", "Sygehuset", "Hjemmet"][dice.roll(3) as usize]);
        }
        let from = match birthday < day_of(1991, 3, 20) {
            true => Moment { digits: 1991_03_20_1299, uncertain: true },
            false => moment(birthday, u64::from(rank)),
        };
        let from = if !is_native && dice.hits(120) { year_only(birthday) } else { from };
        let mut citizenship = Row::since(own, from);
        if let Lot::Immigrant(arrival) = lot
            && dice.hits(250)
            && let naturalised = arrival.max(day_of(1992, 1, 1)) + dice.between(9 * 365, 20 * 365)
            && naturalised < self.death(rank).unwrap_or(TODAY)
        {
            let to = moment(naturalised, u64::from(rank));
            person.citizenships.push(Row { to: Some(to), ..citizenship });
            citizenship = Row::since(DENMARK, to);
        }
        person.citizenships.push(citizenship);
        let was_member = is_native && dice.hits(830);
        let begin = Moment { uncertain: birthday < CPR_START, ..Moment::new(date(birthday), 0) };
        let left = day_of(2001, 4, 1) + dice.roll(8_900) as Day;
        if birthday > TODAY - 100 {
            person.church.push(Row::since('A', begin));
        } else if was_member && dice.hits(120) && left > birthday + 365 && left < self.death(rank).unwrap_or(TODAY) {
            let to = Moment::new(date(left), 0);
            person.church.push(Row { to: Some(to), ..Row::since('F', begin) });
            person.church.push(Row::since('U', to));
        } else {
            let status = if was_member { *dice.pick(&['F', 'F', 'F', 'M', 'S'], 3) } else { 'U' };
            person.church.push(Row::since(status, begin));
        }
    }

    fn birth_surname(&self, rank: u32, lot: Lot) -> (Words, Option<char>) {
        let dice = &mut self.surname_dice(rank);
        match lot {
            Lot::Immigrant(_) | Lot::Administrative => names::foreign_surname(dice),
            _ => (names::surname(dice), None),
        }
    }

    /// The name by birth.
    pub(crate) fn birth_name(&self, rank: u32) -> Name {
        let lot = self.lot(rank);
        let dice = &mut self.dice(topic::NAMES, rank);
        let given = names::given(dice, Families::is_man(rank), self.birth_year(rank));
        let (surname, mark) = self.birth_surname(rank, lot);
        let middle = if lot == Lot::Native { names::middle(dice) } else { Words::default() };
        Name { given, middle, surname, mark }
    }

    fn names(&self, person: &mut Dossier, rank: u32, lot: Lot, couple: Option<&Couple>) {
        let birthday = self.cohorts.birthday(rank);
        if birthday > TODAY - 100 && lot == Lot::Native {
            return;
        }
        let name = self.birth_name(rank);
        let dice = &mut self.dice(topic::NAMES, rank ^ 1 << 31);
        let named = if birthday > day_of(1970, 1, 1) { birthday + dice.between(0, 90) } else { birthday };
        let from = Moment { uncertain: named < CPR_START && dice.hits(300), ..moment(named, u64::from(rank)) };
        let from = if matches!(lot, Lot::Immigrant(_)) && dice.hits(50) { year_only(named) } else { from };
        let mut row = Row::since(name, from);
        let takes = if year_of(birthday) < 1965 { 750 } else { 420 };
        let wedding = couple.and_then(|couple| couple.wedding).filter(|_| !person.is_man && dice.hits(takes));
        let other = Some(birthday + dice.between(19 * 365, 40 * 365)).filter(|_| dice.hits(110));
        let end = self.death(rank).unwrap_or(TODAY);
        if let Some(day) = wedding.or(other).filter(|day| *day > named && *day < end) {
            let to = moment(day, u64::from(rank));
            let surname = match couple.filter(|_| wedding.is_some()) {
                Some(couple) => self.birth_surname(couple.man, self.lot(couple.man)).0,
                None => names::surname(dice),
            };
            let later = Name { middle: row.what.surname.clone(), surname, mark: None, ..row.what.clone() };
            let later = Name { middle: if dice.hits(400) { later.middle } else { Words::default() }, ..later };
            if day >= NAMES_KEPT {
                person.names.push(Row { to: Some(to), ..row });
            }
            row = Row::since(later, to);
        }
        person.names.push(row);
    }

    fn parents(&self, person: &mut Dossier, rank: u32, lot: Lot, birthday: Day) {
        let mother = self.mother(rank);
        let father = mother.and_then(|mother| self.father(mother, birthday));
        let dice = &mut self.dice(topic::SURNAME, rank);
        let mut unnumbered = |is_man| {
            let born = (lot != Lot::Native).then(|| date(birthday - dice.between(20 * 365, 40 * 365)));
            let (surname, _) = self.birth_surname(rank, lot);
            let given = names::given(dice, is_man, year_of(birthday) - 28);
            let name = relative_name(&Name { given, surname, ..Name::default() });
            Relative::Unnumbered { born, name: born.map(|_| name.into()).unwrap_or_default() }
        };
        let uncertain = birthday < CPR_START || lot != Lot::Native;
        person.mother = Parent { who: unnumbered(false), since: person.born, uncertain };
        person.father = Parent { who: unnumbered(true), since: person.born, uncertain };
        if let Some(mother) = mother {
            person.mother = Parent { who: Relative::Number(self.pnr(mother)), since: person.born, uncertain };
        }
        if let Some(father) = father {
            person.father = Parent { who: Relative::Number(self.pnr(father)), since: person.born, uncertain };
        }
        if birthday > TODAY - 18 * 365 && lot == Lot::Native && self.death(rank).is_none() {
            let custody = |kind| Custody {
                kind,
                from: date(birthday),
                deleted: Some(years_on(date(birthday), 18)),
                holder: None,
            };
            // A parent who is dead has custody of nobody.
            let lives = |parent: &u32| self.death(*parent).is_none();
            person.custody.extend(mother.filter(lives).map(|_| custody(3)));
            person.custody.extend(father.filter(lives).map(|_| custody(4)));
        }
    }

    /// Numbers for administration, double, changed and annulled ones.
    fn without_residence(&self, person: &mut Dossier, rank: u32, lot: Lot, birthday: Day, dice: &mut Dice) {
        person.civil.push(single());
        person.status = match lot {
            Lot::Former(true) => 50,
            Lot::Former(false) => 60,
            Lot::Annulled => 30,
            _ => 20,
        };
        match lot {
            Lot::Former(_) => {
                let ended = self.changed_number(rank);
                person.current_number = Some(self.pnr(rank + 2));
                person.status_since = moment(ended, u64::from(rank));
                person.number_to = Some(date(ended));
                // The number in force was assigned when this one ended.
                let (from, to) = (birthday.max(ADDRESSES_KEPT), ended);
                if from < to {
                    let home = self.places.home(self.places.municipality(dice), dice);
                    let row = Row::since(home, moment(from, u64::from(rank)));
                    person.addresses.push(Row { to: Some(person.status_since), ..row });
                }
            }
            Lot::Annulled => {
                let ended = birthday.max(CPR_START) + dice.between(10, 600);
                person.status_since = moment(ended.min(TODAY - 1), u64::from(rank));
                person.number_to = person.status_since.date();
            }
            _ => {
                person.status_since = person.number_from.map_or(Moment::default(), |from| Moment::new(from, 1200));
                let municipality = *dice.pick(&[11, 11, 11, 11, 10, 12, 19], 1);
                let at = Address { municipality, ..Address::default() };
                person.addresses.push(Row::since(at, person.status_since));
                person.contact_lines = vec!["Postboks 12".into(), "D 10115 Berlin".into(), "Tyskland".into()];
            }
        }
    }

    fn residence(
        &self,
        person: &mut Dossier,
        rank: u32,
        lot: Lot,
        death: Option<Day>,
        couple: Option<&Couple>,
        room: &mut Workroom,
    ) {
        let key = u64::from(rank);
        let dice = &mut self.dice(topic::ODDITIES, rank ^ 1 << 31);
        let absence = self.absence(rank, lot, death);
        let gone = absence.filter(|absence| absence.back.is_none()).map(|absence| absence.out);
        let missing = (death.is_none() && absence.is_none() && dice.hits(5)).then(|| TODAY - dice.between(30, 3_000));
        let end = death.or(gone).or(missing);
        if let Lot::Immigrant(day) = lot {
            let lines = if dice.hits(150) { foreign_lines(dice) } else { Default::default() };
            let what = Abroad { to_country: 0, from_country: person.citizenships[0].what, lines };
            person.abroad.push(Row { to: Some(moment(day, key)), ..Row::since(what, Moment::default()) });
        }
        self.stays(rank, couple, &mut room.stays);
        for (at, stay) in room.stays.iter().enumerate() {
            let next = room.stays.get(at + 1).map_or(TODAY + 1, |next| next.from);
            let (mut from, mut to) = (stay.from, end.map_or(next, |end| end.min(next)));
            // Who is abroad lives nowhere here; what was left before comes to an end, what is taken up after begins with it.
            if let Some(absence) = absence
                && let Some(back) = absence.back
            {
                if from < absence.out && to > back {
                    person.addresses.push(self.home(stay, from, absence.out, key));
                    from = back;
                } else if from < absence.out {
                    to = to.min(absence.out);
                } else if from < back {
                    from = back;
                }
            }
            if from < to {
                person.addresses.push(self.home(stay, from, to, key));
            }
        }
        if let Some(absence) = absence {
            let lines = foreign_lines(dice);
            let what = Abroad { to_country: absence.country, from_country: 0, lines };
            let row = Row::since(what, moment(absence.out, key));
            let back = absence.back.map(|day| moment(day, key));
            let from_country = absence.back.map_or(0, |_| absence.country);
            person.abroad.push(Row { what: Abroad { from_country, ..row.what }, to: back, ..row });
        }
        if let Some(day) = missing {
            person.disappeared.push(Row::since((), moment(day, key)));
        }
        if end.is_none() && dice.hits(8) {
            person.care_of = Words::Owned(names::surname(dice).into_owned());
        }
        let active =
            person.address().map_or(1, |row| match (row.what.municipality > FIRST_GREENLAND, row.what.street) {
                (false, ..9_900) => 1,
                (false, _) => 3,
                (true, ..9_900) => 5,
                (true, _) => 7,
            });
        let (status, since) = match (death, gone, missing) {
            (Some(day), ..) => (90, moment(day, key)),
            (_, Some(day), _) => (80, moment(day, key)),
            (.., Some(day)) => (70, moment(day, key)),
            _ => (active, Moment::default()),
        };
        (person.status, person.status_since) = (status, since);
    }

    /// A stay as a row; open when it goes beyond today.
    fn home(&self, stay: &Stay, from: Day, to: Day, key: u64) -> Row<Address> {
        let to = (to <= TODAY).then(|| moment(to, key));
        Row { to, ..Row::since(self.address(stay), moment(from, key)) }
    }

    fn civil_status(&self, person: &mut Dossier, rank: u32, death: Option<Day>, couple: Option<&Couple>) {
        let key = |couple: &Couple| u64::from(couple.woman) << 8;
        let mut row = single();
        if let Some((couple, wedding)) = couple.and_then(|couple| couple.wedding.map(|day| (couple, day))) {
            let spouse = if couple.woman == rank { couple.man } else { couple.woman };
            let civil = |status| Civil { status, spouse: Relative::Number(self.pnr(spouse)), separation_link: 0 };
            let uncertain = wedding < day_of(1960, 1, 1) && couple.woman % 11 == 0;
            row = Row::since(civil('G'), Moment { uncertain, ..moment(wedding, key(couple)) });
            if let Some(separated) = couple.separation {
                row.what.separation_link = moment(separated, key(couple)).digits;
                let to = couple.divorce.map(|day| moment(day, key(couple)));
                if separated >= day_of(2004, 5, 27) {
                    let link = row.what.separation_link;
                    person.separations.push(Row { to, ..Row::since(link, moment(separated, key(couple))) });
                }
            }
            let widowed =
                self.death(spouse).filter(|day| couple.divorce.is_none() && death.is_none_or(|own| *day < own));
            for (status, day) in [('F', couple.divorce), ('E', widowed)] {
                if let Some(day) = day {
                    let to = moment(day, key(couple));
                    close(&mut person.civil, row, day, to);
                    row = Row::since(civil(status), to);
                }
            }
        }
        if let Some(day) = death {
            let to = moment(day, u64::from(rank));
            let spouse = row.what.spouse.clone();
            let before = std::mem::replace(&mut row, Row::since(Civil { status: 'D', spouse, separation_link: 0 }, to));
            if before.what.status != 'U' {
                close(&mut person.civil, before, day, to);
            }
        }
        person.civil.push(row);
    }

    /// Protections, notes, guardians, corrections: what few persons have, and very few have much of.
    fn oddities(&self, person: &mut Dossier, rank: u32, birthday: Day) {
        let dice = &mut self.dice(topic::ODDITIES, rank ^ 1 << 30);
        if person.status >= 30 {
            return;
        }
        if dice.hits(20) {
            let from = TODAY - dice.between(5, 340);
            let protection = |kind| Protection { kind, from: date(from), deleted: years_on(date(from), 1) };
            person.protections = vec![protection(1), protection(2)];
        } else if dice.hits(31) {
            let from = (birthday + 16 * 365).max(day_of(1995, 1, 1)) + dice.between(0, 3_000);
            let kind = if dice.hits(700) { 3 } else { 2 };
            let protection = Protection { kind, from: date(from), deleted: years_on(date(from), 100) };
            person.protections.extend((from < TODAY).then_some(protection));
        }
        if birthday < TODAY - 18 * 365 && dice.hits(2) {
            let guardian = person
                .children
                .first()
                .map_or(Relative::Unnumbered { born: None, name: "Advokat Lund".into() }, |child| {
                    Relative::Number(*child)
                });
            let from = date((birthday + 18 * 365).max(TODAY - dice.between(50, 5_000)));
            let lines = ["Storegade 4".into(), "8000 Aarhus C".into()];
            person.guardianship =
                Some(Guardianship { from, deleted: None, guardian, lines, is_partial: dice.hits(300) });
        }
        if dice.hits(6) {
            let from = date(TODAY - dice.between(20, 2_000));
            let (kind, code) = *dice.pick(&[(3, "F"), (2, "P"), (1, "A"), (5, "12")], 1);
            person.municipal.push((kind, code, from, Words::default()));
        }
        if dice.hits(10) {
            let many = if dice.hits(30) { dice.roll(38) } else { 0 };
            let from = date(TODAY - dice.between(20, 1_500));
            let note = |at: u64| Note {
                number: 1 + at as u8,
                text: "Folkeregisternotat".into(),
                from,
                deleted: Some(years_on(from, 5)),
            };
            person.notes.extend((0..=many).map(note));
        }
        if person.citizenships.last().is_some_and(|row| row.what != DENMARK) && dice.hits(200) {
            person.elections.push((4, date(TODAY - 900), date(TODAY - 900)));
        }
        if dice.hits(1) {
            person.order_to_move = Some((date(TODAY - dice.between(1, 200)), "Fraflytning senest om 3 måneder".into()));
        }
        self.corrections(person, dice);
    }

    /// Rows with a mark: what was believed and wrong. They have no length.
    fn corrections(&self, person: &mut Dossier, dice: &mut Dice) {
        let Some(current) = person.address().cloned() else { return };
        let mark = match dice.roll(1000) {
            0..14 => 'K',
            14..20 => 'A',
            20..50 if current.from.digits < 2007_01_01_0000 => 'Æ',
            _ => return,
        };
        let at = if mark == 'Æ' { Moment::new(date(day_of(2007, 1, 1)), 0) } else { current.from };
        let place = places::municipality(current.what.municipality);
        let what = place.map_or(current.what, |place| self.places.home(place, dice));
        person.addresses.insert(0, Row { what, from: at, to: Some(at), mark });
    }
}

fn single() -> Row<Civil> {
    Row::since(Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 }, Moment::default())
}

/// Puts a row that has ended among the past ones, as far back as CPR keeps them.
fn close(rows: &mut Vec<Row<Civil>>, row: Row<Civil>, day: Day, to: Moment) {
    if day >= NAMES_KEPT {
        rows.push(Row { to: Some(to), ..row });
    }
}

pub(crate) fn foreign_lines(dice: &mut Dice) -> [Words; 3] {
    let (street, town, land) = *dice.pick(
        &[
            ("Tallkroken", "S 23456 Borås", "Sverige"),
            ("Hauptstrasse", "D 10115 Berlin", "Tyskland"),
            ("Storgata", "N 0155 Oslo", "Norge"),
            ("High Street", "London W1", "Storbritannien"),
        ],
        1,
    );
    [Words::Owned(format!("{street} {}", 1 + dice.roll(120))), town.into(), land.into()]
}

/// The same day of the year, years later; the last of February for the 29th.
pub(crate) fn years_on(from: Date, years: u32) -> Date {
    let digits = from.digits() + years * 10_000;
    let is_leap = (digits / 10_000).is_multiple_of(4) && digits / 10_000 != 2100;
    let digits = if digits % 10_000 == 229 && !is_leap { digits - 1 } else { digits };
    Date::from_digits(digits).expect("a year far below 9999")
}

/// The number of a relative, when the record has one.
pub(crate) fn number_of(relative: &Relative) -> Option<Pnr> {
    match relative {
        Relative::Number(pnr) => Some(*pnr),
        _ => None,
    }
}
