//! The receipt for a message (`StandardRetur`).

use std::fmt;

use super::OBJECTS;
use crate::charset;
use crate::error::Error;
use crate::limits::Limits;
use crate::xml::{Document, Element};

const RECEIPT: &str = "StandardRetur";
const CODE: &str = "StatusKode";

/// What a distributor or a receiver says of a message. `Debug` does not repeat its words, which may be those of the
/// message.
#[derive(Clone, Eq, PartialEq)]
pub struct Receipt {
    /// `StatusKode`.
    pub code: i32,
    /// `FejlbeskedTekst`.
    pub text: Option<String>,
}

impl Receipt {
    /// The code of a message that was taken.
    pub const TAKEN: i32 = 20;
    /// The code when the sender's token is not valid any more.
    pub const TOKEN_EXPIRED: i32 = 41;

    /// Reads a `StandardRetur`, alone or as the content of an operation's output.
    ///
    /// # Errors
    /// What is not well-formed, or is no receipt.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Receipt, Error> {
        if document.len() > limits.bytes {
            return Err(Error::Limit { limit: crate::Limit::Bytes, most: limits.bytes });
        }
        let document = Document::parse(&charset::text(document, None)?, limits)?;
        let root = document.root();
        let receipt = if root.name() == RECEIPT { root } else { root.required(RECEIPT)? };
        if receipt.namespace() != Some(OBJECTS) {
            return Err(Error::Missing { element: RECEIPT });
        }
        let code = receipt.required(CODE)?.trimmed().parse().map_err(|_| Error::Value { element: CODE })?;
        let text = receipt.optional("FejlbeskedTekst")?.map(Element::trimmed).map(str::to_owned);
        Ok(Receipt { code, text })
    }

    /// True when the message was taken and needs no other try.
    pub fn is_taken(&self) -> bool {
        self.code == Receipt::TAKEN
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({})", self.code)
    }
}
