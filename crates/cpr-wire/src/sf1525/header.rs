//! The header of a request (`HovedOplysninger`), and that of its answer (`HovedOplysningerSvar`), which bears the same
//! transaction.

use std::fmt;

use cpr_model::{Date, Day};
use uuid::Uuid;

use super::{ANSWER, NAMESPACE};
use crate::context::{AuthorityContext, CallContext, Contexts};
use crate::error::Error;
use crate::problem::Problem;
use crate::xml::{Element, Writer};

const CONTEXT: &str = "http://kombit.dk/xml/schemas/kontekst/2017/01/01/";
const TRANSACTION: &str = "TransaktionsId";
const TIME: &str = "TransaktionsTid";
const REQUEST: &str = "RequestId";
const LONGEST_TRANSACTION: usize = 255;

/// What an answer bears of its request. The caller gives time and transaction, and they are handed on unchanged.
#[derive(Clone, Eq, PartialEq)]
pub struct Header {
    /// `TransaktionsId`.
    pub transaction: String,
    /// `TransaktionsTid`, an `xsd:dateTime` as received.
    pub time: String,
    /// `RequestId`.
    pub request: Option<Uuid>,
}

impl Header {
    /// `Rute` and `Processing` are for those between caller and service, and passed over.
    pub(crate) fn of(element: Element<'_>) -> Result<Header, Error> {
        let transaction = element.required(TRANSACTION)?.trimmed();
        if transaction.is_empty() || transaction.chars().count() > LONGEST_TRANSACTION {
            return Err(Error::Value { element: TRANSACTION });
        }
        let time = element.required(TIME)?.trimmed();
        if !is_date_time(time) {
            return Err(Error::Value { element: TIME });
        }
        let request = element.optional(REQUEST)?.map(|id| Uuid::try_parse(id.trimmed()));
        let request = request.transpose().map_err(|_| Error::Value { element: REQUEST })?;
        Ok(Header { transaction: transaction.to_owned(), time: time.to_owned(), request })
    }

    /// The contexts that stand in this header.
    pub(crate) fn contexts(element: Element<'_>) -> Result<Contexts, Error> {
        let authority = element.optional("AuthorityContext")?.map(AuthorityContext::of).transpose()?;
        Ok(Contexts { invocation: None, authority, call: Some(CallContext::of(element)?) })
    }

    /// An answer with its header; none when it is no answer of this contract.
    pub(crate) fn answer(&self, xml: &str) -> Option<String> {
        let rest = xml.strip_prefix('<')?.strip_prefix(ANSWER)?;
        let (attributes, content) = rest.split_once('>')?;
        let is_ours = attributes == format!(" xmlns=\"{NAMESPACE}\"");
        is_ours.then(|| format!("<{ANSWER}{attributes}>{}{content}", self.to_xml(None)))
    }

    /// An answer that has a header only, which says why.
    pub(crate) fn refusal(&self, problem: &Problem) -> String {
        let mut out = Writer::new();
        out.open(ANSWER, &[("xmlns", NAMESPACE)]).xml(&self.to_xml(Some(problem)));
        out.finish()
    }

    fn to_xml(&self, problem: Option<&Problem>) -> String {
        let mut out = Writer::new();
        out.open("kontekst:HovedOplysningerSvar", &[("xmlns:kontekst", CONTEXT)]);
        out.text("kontekst:TransaktionsId", &self.transaction).text("kontekst:TransaktionsTid", &self.time);
        if let Some(request) = self.request {
            out.text("kontekst:RequestId", &request.hyphenated().to_string());
        }
        if let Some(problem) = problem {
            out.open("kontekst:SvarReaktion", &[]).open("kontekst:Fejl", &[]);
            out.text("kontekst:FejlId", problem.error_code()).text("kontekst:FejlTekst", &problem.to_string());
        }
        out.finish()
    }
}

/// Says nothing of what the caller wrote.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Header(..)")
    }
}

/// True for an `xsd:dateTime` of this era with four digits of a year.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let is_day = Date::parse(date).is_some_and(|date| date.digits() >= 1_0000 && Day::of(date).is_some());
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let (seconds, fraction) = time.split_once('.').map_or((time, None), |(whole, rest)| (whole, Some(rest)));
    let is_zone = match zone.split_at_checked(1) {
        None | Some(("Z", "")) => true,
        Some(("+" | "-", offset)) => sixties(offset).is_some_and(|of| matches!(of[..], [0..=13, _] | [14, 0])),
        Some(_) => false,
    };
    let is_time = sixties(seconds).is_some_and(|of| matches!(of[..], [0..=23, _, _]));
    let is_fraction = fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    is_day && is_time && is_fraction && is_zone
}

/// Numbers of two digits below 60 with colons between.
fn sixties(text: &str) -> Option<Vec<u8>> {
    let number = |part: &str| {
        let is_two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|number: &u8| is_two_digits && *number < 60)
    };
    text.split(':').map(number).collect()
}
