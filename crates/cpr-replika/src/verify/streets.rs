//! Rechecks the names of streets against the documents.

use crate::error::Error;
use crate::index::street_names::{StreetNames, name_row, postal_row};
use crate::snapshot::Snapshot;
use crate::store::tables::name;
use crate::verify::{Known, VerifyReport};

impl Snapshot {
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

    /// Every row of streets opens.
    pub(super) fn open_street_names(&self, report: &mut VerifyReport, _: &Known) -> Result<(), Error> {
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
