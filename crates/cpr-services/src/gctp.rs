//! The GCTP services ("CPR Opslag (lokal)"): Stam+, Stam, Familie+, Familie, Navne3, Adresse4.
//!
//! One shape for all: rows of named fields, each with its raw value (`v`) and here and there a readable text (`t`).
//! Fields that are empty are left out. A number that was given up answers with its own row; relations are resolved when
//! asked. What a service tells stands in the tables of `fields.rs`. Stam is Stam+ without what comes from the road
//! register, and Familie is Familie+ without names and custody in its first row: their contracts are not public.

mod family;
mod fields;
mod row;
mod xml;

pub use row::{Field, Row};
pub(crate) use xml::adrsog1_xml;

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::Aspect;
use serde::Serialize;

use crate::error::Error;
use crate::logged::{self, Logged, has_protected_address};
use crate::lookup::{Lookup, not_held};
use crate::protection::Protections;
use crate::relatives::Relatives;
use crate::request::Request;
use crate::subject::Subject;

/// One of the services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Name, address, status and protection of a person.
    StamPlus,
    /// The same without the fields of the road register.
    Stam,
    /// The person, and a row for the person and each relative.
    FamiliePlus,
    /// The same with the first row as in Stam.
    Familie,
    /// The parts of the name.
    Navne3,
    /// The contact address.
    Adresse4,
}

impl Service {
    /// Every service.
    pub const ALL: [Service; 6] =
        [Service::StamPlus, Service::Stam, Service::FamiliePlus, Service::Familie, Service::Navne3, Service::Adresse4];

    /// The name in the envelope: `Stam+`, `navne3`.
    pub fn name(self) -> &'static str {
        match self {
            Service::StamPlus => "Stam+",
            Service::Stam => "Stam",
            Service::FamiliePlus => "Familie+",
            Service::Familie => "Familie",
            Service::Navne3 => "navne3",
            Service::Adresse4 => "adresse4",
        }
    }

    /// What it tells of, beside the person's own row.
    fn aspects(self) -> &'static [Aspect] {
        use Aspect::{
            Address, Child, CivilStatus, ContactAddress, Custody, Emigration, FormattedAddress, Guardianship,
        };
        use Aspect::{Name, Parents, Protection};
        match self {
            Service::StamPlus | Service::Stam => &[Address, FormattedAddress, Protection, Emigration],
            Service::Navne3 => &[FormattedAddress, Name],
            Service::Adresse4 => &[ContactAddress],
            Service::FamiliePlus | Service::Familie => &[
                Address,
                FormattedAddress,
                Protection,
                Emigration,
                Name,
                CivilStatus,
                Child,
                Parents,
                Custody,
                Guardianship,
            ],
        }
    }

    /// The system in the envelope.
    fn system(self) -> &'static str {
        if self == Service::Adresse4 { "KontaktAdresse" } else { "CprSoeg" }
    }
}

/// The answer of a GCTP service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Answer {
    /// Which service answers.
    #[serde(serialize_with = "service_name")]
    pub service: Service,
    /// Numbered from 0 in the envelope.
    pub rows: Vec<Row>,
    /// The protections of the person asked for, also where there is no row.
    pub protections: Protections,
    /// What the service tells of and the store does not hold, by the names of aspects: unknown, not none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<&'static str>,
}

fn service_name<S: serde::Serializer>(service: &Service, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(service.name())
}

impl Logged for Answer {
    fn is_protected(&self) -> bool {
        let of_rows = self.rows.iter().map(|row| &row.protections);
        std::iter::once(&self.protections).chain(of_rows).any(has_protected_address)
    }
}

impl Answer {
    /// The answer as the service sends it: one `root` element, without line breaks.
    ///
    /// # Errors
    /// [`Error::Xml`] when the answer does not go into XML.
    pub fn to_xml(&self) -> Result<String, Error> {
        let name = self.service.name();
        xml::answered(self.service.system(), name, &[], xml::Table { name, count: None, rows: &self.rows })
    }
}

/// Answers as a service does.
///
/// # Errors
/// [`Error::Engine`] when there is no such delivery, or the store is damaged.
pub fn answer(snapshot: &Snapshot, service: Service, request: &Request<'_>) -> Result<Lookup<Answer>, Error> {
    logged::lookup(("GCTP", service.name()), snapshot, request, || look_up(snapshot, service, request))
}

fn look_up(snapshot: &Snapshot, service: Service, request: &Request<'_>) -> Result<Lookup<Answer>, Error> {
    let Some(image) = snapshot.as_of(request.pnr, None, request.known)? else { return not_held(snapshot, request) };
    let subject =
        Subject::read(request.pnr, &image, request.valid, snapshot.settings()).follow_chain(snapshot, request)?;
    let protections = Protections::read(snapshot, request, &subject)?;
    let subject = subject.under_policy(snapshot, request, &protections)?;
    let row =
        |tables: &[fields::Table]| Row { fields: fields::row(&subject, tables), protections: protections.clone() };
    let rows = match service {
        Service::StamPlus => vec![row(&[fields::STAM, fields::ROAD])],
        Service::Stam => vec![row(&[fields::STAM])],
        Service::Navne3 => vec![row(&[fields::NAMES])],
        Service::Adresse4 => Some(row(&[fields::CONTACT])).filter(|row| !row.fields.is_empty()).into_iter().collect(),
        Service::FamiliePlus | Service::Familie => {
            let mut first = match service {
                Service::FamiliePlus => row(&[fields::STAM, fields::NAMES, fields::CUSTODY]),
                _ => row(&[fields::STAM]),
            };
            // The readable forms belong to Stam+ and Navne3.
            first.fields.iter_mut().filter(|field| !field.value.is_empty()).for_each(|field| field.text = None);
            let family = family::Family::of(&subject);
            let relatives = Relatives::read(snapshot, request, family.numbers().filter(|pnr| *pnr != request.pnr))?;
            std::iter::once(first).chain(family.rows((&subject, &protections), &relatives)?).collect()
        }
    };
    let not_held = subject.not_held(service.aspects());
    Ok(Lookup::Found(Answer { service, rows, protections, not_held }))
}
