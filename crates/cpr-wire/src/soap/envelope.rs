//! The envelope around a request or an answer.

use super::SoapVersion;
use crate::error::Error;
use crate::xml::{Document, Element, Writer};

/// An envelope that was read.
pub(crate) struct Envelope<'d> {
    pub(crate) version: SoapVersion,
    header: Option<Element<'d>>,
    body: Element<'d>,
}

impl<'d> Envelope<'d> {
    /// The version of SOAP, the header and the body of a document.
    ///
    /// # Errors
    /// [`Error::NotAnEnvelope`] for another root, and for other children than at most one header and then one body.
    pub(crate) fn of(document: &'d Document) -> Result<Envelope<'d>, Error> {
        let root = document.root();
        let version = SoapVersion::ALL.into_iter().find(|version| root.is(version.namespace(), "Envelope"));
        let version = version.ok_or(Error::NotAnEnvelope)?;
        let named = |element: &Element<'_>, name| element.is(version.namespace(), name);
        let mut children = root.children().peekable();
        let header = children.next_if(|child| named(child, "Header"));
        let body = children.next().filter(|child| named(child, "Body")).ok_or(Error::NotAnEnvelope)?;
        if children.next().is_some() {
            return Err(Error::NotAnEnvelope);
        }
        Ok(Envelope { version, header, body })
    }

    /// The one element of the body.
    ///
    /// # Errors
    /// [`Error::UnknownOperation`] for none or several.
    pub(crate) fn request(&self) -> Result<Element<'d>, Error> {
        let mut children = self.body.children();
        match (children.next(), children.next()) {
            (Some(request), None) => Ok(request),
            _ => Err(Error::UnknownOperation),
        }
    }

    /// Refuses headers that must be understood, but for those of these namespaces.
    ///
    /// # Errors
    /// [`Error::MustUnderstand`].
    pub(crate) fn understand(&self, understood: &[&str]) -> Result<(), Error> {
        let of_soap = |header: Element<'d>, name| header.attribute_of(self.version.namespace(), name);
        let must = |header: &Element<'d>| {
            let known = header.namespace().is_some_and(|namespace| understood.contains(&namespace));
            // One that names whom it is for is for us when that is whoever comes next, or the last.
            let whom = of_soap(*header, "actor").or_else(|| of_soap(*header, "role")).unwrap_or_default();
            let is_ours = whom.is_empty() || whom.ends_with("/next") || whom.ends_with("/ultimateReceiver");
            matches!(of_soap(*header, "mustUnderstand"), Some("1" | "true")) && is_ours && !known
        };
        let mut headers = self.header.into_iter().flat_map(Element::children);
        if headers.any(|header| must(&header)) { Err(Error::MustUnderstand) } else { Ok(()) }
    }
}

/// An envelope with this in its body.
pub(crate) fn written(version: SoapVersion, body: &str) -> String {
    let mut out = Writer::document();
    out.open("soap:Envelope", &[("xmlns:soap", version.namespace())]).open("soap:Body", &[]).xml(body);
    out.finish()
}
