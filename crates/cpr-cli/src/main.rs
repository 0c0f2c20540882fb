//! The `replika` command: keep a replica of CPR in a file, and ask it.
//!
//! Arguments, files, the clock, progress and printing are here and nowhere else; what is true is the engine's business.
//! Human text by default, `--json` for programs; exit code 0 done, 1 refused input, 2 usage, 3 trouble with the store.

mod commands;
mod context;
mod delivery_report;
mod durable;
mod fact;
mod failure;
mod intake;
mod json;
mod outbox;
mod plural;
mod values;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use crate::commands::Command;
use crate::context::Globals;

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
    let arguments = Arguments::try_parse().unwrap_or_else(|error| discreet(error).exit());
    match arguments.command.execute(&arguments.globals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(arguments.globals.json),
    }
}

/// Takes out of an error of the command line what may be a number or an address in the wrong place: clap quotes it.
fn discreet(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if let Some(ContextValue::String(text)) = error.get(kind)
            && !text.starts_with('-')
            && text.bytes().any(|byte| byte.is_ascii_digit())
        {
            error.insert(kind, ContextValue::String("..".to_owned()));
        }
    }
    error
}
