//! `[[system]]`: who may call, by which certificates, and what under which agreement.

use std::collections::BTreeSet;

use cpr_replika::cpr_subscription::SubscriberName;
use cpr_wire::{Cvr, sf6002};
use serde::Deserialize;
use uuid::Uuid;

use super::{ConfigError, refuse};
use crate::service::Service;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemTable {
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

/// The systems of a file, of which no two have a name or a UUID in common.
pub(super) fn read(tables: Vec<SystemTable>) -> Result<Vec<System>, ConfigError> {
    let systems = tables.into_iter().map(read_system).collect::<Result<Vec<_>, _>>()?;
    check_systems(&systems)?;
    Ok(systems)
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

/// A name or a UUID means one system, and the UUID of an agreement one of a system's. A certificate and a CVR number may
/// be those of several systems: a call that names none of them by its UUID is then refused (`Systems::authorize`).
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
