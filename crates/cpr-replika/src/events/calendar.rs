//! What happens without a delivery: birthdays, and protections that run out.
//!
//! CPR sends nothing when a person turns 18 or a deletion date passes. These events are read off the birth dates and
//! the protections as known now, for a range of days, as often as asked; nothing is stored and they have no ids.

use cpr_model::{Date, Day, MunicipalityCode, Pnr, ProtectionKind, Status, birthday};
use cpr_subscription::birth_dates_reaching;

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::search::query::Query;
use crate::snapshot::Snapshot;

/// Status of numbers without a living person: 30 annulled, 50 and 60 given up, 90 dead.
const NOT_LIVING: [Status; 4] = [Status(30), Status(50), Status(60), Status(90)];

/// What is due on a day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Due {
    /// The person reaches this age, in full years.
    ReachesAge(u16),
    /// The day on which CPR plans to delete this protection (SLET_DT).
    ProtectionEnds(ProtectionKind),
}

impl Due {
    /// A stable word: `reaches_age`, `protection_ends`.
    pub fn name(self) -> &'static str {
        match self {
            Due::ReachesAge(_) => "reaches_age",
            Due::ProtectionEnds(_) => "protection_ends",
        }
    }
}

/// Something that is due for a person.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct CalendarEvent {
    /// The day.
    pub day: Date,
    /// What.
    pub due: Due,
    /// For whom.
    pub pnr: Pnr,
    /// KOMKOD of the address as known now.
    pub municipality: Option<MunicipalityCode>,
}

/// Says what is due, not when or for whom: a birthday and an age are a birth date.
impl std::fmt::Debug for CalendarEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.due.name())
    }
}

impl Snapshot {
    /// Who reaches one of these ages, and whose protection runs out, from one day to another, both included, by day.
    /// The dead and numbers that were given up reach no age.
    ///
    /// Dates count by their digits: an unknown month or day of birth is January, the 1st; who was born on 29 February
    /// reaches an age on 1 March in other years. Of protections nothing is known where the store does not hold them
    /// ([`Config::carries`](crate::Config::carries)): none is told then.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::events::Due;
    /// let due = demo()?.snapshot().calendar("2026-03-01".parse()?, "2026-03-31".parse()?, &[48])?;
    /// assert_eq!(due.iter().map(|event| event.due).collect::<Vec<_>>(), [Due::ReachesAge(48)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::DaysOutOfOrder`] when the last day comes before the first; [`Error::Corrupt`] or a storage failure.
    pub fn calendar(&self, first: Day, last: Day, ages: &[u16]) -> Result<Vec<CalendarEvent>, Error> {
        if last < first {
            return Err(Error::DaysOutOfOrder);
        }
        let (first, last) = (first.date(), last.date());
        let mut events = Vec::new();
        for &age in ages {
            self.ages(age, first, last, &mut events)?;
        }
        self.protections(first, last, &mut events)?;
        events.sort_unstable();
        events.dedup();
        Ok(events)
    }

    fn ages(&self, age: u16, first: Date, last: Date, events: &mut Vec<CalendarEvent>) -> Result<(), Error> {
        let Some(births) = birth_dates_reaching(age, day_before(first), last) else { return Ok(()) };
        let not_living = Query::Or(NOT_LIVING.map(Query::status).to_vec());
        let persons = self.find(&Query::And(vec![Query::Born(births), Query::Not(Box::new(not_living))]))?;
        self.for_each_held(persons.iter(), |key, person| {
            let rows = person.current();
            if let Some(day) = rows.birth_date().and_then(|birth| birthday(birth, age.into())).map(Day::date) {
                let municipality = rows.municipality();
                events.push(CalendarEvent { day, due: Due::ReachesAge(age), pnr: key.pnr(), municipality });
            }
            Ok(())
        })
    }

    fn protections(&self, first: Date, last: Date, events: &mut Vec<CalendarEvent>) -> Result<(), Error> {
        let whom = match self.has_protection_ends() {
            true => self.of_values(SetKind::ProtectionEnd, day_before(first).digits() + 1..=last.digits())?,
            false => self.protected()?,
        };
        self.for_each_held(whom.iter(), |key, person| {
            let rows = person.current();
            let municipality = rows.municipality();
            for protection in rows.protections() {
                // A date that is no day of the calendar counts on the day after it.
                let day = protection.deleted_on().and_then(Day::at_or_after).map(Day::date);
                if let (Some(kind), Some(day)) = (protection.kind(), day)
                    && (first..=last).contains(&day)
                {
                    events.push(CalendarEvent { day, due: Due::ProtectionEnds(kind), pnr: key.pnr(), municipality });
                }
            }
            Ok(())
        })
    }
}

/// The day before in the calendar: between the two lie the dates that no year or no month has, which count on the
/// later.
fn day_before(date: Date) -> Date {
    let before = Day::of(date).and_then(Day::previous).map(Day::date);
    before.or_else(|| Date::from_digits(date.digits().saturating_sub(1))).unwrap_or(date)
}
