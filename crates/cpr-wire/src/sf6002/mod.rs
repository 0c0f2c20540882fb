//! SF6002 CPR Abonnement 1.0 and 1.1: one filter a call, added or removed; one kind of filter removed; all told.
//!
//! Version 1.1 adds the two `NoFilter` operations, the group `NoFilter` and the element `noFilter`. Both versions have
//! one namespace and one path: a system's configuration says which it speaks, so requests are read as of 1.1 and
//! [`Request::is_in`] tells.

mod operation;
mod outcome;

pub use outcome::Outcome;

use cpr_subscription::{AgeRange, Filter, FilterError, FilterKind};

use self::operation::{Action, OPERATIONS, Operation};
use crate::error::Error;
use crate::xml::{Element, Writer};

/// The namespace of requests and answers.
pub const NAMESPACE: &str = "http://serviceplatformen.dk/xml/wsdl/soap11/CprSubscriptionService/1/";

const PNR_NAMESPACE: &str = "http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/";

/// The version of the contract that a system speaks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Version {
    /// 1.0: ten operations.
    V1_0,
    /// 1.1: twelve.
    V1_1,
}

/// What is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    operation: &'static Operation,
    change: Change,
}

/// What is done with the filters of the calling system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// One is added.
    Add(Filter),
    /// One is removed.
    Remove(Filter),
    /// All of a kind are removed.
    RemoveAll(FilterKind),
    /// None; they are told.
    GetAll,
}

impl Request {
    pub(crate) fn of(request: Element<'_>) -> Result<Request, Error> {
        let named = |operation: &&Operation| request.is(NAMESPACE, operation.name);
        let operation = OPERATIONS.iter().find(named).ok_or(Error::UnknownOperation)?;
        let change = match operation.action {
            Action::Add(kind) => Change::Add(filter(request, kind)?),
            Action::Remove(kind) => Change::Remove(filter(request, kind)?),
            Action::RemoveAll => Change::RemoveAll(group(request)?),
            Action::GetAll => Change::GetAll,
        };
        Ok(Request { operation, change })
    }

    /// The operation by its name in the contract.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }

    /// What is done.
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// False for what a version does not have: the `NoFilter` operations, and that group. A host refuses it as
    /// [`Error::UnknownOperation`].
    pub fn is_in(&self, version: Version) -> bool {
        let is_everything = match &self.change {
            Change::Add(filter) | Change::Remove(filter) => filter.kind() == FilterKind::Everything,
            Change::RemoveAll(kind) => *kind == FilterKind::Everything,
            Change::GetAll => false,
        };
        version >= Version::V1_1 || !is_everything
    }

    /// The answer that says what became of a change.
    pub fn result_xml(&self, outcome: Outcome) -> String {
        let kind = match &self.change {
            Change::Add(filter) | Change::Remove(filter) => filter.kind(),
            Change::RemoveAll(kind) => *kind,
            Change::GetAll => FilterKind::Everything,
        };
        let mut out = self.answer();
        out.text("ns3:Result", outcome.word(kind));
        out.finish()
    }

    /// The answer that tells filters, by kind in the order of the contract and in the order given within a kind. Kinds
    /// that the contract does not have are left out.
    pub fn filters_xml(&self, version: Version, filters: &[Filter]) -> String {
        let mut out = self.answer();
        for filter in of_kind(filters, FilterKind::AgeRange) {
            let Filter::AgeRange(range) = filter else { continue };
            out.open("ns3:AgeRange", &[]).text("ns3:StartAge", &range.from().to_string());
            out.text("ns3:EndAge", &range.to().to_string()).close();
        }
        for filter in of_kind(filters, FilterKind::EventChangeCode) {
            out.text("ns3:ChangeCode", &filter.reveal());
        }
        for filter in of_kind(filters, FilterKind::Municipality) {
            // The contract's number has no leading zeros, which clients put back.
            out.text("ns3:MunicipalityCode", filter.reveal().trim_start_matches('0'));
        }
        for filter in of_kind(filters, FilterKind::Pnr) {
            out.text("ns2:PNR", &filter.reveal());
        }
        if version >= Version::V1_1 {
            let is_everything = filters.contains(&Filter::Everything);
            out.text("ns3:noFilter", if is_everything { "true" } else { "false" });
        }
        out.finish()
    }

    /// The root of an answer. A client in production reads these prefixes without asking what they stand for.
    fn answer(&self) -> Writer {
        let mut out = Writer::new();
        out.open(self.operation.answer, &[("xmlns:ns2", PNR_NAMESPACE), ("xmlns:ns3", NAMESPACE)]);
        out
    }
}

fn of_kind(filters: &[Filter], kind: FilterKind) -> impl Iterator<Item = &Filter> {
    filters.iter().filter(move |filter| filter.kind() == kind)
}

/// The one filter of a request. Its element is found by name: clients put it into the namespace of the number.
fn filter(request: Element<'_>, kind: FilterKind) -> Result<Filter, Error> {
    let text = |element| request.required(element).map(Element::trimmed);
    let filter = match kind {
        FilterKind::AgeRange => {
            let range = request.required("AgeRange")?;
            Filter::AgeRange(AgeRange::new(age(range, "StartAge")?, age(range, "EndAge")?)?)
        }
        FilterKind::Pnr => Filter::parse(kind, text("PNR")?)?,
        FilterKind::Municipality => Filter::parse(kind, text("MunicipalityCode")?)?,
        FilterKind::EventChangeCode => Filter::parse(kind, text("ChangeCode")?)?,
        FilterKind::Everything => Filter::Everything,
        FilterKind::Address | FilterKind::AllOf => return Err(Error::Filter(FilterError::NoKind)),
    };
    Ok(filter)
}

/// A number of at most three digits.
fn age(range: Element<'_>, element: &'static str) -> Result<u16, Error> {
    let text = range.required(element)?.trimmed();
    let is_age = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_age).ok_or(Error::Value { element })
}

/// The kinds of filter that the contract has, under its own names.
fn group(request: Element<'_>) -> Result<FilterKind, Error> {
    const ELEMENT: &str = "FilterGroup";
    let kind = FilterKind::from_name(request.required(ELEMENT)?.trimmed());
    let kind = kind.filter(|kind| !matches!(kind, FilterKind::Address | FilterKind::AllOf));
    kind.ok_or(Error::Value { element: ELEMENT })
}
