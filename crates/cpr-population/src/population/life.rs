//! The life of the person with a rank, as the register tells it on [`TODAY`].

use crate::days::{CPR_START, Day, NAMES_KEPT, TODAY, date, day_of, year_of, years_on};
use crate::person::{
    Civil, Custody, FormerNumber, Moment, Name, Parent, PersonRows, Relative, Row, Text, never_married_row,
    relative_name,
};
use crate::reference_data::codes::{COUNTRIES, DENMARK};
use crate::reference_data::names;
use crate::reference_data::occupations::OCCUPATIONS;
use crate::rng::Rng;

use super::families::{Couple, Families, NumberKind, topic};
use super::homes::Stay;
use super::timestamps::{moment, year_only_date, year_only_moment};

/// Room for what the making of one person needs, used again for the next.
#[derive(Default)]
pub(crate) struct Scratch {
    stays: Vec<Stay>,
    children: Vec<u32>,
}

impl Families {
    /// The person with this rank.
    pub(crate) fn person_at(&self, rank: u32, scratch: &mut Scratch) -> PersonRows {
        let number_kind = self.number_kind(rank);
        let birthday = self.cohorts.birthday(rank);
        let mut person =
            PersonRows { number: Some(self.pnr(rank)), is_man: Families::is_man(rank), ..PersonRows::default() };
        let rng = &mut self.rng(topic::LIFE, rank);
        person.born = Some(date(birthday));
        person.born_uncertain = rng.hits_permille(12);
        // Of some who came from abroad long after their birth only the year of it is known.
        if matches!(number_kind, NumberKind::Immigrant(day) if day > birthday + 20 * 365)
            && year_of(birthday) < 1960
            && rng.hits_permille(60)
        {
            (person.born, person.born_uncertain) = (Some(year_only_date(birthday)), true);
        }
        self.fill_number(&mut person, rank, number_kind, birthday);
        self.fill_citizenship_and_church(&mut person, rank, number_kind, birthday, rng);
        let couple = if number_kind.is_resident() { self.couple(rank) } else { None };
        self.fill_names(&mut person, rank, number_kind, couple.as_ref());
        self.fill_parents(&mut person, rank, number_kind, birthday);
        if !number_kind.is_resident() {
            self.fill_without_residence(&mut person, rank, number_kind, birthday, rng);
            return person;
        }
        let death = self.death(rank);
        if death.is_none() && rng.hits_permille(450) && birthday < TODAY - 17 * 365 {
            person.occupation = Text::Borrowed(*rng.pick(OCCUPATIONS, 1));
        }
        self.fill_residence(&mut person, rank, number_kind, death, couple.as_ref(), &mut scratch.stays);
        self.fill_civil_status(&mut person, rank, death, couple.as_ref());
        self.collect_children(rank, couple.as_ref(), &mut scratch.children);
        person.children.extend(scratch.children.iter().map(|child| self.pnr(*child)));
        self.fill_rarities(&mut person, rank, birthday);
        person
    }

    fn fill_number(&self, person: &mut PersonRows, rank: u32, number_kind: NumberKind, birthday: Day) {
        let given = match number_kind {
            NumberKind::Immigrant(day) => day,
            NumberKind::Administrative => (birthday + 26 * 365).min(TODAY - 20),
            _ => birthday,
        };
        person.number_from = Some(date(given));
        person.number_from_uncertain = given < CPR_START;
        if let Some(former) = self.former_rank_of(rank) {
            let changed = self.changed_number(former);
            person.number_from = Some(date(changed));
            person.number_from_uncertain = false;
            let number = FormerNumber { number: self.pnr(former), from: date(given.min(changed)), to: date(changed) };
            person.former_numbers.push(number);
        }
    }

    fn fill_citizenship_and_church(
        &self,
        person: &mut PersonRows,
        rank: u32,
        number_kind: NumberKind,
        birthday: Day,
        rng: &mut Rng,
    ) {
        let foreign = *rng.pick(&COUNTRIES, 2);
        let is_native = !matches!(number_kind, NumberKind::Immigrant(_) | NumberKind::Administrative);
        let own = if is_native { DENMARK } else { foreign };
        person.birth_authority = if is_native { 7001 + rng.below(2_300) as u16 } else { own };
        if rng.hits_permille(40) {
            person.birth_text = Text::Borrowed(["Rigshospitalet", "Sygehuset", "Hjemmet"][rng.below(3) as usize]);
        }
        let from = match birthday < day_of(1991, 3, 20) {
            true => Moment { digits: 1991_03_20_1299, uncertain: true },
            false => moment(birthday, u64::from(rank)),
        };
        let from = if !is_native && rng.hits_permille(120) { year_only_moment(birthday) } else { from };
        let mut citizenship = Row::since(own, from);
        if let NumberKind::Immigrant(arrival) = number_kind
            && rng.hits_permille(250)
            && let naturalised = arrival.max(day_of(1992, 1, 1)) + rng.between(9 * 365, 20 * 365)
            && naturalised < self.death(rank).unwrap_or(TODAY)
        {
            let to = moment(naturalised, u64::from(rank));
            person.citizenships.push(Row { to: Some(to), ..citizenship });
            citizenship = Row::since(DENMARK, to);
        }
        person.citizenships.push(citizenship);
        let was_member = is_native && rng.hits_permille(830);
        let begin = Moment { uncertain: birthday < CPR_START, ..Moment::new(date(birthday), 0) };
        let left = day_of(2001, 4, 1) + rng.below(8_900) as Day;
        if birthday > TODAY - 100 {
            person.church.push(Row::since('A', begin));
        } else if was_member
            && rng.hits_permille(120)
            && left > birthday + 365
            && left < self.death(rank).unwrap_or(TODAY)
        {
            let to = Moment::new(date(left), 0);
            person.church.push(Row { to: Some(to), ..Row::since('F', begin) });
            person.church.push(Row::since('U', to));
        } else {
            let status = if was_member { *rng.pick(&['F', 'F', 'F', 'M', 'S'], 3) } else { 'U' };
            person.church.push(Row::since(status, begin));
        }
    }

    fn birth_surname(&self, rank: u32, number_kind: NumberKind) -> (Text, Option<char>) {
        let rng = &mut self.surname_rng(rank);
        match number_kind {
            NumberKind::Immigrant(_) | NumberKind::Administrative => names::foreign_surname(rng),
            _ => (names::surname(rng), None),
        }
    }

    /// The name by birth.
    pub(crate) fn birth_name(&self, rank: u32) -> Name {
        let number_kind = self.number_kind(rank);
        let rng = &mut self.rng(topic::NAMES, rank);
        let given = names::given(rng, Families::is_man(rank), self.birth_year(rank));
        let (surname, mark) = self.birth_surname(rank, number_kind);
        let middle = if number_kind == NumberKind::Native { names::middle(rng) } else { Text::default() };
        Name { given, middle, surname, mark }
    }

    fn fill_names(&self, person: &mut PersonRows, rank: u32, number_kind: NumberKind, couple: Option<&Couple>) {
        let birthday = self.cohorts.birthday(rank);
        if birthday > TODAY - 100 && number_kind == NumberKind::Native {
            return;
        }
        let name = self.birth_name(rank);
        let rng = &mut self.rng(topic::NAMES, rank ^ 1 << 31);
        let named = if birthday > day_of(1970, 1, 1) { birthday + rng.between(0, 90) } else { birthday };
        let from = Moment { uncertain: named < CPR_START && rng.hits_permille(300), ..moment(named, u64::from(rank)) };
        let from = if matches!(number_kind, NumberKind::Immigrant(_)) && rng.hits_permille(50) {
            year_only_moment(named)
        } else {
            from
        };
        let mut row = Row::since(name, from);
        let takes = if year_of(birthday) < 1965 { 750 } else { 420 };
        let wedding = couple.and_then(|couple| couple.wedding).filter(|_| !person.is_man && rng.hits_permille(takes));
        let other = Some(birthday + rng.between(19 * 365, 40 * 365)).filter(|_| rng.hits_permille(110));
        let end = self.death(rank).unwrap_or(TODAY);
        if let Some(day) = wedding.or(other).filter(|day| *day > named && *day < end) {
            let to = moment(day, u64::from(rank));
            let surname = match couple.filter(|_| wedding.is_some()) {
                Some(couple) => self.birth_surname(couple.man, self.number_kind(couple.man)).0,
                None => names::surname(rng),
            };
            let later = Name { middle: row.value.surname.clone(), surname, mark: None, ..row.value.clone() };
            let later = Name { middle: if rng.hits_permille(400) { later.middle } else { Text::default() }, ..later };
            if day >= NAMES_KEPT {
                person.names.push(Row { to: Some(to), ..row });
            }
            row = Row::since(later, to);
        }
        person.names.push(row);
    }

    fn fill_parents(&self, person: &mut PersonRows, rank: u32, number_kind: NumberKind, birthday: Day) {
        let mother = self.mother(rank);
        let father = mother.and_then(|mother| self.father(mother, birthday));
        let rng = &mut self.rng(topic::SURNAME, rank);
        let mut unnumbered = |is_man| {
            let born = (number_kind != NumberKind::Native).then(|| date(birthday - rng.between(20 * 365, 40 * 365)));
            let (surname, _) = self.birth_surname(rank, number_kind);
            let given = names::given(rng, is_man, year_of(birthday) - 28);
            let name = relative_name(&Name { given, surname, ..Name::default() });
            Relative::Unnumbered { born, name: born.map(|_| name.into()).unwrap_or_default() }
        };
        let uncertain = birthday < CPR_START || number_kind != NumberKind::Native;
        person.mother = Parent { who: unnumbered(false), since: person.born, uncertain };
        person.father = Parent { who: unnumbered(true), since: person.born, uncertain };
        if let Some(mother) = mother {
            person.mother = Parent { who: Relative::Number(self.pnr(mother)), since: person.born, uncertain };
        }
        if let Some(father) = father {
            person.father = Parent { who: Relative::Number(self.pnr(father)), since: person.born, uncertain };
        }
        if birthday > TODAY - 18 * 365 && number_kind == NumberKind::Native && self.death(rank).is_none() {
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

    fn fill_civil_status(&self, person: &mut PersonRows, rank: u32, death: Option<Day>, couple: Option<&Couple>) {
        let key = |couple: &Couple| u64::from(couple.woman) << 8;
        let mut row = never_married_row();
        if let Some((couple, wedding)) = couple.and_then(|couple| couple.wedding.map(|day| (couple, day))) {
            let spouse = if couple.woman == rank { couple.man } else { couple.woman };
            let civil = |status| Civil { status, spouse: Relative::Number(self.pnr(spouse)), separation_link: 0 };
            let uncertain = wedding < day_of(1960, 1, 1) && couple.woman % 11 == 0;
            row = Row::since(civil('G'), Moment { uncertain, ..moment(wedding, key(couple)) });
            if let Some(separated) = couple.separation {
                row.value.separation_link = moment(separated, key(couple)).digits;
                let to = couple.divorce.map(|day| moment(day, key(couple)));
                if separated >= day_of(2004, 5, 27) {
                    let link = row.value.separation_link;
                    person.separations.push(Row { to, ..Row::since(link, moment(separated, key(couple))) });
                }
            }
            let widowed =
                self.death(spouse).filter(|day| couple.divorce.is_none() && death.is_none_or(|own| *day < own));
            for (status, day) in [('F', couple.divorce), ('E', widowed)] {
                if let Some(day) = day {
                    let to = moment(day, key(couple));
                    keep_past_row(&mut person.civil, row, day, to);
                    row = Row::since(civil(status), to);
                }
            }
        }
        if let Some(day) = death {
            let to = moment(day, u64::from(rank));
            let spouse = row.value.spouse.clone();
            let before = std::mem::replace(&mut row, Row::since(Civil { status: 'D', spouse, separation_link: 0 }, to));
            if before.value.status != 'U' {
                keep_past_row(&mut person.civil, before, day, to);
            }
        }
        person.civil.push(row);
    }
}

/// Puts a row that has ended among the past ones, as far back as CPR keeps them.
fn keep_past_row(rows: &mut Vec<Row<Civil>>, row: Row<Civil>, day: Day, to: Moment) {
    if day >= NAMES_KEPT {
        rows.push(Row { to: Some(to), ..row });
    }
}
