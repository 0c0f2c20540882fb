//! The configuration: one TOML file, read and checked whole before anything is opened.
//!
//! `cpr-host.example.toml` has every setting with its meaning. Names that are not known are refused, paths are relative
//! to the folder of the file. What can only be known by looking (keys, certificates, folders) is looked at where it is
//! used.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use access_log::Durability;
use cpr_replika::cpr_subscription::{ChangeCodes, EventCode, FilterError, SubscriberName};
use cpr_replika::{FilterPolicy, UnknownNumbers};
use cpr_services::ProtectedPersons;
use cpr_wire::{Cvr, sf6002};
use serde::Deserialize;
use uuid::Uuid;

use crate::service::Service;
use events::EventsTable;

mod events;

pub use events::{Broker, ClientTls, Destination, Events};

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
    /// Where business events go.
    pub events: Option<Events>,
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

/// How much is taken at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Calls that the engine answers at once.
    pub calls: usize,
    /// How long a call waits for its turn before it is told to come again.
    pub turn: Duration,
    /// How long a client may take for its handshake, for the head of a request, and for a body.
    pub read: Duration,
    /// How long a connection lasts at most.
    pub connection: Duration,
    /// Rows that a search gives at once.
    pub rows: usize,
}

/// An it-system that calls.
#[derive(Clone, Debug)]
pub struct System {
    /// Its name here: in logs and metrics, as a subscriber, and of its folder.
    pub name: SubscriberName,
    /// UserSystemUUID.
    pub uuid: Uuid,
    /// The authority that it calls for.
    pub cvr: Cvr,
    /// SHA-256 of its certificates.
    pub certificates: Vec<Fingerprint>,
    /// The version of SF6002 that it speaks.
    pub sf6002: sf6002::Version,
    /// What it may call.
    pub agreements: Vec<Agreement>,
}

/// SHA-256 of a certificate (DER).
pub type Fingerprint = [u8; 32];

/// An agreement: under it, a system may call services.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// ServiceAgreementUUID.
    pub uuid: Uuid,
    /// The purpose that stands in the access log.
    pub purpose: String,
    /// The services.
    pub services: BTreeSet<Service>,
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

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    store: PathBuf,
    store_key: Option<PathBuf>,
    #[serde(default = "default_cache")]
    cache_megabytes: usize,
    listen: ListenTable,
    log: LogTable,
    inbox: Option<InboxTable>,
    packs: Option<PacksTable>,
    events: Option<EventsTable>,
    #[serde(default)]
    protected_persons: Protected,
    #[serde(default)]
    bounds: BoundsTable,
    #[serde(default)]
    sf6002: Sf6002Table,
    #[serde(default)]
    leniency: LeniencyTable,
    #[serde(default, rename = "system")]
    systems: Vec<SystemTable>,
}

fn default_cache() -> usize {
    1024
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListenTable {
    address: SocketAddr,
    operations: SocketAddr,
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: PathBuf,
    contracts: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogTable {
    folder: PathBuf,
    key: PathBuf,
    #[serde(default)]
    synced: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboxTable {
    folder: PathBuf,
    outbox: PathBuf,
    #[serde(default = "default_settled")]
    settled_seconds: u32,
    #[serde(default = "default_keep")]
    keep_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PacksTable {
    folder: PathBuf,
    #[serde(default)]
    answer: bool,
}

/// [`ProtectedPersons`] as it is configured.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Protected {
    #[default]
    Tell,
    Withhold,
    Refuse,
}

impl From<Protected> for ProtectedPersons {
    fn from(protected: Protected) -> ProtectedPersons {
        match protected {
            Protected::Tell => ProtectedPersons::Tell,
            Protected::Withhold => ProtectedPersons::Withhold,
            Protected::Refuse => ProtectedPersons::Refuse,
        }
    }
}

fn default_settled() -> u32 {
    10
}

fn default_keep() -> u32 {
    30
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BoundsTable {
    body_bytes: usize,
    connections: usize,
    calls: usize,
    turn_seconds: u64,
    read_seconds: u64,
    connection_seconds: u64,
    rows: usize,
}

impl Default for BoundsTable {
    fn default() -> BoundsTable {
        BoundsTable {
            body_bytes: cpr_wire::Limits::REQUEST.bytes,
            connections: 1000,
            calls: 8,
            turn_seconds: 5,
            read_seconds: 10,
            connection_seconds: 600,
            rows: 1000,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sf6002Table {
    change_codes: Option<Vec<String>>,
    follow_unknown_numbers: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LeniencyTable {
    any_service_uuid: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemTable {
    name: String,
    uuid: String,
    cvr: String,
    certificates: Vec<String>,
    sf6002: Option<String>,
    #[serde(default, rename = "agreement")]
    agreements: Vec<AgreementTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementTable {
    uuid: String,
    #[serde(default)]
    purpose: String,
    services: Vec<String>,
}

impl Config {
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
        let systems = file.systems.into_iter().map(read_system).collect::<Result<Vec<_>, _>>()?;
        check_systems(&systems)?;
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
            events: file.events.map(|table| Events::read(table, folder)).transpose()?,
            protected_persons: file.protected_persons.into(),
            bounds: read_bounds(&file.bounds)?,
            filters: read_filters(&file.sf6002)?,
            any_service_uuid: file.leniency.any_service_uuid,
            systems,
        })
    }
}

fn refuse(setting: impl Into<String>, expected: impl Into<String>) -> ConfigError {
    ConfigError::Value { setting: setting.into(), expected: expected.into() }
}

fn read_bounds(table: &BoundsTable) -> Result<Bounds, ConfigError> {
    let counts = [
        ("body_bytes", table.body_bytes),
        ("connections", table.connections),
        ("calls", table.calls),
        ("rows", table.rows),
        ("turn_seconds", table.turn_seconds as usize),
        ("read_seconds", table.read_seconds as usize),
        ("connection_seconds", table.connection_seconds as usize),
    ];
    const MOST: usize = 100_000_000;
    if let Some((name, _)) = counts.into_iter().find(|(_, count)| !(1..=MOST).contains(count)) {
        return Err(refuse(format!("bounds.{name}"), format!("a number from 1 to {MOST}")));
    }
    Ok(Bounds {
        body_bytes: table.body_bytes,
        connections: table.connections,
        calls: table.calls,
        turn: Duration::from_secs(table.turn_seconds),
        read: Duration::from_secs(table.read_seconds),
        connection: Duration::from_secs(table.connection_seconds),
        rows: table.rows,
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

fn read_system(table: SystemTable) -> Result<System, ConfigError> {
    let at = |setting: &str| format!("system {:?}: {setting}", table.name);
    let name: SubscriberName = table.name.parse().map_err(|error| refuse(at("name"), format!("{error}")))?;
    let certificates = table.certificates.iter().map(|text| read_fingerprint(text));
    let certificates: Option<Vec<Fingerprint>> = certificates.collect();
    let agreements = table.agreements.iter().map(|agreement| read_agreement(&table.name, agreement));
    Ok(System {
        uuid: Uuid::try_parse(&table.uuid).map_err(|_| refuse(at("uuid"), "a UUID"))?,
        cvr: Cvr::parse(&table.cvr).ok_or_else(|| refuse(at("cvr"), "eight digits"))?,
        certificates: certificates.filter(|certificates| !certificates.is_empty()).ok_or_else(|| {
            refuse(at("certificates"), "SHA-256 of each certificate: 64 hexadecimal digits, one at least")
        })?,
        sf6002: match table.sf6002.as_deref() {
            Some("1.0") => sf6002::Version::V1_0,
            None | Some("1.1") => sf6002::Version::V1_1,
            Some(_) => return Err(refuse(at("sf6002"), "\"1.0\" or \"1.1\"")),
        },
        agreements: agreements.collect::<Result<_, _>>()?,
        name,
    })
}

/// Hexadecimal digits, with or without colons between them as `openssl x509 -fingerprint` writes them.
fn read_fingerprint(text: &str) -> Option<Fingerprint> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.replace(':', ""), &mut bytes).ok()?;
    Some(bytes)
}

fn read_agreement(system: &str, table: &AgreementTable) -> Result<Agreement, ConfigError> {
    let at = |setting: &str| format!("system {system:?}: agreement {:?}: {setting}", table.uuid);
    let services = table.services.iter().map(|name| {
        Service::from_name(name).ok_or_else(|| refuse(at("services"), format!("some of {}", Service::NAMES.join(", "))))
    });
    Ok(Agreement {
        uuid: Uuid::try_parse(&table.uuid).map_err(|_| refuse(at("uuid"), "a UUID"))?,
        purpose: table.purpose.clone(),
        services: services.collect::<Result<_, _>>()?,
    })
}

/// A name, a UUID or a pair of certificate and CVR number means one system.
fn check_systems(systems: &[System]) -> Result<(), ConfigError> {
    for (at, system) in systems.iter().enumerate() {
        let name = |setting: &str| format!("system {:?}: {setting}", system.name.as_str());
        for other in &systems[..at] {
            // A folder is named after it, and not every file system tells capitals from small letters.
            if other.name.as_str().eq_ignore_ascii_case(system.name.as_str()) {
                return Err(refuse(name("name"), "another one: it is taken"));
            }
            if other.uuid == system.uuid {
                return Err(refuse(name("uuid"), "another one: it is taken"));
            }
        }
        let mut uuids = BTreeSet::new();
        if system.agreements.iter().any(|agreement| !uuids.insert(agreement.uuid)) {
            return Err(refuse(name("agreement"), "each UUID once"));
        }
    }
    Ok(())
}
