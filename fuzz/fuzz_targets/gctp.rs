//! Any text as the message of a GCTP service: refused, or the same alone and in an envelope, escaped there.
#![no_main]

use cpr_wire::{Call, Endpoint, Limits, Problem, Reading, gctp};
use libfuzzer_sys::fuzz_target;
use replika_fuzz::requests::{assert_envelope, gctp_envelope};

/// A message that is escaped takes up to five times its bytes.
const ROOMY: Limits = Limits { bytes: 10_000_000, ..Limits::REQUEST };

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = str::from_utf8(bytes) else { return };
    let alone = gctp::Request::parse(message, &ROOMY);
    let reading = Reading { limits: ROOMY, ..Reading::default() };
    let request = match Endpoint::Gctp.read(gctp_envelope(message).as_bytes(), &reading) {
        Ok(request) => request,
        Err(refused) => {
            assert!(alone.is_err(), "refused in its envelope only");
            return assert_envelope(&refused.answer());
        }
    };
    let Call::Gctp(call) = &request.call else { panic!("another call") };
    assert!(alone.as_ref() == Ok(call), "another message in its envelope");
    assert!(format!("{call:?}") == format!("Request({} fields)", call.fields().count()));
    assert_envelope(&request.reply.answer(message));
    assert_envelope(&request.reply.refuse(&call.pnr().err().unwrap_or(Problem::UnknownNumber)));
});
