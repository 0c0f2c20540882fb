//! The files of a night that subscribers are sent: `DIR/NAME/DYYMMDD.LTASK`, for `apply --deliver` and `thin`.
//!
//! A file is whole and durable before the store notes that its subscriber has it. What a file holds is the engine's
//! business.

use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use cpr_replika::cpr_model::PersonKey;
use cpr_replika::cpr_subscription::{FileIndex, Owner, Selection, Stream, SubscriberName, ThinError, Thinned};
use cpr_replika::{Delivery, Recipient, Replika, Snapshot};

use crate::durable;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::plural::persons;

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
        let receipts = find_receipts(&snapshot, &index, &recipient, &delivery)?;
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
        print_written(&shown, &delivery, &written, as_json)?;
    }
    failed.map_or(Ok(()), Err)
}

/// The receipts (997) of the file for numbers that the subscriber followed, ascending.
fn find_receipts(
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

type Written = (SubscriberName, PathBuf, Thinned);

fn print_written(shown: &str, delivery: &Delivery, written: &[Written], as_json: bool) -> Result<(), Failure> {
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
        writeln!(out, "{}: {}, {records} records, {bytes} bytes", path.display(), self::persons(persons))?;
    }
    Ok(())
}
