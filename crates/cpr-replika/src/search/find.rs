//! The whole set of whom a query means, and how many they are.

use cpr_model::{CurrentRows, PersonKey, RowsBuffer};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::person_set::PersonSet;
use crate::index::sets::{Row, add_set, open_set};
use crate::index::years::Years;
use crate::search::Scope;
use crate::search::plan::{Budget, Candidates, Node};
use crate::search::query::Query;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Finds everybody whom a query means by what is known of them now: exact, of any size, and but for what no index
    /// knows (see [`Query`]) without reading a person.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Query, cpr_model::{MunicipalityCode, Status}};
    /// let here = Query::And(vec![Query::municipality(MunicipalityCode(851)), Query::status(Status(1))]);
    /// assert_eq!(demo()?.snapshot().find(&here)?.len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when a delivery is named that there is not; [`Error::Search`] when the store does not
    /// hold what is asked for; [`Error::Corrupt`] or a storage failure.
    pub fn find(&self, query: &Query) -> Result<PersonSet, Error> {
        query.require_held(self.settings())?;
        let mut budget = Budget { rows: u64::MAX, limit: u64::MAX };
        let node = Node::resolve(self, query, &mut budget)?;
        let Candidates { keys, exact, .. } = self.candidates(&node, Scope::Now, &mut budget)?;
        if exact {
            return Ok(PersonSet(keys));
        }
        let (mut found, mut buffer) = (RoaringBitmap::new(), RowsBuffer::default());
        self.for_each_held(keys.iter().filter_map(PersonKey::from_u32), |key, person| {
            let rows = CurrentRows::read_into(std::mem::take(&mut buffer), person.all_facts(), None);
            if node.holds(key, &rows, Scope::Now) {
                found.insert(key.as_u32());
            }
            buffer = rows.recycle();
            Ok(())
        })?;
        Ok(PersonSet(found))
    }

    /// How many persons [`Snapshot::find`] finds. What one index answers (a municipality, a status, everybody) is
    /// counted without reading who they are.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Query, cpr_model::MunicipalityCode};
    /// assert_eq!(demo()?.snapshot().count(&Query::municipality(MunicipalityCode(851)))?, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::find`].
    pub fn count(&self, query: &Query) -> Result<u64, Error> {
        let Some((kind, value)) = query.index() else { return self.find(query).map(|found| found.len()) };
        query.require_held(self.settings())?;
        let mut count = 0;
        for row in self.tables().sets.range((kind as u8, value, 0)..=(kind as u8, value, u16::MAX))? {
            let (key, sealed) = row?;
            count += open_set(key.value(), sealed.value())?.len;
        }
        Ok(count)
    }

    /// Everybody of one value.
    pub(crate) fn index_set(&self, kind: SetKind, value: u32) -> Result<RoaringBitmap, Error> {
        self.index_within(kind, value, &Years::all())
    }

    /// Those of one value whose numbers are of these years.
    pub(crate) fn index_within(&self, kind: SetKind, value: u32, years: &Years) -> Result<RoaringBitmap, Error> {
        let mut all = RoaringBitmap::new();
        for span in years.spans() {
            let (first, last) = ((kind as u8, value, *span.start()), (kind as u8, value, *span.end()));
            for row in self.tables().sets.range(first..=last)? {
                let (key, sealed) = row?;
                add_set(key.value(), sealed.value(), &mut all)?;
            }
        }
        Ok(all)
    }

    /// The same of a street by the value of its row.
    pub(crate) fn residents_of(&self, street: u32) -> Result<Vec<(u32, u32)>, Error> {
        let key = (SetKind::Street as u8, street, 0);
        match self.tables().sets.get(key)?.map(|sealed| Row::open(key, sealed.value())).transpose()? {
            Some(Row::Street(entries)) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }
}
