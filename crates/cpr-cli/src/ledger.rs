//! The store as a whole: ledger, changed persons, export, sizes, verification.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use cpr_replika::{DeliveryNumber, Snapshot};

use crate::args::{Arguments, Export, KnownAt};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::text;

pub(crate) fn changes(arguments: &Arguments, delivery: u32) -> Result<(), Failure> {
    let snapshot = text::open(arguments)?.snapshot();
    let changed = snapshot.changes(DeliveryNumber(delivery))?;
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        let persons = changed.map(|pnr| pnr.reveal().into()).collect();
        drop(out);
        json::print(&json::object([("delivery", delivery.into()), ("persons", Json::Array(persons))]))?;
        return Ok(());
    }
    for pnr in changed {
        writeln!(out, "{}", pnr.reveal())?;
    }
    Ok(out.flush()?)
}

pub(crate) fn export(arguments: &Arguments, export: &Export) -> Result<(), Failure> {
    let snapshot = text::open(arguments)?.snapshot();
    let known = KnownAt::resolve(export.known_at, &snapshot)?;
    if export.output == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        snapshot.export(known, &mut out)?;
        return Ok(out.flush()?);
    }
    let persons = to_file(&snapshot, known, &export.output)?;
    let known = known.unwrap_or(snapshot.known());
    if arguments.json {
        let file = export.output.display().to_string();
        json::print(&json::object([("file", file.into()), ("known", known.0.into()), ("persons", persons.into())]))?;
    } else {
        println!("{}: {persons} persons as known after delivery {known}", export.output.display());
    }
    Ok(())
}

/// Writes to a temporary file beside the target and renames it when it is whole and durable.
fn to_file(snapshot: &Snapshot, known: Option<DeliveryNumber>, path: &Path) -> Result<u64, Failure> {
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

pub(crate) fn deliveries(arguments: &Arguments) -> Result<(), Failure> {
    let deliveries = text::open(arguments)?.snapshot().deliveries()?;
    if arguments.json {
        let all = deliveries.iter().map(json::delivery).collect();
        json::print(&json::object([("deliveries", Json::Array(all))]))?;
        return Ok(());
    }
    let out = &mut io::stdout().lock();
    writeln!(
        out,
        "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  file",
        "no", "kind", "produced", "after", "task", "new", "changed", "same"
    )?;
    for delivery in &deliveries {
        let counts = &delivery.counts;
        writeln!(
            out,
            "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  {}",
            delivery.number.0,
            delivery.kind.name(),
            delivery.production_date.to_string(),
            delivery.previous_production_date.to_string(),
            delivery.task,
            counts.persons_new,
            counts.persons_changed,
            counts.persons_unchanged,
            delivery.file_name
        )?;
    }
    Ok(())
}

pub(crate) fn stats(arguments: &Arguments) -> Result<(), Failure> {
    let path = text::store_path(arguments)?;
    let stats = text::open(arguments)?.snapshot().stats()?;
    let file_bytes = path.metadata().map_err(|error| Failure::File(path.display().to_string(), error))?.len();
    if arguments.json {
        let table = |table: &cpr_replika::TableStats| {
            json::object([
                ("name", table.name.as_str().into()),
                ("rows", table.rows.into()),
                ("stored_bytes", table.stored_bytes.into()),
                ("metadata_bytes", table.metadata_bytes.into()),
                ("fragmented_bytes", table.fragmented_bytes.into()),
            ])
        };
        let tables = stats.tables.iter().map(table).collect();
        json::print(&json::object([("file_bytes", file_bytes.into()), ("tables", Json::Array(tables))]))?;
        return Ok(());
    }
    let out = &mut io::stdout().lock();
    writeln!(out, "{:16} {:>12} {:>14} {:>14} {:>14}", "table", "rows", "stored bytes", "metadata", "empty")?;
    for table in &stats.tables {
        writeln!(
            out,
            "{:16} {:>12} {:>14} {:>14} {:>14}",
            table.name, table.rows, table.stored_bytes, table.metadata_bytes, table.fragmented_bytes
        )?;
    }
    writeln!(out, "file: {file_bytes} bytes")?;
    Ok(())
}

pub(crate) fn verify(arguments: &Arguments) -> Result<(), Failure> {
    let report = text::open(arguments)?.snapshot().verify()?;
    if arguments.json {
        let fault = |fault: &cpr_replika::VerifyFault| {
            json::object([("table", fault.table.into()), ("what", fault.what.into())])
        };
        json::print(&json::object([
            ("clean", report.is_clean().into()),
            ("persons", report.persons.into()),
            ("facts", report.facts.into()),
            ("superseded", report.superseded.into()),
            ("events", report.events.into()),
            ("deliveries", report.deliveries.into()),
            ("fault_count", report.fault_count.into()),
            ("faults", Json::Array(report.faults.iter().map(fault).collect())),
        ]))?;
    } else {
        let out = &mut io::stdout().lock();
        writeln!(
            out,
            "read {} persons with {} facts, {} superseded rows, {} events, {} deliveries",
            report.persons, report.facts, report.superseded, report.events, report.deliveries
        )?;
        for fault in &report.faults {
            writeln!(out, "fault: {}: {}", fault.table, fault.what)?;
        }
        writeln!(out, "{}", if report.is_clean() { "everything holds" } else { "the store is damaged" })?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Told(3)) }
}
