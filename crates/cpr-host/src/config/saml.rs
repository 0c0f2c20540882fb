//! `[saml]`: the token under which SF1525 is asked, whom it must come from and be for.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, refuse};

/// The token under which SF1525 is asked. The build must have the cargo feature `saml`.
#[derive(Clone, Debug)]
pub struct Saml {
    /// The entityId of the service.
    pub audience: String,
    /// The name of the token service.
    pub issuer: String,
    /// The certificates with which the token service signs, PEM; each is trusted as it stands.
    pub issuer_certificates: PathBuf,
    /// The privilege that an authority must have; none where the agreement alone decides.
    pub privilege: Option<String>,
    /// The certificate of the service, PEM, which goes with each answer.
    pub certificate: PathBuf,
    /// Its RSA key, PEM, which signs the answers.
    pub key: PathBuf,
    /// The file that has the messages of the last minutes, so that none is answered twice.
    pub seen: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamlTable {
    audience: String,
    issuer: String,
    issuer_certificates: PathBuf,
    privilege: Option<String>,
    certificate: PathBuf,
    key: PathBuf,
    seen: PathBuf,
}

impl Saml {
    pub(super) fn read(table: SamlTable, folder: &Path) -> Result<Saml, ConfigError> {
        if !cfg!(feature = "saml") {
            return Err(refuse("saml", "a build with the cargo feature `saml`"));
        }
        let texts = [
            ("audience", Some(&table.audience)),
            ("issuer", Some(&table.issuer)),
            ("privilege", table.privilege.as_ref()),
        ];
        for (name, text) in texts {
            if text.is_some_and(|text| text.trim().is_empty() || text.trim() != text) {
                return Err(refuse(format!("saml.{name}"), "a name without blanks around it"));
            }
        }
        Ok(Saml {
            audience: table.audience,
            issuer: table.issuer,
            issuer_certificates: folder.join(table.issuer_certificates),
            privilege: table.privilege,
            certificate: folder.join(table.certificate),
            key: folder.join(table.key),
            seen: folder.join(table.seen),
        })
    }
}
