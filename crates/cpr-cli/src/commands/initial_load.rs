//! `initial-load`: everybody whom a subscriber follows now, as a full extract.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::context::Globals;
use crate::failure::Failure;
use crate::plural::persons;
use crate::values::Hidden;
use crate::{durable, json};

#[derive(Args, Debug)]
pub(crate) struct InitialLoad {
    /// The subscriber.
    name: Hidden,
    /// The file to write, `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn write_initial_load(globals: &Globals, load: &InitialLoad) -> Result<(), Failure> {
    let name = load.name.subscriber_name()?;
    let replika = globals.open_to_write()?;
    if load.output == Path::new("-") {
        replika.initial_load(&name, &mut BufWriter::new(io::stdout().lock()))?;
        return Ok(());
    }
    let shown = load.output.display().to_string();
    let (folder, file) = durable::place(&load.output).ok_or(Failure::Usage("the file to write must have a name"))?;
    let loaded: Result<_, Failure> =
        durable::write(&folder, &file, |out| replika.initial_load(&name, out).map_err(Failure::from));
    let loaded = loaded.map_err(|failure| match failure {
        Failure::Output(error) => Failure::File(shown.clone(), error),
        failure => failure,
    })?;
    if globals.json {
        json::print(&json::object([
            ("file", shown.into()),
            ("subscriber", name.as_str().into()),
            ("known", loaded.known.0.into()),
            ("production_date", loaded.production_date.to_string().into()),
            ("persons", loaded.persons.into()),
        ]))?;
    } else {
        let (persons, known, date) = (persons(loaded.persons), loaded.known, loaded.production_date);
        writeln!(io::stdout().lock(), "{shown}: {persons} as known after delivery {known} (produced {date})")?;
    }
    Ok(())
}
