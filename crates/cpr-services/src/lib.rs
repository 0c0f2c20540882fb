//! The answers of the national services on CPR's replica, each built thinly from one snapshot of the engine.
//!
//! [`gctp`] holds Stam+, Stam, Familie+, Familie, Navne3 and Adresse4, [`sf1520`] the lookup `PersonLookup` 4 and 5,
//! [`sf1525`] `PersonStamoplysningerSamlingHent` 1.0 and 2.0, and [`sf6008`] the four operations of
//! `CPRBasicInformationService`; [`search`] has SF1520's search and ADRSOG1. Each answer
//! is a plain struct that serde writes, and has its XML in the shape of the contract. Hosts add HTTP and SAML. Each
//! question carries its [`Caller`], whose log has it before the answer is handed out.
//!
//! No clock is read and no file opened: the day, the moment in the world and the delivery stand in the [`Request`], so
//! any answer can be had as of any delivery. Nothing is redacted, as in the services themselves, unless the host
//! chooses another [`ProtectedPersons`]: every answer about a person carries its [`Protections`], recorded and in force
//! on the day. `Debug` of an answer tells nothing about the person; serde and XML are the deliberate way to reveal it.
//!
//! ```no_run
//! use cpr_services::cpr_replika::cpr_model::{Date, Pnr, ProtectionKind};
//! use cpr_services::{Caller, NoRegister, Request, cpr_replika::Replika, sf1520};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let snapshot = Replika::open_read_only("replika.db")?.snapshot();
//! let (pnr, day) = (Pnr::parse(b"6101801234").ok_or("ten digits")?, Date::parse("2026-01-08").ok_or("a day")?);
//! let version = sf1520::Version::V5;
//! let lookup = sf1520::answer(&snapshot, version, &Request::on(pnr, day, Caller::unlogged()), &NoRegister)?;
//! if let Some(found) = lookup.found() {
//!     let protected = found.protections.recorded(ProtectionKind::NAME_AND_ADDRESS).is_some();
//!     println!("{} (protected: {protected})", found.answer.to_xml(version)?);
//! }
//! # Ok(()) }
//! ```

#[macro_use]
mod contract_types;
mod error;
mod logged;
mod lookup;
mod protected_persons;
mod protection;
mod register;
mod relatives;
mod request;
mod subject;
mod withholding;

pub mod gctp;
pub mod search;
pub mod sf1520;
pub mod sf1525;
pub mod sf6008;

pub use contract_types::{PlainDate, Uncertain, XsdDate, XsdDateTime};
pub use error::Error;
pub use logged::persons_in;
pub use lookup::{Answered, Former, Lookup};
pub use protected_persons::ProtectedPersons;
pub use protection::{Protection, Protections};
pub use register::{Districts, Diverse, Elsewhere, NoRegister, Place, Register};
pub use request::Request;

/// The account of who looked at whom, whose types stand in this crate's signatures.
pub use access_log;
/// Who asks, and where that is told; the log itself stands in [`access_log`].
pub use access_log::Caller;
/// The engine, whose types stand in this crate's signatures.
pub use cpr_replika;

#[cfg(test)]
mod tests;
