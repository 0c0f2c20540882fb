//! The envelope of the GCTP answers.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use crate::error::Error;
use crate::gctp::row::Row;

const NAMESPACE: &str = "http://www.cpr.dk";

/// The answer of ADRSOG1: with the restart key of the next page where there is one, and with the count where that was
/// asked for.
pub(crate) fn adrsog1_xml(rest: Option<&str>, count: Option<u64>, rows: &[Row]) -> Result<String, Error> {
    let key: Vec<(&str, &str)> = rest.map(|rest| ("REST", rest)).into_iter().collect();
    answered("CprSoeg", "ADRSOG1", &key, Table { name: "ADRSOEG", count, rows })
}

/// The table of an answer.
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    /// How many rows there are in all (`aia`), where the answer says.
    pub(super) count: Option<u64>,
    pub(super) rows: &'a [Row],
}

/// The whole envelope; a key without fields is left out.
pub(super) fn answered(system: &str, name: &str, key: &[(&str, &str)], table: Table<'_>) -> Result<String, Error> {
    let mut out = Envelope(Writer::new(Vec::new()));
    out.open("root", &[("xmlns", NAMESPACE)])?;
    out.open("Gctp", &[("v", "1.0")])?;
    out.open("System", &[("r", system)])?;
    out.open("Service", &[("r", name)])?;
    if key.is_empty() {
        out.empty("CprServiceHeader", &[("r", name)])?;
    } else {
        out.open("CprServiceHeader", &[("r", name)])?;
        out.open("Key", &[])?;
        for (field, value) in key {
            out.empty("Field", &[("r", field), ("v", value)])?;
        }
        out.close(&["Key", "CprServiceHeader"])?;
    }
    out.table(&table)?;
    out.close(&["Service", "System", "Gctp", "root"])?;
    String::from_utf8(out.0.into_inner()).map_err(|_| Error::Xml)
}

struct Envelope(Writer<Vec<u8>>);

impl Envelope {
    fn table(&mut self, table: &Table<'_>) -> Result<(), Error> {
        self.open("CprData", &[("u", "O")])?;
        self.open("Rolle", &[("r", "HovedRolle")])?;
        let count = table.count.map(|count| count.to_string());
        let mut attributes = vec![("r", table.name)];
        attributes.extend(count.as_deref().map(|count| ("aia", count)));
        let rows = table.rows;
        if rows.is_empty() {
            self.empty("Table", &attributes)?;
        } else {
            self.open("Table", &attributes)?;
            for (number, row) in rows.iter().enumerate() {
                self.open("Row", &[("k", &number.to_string())])?;
                for field in &row.fields {
                    let mut attributes = vec![("r", field.name)];
                    attributes.extend(field.text.as_deref().map(|text| ("t", text)));
                    attributes.push(("v", &field.value));
                    self.empty("Field", &attributes)?;
                }
                self.close(&["Row"])?;
            }
            self.close(&["Table"])?;
        }
        self.close(&["Rolle", "CprData"])?;
        self.empty("Kvit", &[("r", "Ok"), ("t", ""), ("v", "0")])
    }

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
