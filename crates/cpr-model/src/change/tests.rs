//! The classification against its rules without cleverness, and how often it looks.

use proptest::prelude::*;

use super::pairing::{FEW_PAIRS, Pairing};
use super::{ChangeClass, Fact, Rules, Situation, classify, classify_open, reference};
use crate::{Aspect, Date, Field, Kind, RowKind, Timestamp, Values, ValuesWriter};

/// One row: what it is about, and its packed values.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Row {
    aspect: Aspect,
    historic: bool,
    values: Vec<u8>,
}

impl Row {
    /// A row of these fields, 0 for one that is empty. Bounds and mark stand first, as they are packed.
    fn new(aspect: Aspect, historic: bool, fields: &[(Field, u64)]) -> Row {
        let mut values = Vec::new();
        let mut writer = ValuesWriter(&mut values);
        for &(field, value) in fields.iter().filter(|(_, value)| *value != 0) {
            match field.kind() {
                Kind::Text => writer.text(field, value.to_string().as_bytes()),
                Kind::Small | Kind::Code => writer.number(field, Some(value as u16)),
                Kind::Date => writer.date(field, 19_000_101 + value as u32),
                Kind::Timestamp => writer.digits(field, 190_001_010_000 + value),
                Kind::Pnr => writer.digits(field, 6_101_800_000 + value),
                Kind::Flag => writer.flag(field, value as u8),
            }
        }
        Row { aspect, historic, values }
    }

    fn fact(&self) -> Fact<'_> {
        let known = bitemporal::Known { from: 1, to: None };
        Fact::new(0, RowKind::new(self.aspect, self.historic), known, Values::new(&self.values)).expect("an aspect")
    }
}

const ASPECTS: [(Aspect, &[Field]); 10] = [
    (Aspect::Person, &[Field::Status, Field::CurrentPnr]),
    (Aspect::Address, &[Field::MunicipalityCode, Field::StreetCode, Field::Floor]),
    (Aspect::FormattedAddress, &[Field::StandardAddressLine]),
    (Aspect::Protection, &[Field::ProtectionKind]),
    (Aspect::Emigration, &[Field::EmigrationCountryCode, Field::ImmigrationCountryCode]),
    (Aspect::Name, &[Field::GivenNames, Field::MiddleNames, Field::Surname]),
    (Aspect::Church, &[Field::ChurchMembership]),
    (Aspect::CivilStatus, &[Field::CivilStatus, Field::SpouseName, Field::CivilStatusEndUncertain]),
    (Aspect::Note, &[Field::NoteNumber, Field::NoteLine]),
    (Aspect::FormerNumber, &[Field::FormerPnr]),
];

/// Rows that often agree: in all they say, in a bound, in the place, or in what they leave out.
fn row(of: std::ops::Range<usize>) -> impl Strategy<Value = Row> {
    let mark = prop_oneof![6 => Just(0), 1 => Just(u64::from(b'K')), 1 => Just(u64::from(b'A')), 1 => Just(0xC6)];
    let says = (0u64..3, 0u64..3, 0u64..2);
    (of, prop::bool::ANY, 0u64..4, 0u64..4, mark, says).prop_map(|(at, historic, from, to, mark, says)| {
        let (aspect, fields) = ASPECTS[at];
        let mut all: Vec<(Field, u64)> = aspect.start().map(|field| (field, from)).into_iter().collect();
        if historic {
            all.extend(aspect.end().map(|field| (field, to)));
            all.push((Field::CorrectionMark, mark));
        }
        all.extend(fields.iter().copied().zip([says.0, says.1, says.2]));
        Row::new(aspect, historic, &all)
    })
}

fn situation() -> impl Strategy<Value = Situation> {
    let moment = || prop::option::of(0u64..4);
    (prop::bool::ANY, moment(), moment()).prop_map(|(held_before, previous, window)| Situation {
        held_before,
        previous_production: previous.and_then(|day| Date::from_digits(19_000_101 + day as u32)),
        window: window.and_then(|minute| Timestamp::from_digits(190_001_010_000 + minute)),
    })
}

/// The positions of rows without an equal one on the other side.
fn apart(these: &[Row], those: &[Row]) -> Vec<usize> {
    let mut left: Vec<&Row> = those.iter().collect();
    let mut is_apart = |row: &Row| left.iter().position(|&other| other == row).map(|at| left.swap_remove(at)).is_none();
    (0..these.len()).filter(|&at| is_apart(&these[at])).collect()
}

fn facts(rows: &[Row]) -> Vec<Fact<'_>> {
    rows.iter().map(Row::fact).collect()
}

fn rows(of: std::ops::Range<usize>) -> impl Strategy<Value = [Vec<Row>; 2]> {
    let side = move || prop::collection::vec(row(of.clone()), 0..40);
    (side(), side()).prop_map(|(before, after)| [before, after])
}

proptest! {
    #[test]
    fn rows_are_classified_as_the_rules_without_cleverness_do(
        // All aspects mixed, or one alone, where rows get into each other's way.
        [before, after] in prop_oneof![
            rows(0..ASPECTS.len()),
            (0..ASPECTS.len()).prop_flat_map(|at| rows(at..at + 1)),
        ],
        situation in situation(),
        few in prop_oneof![4 => Just(0), 1 => Just(20), 1 => Just(FEW_PAIRS)],
    ) {
        let (gone, came) = (apart(&before, &after), apart(&after, &before));
        let (before, after) = (facts(&before), facts(&after));
        let rules = Rules::new(&before, &after, &came, situation);
        let (found, _) = classify_open(rules, Pairing::new(&before, &after, &gone, &came, few));
        prop_assert_eq!(found, reference::classify(&before, &after, &gone, &came, situation));
    }
}

/// A person of so many rows before, and as many after that all differ.
type Shape = fn(usize) -> (Vec<Row>, Vec<Row>);

fn history(mark: u64) -> impl Fn(u64, u64, u64) -> Row {
    move |from, to, street| {
        let bounds = [(Field::MovedIn, from), (Field::MovedOut, to), (Field::CorrectionMark, mark)];
        let says = [(Field::MunicipalityCode, 101), (Field::StreetCode, street)];
        Row::new(Aspect::Address, true, &[&bounds[..], &says].concat())
    }
}

fn current(from: u64, street: u64) -> Row {
    let says = [(Field::MovedIn, from), (Field::MunicipalityCode, 101), (Field::StreetCode, street)];
    Row::new(Aspect::Address, false, &says)
}

/// Ways in which many rows of one person can be alike.
const SHAPES: [(&str, Shape); 9] = [
    ("each row with other values in its place", |rows| {
        let row = |street| move |at| history(0)(at, at + 1, street);
        ((1..rows as u64).map(row(1)).collect(), (1..rows as u64).map(row(2)).collect())
    }),
    ("rows of one start with other values", |rows| {
        let row = |street| move |at| history(0)(1, at + 1, at + street);
        ((1..rows as u64).map(row(1)).collect(), (1..rows as u64).map(row(70_000)).collect())
    }),
    ("rows of one start and one end that say the same, marked", |rows| {
        let (held, marked) = (history(0)(1, 2, 1), history(u64::from(b'K'))(1, 2, 1));
        (vec![held; rows], vec![marked; rows])
    }),
    ("each row disproved and replaced", |rows| {
        let half = rows as u64 / 2;
        let held = (1..half).map(|at| history(0)(at, at + 1, 1));
        let marked = (1..half).map(|at| history(u64::from(b'K'))(at, at, 1));
        (held.collect(), marked.chain((1..half).map(|at| history(0)(at, at + 1, 2))).collect())
    }),
    ("each row disproved and, last first, replaced from another start", |rows| {
        let half = rows as u64 / 2;
        let held = (1..half).map(|at| history(0)(2 * at, 2 * at + 2, 1));
        let marked = (1..half).map(|at| history(u64::from(b'K'))(2 * at, 2 * at, 1));
        let heirs = (1..half).rev().map(|at| history(0)(2 * at + 1, 2 * at + 2, 2));
        (held.collect(), marked.chain(heirs).collect())
    }),
    ("marks that disprove nothing, beside rows of one end", |rows| {
        let half = rows as u64 / 2;
        let held = (1..half).map(|at| history(0)(at, 70_000, 1));
        let marked = (1..half).map(|at| history(u64::from(b'A'))(at, at, 2));
        (held.collect(), marked.chain((1..half).map(|at| history(0)(at + half, 70_000, 3))).collect())
    }),
    ("current rows that became history", |rows| {
        let before = (1..rows as u64).map(|at| current(at, at)).collect();
        (before, (1..rows as u64).map(|at| history(0)(at, at + 1, at)).collect())
    }),
    ("current rows of one start that became history of other values", |rows| {
        let before = (1..rows as u64).map(|at| current(1, at)).collect();
        (before, (1..rows as u64).map(|at| history(0)(1, at + 1, at + 70_000)).collect())
    }),
    ("history of one start that fills many sets of fields", |rows| {
        ((1..rows as u64).map(filling(false, 0)).collect(), (1..rows as u64).map(filling(true, 70_000)).collect())
    }),
];

/// Rows of one start, each of which fills a set of fields of its own, with values of its own.
fn filling(historic: bool, other: u64) -> impl Fn(u64) -> Row {
    const OPTIONAL: [Field; 12] = [
        Field::HouseNumber,
        Field::Floor,
        Field::SideOrDoor,
        Field::BuildingNumber,
        Field::CareOfName,
        Field::StreetName,
        Field::PostalCode,
        Field::GivenNames,
        Field::MiddleNames,
        Field::Surname,
        Field::NoteLine,
        Field::CivilStatus,
    ];
    move |at| {
        let mut fields = vec![(Field::MovedIn, 1), (Field::MovedOut, if historic { at } else { 0 })];
        let filled = |bit: usize| if at >> bit & 1 == 1 { at + other } else { 0 };
        fields.extend(OPTIONAL.iter().enumerate().map(|(bit, field)| (*field, filled(bit))));
        Row::new(Aspect::Address, historic, &fields)
    }
}

#[test]
fn twice_the_rows_cost_twice_the_looks_however_alike_they_are() {
    // Half of the rows left the window.
    let window = Timestamp::from_digits(190_001_012_000);
    let situation = Situation { held_before: true, previous_production: None, window };
    for (name, shape) in SHAPES {
        let looks = [2_000, 4_000, 8_000].map(|rows| {
            let (before, after) = shape(rows);
            let (before, after) = (facts(&before), facts(&after));
            let (gone, came): (Vec<_>, Vec<_>) = ((0..before.len()).collect(), (0..after.len()).collect());
            let rules = Rules::new(&before, &after, &came, situation);
            classify_open(rules, Pairing::new(&before, &after, &gone, &came, FEW_PAIRS)).1
        });
        assert!(looks[0] > 0, "{name}: nothing was counted");
        assert!(looks.is_sorted_by(|less, more| more * 10 <= less * 24), "{name}: {looks:?}");
    }
}

#[test]
fn every_row_is_in_one_change() {
    let (before, after) = SHAPES[3].1(500);
    let (gone, came): (Vec<_>, Vec<_>) = ((0..before.len()).collect(), (0..after.len()).collect());
    let (before, after) = (facts(&before), facts(&after));
    let situation = Situation { held_before: true, previous_production: None, window: None };
    let changes = classify(&before, &after, &gone, &came, situation);
    let mut sides: [Vec<usize>; 2] = Default::default();
    for change in changes {
        sides[0].extend(change.before);
        sides[1].extend(change.after);
    }
    sides.iter_mut().for_each(|side| side.sort_unstable());
    assert_eq!(sides, [gone, came]);
}

#[test]
fn what_became_history_is_found_by_all_it_says_however_many_sets_of_fields_are_filled() {
    let situation = Situation { held_before: true, previous_production: None, window: None };
    for rows in [62, 63, 64, 65, 66, 200] {
        let (before, after): (Vec<Row>, Vec<Row>) =
            (1..=rows).map(|at| (filling(false, 0)(at), filling(true, 0)(at))).unzip();
        let (before, after) = (facts(&before), facts(&after));
        let all: Vec<usize> = (0..before.len()).collect();
        let changes = classify(&before, &after, &all, &all, situation);
        let told = changes.iter().map(|change| (change.class, change.before, change.after));
        let ended: Vec<_> = all.iter().map(|&at| (ChangeClass::Ended, Some(at), Some(at))).collect();
        assert_eq!(told.collect::<Vec<_>>(), ended, "{rows} sets");
    }
}
