//! The key of a log: of one secret, a key for the chain of lines and another for the pseudonyms of persons.

use std::fmt;
use std::io::Read;
use std::path::Path;

use cpr_model::Pnr;
use hmac::{Hmac, KeyInit, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::OpenError;

/// The keys of a log; whoever has them can write lines that pass, and find out by trying whom a pseudonym stands for.
#[derive(Clone)]
pub struct LogKey {
    chain: Hmac<Sha256>,
    person: Hmac<Sha256>,
}

/// The MAC of a line.
pub(crate) type LineMac = [u8; 32];

impl LogKey {
    /// The keys that follow from a secret.
    pub fn new(secret: [u8; 32]) -> LogKey {
        let secret = Zeroizing::new(secret);
        let derived = |label: &[u8]| {
            let key = Zeroizing::new(<[u8; 32]>::from(keyed(&*secret).chain_update(label).finalize().into_bytes()));
            keyed(&*key)
        };
        LogKey { chain: derived(b"access log: chain of lines"), person: derived(b"access log: persons") }
    }

    /// The key in a file of 32 bytes that is as secret as [`private_file::open_secret`] wants it, and that must lie
    /// outside the folder of the log.
    ///
    /// # Errors
    /// [`OpenError::Key`], [`OpenError::KeyInside`], or the file cannot be read.
    pub fn read(file: &Path, folder: &Path) -> Result<LogKey, OpenError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        private_file::open_secret(file)?.take(33).read_to_end(&mut bytes)?;
        // A log is worth little without it, and whoever made it may have been killed.
        private_file::make_durable(file)?;
        let secret = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| OpenError::Key)?;
        // A folder that is not there yet holds no key.
        if let Ok(folder) = folder.canonicalize()
            && file.canonicalize()?.starts_with(folder)
        {
            return Err(OpenError::KeyInside);
        }
        Ok(LogKey::new(secret))
    }

    /// Whom lines of this log mean by a number.
    pub fn pseudonym(&self, pnr: Pnr) -> Pseudonym {
        let full = self.person.clone().chain_update(pnr.reveal()).finalize().into_bytes();
        Pseudonym(*full.first_chunk().expect("an HMAC has 32 bytes"))
    }

    /// The MAC of a line that follows a line with the MAC `before`.
    pub(crate) fn line_mac(&self, before: &LineMac, body: &[u8]) -> LineMac {
        self.chain.clone().chain_update(before).chain_update(body).finalize().into_bytes().into()
    }

    /// True when this is the MAC of the line; it takes the same time whatever the difference.
    pub(crate) fn is_line_mac(&self, before: &LineMac, body: &[u8], mac: &LineMac) -> bool {
        self.chain.clone().chain_update(before).chain_update(body).verify_slice(mac).is_ok()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Says nothing of the key.
impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(..)")
    }
}

/// A person in a log: the same for the same number in one log, and in a log of another key another one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pseudonym([u8; 16]);

impl From<Pseudonym> for String {
    fn from(of: Pseudonym) -> String {
        hex::encode(of.0)
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Pseudonym, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Pseudonym(bytes))
    }
}
