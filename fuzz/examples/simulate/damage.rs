//! Damage: a store or a pack with other bytes than were written. It is told, with its place, or has no effect; and a
//! verification sees it.

use std::fs;
use std::path::{Path, PathBuf};

use cpr_replika::{Error, Packed, Replika};

use crate::answers::{self, Answers, KeyNumber, options};
use crate::disk::{self, Tree};
use crate::guarded::guarded;
use crate::part::{Answer, Part};
use crate::random::Random;

const BLOCK: usize = 4096;

/// Changes bytes of one file; what was done, in words.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    let (len, blocks) = (bytes.len(), bytes.len().div_ceil(BLOCK));
    // Blocks with something in them: the rest of a store is as it was made, zeros.
    let used: Vec<usize> =
        (0..blocks).filter(|at| bytes[at * BLOCK..].iter().take(BLOCK).any(|&byte| byte != 0)).collect();
    let block = *random.pick(&used) * BLOCK;
    let end = len.min(block + BLOCK);
    match random.below(8) {
        0 | 1 => {
            let at = block + random.below((end - block) as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
            format!("a bit of byte {at}")
        }
        2 => {
            let at = random.below(len as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
            format!("a bit of byte {at} of all")
        }
        3 => {
            let (at, many) = (block + random.below((end - block) as u64) as usize, 1 + random.below(40) as usize);
            bytes[at..].iter_mut().take(many).for_each(|byte| *byte = random.below(256) as u8);
            format!("{many} bytes at {at}")
        }
        4 => {
            let other = *random.pick(&used) * BLOCK;
            let many = (end - block).min(len - other);
            let copy = bytes[other..other + many].to_vec();
            bytes[block..block + many].copy_from_slice(&copy);
            format!("block {} in the place of block {}", other / BLOCK, block / BLOCK)
        }
        5 => {
            bytes[block..end].fill(0);
            format!("block {} zeroed", block / BLOCK)
        }
        6 => {
            let to = random.below(len as u64) as usize;
            bytes.truncate(to);
            format!("cut to {to} bytes")
        }
        _ => {
            let by = 1 + random.below(600) as usize * if random.one_in(2) { 1 } else { BLOCK };
            bytes.resize(len + by, 0);
            format!("grown by {by} bytes")
        }
    }
}

/// Damages the store or a pack of a copy of a folder, and asks it; how many were tried.
pub fn try_one(live: &Path, copy: &Path, key: KeyNumber, sound: &Answers, random: &mut Random) -> Result<u64, String> {
    let mut tree = disk::read_tree(live);
    let name = |wanted: fn(&Path) -> bool, tree: &Tree| -> Vec<PathBuf> {
        tree.names.keys().filter(|name| wanted(name)).cloned().collect()
    };
    let stores = name(|name| name == Path::new("store"), &tree);
    let packs = name(|name| name.starts_with("packs") && name.extension().is_some_and(|end| end == "pack"), &tree);
    let of_store = packs.is_empty() || random.one_in(2);
    let Some(name) = (if of_store { stores.first() } else { Some(random.pick(&packs)) }) else { return Ok(0) };
    let Some(disk::Node::File(file)) = tree.names.get(name).copied() else { return Ok(0) };
    let mut bytes = tree.contents[file].to_vec();
    let what = damage(&mut bytes, random);
    if bytes == **tree.contents[file] {
        return Ok(0);
    }
    tree.contents[file] = bytes.into();
    disk::write_tree(copy, &tree);
    let told = |difference: String| format!("{} damaged, {what}: {difference}", name.display());
    guarded(|| if of_store { of_damaged_store(copy, key, sound) } else { of_damaged_packs(copy, key, sound) })
        .map_err(told)?;
    Ok(1)
}

fn of_damaged_store(home: &Path, key: KeyNumber, sound: &Answers) -> Result<(), String> {
    let path = home.join("store");
    let before = fs::read(&path).expect("written just now");
    if Replika::verify_file(&path, &options(home, key)).is_ok_and(|report| report.is_clean()) {
        return Err("a verification does not see it".to_owned());
    }
    if fs::read(&path).expect("written just now") != before {
        return Err("a verification changes the file".to_owned());
    }
    is_told(&answers::store_at(&path, key), &sound.store)
}

fn of_damaged_packs(home: &Path, key: KeyNumber, sound: &Answers) -> Result<(), String> {
    let folder = home.join("packs");
    let verified = (0..=key).rev().map(|key| Packed::verify(&folder, &options(home, key)));
    let is_other_key = |error: &Error| matches!(error.kind(), "wrong_key" | "key_needed" | "not_encrypted");
    let mut verified = verified.skip_while(|verified| verified.as_ref().is_err_and(is_other_key));
    if verified.next().is_some_and(|verified| verified.is_ok_and(|report| report.is_clean())) {
        return Err("a verification does not see it".to_owned());
    }
    is_told(&answers::packs_at(&folder, key), &sound.packs)
}

/// Each answer is the right one, or an error.
fn is_told(found: &Part, sound: &Part) -> Result<(), String> {
    let (Part::Is(found), Part::Is(sound)) = (found, sound) else { return Ok(()) };
    let is_right = |(found, sound): (&Answer, &Answer)| found.is_err() || found == sound;
    if let Some(at) = found.iter().zip(sound).position(|both| !is_right(both)) {
        return Err(format!("answer {at} of {} is another one", sound.len()));
    }
    match found.len() == sound.len() || found.iter().any(Result::is_err) {
        true => Ok(()),
        false => Err(format!("{} answers of {}", found.len(), sound.len())),
    }
}
