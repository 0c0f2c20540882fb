//! Requests of the national services about people who do not exist, and what every answer to any request must be.

use cpr_wire::xml::Document;
use cpr_wire::{Answer, Endpoint, FileMetadata, Limits, SoapVersion, sf1520, sf1525, sf6008};

const CONTEXT: &str = r#"<i:InvocationContext xmlns:i="http://serviceplatformen.dk/xml/schemas/InvocationContext/1/">
<i:ServiceAgreementUUID>11111111-2222-4333-8444-555555555555</i:ServiceAgreementUUID>
<i:UserSystemUUID>22222222-2222-4333-8444-555555555555</i:UserSystemUUID>
<i:UserUUID>33333333-2222-4333-8444-555555555555</i:UserUUID>
<i:ServiceUUID>44444444-2222-4333-8444-555555555555</i:ServiceUUID></i:InvocationContext>"#;

const PNR: &str = r#"<p:PNR xmlns:p="http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/">6101801234</p:PNR>"#;

const MESSAGE: &str = r#"<?xml version="1.0" encoding="iso-8859-1"?><Gctp v="1.0"><System r="CprSoeg"><Service r="Stam+">
<CprServiceHeader r="Stam+"><Key><Field r="PNR" v="6101801234"/></Key></CprServiceHeader></Service></System></Gctp>"#;

const ENDPOINTS: [Endpoint; 7] = [
    Endpoint::Sf6002,
    Endpoint::Sf1520(sf1520::Version::V4),
    Endpoint::Sf1520(sf1520::Version::V5),
    Endpoint::Sf1525(sf1525::Version::V1),
    Endpoint::Sf1525(sf1525::Version::V2),
    Endpoint::Sf6008,
    Endpoint::Gctp,
];

/// The path that a byte chooses.
pub fn endpoint(choice: u8) -> Endpoint {
    ENDPOINTS[usize::from(choice) % ENDPOINTS.len()]
}

/// The answer is an envelope in well-formed XML.
pub fn assert_envelope(answer: &Answer) {
    let limits = Limits { bytes: usize::MAX, depth: 100, elements: 100_000, ..Limits::REQUEST };
    let document = Document::parse(&answer.body, &limits).expect("an answer is well-formed");
    assert!(SoapVersion::ALL.iter().any(|version| document.root().is(version.namespace(), "Envelope")));
    assert!([200, 400, 500].contains(&answer.status));
}

fn envelope(version: SoapVersion, body: &str) -> String {
    let namespace = version.namespace();
    format!("<e:Envelope xmlns:e=\"{namespace}\"><e:Header/><e:Body>{body}</e:Body></e:Envelope>")
}

/// A message of GCTP, escaped in its envelope.
pub fn gctp_envelope(message: &str) -> String {
    let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    gctp(&message)
}

fn gctp(message: &str) -> String {
    let namespace = cpr_wire::gctp::NAMESPACE;
    let message = format!("{CONTEXT}<gctpMessage>{message}</gctpMessage>");
    let request = format!("<callGCTPCheckServiceRequest xmlns=\"{namespace}\">{message}</callGCTPCheckServiceRequest>");
    envelope(SoapVersion::V1_1, &request)
}

fn subscription(operation: &str, parameter: &str) -> String {
    let namespace = cpr_wire::sf6002::NAMESPACE;
    let request = format!("<{operation} xmlns=\"{namespace}\">{CONTEXT}{parameter}</{operation}>");
    envelope(SoapVersion::V1_1, &request)
}

fn lookup(version: SoapVersion, namespace: &str, root: &str) -> String {
    envelope(version, &format!("<{root} xmlns=\"{namespace}\">{CONTEXT}{PNR}</{root}>"))
}

fn person_data(marking: &str) -> String {
    let header = "<c:HovedOplysninger xmlns:c='http://kombit.dk/xml/schemas/kontekst/2017/01/01/'>\
        <c:TransaktionsId>a</c:TransaktionsId><c:TransaktionsTid>2026-01-08T12:00:00.5+01:00</c:TransaktionsTid>\
        <c:AuthorityContext><c:MunicipalityCVR>12345678</c:MunicipalityCVR></c:AuthorityContext></c:HovedOplysninger>";
    let number = "<Personnummer>urn:oio:cpr-nr:6101801234</Personnummer>";
    let root = "PersonStamoplysningerSamlingHent_I";
    let namespace = sf1525::NAMESPACE;
    let request = format!("<{root} xmlns='{namespace}'>{header}{number}{marking}</{root}>");
    envelope(SoapVersion::V1_2, &request)
}

/// Seeds of the target `envelope`: the choice of the path, then a body.
pub fn envelopes() -> Vec<(&'static str, Vec<u8>)> {
    let age = "<AgeRange><StartAge>0</StartAge><EndAge>17</EndAge></AgeRange>";
    let (fourth, fifth) = (sf1520::Version::V4.namespace(), sf1520::Version::V5.namespace());
    let bodies = [
        ("sf6002-add-pnr", 0, subscription("AddPNRSubscription", PNR)),
        ("sf6002-remove-age", 0, subscription("RemoveAgeRangeSubscription", age)),
        (
            "sf6002-add-municipality",
            0,
            subscription("AddMunicipalityCodeSubscription", "<MunicipalityCode>999</MunicipalityCode>"),
        ),
        ("sf6002-add-code", 0, subscription("AddChangeCodeSubscription", "<ChangeCode>A01</ChangeCode>")),
        ("sf6002-remove-all", 0, subscription("RemoveAll", "<FilterGroup>EventChangeCode</FilterGroup>")),
        ("sf6002-get-all", 0, subscription("GetAllFilters", "")),
        ("sf1520-4", 1, lookup(SoapVersion::V1_1, fourth, "PersonLookupRequest")),
        ("sf1520-5-soap-1-2", 2, lookup(SoapVersion::V1_2, fifth, "PersonLookupRequest")),
        ("sf1525-1-marking-of-2", 3, person_data("<NotatListeMarkering>Aktuel</NotatListeMarkering>")),
        ("sf1525-2", 4, person_data("<NavnMarkering>AktuelMedHistorik</NavnMarkering>")),
        ("sf6008-list", 5, lookup(SoapVersion::V1_1, sf6008::NAMESPACE, "callCPRBasicInformationListRequest")),
        ("gctp-cdata", 6, gctp(&format!("<![CDATA[{MESSAGE}]]>"))),
        ("gctp-escaped", 6, gctp_envelope(MESSAGE)),
        ("doctype", 0, "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned()),
    ];
    let seed = |(name, choice, body): (&'static str, u8, String)| (name, [&[choice], body.as_bytes()].concat());
    bodies.into_iter().map(seed).collect()
}

/// Seeds of the target `gctp`.
pub fn messages() -> [(&'static str, String); 3] {
    let search = "<Gctp v=\"1.0\"><System r=\"CprSoeg\"><Service r=\"ADRSOG1\"><CprServiceHeader r=\"ADRSOG1\"><Key>\
        <Field r=\"VEJK\" v=\"0001\"/><Field r=\"KOMK\" v=\"0999\"/><Field r=\"NVN\" v=\"S&#248;ren &amp; Co\"/></Key>\
        </CprServiceHeader></Service></System></Gctp>";
    [
        ("stam-with-prolog", MESSAGE.to_owned()),
        ("adrsog1", search.to_owned()),
        ("within-a-root", format!("\n<root xmlns=\"http://www.cpr.dk\">{search}</root>\n")),
    ]
}

/// Seeds of the target `metadata`.
pub fn metadata() -> [(&'static str, String); 2] {
    let sent = FileMetadata {
        transfer: None,
        file_name: "D260102.L999901".to_owned(),
        bytes: 1_234,
        sender: "a & b".to_owned(),
        senders_file_id: "1".to_owned(),
        recipients: vec!["c".to_owned(), "d".to_owned()],
    };
    let transfer = Some("11111111-2222-4333-8444-555555555555".parse().expect("a UUID"));
    [("sent", sent.to_xml()), ("received", FileMetadata { transfer, ..sent }.to_xml())]
}

/// Search strings of SF1520 and, behind an empty line, fields of ADRSOG1: what stands in docs/search.md, and signs that
/// mean something.
pub const SEARCHES: [(&str, &str); 16] = [
    ("contract", "q=(standardadresse:Akseltorv 1) AND (postnummer:6000)&rows=10"),
    ("prefix-and-range", "efternavn:Hans* AND foedselsdato:[1980-01-01 TO 1980-12-31]"),
    ("phrase", "vejnavn:\"Nørre Allé\" AND husnummer:[1 TO 21] AND postnummer:2200"),
    ("address-as-typed", "standardadresse:\"Akseltorv 1A, 2. tv\""),
    ("address-by-building", "adresse:\"Aqqusinersuaq BNR 1234\""),
    ("parts", "vejkode:42 AND etage:1. AND sidedoer:tv AND kommunekode:0101 AND bygningsnummer:1"),
    ("not", "-efternavn:Skov +koen:M NOT (koen:K OR status:01)"),
    ("signs", "efternavn:Sk?v^2 && koen:K || !navn:(Ane* Bo)"),
    ("everybody", "*:* AND navn:*"),
    ("operator", "q=navn:a* koen:K&q.op=AND&rows=5&start=1&cursorMark=*"),
    ("escapes", "q=efternavn%3ASkov%20%26%26%20koen%3AK&rows=5"),
    ("ranges", "status:[01 TO 90] AND foedselsdato:[* TO 1979-12-31T00:00:00Z] AND postnummer:[1000 TO *]"),
    ("default-field", "6101801234 akseltorv 1 6000"),
    ("deep", "((((((((navn:a*)))))))) AND landekode:5100 AND postdistrikt:København AND bynavn:a*"),
    ("adrsog1", "\nVEJK=8512\nKOMK=0851\nHNR=091\nETAG=01\nSIDO=tv\nKON=K\nSTAF=01\nMAXA=2"),
    ("adrsog1-names", "\nVNVN=a*\nPOST=9000\nNVN1=a\nSTB=5100\nBNR=1\nREST=6101801234\nAIA=1"),
];
