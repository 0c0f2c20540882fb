//! Who calls: the contexts at the head of a request.
//!
//! Read by their names within whatever namespace they stand in, since one client in production writes the children of
//! its InvocationContext in another. A client sends InvocationContext, or AuthorityContext, or both; that one of them
//! is there is for the host to ask, which knows the caller by its certificate.

use std::fmt;

use uuid::Uuid;

use crate::error::Error;
use crate::xml::Element;

/// The most characters that the contracts allow in a text of a context.
const LONGEST_TEXT: usize = 255;

/// The contexts of a request, as far as they are there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contexts {
    /// `InvocationContext`.
    pub invocation: Option<InvocationContext>,
    /// `AuthorityContext`.
    pub authority: Option<AuthorityContext>,
    /// `CallContext`.
    pub call: Option<CallContext>,
}

/// `InvocationContext`: which system calls, under which agreement, for which service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvocationContext {
    /// `ServiceAgreementUUID`.
    pub agreement: Uuid,
    /// `UserSystemUUID`: the system, which is the subscriber of SF6002.
    pub system: Uuid,
    /// `UserUUID`: the authority on whose behalf the system calls.
    pub user: Uuid,
    /// `ServiceUUID`.
    pub service: Uuid,
    /// `OnBehalfOfUser`, `CallersServiceCallIdentifier`, `AccountingInfo`.
    pub call: CallContext,
}

/// `AuthorityContext`: the municipality that asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorityContext {
    /// `MunicipalityCVR`.
    pub cvr: Cvr,
}

/// The number of an authority in the register of businesses (CVR-nummer): eight digits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cvr(u32);

/// `CallContext`: what the caller says of the call, for its own use. `Debug` does not repeat it: a user may be a
/// person.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct CallContext {
    /// `OnBehalfOfUser`.
    pub user: Option<String>,
    /// `CallersServiceCallIdentifier`.
    pub identifier: Option<String>,
    /// `AccountingInfo`.
    pub accounting: Option<String>,
}

impl Contexts {
    /// The contexts among the children of a request.
    pub(crate) fn of(request: Element<'_>) -> Result<Contexts, Error> {
        Ok(Contexts {
            invocation: request.optional("InvocationContext")?.map(InvocationContext::of).transpose()?,
            authority: request.optional("AuthorityContext")?.map(AuthorityContext::of).transpose()?,
            call: request.optional("CallContext")?.map(CallContext::of).transpose()?,
        })
    }
}

impl InvocationContext {
    fn of(element: Element<'_>) -> Result<InvocationContext, Error> {
        Ok(InvocationContext {
            agreement: uuid(element, "ServiceAgreementUUID")?,
            system: uuid(element, "UserSystemUUID")?,
            user: uuid(element, "UserUUID")?,
            service: uuid(element, "ServiceUUID")?,
            call: CallContext::of(element)?,
        })
    }
}

impl AuthorityContext {
    pub(crate) fn of(element: Element<'_>) -> Result<AuthorityContext, Error> {
        const NAME: &str = "MunicipalityCVR";
        let cvr = Cvr::parse(element.required(NAME)?.trimmed()).ok_or(Error::Value { element: NAME })?;
        Ok(AuthorityContext { cvr })
    }
}

impl CallContext {
    pub(crate) fn of(element: Element<'_>) -> Result<CallContext, Error> {
        Ok(CallContext {
            user: text(element, "OnBehalfOfUser")?,
            identifier: text(element, "CallersServiceCallIdentifier")?,
            accounting: text(element, "AccountingInfo")?,
        })
    }
}

impl Cvr {
    /// Reads eight digits.
    pub fn parse(text: &str) -> Option<Cvr> {
        let is_cvr = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_cvr.then(|| text.parse().ok().map(Cvr)).flatten()
    }
}

/// Prints the eight digits.
impl fmt::Display for Cvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// Says nothing of the user.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallContext(..)")
    }
}

/// A UUID in any spelling.
fn uuid(element: Element<'_>, name: &'static str) -> Result<Uuid, Error> {
    Uuid::try_parse(element.required(name)?.trimmed()).map_err(|_| Error::Value { element: name })
}

fn text(element: Element<'_>, name: &'static str) -> Result<Option<String>, Error> {
    let Some(text) = element.optional(name)?.map(Element::text) else { return Ok(None) };
    if text.chars().count() > LONGEST_TEXT {
        return Err(Error::Value { element: name });
    }
    Ok(Some(text.to_owned()))
}
