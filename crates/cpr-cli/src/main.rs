//! The `replika` command: keep a replica of CPR in a file, and ask it.
//!
//! Arguments, files, the clock, progress and printing are here and nowhere else; what is true is the engine's business.
//! Human text by default, `--json` for programs; exit code 0 done, 1 refused input, 2 usage, 3 trouble with the store.

mod answer;
mod args;
mod ask;
mod deliver;
mod demo;
mod durable;
mod events;
mod failure;
mod filter;
mod find;
mod generate;
mod inspect;
mod json;
mod ledger;
mod search;
mod subscriber;
mod text;
mod thin;
mod told;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use crate::args::{Arguments, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| discreet(error).exit());
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(arguments.json),
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

fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Inspect(inspect) => inspect::run(inspect, arguments.json),
        Command::Load(options) => deliver::load(arguments, options),
        Command::Apply(options) => deliver::apply(arguments, options),
        Command::Show(show) => ask::show(arguments, show),
        Command::Lines(lines) => ask::lines(arguments, lines),
        Command::Diff(diff) => ask::diff(arguments, diff),
        Command::Changes { delivery } => ledger::changes(arguments, *delivery),
        Command::Answer(answer) => answer::run(arguments, answer),
        Command::Search(search) => search::run(arguments, search),
        Command::Events(events) => events::events(arguments, events),
        Command::Calendar(calendar) => events::calendar(arguments, calendar),
        Command::Find(find) => find::run(arguments, find),
        Command::Subscriber(command) => subscriber::run(arguments, command),
        Command::Filter(command) => filter::run(arguments, command),
        Command::Thin(options) => thin::thin(arguments, options),
        Command::Matches(options) => told::matches(arguments, options),
        Command::InitialLoad(load) => thin::initial_load(arguments, load),
        Command::Followers(options) => told::followers(arguments, options),
        Command::Export(export) => ledger::export(arguments, export),
        Command::Deliveries => ledger::deliveries(arguments),
        Command::Stats => ledger::stats(arguments),
        Command::Verify => ledger::verify(arguments),
        Command::Demo => demo::run(),
        Command::Generate(generate) => generate::run(generate, arguments.json),
    }
}
