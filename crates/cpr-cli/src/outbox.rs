//! The files of a night that subscribers are sent: `DIR/NAME/DYYMMDD.LTASK`, for `apply --deliver` and `thin`.
//!
//! A file is whole and durable before the store notes that its subscriber has it, and never takes the place of one with
//! other contents. What a file holds is the engine's business.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use cpr_replika::cpr_model::PersonKey;
use cpr_replika::cpr_subscription::{FileIndex, Owner, Selection, Stream, SubscriberName, ThinError, Thinned};
use cpr_replika::{Delivery, Recipient, Replika, Snapshot};

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::json::{self, Json};
use crate::output_file::{self, Existing};
use crate::plural::persons;
use crate::screen::Screen;
use crate::visible;

/// Where the files of a night go.
pub(crate) struct Outbox<'a> {
    /// The folder that holds a folder for each subscriber.
    pub(crate) folder: &'a Path,
    /// A file also for a subscriber that the night has nothing for.
    pub(crate) empty: bool,
}

impl Outbox<'_> {
    /// What writes the files of this extract once more.
    fn command_line(&self, globals: &Globals, extract: &Path) -> String {
        let mut words = vec!["thin".into(), extract.into(), self.folder.into()];
        words.extend(self.empty.then(|| "--empty".into()));
        globals.command_line(&words)
    }
}

/// Writes `folder/NAME/DYYMMDD.LTASK` for each subscriber that the file has something for, and notes the files that are
/// durable in the streams of their subscribers. One that cannot be written does not keep the others from theirs.
pub(crate) fn deliver(
    globals: &Globals,
    replika: &Replika,
    extract: &InputFile,
    outbox: &Outbox<'_>,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let snapshot = replika.snapshot();
    let shown = &extract.shown;
    let file = extract.reopen()?;
    let delivery = snapshot.delivery_of_file(&file).map_err(|error| Failure::Engine(error, Some(shown.clone())))?;
    let delivery = delivery.ok_or_else(|| Failure::NotApplied(shown.clone()))?;
    let undelivered = |target: String, error: ThinError| Failure::Undelivered {
        target,
        delivery: delivery.number,
        error,
        again: extract.path.as_deref().map(|path| outbox.command_line(globals, path)),
    };
    let config = snapshot.config();
    let family = config.family.expect("a store with a delivery knows its family");
    let index = FileIndex::read(extract.reopen()?, family, &config.ignored);
    let index = index.map_err(|error| undelivered(shown.clone(), error))?;

    let name = name_file(&snapshot.deliveries()?, &delivery);
    let (mut given, mut written, mut failed) = (Vec::new(), Vec::new(), None);
    let mut selection = Selection::default();
    for recipient in snapshot.recipients(delivery.number)? {
        let receipts = find_receipts(&snapshot, &index, &recipient, &delivery)?;
        if recipient.persons.is_empty() && receipts.is_empty() && !outbox.empty {
            continue;
        }
        let owners = recipient.persons.iter().map(Owner::Person).chain(receipts.into_iter().map(Owner::Receipt));
        index.select(owners, &mut selection);
        let stream = Stream { previous_production_date: recipient.previous_production_date, task: None };
        let own = outbox.folder.join(recipient.subscriber.name.as_str());
        let source = extract.reopen()?;
        let folders = output_file::make_folder(outbox.folder).and_then(|()| output_file::make_own_folder(&own));
        let thinned = folders.map_err(ThinError::Io).and_then(|()| {
            output_file::write(&own, name.as_ref(), Existing::MustBeEqual, |out| {
                index.thin(BufReader::new(source), &stream, &selection, out)
            })
        });
        match thinned {
            Ok(thinned) => {
                written.push((recipient.subscriber.name.clone(), own.join(&name), thinned));
                given.push(recipient);
            }
            Err(error) if failed.is_none() => failed = Some(undelivered(visible::path(&own), error)),
            Err(_) => {}
        }
    }
    replika.note_given(delivery.number, &given)?;
    if failed.is_none() || !written.is_empty() {
        print_written(globals, screen, shown, &delivery, &written)?;
    }
    failed.map_or(Ok(()), Err)
}

/// As CPR names its files: DYYMMDD.LTASK. The second delivery of one production date and task is DYYMMDD.LTASK.2, so
/// that neither takes the place of the other.
fn name_file(ledger: &[Delivery], delivery: &Delivery) -> String {
    let is_namesake = |earlier: &&Delivery| {
        earlier.number < delivery.number
            && (earlier.production_date, &earlier.task) == (delivery.production_date, &delivery.task)
    };
    let name = format!("D{:06}.L{}", delivery.production_date.digits() % 1_000_000, delivery.task);
    match ledger.iter().filter(is_namesake).count() {
        0 => name,
        earlier => format!("{name}.{}", earlier + 1),
    }
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

fn print_written(
    globals: &Globals,
    screen: &mut Screen,
    shown: &str,
    delivery: &Delivery,
    written: &[Written],
) -> Result<(), Failure> {
    if globals.json {
        let file = |(name, path, thinned): &Written| {
            json::object([
                ("subscriber", name.as_str().into()),
                ("file", path.display().to_string().into()),
                ("persons", thinned.persons.into()),
                ("records", thinned.records.into()),
                ("bytes", thinned.bytes.into()),
            ])
        };
        screen.print_json(&json::object([
            ("file", shown.into()),
            ("delivery", delivery.number.0.into()),
            ("delivered", Json::Array(written.iter().map(file).collect())),
        ]))?;
        return screen.flush();
    }
    if written.is_empty() {
        writeln!(screen, "delivery {} has nothing for any subscriber", delivery.number)?;
    }
    for (_, path, thinned) in written {
        let Thinned { persons, records, bytes } = *thinned;
        writeln!(screen, "{}: {}, {records} records, {bytes} bytes", path.display(), self::persons(persons))?;
    }
    screen.flush()
}
