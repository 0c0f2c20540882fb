//! Makes the folder of the version that is being built, once:
//!
//! ```sh
//! cargo test --locked -p cpr-replika --features encryption --test it -- --ignored the_kept_files_of_this_version_are_written
//! ```
//!
//! A made-up Denmark of two dozen persons and four nights of change, then three nights written by hand: somebody with so
//! much history that it is put away, and somebody whom nobody needs. Between them a subscriber, a reader of events, an
//! erase, and a rule of who is kept, so that every table has rows.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Date, Day};
use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, DeliveryNumber, EraseOptions, EventCursor, EventFilter, Keep, Options, Packed, Replika, Snapshot,
};

use super::answers::{answers, answers_of_store};
use super::{FORMS, Form, Kept, THIS, answers_of_extracts, copy, key};
use crate::kit::{PLAIN, TASK, config, extract_as, pnr, std_family};
use crate::subscriptions::{add, filter, name, subscribe};

#[test]
#[ignore = "it writes testdata/kept, once for each version"]
fn the_kept_files_of_this_version_are_written() {
    let kept = Kept::of(THIS);
    if kept.0.exists() {
        fs::remove_dir_all(&kept.0).unwrap();
    }
    fs::create_dir_all(kept.path("extracts")).unwrap();
    write_extracts(&kept);
    write_stores(&kept);
    fs::write(kept.path("extracts.txt"), answers_of_extracts(&kept)).unwrap();
}

/// A full extract and a night of each family; of U12180-P, which the made-up Denmark does not write, two by hand.
fn write_extracts(kept: &Kept) {
    for family in Family::all() {
        let folder = kept.path("extracts").join(family.name);
        fs::create_dir(&folder).unwrap();
        let files = match family.name {
            "u12180" => by_hand(family).to_vec(),
            _ => {
                let population = Population::new(20_260_105, 12);
                let product = Product { family, task: TASK.to_owned() };
                let mut nights = population.deltas(&product, 6);
                vec![population.full_extract(Vec::new(), &product).unwrap(), nights.next_delta(Vec::new()).unwrap()]
            }
        };
        for (number, file) in (1..).zip(files) {
            fs::write(folder.join(format!("{number}.L{TASK}")), file).unwrap();
        }
    }
}

fn by_hand(family: &'static Family) -> [Vec<u8>; 2] {
    let rows = |surname: &str| {
        format!(
            "001 STATUS=01, KOEN=K, FOED_DT=1980-01-01
             002 KOMKOD=0751, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200
             008 FORNVN=Maja, EFTERNVN={surname}, NVNHAENSTART=198001010000
             031 PNRMOR=6101501234, ADRNVN=Mejse Maja, STANDARDADR=Fuglevej 7, POSTNR=8000
             032 PNRFAR=6101501235, ADRNVN=Mejse Bo
             033 PNRBARN=6101101234, ADRNVN=Mejse Liv"
        )
    };
    [("2026-01-05", "2026-01-02", "Mejse"), ("2026-01-06", "2026-01-05", "Musvit")].map(
        |(production, previous, named)| {
            extract_as(family, PLAIN, TASK, [production, previous], &[("6101801234", &rows(named))])
        },
    )
}

/// The files of the nights: four of a made-up Denmark, then those by hand. The last is for who opens what is kept.
fn nights() -> Vec<Vec<u8>> {
    let population = Population::new(20_260_105, 24);
    let product = Product { family: std_family(), task: TASK.to_owned() };
    let mut files = vec![population.full_extract(Vec::new(), &product).unwrap()];
    let mut nights = population.deltas(&product, 8);
    files.extend((0..3).map(|_| nights.next_delta(Vec::new()).unwrap()));
    let mut previous = production_of(files.last().expect("four of them"));
    for number in 0..4 {
        let production = Day::of(previous).and_then(Day::next_working_day).expect("a day of the calendar").date();
        let others = format!("001 STATUS=01, KOEN=M, FOED_DT=1970-02-02\n{}", home(number));
        let persons = [("6101801234", &much_history(number)[..]), ("6202701236", &others[..])];
        let days = [production.to_string(), previous.to_string()];
        files.push(extract_as(
            std_family(),
            PLAIN,
            TASK,
            [&days[0], &days[1]],
            &persons[..1 + usize::from(number >= 2)],
        ));
        previous = production;
    }
    files
}

fn production_of(file: &[u8]) -> Date {
    Date::from_digits(str::from_utf8(&file[19..27]).unwrap().parse().unwrap()).unwrap()
}

fn home(number: usize) -> String {
    format!("002 KOMKOD=0751, VEJKOD=0042, HUSNR=00{number}, TILFLYDTO=200001011200")
}

/// Rows that are other ones each night, so many that what is believed no longer is put away from the person's value.
fn much_history(number: usize) -> String {
    let names = (1..=100).map(|year| {
        format!(
            "026 FORNVN=Maja, EFTERNVN=Mejse{number}, NVNHAENSTART={}01010000, NVNHAENSLUT={}01010000",
            1900 + year,
            1901 + year
        )
    });
    let current = ["001 STATUS=01, KOEN=K, FOED_DT=1980-01-01".to_owned(), home(number)];
    let name = format!("008 FORNVN=Maja, EFTERNVN=Mejse{number}, NVNHAENSTART=198001010000");
    let event = "099 TIMESTAMPU=202601060900, HAENDELSE=A01".to_owned();
    let protection = format!("004 BESKYTTYPE=0001, SLET_DT-BESKYTTELSE=2026-0{}-30", number + 4);
    current.into_iter().chain([name, protection]).chain(names).chain([event]).collect::<Vec<_>>().join("\n")
}

/// Writes the store and its packs, both encrypted too, and the answers that all of them must give.
fn write_stores(kept: &Kept) {
    let files = nights();
    let folder = tempfile::tempdir().unwrap();
    let [plain, encrypted] = ["store.db", "encrypted.db"].map(|name| folder.path().join(name));
    let replika = Replika::create(&plain, &config()).unwrap();
    begin(&replika, &files[..4]);
    drop(replika);
    // The same store, with its secret, so that ids and receipts are the same too.
    copy(&plain, &encrypted);
    let replika = Replika::open(&encrypted).unwrap();
    replika.rewrite_under_key(key().key.expect("a key"), |_| std::ops::ControlFlow::Continue(())).unwrap();
    drop(replika);
    for (path, packs, options) in [(&plain, "packs", Options::default()), (&encrypted, "encrypted-packs", key())] {
        let replika = Replika::open_with(path, &options).unwrap();
        go_on(&replika, &files[4..7], &folder.path().join(packs));
    }
    fs::write(kept.path("next.L123401"), &files[7]).unwrap();
    let mut all = Vec::new();
    for (form, name, is_encrypted) in FORMS {
        let options = if is_encrypted { key() } else { Options::default() };
        copy(&folder.path().join(name), &kept.path(name));
        _ = fs::remove_file(kept.path(name).join("LOCK"));
        all.push(answers(&opened_and_checked(form, &folder.path().join(name), &options)));
    }
    assert!(all.iter().all(|answers| *answers == all[0]), "all of them say the same");
    fs::write(kept.path("answers.txt"), &all[0]).unwrap();
    let replika = Replika::open(&plain).unwrap();
    take(&replika, &files[7]);
    fs::write(kept.path("next.txt"), answers_of_store(&replika)).unwrap();
}

fn opened_and_checked(form: Form, path: &Path, options: &Options) -> Snapshot {
    let report = match form {
        Form::Store => Replika::verify_file(path, options).unwrap(),
        Form::Packs => Packed::verify(path, options).unwrap(),
    };
    assert!(report.is_clean(), "{form:?}: {:?}", report.faults);
    super::opened(form, path, options).unwrap()
}

fn take(replika: &Replika, file: &[u8]) {
    replika.apply(Cursor::new(file), &ApplyOptions::named("made up")).unwrap();
}

/// Subscribers, a reader of events, three nights, and an erase.
fn begin(replika: &Replika, files: &[Vec<u8>]) {
    subscribe(replika, "desk", Profile::SF6002, &["everything"]);
    subscribe(replika, "school", Profile { leaves: true, ..Profile::SF6002 }, &["0-17", "6101801234", "A01"]);
    replika.add_consumer("queue", EventCursor::BEGINNING).unwrap();
    for (number, file) in (1..).zip(files) {
        take(replika, file);
        let snapshot = replika.snapshot();
        let recipients = snapshot.recipients(DeliveryNumber(number)).unwrap();
        replika.note_given(DeliveryNumber(number), &recipients).unwrap();
    }
    add(replika, "school", &["18-30+0751"]);
    let snapshot = replika.snapshot();
    let third = snapshot.events_since(EventCursor::BEGINNING, EventFilter::default()).unwrap().nth(2).unwrap().unwrap();
    replika.acknowledge("queue", third.cursor).unwrap();
    let erased = snapshot.pnrs().unwrap().nth(3).unwrap().unwrap();
    replika.erase(&[erased], "made up", &EraseOptions { at: Some(1_767_600_000), ..EraseOptions::default() }).unwrap();
}

/// Nights by hand: a base behind the second, then a rule of who is kept, and an overlay behind the third.
fn go_on(replika: &Replika, files: &[Vec<u8>], packs: &Path) {
    files[..2].iter().for_each(|file| take(replika, file));
    assert!(replika.snapshot().write_pack(packs).unwrap().is_base);
    // Whom subscribers follow is kept too.
    replika.clear_filters(&name("desk"), None).unwrap();
    let keep = Keep { filters: vec![filter("6101801234"), filter("0-99+0101")], families: true, grace_days: 30 };
    replika.keep(&keep).unwrap();
    take(replika, &files[2]);
    let report = replika.snapshot().write_pack(packs).unwrap();
    assert!(!report.is_base, "an overlay");
    let (snapshot, school) = (replika.snapshot(), name("school"));
    assert_eq!(snapshot.matched(snapshot.known(), &school).unwrap().len(), 1);
    assert!(snapshot.is_left_out(pnr("6202701236")).unwrap());
    let is_put_away = |table: &cpr_replika::TableStats| table.name == "superseded/v2" && table.rows > 0;
    assert!(snapshot.stats().unwrap().tables.iter().any(is_put_away));
    assert!(snapshot.person(pnr("6101801234")).unwrap().is_some());
}
