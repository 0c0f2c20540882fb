//! A pack whose checks are right and that contradicts itself: it is refused when it is opened, or told by a
//! verification, and a question about it is never answered wrong. And what the format says byte for byte.

use super::damage::{answers_of, reseal, small};
use super::*;
use crate::hash::{Lines, Places, can_be_placed, choices, search};
use crate::keys::RawKey;
use crate::row::Head;

/// The sound pack of [`small`]: tables `bytes`, `empty` and `numbers`; one block of rows each for two of them, and one
/// of the hash section.
const BLOCK: usize = BLOCK_BYTES;
const TRAILER: usize = 4 * BLOCK;
const STARTS: usize = TRAILER + 3 * 128 + 3 * 4;
const FIRST_KEYS: usize = STARTS + 3 * 2;
const BYTES: usize = TRAILER;
const NUMBERS: usize = TRAILER + 2 * 128;

fn sound() -> Vec<u8> {
    let (bytes, _) = written(description(Kind::Base, 5), &small());
    assert_eq!(u64::from_le_bytes(bytes[56..64].try_into().unwrap()) as usize, TRAILER);
    bytes
}

/// With other bytes at a place, and every check put right.
fn forged(mut bytes: Vec<u8>, at: usize, to: &[u8]) -> Vec<u8> {
    assert!(bytes[at..at + to.len()] != *to, "it stands there already");
    bytes[at..at + to.len()].copy_from_slice(to);
    reseal_row(&mut bytes, at);
    reseal(&mut bytes);
    bytes
}

/// Puts the check right of the row under a number in which a place is, where it is in one of [`sound`].
fn reseal_row(bytes: &mut [u8], place: usize) {
    let (mut at, end) = (2 * BLOCK, 2 * BLOCK + rows_bytes() as usize);
    if !(at..end).contains(&place) {
        return;
    }
    loop {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
        let value_bytes = if length == u32::MAX { 0 } else { length as usize };
        let next = at + (8 + value_bytes + 4).next_multiple_of(8);
        if place < next {
            if next <= end {
                let check = crc32fast::hash(&bytes[at..next - 4]);
                bytes[next - 4..next].copy_from_slice(&check.to_le_bytes());
            }
            return;
        }
        at = next;
    }
}

fn opened(bytes: Vec<u8>) -> Result<Pack, Error> {
    Pack::from_bytes(bytes, Checks::AtFirstTouch)
}

/// The bytes of the rows of `numbers`.
fn rows_bytes() -> u64 {
    u64::from_le_bytes(sound()[NUMBERS + 96..NUMBERS + 104].try_into().unwrap())
}

#[test]
fn a_trailer_that_contradicts_itself_is_refused_though_its_check_is_right() {
    let eight = |number: u64| number.to_le_bytes().to_vec();
    let end_of_space = (u64::MAX - 4095).to_le_bytes().to_vec();
    let rows = rows_bytes();
    let bytes_end = u64::from_le_bytes(sound()[BYTES + 96..][..8].try_into().unwrap());
    let wrong: [(&str, usize, Vec<u8>); 28] = [
        ("a name of 64 bytes", BYTES, vec![64]),
        ("keys of no kind", NUMBERS + 64, vec![0]),
        ("keys of a third kind", NUMBERS + 64, vec![3]),
        ("a name that comes after the next one", BYTES + 1, b"f".to_vec()),
        ("a name that comes twice", BYTES + 128, b"\x05bytes".to_vec()),
        ("rows amid a block", NUMBERS + 88, eight(2 * BLOCK as u64 + 8)),
        ("rows where another table's are", NUMBERS + 88, eight(BLOCK as u64)),
        ("rows in the header", BYTES + 88, eight(0)),
        ("rows behind the end of numbers", NUMBERS + 88, end_of_space),
        ("rows that end in the hash section", NUMBERS + 96, eight(BLOCK as u64 + 8)),
        ("rows that end within eight bytes", NUMBERS + 96, eight(rows - 4)),
        ("more rows than have room", NUMBERS + 72, eight(rows / 8 + 1)),
        ("more gone rows than rows", NUMBERS + 80, eight(13)),
        ("no row, and a hash section", NUMBERS + 72, eight(0)),
        ("rows, and no hash section", NUMBERS + 112, vec![0; 4]),
        ("a hash section of keys that are bytes", BYTES + 112, vec![1]),
        ("a hash section amid a block", NUMBERS + 104, eight(3 * BLOCK as u64 + 64)),
        ("a hash section that ends in the trailer", NUMBERS + 112, vec![65]),
        ("a hash section behind the trailer", NUMBERS + 104, eight(TRAILER as u64)),
        ("a byte too much of first keys", BYTES + 120, eight(7)),
        ("a byte too few of first keys", BYTES + 120, eight(5)),
        ("a first key behind the rows", FIRST_KEYS, sound()[BYTES + 96..][..4].to_vec()),
        ("a first key where the rows end", FIRST_KEYS, (bytes_end as u32 / 8).to_le_bytes().to_vec()),
        ("a first key of a block too much", NUMBERS + 120, eight(8)),
        ("a first key of a block too few", NUMBERS + 120, eight(0)),
        ("a first key of a block too short", NUMBERS + 120, eight(3)),
        ("a table too few", 68, vec![2]),
        ("a table too much", 68, vec![4]),
    ];
    for (what, at, to) in wrong {
        let error = opened(forged(sound(), at, &to)).map(|_| ()).expect_err(what);
        assert!(matches!(error, Error::Damaged { at, .. } if at == TRAILER as u64), "{what}: {error}");
    }
}

/// Version 2 had an entry for each 64 KiB of rows under numbers, too.
#[test]
fn a_pack_of_version_2_answers_as_one_of_today() {
    let sound = sound();
    let (mut older, first_key) = (sound[..FIRST_KEYS + 6].to_vec(), &sound[FIRST_KEYS + 6..]);
    older.extend([&[0; 4][..], &[4, 0], first_key].concat());
    older[8] = 2;
    older[NUMBERS + 120] = 10;
    let length = older.len() as u64;
    older[48..56].copy_from_slice(&length.to_le_bytes());
    reseal(&mut older);
    let [older, newer] = [older, sound].map(|bytes| Arc::new(opened(bytes).unwrap()));
    older.verify().unwrap();
    let [older, newer] = [older, newer].map(|pack| answers_of(&Packs::new(pack, None).unwrap()).unwrap());
    assert!(older.iter().all(Result::is_ok));
    assert_eq!(format!("{older:?}"), format!("{newer:?}"));
}

#[test]
fn where_no_row_starts_a_block_has_the_first_key_of_the_one_before() {
    let lengths = [(1, 3 * BLOCK), (2, 0), (5, BLOCK), (6, 5000)];
    let numbers = lengths.map(|(number, length)| (number, Some(vec![number as u8; length])));
    let (sound, _) = written(description(Kind::Base, 5), &Rows { numbers: numbers.into(), ..Rows::default() });
    let first_keys = sound.len() - 6 * 4;
    let keys: Vec<u8> = sound[first_keys..].chunks_exact(4).map(|key| key[3]).collect();
    assert_eq!(keys, [1, 1, 1, 2, 6, 6]);
    opened(sound.clone()).unwrap().verify().unwrap();
    for block in 0..6 {
        let pack = opened(forged(sound.clone(), first_keys + block * 4 + 3, &[7])).unwrap();
        let error = pack.verify().expect_err("it is the key of no row");
        assert!(
            matches!(error, Error::Damaged { what: "the first keys are those of other rows", .. })
                || matches!(error, Error::Damaged { what: "the trailer counts other rows", .. }),
            "block {block}: {error}"
        );
    }
}

#[test]
fn first_keys_that_do_not_ascend_are_refused_though_their_check_is_right() {
    // Two rows have a first key each, at the end of the file: a place, a length, a key of one byte.
    let rows = Rows {
        bytes: [(1, 70_000), (2, 70_000)].map(|(at, length)| (vec![at], Some(vec![1; length]))).into(),
        ..Rows::default()
    };
    let (sound, _) = written(description(Kind::Base, 5), &rows);
    let [first, second] = [sound.len() - 14, sound.len() - 7];
    opened(sound.clone()).unwrap().verify().unwrap();
    for (what, to) in [("place", 0..4), ("key", 6..7)] {
        let same = sound[first..][to.clone()].to_vec();
        assert!(
            matches!(opened(forged(sound.clone(), second + to.start, &same)), Err(Error::Damaged { .. })),
            "{what}"
        );
    }
}

#[test]
fn a_header_says_nothing_that_this_version_does_not_know() {
    type Expected = fn(&Error) -> bool;
    let unknown: Expected = |error| matches!(error, Error::Unknown { .. });
    let outside: Expected = |error| matches!(error, Error::Damaged { at: 56, .. });
    let length = sound().len() as u64;
    let wrong: [(usize, Vec<u8>, Expected); 15] = [
        (0, vec![0x88], |error| matches!(error, Error::NotAPack)),
        (8, vec![1], |error| matches!(error, Error::Version { found: 1, expected: 3 })),
        (8, vec![4], |error| matches!(error, Error::Version { found: 4, expected: 3 })),
        (32, vec![0], unknown),
        (32, vec![3], unknown),
        (33, vec![2], unknown),
        (34, vec![1], unknown),
        (79, vec![1], unknown),
        (112, vec![1], unknown),
        (143, vec![1], unknown),
        (272, vec![1], unknown),
        (BLOCK - 5, vec![1], unknown),
        (56, 0u64.to_le_bytes().to_vec(), outside),
        (56, (TRAILER as u64 + 8).to_le_bytes().to_vec(), outside),
        (56, (length.next_multiple_of(BLOCK as u64)).to_le_bytes().to_vec(), outside),
    ];
    for (at, to, expected) in wrong {
        let error = opened(forged(sound(), at, &to)).map(|_| ()).expect_err("it is no such pack");
        assert!(expected(&error), "byte {at}: {error}");
    }
}

#[test]
fn an_index_that_leads_to_other_rows_is_told_by_a_verification_though_its_check_is_right() {
    let line = |number: u32| {
        let lines = &sound()[3 * BLOCK..3 * BLOCK + 128];
        let slot = |at: &usize| lines[at / 8 * 64 + at % 8 * 4..][..4] == number.to_le_bytes();
        let slot = (0..16).find(|at| slot(at) && lines[at / 8 * 64 + 32 + at % 8 * 4..][..4] != [0xFF; 4]).unwrap();
        3 * BLOCK + slot / 8 * 64 + 32 + slot % 8 * 4
    };
    let last_row = 2 * BLOCK + rows_bytes() as usize - 48;
    assert_eq!(sound()[last_row..][..8], [0, 0, 0, 99, 33, 0, 0, 0]);
    let wrong: [(&str, usize, Vec<u8>, &str); 16] = [
        ("a key of bytes comes before the one before it", BLOCK + 48, vec![0], "rows are out of order"),
        ("a row less is counted", NUMBERS + 72, vec![11], "the trailer counts other rows"),
        ("a row more is counted", NUMBERS + 72, vec![13], "the trailer counts other rows"),
        ("a row is counted as gone", NUMBERS + 80, vec![1], "the trailer counts other rows"),
        ("a row of a base is gone", 2 * BLOCK + 4, vec![0xFF; 4], "a row of a base is gone"),
        ("a key is that of the next row", 2 * BLOCK + 3, vec![9], "the first keys are those of other rows"),
        ("a key is greater than the next one", 2 * BLOCK + 3, vec![10], "the first keys are those of other rows"),
        ("a row goes beyond its table", last_row + 4, vec![41], "a row that does not end in its table"),
        ("no row stands here", BLOCK + 2, vec![1], "no row stands here"),
        (
            "a number leads to another row",
            line(9),
            line_of(sound(), line(18)),
            "the hash section does not lead to a row",
        ),
        ("a number leads nowhere", line(9), vec![0xFF; 4], "the hash section does not lead to a row"),
        (
            "no row starts in a block",
            STARTS + 2,
            vec![0xFF; 2],
            "the trailer names another row as the first of its block",
        ),
        (
            "another row starts a block",
            STARTS + 2,
            vec![1, 0],
            "the trailer names another row as the first of its block",
        ),
        ("a row of another block starts a block", STARTS, vec![0, 2], "the trailer names a row outside of its table"),
        ("a first key has another place", FIRST_KEYS, vec![1], "the first keys are those of other rows"),
        ("a first key is another one", FIRST_KEYS + 6 + 3, vec![1], "the first keys are those of other rows"),
    ];
    for (what, at, to, says) in wrong {
        let pack = opened(forged(sound(), at, &to)).expect(what);
        let error = pack.verify().expect_err(what);
        assert!(matches!(error, Error::Damaged { what: told, .. } if told == says), "{what}: {error}");
    }
    let wrong_way = opened(forged(sound(), line(9), &line_of(sound(), line(18)))).unwrap();
    let table = wrong_way.table("numbers", Keys::Numbers).unwrap();
    assert!(matches!(table.get(9), Err(Error::Damaged { .. })), "another row is no answer");
    assert!(matches!(many(&table, &[0, 9]), Err(Error::Damaged { .. })));
    // Behind the rows, too, whether they are in memory or in a file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    for place in [rows_bytes() / 8, rows_bytes() / 8 + 1, u64::from(u32::MAX) - 1] {
        let forged = forged(sound(), line(9), &(place as u32).to_le_bytes());
        std::fs::write(&path, &forged).unwrap();
        for pack in [opened(forged).unwrap(), Pack::open(&path, Checks::Never).unwrap()] {
            let table = pack.table("numbers", Keys::Numbers).unwrap();
            // A file's hash section is asked when it was asked for before.
            assert!((0..2).any(|_| matches!(table.get(9), Err(Error::Damaged { .. }))), "place {place}");
        }
    }
}

#[test]
fn a_first_row_of_another_block_or_behind_the_rows_is_told_though_its_check_is_right() {
    let bytes = (0..30u8).map(|at| (vec![at], Some(vec![at; 1000]))).collect();
    let (sound, _) = written(description(Kind::Base, 5), &Rows { bytes, ..Rows::default() });
    let trailer = u64::from_le_bytes(sound[56..64].try_into().unwrap()) as usize;
    // Behind the tables and the checks of the blocks: where the first row of each starts.
    let starts = trailer + 3 * 128 + (trailer / BLOCK - 1) * 4;
    let rows_bytes = u64::from_le_bytes(sound[trailer + 96..][..8].try_into().unwrap()) as usize;
    let last = rows_bytes / BLOCK;
    for (block, start) in [(2, BLOCK), (last, rows_bytes % BLOCK)] {
        let pack = opened(forged(sound.clone(), starts + 2 * block, &(start as u16 / 8).to_le_bytes())).unwrap();
        let error = pack.verify().expect_err("no row of the block starts there");
        assert!(
            matches!(error, Error::Damaged { what: "the trailer names a row outside of its table", .. }),
            "block {block}: {error}"
        );
    }
}

#[test]
fn rows_that_do_not_end_where_the_next_one_starts_are_told_from_behind_though_their_check_is_right() {
    let rows = |length| (1..4u8).map(|at| (vec![at], Some(vec![at; length]))).collect();
    let (sound, _) = written(description(Kind::Base, 5), &Rows { bytes: rows(3000), ..Rows::default() });
    let key = RawKey::Bytes(&[2]);
    let head = |length| Head::of(key, Some(length)).unwrap().encode(key);
    let (at, _) = sound.windows(8).enumerate().filter(|(_, bytes)| *bytes == head(3000)).nth(1).unwrap();
    let pack = opened(forged(sound, at, &head(3008))).unwrap();
    let found: Vec<_> = pack.table("bytes", Keys::Bytes).unwrap().iter().unwrap().rev().take(2).collect();
    assert!(found[0].as_ref().is_ok_and(|row| row.key() == Key::Bytes(&[3])));
    assert!(matches!(found[1], Err(Error::Damaged { what: "no row ends where one should", .. })), "{:?}", found[1]);
}

fn line_of(bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at..at + 4].to_vec()
}

/// Another choice of lines would not find what is in packs that are there.
#[test]
fn a_pack_is_written_byte_for_byte_as_it_always_was() {
    let lines = [(0, 0, 1), (1, 0, 7), (19_010_203, 0, 1_666_667), (u32::MAX, 3, u32::MAX)];
    let chosen = lines.map(|(number, seed, lines)| choices(number, seed, lines));
    assert_eq!(chosen, [[0, 0], [2, 0], [1_560_984, 1_658_552], [1_449_894_813, 2_351_460_013]]);
    let (below, above) = pair(&clustered(1000), &super::damage::small_overlay());
    assert_eq!([crc32fast::hash(&below), crc32fast::hash(&above)], [555_662_121, 2_017_771_492]);
}

#[test]
fn numbers_that_crowd_into_one_line_stand_under_another_seed() {
    let crowd: Vec<u32> = (0..).filter(|number| choices(*number, 0, 2) == [0, 0]).take(12).collect();
    let mut places = Places::default();
    crowd.iter().zip(0..).for_each(|(number, place)| places.push(*number, place));
    let lines = Lines::of(&places).unwrap();
    assert!(lines.seed > 0);
    assert_eq!(lines.count(), 2, "a sixteenth of two lines is none");
    let sections: Vec<_> = lines.bytes().collect();
    for (number, place) in crowd.iter().zip(0..) {
        let found = choices(*number, lines.seed, lines.count()).map(|line| search(&sections[line as usize], *number));
        assert!(found.contains(&crate::hash::Found::At(place)));
    }
}

#[test]
fn a_row_takes_keys_and_values_as_long_as_the_format_has_room_for() {
    let (shortest, longest) = (vec![], vec![0; 65_535]);
    for (key, value, fits) in [
        (&shortest, Some(u32::MAX as usize - 1), true),
        (&shortest, Some(u32::MAX as usize), false),
        (&shortest, Some(u32::MAX as usize + 1), false),
        (&longest, Some(0), true),
        (&longest, None, true),
        (&vec![0; 65_536], Some(0), false),
    ] {
        let head = Head::of(RawKey::Bytes(key), value);
        assert_eq!(head.is_some(), fits, "a key of {} bytes, a value of {value:?}", key.len());
        let Some(head) = head else { continue };
        assert_eq!(head.is_gone, value.is_none());
        let read = Head::parse(head.encode(RawKey::Bytes(key)), Keys::Bytes).unwrap();
        assert_eq!((read.key(), read.value(), read.row_bytes()), (head.key(), head.value(), head.row_bytes()));
        assert!(head.row_bytes().is_multiple_of(8) && head.row_bytes() - (head.value().end as u64) < 8);
    }
    let places_end = 8 * u64::from(u32::MAX);
    assert!(can_be_placed(0) && can_be_placed(places_end) && !can_be_placed(places_end + 8));
    let mut writer = Writer::new(Cursor::new(Vec::new()), &description(Kind::Base, 1)).unwrap();
    writer.table(&"x".repeat(63), Keys::Bytes).unwrap();
    let pack = opened(writer.finish().unwrap().0.into_inner()).unwrap();
    assert_eq!(pack.tables().map(|(name, _)| name.len()).collect::<Vec<_>>(), [63]);
}

#[test]
fn an_error_says_what_is_wrong_in_words() {
    let pack = opened(sound()).unwrap();
    let table = pack.table("numbers", Keys::Numbers).unwrap();
    let told = [
        table.get(b"ten").unwrap_err().to_string(),
        pack.table("bytes", Keys::Numbers).unwrap_err().to_string(),
        pack.table("others", Keys::Numbers).unwrap_err().to_string(),
    ];
    let expected = [
        "the table's keys are numbers, not bytes",
        "the table's keys are bytes, not numbers",
        "the pack has no table \"others\"",
    ];
    assert_eq!(told, expected);
    let key = table.iter().unwrap().next().unwrap().unwrap();
    let told = format!(
        "{:?} {:?} {key:?} {:?} {:?}",
        key.key(),
        Key::Bytes(b"ten"),
        table.iter().unwrap(),
        table.get(9).unwrap()
    );
    assert_eq!(told, "Number(..) Bytes(..) Row(0 bytes) Range Some(Value(3 bytes))");
}
