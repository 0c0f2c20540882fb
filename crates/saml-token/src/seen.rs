//! The memory of messages: which were received, for as long as they could be received again.

use std::collections::HashMap;

/// What a message is remembered by: SHA-256 of its holder and its `MessageID`.
pub type MessageKey = [u8; 32];

/// A memory that lasts: whoever calls keeps it where a restart does not lose it.
pub trait SeenMessages {
    /// Keeps a key until so many seconds after 1970; false when it was held already.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be kept. The message is refused then.
    fn is_first(&self, key: &MessageKey, until: i64, now: i64) -> Result<bool, Unavailable>;
}

/// The memory cannot be asked, or cannot keep what it is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the memory of messages is not available")]
pub struct Unavailable;

/// The keys that are held, in memory alone.
#[derive(Debug, Default)]
pub struct Seen {
    keys: HashMap<MessageKey, i64>,
    /// How many keys make it look for those that are over.
    crowded: usize,
}

impl Seen {
    /// Keys that are held at most: what signed messages of ten minutes at a thousand a second come to.
    pub const MOST: usize = 600_000;
    const FEW: usize = 1_024;

    /// Keeps a key; false when it was held already.
    ///
    /// # Errors
    /// [`Unavailable`] when [`Seen::MOST`] are held.
    pub fn insert(&mut self, key: MessageKey, until: i64, now: i64) -> Result<bool, Unavailable> {
        if self.keys.len() >= self.crowded.max(Seen::FEW) {
            self.forget(now);
        }
        if self.keys.contains_key(&key) {
            return Ok(false);
        }
        if self.keys.len() >= Seen::MOST {
            return Err(Unavailable);
        }
        self.keys.insert(key, until);
        Ok(true)
    }

    /// Lets go of the keys that are over.
    pub fn forget(&mut self, now: i64) {
        self.keys.retain(|_, until| *until >= now);
        self.crowded = (2 * self.keys.len()).min(Seen::MOST);
    }

    /// The keys that are held, with the second until which they are.
    pub fn keys(&self) -> impl Iterator<Item = (&MessageKey, i64)> {
        self.keys.iter().map(|(key, until)| (key, *until))
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True when none is held.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
