//! What turns out never to have been, or to have been otherwise: addresses, names, marriages, deaths, separations.
//!
//! CPR keeps the wrong row with a mark and no length; the one before it leaves history and holds again.

use cpr_model::Pnr;

use crate::days::Day;
use crate::person::{Address, Civil, Moment, Name, PersonRows, Relative, Row, number_of};

use super::Register;
use super::rows::{annul_open_row, began_before, clear_home};

/// As [`annul_open_row`]; who has no civil status before was unmarried, which leaves no history.
fn annul_open_civil_status(rows: &mut Vec<Row<Civil>>) {
    if annul_open_row(rows) {
        return;
    }
    for row in rows.iter_mut().filter(|row| row.to.is_none()) {
        (row.to, row.mark) = (Some(row.from), 'A');
    }
    let never_married_row = Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 };
    rows.push(Row::since(never_married_row, Moment::default()));
}

/// STATUS of who lives at the open address.
fn active_status(person: &PersonRows) -> u8 {
    let place = person.address().map(|row| (row.value.municipality > 900, row.value.street >= 9_900));
    match place {
        Some((true, is_posted)) => 5 + 2 * u8::from(is_posted),
        Some((false, true)) => 3,
        _ => 1,
    }
}

impl Register<'_> {
    /// A09: the address turns out to have been another, from the same day.
    pub(crate) fn corrects_address(&mut self, pnr: Pnr, right: Address) -> bool {
        let can = self.resident(pnr).is_some();
        let Some(person) = self.add_event_if(can, pnr, "A09") else { return false };
        let Some(row) = person.addresses.iter_mut().find(|row| row.to.is_none()) else { return false };
        let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
        row.value = right;
        person.addresses.insert(0, wrong);
        true
    }

    /// A10: the last move never was.
    pub(crate) fn annuls_move(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| annul_open_row(&mut person.addresses));
        let Some(person) = self.add_event_if(can, pnr, "A10") else { return false };
        clear_home(person);
        annul_open_row(&mut person.addresses)
    }

    /// A24: the wedding was on another day, for both.
    pub(crate) fn corrects_wedding(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day) else { return false };
        let right = Moment::on(day);
        // The row before must still have begun before, on both sides.
        let mut fits = |pnr| {
            let rows = self.person_now(pnr).map(|person| person.civil).unwrap_or_default();
            rows.iter().all(|row| row.to.is_none() || row.mark != ' ' || row.from.digits < right.digits)
        };
        if !fits(pnr) || !fits(spouse) || self.spouse(spouse, day) != Some(pnr) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.add_event(pnr, "A24", derived) else { return false };
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

    /// A16: the name was spelled wrongly.
    pub(crate) fn corrects_name(&mut self, pnr: Pnr, right: Name) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| person.name().is_some_and(|name| *name != right));
        let Some(person) = self.add_event_if(can, pnr, "A16") else { return false };
        let Some(row) = person.names.iter_mut().find(|row| row.to.is_none()) else { return false };
        let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
        row.value = right;
        person.names.insert(0, wrong);
        true
    }

    /// A17: the name was never taken.
    pub(crate) fn annuls_name(&mut self, pnr: Pnr) -> bool {
        let can =
            self.person_now(pnr).is_some_and(|mut person| person.status < 20 && annul_open_row(&mut person.names));
        let Some(person) = self.add_event_if(can, pnr, "A17") else { return false };
        annul_open_row(&mut person.names)
    }

    /// A25: there was no wedding, for both.
    pub(crate) fn annuls_wedding(&mut self, pnr: Pnr, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day).filter(|spouse| *spouse != pnr) else { return false };
        let is_separated = |person: PersonRows| person.separations.iter().any(|row| row.to.is_none());
        if self.spouse(spouse, day) != Some(pnr) || self.person_now(pnr).is_none_or(is_separated) {
            return false;
        }
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.add_event(pnr, "A25", derived) else { return false };
            annul_open_civil_status(&mut person.civil);
        }
        true
    }

    /// A25: the person is alive; who was widowed (ÆG) is married again, minor children (BØ) have custody as before.
    pub(crate) fn annuls_death(&mut self, pnr: Pnr) -> bool {
        let Some(before) = self.person_now(pnr).filter(|person| person.status == 90) else { return false };
        let died = before.status_since;
        let Some(dead) = before.civil.iter().find(|row| row.to.is_none()).cloned() else { return false };
        if !before.addresses.iter().any(|row| row.mark == ' ' && row.to == Some(died)) || dead.from != died {
            return false;
        }
        let widowed = number_of(&dead.value.spouse).filter(|spouse| {
            let own = |row: &Row<Civil>| number_of(&row.value.spouse) == Some(pnr) && row.from == died;
            let is_widowed = |row: &Row<Civil>| row.to.is_none() && row.value.status == 'E' && own(row);
            self.person_now(*spouse).is_some_and(|person| person.civil.iter().any(is_widowed))
        });
        let Some(person) = self.add_event(pnr, "A25", "") else { return false };
        person.addresses.iter_mut().filter(|row| row.mark == ' ' && row.to == Some(died)).for_each(|row| row.to = None);
        person.separations.iter_mut().filter(|row| row.to == Some(died)).for_each(|row| row.to = None);
        annul_open_civil_status(&mut person.civil);
        (person.status, person.status_since) = (active_status(person), Moment::default());
        if let Some(person) = widowed.and_then(|spouse| self.add_event(spouse, "A25", "ÆG")) {
            annul_open_civil_status(&mut person.civil);
        }
        self.update_custody(&before, "A25", true);
        true
    }

    /// A29: the citizenship was never given.
    pub(crate) fn annuls_citizenship(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| annul_open_row(&mut person.citizenships));
        let Some(person) = self.add_event_if(can, pnr, "A29") else { return false };
        annul_open_row(&mut person.citizenships)
    }

    /// P56: never entered or left the church; the past row has no mark, only no length.
    pub(crate) fn annuls_church(&mut self, pnr: Pnr) -> bool {
        let can = self.resident(pnr).is_some_and(|mut person| annul_open_row(&mut person.church));
        let Some(person) = self.add_event_if(can, pnr, "P56") else { return false };
        annul_open_row(&mut person.church)
    }

    /// P36 (they live together again), P48 (it began earlier) or P49 (it never was), and the spouse with ÆG.
    pub(crate) fn settles_separation(&mut self, pnr: Pnr, code: &'static str, day: Day) -> bool {
        let Some(spouse) = self.spouse(pnr, day).filter(|spouse| *spouse != pnr) else { return false };
        let earlier = Moment::on(day - 40);
        let is_open = |person: PersonRows| {
            let could = code != "P48" || began_before(&person.civil, day - 40);
            let open = person.separations.iter().find(|row| row.to.is_none());
            could && began_before(&person.separations, day) && open.is_some_and(|row| row.from != earlier)
        };
        if self.spouse(spouse, day) != Some(pnr)
            || ![pnr, spouse].into_iter().all(|pnr| self.person_now(pnr).is_some_and(is_open))
        {
            return false;
        }
        let link = if code == "P48" { self.entered_at } else { 0 };
        for (pnr, derived) in [(pnr, ""), (spouse, "ÆG")] {
            let Some(person) = self.add_event(pnr, code, derived) else { return false };
            let Some(open) = person.separations.iter().position(|row| row.to.is_none()) else { return false };
            let row = &mut person.separations[open];
            match code {
                "P36" => row.to = Some(Moment::on(day)),
                "P49" => (row.to, row.mark) = (Some(row.from), 'A'),
                _ => {
                    let wrong = Row { to: Some(row.from), mark: 'K', ..row.clone() };
                    (row.value, row.from) = (link, earlier);
                    person.separations.insert(0, wrong);
                }
            }
            person.civil.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.value.separation_link = link);
        }
        true
    }
}
