//! Any bytes as a message under a SAML token, and signed messages whose elements were moved, repeated, left out or
//! changed: refused, or what is handed on is a body that was signed, of the authority that signed it.
//!
//! The first byte says whether a message follows or a script of changes, and of which message.
#![no_main]

use std::sync::Mutex;

use cpr_wire::Limits;
use libfuzzer_sys::fuzz_target;
use replika_fuzz::markup;
use saml_token::jiff::Timestamp;
use saml_token::{MessageKey, Refusal, Seen, SeenMessages, Settings, Unavailable, Verified, Verifier};

const MESSAGES: [&str; 3] =
    [include_str!("../saml/prefixed.xml"), include_str!("../saml/default.xml"), include_str!("../saml/kept.xml")];

/// What is known before any input: the verifier, and what the signed messages hand on.
struct Known {
    verifier: Verifier,
    now: Timestamp,
    signed: Vec<String>,
}

impl Known {
    fn new() -> Known {
        let settings = Settings {
            audience: "http://cpr.example.test/service/persondatasamlethent/1".to_owned(),
            issuer: "https://saml.example.test/runtime".to_owned(),
            issuer_certificates: vec![include_bytes!("../saml/token-service.der").to_vec().into()],
            privilege: Some("http://cpr.example.test/roles/lookup/1".to_owned()),
            limits: Limits::REQUEST,
        };
        let verifier = Verifier::new(settings).expect("settings that can be");
        let now = "2026-01-08T12:00:00Z".parse().expect("a moment");
        let mut known = Known { verifier, now, signed: Vec::new() };
        known.signed = MESSAGES.map(|xml| known.verify(xml.as_bytes()).expect("a signed message").envelope()).to_vec();
        known
    }

    fn verify(&self, bytes: &[u8]) -> Result<Verified, Refusal> {
        self.verifier.verify(bytes, None, self.now, &Memory::default())
    }
}

#[derive(Default)]
struct Memory(Mutex<Seen>);

impl SeenMessages for Memory {
    fn is_first(&self, key: &MessageKey, until: i64, now: i64) -> Result<bool, Unavailable> {
        self.0.lock().map_err(|_| Unavailable)?.insert(*key, until, now)
    }
}

fuzz_target!(|input: &[u8]| {
    thread_local!(static KNOWN: Known = Known::new());
    let Some((how, rest)) = input.split_first() else { return };
    let bytes = match MESSAGES.get(usize::from(*how % 4)) {
        Some(message) => markup::changed(message, rest),
        None => rest.to_vec(),
    };
    KNOWN.with(|known| match known.verify(&bytes) {
        Ok(verified) => {
            assert!(known.signed.contains(&verified.envelope()), "a body that nobody signed");
            assert_eq!(verified.cvr.to_string(), "11111111");
        }
        Err(refusal) => {
            let digits = refusal.to_string().split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(digits < Some(10), "a refusal that may repeat a number");
            assert!(refusal.name().starts_with("token_"));
        }
    });
});
