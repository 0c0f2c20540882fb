//! SF1520 and SF6008: one number, answered in the version of SOAP that was asked in.

use cpr_wire::{Call, Endpoint, Error, SoapVersion, sf1520, sf6008};

use crate::kit::{NUMBER, body, envelope, lookup, parsed, read};

#[test]
fn a_person_lookup_is_read_in_both_versions_of_contract_and_envelope() {
    for version in [sf1520::Version::V4, sf1520::Version::V5] {
        for soap in SoapVersion::ALL {
            let request = envelope(soap, &lookup(version.namespace(), "PersonLookupRequest", NUMBER));
            let request = read(Endpoint::Sf1520(version), &request).expect("a request");
            let Call::Sf1520 { version: read_version, pnr } = request.call else { panic!("a lookup") };
            assert_eq!((read_version, pnr.reveal()), (version, NUMBER));
            assert_eq!((request.operation, request.reply.version()), ("PersonLookup", soap));
            let answer = request.reply.answer(&format!("<PersonLookupResponse xmlns=\"{}\"/>", version.namespace()));
            assert_eq!((answer.status, answer.content_type), (200, soap.content_type()));
            let document = parsed(&answer);
            assert!(document.root().is(soap.namespace(), "Envelope"));
            assert!(body(&document).is(version.namespace(), sf1520::ANSWER));
        }
    }
}

#[test]
fn a_path_serves_its_own_version_alone() {
    let fourth = envelope(SoapVersion::V1_1, &lookup(sf1520::Version::V4.namespace(), "PersonLookupRequest", NUMBER));
    let refused = read(Endpoint::Sf1520(sf1520::Version::V5), &fourth).expect_err("another version");
    assert_eq!(refused.error, Error::UnknownOperation);
    for path in ["/service/CPR/PersonBaseDataExtended/5", "/service/CPR/PersonBaseDataExtended/5/"] {
        assert_eq!(Endpoint::from_path(path), Some(Endpoint::Sf1520(sf1520::Version::V5)));
    }
    assert_eq!(Endpoint::from_path("/service/CPR/PersonBaseDataExtended/3"), None);
    assert_eq!(Endpoint::from_path(Endpoint::Gctp.path()), Some(Endpoint::Gctp));
}

#[test]
fn the_four_operations_of_sf6008_are_read() {
    let requests = [
        (sf6008::Operation::Basic, "callCPRBasicInformationRequest"),
        (sf6008::Operation::Extended, "callCPRBasicInformationExtendedRequest"),
        (sf6008::Operation::List, "callCPRBasicInformationListRequest"),
        (sf6008::Operation::ExtendedList, "callCPRBasicInformationExtendedListRequest"),
    ];
    for (operation, root) in requests {
        let request = read(Endpoint::Sf6008, &envelope(SoapVersion::V1_1, &lookup(sf6008::NAMESPACE, root, NUMBER)));
        let request = request.expect("a request");
        let Call::Sf6008 { operation: read_operation, pnr } = request.call else { panic!("a lookup") };
        assert_eq!((read_operation, pnr.reveal(), request.operation), (operation, NUMBER, operation.name()));
    }
}

#[test]
fn an_envelope_holds_one_request_and_nothing_beside_it() {
    let request = lookup(sf6008::NAMESPACE, "callCPRBasicInformationRequest", NUMBER);
    let error = |xml: &str| read(Endpoint::Sf6008, xml).expect_err("refused").error;
    assert_eq!(error(&envelope(SoapVersion::V1_1, "")), Error::UnknownOperation);
    assert_eq!(error(&envelope(SoapVersion::V1_1, &request.repeat(2))), Error::UnknownOperation);
    assert_eq!(error(&request), Error::NotAnEnvelope);
    let sound = envelope(SoapVersion::V1_1, &request);
    assert_eq!(error(&sound.replace("<e:Header/>", "<e:Header/><e:Header/>")), Error::NotAnEnvelope);
    assert_eq!(error(&sound.replace("</e:Body>", "</e:Body><e:Body/>")), Error::NotAnEnvelope);
    assert_eq!(error(&sound.replace("soap/envelope/", "soap/envelope")), Error::NotAnEnvelope);
    assert!(read(Endpoint::Sf6008, &sound.replace("<e:Header/>", "")).is_ok());
}

#[test]
fn a_header_that_must_be_understood_is_refused_unless_the_host_understands_it() {
    let request = lookup(sf6008::NAMESPACE, "callCPRBasicInformationRequest", NUMBER);
    for (soap, flag) in [(SoapVersion::V1_1, "1"), (SoapVersion::V1_2, "true")] {
        let flagged = format!("<e:Header><s:Security xmlns:s='urn:s' e:mustUnderstand='{flag}'/></e:Header>");
        let xml = envelope(soap, &request).replace("<e:Header/>", &flagged);
        let refused = read(Endpoint::Sf6008, &xml).expect_err("not understood");
        assert_eq!((refused.error, refused.reply.version()), (Error::MustUnderstand, soap));
        assert!(refused.answer().body.contains("soap:MustUnderstand"));
        let reading = cpr_wire::Reading { understood: &["urn:s"], ..Default::default() };
        assert!(Endpoint::Sf6008.read(xml.as_bytes(), &reading).is_ok());
        assert!(
            read(Endpoint::Sf6008, &xml.replace("e:mustUnderstand", "e:actor='urn:other' e:mustUnderstand")).is_ok()
        );
    }
}
