//! A night on its way to the subscribers: what each is sent of an extract, given to a [`Sink`] file by file.
//!
//! Nothing is noted in a subscriber's stream before the sink has taken its file, so a run that ends in the middle is
//! repeated with the same bytes. One file that cannot be taken does not keep the others from theirs. Where files go,
//! and how they get there whole, is left to the sink; [`FolderSink`] is one for folders.

mod folder_sink;

use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use cpr_model::PersonKey;
use cpr_subscription::{FileIndex, Owner, Selection, Stream, SubscriberName, ThinError, Thinned};
use sha2::{Digest, Sha256};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Delivery;
use crate::packs::write::PackReport;
use crate::planted::{self, Fault};
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::subscriptions::streams::Recipient;

pub use folder_sink::FolderSink;

/// The file that a subscriber is sent of a delivery, before anything is written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct OutgoingFile {
    /// Whose it is.
    pub subscriber: SubscriberName,
    /// As CPR names its files, `DYYMMDD.LTASK`. The second delivery of one production date and task has `.2` behind
    /// that, and so on, so that no two files of a subscriber have one name.
    pub name: String,
}

/// Takes the files of a night.
pub trait Sink {
    /// Takes one file whole. `write` writes its bytes, as often as it is called the same ones; what it returns as an
    /// error, the sink returns. When this returns `Ok`, the file must be where it was to go, for good: the store then
    /// notes it in the stream of its subscriber.
    ///
    /// # Errors
    /// The file was not taken; nothing of it may be left where it could be taken for one.
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()>;

    /// True when a subscriber that the night has nothing for is sent a file too, of a start and an end record.
    fn takes_empty_files(&self) -> bool {
        false
    }
}

/// A file that the sink has taken.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DeliveredFile {
    /// Which one.
    pub file: OutgoingFile,
    /// Persons in it.
    pub persons: u64,
    /// Records in it, without the first and the last.
    pub records: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// A file that the sink has not taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct UndeliveredFile {
    /// Which one.
    pub file: OutgoingFile,
    /// Why: of the sink, or of reading the extract.
    pub error: io::Error,
}

/// What [`Replika::deliver_with`] does beside giving files to a sink.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeliverOptions<'a> {
    /// A folder of packs that is to hold which files were given too ([`Snapshot::write_pack`]): a store that is restored
    /// from it goes on with the streams of its subscribers where they are. It is written once that is noted, also where
    /// nothing was to be noted. So that readers of the packs have the delivery before anybody has a file of it, name the
    /// folder in [`ApplyOptions::pack`](crate::ApplyOptions::pack) too.
    pub pack: Option<&'a Path>,
}

/// What became of the files of a night; both lists by name of the subscriber.
#[derive(Debug, Default)]
#[must_use = "a file that was not taken is told here"]
#[non_exhaustive]
pub struct DeliverReport {
    /// The files taken, which are noted in the streams of their subscribers.
    pub delivered: Vec<DeliveredFile>,
    /// Those that were not. Delivering once more sends these, and gives the others again byte for byte.
    pub undelivered: Vec<UndeliveredFile>,
    /// What was written to the folder of packs that the options named.
    pub pack: Option<PackReport>,
}

impl Replika {
    /// Gives the sink a file for each subscriber that a delivery has persons or receipts (997) for: the lines of the
    /// extract as received, with the subscriber's own previous production date and count. `source` is that extract; it
    /// is read once for an index, and once more for what each file needs of it.
    ///
    /// Reads are of a snapshot, so deliveries may be applied meanwhile; the files are noted in one short transaction at
    /// the end, which waits for a delivery that is being committed.
    ///
    /// ```
    /// use std::io::{self, Cursor, Write};
    /// use cpr_replika::cpr_subscription::Profile;
    /// use cpr_replika::{
    ///     ApplyOptions, Config, FilterChange, OutgoingFile, Replika, Sink, UnknownNumbers,
    /// };
    ///
    /// /// Keeps the files in memory.
    /// struct Kept(Vec<(String, Vec<u8>)>);
    ///
    /// impl Sink for Kept {
    ///     fn take(
    ///         &mut self,
    ///         file: &OutgoingFile,
    ///         write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ///     ) -> io::Result<()> {
    ///         let mut bytes = Vec::new();
    ///         write(&mut bytes)?;
    ///         self.0.push((format!("{}/{}", file.subscriber, file.name), bytes));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let extract = |dates: &str, person: &str| {
    ///     format!(
    ///         "0000000000000999901{dates}\n\
    ///          001{person}          01000000000000 M1980-01-01 1980-01-01\n\
    ///          999999999999900000001\n"
    ///     )
    /// };
    /// let replika = Replika::in_memory(&Config::default())?;
    /// replika.load(Cursor::new(extract("2026010520260105", "6101801235")), &ApplyOptions::named("full"))?;
    /// let school = "school".parse()?;
    /// replika.add_subscriber(&school, Profile::SF6002)?;
    /// replika.change_filters(&school, &[FilterChange::Add("6101801237".parse()?)], UnknownNumbers::Keep)?;
    ///
    /// let night = extract("2026010620260105", "6101801237");
    /// let report = replika.apply(Cursor::new(&night), &ApplyOptions::named("night"))?;
    /// let mut sink = Kept(Vec::new());
    /// let delivered = replika.deliver(&report.delivery, Cursor::new(&night), &mut sink)?;
    ///
    /// assert_eq!((delivered.delivered.len(), delivered.undelivered.len()), (1, 0));
    /// assert_eq!(sink.0, [("school/D260106.L999901".to_owned(), night.into_bytes())]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::OtherExtract`] when the source is not the extract of the delivery; [`Error::Input`] from the source;
    /// [`Error::UnknownDelivery`]; [`Error::Corrupt`], a storage failure, or [`Error::ReadOnly`]. What the sink refuses
    /// stands in the report instead.
    pub fn deliver(
        &self,
        delivery: &Delivery,
        source: impl Read + Seek,
        sink: &mut impl Sink,
    ) -> Result<DeliverReport, Error> {
        self.deliver_with(delivery, source, sink, &DeliverOptions::default())
    }

    /// As [`Replika::deliver`], with options.
    ///
    /// # Errors
    /// As [`Replika::deliver`]; [`Error::NotPacked`] when the folder of packs could not be written: the files are with
    /// the sink and noted all the same, and delivering once more gives the same files, tells of them, and packs.
    pub fn deliver_with(
        &self,
        delivery: &Delivery,
        source: impl Read + Seek,
        sink: &mut impl Sink,
        options: &DeliverOptions<'_>,
    ) -> Result<DeliverReport, Error> {
        let mut report = self.give_files(delivery, source, sink)?;
        report.pack = options.pack.map(|folder| self.pack_delivery(folder, delivery.number)).transpose()?;
        Ok(report)
    }

    /// Gives the files to the sink, and notes those that it took.
    fn give_files(
        &self,
        delivery: &Delivery,
        mut source: impl Read + Seek,
        sink: &mut impl Sink,
    ) -> Result<DeliverReport, Error> {
        let snapshot = self.snapshot();
        let delivery = snapshot.delivery(delivery.number)?;
        let index = read_index(&snapshot, &delivery, &mut source)?;
        let name = file_name(&snapshot.deliveries()?, &delivery);
        let (mut report, mut given) = (DeliverReport::default(), Vec::new());
        let mut selection = Selection::default();
        for recipient in snapshot.recipients(delivery.number)? {
            let receipts = find_receipts(&snapshot, &index, &recipient, delivery.number)?;
            if recipient.persons.is_empty() && receipts.is_empty() && !sink.takes_empty_files() {
                continue;
            }
            let owners = recipient.persons.iter().map(Owner::Person).chain(receipts.into_iter().map(Owner::Receipt));
            index.select(owners, &mut selection);
            let stream = Stream { previous_production_date: recipient.previous_production_date, task: None };
            let file = OutgoingFile { subscriber: recipient.subscriber.name.clone(), name: name.clone() };
            if planted::is(Fault::StreamMovesEarly) {
                self.note_given(delivery.number, std::slice::from_ref(&recipient))?;
            }
            let mut written = None;
            let taken = sink.take(&file, &mut |out| {
                written = None;
                let thinned = index.thin(BufReader::new(&mut source), &stream, &selection, out);
                written = Some(thinned.map_err(io_error)?);
                Ok(())
            });
            match taken.and_then(|()| written.ok_or_else(|| io::Error::other("the sink has not taken the file"))) {
                Ok(Thinned { persons, records, bytes }) => {
                    report.delivered.push(DeliveredFile { file, persons, records, bytes });
                    given.push(recipient);
                }
                Err(error) => report.undelivered.push(UndeliveredFile { file, error }),
            }
        }
        if !given.is_empty() {
            self.note_given(delivery.number, &given)?;
        }
        Ok(report)
    }
}

/// Which bytes of the extract are whose; its digest is held against the ledger in the same pass.
fn read_index(snapshot: &Snapshot, delivery: &Delivery, source: &mut (impl Read + Seek)) -> Result<FileIndex, Error> {
    let config = snapshot.settings();
    let family = config.family.expect("a store with a delivery knows its family");
    source.rewind().map_err(Error::Input)?;
    let mut source = DigestingReader { source, digest: Sha256::new() };
    let index = match FileIndex::read(&mut source, family, &config.ignored) {
        Ok(index) => index,
        Err(ThinError::Io(error)) => return Err(Error::Input(error)),
        // What was applied fits its family and is whole.
        Err(_) => return Err(Error::OtherExtract { delivery: delivery.number }),
    };
    io::copy(&mut source, &mut io::sink()).map_err(Error::Input)?;
    let digest: [u8; 32] = source.digest.finalize().into();
    if digest == delivery.digest { Ok(index) } else { Err(Error::OtherExtract { delivery: delivery.number }) }
}

struct DigestingReader<'a, R> {
    source: &'a mut R,
    digest: Sha256,
}

impl<R: Read> Read for DigestingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

/// The receipts (997) of the extract for numbers that the subscriber followed, ascending.
fn find_receipts(
    snapshot: &Snapshot,
    index: &FileIndex,
    recipient: &Recipient,
    delivery: DeliveryNumber,
) -> Result<Vec<PersonKey>, Error> {
    let mut followed = Vec::new();
    for key in index.receipts() {
        if snapshot.followed_number(&recipient.subscriber, key, delivery)? {
            followed.push(key);
        }
    }
    Ok(followed)
}

/// See [`OutgoingFile::name`].
fn file_name(ledger: &[Delivery], delivery: &Delivery) -> String {
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

fn io_error(error: ThinError) -> io::Error {
    match error {
        ThinError::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
