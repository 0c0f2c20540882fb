//! SF1525 `PersonStamoplysningerSamlingHent` 1.0 and 2.0: one number, and the areas that are marked.
//!
//! Both versions have one namespace and one request; the path tells them apart. The contract is not public: the shape
//! here is that of its generation (`_I` with `HovedOplysninger` first, `_O` with `HovedOplysningerSvar` first, errors
//! in `SvarReaktion`).

mod header;
mod marking;
mod version;

pub use header::Header;
pub use marking::{Depth, Marking, Markings};
pub use version::Version;

use cpr_model::Pnr;

use crate::error::Error;
use crate::xml::Element;

/// The namespace of requests and answers.
pub const NAMESPACE: &str = "http://www.kombit.dk/2017/01/01/";

/// The root of an answer.
pub const ANSWER: &str = "PersonStamoplysningerSamlingHent_O";

pub(crate) const REQUEST: &str = "PersonStamoplysningerSamlingHent_I";
pub(crate) const HEADER: &str = "HovedOplysninger";
pub(crate) const OPERATION: &str = "PersonStamoplysningerSamlingHent";

const NUMBER: &str = "Personnummer";
const MARKING: &str = "Markering";

/// What is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The version of the path.
    pub version: Version,
    /// The number.
    pub pnr: Pnr,
    /// The areas, all of them in this version.
    pub markings: Markings,
}

impl Request {
    pub(crate) fn of(version: Version, request: Element<'_>) -> Result<Request, Error> {
        let number = request.required(NUMBER)?.trimmed();
        let digits = number.strip_prefix("urn:oio:cpr-nr:").unwrap_or(number);
        let pnr = Pnr::parse(digits.as_bytes()).ok_or(Error::NotAPnr)?;
        let mut markings = Markings::default();
        for child in request.children().filter(|child| ![HEADER, NUMBER].contains(&child.name())) {
            let name = child.name();
            let marking = Marking::from_name(name).filter(|_| name.ends_with(MARKING)).ok_or(Error::UnknownMarking)?;
            if version == Version::V1 && !marking.is_in_1_0() {
                return Err(Error::Marking { marking: marking.name() });
            }
            request.optional(marking.name())?;
            if let Some(depth) = depth(marking, child.trimmed())? {
                markings = markings.with(marking, depth);
            }
        }
        Ok(Request { version, pnr, markings })
    }
}

/// How deep an area is marked; `PersonnummerListeMarkering` is a plain yes or no.
fn depth(marking: Marking, text: &str) -> Result<Option<Depth>, Error> {
    match (marking, text) {
        (Marking::NumberList, "true" | "1") => Ok(Some(Depth::Current)),
        (Marking::NumberList, "false" | "0") => Ok(None),
        (Marking::NumberList, _) => Err(Error::Value { element: marking.name() }),
        _ => Depth::from_name(text).map(Some).ok_or(Error::Value { element: marking.name() }),
    }
}
