//! Layout tables, reading and writing, by data.
