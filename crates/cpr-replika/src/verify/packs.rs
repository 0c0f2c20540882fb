//! A folder of packs, verified: every block against its check, every index against the rows, every row against the rows
//! that it must agree with.

use std::path::Path;

use crate::error::Error;
use crate::packs::packed::Packed;
use crate::store::tables::name;
use crate::verify::VerifyReport;

impl Packed {
    /// Verifies the packs of a folder, as [`crate::Replika::verify_file`] does the file of a store.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// demo()?.snapshot().write_pack(folder.path())?;
    /// assert!(cpr_replika::Packed::verify(folder.path())?.is_clean());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Packed::open`], but for damage, which stands in the report.
    pub fn verify(folder: impl AsRef<Path>) -> Result<VerifyReport, Error> {
        let mut report = VerifyReport::default();
        let Some(packed) = report.sound(Packed::open(folder))? else { return Ok(report) };
        let packs = packed.packs();
        for pack in [packs.base()].into_iter().chain(packs.overlay()) {
            if let Some(verified) = report.sound(pack.verify().map_err(Error::from))? {
                report.blocks += verified.blocks;
            }
        }
        if let Some(rows) = report.sound(packed.snapshot().verify())? {
            report.take_over(rows);
        }
        if let Some(digest) = report.sound(packed.snapshot().state_digest())? {
            report.expect(digest == packed.digest(), name::PERSONS, "not the state that the digest of the pack is of");
        }
        Ok(report)
    }
}
