//! Where the key of an encrypted store comes from.
//!
//! A store has a random data key of its own; what a [`KeySource`] gives only wraps it, so that the source can change
//! without the store being written anew.

use std::fmt;
use std::io;

use zeroize::Zeroize;

/// 32 secret bytes, cleared when dropped.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// The bytes. Every call site is a place where the key can leak.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(feature = "encryption")]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    #[cfg(feature = "encryption")]
    pub(crate) fn random() -> io::Result<Key> {
        let mut key = Key([0; 32]);
        getrandom::fill(&mut key.0).map_err(|_| io::Error::other("the system gives no random bytes"))?;
        Ok(key)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Prints `Key(..)`.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Gives the key that a store's data key is wrapped by. Its `Debug` must not tell the key.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The key. `salt` is the store's, for sources that derive the key from something that people remember.
    ///
    /// # Errors
    /// Whatever keeps the source from giving it.
    fn key(&self, salt: &[u8; 16]) -> io::Result<Key>;

    /// Makes durable what the key is read from. It is asked before anything is encrypted that is lost without the key; a
    /// source that reads no file has nothing to do.
    ///
    /// # Errors
    /// Whatever keeps it from being durable.
    fn make_durable(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A key of one byte over and over, for tests.
#[cfg(all(test, feature = "encryption"))]
#[derive(Debug)]
pub(crate) struct FixedKey(pub(crate) u8);

#[cfg(all(test, feature = "encryption"))]
impl KeySource for FixedKey {
    fn key(&self, _: &[u8; 16]) -> io::Result<Key> {
        Ok(Key::from_bytes([self.0; 32]))
    }
}

#[cfg(feature = "encryption")]
pub use sources::{KeyFile, KeyVariable, Passphrase};

#[cfg(feature = "encryption")]
mod sources {
    use std::fmt;
    use std::io::{self, Read, Write};
    use std::path::PathBuf;

    use private_file::PartFile;
    use zeroize::Zeroizing;

    use super::{Key, KeySource};

    fn refused(what: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, what)
    }

    fn in_key_file(error: io::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, format!("the key file: {error}"))
    }

    /// A file of 32 bytes that only its owner may read; of one that root owns, its group may too.
    #[derive(Clone, Debug)]
    pub struct KeyFile(PathBuf);

    impl KeyFile {
        /// The key in this file.
        pub fn new(path: impl Into<PathBuf>) -> KeyFile {
            KeyFile(path.into())
        }

        /// Makes a file with a new random key, for its owner alone, whole or not at all. What is there already stays,
        /// also what another process puts there meanwhile ([`private_file::rename_new`]).
        ///
        /// # Errors
        /// When something is there, or it cannot be written.
        pub fn create(path: impl Into<PathBuf>) -> io::Result<KeyFile> {
            let path = path.into();
            let part = PartFile::create(&path)?;
            part.file().write_all(Key::random()?.reveal())?;
            part.publish_new()?;
            Ok(KeyFile(path))
        }
    }

    impl KeySource for KeyFile {
        fn key(&self, _: &[u8; 16]) -> io::Result<Key> {
            let file = private_file::open_secret(&self.0).map_err(in_key_file)?;
            let mut bytes = Zeroizing::new(Vec::with_capacity(64));
            file.take(33).read_to_end(&mut bytes)?;
            let key = bytes.as_slice().try_into().map_err(|_| refused("a key file has 32 bytes"))?;
            Ok(Key::from_bytes(key))
        }

        fn make_durable(&self) -> io::Result<()> {
            private_file::make_durable(&self.0).map_err(in_key_file)
        }
    }

    /// An environment variable that holds the key as 64 hexadecimal digits.
    #[derive(Clone, Debug)]
    pub struct KeyVariable(String);

    impl KeyVariable {
        /// The key in the variable of this name.
        pub fn new(name: impl Into<String>) -> KeyVariable {
            KeyVariable(name.into())
        }
    }

    impl KeySource for KeyVariable {
        fn key(&self, _: &[u8; 16]) -> io::Result<Key> {
            let text = std::env::var(&self.0).map_err(|_| refused("the variable of the key is not set"))?;
            let text = Zeroizing::new(text);
            let (digits, rest) = text.trim().as_bytes().as_chunks::<2>();
            let mut key = Key::from_bytes([0; 32]);
            if digits.len() != 32 || !rest.is_empty() {
                return Err(refused("a key has 64 hexadecimal digits"));
            }
            for (byte, digits) in key.bytes_mut().iter_mut().zip(digits) {
                let value =
                    |digit: u8| char::from(digit).to_digit(16).ok_or(refused("a key has 64 hexadecimal digits"));
                *byte = (value(digits[0])? << 4 | value(digits[1])?) as u8;
            }
            Ok(key)
        }
    }

    /// A passphrase, from which the key is derived (Argon2id, 64 MiB, 3 passes), anew for each store.
    #[derive(Clone)]
    pub struct Passphrase(Zeroizing<String>);

    impl Passphrase {
        /// A key source of this passphrase.
        pub fn new(passphrase: impl Into<String>) -> Passphrase {
            Passphrase(Zeroizing::new(passphrase.into()))
        }
    }

    /// Prints `Passphrase(..)`.
    impl fmt::Debug for Passphrase {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Passphrase(..)")
        }
    }

    impl KeySource for Passphrase {
        fn key(&self, salt: &[u8; 16]) -> io::Result<Key> {
            let failed = |_| refused("the passphrase gives no key");
            let parameters = argon2::Params::new(64 * 1024, 3, 1, Some(32)).map_err(failed)?;
            let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
            let mut key = Key::from_bytes([0; 32]);
            argon2.hash_password_into(self.0.as_bytes(), salt, key.bytes_mut()).map_err(failed)?;
            Ok(key)
        }
    }
}
