//! SF1525 under a SAML token, by the signer of `saml-token`'s own tests: who is answered, and who is denied though the
//! message is sound.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_host::config::{Config, Saml};
use cpr_host::demo::requests::{Requests, complete, lookup_sf1525};
use cpr_wire::{Endpoint, sf1525};
use saml_token::jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::kit::{Response, Running};
use signer::{AUDIENCE, HOLDER, ISSUER, Identity, OTHER, PRIVILEGE, Plan, TOKEN_SERVICE, privileges};

#[allow(dead_code, clippy::unwrap_used, reason = "it is a test of another crate, which uses the rest")]
#[path = "../../../saml-token/tests/it/signer.rs"]
mod signer;

const SECOND: Endpoint = Endpoint::Sf1525(sf1525::Version::V2);

fn write_pem(path: &Path, label: &str, der: &[u8]) {
    let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    fs::write(path, text).expect("a file");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
}

fn fingerprint(identity: &Identity) -> [u8; 32] {
    Sha256::digest(&identity.certificate).into()
}

/// Tokens are asked for, and the school's may be those of the holder.
fn with_tokens(folder: &Path) -> impl FnOnce(&mut Config) + use<> {
    let at = |name: &str| folder.join(name);
    write_pem(&at("token-service.pem"), "CERTIFICATE", &TOKEN_SERVICE.certificate);
    write_pem(&at("service.pem"), "CERTIFICATE", &OTHER.certificate);
    write_pem(&at("service.key"), "PRIVATE KEY", include_bytes!("../../../saml-token/tests/keys/other.pk8"));
    let saml = Saml {
        audience: AUDIENCE.to_owned(),
        issuer: ISSUER.to_owned(),
        issuer_certificates: at("token-service.pem"),
        privilege: Some(PRIVILEGE.to_owned()),
        certificate: at("service.pem"),
        key: at("service.key"),
        seen: at("seen"),
    };
    move |config| {
        config.saml = Some(saml);
        config.systems[0].certificates.push(fingerprint(&HOLDER));
    }
}

fn start() -> Running {
    let mut running = Running::start();
    running.stop();
    let change = with_tokens(running.folder.path());
    running.start_again(change);
    running
}

/// A message of now about a number, for the authority of the school.
fn plan(number: &str) -> Plan {
    let envelope = complete(SECOND, &Requests::SCHOOL, &lookup_sf1525(number));
    let start = envelope.find("<PersonStam").expect("the request");
    let end = envelope.rfind("_I>").expect("its end") + 3;
    let now = Timestamp::now();
    let plan = Plan {
        made: now,
        not_before: now,
        not_on_or_after: now + SignedDuration::from_hours(8),
        message_id: format!("urn:uuid:{now}"),
        request: envelope[start..end].to_owned(),
        ..Plan::new()
    };
    of_authority(plan, "11111111")
}

fn of_authority(plan: Plan, cvr: &str) -> Plan {
    plan.set("CvrNumberIdentifier", cvr).set("Privileges_intermediate", &privileges(cvr, PRIVILEGE))
}

fn ask(running: &Running, certificate: &str, message: &str) -> (Response, String) {
    let response = running.post(SECOND.path(), certificate, message);
    let line = running.last_call();
    let (_, outcome) = line.split_once("\"outcome\":\"").expect("an outcome");
    (response, outcome.split('"').next().unwrap_or_default().to_owned())
}

#[test]
fn a_message_under_a_token_is_answered_once_and_no_other_is() {
    let mut running = start();
    let number = running.number();
    let plan = plan(&number);
    let message = plan.xml();
    let (answer, outcome) = ask(&running, "school", &message);
    assert_eq!((answer.status, outcome.as_str()), (200, "answered"));
    assert!(answer.body.contains(&number) && answer.body.contains("PersonStamoplysningerSamlingHent_O"));
    assert!(answer.body.contains(&format!(">{}</wsa:RelatesTo>", plan.message_id)));
    assert!(answer.body.contains("<ds:SignatureValue>") && answer.body.contains("urn:askResponse"));
    let (again, outcome) = ask(&running, "school", &message);
    assert!(again.status != 200 && again.body.contains("SECURITY_TOKEN_NOT_VALID"));
    assert_eq!(outcome, "token_replayed");
    running.stop();
    let change = with_tokens(running.folder.path());
    running.start_again(change);
    assert_eq!(ask(&running, "school", &message).1, "token_replayed", "behind a restart");
    let plain = complete(SECOND, &Requests::SCHOOL, &lookup_sf1525(&number));
    let (refused, outcome) = ask(&running, "school", &plain);
    assert!(refused.body.contains("SECURITY_TOKEN_NOT_VALID") && !refused.body.contains(&number));
    assert_eq!(outcome, "token_missing");
    assert!(!running.everything_logged().contains(&number));
}

#[test]
fn holder_connection_and_authority_must_be_those_of_one_system() {
    let running = start();
    let number = running.number();
    let denied = |certificate: &str, plan: Plan| {
        let (refused, outcome) = ask(&running, certificate, &plan.xml());
        assert!(refused.body.contains("NO_SERVICE_AGREEMENT") && !refused.body.contains("<Personnummer"), "{outcome}");
        outcome
    };
    let of_nobody = Plan { holder: &OTHER, message_signed_by: &OTHER, ..plan(&number) };
    assert_eq!(denied("school", of_nobody), "denied_token");
    // The request names the school, the token somebody else.
    assert_eq!(denied("school", of_authority(plan(&number), "22222222")), "denied_token");
    assert_eq!(denied("clinic", plan(&number)), "denied_system");
    let unknown = running.demo.authority.issue("nobody", &[]).expect("a certificate");
    unknown.write(running.folder.path(), "unknown").expect("files");
    assert_eq!(denied("unknown", plan(&number)), "denied_certificate");
}

#[test]
fn without_settings_a_token_that_must_be_understood_is_refused() {
    let running = Running::start();
    let (refused, outcome) = ask(&running, "school", &plan(&running.number()).xml());
    assert!(refused.status != 200 && refused.body.contains("MustUnderstand"), "{outcome}");
}
