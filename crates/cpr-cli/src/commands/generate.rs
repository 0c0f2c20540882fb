//! `generate`: made-up extracts, whole files under the names that CPR gives.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_population::{Population, Product, Scenario, archetypes, basis};
use cpr_replika::cpr_model::Date;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_text;
use crate::output_file::{self, Buffered};
use crate::progress::{Counted, Meter};
use crate::screen::Screen;
use crate::values::{find_family, parse_count, parse_seed, parse_task};
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Generate {
    #[command(flatten)]
    what: Kind,
    /// With --persons: how many nights of change follow, one file for each working day.
    #[arg(long, value_name = "D", conflicts_with_all = ["basis", "archetypes", "scenario"],
        value_parser = parse_count::<u32>)]
    nights: Option<u32>,
    /// With --persons: how many persons a night delivers; 10 000 to 50 000 is usual for all of Denmark. One in 200
    /// when left out.
    #[arg(long, value_name = "N", conflicts_with_all = ["basis", "archetypes", "scenario"],
        value_parser = parse_count::<u32>)]
    night_size: Option<u32>,
    /// With --persons: the same seed gives the same bytes. 1 when left out.
    #[arg(long, value_name = "N", conflicts_with_all = ["basis", "archetypes", "scenario"],
        value_parser = parse_seed)]
    seed: Option<u64>,
    /// The layout family (std, uuid, 2022, full).
    #[arg(long, default_value = "std")]
    family: String,
    /// The task number (OPGAVENR), six digits.
    #[arg(long, default_value = "999901", value_parser = parse_task)]
    task: String,
    /// The folder to write to; files are named as CPR names them, DYYMMDD.LTASK.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Kind {
    /// A made-up Denmark of this many numbers: the living, the dead, the emigrated and those without a home.
    #[arg(long, value_name = "N", value_parser = parse_count::<u32>)]
    persons: Option<u32>,
    /// The basis set: a father, a mother and two children for each municipality of Denmark, one family in Greenland,
    /// and one whose members are dead.
    #[arg(long)]
    basis: bool,
    /// The archetypes: 60 persons in eleven groups, each with something to get right.
    #[arg(long)]
    archetypes: bool,
    /// Persons and nights written down in a TOML file (docs/scenario.md).
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

pub(crate) fn generate_extracts(globals: &Globals, generate: &Generate, screen: &mut Screen) -> Result<(), Failure> {
    let product = Product { family: find_family(&generate.family)?, task: generate.task.clone() };
    let made = private_file::make_folder(&generate.out);
    made.map_err(|error| Failure::Writing(visible::path(&generate.out), error))?;
    let mut writer = Writer { globals, generate, screen, files: Vec::new() };
    match (generate.what.persons, &generate.what.scenario) {
        (Some(persons), _) => write_denmark(generate, persons, &product, &mut writer)?,
        (None, Some(path)) => write_scenario(path, &product, &mut writer)?,
        (None, None) => {
            let fixture = if generate.what.basis { basis() } else { archetypes().0 };
            writer.add(fixture.production_date(), |out| fixture.full_extract(out, &product).map(|_| ()))?;
        }
    }
    writer.finish()
}

fn write_denmark(generate: &Generate, persons: u32, product: &Product, writer: &mut Writer<'_>) -> Result<(), Failure> {
    if persons > Population::MOST_PERSONS {
        return Err(Failure::Usage("more persons than a population can have"));
    }
    let population = Population::new(generate.seed.unwrap_or(1), persons);
    writer.add(population.production_date(), |out| population.full_extract(out, product).map(|_| ()))?;
    let mut nights = population.deltas(product, generate.night_size.unwrap_or(persons.div_ceil(200)));
    for _ in 0..generate.nights.unwrap_or(0) {
        writer.add(nights.next_production_date(), |out| nights.next_delta(out).map(|_| ()))?;
    }
    Ok(())
}

fn write_scenario(path: &Path, product: &Product, writer: &mut Writer<'_>) -> Result<(), Failure> {
    let failed = |error| Failure::Reading(visible::path(path), error);
    let text = read_text(path)?;
    let scenario = Scenario::parse(&text).map_err(|error| failed(Error::new(ErrorKind::InvalidInput, error)));
    let mut scenario = scenario?;
    let fixture = scenario.fixture();
    writer.add(fixture.production_date(), |out| fixture.full_extract(out, product).map(|_| ()))?;
    while let Some(date) = scenario.next_production_date() {
        writer.add(date, |out| scenario.next_delta(out, product).map(|_| ()))?;
    }
    Ok(())
}

type Out<'a, 'b, 'f> = Counted<'a, &'b mut Buffered<'f>>;

/// Writes files one after the other and says of each that it is finished.
struct Writer<'a> {
    globals: &'a Globals,
    generate: &'a Generate,
    screen: &'a mut Screen,
    files: Vec<Made>,
}

impl Writer<'_> {
    fn add(
        &mut self,
        date: Date,
        write: impl FnOnce(&mut Out<'_, '_, '_>) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        // DYYMMDD.LTASK, as CPR names its files.
        let name = format!("D{:06}.L{}", date.digits() % 1_000_000, self.generate.task);
        let path = self.generate.out.join(&name);
        let meter = Meter::open_ended("writing");
        let bytes = output_file::write_new(self.globals, &path, self.generate.force, |out| {
            let mut out = meter.count(out);
            write(&mut out)?;
            Ok(out.bytes)
        })?;
        drop(meter);
        if self.globals.json {
            self.files.push(Made { file: path.display().to_string(), production_date: date, bytes });
            return Ok(());
        }
        writeln!(self.screen, "{}: {bytes} bytes", path.display())?;
        self.screen.flush()
    }

    fn finish(self) -> Result<(), Failure> {
        match self.globals.json {
            true => self.screen.print_json(&MadeFiles { files: self.files }),
            false => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct MadeFiles {
    files: Vec<Made>,
}

#[derive(Serialize)]
struct Made {
    file: String,
    production_date: Date,
    bytes: u64,
}
