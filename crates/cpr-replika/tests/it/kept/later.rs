//! Files as a later version would write them are refused by that, and not told as damage.

use std::fs;
use std::path::{Path, PathBuf};

use cpr_replika::{Error, Options, Packed, Replika};

use super::{Kept, THIS, copy, key};
use crate::packs::{overwrite, packs};

/// What the refusal says, if it is one by version.
pub(super) fn is_by_version(error: &Error) -> Option<String> {
    ["newer_format", "older_format"].contains(&error.kind()).then(|| error.to_string())
}

/// A copy of what this version has of a name, changed as a later version would have it.
fn changed(name: &str, change: impl Fn(&Path)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    copy(&Kept::of(THIS).path(name), &path);
    change(&path);
    (folder, path)
}

/// Puts bytes at places of a file.
fn patch(path: &Path, places: &[usize], bytes: &[u8]) {
    let mut file = fs::read(path).unwrap();
    for &at in places {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }
    overwrite(path, &file);
}

#[test]
fn a_store_of_a_later_layout_of_blocks_is_refused_by_its_version() {
    for (name, options) in [("store.db", Options::default()), ("encrypted.db", key())] {
        let (_folder, path) = changed(name, |path| patch(path, &[8, 4096 + 8], &7u16.to_le_bytes()));
        let refused = [
            Replika::open_with(&path, &options).map(drop).unwrap_err(),
            Replika::open_read_only_with(&path, &options).map(drop).unwrap_err(),
            Replika::verify_file(&path, &options).map(drop).unwrap_err(),
        ];
        for error in refused {
            let says = is_by_version(&error).unwrap_or_else(|| panic!("{name}: {error}"));
            assert!(says.contains("format 7"), "{name}: {says}");
        }
    }
}

#[test]
fn a_pack_of_a_later_version_is_refused_by_it() {
    let (_folder, path) = changed("packs", |folder| packs(folder).iter().for_each(|pack| patch(pack, &[8], &[7])));
    let own = path.with_file_name("own");
    let refused = [
        Packed::open(&path).map(drop).unwrap_err(),
        Packed::follow(&own, &path, &Options::default()).map(drop).unwrap_err(),
        Packed::verify(&path, &Options::default()).map(drop).unwrap_err(),
        Replika::restore(&path, path.with_file_name("restored"), &Options::default()).map(drop).unwrap_err(),
    ];
    for error in refused {
        let says = is_by_version(&error).unwrap_or_else(|| panic!("{error}"));
        assert!(says.contains("version 7"), "{says}");
    }
}

#[test]
fn packs_with_rows_of_a_later_version_are_refused_by_it() {
    // A base alone: an overlay over it would not have its seal any more.
    let (_folder, path) = changed("packs", |folder| {
        let replika = Replika::restore(folder, folder.with_file_name("restored"), &Options::default()).unwrap();
        fs::remove_dir_all(folder).unwrap();
        replika.snapshot().write_base(folder).unwrap();
        let pack = &packs(folder)[0];
        patch(pack, &[12], &77u32.to_le_bytes());
        let check = crc32fast::hash(&fs::read(pack).unwrap()[..4092]);
        patch(pack, &[4092], &check.to_le_bytes());
    });
    let error = Packed::open(&path).map(drop).unwrap_err();
    assert!(is_by_version(&error).is_some_and(|says| says.contains("format 77")), "{error}");
}

#[test]
fn a_folder_of_packs_of_a_later_version_is_refused_by_it_and_a_changed_digit_is_damage() {
    for is_checked in [true, false] {
        let (_folder, path) = changed("packs", |folder| {
            let current = folder.join("CURRENT");
            let text = fs::read_to_string(&current).unwrap().replace("replika packs 1", "replika packs 7");
            let (stated, _) = text.split_at(text.rfind("check ").unwrap());
            let check = format!("check {:08x}\n", crc32fast::hash(stated.as_bytes()));
            overwrite(&current, (if is_checked { stated.to_owned() + &check } else { text.clone() }).as_bytes());
        });
        let error = Packed::open(&path).map(drop).unwrap_err();
        match is_checked {
            true => assert!(is_by_version(&error).is_some_and(|says| says.contains("version 7")), "{error}"),
            false => assert_eq!(error.kind(), "corrupt"),
        }
    }
}
