//! What offices write down and what runs out: rows that are set, changed in place or deleted, and deliveries of persons
//! in whom nothing changed.
//!
//! None of it leaves history; an event that cannot be changes nothing and says so by `false`.

use cpr_model::{Date, Pnr};

use crate::days::years_on;
use crate::days::{Day, date};
use crate::person::{Custody, Guardianship, Note, Relative, Text, number_of};

use crate::reference_data::codes::DENMARK;

use super::Register;

impl Register<'_> {
    /// A07: a supplementary address is set, or taken away.
    pub(crate) fn supplements_address(&mut self, pnr: Pnr, line: Text, day: Day) -> bool {
        let can = self.resident(pnr).is_some();
        let Some(person) = self.add_event_if(can, pnr, "A07") else { return false };
        person.supplementary = if person.supplementary.is_none() { Some((date(day), line)) } else { None };
        true
    }

    /// A08: who is abroad has another address there; a foreigner is put on the list for EU elections, or off it.
    pub(crate) fn updates_abroad_or_vote(&mut self, pnr: Pnr, lines: [Text; 3], day: Day) -> bool {
        let Some(before) = self.person_now(pnr) else { return false };
        let is_foreign = before.citizenships.last().is_some_and(|row| row.value != DENMARK);
        let is_abroad = before.status == 80;
        let can = if is_abroad {
            before.abroad.iter().any(|row| row.to.is_none() && row.value.lines != lines)
        } else {
            before.status < 20 && is_foreign
        };
        let Some(person) = self.add_event_if(can, pnr, "A08") else { return false };
        if is_abroad {
            person.abroad.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.value.lines = lines.clone());
        } else if person.elections.is_empty() {
            person.elections.push((4, date(day), date(day)));
        } else {
            person.elections.clear();
        }
        true
    }

    /// A15: the surname is marked as not documented, or no longer marked.
    pub(crate) fn marks_name(&mut self, pnr: Pnr) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| person.status < 20 && person.name().is_some());
        let Some(person) = self.add_event_if(can, pnr, "A15") else { return false };
        for row in person.names.iter_mut().filter(|row| row.to.is_none()) {
            row.value.mark = if row.value.mark.is_some() { None } else { Some('=') };
        }
        true
    }

    /// A31: a note is set, or the last one taken away.
    pub(crate) fn notes(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| person.status < 20);
        let Some(person) = self.add_event_if(can, pnr, "A31") else { return false };
        if person.notes.pop().is_none() {
            let deleted = Some(years_on(date(day), 5));
            person.notes.push(Note { number: 1, text: "Folkeregisternotat".into(), from: date(day), deleted });
        }
        true
    }

    /// A32: a municipal condition is set, or taken away.
    pub(crate) fn changes_condition(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some();
        let Some(person) = self.add_event_if(can, pnr, "A32") else { return false };
        if person.municipal.pop().is_none() {
            person.municipal.push((3, "F", date(day), Text::default()));
        }
        true
    }

    /// A34, the other half: an occupation, which nobody checks.
    pub(crate) fn takes_occupation(&mut self, pnr: Pnr, occupation: Text) -> bool {
        let can = self.resident(pnr).is_some_and(|person| person.occupation != occupation);
        let Some(person) = self.add_event_if(can, pnr, "A34") else { return false };
        person.occupation = occupation;
        true
    }

    /// A45 (a subscription was set), A74 (the customer asked), K74 (CPR's check): delivered as before.
    pub(crate) fn delivers(&mut self, pnr: Pnr, code: &'static str) -> bool {
        self.add_event(pnr, code, "").is_some()
    }

    /// A47: a contact address for who does not live here.
    pub(crate) fn updates_contact(&mut self, pnr: Pnr, lines: [Text; 3]) -> bool {
        let can = self.person_now(pnr).is_some_and(|person| {
            matches!(person.status, 20 | 70 | 80 | 90) && person.contact_lines.as_slice() != lines.as_slice()
        });
        let Some(person) = self.add_event_if(can, pnr, "A47") else { return false };
        person.contact_lines = lines.to_vec();
        true
    }

    /// A73: a guardian, the eldest child or a lawyer; or none any more.
    pub(crate) fn changes_guardianship(&mut self, pnr: Pnr, day: Day) -> bool {
        let is_adult = |born: Date| years_on(born, 18) <= date(day);
        let can = self.resident(pnr).is_some_and(|person| person.born.is_some_and(is_adult));
        let Some(person) = self.add_event_if(can, pnr, "A73") else { return false };
        if person.guardianship.take().is_none() {
            let lawyer = || Relative::Unnumbered { born: None, name: "Advokat Holm".into() };
            let guardian = person.children.first().map_or_else(lawyer, |child| Relative::Number(*child));
            let lines = ["Torvet 2".into(), "5000 Odense C".into()];
            let from = date(day);
            person.guardianship = Some(Guardianship { from, deleted: None, guardian, lines, is_partial: false });
        }
        true
    }

    /// P10: another locality in the addressing row; no code and no date changes.
    pub(crate) fn is_relocated(&mut self, pnr: Pnr, locality: Text) -> bool {
        let can = self.resident(pnr).is_some_and(|person| person.locality != locality);
        let Some(person) = self.add_event_if(can, pnr, "P10") else { return false };
        person.locality = locality;
        true
    }

    /// P11: protections, notes and custody whose day has come are gone.
    pub(crate) fn expires(&mut self, pnr: Pnr, day: Day) -> bool {
        let today = date(day);
        let is_over = |deleted: &Option<Date>| deleted.is_some_and(|deleted| deleted <= today);
        let can = self.person_now(pnr).is_some_and(|person| {
            person.protections.iter().any(|row| row.deleted <= today)
                || person.notes.iter().any(|row| is_over(&row.deleted))
                || person.custody.iter().any(|row| is_over(&row.deleted))
        });
        let Some(person) = self.add_event_if(can, pnr, "P11") else { return false };
        person.protections.retain(|row| row.deleted > today);
        person.notes.retain(|row| !is_over(&row.deleted));
        person.custody.retain(|row| !is_over(&row.deleted));
        true
    }

    /// P32: an order to move, or none any more.
    pub(crate) fn is_ordered_to_move(&mut self, pnr: Pnr, day: Day) -> bool {
        let can = self.resident(pnr).is_some();
        let Some(person) = self.add_event_if(can, pnr, "P32") else { return false };
        let order = (date(day), "Fraflytning senest om 3 måneder".into());
        person.order_to_move = if person.order_to_move.is_none() { Some(order) } else { None };
        true
    }

    /// P40: of a child whose parents both have custody the father keeps it alone no longer; or he gets it.
    pub(crate) fn changes_custody(&mut self, child: Pnr, day: Day) -> bool {
        const FATHER: u16 = 4;
        let can = self.resident(child).is_some_and(|person| {
            person.custody.iter().any(|row| row.kind != FATHER) && number_of(&person.father.who).is_some()
        });
        let Some(person) = self.add_event_if(can, child, "P40") else { return false };
        let deleted = person.custody.first().and_then(|row| row.deleted);
        let had = person.custody.len();
        person.custody.retain(|row| row.kind != FATHER);
        if person.custody.len() == had {
            person.custody.push(Custody { kind: FATHER, from: date(day), deleted, holder: None });
        }
        true
    }
}
