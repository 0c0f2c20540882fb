//! SF1525 `PersonStamoplysningerSamlingHent` 1.0 and 2.0: areas chosen by the caller, each current or with its history.
//!
//! The contract is not public. The markings stand in KOMBIT's catalogue and model; the elements here follow the order
//! of that model and bear the names of the attributes of the Grunddata model *Person*, from whose classes the model
//! draws them. The header (`HovedOplysningerSvar`) is that of `cpr_wire`.

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::Aspect;
use cpr_wire::sf1525::{ANSWER, NAMESPACE};

use crate::contract_types;
use crate::error::Error;
use crate::logged;
use crate::lookup::{Answered, Lookup, not_held};
use crate::protection::Protections;
use crate::register::{Districts, Elsewhere, Place, Register};
use crate::request::Request;
use crate::sf1520::{self, Contact, Note};
use crate::sf1525::urn::urn;
use crate::subject::Subject;

mod areas;
mod urn;

pub use areas::{
    AddressVersion, CitizenshipVersion, CivilStatusVersion, DisappearanceVersion, Event, Events, MunicipalCondition,
    MunicipalityMove, NameVersion, Number, Parts, Protected, Related, Relations, SeparationVersion, Stay,
};
pub use cpr_wire::sf1525::{Depth, Marking, Markings, Version};

answer! {
    /// What stands in the answer, by area; an area that was not marked is empty.
    pub struct Response {
        /// The number asked for, as all numbers here in the form `urn:oio:cpr-nr:0000000000`.
        pnr: String = "Personnummer",
        /// The number now, when the one asked for was given up.
        current_pnr: Option<String> = "GaeldendePersonnummer",
        /// Version 1.0: the number given up last. The caller looks it up to go further back.
        previous_pnr: Option<String> = "TidligerePersonnummer",
        /// `NavnMarkering`.
        names: Vec<NameVersion> = "Navn",
        /// `PersonStatusMarkering`.
        person: Option<Parts> = "Person",
        /// `CivilstandSeparationMarkering`.
        civil_statuses: Vec<CivilStatusVersion> = "Civilstand",
        /// `CivilstandSeparationMarkering`.
        separations: Vec<SeparationVersion> = "Separation",
        /// `StatsborgerskabMarkering`.
        citizenships: Vec<CitizenshipVersion> = "Statsborgerskab",
        /// `ForsvundetMarkering`.
        disappearances: Vec<DisappearanceVersion> = "Forsvinding",
        /// Always, whatever is marked.
        protections: Vec<Protected> = "Beskyttelse",
        /// `AdresseMarkering`.
        addresses: Vec<AddressVersion> = "Adresse",
        /// `AdresseKommuneFlytningMarkering`.
        municipality_moves: Vec<MunicipalityMove> = "AdresseKommuneFlytning",
        /// `AdresseMarkering`.
        contact: Option<Contact> = "Kontaktadresse",
        /// `DistrikterMarkering`.
        districts: Elsewhere<Districts> = "Distrikter",
        /// `UdrejseIndrejseMarkering`.
        stays_abroad: Vec<Stay> = "UdrejseIndrejse",
        /// `RelationerMarkering`.
        relations: Option<Relations> = "Relationer",
        /// `NotatListeMarkering`.
        notes: Vec<Note> = "Notat",
        /// `PersonnummerListeMarkering`, version 2.0: every number of the person, in the order of their keys.
        numbers: Vec<Number> = "PersonnummerListe",
        /// `KommunaleForholdMarkering`.
        municipal_conditions: Vec<MunicipalCondition> = "KommunaleForhold",
        /// `CPRHændelserMarkering`.
        events: Option<Events> = "CPRHændelser",
    }
}

impl Response {
    /// The response in XML.
    ///
    /// # Errors
    /// [`Error::Xml`] when the answer does not go into XML.
    pub fn to_xml(&self) -> Result<String, Error> {
        contract_types::xml(ANSWER, NAMESPACE, self)
    }
}

/// Answers about one number.
///
/// # Errors
/// [`Error::Marking`] when the version does not have a marking; [`Error::Engine`] when there is no such delivery, or
/// the store is damaged.
pub fn answer(
    snapshot: &Snapshot,
    version: Version,
    markings: &Markings,
    request: &Request<'_>,
    register: &dyn Register,
) -> Result<Lookup<Answered<Response>>, Error> {
    if let Some(foreign) = markings.chosen().find(|marking| version == Version::V1 && !marking.is_in_1_0()) {
        return Err(Error::Marking { marking: foreign.name() });
    }
    logged::lookup(("SF1525", "PersonStamoplysningerSamlingHent"), snapshot, request, || {
        look_up(snapshot, version, markings, request, register)
    })
}

fn look_up(
    snapshot: &Snapshot,
    version: Version,
    markings: &Markings,
    request: &Request<'_>,
    register: &dyn Register,
) -> Result<Lookup<Answered<Response>>, Error> {
    let Some(image) = snapshot.as_of(request.pnr, None, request.known)? else { return not_held(snapshot, request) };
    let subject =
        Subject::read(request.pnr, &image, request.valid, snapshot.settings()).follow_chain(snapshot, request)?;
    let protections = Protections::read(snapshot, request, &subject)?;
    let subject = subject.under_policy(snapshot, request, &protections)?;
    let asked = Asked { snapshot, version, markings, request, register, subject: &subject };
    let answer = asked.response(&protections)?;
    let marked = markings.chosen().flat_map(aspects).copied();
    let aspects: Vec<Aspect> = std::iter::once(Aspect::Protection).chain(marked).collect();
    let not_held = subject.not_held(&aspects);
    Ok(Lookup::Found(Answered { protections, not_held, answer }))
}

/// What the area of a marking is answered from, beside the person's own row.
fn aspects(marking: Marking) -> &'static [Aspect] {
    match marking {
        Marking::Address => &[Aspect::Address, Aspect::FormattedAddress, Aspect::ContactAddress],
        Marking::MunicipalityMove | Marking::Districts => &[Aspect::Address],
        Marking::CivilStatus => &[Aspect::CivilStatus, Aspect::Separation],
        Marking::Disappearance => &[Aspect::Disappearance],
        Marking::Name => &[Aspect::Name],
        Marking::NumberList => &[Aspect::FormerNumber],
        Marking::PersonStatus => &[Aspect::BirthRegistration, Aspect::Guardianship, Aspect::Child],
        Marking::Citizenship => &[Aspect::Citizenship],
        Marking::Emigration => &[Aspect::Emigration],
        Marking::Relations => &[Aspect::CivilStatus, Aspect::Child, Aspect::Parents, Aspect::Custody],
        Marking::Notes => &[Aspect::Note],
        Marking::MunicipalConditions => &[Aspect::MunicipalCondition],
        Marking::Events => &[Aspect::Event],
    }
}

/// A question with all that its areas are answered from.
struct Asked<'a> {
    snapshot: &'a Snapshot,
    version: Version,
    markings: &'a Markings,
    request: &'a Request<'a>,
    register: &'a dyn Register,
    subject: &'a Subject<'a>,
}

impl Asked<'_> {
    fn is_marked(&self, marking: Marking) -> bool {
        self.markings.depth(marking).is_some()
    }

    /// One element for each version of an area as deep as it is marked.
    fn area<T>(&self, marking: Marking, aspect: Aspect, of: impl Fn(&cpr_replika::Fact<'_>) -> Option<T>) -> Vec<T> {
        let Some(depth) = self.markings.depth(marking) else { return Vec::new() };
        self.subject.versions(aspect, depth == Depth::WithHistory).iter().filter_map(of).collect()
    }

    fn response(&self, protections: &Protections) -> Result<Response, Error> {
        let subject = self.subject;
        let marked = |marking| self.is_marked(marking);
        let place = subject.address().and_then(Place::of).filter(|_| marked(Marking::Districts));
        Ok(Response {
            pnr: urn(subject.pnr),
            current_pnr: subject.current_pnr().map(urn),
            previous_pnr: if self.version == Version::V1 { areas::previous(subject) } else { None },
            names: self.area(Marking::Name, Aspect::Name, |fact| areas::name(subject, fact)),
            person: match marked(Marking::PersonStatus) {
                true => Some(areas::parts(subject, self.snapshot, self.request, self.register)?),
                false => None,
            },
            civil_statuses: self.area(Marking::CivilStatus, Aspect::CivilStatus, |fact| {
                areas::civil_status(subject, fact, self.version)
            }),
            separations: self.area(Marking::CivilStatus, Aspect::Separation, |fact| areas::separation(subject, fact)),
            citizenships: self.area(Marking::Citizenship, Aspect::Citizenship, |fact| {
                areas::citizenship(subject, fact, self.register)
            }),
            disappearances: self
                .area(Marking::Disappearance, Aspect::Disappearance, |fact| areas::disappearance(subject, fact)),
            protections: protections.rows().iter().map(areas::protected).collect(),
            addresses: self
                .area(Marking::Address, Aspect::Address, |fact| areas::address(subject, fact, self.register)),
            municipality_moves: self
                .area(Marking::MunicipalityMove, Aspect::Address, |fact| areas::municipality_move(subject, fact)),
            contact: areas::contact(subject).filter(|_| marked(Marking::Address)),
            districts: Elsewhere(place.and_then(|place| self.register.districts(place))),
            stays_abroad: self
                .area(Marking::Emigration, Aspect::Emigration, |fact| areas::stay(subject, fact, self.register)),
            relations: marked(Marking::Relations).then(|| areas::relations(subject)),
            notes: if marked(Marking::Notes) { sf1520::notes(subject) } else { Vec::new() },
            numbers: if marked(Marking::NumberList) {
                areas::numbers(self.snapshot, self.request)?
            } else {
                Vec::new()
            },
            municipal_conditions: match marked(Marking::MunicipalConditions) {
                true => subject
                    .all(Aspect::MunicipalCondition, cpr_replika::Fact::municipal_condition)
                    .map(areas::municipal_condition)
                    .collect(),
                false => Vec::new(),
            },
            events: if marked(Marking::Events) { Some(areas::events(self.snapshot, self.request)?) } else { None },
        })
    }
}
