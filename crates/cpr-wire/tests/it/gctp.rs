//! The GCTP services: a message within a message, both ways.

use cpr_wire::{Call, Endpoint, Error, Limits, Problem, Request, SoapVersion, gctp};

use crate::kit::{CONTEXT, NUMBER, body, envelope, find, parsed, read, samples, text};

/// A request whose message stands in the envelope like this.
fn outer(message: &str) -> String {
    let start = format!("<c:callGCTPCheckServiceRequest xmlns:c=\"{}\">", gctp::NAMESPACE);
    let message = format!("<c:gctpMessage>{message}</c:gctpMessage>");
    envelope(SoapVersion::V1_1, &format!("{start}{CONTEXT}{message}</c:callGCTPCheckServiceRequest>"))
}

fn inner(service: &str, key: &str) -> String {
    format!(
        "<Gctp v=\"1.0\"><System r=\"CprSoeg\"><Service r=\"{service}\"><CprServiceHeader r=\"{service}\">\
         <Key>{key}</Key></CprServiceHeader></Service></System></Gctp>"
    )
}

fn field(name: &str, value: &str) -> String {
    format!("<Field r=\"{name}\" v=\"{value}\"/>")
}

fn call(request: &Request) -> &gctp::Request {
    let Call::Gctp(call) = &request.call else { panic!("a call of GCTP") };
    call
}

#[test]
fn a_message_is_read_from_cdata_and_escaped_with_a_prolog_with_blanks_and_with_a_root() {
    let message = inner("stam+", &field("PNR", NUMBER));
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let prolog = "<?xml version=\"1.0\" encoding=\"iso-8859-1\" standalone=\"yes\"?>\n";
    for message in [
        format!("\n  <![CDATA[{message}]]>  \n"),
        escaped,
        format!("<![CDATA[\n{prolog}{message}\n]]>"),
        format!("<![CDATA[\u{feff}<root xmlns=\"http://www.cpr.dk\">{message}</root>]]>"),
    ] {
        let request = read(Endpoint::Gctp, &outer(&message)).expect("a request");
        let call = call(&request);
        assert!(call.is_for("Stam+") && call.is_for("STAM+") && !call.is_for("Stam"));
        assert_eq!(call.pnr().map(|pnr| pnr.reveal().to_owned()), Ok(NUMBER.to_owned()));
        assert_eq!(request.operation, "callGCTPCheckService");
        assert!(!format!("{request:?}").contains(NUMBER));
    }
}

#[test]
fn the_fields_of_a_search_come_in_order() {
    let key = field("VEJK", "8512") + &field("NVN", "Søren &amp; Co") + "<Field r=\"AIA\"/>";
    let message = inner("ADRSOG1", &key);
    let request = read(Endpoint::Gctp, &outer(&format!("<![CDATA[{message}]]>"))).expect("a request");
    let fields: Vec<(&str, &str)> = call(&request).fields().collect();
    assert_eq!(fields, [("VEJK", "8512"), ("NVN", "Søren & Co"), ("AIA", "")]);
}

#[test]
fn the_answer_is_text_in_the_envelope() {
    let request = read(Endpoint::Gctp, &outer(&format!("<![CDATA[{}]]>", inner("Stam+", "")))).expect("a request");
    let message = "<root xmlns=\"http://www.cpr.dk\"><Field t='a &amp; b' v=\"x\"/>\r\n</root>";
    let answer = request.reply.answer(message);
    assert!(answer.body.contains("<ns2:callGCTPCheckServiceResponse ") && answer.body.contains("<ns2:result>&lt;root"));
    let document = parsed(&answer);
    assert!(body(&document).is(gctp::NAMESPACE, "callGCTPCheckServiceResponse"));
    assert_eq!(text(document.root(), "result"), message);
}

#[test]
fn what_cpr_cannot_answer_is_a_receipt_with_its_code() {
    let message = inner("navne3", &field("PNR", NUMBER));
    let request = read(Endpoint::Gctp, &outer(&format!("<![CDATA[{message}]]>"))).expect("a request");
    let cases = [
        (Problem::UnknownNumber, "172", "findes ikke i CPR"),
        (Problem::NotKept, "172", "findes i CPR, men opbevares ikke her"),
        (Problem::MalformedNumber, "52", "forkert"),
        (Problem::Field, "16", "felt"),
    ];
    for (problem, code, words) in cases {
        let answer = request.reply.refuse(&problem);
        assert_eq!(answer.status, 200);
        let message = text(parsed(&answer).root(), "result").to_owned();
        assert!(!message.contains(NUMBER));
        let message = cpr_wire::xml::Document::parse(&message, &Limits::REQUEST).expect("well-formed");
        assert!(message.root().is("http://www.cpr.dk", "root"));
        let receipt = find(message.root(), "Kvit").expect("a receipt");
        assert_eq!((receipt.attribute("v"), receipt.attribute("r")), (Some(code), Some("returKode")));
        assert!(receipt.attribute("t").is_some_and(|text| text.contains(words)), "{problem}");
        let service = find(message.root(), "Service").expect("a service");
        assert_eq!(service.attribute("r"), Some("navne3"), "as it was asked");
    }
    for problem in [Problem::NoAgreement, Problem::UnknownService, Problem::Internal] {
        let answer = request.reply.refuse(&problem);
        assert!(find(parsed(&answer).root(), "Fault").is_some(), "the platform's own, and a fault");
    }
}

#[test]
fn a_key_without_one_sound_number_says_which_is_wrong() {
    let pnr = |key: &str| gctp::Request::parse(&inner("Stam+", key), &Limits::REQUEST).expect("a message").pnr();
    assert_eq!(pnr(""), Err(Problem::Field));
    assert_eq!(pnr(&field("PNR", NUMBER).repeat(2)), Err(Problem::Field));
    assert_eq!(pnr(&field("PNR", "61018012")), Err(Problem::MalformedNumber));
    assert_eq!(pnr(&field("PNR", "")), Err(Problem::MalformedNumber));
}

#[test]
fn a_service_is_known_by_its_uuid_whatever_the_case_of_its_name() {
    let uuid = |service: &str| {
        let message = format!("<![CDATA[{}]]>", inner(service, ""));
        read(Endpoint::Gctp, &outer(&message)).expect("a request").call.service_uuid().map(|uuid| uuid.to_string())
    };
    assert_eq!(uuid("STAM+").as_deref(), Some("7baec3a5-26a5-4922-80fd-37f3bad3dfcb"));
    assert_eq!(uuid("adrsog1").as_deref(), Some("6538f113-b1e6-4b21-8fe1-28b7bf78a1bd"));
    assert_eq!((uuid("Stam"), uuid("Kaeledyr")), (None, None));
}

#[test]
fn a_message_that_cannot_be_read_is_a_fault() {
    for (message, error) in [
        ("", Error::NotWellFormed { at: 0 }),
        ("<![CDATA[<!DOCTYPE x><Gctp/>]]>", Error::DocumentType { at: 0 }),
        ("<![CDATA[<Gctp/>]]>", Error::Missing { element: "System" }),
        (
            "<![CDATA[<Gctp><System><Service><CprServiceHeader/></Service></System></Gctp>]]>",
            Error::Missing { element: "Service/@r" },
        ),
    ] {
        let refused = read(Endpoint::Gctp, &outer(message)).expect_err("refused");
        assert_eq!(refused.error, error, "{message}");
        assert_eq!(refused.answer().status, 500);
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_recorded_answer_goes_through_the_envelope_unchanged() {
    let Some(samples) = samples("every_recorded_answer_goes_through_the_envelope_unchanged") else { return };
    let request = read(Endpoint::Gctp, &outer(&format!("<![CDATA[{}]]>", inner("Stam+", "")))).expect("a request");
    let mut answers = 0;
    for entry in std::fs::read_dir(samples.join("services/schemas/testdata/replica-responses")).expect("samples") {
        let recorded = std::fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8");
        let answer = request.reply.answer(&recorded);
        assert!(text(parsed(&answer).root(), "result") == recorded);
        answers += 1;
    }
    assert!(answers > 100);
}
