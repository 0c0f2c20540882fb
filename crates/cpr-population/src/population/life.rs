//! The life of the person with a rank, as the register tells it on [`TODAY`].

use crate::days::{CPR_START, Day, TODAY, date, day_of, year_of, years_on};
use crate::person::{
    Civil, Custody, Dossier, FormerNumber, Moment, Name, Parent, Relative, Row, Words, relative_name, single,
};
use crate::reference_data::codes::{COUNTRIES, DENMARK};
use crate::reference_data::names;
use crate::reference_data::occupations::OCCUPATIONS;
use crate::rng::Dice;

use super::families::{Couple, Families, Lot, NAMES_KEPT, topic};
use super::homes::Stay;
use super::timestamps::{moment, year_alone, year_only};

/// Room for what the making of one person needs, used again for the next.
#[derive(Default)]
pub(crate) struct Workroom {
    stays: Vec<Stay>,
    children: Vec<u32>,
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
        self.residence(&mut person, rank, lot, death, couple.as_ref(), &mut room.stays);
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
}

/// Puts a row that has ended among the past ones, as far back as CPR keeps them.
fn close(rows: &mut Vec<Row<Civil>>, row: Row<Civil>, day: Day, to: Moment) {
    if day >= NAMES_KEPT {
        rows.push(Row { to: Some(to), ..row });
    }
}
