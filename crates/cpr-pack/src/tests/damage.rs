//! What damage does: an error or nothing, and with the checks put right again, no panic and no hang.

use super::*;

/// A small pack of both kinds of tables, in which every section stands.
pub(super) fn small() -> Rows {
    let numbers = (0..12).map(|at| (at * 9, Some(vec![at as u8; at as usize * 3]))).collect();
    let bytes = (0..9u8).map(|at| (vec![at; usize::from(at)], Some(vec![at; 7]))).collect();
    Rows { numbers, bytes }
}

pub(super) fn small_overlay() -> Rows {
    let numbers = BTreeMap::from([(9, None), (18, Some(b"changed".to_vec())), (19, Some(b"new".to_vec()))]);
    let bytes = BTreeMap::from([(vec![1], None), (vec![8, 8], Some(b"new".to_vec()))]);
    Rows { numbers, bytes }
}

/// Every question to both tables, each with its answer or what went wrong.
fn answers(numbers: &Table<'_>, bytes: &Table<'_>) -> Vec<Result<Vec<Plain>, Error>> {
    let mut answers = Vec::new();
    let got = |value: Option<crate::Value<'_>>| value.map(|value| (Vec::new(), value.to_vec())).into_iter().collect();
    answers.extend([0, 9, 17, 18, 99, 108, u32::MAX].map(|number| numbers.get(number).map(got)));
    answers.extend([&[][..], &[1], &[3, 3, 3], &[8, 8], &[9]].map(|key| bytes.get(key).map(got)));
    for table in [numbers, bytes] {
        answers.push(table.iter().and_then(|rows| rows.map(|row| Ok(plain(&row?))).collect()));
        answers.push(table.iter().and_then(|rows| rows.rev().map(|row| Ok(plain(&row?))).collect()));
    }
    answers.push(numbers.range(10..=90).and_then(|rows| rows.map(|row| Ok(plain(&row?))).collect()));
    answers.push(many(numbers, &[0, 1, 9, 18, 27]).map(|found| found.into_iter().flat_map(got).collect()));
    answers
}

pub(super) fn answers_of(packs: &Packs) -> Result<Vec<Result<Vec<Plain>, Error>>, Error> {
    Ok(answers(&packs.table("numbers", Keys::Numbers)?, &packs.table("bytes", Keys::Bytes)?))
}

/// Whether damage is told, by an error on opening or by a verification; every answer must be right or an error.
fn is_told(below: &[u8], above: &[u8], sound: &[Vec<Plain>], checks: Checks, what: &str) -> bool {
    let Ok(packs) = packs(below.to_vec(), above.to_vec(), checks) else { return true };
    let Ok(answers) = answers_of(&packs) else { return true };
    let mut is_told = false;
    for (answer, sound) in answers.into_iter().zip(sound) {
        match answer {
            Ok(answer) => assert!(answer == *sound, "{what}: another answer"),
            Err(Error::Damaged { .. }) => is_told = true,
            Err(error) => panic!("{what}: {error}"),
        }
    }
    let verified = [packs.base(), packs.overlay().unwrap()].iter().all(|pack| pack.verify().is_ok());
    assert!(!is_told || !verified, "{what}: a verification sees less than a read");
    !verified
}

fn sound() -> (Vec<u8>, Vec<u8>, Vec<Vec<Plain>>) {
    let (below, above) = pair(&small(), &small_overlay());
    let packs = packs(below.clone(), above.clone(), Checks::AtFirstTouch).unwrap();
    let sound = answers_of(&packs).unwrap().into_iter().map(Result::unwrap).collect();
    (below, above, sound)
}

#[test]
fn every_flipped_bit_is_an_error_and_never_another_answer() {
    let (below, above, sound) = sound();
    let step = if cfg!(miri) { 3001 } else { 1 };
    for at in (0..below.len() + above.len()).step_by(step) {
        for bit in (0..8).step_by(if cfg!(miri) { 7 } else { 1 }) {
            let (mut first, mut second) = (below.clone(), above.clone());
            let (changed, at) = if at < below.len() { (&mut first, at) } else { (&mut second, at - below.len()) };
            let is_padding = changed[at.saturating_sub(16)..changed.len().min(at + 16)].iter().all(|&byte| byte == 0);
            changed[at] ^= 1 << bit;
            // A CRC32 finds every flipped bit; and no byte of a pack is without a check. No read needs the padding.
            if is_padding {
                let opened = Pack::from_bytes(changed.clone(), Checks::AtFirstTouch);
                assert!(opened.and_then(|pack| pack.verify()).is_err(), "bit {bit} of byte {at}");
            } else {
                assert!(is_told(&first, &second, &sound, Checks::AtFirstTouch, &format!("bit {bit} of byte {at}")));
            }
        }
    }
}

#[test]
fn every_truncation_and_every_addition_is_an_error() {
    let (below, _, _) = sound();
    for length in (0..below.len()).step_by(if cfg!(miri) { 1999 } else { 1 }) {
        assert!(Pack::from_bytes(below[..length].to_vec(), Checks::Never).is_err(), "{length} bytes");
    }
    for added in [&[0][..], &[0; 4096]] {
        let longer = [&below, added].concat();
        assert!(matches!(Pack::from_bytes(longer, Checks::Never), Err(Error::Length { .. })));
    }
}

#[test]
fn blocks_that_change_places_are_an_error() {
    let (below, above, sound) = sound();
    let blocks = below.len() / BLOCK_BYTES;
    let pairs = (0..blocks).flat_map(|first| (0..first).map(move |second| (first, second)));
    for (first, second) in pairs.step_by(if cfg!(miri) { 4 } else { 1 }) {
        let mut swapped = below.clone();
        let (head, tail) = swapped.split_at_mut(first * BLOCK_BYTES);
        head[second * BLOCK_BYTES..][..BLOCK_BYTES].swap_with_slice(&mut tail[..BLOCK_BYTES]);
        assert!(is_told(&swapped, &above, &sound, Checks::AtFirstTouch, &format!("blocks {first} and {second}")));
    }
}

#[test]
fn blocks_of_an_earlier_pack_are_an_error() {
    let (below, above, sound) = sound();
    let mut other = small();
    other.numbers.insert(9, Some(b"another".to_vec()));
    other.bytes.insert(vec![1], Some(b"another".to_vec()));
    let other = written(description(Kind::Base, 5), &other).0;
    for block in (0..below.len().div_ceil(BLOCK_BYTES)).step_by(if cfg!(miri) { 2 } else { 1 }) {
        let (start, end) = (block * BLOCK_BYTES, below.len().min((block + 1) * BLOCK_BYTES));
        let mut mixed = below.clone();
        mixed[start..end].copy_from_slice(&other[start..end]);
        assert!(mixed == below || is_told(&mixed, &above, &sound, Checks::AtFirstTouch, &format!("block {block}")));
    }
}

#[test]
fn checks_at_every_read_tell_what_a_first_touch_cannot() {
    let (below, _, _) = sound();
    for checks in ALL_CHECKS {
        let mut damaged = below.clone();
        // In the value of the last number.
        let at = damaged.windows(20).position(|bytes| bytes == [11; 20]).unwrap();
        damaged[at] ^= 1;
        let pack = Pack::from_bytes(damaged, checks).unwrap();
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        assert_eq!(table.get(9).is_err(), checks == Checks::AtFirstTouch, "the next row's damage, at {checks:?}");
        for _ in 0..2 {
            let answer = table.get(99);
            assert_eq!(answer.is_err(), checks != Checks::Never);
        }
        assert!(matches!(pack.verify(), Err(Error::Damaged { .. })), "a verification always checks");
    }
}

#[test]
fn a_row_under_a_number_is_compared_with_its_own_check_at_every_read() {
    let (below, above, sound) = sound();
    for at in (BLOCK_BYTES..below.len()).step_by(if cfg!(miri) { 1009 } else { 1 }) {
        let mut changed = below.clone();
        changed[at] ^= 1 << (at % 8);
        is_told(&changed, &above, &sound, Checks::AtEveryRead, &format!("byte {at}"));
    }
    // The blocks of the table have their checks anew, as if it had been written so: only the row's own check tells.
    let mut resealed = below;
    let at = resealed.windows(20).position(|bytes| bytes == [11; 20]).unwrap();
    resealed[at] ^= 1;
    reseal(&mut resealed);
    for (checks, is_told) in [(Checks::AtEveryRead, true), (Checks::AtFirstTouch, false)] {
        let pack = Pack::from_bytes(resealed.clone(), checks).unwrap();
        let table = pack.table("numbers", Keys::Numbers).unwrap();
        assert_eq!(table.get(99).is_err(), is_told);
        assert_eq!(table.iter().unwrap().any(|row| row.is_err()), is_told);
        assert_eq!(many(&table, &[9, 99]).is_err(), is_told);
        assert!(pack.verify().is_err());
    }
}

#[test]
fn a_verification_goes_on_behind_a_fault_up_to_a_limit() {
    let rows = clustered(20_000 / if cfg!(miri) { 20 } else { 1 });
    let (sound, summary) = written(description(Kind::Base, 1), &rows);
    let blocks = u64::from_le_bytes(sound[56..64].try_into().unwrap()) as usize / BLOCK_BYTES;
    let mut damaged = sound.clone();
    let hit: Vec<usize> = (1..blocks).step_by(3).collect();
    hit.iter().for_each(|block| damaged[block * BLOCK_BYTES + 9] ^= 4);
    let pack = Pack::from_bytes(damaged, Checks::AtFirstTouch).unwrap();
    let (verified, faults) = pack.verify_all(usize::MAX).unwrap();
    let at = |fault: &crate::Fault| fault.at as usize / BLOCK_BYTES;
    assert!(hit.iter().all(|block| faults.iter().any(|fault| at(fault) == *block)), "each of them");
    assert!(faults.iter().all(|fault| hit.contains(&at(fault))), "and nothing else");
    assert!(faults.iter().enumerate().all(|(at, fault)| !faults[..at].contains(fault)), "each once");
    assert_eq!(verified.blocks as usize, blocks - 1 - hit.len());
    assert!(verified.rows > 0 && verified.rows < summary.rows);
    assert_eq!(pack.verify_all(2).unwrap().1, faults[..2]);
    assert!(matches!(pack.verify(), Err(Error::Damaged { .. })));
    let whole = Pack::from_bytes(sound, Checks::AtFirstTouch).unwrap();
    let (verified, faults) = whole.verify_all(usize::MAX).unwrap();
    assert_eq!((verified.rows, faults), (summary.rows, vec![]));
}

/// Keys of bytes whose rows take three times 64 KiB and a little, of each of which the trailer has the first key; a pack of
/// them, and how many blocks they take.
fn several_strides() -> (Vec<[u8; 2]>, Vec<u8>, usize) {
    let keys: Vec<[u8; 2]> = (0..500u16).map(u16::to_be_bytes).collect();
    let bytes = keys.iter().map(|key| (key.to_vec(), Some(vec![7; 400]))).collect();
    let (sound, _) = written(description(Kind::Base, 1), &Rows { bytes, ..Rows::default() });
    let blocks = u64::from_le_bytes(sound[56..64].try_into().unwrap()) as usize / BLOCK_BYTES - 1;
    assert_eq!(blocks, 3 * 16 + 3);
    (keys, sound, blocks)
}

#[test]
fn a_verification_goes_on_with_the_first_row_that_is_whole_again() {
    let (keys, sound, blocks) = several_strides();
    let row_bytes = 416;
    for block in 1..=blocks {
        let mut damaged = sound.clone();
        damaged[block * BLOCK_BYTES + 20] ^= 1;
        let (verified, faults) = Pack::from_bytes(damaged, Checks::AtFirstTouch).unwrap().verify_all(9).unwrap();
        assert_eq!(faults.iter().map(|fault| fault.at as usize).collect::<Vec<_>>(), [block * BLOCK_BYTES]);
        let stand_there = |row: &usize| {
            (row * row_bytes / BLOCK_BYTES..=((row + 1) * row_bytes - 1) / BLOCK_BYTES).contains(&(block - 1))
        };
        let lost = (0..keys.len()).filter(stand_there).count();
        assert_eq!(verified.rows as usize, keys.len() - lost, "block {block}");
    }
    // What else contradicts itself is told, too: here the first key of the third 64 KiB, the last of whose two bytes is that
    // of the row before. Its row is where the verification goes on, or far behind that.
    let first_key = sound.len() - 2 * 8;
    let place = u32::from_le_bytes(sound[first_key..][..4].try_into().unwrap()) as usize * 8;
    for block in [3, place / BLOCK_BYTES] {
        let mut damaged = sound.clone();
        damaged[first_key + 7] -= 1;
        reseal(&mut damaged);
        damaged[block * BLOCK_BYTES + 20] ^= 1;
        let (_, faults) = Pack::from_bytes(damaged, Checks::AtFirstTouch).unwrap().verify_all(9).unwrap();
        let told: Vec<_> = faults.iter().map(|fault| (fault.what, fault.at as usize)).collect();
        let first_keys = ("the first keys are those of other rows", BLOCK_BYTES + place);
        assert_eq!(told, [("a block does not have its check", block * BLOCK_BYTES), first_keys]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of gets: hours there, of code that others run")]
fn a_get_by_bytes_reads_few_blocks_and_the_damage_of_others_is_no_concern_of_its() {
    let (keys, sound, blocks) = several_strides();
    let mut read = vec![0; keys.len()];
    for block in 1..=blocks {
        let mut damaged = sound.clone();
        damaged[block * BLOCK_BYTES + 20] ^= 1;
        let pack = Pack::from_bytes(damaged, Checks::AtEveryRead).unwrap();
        let table = pack.table("bytes", Keys::Bytes).unwrap();
        for (key, read) in keys.iter().zip(&mut read) {
            *read += usize::from(table.get(key).is_err());
        }
    }
    // The blocks that halving comes to among sixteen, the row's own, and the one in which it ends.
    assert_eq!(read.iter().max(), Some(&6), "{read:?}");
}

/// Makes all checks say what the bytes are, where the header leaves that possible.
pub(super) fn reseal(bytes: &mut [u8]) {
    let Some(trailer) = bytes.get(56..64).map(|at| u64::from_le_bytes(at.try_into().unwrap()) as usize) else { return };
    let tables = bytes.get(68..72).map_or(0, |at| u32::from_le_bytes(at.try_into().unwrap()) as usize);
    if trailer > BLOCK_BYTES && trailer <= bytes.len() {
        let (blocks, rest) = bytes.split_at_mut(trailer);
        let checks = rest.get_mut(tables.saturating_mul(128)..).unwrap_or_default().chunks_exact_mut(4);
        for (block, check) in blocks[BLOCK_BYTES..].chunks_exact(BLOCK_BYTES).zip(checks) {
            check.copy_from_slice(&crc32fast::hash(block).to_le_bytes());
        }
        let check = crc32fast::hash(rest);
        bytes[64..68].copy_from_slice(&check.to_le_bytes());
    }
    if bytes.len() >= BLOCK_BYTES {
        let check = crc32fast::hash(&bytes[..BLOCK_BYTES - 4]);
        bytes[BLOCK_BYTES - 4..BLOCK_BYTES].copy_from_slice(&check.to_le_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 1500 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// With its checks right a pack may say anything; it must be read without a panic, and come to an end.
    #[test]
    fn whatever_is_written_with_right_checks_is_read_without_a_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..9),
        checks in prop::sample::select(&ALL_CHECKS[..]),
    ) {
        let below = written(description(Kind::Base, 5), &small()).0;
        let trailer = u64::from_le_bytes(below[56..64].try_into().unwrap()) as usize;
        let mut changed = below;
        let length = changed.len();
        // Mostly where something is written: in the header, at the start of each block, in the trailer.
        let places: Vec<usize> =
            (0..112).chain((BLOCK_BYTES..trailer).filter(|at| at % BLOCK_BYTES < 400)).chain(trailer..length).collect();
        for (index, byte, flips) in changes {
            let at = places[index.index(places.len())];
            changed[at] = if flips { changed[at] ^ byte } else { byte };
        }
        reseal(&mut changed);
        let Ok(pack) = Pack::from_bytes(changed, checks) else { return Ok(()) };
        let _ = pack.verify();
        let alone = (pack.table("numbers", Keys::Numbers), pack.table("bytes", Keys::Bytes));
        if let (Ok(numbers), Ok(bytes)) = alone {
            let _ = answers(&numbers, &bytes);
        }
        let kind = Kind::Overlay { base_delivery: pack.description().delivery, base_seal: pack.seal() };
        let over = Description { kind, delivery: u32::MAX, ..*pack.description() };
        let above = Pack::from_bytes(written(over, &small_overlay()).0, checks).unwrap();
        if let Ok(packs) = Packs::new(Arc::new(pack), Some(Arc::new(above))) {
            let _ = answers_of(&packs);
        }
    }
}
