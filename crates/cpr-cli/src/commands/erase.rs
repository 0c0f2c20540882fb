//! `erase`: human beings gone from the store, with a receipt, and `readmit`, which lets them in again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::cpr_model::{PersonKey, Pnr};
use cpr_replika::{ClearedPacks, EraseOptions, EraseScope, Erasure, Receipt, Replika, Snapshot};
use serde::Serialize;
use serde_json::json;

use super::find::Criteria;
use crate::clock::now;
use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_standard_input;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::{Hidden, parse_pnr};
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Erase {
    /// Personnumre, ten digits each; `-` reads them from standard input, one a line, out of the shell's history.
    #[arg(value_name = "PNR")]
    numbers: Vec<Hidden>,
    /// In place of numbers: who is found so, as by `find`.
    #[command(flatten)]
    criteria: Criteria,
    /// Why: one line, kept in the receipt, without a number or a name.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Filters of subscribers on these numbers go too. Without it they stand against the erase.
    #[arg(long)]
    unfollow: bool,
    /// A folder of packs of the store that is to hold nothing of them either: a new base is written to it.
    #[arg(long, value_name = "DIR")]
    packs: Vec<PathBuf>,
    /// List and count who would go, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Persons {
    /// Personnumre, ten digits each; `-` reads them from standard input, one a line, out of the shell's history.
    #[arg(value_name = "PNR", required = true)]
    numbers: Vec<Hidden>,
}

/// The numbers that these words say.
fn read_numbers(texts: &[Hidden]) -> Result<Vec<Pnr>, Failure> {
    let mut all = Vec::new();
    for text in texts.iter().map(Hidden::reveal) {
        if text != "-" {
            all.push(parse_pnr(text).map_err(Failure::Usage)?);
            continue;
        }
        for line in read_standard_input()?.lines().filter(|line| !line.trim().is_empty()) {
            all.push(parse_pnr(line).map_err(Failure::Usage)?);
        }
    }
    Ok(all)
}

impl Erase {
    /// Who is to go, by number or by what they are found by.
    fn persons(&self, snapshot: &Snapshot) -> Result<Vec<Pnr>, Failure> {
        match (self.numbers.is_empty(), self.criteria.is_empty()) {
            (true, true) => Err(Failure::Usage("whom? give numbers, or criteria as to `find`")),
            (false, false) => Err(Failure::Usage("whom? give numbers, or criteria as to `find`, not both")),
            (false, true) => read_numbers(&self.numbers),
            (true, false) => Ok(snapshot.find(&self.criteria.read(snapshot)?)?.iter().map(PersonKey::pnr).collect()),
        }
    }
}

pub(crate) fn erase_persons(globals: &Globals, erase: &Erase, screen: &mut Screen) -> Result<(), Failure> {
    if erase.dry_run {
        let snapshot = globals.snapshot()?;
        screen.asks(&snapshot, None, None)?;
        return print_scope(globals, &snapshot.erase_scope(&erase.persons(&snapshot)?)?, screen);
    }
    let reason = erase.reason.as_deref().ok_or(Failure::Usage("why? give --reason TEXT"))?;
    let replika = globals.open_to_write()?;
    let persons = erase.persons(&replika.snapshot())?;
    let packs: Vec<&Path> = erase.packs.iter().map(PathBuf::as_path).collect();
    let meter = Meter::open_ended("erasing");
    let progress = |so_far| {
        meter.show_rewriting(so_far);
        ControlFlow::Continue(())
    };
    let options = EraseOptions { unfollow: erase.unfollow, at: Some(now()), packs: &packs, progress: Some(&progress) };
    let erasure = replika.erase(&persons, reason, &options)?;
    drop(meter);
    print_erasure(globals, &replika, &erasure, screen)
}

/// The receipt with the packs that were written anew.
#[derive(Serialize)]
struct Erased<'a> {
    #[serde(flatten)]
    receipt: &'a Receipt,
    packs: &'a [ClearedPacks],
}

/// Prints what was done, and has the access log keep the digest of the receipt.
pub(crate) fn print_erasure(
    globals: &Globals,
    replika: &Replika,
    erasure: &Erasure,
    screen: &mut Screen,
) -> Result<(), Failure> {
    screen.asks(&replika.snapshot(), None, None)?;
    if let Some(account) = screen.account() {
        account.erased(erasure.receipt.digest());
    }
    if globals.json {
        return screen.print_json(&Erased { receipt: &erasure.receipt, packs: &erasure.packs });
    }
    write_receipt(screen, &erasure.receipt)?;
    for cleared in &erasure.packs {
        let folder = visible::path(&cleared.folder);
        writeln!(screen, "  {folder}: a new base; {} rows of it hold nothing of them", cleared.rows_read)?;
    }
    writeln!(screen, "  other packs, lakes, files of subscribers, backups and the extracts may hold them still")
}

/// Lists and counts who would go.
pub(crate) fn print_scope(globals: &Globals, scope: &EraseScope, screen: &mut Screen) -> Result<(), Failure> {
    if globals.json {
        return screen.print_json(scope);
    }
    for number in &scope.numbers {
        writeln!(screen, "{}", number.reveal())?;
    }
    writeln!(
        screen,
        "{} persons, {} numbers, {} of them with records; {} filters of subscribers on them",
        scope.persons,
        scope.numbers.len(),
        scope.held,
        scope.filters
    )
}

fn write_receipt(screen: &mut Screen, receipt: &Receipt) -> Result<(), Failure> {
    let Receipt { number, persons, numbers, held, .. } = receipt;
    let kind = receipt.kind.name();
    writeln!(screen, "{kind} {number}: {persons} persons, {numbers} numbers, {held} of them with records")?;
    writeln!(screen, "  {} rows went, {} were changed", receipt.rows_dropped, receipt.rows_changed)?;
    writeln!(screen, "  {} values in the records of others name one of the numbers, and stay", receipt.mentions)?;
    writeln!(
        screen,
        "  proof: {} rows and {} blocks of the new file hold nothing of them",
        receipt.rows_read, receipt.blocks_read
    )
}

pub(crate) fn readmit_persons(globals: &Globals, persons: &Persons, screen: &mut Screen) -> Result<(), Failure> {
    let persons = read_numbers(&persons.numbers)?;
    let lifted = globals.open_to_write()?.readmit(&persons)?;
    if globals.json {
        return screen.print_json(&json!({ "readmitted": lifted }));
    }
    writeln!(screen, "{lifted} numbers are let in again by the next delivery that brings them")
}
