//! SF1525: markings, and a header that bears the transaction of the request.

use cpr_wire::sf1525::{Depth, Marking, Markings, Version};
use cpr_wire::{Call, Endpoint, Error, Problem, Refused, Request, SoapVersion, sf1525};

use crate::kit::{NUMBER, body, envelope, find, parsed, read, text};

const TRANSACTION: &str = "urn:uuid:7d2f & co";

/// A request of these markings.
fn request(markings: &str) -> String {
    let body = format!(
        r#"<k:PersonStamoplysningerSamlingHent_I xmlns:k="http://www.kombit.dk/2017/01/01/">
        <c:HovedOplysninger xmlns:c="http://kombit.dk/xml/schemas/kontekst/2017/01/01/">
            <c:TransaktionsId>urn:uuid:7d2f &amp; co</c:TransaktionsId>
            <c:TransaktionsTid>2026-01-08T12:00:00.5+01:00</c:TransaktionsTid>
            <c:RequestId>11111111-2222-4333-8444-555555555555</c:RequestId>
            <c:OnBehalfOfUser>somebody</c:OnBehalfOfUser>
            <c:AuthorityContext><c:MunicipalityCVR>12345678</c:MunicipalityCVR></c:AuthorityContext>
        </c:HovedOplysninger>
        <k:Personnummer>urn:oio:cpr-nr:{NUMBER}</k:Personnummer>{markings}
        </k:PersonStamoplysningerSamlingHent_I>"#
    );
    envelope(SoapVersion::V1_2, &body)
}

fn ask(version: Version, xml: &str) -> Result<Request, Refused> {
    read(Endpoint::Sf1525(version), xml)
}

/// Markings in XML at this depth.
fn marked(markings: impl IntoIterator<Item = Marking>, depth: &str) -> String {
    let element = |marking: Marking| {
        let depth = if marking == Marking::NumberList { "true" } else { depth };
        format!("<k:{0}>{depth}</k:{0}>", marking.name())
    };
    markings.into_iter().map(element).collect()
}

#[test]
fn every_marking_of_2_0_is_read_at_both_depths() {
    for (word, depth) in [("Aktuel", Depth::Current), ("AktuelMedHistorik", Depth::WithHistory)] {
        let read = ask(Version::V2, &request(&marked(Marking::ALL, word))).expect("a request");
        let Call::Sf1525(call) = read.call else { panic!("a call of SF1525") };
        assert_eq!(call.pnr.reveal(), NUMBER);
        assert_eq!(call.markings, Markings::all(depth).with(Marking::NumberList, Depth::Current));
        assert_eq!(read.contexts.authority.expect("there").cvr.to_string(), "12345678");
        assert_eq!(read.contexts.call.expect("there").user.as_deref(), Some("somebody"));
    }
    let none = request("<k:PersonnummerListeMarkering>false</k:PersonnummerListeMarkering>");
    let Call::Sf1525(call) = ask(Version::V2, &none).expect("a request").call else { panic!("a call of SF1525") };
    assert_eq!(call.markings, Markings::default());
}

#[test]
fn the_answer_bears_the_header_of_its_request_first() {
    let read = ask(Version::V2, &request("")).expect("a request");
    let xml = "<PersonStamoplysningerSamlingHent_O xmlns=\"http://www.kombit.dk/2017/01/01/\">\
        <Personnummer>x</Personnummer></PersonStamoplysningerSamlingHent_O>";
    let answer = read.reply.answer(xml);
    assert_eq!((answer.status, answer.content_type), (200, "application/soap+xml; charset=utf-8"));
    let document = parsed(&answer);
    let names: Vec<&str> = body(&document).children().map(|child| child.name()).collect();
    assert_eq!(names, ["HovedOplysningerSvar", "Personnummer"]);
    assert_eq!(text(document.root(), "TransaktionsId"), TRANSACTION);
    assert_eq!(text(document.root(), "TransaktionsTid"), "2026-01-08T12:00:00.5+01:00");
    assert_eq!(text(document.root(), "RequestId"), "11111111-2222-4333-8444-555555555555");
    assert!(find(document.root(), "SvarReaktion").is_none());
    for foreign in ["", "<a/>", "<PersonStamoplysningerSamlingHent_O>", "<PersonStamoplysningerSamlingHent_Ox/>"] {
        let refused = read.reply.answer(foreign);
        assert!(refused.body.contains("INTERNAL_ERROR"), "not an answer of the contract");
    }
}

#[test]
fn what_cannot_be_answered_is_a_reaction_in_the_header_and_no_fault() {
    let unknown = ask(Version::V2, &request("")).expect("a request").reply.refuse(&Problem::UnknownNumber);
    let marking = ask(Version::V1, &request(&marked([Marking::Relations], "Aktuel"))).expect_err("not in 1.0");
    assert_eq!(marking.error, Error::Marking { marking: "RelationerMarkering" });
    let number = ask(Version::V2, &request("").replace(NUMBER, "6101")).expect_err("no number");
    let cases = [
        (unknown, "PNR_NOT_FOUND", "PNR not found"),
        (marking.answer(), "MARKING_NOT_IN_VERSION", "This version has no RelationerMarkering"),
        (number.answer(), "PNR_NOT_VALID", "PNR not valid"),
    ];
    for (answer, code, said) in cases {
        assert_eq!(answer.status, 200);
        let document = parsed(&answer);
        assert!(body(&document).is(sf1525::NAMESPACE, sf1525::ANSWER));
        assert_eq!((text(document.root(), "FejlId"), text(document.root(), "FejlTekst")), (code, said));
        assert_eq!(text(document.root(), "TransaktionsId"), TRANSACTION);
    }
}

#[test]
fn a_marking_that_no_version_has_is_refused() {
    let refused = |markings: &str| ask(Version::V2, &request(markings)).expect_err("refused").error;
    assert_eq!(refused("<k:KaeledyrMarkering>Aktuel</k:KaeledyrMarkering>"), Error::UnknownMarking);
    assert_eq!(refused("<k:Navn>Aktuel</k:Navn>"), Error::UnknownMarking);
    assert_eq!(refused("<k:NavnMarkering>true</k:NavnMarkering>"), Error::Value { element: "NavnMarkering" });
    let twice = marked([Marking::Name, Marking::Name], "Aktuel");
    assert_eq!(refused(&twice), Error::Repeated { element: "NavnMarkering" });
    let list = "<k:PersonnummerListeMarkering>Aktuel</k:PersonnummerListeMarkering>";
    assert_eq!(refused(list), Error::Value { element: "PersonnummerListeMarkering" });
}

#[test]
fn a_request_without_a_sound_header_is_a_fault() {
    for (there, instead, error) in [
        ("c:HovedOplysninger", "c:Andet", Error::Missing { element: "HovedOplysninger" }),
        ("c:TransaktionsId", "c:Andet", Error::Missing { element: "TransaktionsId" }),
        ("2026-01-08T", "2026-02-30T", Error::Value { element: "TransaktionsTid" }),
        ("T12:00:00.5+01:00", "T12:00", Error::Value { element: "TransaktionsTid" }),
        ("T12:00:00.5+01:00", "T12:00:00.", Error::Value { element: "TransaktionsTid" }),
        ("T12:00:00.5+01:00", "T24:00:00+01:00", Error::Value { element: "TransaktionsTid" }),
        ("T12:00:00.5+01:00", "T12:00:00+15:00", Error::Value { element: "TransaktionsTid" }),
        ("11111111-2222", "1111111-2222", Error::Value { element: "RequestId" }),
    ] {
        let refused = ask(Version::V2, &request("").replace(there, instead)).expect_err(instead);
        assert_eq!(refused.error, error, "{instead}");
        let answer = refused.answer();
        assert_eq!((answer.status, find(parsed(&answer).root(), "Fault").is_some()), (400, true));
    }
    for time in ["T12:00:00Z", "T23:59:59", "T00:00:00-14:00"] {
        assert!(ask(Version::V2, &request("").replace("T12:00:00.5+01:00", time)).is_ok(), "{time}");
    }
}
