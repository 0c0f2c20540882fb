//! The block file alone, over a storage in memory.

use std::sync::Arc;

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::geometry::{BLOCK, BLOCK_BYTES};
use super::{BlockFile, Opening};
use crate::damage::{BlockError, Latch, Place};

/// A storage that outlives the block file over it.
#[derive(Clone, Debug)]
pub(crate) struct Shared(pub(crate) Arc<InMemoryBackend>);

impl Shared {
    fn new() -> Shared {
        Shared(Arc::new(InMemoryBackend::new()))
    }

    fn flip(&self, at: u64, bit: u8) {
        let mut byte = [0];
        self.0.read(at, &mut byte).unwrap();
        self.0.write(at, &[byte[0] ^ 1 << bit]).unwrap();
    }
}

impl StorageBackend for Shared {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

fn open(storage: &Shared) -> BlockFile<Shared> {
    BlockFile::new(storage.clone(), Opening::Any, None, Latch::default())
}

/// A closed file of 600 blocks, of which 1 to 599 are written, each with its own content.
fn written() -> Shared {
    let storage = Shared::new();
    let file = open(&storage);
    assert_eq!(file.len().unwrap(), 0);
    file.set_len(600 * BLOCK_BYTES).unwrap();
    file.write(0, &[9; 320]).unwrap();
    let all: Vec<u8> = (1..600u32).flat_map(|block| vec![block as u8 ^ (block >> 8) as u8; BLOCK]).collect();
    file.write(BLOCK_BYTES, &all).unwrap();
    file.sync_data().unwrap();
    storage
}

fn refusal(result: std::io::Result<()>) -> BlockError {
    BlockError::inside(&result.unwrap_err()).expect("a refusal of ours")
}

#[test]
fn what_was_written_is_read_by_the_next_who_opens() {
    let storage = written();
    let file = open(&storage);
    assert_eq!(file.len().unwrap(), 600 * BLOCK_BYTES);
    let mut header = [0; 320];
    file.read(0, &mut header).unwrap();
    assert_eq!(header, [9; 320]);
    // Runs within a group, across groups, and one block.
    for (first, blocks) in [(1, 8), (250, 16), (599, 1), (1, 599)] {
        let mut out = vec![0; blocks * BLOCK];
        file.read(first * BLOCK_BYTES, &mut out).unwrap();
        for (block, bytes) in (first as u32..).zip(out.chunks(BLOCK)) {
            assert!(bytes.iter().all(|&byte| byte == block as u8 ^ (block >> 8) as u8));
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_an_error_with_its_place_or_is_never_read() {
    let storage = written();
    let bytes = storage.len().unwrap();
    let checks_of_nothing = (4 + 2 * 257) * BLOCK_BYTES + 16 * (599 - 512)..(4 + 2 * 257 + 1) * BLOCK_BYTES;
    for at in (0..bytes).step_by(1009).chain(0..200).chain(2 * 4096..2 * 4096 + 400).chain(4 * 4096..4 * 4096 + 64) {
        storage.flip(at, (at % 8) as u8);
        let file = open(&storage);
        let mut out = vec![0; 599 * BLOCK];
        let read = file.len().and_then(|_| file.read(BLOCK_BYTES, &mut out));
        let in_header = at < 4 * BLOCK_BYTES;
        assert_eq!(
            read.is_ok(),
            in_header || checks_of_nothing.contains(&at),
            "byte {at}: one of two copies is enough, and a block has one"
        );
        if let Err(error) = read {
            assert!(matches!(BlockError::inside(&error), Some(BlockError::Damaged(_))), "byte {at}");
        }
        storage.flip(at, (at % 8) as u8);
    }
}

/// Flips bits of a small file in turn, one of so many: what is read stays what it was or is refused, and a scan tells
/// it.
fn try_bits(storage: &Shared, step: usize, open: impl Fn(&Shared) -> BlockFile<Shared>) {
    let read = |file: &BlockFile<Shared>| {
        let (mut header, mut block) = ([0; 320], [0; BLOCK]);
        file.read(0, &mut header)?;
        file.read(BLOCK_BYTES, &mut block).map(|()| (header, block))
    };
    let sound = read(&open(storage)).unwrap();
    for number in (0..storage.len().unwrap() * 8).step_by(step) {
        let (at, bit) = (number / 8, (number % 8) as u8);
        storage.flip(at, bit);
        let file = open(storage);
        let scan = file.scan_each(&mut |_| {}).unwrap();
        assert_eq!(scan.in_use.len() + scan.blocks.len(), 1, "bit {bit} of byte {at}");
        match read(&file) {
            Ok(found) => assert!(found == sound, "bit {bit} of byte {at}"),
            Err(error) => {
                let told = BlockError::inside(&error);
                assert!(
                    at >= 4 * BLOCK_BYTES && matches!(told, Some(BlockError::Damaged(_))),
                    "bit {bit} of byte {at}"
                );
            }
        }
        storage.flip(at, bit);
    }
}

/// A closed file of one written block.
fn small(open: impl Fn(&Shared) -> BlockFile<Shared>) -> Shared {
    let storage = Shared::new();
    let file = open(&storage);
    file.len().unwrap();
    file.set_len(2 * BLOCK_BYTES).unwrap();
    file.write(0, &[9; 320]).unwrap();
    file.write(BLOCK_BYTES, &[7; BLOCK]).unwrap();
    file.sync_data().unwrap();
    storage
}

#[test]
fn a_bit_of_each_byte_of_a_small_file_is_seen_and_changes_nothing_that_is_read() {
    try_bits(&small(open), 7, open);
}

#[test]
#[ignore = "196 608 bits"]
fn every_bit_of_a_small_file_is_seen_and_changes_nothing_that_is_read() {
    try_bits(&small(open), 1, open);
}

#[test]
fn both_copies_of_a_header_damaged_is_told_as_that() {
    for (first, place) in [(0, Place::StoreHeader(0)), (2, Place::Root(0))] {
        let storage = written();
        storage.flip(first * BLOCK_BYTES + 30, 3);
        storage.flip((first + 1) * BLOCK_BYTES + 30, 3);
        let refused = refusal(open(&storage).len().map(drop));
        assert_eq!(refused, BlockError::damaged(place, "its check does not fit"));
    }
}

#[test]
fn a_block_of_another_place_or_another_store_does_not_check() {
    let (storage, other) = (written(), written());
    let at = |block: u64| (4 + 1 + block - 1) * BLOCK_BYTES;
    let mut block = vec![0; BLOCK];
    storage.read(at(7), &mut block).unwrap();
    storage.write(at(8), &block).unwrap();
    let mut out = vec![0; BLOCK];
    let refused = refusal(open(&storage).read(8 * BLOCK_BYTES, &mut out));
    assert_eq!(refused, BlockError::damaged(Place::Block(8), "it does not fit its check"));
    // With its check, too: block 7 of the other store into block 7 of this one.
    let mut check = [0; 16];
    other.read(at(7), &mut block).unwrap();
    other.read(4 * BLOCK_BYTES + 6 * 16, &mut check).unwrap();
    storage.write(at(7), &block).unwrap();
    storage.write(4 * BLOCK_BYTES + 6 * 16, &check).unwrap();
    let refused = refusal(open(&storage).read(7 * BLOCK_BYTES, &mut out));
    assert_eq!(refused, BlockError::damaged(Place::Block(7), "it does not fit its check"));
}

#[test]
fn a_header_of_another_store_in_either_place_is_seen() {
    for copy in [0, 1] {
        let (storage, other) = (written(), written());
        let mut page = vec![0; BLOCK];
        other.read(copy * BLOCK_BYTES, &mut page).unwrap();
        storage.write(copy * BLOCK_BYTES, &page).unwrap();
        // The root is of the store that its blocks are of.
        let scanned = open(&storage).scan_each(&mut |_| {});
        assert!(scanned.map_or(true, |scan| !scan.in_use.is_empty()), "copy {copy}");
    }
}

#[test]
fn a_block_never_written_is_an_error_also_where_a_written_one_was_cut_off() {
    let storage = Shared::new();
    let file = open(&storage);
    file.set_len(300 * BLOCK_BYTES).unwrap();
    let mut out = vec![0; BLOCK];
    assert_eq!(
        refusal(file.read(5 * BLOCK_BYTES, &mut out)),
        BlockError::damaged(Place::Block(5), "it was never written")
    );
    file.write(290 * BLOCK_BYTES, &[1; BLOCK]).unwrap();
    file.sync_data().unwrap();
    file.set_len(270 * BLOCK_BYTES).unwrap();
    file.set_len(300 * BLOCK_BYTES).unwrap();
    let never = BlockError::damaged(Place::Block(290), "it was never written");
    assert_eq!(refusal(file.read(290 * BLOCK_BYTES, &mut out)), never);
    file.sync_data().unwrap();
    assert_eq!(refusal(open(&storage).read(290 * BLOCK_BYTES, &mut out)), never);
}

#[test]
fn the_root_is_written_to_the_copy_that_is_not_the_last_synced() {
    let storage = written();
    let copies = || {
        [2, 3].map(|copy| {
            let mut generation = [0; 8];
            storage.read(copy * BLOCK_BYTES, &mut generation).unwrap();
            u64::from_le_bytes(generation)
        })
    };
    let file = open(&storage);
    file.len().unwrap();
    assert_eq!(copies()[0], copies()[1], "once synced, both");
    let before = copies()[0];
    file.write(0, &[1; 320]).unwrap();
    file.write(0, &[2; 320]).unwrap();
    let mut now = copies();
    now.sort_unstable();
    assert_eq!(now, [before, before + 2], "what is not synced is written over, and the synced copy stays");
    file.sync_data().unwrap();
    assert_eq!(copies(), [before + 2; 2]);
    for (write, synced) in [(3, before + 2), (4, before + 3)] {
        file.write(0, &[write; 320]).unwrap();
        assert!(copies().contains(&synced));
        file.sync_data().unwrap();
    }
}

#[test]
fn what_redb_does_not_ask_for_is_refused() {
    let storage = written();
    let file = open(&storage);
    file.len().unwrap();
    let mut out = vec![0; 2 * BLOCK];
    let refused = |result| matches!(refusal(result), BlockError::Unforeseen(_));
    assert!(refused(file.read(BLOCK_BYTES + 1, &mut out[..BLOCK])));
    assert!(refused(file.read(BLOCK_BYTES, &mut out[..BLOCK + 1])));
    assert!(refused(file.write(0, &[0; 319])));
    assert!(refused(file.write(512, &[0; BLOCK])));
    assert!(refused(file.set_len(600 * BLOCK_BYTES + 512)));
    assert!(refused(file.set_len(0)));
}

#[test]
fn other_files_are_told_from_damaged_ones() {
    let told = |bytes: &[u8]| {
        let storage = Shared::new();
        storage.set_len(bytes.len() as u64).unwrap();
        storage.write(0, bytes).unwrap();
        refusal(BlockFile::new(storage, Opening::Existing, None, Latch::default()).len().map(drop))
    };
    assert_eq!(told(b""), BlockError::NotAStore);
    assert_eq!(told(b"redb"), BlockError::NotAStore);
    assert_eq!(told(&[1; 40_000]), BlockError::NotAStore);
    let storage = written();
    let mut whole = vec![0; storage.len().unwrap() as usize];
    storage.read(0, &mut whole).unwrap();
    assert!(matches!(told(&whole[..5000]), BlockError::Damaged(_)));
    assert!(matches!(told(&whole[..50_001]), BlockError::Damaged(_)));
    let mut newer = whole.clone();
    newer[8] = 2;
    newer[BLOCK + 8] = 2;
    assert_eq!(told(&newer), BlockError::Newer { found: 2, supported: 1 });
}

#[cfg(feature = "encryption")]
mod encrypted {
    use super::*;
    use crate::store::block_file::rewrap;
    use crate::store::key::{FixedKey, KeySource};

    fn open_with(storage: &Shared, key: Option<u8>) -> BlockFile<Shared> {
        let key = key.map(|key| Arc::new(FixedKey(key)) as Arc<dyn KeySource>);
        BlockFile::new(storage.clone(), Opening::Any, key, Latch::default())
    }

    fn written() -> Shared {
        let storage = Shared::new();
        let file = open_with(&storage, Some(1));
        file.len().unwrap();
        file.set_len(200 * BLOCK_BYTES).unwrap();
        file.write(0, &b"header of redb, 32 bytes of it..".repeat(10)).unwrap();
        file.write(BLOCK_BYTES, &b"some made-up text of sixty-four bytes which is not in the file. ".repeat(64 * 199))
            .unwrap();
        file.sync_data().unwrap();
        storage
    }

    fn all(storage: &Shared) -> Vec<u8> {
        let mut bytes = vec![0; storage.len().unwrap() as usize];
        storage.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn nothing_that_was_written_stands_in_the_file_and_all_of_it_is_read() {
        let storage = written();
        let file = all(&storage);
        for text in [&b"some made-up"[..], b"header of"] {
            let found = file.windows(text.len()).position(|found| found == text);
            assert_eq!(found, None, "{}", String::from_utf8_lossy(text));
        }
        let opened = open_with(&storage, Some(1));
        let (mut header, mut block) = ([0; 320], vec![0; 2 * BLOCK]);
        opened.read(0, &mut header).unwrap();
        assert!(header.starts_with(b"header of redb"));
        opened.read(128 * BLOCK_BYTES, &mut block).unwrap();
        assert!(block.starts_with(b"some made-up text"));
    }

    #[test]
    fn another_key_no_key_and_a_key_too_many_are_told_as_that() {
        let told = |storage: &Shared, key| refusal(open_with(storage, key).len().map(drop));
        let storage = written();
        assert_eq!(told(&storage, Some(2)), BlockError::WrongKey);
        assert_eq!(told(&storage, None), BlockError::KeyNeeded);
        assert_eq!(told(&super::written(), Some(1)), BlockError::NotEncrypted);
        assert_eq!(
            rewrap(&storage, &FixedKey(2), &FixedKey(3)).map_err(|error| BlockError::inside(&error)),
            Err(Some(BlockError::WrongKey))
        );
        rewrap(&storage, &FixedKey(1), &FixedKey(3)).unwrap();
        assert_eq!(told(&storage, Some(1)), BlockError::WrongKey);
        assert_eq!(open_with(&storage, Some(3)).len().unwrap(), 200 * BLOCK_BYTES);
    }

    fn try_bits_with_key(step: usize) {
        let open = |storage: &Shared| open_with(storage, Some(1));
        try_bits(&small(open), step, open);
    }

    #[test]
    fn a_bit_of_each_byte_of_a_small_encrypted_file_is_seen_and_changes_nothing_that_is_read() {
        try_bits_with_key(7);
    }

    #[test]
    #[ignore = "196 608 bits"]
    fn every_bit_of_a_small_encrypted_file_is_seen_and_changes_nothing_that_is_read() {
        try_bits_with_key(1);
    }

    #[test]
    fn every_flipped_bit_is_refused_or_has_no_effect() {
        let storage = written();
        let mut sound = vec![0; 199 * BLOCK];
        open_with(&storage, Some(1)).read(BLOCK_BYTES, &mut sound).unwrap();
        let bytes = storage.len().unwrap();
        let checks = 4 * BLOCK_BYTES..4 * BLOCK_BYTES + 64;
        for at in (0..bytes).step_by(4001).chain(0..130).chain(2 * BLOCK_BYTES..2 * BLOCK_BYTES + 60).chain(checks) {
            storage.flip(at, (at % 8) as u8);
            let file = open_with(&storage, Some(1));
            let mut out = vec![0; 199 * BLOCK];
            if file.len().and_then(|_| file.read(BLOCK_BYTES, &mut out)).is_ok() {
                assert!(out == sound, "byte {at}");
            }
            storage.flip(at, (at % 8) as u8);
        }
    }
}
