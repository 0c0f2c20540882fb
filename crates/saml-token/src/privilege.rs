//! The privileges of an authority (OIO Basic Privilege Profile), which an attribute of the assertion has as base64.

use cpr_wire::xml::Document;
use cpr_wire::{Cvr, Limits};

use crate::bytes::decoded;
use crate::names::PRIVILEGES;
use crate::refusal::Refusal;

const WHAT: &str = "Privileges_intermediate";
/// What the scope of an authority begins with; the eight digits follow.
const SCOPE: &str = "urn:dk:gov:saml:cvrnumberidentifier:";

/// True when a list gives an authority a privilege.
///
/// # Errors
/// [`Refusal::Attribute`] for what is no list. It stands in a signed assertion, so it is nobody's attack, and refused
/// all the same.
pub(crate) fn has_privilege(list: &str, privilege: &str, cvr: Cvr) -> Result<bool, Refusal> {
    let bytes = decoded(list, WHAT).map_err(|_| Refusal::Attribute(WHAT))?;
    let text = str::from_utf8(&bytes).map_err(|_| Refusal::Attribute(WHAT))?;
    let list = Document::parse(text, &Limits::REQUEST).map_err(|_| Refusal::Attribute(WHAT))?;
    if !list.root().is(PRIVILEGES, "PrivilegeList") {
        return Err(Refusal::Attribute(WHAT));
    }
    // The elements within have been seen with the namespace and without one.
    let mut groups = list.root().children().filter(|group| group.name() == "PrivilegeGroup");
    Ok(groups.any(|group| {
        let scope = group.attribute("Scope").map(str::to_ascii_lowercase).unwrap_or_default();
        scope.strip_prefix(SCOPE) == Some(&cvr.to_string())
            && group.children().any(|found| found.name() == "Privilege" && found.trimmed() == privilege)
    }))
}
