//! Days on the horizontal axis.

use cpr_model::{Day, Fact, Timestamp};

/// Years before the present that a picture reaches back at most, and ahead of it.
const MOST_YEARS_BACK: i32 = 150;
const MOST_YEARS_AHEAD: i32 = 20;
/// Where the plot begins and ends.
pub(crate) const LEFT: f64 = 190.0;
pub(crate) const RIGHT: f64 = 985.0;

const DAYS_OF_YEAR: i32 = 366;

/// Which days there are, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    /// The days that facts tell of, and the present, with room behind it for what goes on.
    pub(crate) fn of<'f>(facts: impl Iterator<Item = &'f Fact<'f>>, present: i32) -> Scale {
        let range = present - MOST_YEARS_BACK * DAYS_OF_YEAR..=present + MOST_YEARS_AHEAD * DAYS_OF_YEAR;
        let (mut first, mut last) = (present - DAYS_OF_YEAR, present);
        for at in facts.flat_map(|fact| [fact.valid().from, fact.valid().to]).flatten().filter_map(day) {
            if range.contains(&at) {
                (first, last) = (first.min(at), last.max(at));
            }
        }
        let room = ((last - first) / 25).max(20);
        Scale { first: first - room / 4, last: last + room }
    }

    /// Where a day is; days outside are at the edge.
    pub(crate) fn x(self, day: i32) -> f64 {
        let part = f64::from(day.clamp(self.first, self.last) - self.first) / f64::from(self.last - self.first);
        LEFT + part * (RIGHT - LEFT)
    }

    /// The first days of years that get a tick: as many as fit.
    pub(crate) fn years(self) -> Vec<(u32, f64)> {
        let years = (self.last - self.first) / DAYS_OF_YEAR + 1;
        let step = [1, 2, 5, 10, 20, 50].into_iter().find(|step| years / step <= 16).unwrap_or(100) as u32;
        let year_of = |number| Day::from_number(number).map_or(0, |day: Day| day.parts().0);
        let ticks = (year_of(self.first)..=year_of(self.last)).filter(|year| year % step == 0);
        let days = ticks.filter_map(|year| Some((year, Day::new(year, 1, 1)?.number())));
        days.filter(|(_, day)| (self.first..=self.last).contains(day)).map(|(year, day)| (year, self.x(day))).collect()
    }

    /// The first and the last day.
    pub(crate) fn bounds(self) -> (i32, i32) {
        (self.first, self.last)
    }
}

/// The number of the day of a moment; a date that is none is the next one that is.
pub(crate) fn day(at: Timestamp) -> Option<i32> {
    Day::at_or_after(at.date()).map(Day::number)
}
