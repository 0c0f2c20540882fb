//! Packs on disk: every way in gives the same answers; a pack is there whole or not at all.
//!
//! Miri maps no files and makes none with rights of their own: there packs are read in two ways of three, and what is
//! proved of their creation is left out.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::*;

/// Rows of each table of [`large`].
const ROWS: u32 = if cfg!(miri) { 20 } else { 1000 };

/// Rows enough that scans go over several 64 KiB, with some longer than that; under Miri over several blocks.
fn large() -> Rows {
    let longest = if cfg!(miri) { 5000 } else { 100_000 };
    let long = |at: u32| if at.is_multiple_of(ROWS - 3) { longest } else { 40 + at as usize % 700 };
    let numbers = (0..ROWS).map(|at| (at * 3, Some(vec![at as u8; long(at)]))).collect();
    let bytes = (0..ROWS).map(|at| (at.to_be_bytes().to_vec(), Some(vec![at as u8; at as usize % 20]))).collect();
    Rows { numbers, bytes }
}

#[cfg(miri)]
fn publish(path: &Path, rows: &Rows) -> Summary {
    let (bytes, summary) = written(description(Kind::Base, 1), rows);
    let part = path.with_extension("part");
    fs::write(&part, bytes).unwrap();
    fs::rename(part, path).unwrap();
    summary
}

#[cfg(not(miri))]
fn publish(path: &Path, rows: &Rows) -> Summary {
    let mut writer = Writer::create(path, &description(Kind::Base, 1)).unwrap();
    fill(&mut writer, rows).unwrap();
    writer.publish().unwrap()
}

#[cfg(not(miri))]
#[allow(unsafe_code)]
fn map(path: &Path, checks: Checks) -> Result<Pack, Error> {
    // SAFETY: the tests replace packs by rename alone.
    unsafe { Pack::map(path, checks) }
}

/// A way in.
type Way = fn(&Path, Checks) -> Result<Pack, Error>;

#[cfg(not(miri))]
const WAYS: [Way; 3] = [map, Pack::read, Pack::open];
#[cfg(miri)]
const WAYS: [Way; 2] = [Pack::read, Pack::open];

#[test]
fn every_way_in_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let rows = large();
    let summary = publish(&path, &rows);
    assert_eq!(fs::metadata(&path).unwrap().len(), summary.bytes);
    let none = Rows::default();
    let numbers = merged(&rows.numbers, &none.numbers);
    let bytes = merged(&rows.bytes, &none.bytes);
    let (asked_numbers, asked_bytes) = ([1, ROWS * 3 - 10, 7], [vec![], vec![0, 0, 3], vec![0, 0, 9, 9, 9]]);
    for (way, checks) in WAYS.iter().flat_map(|way| ALL_CHECKS.map(|checks| (way, checks))) {
        let pack = way(&path, checks).unwrap();
        assert_eq!(pack.seal(), summary.seal);
        assert_eq!(pack.verify().unwrap().rows, 2 * u64::from(ROWS));
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        check_table(&table, &numbers, |number| Key::Number(*number), &asked_numbers, &[true, false, false]);
        check_many(&table, &numbers, &asked_numbers);
        let table = pack.table("bytes", Keys::Bytes).unwrap();
        check_table(&table, &bytes, |bytes| Key::Bytes(bytes), &asked_bytes, &[false, true]);
    }
}

#[test]
fn the_last_block_of_a_pack_without_an_index_is_read_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let mut writer = Writer::new(Cursor::new(Vec::new()), &description(Kind::Base, 1)).unwrap();
    writer.table("bytes", Keys::Bytes).unwrap();
    let rows: BTreeMap<_, _> = (0..10u8).map(|at| (vec![at], vec![at; 1000])).collect();
    rows.iter().for_each(|(key, value)| writer.row(&key[..], value).unwrap());
    fs::write(&path, writer.finish().unwrap().0.into_inner()).unwrap();
    for (way, checks) in WAYS.iter().flat_map(|way| ALL_CHECKS.map(|checks| (way, checks))) {
        let pack = way(&path, checks).unwrap();
        let table = pack.table("bytes", Keys::Bytes).unwrap();
        check_table(&table, &rows, |bytes| Key::Bytes(bytes), &[vec![8], vec![11]], &[true, false]);
    }
}

#[test]
fn a_damaged_hash_section_is_told_by_the_gets_that_need_it_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let rows = clustered(if cfg!(miri) { 60 } else { 20_000 });
    let (mut bytes, _) = written(description(Kind::Base, 1), &rows);
    let trailer = u64::from_le_bytes(bytes[56..64].try_into().unwrap()) as usize;
    // The last block before the trailer is the last one of the only hash section.
    bytes[trailer - BLOCK_BYTES + 1] ^= 4;
    fs::write(&path, bytes).unwrap();
    for way in WAYS {
        let pack = way(&path, Checks::AtFirstTouch).unwrap();
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        let (found, told): (Vec<_>, Vec<_>) =
            rows.numbers.keys().map(|number| table.get(*number)).partition(Result::is_ok);
        assert!(found.into_iter().all(|value| value.is_ok_and(|value| value.is_some())));
        let at = (trailer - BLOCK_BYTES) as u64;
        assert!(told.iter().all(|error| matches!(error, Err(Error::Damaged { at: place, .. }) if *place == at)));
        assert!(!told.is_empty());
        assert!(pack.verify().is_err());
    }
}

#[test]
fn threads_share_a_pack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let rows = large();
    publish(&path, &rows);
    let expected = merged(&rows.numbers, &BTreeMap::new());
    for way in WAYS {
        let pack = way(&path, Checks::AtFirstTouch).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| check_many(&pack.table("numbers", Keys::Numbers).unwrap(), &expected, &[]));
            }
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "a file with rights of its own")]
fn a_published_pack_is_its_owners_alone_and_nobody_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let writer = Writer::create(&path, &description(Kind::Base, 1)).unwrap();
    let unfinished: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(fs::metadata(&unfinished[0]).unwrap().permissions().mode() & 0o777, 0o600);
    writer.publish().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
#[cfg_attr(miri, ignore = "a file with rights of its own")]
fn an_unfinished_pack_leaves_nothing_behind_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    publish(&path, &large());
    let before = fs::read(&path).unwrap();
    let mut writer = Writer::create(&path, &description(Kind::Base, 2)).unwrap();
    writer.table("numbers", Keys::Numbers).unwrap();
    writer.row(2, b"two").unwrap();
    assert!(writer.row(1, b"one").is_err());
    assert!(writer.publish().is_err());
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn whoever_reads_a_replaced_pack_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let (old, new) = (large(), clustered(10));
    publish(&path, &old);
    let readers = WAYS.map(|way| way(&path, Checks::AtFirstTouch).unwrap());
    publish(&path, &new);
    let expected = merged(&old.numbers, &BTreeMap::new());
    for pack in &readers {
        check_many(&pack.table("numbers", Keys::Numbers).unwrap(), &expected, &[]);
        assert_eq!(pack.verify().unwrap().rows, 2 * u64::from(ROWS));
    }
    assert_eq!(Pack::open(&path, Checks::AtFirstTouch).unwrap().verify().unwrap().rows, 10);
}

#[test]
fn a_folder_or_an_empty_file_is_no_pack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let sound = written(description(Kind::Base, 1), &damage::small()).0;
    for length in [1, 8, BLOCK_BYTES - 1] {
        fs::write(&path, &sound[..length]).unwrap();
        for way in WAYS {
            let opened = way(&path, Checks::AtFirstTouch);
            assert!(matches!(opened, Err(Error::NotAPack)), "{length} bytes are less than a header");
        }
    }
    fs::write(&path, b"").unwrap();
    for way in WAYS {
        assert!(way(&path, Checks::AtFirstTouch).is_err());
        assert!(way(folder.path(), Checks::AtFirstTouch).is_err());
        assert!(matches!(way(&folder.path().join("nothing"), Checks::AtFirstTouch), Err(Error::Io { .. })));
    }
}

#[test]
fn checks_at_every_read_tell_of_a_file_that_changes_behind_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let mut bytes = written(description(Kind::Base, 1), &damage::small()).0;
    let at = bytes.windows(20).position(|bytes| bytes == [11; 20]).unwrap();
    for (checks, is_told) in [(Checks::AtEveryRead, true), (Checks::AtFirstTouch, false)] {
        fs::write(&path, &bytes).unwrap();
        let pack = Pack::open(&path, checks).unwrap();
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        assert!(table.get(99).unwrap().is_some());
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(table.get(99).is_err(), is_told);
        assert_eq!(table.iter().unwrap().any(|row| row.is_err()), is_told);
        bytes[at] ^= 1;
    }
}

#[test]
fn a_file_that_is_cut_short_while_it_is_open_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let summary = publish(&path, &large());
    let pack = Pack::open(&path, Checks::AtFirstTouch).unwrap();
    #[cfg(not(miri))]
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(summary.bytes / 2).unwrap();
    assert!(fs::metadata(&path).unwrap().size() < summary.bytes);
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    assert!(table.iter().unwrap().any(|row| matches!(row, Err(Error::Io { .. }))));
    assert!(matches!(pack.verify(), Err(Error::Io { .. })));
}

#[test]
#[cfg_attr(miri, ignore = "many packs of several blocks: minutes there, of code that others run")]
fn of_a_row_over_several_blocks_each_is_looked_at_and_the_next_ones_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    // The rows under numbers end where a block does: eight bytes before their value, four behind it.
    let lengths = [(0xA1, 2 * BLOCK_BYTES - 12), (0xA2, 2 * BLOCK_BYTES - 12), (0xA3, 3 * BLOCK_BYTES)];
    let [first, second, third] = lengths.map(|(byte, length)| vec![byte; length]);
    let rows = Rows {
        numbers: BTreeMap::from([(1, Some(first.clone())), (2, Some(second.clone()))]),
        bytes: BTreeMap::from([(vec![1], Some(third.clone()))]),
    };
    let (sound, _) = written(description(Kind::Base, 1), &rows);
    for (byte, length) in lengths {
        let start = sound.windows(64).position(|bytes| bytes == [byte; 64]).unwrap();
        for at in (start..start + length).step_by(509) {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            for (way, checks) in WAYS.iter().flat_map(|way| ALL_CHECKS[..2].iter().map(move |checks| (way, *checks))) {
                let pack = way(&path, checks).unwrap();
                let [numbers, bytes] = [("numbers", Keys::Numbers), ("bytes", Keys::Bytes)]
                    .map(|(name, keys)| pack.table(name, keys).unwrap());
                let answers = [(&first, numbers.get(1)), (&second, numbers.get(2)), (&third, bytes.get(&[1]))];
                for (value, answer) in answers {
                    match value[0] == byte {
                        true => assert!(matches!(answer, Err(Error::Damaged { .. })), "{checks:?}, byte {at}"),
                        false => assert!(answer.unwrap().as_deref() == Some(value), "{checks:?}, byte {at}"),
                    }
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "many packs of several blocks: minutes there, of code that others run")]
fn damage_anywhere_in_a_row_is_told_where_it_lies_over_two_blocks_or_two_readings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let (numbers, long) = ([0xB1, 0xB2, 0xB3], 0xB4);
    let rows = Rows {
        numbers: numbers.iter().map(|&byte| (u32::from(byte), Some(vec![byte; 3000]))).collect(),
        // A file is read 64 KiB at a time.
        bytes: BTreeMap::from([(vec![long], Some(vec![long; 70_000]))]),
    };
    let (sound, _) = written(description(Kind::Base, 1), &rows);
    for (byte, length) in [(numbers[0], 3000), (numbers[1], 3000), (numbers[2], 3000), (long, 70_000)] {
        let start = sound.windows(64).position(|bytes| bytes == [byte; 64]).unwrap();
        for at in [start, start + length / 2, start + length - 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            for (way, checks) in WAYS.iter().flat_map(|way| ALL_CHECKS[..2].iter().map(move |checks| (way, *checks))) {
                let pack = way(&path, checks).unwrap();
                let answer = match byte == long {
                    true => pack.table("bytes", Keys::Bytes).unwrap().get(&[byte]).map(drop),
                    false => pack.table("numbers", Keys::Numbers).unwrap().get(u32::from(byte)).map(drop),
                };
                assert!(matches!(answer, Err(Error::Damaged { .. })), "{checks:?}, byte {at}");
            }
        }
    }
}

#[test]
fn the_first_gets_of_what_is_not_in_memory_do_without_the_hash_section() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let rows = clustered(600);
    // Nobody can read a line of the hash section.
    let (mut damaged, _) = written(description(Kind::Base, 1), &rows);
    let trailer = u64::from_le_bytes(damaged[56..64].try_into().unwrap()) as usize;
    damaged[trailer - 2 * BLOCK_BYTES..trailer].iter_mut().for_each(|byte| *byte ^= 1);
    fs::write(&path, damaged).unwrap();
    // Of rows that are there and of some that are not, from the middle on.
    let asked = rows.numbers.keys().skip(300).flat_map(|&number| [number, number + 1]).take(100);
    // A map's index is read 2 MiB at a time, which 32 pages take; a file's 64 KiB at a time; in memory nothing is.
    let expected = &[32, 0, 1][3 - WAYS.len()..];
    let ways = WAYS.iter().zip(expected);
    for ((way, expected), checks) in ways.flat_map(|way| ALL_CHECKS[..2].iter().map(move |checks| (way, *checks))) {
        let pack = way(&path, checks).unwrap();
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        let answers: Vec<_> = asked.clone().map(|number| (number, table.get(number))).collect();
        let sound = answers.iter().take_while(|(_, answer)| answer.is_ok()).count();
        assert_eq!(sound, *expected, "{checks:?}");
        assert!(answers[sound..].iter().all(|(_, answer)| matches!(answer, Err(Error::Damaged { .. }))));
        for (number, answer) in &answers[..sound] {
            let expected = rows.numbers.get(number).and_then(Option::as_deref);
            assert_eq!(answer.as_ref().unwrap().as_deref(), expected);
        }
    }
}
