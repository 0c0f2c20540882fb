//! The check of a block: how it is made and how it is tried.
//!
//! A plain store has a 128-bit checksum (XXH3) of the block, mixed with the store's id and the block's number, so that
//! a block of another place or another store does not check. In a store with a key a block is encrypted (AES-256-GCM)
//! under a random nonce, with the store's id and the block's number authenticated; its check is nonce and tag. Bytes of
//! a block without a check are all zeros, and so is its check.

use twox_hash::XxHash3_128;

use super::geometry::{BLOCK, Geometry, StoreId};

/// How the blocks of one store are checked.
#[derive(Debug)]
pub(crate) enum Seal {
    Plain(Checksum),
    #[cfg(feature = "encryption")]
    Encrypted(Box<super::cipher::Cipher>),
}

impl Seal {
    /// Bytes of a check: a power of two up to 512, so that no check straddles a sector.
    pub(super) fn check_bytes(&self) -> usize {
        match self {
            Seal::Plain(_) => 16,
            #[cfg(feature = "encryption")]
            Seal::Encrypted(_) => super::cipher::CHECK,
        }
    }

    pub(super) fn geometry(&self) -> Geometry {
        Geometry::new(self.check_bytes())
    }

    /// Seals blocks that stand side by side: their checks, and what is to stand in the file, in `sealed` if it is not
    /// the blocks as they are.
    pub(super) fn seal_run<'b>(
        &self,
        first: u64,
        blocks: &'b [u8],
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables, clippy::ptr_arg))] sealed: &'b mut Vec<u8>,
        checks: &mut [u8],
    ) -> std::io::Result<&'b [u8]> {
        match self {
            Seal::Plain(checksum) => {
                for (number, (block, check)) in
                    (first..).zip(blocks.chunks_exact(BLOCK).zip(checks.chunks_exact_mut(self.check_bytes())))
                {
                    check.copy_from_slice(&checksum.of(number, block));
                }
                Ok(blocks)
            }
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => {
                sealed.clear();
                sealed.extend_from_slice(blocks);
                for (number, (block, check)) in
                    (first..).zip(sealed.chunks_exact_mut(BLOCK).zip(checks.chunks_exact_mut(self.check_bytes())))
                {
                    cipher.seal(number, &[], block, check)?;
                }
                Ok(sealed)
            }
        }
    }

    /// Whether a block fits its check; it is then what was sealed.
    #[must_use]
    pub(super) fn open(&self, number: u64, block: &mut [u8], check: &[u8]) -> bool {
        match self {
            Seal::Plain(checksum) => checksum.of(number, block) == check,
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => cipher.open(number, &[], block, check),
        }
    }
}

impl Seal {
    /// Blocks sealed under the store's key so far.
    pub(super) fn seals(&self) -> u64 {
        match self {
            Seal::Plain(_) => 0,
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => cipher.seals(),
        }
    }

    /// Encrypts what a root holds of redb's, when the store has a key.
    pub(super) fn seal_root(
        &self,
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables))] copy: u8,
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables))] page: &mut Page,
    ) -> std::io::Result<()> {
        match self {
            Seal::Plain(_) => Ok(()),
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => {
                let (head, rest) = page.split_at_mut(48);
                let mut check = [0; super::cipher::NONCE_AND_TAG];
                cipher.seal(root_number(copy), &head[..32], &mut rest[..4064 - 48], &mut check)?;
                head[32..44].copy_from_slice(&check[..12]);
                rest[4064 - 48..4080 - 48].copy_from_slice(&check[12..]);
                Ok(())
            }
        }
    }

    /// Decrypts it again; false when it was sealed otherwise.
    #[must_use]
    pub(super) fn open_root(
        &self,
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables))] copy: u8,
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables))] page: &mut Page,
    ) -> bool {
        match self {
            Seal::Plain(_) => true,
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => {
                let (head, rest) = page.split_at_mut(48);
                let check = [&head[32..44], &rest[4064 - 48..4080 - 48]].concat();
                cipher.open(root_number(copy), &head[..32], &mut rest[..4064 - 48], &check)
            }
        }
    }

    /// Takes over what a root says of the seals so far.
    pub(super) fn count_seals_from(
        &self,
        #[cfg_attr(not(feature = "encryption"), expect(unused_variables))] seals: u64,
    ) {
        match self {
            Seal::Plain(_) => {}
            #[cfg(feature = "encryption")]
            Seal::Encrypted(cipher) => cipher.count_from(seals),
        }
    }
}

/// The checksum of a plain store.
#[derive(Debug)]
pub(crate) struct Checksum {
    id: StoreId,
}

impl Checksum {
    pub(super) fn new(id: StoreId) -> Checksum {
        Checksum { id }
    }

    /// The checksum of a block under its number; never all zeros, which stand for a block that was never written.
    fn of(&self, number: u64, block: &[u8]) -> [u8; 16] {
        let mut place = [0; 24];
        place[..16].copy_from_slice(&self.id);
        place[16..].copy_from_slice(&number.to_le_bytes());
        let sum = XxHash3_128::oneshot(block) ^ XxHash3_128::oneshot(&place);
        sum.max(1).to_le_bytes()
    }
}

/// The number under which a copy of the root is encrypted; no block has it.
#[cfg(feature = "encryption")]
fn root_number(copy: u8) -> u64 {
    u64::MAX - 1 - u64::from(copy)
}

/// The checksum at the end of a header, over the bytes before it and the place where it stands.
pub(super) fn header_check(copy: u8, bytes: &[u8]) -> [u8; 16] {
    XxHash3_128::oneshot_with_seed(0x5265_706C_696B_6100 | u64::from(copy), bytes).to_le_bytes()
}

/// A block of the file that is not one of redb's: a header, a root, checks.
pub(super) type Page = [u8; BLOCK];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_of_one_block_in_one_place_of_one_store() {
        let checksum = Checksum::new([7; 16]);
        let mut block = [3; BLOCK];
        let of = checksum.of(5, &block);
        assert_ne!(of, checksum.of(6, &block), "another place");
        assert_ne!(of, Checksum::new([8; 16]).of(5, &block), "another store");
        for bit in 0..BLOCK * 8 {
            block[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of, checksum.of(5, &block));
            block[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(of, checksum.of(5, &block));
    }
}
