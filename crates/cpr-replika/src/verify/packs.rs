//! A folder of packs, verified: every block against its check, every index against the rows, every row against the rows
//! that it must agree with.

use std::path::Path;

use crate::damage::Place;
use crate::error::Error;
use crate::packs::packed::Packed;
use crate::store::file::Options;
use crate::store::tables::name;
use crate::verify::VerifyReport;
use crate::verify::report::TOLD;

impl Packed {
    /// Verifies the packs of a folder, as [`crate::Replika::verify_file`] does the file of a store; encrypted
    /// ones with the key of `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Options, Packed};
    /// let folder = tempfile::tempdir()?;
    /// demo()?.snapshot().write_pack(folder.path())?;
    /// assert!(Packed::verify(folder.path(), &Options::default())?.is_clean());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Packed::open`], but for damage, which stands in the report.
    pub fn verify(folder: impl AsRef<Path>, options: &Options) -> Result<VerifyReport, Error> {
        let mut report = VerifyReport::default();
        let Some(packed) = report.sound(Packed::open_encrypted(folder, options))? else { return Ok(report) };
        let packs = packed.packs();
        for pack in [packs.base()].into_iter().chain(packs.overlay()) {
            let (verified, faults) = pack.verify_all(TOLD)?;
            report.blocks += verified.blocks;
            faults.iter().for_each(|fault| report.fault_at(Place::Pack(fault.at), fault.what));
        }
        if let Some(rows) = report.sound(packed.snapshot().verify())? {
            report.take_over(rows);
        }
        // The rows were held against the digest of the ledger.
        let digest = packed.snapshot().known_digest();
        if let Some(digest) = report.sound(digest)? {
            report.expect(digest == packed.digest(), name::PERSONS, "not the state that the digest of the pack is of");
        }
        Ok(report)
    }
}
