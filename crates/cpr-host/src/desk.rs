//! A call from its body to its answer: read, allowed, answered from one snapshot, and logged before it leaves.
//!
//! Nothing here waits for a socket; it runs on a thread that may block.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use access_log::AccessLog;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::{FilterPolicy, Replika, Snapshot};
use cpr_services::search::adrsog1;
use cpr_services::{Caller, Lookup, NoRegister, ProtectedPersons, Request as Asked, gctp, sf1520, sf1525, sf6008};
use cpr_wire::{Answer, AuthorityContext, Call, Problem, Request};
#[cfg(feature = "saml")]
use cpr_wire::{Endpoint, ReplyTo};
#[cfg(feature = "saml")]
use saml_token::Refusal;

#[cfg(feature = "saml")]
use crate::authorization::TokenHolder;
use crate::authorization::{Authorization, Denied, Systems};
use crate::journal::{self, Journal, Line};
use crate::metrics::Metrics;
use crate::outcome::{Outcome, name_of};
use crate::received::Received;
use crate::service::{ADRSOG1, Service};
use crate::source::Source;
use crate::subscriptions;
#[cfg(feature = "saml")]
use crate::token::TokenDesk;

/// Where calls are answered.
pub(crate) struct Desk {
    /// The store, for what changes it.
    pub(crate) replika: Arc<Replika>,
    /// What lookups read.
    pub(crate) source: Source,
    /// Who may call.
    pub(crate) systems: Systems,
    /// Who looked at whom.
    pub(crate) access: Box<dyn AccessLog>,
    /// What happens.
    pub(crate) journal: Arc<dyn Journal>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What is said of persons whose name and address are protected.
    pub(crate) protected_persons: ProtectedPersons,
    /// What SF6002 lets subscribers follow.
    pub(crate) filters: FilterPolicy,
    /// Bytes of a body that are read.
    pub(crate) body_bytes: usize,
    /// Rows that a search gives at once.
    pub(crate) rows: usize,
    /// The token under which SF1525 is asked.
    #[cfg(feature = "saml")]
    pub(crate) token: Option<TokenDesk>,
    /// The day, for ages and protections in force.
    pub(crate) today: fn() -> Date,
}

impl Desk {
    /// Answers a body; none when the program has a fault over it.
    pub(crate) fn serve(&self, received: &Received<'_>) -> Option<Answer> {
        let since = Instant::now();
        let mut call = journal::Call {
            system: self.systems.name_of(received.certificate).map(str::to_owned),
            agreement: None,
            service: Service::name_of(received.endpoint),
            operation: None,
            outcome: "",
            error: None,
            elapsed: since.elapsed(),
        };
        let answer = guarded(&mut call, |call| self.answer_opened(received, call));
        call.elapsed = since.elapsed();
        self.metrics.count(&call);
        self.journal.tell(&Line::Call(call));
        answer
    }

    /// Answers, once the message has been opened where the service is asked under a token.
    fn answer_opened(&self, received: &Received<'_>, call: &mut journal::Call) -> Answer {
        #[cfg(feature = "saml")]
        if let (Some(token), Endpoint::Sf1525(_)) = (&self.token, received.endpoint) {
            return self.answer_under(token, received, call);
        }
        self.answer(received, call)
    }

    /// Opens the message, answers what was signed of it, and signs the answer.
    #[cfg(feature = "saml")]
    fn answer_under(&self, token: &TokenDesk, received: &Received<'_>, call: &mut journal::Call) -> Answer {
        // Unsigned, in the version that was asked: nobody is known to whom it could be signed.
        let refuse = |problem: &Problem| {
            let reply = match received.endpoint.read(received.body, &received.reading(self.body_bytes)) {
                Ok(request) => request.reply,
                Err(refused) => refused.reply,
            };
            ReplyTo::faults(reply.version()).refuse(problem)
        };
        if !self.systems.has(received.certificate) {
            call.outcome = Denied::Certificate.name();
            return refuse(&Problem::NoAgreement);
        }
        let opened = match token.open_message(received) {
            Ok(opened) => opened,
            Err(refusal) => {
                call.outcome = refusal.name();
                call.error = Some(refusal.to_string());
                let is_ours = refusal == Refusal::Memory;
                return refuse(if is_ours { &Problem::Internal } else { &Problem::Token });
            }
        };
        let holder = TokenHolder { cvr: opened.cvr, certificate: opened.holder };
        let envelope = opened.envelope();
        let signed = Received { charset: Some("utf-8"), body: envelope.as_bytes(), holder: Some(holder), ..*received };
        let answer = self.answer(&signed, call);
        token.sign(&opened, answer).unwrap_or_else(|trouble| {
            call.outcome = name_of(&Problem::Internal);
            call.error = Some(trouble.to_string());
            ReplyTo::faults(opened.version).refuse(&Problem::Internal)
        })
    }

    fn answer(&self, received: &Received<'_>, call: &mut journal::Call) -> Answer {
        let mut request = match received.endpoint.read(received.body, &received.reading(self.body_bytes)) {
            Ok(request) => request,
            // A stranger is not told what is wrong with the request.
            Err(refused) if !self.systems.has(received.certificate) => {
                call.outcome = Denied::Certificate.name();
                return refused.reply.refuse(&Problem::NoAgreement);
            }
            Err(refused) => {
                call.outcome = name_of(&Problem::from(refused.error));
                return refused.answer();
            }
        };
        call.operation = Some(request.operation);
        if let Some(holder) = received.holder {
            // A request that names no authority is that of the authority in the token.
            request.contexts.authority.get_or_insert(AuthorityContext { cvr: holder.cvr });
        }
        let authorization = match self.authorize(received, &request, call) {
            Ok(authorization) => authorization,
            Err((problem, outcome)) => {
                call.outcome = outcome;
                return request.reply.refuse(&problem);
            }
        };
        call.system = Some(authorization.system.name.as_str().to_owned());
        call.agreement = Some(authorization.asker.agreement.clone());
        let outcome = self.ask(&request, &authorization);
        (call.outcome, call.error) = (outcome.name, outcome.error);
        match outcome.result {
            Ok(xml) => request.reply.answer(&xml),
            Err(problem) => request.reply.refuse(&problem),
        }
    }

    /// By which system and agreement the call is allowed; else the problem and its word.
    fn authorize(
        &self,
        received: &Received<'_>,
        request: &Request,
        call: &mut journal::Call,
    ) -> Result<Authorization<'_>, (Problem, &'static str)> {
        let Some(service) = Service::of(&request.call) else {
            return Err(match self.systems.has(received.certificate) {
                true => (Problem::UnknownService, name_of(&Problem::UnknownService)),
                false => (Problem::NoAgreement, Denied::Certificate.name()),
            });
        };
        call.service = service.name();
        let uuid = request.call.service_uuid();
        let authorization = self.systems.authorize(received.certificate, &request.contexts, service, uuid);
        let authorization = authorization.and_then(|authorization| {
            let is_theirs = received.holder.is_none_or(|holder| holder.is(authorization.system));
            if is_theirs { Ok(authorization) } else { Err(Denied::Token) }
        });
        authorization.map_err(|denied| (Problem::NoAgreement, denied.name()))
    }

    /// Asks the services, which tell the access log before they hand out an answer.
    fn ask(&self, request: &Request, authorization: &Authorization<'_>) -> Outcome {
        let snapshot = self.source.snapshot();
        let caller = Caller::new(&*self.access, &authorization.asker);
        let protected_persons = self.protected_persons;
        let about = |pnr: Pnr| Asked { protected_persons, ..Asked::on(pnr, (self.today)(), caller) };
        match &request.call {
            Call::Sf1520 { version, pnr } => {
                let lookup = sf1520::answer(&snapshot, *version, &about(*pnr), &NoRegister);
                told(lookup, |found| found.answer.to_xml(*version))
            }
            Call::Sf1525(call) => {
                let lookup = sf1525::answer(&snapshot, call.version, &call.markings, &about(call.pnr), &NoRegister);
                told(lookup, |found| found.answer.to_xml())
            }
            Call::Sf6008 { operation, pnr } => match sf6008::answer(&snapshot, *operation, &about(*pnr)) {
                // A list of nobody is an answer.
                Ok(Lookup::Former(_) | Lookup::Unknown) if is_list(*operation) => {
                    Outcome { name: "unknown_number", ..Outcome::found(sf6008::to_xml(*operation, &[])) }
                }
                lookup => told(lookup, |found| sf6008::to_xml(*operation, &[&found.answer])),
            },
            Call::Gctp(call) if call.is_for(ADRSOG1) => self.search(call, &snapshot, caller),
            Call::Gctp(call) => {
                let service = gctp::Service::ALL.into_iter().find(|service| call.is_for(service.name()));
                match (service, call.pnr()) {
                    (Some(service), Ok(pnr)) => {
                        told(gctp::answer(&snapshot, service, &about(pnr)), |answer| answer.to_xml())
                    }
                    (None, _) => Outcome::problem(Problem::UnknownService),
                    (_, Err(problem)) => Outcome::problem(problem),
                }
            }
            Call::Sf6002(call) => {
                subscriptions::change(&self.replika, authorization.system, &self.filters, call, caller)
            }
        }
    }

    /// ADRSOG1.
    fn search(&self, call: &cpr_wire::gctp::Request, snapshot: &Snapshot, caller: Caller<'_>) -> Outcome {
        let Ok(mut request) = adrsog1::Request::parse(call.fields(), self.protected_persons) else {
            return Outcome::problem(Problem::Field);
        };
        request.most = request.most.min(self.rows);
        match adrsog1::answer(caller, snapshot, &request, (self.today)()) {
            Ok(answer) => Outcome::found(answer.to_xml()),
            Err(cpr_services::Error::Engine(error)) if error.is_refusal() => Outcome::problem(Problem::Field),
            Err(cpr_services::Error::NotLogged(error)) => Outcome::not_logged(error),
            Err(error) => Outcome::failed(&error),
        }
    }
}

/// What a call comes to; none when it panics. Then the log and the counts say so as of any other, and whoever has the
/// standard error of the process finds where.
fn guarded(call: &mut journal::Call, answer: impl FnOnce(&mut journal::Call) -> Answer) -> Option<Answer> {
    let answered = catch_unwind(AssertUnwindSafe(|| answer(&mut *call)));
    if answered.is_err() {
        call.outcome = "panicked";
        call.error = Some("a fault of the program: standard error says where".to_owned());
    }
    answered.ok()
}

fn is_list(operation: cpr_wire::sf6008::Operation) -> bool {
    use cpr_wire::sf6008::Operation::{ExtendedList, List};
    matches!(operation, List | ExtendedList)
}

/// The outcome of a lookup; `write` gives the XML of what was found.
fn told<T>(
    lookup: Result<Lookup<T>, cpr_services::Error>,
    write: impl FnOnce(T) -> Result<String, cpr_services::Error>,
) -> Outcome {
    match lookup {
        Ok(Lookup::Found(found)) => Outcome::found(write(found)),
        // Services answer a number without records of its own as one that nobody has.
        Ok(Lookup::Former(_) | Lookup::Unknown) => Outcome::problem(Problem::UnknownNumber),
        Ok(Lookup::NotKept) => Outcome::problem(Problem::NotKept),
        Err(cpr_services::Error::Protected) => Outcome::problem(Problem::Protected),
        Err(cpr_services::Error::NotLogged(error)) => Outcome::not_logged(error),
        Err(error) => Outcome::failed(&error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_that_panics_is_logged_and_counted_as_any_other() {
        let mut call = journal::Call {
            system: Some("school".to_owned()),
            agreement: None,
            service: "SF6008",
            operation: None,
            outcome: "",
            error: None,
            elapsed: Duration::ZERO,
        };
        let answer = guarded(&mut call, |call| {
            call.operation = Some("PersonLookup");
            panic!("on purpose")
        });
        assert!(answer.is_none());
        assert_eq!((call.operation, call.outcome), (Some("PersonLookup"), "panicked"));
        let metrics = Metrics::default();
        metrics.count(&call);
        let line = "cpr_host_calls_total{system=\"school\",service=\"SF6008\",outcome=\"panicked\"} 1";
        assert!(metrics.to_text(0).contains(line));
    }
}
