//! Who there is: ranks in birth order, and the personnummer of each.
//!
//! A person is a rank, 0 to `persons` - 1. Everything else follows from it by arithmetic: the year by a table of
//! cohorts, the day and the running number in the day by division. Even ranks are women, odd ones men. Rank order is
//! the order of [`cpr_model::PersonKey`], hence that of CPR's files.

use cpr_model::Pnr;

use crate::days::{Day, FIRST_YEAR, LAST_YEAR, day_of, parts};

/// How many numbers (of the living, the dead, the emigrated, those without a home) a year of birth has, in thousands,
/// every fifth year from 1900; between them in a straight line. After Danish births less those who died before 1968,
/// and immigrants.
const THOUSANDS: [u32; 26] =
    [26, 36, 46, 54, 66, 66, 62, 63, 72, 99, 84, 83, 84, 95, 90, 94, 86, 90, 106, 112, 98, 84, 74, 68, 65, 60];

/// Numbers that fit a day: serials of the 1900s begin with 0-3, those from 2000 on with 4-7.
const SERIALS: u32 = 4_000;

/// More would leave no room among the serials of a day.
pub(crate) const MOST_PERSONS: u32 = 25_000_000;

pub(crate) struct Cohorts {
    /// The first rank of each year from 1900, and the end; all even but the end.
    first_ranks: Vec<u32>,
    /// The first day of each year, and of the one after the last.
    january: Vec<Day>,
}

impl Cohorts {
    pub(crate) fn new(persons: u32) -> Cohorts {
        let years = (LAST_YEAR - FIRST_YEAR + 1) as usize;
        let weight = |at: usize| {
            let (low, part) = (THOUSANDS[at / 5], at as u32 % 5);
            let high = THOUSANDS.get(at / 5 + 1).copied().unwrap_or(low);
            u64::from(low * (5 - part) + high * part)
        };
        let total: u64 = (0..years).map(weight).sum();
        let mut sum = 0;
        let mut first = vec![0];
        for at in 0..years {
            sum += weight(at);
            first.push((u64::from(persons) * sum / total) as u32 & !1);
        }
        first[years] = persons;
        let january = (FIRST_YEAR..=LAST_YEAR + 1).map(|year| day_of(year, 1, 1)).collect();
        Cohorts { first_ranks: first, january }
    }

    pub(crate) fn persons(&self) -> u32 {
        self.first_ranks[self.first_ranks.len() - 1]
    }

    /// The first rank of a year of birth, and the one after the last; both 0 for a year that there is not.
    pub(crate) fn ranks_of_year(&self, year: i32) -> (u32, u32) {
        let at = (year - FIRST_YEAR) as usize;
        if (FIRST_YEAR..=LAST_YEAR).contains(&year) { (self.first_ranks[at], self.first_ranks[at + 1]) } else { (0, 0) }
    }

    /// Women of a year.
    pub(crate) fn women(&self, year: i32) -> u32 {
        let (first, end) = self.ranks_of_year(year);
        (end - first).div_ceil(2)
    }

    /// Men of a year.
    pub(crate) fn men(&self, year: i32) -> u32 {
        let (first, end) = self.ranks_of_year(year);
        (end - first) / 2
    }

    pub(crate) fn year(&self, rank: u32) -> i32 {
        FIRST_YEAR + self.first_ranks.partition_point(|first| *first <= rank) as i32 - 1
    }

    /// The first rank that was not born before this day.
    pub(crate) fn first_rank_born_from(&self, day: Day) -> u32 {
        let (mut low, mut high) = (0, self.persons());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.birthday(middle) < day { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// How the births of a rank's year lie on its days: 1 January, days, births, and the rank's number among the
    /// births. A year has fewer births than 32 bits can count for each of its days, see [`MOST_PERSONS`].
    fn year_of_birth(&self, rank: u32) -> (Day, u32, u32, u32) {
        let at = (self.year(rank) - FIRST_YEAR) as usize;
        let (january, first) = (self.january[at], self.first_ranks[at]);
        (january, (self.january[at + 1] - january) as u32, self.first_ranks[at + 1] - first, rank - first)
    }

    /// The day of birth, the running number in it from 0, and how many were born on it.
    fn serial_of(&self, rank: u32) -> (Day, u32, u32) {
        let (january, days, born, at) = self.year_of_birth(rank);
        let day = at * days / born;
        let (before, upto) = ((day * born).div_ceil(days), ((day + 1) * born).div_ceil(days));
        (january + day as Day, at - before, upto - before)
    }

    pub(crate) fn birthday(&self, rank: u32) -> Day {
        let (january, days, born, at) = self.year_of_birth(rank);
        january + (at * days / born) as Day
    }

    pub(crate) fn pnr(&self, rank: u32) -> Pnr {
        let (day, at, of) = self.serial_of(rank);
        test_number(day, serial_step(of) * at + (rank & 1))
    }
}

impl Cohorts {
    /// A number of the day this person was born that nobody in the population has; `parity` is the sex.
    pub(crate) fn unused_number(&self, rank: u32, parity: u32) -> Option<Pnr> {
        let (day, at, of) = self.serial_of(rank);
        let step = serial_step(of);
        (step >= 4).then(|| test_number(day, step * at + step - 2 + parity))
    }
}

/// How far apart the serials of a day stand that has so many births: even, so that the parity is free for the sex.
fn serial_step(of: u32) -> u32 {
    (SERIALS / of.max(1)) & !1
}

/// The test number of a day of birth and a serial below 4000, whose parity is the sex. The digits of the day stand 60
/// too high.
pub(crate) fn test_number(day: Day, serial: u32) -> Pnr {
    let (year, month, of_month) = parts(day);
    // 0-3 for the 1900s; 4 (up to 2036) and 5-7 (up to 2057) for the 2000s.
    let serial = if year < 2000 { serial } else { SERIALS + serial };
    let mut rest = u64::from((of_month + 60) as u32) * 100_000_000
        + u64::from(month as u32) * 1_000_000
        + u64::from((year % 100) as u32) * 10_000
        + u64::from(serial % 10_000);
    let mut digits = [b'0'; 10];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    Pnr::parse(&digits).expect("ten digits")
}
