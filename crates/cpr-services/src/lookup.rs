//! What a question about a number leads to.

use std::fmt;

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::Pnr;
use serde::Serialize;

use crate::error::Error;
use crate::protection::Protections;
use crate::request::Request;

/// Found, with or without data; or a number without records of its own; or a number that is not kept, or
/// that nobody has.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup<T> {
    /// The replica holds records under the number.
    Found(T),
    /// No records stand under the number, but those of another name it as one that the person gave up (022); none when
    /// they lead to no one current number. The services answer as for an unknown number.
    Former(Former),
    /// CPR has the number, and the store does not keep it: nobody needs it here
    /// ([`Keep`](cpr_replika::Keep)). It is not said to be unknown.
    NotKept,
    /// No record knows the number.
    Unknown,
}

/// The current number of someone who gave up the number asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Former {
    /// The number now; none when the chain leads to no one number.
    pub current: Option<Pnr>,
}

impl<T> Lookup<T> {
    /// The answer, when there is one.
    pub fn found(self) -> Option<T> {
        match self {
            Lookup::Found(answer) => Some(answer),
            Lookup::Former(_) | Lookup::NotKept | Lookup::Unknown => None,
        }
    }
}

/// For a number without records of its own: whether another's records know it.
pub(crate) fn not_held<T>(snapshot: &Snapshot, request: &Request<'_>) -> Result<Lookup<T>, Error> {
    Ok(match snapshot.numbers(request.pnr, request.known)? {
        Some(chain) => Lookup::Former(Former { current: chain.current }),
        None if snapshot.is_left_out(request.pnr)? => Lookup::NotKept,
        None => Lookup::Unknown,
    })
}

/// An answer with the protections of the person it is about.
#[derive(Clone, PartialEq, Serialize)]
pub struct Answered<T> {
    /// As recorded, and in force on the day of the request.
    pub protections: Protections,
    /// What the service tells of and the store does not hold (record types that are not chosen, or not in the product),
    /// by the names of aspects: what is left out of the answer for that is unknown, not none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<&'static str>,
    /// The answer in the shape of the contract.
    pub answer: T,
}

/// Says nothing of the person.
impl<T> fmt::Debug for Answered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answered(..)")
    }
}
