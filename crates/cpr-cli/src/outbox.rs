//! The files of a night that subscribers are sent: `DIR/NAME/DYYMMDD.LTASK`, for `apply --deliver` and `thin`.
//!
//! What a file holds, and that it gets there whole and for its owner alone, is the engine's business; this tells of it.

use std::io;
use std::path::Path;

use cpr_replika::{DeliverOptions, DeliveredFile, Delivery, DeliveryNumber, Error, FolderSink, Replika};
use serde::Serialize;

use crate::commands::pack;
use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
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

/// Writes `folder/NAME/DYYMMDD.LTASK` for each subscriber that the extract has something for. One that cannot be
/// written does not keep the others from theirs.
pub(crate) fn deliver(
    globals: &Globals,
    replika: &Replika,
    extract: &InputFile,
    outbox: &Outbox<'_>,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let shown = &extract.shown;
    let in_engine = |error| Failure::Engine(error, Some(shown.clone()));
    let delivery = replika.snapshot().delivery_of_file(extract.reopen()?).map_err(in_engine)?;
    let delivery = delivery.ok_or_else(|| Failure::NotApplied(shown.clone()))?;
    let undelivered = |target: String, error: io::Error| Failure::Undelivered {
        target,
        delivery: delivery.number,
        error,
        again: extract.path.as_deref().map(|path| outbox.command_line(globals, path)),
    };
    let mut sink = FolderSink { folder: outbox.folder.to_owned(), empty_files: outbox.empty };
    let options = DeliverOptions { pack: globals.packs() };
    let report =
        replika.deliver_with(&delivery, extract.reopen()?, &mut sink, &options).map_err(|error| match error {
            Error::Input(error) => undelivered(shown.clone(), error),
            error => in_engine(error),
        })?;
    let failed = report.undelivered.into_iter().next();
    if failed.is_none() || !report.delivered.is_empty() {
        print_delivered(globals, screen, shown, &delivery, &sink, &report.delivered)?;
    }
    pack::tell(globals, report.pack.as_ref(), screen)?;
    failed.map_or(Ok(()), |failed| {
        let folder = outbox.folder.join(failed.file.subscriber.as_str());
        Err(undelivered(visible::path(&folder), failed.error))
    })
}

#[derive(Serialize)]
struct Delivered<'a> {
    file: &'a str,
    delivery: DeliveryNumber,
    delivered: Vec<DeliveredFile>,
}

fn print_delivered(
    globals: &Globals,
    screen: &mut Screen,
    shown: &str,
    delivery: &Delivery,
    sink: &FolderSink,
    delivered: &[DeliveredFile],
) -> Result<(), Failure> {
    if globals.json {
        let mut delivered = delivered.to_vec();
        for one in &mut delivered {
            one.file.name = sink.path_of(&one.file).display().to_string();
        }
        screen.print_json(&Delivered { file: shown, delivery: delivery.number, delivered })?;
        return screen.flush();
    }
    if delivered.is_empty() {
        writeln!(screen, "delivery {} has nothing for any subscriber", delivery.number)?;
    }
    for one in delivered {
        let (path, records, bytes) = (sink.path_of(&one.file), one.records, one.bytes);
        writeln!(screen, "{}: {}, {records} records, {bytes} bytes", path.display(), persons(one.persons))?;
    }
    screen.flush()
}
