//! A night on its way to the subscribers: whole files, the same bytes again, and none in the place of another.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    Allow, ApplyOptions, DeliverOptions, DeliverReport, Delivery, DeliveryNumber, Error, FolderSink, Options,
    OutgoingFile, Replika, Sink,
};

use crate::kit::{self, config, extract, extract_of_day};
use crate::subscriptions::{subscribe, thinned};

const ANNA: &str = "6101801231";
const BO: &str = "6101801232";
const LIVES_IN_A: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0101, VEJKOD=1188, HUSNR=012";
const LIVES_IN_B: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0851, VEJKOD=8512, HUSNR=091";

/// A store with three subscribers (`anna`, `bo` and `nobody`) and its extract of day 2, which has both persons.
fn two_of_three() -> (Replika, Vec<u8>) {
    let replika = Replika::in_memory(&config()).unwrap();
    kit::apply(&replika, &extract_of_day(1, &[])).unwrap();
    subscribe(&replika, "anna", Profile::SF6002, &[ANNA]);
    subscribe(&replika, "bo", Profile::SF6002, &[BO, "0851"]);
    subscribe(&replika, "nobody", Profile::SF6002, &[]);
    let file = extract_of_day(2, &[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B)]);
    kit::apply(&replika, &file).unwrap();
    (replika, file)
}

fn delivery_of(replika: &Replika, file: &[u8]) -> Delivery {
    replika.snapshot().delivery_of_file(file).unwrap().expect("applied")
}

fn deliver(replika: &Replika, file: &[u8], sink: &mut impl Sink) -> DeliverReport {
    replika.deliver(&delivery_of(replika, file), Cursor::new(file), sink).unwrap()
}

/// Every file below a folder, hidden ones too, by its path in it.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for of_subscriber in std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        for file in std::fs::read_dir(of_subscriber.path()).unwrap().map(Result::unwrap) {
            let name = file.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read(file.path()).unwrap());
        }
    }
    found
}

/// The files of the night of [`two_of_three`], as the definition of a thinned file has them.
fn expected(replika: &Replika, file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let snapshot = replika.snapshot();
    let of = |name: &str| (format!("{name}/D260105.L123401"), thinned(&snapshot, file, name));
    BTreeMap::from(["anna", "bo"].map(of))
}

#[test]
fn each_subscriber_is_given_its_file_and_the_same_bytes_again() {
    let (replika, file) = two_of_three();
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FolderSink::new(folder.path().join("out/there"));
    let expected = expected(&replika, &file);
    let report = deliver(&replika, &file, &mut sink);
    assert!(report.undelivered.is_empty());
    let told: Vec<_> = report.delivered.iter().map(|one| (one.file.subscriber.as_str(), one.persons)).collect();
    assert_eq!(told, [("anna", 1), ("bo", 1)]);
    assert_eq!(files_below(&sink.folder), expected);
    for one in &report.delivered {
        assert_eq!(std::fs::metadata(sink.path_of(&one.file)).unwrap().len(), one.bytes);
    }

    let next = extract_of_day(3, &[(ANNA, LIVES_IN_B)]);
    kit::apply(&replika, &next).unwrap();
    assert_eq!(deliver(&replika, &next, &mut sink).delivered.len(), 2, "who moves to B is whom B follows");
    assert_eq!(deliver(&replika, &file, &mut sink).delivered.len(), 2, "whatever was given since");
    let mut all = files_below(&sink.folder);
    all.retain(|name, _| name.contains("D260105"));
    assert_eq!(all, expected);

    sink.empty_files = true;
    assert_eq!(deliver(&replika, &file, &mut sink).delivered.len(), 3);
    let empty = std::fs::read(sink.folder.join("nobody/D260105.L123401")).unwrap();
    assert_eq!(empty, extract(kit::DAYS[2], kit::DAYS[1], &[]));
}

#[test]
#[cfg(unix)]
fn files_and_folders_are_for_their_owner_alone_whatever_stood_there() {
    use std::os::unix::fs::PermissionsExt;
    let (replika, file) = two_of_three();
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FolderSink::new(folder.path().join("out"));
    std::fs::create_dir_all(sink.folder.join("bo")).unwrap();
    std::fs::set_permissions(sink.folder.join("bo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(deliver(&replika, &file, &mut sink).delivered.len(), 2);
    let mode = |path: &str| std::fs::metadata(sink.folder.join(path)).unwrap().permissions().mode() & 0o777;
    for name in ["anna", "bo"] {
        assert_eq!((mode(name), mode(&format!("{name}/D260105.L123401"))), (0o700, 0o600), "{name}");
    }
}

#[test]
fn two_deliveries_of_one_production_date_are_two_files() {
    let (replika, first) = two_of_three();
    let second = extract(kit::DAYS[2], kit::DAYS[2], &[(ANNA, LIVES_IN_B)]);
    let options = ApplyOptions { allow: Allow { older: true, ..Allow::default() }, ..ApplyOptions::named("again") };
    replika.apply(Cursor::new(&second), &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FolderSink::new(folder.path());
    for file in [&first, &second, &first] {
        assert!(deliver(&replika, file, &mut sink).undelivered.is_empty());
    }
    let names: Vec<String> = files_below(folder.path()).into_keys().collect();
    assert_eq!(names, ["anna/D260105.L123401", "anna/D260105.L123401.2", "bo/D260105.L123401", "bo/D260105.L123401.2"]);
    assert_eq!(files_below(folder.path())["bo/D260105.L123401.2"], second);
}

#[test]
fn a_file_with_other_contents_is_not_replaced_and_keeps_nobody_else_from_theirs() {
    let (replika, file) = two_of_three();
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FolderSink::new(folder.path());
    let other = folder.path().join("anna/D260105.L123401");
    std::fs::create_dir(other.parent().unwrap()).unwrap();
    std::fs::write(&other, "somebody else's").unwrap();
    let wanted = expected(&replika, &file);
    let report = deliver(&replika, &file, &mut sink);
    let [failed] = &report.undelivered[..] else { panic!("{report:?}") };
    assert_eq!((failed.file.subscriber.as_str(), failed.error.kind()), ("anna", io::ErrorKind::AlreadyExists));
    assert_eq!(report.delivered.len(), 1);
    let mut found = files_below(folder.path());
    assert_eq!(found.remove("anna/D260105.L123401").as_deref(), Some(&b"somebody else's"[..]));
    assert_eq!(found.len(), 1, "no half file is left");

    // What was not given is no part of the stream: the next file follows on what was given.
    std::fs::remove_file(&other).unwrap();
    let next = extract_of_day(3, &[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B)]);
    kit::apply(&replika, &next).unwrap();
    assert_eq!(deliver(&replika, &next, &mut sink).delivered.len(), 2);
    assert_eq!(deliver(&replika, &file, &mut sink).delivered.len(), 2);
    let found = files_below(folder.path());
    assert_eq!(found["anna/D260105.L123401"], wanted["anna/D260105.L123401"]);
    assert_eq!(found["anna/D260106.L123401"], extract(kit::DAYS[3], kit::DAYS[2], &[(ANNA, LIVES_IN_A)]));
}

/// A folder of whose owner's process is killed at a step of a file: before it, in the middle of its bytes, or when it
/// is whole and the store knows nothing of it yet.
struct Killed {
    folder: FolderSink,
    steps_left: usize,
}

impl Killed {
    fn step(&mut self) {
        self.steps_left = self.steps_left.checked_sub(1).unwrap_or_else(|| panic!("killed"));
    }
}

impl Sink for Killed {
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.step();
        let mut whole = Vec::new();
        write(&mut whole)?;
        if self.steps_left == 0 {
            // What a kill in the middle of the bytes leaves: part of them, under the name of what is not whole.
            let own = self.folder.folder.join(file.subscriber.as_str());
            std::fs::create_dir_all(&own).unwrap();
            std::fs::write(own.join(format!(".{}.part", file.name)), &whole[..whole.len() / 2]).unwrap();
        }
        self.step();
        self.folder.take(file, write)?;
        self.step();
        Ok(())
    }
}

#[test]
fn a_kill_at_any_step_leaves_whole_files_only_and_the_next_run_gives_the_same() {
    let mut kills = 0;
    for steps_left in 0.. {
        let (replika, file) = two_of_three();
        let wanted = expected(&replika, &file);
        let folder = tempfile::tempdir().unwrap();
        let mut sink = FolderSink::new(folder.path());
        let mut killed = Killed { folder: sink.clone(), steps_left };
        let delivery = delivery_of(&replika, &file);
        let run = catch_unwind(AssertUnwindSafe(|| replika.deliver(&delivery, Cursor::new(&file), &mut killed)));
        let is_whole = |(name, bytes): (&String, &Vec<u8>)| name.contains("/.") || wanted.get(name) == Some(bytes);
        assert!(files_below(folder.path()).iter().all(is_whole), "killed at step {steps_left}");
        assert!(deliver(&replika, &file, &mut sink).undelivered.is_empty());
        assert_eq!(files_below(folder.path()), wanted, "killed at step {steps_left}");
        if run.is_ok() {
            break;
        }
        kills += 1;
    }
    assert_eq!(kills, 6, "three steps for each of two files");
}

/// Takes nothing, or says so without having looked.
struct Idle;

impl Sink for Idle {
    fn take(&mut self, _: &OutgoingFile, _: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_took_no_bytes_took_no_file() {
    let (replika, file) = two_of_three();
    let report = deliver(&replika, &file, &mut Idle);
    assert_eq!((report.delivered.len(), report.undelivered.len()), (0, 2));
}

#[test]
fn only_the_extract_of_the_delivery_is_a_source() {
    let (replika, file) = two_of_three();
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FolderSink::new(folder.path().join("out"));
    let delivery = delivery_of(&replika, &file);
    let mut one_letter_off = file.clone();
    let at = file.windows(4).position(|bytes| bytes == b"0851").unwrap();
    one_letter_off[at] = b'1';
    for source in [extract_of_day(1, &[]), one_letter_off, file[..40].to_vec(), Vec::new()] {
        let refused = replika.deliver(&delivery, Cursor::new(source), &mut sink).map(drop).unwrap_err();
        assert!(matches!(refused, Error::OtherExtract { delivery: DeliveryNumber(2) }), "{refused}");
    }
    assert!(!sink.folder.exists());
}

#[test]
fn a_store_restored_from_packs_that_are_written_with_the_files_goes_on_with_the_streams() {
    let (replika, file) = two_of_three();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let delivery = delivery_of(&replika, &file);
    let deliver = |to: &Path, packs: Option<&Path>| {
        let mut sink = FolderSink::new(to);
        replika.deliver_with(&delivery, Cursor::new(&file), &mut sink, &DeliverOptions { pack: packs })
    };
    // A night that has nothing for Anna, and the next one: it follows on the last file that she was given.
    let follows_on = |restored: &Path| {
        let restored = Replika::restore(at("packs"), restored, &Options::default()).unwrap();
        kit::apply(&restored, &extract_of_day(3, &[(BO, LIVES_IN_A)])).unwrap();
        kit::apply(&restored, &extract_of_day(4, &[(ANNA, LIVES_IN_B)])).unwrap();
        let recipients = restored.snapshot().recipients(DeliveryNumber(4)).unwrap();
        let anna = recipients.iter().find(|one| one.subscriber.name.as_str() == "anna").unwrap();
        anna.previous_production_date
    };
    replika.snapshot().write_pack(at("packs")).unwrap();
    assert_eq!(deliver(&at("out"), None).unwrap().pack, None);
    assert_eq!(
        follows_on(&at("restored early")),
        kit::date(kit::DAYS[3]),
        "the packs do not know that she was given one"
    );
    let report = deliver(&at("out"), Some(&at("packs"))).unwrap();
    assert_eq!((report.delivered.len(), report.pack.unwrap().delivery), (2, DeliveryNumber(2)));
    assert_eq!(follows_on(&at("restored")), kit::date(kit::DAYS[2]));

    // A folder that cannot be written keeps nobody from a file.
    std::fs::write(at("no folder"), "a file").unwrap();
    let error = deliver(&at("other"), Some(&at("no folder"))).unwrap_err();
    assert!(matches!(error, Error::NotPacked { delivery: DeliveryNumber(2), .. }), "{error}");
    assert_eq!(files_below(&at("other")), expected(&replika, &file));
}
