//! `erase`: human beings gone from the store, with a receipt, and `readmit`, which lets them in again.

use std::io::BufRead;
use std::ops::ControlFlow;

use clap::Args;
use cpr_replika::cpr_model::Pnr;
use cpr_replika::{EraseOptions, EraseScope, Receipt};
use serde_json::json;

use crate::clock::now;
use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::parse_pnr;

#[derive(Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    persons: Persons,
    /// Why: one line, kept in the receipt, without a number or a name.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Filters of subscribers on these numbers go too. Without it they stand against the erase.
    #[arg(long)]
    unfollow: bool,
    /// List and count who would go, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Persons {
    /// Personnumre, ten digits each; `-` reads them from standard input, one a line, out of the shell's history.
    #[arg(value_name = "PNR", required = true)]
    numbers: Vec<String>,
}

/// Says nothing of the numbers.
impl std::fmt::Debug for Persons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Persons({})", self.numbers.len())
    }
}

/// Says nothing of the persons.
impl std::fmt::Debug for Erase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Erase({:?})", self.persons)
    }
}

impl Erase {
    /// Whether it only lists who would go.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

impl Persons {
    fn read(&self) -> Result<Vec<Pnr>, Failure> {
        let mut all = Vec::new();
        for text in &self.numbers {
            if text != "-" {
                all.push(parse_pnr(text).map_err(Failure::Usage)?);
                continue;
            }
            for line in std::io::stdin().lock().lines() {
                let line = line.map_err(|error| Failure::Reading("standard input".to_owned(), error))?;
                if !line.trim().is_empty() {
                    all.push(parse_pnr(&line).map_err(Failure::Usage)?);
                }
            }
        }
        Ok(all)
    }
}

pub(crate) fn erase_persons(globals: &Globals, erase: &Erase, screen: &mut Screen) -> Result<(), Failure> {
    let persons = erase.persons.read()?;
    if erase.dry_run {
        return list_scope(globals, &persons, screen);
    }
    let reason = erase.reason.as_deref().ok_or(Failure::Usage("why? give --reason TEXT"))?;
    let replika = globals.open_to_write()?;
    let meter = Meter::open_ended("erasing");
    let progress = |so_far| {
        meter.show_rewriting(so_far);
        ControlFlow::Continue(())
    };
    let options = EraseOptions { unfollow: erase.unfollow, at: Some(now()), progress: Some(&progress) };
    let erasure = replika.erase(&persons, reason, &options)?;
    drop(meter);
    if globals.json {
        return screen.print_json(&erasure.receipt);
    }
    write_receipt(screen, &erasure.receipt)
}

fn list_scope(globals: &Globals, persons: &[Pnr], screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    print_scope(globals, &snapshot.erase_scope(persons)?, screen)
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

pub(crate) fn write_receipt(screen: &mut Screen, receipt: &Receipt) -> Result<(), Failure> {
    let Receipt { number, persons, numbers, held, .. } = receipt;
    let kind = receipt.kind.name();
    writeln!(screen, "{kind} {number}: {persons} persons, {numbers} numbers, {held} of them with records")?;
    writeln!(screen, "  {} rows went, {} were changed", receipt.rows_dropped, receipt.rows_changed)?;
    writeln!(screen, "  {} values in the records of others name one of the numbers, and stay", receipt.mentions)?;
    writeln!(
        screen,
        "  proof: {} rows and {} blocks of the new file hold nothing of them",
        receipt.rows_read, receipt.blocks_read
    )?;
    writeln!(screen, "  packs, files of subscribers, backups and the extracts may hold them still")
}

pub(crate) fn readmit_persons(globals: &Globals, persons: &Persons, screen: &mut Screen) -> Result<(), Failure> {
    let persons = persons.read()?;
    let lifted = globals.open_to_write()?.readmit(&persons)?;
    if globals.json {
        return screen.print_json(&json!({ "readmitted": lifted }));
    }
    writeln!(screen, "{lifted} numbers are let in again by the next delivery that brings them")
}
