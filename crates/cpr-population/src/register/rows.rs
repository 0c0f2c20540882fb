//! How the rows of a person begin, end and are taken back, whatever the event.

use crate::days::Day;
use crate::person::{Civil, Moment, PersonRows, Row};

/// Ends the open row with a new one.
pub(super) fn supersede_open_row<T>(rows: &mut Vec<Row<T>>, value: T, from: Moment) {
    rows.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(from));
    rows.push(Row::since(value, from));
}

/// True when the open row began before this day, so that something can end it.
pub(super) fn began_before<T>(rows: &[Row<T>], day: Day) -> bool {
    rows.iter().filter(|row| row.to.is_none()).all(|row| row.from.digits < Moment::on(day).digits)
}

/// Takes the open row back; false, and nothing done, when there is none before it that can hold again.
pub(super) fn annul_open_row<T>(rows: &mut Vec<Row<T>>) -> bool {
    let Some(last) = rows.iter().rposition(|row| row.to.is_none()) else { return false };
    let from = rows[last].from;
    let is_before = |row: &Row<T>| row.mark == ' ' && row.to == Some(from) && row.from.digits < from.digits;
    let Some(before) = rows.iter().position(is_before) else { return false };
    rows[before].to = None;
    let wrong = rows.remove(last);
    rows.insert(0, Row { to: Some(from), mark: 'A', ..wrong });
    true
}

pub(super) fn end_residence(person: &mut PersonRows, day: Day, status: u8) {
    person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(Moment::on(day)));
    (person.status, person.status_since) = (status, Moment::on(day));
    clear_home(person);
}

/// What belongs to the home is gone with it.
pub(super) fn clear_home(person: &mut PersonRows) {
    person.care_of = Default::default();
    person.locality = Default::default();
    person.supplementary = None;
}

pub(super) fn end_marriage(person: &mut PersonRows, status: char, to: Moment) {
    let open = person.civil.iter().find(|row| row.to.is_none()).map(|row| row.value.clone());
    if let Some(civil) = open {
        supersede_open_row(&mut person.civil, Civil { status, separation_link: 0, ..civil }, to);
    }
    person.separations.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(to));
}
