//! The terms of all subscribers, each under the one value that it cannot match without.

use cpr_model::{MunicipalityCode, PersonKey};

use crate::filter::Filter;
use crate::filter::age::AgeRange;
use crate::filter::event_code::EventCode;

use super::candidate::ImageOnDay;

/// Many short lists, end to end.
pub(crate) struct PackedLists<T = u32> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Default> PackedLists<T> {
    /// The lists of `(list, item)` pairs, for lists 0 to `count`; items keep their order. Fewer than 2^32 pairs.
    pub(crate) fn new(count: usize, pairs: &[(u32, T)]) -> PackedLists<T> {
        // All sums below are of these: none can wrap.
        assert!(u32::try_from(pairs.len()).is_ok(), "fewer than 2^32 pairs of a list and an item");
        let mut ends = vec![0u32; count + 1];
        for &(list, _) in pairs {
            ends[list as usize + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut items = vec![T::default(); pairs.len()];
        for &(list, item) in pairs {
            let next = &mut ends[list as usize];
            items[*next as usize] = item;
            *next += 1;
        }
        ends.truncate(count);
        PackedLists { ends, items }
    }

    pub(crate) fn of(&self, list: usize) -> &[T] {
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start as usize..self.ends[list] as usize]
    }
}

const MUNICIPALITIES: usize = 10_000;
const AGES: usize = AgeRange::HIGHEST as usize + 1;

/// Terms by the value that they cannot match without.
pub(crate) struct TermTables {
    /// Terms by municipality code.
    pub(crate) municipalities: PackedLists<TermPreview>,
    /// Street codes and terms by municipality code.
    addresses: PackedLists<(u16, u32)>,
    /// Age ranges that stand alone, by each age in them.
    pub(crate) ages: PackedLists,
    /// *All of* nothing but age ranges, by each age in the narrowest.
    pub(crate) age_sets: PackedLists,
    pub(crate) has_age_sets: bool,
    /// By code.
    pub(crate) events: Vec<(EventCode, u32)>,
    /// *All of* with a number.
    pub(crate) numbers: Vec<(PersonKey, u32)>,
}

/// The member that the fewest persons of a delivery match: by number, address, municipality, code, age.
pub(crate) fn most_selective_member(filter: &Filter) -> &Filter {
    let Filter::AllOf(all) = filter else { return filter };
    let rank = |member: &&Filter| match member {
        Filter::Pnr(_) => (0, 0),
        Filter::Address(_) => (1, 0),
        Filter::Municipality(_) => (2, 0),
        Filter::EventChangeCode(_) => (3, 0),
        Filter::AgeRange(range) => (4, range.to() - range.from()),
        Filter::Everything | Filter::AllOf(_) => (5, 0),
    };
    all.members().iter().min_by_key(rank).expect("an all-of has two members or more")
}

impl TermTables {
    pub(crate) fn new(terms: &[Filter]) -> TermTables {
        let (mut municipalities, mut addresses, mut ages, mut age_sets) = (vec![], vec![], vec![], vec![]);
        let (mut events, mut numbers) = (vec![], vec![]);
        for (term, filter) in (0u32..).zip(terms) {
            match most_selective_member(filter) {
                Filter::Municipality(code) => {
                    municipalities.push((municipality_row(*code), TermPreview::new(term, filter)))
                }
                Filter::Address(address) => {
                    addresses.push((municipality_row(address.municipality), (address.street.0, term)))
                }
                Filter::EventChangeCode(code) => events.push((*code, term)),
                Filter::Pnr(number) => numbers.push((*number, term)),
                Filter::AgeRange(range) => {
                    let table = if matches!(filter, Filter::AllOf(_)) { &mut age_sets } else { &mut ages };
                    table.extend((range.from()..=range.to()).map(|age| (u32::from(age), term)));
                }
                Filter::Everything | Filter::AllOf(_) => {}
            }
        }
        addresses.sort_unstable();
        events.sort_unstable();
        numbers.sort_unstable();
        TermTables {
            municipalities: PackedLists::new(MUNICIPALITIES, &municipalities),
            addresses: PackedLists::new(MUNICIPALITIES, &addresses),
            ages: PackedLists::new(AGES, &ages),
            has_age_sets: !age_sets.is_empty(),
            age_sets: PackedLists::new(AGES, &age_sets),
            events,
            numbers,
        }
    }

    pub(crate) fn addresses(&self, image: &ImageOnDay) -> &[(u16, u32)] {
        let (Some(municipality), Some(address)) = (image.municipality, image.address) else { return &[] };
        rows_under(self.addresses.of(municipality_row(municipality) as usize), &address.street.0)
    }
}

/// What a term asks beside its municipality, in so few bytes that most terms of a municipality are passed over without
/// a look at their filters. What passes may still not match.
#[derive(Clone, Copy, Default)]
pub(crate) struct TermPreview {
    pub(crate) term: u32,
    /// Ages that either image must have; up to `NO_AGE` when the term asks none.
    from: u16,
    to: u16,
    /// A bit for each code asked for.
    event_bits: u64,
}

/// Stands for the age of an image that has none.
pub(crate) const NO_AGE: u16 = u16::MAX;

impl TermPreview {
    fn new(term: u32, filter: &Filter) -> TermPreview {
        let mut preview = TermPreview { term, from: 0, to: NO_AGE, event_bits: 0 };
        let members = if let Filter::AllOf(all) = filter { all.members() } else { &[] };
        for member in members {
            match member {
                Filter::AgeRange(range) => {
                    preview.from = preview.from.max(range.from());
                    preview.to = preview.to.min(range.to());
                }
                Filter::EventChangeCode(code) => preview.event_bits |= event_bit(*code),
                _ => {}
            }
        }
        preview
    }

    pub(crate) fn admits(&self, ages: [u16; 2], event_bits: u64) -> bool {
        let is_between = |age| self.from <= age && age <= self.to;
        self.event_bits & !event_bits == 0 && (is_between(ages[0]) || is_between(ages[1]))
    }
}

/// One of 64 bits for a code; several codes share one.
pub(crate) fn event_bit(code: EventCode) -> u64 {
    let [a, b, c] = code.bytes();
    1 << (u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> 26)
}

/// The place of a municipality in its table; codes beyond four digits share the place of none.
pub(crate) fn municipality_row(code: MunicipalityCode) -> u32 {
    if usize::from(code.0) < MUNICIPALITIES { u32::from(code.0) } else { 0 }
}

/// The rows of a sorted table under a key.
pub(crate) fn rows_under<'a, K: Ord>(rows: &'a [(K, u32)], key: &K) -> &'a [(K, u32)] {
    let start = rows.partition_point(|(of, _)| of < key);
    let length = rows[start..].iter().take_while(|(of, _)| of == key).count();
    &rows[start..start + length]
}
