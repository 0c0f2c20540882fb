//! What a host has answers say of persons whose name and address are protected (BESKYTTYPE 1).
//!
//! The national services tell, with a flag beside it, and so does this crate unless the host says otherwise. Protection
//! is that of the human being: under any number, as of any moment and delivery, as long as a record of it stands now or
//! stood then. A store that does not hold protections can say of nobody that they are unprotected.

use access_log::Caller;
use cpr_replika::cpr_model::{Aspect, ProtectionKind, Status};
use cpr_replika::{Criterion, PersonSet, Policy, Query, Scope, Search, Snapshot};

use crate::error::Error;
use crate::protection::Protections;
use crate::request::Request;

/// What answers say of persons whose name and address are protected.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ProtectedPersons {
    /// Everything, with the protection beside it, as the national services do.
    #[default]
    Tell,
    /// Everything but where they live, lived or can be reached. A search by an address finds none of them and counts
    /// none.
    Withhold,
    /// Nothing: a question about one of them is [`Error::Protected`]. As relatives and in searches they are as
    /// withheld.
    Refuse,
}

/// What tells where somebody is, or may: notes are free text.
pub(crate) const PLACES: [Aspect; 6] = [
    Aspect::Address,
    Aspect::FormattedAddress,
    Aspect::Emigration,
    Aspect::ContactAddress,
    Aspect::MunicipalCondition,
    Aspect::Note,
];

/// True when nothing may be told of where the person of a request is, unless the host tells everything.
pub(crate) fn is_hidden(snapshot: &Snapshot, request: &Request<'_>, protections: &Protections) -> Result<bool, Error> {
    if request.protected_persons == ProtectedPersons::Tell {
        return Ok(false);
    }
    if is_protected(protections) {
        return Ok(true);
    }
    // What is secret now was told openly in an earlier delivery.
    let now = request.known.map(|_| Protections::of_person(snapshot, &Request { known: None, ..*request }));
    Ok(now.transpose()?.flatten().is_some_and(|now| is_protected(&now)))
}

fn is_protected(protections: &Protections) -> bool {
    !protections.is_known() || protections.recorded(ProtectionKind::NAME_AND_ADDRESS).is_some()
}

/// The criterion of a search, without protected persons where it asks for a place: the hit itself would tell.
pub(crate) fn without_protected(
    criterion: &Criterion,
    snapshot: &Snapshot,
    scope: Scope,
    policy: ProtectedPersons,
) -> Result<Criterion, Error> {
    if policy == ProtectedPersons::Tell || !asks_for_place(criterion) {
        return Ok(criterion.clone());
    }
    let by_number = snapshot.find(&Query::Protection(ProtectionKind::NAME_AND_ADDRESS))?;
    let others = Criterion::All(vec![criterion.clone(), Criterion::Not(Box::new(Criterion::Persons(by_number)))]);
    // Under a number that was given up, the protection stands under the number now.
    let replaced = (0..=99).map(Status).filter(|status| status.is_replaced()).map(Query::Status);
    let given_up = snapshot.find(&Query::Or(replaced.collect()))?;
    let (policy, day) = (Policy::open(), snapshot.delivery(snapshot.known())?.production_date);
    let search = Search {
        criterion: Criterion::All(vec![others.clone(), Criterion::Persons(given_up)]),
        scope,
        after: None,
        limit: policy.page,
        count: false,
        policy,
    };
    let mut hidden = Vec::new();
    for hit in snapshot.search(&search)?.rows {
        let of_hit = Protections::of_person(snapshot, &Request::on(hit.pnr, day, Caller::unlogged()))?;
        if of_hit.is_none_or(|of| is_protected(&of)) {
            hidden.extend(hit.pnr.key());
        }
    }
    let hidden = Criterion::Persons(hidden.into_iter().collect::<PersonSet>());
    Ok(Criterion::All(vec![others, Criterion::Not(Box::new(hidden))]))
}

fn asks_for_place(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::Address(_) => true,
        Criterion::All(list) | Criterion::Any(list) => list.iter().any(asks_for_place),
        Criterion::Not(of) => asks_for_place(of),
        _ => false,
    }
}
