//! `load` and `apply`: files into the store, and with `--deliver` on to the subscribers.

use std::cell::Cell;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use cpr_replika::cpr_extract::Family;
use cpr_replika::{ALL_HISTORY, Allow, ApplyOptions, Config, Error, Progress, Replika, Report};

use crate::args::{Apply, Arguments, Delivering, Load};
use crate::failure::Failure;
use crate::{json, text, thin};

pub(crate) fn load(arguments: &Arguments, load: &Load) -> Result<(), Failure> {
    let target = Target::open(arguments, &load.options)?;
    let allow = Allow { reload: load.allow_reload, ..allowed(&load.options) };
    one(&target, &load.file, &load.options, allow, arguments.json, |replika, file, options| replika.load(file, options))
}

pub(crate) fn apply(arguments: &Arguments, apply: &Apply) -> Result<(), Failure> {
    let target = Target::open(arguments, &apply.options)?;
    let allow = allowed(&apply.options);
    for file in &apply.files {
        one(&target, file, &apply.options, allow, arguments.json, |replika, file, options| {
            replika.apply(file, options)
        })?;
        if let Some(folder) = &apply.deliver {
            thin::deliver(&target.replika, file, folder, apply.empty, arguments.json)?;
        }
    }
    Ok(())
}

/// The store to deliver into, and what undoes its creation when nothing gets into it.
struct Target<'a> {
    replika: Replika,
    created: Option<&'a Path>,
    delivered: Cell<bool>,
}

impl<'a> Target<'a> {
    fn open(arguments: &'a Arguments, options: &Delivering) -> Result<Target<'a>, Failure> {
        let path = text::store_path(arguments)?;
        let family = family(options.family.as_deref())?;
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

fn family(name: Option<&str>) -> Result<Option<&'static Family>, Failure> {
    name.map(text::family).transpose()
}

fn allowed(options: &Delivering) -> Allow {
    Allow {
        wrong_count: options.allow_wrong_count,
        rows_without_person: options.allow_rows_without_person,
        gap: options.allow_gap,
        older: options.allow_older,
        other_customer: options.allow_other_customer,
        reload: false,
    }
}

fn one(
    target: &Target<'_>,
    path: &Path,
    options: &Delivering,
    allow: Allow,
    as_json: bool,
    deliver: impl Fn(&Replika, File, &ApplyOptions<'_>) -> Result<Report, Error>,
) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::File(shown.clone(), error))?;
    let bytes = file.metadata().map_or(0, |found| found.len());
    let meter = Meter::new(bytes);
    let progress = |progress| meter.show(progress);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let apply = ApplyOptions {
        applied_at: Some(jiff::Timestamp::now().as_second()),
        family: family(options.family.as_deref())?,
        dry_run: options.dry_run,
        allow,
        progress: Some(&progress),
        ..ApplyOptions::named(&name)
    };
    let answer = deliver(&target.replika, file, &apply);
    meter.clear();
    let report = answer.map_err(|error| Failure::Engine(error, Some(shown.clone())))?;
    target.delivered.set(true);
    if as_json {
        json::print(&json::report(&shown, &report))?;
    } else {
        text::report(&mut std::io::stdout().lock(), &shown, &report)?;
    }
    Ok(())
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
