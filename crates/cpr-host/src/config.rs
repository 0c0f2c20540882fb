//! The configuration: one TOML file, read and checked whole before anything is opened.
//!
//! `cpr-host.example.toml` has every setting with its meaning. Names that are not known are refused, paths are relative
//! to the folder of the file. What can only be known by looking (keys, certificates, folders) is looked at where it is
//! used.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use access_log::Durability;
use cpr_replika::cpr_subscription::{ChangeCodes, EventCode, FilterError, SubscriberName};
use cpr_replika::{FilterPolicy, UnknownNumbers};
use cpr_services::ProtectedPersons;

use crate::outbox::Recipient;
use crate::service::Service;
use file::{ConfigFile, ScrubTable, Sf6002Table};

mod bounds;
mod events;
mod file;
mod saml;
mod systems;

pub use bounds::Bounds;
pub use events::{Broker, ClientTls, Destination, Events};
pub use saml::Saml;
pub use systems::{Agreement, Fingerprint, System};

/// Everything that is configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store; created when it is not there.
    pub store: PathBuf,
    /// The file with its key; none for a store that is not encrypted.
    pub store_key: Option<PathBuf>,
    /// Bytes of the store's pages kept in memory.
    pub cache_bytes: usize,
    /// Where clients connect.
    pub address: SocketAddr,
    /// Where `/metrics` and `/health` are, in the clear: an address that only the machine itself reaches.
    pub operations: SocketAddr,
    /// The host's certificate with those above it, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authorities by which certificates of clients must be issued, PEM.
    pub client_authorities: PathBuf,
    /// The contracts for `?wsdl`.
    pub contracts: Option<PathBuf>,
    /// The access log.
    pub log: Log,
    /// The nightly extracts; none when something else applies them.
    pub inbox: Option<Inbox>,
    /// The packs that are kept beside the store.
    pub packs: Option<Packs>,
    /// How the store and the packs are read for damage; none where nothing does.
    pub scrub: Option<Scrub>,
    /// Where business events go.
    pub events: Option<Events>,
    /// The token under which SF1525 is asked; none where certificate and agreement are enough.
    pub saml: Option<Saml>,
    /// How much is taken at once.
    pub bounds: Bounds,
    /// What is said of persons whose name and address are protected.
    pub protected_persons: ProtectedPersons,
    /// What SF6002 lets subscribers follow.
    pub filters: FilterPolicy,
    /// The UUID of the service in a request's context is not held against the service that is called.
    pub any_service_uuid: bool,
    /// Who may call.
    pub systems: Vec<System>,
}

/// Where and how calls about persons are logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// The folder of the log.
    pub folder: PathBuf,
    /// The file with its key.
    pub key: PathBuf,
    /// How durable a line is before its answer leaves.
    pub durability: Durability,
}

/// Where nightly extracts come in, and files for subscribers go out.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The folder of the extracts.
    pub folder: PathBuf,
    /// The folder with a folder for each system.
    pub outbox: PathBuf,
    /// How long a file must not have changed before it is taken for whole.
    pub settled: Duration,
    /// How many days done and refused extracts are kept.
    pub keep_days: u32,
}

/// A folder of packs that has the state after each delivery, for other processes and machines.
#[derive(Clone, Debug)]
pub struct Packs {
    /// The folder.
    pub folder: PathBuf,
    /// Lookups are answered from it, and not from the store.
    pub answer: bool,
}

/// How the store and the packs are read for damage while the host answers.
#[derive(Clone, Copy, Debug)]
pub struct Scrub {
    /// Bytes a second that are read at most.
    pub bytes_a_second: u64,
    /// From the beginning of one to that of the next.
    pub every: Duration,
}

/// Why a configuration cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not TOML, a setting that is not known, or a value of another type.
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    /// A value that cannot be.
    #[error("{setting}: {expected}")]
    Value {
        /// The setting.
        setting: String,
        /// What was expected.
        expected: String,
    },
}

impl Config {
    /// For whom there are folders in the outbox.
    pub fn recipients(&self) -> BTreeMap<SubscriberName, Recipient> {
        let service = Service::from_name("SF6002").expect("a name of the table");
        let recipient = |system: &System| {
            let agreement = system.agreements.iter().find(|agreement| agreement.services.contains(&service));
            Recipient { system: system.uuid, agreement: agreement.map(|agreement| agreement.uuid) }
        };
        self.systems.iter().map(|system| (system.name.clone(), recipient(system))).collect()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = fs::read_to_string(path)?;
        Config::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a text; paths are relative to the folder.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, folder: &Path) -> Result<Config, ConfigError> {
        let file: ConfigFile = toml::from_str(text).map_err(|error| ConfigError::Toml(Box::new(error)))?;
        let at = |path: PathBuf| folder.join(path);
        let systems = systems::read(file.systems)?;
        let durability = if file.log.synced { Durability::Synced } else { Durability::Written };
        Ok(Config {
            store: at(file.store),
            store_key: file.store_key.map(at),
            cache_bytes: file.cache_megabytes.saturating_mul(1024 * 1024),
            address: file.listen.address,
            operations: file.listen.operations,
            certificate: at(file.listen.certificate),
            key: at(file.listen.key),
            client_authorities: at(file.listen.client_authorities),
            contracts: file.listen.contracts.map(at),
            log: Log { folder: at(file.log.folder), key: at(file.log.key), durability },
            inbox: file.inbox.map(|table| Inbox {
                folder: at(table.folder),
                outbox: at(table.outbox),
                settled: Duration::from_secs(u64::from(table.settled_seconds)),
                keep_days: table.keep_days,
            }),
            packs: file.packs.map(|table| Packs { folder: at(table.folder), answer: table.answer }),
            scrub: file.scrub.as_ref().map(read_scrub).transpose()?,
            events: file.events.map(|table| Events::read(table, folder)).transpose()?,
            saml: file.saml.map(|table| Saml::read(table, folder)).transpose()?,
            protected_persons: file.protected_persons.into(),
            bounds: Bounds::read(&file.bounds)?,
            filters: read_filters(&file.sf6002)?,
            any_service_uuid: file.leniency.any_service_uuid,
            systems,
        })
    }
}

fn refuse(setting: impl Into<String>, expected: impl Into<String>) -> ConfigError {
    ConfigError::Value { setting: setting.into(), expected: expected.into() }
}

fn read_scrub(table: &ScrubTable) -> Result<Scrub, ConfigError> {
    if table.megabytes_a_second == 0 || table.hours == 0 {
        return Err(refuse("scrub", "megabytes_a_second and hours of 1 at least"));
    }
    Ok(Scrub {
        bytes_a_second: u64::from(table.megabytes_a_second) * 1_000_000,
        every: Duration::from_secs(u64::from(table.hours) * 3600),
    })
}

fn read_filters(table: &Sf6002Table) -> Result<FilterPolicy, ConfigError> {
    let change_codes = match &table.change_codes {
        None => ChangeCodes::in_use(),
        Some(codes) => {
            let codes = codes.iter().map(|code| EventCode::parse(code.as_bytes()));
            let codes: Result<_, FilterError> = codes.collect();
            codes.map_err(|error| refuse("sf6002.change_codes", error.to_string()))?
        }
    };
    let unknown_numbers = if table.follow_unknown_numbers { UnknownNumbers::Keep } else { UnknownNumbers::Refuse };
    Ok(FilterPolicy { unknown_numbers, change_codes })
}
