//! The twelve operations of SF6002.

use cpr_wire::cpr_subscription::{Filter, FilterError, FilterKind};
use cpr_wire::sf6002::{Change, Outcome, Version};
use cpr_wire::{Call, Endpoint, Error, sf6002};

use crate::kit::{NUMBER, body, parsed, read, subscription, text};

fn request(operation: &str, parameter: &str) -> Result<sf6002::Request, Error> {
    let request = read(Endpoint::Sf6002, &subscription(operation, parameter)).map_err(|refused| refused.error)?;
    assert_eq!(request.operation, operation);
    let Call::Sf6002(call) = request.call else { panic!("a call of SF6002") };
    Ok(call)
}

fn filter(text: &str) -> Filter {
    text.parse().expect("a filter")
}

/// Every operation: its name, its parameter, and the filter or kind.
fn every_operation() -> Vec<(String, &'static str, Change)> {
    let kinds = [
        ("PNR", "<p:PNR>6101801234</p:PNR>", "6101801234"),
        ("AgeRange", "<AgeRange><StartAge>0</StartAge><EndAge>017</EndAge></AgeRange>", "0-17"),
        ("MunicipalityCode", "<MunicipalityCode>101</MunicipalityCode>", "0101"),
        ("ChangeCode", "<ChangeCode>A01</ChangeCode>", "A01"),
        ("NoFilter", "", "everything"),
    ];
    let of_kind = kinds.into_iter().flat_map(|(name, parameter, text)| {
        let add = (format!("Add{name}Subscription"), parameter, Change::Add(filter(text)));
        let remove = (format!("Remove{name}Subscription"), parameter, Change::Remove(filter(text)));
        [add, remove]
    });
    let group = "<FilterGroup>EventChangeCode</FilterGroup>";
    of_kind
        .chain([
            ("RemoveAll".to_owned(), group, Change::RemoveAll(FilterKind::EventChangeCode)),
            ("GetAllFilters".to_owned(), "", Change::GetAll),
        ])
        .collect()
}

#[test]
fn all_twelve_operations_are_read() {
    let operations = every_operation();
    assert_eq!(operations.len(), 12);
    for (operation, parameter, change) in operations {
        assert_eq!(request(&operation, parameter).expect("a request").change(), &change, "{operation}");
    }
    assert_eq!(request("RemoveFilteredSubscription", ""), Err(Error::UnknownOperation), "no contract offers it");
    let elsewhere = subscription("GetAllFilters", "").replace("CprSubscriptionService/1/", "CprSubscriptionService/2/");
    let refused = read(Endpoint::Sf6002, &elsewhere).expect_err("another contract");
    assert_eq!(refused.error, Error::UnknownOperation);
}

#[test]
fn a_parameter_is_found_in_whatever_namespace_it_stands() {
    for (operation, parameter) in [
        ("AddPNRSubscription", "<PNR>\n 6101801234 </PNR>"),
        ("AddMunicipalityCodeSubscription", "<p:MunicipalityCode>0851</p:MunicipalityCode>"),
        ("AddChangeCodeSubscription", "<p:ChangeCode>A01</p:ChangeCode>"),
    ] {
        assert!(request(operation, parameter).is_ok(), "{operation}");
    }
}

#[test]
fn version_1_0_has_ten_operations_and_no_group_of_everybody() {
    let of_1_0 = every_operation()
        .into_iter()
        .filter(|(operation, parameter, _)| request(operation, parameter).expect("a request").is_in(Version::V1_0));
    assert_eq!(of_1_0.count(), 10);
    let everybody = request("RemoveAll", "<FilterGroup>NoFilter</FilterGroup>").expect("a request");
    assert!(everybody.is_in(Version::V1_1) && !everybody.is_in(Version::V1_0));
}

#[test]
fn a_filter_that_cannot_be_is_refused_without_being_repeated() {
    let cases = [
        ("AddPNRSubscription", "<p:PNR>610180123</p:PNR>", Error::Filter(FilterError::NotAPnr)),
        ("AddPNRSubscription", "<p:PNR>0000000000</p:PNR>", Error::Filter(FilterError::NotAPnr)),
        ("AddPNRSubscription", "", Error::Missing { element: "PNR" }),
        (
            "AddPNRSubscription",
            "<p:PNR>6101801234</p:PNR><p:PNR>6101801235</p:PNR>",
            Error::Repeated { element: "PNR" },
        ),
        (
            "AddAgeRangeSubscription",
            "<AgeRange><StartAge>18</StartAge><EndAge>0</EndAge></AgeRange>",
            Error::Filter(FilterError::ImpossibleAgeRange { from: 18, to: 0 }),
        ),
        (
            "AddAgeRangeSubscription",
            "<AgeRange><StartAge>-1</StartAge><EndAge>1</EndAge></AgeRange>",
            Error::Value { element: "StartAge" },
        ),
        (
            "AddMunicipalityCodeSubscription",
            "<MunicipalityCode>0</MunicipalityCode>",
            Error::Filter(FilterError::NotAMunicipality),
        ),
        ("RemoveAll", "<FilterGroup>AllOf</FilterGroup>", Error::Value { element: "FilterGroup" }),
    ];
    for (operation, parameter, error) in cases {
        assert_eq!(request(operation, parameter), Err(error), "{operation} {parameter}");
        assert!(!error.to_string().contains("610180"));
    }
}

#[test]
fn what_became_of_a_filter_is_told_under_the_prefix_that_clients_read() {
    let add = read(Endpoint::Sf6002, &subscription("AddPNRSubscription", "<p:PNR>6101801234</p:PNR>")).expect("read");
    let Call::Sf6002(call) = &add.call else { panic!("a call of SF6002") };
    let words = [
        (Outcome::Added, "ADDED"),
        (Outcome::AlreadyExisted, "ALREADY_EXISTED"),
        (Outcome::Removed, "REMOVED"),
        (Outcome::NotThere, "NON_EXISTING_PNR"),
        (Outcome::UnknownNumber, "NON_EXISTING_PNR"),
    ];
    for (outcome, word) in words {
        let answer = add.reply.answer(&call.result_xml(outcome));
        assert_eq!((answer.status, answer.content_type), (200, "text/xml; charset=utf-8"));
        let document = parsed(&answer);
        assert!(body(&document).is(sf6002::NAMESPACE, "AddPNRSubscriptionResponse"));
        assert_eq!(text(document.root(), "Result"), word);
        assert!(answer.body.contains("<ns3:AddPNRSubscriptionResponse ") && answer.body.contains("<ns3:Result>"));
    }
}

#[test]
fn filters_are_told_in_the_order_of_the_contract() {
    let call = request("GetAllFilters", "").expect("a request");
    let filters = ["6101801234", "0-17", "0851", "0101", "A01", "0851:8512", "0-17+0751"].map(filter);
    let told = "<ns3:AgeRange><ns3:StartAge>0</ns3:StartAge><ns3:EndAge>17</ns3:EndAge></ns3:AgeRange>\
        <ns3:ChangeCode>A01</ns3:ChangeCode><ns3:MunicipalityCode>851</ns3:MunicipalityCode>\
        <ns3:MunicipalityCode>101</ns3:MunicipalityCode><ns2:PNR>6101801234</ns2:PNR>";
    let start = "<ns3:GetAllFiltersResponse xmlns:ns2=\"http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/\" \
        xmlns:ns3=\"http://serviceplatformen.dk/xml/wsdl/soap11/CprSubscriptionService/1/\">";
    let end = "</ns3:GetAllFiltersResponse>";
    assert_eq!(call.filters_xml(Version::V1_0, &filters), format!("{start}{told}{end}"));
    let of_1_1 = format!("{start}{told}<ns3:noFilter>false</ns3:noFilter>{end}");
    assert_eq!(call.filters_xml(Version::V1_1, &filters), of_1_1);
    let everybody = format!("{start}<ns3:noFilter>true</ns3:noFilter>{end}");
    assert_eq!(call.filters_xml(Version::V1_1, &[Filter::Everything]), everybody);
}

#[test]
fn no_debug_tells_the_number() {
    let request =
        read(Endpoint::Sf6002, &subscription("AddPNRSubscription", "<p:PNR>6101801234</p:PNR>")).expect("read");
    assert!(!format!("{request:?}").contains(NUMBER));
}
