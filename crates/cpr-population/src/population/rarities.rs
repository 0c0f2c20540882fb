//! What few persons have, and very few have much of: protections, guardians, notes, corrections.

use crate::days::{Day, TODAY, date, day_of};
use crate::person::{Guardianship, Moment, Note, PersonRows, Protection, Relative, Row, Text};
use crate::reference_data::codes::DENMARK;
use crate::reference_data::places;
use crate::rng::Rng;

use super::families::{Families, topic};
use crate::days::years_on;

impl Families {
    /// Protections, notes, guardians, corrections: what few persons have, and very few have much of.
    pub(super) fn fill_rarities(&self, person: &mut PersonRows, rank: u32, birthday: Day) {
        let rng = &mut self.rng(topic::RARITIES, rank ^ 1 << 30);
        if person.status >= 30 {
            return;
        }
        if rng.hits_permille(20) {
            let from = TODAY - rng.between(5, 340);
            let protection = |kind| Protection { kind, from: date(from), deleted: years_on(date(from), 1) };
            person.protections = vec![protection(1), protection(2)];
        } else if rng.hits_permille(31) {
            let from = (birthday + 16 * 365).max(day_of(1995, 1, 1)) + rng.between(0, 3_000);
            let kind = if rng.hits_permille(700) { 3 } else { 2 };
            let protection = Protection { kind, from: date(from), deleted: years_on(date(from), 100) };
            person.protections.extend((from < TODAY).then_some(protection));
        }
        if birthday < TODAY - 18 * 365 && rng.hits_permille(2) {
            let guardian = person
                .children
                .first()
                .map_or(Relative::Unnumbered { born: None, name: "Advokat Lund".into() }, |child| {
                    Relative::Number(*child)
                });
            let from = date((birthday + 18 * 365).max(TODAY - rng.between(50, 5_000)));
            let lines = ["Storegade 4".into(), "8000 Aarhus C".into()];
            person.guardianship =
                Some(Guardianship { from, deleted: None, guardian, lines, is_partial: rng.hits_permille(300) });
        }
        if rng.hits_permille(6) {
            let from = date(TODAY - rng.between(20, 2_000));
            let (kind, code) = *rng.pick(&[(3, "F"), (2, "P"), (1, "A"), (5, "12")], 1);
            person.municipal.push((kind, code, from, Text::default()));
        }
        if rng.hits_permille(10) {
            let many = if rng.hits_permille(30) { rng.below(38) } else { 0 };
            let from = date(TODAY - rng.between(20, 1_500));
            let note = |at: u64| Note {
                number: 1 + at as u8,
                text: "Folkeregisternotat".into(),
                from,
                deleted: Some(years_on(from, 5)),
            };
            person.notes.extend((0..=many).map(note));
        }
        if person.citizenships.last().is_some_and(|row| row.value != DENMARK) && rng.hits_permille(200) {
            person.elections.push((4, date(TODAY - 900), date(TODAY - 900)));
        }
        if rng.hits_permille(1) {
            person.order_to_move = Some((date(TODAY - rng.between(1, 200)), "Fraflytning senest om 3 måneder".into()));
        }
        self.fill_corrections(person, rng);
    }

    /// Rows with a mark: what was believed and wrong. They have no length.
    fn fill_corrections(&self, person: &mut PersonRows, rng: &mut Rng) {
        let Some(current) = person.address().cloned() else { return };
        let mark = match rng.below(1000) {
            0..14 => 'K',
            14..20 => 'A',
            20..50 if current.from.digits < 2007_01_01_0000 => 'Æ',
            _ => return,
        };
        let at = if mark == 'Æ' { Moment::new(date(day_of(2007, 1, 1)), 0) } else { current.from };
        let place = places::municipality(current.value.municipality);
        let value = place.map_or(current.value, |place| self.places.home(place, rng));
        person.addresses.insert(0, Row { value, from: at, to: Some(at), mark });
    }
}
