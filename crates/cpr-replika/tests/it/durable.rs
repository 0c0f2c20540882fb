//! What is told as done was made durable, by whoever found it done too: a process that was killed before that cannot have
//! told that it was not. The simulator cuts the power for it; here is seen what is synced.

use std::fs;

use cpr_replika::{DeliveryNumber, Options, Packed};
use private_file::watched;

use crate::packs::{packs, store};

#[test]
fn what_a_killed_follower_made_current_is_durable_before_the_next_one_says_that_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let [source, own] = ["source", "own"].map(|name| folder.path().join(name));
    store(1).snapshot().write_base(&source).unwrap();
    let follow = || Packed::follow(&own, &source, &Options::default()).unwrap();
    assert_eq!(follow(), Some(DeliveryNumber(1)));
    assert_eq!(watched::synced(follow), (None, vec![own]));
}

#[test]
fn packs_that_are_removed_are_gone_for_good_before_that_is_told() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let current = private_file::part_path(&folder.join("CURRENT"));
    // How often the folder is synced once CURRENT is written: that it has its name, and that others are gone.
    let write = |times: usize, what: &str| {
        let (written, synced) = watched::synced(|| replika.snapshot().write_base(folder));
        written.unwrap();
        assert_eq!(synced.rsplit(|path| *path == current).next(), Some(&vec![folder.to_owned(); times][..]), "{what}");
        assert_eq!(packs(folder).len(), 1, "{what}");
    };
    write(1, "there were none");
    write(2, "the one of before");
    fs::write(folder.join(".base-1-00.pack.part"), "half").unwrap();
    write(2, "and what a killed writer left");
}

#[cfg(feature = "encryption")]
mod keys {
    use std::io::Write;
    use std::ops::ControlFlow;
    use std::sync::{Arc, Barrier};
    use std::thread;
    use std::time::Duration;

    use cpr_replika::{KeyFile, KeySource, Replika};

    use super::*;
    use crate::kit::config;

    #[test]
    fn a_new_key_is_durable_and_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let part = private_file::part_path(&path);
        fs::write(&part, "what a killed process left").unwrap();
        let (made, synced) = watched::synced(|| KeyFile::create(&path));
        made.unwrap();
        assert_eq!(synced, [&*part, folder.path()]);
        let key = fs::read(&path).unwrap();
        assert_eq!((key.len(), part.exists()), (32, false));
        assert_eq!(KeyFile::create(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&path).unwrap(), part.exists()), (key, false), "what is there stays");
    }

    #[test]
    fn a_key_that_another_process_makes_meanwhile_stays_as_it_is() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("key");
            let both = Barrier::new(2);
            thread::scope(|scope| {
                let of_another = scope.spawn(|| {
                    both.wait();
                    // Most often while a key that is begun at the same time is being made durable.
                    thread::sleep(Duration::from_micros(100));
                    let mut file = fs::File::create_new(&path)?;
                    file.write_all(b"of another")
                });
                both.wait();
                let ours = KeyFile::create(&path);
                let of_another = of_another.join().unwrap();
                assert_eq!(
                    (ours.is_ok(), fs::read(&path).unwrap() == b"of another"),
                    (of_another.is_err(), of_another.is_ok())
                );
            });
        }
    }

    #[test]
    fn a_key_file_is_durable_before_anything_is_encrypted_that_is_lost_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let at = |name: &str| folder.join(name);
        // As a process leaves it that is killed before it makes it durable.
        let key = |name: &str| {
            fs::create_dir(at(name)).unwrap();
            KeyFile::create(at(name).join("key")).unwrap()
        };
        let [first, second, third] = ["first", "second", "third"].map(key);
        let with = |key: &KeyFile| Options { key: Some(Arc::new(key.clone())), ..Options::default() };
        let prove = |name: &str, make: &dyn Fn()| {
            let ((), synced) = watched::synced(make);
            let durable = [at(name).join("key"), at(name)];
            let begins = synced.windows(2).position(|pair| *pair == durable).expect("the key is made durable");
            // The folder of the packs was there, and is locked.
            let before = synced[..begins].iter().find(|path| **path != at("packs"));
            assert_eq!(before, None, "made durable before its key {name}");
        };
        prove("first", &|| drop(Replika::create_with(at("store"), &config(), &with(&first)).unwrap()));
        prove("second", &|| Replika::rekey(at("store"), &first, &second).unwrap());
        let replika = Replika::open_with(at("store"), &with(&second)).unwrap();
        let rewritten = |third: &KeyFile| {
            let third: Arc<dyn KeySource> = Arc::new(third.clone());
            replika.rewrite_under_key(third, |_| ControlFlow::Continue(())).unwrap();
        };
        prove("third", &|| rewritten(&third));
        fs::create_dir(at("packs")).unwrap();
        fs::write(at("packs").join("another"), "").unwrap();
        prove("third", &|| drop(replika.snapshot().write_base(at("packs")).unwrap()));
        prove("third", &|| drop(Replika::restore(at("packs"), at("restored"), &with(&third)).unwrap()));
    }
}
