//! Who is asked about, and as of when.

use std::fmt;

use access_log::Caller;
use cpr_replika::DeliveryNumber;
use cpr_replika::cpr_model::{Date, Pnr, Timestamp};

use crate::protected_persons::ProtectedPersons;

/// A question to any of the services.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The number asked for; it may be one that the person has given up.
    pub pnr: Pnr,
    /// The day on which the question is put: ages, children under 18 and protections in force are those of the day.
    pub day: Date,
    /// As of this moment in the world; none for what CPR delivers as current, which is what the national services
    /// answer.
    pub valid: Option<Timestamp>,
    /// As known after this delivery; none for the last one.
    pub known: Option<DeliveryNumber>,
    /// Who asks, and the log that is told before an answer is handed out.
    pub caller: Caller<'a>,
    /// What is said of persons whose name and address are protected.
    pub protected_persons: ProtectedPersons,
}

impl<'a> Request<'a> {
    /// The question that the national services answer: what is current, as known now, of protected persons too.
    pub fn on(pnr: Pnr, day: Date, caller: Caller<'a>) -> Request<'a> {
        Request { pnr, day, valid: None, known: None, caller, protected_persons: ProtectedPersons::Tell }
    }
}

/// Says nothing of the number.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("day", &self.day)
            .field("valid", &self.valid)
            .field("known", &self.known)
            .field("caller", &self.caller)
            .finish()
    }
}
