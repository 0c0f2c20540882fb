//! What is written against the contracts' own schemas, by way of `xmllint`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cpr_wire::cpr_subscription::Filter;
use cpr_wire::event_message::{EventMessage, Publisher};
use cpr_wire::sf6002::{Outcome, Version};
use cpr_wire::{Call, Endpoint, FileMetadata, Problem, SoapVersion, gctp, sf1525, sf6008};

use crate::event_message::{moved, publisher};
use crate::kit::{CONTEXT, NUMBER, envelope, lookup, read, samples, subscription};

/// The folder of the samples when `xmllint` is there too. On a machine that builds every change it must be.
fn samples_and_xmllint(test: &str) -> Option<PathBuf> {
    let run = Command::new("xmllint").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = run.is_ok_and(|status| status.success());
    assert!(there || std::env::var("CI").as_deref() != Ok("true"), "xmllint is missing: apt-get install libxml2-utils");
    if !there {
        eprintln!("{test}: skipped, xmllint is not installed");
    }
    samples(test).filter(|_| there)
}

/// A scratch folder with a schema in it and what it needs.
struct Schema {
    folder: tempfile::TempDir,
    root: &'static str,
}

impl Schema {
    fn new(root: &'static str) -> Schema {
        Schema { folder: tempfile::tempdir().expect("a scratch folder"), root }
    }

    /// Puts a file of the samples there, mended where `xmllint` needs it.
    fn with(self, from: &Path, to: &str, mend: impl Fn(&str) -> String) -> Schema {
        let text = std::fs::read_to_string(from).unwrap_or_else(|_| panic!("a schema: {}", from.display()));
        self.write(to, &mend(&text))
    }

    fn write(self, to: &str, text: &str) -> Schema {
        let path = self.folder.path().join(to);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// The document is valid, and would not be with an element that no schema has.
    fn check(&self, document: &str) {
        if let Err(fault) = self.validate(document) {
            panic!("{fault}\n{document}");
        }
        let at = document.rfind("</").or_else(|| document.rfind("/>")).expect("an element");
        let stray = match &document[at..at + 2] {
            "</" => format!("{}<stray/>{}", &document[..at], &document[at..]),
            _ => format!("{} stray=\"\"{}", &document[..at], &document[at..]),
        };
        assert!(self.validate(&stray).is_err(), "a fault would not be seen");
    }

    fn validate(&self, document: &str) -> Result<(), String> {
        let path = self.folder.path().join("document.xml");
        std::fs::write(&path, document).expect("a file");
        let schema = self.folder.path().join(self.root);
        let run = Command::new("xmllint").args(["--noout", "--schema"]).arg(schema).arg(path).output();
        let run = run.expect("xmllint runs");
        let said = String::from_utf8_lossy(&run.stderr);
        if run.status.success() { Ok(()) } else { Err(said.lines().next().unwrap_or_default().to_owned()) }
    }
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// What stands in the body of an envelope.
fn body(xml: &str) -> &str {
    xml.split_once("<soap:Body>").and_then(|(_, rest)| rest.split_once("</soap:Body>")).expect("a body").0
}

/// The schema of SF6002 in a version; that of 1.0 as shipped bounds the digits of numbers in a way that no validator
/// takes.
fn sf6002_schema(samples: &Path, version: Version) -> Schema {
    let (folder, file) = match version {
        Version::V1_0 => ("services/schemas/sf6002-cprsubscription-v1", "CprSubscriptionServiceMsg.xsd"),
        Version::V1_1 => ("services/found/sf6002-1.1", "CprSubscriptionServiceMsg-1.1.reconstructed.xsd"),
    };
    let folder = samples.join(folder);
    let unbound = |text: &str| match version {
        Version::V1_0 => ["3", "4"]
            .iter()
            .fold(text.to_owned(), |text, digits| text.replace(&format!("<xsd:maxLength value=\"{digits}\"/>"), "")),
        Version::V1_1 => text.to_owned(),
    };
    ["InvocationContext_20121009.xsd", "PNR_20121119.xsd"]
        .into_iter()
        .fold(Schema::new("root.xsd").with(&folder.join(file), "root.xsd", unbound), |schema, file| {
            schema.with(&folder.join(file), file, as_it_is)
        })
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_answer_of_sf6002_is_valid() {
    let Some(samples) = samples_and_xmllint("every_answer_of_sf6002_is_valid") else { return };
    let parameter = |kind: &str| match kind {
        "PNR" => format!("<p:PNR>{NUMBER}</p:PNR>"),
        "AgeRange" => "<AgeRange><StartAge>0</StartAge><EndAge>17</EndAge></AgeRange>".to_owned(),
        "MunicipalityCode" => "<MunicipalityCode>851</MunicipalityCode>".to_owned(),
        "ChangeCode" => "<ChangeCode>A01</ChangeCode>".to_owned(),
        _ => String::new(),
    };
    let kinds = ["PNR", "AgeRange", "MunicipalityCode", "ChangeCode", "NoFilter"];
    let named = kinds
        .iter()
        .flat_map(|kind| ["Add", "Remove"].map(|verb| (format!("{verb}{kind}Subscription"), parameter(kind))));
    let group = "<FilterGroup>PNR</FilterGroup>".to_owned();
    let operations: Vec<(String, String)> = named.chain([("RemoveAll".to_owned(), group)]).collect();
    let filters =
        ["6101801234", "0-17", "998-999", "0851", "0101", "A01"].map(|text| text.parse::<Filter>().expect("a filter"));
    for version in [Version::V1_0, Version::V1_1] {
        let schema = sf6002_schema(&samples, version);
        let mut answers = 0;
        for (operation, parameter) in &operations {
            let xml = subscription(operation, parameter);
            let request = read(Endpoint::Sf6002, &xml).expect("a request");
            let Call::Sf6002(call) = &request.call else { panic!("a call of SF6002") };
            if call.is_in(version) {
                schema.check(&call.result_xml(Outcome::Added));
                answers += 1;
            }
        }
        assert_eq!(answers, if version == Version::V1_0 { 9 } else { 11 });
        let request = read(Endpoint::Sf6002, &subscription("GetAllFilters", "")).expect("a request");
        let Call::Sf6002(call) = &request.call else { panic!("a call of SF6002") };
        for filters in [&filters[..], &[Filter::Everything]] {
            schema.check(body(&request.reply.answer(&call.filters_xml(version, filters)).body));
        }
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn a_fault_holds_a_valid_fault_of_the_platform() {
    let Some(samples) = samples_and_xmllint("a_fault_holds_a_valid_fault_of_the_platform") else { return };
    let shipped = samples.join("services/schemas/sf6008-cprbasicinformation-v1/ServiceplatformFault_1.xsd");
    let schema = Schema::new("root.xsd").with(&shipped, "root.xsd", as_it_is);
    for soap in SoapVersion::ALL {
        let xml = envelope(soap, &lookup(sf6008::NAMESPACE, "callCPRBasicInformationRequest", NUMBER));
        let reply = read(Endpoint::Sf6008, &xml).expect("a request").reply;
        for problem in [Problem::UnknownNumber, Problem::MalformedNumber, Problem::NoAgreement, Problem::Internal] {
            let fault = reply.refuse(&problem).body;
            let start = fault.find("<ns2:ServiceplatformFault").expect("the platform's fault");
            let end = "</ns2:ServiceplatformFault>";
            let stop = fault.find(end).expect("its end") + end.len();
            schema.check(&fault[start..stop]);
        }
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn an_answer_of_gctp_is_valid() {
    let Some(samples) = samples_and_xmllint("an_answer_of_gctp_is_valid") else { return };
    // The shipped types import a schema from beside their folder, which lies in it.
    let shipped = samples.join("services/schemas/gctp-cprservice-v2");
    let schema = Schema::new("gctp/CprServiceMsg.xsd")
        .with(&shipped.join("CprServiceMsg.xsd"), "gctp/CprServiceMsg.xsd", as_it_is)
        .with(&shipped.join("CprServiceTypes.xsd"), "gctp/CprServiceTypes.xsd", as_it_is)
        .with(&shipped.join("InvocationContext_20121009.xsd"), "InvocationContext_20121009.xsd", as_it_is);
    let message =
        "<Gctp><System r='CprSoeg'><Service r='Stam+'><CprServiceHeader r='Stam+'/></Service></System></Gctp>";
    let request = format!(
        "<callGCTPCheckServiceRequest xmlns='{}'>{CONTEXT}<gctpMessage><![CDATA[{message}]]></gctpMessage>\
         </callGCTPCheckServiceRequest>",
        gctp::NAMESPACE
    );
    schema.check(&request);
    let request = read(Endpoint::Gctp, &envelope(SoapVersion::V1_1, &request)).expect("a request");
    schema.check(body(&request.reply.answer("<root/>").body));
    schema.check(body(&request.reply.refuse(&Problem::UnknownNumber).body));
}

/// The shape of an answer by the packages of the same generation: the header, then what
/// is asked for, of which the number alone stands in the answer here.
const PACKAGE: &str = r#"
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.kombit.dk/2017/01/01/"
    xmlns:kontekst="http://kombit.dk/xml/schemas/kontekst/2017/01/01/" elementFormDefault="qualified">
  <xs:import namespace="http://kombit.dk/xml/schemas/kontekst/2017/01/01/" schemaLocation="context/KontekstType.xsd"/>
  <xs:element name="PersonStamoplysningerSamlingHent_O"><xs:complexType><xs:sequence>
    <xs:element ref="kontekst:HovedOplysningerSvar"/>
    <xs:element name="Personnummer" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn an_answer_of_sf1525_has_the_shape_of_its_package() {
    let Some(samples) = samples_and_xmllint("an_answer_of_sf1525_has_the_shape_of_its_package") else { return };
    let shipped = samples.join("services/schemas/kombit2017-model/common/context");
    let mut schema = Schema::new("root.xsd").write("root.xsd", PACKAGE);
    for entry in std::fs::read_dir(&shipped).expect("schemas") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        schema = schema.with(&path, &format!("context/{name}"), as_it_is);
    }
    for id in ["", "<c:RequestId>11111111-2222-4333-8444-555555555555</c:RequestId>"] {
        let request = format!(
            "<PersonStamoplysningerSamlingHent_I xmlns='{}'>\
             <c:HovedOplysninger xmlns:c='http://kombit.dk/xml/schemas/kontekst/2017/01/01/'>\
             <c:TransaktionsId>a</c:TransaktionsId><c:TransaktionsTid>2026-01-08T12:00:00.25Z</c:TransaktionsTid>{id}\
             </c:HovedOplysninger>\
             <Personnummer>urn:oio:cpr-nr:{NUMBER}</Personnummer></PersonStamoplysningerSamlingHent_I>",
            sf1525::NAMESPACE
        );
        let endpoint = Endpoint::Sf1525(sf1525::Version::V2);
        let reply = read(endpoint, &envelope(SoapVersion::V1_2, &request)).expect("a request").reply;
        let start = format!("<{} xmlns=\"{}\">", sf1525::ANSWER, sf1525::NAMESPACE);
        let answer = format!("{start}<Personnummer>urn:oio:cpr-nr:{NUMBER}</Personnummer></{}>", sf1525::ANSWER);
        schema.check(body(&reply.answer(&answer).body));
        for problem in [Problem::UnknownNumber, Problem::Marking { marking: "NotatListeMarkering" }, Problem::Internal]
        {
            schema.check(body(&reply.refuse(&problem).body));
        }
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn metadata_is_valid() {
    let Some(samples) = samples_and_xmllint("metadata_is_valid") else { return };
    let schema = Schema::new("root.xsd").with(
        &samples.join("services/found/sftp/sftp-types.reconstructed.xsd"),
        "root.xsd",
        as_it_is,
    );
    let metadata = FileMetadata {
        transfer: Some("11111111-2222-4333-8444-555555555555".parse().expect("a UUID")),
        file_name: "D260102.L000001".to_owned(),
        bytes: 0,
        sender: "replika".to_owned(),
        senders_file_id: "1".to_owned(),
        recipients: vec!["a".to_owned(), "b".to_owned()],
    };
    schema.check(&metadata.to_xml());
    schema.check(&FileMetadata { transfer: None, ..metadata }.to_xml());
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn a_message_of_an_event_is_valid() {
    let Some(samples) = samples_and_xmllint("a_message_of_an_event_is_valid") else { return };
    let shipped = samples.join("services/schemas/beskedfordeler/xsd");
    let files = [
        "AnvendersystemOperationer.xsd",
        "Beskedkuvert.xsd",
        "1.1/SagDokObjekt.xsd",
        "1.1/OrganisationFaelles.xsd",
        "1.1/Part.xsd",
    ];
    let schema = files.into_iter().fold(Schema::new("AnvendersystemOperationer.xsd"), |schema, file| {
        schema.with(&shipped.join(file), file, as_it_is)
    });
    // The schema of signatures has a document type that names a file of the network, which no validation here should
    // ask for.
    let without_type = |text: &str| match (text.find("<!DOCTYPE"), text.find("]>")) {
        (Some(start), Some(end)) => format!("{}{}", &text[..start], &text[end + 2..]),
        _ => text.to_owned(),
    };
    let signatures = "cached/xmldsig-core-schema.xsd";
    let schema = schema.with(&shipped.join(signatures), signatures, without_type);
    let bare = EventMessage {
        cause: None,
        related: Vec::new(),
        aspects: Vec::new(),
        municipality_before: None,
        municipality_after: None,
        authority: None,
        receivers: Vec::new(),
        valid_from: None,
        ..moved()
    };
    let unknown = Publisher { responsible: None, source: None, classification: None, ..publisher() };
    for (message, publisher) in
        [(&moved(), &publisher()), (&bare, &publisher()), (&moved(), &unknown), (&bare, &unknown)]
    {
        schema.check(&message.to_push_xml(publisher));
        schema.check(&message.to_xml(publisher));
    }
}
