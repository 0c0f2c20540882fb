//! What earlier versions wrote: extracts, stores and packs in `testdata/kept`, a folder for each version that wrote them,
//! with the answers they gave then.
//!
//! Every later version gives the same answers, or refuses what it cannot read by its version. What is kept is never
//! written again: [`write`] makes the folder of the version that is being built, once (docs/format.md says how).

mod answers;
mod later;
#[cfg(feature = "encryption")]
mod write;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use cpr_replika::{ApplyOptions, Config, Options, Packed, Replika, Snapshot};

use self::answers::{answers, answers_of_store};

/// The versions whose stores and packs this version reads. Those of a folder that is not named here must be refused.
const READ: [&str; 2] = ["0.2.0", "0.3.0"];

/// The version that is being built.
const THIS: &str = env!("CARGO_PKG_VERSION");

/// What there is of a version.
struct Kept(PathBuf);

impl Kept {
    fn all() -> Vec<Kept> {
        let folders = fs::read_dir(root()).expect("testdata/kept").map(|entry| entry.expect("an entry").path());
        folders.filter(|path| path.is_dir()).map(Kept).collect()
    }

    fn of(version: &str) -> Kept {
        Kept(root().join(version))
    }

    fn version(&self) -> &str {
        self.0.file_name().and_then(|name| name.to_str()).expect("a version")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is kept")
    }
}

/// A store or a folder of packs of those that are kept, as a copy that may be opened.
#[derive(Clone, Copy, Debug)]
enum Form {
    Store,
    Packs,
}

/// What is kept in the clear, and what is encrypted.
const FORMS: [(Form, &str, bool); 4] = [
    (Form::Store, "store.db", false),
    (Form::Packs, "packs", false),
    (Form::Store, "encrypted.db", true),
    (Form::Packs, "encrypted-packs", true),
];

fn forms() -> impl Iterator<Item = (Form, &'static str, Options)> {
    let forms = FORMS.into_iter().filter(|(_, _, is_encrypted)| !is_encrypted || cfg!(feature = "encryption"));
    forms.map(|(form, name, is_encrypted)| (form, name, if is_encrypted { key() } else { Options::default() }))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/kept")
}

/// The key of what is encrypted. A key in a repository keeps no secret; what it opens is made up.
fn key() -> Options {
    #[derive(Debug)]
    struct KnownKey;
    impl cpr_replika::KeySource for KnownKey {
        fn key(&self, _: &[u8; 16]) -> std::io::Result<cpr_replika::Key> {
            Ok(cpr_replika::Key::from_bytes(*b"a key of made-up data, kept here"))
        }
    }
    Options { key: Some(std::sync::Arc::new(KnownKey)), ..Options::default() }
}

/// A copy of a file, or of a folder of files, for its owner alone.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::write(to, fs::read(from).expect("the file is kept")).expect("a file");
    }
}

/// Holds the answers to those of then, and says at which line they differ.
fn hold(found: &str, then: &str, of: &str) {
    let differ = found.lines().zip(then.lines()).find(|(found, then)| found != then);
    assert_eq!(differ, None, "{of}: a line of now and of then");
    assert_eq!(found.lines().count(), then.lines().count(), "{of}: lines of the answers");
}

fn opened(form: Form, path: &Path, options: &Options) -> Result<Snapshot, cpr_replika::Error> {
    match form {
        Form::Store => Replika::open_read_only_with(path, options).map(|replika| replika.snapshot()),
        Form::Packs if options.key.is_some() => Packed::open_encrypted(path, options).map(|packed| packed.snapshot()),
        Form::Packs => Packed::open(path).map(|packed| packed.snapshot()),
    }
}

#[test]
fn stores_and_packs_of_earlier_versions_give_the_answers_of_then() {
    for kept in READ.map(Kept::of) {
        let then = kept.text("answers.txt");
        for (form, name, options) in forms() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            copy(&kept.path(name), &path);
            let of = format!("{name} of {}", kept.version());
            hold(&answers(&opened(form, &path, &options).expect(&of)), &then, &of);
        }
    }
}

#[test]
fn stores_of_earlier_versions_and_what_is_restored_of_their_packs_take_the_next_night() {
    for kept in READ.map(Kept::of) {
        let (next, then) = (fs::read(kept.path("next.L123401")).unwrap(), kept.text("next.txt"));
        for (form, name, options) in forms() {
            let folder = tempfile::tempdir().unwrap();
            let (path, restored) = (folder.path().join(name), folder.path().join("restored.db"));
            copy(&kept.path(name), &path);
            let replika = match form {
                Form::Store => Replika::open_with(&path, &options).unwrap(),
                Form::Packs => Replika::restore(&path, &restored, &options).unwrap(),
            };
            replika.apply(Cursor::new(&next), &ApplyOptions::named("next.L123401")).unwrap();
            let of = format!("{name} of {} and a night", kept.version());
            hold(&answers_of_store(&replika), &then, &of);
        }
    }
}

#[test]
fn extracts_of_every_family_are_read_as_earlier_versions_read_them() {
    for kept in Kept::all() {
        let then = kept.text("extracts.txt");
        hold(&answers_of_extracts(&kept), &then, &format!("extracts of {}", kept.version()));
    }
}

/// What the extracts of each family say, read in their order by a store of the family.
fn answers_of_extracts(kept: &Kept) -> String {
    let mut families: Vec<PathBuf> =
        fs::read_dir(kept.path("extracts")).expect("extracts").map(|entry| entry.expect("an entry").path()).collect();
    families.sort();
    let answers_of = |folder: &PathBuf| {
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).expect("a family").map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        for file in files {
            let bytes = fs::read(&file).expect("the file is kept");
            replika.apply(Cursor::new(bytes), &ApplyOptions::named("extract")).expect("an extract that is read");
        }
        let family = replika.settings().family.expect("found out from the first file");
        format!("# {}\n{}", family.name, without_ids(&answers(&replika.snapshot())))
    };
    families.iter().map(answers_of).collect()
}

/// Ids of events, the last word of their lines, are of a store's secret: a new one has others.
fn without_ids(answers: &str) -> String {
    let without = |line: &str| match line.rsplit_once(' ') {
        Some((says, _id)) if line.starts_with("event ") => format!("{says}\n"),
        _ => format!("{line}\n"),
    };
    answers.lines().map(without).collect()
}

#[test]
fn this_version_has_its_kept_files_and_so_has_every_family() {
    let kept = Kept::of(THIS);
    assert!(READ.contains(&kept.version()), "what it writes it reads: docs/format.md says how files are added");
    for (_, name, _) in FORMS {
        assert!(kept.path(name).exists(), "{name} of {}", kept.version());
    }
    for family in ["std", "uuid", "2022", "u12180", "full"] {
        assert!(kept.path("extracts").join(family).is_dir(), "extracts of {family}");
    }
}

#[test]
fn what_is_kept_and_not_read_any_more_is_refused_by_its_version() {
    for kept in Kept::all().into_iter().filter(|kept| !READ.contains(&kept.version())) {
        for (form, name, options) in forms() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            copy(&kept.path(name), &path);
            let refused = opened(form, &path, &options).map(drop).expect_err("it is not on the list of those read");
            later::is_by_version(&refused).unwrap_or_else(|| panic!("{name} of {}: {refused}", kept.version()));
        }
    }
}
