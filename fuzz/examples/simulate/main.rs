//! The simulator: made-up stores on a disk that loses what was not synced, in every way that it may.
//!
//! A seed is a run of steps: a store is created, nights are applied, subscribers follow, are sent their files and fetch
//! them, persons are erased and let in again, the store is compacted and gets other keys, packs are written, followed
//! and restored, the access log is told. After each step the folder is held against a naive model. Then the log of what
//! the step wrote, synced and renamed gives the states that a power cut may have left, and in each of them every part
//! of the folder must answer as before the step or as after it, and as after it once the step was told as done. The
//! step is also taken with calls that fail, on a disk that fills up, and by a process that dies and one that takes it
//! up, and what it left is damaged.
//!
//! ```sh
//! # One seed, told step by step; as many as an hour has room for; each planted fault, which must be found.
//! cargo run --release --manifest-path fuzz/Cargo.toml --no-default-features --example simulate -- --seed 7
//! cargo run --release --manifest-path fuzz/Cargo.toml --no-default-features --example simulate -- --minutes 60 --seed 1
//! cargo run --release --manifest-path fuzz/Cargo.toml --no-default-features --example simulate -- --planted
//! ```

mod answers;
mod crash;
mod damage;
mod disk;
mod guarded;
#[allow(unsafe_code, reason = "calls of the kernel")]
mod kernel;
mod model;
#[allow(dead_code, reason = "the host asks more of it")]
#[path = "../../../crates/cpr-host/src/outbox.rs"]
mod outbox;
mod outgoing;
mod part;
mod planted;
mod questions;
mod random;
mod steps;
#[allow(unsafe_code, reason = "calls of the C library, taken over")]
mod syscalls;
mod trial;

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use guarded::guarded;
use trial::{Effort, Folders, Tally, Trial};

/// What is asked of a run.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The first seed.
    seed: u64,
    /// How many of them.
    seeds: u64,
    /// From one seed to the next.
    stride: u64,
    /// None begins later than that.
    minutes: f64,
    effort: Effort,
    planted: bool,
    /// A difference does not end the run.
    goes_on: bool,
}

fn asked() -> Result<Asked, String> {
    let effort = Effort { steps: 12, states: 16, failures: 2, damages: 1 };
    let mut asked =
        Asked { seed: 1, seeds: 1, stride: 1, minutes: f64::INFINITY, effort, planted: false, goes_on: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let flag = match name.as_str() {
            "--planted" => Some(&mut asked.planted),
            "--go-on" => Some(&mut asked.goes_on),
            _ => None,
        };
        if let Some(flag) = flag {
            *flag = true;
            continue;
        }
        let value: f64 = arguments.next().and_then(|text| text.parse().ok()).ok_or(format!("{name} wants a number"))?;
        let number = value as u64;
        match name.as_str() {
            "--seed" => asked.seed = number,
            "--seeds" => asked.seeds = number,
            "--stride" => asked.stride = number,
            "--minutes" => (asked.minutes, asked.seeds) = (value, u64::MAX),
            "--steps" => asked.effort.steps = number as usize,
            "--states" => asked.effort.states = number as usize,
            "--failures" => asked.effort.failures = number as usize,
            "--damages" => asked.effort.damages = number as usize,
            _ => return Err(format!("no such option: {name}")),
        }
    }
    Ok(asked)
}

/// One seed, on a thread of its own: what a thread chooses at random when it begins is of the seed, too.
fn try_seed(folders: &Folders, effort: Effort, seed: u64, is_told: bool) -> (Tally, Result<(), String>) {
    thread::scope(|scope| {
        let trial = scope.spawn(|| {
            syscalls::determine(seed);
            answers::choose_cache(seed);
            let mut trial = Trial::new(folders, effort, seed, is_told);
            let found = guarded(|| trial.run());
            disk::disarm();
            (trial.tally, found)
        });
        trial.join().expect("panics are caught inside")
    })
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(what) => {
            eprintln!("{what}");
            return ExitCode::from(2);
        }
    };
    kernel::keep_files_private();
    let memory = Path::new("/dev/shm");
    let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let home = home.expect("a folder for what is made up");
    let folders = Folders::new(home.path());
    if asked.planted {
        return planted::find_all(&folders, asked.effort);
    }
    let began = kernel::seconds();
    let (mut all, mut told, mut differences) = (Tally::default(), began, 0);
    for number in 0..asked.seeds {
        let seed = asked.seed + number * asked.stride;
        if kernel::seconds() - began > asked.minutes * 60.0 {
            break;
        }
        let (tally, found) = try_seed(&folders, asked.effort, seed, asked.seeds == 1);
        all.add(&tally);
        if let Err(what) = found {
            println!("seed {seed}: {what}");
            differences += 1;
            if !asked.goes_on {
                break;
            }
        }
        if kernel::seconds() - told > 60.0 {
            told = kernel::seconds();
            println!("up to seed {seed}:");
            tell(&all, began);
        }
    }
    tell(&all, began);
    println!("{differences} differences");
    if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(tally: &Tally, began: f64) {
    let Tally { seeds, steps, states, again, failures, kills, damages } = tally;
    println!(
        "{seeds} seeds, {steps} steps, {states} crash states ({again} gone on with), {failures} runs with failing \
         calls, {kills} killed and taken up, {damages} damaged files, in {:.0} s",
        kernel::seconds() - began
    );
}
