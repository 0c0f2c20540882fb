//! The envelope of the GCTP answers.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use crate::error::Error;
use crate::gctp::Answer;

const NAMESPACE: &str = "http://www.cpr.dk";

impl Answer {
    /// The answer as the service sends it: one `root` element, without line breaks.
    ///
    /// # Errors
    /// [`Error::Xml`] when the answer does not go into XML.
    pub fn to_xml(&self) -> Result<String, Error> {
        let mut out = Envelope(Writer::new(Vec::new()));
        out.open("root", &[("xmlns", NAMESPACE)])?;
        out.open("Gctp", &[("v", "1.0")])?;
        self.system(&mut out)?;
        out.close(&["Gctp", "root"])?;
        String::from_utf8(out.0.into_inner()).map_err(|_| Error::Xml)
    }

    fn system(&self, out: &mut Envelope) -> Result<(), Error> {
        let name = self.service.name();
        out.open("System", &[("r", self.service.system())])?;
        out.open("Service", &[("r", name)])?;
        out.empty("CprServiceHeader", &[("r", name)])?;
        out.open("CprData", &[("u", "O")])?;
        out.open("Rolle", &[("r", "HovedRolle")])?;
        if self.rows.is_empty() {
            out.empty("Table", &[("r", name)])?;
        } else {
            out.open("Table", &[("r", name)])?;
            for (number, row) in self.rows.iter().enumerate() {
                out.open("Row", &[("k", &number.to_string())])?;
                for field in &row.fields {
                    let mut attributes = vec![("r", field.name)];
                    attributes.extend(field.text.as_deref().map(|text| ("t", text)));
                    attributes.push(("v", &field.value));
                    out.empty("Field", &attributes)?;
                }
                out.close(&["Row"])?;
            }
            out.close(&["Table"])?;
        }
        out.close(&["Rolle", "CprData"])?;
        out.empty("Kvit", &[("r", "Ok"), ("t", ""), ("v", "0")])?;
        out.close(&["Service", "System"])
    }
}

struct Envelope(Writer<Vec<u8>>);

impl Envelope {
    fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> Result<(), Error> {
        self.write(Event::Start(start(name, attributes)))
    }

    fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> Result<(), Error> {
        self.write(Event::Empty(start(name, attributes)))
    }

    /// Ends these elements, the innermost first.
    fn close(&mut self, names: &[&'static str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.write(Event::End(BytesEnd::new(*name))))
    }

    fn write(&mut self, event: Event<'_>) -> Result<(), Error> {
        self.0.write_event(event).map_err(|_| Error::Xml)
    }
}

fn start(name: &'static str, attributes: &[(&str, &str)]) -> BytesStart<'static> {
    let mut start = BytesStart::new(name);
    for (name, value) in attributes {
        start.push_attribute((*name, *value));
    }
    start
}
