//! The `replika` command: keep a replica of CPR in a file, and ask it.
//!
//! Arguments, files, the clock, progress and printing are here and nowhere else; what is true is the engine's business.
//! Human text by default, `--json` for programs; exit code 0 done, 1 refused input, 2 usage, 3 trouble with the store.

mod access;
mod clock;
mod commands;
mod context;
mod delivery_report;
mod fact;
mod failure;
mod input_file;
mod input_text;
mod intake;
mod keep_rule;
mod outbox;
mod output_file;
mod plural;
mod progress;
mod screen;
mod usage;
mod values;
mod visible;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::commands::Command;
use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;

/// Keep a replica of Denmark's population register (CPR) in a file, and ask it: who is this person, as of when in the
/// world, and as of when we knew.
#[derive(Debug, Parser)]
#[command(name = "replika", version, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,

    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => match usage::message(&error) {
            None => return print_help(&error),
            Some(message) => {
                screen::warn(&format!("replika: {message}"));
                return ExitCode::from(2);
            }
        },
    };
    let mut screen = Screen::new();
    let done = run(&arguments, &mut screen);
    done.map_or_else(|failure| report(&failure, arguments.globals.json, &mut screen), |()| ExitCode::SUCCESS)
}

/// Runs the command; what it shows of persons is accounted for where an access log is named.
fn run(arguments: &Arguments, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(operation) = arguments.command.shows_persons() {
        screen.account_for(arguments.globals.log.account(operation)?);
    }
    arguments.command.execute(&arguments.globals, screen, Arguments::command)?;
    screen.finish(true)
}

/// Prints the help or the version that was asked for.
fn print_help(help: &clap::Error) -> ExitCode {
    let code = if help.use_stderr() { 2 } else { 0 };
    match help.print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            screen::warn(&format!("replika: {}", Failure::Output(error).text()));
            ExitCode::from(3)
        }
        _ => ExitCode::from(code),
    }
}

/// Says why, to standard output as JSON or to standard error as text, and gives the exit code.
fn report(failure: &Failure, as_json: bool, screen: &mut Screen) -> ExitCode {
    if failure.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    let code = failure.code();
    let is_reported = matches!(failure, Failure::Reported(_));
    let as_json = as_json && code != 2 && !is_reported;
    if as_json {
        // When standard output is gone, the exit code is all that is left.
        screen.print_json(&failure.as_answer()).ok();
    } else if let Failure::FormerNumber { current: Some(current) } = failure {
        writeln!(screen, "the number now: {}", current.reveal()).ok();
    }
    if let Err(untold @ (Failure::AccessLog(_) | Failure::NotLogged(_))) = screen.finish(false) {
        screen::warn(&format!("replika: {}", untold.text()));
        return ExitCode::from(untold.code());
    }
    if !as_json && !is_reported {
        screen::warn(&format!("replika: {}", failure.text()));
        for fault in failure.faults() {
            screen::warn(&format!("  {fault}"));
        }
    }
    ExitCode::from(code)
}
