//! Configurations: the example, and what is refused.

use std::path::Path;

use cpr_host::config::Config;

const EXAMPLE: &str = include_str!("../../cpr-host.example.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/cpr-host")).map_err(|error| error.to_string())
}

#[test]
fn the_example_can_be_read_and_says_the_values_of_what_is_left_out() {
    let example = parse(EXAMPLE).expect("the example");
    assert_eq!(example.store, Path::new("/etc/cpr-host/replika.db"));
    assert_eq!(example.systems.len(), 1);
    let start = EXAMPLE.find("[bounds]").expect("bounds");
    let end = EXAMPLE.find("[sf6002]").expect("what follows");
    let without = format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
    let (with, without) = (example.bounds, parse(&without).expect("without bounds").bounds);
    assert_eq!(format!("{with:?}"), format!("{without:?}"));
}

#[test]
fn what_cannot_be_is_refused_by_the_name_of_the_setting() {
    let cases = [
        ("store = ", "stores = ", "unknown field `stores`"),
        ("\"tell\" ", "\"hide\" ", "unknown variant `hide`"),
        ("calls = 8 ", "calls = 0 ", "bounds.calls"),
        ("cvr = \"11111111\"", "cvr = \"1111\"", "system \"school\": cvr: eight digits"),
        ("name = \"school\"", "name = \"../school\"", "name"),
        ("\"5C:09", "\"09", "certificates"),
        ("\"SF1520/5\"", "\"SF1520\"", "SF1520/4, SF1520/5"),
        ("sf6002 = \"1.1\"", "sf6002 = \"2.0\"", "sf6002"),
        ("# change_codes = [\"A01\"", "change_codes = [\"A0001\"", "sf6002.change_codes"),
    ];
    for (is, becomes, told) in cases {
        let text = EXAMPLE.replacen(is, becomes, 1);
        assert_ne!(text, EXAMPLE, "{is}");
        let error = parse(&text).expect_err(becomes);
        assert!(error.contains(told), "{becomes}: {error}");
    }
    let system = &EXAMPLE[EXAMPLE.find("[[system]]").expect("a system")..];
    assert!(parse(&format!("{EXAMPLE}{system}")).expect_err("twice").contains("taken"));
    let other = system.replacen("name = \"school\"", "name = \"SCHOOL2\"", 1);
    assert!(parse(&format!("{EXAMPLE}{other}")).expect_err("one UUID").contains("uuid: another one: it is taken"));
    let agreement = &system[system.find("[[system.agreement]]").expect("an agreement")..];
    assert!(parse(&format!("{EXAMPLE}{agreement}")).expect_err("twice").contains("agreement: each UUID once"));
}

#[test]
fn two_systems_may_have_one_certificate_and_one_authority() {
    let system = &EXAMPLE[EXAMPLE.find("[[system]]").expect("a system")..];
    let uuid = system.split("uuid = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a UUID");
    let other = system.replacen("name = \"school\"", "name = \"school2\"", 1);
    let other = other.replacen(uuid, "00000000-0000-4000-8000-000000000002", 1);
    let systems = parse(&format!("{EXAMPLE}{other}")).expect("two systems").systems;
    assert_eq!((systems.len(), &systems[0].certificates), (2, &systems[1].certificates));
}

#[test]
fn events_are_configured_in_a_build_that_has_them() {
    let start = EXAMPLE.find("# [events] ").expect("events");
    let end = EXAMPLE.find("# [events.amqp]").expect("a broker");
    let lines = EXAMPLE[start..end].lines().filter(|line| !line.contains('…'));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix("# ").expect("a comment")).collect();
    let text = format!("{EXAMPLE}\n{}", lines.join("\n"));
    if cfg!(feature = "events") {
        let events = parse(&text).expect("a configuration").events.expect("events");
        assert_eq!((events.refusals, events.lanes, events.consumer.as_str()), (5, 16, "events"));
        assert_eq!(events.authorities.len(), 1);
        let refused = parse(&text.replace("https://", "http://")).expect_err("in the clear");
        assert!(refused.contains("events.rest.url"), "{refused}");
        assert!(parse(&text.replace("[events.rest]", "[events.other]")).is_err());
        for (code, told) in [("851", "each municipality once"), ("+1", "the code of a municipality"), ("0", "the code")]
        {
            let twice = text.replace("0851 = ", &format!("\"{code}\" = \"11111111\", 0851 = "));
            let refused = parse(&twice).expect_err(code);
            assert!(refused.contains(told), "{code}: {refused}");
        }
    } else {
        assert!(parse(&text).expect_err("not in this build").contains("cargo feature `events`"));
    }
}

#[test]
fn a_token_is_configured_in_a_build_that_has_it() {
    let start = EXAMPLE.find("# [saml] ").expect("saml");
    let end = EXAMPLE.find("[bounds]").expect("what follows");
    let lines: Vec<&str> = EXAMPLE[start..end].lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let text = format!("{EXAMPLE}\n{}", lines.join("\n"));
    if cfg!(feature = "saml") {
        let saml = parse(&text).expect("a configuration").saml.expect("a token");
        assert_eq!(saml.seen, Path::new("/etc/cpr-host/seen"));
        for setting in ["audience", "issuer", "privilege"] {
            let blank = text.replacen(&format!("\n{setting} = \""), &format!("\n{setting} = \" "), 1);
            let refused = parse(&blank).expect_err("a blank in front");
            assert!(refused.contains(&format!("saml.{setting}")), "{refused}");
        }
    } else {
        assert!(parse(&text).expect_err("not in this build").contains("cargo feature `saml`"));
    }
}
