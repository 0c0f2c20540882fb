//! Encrypted packs, under a cipher that is no good but to test with: it hides bytes and knows a change.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::damage::{answers_of, small, small_overlay};
use super::*;
use crate::{BlockCipher, CipherSource, Parameters, TAG_BYTES, Tag};

/// A key, and the number of the pack.
#[derive(Clone, Copy, Hash)]
struct Toy(u64, u8);

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Toy {
    fn mix(self, place: u64, bytes: &mut [u8]) {
        let mut with = hash((self, place)) | 1;
        for chunk in bytes.chunks_mut(8) {
            with = with.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
            chunk.iter_mut().zip(with.to_le_bytes()).for_each(|(byte, with)| *byte ^= with);
        }
    }

    fn tag(self, place: u64, context: &[u8], bytes: &[u8]) -> Tag {
        let mut tag = [0; TAG_BYTES];
        tag[..8].copy_from_slice(&hash((self, place, crc32fast::hash(context), crc32fast::hash(bytes))).to_le_bytes());
        tag
    }
}

impl BlockCipher for Toy {
    fn parameters(&self) -> Parameters {
        [self.1; _]
    }

    fn seal(&self, place: u64, context: &[u8], bytes: &mut [u8]) -> io::Result<Tag> {
        let tag = self.tag(place, context, bytes);
        self.mix(place, bytes);
        Ok(tag)
    }

    fn open(&self, place: u64, context: &[u8], bytes: &mut [u8], tag: &Tag) -> bool {
        self.mix(place, bytes);
        self.tag(place, context, bytes) == *tag
    }
}

/// The key alone; one of 0 is refused.
struct ToyKey(u64);

impl CipherSource for ToyKey {
    fn cipher(&self, _: &[u8; 16], parameters: &Parameters) -> io::Result<Arc<dyn BlockCipher>> {
        match self.0 {
            0 => Err(io::Error::other("no key")),
            key => Ok(Arc::new(Toy(key, parameters[0]))),
        }
    }
}

const KEY: ToyKey = ToyKey(7);

fn sealed(description: Description, rows: &Rows, number: u8) -> (Vec<u8>, Summary) {
    let cipher = Arc::new(Toy(KEY.0, number));
    let mut writer = Writer::new_sealed(Cursor::new(Vec::new()), &description, cipher).unwrap();
    fill(&mut writer, rows).unwrap();
    let (file, summary) = writer.finish().unwrap();
    (file.into_inner(), summary)
}

fn sealed_pair(base: &Rows, overlay: &Rows) -> [Vec<u8>; 2] {
    let (below, summary) = sealed(description(Kind::Base, 5), base, 1);
    let kind = Kind::Overlay { base_delivery: 5, base_seal: summary.seal };
    [below, sealed(description(kind, 6), overlay, 2).0]
}

/// Opens them from files, with room for so many bytes.
fn open(files: &[Vec<u8>; 2], cache_bytes: usize) -> Result<Packs, Error> {
    let folder = tempfile::tempdir().unwrap();
    let open = |at: usize| {
        let path = folder.path().join(at.to_string());
        std::fs::write(&path, &files[at]).unwrap();
        Pack::open_sealed(&path, &KEY, cache_bytes).map(Arc::new)
    };
    Packs::new(open(0)?, Some(open(1)?))
}

fn read(files: &[Vec<u8>; 2]) -> Result<Packs, Error> {
    let [below, above] = files.each_ref().map(|file| Pack::from_sealed_bytes(file.clone(), &KEY).map(Arc::new));
    Packs::new(below?, Some(above?))
}

/// One way in, or both with a cache of no block, of two and of all.
fn every_way(files: &[Vec<u8>; 2]) -> Vec<Result<Packs, Error>> {
    let opened = [0, 2 * BLOCK_BYTES, usize::MAX].map(|cache_bytes| open(files, cache_bytes));
    opened.into_iter().chain([read(files)]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES.div_ceil(12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encrypted_packs_answer_as_the_map_after_the_changes(
        base in rows(40),
        overlay in changes(20),
        numbers in vec(number(), 0..ASKED),
        keys in vec(key_bytes(), 0..ASKED),
        turns in vec(any::<bool>(), 0..9),
    ) {
        for packs in every_way(&sealed_pair(&base, &overlay)) {
            let packs = packs.unwrap();
            prop_assert!(packs.base().is_encrypted());
            prop_assert_eq!(packs.description().digest, [0xD1; 32], "from the trailer");
            let (expected, table) =
                (merged(&base.numbers, &overlay.numbers), packs.table("numbers", Keys::Numbers).unwrap());
            check_table(&table, &expected, |number| Key::Number(*number), &numbers, &turns);
            check_many(&table, &expected, &numbers);
            let (expected, table) = (merged(&base.bytes, &overlay.bytes), packs.table("bytes", Keys::Bytes).unwrap());
            check_table(&table, &expected, |bytes| Key::Bytes(bytes), &keys, &turns);
            packs.base().verify().unwrap();
            packs.overlay().unwrap().verify().unwrap();
        }
    }
}

#[test]
fn every_flipped_bit_of_an_encrypted_pack_is_an_error_and_never_another_answer() {
    let files = sealed_pair(&small(), &small_overlay());
    let answers = |packs: &Packs| answers_of(packs).unwrap();
    let sound: Vec<_> = answers(&read(&files).unwrap()).into_iter().map(Result::unwrap).collect();
    let step = if cfg!(miri) { 3001 } else { 7 };
    for at in (0..files[0].len()).step_by(step) {
        let mut damaged = files.clone();
        damaged[0][at] ^= 1 << (at % 8);
        assert!(read(&damaged).is_err(), "byte {at}: all is decrypted at once");
        // What is read block by block is told when it is read, and by a verification.
        if let Ok(packs) = open(&damaged, BLOCK_BYTES) {
            for (answer, sound) in answers(&packs).into_iter().zip(&sound) {
                assert!(answer.is_err() || answer.unwrap() == *sound, "byte {at}: another answer");
            }
            assert!(matches!(packs.base().verify(), Err(Error::Damaged { .. })), "byte {at}");
        }
    }
    assert!(!sound.is_empty());
}

#[test]
fn encrypted_blocks_belong_to_their_place_and_to_their_pack() {
    let [file, _] = sealed_pair(&small(), &small_overlay());
    let other = sealed(description(Kind::Base, 5), &small(), 3).0;
    let blocks = file.len() / BLOCK_BYTES;
    for block in 1..blocks {
        let range = |block: usize| block * BLOCK_BYTES..(block + 1) * BLOCK_BYTES;
        let mut mixed = file.clone();
        mixed[range(block)].copy_from_slice(&other[range(block)]);
        let opened = Pack::from_sealed_bytes(mixed, &KEY);
        let place = (block * BLOCK_BYTES) as u64;
        assert!(
            matches!(opened, Err(Error::Damaged { at, .. }) if at == place),
            "block {block} of another pack: {opened:?}"
        );
        let mut moved = file.clone();
        moved.copy_within(range(block % (blocks - 1) + 1), block * BLOCK_BYTES);
        assert!(Pack::from_sealed_bytes(moved, &KEY).is_err(), "block {block} is another one's");
    }
}

/// Keeps all that was ever written, also what was written over.
#[derive(Default)]
struct Recording {
    file: Cursor<Vec<u8>>,
    all: Vec<u8>,
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.all.extend_from_slice(bytes);
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Recording {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn an_encrypted_pack_says_nothing_and_nothing_of_the_header_can_be_changed() {
    let needle = b"a value that somebody looks for";
    let rows = Rows {
        numbers: BTreeMap::from([(0x6E65_6564, Some(needle.to_vec()))]),
        bytes: BTreeMap::from([(needle.to_vec(), Some(vec![1]))]),
    };
    let holds = |file: &[u8], what: &[u8]| file.windows(what.len()).any(|bytes| bytes == what);
    let (plain, encrypted) =
        (written(description(Kind::Base, 1), &rows).0, sealed(description(Kind::Base, 1), &rows, 1).0);
    let mut writer =
        Writer::new_sealed(Recording::default(), &description(Kind::Base, 1), Arc::new(Toy(KEY.0, 1))).unwrap();
    fill(&mut writer, &rows).unwrap();
    let ever_written = writer.finish().unwrap().0.all;
    assert!(ever_written.len() > encrypted.len());
    for what in [&needle[..], b"need", b"numbers", &[0xD1; 32]] {
        assert!(holds(&plain, what) && !holds(&encrypted, what) && !holds(&ever_written, what));
    }
    // With the checksum of the header put right: what stands there in the clear is authenticated.
    for at in [16, 36, 80, 100, 112, 144] {
        let mut forged = encrypted.clone();
        forged[at] ^= 1;
        let check = crc32fast::hash(&forged[..BLOCK_BYTES - 4]);
        forged[BLOCK_BYTES - 4..BLOCK_BYTES].copy_from_slice(&check.to_le_bytes());
        assert!(matches!(Pack::from_sealed_bytes(forged, &KEY), Err(Error::Damaged { .. })), "byte {at}");
    }
}

#[test]
fn each_way_in_is_for_its_own_kind_of_pack() {
    let (plain, encrypted) =
        (written(description(Kind::Base, 1), &small()).0, sealed(description(Kind::Base, 1), &small(), 1).0);
    assert!(matches!(Pack::from_bytes(encrypted.clone(), Checks::Never), Err(Error::Encrypted)));
    assert!(matches!(Pack::from_sealed_bytes(plain, &KEY), Err(Error::NotEncrypted)));
    assert!(matches!(Pack::from_sealed_bytes(encrypted.clone(), &ToyKey(0)), Err(Error::Cipher(_))));
    assert!(matches!(Pack::from_sealed_bytes(encrypted, &ToyKey(8)), Err(Error::Damaged { .. })));
}

/// Notes under which places it encrypts.
struct Placing(std::sync::Mutex<Vec<u64>>);

impl BlockCipher for Placing {
    fn parameters(&self) -> Parameters {
        [0; _]
    }

    fn seal(&self, place: u64, _: &[u8], _: &mut [u8]) -> io::Result<Tag> {
        self.0.lock().unwrap().push(place);
        Ok([0; _])
    }

    fn open(&self, _: u64, _: &[u8], _: &mut [u8], _: &Tag) -> bool {
        false
    }
}

/// Another place would not open packs that are there.
#[test]
fn each_block_is_encrypted_under_its_place_and_the_trailer_under_the_next() {
    let cipher = Arc::new(Placing(Default::default()));
    let mut writer = Writer::new_sealed(Cursor::new(Vec::new()), &description(Kind::Base, 1), cipher.clone()).unwrap();
    fill(&mut writer, &clustered(1000)).unwrap();
    let file = writer.finish().unwrap().0.into_inner();
    let trailer_at = u64::from_le_bytes(file[56..64].try_into().unwrap());
    let places = cipher.0.lock().unwrap().clone();
    assert!(places.len() > 5);
    assert_eq!(places, (1..=trailer_at / BLOCK_BYTES as u64).collect::<Vec<_>>());
}
