//! Who calls, as clients say it.

use cpr_wire::{Contexts, Endpoint, Error, SoapVersion};

use crate::kit::{CONTEXT, SF6002, envelope, read};

/// The contexts of a request with these.
fn contexts(xml: &str) -> Result<Contexts, Error> {
    let request = format!("<GetAllFilters xmlns=\"{SF6002}\">{xml}</GetAllFilters>");
    let read = read(Endpoint::Sf6002, &envelope(SoapVersion::V1_1, &request));
    read.map(|request| request.contexts).map_err(|refused| refused.error)
}

const AUTHORITY: &str = r#"<a:AuthorityContext xmlns:a="http://serviceplatformen.dk/xml/schemas/AuthorityContext/1/">
    <a:MunicipalityCVR>01234567</a:MunicipalityCVR></a:AuthorityContext>"#;

#[test]
fn one_context_is_enough_and_both_are_read() {
    let both = contexts(&format!("{AUTHORITY}{CONTEXT}")).expect("both");
    let invocation = both.invocation.expect("there");
    assert_eq!(invocation.agreement.to_string(), "11111111-2222-4333-8444-555555555555");
    assert_eq!(invocation.system.to_string(), "22222222-2222-4333-8444-555555555555");
    assert_eq!(invocation.user.to_string(), "33333333-2222-4333-8444-555555555555");
    assert_eq!(invocation.service.to_string(), "44444444-2222-4333-8444-555555555555");
    assert_eq!(both.authority.expect("there").cvr.to_string(), "01234567");
    assert!(contexts(CONTEXT).expect("one").authority.is_none());
    assert!(contexts(AUTHORITY).expect("one").invocation.is_none());
    assert_eq!(contexts(""), Ok(Contexts::default()), "the host asks for one of them");
}

#[test]
fn the_children_may_stand_in_the_namespace_of_the_number_and_in_any_order() {
    let moved = CONTEXT.replace("<i:Service", "<p:Service").replace("</i:Service", "</p:Service").replace(
        "InvocationContext/1/\"",
        "InvocationContext/1/\" xmlns:p=\"http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/\"",
    );
    assert_ne!(moved, CONTEXT);
    assert_eq!(contexts(&moved), contexts(CONTEXT));
}

#[test]
fn a_uuid_is_read_in_any_spelling_and_what_is_none_is_named() {
    let spelled = CONTEXT.replace("22222222-2222-4333-8444-555555555555", " 2222222222224333844455555555555F\n");
    let system = contexts(&spelled).expect("a UUID").invocation.expect("there").system;
    assert_eq!(system.to_string(), "22222222-2222-4333-8444-55555555555f");
    let malformed = CONTEXT.replace("22222222-2222-4333-8444-555555555555", "6101801234");
    assert_eq!(contexts(&malformed), Err(Error::Value { element: "UserSystemUUID" }));
    let missing = CONTEXT.replace("ServiceUUID", "Service");
    assert_eq!(contexts(&missing), Err(Error::Missing { element: "ServiceUUID" }));
    assert_eq!(contexts(&CONTEXT.repeat(2)), Err(Error::Repeated { element: "InvocationContext" }));
    assert_eq!(contexts(&AUTHORITY.replace("0123", "123")), Err(Error::Value { element: "MunicipalityCVR" }));
}

#[test]
fn what_the_caller_says_of_the_call_is_kept_for_the_host_and_not_told() {
    let call = "<c:CallContext xmlns:c='http://serviceplatformen.dk/xml/schemas/CallContext/1/'>\
        <c:OnBehalfOfUser>6101801234</c:OnBehalfOfUser><c:AccountingInfo>x</c:AccountingInfo></c:CallContext>";
    let call_context = contexts(call).expect("read").call.expect("there");
    assert_eq!(call_context.user.as_deref(), Some("6101801234"));
    assert_eq!((call_context.identifier.as_deref(), call_context.accounting.as_deref()), (None, Some("x")));
    assert_eq!(format!("{call_context:?}"), "CallContext(..)");
    let long = call.replace("6101801234", &"x".repeat(256));
    assert_eq!(contexts(&long), Err(Error::Value { element: "OnBehalfOfUser" }));
}
