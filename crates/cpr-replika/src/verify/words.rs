//! Rechecks the tables that names are found by, against the documents.

use crate::error::Error;
use crate::index::street_names::{StreetNames, name_row, postal_row};
use crate::index::words::{Words, read_row};
use crate::snapshot::Snapshot;
use crate::store::tables::name;
use crate::verify::VerifyReport;

impl Snapshot {
    /// Every row of words is what the documents say, and there is no other.
    pub(crate) fn verify_words(&self, report: &mut VerifyReport, words: Words) -> Result<(), Error> {
        let mut rows = 0;
        for (word, chunk, expected) in words.expected() {
            rows += 1;
            let key = (&*word, chunk);
            let Some(sealed) = self.tables().words.get(key)? else {
                report.fault(name::WORDS, "a row is missing");
                continue;
            };
            let mut found = Vec::new();
            if report.sound(read_row(key, sealed.value(), |entry| found.push(entry)))?.is_some() {
                report.expect(found == expected, name::WORDS, "a row that is not what the documents say");
            }
        }
        report.expect(self.tables().words.len()? == rows, name::WORDS, "a row that no document calls for");
        Ok(())
    }

    /// Every street that a document names is found by its name and postal code. Others were named by documents of the
    /// past.
    pub(crate) fn verify_street_names(&self, report: &mut VerifyReport, streets: StreetNames) -> Result<(), Error> {
        const MISSING: &str = "a street that a document names is missing";
        let (names, postal) = streets.expected();
        for ((word, line), expected) in names {
            let stored = self.tables().street_names.get((&*word, &*line))?;
            let read = stored.map_or(Ok(Vec::new()), |sealed| name_row((&word, &line), sealed.value()));
            let Some(found) = report.sound(read)? else { continue };
            let all = expected.iter().all(|street| found.binary_search(street).is_ok());
            report.expect(all, name::STREET_NAMES, MISSING);
        }
        for (code, expected) in postal {
            let stored = self.tables().postal_streets.get(code)?;
            let read = stored.map_or(Ok(Vec::new()), |sealed| postal_row(code, sealed.value()));
            let Some(found) = report.sound(read)? else { continue };
            let all = expected.iter().all(|street| found.binary_search(street).is_ok());
            report.expect(all, name::POSTAL_STREETS, MISSING);
        }
        Ok(())
    }

    /// Without all documents, rows of words can only be opened.
    pub(super) fn open_words(&self, report: &mut VerifyReport) -> Result<(), Error> {
        for row in self.tables().words.iter()? {
            let (key, sealed) = row?;
            report.sound(read_row(key.value(), sealed.value(), |_| ()))?;
        }
        Ok(())
    }

    /// Every row of streets opens.
    pub(super) fn open_street_names(&self, report: &mut VerifyReport) -> Result<(), Error> {
        for row in self.tables().street_names.iter()? {
            let (key, sealed) = row?;
            report.sound(name_row(key.value(), sealed.value()))?;
        }
        for row in self.tables().postal_streets.iter()? {
            let (code, sealed) = row?;
            report.sound(postal_row(code.value(), sealed.value()))?;
        }
        Ok(())
    }
}
