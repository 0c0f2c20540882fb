//! Any bytes as a pack, and a made-up pack changed in any way: an error or the same answer, never a panic.
//!
//! With the checks put right after the change, the pack may answer differently (a checksum is no signature), but still
//! must not panic, and every scan must come to an end.
#![no_main]

use std::sync::Arc;

use cpr_pack::{Checks, Description, Error, Key, Keys, Kind, Pack, Packs, Row, Table, Value, Writer};
use libfuzzer_sys::fuzz_target;

const BLOCK_BYTES: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    thread_local!(static SOUND: Sound = Sound::new());
    SOUND.with(|sound| {
        let is_whole = how & 1 == 1;
        let mut base = if is_whole { rest.to_vec() } else { patched(&sound.base, rest) };
        let is_resealed = how & 2 == 2;
        if is_resealed {
            reseal(&mut base);
        }
        let checks = [Checks::AtFirstTouch, Checks::AtEveryRead, Checks::Never][usize::from(how >> 2) % 3];
        // Without its checks, or with other ones, it may be another pack.
        let may_differ = is_whole || is_resealed || checks == Checks::Never;
        read(sound, base, checks, may_differ);
    });
});

/// Applies changes of some bytes each: place (2 bytes), how many (1 byte), what they become by XOR.
fn patched(sound: &[u8], mut patches: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    while let Some(([low, high, count], rest)) = patches.split_first_chunk::<3>() {
        let (pattern, rest) = rest.split_at(usize::from(*count % 16).min(rest.len()));
        let at = usize::from(u16::from_le_bytes([*low, *high])) % bytes.len();
        bytes[at..].iter_mut().zip(pattern).for_each(|(byte, pattern)| *byte ^= pattern);
        patches = rest;
    }
    bytes
}

/// Makes every check say what the bytes are, where the header leaves that possible.
fn reseal(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if bytes.len() < BLOCK_BYTES {
        return;
    }
    let (trailer, tables) = (number(bytes, 56) as usize, number(bytes, 68) as usize);
    if (BLOCK_BYTES..=bytes.len()).contains(&trailer) {
        let (blocks, rest) = bytes.split_at_mut(trailer);
        let checks = rest.get_mut(tables.saturating_mul(128)..).unwrap_or_default().chunks_exact_mut(4);
        for (block, check) in blocks[BLOCK_BYTES..].chunks_exact(BLOCK_BYTES).zip(checks) {
            check.copy_from_slice(&crc32fast::hash(block).to_le_bytes());
        }
        let check = crc32fast::hash(rest);
        bytes[64..68].copy_from_slice(&check.to_le_bytes());
    }
    let check = crc32fast::hash(&bytes[..BLOCK_BYTES - 4]);
    bytes[BLOCK_BYTES - 4..BLOCK_BYTES].copy_from_slice(&check.to_le_bytes());
}

/// A base and an overlay, and what they answer, alone and together.
struct Sound {
    base: Vec<u8>,
    alone: Vec<Vec<u8>>,
    both: Vec<Vec<u8>>,
}

const BASE: Description =
    Description { store: [7; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };

impl Sound {
    fn new() -> Sound {
        let base = base();
        let pack = Arc::new(Pack::from_bytes(base.clone(), Checks::AtFirstTouch).expect("a sound pack"));
        pack.verify().expect("a sound pack");
        let sound =
            |answers: Vec<Result<Vec<u8>, Error>>| answers.into_iter().map(|answer| answer.expect("a sound pack"));
        let alone = sound(answers(|name, keys| pack.table(name, keys))).collect();
        let packs = over(pack).expect("they fit");
        Sound { base, alone, both: sound(answers(|name, keys| packs.table(name, keys))).collect() }
    }
}

fn base() -> Vec<u8> {
    let mut writer = Writer::new(std::io::Cursor::new(Vec::new()), &BASE).expect("memory");
    writer.table("bytes", Keys::Bytes).expect("a table");
    for at in 0..40u8 {
        writer.row(&vec![at / 3; usize::from(at)][..], &vec![at; usize::from(at) * 5]).expect("a row");
    }
    writer.table("numbers", Keys::Numbers).expect("a table");
    for at in 0..30u32 {
        writer.row(at * 11, &vec![at as u8; at as usize * 7]).expect("a row");
    }
    writer.finish().expect("memory").0.into_inner()
}

/// An overlay over whatever base this is, where its header says so little that one fits.
fn over(base: Arc<Pack>) -> Result<Packs, Error> {
    let below = *base.description();
    let kind = Kind::Overlay { base_delivery: below.delivery, base_seal: base.seal() };
    let mut writer = Writer::new(std::io::Cursor::new(Vec::new()), &Description { kind, ..below })?;
    writer.table("bytes", Keys::Bytes)?;
    writer.row(&[0; 1], b"changed")?;
    writer.gone(&[1; 3])?;
    writer.table("numbers", Keys::Numbers)?;
    writer.gone(11)?;
    writer.row(12, b"new")?;
    writer.row(22, b"changed")?;
    let overlay = Pack::from_bytes(writer.finish()?.0.into_inner(), Checks::AtFirstTouch)?;
    Packs::new(base, Some(Arc::new(overlay)))
}

fn read(sound: &Sound, bytes: Vec<u8>, checks: Checks, may_differ: bool) {
    let is_sound = bytes == sound.base;
    let Ok(pack) = Pack::from_bytes(bytes, checks) else { return assert!(!is_sound) };
    let pack = Arc::new(pack);
    let is_verified = pack.verify().is_ok();
    assert!(is_verified || !is_sound);
    let alone = answers(|name, keys| pack.table(name, keys));
    compare(alone, &sound.alone, may_differ, is_verified);
    if let Ok(packs) = over(pack) {
        compare(answers(|name, keys| packs.table(name, keys)), &sound.both, may_differ, is_verified);
    }
}

fn compare(answers: Vec<Result<Vec<u8>, Error>>, sound: &[Vec<u8>], may_differ: bool, is_verified: bool) {
    if may_differ {
        return;
    }
    assert_eq!(answers.len(), sound.len());
    for (at, (answer, sound)) in answers.into_iter().zip(sound).enumerate() {
        match answer {
            Ok(answer) => assert!(answer == *sound, "question {at}: another answer"),
            Err(error) => assert!(!is_verified, "question {at}: {error}, and a verification did not see it"),
        }
    }
}

/// Every question to both tables, answered in bytes that can be compared.
fn answers<'p>(table: impl Fn(&str, Keys) -> Result<Table<'p>, Error>) -> Vec<Result<Vec<u8>, Error>> {
    let mut answers = Vec::new();
    let asked = [0, 1, 11, 12, 22, 319, 330, u32::MAX];
    if let Ok(numbers) = table("numbers", Keys::Numbers) {
        answers.extend(asked.map(|number| numbers.get(number).map(value)));
        let mut found = Vec::new();
        let add = |_, answer| {
            found.extend(value(answer));
            Ok(())
        };
        answers.push(numbers.get_many(&asked, add).map(|()| found));
        answers.push(numbers.range(12..=200).and_then(rows));
        answers.push(numbers.range(12..200).and_then(|found| rows(found.rev())));
        answers.extend([numbers.iter().and_then(rows), numbers.iter().and_then(from_both_ends)]);
    }
    if let Ok(bytes) = table("bytes", Keys::Bytes) {
        let asked = [&[][..], &[0], &[1, 1, 1], &[5; 16], &[13; 39], &[14]];
        answers.extend(asked.map(|key| bytes.get(key).map(value)));
        answers.push(bytes.range(&[2][..]..&[9][..]).and_then(rows));
        answers.push(bytes.iter().and_then(|found| rows(found.rev())));
        answers.push(bytes.iter().and_then(from_both_ends));
    }
    answers
}

fn value(value: Option<Value<'_>>) -> Vec<u8> {
    value.map_or(Vec::new(), |value| [&[1], &value[..]].concat())
}

fn rows<'p>(found: impl Iterator<Item = Result<Row<'p>, Error>>) -> Result<Vec<u8>, Error> {
    let mut told = Vec::new();
    for row in found {
        let row = row?;
        match row.key() {
            Key::Number(number) => told.extend(number.to_le_bytes()),
            Key::Bytes(key) => told.extend_from_slice(key),
        }
        told.extend((row.value().len() as u64).to_le_bytes());
        told.extend_from_slice(row.value());
    }
    Ok(told)
}

fn from_both_ends<'p>(mut found: impl DoubleEndedIterator<Item = Result<Row<'p>, Error>>) -> Result<Vec<u8>, Error> {
    let mut turn = false;
    rows(std::iter::from_fn(|| {
        turn = !turn;
        if turn { found.next() } else { found.next_back() }
    }))
}
