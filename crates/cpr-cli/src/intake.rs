//! Extracts into the store, for `load` and `apply`: the options both take, the store they go into, what was done.
//!
//! A store that was made for a first file which is then refused does not stay behind. Progress is shown on a terminal
//! only.

use std::cell::Cell;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use cpr_replika::cpr_extract::Family;
use cpr_replika::{ALL_HISTORY, Allow, ApplyOptions, Config, Error, Progress, Replika, Report};

use crate::context::Globals;
use crate::failure::Failure;
use crate::values::find_family;
use crate::{delivery_report, json};

#[derive(Args, Debug)]
pub(crate) struct IntakeOptions {
    /// Layout family of a new store (std, uuid, 2022, u12180, full); found out from the file when left out.
    #[arg(long)]
    family: Option<String>,
    /// History window of the task in years, for a new store: 0 to 5, or 99 for all.
    #[arg(long, value_name = "YEARS")]
    window: Option<u8>,
    /// The record types the customer has chosen, for a new store: 001,002,... All when left out.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    records: Option<Vec<u16>>,
    /// Record numbers to pass over, for a new store.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    ignore: Option<Vec<u16>>,
    /// Do everything but store.
    #[arg(long)]
    dry_run: bool,
    /// Accept a record counter (999) that does not fit.
    #[arg(long)]
    allow_wrong_count: bool,
    /// Accept rows of persons without a 001, and leave them out.
    #[arg(long)]
    allow_rows_without_person: bool,
    /// Accept a file that does not follow the last one applied.
    #[arg(long)]
    allow_gap: bool,
    /// Accept a file that is not newer than the last one applied.
    #[arg(long)]
    allow_older: bool,
    /// Accept a file made for another customer.
    #[arg(long)]
    allow_other_customer: bool,
}

impl IntakeOptions {
    fn family(&self) -> Result<Option<&'static Family>, Failure> {
        self.family.as_deref().map(find_family).transpose()
    }

    /// What is accepted by name.
    pub(crate) fn allowed(&self) -> Allow {
        Allow {
            wrong_count: self.allow_wrong_count,
            rows_without_person: self.allow_rows_without_person,
            gap: self.allow_gap,
            older: self.allow_older,
            other_customer: self.allow_other_customer,
            reload: false,
        }
    }
}

/// The store to deliver into, and what undoes its creation when nothing gets into it.
pub(crate) struct Target<'a> {
    replika: Replika,
    created: Option<&'a Path>,
    delivered: Cell<bool>,
}

impl<'a> Target<'a> {
    pub(crate) fn open(globals: &'a Globals, options: &IntakeOptions) -> Result<Target<'a>, Failure> {
        let path = globals.store_path()?;
        let family = options.family()?;
        match Replika::open(path) {
            Ok(replika) => {
                let config = replika.config();
                let differs = family.is_some_and(|family| config.family.is_some_and(|settled| settled != family))
                    || options.window.is_some_and(|window| window != config.window_years)
                    || options.records.as_ref().is_some_and(|records| Some(records) != config.chosen.as_ref())
                    || options.ignore.as_ref().is_some_and(|ignored| *ignored != config.ignored);
                if differs {
                    return Err(Error::Config("the store was created with other settings; they are fixed").into());
                }
                Ok(Target { replika, created: None, delivered: Cell::new(true) })
            }
            Err(Error::NotFound) => {
                let config = Config {
                    family,
                    window_years: options.window.unwrap_or(ALL_HISTORY),
                    chosen: options.records.clone(),
                    ignored: options.ignore.clone().unwrap_or_default(),
                };
                if options.dry_run {
                    let replika = Replika::in_memory(&config)?;
                    return Ok(Target { replika, created: None, delivered: Cell::new(true) });
                }
                let replika = Replika::create(path, &config)?;
                Ok(Target { replika, created: Some(path), delivered: Cell::new(false) })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn replika(&self) -> &Replika {
        &self.replika
    }

    /// Takes one file by `deliver` and reports what it did.
    pub(crate) fn take(
        &self,
        path: &Path,
        options: &IntakeOptions,
        allow: Allow,
        as_json: bool,
        deliver: impl Fn(&Replika, File, &ApplyOptions<'_>) -> Result<Report, Error>,
    ) -> Result<(), Failure> {
        let shown = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::File(shown.clone(), error))?;
        let bytes = file.metadata().map_or(0, |found| found.len());
        let meter = Meter::new(bytes);
        let progress = |progress| {
            meter.show(progress);
            ControlFlow::Continue(())
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let apply = ApplyOptions {
            applied_at: Some(jiff::Timestamp::now().as_second()),
            family: options.family()?,
            dry_run: options.dry_run,
            allow,
            progress: Some(&progress),
            ..ApplyOptions::named(&name)
        };
        let answer = deliver(&self.replika, file, &apply);
        meter.clear();
        let report = answer.map_err(|error| Failure::Engine(error, Some(shown.clone())))?;
        self.delivered.set(true);
        if as_json {
            json::print(&delivery_report::as_json(&shown, &report))?;
        } else {
            delivery_report::write(&mut std::io::stdout().lock(), &shown, &report)?;
        }
        Ok(())
    }
}

impl Drop for Target<'_> {
    /// A store that was created for a first file that was refused does not stay behind, with settings nobody chose.
    fn drop(&mut self) {
        if let Some(path) = self.created
            && !self.delivered.get()
        {
            std::fs::remove_file(path).ok();
        }
    }
}

/// Progress on a terminal, at most some times a second; silent in a pipe.
struct Meter {
    on: bool,
    bytes: u64,
    shown: Cell<Option<Instant>>,
}

impl Meter {
    fn new(bytes: u64) -> Meter {
        Meter { on: std::io::stderr().is_terminal(), bytes, shown: Cell::new(None) }
    }

    fn show(&self, progress: Progress) {
        let recent = self.shown.get().is_some_and(|at| at.elapsed() < Duration::from_millis(200));
        if !self.on || recent {
            return;
        }
        self.shown.set(Some(Instant::now()));
        let percent = |done: u64, of: u64| (done * 100).checked_div(of).unwrap_or(100);
        let text = match progress {
            Progress::Checking { bytes } => format!("checking {:3} %", percent(bytes, self.bytes)),
            Progress::Merging { done, of } => format!("merging {:3} % ({done} of {of} persons)", percent(done, of)),
            Progress::Committing => "committing".to_owned(),
        };
        eprint!("\r\x1b[K{text}");
        std::io::stderr().flush().ok();
    }

    fn clear(&self) {
        if self.on && self.shown.get().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
