//! `generate`: made-up extracts, written to a temporary name and renamed, so that no half file bears CPR's name.

use std::fs::{self, File};
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_population::{Population, Product, Scenario, archetypes, basis};
use cpr_replika::cpr_model::Date;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json;
use crate::values::find_family;

#[derive(Args, Debug)]
pub(crate) struct Generate {
    #[command(flatten)]
    what: Kind,
    /// With --persons: how many nights of change follow, one file for each working day.
    #[arg(long, value_name = "D", default_value_t = 0)]
    nights: u32,
    /// With --persons: how many persons a night delivers; 10 000 to 50 000 is usual for all of Denmark. One in 200
    /// when left out.
    #[arg(long, value_name = "N")]
    night_size: Option<u32>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The layout family (std, uuid, 2022, full).
    #[arg(long, default_value = "std")]
    family: String,
    /// The task number (OPGAVENR), six digits.
    #[arg(long, default_value = "999901")]
    task: String,
    /// The folder to write to; files are named as CPR names them, DYYMMDD.LTASK.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Kind {
    /// A made-up Denmark of this many numbers: the living, the dead, the emigrated and those without a home.
    #[arg(long, value_name = "N")]
    persons: Option<u32>,
    /// The basis set: a father, a mother and two children for each municipality.
    #[arg(long)]
    basis: bool,
    /// The archetypes: 60 persons in eleven groups, each with something to get right.
    #[arg(long)]
    archetypes: bool,
    /// Persons and nights written down in a TOML file (docs/scenario.md).
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

pub(crate) fn generate_extracts(globals: &Globals, generate: &Generate) -> Result<(), Failure> {
    if generate.task.len() != 6 || !generate.task.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Usage("a task is six digits"));
    }
    let product = Product { family: find_family(&generate.family)?, task: generate.task.clone() };
    fs::create_dir_all(&generate.out).map_err(|error| Failure::File(generate.out.display().to_string(), error))?;
    let mut written = Written { files: Vec::new(), as_json: globals.json };
    match (generate.what.persons, &generate.what.scenario) {
        (Some(persons), _) => write_denmark(generate, persons, &product, &mut written)?,
        (None, Some(path)) => write_scenario(generate, path, &product, &mut written)?,
        (None, None) => {
            let fixture = if generate.what.basis { basis() } else { archetypes().0 };
            written.add(generate, fixture.production_date(), |out| fixture.full_extract(out, &product).map(|_| ()))?;
        }
    }
    written.finish()
}

fn write_denmark(generate: &Generate, persons: u32, product: &Product, written: &mut Written) -> Result<(), Failure> {
    if persons > Population::MOST_PERSONS {
        return Err(Failure::Usage("more persons than a population can have"));
    }
    let population = Population::new(generate.seed, persons);
    written.add(generate, population.production_date(), |out| population.full_extract(out, product).map(|_| ()))?;
    let mut nights = population.deltas(product, generate.night_size.unwrap_or(persons.div_ceil(200)));
    for _ in 0..generate.nights {
        written.add(generate, nights.next_production_date(), |out| nights.next_delta(out).map(|_| ()))?;
    }
    Ok(())
}

fn write_scenario(generate: &Generate, path: &Path, product: &Product, written: &mut Written) -> Result<(), Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    let text = fs::read_to_string(path).map_err(failed)?;
    let scenario = Scenario::parse(&text).map_err(|error| failed(Error::new(ErrorKind::InvalidInput, error)));
    let mut scenario = scenario?;
    let fixture = scenario.fixture();
    written.add(generate, fixture.production_date(), |out| fixture.full_extract(out, product).map(|_| ()))?;
    while let Some(date) = scenario.next_production_date() {
        written.add(generate, date, |out| scenario.next_delta(out, product).map(|_| ()))?;
    }
    Ok(())
}

/// The files written, told as they are finished.
struct Written {
    files: Vec<json::Json>,
    as_json: bool,
}

impl Written {
    fn add(
        &mut self,
        generate: &Generate,
        date: Date,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        // DYYMMDD.LTASK, as CPR names its files.
        let name = format!("D{:06}.L{}", date.digits() % 1_000_000, generate.task);
        let path = generate.out.join(&name);
        let failed = |error| Failure::File(path.display().to_string(), error);
        let bytes = write_file(&generate.out, &path, write).map_err(failed)?;
        match self.as_json {
            true => self.files.push(json::object([
                ("file", path.display().to_string().into()),
                ("production_date", date.to_string().into()),
                ("bytes", bytes.into()),
            ])),
            false => writeln!(std::io::stdout().lock(), "{}: {bytes} bytes", path.display())?,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        if self.as_json {
            json::print(&json::object([("files", json::Json::Array(self.files))]))?;
        }
        Ok(())
    }
}

fn write_file(
    folder: &Path,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<u64> {
    let temporary = tempfile::Builder::new().prefix(".generate-").tempfile_in(folder)?;
    let mut out = BufWriter::with_capacity(1 << 20, temporary.as_file().try_clone()?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    let bytes = out.get_ref().metadata()?.len();
    temporary.persist(path)?;
    Ok(bytes)
}
