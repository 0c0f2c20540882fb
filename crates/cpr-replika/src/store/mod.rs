//! What lies on the disk: the file, its tables, the seal around every value, and the settings of a store.
//!
//! Nothing here knows a person; the rooms above give the bytes their meaning. docs/format.md draws them.

pub(crate) mod bitmap;
pub(crate) mod block_file;
pub(crate) mod column;
pub(crate) mod config;
pub(crate) mod copier;
pub(crate) mod file;
pub(crate) mod guard;
pub(crate) mod key;
mod leftover;
pub(crate) mod pack_key;
pub(crate) mod pack_table;
pub(crate) mod packing;
pub(crate) mod page_tree;
pub(crate) mod read_table;
pub(crate) mod rewrite;
pub(crate) mod rows_read;
pub(crate) mod sealed;
pub(crate) mod secret;
mod shared;
pub(crate) mod source;
pub(crate) mod staged_write;
pub(crate) mod tables;
mod write_behind;
