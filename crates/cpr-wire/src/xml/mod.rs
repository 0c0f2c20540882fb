//! XML as the services use it: a small tree with namespaces, read within limits, and a writer.
//!
//! `quick-xml` splits the text; what it leaves to its caller is done here: one root, names and characters that XML has,
//! no document type, no instruction, no entity but the five, no id twice.

mod document;
mod read;
mod write;

pub use document::{Document, Element};
pub(crate) use write::Writer;
pub use write::escaped;
