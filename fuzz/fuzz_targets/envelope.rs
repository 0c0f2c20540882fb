//! Any bytes sent to any path: read within limits or refused without being repeated, and answered in well-formed XML
//! either way.
//!
//! The first byte chooses the path, the rest is the body.
#![no_main]

use cpr_wire::cpr_subscription::Filter;
use cpr_wire::sf6002::{Change, Outcome, Version};
use cpr_wire::{Call, Problem, Reading};
use libfuzzer_sys::fuzz_target;
use replika_fuzz::requests::{assert_envelope, endpoint};

const PROBLEMS: [Problem; 8] = [
    Problem::UnknownNumber,
    Problem::MalformedNumber,
    Problem::NoAgreement,
    Problem::Token,
    Problem::Marking { marking: "NotatListeMarkering" },
    Problem::Field,
    Problem::UnknownService,
    Problem::Internal,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else { return };
    let request = match endpoint(*choice).read(body, &Reading::default()) {
        Ok(request) => request,
        Err(refused) => {
            let message = refused.error.to_string();
            let digits = message.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(digits < Some(10), "an error that may repeat a number");
            return assert_envelope(&refused.answer());
        }
    };
    for problem in PROBLEMS {
        assert_envelope(&request.reply.refuse(&problem));
    }
    assert_envelope(&request.reply.answer("<a/>"));
    let told = format!("{:?}", request.call);
    match &request.call {
        Call::Sf1520 { pnr, .. } | Call::Sf6008 { pnr, .. } => assert!(!told.contains(pnr.reveal())),
        Call::Sf1525(call) => assert!(!told.contains(call.pnr.reveal())),
        Call::Gctp(call) => drop(call.pnr()),
        Call::Sf6002(call) => {
            assert_envelope(&request.reply.answer(&call.result_xml(Outcome::Added)));
            let (Change::Add(filter) | Change::Remove(filter)) = call.change() else { return };
            let mut filters = vec![filter.clone(), Filter::Everything];
            for version in [Version::V1_0, Version::V1_1] {
                assert_envelope(&request.reply.answer(&call.filters_xml(version, &filters)));
                filters.pop();
            }
        }
    }
});
