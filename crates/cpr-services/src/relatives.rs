//! Related persons, read in one batch from the snapshot of the person they are related to.

use cpr_replika::cpr_model::{Aspect, Pnr, Status, facts, full_years};
use cpr_replika::{Image, Snapshot};

use crate::contract_types;
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
    fn get(&self, pnr: Pnr) -> Option<Subject<'_>> {
        let (_, image) = self.held.iter().find(|(held, _)| *held == pnr)?;
        Some(self.subject(pnr, image))
    }

    fn all(&self) -> impl Iterator<Item = Subject<'_>> {
        self.held.iter().map(|(pnr, image)| self.subject(*pnr, image))
    }

    fn subject<'a>(&'a self, pnr: Pnr, image: &'a Image<'_>) -> Subject<'a> {
        Subject::read(pnr, image, self.request.valid, self.snapshot.settings())
    }
}

/// Children of active status that are below 18 on the day by the date in their numbers; none where the store does not
/// hold children. A child that the replica does not hold counts for nothing, since its status is not known.
pub(crate) fn children_under_18(
    snapshot: &Snapshot,
    request: &Request<'_>,
    subject: &Subject<'_>,
) -> Result<Option<u32>, Error> {
    if !subject.holds(Aspect::Child) {
        return Ok(None);
    }
    let age = |pnr: &Pnr| contract_types::birth_date_in(*pnr).and_then(|born| full_years(born, request.day));
    // Of the others the status does not matter, so that they are not read.
    let young = subject.children().into_iter().filter(|pnr| age(pnr).is_some_and(|age| age < 18));
    let children = Relatives::read(snapshot, request, young)?;
    let status = |child: &Subject<'_>| child.with_status().and_then(facts::Person::status);
    let active = children.all().filter(|child| status(child).is_some_and(Status::is_active));
    Ok(Some(active.count() as u32))
}
