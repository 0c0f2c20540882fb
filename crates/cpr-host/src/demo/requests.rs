//! Requests to try, one of each kind, as files.

use std::io;
use std::path::{Path, PathBuf};

use cpr_population::Population;
use cpr_wire::{Endpoint, Reading, gctp, sf1520, sf1525, sf6002, sf6008};

/// A number that nobody of a made-up population has.
const NOBODY: &str = "6101801234";
const PNR: &str = "http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/";

/// A system's place in requests and in the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    agreement: &'static str,
    system: &'static str,
    cvr: &'static str,
    services: &'static str,
    purpose: &'static str,
}

/// A request in a file.
#[derive(Clone, Debug)]
pub struct RequestFile {
    /// What it shows.
    pub shows: &'static str,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Whose certificate it goes with.
    pub system: &'static str,
    /// The file.
    pub file: PathBuf,
    /// The body.
    pub body: String,
}

/// The requests.
#[derive(Clone, Debug)]
pub struct Requests(Vec<RequestFile>);

impl Context {
    /// The table of the configuration.
    pub(super) fn table(&self, name: &str, certificate: &str) -> String {
        let Context { agreement, system, cvr, services, purpose } = self;
        format!(
            "\n[[system]]\nname = \"{name}\"\nuuid = \"{system}\"\ncvr = \"{cvr}\"\ncertificates = [\"{certificate}\"]\n\
             \n[[system.agreement]]\nuuid = \"{agreement}\"\npurpose = \"{purpose}\"\nservices = [{services}]\n"
        )
    }

    /// An `InvocationContext` for a service.
    pub fn xml(&self, service: &str) -> String {
        let (agreement, system) = (self.agreement, self.system);
        format!(
            "<i:InvocationContext xmlns:i=\"http://serviceplatformen.dk/xml/schemas/InvocationContext/1/\">\
             <i:ServiceAgreementUUID>{agreement}</i:ServiceAgreementUUID><i:UserSystemUUID>{system}</i:UserSystemUUID>\
             <i:UserUUID>11111111-0000-4000-8000-000000000003</i:UserUUID><i:ServiceUUID>{service}</i:ServiceUUID>\
             </i:InvocationContext>"
        )
    }

    /// The same system under another's agreement.
    #[must_use]
    pub fn with_agreement_of(self, other: &Context) -> Context {
        Context { agreement: other.agreement, ..self }
    }

    /// An `AuthorityContext`.
    pub fn authority_xml(&self) -> String {
        let namespace = "http://serviceplatformen.dk/xml/schemas/AuthorityContext/1/";
        let cvr = self.cvr;
        format!(
            "<a:AuthorityContext xmlns:a=\"{namespace}\"><a:MunicipalityCVR>{cvr}</a:MunicipalityCVR></a:AuthorityContext>"
        )
    }
}

impl Requests {
    /// The system that may call everything.
    pub const SCHOOL: Context = Context {
        agreement: "11111111-0000-4000-8000-000000000001",
        system: "11111111-0000-4000-8000-000000000002",
        cvr: "11111111",
        services: "\"SF1520/4\", \"SF1520/5\", \"SF1525/1\", \"SF1525/2\", \"SF6002\", \"SF6008\", \"Stam+\", \
                   \"Familie+\", \"Navne3\", \"Adresse4\", \"ADRSOG1\"",
        purpose: "enrolment",
    };

    /// The system that may call SF6008 only.
    pub const CLINIC: Context = Context {
        agreement: "22222222-0000-4000-8000-000000000001",
        system: "22222222-0000-4000-8000-000000000002",
        cvr: "22222222",
        services: "\"SF6008\"",
        purpose: "treatment",
    };

    /// Those about the first persons who live in the made-up country.
    pub(super) fn write(folder: &Path, population: &Population) -> io::Result<Requests> {
        private_file::make_folder(folder)?;
        let mut living = (0..population.persons()).filter(|rank| population.lives_here(*rank));
        let rank = living.next().unwrap_or_default();
        let pnr = population.pnr_at(rank);
        let number = pnr.reveal();
        let (municipality, street, _) = population.street_at(rank).unwrap_or_default();
        let address = [("KOMK", format!("{municipality:04}")), ("VEJK", format!("{street:04}"))];
        let gctp = |service: &str, fields: &[(&str, String)]| lookup_gctp(service, fields);
        let (fifth, second) = (sf1520::Version::V5, sf1525::Version::V2);
        let (school, clinic) = ("school", "clinic");
        let list = [
            ("SF1520: a person", Endpoint::Sf1520(fifth), school, lookup_sf1520(fifth, number)),
            ("SF1520: a number that nobody has", Endpoint::Sf1520(fifth), school, lookup_sf1520(fifth, NOBODY)),
            ("SF1525: name and address with history", Endpoint::Sf1525(second), school, lookup_sf1525(number)),
            ("SF6008: the same in short", Endpoint::Sf6008, clinic, lookup_sf6008(number)),
            ("Stam+: by GCTP", Endpoint::Gctp, school, gctp("Stam+", &[("PNR", number.to_owned())])),
            ("ADRSOG1: who lives in the street", Endpoint::Gctp, school, gctp("ADRSOG1", &address)),
            ("SF6002: follow the person", Endpoint::Sf6002, school, add_number(number)),
            ("SF6002: what is followed", Endpoint::Sf6002, school, filters()),
            ("a service that the clinic has no agreement for", Endpoint::Sf6002, clinic, filters()),
        ];
        let mut requests = Vec::new();
        for (at, (shows, endpoint, system, request)) in list.into_iter().enumerate() {
            let context = if system == school { Requests::SCHOOL } else { Requests::CLINIC };
            let body = complete(endpoint, &context, &request);
            let file = folder.join(format!("{}-{}.xml", at + 1, endpoint_name(endpoint)));
            super::write(&file, body.as_bytes())?;
            requests.push(RequestFile { shows, endpoint, system, file, body });
        }
        Ok(Requests(requests))
    }

    /// All of them.
    pub fn list(&self) -> &[RequestFile] {
        &self.0
    }
}

fn endpoint_name(endpoint: Endpoint) -> String {
    crate::service::Service::name_of(endpoint).to_lowercase().replace('/', "-")
}

/// Stands for the context in a request.
const HERE: &str = "{context}";

/// A whole body: the envelope, and the context with the UUID that the platform has for the service.
pub fn complete(endpoint: Endpoint, context: &Context, request: &str) -> String {
    let envelope = |context: &str| {
        let request = request.replace(HERE, context);
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{request}</e:Body></e:Envelope>"
        )
    };
    // The header of SF1525 has a context of its own.
    if let Endpoint::Sf1525(_) = endpoint {
        return envelope(&context.authority_xml());
    }
    let read = endpoint.read(envelope("").as_bytes(), &Reading::default());
    let service = read.ok().and_then(|request| request.call.service_uuid()).unwrap_or_default();
    envelope(&context.xml(&service.hyphenated().to_string()))
}

/// SF1520 about a number.
pub fn lookup_sf1520(version: sf1520::Version, number: &str) -> String {
    let namespace = version.namespace();
    format!(
        "<r:PersonLookupRequest xmlns:r=\"{namespace}\">{HERE}<p:PNR xmlns:p=\"{PNR}\">{number}</p:PNR></r:PersonLookupRequest>"
    )
}

/// SF6008 about a number.
pub fn lookup_sf6008(number: &str) -> String {
    let (root, namespace) = ("callCPRBasicInformationRequest", sf6008::NAMESPACE);
    format!("<r:{root} xmlns:r=\"{namespace}\">{HERE}<p:PNR xmlns:p=\"{PNR}\">{number}</p:PNR></r:{root}>")
}

/// SF1525 about name and address of a number.
pub fn lookup_sf1525(number: &str) -> String {
    let (root, namespace) = ("PersonStamoplysningerSamlingHent_I", sf1525::NAMESPACE);
    format!(
        "<{root} xmlns=\"{namespace}\"><k:HovedOplysninger xmlns:k=\"http://kombit.dk/xml/schemas/kontekst/2017/01/01/\">\
         <k:TransaktionsId>1</k:TransaktionsId><k:TransaktionsTid>2026-01-08T12:00:00Z</k:TransaktionsTid>{HERE}\
         </k:HovedOplysninger><Personnummer>urn:oio:cpr-nr:{number}</Personnummer>\
         <AdresseMarkering>AktuelMedHistorik</AdresseMarkering><NavnMarkering>AktuelMedHistorik</NavnMarkering></{root}>"
    )
}

/// A GCTP service about the fields of its key.
pub fn lookup_gctp(service: &str, fields: &[(&str, String)]) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("<Field r=\"{name}\" v=\"{value}\"/>")).collect();
    let (root, namespace) = ("callGCTPCheckServiceRequest", gctp::NAMESPACE);
    format!(
        "<r:{root} xmlns:r=\"{namespace}\">{HERE}<r:gctpMessage><![CDATA[<Gctp v=\"1.0\"><System r=\"CprSoeg\">\
         <Service r=\"{service}\"><CprServiceHeader r=\"{service}\"><Key>{fields}</Key></CprServiceHeader></Service></System>\
         </Gctp>]]></r:gctpMessage></r:{root}>"
    )
}

/// An operation of SF6002 with its parameter.
pub fn subscription(operation: &str, parameter: &str) -> String {
    let namespace = sf6002::NAMESPACE;
    format!("<{operation} xmlns=\"{namespace}\">{HERE}{parameter}</{operation}>")
}

fn add_number(number: &str) -> String {
    subscription("AddPNRSubscription", &format!("<p:PNR xmlns:p=\"{PNR}\">{number}</p:PNR>"))
}

fn filters() -> String {
    subscription("GetAllFilters", "")
}
