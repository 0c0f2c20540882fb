//! Packs of an encrypted store: encrypted too, and no use to whoever does not have its key.
#![cfg(feature = "encryption")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cpr_replika::cpr_pack::Pack;
use cpr_replika::{DeliveryNumber, Error, KeyFile, Options, PackKey, Packed, Replika, Snapshot};

use crate::kit::config;
use crate::packs::{export, night, overwrite, packs};

/// A key in a file of a folder.
fn key(folder: &Path, name: &str) -> Options {
    let key = KeyFile::create(folder.join(name)).unwrap();
    Options { key: Some(Arc::new(key)), cache_bytes: 256 * 1024 }
}

/// An encrypted store with one delivery, and its packs: a base.
fn store(folder: &Path) -> (Replika, Options) {
    let options = key(folder, "key");
    let replika = Replika::create_with(folder.join("store"), &config(), &options).unwrap();
    night(&replika, 1);
    assert!(replika.snapshot().write_pack(folder.join("packs")).unwrap().is_base);
    (replika, options)
}

fn answers(snapshot: &Snapshot) -> Vec<u8> {
    export(snapshot).unwrap()
}

#[test]
fn packs_of_an_encrypted_store_are_read_restored_and_followed_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (replika, options) = store(folder.path());
    let [packs, own, restored] = ["packs", "own", "restored"].map(|name| folder.path().join(name));
    let packed = Packed::open_encrypted(&packs, &options).unwrap();
    night(&replika, 2);
    assert!(!replika.snapshot().write_pack(&packs).unwrap().is_base, "an overlay over the encrypted base");
    assert!(packed.poll().unwrap());
    let sound = answers(&replika.snapshot());
    assert_eq!(answers(&packed.snapshot()), sound);
    assert!(Packed::verify(&packs, &options).unwrap().is_clean());
    assert_eq!(Packed::follow(&own, &packs, &options).unwrap(), Some(DeliveryNumber(2)));
    assert_eq!(answers(&Packed::open_encrypted(&own, &options).unwrap().snapshot()), sound);
    let again = Replika::restore(&own, &restored, &options).unwrap();
    assert_eq!(answers(&again.snapshot()), sound);
    drop(again);
    assert!(matches!(Replika::open(&restored), Err(Error::KeyNeeded)), "the store is encrypted again");
    let whole = PackKey::new(options.key.clone().unwrap());
    let whole = Packed::open_with(&packs, move |path| Pack::read_sealed(path, &whole)).unwrap();
    assert_eq!(answers(&whole.snapshot()), sound, "decrypted whole");
}

#[test]
fn a_wrong_key_or_none_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let (replika, options) = store(folder.path());
    let [packs, own, plain] = ["packs", "own", "plain"].map(|name| folder.path().join(name));
    let other = key(folder.path(), "other");
    assert!(matches!(Packed::open(&packs), Err(Error::KeyNeeded)));
    assert!(matches!(Packed::open_encrypted(&packs, &other), Err(Error::WrongKey)));
    for (options, kind) in [(&Options::default(), "key_needed"), (&other, "wrong_key")] {
        assert_eq!(Packed::verify(&packs, options).unwrap_err().kind(), kind);
        assert_eq!(Packed::follow(&own, &packs, options).unwrap_err().kind(), kind);
        assert_eq!(Replika::restore(&packs, folder.path().join("none"), options).unwrap_err().kind(), kind);
        assert!(!folder.path().join("none").exists());
    }
    // A plain pack in the place of an encrypted one is not taken for it.
    let in_clear = Replika::in_memory(&config()).unwrap();
    in_clear.snapshot().write_pack(&plain).unwrap();
    assert!(matches!(Packed::open_encrypted(&plain, &options), Err(Error::NotEncrypted)));
    // What the caller opened himself is not written in the clear.
    let whole = PackKey::new(options.key.clone().unwrap());
    let whole = Packed::open_with(&packs, move |path| Pack::read_sealed(path, &whole)).unwrap();
    assert!(matches!(whole.snapshot().write_base(&plain), Err(Error::KeyNeeded)));
    let copied = Packed::open_encrypted(&packs, &options).unwrap().snapshot().write_base(folder.path().join("copy"));
    assert_eq!(copied.unwrap().digest, replika.snapshot().state_digest().unwrap());
    assert!(matches!(Packed::open(folder.path().join("copy")), Err(Error::KeyNeeded)));
}

#[test]
fn after_a_rekeying_the_next_pack_is_a_base_under_the_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let (replika, options) = store(folder.path());
    drop(replika);
    let [store, packs] = ["store", "packs"].map(|name| folder.path().join(name));
    let other = key(folder.path(), "other");
    let [from, to] = [&options, &other].map(|options| options.key.clone().unwrap());
    Replika::rekey(&store, &*from, &*to).unwrap();
    let replika = Replika::open_with(&store, &other).unwrap();
    assert!(replika.snapshot().write_pack(&packs).unwrap().is_base);
    assert!(matches!(Packed::open_encrypted(&packs, &options), Err(Error::WrongKey)));
    assert_eq!(answers(&Packed::open_encrypted(&packs, &other).unwrap().snapshot()), answers(&replika.snapshot()));
}

#[test]
fn a_flipped_bit_of_an_encrypted_pack_is_an_error_or_has_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (replika, options) = store(folder.path());
    let sound = answers(&replika.snapshot());
    let path = &packs(&folder.path().join("packs"))[0];
    let file = fs::read(path).unwrap();
    let mut told = 0;
    for at in (0..file.len()).step_by(211) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        overwrite(path, &flipped);
        let read = Packed::open_encrypted(folder.path().join("packs"), &options).map(|packed| packed.snapshot());
        match read.and_then(|snapshot| Ok((export(&snapshot)?, snapshot.verify()?.is_clean()))) {
            Ok((exported, true)) => assert!(exported == sound, "byte {at} changes an answer"),
            Ok((_, false)) => told += 1,
            Err(error) => {
                assert_eq!(error.kind(), "corrupt", "byte {at}: {error}");
                told += 1;
            }
        }
    }
    assert!(told * 211 > file.len() / 2, "most bytes matter: {told}");
}
