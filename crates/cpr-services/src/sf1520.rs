//! SF1520 `PersonBaseDataExtendedService`, operation `PersonLookup`, versions 4 and 5: everything current, and past
//! addresses.

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::{Aspect, ProtectionKind, facts, full_years};
use cpr_wire::sf1520::ANSWER;

use crate::contract_types::{self, Absent, Uncertain, XsdDate, XsdDateTime, text};
use crate::error::Error;
use crate::logged;
use crate::lookup::{Answered, Lookup, not_held};
use crate::protection::Protections;
use crate::register::{Elsewhere, Register};
use crate::relatives::children_under_18;
use crate::request::Request;
use crate::subject::Subject;

mod parts;

pub use cpr_wire::sf1520::Version;
pub use parts::{
    Abroad, Address, Addresses, BirthRegistration, Child, CivilStatus, Contact, Custody, Guardianship, LivedAt, Name,
    Note, Protected, Relation, Relations, SeparationState, State,
};
pub(crate) use parts::{contact, guardianship, notes, relations};

answer! {
    /// `PersonLookupResponse`.
    pub struct Response {
        person: PersonData = "persondata",
        addresses: Addresses = "adresse",
        relations: Relations = "relationer",
        notes: Vec<Note> = "notater",
    }
    /// `persondata`. Shared residence (`DeltBopælMarkering`) stands in no published record layout, and is not told.
    pub struct PersonData {
        /// The number asked for.
        pnr: String = "personnummer",
        /// The number now, when the one asked for was given up.
        current_pnr: Option<String> = "gaeldendePersonnummer",
        name: Name = "navn",
        birth_date: Option<Uncertain<XsdDate>> = "foedselsdato",
        birth_registration: Option<BirthRegistration> = "foedselsregistreringsOplysninger",
        from: Option<Uncertain<XsdDate>> = "startdato",
        to: Option<Uncertain<XsdDate>> = "slutdato",
        /// Full years on the day of the request, whatever the status.
        age: Option<u32> = "alder",
        sex: Option<String> = "koen",
        /// Children of active status; their age goes by their number, not by their birth date.
        /// None when the store does not hold children, though the contract wants the element: unknown is not 0.
        children_under_18: Option<u32> = "antalBoernUnder18",
        occupation: Option<String> = "stilling",
        status: Option<State> = "status",
        separation: Option<SeparationState> = "separation",
        civil_status: Option<CivilStatus> = "civilstand",
        /// Left out whole when its date is no day of the calendar: clients read the date without asking whether it is
        /// there.
        citizenship: Option<Citizenship> = "statsborgerskab",
        guardianship: Option<Guardianship> = "umyndiggoerelse",
        disappeared: Option<Uncertain<XsdDateTime>> = "forsvindingsdato",
        /// Always there: clients look into it without asking whether it is.
        name_and_address_protection: Protected = "adressebeskyttelse",
        directory_protection: Option<Protected> = "vejviserbeskyttelse",
        marketing_protection: Option<Protected> = "markedsfoeringsbeskyttelse",
        nem_sms: Elsewhere<bool> = "tilmeldtNemsms",
        /// False when no register says: clients want the element of everybody.
        digital_post: bool = "tilmeldtDigitalpost",
    }
    /// `statsborgerskab`.
    pub struct Citizenship {
        country_code: Option<u16> = "landekode",
        from: Option<Uncertain<XsdDateTime>> = "statsborgerskabDato",
        country_name: Elsewhere<String> = "landekodeMyndighedsnavn",
    }
}
always_there!(PersonData);

impl Absent for Citizenship {
    fn is_absent(&self) -> bool {
        self.from.is_absent()
    }
}

impl Response {
    /// The response of this version in XML.
    ///
    /// # Errors
    /// [`Error::Xml`] when the answer does not go into XML.
    pub fn to_xml(&self, version: Version) -> Result<String, Error> {
        contract_types::xml(ANSWER, version.namespace(), self)
    }
}

/// What the service tells of.
const ASPECTS: [Aspect; 16] = [
    Aspect::Address,
    Aspect::FormattedAddress,
    Aspect::Protection,
    Aspect::Emigration,
    Aspect::ContactAddress,
    Aspect::Disappearance,
    Aspect::Name,
    Aspect::BirthRegistration,
    Aspect::Citizenship,
    Aspect::CivilStatus,
    Aspect::Separation,
    Aspect::Child,
    Aspect::Parents,
    Aspect::Custody,
    Aspect::Guardianship,
    Aspect::Note,
];

/// Answers about one number.
///
/// # Errors
/// [`Error::Engine`] when there is no such delivery, or the store is damaged.
pub fn answer(
    snapshot: &Snapshot,
    version: Version,
    request: &Request<'_>,
    register: &dyn Register,
) -> Result<Lookup<Answered<Response>>, Error> {
    logged::lookup(("SF1520", "PersonLookup"), snapshot, request, || look_up(snapshot, version, request, register))
}

fn look_up(
    snapshot: &Snapshot,
    version: Version,
    request: &Request<'_>,
    register: &dyn Register,
) -> Result<Lookup<Answered<Response>>, Error> {
    let Some(image) = snapshot.as_of(request.pnr, None, request.known)? else { return not_held(snapshot, request) };
    let subject =
        Subject::read(request.pnr, &image, request.valid, snapshot.settings()).follow_chain(snapshot, request)?;
    let protections = Protections::read(snapshot, request, &subject)?;
    let subject = subject.under_policy(snapshot, request, &protections)?;
    let answer = Response {
        person: person_data(&subject, &protections, snapshot, request, (version, register))?,
        addresses: parts::addresses(&subject, version, register),
        relations: parts::relations(&subject, |pnr| pnr.reveal().to_owned()),
        notes: parts::notes(&subject),
    };
    let not_held = subject.not_held(&ASPECTS);
    Ok(Lookup::Found(Answered { protections, not_held, answer }))
}

fn person_data(
    subject: &Subject<'_>,
    protections: &Protections,
    snapshot: &Snapshot,
    request: &Request<'_>,
    (version, register): (Version, &dyn Register),
) -> Result<PersonData, Error> {
    let person = subject.person();
    let with_status = subject.with_status();
    let stated = |of: &Protected| of.protected != Some(false);
    let protected = |kind| Some(parts::protected(protections, ProtectionKind(kind))).filter(stated);
    Ok(PersonData {
        pnr: subject.pnr.reveal().to_owned(),
        current_pnr: subject.current_pnr().map(|pnr| pnr.reveal().to_owned()),
        name: parts::name(subject),
        birth_date: contract_types::day(person.and_then(facts::Person::birth_date)),
        birth_registration: birth_registration(subject, register),
        from: contract_types::day(person.and_then(facts::Person::number_from)),
        to: contract_types::day(person.and_then(facts::Person::number_to)),
        age: subject.birth_date().and_then(|born| full_years(born, request.day)),
        sex: Some(subject.sex()),
        children_under_18: children_under_18(snapshot, request, subject)?,
        occupation: person.and_then(|person| text(person.occupation())),
        status: with_status.map(|person| State {
            status: subject.contract_status(),
            since: contract_types::moment(person.status_date()),
        }),
        separation: separation(subject),
        civil_status: subject.civil_status().map(|row| CivilStatus {
            civil_status: subject.contract_civil_status(),
            from: contract_types::moment(row.from()),
        }),
        citizenship: subject.citizenship().map(|row| Citizenship {
            country_code: row.country_code().map(|code| code.0),
            from: contract_types::moment(row.from()),
            country_name: Elsewhere(row.country_code().and_then(|code| register.country_name(code))),
        }),
        guardianship: subject.guardianship().map(|row| parts::guardianship(row, version)),
        disappeared: disappeared(subject),
        name_and_address_protection: parts::protected(protections, ProtectionKind::NAME_AND_ADDRESS),
        directory_protection: protected(2),
        marketing_protection: protected(3),
        nem_sms: Elsewhere(register.nem_sms(subject.pnr)),
        digital_post: register.digital_post(subject.pnr).unwrap_or(false),
    })
}

fn birth_registration(subject: &Subject<'_>, register: &dyn Register) -> Option<BirthRegistration> {
    let row = subject.fact(Aspect::BirthRegistration).and_then(|fact| fact.birth_registration())?;
    Some(BirthRegistration {
        authority_code: row.authority_code(),
        authority_name: Elsewhere(row.authority_code().and_then(|code| register.authority_name(code))),
        place: text(row.place()).or_else(|| text(row.authority_text())),
    })
}

fn separation(subject: &Subject<'_>) -> Option<SeparationState> {
    let row = subject.fact(Aspect::Separation).and_then(|fact| fact.separation())?;
    Some(SeparationState { separated: true, from: contract_types::start_of_day(row.from()) })
}

fn disappeared(subject: &Subject<'_>) -> Option<Uncertain<XsdDateTime>> {
    let row = subject.fact(Aspect::Disappearance).and_then(|fact| fact.disappearance())?;
    contract_types::moment(row.disappeared())
}
