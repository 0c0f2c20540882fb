//! Packs against maps in memory that say the same, whole and damaged, by every way in.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::block::BLOCK_BYTES;
use crate::{
    Checks, Description, Error, Key, Keys, Kind, Pack, Packs, Row, Seal, Summary, Table, TableSize, Value, Verified,
    Writer,
};

mod contradictions;
mod damage;
mod files;
mod sealed;

const ALL_CHECKS: [Checks; 3] = [Checks::AtFirstTouch, Checks::AtEveryRead, Checks::Never];

/// Under Miri everything takes a thousand times as long.
const CASES: u32 = if cfg!(miri) { 1 } else { 24 };

/// Keys that are asked for beside those that are there, and whose ranges are scanned.
const ASKED: usize = if cfg!(miri) { 3 } else { 10 };

/// A table of numbers and one of bytes; none as a value is a row that is gone.
#[derive(Clone, Debug, Default)]
struct Rows {
    numbers: BTreeMap<u32, Option<Vec<u8>>>,
    bytes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

fn description(kind: Kind, delivery: u32) -> Description {
    Description { store: *b"a made-up store!", kind, delivery, rows_version: 3, digest: [0xD1; 32] }
}

type InMemory = Writer<Cursor<Vec<u8>>>;

fn fill<S: Write + Seek>(writer: &mut Writer<S>, rows: &Rows) -> Result<(), Error> {
    writer.table("bytes", Keys::Bytes)?;
    for (key, value) in &rows.bytes {
        match value {
            Some(value) => writer.row(&key[..], value)?,
            None => writer.gone(&key[..])?,
        }
    }
    writer.table("empty", Keys::Numbers)?;
    writer.table("numbers", Keys::Numbers)?;
    for (key, value) in &rows.numbers {
        match value {
            Some(value) => writer.row(*key, value)?,
            None => writer.gone(*key)?,
        }
    }
    Ok(())
}

fn written(description: Description, rows: &Rows) -> (Vec<u8>, Summary) {
    let mut writer = Writer::new(Cursor::new(Vec::new()), &description).unwrap();
    fill(&mut writer, rows).unwrap();
    let (file, summary) = writer.finish().unwrap();
    (file.into_inner(), summary)
}

/// A base and an overlay over it, as bytes.
fn pair(base: &Rows, overlay: &Rows) -> (Vec<u8>, Vec<u8>) {
    let (below, summary) = written(description(Kind::Base, 5), base);
    let kind = Kind::Overlay { base_delivery: 5, base_seal: summary.seal };
    (below, written(description(kind, 6), overlay).0)
}

fn packs(below: Vec<u8>, above: Vec<u8>, checks: Checks) -> Result<Packs, Error> {
    let [below, above] = [below, above].map(|bytes| Pack::from_bytes(bytes, checks).map(Arc::new));
    Packs::new(below?, Some(above?))
}

/// What base and overlay say together.
fn merged<K: Ord + Clone>(
    base: &BTreeMap<K, Option<Vec<u8>>>,
    overlay: &BTreeMap<K, Option<Vec<u8>>>,
) -> BTreeMap<K, Vec<u8>> {
    let mut all = base.clone();
    all.extend(overlay.clone());
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// A row as it can be compared: the key as bytes, a number's highest byte first, and the value.
type Plain = (Vec<u8>, Vec<u8>);

fn plain(row: &Row<'_>) -> Plain {
    let key = match row.key() {
        Key::Number(number) => number.to_be_bytes().to_vec(),
        Key::Bytes(bytes) => bytes.to_vec(),
    };
    (key, row.value().to_vec())
}

/// Every way to read a table against the map that says the same. `turns` takes rows from either end of a scan.
fn check_table<'k, K: Ord + Clone + 'k>(
    table: &Table<'_>,
    expected: &'k BTreeMap<K, Vec<u8>>,
    key: fn(&'k K) -> Key<'k>,
    asked: &'k [K],
    turns: &[bool],
) {
    let plain_key = |at: &'k K| match key(at) {
        Key::Number(number) => number.to_be_bytes().to_vec(),
        Key::Bytes(bytes) => bytes.to_vec(),
    };
    for at in asked.iter().chain(expected.keys()) {
        assert_eq!(table.get(key(at)).unwrap().as_deref(), expected.get(at).map(Vec::as_slice));
    }
    let all: Vec<Plain> = expected.iter().map(|(at, value)| (plain_key(at), value.clone())).collect();
    let forward: Vec<Plain> = table.iter().unwrap().map(|row| plain(&row.unwrap())).collect();
    assert!(forward == all, "forward");
    let parts = table.iter().unwrap().map(|row| row.unwrap().into_parts());
    assert!(parts.map(|(key, value)| (key.to_vec(), value.to_vec())).eq(all.iter().cloned()), "in parts");
    assert_eq!((table.len().unwrap(), table.is_empty().unwrap()), (all.len() as u64, all.is_empty()));
    let mut backward: Vec<Plain> = table.iter().unwrap().rev().map(|row| plain(&row.unwrap())).collect();
    backward.reverse();
    assert!(backward == all, "backward");

    for pair in asked.windows(2) {
        let (low, high) = (pair[0].clone().min(pair[1].clone()), pair[0].clone().max(pair[1].clone()));
        let bounds = [Bound::Included, Bound::Excluded];
        for (from, to) in bounds.iter().flat_map(|from| bounds.iter().map(move |to| (from, to))) {
            let within: Vec<Plain> = expected
                .iter()
                .filter(|(at, _)| match from(()) {
                    Bound::Included(()) => **at >= low,
                    _ => **at > low,
                })
                .filter(|(at, _)| match to(()) {
                    Bound::Included(()) => **at <= high,
                    _ => **at < high,
                })
                .map(|(at, value)| (plain_key(at), value.clone()))
                .collect();
            let (first, last) = if pair[0] == low { (&pair[0], &pair[1]) } else { (&pair[1], &pair[0]) };
            let bound = |kind: Bound<()>, at: &'k K| match kind {
                Bound::Included(()) => Bound::Included(key(at)),
                _ => Bound::Excluded(key(at)),
            };
            let range = || table.range((bound(from(()), first), bound(to(()), last))).unwrap();
            let rows: Vec<Plain> = range().map(|row| plain(&row.unwrap())).collect();
            assert!(rows == within, "a range");
            assert!(both_ends(range(), turns) == within, "a range from both ends");
        }
    }
    assert!(both_ends(table.iter().unwrap(), turns) == all, "all rows from both ends");
}

fn both_ends<'p>(mut rows: impl DoubleEndedIterator<Item = Result<Row<'p>, Error>>, turns: &[bool]) -> Vec<Plain> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for turn in turns.iter().chain(&[true]).cycle() {
        let row = if *turn { rows.next() } else { rows.next_back() };
        match row {
            Some(row) if *turn => front.push(plain(&row.unwrap())),
            Some(row) => back.push(plain(&row.unwrap())),
            None => break,
        }
    }
    back.reverse();
    [front, back].concat()
}

fn check_many(table: &Table<'_>, expected: &BTreeMap<u32, Vec<u8>>, asked: &[u32]) {
    let numbers: Vec<u32> = asked.iter().chain(expected.keys()).copied().collect();
    let found = many(table, &numbers).unwrap();
    assert_eq!(found.len(), numbers.len());
    for (number, found) in numbers.iter().zip(&found) {
        assert_eq!(found.as_deref(), expected.get(number).map(Vec::as_slice));
    }
}

/// The values of many numbers.
fn many<'p>(table: &Table<'p>, numbers: &[u32]) -> Result<Vec<Option<Value<'p>>>, Error> {
    let mut found = Vec::new();
    table.get_many(numbers, |number, value| {
        assert_eq!(number, numbers[found.len()]);
        found.push(value);
        Ok(())
    })?;
    Ok::<_, Error>(found)
}

/// Mostly short values, some that go over blocks and some that go over 64 KiB.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let long: usize = if cfg!(miri) { 5000 } else { 150_000 };
    prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        4 => vec(any::<u8>(), 300..900),
        1 => (any::<u8>(), 0..long).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..400u32, 1 => any::<u32>(), 1 => Just(u32::MAX)]
}

fn key_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(0..4u8, 0..7), 1 => vec(any::<u8>(), 0..600)]
}

fn rows(most: usize) -> impl Strategy<Value = Rows> {
    let most = if cfg!(miri) { 6 } else { most };
    let some = |value: Vec<u8>| Some(value);
    let numbers = btree_map(number(), value().prop_map(some), 0..most);
    let bytes = btree_map(key_bytes(), value().prop_map(some), 0..most);
    (numbers, bytes).prop_map(|(numbers, bytes)| Rows { numbers, bytes })
}

/// As [`rows`], with some that are gone.
fn changes(most: usize) -> impl Strategy<Value = Rows> {
    let value = || prop_oneof![2 => value().prop_map(Some), 1 => Just(None)];
    let most = if cfg!(miri) { 6 } else { most };
    let numbers = btree_map(number(), value(), 0..most);
    (numbers, btree_map(key_bytes(), value(), 0..most)).prop_map(|(numbers, bytes)| Rows { numbers, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_base_answers_as_the_map_that_was_written(
        rows in rows(300),
        numbers in vec(number(), 0..ASKED),
        keys in vec(key_bytes(), 0..ASKED),
        turns in vec(any::<bool>(), 0..9),
        checks in prop::sample::select(&ALL_CHECKS[..]),
    ) {
        let (bytes, summary) = written(description(Kind::Base, 1), &rows);
        prop_assert_eq!(summary.bytes, bytes.len() as u64);
        prop_assert_eq!(summary.rows, (rows.numbers.len() + rows.bytes.len()) as u64);
        let pack = Pack::from_bytes(bytes, checks).unwrap();
        prop_assert_eq!(pack.verify().unwrap().rows, summary.rows);
        prop_assert_eq!(pack.seal(), summary.seal);
        let none = Rows::default();
        let (expected, table) = (merged(&rows.numbers, &none.numbers), pack.table("numbers", Keys::Numbers).unwrap());
        check_table(&table, &expected, |number| Key::Number(*number), &numbers, &turns);
        check_many(&table, &expected, &numbers);
        let (expected, table) = (merged(&rows.bytes, &none.bytes), pack.table("bytes", Keys::Bytes).unwrap());
        check_table(&table, &expected, |bytes| Key::Bytes(bytes), &keys, &turns);
        let empty = pack.table("empty", Keys::Numbers).unwrap();
        prop_assert_eq!((empty.get(0).unwrap(), empty.is_empty().unwrap()), (None, true));
    }

    #[test]
    fn base_and_overlay_answer_as_the_map_after_the_changes(
        base in rows(200),
        overlay in changes(100),
        numbers in vec(number(), 0..ASKED),
        keys in vec(key_bytes(), 0..ASKED),
        turns in vec(any::<bool>(), 0..9),
        checks in prop::sample::select(&ALL_CHECKS[..]),
    ) {
        let (below, above) = pair(&base, &overlay);
        let packs = packs(below, above, checks).unwrap();
        prop_assert_eq!(packs.description().delivery, 6);
        packs.overlay().unwrap().verify().unwrap();
        let (expected, table) =
            (merged(&base.numbers, &overlay.numbers), packs.table("numbers", Keys::Numbers).unwrap());
        check_table(&table, &expected, |number| Key::Number(*number), &numbers, &turns);
        check_many(&table, &expected, &numbers);
        let (expected, table) = (merged(&base.bytes, &overlay.bytes), packs.table("bytes", Keys::Bytes).unwrap());
        check_table(&table, &expected, |bytes| Key::Bytes(bytes), &keys, &turns);
    }
}

/// Made-up rows with keys as those of persons: many in a row, then a gap.
fn clustered(count: u32) -> Rows {
    let numbers = (0..count).map(|at| (at / 60 * 10_000 + at % 60 * 7, Some(at.to_le_bytes().repeat(3))));
    Rows { numbers: numbers.collect(), bytes: BTreeMap::new() }
}

#[test]
fn every_number_of_a_large_table_is_found_and_no_other() {
    let count = if cfg!(miri) { 100 } else { 50_000 };
    let rows = clustered(count);
    let (bytes, _) = written(description(Kind::Base, 1), &rows);
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    pack.verify().unwrap();
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    for (number, value) in &rows.numbers {
        assert_eq!(table.get(*number).unwrap().as_deref(), value.as_deref());
        assert_eq!(table.get(number + 1).unwrap(), None);
    }
    check_many(&table, &merged(&rows.numbers, &BTreeMap::new()), &[5, u32::MAX]);
}

#[test]
fn the_index_takes_the_bytes_that_the_docs_say() {
    let count: usize = if cfg!(miri) { 600 } else { 6000 };
    let rows = clustered(count as u32);
    let (bytes, _) = written(description(Kind::Base, 1), &rows);
    // Rows of 8 + 12 + 4 bytes; a line of 64 bytes for six; 128 bytes a table; 6 bytes a block; 4 bytes a block of rows.
    let (rows, lines) = (count * 24, count / 6 * 64);
    let blocks = rows.div_ceil(BLOCK_BYTES) + lines.div_ceil(BLOCK_BYTES);
    let first_keys = rows.div_ceil(BLOCK_BYTES) * 4;
    assert_eq!(bytes.len(), BLOCK_BYTES * (1 + blocks) + 3 * 128 + blocks * 6 + first_keys);
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    let size = pack.table("numbers", Keys::Numbers).unwrap().size();
    assert_eq!(size, TableSize { row_bytes: rows as u64, index_bytes: (lines + first_keys) as u64 });
}

#[test]
fn base_and_overlay_take_what_both_take_and_are_checked_where_both_are() {
    let (below, above) = pair(&clustered(100), &clustered(20));
    for (first, second) in ALL_CHECKS.iter().flat_map(|first| ALL_CHECKS.map(|second| (*first, second))) {
        let base = Arc::new(Pack::from_bytes(below.clone(), first).unwrap());
        let overlay = Arc::new(Pack::from_bytes(above.clone(), second).unwrap());
        assert!(!base.is_encrypted() && !overlay.is_encrypted());
        let packs = Packs::new(base.clone(), Some(overlay.clone())).unwrap();
        let are_checked = first != Checks::Never && second != Checks::Never;
        assert_eq!(packs.are_checked(), are_checked, "{first:?}, {second:?}");
        let [lower, upper] = [base, overlay].map(|pack| pack.table("numbers", Keys::Numbers).unwrap().size());
        let both = TableSize {
            row_bytes: lower.row_bytes + upper.row_bytes,
            index_bytes: lower.index_bytes + upper.index_bytes,
        };
        assert_eq!(packs.table("numbers", Keys::Numbers).unwrap().size(), both);
        assert_eq!(both.row_bytes, 120 * 24);
    }
}

#[test]
fn a_pack_without_tables_is_a_pack() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), &description(Kind::Base, 1)).unwrap();
    writer.set_digest([0xD2; 32]);
    let bytes = writer.finish().unwrap().0.into_inner();
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    assert_eq!((pack.tables().count(), pack.verify().unwrap()), (0, Verified { blocks: 0, rows: 0 }));
    assert_eq!(pack.description().digest, [0xD2; 32], "as it was known in the end");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = clustered(if cfg!(miri) { 100 } else { 1000 });
    let [first, second] = [0, 1].map(|_| written(description(Kind::Base, 1), &rows).0);
    assert!(first == second);
}

#[test]
fn a_value_in_memory_is_aligned_as_in_the_file() {
    let mut rows = clustered(50);
    rows.bytes = (0..50u8).map(|at| (vec![at; usize::from(at)], Some(vec![at; 5]))).collect();
    let (bytes, _) = written(description(Kind::Base, 1), &rows);
    let start = bytes.as_ptr();
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    for (name, keys) in [("numbers", Keys::Numbers), ("bytes", Keys::Bytes)] {
        for row in pack.table(name, keys).unwrap().iter().unwrap() {
            let value = row.unwrap().into_value();
            let at = value.as_borrowed().expect("it is in memory").as_ptr() as usize - start as usize;
            assert_eq!(at % 4, 0);
        }
    }
}

#[test]
fn a_writer_refuses_what_would_be_no_pack() {
    let writer = |kind| Writer::new(Cursor::new(Vec::new()), &description(kind, 1)).unwrap();
    let overlay = Kind::Overlay { base_delivery: 1, base_seal: Seal(0) };
    let in_table = |act: fn(&mut InMemory) -> Result<(), Error>| {
        let mut writer = writer(overlay);
        writer.table("m", Keys::Numbers).unwrap();
        writer.row(5, b"five").unwrap();
        let error = act(&mut writer).unwrap_err();
        // An error ends it.
        assert!(matches!(writer.row(900, b""), Err(Error::Unwritable { .. })));
        assert!(writer.finish().is_err());
        error
    };
    assert!(matches!(in_table(|writer| writer.row(5, b"")), Error::Order { row: 1, .. }));
    assert!(matches!(in_table(|writer| writer.row(4, b"")), Error::Order { .. }));
    assert!(matches!(in_table(|writer| writer.gone(5)), Error::Order { .. }));
    assert!(matches!(in_table(|writer| writer.row(b"six", b"")), Error::OtherKeys { .. }));
    assert!(matches!(in_table(|writer| writer.table("m", Keys::Bytes)), Error::Unwritable { .. }));
    assert!(matches!(in_table(|writer| writer.table("a", Keys::Bytes)), Error::Unwritable { .. }));
    assert!(matches!(in_table(|writer| writer.table("", Keys::Bytes)), Error::Unwritable { .. }));
    assert!(matches!(in_table(|writer| writer.table(&"x".repeat(64), Keys::Bytes)), Error::Unwritable { .. }));
    let long_key = |writer: &mut Writer<_>| {
        writer.table("n", Keys::Bytes)?;
        writer.row(&[0; 65_535][..], b"")?;
        writer.row(&[1; 65_536][..], b"")
    };
    assert!(matches!(in_table(long_key), Error::Unwritable { .. }));
    assert!(matches!(writer(overlay).row(1, b""), Err(Error::Unwritable { .. })));
    let mut base = writer(Kind::Base);
    base.table("m", Keys::Numbers).unwrap();
    assert!(matches!(base.gone(1), Err(Error::Unwritable { .. })));
}

#[test]
fn packs_that_do_not_belong_together_are_refused() {
    let rows = clustered(10);
    let (below, summary) = written(description(Kind::Base, 5), &rows);
    let base = Arc::new(Pack::from_bytes(below, Checks::AtFirstTouch).unwrap());
    let overlay = |description: Description| {
        let bytes = written(description, &Rows::default()).0;
        Some(Arc::new(Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap()))
    };
    let right = description(Kind::Overlay { base_delivery: 5, base_seal: summary.seal }, 6);
    Packs::new(base.clone(), overlay(right)).unwrap();
    Packs::new(base.clone(), None).unwrap();
    let wrong = [
        Description { store: [1; 16], ..right },
        Description { delivery: 4, ..right },
        Description { rows_version: 2, ..right },
        Description { kind: Kind::Base, ..right },
        Description { kind: Kind::Overlay { base_delivery: 4, base_seal: summary.seal }, ..right },
        Description { kind: Kind::Overlay { base_delivery: 5, base_seal: Seal(!summary.seal.0) }, ..right },
    ];
    for wrong in wrong {
        assert!(matches!(Packs::new(base.clone(), overlay(wrong)), Err(Error::Unrelated { .. })));
    }
    let over = overlay(right).unwrap();
    assert!(matches!(Packs::new(over, None), Err(Error::Unrelated { .. })));
}

#[test]
fn a_table_is_asked_by_its_name_and_its_own_kind_of_keys() {
    let (bytes, _) = written(description(Kind::Base, 1), &clustered(10));
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    let tables: Vec<_> = pack.tables().collect();
    assert_eq!(tables, [("bytes", Keys::Bytes), ("empty", Keys::Numbers), ("numbers", Keys::Numbers)]);
    assert!(matches!(pack.table("others", Keys::Bytes), Err(Error::NoTable { .. })));
    assert!(matches!(pack.table("numbers", Keys::Bytes), Err(Error::OtherKeys { .. })));
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    assert!(matches!(table.get(b"ten"), Err(Error::OtherKeys { .. })));
    assert!(matches!(table.range(&b"ten"[..]..), Err(Error::OtherKeys { .. })));
    let table = pack.table("bytes", Keys::Bytes).unwrap();
    assert!(matches!(table.get(1), Err(Error::OtherKeys { asked: Keys::Numbers, found: Keys::Bytes })));
    assert!(matches!(many(&table, &[1]), Err(Error::OtherKeys { .. })));
}

#[test]
fn nothing_says_what_a_key_or_a_value_is() {
    let (bytes, _) = written(description(Kind::Base, 1), &clustered(10));
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    let row = table.iter().unwrap().nth(7).unwrap().unwrap();
    let told = format!("{pack:?} {table:?} {row:?} {:?} {:?}", row.key(), table.get(49).unwrap());
    assert!(!told.contains("49") && !told.contains("[7"), "{told}");
    assert!(told.starts_with("Pack { description: Description {"), "{told}");
    assert!(told.contains("Table { keys: Numbers"), "{told}");
    let writer = Writer::new(Cursor::new(Vec::new()), &description(Kind::Base, 1)).unwrap();
    assert!(format!("{writer:?}").starts_with("Writer {"), "{writer:?}");
}

#[test]
fn values_are_the_same_when_their_bytes_are() {
    let (bytes, _) = written(description(Kind::Base, 1), &clustered(10));
    let pack = Pack::from_bytes(bytes, Checks::AtFirstTouch).unwrap();
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    let [seven, again, other] = [7, 7, 14].map(|number| table.get(number).unwrap().unwrap());
    assert!(seven == again && seven != other);
    assert_eq!(AsRef::<[u8]>::as_ref(&other), 2u32.to_le_bytes().repeat(3));
    // A part is within the bytes, kept or borrowed.
    for value in [|| Value::shared(vec![1, 2, 3, 4]), || Value::borrowed(&[1, 2, 3, 4])] {
        let part = |from: usize, to: usize| value().narrowed(from..to).map(|part| part.to_vec());
        assert_eq!([part(1, 3), part(4, 4), part(0, 5), part(3, 2)], [Some(vec![2, 3]), Some(vec![]), None, None]);
        assert!(value().narrowed(1..3).is_some_and(|part| part.narrowed(1..3).is_none()));
    }
}

/// A sink that fails after so many bytes.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1 = self.1.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_comes() {
    let rows = clustered(if cfg!(miri) { 200 } else { 50_000 });
    let whole = written(description(Kind::Base, 1), &rows).0.len() + BLOCK_BYTES;
    for room in [0, BLOCK_BYTES, whole / 2, whole - BLOCK_BYTES - 1, whole - 1] {
        let sink = Full(Cursor::new(Vec::new()), room);
        let written = Writer::new(sink, &description(Kind::Base, 1)).and_then(|mut writer| {
            fill(&mut writer, &rows)?;
            writer.finish().map(|_| ())
        });
        assert!(matches!(written, Err(Error::Io { .. })), "{room} of {whole} bytes");
    }
    let sink = Full(Cursor::new(Vec::new()), whole);
    let mut writer = Writer::new(sink, &description(Kind::Base, 1)).unwrap();
    fill(&mut writer, &rows).unwrap();
    writer.finish().unwrap();
}

/// A file that notes where each write begins and how much it is.
#[derive(Default)]
struct Noting(Cursor<Vec<u8>>, Vec<(u64, u64)>);

impl Write for Noting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.push((self.0.position(), bytes.len() as u64));
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Noting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// What the system then keeps in large pages; see `writer.rs`.
#[test]
#[cfg_attr(miri, ignore = "megabytes; no other code than smaller packs reach")]
fn a_pack_is_written_two_mebibytes_at_a_time_each_at_a_multiple_of_that() {
    const AT_ONCE: u64 = 2 << 20;
    let mut writer = Writer::new(Noting::default(), &description(Kind::Base, 1)).expect("a pack");
    for (table, rows) in [("a", 9_000), ("b", 10), ("c", 20_000)] {
        writer.table(table, Keys::Numbers).expect("tables in order");
        (0..rows).for_each(|number| writer.row(number, &[7; 300]).expect("rows in order"));
    }
    let (Noting(file, writes), summary) = writer.finish().expect("a pack");
    // The header's place, all but the last of the blocks, the rest of those, the trailer, the header.
    assert_eq!(writes[..2], [(0, 4096), (4096, AT_ONCE - 4096)]);
    let blocks = &writes[2..writes.len() - 3];
    assert!(blocks.len() > 2 && blocks.iter().all(|&(at, bytes)| at % AT_ONCE == 0 && bytes == AT_ONCE));
    let [rest, trailer, header] = writes[writes.len() - 3..] else { unreachable!() };
    assert!(rest.0 % AT_ONCE == 0 && rest.1 < AT_ONCE && header == (0, 4096));
    assert_eq!((rest.0 + rest.1, trailer.0 + trailer.1), (trailer.0, summary.bytes));
    let pack = Pack::from_bytes(file.into_inner(), Checks::AtFirstTouch).expect("a pack");
    assert_eq!(pack.verify().expect("sound").rows, 29_010);
}

#[test]
fn verified_counts_blocks_and_rows() {
    let (bytes, _) = written(description(Kind::Base, 1), &clustered(10));
    let pack = Pack::from_bytes(bytes, Checks::Never).unwrap();
    assert_eq!(pack.verify().unwrap(), Verified { blocks: 2, rows: 10 });
}
