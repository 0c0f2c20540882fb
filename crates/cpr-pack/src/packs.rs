//! A base and its overlay as one: what the overlay has wins, and what it says is gone is not there.

use std::sync::Arc;

use crate::error::Error;
use crate::header::{Description, Kind};
use crate::keys::Keys;
use crate::pack::Pack;
use crate::space::Checks;
use crate::table::Table;

/// A base with the overlay that belongs to it, if there is one. Another overlay makes another `Packs` over the same
/// base.
///
/// ```
/// use std::{io::Cursor, sync::Arc};
/// use cpr_pack::{Checks, Description, Keys, Kind, Pack, Packs, Writer};
///
/// # fn main() -> Result<(), cpr_pack::Error> {
/// let base = Description { store: [7; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };
/// let mut writer = Writer::new(Cursor::new(Vec::new()), &base)?;
/// writer.table("persons", Keys::Numbers)?;
/// writer.row(4, b"four")?;
/// writer.row(7, b"seven")?;
/// let (file, summary) = writer.finish()?;
/// let below = Arc::new(Pack::from_bytes(file.into_inner(), Checks::AtFirstTouch)?);
///
/// let kind = Kind::Overlay { base_delivery: 1, base_seal: summary.seal };
/// let mut writer = Writer::new(Cursor::new(Vec::new()), &Description { kind, delivery: 2, ..base })?;
/// writer.table("persons", Keys::Numbers)?;
/// writer.gone(4)?;
/// writer.row(7, b"another")?;
/// let above = Pack::from_bytes(writer.finish()?.0.into_inner(), Checks::AtFirstTouch)?;
///
/// let packs = Packs::new(below, Some(Arc::new(above)))?;
/// let persons = packs.table("persons", Keys::Numbers)?;
/// assert_eq!(persons.get(4)?, None);
/// assert_eq!(persons.get(7)?.as_deref(), Some(&b"another"[..]));
/// assert_eq!(persons.iter()?.count(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Packs {
    base: Arc<Pack>,
    overlay: Option<Arc<Pack>>,
}

impl Packs {
    /// Takes both as one.
    ///
    /// # Errors
    ///
    /// [`Error::Unrelated`] when they are not a base and an overlay over this very base, of the same store.
    pub fn new(base: Arc<Pack>, overlay: Option<Arc<Pack>>) -> Result<Packs, Error> {
        let unrelated = |why| Err(Error::Unrelated { why });
        let below = base.description();
        if below.kind != Kind::Base {
            return unrelated("the base is an overlay");
        }
        if let Some(above) = overlay.as_ref().map(|overlay| overlay.description()) {
            let Kind::Overlay { base_delivery, base_seal } = above.kind else {
                return unrelated("the overlay is a base");
            };
            if above.store != below.store {
                return unrelated("they are of different stores");
            }
            if base_delivery != below.delivery || base_seal != base.seal() {
                return unrelated("the overlay is over another base");
            }
            if above.rows_version != below.rows_version {
                return unrelated("their rows are of different versions");
            }
            if above.delivery < below.delivery {
                return unrelated("the overlay is older than the base");
            }
        }
        Ok(Packs { base, overlay })
    }

    /// The base.
    pub fn base(&self) -> &Arc<Pack> {
        &self.base
    }

    /// The overlay.
    pub fn overlay(&self) -> Option<&Arc<Pack>> {
        self.overlay.as_ref()
    }

    /// Whether rows are compared with their checks before they are handed out, of both.
    pub fn are_checked(&self) -> bool {
        self.overlay.iter().chain([&self.base]).all(|pack| pack.checks() != Checks::Never)
    }

    /// What the rows are as of: the description of the overlay, or of the base where there is none.
    pub fn description(&self) -> &Description {
        self.overlay.as_ref().unwrap_or(&self.base).description()
    }

    /// A table of both as one. It may stand in only one of them.
    ///
    /// # Errors
    ///
    /// [`Error::NoTable`] when it stands in neither; [`Error::OtherKeys`].
    pub fn table(&self, name: &str, keys: Keys) -> Result<Table<'_>, Error> {
        Ok(self.table_at(self.find(name, keys)?))
    }

    /// Where a table stands: whoever asks for one again and again looks its name up once.
    ///
    /// # Errors
    ///
    /// As [`table`](Packs::table).
    pub fn find(&self, name: &str, keys: Keys) -> Result<TablePlace, Error> {
        let below = self.base.place_of(name, keys)?;
        let above = match &self.overlay {
            Some(overlay) => overlay.place_of(name, keys)?,
            None => None,
        };
        match (below, above) {
            (None, None) => Err(Error::NoTable { name: name.to_owned() }),
            (below, above) => Ok(TablePlace { below, above }),
        }
    }

    /// The table at a place that [`find`](Packs::find) gave.
    ///
    /// # Panics
    ///
    /// For a place that other packs gave and these do not have.
    #[inline]
    pub fn table_at(&self, place: TablePlace) -> Table<'_> {
        let overlay = || self.overlay.as_ref().expect("the place is of these packs");
        let above = place.above.map(|above| overlay().section_at(above));
        match (place.below, above) {
            (Some(below), above) => Table::of(self.base.section_at(below), above),
            (None, Some(above)) => Table::of(above, None),
            (None, None) => unreachable!("a table stands somewhere"),
        }
    }
}

/// Where a table stands in [`Packs`].
#[derive(Clone, Copy, Debug)]
pub struct TablePlace {
    below: Option<usize>,
    above: Option<usize>,
}
