//! Planted faults: that the simulator finds what it is for. Each is found within some seeds, or the run fails.

use std::process::ExitCode;

use cpr_replika::planted::Fault;

use crate::disk::{self, Vice};
use crate::trial::{Effort, Folders};
use crate::try_seed;

/// Seeds within which a fault is to be found.
const SEEDS: u64 = 400;

/// Where a fault is planted.
#[derive(Clone, Copy, Debug)]
enum Planted {
    /// Where all files pass.
    Disk(Vice),
    /// In the engine.
    Engine(Fault),
}

fn all() -> Vec<(&'static str, Planted)> {
    let of_disk = [
        ("a store is not synced", Vice::StoreSync),
        ("the first sync of a store is left out", Vice::FirstSync),
        ("a file that is written beside its name is not synced", Vice::PartSync),
        ("a folder is not synced", Vice::FolderSync),
        ("a file gets its name before it is synced", Vice::RenameBeforeSync),
        ("both copies of the root are one", Vice::RootInPlace),
        ("a line of the access log is not synced", Vice::LineSync),
        ("a subscriber's file gets its name before it is synced", Vice::OutgoingRenamed),
        ("a file of the outbox is told as whole before it is durable", Vice::OutgoingTold),
        ("folders of the outbox are not synced", Vice::OutgoingFolders),
    ];
    let of_engine = cpr_replika::planted::ALL;
    let of_disk = of_disk.into_iter().map(|(name, vice)| (name, Planted::Disk(vice)));
    of_disk.chain(of_engine.iter().map(|(fault, name)| (*name, Planted::Engine(*fault)))).collect()
}

/// The seed from which on a fault is looked for: one that has found it, for those that few do.
fn first_seed(planted: Planted) -> u64 {
    match planted {
        Planted::Disk(Vice::FirstSync) => 76,
        Planted::Disk(Vice::OutgoingRenamed) => 123,
        Planted::Disk(Vice::OutgoingTold) => 129,
        Planted::Engine(Fault::KeyNotAwaited) => 73,
        _ => 1,
    }
}

fn plant(planted: Option<Planted>) {
    disk::set_vice(match planted {
        Some(Planted::Disk(vice)) => Some(vice),
        _ => None,
    });
    cpr_replika::planted::plant(match planted {
        Some(Planted::Engine(fault)) => Some(fault),
        _ => None,
    });
}

/// Looks for each fault; a failure when one is not found.
pub fn find_all(folders: &Folders, effort: Effort) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0;
    for (name, planted) in all() {
        plant(Some(planted));
        let first = first_seed(planted);
        let mut seeds = (first..=SEEDS).chain(1..first);
        let found = seeds.find_map(|seed| Some((seed, try_seed(folders, effort, seed, false).1.err()?)));
        plant(None);
        // What the seed finds without it, too, is not what was planted.
        let without = found.as_ref().and_then(|(seed, _)| try_seed(folders, effort, *seed, false).1.err());
        match (found, without) {
            (Some((seed, what)), None) => println!("found: {name} (seed {seed}: {what})"),
            (Some((seed, _)), Some(what)) => {
                missed += 1;
                println!("NOT FOUND before another: {name} (seed {seed}, without it: {what})");
            }
            (None, _) => {
                missed += 1;
                println!("NOT FOUND in {SEEDS} seeds: {name}");
            }
        }
    }
    println!("{} planted, {missed} not found", all().len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
