//! The parts of the lookup that repeat: names, addresses, relations, protections, notes.

use cpr_replika::cpr_model::{self, Aspect, Date, Fact, Pnr, ProtectionKind, Text, facts};

use crate::contract_types::{self, Absent, PlainDate, Uncertain, XsdDate, XsdDateTime, text};
use crate::protection::Protections;
use crate::register::{Districts, Elsewhere, Place, Register};
use crate::sf1520::Version;
use crate::subject::{Subject, known};

answer! {
    /// `navnType`.
    pub struct Name {
        /// Empty for a child that has no name yet: the contract wants the element.
        addressing_name: String = "personadresseringsnavn",
        given_names: Option<String> = "fornavn",
        middle_names: Option<String> = "mellemnavn",
        surname: Option<String> = "efternavn",
        given_names_mark: Option<String> = "fornavnMarkering",
        middle_names_mark: Option<String> = "mellemnavnMarkering",
        surname_mark: Option<String> = "efternavnMarkering",
        from: Option<Uncertain<XsdDateTime>> = "navnestartdato",
    }
    /// `foedselsregistreringOplysningerType`.
    pub struct BirthRegistration {
        authority_code: Option<u16> = "foedselsregistreringsstedKode",
        authority_name: Elsewhere<String> = "foedselsregistreringsstedKodeMyndighedsnavn",
        place: Option<String> = "supplerendeFoedselsregistreringssted",
    }
    /// `statusType`.
    pub struct State {
        status: Option<u8> = "status",
        since: Option<Uncertain<XsdDateTime>> = "statusdato",
    }
    /// `separationType`.
    pub struct SeparationState {
        separated: bool = "separeret",
        from: Option<Uncertain<XsdDateTime>> = "separationsdato",
    }
    /// `civilstandType`.
    pub struct CivilStatus {
        civil_status: Option<String> = "civilstand",
        from: Option<Uncertain<XsdDateTime>> = "civilstandsdato",
    }
    /// `umyndiggoerelseType`. Left out whole when its start is no day of the calendar, since the contract wants the
    /// start.
    pub struct Guardianship {
        relation_type: Option<u16> = "umyndiggorelseRelationType",
        guardian_pnr: Option<String> = "relationPersonnummer",
        guardian_from: Option<XsdDate> = "relationStartdato",
        guardian_name: Option<String> = "relationVaergenavn",
        guardian_address_from: Option<XsdDate> = "relationVaergeadresseStartdato",
        /// FULD or DELVIS; version 5.
        kind: Option<String> = "VærgemålType",
        from: Option<Uncertain<XsdDate>> = "umyndiggoerelseStartdato",
        deleted_on: Option<XsdDate> = "umyndiggoerelseSlettedato",
        incapacitated: bool = "umyndiggjort",
        line_1: Option<String> = "relationtekst1",
        line_2: Option<String> = "relationtekst2",
        line_3: Option<String> = "relationtekst3",
        line_4: Option<String> = "relationtekst4",
        line_5: Option<String> = "relationtekst5",
    }
    /// `beskyttelseType`: as recorded. Whether it is in force on the day stands beside the answer.
    pub struct Protected {
        from: Option<XsdDate> = "startdato",
        until: Option<XsdDate> = "slutdato",
        /// True as long as the record comes, whatever its end (rule P1); none when the store does not hold protections.
        protected: Option<bool> = "beskyttet",
    }
    /// `adressedataType`.
    pub struct Addresses {
        /// Always there, empty for one who lives in neither Denmark nor Greenland: clients look into it without asking.
        current: Address = "aktuelAdresse",
        abroad: Option<Abroad> = "udrejseoplysninger",
        contact: Option<Contact> = "kontaktAdresse",
        /// Historic and corrected addresses, the one that began last first.
        past: Vec<LivedAt> = "adresseHistorik",
    }
    /// `adresseType`.
    #[derive(Default)]
    pub struct Address {
        municipality_cvr: Elsewhere<String> = "kommuneCvr",
        municipality_code: Option<u16> = "kommunekode",
        street_code: Option<u16> = "vejkode",
        house_number: Option<String> = "husnummer",
        floor: Option<String> = "etage",
        side_or_door: Option<String> = "sidedoer",
        building_number: Option<String> = "bygningsnummer",
        care_of: Option<String> = "conavn",
        locality: Option<String> = "lokalitet",
        town: Option<String> = "bynavn",
        postal_code: Option<String> = "postnummer",
        postal_district: Option<String> = "postdistrikt",
        street_name: Elsewhere<String> = "vejnavn",
        standard_address: Option<String> = "standardadresse",
        addressing_name: Option<String> = "adresseringsnavn",
        street_addressing_name: Option<String> = "vejadresseringsnavn",
        moved_in: Option<Uncertain<XsdDateTime>> = "tilflytningsdato",
        supplementary_line_1: Option<String> = "adr1-supladr",
        supplementary_line_2: Option<String> = "adr2-supladr",
        supplementary_line_3: Option<String> = "adr3-supladr",
        supplementary_line_4: Option<String> = "adr4-supladr",
        supplementary_line_5: Option<String> = "adr5-supladr",
        districts: Elsewhere<Districts> = "distrikter",
        /// Version 5, of the products that carry it.
        uuid: Option<String> = "AdresseUUID",
    }
    /// `adresseHistorikType`. Postal code, districts and names of a past address stand in the road register only.
    pub struct LivedAt {
        municipality_cvr: Elsewhere<String> = "kommuneCvr",
        municipality_code: Option<u16> = "kommunekode",
        street_code: Option<u16> = "vejkode",
        house_number: Option<String> = "husnummer",
        floor: Option<String> = "etage",
        side_or_door: Option<String> = "sidedoer",
        building_number: Option<String> = "bygningsnummer",
        care_of: Option<String> = "conavn",
        postal_code: Elsewhere<String> = "postnummer",
        postal_district: Elsewhere<String> = "postdistrikt",
        street_name: Elsewhere<String> = "vejnavn",
        /// K, A or Æ: the address was corrected, undone, or reshaped by a technical change.
        mark: Option<String> = "retFortrydMarkering",
        moved_in: Option<Uncertain<XsdDateTime>> = "tilflytningsdato",
        moved_out: Option<Uncertain<XsdDateTime>> = "fraflytningsdato",
    }
    /// `udrejseoplysningerType`.
    pub struct Abroad {
        country_code: Option<u16> = "udrejselandekode",
        country_name: Elsewhere<String> = "udrejselandekodeMyndighedsnavn",
        emigrated: Option<Uncertain<XsdDateTime>> = "udrejsedato",
        line_1: Option<String> = "udlandsadresse1",
        line_2: Option<String> = "udlandsadresse2",
        line_3: Option<String> = "udlandsadresse3",
        line_4: Option<String> = "udlandsadresse4",
        line_5: Option<String> = "udlandsadresse5",
    }
    /// `kontaktAdresseType`.
    pub struct Contact {
        line_1: Option<String> = "kontaktAdr1",
        line_2: Option<String> = "kontaktAdr2",
        line_3: Option<String> = "kontaktAdr3",
        line_4: Option<String> = "kontaktAdr4",
        line_5: Option<String> = "kontaktAdr5",
        from: Option<XsdDate> = "startdato",
        deleted_on: Option<XsdDate> = "slettedato",
    }
    /// `relationerType`. A number stands also when the replica does not hold it.
    pub struct Relations {
        spouse: Option<Relation> = "aegtefaelle",
        children: Vec<Child> = "barn",
        /// Always there, and so is `far`, empty when nothing is known: clients do not bear `relationer` without an
        /// element.
        mother: Relation = "mor",
        father: Relation = "far",
        custody: Vec<Custody> = "foraeldremyndighed",
    }
    /// `personRelationType`: a number, or what is known of one without a number.
    #[derive(Default)]
    pub struct Relation {
        pnr: Option<String> = "personnummer",
        birth_date: Option<Uncertain<XsdDate>> = "foedselsdato",
        name: Option<String> = "navn",
    }
    /// `barnType`.
    pub struct Child {
        pnr: String = "personnummer",
    }
    /// `foraeldremyndighedType`: 3 mother, 4 father, of whom the parents tell the number; 5 and 6 other holders.
    pub struct Custody {
        kind: u16 = "foraeldremyndighedtype",
        from: Option<Uncertain<XsdDate>> = "foraeldremyndighedStartdato",
        deleted_on: Option<XsdDate> = "foraeldremyndighedSletdato",
        holder_pnr: Option<String> = "relationPersonnummer",
        holder_from: Option<XsdDate> = "relationStartdato",
    }
    /// `notatType`.
    pub struct Note {
        number: Option<u16> = "notanr",
        line: Option<String> = "notatlinie",
        from: Option<XsdDate> = "notatstartdato",
        deleted_on: Option<XsdDate> = "notatslettedato",
    }
}
always_there!(Name, BirthRegistration, State, SeparationState, CivilStatus, Protected, Addresses, Address, Abroad);
always_there!(Contact, Relations, Relation);

impl Absent for Guardianship {
    fn is_absent(&self) -> bool {
        self.from.is_absent()
    }
}

pub(super) fn name(subject: &Subject<'_>) -> Name {
    let row = subject.name();
    let mark = |mark: Option<char>| mark.map(|mark| mark.to_string());
    Name {
        addressing_name: subject.addressing_name().map(|name| contract_types::printable(&name)).unwrap_or_default(),
        given_names: row.and_then(|row| text(row.given_names())),
        middle_names: row.and_then(|row| text(row.middle_names())),
        surname: row.and_then(|row| text(row.surname())),
        given_names_mark: mark(row.and_then(facts::Name::given_names_mark)),
        middle_names_mark: mark(row.and_then(facts::Name::middle_names_mark)),
        surname_mark: mark(row.and_then(facts::Name::surname_mark)),
        from: contract_types::moment(row.and_then(facts::Name::from)),
    }
}

pub(crate) fn guardianship(row: facts::Guardianship<'_>, version: Version) -> Guardianship {
    // CPR writes F and D, or the words.
    let kind = text(row.kind()).and_then(|kind| match kind.as_bytes().first() {
        Some(b'F') => Some("FULD".to_owned()),
        Some(b'D') => Some("DELVIS".to_owned()),
        _ => None,
    });
    Guardianship {
        // The record numbers guardians 0, 1, 2 as the contract does.
        relation_type: Some(row.relation_type().unwrap_or(0)).filter(|kind| *kind <= 2),
        guardian_pnr: known(row.guardian_pnr()).map(|pnr| pnr.reveal().to_owned()),
        guardian_from: row.guardian_from().map(XsdDate),
        guardian_name: text(row.guardian_name()),
        guardian_address_from: row.guardian_address_from().map(XsdDate),
        kind: kind.filter(|_| version == Version::V5),
        from: contract_types::day(row.from()),
        deleted_on: row.deleted_on().map(XsdDate),
        incapacitated: true,
        line_1: text(row.guardian_line_1()),
        line_2: text(row.guardian_line_2()),
        line_3: text(row.guardian_line_3()),
        line_4: text(row.guardian_line_4()),
        line_5: text(row.guardian_line_5()),
    }
}

pub(super) fn protected(protections: &Protections, kind: ProtectionKind) -> Protected {
    let recorded = protections.recorded(kind);
    let (from, until) = (recorded.and_then(|row| row.from), recorded.and_then(|row| row.until));
    let in_contract = |date: PlainDate| XsdDate(date.0);
    Protected {
        from: from.map(in_contract),
        until: until.map(in_contract),
        protected: protections.is_known().then_some(recorded.is_some()),
    }
}

pub(super) fn addresses(subject: &Subject<'_>, version: Version, register: &dyn Register) -> Addresses {
    let past = subject.history(Aspect::Address);
    // The last known address of one who lives nowhere is a past one.
    let current = subject.fact(Aspect::Address).filter(|_| subject.lives_somewhere()).map(|fact| fact.values());
    let past = past.iter().filter(|fact| Some(fact.values()) != current);
    let lived_at = |fact: &cpr_replika::Fact<'_>| {
        let mark = fact.mark().map(|mark| mark.letter().to_string());
        fact.address().map(|row| lived_at(row, mark, register))
    };
    Addresses {
        current: subject.address().map(|row| address(subject, row, version, register)).unwrap_or_default(),
        abroad: subject.emigration().map(|row| abroad(row, register)),
        contact: subject.fact(Aspect::ContactAddress).and_then(|fact| fact.contact_address()).map(contact),
        past: past.filter_map(lived_at).collect(),
    }
}

pub(crate) fn address(
    subject: &Subject<'_>,
    row: facts::Address<'_>,
    version: Version,
    register: &dyn Register,
) -> Address {
    let formatted = subject.formatted();
    let place = Place::of(row);
    let of_003 = |field: fn(facts::FormattedAddress<'_>) -> Option<String>| formatted.and_then(field);
    Address {
        municipality_cvr: Elsewhere(row.municipality_code().and_then(|code| register.municipality_cvr(code))),
        municipality_code: row.municipality_code().map(|code| code.0),
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
        street_name: Elsewhere(
            text(row.long_street_name()).or_else(|| place.and_then(|place| register.street_name(place))),
        ),
        standard_address: of_003(|row| text(row.standard_address())),
        addressing_name: subject.addressing_name().map(|name| contract_types::printable(&name)),
        street_addressing_name: of_003(|row| text(row.street_addressing_name())),
        moved_in: contract_types::moment(row.moved_in()),
        supplementary_line_1: text(row.supplementary_line_1()),
        supplementary_line_2: text(row.supplementary_line_2()),
        supplementary_line_3: text(row.supplementary_line_3()),
        supplementary_line_4: text(row.supplementary_line_4()),
        supplementary_line_5: text(row.supplementary_line_5()),
        districts: Elsewhere(place.and_then(|place| register.districts(place))),
        uuid: contract_types::address_uuid(row).filter(|_| version == Version::V5),
    }
}

fn lived_at(row: facts::Address<'_>, mark: Option<String>, register: &dyn Register) -> LivedAt {
    let place = Place::of(row);
    let districts = place.and_then(|place| register.districts(place));
    let postal_code = districts.as_ref().and_then(|districts| districts.postal_code);
    LivedAt {
        municipality_cvr: Elsewhere(row.municipality_code().and_then(|code| register.municipality_cvr(code))),
        municipality_code: row.municipality_code().map(|code| code.0),
        street_code: row.street_code().map(|code| code.0),
        house_number: text(row.house_number()),
        floor: text(row.floor()),
        side_or_door: text(row.side_or_door()),
        building_number: text(row.building_number()),
        care_of: text(row.care_of()),
        postal_code: Elsewhere(postal_code.map(|code| format!("{code:04}"))),
        postal_district: Elsewhere(districts.and_then(|districts| districts.postal_district)),
        street_name: Elsewhere(
            text(row.long_street_name()).or_else(|| place.and_then(|place| register.street_name(place))),
        ),
        mark,
        moved_in: contract_types::moment(row.moved_in()),
        moved_out: contract_types::moment(row.moved_out()),
    }
}

fn abroad(row: facts::Emigration<'_>, register: &dyn Register) -> Abroad {
    Abroad {
        country_code: row.country_code().map(|code| code.0),
        country_name: Elsewhere(row.country_code().and_then(|code| register.country_name(code))),
        emigrated: contract_types::moment(row.emigrated()),
        line_1: text(row.foreign_line_1()),
        line_2: text(row.foreign_line_2()),
        line_3: text(row.foreign_line_3()),
        line_4: text(row.foreign_line_4()),
        line_5: text(row.foreign_line_5()),
    }
}

pub(crate) fn contact(row: facts::ContactAddress<'_>) -> Contact {
    Contact {
        line_1: text(row.line_1()),
        line_2: text(row.line_2()),
        line_3: text(row.line_3()),
        line_4: text(row.line_4()),
        line_5: text(row.line_5()),
        from: row.from().map(XsdDate),
        deleted_on: row.deleted_on().map(XsdDate),
    }
}

/// The relations, each number as the service writes it.
pub(crate) fn relations(subject: &Subject<'_>, write: fn(Pnr) -> String) -> Relations {
    let number = |related| known(related).map(write);
    let parents = subject.parents();
    let mother =
        parents.and_then(|row| relation(number(row.mother_pnr()), || (row.mother_birth_date(), row.mother_name())));
    let father =
        parents.and_then(|row| relation(number(row.father_pnr()), || (row.father_birth_date(), row.father_name())));
    let spouse = subject
        .civil_status()
        .and_then(|row| relation(number(row.spouse_pnr()), || (row.spouse_birth_date(), row.spouse_name())));
    let custody = |row: facts::Custody<'_>| {
        Some(Custody {
            kind: row.relation_type().filter(|kind| (3..=6).contains(kind))?,
            from: contract_types::day(row.from()),
            deleted_on: row.deleted_on().map(XsdDate),
            holder_pnr: number(row.holder_pnr()),
            holder_from: row.holder_from().map(XsdDate),
        })
    };
    Relations {
        spouse,
        children: subject.children().into_iter().map(|pnr| Child { pnr: write(pnr) }).collect(),
        mother: mother.unwrap_or_default(),
        father: father.unwrap_or_default(),
        custody: subject.all(Aspect::Custody, Fact::custody).filter_map(custody).collect(),
    }
}

/// A number when there is one, else birth date and name; none when nothing is known.
fn relation<'a>(
    pnr: Option<String>,
    stated: impl FnOnce() -> (Option<cpr_model::Uncertain<Date>>, Text<'a>),
) -> Option<Relation> {
    if pnr.is_some() {
        return Some(Relation { pnr, birth_date: None, name: None });
    }
    let (born, name) = stated();
    let (birth_date, name) = (contract_types::day(born), text(name));
    (birth_date.is_some() || name.is_some()).then_some(Relation { pnr, birth_date, name })
}

pub(crate) fn notes(subject: &Subject<'_>) -> Vec<Note> {
    let note = |row: facts::Note<'_>| Note {
        number: row.number(),
        line: text(row.line()),
        from: row.from().map(XsdDate),
        deleted_on: row.deleted_on().map(XsdDate),
    };
    subject.all(Aspect::Note, Fact::note).map(note).collect()
}
