//! How the packs of a folder are opened where nobody else says how: each as it is told, with the key of the store when
//! they are encrypted.

use std::path::Path;

use cpr_pack::{Checks, Pack};

use crate::store::file::Options;
use crate::store::pack_key::PackKey;

/// Bytes of blocks that whoever writes packs keeps decrypted of each that he reads.
const WRITER_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Opens packs of one kind: plain ones, or encrypted ones with their key.
#[derive(Clone, Debug)]
pub(crate) struct PackOpening {
    key: Option<PackKey>,
    cache_bytes: usize,
}

impl PackOpening {
    pub(crate) fn of(options: &Options) -> PackOpening {
        PackOpening { key: options.key.clone().map(PackKey::new), cache_bytes: options.cache_bytes }
    }

    /// For whoever writes packs beside them.
    pub(crate) fn to_write(key: Option<PackKey>) -> PackOpening {
        PackOpening { key, cache_bytes: WRITER_CACHE_BYTES }
    }

    /// The key; none for plain packs.
    pub(crate) fn key(&self) -> Option<&PackKey> {
        self.key.as_ref()
    }

    pub(crate) fn open(&self, path: &Path) -> Result<Pack, cpr_pack::Error> {
        match &self.key {
            Some(key) => Pack::open_sealed(path, key, self.cache_bytes),
            None => Pack::open(path, Checks::AtFirstTouch),
        }
    }
}
