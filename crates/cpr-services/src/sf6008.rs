//! SF6008 `CPRBasicInformationService` 1: one flat record about a person, in four operations.

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::{Aspect, Date, ProtectionKind, facts};
use cpr_wire::sf6008::NAMESPACE;
use serde::Serialize;

use crate::contract_types::{self, PlainDate, text};
use crate::error::Error;
use crate::logged;
use crate::lookup::{Answered, Lookup, not_held};
use crate::protection::Protections;
use crate::request::Request;
use crate::subject::Subject;

pub use cpr_wire::sf6008::Operation;

answer! {
    /// What the service tells about a person (`CPRBasicInformationResponseType`, and with names the extended one).
    pub struct Record {
        /// The number asked for.
        pnr: String = "pnr",
        /// The number now, when the one asked for was given up.
        current_pnr: Option<String> = "gaeldendePersonnummer",
        /// K or M; the contract wants it of everybody.
        sex: String = "koen",
        birth_date: Option<PlainDate> = "foedselsdato",
        birth_date_uncertain: bool = "foedselsdatoUsikkerhedsmarkering",
        status: Option<u8> = "status",
        status_date: Option<PlainDate> = "statusdato",
        civil_status: Option<String> = "civilstand",
        /// True when a protection of name and address is recorded, whatever its dates (rule P1). None when the store
        /// does not hold protections, though the contract wants the element: unknown is not unprotected.
        protected: Option<bool> = "navneOgAdressebeskyttelse",
        addressing_name: Option<String> = "adresseringsnavn",
        care_of: Option<String> = "conavn",
        standard_address: Option<String> = "standardadresse",
        postal_code: Option<u16> = "postnummer",
        postal_district: Option<String> = "postdistrikt",
        town: Option<String> = "bynavn",
        street_addressing_name: Option<String> = "vejadresseringsnavn",
        house_number: Option<String> = "husnummer",
        locality: Option<String> = "lokalitet",
        building_number: Option<String> = "bygningsnummer",
        floor: Option<String> = "etage",
        side_or_door: Option<String> = "sidedoer",
        municipality_code: Option<u16> = "kommunekode",
        street_code: Option<u16> = "vejkode",
        moved_in: Option<PlainDate> = "tilflytningsdato",
        /// Of the citizenship.
        country_code: Option<u16> = "landekode",
        /// Of the last stay abroad that ended.
        immigrated_from: Option<u16> = "indrejseLandekode",
        emigrated_to: Option<u16> = "udrejseLandekode",
        foreign_line_1: Option<String> = "udlandsadresse1",
        foreign_line_2: Option<String> = "udlandsadresse2",
        foreign_line_3: Option<String> = "udlandsadresse3",
        foreign_line_4: Option<String> = "udlandsadresse4",
        foreign_line_5: Option<String> = "udlandsadresse5",
        /// Extended operations only, as the two after it.
        given_names: Option<String> = "fornavn",
        middle_names: Option<String> = "mellemnavn",
        surname: Option<String> = "efternavn",
    }
}

/// What the service tells of.
const ASPECTS: [Aspect; 7] = [
    Aspect::Address,
    Aspect::FormattedAddress,
    Aspect::Protection,
    Aspect::Emigration,
    Aspect::Name,
    Aspect::Citizenship,
    Aspect::CivilStatus,
];

/// Answers about one number.
///
/// # Errors
/// [`Error::Engine`] when there is no such delivery, or the store is damaged.
pub fn answer(
    snapshot: &Snapshot,
    operation: Operation,
    request: &Request<'_>,
) -> Result<Lookup<Answered<Record>>, Error> {
    logged::lookup(("SF6008", operation.name()), snapshot, request, || look_up(snapshot, operation, request))
}

fn look_up(
    snapshot: &Snapshot,
    operation: Operation,
    request: &Request<'_>,
) -> Result<Lookup<Answered<Record>>, Error> {
    let Some(image) = snapshot.as_of(request.pnr, None, request.known)? else { return not_held(snapshot, request) };
    let subject =
        Subject::read(request.pnr, &image, request.valid, snapshot.settings()).follow_chain(snapshot, request)?;
    let protections = Protections::read(snapshot, request, &subject)?;
    let subject = subject.under_policy(snapshot, request, &protections)?;
    let answer = record(&subject, &protections, operation.is_extended());
    let not_held = subject.not_held(&ASPECTS);
    Ok(Lookup::Found(Answered { protections, not_held, answer }))
}

fn record(subject: &Subject<'_>, protections: &Protections, extended: bool) -> Record {
    let person = subject.person();
    let with_status = subject.with_status();
    let address = subject.address();
    let formatted = subject.formatted();
    let emigration = subject.emigration();
    let name = subject.name().filter(|_| extended);
    let plain_day = |date: Option<Date>| date.map(PlainDate);
    let of_003 = |field: fn(facts::FormattedAddress<'_>) -> Option<String>| formatted.and_then(field);
    let abroad = |field: fn(facts::Emigration<'_>) -> Option<String>| emigration.and_then(field);
    Record {
        pnr: subject.pnr.reveal().to_owned(),
        current_pnr: subject.current_pnr().map(|pnr| pnr.reveal().to_owned()),
        sex: subject.sex(),
        birth_date: plain_day(subject.birth_date()),
        birth_date_uncertain: person.and_then(facts::Person::birth_date).is_some_and(|date| date.uncertain),
        status: subject.contract_status(),
        status_date: plain_day(with_status.and_then(facts::Person::status_date).map(|since| since.value.date())),
        civil_status: subject.contract_civil_status(),
        protected: protections.is_known().then(|| protections.recorded(ProtectionKind::NAME_AND_ADDRESS).is_some()),
        addressing_name: subject.addressing_name().map(|name| contract_types::printable(&name)),
        care_of: of_003(|row| text(row.care_of())),
        standard_address: of_003(|row| text(row.standard_address())),
        postal_code: formatted.and_then(facts::FormattedAddress::postal_code),
        postal_district: of_003(|row| text(row.postal_district())),
        town: of_003(|row| text(row.town())),
        street_addressing_name: of_003(|row| text(row.street_addressing_name())),
        house_number: address.and_then(|row| text(row.house_number())),
        locality: of_003(|row| text(row.locality())),
        building_number: address.and_then(|row| text(row.building_number())),
        floor: address.and_then(|row| text(row.floor())),
        side_or_door: address.and_then(|row| text(row.side_or_door())),
        municipality_code: address.and_then(facts::Address::municipality_code).map(|code| code.0),
        street_code: address.and_then(facts::Address::street_code).map(|code| code.0),
        moved_in: plain_day(address.and_then(facts::Address::moved_in).map(|since| since.value.date())),
        country_code: subject.citizenship().and_then(facts::Citizenship::country_code).map(|code| code.0),
        immigrated_from: immigrated_from(subject),
        emigrated_to: emigration.and_then(facts::Emigration::country_code).map(|code| code.0),
        foreign_line_1: abroad(|row| text(row.foreign_line_1())),
        foreign_line_2: abroad(|row| text(row.foreign_line_2())),
        foreign_line_3: abroad(|row| text(row.foreign_line_3())),
        foreign_line_4: abroad(|row| text(row.foreign_line_4())),
        foreign_line_5: abroad(|row| text(row.foreign_line_5())),
        given_names: name.and_then(|row| text(row.given_names())),
        middle_names: name.and_then(|row| text(row.middle_names())),
        surname: name.and_then(|row| text(row.surname())),
    }
}

fn immigrated_from(subject: &Subject<'_>) -> Option<u16> {
    let stays = subject.history(Aspect::Emigration);
    let unmarked = stays.iter().filter(|fact| fact.mark().is_none()).filter_map(|fact| fact.emigration());
    let last =
        unmarked.filter(|row| row.immigrated().is_some()).max_by_key(|row| row.immigrated().map(|at| at.value))?;
    last.immigrated_from().map(|code| code.0)
}

/// `CPRBasicInformationResponse*`, the content of a list.
#[derive(Serialize)]
struct Plain<'a> {
    #[serde(rename = "CPRBasicInformationResponse")]
    records: &'a [&'a Record],
}

#[derive(Serialize)]
struct Extended<'a> {
    #[serde(rename = "CPRBasicInformationExtendedResponse")]
    records: &'a [&'a Record],
}

/// The response of an operation in XML. A list operation writes any number of records; the others the first.
///
/// # Errors
/// [`Error::Xml`] when a single operation is given no record: its service answers with a fault, which is the host's.
pub fn to_xml(operation: Operation, records: &[&Record]) -> Result<String, Error> {
    let root = operation.answer();
    match operation {
        Operation::List => contract_types::xml(root, NAMESPACE, &Plain { records }),
        Operation::ExtendedList => contract_types::xml(root, NAMESPACE, &Extended { records }),
        Operation::Basic | Operation::Extended => {
            contract_types::xml(root, NAMESPACE, records.first().ok_or(Error::Xml)?)
        }
    }
}
