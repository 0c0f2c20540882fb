//! Where the register says a person lives or is: addresses, abroad, missing, or a number without a home.

use crate::days::{CPR_START, Day, TODAY, date};
use crate::person::{Abroad, Address, Dossier, Moment, Row, Words, single};
use crate::reference_data::names;
use crate::reference_data::places::{FIRST_GREENLAND, foreign_lines};
use crate::rng::Dice;

use super::families::{ADDRESSES_KEPT, Couple, Families, Lot, topic};
use super::homes::Stay;
use super::timestamps::moment;

impl Families {
    /// Numbers for administration, double, changed and annulled ones.
    pub(super) fn without_residence(&self, person: &mut Dossier, rank: u32, lot: Lot, birthday: Day, dice: &mut Dice) {
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

    pub(super) fn residence(
        &self,
        person: &mut Dossier,
        rank: u32,
        lot: Lot,
        death: Option<Day>,
        couple: Option<&Couple>,
        stays: &mut Vec<Stay>,
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
        self.stays(rank, couple, stays);
        for (at, stay) in stays.iter().enumerate() {
            let next = stays.get(at + 1).map_or(TODAY + 1, |next| next.from);
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
}
