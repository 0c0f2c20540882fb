//! The message (`Haendelsesbesked`): what a filter sees, who may have it, and the event.

use std::fmt;

use cpr_events::{Cause, EventKind};
use cpr_model::{Aspect, Date, Day, MunicipalityCode, Pnr, Timestamp};
use uuid::{Uuid, uuid};

use super::{ENVELOPE, NAMESPACE, OBJECTS, OPERATIONS};
use crate::context::Cvr;
use crate::xml::Writer;
use crate::xsd;

/// *Person* in KOMBIT's classification of business objects.
const PERSON: Uuid = uuid!("ce7fcf97-a8a2-447a-8690-d38aa0f6e23c");

/// An identification: `UUIDIdentifikator` or `URNIdentifikator`.
#[derive(Clone, Eq, PartialEq)]
pub enum Id {
    /// A UUID.
    Uuid(Uuid),
    /// A URN.
    Urn(String),
}

/// What is the same in every message of a host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Publisher {
    /// `Beskedtype`: which messages these are, as they are registered with the distributor.
    pub message_type: Id,
    /// `BeskedAnsvarligAktoer` and `RegistreringsAktoer`: who answers for them.
    pub responsible: Option<Uuid>,
    /// `Kildesystem`: the system that sends.
    pub source: Option<Uuid>,
    /// `Sikkerhedsklassificering`.
    pub classification: Option<Id>,
    /// `ObjektHandling` of kinds that the receivers know under another name than ours (`urn:replika:cpr-event:died`).
    pub actions: Vec<(EventKind, Id)>,
}

/// One event of the engine's feed, ready to be sent. `Debug` tells kind and delivery.
#[derive(Clone, Eq, PartialEq)]
pub struct EventMessage {
    /// `BeskedId`: the event's own id, the same at every try.
    pub id: Uuid,
    /// What happened.
    pub kind: EventKind,
    /// Why, where CPR says.
    pub cause: Option<Cause>,
    /// To whom.
    pub pnr: Pnr,
    /// Whom else it touches.
    pub related: Vec<Pnr>,
    /// Which aspects changed by it.
    pub aspects: Vec<Aspect>,
    /// Where the person lived before it.
    pub municipality_before: Option<MunicipalityCode>,
    /// Where the person lives after it.
    pub municipality_after: Option<MunicipalityCode>,
    /// `ObjektAnsvarligMyndighed`: the municipality that answers for the person, by the host's table.
    pub authority: Option<Cvr>,
    /// `TilladtModtager`: who may have the message; none for whoever the distributor lets.
    pub receivers: Vec<Cvr>,
    /// The delivery that told it, by its number in the store.
    pub delivery: u32,
    /// The delivery's production date.
    pub production_date: Date,
    /// `Dannelsestidspunkt` and `Registreringstidspunkt`: when the delivery was applied, in Danish time, so that every
    /// try says the same.
    pub created: Timestamp,
    /// `GyldighedFra`: since when it holds in the world. A date that is no day of the calendar is left out.
    pub valid_from: Option<Timestamp>,
}

impl EventMessage {
    /// The message as it goes to a queue.
    pub fn to_xml(&self, publisher: &Publisher) -> String {
        let mut out = Writer::document();
        self.write(&mut out, publisher, &[("xmlns:b", ENVELOPE), ("xmlns", OBJECTS)]);
        out.finish()
    }

    /// The message as it is posted to a receiver (`ModtagBeskedInput`).
    pub fn to_push_xml(&self, publisher: &Publisher) -> String {
        let mut out = Writer::document();
        out.open("o:ModtagBeskedInput", &[("xmlns:o", OPERATIONS)]);
        self.write(&mut out, publisher, &[("xmlns:b", ENVELOPE), ("xmlns", OBJECTS)]);
        out.finish()
    }

    fn write(&self, out: &mut Writer, publisher: &Publisher, namespaces: &[(&str, &str)]) {
        out.open("b:Haendelsesbesked", namespaces);
        id(out, "b:BeskedId", &Id::Uuid(self.id));
        out.text("b:BeskedVersion", "1.0").open("b:Beskedkuvert", &[]);
        self.filters(out, publisher);
        out.open("b:Leveranceinformation", &[]);
        time(out, "b:Dannelsestidspunkt", self.created);
        if let Some(source) = publisher.source {
            id(out, "b:Kildesystem", &Id::Uuid(source));
        }
        if let Some(classification) = &publisher.classification {
            id(out, "b:Sikkerhedsklassificering", classification);
        }
        out.close();
        if let Some(valid_from) = self.valid_from {
            time(out, "b:GyldighedFra", valid_from);
        }
        out.close().open("b:Beskeddata", &[]);
        self.payload(out);
        out.close().close();
    }

    /// `Filtreringsdata`: all that a distributor's filter sees.
    fn filters(&self, out: &mut Writer, publisher: &Publisher) {
        out.open("b:Filtreringsdata", &[]);
        id(out, "b:Beskedtype", &publisher.message_type);
        if let Some(responsible) = publisher.responsible {
            id(out, "b:BeskedAnsvarligAktoer", &Id::Uuid(responsible));
        }
        for receiver in &self.receivers {
            id(out, "b:TilladtModtager", &authority(*receiver));
        }
        for related in &self.related {
            self.related(out, &person(*related), &Id::Uuid(PERSON), "related");
        }
        let municipality = Id::Urn(format!("{NAMESPACE}:municipality"));
        for (code, role) in [(self.municipality_before, "before"), (self.municipality_after, "after")] {
            let Some(code) = code else { continue };
            self.related(out, &Id::Urn(format!("{NAMESPACE}:municipality:{code}")), &municipality, role);
        }
        out.open("b:ObjektRegistrering", &[]);
        id(out, "b:ObjektRegistreringId", &Id::Uuid(self.id));
        if let Some(responsible) = publisher.responsible {
            id(out, "b:RegistreringsAktoer", &Id::Uuid(responsible));
        }
        time(out, "b:Registreringstidspunkt", self.created);
        if let Some(cvr) = self.authority {
            id(out, "b:ObjektAnsvarligMyndighed", &authority(cvr));
        }
        id(out, "b:ObjektId", &person(self.pnr));
        id(out, "b:ObjektType", &Id::Uuid(PERSON));
        id(out, "b:ObjektHandling", &publisher.action(self.kind));
        out.close().close();
    }

    fn related(&self, out: &mut Writer, object: &Id, kind: &Id, role: &str) {
        out.open("b:RelateretObjekt", &[]);
        id(out, "b:ObjektId", object);
        id(out, "b:ObjektType", kind);
        id(out, "b:ObjektRolle", &Id::Urn(format!("{NAMESPACE}:role:{role}")));
        out.close();
    }

    /// The engine's own fields.
    fn payload(&self, out: &mut Writer) {
        out.open("e:PersonEvent", &[("xmlns:e", NAMESPACE)]).text("e:Kind", self.kind.name());
        if let Some(cause) = &self.cause {
            out.open("e:Cause", &[]).text("e:Code", &cause.code.to_string());
            if let Some(mark) = cause.derived_mark {
                out.text("e:DerivedMark", &mark.to_string());
            }
            if let Some(at) = cause.registered_at {
                out.text("e:RegisteredAt", &at.to_string());
            }
            out.close();
        }
        out.text("e:Pnr", self.pnr.reveal());
        for related in &self.related {
            out.text("e:RelatedPnr", related.reveal());
        }
        for aspect in &self.aspects {
            out.text("e:ChangedAspect", aspect.name());
        }
        if let Some(code) = self.municipality_before {
            out.text("e:MunicipalityBefore", &code.to_string());
        }
        if let Some(code) = self.municipality_after {
            out.text("e:MunicipalityAfter", &code.to_string());
        }
        if let Some(valid_from) = self.valid_from {
            out.text("e:ValidFrom", &valid_from.to_string());
        }
        out.text("e:Delivery", &self.delivery.to_string());
        out.text("e:ProductionDate", &self.production_date.to_string()).close();
    }
}

impl Publisher {
    fn action(&self, kind: EventKind) -> Id {
        let configured = self.actions.iter().find(|(of, _)| *of == kind).map(|(_, id)| id.clone());
        configured.unwrap_or_else(|| Id::Urn(format!("{NAMESPACE}:{kind}")))
    }
}

/// Says what happened in which delivery, not to whom or where.
impl fmt::Debug for EventMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of delivery {}", self.kind, self.delivery)
    }
}

/// Prints a URN as `Urn(..)`: it may name a person.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Uuid(uuid) => write!(f, "Uuid({uuid})"),
            Id::Urn(_) => f.write_str("Urn(..)"),
        }
    }
}

fn person(pnr: Pnr) -> Id {
    Id::Urn(format!("urn:oio:cpr-nr:{}", pnr.reveal()))
}

fn authority(cvr: Cvr) -> Id {
    Id::Urn(format!("urn:oio:cvr-nr:{cvr}"))
}

fn id(out: &mut Writer, name: &'static str, id: &Id) {
    out.open(name, &[]);
    match id {
        Id::Uuid(uuid) => out.text("UUIDIdentifikator", &uuid.hyphenated().to_string()),
        Id::Urn(urn) => out.text("URNIdentifikator", urn),
    };
    out.close();
}

/// A moment, where it is one of the calendar.
fn time(out: &mut Writer, name: &'static str, at: Timestamp) {
    if Day::of(at.date()).is_some() {
        out.open(name, &[]).text("TidsstempelDatoTid", &xsd::date_time(at).to_string()).close();
    }
}
