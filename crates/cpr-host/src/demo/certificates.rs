//! An authority that issues certificates to whoever asks: for demonstrations and tests.

use std::fmt;
use std::io;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, IsCa, KeyPair};
use sha2::{Digest, Sha256};

use crate::config::Fingerprint;

/// Issues certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(name: &str) -> Result<Authority, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Authority(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, valid for these hosts.
    ///
    /// # Errors
    /// A host that is none; the system gives no random bytes.
    pub fn issue(&self, name: &str, hosts: &[&str]) -> Result<Identity, Error> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        Ok(Identity { certificate: params.signed_by(&key, &self.0)?, key })
    }
}

impl Identity {
    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        Sha256::digest(self.certificate.der()).into()
    }

    /// The same as the configuration has it.
    pub fn fingerprint_text(&self) -> String {
        hex::encode(self.fingerprint())
    }

    /// Certificate and key, PEM.
    pub fn pem(&self) -> (String, String) {
        (self.certificate.pem(), self.key.serialize_pem())
    }

    /// Writes `NAME.pem` and `NAME.key`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<()> {
        let (certificate, key) = self.pem();
        super::write(&folder.join(format!("{name}.pem")), certificate.as_bytes())?;
        super::write(&folder.join(format!("{name}.key")), key.as_bytes())
    }
}

/// Says nothing of the key.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(..)")
    }
}
