//! `thin`, `apply --deliver`, `initial-load`: the files that subscribers are sent.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::cpr_model::PersonKey;
use cpr_replika::cpr_subscription::{FileIndex, Owner, Selection, Stream, ThinError, Thinned};
use cpr_replika::{Delivery, Recipient, Replika, Snapshot};

use crate::args::{Arguments, Hidden};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::subscriber::named;
use crate::{durable, text};

#[derive(Args, Debug)]
pub(crate) struct Thin {
    /// The extract, which was applied.
    file: PathBuf,
    /// The folder that holds a folder for each subscriber.
    folder: PathBuf,
    /// Write a file for a subscriber that nobody matches too: start and end record only.
    #[arg(long)]
    empty: bool,
}

#[derive(Args, Debug)]
pub(crate) struct InitialLoad {
    /// The subscriber.
    name: Hidden,
    /// The file to write, `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn thin(arguments: &Arguments, thin: &Thin) -> Result<(), Failure> {
    let replika = Replika::open(text::store_path(arguments)?)?;
    deliver(&replika, &thin.file, &thin.folder, thin.empty, arguments.json)
}

/// Writes `folder/NAME/DYYMMDD.LTASK` for each subscriber that the file has something for, and notes the files that are
/// durable in the streams of their subscribers. One that cannot be written does not keep the others from theirs.
pub(crate) fn deliver(
    replika: &Replika,
    path: &Path,
    folder: &Path,
    empty: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let snapshot = replika.snapshot();
    let shown = path.display().to_string();
    let mut file = File::open(path).map_err(|error| Failure::File(shown.clone(), error))?;
    let delivery = snapshot.delivery_of_file(&file).map_err(|error| Failure::Engine(error, Some(shown.clone())))?;
    let delivery = delivery.ok_or_else(|| Failure::NotApplied(shown.clone()))?;
    let again = format!("replika thin {shown} {}", folder.display());
    let undelivered = |target: String, error: ThinError| Failure::Undelivered {
        target,
        delivery: delivery.number,
        error,
        again: again.clone(),
    };
    let config = snapshot.config();
    let family = config.family.expect("a store with a delivery knows its family");
    let index = file.rewind().map_err(ThinError::Io).and_then(|()| FileIndex::read(&file, family, &config.ignored));
    let index = index.map_err(|error| undelivered(shown.clone(), error))?;

    // As CPR names its files.
    let name = format!("D{:06}.L{}", delivery.production_date.digits() % 1_000_000, delivery.task);
    let (mut given, mut written, mut failed) = (Vec::new(), Vec::new(), None);
    let mut selection = Selection::default();
    for recipient in snapshot.recipients(delivery.number)? {
        let receipts = receipts(&snapshot, &index, &recipient, &delivery)?;
        if recipient.persons.is_empty() && receipts.is_empty() && !empty {
            continue;
        }
        let owners = recipient.persons.iter().map(Owner::Person).chain(receipts.into_iter().map(Owner::Receipt));
        index.select(owners, &mut selection);
        let stream = Stream { previous_production_date: recipient.previous_production_date, task: None };
        let own = folder.join(recipient.subscriber.name.as_str());
        let thinned = durable::folder(&own).map_err(ThinError::Io).and_then(|()| {
            durable::write(&own, &name, |out| index.thin(BufReader::new(&file), &stream, &selection, out))
        });
        match thinned {
            Ok(thinned) => {
                written.push((recipient.subscriber.name.clone(), own.join(&name), thinned));
                given.push(recipient);
            }
            Err(error) if failed.is_none() => failed = Some(undelivered(own.display().to_string(), error)),
            Err(_) => {}
        }
    }
    replika.note_given(delivery.number, &given)?;
    if failed.is_none() || !written.is_empty() {
        tell(&shown, &delivery, &written, as_json)?;
    }
    failed.map_or(Ok(()), Err)
}

/// The receipts (997) of the file for numbers that the subscriber followed, ascending.
fn receipts(
    snapshot: &Snapshot,
    index: &FileIndex,
    recipient: &Recipient,
    delivery: &Delivery,
) -> Result<Vec<PersonKey>, Failure> {
    let mut followed = Vec::new();
    for key in index.receipts() {
        if snapshot.followed_number(&recipient.subscriber, key, delivery.number)? {
            followed.push(key);
        }
    }
    Ok(followed)
}

type Written = (cpr_replika::cpr_subscription::SubscriberName, PathBuf, Thinned);

fn tell(shown: &str, delivery: &Delivery, written: &[Written], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let file = |(name, path, thinned): &Written| {
            json::object([
                ("subscriber", name.as_str().into()),
                ("file", path.display().to_string().into()),
                ("persons", thinned.persons.into()),
                ("records", thinned.records.into()),
                ("bytes", thinned.bytes.into()),
            ])
        };
        json::print(&json::object([
            ("file", shown.into()),
            ("delivery", delivery.number.0.into()),
            ("delivered", Json::Array(written.iter().map(file).collect())),
        ]))?;
        return Ok(());
    }
    let out = &mut io::stdout().lock();
    if written.is_empty() {
        writeln!(out, "delivery {} has nothing for any subscriber", delivery.number)?;
    }
    for (_, path, thinned) in written {
        let Thinned { persons, records, bytes } = *thinned;
        writeln!(out, "{}: {}, {records} records, {bytes} bytes", path.display(), text::persons(persons))?;
    }
    Ok(())
}

pub(crate) fn initial_load(arguments: &Arguments, load: &InitialLoad) -> Result<(), Failure> {
    let name = named(&load.name)?;
    let replika = Replika::open(text::store_path(arguments)?)?;
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
    if arguments.json {
        json::print(&json::object([
            ("file", shown.into()),
            ("subscriber", name.as_str().into()),
            ("known", loaded.known.0.into()),
            ("production_date", loaded.production_date.to_string().into()),
            ("persons", loaded.persons.into()),
        ]))?;
    } else {
        let (persons, known, date) = (text::persons(loaded.persons), loaded.known, loaded.production_date);
        writeln!(io::stdout().lock(), "{shown}: {persons} as known after delivery {known} (produced {date})")?;
    }
    Ok(())
}
