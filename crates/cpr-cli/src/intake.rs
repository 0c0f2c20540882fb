//! Extracts into the store, for `load` and `apply`: the options both take, the store they go into, what was done.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::cpr_extract::{self, FIRST_LINES, Family, PlacedFile};
use cpr_replika::{
    ALL_HISTORY, Allow, ApplyOptions, Config, Error, Keep, Options, PackReport, Replika, Report, Snapshot,
};

use crate::commands::pack;
use crate::context::{Globals, INTAKE_WAIT_SECONDS};
use crate::delivery_report::FileReport;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::keep_rule;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::{Hidden, find_family, parse_count, parse_record};
use crate::{clock, delivery_report, visible};

/// Bytes of pages kept in memory while a store that is there takes changes. Half of them may be pages that wait to be
/// written, and a night of 50 000 persons changes 620 MB of pages in a store of ten million: what has no room is
/// written, read back for its checksums, and written again. A load writes in order and has no use for more than others.
const CACHE_BYTES_OF_CHANGES: usize = 1536 * 1024 * 1024;

#[derive(Args, Debug)]
pub(crate) struct IntakeOptions {
    /// Layout family of a new store (std, uuid, 2022, u12180, full); found out from the file when left out.
    #[arg(long)]
    family: Option<String>,
    /// History window of the task in years, for a new store: 0 to 5, or 99 for all.
    #[arg(long, value_name = "YEARS", value_parser = parse_count::<u8>)]
    window: Option<u8>,
    /// The record types the customer has chosen, for a new store: 001,002,... All when left out.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = parse_record)]
    records: Option<Vec<u16>>,
    /// Record numbers to pass over, for a new store.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = parse_record)]
    ignore: Option<Vec<u16>>,
    /// Who is kept in a new store, as `keep` says it: 0751,0-17+0101. Everybody when left out.
    #[arg(long, value_name = "WHOM", value_delimiter = ',')]
    keep: Vec<Hidden>,
    /// With --keep: those too whose records name one who is kept as parent, child or spouse, or in a row on custody.
    #[arg(long, requires = "keep")]
    keep_families: bool,
    /// With --keep: so many days after it was last needed a person goes by `tidy`; 30 when left out.
    #[arg(long, value_name = "DAYS", requires = "keep", value_parser = parse_count::<u16>)]
    keep_grace: Option<u16>,
    /// Do everything but store.
    #[arg(long)]
    dry_run: bool,
    /// Accept a record counter (999) that does not fit.
    #[arg(long)]
    allow_wrong_count: bool,
    /// Accept rows of persons without a 001, and leave them out.
    #[arg(long)]
    allow_rows_without_person: bool,
    /// Accept letters of a DOS or Windows code page; they are kept as they are, and no search finds them.
    #[arg(long)]
    allow_code_page: bool,
    /// Accept a first file that holds nothing of what --family adds to another family.
    #[arg(long)]
    allow_wider_family: bool,
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
    /// The settings of a new store, as far as they can be.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let config = Config {
            family: self.family()?,
            window_years: self.window.unwrap_or(ALL_HISTORY),
            chosen: self.records.clone(),
            ignored: self.ignore.clone().unwrap_or_default(),
        };
        Ok(config.settled()?)
    }

    /// Who is kept in a new store; none when that was not said.
    fn rule(&self) -> Result<Option<Keep>, Failure> {
        match self.keep.is_empty() {
            true => Ok(None),
            false => keep_rule::read(&self.keep, self.keep_families, self.keep_grace).map(Some),
        }
    }

    /// True when a setting that is named is not the store's.
    fn differ_from(&self, snapshot: &Snapshot) -> Result<bool, Failure> {
        let (named, store) = (self.config()?, snapshot.settings());
        let has_other_rule = match self.rule()? {
            Some(rule) => snapshot.keep()? != Some(rule),
            None => false,
        };
        Ok(has_other_rule
            || named.family.is_some_and(|family| store.family.is_some_and(|settled| settled != family))
            || (self.window.is_some() && named.window_years != store.window_years)
            || (self.records.is_some() && named.chosen != store.chosen)
            || (self.ignore.is_some() && named.ignored != store.ignored))
    }

    fn family(&self) -> Result<Option<&'static Family>, Failure> {
        self.family.as_deref().map(find_family).transpose()
    }

    /// What is accepted by name.
    pub(crate) fn allowed(&self) -> Allow {
        Allow {
            wrong_count: self.allow_wrong_count,
            rows_without_person: self.allow_rows_without_person,
            code_page: self.allow_code_page,
            wider_family: self.allow_wider_family,
            gap: self.allow_gap,
            older: self.allow_older,
            other_customer: self.allow_other_customer,
            reload: false,
        }
    }
}

/// The store to deliver into.
///
/// A new store bears another name (`.NAME.part`) until the first extract is in it: a load that is refused, stopped or
/// killed leaves no store behind with settings that nobody chose, and the next one begins anew.
pub(crate) struct Target<'a> {
    /// None only while a new store changes its name.
    replika: Option<Replika>,
    unfinished: Option<Unfinished<'a>>,
    /// How the store is opened once it is there.
    existing: Options,
}

/// A new store that has not its own name yet.
struct Unfinished<'a> {
    /// Its name now.
    part: PathBuf,
    /// Its name to be.
    path: &'a Path,
    /// A store with nothing in it was found under its name, which it may take the place of.
    replaces: bool,
}

impl<'a> Target<'a> {
    /// For an extract of persons: all that a store is to hold, or those whom it admits.
    pub(crate) fn open(globals: &'a Globals, options: &IntakeOptions) -> Result<Target<'a>, Failure> {
        Target::open_with(globals, options, globals.options())
    }

    /// For extracts of changes.
    pub(crate) fn open_for_changes(globals: &'a Globals, options: &IntakeOptions) -> Result<Target<'a>, Failure> {
        let existing = Options { cache_bytes: CACHE_BYTES_OF_CHANGES, ..globals.options() };
        Target::open_with(globals, options, existing)
    }

    fn open_with(globals: &'a Globals, options: &IntakeOptions, existing: Options) -> Result<Target<'a>, Failure> {
        let path = globals.store_path()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Failure::NoFolder(visible::path(folder)));
        }
        let config = options.config()?;
        let how = globals.options();
        let rule = options.rule()?;
        let create = |replaces| {
            let (replika, unfinished) = match options.dry_run {
                true => (Replika::in_memory(&config)?, None),
                false => {
                    let (replika, unfinished) = Unfinished::create(path, replaces, &config, &how)?;
                    (replika, Some(unfinished))
                }
            };
            let target = Target { replika: Some(replika), unfinished, existing: existing.clone() };
            if let Some(rule) = &rule {
                target.replika().keep(rule)?;
            }
            Ok(target)
        };
        let target = globals.wait_for(INTAKE_WAIT_SECONDS, || match Replika::open_with(path, &existing) {
            Err(Error::NotFound) => create(false),
            // What is left of a store that never came to be, or a name that was reserved.
            Err(Error::NotAStore) if private_file::is_empty_file(path) => create(false),
            opened => Ok(Target { replika: Some(opened?), unfinished: None, existing: existing.clone() }),
        })?;
        if !options.differ_from(&target.replika().snapshot())? {
            return Ok(target);
        }
        if holds_something(target.replika())? {
            return Err(Error::Config("the store was created with other settings; they are fixed").into());
        }
        drop(target);
        Ok(create(true)?)
    }

    /// Gives a new store its name, once something is in it. It is closed for that moment, and so complete on the disk.
    fn keep(&mut self, globals: &Globals) -> Result<(), Failure> {
        let Some(unfinished) = self.unfinished.take() else { return Ok(()) };
        let path = unfinished.path;
        self.replika = None;
        let open = || globals.wait_for(INTAKE_WAIT_SECONDS, || Replika::open_with(path, &self.existing));
        if let Err(failure) = unfinished.take_name(open) {
            fs::remove_file(&unfinished.part).ok();
            return Err(failure);
        }
        self.replika = Some(open()?);
        Ok(())
    }

    pub(crate) fn replika(&self) -> &Replika {
        self.replika.as_ref().expect("it is open but for the moment in which it is renamed")
    }

    /// Takes one extract by `deliver` and reports what it did.
    pub(crate) fn take(
        &mut self,
        globals: &Globals,
        extract: &InputFile,
        options: &IntakeOptions,
        allow: Allow,
        screen: &mut Screen,
        deliver: impl Fn(&Replika, PlacedFile, &ApplyOptions<'_>) -> Result<Report, Error>,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::Reading(extract.shown.clone(), error);
        if self.unfinished.is_some()
            && let Some(family) = options.family()?
        {
            refuse_wider_family(extract, family, &self.replika().settings().ignored)?;
        }
        let file = extract.reopen()?;
        let meter = Meter::of_bytes(file.metadata().map_err(failed)?.len());
        let progress = |progress| {
            meter.show(progress);
            ControlFlow::Continue(())
        };
        let apply = ApplyOptions {
            applied_at: Some(clock::now()),
            family: options.family()?,
            dry_run: options.dry_run,
            allow,
            progress: Some(&progress),
            ..ApplyOptions::named(&extract.name)
        };
        let answer = deliver(self.replika(), PlacedFile::new(file), &apply);
        drop(meter);
        let report = answer.map_err(|error| match error {
            Error::Input(error) => failed(error),
            error => Failure::Engine(error, Some(extract.shown.clone())),
        })?;
        self.keep(globals)?;
        match globals.json {
            true => screen.print_json(&FileReport { file: &extract.shown, report: &report })?,
            false => delivery_report::write(screen, &extract.shown, &report)?,
        }
        // It is done, whatever becomes of the next one.
        screen.flush()
    }

    /// Has the folder of packs that was named hold what the store holds now, and tells of it.
    pub(crate) fn pack(&self, globals: &Globals, options: &IntakeOptions, screen: &mut Screen) -> Result<(), Failure> {
        let written = self.write_packs(globals, options)?;
        pack::tell(globals, written.as_ref(), screen)
    }

    /// The same, and nothing is told.
    pub(crate) fn write_packs(
        &self,
        globals: &Globals,
        options: &IntakeOptions,
    ) -> Result<Option<PackReport>, Failure> {
        let Some(folder) = globals.packs().filter(|_| !options.dry_run) else { return Ok(None) };
        let written = self.replika().snapshot().write_pack(folder);
        written.map(Some).map_err(|error| Failure::Engine(error, Some(visible::path(folder))))
    }
}

/// A new store is not to be of a variant that the first file shows no sign of: nothing would tell later that it is not.
fn refuse_wider_family(extract: &InputFile, family: &'static Family, ignored: &[u16]) -> Result<(), Failure> {
    let mut narrower = None;
    for lines in [FIRST_LINES, u64::MAX] {
        let found = cpr_extract::find_family(&mut extract.reopen()?, ignored, lines);
        match found.map_err(|error| Failure::Reading(extract.shown.clone(), error))? {
            Ok(found) if found != family && family.is_variant_of(found) => narrower = Some(found.name),
            _ => return Ok(()),
        }
    }
    narrower.map_or(Ok(()), |found| Err(Failure::NarrowerFamily { file: extract.shown.clone(), found }))
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if let Some(Unfinished { part, .. }) = &self.unfinished {
            fs::remove_file(part).ok();
        }
    }
}

impl<'a> Unfinished<'a> {
    fn create(
        path: &'a Path,
        replaces: bool,
        config: &Config,
        how: &Options,
    ) -> Result<(Replika, Unfinished<'a>), Error> {
        let part = private_file::part_path(path);
        match Replika::open_with(&part, how) {
            // Another process is loading.
            Err(Error::Locked) => return Err(Error::Locked),
            Err(Error::NotFound) => {}
            _ => _ = fs::remove_file(&part),
        }
        let replika = Replika::create_with(&part, config, how)?;
        Ok((replika, Unfinished { part, path, replaces }))
    }

    /// What has come to stand under the name since the load began is not replaced, unless nothing is in it. `open`
    /// opens the store that has the name.
    fn take_name(&self, open: impl Fn() -> Result<Replika, Failure>) -> Result<(), Failure> {
        let Unfinished { part, path, replaces } = self;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::NotReplaced(visible::path(path), "something is there by now"),
            _ => Failure::Writing(visible::path(path), error),
        };
        match private_file::rename_vacant(part, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && *replaces => {
                // Nobody else opens it before it is replaced.
                let found = open()?;
                if holds_something(&found)? { Err(error) } else { fs::rename(part, path) }
            }
            named => named,
        }
        .and_then(|()| private_file::sync_folder_of(path))
        .map_err(failed)
    }
}

/// A store with a delivery or a subscriber in it.
fn holds_something(replika: &Replika) -> Result<bool, Error> {
    let snapshot = replika.snapshot();
    Ok(snapshot.known().0 > 0 || !snapshot.subscribers()?.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cpr_replika::cpr_subscription::Profile;

    use super::*;

    #[test]
    fn a_new_store_takes_the_place_of_no_other_that_holds_something() {
        let folder = tempfile::tempdir().unwrap();
        let [part, path] = [".store.part", "store"].map(|name| folder.path().join(name));
        let store = || Replika::create(&path, &Config::default()).unwrap();
        let one_with_a_subscriber =
            || store().add_subscriber(&"school".parse().unwrap(), Profile::SF6002).map(drop).unwrap();
        // What has come to stand there, whether the load began with a store that it may replace, and whether it does.
        let cases: [(&str, &dyn Fn(), bool, bool); 7] = [
            ("nothing", &|| {}, false, true),
            ("an empty file", &|| fs::write(&path, "").unwrap(), false, true),
            ("a file", &|| fs::write(&path, "of another").unwrap(), false, false),
            ("a link", &|| std::os::unix::fs::symlink("nowhere", &path).unwrap(), false, false),
            ("a store", &|| drop(store()), false, false),
            ("the store", &|| drop(store()), true, true),
            ("the store, with a subscriber by now", &one_with_a_subscriber, true, false),
        ];
        for (what, come, replaces, is_named) in cases {
            fs::write(&part, "a new store").unwrap();
            come();
            let unfinished = Unfinished { part: part.clone(), path: &path, replaces };
            let named = unfinished.take_name(|| Ok(Replika::open(&path)?));
            assert_eq!(named.is_ok(), is_named, "{what}");
            let is_new = fs::read(&path).is_ok_and(|bytes| bytes == b"a new store");
            assert_eq!((is_new, part.exists()), (is_named, !is_named), "{what}");
            fs::remove_file(&path).unwrap();
        }
    }
}
