//! One error type: what was refused and why, or what is wrong with the store; never whom it is about.

use std::borrow::Cow;
use std::fmt;
use std::io;

use cpr_extract::Fault;
use cpr_model::Date;

use crate::damage::{BlockError, Damage, Place};
use crate::delivery_number::DeliveryNumber;
use crate::refusal::Refusal;

/// Why a call did nothing. Every refusal leaves the store as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The extract is damaged: the located faults up to the limit, and how many there are.
    #[error("{}", Faults(faults, *count))]
    Extract {
        /// What is wrong, in the order of the file, equal faults once; faults of the whole file stand first.
        faults: Vec<Fault>,
        /// How many faults there are in all.
        count: u64,
    },
    /// Persons cannot be erased so: what the caller gave does not do.
    #[error("nothing was erased: {0}")]
    Erase(&'static str),
    /// Subscribers filter on numbers that are to be erased.
    #[error("nothing was erased: subscribers have {filters} filters on these numbers, now or earlier")]
    Followed {
        /// How many filters.
        filters: u64,
    },
    /// A store that was written without some persons still had traces of them. It did not take the place of the old
    /// one.
    #[error("nothing was erased: {traces} traces were left in the new file")]
    NotErased {
        /// How many traces.
        traces: u64,
    },
    /// Readers of the feed of events have not come as far as the events that were to go.
    #[error("{readers} readers of events have not yet read what was to go")]
    Unread {
        /// How many readers.
        readers: u64,
    },
    /// Whom a subscriber follows may have been left out before it did: its initial load would not be whole.
    #[error(
        "{filters} filters of the subscriber ask for persons who may have been left out before: admit them from a full \
         extract first"
    )]
    NotAdmitted {
        /// How many filters.
        filters: u64,
    },
    /// The file is not what it was when it was checked: somebody writes it, or has replaced it.
    #[error("the extract changed while it was read")]
    Changed,
    /// The lines fit more than one layout family, so the caller must say which it is.
    #[error("the file fits more than one layout family ({}): say which", .families.join(", "))]
    AmbiguousFamily {
        /// The families that fit.
        families: Vec<&'static str>,
    },
    /// The file is of another layout family than the store.
    #[error("the store holds family {store}, the file is of family {found}")]
    OtherFamily {
        /// The family of the store.
        store: &'static str,
        /// The family that the file fits.
        found: &'static str,
    },
    /// The layout family that was asked for only adds records to another one, and the file holds none of them: it may
    /// as well be of the other.
    #[error("nothing in the file is of family {asked} alone; it fits {fits}, of which it holds all that there is")]
    WiderFamily {
        /// The family asked for.
        asked: &'static str,
        /// The family that it extends, and that the file fits.
        fits: &'static str,
    },
    /// No layout family has this name.
    #[error("no layout family is named so; known are: {}", .known.join(", "))]
    UnknownFamily {
        /// The families there are.
        known: Vec<&'static str>,
    },
    /// The start record's previous production date is not the last one applied.
    #[error("the file follows the extract of {previous}, but the last one applied is of {last}: an extract is missing")]
    SequenceGap {
        /// PRODDTOFORRIG of the file.
        previous: Date,
        /// The production date of the last delivery.
        last: Date,
    },
    /// The file is as old as the last delivery, or older, and not one of those applied.
    #[error("the file is of {found}, and the extract of {last} has been applied already")]
    Older {
        /// PRODDTO of the file.
        found: Date,
        /// The production date of the last delivery.
        last: Date,
    },
    /// The file was made for another customer (first four digits of OPGAVENR).
    #[error("the file is for customer {found}, the store holds the extracts of customer {store}")]
    OtherCustomer {
        /// The store's customer number.
        store: String,
        /// The file's.
        found: String,
    },
    /// A load is a starting point, and the store has deliveries already.
    #[error("the store holds {deliveries} deliveries already; a load is a starting point")]
    NotEmpty {
        /// How many deliveries there are.
        deliveries: u32,
    },
    /// One person has more facts than the store can number.
    #[error("more than 65 535 facts of one person are known at once")]
    TooManyFacts,
    /// There is no such delivery.
    #[error("there is no delivery {asked}; the last is {last}")]
    UnknownDelivery {
        /// The number asked for.
        asked: DeliveryNumber,
        /// The last delivery; 0 when there is none.
        last: DeliveryNumber,
    },
    /// The source is not the extract that the delivery was.
    #[error("the file is not the extract of delivery {delivery}")]
    OtherExtract {
        /// The delivery.
        delivery: DeliveryNumber,
    },
    /// No subscriber has this name.
    #[error("there is no such subscriber")]
    UnknownSubscriber,
    /// A new filter names a change code that is not on the list of those in use, so that it would never match.
    #[error("the filter names a change code that CPR does not use")]
    CodeNotInUse,
    /// The policy of a search refuses it.
    #[error(transparent)]
    Search(#[from] Refusal),
    /// The text is no place in the feed of events, or the delivery has no such place.
    #[error("not a place in the feed of events")]
    NotACursor,
    /// No reader of the feed of events has this name.
    #[error("no consumer has this name")]
    UnknownConsumer,
    /// A reader of the feed of events has this name already.
    #[error("a consumer has this name already")]
    ConsumerExists,
    /// The name cannot be one of a reader of the feed of events.
    #[error("a consumer's name has 1 to 100 bytes and no control characters")]
    ConsumerName,
    /// The last day of a calendar comes before the first.
    #[error("the last day comes before the first")]
    DaysOutOfOrder,
    /// The configuration cannot be.
    #[error("{0}")]
    Config(&'static str),
    /// The store was opened for reading only.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// A store exists where one was to be created.
    #[error("a store exists there already")]
    Exists,
    /// No store is there.
    #[error("there is no store there")]
    NotFound,
    /// The file is not a store of this engine.
    #[error("the file is not a replika store")]
    NotAStore,
    /// The store was written by a later version.
    #[error("the store has format {found}; this version reads formats up to {supported}")]
    NewerFormat {
        /// The store's format.
        found: u32,
        /// The newest this version reads.
        supported: u32,
    },
    /// The store was written by an earlier version, in a format that no release has written.
    #[error(
        "the store has format {found}; this version reads formats from {supported} on: load the extracts into a new store"
    )]
    OlderFormat {
        /// The store's format.
        found: u32,
        /// The earliest this version reads.
        supported: u32,
    },
    /// Another process, or another handle, has the store open.
    #[error("the store is open elsewhere")]
    Locked,
    /// Somebody else writes, and the call was one that does not wait.
    #[error("somebody else is writing to the store")]
    Busy,
    /// The caller's progress callback stopped the work; the store is as before.
    #[error("stopped by the caller")]
    Stopped,
    /// Stored bytes do not decode.
    #[error("corrupt store: a row of table {table}: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What does not fit.
        what: &'static str,
    },
    /// The file of the store does not hold what was written to it, at this place.
    #[error("corrupt store: {place}: {what}")]
    Damaged {
        /// Where.
        place: Place,
        /// What does not fit.
        what: &'static str,
    },
    /// The store's file is not where it was opened any more, or another stands there.
    #[error("the store's file is gone or was replaced by another")]
    Replaced,
    /// The store or pack is encrypted, and no key was given.
    #[error("the store or pack is encrypted: give its key")]
    KeyNeeded,
    /// The key is not the one by which the own key of the store or pack is wrapped.
    #[error("the key is not the one of the store or pack")]
    WrongKey,
    /// A key was given for a store or pack that is not encrypted.
    #[error("a key was given, and the store or pack is not encrypted")]
    NotEncrypted,
    /// The key cannot be had from its source, or not be used: this build does not encrypt, or the store must be written
    /// anew under a fresh key.
    #[error("{0}")]
    Key(Cow<'static, str>),
    /// Reading the extract failed.
    #[error("reading the extract failed: {0}")]
    Input(#[source] io::Error),
    /// The folder holds no packs.
    #[error("the folder holds no packs")]
    NoPacks,
    /// The packs in the folder are not of the store, or do not hold what the folder says.
    #[error("the packs in the folder are of another store")]
    OtherPacks,
    /// A folder of packs cannot be read or written.
    #[error("{doing} failed: {source}")]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A pack cannot be written, opened or read. Damage in one is [`Error::Damaged`].
    #[error("a pack: {0}")]
    Pack(#[source] cpr_pack::Error),
    /// Writing failed while the delivery was being made durable, and whether it is stored cannot be known: what is read
    /// now need not be on the disk. The same file again makes sure of it, and changes nothing where it is.
    #[error("whether delivery {delivery} is stored is not known, the same file again makes sure: {error}")]
    MaybeStored {
        /// The delivery.
        delivery: DeliveryNumber,
        /// What failed.
        #[source]
        error: Box<Error>,
    },
    /// Writing failed while a change that is no delivery was being made durable, and whether it is stored cannot be
    /// known: what is read now need not be on the disk. The same call again makes sure of it.
    #[error("whether the change is stored is not known, the same call again makes sure: {0}")]
    MaybeChanged(#[source] Box<Error>),
    /// The store was written anew, and the new file stands in the place of the old one; that a power cut brings the old
    /// one back could not be ruled out. Whoever opens the store next, or this handle with its next call, rules it out.
    #[error("the store is written anew, and until it is opened again a power cut may bring the old file back: {0}")]
    MaybeReplaced(#[source] Box<Error>),
    /// The delivery is stored, and the folder of packs does not hold it.
    #[error("delivery {delivery} is stored, and its pack is not written: {error}")]
    NotPacked {
        /// The delivery.
        delivery: DeliveryNumber,
        /// Why.
        #[source]
        error: Box<Error>,
    },
    /// Writing an export failed.
    #[error("writing failed: {0}")]
    Output(#[source] io::Error),
    /// There is no room for the new file of a store beside the old one.
    #[error("a second file beside the store takes up to {needed} bytes, and {free} are free")]
    NoRoom {
        /// Bytes that the new file may take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The creation of the store was cut off before there was anything in it: delete the file and create it again.
    #[error("the creation of the store was never finished, and nothing is in it: delete the file and create it again")]
    Unfinished,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[source] io::Error),
    /// The storage below failed: disk full, input or output error.
    #[error("the storage failed: {0}")]
    Storage(#[from] StorageFailure),
}

impl Error {
    /// The trouble with a source: a file that changed is refused, whatever else is wrong is trouble with reading.
    pub(crate) fn of_source(error: io::Error) -> Error {
        match error.get_ref().is_some_and(|inner| inner.is::<cpr_extract::Changed>()) {
            true => Error::Changed,
            false => Error::Input(error),
        }
    }

    /// What kind of trouble it is, for hosts that must answer with one of a few codes.
    ///
    /// ```
    /// use cpr_replika::{Config, ErrorClass, DeliveryNumber, Replika};
    /// let replika = Replika::in_memory(&Config::default())?;
    /// let error = replika.snapshot().delivery(DeliveryNumber(7)).unwrap_err();
    /// assert_eq!(error.class(), ErrorClass::NotFound); // 404
    /// # Ok::<(), cpr_replika::Error>(())
    /// ```
    pub fn class(&self) -> ErrorClass {
        self.describe().0
    }

    /// A stable word for programs: `sequence_gap`, or for a damaged extract that of its first fault.
    pub fn kind(&self) -> &'static str {
        self.describe().1
    }

    /// True when what was asked is refused; false when the store, the storage or the reading is the trouble.
    pub fn is_refusal(&self) -> bool {
        use ErrorClass::{BadQuestion, NotFound, OutOfOrder, RefusedInput};
        matches!(self.class(), RefusedInput | OutOfOrder | BadQuestion | NotFound)
    }

    fn describe(&self) -> (ErrorClass, &'static str) {
        use ErrorClass::{BadQuestion, Busy, Corrupt, NotFound, OutOfOrder, RefusedInput, Stopped, Storage};
        match self {
            Error::Extract { faults, .. } => {
                (RefusedInput, faults.first().map_or("extract", |fault| fault.reason.name()))
            }
            Error::AmbiguousFamily { .. } => (RefusedInput, "ambiguous_family"),
            Error::OtherFamily { .. } => (RefusedInput, "other_family"),
            Error::WiderFamily { .. } => (RefusedInput, "wider_family"),
            Error::Changed => (RefusedInput, "changed"),
            Error::OtherCustomer { .. } => (RefusedInput, "other_customer"),
            Error::OtherExtract { .. } => (RefusedInput, "other_extract"),
            Error::TooManyFacts => (RefusedInput, "too_many_facts"),
            Error::SequenceGap { .. } => (OutOfOrder, "sequence_gap"),
            Error::Older { .. } => (OutOfOrder, "older"),
            Error::NotEmpty { .. } => (OutOfOrder, "not_empty"),
            Error::ConsumerExists => (OutOfOrder, "consumer_exists"),
            Error::UnknownDelivery { .. } => (NotFound, "unknown_delivery"),
            Error::UnknownSubscriber => (NotFound, "unknown_subscriber"),
            Error::UnknownConsumer => (NotFound, "unknown_consumer"),
            Error::UnknownFamily { .. } => (BadQuestion, "unknown_family"),
            Error::Search(Refusal::TooLittleAsked { .. }) => (BadQuestion, "too_little_asked"),
            Error::Search(Refusal::TooManyDocuments { .. }) => (BadQuestion, "too_many_documents"),
            Error::Search(Refusal::PageTooLarge { .. }) => (BadQuestion, "page_too_large"),
            Error::Search(Refusal::NotHeld { .. }) => (BadQuestion, "not_held"),
            Error::Search(Refusal::TooManyRows { .. }) => (BadQuestion, "too_many_rows"),
            Error::CodeNotInUse => (BadQuestion, "code_not_in_use"),
            Error::NotACursor => (BadQuestion, "not_a_cursor"),
            Error::ConsumerName => (BadQuestion, "consumer_name"),
            Error::DaysOutOfOrder => (BadQuestion, "days_out_of_order"),
            Error::Config(_) => (BadQuestion, "config"),
            Error::Erase(_) => (BadQuestion, "erase"),
            Error::Followed { .. } => (OutOfOrder, "followed"),
            Error::Unread { .. } => (OutOfOrder, "unread"),
            Error::NotAdmitted { .. } => (OutOfOrder, "not_admitted"),
            Error::NotErased { .. } => (Corrupt, "not_erased"),
            Error::Busy => (Busy, "busy"),
            Error::Locked => (Busy, "locked"),
            Error::Stopped => (Stopped, "stopped"),
            Error::ReadOnly => (Storage, "read_only"),
            Error::Exists => (Storage, "exists"),
            Error::NotFound => (Storage, "not_found"),
            Error::NotAStore => (Storage, "not_a_store"),
            Error::NewerFormat { .. } => (Storage, "newer_format"),
            Error::OlderFormat { .. } => (Storage, "older_format"),
            Error::Input(_) => (Storage, "input"),
            Error::Output(_) => (Storage, "output"),
            Error::NoRoom { .. } => (Storage, "no_room"),
            Error::Unfinished => (Storage, "unfinished"),
            Error::Random(_) => (Storage, "random"),
            Error::Storage(_) => (Storage, "storage"),
            Error::Replaced => (Storage, "replaced"),
            Error::KeyNeeded => (Storage, "key_needed"),
            Error::WrongKey => (Storage, "wrong_key"),
            Error::NotEncrypted => (Storage, "not_encrypted"),
            Error::Key(_) => (Storage, "key"),
            Error::NoPacks => (Storage, "no_packs"),
            Error::OtherPacks => (Storage, "other_packs"),
            Error::Folder { .. } => (Storage, "folder"),
            Error::NotPacked { .. } => (Storage, "not_packed"),
            Error::MaybeStored { .. } => (Storage, "maybe_stored"),
            Error::MaybeChanged(_) => (Storage, "maybe_changed"),
            Error::MaybeReplaced(_) => (Storage, "maybe_replaced"),
            Error::Pack(cpr_pack::Error::Io { .. } | cpr_pack::Error::Unwritable { .. }) => (Storage, "pack"),
            Error::Pack(cpr_pack::Error::Version { found, expected }) if found < expected => (Storage, "older_format"),
            Error::Pack(cpr_pack::Error::Version { .. } | cpr_pack::Error::Unknown { .. }) => (Storage, "newer_format"),
            Error::Corrupt { .. } | Error::Damaged { .. } | Error::Pack(_) => (Corrupt, "corrupt"),
        }
    }

    /// The first fault of a damaged extract.
    pub fn first_fault(&self) -> Option<&Fault> {
        match self {
            Error::Extract { faults, .. } => faults.first(),
            _ => None,
        }
    }
}

/// What kind of trouble an [`Error`] is; each beside the HTTP status that a host would answer with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// What was named is not there: a delivery, a subscriber, a consumer (404).
    NotFound,
    /// The extract is damaged, or not one for this store (422).
    RefusedInput,
    /// The state of the store stands against it: an extract out of order, a name that is taken (409).
    OutOfOrder,
    /// The question cannot be asked so (400).
    BadQuestion,
    /// Somebody else holds what is needed; later it may go (503).
    Busy,
    /// The caller stopped the work.
    Stopped,
    /// The store cannot be opened, or the disk, the extract's source or the export's sink fails (503).
    Storage,
    /// Stored bytes do not decode (500).
    Corrupt,
}

/// The first fault, and how many there are beside it.
struct Faults<'a>(&'a [Fault], u64);

impl fmt::Display for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return f.write_str("the extract is damaged") };
        if self.1 == 1 + first.more {
            // All of one kind.
            return first.fmt(f);
        }
        first.alone().fmt(f)?;
        match self.1.saturating_sub(1) {
            1 => f.write_str(" (and one more fault)"),
            more => write!(f, " (and {more} more faults)"),
        }
    }
}

impl From<cpr_pack::Error> for Error {
    fn from(error: cpr_pack::Error) -> Error {
        match error {
            cpr_pack::Error::Damaged { what, at } => Error::Damaged { place: Place::Pack(at), what },
            cpr_pack::Error::Encrypted => Error::KeyNeeded,
            cpr_pack::Error::NotEncrypted => Error::NotEncrypted,
            cpr_pack::Error::Cipher(source) => match BlockError::inside(&source) {
                Some(refusal) => refusal.into(),
                None => Error::Key(source.to_string().into()),
            },
            error => Error::Pack(error),
        }
    }
}

/// A failure of the storage engine below. It holds no stored values.
#[derive(Debug)]
pub struct StorageFailure(Box<redb::Error>);

impl fmt::Display for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for StorageFailure {
    /// The system's own error with its `io::ErrorKind`, where there is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            redb::Error::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl StorageFailure {
    /// Whether all it says is that an earlier call failed.
    pub(crate) fn is_earlier_failure(&self) -> bool {
        matches!(*self.0, redb::Error::PreviousIo)
    }
}

/// What the storage engine reports. The trait is private: whoever uses this crate neither sees nor names an error of
/// the engine below, and `?` takes them all inside.
pub(crate) trait StorageTrouble: Into<redb::Error> {}

#[doc(hidden)]
#[allow(private_bounds, reason = "nothing outside has the trait: no error of another crate becomes one of this")]
impl<E: StorageTrouble> From<E> for Error {
    fn from(error: E) -> Error {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Error::Locked,
            redb::Error::Corrupted(_) => Error::Damaged { place: Place::Pages, what: "they do not fit together" },
            redb::Error::Io(error) => match BlockError::inside(&error) {
                Some(refusal) => refusal.into(),
                None if error.kind() == io::ErrorKind::NotFound => Error::NotFound,
                None => Error::Storage(StorageFailure(Box::new(redb::Error::Io(error)))),
            },
            error => Error::Storage(StorageFailure(Box::new(error))),
        }
    }
}

impl StorageTrouble for redb::Error {}
impl StorageTrouble for redb::StorageError {}
impl StorageTrouble for redb::TableError {}
impl StorageTrouble for redb::TransactionError {}
impl StorageTrouble for redb::CommitError {}
impl StorageTrouble for redb::CursorError {}
impl StorageTrouble for redb::DatabaseError {}
impl StorageTrouble for redb::SavepointError {}
impl StorageTrouble for redb::SetDurabilityError {}

impl From<BlockError> for Error {
    fn from(error: BlockError) -> Error {
        match error {
            BlockError::Damaged(Damage { place, what }) => Error::Damaged { place, what },
            BlockError::NotAStore => Error::NotAStore,
            BlockError::Unfinished => Error::Unfinished,
            BlockError::Exists => Error::Exists,
            BlockError::Newer { found, supported } => {
                Error::NewerFormat { found: found.into(), supported: supported.into() }
            }
            BlockError::Panicked => Error::Damaged { place: Place::Pages, what: "the storage engine cannot read them" },
            BlockError::Replaced => Error::Replaced,
            BlockError::KeyNeeded => Error::KeyNeeded,
            #[cfg(feature = "encryption")]
            BlockError::WrongKey => Error::WrongKey,
            BlockError::NotEncrypted => Error::NotEncrypted,
            #[cfg(not(feature = "encryption"))]
            BlockError::NoEncryption => Error::Key("this build does not encrypt (cargo feature `encryption`)".into()),
            #[cfg(feature = "encryption")]
            BlockError::KeySpent => Error::Key(
                "2^32 blocks were sealed under the store's key: write the store anew under a fresh one".into(),
            ),
            #[cfg(feature = "encryption")]
            BlockError::NoKey(why) => Error::Key(why.into()),
            BlockError::Unforeseen(what) => {
                Error::Storage(StorageFailure(Box::new(redb::Error::Io(io::Error::other(what)))))
            }
        }
    }
}
