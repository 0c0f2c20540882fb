//! Who is asked about, and as of when.

use std::fmt;

use cpr_replika::DeliveryNumber;
use cpr_replika::cpr_model::{Date, Pnr, Timestamp};

/// A question to any of the services.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Request {
    /// The number asked for; it may be one that the person has given up.
    pub pnr: Pnr,
    /// The day on which the question is put: ages, children under 18 and protections in force are those of the day.
    pub day: Date,
    /// As of this moment in the world; none for what CPR delivers as current, which is what the national services answer.
    pub valid: Option<Timestamp>,
    /// As known after this delivery; none for the last one.
    pub known: Option<DeliveryNumber>,
}

impl Request {
    /// The question that the national services answer: what is current, as known now.
    pub fn on(pnr: Pnr, day: Date) -> Request {
        Request { pnr, day, valid: None, known: None }
    }
}

/// Says nothing of the number.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("day", &self.day)
            .field("valid", &self.valid)
            .field("known", &self.known)
            .finish()
    }
}
