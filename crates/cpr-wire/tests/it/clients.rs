//! The requests that real clients send, from the samples.

use std::path::Path;

use cpr_wire::cpr_subscription::Filter;
use cpr_wire::sf6002::Change;
use cpr_wire::{Call, Endpoint, FileMetadata, Limits, sf1520};

use crate::kit::{NUMBER, read, samples};

/// A template of a client with everything filled in.
fn filled(template: &str, with: &[(&str, &str)]) -> String {
    let uuids = ["service_agreement", "user_system", "system", "user", "service"];
    let filled = uuids.iter().fold(template.to_owned(), |text, name| {
        text.replace(&format!("{{{{ {name} }}}}"), "11111111-2222-4333-8444-555555555555")
    });
    with.iter().fold(filled, |text, (name, value)| text.replace(&format!("{{{{ {name} }}}}"), value))
}

fn sample(samples: &Path, name: &str) -> String {
    std::fs::read_to_string(samples.join("services/found").join(name)).expect("a sample")
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_lookups_of_a_client_of_sf1520_are_read() {
    let Some(samples) = samples("the_lookups_of_a_client_of_sf1520_are_read") else { return };
    for (name, version) in [
        ("wire-samples/PersonBaseDataExtended_v4_envelope.xml", sf1520::Version::V4),
        ("wire-samples/PersonBaseDataExtended_v5_envelope.xml", sf1520::Version::V5),
    ] {
        let request = filled(&sample(&samples, name), &[("cprnr", NUMBER)]);
        let request = read(Endpoint::Sf1520(version), &request).expect("a request");
        assert!(request.contexts.invocation.is_some());
        assert!(matches!(request.call, Call::Sf1520 { pnr, .. } if pnr.reveal() == NUMBER));
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_subscriptions_of_a_client_with_its_context_in_the_wrong_namespace_are_read() {
    let Some(samples) = samples("the_subscriptions_of_a_client_with_its_context_in_the_wrong_namespace_are_read")
    else {
        return;
    };
    let template = sample(&samples, "wire-samples/sf6002.cpr_abonnement.soap_envelope.xml");
    let (first, second) = template.split_once("{% elif").expect("two templates");
    let first = first.split_once("-%}").expect("its condition").1;
    let second = second.split_once("%}").expect("its condition").1.split_once("{%- endif").expect("its end").0;
    let number: Filter = NUMBER.parse().expect("a filter");
    for (operation, change) in
        [("AddPNRSubscription", Change::Add(number.clone())), ("RemovePNRSubscription", Change::Remove(number))]
    {
        let request = filled(first, &[("operation", operation), ("parameter_type", "PNR"), ("pnr", NUMBER)]);
        let request = read(Endpoint::Sf6002, request.trim()).expect("a request");
        assert!(request.contexts.invocation.is_some());
        assert!(matches!(request.call, Call::Sf6002(call) if *call.change() == change));
    }
    let request = read(Endpoint::Sf6002, filled(second, &[("operation", "GetAllFilters")]).trim()).expect("a request");
    assert!(matches!(request.call, Call::Sf6002(call) if *call.change() == Change::GetAll));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_search_of_a_client_of_adrsog1_is_read_from_its_cdata() {
    let Some(samples) = samples("the_search_of_a_client_of_adrsog1_is_read_from_its_cdata") else { return };
    let fields = "<Field r=\"VEJK\" v=\"0999\"/><Field r=\"KOMK\" v=\"0999\"/>";
    let template = sample(&samples, "wire-samples/adrsog1.soap_request_envelope.xml");
    let request = read(Endpoint::Gctp, &filled(&template, &[("search_param_fields", fields)])).expect("a request");
    let Call::Gctp(call) = request.call else { panic!("a call of GCTP") };
    assert!(call.is_for("ADRSOG1"));
    assert_eq!(call.fields().collect::<Vec<_>>(), [("VEJK", "0999"), ("KOMK", "0999")]);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_metadata_that_a_client_sends_and_reads_is_read() {
    let Some(samples) = samples("the_metadata_that_a_client_sends_and_reads_is_read") else { return };
    let parse = |name| FileMetadata::parse(sample(&samples, name).as_bytes(), &Limits::REQUEST).expect("metadata");
    let received = parse("sftp/D260102.L000001.metadata.works-with-spsftp.xml");
    assert_eq!((received.file_name.as_str(), received.bytes), ("D260102.L000001", 260_471));
    assert!(received.transfer.is_some());
    assert_eq!(parse("sftp/FILE.trigger.as-spsftp-sends.xml").transfer, None);
}
