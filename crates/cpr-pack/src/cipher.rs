//! The seam for encryption: what seals the blocks of a pack and opens them again is the caller's, and so are its keys.
//!
//! An encrypted pack stands in its blocks as a plain one does. Each block, and the trailer, is encrypted in place; in
//! the trailer each block has a [`Tag`] where a plain pack has a checksum. The header stands in the clear, for the
//! digest of the state; it keeps what the cipher is made of again, and is authenticated with the trailer.

use std::io;
use std::sync::Arc;

/// Bytes of a [`Tag`].
pub const TAG_BYTES: usize = 28;

/// By which a block is known to be what was sealed: as a nonce of 12 bytes and an authentication tag of 16.
pub type Tag = [u8; TAG_BYTES];

/// What the header of an encrypted pack keeps for whoever opens it, as a wrapped key. It stands in the clear.
pub type Parameters = [u8; 128];

/// Encrypts and decrypts the blocks of one pack.
pub trait BlockCipher: Send + Sync {
    /// What the header keeps.
    fn parameters(&self) -> Parameters;

    /// Encrypts bytes where they stand. Their place in the pack, each used once, and the context must be authenticated
    /// with them.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from doing so; the pack is then not written.
    fn seal(&self, place: u64, context: &[u8], bytes: &mut [u8]) -> io::Result<Tag>;

    /// Decrypts bytes where they stand; false when they were not sealed under this key, at this place and in this
    /// context, with this tag.
    #[must_use]
    fn open(&self, place: u64, context: &[u8], bytes: &mut [u8], tag: &Tag) -> bool;
}

/// Makes the cipher of a pack again, from what its header keeps.
pub trait CipherSource {
    /// The cipher of a pack of this store.
    ///
    /// # Errors
    ///
    /// As when there is no key, or another one: [`Error::Cipher`](crate::Error::Cipher) holds the error.
    fn cipher(&self, store: &[u8; 16], parameters: &Parameters) -> io::Result<Arc<dyn BlockCipher>>;
}
