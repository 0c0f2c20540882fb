//! The command `cpr-host`: runs a configuration, checks one, or shows itself on made-up persons.

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use cpr_host::config::Config;
use cpr_host::demo::Demo;
use cpr_host::journal::JsonLines;
use cpr_host::{Host, check};

#[derive(Parser)]
#[command(version, about = "The national services on one replika, over TLS with certificates of clients")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer until SIGTERM; a line of JSON for each call goes to standard output.
    Run {
        /// The configuration.
        file: PathBuf,
    },
    /// Read a configuration with its certificates and keys, and say what is wrong with it.
    Check {
        /// The configuration.
        file: PathBuf,
    },
    /// Show all of it on a made-up Denmark, until SIGINT.
    Demo {
        /// How many persons.
        #[arg(long, default_value_t = 2000)]
        persons: u32,
        /// An empty folder to keep it in; a temporary one when left out.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// The port for clients; the one above is for `/metrics`.
        #[arg(long, default_value_t = 8443)]
        port: u16,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run { file } => run(&file),
        Command::Check { file } => check_file(&file),
        Command::Demo { persons, folder: Some(folder), port } => show(&folder, persons, port),
        Command::Demo { persons, folder: None, port } => {
            tempfile::tempdir().map_err(Into::into).and_then(|folder| show(folder.path(), persons, port))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cpr-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(file: &Path) -> Result<Config, Box<dyn Error>> {
    Config::read(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let host = Host::start(read(file)?, Arc::new(JsonLines::new(io::stdout())?))?;
    host.wait_for_signal()?;
    host.stop();
    Ok(())
}

fn check_file(file: &Path) -> Result<(), Box<dyn Error>> {
    let config = read(file)?;
    check(&config)?;
    println!("{}: in order; {} systems may call", file.display(), config.systems.len());
    Ok(())
}

fn show(folder: &Path, persons: u32, port: u16) -> Result<(), Box<dyn Error>> {
    if folder.is_dir() && folder.read_dir()?.next().is_some() {
        return Err(format!("{} is not empty", folder.display()).into());
    }
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let demo = Demo::prepare(folder, persons, at(port), at(port.saturating_add(1)))?;
    let nights = demo.write_nights(3)?;
    let host = Host::start(read(&demo.config)?, Arc::new(JsonLines::new(io::stdout())?))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{persons} made-up persons; everything stands in {}\n", folder.display())?;
    for (shows, line) in demo.curl_lines(host.address(), host.operations()) {
        writeln!(out, "# {shows}\n{line}\n")?;
    }
    for (at, night) in nights.iter().enumerate() {
        let (night, inbox) = (night.display(), folder.join("inbox"));
        writeln!(
            out,
            "# night {}: whoever follows somebody is given a file\ncp {night} {}\n",
            at + 1,
            inbox.display()
        )?;
    }
    writeln!(out, "# what the school has to fetch\nls {}\n", folder.join("outbox/school/IN").display())?;
    writeln!(out, "Ctrl-C ends it; a line for each call follows.")?;
    drop(out);
    host.wait_for_signal()?;
    host.stop();
    Ok(())
}
