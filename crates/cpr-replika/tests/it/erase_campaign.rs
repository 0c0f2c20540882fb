//! Erases in made-up stores, many of them: plain and encrypted, with packs. Whoever is left is as if the others had
//! never come, who is barred stays away, and who is readmitted comes back.
//!
//! `REPLIKA_ERASES=10000 cargo test --release -p cpr-replika --features encryption --test it campaign` is the campaign;
//! without the variable it is a short one.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use cpr_population::{Population, Product};
use cpr_replika::cpr_model::Pnr;
use cpr_replika::cpr_subscription::{Filter, Profile};
use cpr_replika::{ApplyOptions, EraseOptions, FilterChange, Options, Packed, Replika, Snapshot, UnknownNumbers};

use crate::erase::{answers, encrypted};
use crate::kit::{config, std_family};
use crate::subscriptions::{name, subscribe};

/// Persons of each store, and erases in it.
const PERSONS: u32 = 70;
const ERASES: usize = 10;
/// Erases of a run that asks for no other number.
const SHORT: usize = 20;

/// A choice that is the same every time.
struct Choice(u64);

impl Choice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// The files of one made-up Denmark.
struct Files(Vec<Vec<u8>>);

impl Files {
    fn new(seed: u64) -> Files {
        let population = Population::new(seed, PERSONS);
        let product = Product { family: std_family(), task: "123401".to_owned() };
        let mut files = vec![population.full_extract(Vec::new(), &product).unwrap()];
        let mut nights = population.deltas(&product, 25);
        files.extend((0..5).map(|_| nights.next_delta(Vec::new()).unwrap()));
        Files(files)
    }

    /// A file without the lines of some persons, and counted anew.
    fn without(&self, at: usize, gone: &BTreeSet<Pnr>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut counted = 0u64;
        for line in self.0[at].split_inclusive(|byte| *byte == b'\n') {
            let of = line.get(3..13).and_then(Pnr::parse);
            match &line[..3] {
                b"000" => out.extend_from_slice(line),
                b"999" => {
                    let end: usize = line.len();
                    out.extend_from_slice(&line[..13]);
                    out.extend_from_slice(format!("{counted:08}").as_bytes());
                    out.extend_from_slice(&line[21..end]);
                }
                _ if of.is_some_and(|pnr| gone.contains(&pnr)) => {}
                _ => {
                    out.extend_from_slice(line);
                    counted += 1;
                }
            }
        }
        out
    }
}

fn take(replika: &Replika, file: &[u8]) -> cpr_replika::Report {
    replika.apply(Cursor::new(file), &ApplyOptions::named("made up")).unwrap()
}

/// The same store of who is left.
fn naive(files: &Files, nights: usize, gone: &BTreeSet<Pnr>) -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    subscribe(&replika, "desk", Profile::SF6002, &["everything"]);
    (0..nights).for_each(|at| _ = take(&replika, &files.without(at, gone)));
    replika
}

fn one_store(seed: u64, options: &Options, home: &Path) -> usize {
    let files = Files::new(seed);
    let mut choice = Choice(seed.wrapping_mul(7919) + 1);
    let replika = Replika::create_with(home.join("store"), &config(), options).unwrap();
    subscribe(&replika, "desk", Profile::SF6002, &["everything"]);
    (0..3).for_each(|at| _ = take(&replika, &files.0[at]));
    let packs = home.join("packs");
    let folders = [packs.as_path()];
    let mut gone: BTreeSet<Pnr> = BTreeSet::new();
    let mut erased = 0;
    for number in 1..=ERASES {
        let held: Vec<Pnr> = replika.snapshot().pnrs().unwrap().map(Result::unwrap).collect();
        if held.is_empty() {
            break;
        }
        let asked: Vec<Pnr> = (0..1 + choice.below(3)).map(|_| held[choice.below(held.len())]).collect();
        let unfollow = choice.below(2) == 0;
        if unfollow {
            let follow = FilterChange::Add(Filter::Pnr(asked[0].key().unwrap()));
            replika.change_filters(&name("desk"), &[follow], UnknownNumbers::Keep).unwrap();
        }
        let with_packs = choice.below(3) == 0;
        let erasing = EraseOptions { unfollow, packs: &folders[..usize::from(with_packs)], ..EraseOptions::default() };
        gone.extend(replika.snapshot().erase_scope(&asked).unwrap().numbers);
        let erasure = replika.erase(&asked, "a campaign", &erasing).unwrap();
        erased += 1;
        assert_eq!((erasure.receipt.number as usize, erasure.packs.len()), (number, usize::from(with_packs)));
        assert!(erasure.is_final() && replika.snapshot().is_receipt(&erasure.receipt).unwrap());
        assert!(!held.iter().any(|pnr| gone.contains(pnr) && replika.snapshot().person(*pnr).unwrap().is_some()));
        if with_packs {
            let packed = Packed::open_encrypted(&packs, options).unwrap().snapshot();
            assert!(gone.iter().all(|pnr| packed.person(*pnr).unwrap().is_none()));
            assert!(answers(&packed) == answers(&replika.snapshot()), "packs of store {seed}");
        }
    }
    assert!(answers(&replika.snapshot()) == answers(&naive(&files, 3, &gone).snapshot()), "store {seed}");

    // The next night brings them, and those who come to be one with them; they stay away, the others come. What is held
    // already of one who comes to be one with them stays as it was.
    drop(replika);
    let replika = Replika::open_with(home.join("store"), options).unwrap();
    let before = replika.snapshot();
    let barred = take(&replika, &files.0[3]).delivery.counts.persons_barred;
    let snapshot = replika.snapshot();
    assert!(gone.iter().all(|pnr| snapshot.person(*pnr).unwrap().is_none()));
    let everybody = naive(&files, 4, &BTreeSet::new()).snapshot();
    let is_one = |pnr: &Pnr| gone.contains(pnr) || is_one_with(&everybody, pnr, &gone);
    let since = |snapshot: &Snapshot, pnr: &Pnr| snapshot.person(*pnr).unwrap().map(|person| person.delivered());
    let (one, others): (Vec<Pnr>, Vec<Pnr>) = brought(&files.0[3]).into_iter().partition(is_one);
    assert_eq!(barred, one.len() as u64, "store {seed}");
    assert!(one.iter().all(|pnr| since(&snapshot, pnr) == since(&before, pnr)), "store {seed}");
    assert!(others.iter().all(|pnr| since(&snapshot, pnr).is_some()), "store {seed}");
    // Who is readmitted comes back whole.
    let back: Vec<Pnr> = brought(&files.0[4]).into_iter().filter(|pnr| gone.contains(pnr)).collect();
    replika.readmit(&back).unwrap();
    take(&replika, &files.0[4]);
    assert!(back.iter().all(|pnr| replika.snapshot().person(*pnr).unwrap().is_some()));
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    erased
}

fn brought(file: &[u8]) -> BTreeSet<Pnr> {
    let lines = file.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"001"));
    lines.filter_map(|line| Pnr::parse(line.get(3..13)?)).collect()
}

/// Whether a store of everybody says that a number is one with one of these.
fn is_one_with(everybody: &Snapshot, pnr: &Pnr, gone: &BTreeSet<Pnr>) -> bool {
    let chain = everybody.numbers(*pnr, None).unwrap();
    chain.is_some_and(|chain| chain.numbers.iter().any(|number| gone.contains(&number.pnr)))
}

#[test]
fn a_campaign_of_erases_in_made_up_stores_leaves_nothing_and_changes_nobody_else() {
    let wanted = std::env::var("REPLIKA_ERASES").ok().and_then(|text| text.parse().ok()).unwrap_or(SHORT);
    let (mut done, mut seed) = (0, 0);
    while done < wanted {
        let folder = tempfile::tempdir().unwrap();
        seed += 1;
        let options = if seed % 2 == 0 { encrypted(folder.path()) } else { Options::default() };
        done += one_store(seed, &options, folder.path());
        if wanted > SHORT && seed % 50 == 0 {
            eprintln!("{done} erases in {seed} stores");
        }
    }
}
