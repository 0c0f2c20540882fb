//! Whom an erase takes: the human beings behind some numbers, with every number of theirs.

use std::collections::BTreeSet;

use cpr_model::{PersonKey, Pnr};
use cpr_subscription::Filter;
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::person::mentions::mentioned;
use crate::snapshot::Snapshot;
use crate::store::tables::name;

/// Whom an erase would take.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct EraseScope {
    /// Human beings.
    pub persons: u64,
    /// Their numbers, in key order.
    pub numbers: Vec<Pnr>,
    /// How many of the numbers have records.
    pub held: u64,
    /// Filters of subscribers on these numbers, now or earlier.
    pub filters: u64,
}

/// Numbers that go, and how they came to be among them.
#[derive(Default)]
pub(crate) struct Gone {
    pub(crate) scope: EraseScope,
    /// All numbers.
    pub(crate) all: RoaringBitmap,
    /// Those that the caller named.
    pub(crate) named: RoaringBitmap,
}

impl Gone {
    pub(crate) fn read(snapshot: &Snapshot, persons: &[Pnr]) -> Result<Gone, Error> {
        let mut gone = Gone::default();
        for pnr in persons {
            let key = pnr.key().ok_or(Error::Erase("one of the numbers is nobody's"))?;
            gone.named.insert(key.as_u32());
            gone.add(snapshot, key)?;
        }
        gone.count(snapshot)?;
        Ok(gone)
    }

    /// Takes a human being in, with all numbers.
    pub(crate) fn add(&mut self, snapshot: &Snapshot, key: PersonKey) -> Result<(), Error> {
        if !self.all.insert(key.as_u32()) {
            return Ok(());
        }
        self.scope.persons += 1;
        let chain = snapshot.numbers(key.pnr(), None)?.map_or(Vec::new(), |chain| chain.numbers);
        self.all.extend(chain.iter().filter_map(|number| number.pnr.key()).map(PersonKey::as_u32));
        Ok(())
    }

    /// Counts what there is of those who were taken in.
    pub(crate) fn count(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        for key in self.all.iter().filter_map(PersonKey::from_u32) {
            self.scope.numbers.push(key.pnr());
            self.scope.held += u64::from(snapshot.tables().persons.get(key.as_u32())?.is_some());
        }
        for row in snapshot.tables().filters.iter()? {
            self.scope.filters += u64::from(filter_names(row?.0.value().1, &self.all)?);
        }
        Ok(())
    }

    /// What the records of a number say of the others.
    pub(crate) fn links(&self, snapshot: &Snapshot, key: PersonKey) -> Result<Vec<u32>, Error> {
        let image = snapshot.image(key, None, snapshot.known())?;
        let links: BTreeSet<u32> =
            image.all_facts().filter_map(|fact| mentioned(&fact)).map(PersonKey::as_u32).collect();
        Ok(links.into_iter().filter(|&link| link != key.as_u32() && self.all.contains(link)).collect())
    }
}

/// Whether a stored filter names one of these numbers.
pub(crate) fn filter_names(bytes: &[u8], persons: &RoaringBitmap) -> Result<bool, Error> {
    let filter = Filter::from_bytes(bytes);
    let corrupt = Error::Corrupt { table: name::FILTERS, what: "a filter that does not unpack" };
    let names = |filter: &Filter| matches!(filter, Filter::Pnr(key) if persons.contains(key.as_u32()));
    Ok(match filter.map_err(|_| corrupt)? {
        Filter::AllOf(all) => all.members().iter().any(names),
        filter => names(&filter),
    })
}

impl Snapshot {
    /// Whom [`Replika::erase`](crate::Replika::erase) would take for these numbers. Nothing is changed.
    ///
    /// # Errors
    /// [`Error::Erase`] for a number that cannot be anybody's.
    pub fn erase_scope(&self, persons: &[Pnr]) -> Result<EraseScope, Error> {
        Ok(Gone::read(self, persons)?.scope)
    }
}
