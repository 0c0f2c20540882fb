//! The services' searches: their questions as criteria of the engine, their answers as rows.
//!
//! [`solr`] reads the search string of SF1520 `callCPRPersonList`, which is a Solr request; [`adrsog1`] answers
//! ADRSOG1, the search by address. What is searched and what it costs is the engine's business
//! ([`cpr_replika::Search`]).

pub mod adrsog1;
pub mod solr;

mod conjunction;
mod lucene;
mod query_error;
