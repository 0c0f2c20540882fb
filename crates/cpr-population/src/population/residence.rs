//! Where the register says a person lives or is: addresses, abroad, missing, or a number without a home.

use crate::days::{ADDRESSES_KEPT, CPR_START, Day, TODAY, date};
use crate::person::{Abroad, Address, Moment, PersonRows, Row, Text, never_married_row};
use crate::reference_data::names;
use crate::reference_data::places::{FIRST_GREENLAND, foreign_lines};
use crate::rng::Rng;

use super::families::{Couple, Families, NumberKind, topic};
use super::homes::Stay;
use super::timestamps::moment;

impl Families {
    /// Numbers for administration, double, changed and annulled ones.
    pub(super) fn fill_without_residence(
        &self,
        person: &mut PersonRows,
        rank: u32,
        number_kind: NumberKind,
        birthday: Day,
        rng: &mut Rng,
    ) {
        person.civil.push(never_married_row());
        person.status = match number_kind {
            NumberKind::Former(true) => 50,
            NumberKind::Former(false) => 60,
            NumberKind::Annulled => 30,
            _ => 20,
        };
        match number_kind {
            NumberKind::Former(_) => {
                let ended = self.changed_number(rank);
                person.current_number = Some(self.pnr(rank + 2));
                person.status_since = moment(ended, u64::from(rank));
                person.number_to = Some(date(ended));
                // The number in force was assigned when this one ended.
                let (from, to) = (birthday.max(ADDRESSES_KEPT), ended);
                if from < to {
                    let home = self.places.home(self.places.municipality(rng), rng);
                    let row = Row::since(home, moment(from, u64::from(rank)));
                    person.addresses.push(Row { to: Some(person.status_since), ..row });
                }
            }
            NumberKind::Annulled => {
                let ended = birthday.max(CPR_START) + rng.between(10, 600);
                person.status_since = moment(ended.min(TODAY - 1), u64::from(rank));
                person.number_to = person.status_since.date();
            }
            _ => {
                person.status_since = person.number_from.map_or(Moment::default(), |from| Moment::new(from, 1200));
                let municipality = *rng.pick(&[11, 11, 11, 11, 10, 12, 19], 1);
                let at = Address { municipality, ..Address::default() };
                person.addresses.push(Row::since(at, person.status_since));
                person.contact_lines = vec!["Postboks 12".into(), "D 10115 Berlin".into(), "Tyskland".into()];
            }
        }
    }

    pub(super) fn fill_residence(
        &self,
        person: &mut PersonRows,
        rank: u32,
        number_kind: NumberKind,
        death: Option<Day>,
        couple: Option<&Couple>,
        stays: &mut Vec<Stay>,
    ) {
        let key = u64::from(rank);
        let rng = &mut self.rng(topic::RARITIES, rank ^ 1 << 31);
        let absence = self.absence(rank, number_kind, death);
        let gone = absence.filter(|absence| absence.back.is_none()).map(|absence| absence.out);
        let missing =
            (death.is_none() && absence.is_none() && rng.hits_permille(5)).then(|| TODAY - rng.between(30, 3_000));
        let end = death.or(gone).or(missing);
        if let NumberKind::Immigrant(day) = number_kind {
            let lines = if rng.hits_permille(150) { foreign_lines(rng) } else { Default::default() };
            let stay = Abroad { to_country: 0, from_country: person.citizenships[0].value, lines };
            person.abroad.push(Row { to: Some(moment(day, key)), ..Row::since(stay, Moment::default()) });
        }
        self.collect_stays(rank, couple, stays);
        for (at, stay) in stays.iter().enumerate() {
            let next = stays.get(at + 1).map_or(TODAY + 1, |next| next.from);
            let (mut from, mut to) = (stay.from, end.map_or(next, |end| end.min(next)));
            // Who is abroad lives nowhere here; what was left before comes to an end, what is taken up after begins
            // with it.
            if let Some(absence) = absence
                && let Some(back) = absence.back
            {
                if from < absence.out && to > back {
                    person.addresses.push(self.address_row(stay, from, absence.out, key));
                    from = back;
                } else if from < absence.out {
                    to = to.min(absence.out);
                } else if from < back {
                    from = back;
                }
            }
            if from < to {
                person.addresses.push(self.address_row(stay, from, to, key));
            }
        }
        if let Some(absence) = absence {
            let lines = foreign_lines(rng);
            let stay = Abroad { to_country: absence.country, from_country: 0, lines };
            let row = Row::since(stay, moment(absence.out, key));
            let back = absence.back.map(|day| moment(day, key));
            let from_country = absence.back.map_or(0, |_| absence.country);
            person.abroad.push(Row { value: Abroad { from_country, ..row.value }, to: back, ..row });
        }
        if let Some(day) = missing {
            person.disappeared.push(Row::since((), moment(day, key)));
        }
        if end.is_none() && rng.hits_permille(8) {
            person.care_of = Text::Owned(names::surname(rng).into_owned());
        }
        let active =
            person.address().map_or(1, |row| match (row.value.municipality > FIRST_GREENLAND, row.value.street) {
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
    fn address_row(&self, stay: &Stay, from: Day, to: Day, key: u64) -> Row<Address> {
        let to = (to <= TODAY).then(|| moment(to, key));
        Row { to, ..Row::since(self.address_of(stay), moment(from, key)) }
    }
}
