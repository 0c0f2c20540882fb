//! `export`: the whole replica as a full extract, whole in its place or not there.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::{DeliveryNumber, Snapshot};

use crate::context::Globals;
use crate::failure::Failure;
use crate::json;
use crate::values::{KnownAt, parse_known};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
    /// The file to write, `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn export_replica(globals: &Globals, export: &Export) -> Result<(), Failure> {
    let snapshot = globals.open_to_read()?.snapshot();
    let known = KnownAt::resolve(export.known_at, &snapshot)?;
    if export.output == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        snapshot.export(known, &mut out)?;
        return Ok(out.flush()?);
    }
    let persons = write_file(&snapshot, known, &export.output)?;
    let known = known.unwrap_or(snapshot.known());
    if globals.json {
        let file = export.output.display().to_string();
        json::print(&json::object([("file", file.into()), ("known", known.0.into()), ("persons", persons.into())]))?;
    } else {
        println!("{}: {persons} persons as known after delivery {known}", export.output.display());
    }
    Ok(())
}

/// Writes to a temporary file beside the target and renames it when it is whole and durable.
fn write_file(snapshot: &Snapshot, known: Option<DeliveryNumber>, path: &Path) -> Result<u64, Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let persons = {
        let mut out = BufWriter::with_capacity(1024 * 1024, file.as_file_mut());
        let persons = snapshot.export(known, &mut out)?;
        out.flush().map_err(failed)?;
        persons
    };
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(persons)
}
