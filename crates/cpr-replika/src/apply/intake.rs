//! Takes a file in: which layout family it is of, whether it is whole and sound, and whether it is its turn.
//!
//! The whole file is read once before anything is stored; its digest is taken on the way.

use std::cmp::Ordering;
use std::io::{self, Read, Seek, SeekFrom};

use cpr_extract::{CheckOptions, Checked, FIRST_LINES, Family, Header, Waive, check_seen, find_family, fits_family};
use cpr_model::Date;
use sha2::{Digest, Sha256};

use crate::apply::options::{Allow, ApplyOptions, Progress};
use crate::error::Error;
use crate::ledger::delivery::{Delivery, DeliveryKind};
use crate::store::config::Config;

/// A file that was read whole: sound or not.
pub(crate) struct Intake {
    pub(crate) family: &'static Family,
    pub(crate) checked: Checked,
    /// SHA-256 of its bytes.
    pub(crate) digest: [u8; 32],
}

impl Intake {
    /// Finds out the family where it is not settled, and checks the whole file by it.
    pub(crate) fn check(
        extract: &mut (impl Read + Seek),
        config: &Config,
        options: &ApplyOptions<'_>,
    ) -> Result<Intake, Error> {
        let settled = config.family.or(options.family);
        let mut family = match settled {
            Some(family) => family,
            None => found_family(extract, config, FIRST_LINES)?,
        };
        let (mut checked, mut digest) = check_extract(extract, family, config, options)?;
        if settled.is_none() && !checked.is_sound() {
            // What does not fit may be a variant whose own records come late.
            let second = found_family(extract, config, u64::MAX)?;
            if second != family {
                family = second;
                (checked, digest) = check_extract(extract, family, config, options)?;
            }
        }
        Ok(Intake { family, checked, digest })
    }
}

/// The reason to refuse a damaged extract; one that fits another family than the store's is told as that.
pub(crate) fn refusal(extract: &mut (impl Read + Seek), config: &Config, checked: Checked) -> Error {
    // Only a file that does not fit the store's family and does fit another one is of that other one.
    let mut fits = |family| fits_family(extract, family, &config.ignored).unwrap_or(false);
    if let Some(store) = config.family
        && !fits(store)
        && let Some(found) = Family::all().iter().find(|family| fits(family))
    {
        return Error::OtherFamily { store: store.name, found: found.name };
    }
    Error::Extract { faults: checked.faults, count: checked.fault_count }
}

/// Refuses a family that the first file cannot be told to be of. A store keeps its family, and the files of another
/// product would be read as of this one.
pub(crate) fn refuse_wider_family(
    extract: &mut (impl Read + Seek),
    config: &Config,
    asked: &'static Family,
) -> Result<(), Error> {
    let mut family = asked;
    while let Some(base) = family.extends.and_then(Family::named) {
        if fits_family(extract, base, &config.ignored).map_err(Error::Input)? {
            return Err(Error::WiderFamily { asked: asked.name, fits: base.name });
        }
        family = base;
    }
    Ok(())
}

fn found_family(extract: &mut (impl Read + Seek), config: &Config, lines: u64) -> Result<&'static Family, Error> {
    let found = find_family(extract, &config.ignored, lines).map_err(Error::Input)?;
    found.map_err(|families| Error::AmbiguousFamily { families })
}

/// Reads the whole extract once: faults, index, and the digest of its bytes.
fn check_extract(
    extract: &mut (impl Read + Seek),
    family: &'static Family,
    config: &Config,
    options: &ApplyOptions<'_>,
) -> Result<(Checked, [u8; 32]), Error> {
    let Allow { wrong_count, rows_without_person, code_page, .. } = options.allow;
    let waive = Waive { wrong_count, rows_without_person, code_page };
    let check_options = CheckOptions {
        family,
        chosen: config.chosen.as_deref(),
        ignored: &config.ignored,
        fault_limit: options.fault_limit,
        waive,
    };
    let mut digest = Sha256::new();
    let mut source = ReportingReader { source: extract, bytes: 0, is_first_reading: true, options, stopped: false };
    match check_seen(&mut source, check_options, |bytes| digest.update(bytes)) {
        Ok(checked) => Ok((checked, digest.finalize().into())),
        Err(_) if source.stopped => Err(Error::Stopped),
        Err(error) => Err(Error::of_source(error)),
    }
}

/// Tells how much has been read, and stops when the caller wants it. What is read after going back has been told
/// before.
struct ReportingReader<'a, R> {
    source: R,
    bytes: u64,
    is_first_reading: bool,
    options: &'a ApplyOptions<'a>,
    stopped: bool,
}

impl<R: Read> Read for ReportingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if !self.is_first_reading {
            return Ok(read);
        }
        self.bytes += read as u64;
        if self.options.report(Progress::Checking { bytes: self.bytes }).is_err() {
            self.stopped = true;
            return Err(io::Error::other("stopped by the caller"));
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for ReportingReader<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.is_first_reading = self.bytes == 0;
        self.source.seek(to)
    }
}

/// The order rules: same customer, no gap, nothing older; a load only into an empty store.
pub(crate) fn check_order(
    header: &Header,
    last: Option<&Delivery>,
    allow: Allow,
    kind: DeliveryKind,
) -> Result<(), Error> {
    let Some(last) = last else {
        return match kind {
            DeliveryKind::Admission => Err(Error::Config("persons are admitted to a store that has a delivery")),
            DeliveryKind::Load | DeliveryKind::Delta => Ok(()),
        };
    };
    if kind == DeliveryKind::Load && !allow.reload {
        return Err(Error::NotEmpty { deliveries: last.number.0 });
    }
    let customer = |task: &str| task.get(..4).unwrap_or(task).to_owned();
    if header.customer() != customer(&last.task) && !allow.other_customer {
        return Err(Error::OtherCustomer { store: customer(&last.task), found: header.customer().to_owned() });
    }
    let last: Date = last.production_date;
    if kind == DeliveryKind::Admission {
        return match header.production_date.cmp(&last) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(Error::Older { found: header.production_date, last }),
            Ordering::Greater => Err(Error::SequenceGap { previous: header.production_date, last }),
        };
    }
    if header.production_date <= last && !allow.older {
        return Err(Error::Older { found: header.production_date, last });
    }
    let follows = header.previous_production_date == last || kind == DeliveryKind::Load;
    let accepted = allow.gap || allow.older && header.production_date <= last;
    if !follows && !accepted {
        return Err(Error::SequenceGap { previous: header.previous_production_date, last });
    }
    Ok(())
}
