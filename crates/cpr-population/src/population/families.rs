//! Who belongs to whom, found from either side without a table.
//!
//! Men of a year are dealt to the women born two years later by a permutation: that gives couples. Children of a year
//! are dealt out to mothers 20 to 42 years older by two more, one over the children and one over the mothers of each
//! year: what is dealt forth can be asked back. A mother's partner at the birth is the father. Who is no candidate (see
//! [`NumberKind`]) simply drops out of what was dealt, on both sides alike.

use cpr_model::Pnr;

use crate::days::{CPR_START, Day, FIRST_YEAR, LAST_YEAR, TODAY, year_of};
use crate::population::cohorts::Cohorts;
use crate::reference_data::places::Places;
use crate::rng::{Permutation, Rng, mix};

/// Topics of chance: each question has random numbers of its own, so that one answer does not move another.
pub(crate) mod topic {
    pub(crate) const NUMBER_KIND: u64 = 1;
    pub(crate) const DEATH: u64 = 2;
    pub(crate) const COUPLE: u64 = 3;
    pub(crate) const PARTNERS: u64 = 4;
    pub(crate) const CHILDREN: u64 = 5;
    pub(crate) const MOTHERS: u64 = 6;
    pub(crate) const HOUSEHOLD: u64 = 7;
    pub(crate) const HOME: u64 = 8;
    pub(crate) const NAMES: u64 = 9;
    pub(crate) const LIFE: u64 = 10;
    pub(crate) const SURNAME: u64 = 11;
    pub(crate) const RARITIES: u64 = 12;
    pub(crate) const NIGHT: u64 = 13;
}

/// What a number is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NumberKind {
    /// Born in the country.
    Native,
    /// Came on this day.
    Immigrant(Day),
    /// Never lived here; has a number for the tax office (STATUS 20).
    Administrative,
    /// Another number of the person two ranks on: true for a double one that was deleted (STATUS 50), else changed
    /// (60).
    Former(bool),
    /// Annulled (STATUS 30).
    Annulled,
}

impl NumberKind {
    /// True for who can have lived here, hence can marry and have children.
    pub(crate) fn is_resident(self) -> bool {
        matches!(self, NumberKind::Native | NumberKind::Immigrant(_))
    }
}

/// A woman and a man, and what became of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Couple {
    pub(crate) woman: u32,
    pub(crate) man: u32,
    /// Since when they share a home.
    pub(crate) together: Day,
    pub(crate) wedding: Option<Day>,
    pub(crate) separation: Option<Day>,
    pub(crate) divorce: Option<Day>,
    /// When the home was no longer shared: divorce, or the first death.
    pub(crate) apart: Option<Day>,
}

/// Permille of women who are so old (20 to 42) when a child is born.
const AGES: [u32; 23] = [12, 18, 26, 34, 44, 55, 65, 74, 80, 82, 80, 76, 69, 61, 53, 45, 37, 29, 22, 16, 11, 7, 4];
const FIRST_AGE: i32 = 20;

/// Age at death in years by share of those born, in steps of a twentieth. After the life table of Statistics Denmark.
const DEATH_AGES: [f64; 21] = [
    0.0, 48.0, 59.0, 64.0, 68.0, 71.0, 73.0, 75.0, 77.0, 79.0, 81.0, 82.5, 84.0, 85.5, 87.0, 88.5, 90.0, 92.0, 94.0,
    97.0, 108.0,
];

pub(crate) struct Families {
    pub(crate) seed: u64,
    pub(crate) cohorts: Cohorts,
    pub(crate) places: Places,
    children: Vec<Permutation>,
    partners: Vec<Permutation>,
    /// By year of birth of the child and age of the mother.
    mothers: Vec<Permutation>,
}

impl Families {
    pub(crate) fn new(seed: u64, persons: u32) -> Families {
        let cohorts = Cohorts::new(persons);
        let of_all = |make: &dyn Fn(i32) -> Permutation| (FIRST_YEAR..=LAST_YEAR).map(make).collect::<Vec<_>>();
        let children = of_all(&|year| {
            let (first, end) = cohorts.ranks_of_year(year);
            Permutation::new(seed, topic::CHILDREN, year as u64, end - first)
        });
        let partners = of_all(&|year| {
            let couples = cohorts.women(year).min(cohorts.men(year - 2));
            Permutation::new(seed, topic::PARTNERS, year as u64, couples)
        });
        let pairs = (FIRST_YEAR..=LAST_YEAR).flat_map(|year| (0..AGES.len() as i32).map(move |age| (year, age)));
        let mothers = pairs.map(|(year, age)| {
            let women = cohorts.women(year - FIRST_AGE - age);
            Permutation::new(seed, topic::MOTHERS, (year * 100 + age) as u64, women)
        });
        let mothers = mothers.collect();
        Families { seed, cohorts, places: Places::new(), children, partners, mothers }
    }

    pub(crate) fn rng(&self, topic: u64, rank: u32) -> Rng {
        Rng::about(self.seed, topic, u64::from(rank))
    }

    pub(crate) fn pnr(&self, rank: u32) -> Pnr {
        self.cohorts.pnr(rank)
    }

    pub(crate) fn is_man(rank: u32) -> bool {
        rank & 1 == 1
    }

    /// What the number is, had it no second number beside it.
    fn own_number_kind(&self, rank: u32) -> NumberKind {
        let mut rng = self.rng(topic::NUMBER_KIND, rank);
        let year = self.cohorts.year(rank);
        let (kind, share) = (rng.below(1000), rng.below(1000));
        match kind {
            0 | 1 => return NumberKind::Annulled,
            2..=36 if (1940..=2006).contains(&year) => return NumberKind::Administrative,
            _ => {}
        }
        let immigrants = match year {
            ..1930 => 40,
            1930..1950 => 70,
            1950..1970 => 150,
            1970..1985 => 260,
            1985..2005 => 280,
            _ => 110,
        };
        if share >= immigrants {
            return NumberKind::Native;
        }
        let birthday = self.cohorts.birthday(rank);
        let earliest = (birthday + 30).max(CPR_START);
        let latest = (birthday + 365 * 42).min(TODAY - 30);
        if latest <= earliest { NumberKind::Native } else { NumberKind::Immigrant(rng.between(earliest, latest)) }
    }

    /// What the number is.
    pub(crate) fn number_kind(&self, rank: u32) -> NumberKind {
        match self.is_double_if_former(rank) {
            Some(is_double) => NumberKind::Former(is_double),
            None => self.own_number_kind(rank),
        }
    }

    /// True or false when the number is a second one of the person two ranks on.
    fn is_double_if_former(&self, rank: u32) -> Option<bool> {
        // One number in 128 is drawn, and it is one of the even pairs of its block, so that no two chain.
        let block = mix(self.seed ^ topic::NUMBER_KIND << 40 ^ u64::from(rank >> 8));
        let drawn = (block & 0xFC) as u32 | (rank & 1);
        if rank & 0xFF != drawn || (block >> 20) & 1 == 1 || rank + 2 >= self.cohorts.persons() {
            return None;
        }
        self.own_number_kind(rank + 2).is_resident().then_some((block >> 24) & 3 == 0)
    }

    /// The number that the person gave up for this one.
    pub(crate) fn former_rank_of(&self, rank: u32) -> Option<u32> {
        rank.checked_sub(2).filter(|&before| self.is_double_if_former(before).is_some())
    }

    /// When the number with this rank was given up.
    pub(super) fn changed_number(&self, former: u32) -> Day {
        let entry = match self.number_kind(former + 2) {
            NumberKind::Immigrant(day) => day,
            _ => self.cohorts.birthday(former + 2),
        };
        let end = self.death(former + 2).unwrap_or(TODAY) - 1;
        let start = (entry + 1).max(CPR_START + 1).min(end);
        self.rng(topic::RARITIES, former).between(start, end)
    }

    /// The day of death up to today.
    pub(crate) fn death(&self, rank: u32) -> Option<Day> {
        let birthday = self.cohorts.birthday(rank);
        let arrived = match self.number_kind(rank) {
            NumberKind::Immigrant(day) => day,
            _ => birthday,
        };
        let entry = arrived.max(CPR_START);
        let age = f64::from(entry - birthday) / 365.25;
        // Only who lived until the number was given has one: the share that is drawn begins there.
        let upper = DEATH_AGES.partition_point(|at| *at <= age).min(20);
        let (low, high) = (DEATH_AGES[upper - 1], DEATH_AGES[upper]);
        let survived = ((upper - 1) as f64 + ((age - low) / (high - low)).clamp(0.0, 1.0)) / 20.0;
        let mut rng = self.rng(topic::DEATH, rank);
        let share = survived + (1.0 - survived) * rng.below(1 << 30) as f64 / f64::from(1 << 30);
        let step = ((share * 20.0) as usize).min(19);
        // Few of the first twentieth die as children.
        let inside = (share * 20.0 - step as f64).clamp(0.0, 1.0);
        let inside = if step == 0 { inside.powf(0.3) } else { inside };
        let at = DEATH_AGES[step] + (DEATH_AGES[step + 1] - DEATH_AGES[step]) * inside;
        let day = (birthday + (at * 365.25) as Day).max(entry + 1);
        (day < TODAY).then_some(day)
    }

    /// The couple that a person is or was half of.
    pub(crate) fn couple(&self, rank: u32) -> Option<Couple> {
        let year = self.cohorts.year(rank);
        let at = (rank - self.cohorts.ranks_of_year(year).0) / 2;
        let womens_year = if Families::is_man(rank) { year + 2 } else { year };
        if womens_year > LAST_YEAR - 18 {
            return None;
        }
        let dealt = self.partners[(womens_year - FIRST_YEAR) as usize];
        if at >= dealt.size() {
            return None;
        }
        let (womens, mens) = (self.cohorts.ranks_of_year(womens_year).0, self.cohorts.ranks_of_year(womens_year - 2).0);
        let (woman, man) = match Families::is_man(rank) {
            false => (rank, mens + 2 * dealt.forth(at) + 1),
            true => (womens + 2 * dealt.back(at), rank),
        };
        self.couple_between(woman, man)
    }

    fn couple_between(&self, woman: u32, man: u32) -> Option<Couple> {
        if !self.number_kind(woman).is_resident() || !self.number_kind(man).is_resident() {
            return None;
        }
        let mut rng = self.rng(topic::COUPLE, woman);
        let birthday = self.cohorts.birthday(woman);
        let mut together = birthday + rng.between(20 * 365, 31 * 365);
        for number_kind in [self.number_kind(woman), self.number_kind(man)] {
            if let NumberKind::Immigrant(day) = number_kind {
                together = together.max(day + 60);
            }
        }
        let deaths = [self.death(woman), self.death(man)];
        let first_death = deaths.into_iter().flatten().min();
        let end = first_death.unwrap_or(TODAY);
        if rng.hits_permille(120) || together >= end {
            return None;
        }
        let wedding = (together + rng.between(0, 7 * 365)).max(birthday + 20 * 365);
        let wedding = Some(wedding).filter(|day| rng.hits_permille(680) && *day < end);
        let after = 400 + (rng.below(9_500) * rng.below(1_000) / 500) as Day;
        let lasting = rng.below(1000);
        let divorce = wedding.map(|day| day + after).filter(|day| lasting < 400 && *day < end);
        let separation = divorce.map(|day| day - 190).filter(|day| lasting < 150 && Some(*day) > wedding);
        let parted = (wedding.is_none() && lasting < 350).then_some(together + after).filter(|day| *day < end);
        let apart = divorce.or(parted).or(first_death);
        Some(Couple { woman, man, together, wedding, separation, divorce, apart })
    }

    /// The mother of a child, when she has a number.
    pub(crate) fn mother(&self, child: u32) -> Option<u32> {
        let year = self.cohorts.year(child);
        let (first, end) = self.cohorts.ranks_of_year(year);
        let dealt = self.children[(year - FIRST_YEAR) as usize].forth(child - first);
        let (age, at) = self.segment(end - first, dealt)?;
        let mothers = &self.mothers[(year - FIRST_YEAR) as usize * AGES.len() + age];
        if at >= mothers.size() {
            return None;
        }
        let mother = self.cohorts.ranks_of_year(year - FIRST_AGE - age as i32).0 + 2 * mothers.forth(at);
        self.is_mother(mother, child).then_some(mother)
    }

    /// Which age of mothers the dealt child falls to, and its number among those.
    fn segment(&self, born: u32, dealt: u32) -> Option<(usize, u32)> {
        let mut from = 0;
        for (age, share) in AGES.iter().enumerate() {
            let upto = from + share;
            let (first, end) = (permille(born, from), permille(born, upto));
            if dealt < end {
                return Some((age, dealt - first));
            }
            from = upto;
        }
        None
    }

    fn is_mother(&self, mother: u32, child: u32) -> bool {
        let birthday = self.cohorts.birthday(child);
        let was_here = match self.number_kind(mother) {
            NumberKind::Native => true,
            NumberKind::Immigrant(day) => day < birthday,
            _ => false,
        };
        self.number_kind(child) == NumberKind::Native
            && was_here
            && self.death(mother).is_none_or(|death| death >= birthday)
    }

    /// The father: the mother's partner when the child was born.
    pub(crate) fn father(&self, mother: u32, birthday: Day) -> Option<u32> {
        self.couple(mother).filter(|couple| is_father(couple, birthday)).map(|couple| couple.man)
    }

    /// The children of a person, oldest first.
    pub(crate) fn collect_children(&self, rank: u32, couple: Option<&Couple>, found: &mut Vec<u32>) {
        found.clear();
        let is_man = Families::is_man(rank);
        let mother = match (is_man, couple) {
            (false, _) => rank,
            (true, Some(couple)) => couple.woman,
            (true, None) => return,
        };
        if !self.number_kind(mother).is_resident() {
            return;
        }
        let year = self.cohorts.year(mother);
        let at = (mother - self.cohorts.ranks_of_year(year).0) / 2;
        let mut from = 0;
        for (age, share) in AGES.iter().enumerate() {
            let born = year + FIRST_AGE + age as i32;
            if born > LAST_YEAR {
                return;
            }
            let of_year = (born - FIRST_YEAR) as usize;
            let (first, end) = self.cohorts.ranks_of_year(born);
            let (segment, segment_end) = (permille(end - first, from), permille(end - first, from + share));
            from += share;
            let mothers = &self.mothers[of_year * AGES.len() + age];
            let dealt = mothers.back(at);
            if dealt >= segment_end - segment {
                continue;
            }
            let child = first + self.children[of_year].back(segment + dealt);
            let is_his = || couple.is_some_and(|couple| is_father(couple, self.cohorts.birthday(child)));
            if self.is_mother(mother, child) && (!is_man || is_his()) {
                found.push(child);
            }
        }
    }

    /// What a child is called by birth: children of one mother have one surname.
    pub(crate) fn surname_rng(&self, rank: u32) -> Rng {
        let of_mother = self.mother(rank).map_or(u64::from(rank) | 1 << 40, u64::from);
        Rng::about(self.seed, topic::SURNAME, of_mother)
    }

    /// The year a person was born in.
    pub(crate) fn birth_year(&self, rank: u32) -> i32 {
        year_of(self.cohorts.birthday(rank))
    }

    /// The person with this number, when there is one.
    pub(crate) fn rank_of(&self, pnr: Pnr) -> Option<u32> {
        let mut low = 0;
        let mut high = self.cohorts.persons();
        let key = pnr.key()?;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.cohorts.pnr(middle).key()?.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

fn is_father(couple: &Couple, birthday: Day) -> bool {
    birthday > couple.together + 200 && couple.apart.is_none_or(|apart| birthday < apart + 200)
}

fn permille(of: u32, share: u32) -> u32 {
    (u64::from(of) * u64::from(share) / 1000) as u32
}
