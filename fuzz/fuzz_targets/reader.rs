//! Any bytes, read as every family: no panic, located faults that say little, and the same answer however the bytes
//! arrive.
#![no_main]

use std::io::{self, Cursor, Read};

use cpr_extract::{CheckOptions, Family, Groups, Item, Waive, check, find_family, records};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::mutate;

/// No sentence about a fault is longer, so no line of the input can be part of one.
const FAULT_BYTES: usize = 240;

const IGNORED: [&[u16]; 2] = [&[], &[8, 14, 99, 900]];

fuzz_target!(|bytes: &[u8]| {
    // Every reader has a buffer of its own, which costs more than reading; the length of the input is as good a coin.
    let (ignored, waived) = (IGNORED[bytes.len() % 2], bytes.len() % 4 < 2);
    for lines in [1, u64::MAX] {
        let _ = find_family(&mut Cursor::new(bytes), ignored, lines).expect("memory can be read");
    }
    for family in Family::all() {
        let all = items(bytes, family, ignored);
        assert!(all == items(Trickle(bytes), family, ignored), "it matters in which pieces bytes come");
        read(bytes, family, ignored, Waive { wrong_count: waived, rows_without_person: waived, code_page: waived });
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&mutate::extract(&data[..size], seed), data, max_size)
});

/// Checks, and reads person by person what was checked, sound or not.
fn read(bytes: &[u8], family: &'static Family, ignored: &[u16], waive: Waive) {
    let options = CheckOptions { family, chosen: None, ignored, fault_limit: 1000, waive };
    let checked = check(Cursor::new(bytes), options).expect("memory can be read");
    assert!(checked.bytes == bytes.len() as u64 || checked.faults.iter().any(|fault| fault.reason.ends_reading()));
    assert!(checked.faults.len() as u64 <= checked.fault_count.min(1000));
    for fault in &checked.faults {
        assert!(fault.to_string().len() < FAULT_BYTES && format!("{fault:?}").len() < FAULT_BYTES);
        assert!(fault.offset <= checked.bytes && (1..=checked.lines.max(1)).contains(&fault.line));
        if let Some(number) = fault.record {
            let line = &bytes[fault.offset as usize..];
            assert!(line.starts_with(format!("{number:03}").as_bytes()), "a fault of a record that is not there");
        }
    }
    let mut groups = Groups::new(Cursor::new(bytes), &checked, ignored).expect("memory can be sought");
    let (mut chunk, mut persons) = (Vec::new(), 0);
    let ended = loop {
        match groups.next_chunk(&mut chunk, 3) {
            Ok(0) => break true,
            Ok(count) => persons += count as u64,
            Err(error) => break error.kind() != io::ErrorKind::InvalidData,
        }
    };
    if checked.is_sound() {
        assert!(ended, "a sound extract is said to have changed");
        assert_eq!(persons, checked.persons);
        assert!(checked.header.is_some());
    }
}

/// What stands in the input, line by line.
fn items(source: impl Read, family: &'static Family, ignored: &[u16]) -> Vec<(u16, u64, usize, bool)> {
    let mut lines = records(source, family, ignored);
    let mut all = Vec::new();
    while let Some(item) = lines.next_item().expect("memory can be read") {
        all.push(match item {
            Item::Record(record) => (record.layout.number, record.offset, record.bytes().len(), true),
            Item::Ignored(number, bytes) => {
                assert!(bytes.starts_with(format!("{number:03}").as_bytes()), "ignored, but not that record");
                (number, 0, bytes.len(), true)
            }
            Item::Fault(fault, _) => (fault.record.unwrap_or(1000), fault.offset, 0, false),
        });
    }
    all
}

/// Gives few bytes at a time, and is interrupted now and then.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = 1 + self.0.len() % 611;
        if self.0.len() % 5 == 1 {
            let (first, rest) = self.0.split_at(1);
            buffer[0] = first[0];
            self.0 = rest;
            return Ok(1);
        }
        let step = step.min(buffer.len());
        self.0.read(&mut buffer[..step])
    }
}
