//! A call from its body to its answer: read, allowed, answered from one snapshot, and logged before it leaves.
//!
//! Nothing here waits for a socket; it runs on a thread that may block.

use std::sync::Arc;
use std::time::Instant;

use access_log::AccessLog;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::{FilterPolicy, Replika, Snapshot};
use cpr_services::search::adrsog1;
use cpr_services::{Caller as Logged, Lookup, NoRegister, Request as Asked, gctp, sf1520, sf1525, sf6008};
use cpr_wire::{Answer, Call, Endpoint, Limits, Problem, Reading, Request};

use crate::callers::{Caller, Callers, Denied};
use crate::config::Fingerprint;
use crate::journal::{self, Journal, Line};
use crate::metrics::Metrics;
use crate::outcome::{Outcome, name_of};
use crate::service::{ADRSOG1, Service};
use crate::subscriptions;

/// Where calls are answered.
pub(crate) struct Desk {
    /// The store.
    pub(crate) replika: Arc<Replika>,
    /// Who may call.
    pub(crate) callers: Callers,
    /// Who looked at whom.
    pub(crate) access: Box<dyn AccessLog>,
    /// What happens.
    pub(crate) journal: Arc<dyn Journal>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What SF6002 lets subscribers follow.
    pub(crate) filters: FilterPolicy,
    /// Bytes of a body that are read.
    pub(crate) body_bytes: usize,
    /// Rows that a search gives at once.
    pub(crate) rows: usize,
    /// The day, for ages and protections in force.
    pub(crate) today: fn() -> Date,
}

/// A body that came in.
#[derive(Clone, Copy)]
pub(crate) struct Received<'a> {
    /// What is served under the path.
    pub(crate) endpoint: Endpoint,
    /// The charset of HTTP's `Content-Type`.
    pub(crate) charset: Option<&'a str>,
    /// The body.
    pub(crate) body: &'a [u8],
    /// The certificate of the connection.
    pub(crate) certificate: &'a Fingerprint,
}

impl Desk {
    /// Answers a body.
    pub(crate) fn serve(&self, received: &Received<'_>) -> Answer {
        let since = Instant::now();
        let mut call = journal::Call {
            system: self.callers.name_of(received.certificate).map(str::to_owned),
            agreement: None,
            service: Service::name_of(received.endpoint),
            operation: None,
            outcome: "",
            error: None,
            elapsed: since.elapsed(),
        };
        let answer = self.answer(received, &mut call);
        call.elapsed = since.elapsed();
        self.metrics.count(&call);
        self.journal.tell(&Line::Call(call));
        answer
    }

    fn answer(&self, received: &Received<'_>, call: &mut journal::Call) -> Answer {
        let limits = Limits { bytes: self.body_bytes, ..Limits::REQUEST };
        let reading = Reading { charset: received.charset, limits, understood: &[] };
        let request = match received.endpoint.read(received.body, &reading) {
            Ok(request) => request,
            // A stranger is not told what is wrong with the request.
            Err(refused) if !self.callers.has(received.certificate) => {
                call.outcome = Denied::Certificate.name();
                return refused.reply.refuse(&Problem::NoAgreement);
            }
            Err(refused) => {
                call.outcome = name_of(&Problem::from(refused.error));
                return refused.answer();
            }
        };
        call.operation = Some(request.operation);
        let caller = match self.identify(received.certificate, &request, call) {
            Ok(caller) => caller,
            Err((problem, outcome)) => {
                call.outcome = outcome;
                return request.reply.refuse(&problem);
            }
        };
        call.system = Some(caller.system.name.as_str().to_owned());
        call.agreement = Some(caller.asker.agreement.clone());
        let outcome = self.ask(&request, &caller);
        (call.outcome, call.error) = (outcome.name, outcome.error);
        match outcome.result {
            Ok(xml) => request.reply.answer(&xml),
            Err(problem) => request.reply.refuse(&problem),
        }
    }

    /// Who calls, when that is allowed; else the problem and its word.
    fn identify(
        &self,
        certificate: &Fingerprint,
        request: &Request,
        call: &mut journal::Call,
    ) -> Result<Caller<'_>, (Problem, &'static str)> {
        let Some(service) = Service::of(&request.call) else {
            return Err(match self.callers.has(certificate) {
                true => (Problem::UnknownService, name_of(&Problem::UnknownService)),
                false => (Problem::NoAgreement, Denied::Certificate.name()),
            });
        };
        call.service = service.name();
        let uuid = request.call.service_uuid();
        let caller = self.callers.identify(certificate, &request.contexts, service, uuid);
        caller.map_err(|denied| (Problem::NoAgreement, denied.name()))
    }

    /// Asks the services, which tell the access log before they hand out an answer.
    fn ask(&self, request: &Request, caller: &Caller<'_>) -> Outcome {
        let snapshot = self.replika.snapshot();
        let logged = Logged::new(&*self.access, &caller.asker);
        let about = |pnr: Pnr| Asked::on(pnr, (self.today)(), logged);
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
            Call::Gctp(call) if call.is_for(ADRSOG1) => self.search(call, &snapshot, logged),
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
            Call::Sf6002(call) => subscriptions::change(&self.replika, caller.system, &self.filters, call, logged),
        }
    }

    /// ADRSOG1.
    fn search(&self, call: &cpr_wire::gctp::Request, snapshot: &Snapshot, logged: Logged<'_>) -> Outcome {
        let Ok(mut request) = adrsog1::Request::parse(call.fields()) else {
            return Outcome::problem(Problem::Field);
        };
        request.most = request.most.min(self.rows);
        match adrsog1::answer(logged, snapshot, &request, (self.today)()) {
            Ok(answer) => Outcome::found(answer.to_xml()),
            Err(cpr_services::Error::Engine(error)) if error.is_refusal() => Outcome::problem(Problem::Field),
            Err(cpr_services::Error::NotLogged(error)) => Outcome::not_logged(error),
            Err(error) => Outcome::failed(&error),
        }
    }
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
        Err(cpr_services::Error::NotLogged(error)) => Outcome::not_logged(error),
        Err(error) => Outcome::failed(&error),
    }
}
