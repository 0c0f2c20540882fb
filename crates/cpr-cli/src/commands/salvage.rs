//! `salvage`: what still opens of a damaged store, as a full extract, and what is missing from it.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::{Replika, SalvageGap, SalvageOptions, SalvageReport};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::output_file::OutputOptions;
use crate::plural::persons;
use crate::screen::Screen;
use crate::values::{find_family, parse_day};

#[derive(Args, Debug)]
pub(crate) struct Salvage {
    /// The damaged store; --store names it as well.
    #[arg(value_name = "FROM")]
    from: Option<PathBuf>,
    /// Tell between which numbers persons are missing. They are numbers of persons.
    #[arg(long)]
    numbers: bool,
    /// The layout family, for a store whose settings do not open.
    #[arg(long)]
    family: Option<String>,
    /// The production date that the extract bears, for a store of whose ledger no row opens.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_day)]
    production_date: Option<Date>,
    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn salvage_store(globals: &Globals, salvage: &Salvage, screen: &mut Screen) -> Result<(), Failure> {
    let globals = &salvage.from.as_ref().map_or_else(|| globals.clone(), |from| globals.about(from));
    let path = globals.store_path()?;
    let family = salvage.family.as_deref().map(find_family).transpose()?;
    let told = SalvageOptions { family, production_date: salvage.production_date };
    let report =
        salvage.output.write(globals, screen, |mut out| Replika::salvage(path, &globals.options(), &told, &mut out))?;
    if !salvage.output.is_screen() {
        print_report(globals, salvage, &report, screen)?;
    }
    if report.is_whole() { Ok(()) } else { Err(Failure::Reported(3)) }
}

#[derive(Serialize)]
struct Salvaged<'a> {
    file: String,
    whole: bool,
    #[serde(flatten)]
    report: &'a SalvageReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<&'a [SalvageGap]>,
}

fn print_report(
    globals: &Globals,
    salvage: &Salvage,
    report: &SalvageReport,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let file = salvage.output.shown();
    if globals.json {
        let gaps = salvage.numbers.then_some(&report.gaps[..]);
        return screen.print_json(&Salvaged { file, whole: report.is_whole(), report, gaps });
    }
    writeln!(screen, "{file}: {} saved", persons(report.persons))?;
    if report.persons_loose > 0 {
        let (loose, outdated) = (report.persons_loose, report.persons_outdated);
        writeln!(
            screen,
            "{loose} of them were on pages that no page names; {outdated} are as known before a later delivery"
        )?;
    }
    if report.persons_undecided > 0 {
        let undecided = report.persons_undecided;
        writeln!(screen, "{undecided} more may be: what says whom later deliveries changed is lost, too")?;
    }
    match report.persons_missing {
        Some(0) => {}
        Some(missing) => {
            let (unreadable, gaps) = (report.persons_unreadable, report.gap_count);
            writeln!(
                screen,
                "missing: {}; {unreadable} do not open, the others stood on {gaps} pages",
                persons(missing)
            )?;
        }
        None => writeln!(screen, "missing: nobody knows how many, the list of tables is lost")?,
    }
    match report.ledger {
        Some(ledger) if ledger >= report.last_change => {}
        Some(ledger) => {
            let last = report.last_change;
            writeln!(screen, "the extract bears the date of delivery {ledger}, and persons are as known after {last}")?;
        }
        None => writeln!(screen, "no row of the ledger opens: the extract bears the date given")?,
    }
    for table in report.tables.iter().filter(|table| table.rows != table.found) {
        writeln!(screen, "{}: {} of {} rows are there", table.name, table.found, table.rows)?;
    }
    for place in &report.places {
        writeln!(screen, "damaged: {place}")?;
    }
    for gap in report.gaps.iter().filter(|_| salvage.numbers) {
        let shown =
            |pnr: &Option<Pnr>, open| pnr.as_ref().map_or_else(|| String::from(open), |pnr| pnr.reveal().to_owned());
        let (after, up_to) = (shown(&gap.after, "the first"), shown(&gap.up_to, "the last"));
        writeln!(screen, "missing between {after} and {up_to}, in the order of birth")?;
    }
    Ok(())
}
