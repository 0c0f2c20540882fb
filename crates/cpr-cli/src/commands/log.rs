//! `log`: what an access log holds, whether it is whole, and who asked about whom.

use std::collections::{BTreeMap, BTreeSet};

use clap::Subcommand;
use cpr_replika::cpr_model::Pnr;
use cpr_services::access_log::{Answered, Head, Line, LogCheck, Said, read_log};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::{self, Screen};
use crate::values::{Person, Wanted, parse_count};

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Check every line against the line before it, and heads that were told before: finds any cut, changed or moved
    /// line.
    #[command(after_help = "Example: replika log verify --log access --log-key access.key")]
    Verify {
        /// A head that was told before, as this command prints it: the log must still hold it.
        #[arg(long, value_name = "HEAD", value_parser = parse_head)]
        head: Vec<Head>,
    },
    /// List who asked about a person, or was shown one, when and what for; with a store, under any number of the
    /// person.
    #[command(after_help = "Example: replika log about 6101801234 --log access --log-key access.key")]
    About {
        #[command(flatten)]
        person: Person,
    },
    /// Count the answered questions of each system and purpose.
    #[command(after_help = "Example: replika log report --log access --log-key access.key")]
    Report,
    /// Remove the files of days that are long past; the log says so.
    #[command(after_help = "Example: replika log tidy --keep 730 --log access --log-key access.key")]
    Tidy {
        /// So many days are kept before today.
        #[arg(long, value_name = "DAYS", value_parser = parse_count::<u32>)]
        keep: u32,
    },
}

fn parse_head(text: &str) -> Result<Head, Wanted> {
    text.parse().map_err(|_| Wanted::new("the head of a log, as `replika log verify` prints it"))
}

impl LogCommand {
    pub(crate) fn execute(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        match self {
            LogCommand::Verify { head } => verify(globals, head, screen),
            LogCommand::About { person } => list_looks(globals, person.pnr()?, screen),
            LogCommand::Report => report(globals, screen),
            LogCommand::Tidy { keep } => {
                let files = globals.log.open()?.tidy(*keep).map_err(Failure::log_io)?.files;
                match globals.json {
                    true => screen.print_json(&Removed { files }),
                    false => writeln!(screen, "{files} files removed"),
                }
            }
        }
    }
}

#[derive(Serialize)]
struct Removed {
    files: u64,
}

/// Reads the log that was named, and says on standard error when it is not whole.
fn read(globals: &Globals, told: &[Head], each: impl FnMut(&Line<'_>)) -> Result<LogCheck, Failure> {
    let (folder, key) = globals.log.folder_and_key()?;
    read_log(&folder, &key, told, each).map_err(Failure::log_io)
}

/// What was found holds for the lines that are sound; whoever asked is told when there are others.
fn warn_unless_whole(check: &LogCheck) -> Result<(), Failure> {
    if check.is_whole() {
        return Ok(());
    }
    screen::warn("replika: the access log is not whole: see `replika log verify`");
    Err(Failure::Reported(3))
}

#[derive(Serialize)]
struct Verified<'a> {
    whole: bool,
    first_day: Option<&'a str>,
    last_day: Option<&'a str>,
    files: u64,
    lines: u64,
    answers: u64,
    lost: u64,
    held_back: u64,
    unfinished_bytes: u64,
    head: Head,
    fault_count: u64,
    faults: Vec<String>,
}

fn verify(globals: &Globals, told: &[Head], screen: &mut Screen) -> Result<(), Failure> {
    let check = read(globals, told, |_| {})?;
    let faults: Vec<String> = check.faults.iter().map(ToString::to_string).collect();
    let whole = check.is_whole();
    if globals.json {
        let days = check.days.as_ref();
        screen.print_json(&Verified {
            whole,
            first_day: days.map(|(first, _)| first.as_str()),
            last_day: days.map(|(_, last)| last.as_str()),
            files: check.files,
            lines: check.lines,
            answers: check.answers,
            lost: check.lost,
            held_back: check.held_back,
            unfinished_bytes: check.unfinished_bytes,
            head: check.head,
            fault_count: check.fault_count,
            faults,
        })?;
    } else {
        faults.iter().try_for_each(|fault| writeln!(screen, "{fault}"))?;
        let LogCheck { files, lines, answers, head, .. } = &check;
        if check.unfinished_bytes > 0 {
            writeln!(screen, "the last line is not finished: {} bytes", check.unfinished_bytes)?;
        }
        if check.lost + check.held_back > 0 {
            writeln!(screen, "answers without a line: {}, and at most {} more", check.lost, check.held_back)?;
        }
        writeln!(screen, "{files} files, {lines} lines, {answers} answered questions, {} faults", check.fault_count)?;
        writeln!(screen, "head {head}")?;
    }
    if whole { Ok(()) } else { Err(Failure::Reported(3)) }
}

/// One answer in which the person stood.
#[derive(Serialize)]
struct Look {
    time: String,
    system: String,
    agreement: String,
    service: String,
    operation: String,
    purpose: String,
    asked: bool,
    found: bool,
    delivery: u32,
}

#[derive(Serialize)]
struct Looks {
    pnr: Pnr,
    looks: Vec<Look>,
    /// So many answers showed more persons than their lines name.
    unnamed: u64,
}

/// The number, and where there is a store to ask every other one of the human being.
fn numbers_of(globals: &Globals, pnr: Pnr) -> Result<Vec<Pnr>, Failure> {
    if globals.named_store().is_none() && globals.packs().is_none() {
        return Ok(vec![pnr]);
    }
    let snapshot = globals.snapshot()?;
    let chain = if snapshot.known().0 == 0 { None } else { snapshot.numbers(pnr, None)? };
    let others = chain.into_iter().flat_map(|chain| chain.numbers.into_iter().map(|number| number.pnr));
    Ok(others.chain([pnr]).collect::<BTreeSet<Pnr>>().into_iter().collect())
}

fn list_looks(globals: &Globals, pnr: Pnr, screen: &mut Screen) -> Result<(), Failure> {
    let numbers = numbers_of(globals, pnr)?;
    let (_, key) = globals.log.folder_and_key()?;
    let persons: Vec<_> = numbers.into_iter().map(|pnr| key.pseudonym(pnr)).collect();
    let mut of_person = Looks { pnr, looks: Vec::new(), unnamed: 0 };
    let check = read(globals, &[], |line| {
        let Said::Answered(answered) = &line.said else { return };
        let asked = persons.iter().any(|person| answered.asked.contains(person));
        if asked || persons.iter().any(|person| answered.shown.contains(person)) {
            of_person.looks.push(look(line, answered, asked));
        } else if answered.shown_count > answered.shown.len() as u64 {
            of_person.unnamed += 1;
        }
    })?;
    if globals.json {
        screen.print_json(&of_person)?;
    } else {
        for Look { time, system, service, operation, purpose, asked, .. } in &of_person.looks {
            let how = if *asked { "asked about" } else { "shown" };
            writeln!(screen, "{time}  {system}  {service} {operation}  {how}  {purpose}")?;
        }
        if of_person.unnamed > 0 {
            writeln!(screen, "{} answers showed more persons than their lines name", of_person.unnamed)?;
        }
    }
    warn_unless_whole(&check)
}

fn look(line: &Line<'_>, answered: &Answered<'_>, asked: bool) -> Look {
    Look {
        time: line.time.clone(),
        system: answered.system.to_string(),
        agreement: answered.agreement.to_string(),
        service: answered.service.to_string(),
        operation: answered.operation.to_string(),
        purpose: answered.purpose.to_string(),
        asked,
        found: answered.found,
        delivery: answered.delivery,
    }
}

#[derive(Default, Serialize)]
struct Count {
    system: String,
    agreement: String,
    purpose: String,
    answers: u64,
    found: u64,
    protected: u64,
    shown: u64,
}

#[derive(Serialize)]
struct Counts {
    first_day: Option<String>,
    last_day: Option<String>,
    counts: Vec<Count>,
    lost: u64,
}

fn report(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let mut counts: BTreeMap<[String; 3], Count> = BTreeMap::new();
    let check = read(globals, &[], |line| {
        let Said::Answered(answered) = &line.said else { return };
        let names = [&answered.system, &answered.agreement, &answered.purpose].map(|name| name.to_string());
        let count = counts.entry(names).or_default();
        count.answers += 1;
        count.found += u64::from(answered.found);
        count.protected += u64::from(answered.protected == Some(true));
        count.shown += answered.shown_count;
    })?;
    let counts = counts.into_iter();
    let counts = counts.map(|([system, agreement, purpose], of)| Count { system, agreement, purpose, ..of }).collect();
    let (first_day, last_day) = check.days.clone().unzip();
    let report = Counts { first_day, last_day, counts, lost: check.lost };
    if globals.json {
        screen.print_json(&report)?;
    } else {
        for Count { system, agreement, purpose, answers, found, protected, shown } in &report.counts {
            let who = [system, agreement, purpose].map(String::as_str).join("  ");
            writeln!(screen, "{who}: {answers} answers, {found} found, {protected} protected, {shown} others shown")?;
        }
        if report.lost > 0 {
            writeln!(screen, "{} answers have no line", report.lost)?;
        }
    }
    warn_unless_whole(&check)
}
