//! Encrypted packs: each has a data key of its own, wrapped by the key of a key source as that of a store is. Drawn in
//! docs/format.md.

use std::io;
use std::sync::Arc;

use cpr_pack::{BlockCipher, CipherSource, Parameters};

use super::key::KeySource;

/// Opens encrypted packs by the key of a source, for [`crate::Packed::open_with`]: the same source that the store's key
/// comes from.
///
/// ```no_run
/// use std::sync::Arc;
/// use cpr_replika::{PackKey, Packed, cpr_pack::Pack};
/// # fn run(key: Arc<dyn cpr_replika::KeySource>) -> Result<(), cpr_replika::Error> {
/// // All of each pack decrypted into memory: from then on as fast as a plain one.
/// let key = PackKey::new(key);
/// let packed = Packed::open_with("packs", move |path| Pack::read_sealed(path, &key))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PackKey(
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "nothing is opened without"))]
    Arc<dyn KeySource>,
);

impl PackKey {
    /// Of the key that a source gives.
    pub fn new(source: Arc<dyn KeySource>) -> PackKey {
        PackKey(source)
    }
}

#[cfg(feature = "encryption")]
mod encrypted {
    use std::io;
    use std::sync::Arc;

    use cpr_pack::{BlockCipher, Parameters, Tag};

    use super::PackKey;
    use crate::damage::BlockError;
    use crate::store::block_file::cipher::{self, Cipher};
    use crate::store::block_file::header::{WRAPPED, fill_random, key_of, wrapping_key_of};
    use crate::store::key::Key;

    /// What the first two bytes of the parameters say: AES-256-GCM under a wrapped key.
    const KIND: [u8; 2] = [1, 0];
    const SALT: usize = 16;
    const WRAPPED_KEY: usize = 32;

    /// The cipher of one pack.
    struct PackCipher {
        cipher: Cipher,
        parameters: Parameters,
    }

    impl PackKey {
        /// The cipher of a new pack.
        pub(crate) fn new_cipher(&self, store: &[u8; 16]) -> io::Result<Arc<dyn BlockCipher>> {
            let (mut salt, data) = ([0; 16], Key::random()?);
            fill_random(&mut salt)?;
            let mut parameters: Parameters = [0; _];
            parameters[..2].copy_from_slice(&KIND);
            parameters[SALT..WRAPPED_KEY].copy_from_slice(&salt);
            let wrapped = cipher::wrap(&wrapping_key_of(&*self.0, &salt)?, *store, &salt, &data)?;
            parameters[WRAPPED_KEY..WRAPPED_KEY + WRAPPED].copy_from_slice(&wrapped);
            Ok(Arc::new(PackCipher { cipher: Cipher::new(&data, *store), parameters }))
        }

        pub(super) fn cipher_of(&self, store: &[u8; 16], parameters: &Parameters) -> io::Result<Arc<dyn BlockCipher>> {
            if parameters[..2] != KIND {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "a cipher that this version does not know"));
            }
            let salt = parameters[SALT..WRAPPED_KEY].try_into().expect("sixteen bytes");
            let wrapped = parameters[WRAPPED_KEY..WRAPPED_KEY + WRAPPED].try_into().expect("as many bytes");
            let data = cipher::unwrap(&key_of(&*self.0, &salt)?, *store, &salt, &wrapped);
            let data = data.ok_or(BlockError::WrongKey)?;
            Ok(Arc::new(PackCipher { cipher: Cipher::new(&data, *store), parameters: *parameters }))
        }
    }

    impl BlockCipher for PackCipher {
        fn parameters(&self) -> Parameters {
            self.parameters
        }

        fn seal(&self, place: u64, context: &[u8], bytes: &mut [u8]) -> io::Result<Tag> {
            let mut tag = [0; _];
            self.cipher.seal(place, context, bytes, &mut tag)?;
            Ok(tag)
        }

        fn open(&self, place: u64, context: &[u8], bytes: &mut [u8], tag: &Tag) -> bool {
            self.cipher.open(place, context, bytes, tag)
        }
    }
}

#[cfg(not(feature = "encryption"))]
impl PackKey {
    pub(crate) fn new_cipher(&self, _: &[u8; 16]) -> io::Result<Arc<dyn BlockCipher>> {
        Err(crate::damage::BlockError::NoEncryption.into())
    }

    fn cipher_of(&self, _: &[u8; 16], _: &Parameters) -> io::Result<Arc<dyn BlockCipher>> {
        Err(crate::damage::BlockError::NoEncryption.into())
    }
}

impl CipherSource for PackKey {
    fn cipher(&self, store: &[u8; 16], parameters: &Parameters) -> io::Result<Arc<dyn BlockCipher>> {
        self.cipher_of(store, parameters)
    }
}
