//! The areas of the answer, each version with its period and its state.

use cpr_replika::cpr_model::{Aspect, CorrectionMark, Date, Timestamp, facts, full_years};
use cpr_replika::{Fact, Snapshot};

use crate::contract_types::{self, PlainDate, Uncertain, XsdDate, XsdDateTime, text};
use crate::error::Error;
use crate::protection::Protection;
use crate::register::{Elsewhere, Place, Register};
use crate::relatives::children_under_18;
use crate::request::Request;
use crate::sf1520::{self, Contact, Guardianship};
use crate::sf1525::Version;
use crate::sf1525::urn::urn;
use crate::subject::{Subject, known};

answer! {
    /// A name.
    pub struct NameVersion {
        addressing_name: Option<String> = "Adresseringsnavn",
        given_names: Option<String> = "Fornavne",
        given_names_mark: Option<String> = "FornavneMarkering",
        middle_names: Option<String> = "Mellemnavn",
        middle_names_mark: Option<String> = "MellemnavnMarkering",
        surname: Option<String> = "Efternavn",
        surname_mark: Option<String> = "EfternavnMarkering",
        from: Option<Uncertain<XsdDateTime>> = "VirkningFra",
        to: Option<Uncertain<XsdDateTime>> = "VirkningTil",
        /// AKTUEL, HISTORISK, RETTET, FORTRUDT or TEKNISK_AENDRING, as everywhere below.
        state: &'static str = "Status",
    }
    /// The person. The status has no history in CPR: it is told as of the delivery.
    pub struct Parts {
        birth_date: Option<Uncertain<XsdDate>> = "Fødselsdato",
        birth_authority_code: Option<u16> = "FødselsregistreringsstedKode",
        birth_authority_name: Elsewhere<String> = "FødselsregistreringsstedNavn",
        birth_place: Option<String> = "FødselsregistreringSupplerende",
        number_from: Option<Uncertain<XsdDate>> = "PersonnummerVirkningFra",
        number_to: Option<Uncertain<XsdDate>> = "PersonnummerVirkningTil",
        age: Option<u32> = "PersonAlder",
        sex: String = "Køn",
        children_under_18: Option<u32> = "AntalBørnUnder18",
        occupation: Option<String> = "Stilling",
        status: Option<u8> = "Status",
        status_date: Option<Uncertain<XsdDateTime>> = "Statusdato",
        guardianship: Option<Guardianship> = "Værgemål",
        nem_sms: Elsewhere<bool> = "NemSMSTilmeldtMarkering",
        digital_post: Elsewhere<bool> = "DigitalpostTilmeldtMarkering",
    }
    /// A civil status with the spouse of it.
    pub struct CivilStatusVersion {
        spouse_pnr: Option<String> = "ÆgtefællePersonnummer",
        /// Version 2.0, for a spouse without a number, as the name.
        spouse_birth_date: Option<Uncertain<XsdDate>> = "ÆgtefælleFødselsdato",
        spouse_name: Option<String> = "ÆgtefælleNavn",
        kind: Option<String> = "Civilstandstype",
        from: Option<Uncertain<XsdDateTime>> = "VirkningFra",
        to: Option<Uncertain<XsdDateTime>> = "VirkningTil",
        state: &'static str = "Status",
    }
    /// A separation.
    pub struct SeparationVersion {
        from: Option<Uncertain<XsdDateTime>> = "VirkningFra",
        to: Option<Uncertain<XsdDateTime>> = "VirkningTil",
        state: &'static str = "Status",
    }
    /// A citizenship.
    pub struct CitizenshipVersion {
        country_code: Option<u16> = "Landekode",
        country_name: Elsewhere<String> = "Landenavn",
        from: Option<Uncertain<XsdDateTime>> = "VirkningFra",
        to: Option<Uncertain<XsdDateTime>> = "VirkningTil",
        state: &'static str = "Status",
    }
    /// A disappearance.
    pub struct DisappearanceVersion {
        from: Option<Uncertain<XsdDateTime>> = "VirkningFra",
        to: Option<Uncertain<XsdDateTime>> = "VirkningTil",
        state: &'static str = "Status",
    }
    /// A protection as recorded, and whether it is in force on the day of the request.
    pub struct Protected {
        kind: u16 = "Beskyttelsestype",
        from: Option<XsdDate> = "VirkningFra",
        until: Option<XsdDate> = "VirkningTil",
        in_force: bool = "IKraft",
    }
    /// An address in Denmark or Greenland. What only 003 states is told of the current address.
    pub struct AddressVersion {
        municipality_cvr: Elsewhere<String> = "KommuneCVR",
        municipality_code: Option<u16> = "Kommunekode",
        uuid: Option<String> = "AdresseUUID",
        street_code: Option<u16> = "Vejkode",
        house_number: Option<String> = "Husnummer",
        floor: Option<String> = "Etage",
        side_or_door: Option<String> = "SideDør",
        building_number: Option<String> = "Bygningsnummer",
        care_of: Option<String> = "CONavn",
        locality: Option<String> = "Lokalitet",
        town: Option<String> = "Bynavn",
        postal_code: Option<String> = "Postnummer",
        postal_district: Option<String> = "Postdistrikt",
        street_name: Elsewhere<String> = "Vejnavn",
        standard_address: Option<String> = "StandardAdresse",
        street_addressing_name: Option<String> = "Vejadresseringsnavn",
        moved_in: Option<Uncertain<XsdDateTime>> = "TilflytningDato",
        moved_out: Option<Uncertain<XsdDateTime>> = "FraflytningDato",
        supplementary: Vec<String> = "SupplerendeAdresse",
        state: &'static str = "Status",
    }
    /// A move to a municipality, told with the address it led to.
    pub struct MunicipalityMove {
        municipality_code: Option<u16> = "Kommunekode",
        moved_to: Option<Uncertain<XsdDateTime>> = "TilflytningKommuneDato",
        previous_municipality_code: Option<u16> = "FraflytningKommunekode",
        left: Option<Uncertain<XsdDateTime>> = "FraflytningKommuneDato",
        state: &'static str = "Status",
    }
    /// A stay abroad, from emigration to immigration.
    pub struct Stay {
        emigrated_to: Option<u16> = "UdrejseLandekode",
        emigrated_to_name: Elsewhere<String> = "UdrejseLandenavn",
        emigrated: Option<Uncertain<XsdDateTime>> = "UdrejseDato",
        immigrated_from: Option<u16> = "IndrejseLandekode",
        immigrated_from_name: Elsewhere<String> = "IndrejseLandenavn",
        immigrated: Option<Uncertain<XsdDateTime>> = "IndrejseDato",
        foreign_address: Vec<String> = "Udlandsadresse",
        state: &'static str = "Status",
    }
    /// Relations: numbers, or birth date and name of those who have none.
    pub struct Relations {
        spouse: Option<Related> = "Ægtefælle",
        children: Vec<Related> = "Barn",
        mother: Option<Related> = "Mor",
        father: Option<Related> = "Far",
        custody: Vec<sf1520::Custody> = "Forældremyndighed",
    }
    /// A related person.
    #[derive(Default)]
    pub struct Related {
        pnr: Option<String> = "Personnummer",
        birth_date: Option<Uncertain<XsdDate>> = "Fødselsdato",
        name: Option<String> = "Navn",
    }
    /// One number of the person.
    pub struct Number {
        pnr: String = "Personnummer",
        /// True for the number in force.
        is_current: bool = "Gældende",
        from: Option<XsdDate> = "VirkningFra",
        to: Option<XsdDate> = "VirkningTil",
    }
    /// A municipal condition.
    pub struct MunicipalCondition {
        kind: Option<u16> = "Type",
        code: Option<String> = "Kode",
        from: Option<Uncertain<XsdDate>> = "VirkningFra",
        remark: Option<String> = "Bemærkning",
    }
    /// The events of the person.
    pub struct Events {
        /// From here on none is missing.
        complete_since: Option<XsdDateTime> = "CPRHændelseHistorikFra",
        events: Vec<Event> = "CPRHændelseKode",
    }
    /// One event as received.
    pub struct Event {
        code: Option<String> = "Kode",
        derived_mark: Option<String> = "AfledtMarkering",
        registered_at: Option<XsdDateTime> = "Registreringstid",
    }
}
always_there!(Parts, Relations, Related, Events);

/// The state of a version, in the words of the Grunddata model.
fn state(subject: &Subject<'_>, fact: &Fact<'_>) -> &'static str {
    match fact.mark() {
        Some(CorrectionMark::Corrected) => "RETTET",
        Some(CorrectionMark::Annulled) => "FORTRUDT",
        Some(CorrectionMark::Technical) => "TEKNISK_AENDRING",
        None if subject.is_current(fact) => "AKTUEL",
        None => "HISTORISK",
    }
}

/// The state of an address: the last known one of somebody who lives nowhere is a past one.
fn address_state(subject: &Subject<'_>, fact: &Fact<'_>) -> &'static str {
    match state(subject, fact) {
        "AKTUEL" if !subject.lives_somewhere() => "HISTORISK",
        state => state,
    }
}

fn mark(mark: Option<char>) -> Option<String> {
    mark.map(|mark| mark.to_string())
}

pub(super) fn name(subject: &Subject<'_>, fact: &Fact<'_>) -> Option<NameVersion> {
    let row = fact.name()?;
    let counts = subject.fact(Aspect::Name).is_some_and(|counting| counting.values() == fact.values());
    let addressing_name = match counts {
        true => subject.addressing_name().map(|name| contract_types::printable(&name)),
        false => text(row.addressing_name()),
    };
    Some(NameVersion {
        addressing_name,
        given_names: text(row.given_names()),
        given_names_mark: mark(row.given_names_mark()),
        middle_names: text(row.middle_names()),
        middle_names_mark: mark(row.middle_names_mark()),
        surname: text(row.surname()),
        surname_mark: mark(row.surname_mark()),
        from: contract_types::moment(row.from()),
        to: contract_types::moment(row.to()),
        state: state(subject, fact),
    })
}

pub(super) fn parts(
    subject: &Subject<'_>,
    snapshot: &Snapshot,
    request: &Request<'_>,
    register: &dyn Register,
) -> Result<Parts, Error> {
    let (person, with_status) = (subject.person(), subject.with_status());
    let birth = subject.fact(Aspect::BirthRegistration).and_then(|fact| fact.birth_registration());
    let authority = birth.and_then(facts::BirthRegistration::authority_code);
    Ok(Parts {
        birth_date: contract_types::day(person.and_then(facts::Person::birth_date)),
        birth_authority_code: authority,
        birth_authority_name: Elsewhere(authority.and_then(|code| register.authority_name(code))),
        birth_place: birth.and_then(|row| text(row.place()).or_else(|| text(row.authority_text()))),
        number_from: contract_types::day(person.and_then(facts::Person::number_from)),
        number_to: contract_types::day(person.and_then(facts::Person::number_to)),
        age: subject.birth_date().and_then(|born| full_years(born, request.day)),
        sex: subject.sex(),
        children_under_18: children_under_18(snapshot, request, subject)?,
        occupation: person.and_then(|row| text(row.occupation())),
        status: with_status.and_then(facts::Person::status).map(|status| status.0),
        status_date: contract_types::moment(with_status.and_then(facts::Person::status_date)),
        guardianship: subject.guardianship().map(|row| {
            let told = sf1520::guardianship(row, sf1520::Version::V5);
            Guardianship { guardian_pnr: known(row.guardian_pnr()).map(urn), ..told }
        }),
        nem_sms: Elsewhere(register.nem_sms(subject.pnr)),
        digital_post: Elsewhere(register.digital_post(subject.pnr)),
    })
}

/// A civil status. Version 1.0 tells the spouse of the current one only, and only by number.
pub(super) fn civil_status(subject: &Subject<'_>, fact: &Fact<'_>, version: Version) -> Option<CivilStatusVersion> {
    let row = fact.civil_status()?;
    let named = version == Version::V2;
    let told = named || state(subject, fact) == "AKTUEL";
    let spouse = known(row.spouse_pnr()).filter(|_| told);
    let by_name = Some(row).filter(|_| named && spouse.is_none());
    Some(CivilStatusVersion {
        spouse_pnr: spouse.map(urn),
        spouse_birth_date: contract_types::day(by_name.and_then(facts::CivilStatus::spouse_birth_date)),
        spouse_name: by_name.and_then(|row| text(row.spouse_name())),
        kind: text(row.civil_status()),
        from: contract_types::moment(row.from()),
        to: contract_types::moment(row.to()),
        state: state(subject, fact),
    })
}

pub(super) fn separation(subject: &Subject<'_>, fact: &Fact<'_>) -> Option<SeparationVersion> {
    let row = fact.separation()?;
    let (from, to) = (contract_types::start_of_day(row.from()), contract_types::start_of_day(row.to()));
    Some(SeparationVersion { from, to, state: state(subject, fact) })
}

pub(super) fn citizenship(
    subject: &Subject<'_>,
    fact: &Fact<'_>,
    register: &dyn Register,
) -> Option<CitizenshipVersion> {
    let row = fact.citizenship()?;
    Some(CitizenshipVersion {
        country_code: row.country_code().map(|code| code.0),
        country_name: Elsewhere(row.country_code().and_then(|code| register.country_name(code))),
        from: contract_types::moment(row.from()),
        to: contract_types::moment(row.to()),
        state: state(subject, fact),
    })
}

pub(super) fn disappearance(subject: &Subject<'_>, fact: &Fact<'_>) -> Option<DisappearanceVersion> {
    let row = fact.disappearance()?;
    let (from, to) = (contract_types::moment(row.disappeared()), contract_types::moment(row.found_again()));
    Some(DisappearanceVersion { from, to, state: state(subject, fact) })
}

pub(super) fn protected(of: &Protection) -> Protected {
    let in_contract = |date: PlainDate| XsdDate(date.0);
    Protected {
        kind: of.kind.0,
        from: of.from.map(in_contract),
        until: of.until.map(in_contract),
        in_force: of.in_force,
    }
}

pub(super) fn address(subject: &Subject<'_>, fact: &Fact<'_>, register: &dyn Register) -> Option<AddressVersion> {
    let row = fact.address()?;
    let counts = subject.fact(Aspect::Address).is_some_and(|counting| counting.values() == fact.values());
    let formatted = if counts { subject.formatted() } else { None };
    let of_003 = |field: fn(facts::FormattedAddress<'_>) -> Option<String>| formatted.and_then(field);
    let name = text(row.long_street_name()).or_else(|| register.street_name(Place::of(row)?));
    let lines = [
        row.supplementary_line_1(),
        row.supplementary_line_2(),
        row.supplementary_line_3(),
        row.supplementary_line_4(),
        row.supplementary_line_5(),
    ];
    Some(AddressVersion {
        municipality_cvr: Elsewhere(row.municipality_code().and_then(|code| register.municipality_cvr(code))),
        municipality_code: row.municipality_code().map(|code| code.0),
        uuid: contract_types::address_uuid(row),
        street_code: row.street_code().map(|code| code.0),
        house_number: text(row.house_number()),
        floor: text(row.floor()),
        side_or_door: text(row.side_or_door()),
        building_number: text(row.building_number()),
        care_of: text(row.care_of()),
        locality: of_003(|row| text(row.locality())),
        town: of_003(|row| text(row.town())),
        postal_code: of_003(|row| row.postal_code().map(|code| format!("{code:04}"))),
        postal_district: of_003(|row| text(row.postal_district())),
        street_name: Elsewhere(name),
        standard_address: of_003(|row| text(row.standard_address())),
        street_addressing_name: of_003(|row| text(row.street_addressing_name())),
        moved_in: contract_types::moment(row.moved_in()),
        moved_out: contract_types::moment(row.moved_out()),
        supplementary: lines.into_iter().filter_map(text).collect(),
        state: address_state(subject, fact),
    })
}

pub(super) fn municipality_move(subject: &Subject<'_>, fact: &Fact<'_>) -> Option<MunicipalityMove> {
    let row = fact.address()?;
    let told = row.moved_to_municipality().is_some() || row.previous_municipality_code().is_some();
    told.then(|| MunicipalityMove {
        municipality_code: row.municipality_code().map(|code| code.0),
        moved_to: contract_types::moment(row.moved_to_municipality()),
        previous_municipality_code: row.previous_municipality_code().map(|code| code.0),
        left: contract_types::moment(row.left_previous_municipality()),
        state: address_state(subject, fact),
    })
}

pub(super) fn contact(subject: &Subject<'_>) -> Option<Contact> {
    subject.fact(Aspect::ContactAddress).and_then(|fact| fact.contact_address()).map(sf1520::contact)
}

pub(super) fn stay(subject: &Subject<'_>, fact: &Fact<'_>, register: &dyn Register) -> Option<Stay> {
    let row = fact.emigration()?;
    let lines =
        [row.foreign_line_1(), row.foreign_line_2(), row.foreign_line_3(), row.foreign_line_4(), row.foreign_line_5()];
    Some(Stay {
        emigrated_to: row.country_code().map(|code| code.0),
        emigrated_to_name: Elsewhere(row.country_code().and_then(|code| register.country_name(code))),
        emigrated: contract_types::moment(row.emigrated()),
        immigrated_from: row.immigrated_from().map(|code| code.0),
        immigrated_from_name: Elsewhere(row.immigrated_from().and_then(|code| register.country_name(code))),
        immigrated: contract_types::moment(row.immigrated()),
        foreign_address: lines.into_iter().filter_map(text).collect(),
        state: state(subject, fact),
    })
}

pub(super) fn relations(subject: &Subject<'_>) -> Relations {
    let of = sf1520::relations(subject, urn);
    let related = |one: sf1520::Relation| Related { pnr: one.pnr, birth_date: one.birth_date, name: one.name };
    let stated = |one: sf1520::Relation| Some(related(one)).filter(|one| *one != Related::default());
    let child = |one: sf1520::Child| Related { pnr: Some(one.pnr), birth_date: None, name: None };
    Relations {
        spouse: of.spouse.map(related),
        children: of.children.into_iter().map(child).collect(),
        mother: stated(of.mother),
        father: stated(of.father),
        custody: of.custody,
    }
}

/// The number given up last.
pub(super) fn previous(subject: &Subject<'_>) -> Option<String> {
    let rows = subject.history(Aspect::FormerNumber);
    let former = rows.iter().filter(|fact| fact.mark().is_none()).filter_map(|fact| fact.former_number());
    let last = former.max_by_key(|row| (row.to().map(|to| to.value), row.from().map(|from| from.value)))?;
    known(last.former_pnr()).map(urn)
}

pub(super) fn numbers(snapshot: &Snapshot, request: &Request<'_>) -> Result<Vec<Number>, Error> {
    let Some(chain) = snapshot.numbers(request.pnr, request.known)? else { return Ok(Vec::new()) };
    let number = |of: &cpr_replika::ChainNumber| Number {
        pnr: urn(of.pnr),
        is_current: chain.current == Some(of.pnr),
        from: of.from.map(XsdDate),
        to: of.to.map(XsdDate),
    };
    Ok(chain.numbers.iter().map(number).collect())
}

pub(super) fn municipal_condition(row: facts::MunicipalCondition<'_>) -> MunicipalCondition {
    MunicipalCondition {
        kind: row.condition_type(),
        code: text(row.condition_code()),
        from: contract_types::day(row.from()),
        remark: text(row.remark()),
    }
}

/// The events that had come as of the delivery.
pub(super) fn events(snapshot: &Snapshot, request: &Request<'_>) -> Result<Events, Error> {
    let held = snapshot.events(request.pnr)?;
    let known = request.known.unwrap_or(snapshot.known());
    let event = |stored: &cpr_replika::StoredEvent| {
        let row = stored.event();
        Event {
            code: text(row.code()),
            derived_mark: text(row.derived_mark()),
            registered_at: row.registered_at().map(XsdDateTime),
        }
    };
    let start = |date: Date| XsdDateTime(Timestamp::start_of(date));
    Ok(Events {
        complete_since: held.complete_since.map(start),
        events: held.events.iter().filter(|stored| stored.delivery <= known).map(event).collect(),
    })
}
