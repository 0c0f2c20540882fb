//! Related persons, read in one batch from the snapshot of the person they are related to.

use cpr_replika::cpr_model::Pnr;
use cpr_replika::{Image, Snapshot};

use crate::error::Error;
use crate::protection::Protections;
use crate::request::Request;
use crate::subject::Subject;
use crate::withholding::is_hidden;

/// The related persons that the replica holds.
pub(crate) struct Relatives<'s> {
    held: Vec<(Pnr, Image<'s>)>,
    snapshot: &'s Snapshot,
    request: Request<'s>,
}

impl<'s> Relatives<'s> {
    /// Reads each of these numbers once, in the order of their keys, as of the moment and the delivery of the request.
    pub(crate) fn read(
        snapshot: &'s Snapshot,
        request: &Request<'s>,
        numbers: impl IntoIterator<Item = Pnr>,
    ) -> Result<Relatives<'s>, Error> {
        let mut numbers: Vec<Pnr> = numbers.into_iter().collect();
        numbers.sort_unstable_by_key(Pnr::key);
        numbers.dedup();
        let images = snapshot.persons_as_of(&numbers, None, request.known)?;
        let held = numbers.into_iter().zip(images).filter_map(|(pnr, image)| Some((pnr, image?))).collect();
        Ok(Relatives { held, snapshot, request: *request })
    }

    /// A related person with the protections of the human being; none when the replica does not hold the number.
    pub(crate) fn with_protections(&self, pnr: Pnr) -> Result<Option<(Subject<'_>, Protections)>, Error> {
        let Some(subject) = self.get(pnr) else { return Ok(None) };
        let subject = subject.follow_chain(self.snapshot, &self.request)?;
        let protections = Protections::read(self.snapshot, &self.request, &subject)?;
        let is_hidden = is_hidden(self.snapshot, &Request { pnr, ..self.request }, &protections)?;
        Ok(Some((if is_hidden { subject.without_places() } else { subject }, protections)))
    }

    /// A related person; none when the replica does not hold the number, which is ordinary.
    pub(crate) fn get(&self, pnr: Pnr) -> Option<Subject<'_>> {
        let (pnr, image) = self.held.iter().find(|(held, _)| *held == pnr)?;
        Some(Subject::read(*pnr, image, self.request.valid, self.snapshot.settings()))
    }
}
