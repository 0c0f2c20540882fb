//! `generate`: made-up extracts, written to a temporary name and renamed, so that no half file bears CPR's name.

use std::fs::{self, File};
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use cpr_population::{Population, Product, Scenario, archetypes, basis};
use cpr_replika::cpr_model::Date;

use crate::args::Generate;
use crate::failure::Failure;
use crate::{json, text};

pub(crate) fn run(generate: &Generate, as_json: bool) -> Result<(), Failure> {
    if generate.task.len() != 6 || !generate.task.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Usage("a task is six digits"));
    }
    let product = Product { family: text::family(&generate.family)?, task: generate.task.clone() };
    fs::create_dir_all(&generate.out).map_err(|error| Failure::File(generate.out.display().to_string(), error))?;
    let mut told = Told { files: Vec::new(), as_json };
    match (generate.what.persons, &generate.what.scenario) {
        (Some(persons), _) => denmark(generate, persons, &product, &mut told)?,
        (None, Some(path)) => scenario(generate, path, &product, &mut told)?,
        (None, None) => {
            let cast = if generate.what.basis { basis() } else { archetypes().0 };
            told.file(generate, cast.production_date(), |out| cast.full_extract(out, &product).map(|_| ()))?;
        }
    }
    told.end()
}

fn denmark(generate: &Generate, persons: u32, product: &Product, told: &mut Told) -> Result<(), Failure> {
    if persons > Population::MOST_PERSONS {
        return Err(Failure::Usage("more persons than a population can have"));
    }
    let population = Population::new(generate.seed, persons);
    told.file(generate, population.production_date(), |out| population.full_extract(out, product).map(|_| ()))?;
    let mut nights = population.nights(product, generate.night_size.unwrap_or(persons.div_ceil(200)));
    for _ in 0..generate.nights {
        told.file(generate, nights.next_production_date(), |out| nights.next_night(out).map(|_| ()))?;
    }
    Ok(())
}

fn scenario(generate: &Generate, path: &Path, product: &Product, told: &mut Told) -> Result<(), Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    let text = fs::read_to_string(path).map_err(failed)?;
    let scenario = Scenario::parse(&text).map_err(|error| failed(Error::new(ErrorKind::InvalidInput, error)));
    let mut scenario = scenario?;
    let cast = scenario.cast();
    told.file(generate, cast.production_date(), |out| cast.full_extract(out, product).map(|_| ()))?;
    while let Some(date) = scenario.next_production_date() {
        told.file(generate, date, |out| scenario.next_night(out, product).map(|_| ()))?;
    }
    Ok(())
}

/// The files written, told as they are finished.
struct Told {
    files: Vec<json::Json>,
    as_json: bool,
}

impl Told {
    fn file(
        &mut self,
        generate: &Generate,
        date: Date,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        // DYYMMDD.LTASK, as CPR names its files.
        let name = format!("D{:06}.L{}", date.digits() % 1_000_000, generate.task);
        let path = generate.out.join(&name);
        let failed = |error| Failure::File(path.display().to_string(), error);
        let bytes = written(&generate.out, &path, write).map_err(failed)?;
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

    fn end(self) -> Result<(), Failure> {
        if self.as_json {
            json::print(&json::object([("files", json::Json::Array(self.files))]))?;
        }
        Ok(())
    }
}

fn written(
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
