//! What somebody finds who searches the files of an encrypted store for the persons in it: nothing, in the store, in
//! the file that a rewriting has not finished, and in its packs. The same search of a plain store finds each of them.
#![cfg(feature = "encryption")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use cpr_replika::cpr_model::Pnr;
use cpr_replika::{EraseOptions, KeyFile, KeySource, Options, Replika, RewriteProgress};

use crate::kit::{apply, config, extract_of_day, pnr};

const PERSONS: [&str; 4] = ["6101801234", "6412751237", "6907661239", "7002551241"];
const SPOUSE: &str = "6303781235";

/// What is searched for: found when all of it is.
struct Needle {
    what: &'static str,
    parts: Vec<Vec<u8>>,
}

fn needles() -> Vec<Needle> {
    // Four bytes stand anywhere by chance, those of three persons together hardly.
    let keys = |bytes: fn(u32) -> [u8; 4]| PERSONS[..3].iter().map(|digits| bytes(key(digits)).to_vec()).collect();
    let one = |bytes: &[u8]| vec![bytes.to_vec()];
    let spouse = SPOUSE.parse::<u64>().expect("digits").to_le_bytes();
    vec![
        Needle { what: "a name", parts: one(b"Qvistine Z\xF8llnerup") },
        Needle { what: "a folded word", parts: one(b"qvistine") },
        Needle { what: "an address", parts: one(b"Xylofonvej 42") },
        Needle { what: "a street, folded", parts: one(b"xylofonvej") },
        Needle { what: "a number as text", parts: one(PERSONS[3].as_bytes()) },
        Needle { what: "a number, packed", parts: one(&spouse[..5]) },
        Needle { what: "keys", parts: keys(u32::to_le_bytes) },
        Needle { what: "keys that sort", parts: keys(u32::to_be_bytes) },
    ]
}

fn key(digits: &str) -> u32 {
    pnr(digits).key().expect("a day that exists").as_u32()
}

fn extract(day: usize) -> Vec<u8> {
    let house = format!("0{day:02}");
    let rows = format!(
        "001 STATUS=01, KOEN=K\n\
         002 KOMKOD=0751, VEJKOD=000{day}, HUSNR={house}, TILFLYDTO=200001011200\n\
         003 STANDARDADR=Xylofonvej 42, KOMKOD=0751, VEJKOD=000{day}, VEJADRNVN=Xylofonvej, ADRNVN=Qvistine Z\u{f8}llnerup\n\
         008 FORNVN=Qvistine, EFTERNVN=Z\u{f8}llnerup, ADRNVN=Qvistine Z\u{f8}llnerup\n\
         012 CIVST=G, AEGTEPNR={SPOUSE}, HAENSTART-CIVILSTAND=200906131400"
    );
    let planted = format!("{rows}\n004 BESKYTTYPE=0001");
    let in_a_name = rows.replace("Xylofonvej 42", PERSONS[3]);
    // The word has another person in it on the second day, and the street another code: both stand in the overlay.
    let first = if day == 1 { rows.replace("Qvistine", "Frida") } else { rows.clone() };
    let persons = [(PERSONS[0], &*first), (PERSONS[1], &*rows), (PERSONS[2], &*planted), (PERSONS[3], &*in_a_name)];
    extract_of_day(day, &persons)
}

/// What was found, each with the kind of file it was found in.
#[derive(Default)]
struct Search {
    found: RefCell<BTreeSet<(&'static str, &'static str)>>,
    /// Kinds of files that were searched.
    searched: RefCell<BTreeSet<&'static str>>,
}

impl Search {
    /// Searches every file of a folder, but for keys.
    fn folder(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            let kind = match &*name {
                _ if path.is_dir() => {
                    self.folder(&path);
                    continue;
                }
                _ if name.ends_with(".key") => continue,
                "store" => "store",
                ".store.new" => "unfinished store",
                _ if name.starts_with("base-") => "base",
                _ if name.starts_with("overlay-") => "overlay",
                _ => "other file",
            };
            self.bytes(kind, &fs::read(path).unwrap());
        }
    }

    fn bytes(&self, kind: &'static str, bytes: &[u8]) {
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        self.searched.borrow_mut().insert(kind);
        let found = needles().into_iter().filter(|needle| needle.parts.iter().all(|part| holds(part)));
        self.found.borrow_mut().extend(found.map(|needle| (needle.what, kind)));
    }
}

/// Makes a key of this name.
type NewKey<'a> = &'a dyn Fn(&str) -> Arc<dyn KeySource>;

/// Lives with a store: packs, and every way to write it anew, each searched while it goes on.
fn life(folder: &Path, key: Option<NewKey<'_>>) -> Search {
    let (search, options) = (Search::default(), Options { key: key.map(|key| key("a.key")), ..Options::default() });
    let stages = RefCell::new(BTreeSet::new());
    let watch = |progress: RewriteProgress| {
        stages.borrow_mut().insert(match progress {
            RewriteProgress::Copying { .. } => 0,
            RewriteProgress::Checking { .. } => 1,
            _ => 2,
        });
        search.folder(folder);
        ControlFlow::Continue(())
    };
    let replika = Replika::create_with(folder.join("store"), &config(), &options).unwrap();
    let (packs, snapshot) = (folder.join("packs"), || replika.snapshot());
    apply(&replika, &extract(1)).unwrap();
    assert!(snapshot().write_pack(&packs).unwrap().is_base);
    apply(&replika, &extract(2)).unwrap();
    assert!(!snapshot().write_pack(&packs).unwrap().is_base);
    search.folder(folder);
    replika.compact(watch).unwrap();
    if let Some(key) = key {
        replika.rewrite_under_key(key("b.key"), watch).unwrap();
        search.folder(folder);
    }
    let gone: Vec<Pnr> = vec![pnr(PERSONS[2])];
    let how = EraseOptions { unfollow: true, progress: Some(&watch), ..EraseOptions::default() };
    replika.erase(&gone, "they asked for it", &how).unwrap();
    snapshot().write_pack(&packs).unwrap();
    drop(replika);
    search.folder(folder);
    assert_eq!(stages.borrow().len(), 3, "caught while copying, while checking and before it was renamed");
    search
}

#[test]
fn no_file_of_an_encrypted_store_shows_anything_of_the_persons_in_it() {
    let [plain, encrypted] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let in_clear = life(plain.path(), None);
    let in_clear = in_clear.found.borrow();
    for kind in ["store", "unfinished store", "base", "overlay"] {
        for Needle { what, .. } in needles() {
            let keys = if kind.ends_with("store") { "keys" } else { "keys that sort" };
            if !what.starts_with("keys") || what == keys {
                assert!(in_clear.contains(&(what, kind)), "the search finds {what} in a plain {kind}");
            }
        }
    }
    let folder = encrypted.path();
    let key = |name: &str| -> Arc<dyn KeySource> { Arc::new(KeyFile::create(folder.join(name)).unwrap()) };
    let sealed = life(folder, Some(&key));
    assert_eq!(*sealed.found.borrow(), BTreeSet::new());
    for kind in ["store", "unfinished store", "base", "overlay"] {
        assert!(sealed.searched.borrow().contains(kind), "a {kind} was searched");
    }
}
