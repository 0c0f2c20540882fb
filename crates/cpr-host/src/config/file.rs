//! The file as it stands: its tables and what is left out of them. What the values mean is checked where they are read.

use std::net::SocketAddr;
use std::path::PathBuf;

use cpr_services::ProtectedPersons;
use serde::Deserialize;

use super::bounds::BoundsTable;
use super::events::EventsTable;
use super::saml::SamlTable;
use super::systems::SystemTable;

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) store: PathBuf,
    pub(super) store_key: Option<PathBuf>,
    #[serde(default = "default_cache")]
    pub(super) cache_megabytes: usize,
    pub(super) listen: ListenTable,
    pub(super) log: LogTable,
    pub(super) inbox: Option<InboxTable>,
    pub(super) packs: Option<PacksTable>,
    pub(super) scrub: Option<ScrubTable>,
    pub(super) events: Option<EventsTable>,
    pub(super) saml: Option<SamlTable>,
    #[serde(default)]
    pub(super) protected_persons: Protected,
    #[serde(default)]
    pub(super) bounds: BoundsTable,
    #[serde(default)]
    pub(super) sf6002: Sf6002Table,
    #[serde(default)]
    pub(super) leniency: LeniencyTable,
    #[serde(default, rename = "system")]
    pub(super) systems: Vec<SystemTable>,
}

fn default_cache() -> usize {
    1024
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenTable {
    pub(super) address: SocketAddr,
    pub(super) operations: SocketAddr,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_authorities: PathBuf,
    pub(super) contracts: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogTable {
    pub(super) folder: PathBuf,
    pub(super) key: PathBuf,
    #[serde(default)]
    pub(super) synced: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxTable {
    pub(super) folder: PathBuf,
    pub(super) outbox: PathBuf,
    #[serde(default = "default_settled")]
    pub(super) settled_seconds: u32,
    #[serde(default = "default_keep")]
    pub(super) keep_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PacksTable {
    pub(super) folder: PathBuf,
    #[serde(default)]
    pub(super) answer: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrubTable {
    pub(super) megabytes_a_second: u32,
    #[serde(default = "default_hours")]
    pub(super) hours: u32,
}

fn default_hours() -> u32 {
    24
}

/// [`ProtectedPersons`] as it is configured.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Protected {
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

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sf6002Table {
    pub(super) change_codes: Option<Vec<String>>,
    pub(super) follow_unknown_numbers: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LeniencyTable {
    pub(super) any_service_uuid: bool,
}
