//! SF6002 over TLS.

use cpr_host::demo::requests::subscription;
use cpr_wire::{Endpoint, sf6002};

use crate::kit::{NOBODY, Running};

fn ask(running: &Running, operation: &str, parameter: &str) -> String {
    running.ask(Endpoint::Sf6002, "school", &subscription(operation, parameter)).body
}

#[test]
fn each_change_says_what_became_of_it() {
    let running = Running::start();
    let number = format!("<PNR>{}</PNR>", running.number());
    let nobody = format!("<PNR>{NOBODY}</PNR>");
    let cases = [
        ("AddPNRSubscription", number.as_str(), "ADDED"),
        ("AddPNRSubscription", &number, "ALREADY_EXISTED"),
        ("AddPNRSubscription", &nobody, "NON_EXISTING_PNR"),
        ("RemovePNRSubscription", &number, "REMOVED"),
        ("RemovePNRSubscription", &number, "NON_EXISTING_PNR"),
        ("AddChangeCodeSubscription", "<ChangeCode>A01</ChangeCode>", "ADDED"),
        ("AddMunicipalityCodeSubscription", "<MunicipalityCode>101</MunicipalityCode>", "ADDED"),
        ("AddNoFilterSubscription", "", "ADDED"),
        ("RemoveNoFilterSubscription", "", "REMOVED"),
        ("RemoveAll", "<FilterGroup>EventChangeCode</FilterGroup>", "REMOVED"),
    ];
    for (operation, parameter, word) in cases {
        let answer = ask(&running, operation, parameter);
        assert!(answer.contains(&format!("<ns3:Result>{word}</ns3:Result>")), "{operation}: {answer}");
    }
    let filters = ask(&running, "GetAllFilters", "");
    assert!(
        filters.contains("<ns3:MunicipalityCode>101</ns3:MunicipalityCode>") && !filters.contains("ChangeCode>A01")
    );
    let unused = ask(&running, "AddChangeCodeSubscription", "<ChangeCode>X99</ChangeCode>");
    assert!(unused.contains("REQUEST_NOT_VALID"), "CPR has no such code");
}

#[test]
fn a_system_of_version_1_0_has_no_operation_for_everybody() {
    let running = Running::start_with(|config| config.systems[0].sf6002 = sf6002::Version::V1_0);
    assert!(ask(&running, "AddNoFilterSubscription", "").contains("REQUEST_NOT_VALID"));
    assert!(!ask(&running, "GetAllFilters", "").contains("noFilter"));
}

#[test]
fn a_start_of_eighteen_calls_at_once_is_kept_over_a_restart() {
    const CODES: [&str; 18] = [
        "A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A09", "A10", "A13", "A14", "A15", "A16", "A17", "A19",
        "A20", "A21",
    ];
    let mut running = Running::start();
    ask(&running, "RemoveAll", "<FilterGroup>EventChangeCode</FilterGroup>");
    std::thread::scope(|scope| {
        for code in CODES {
            let running = &running;
            scope.spawn(move || {
                let answer = ask(running, "AddChangeCodeSubscription", &format!("<ChangeCode>{code}</ChangeCode>"));
                assert!(answer.contains("ADDED"), "{answer}");
            });
        }
    });
    running.stop();
    running.start_again(|_| {});
    let filters = ask(&running, "GetAllFilters", "");
    assert!(CODES.iter().all(|code| filters.contains(&format!("<ns3:ChangeCode>{code}</ns3:ChangeCode>"))));
}
