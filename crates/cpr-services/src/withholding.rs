//! What is kept back of protected persons where the host wants it, in answers and in searches.

use access_log::Caller;
use cpr_replika::cpr_model::{ProtectionKind, Status};
use cpr_replika::{PersonSet, Policy, Query, Scope, Search, Snapshot};

use crate::error::Error;
use crate::protected_persons::ProtectedPersons;
use crate::protection::Protections;
use crate::request::Request;
use crate::subject::Subject;

impl<'i> Subject<'i> {
    /// The person as the host's policy on protected persons has it told: as read, without places, or not at all.
    pub(crate) fn under_policy(
        self,
        snapshot: &Snapshot,
        request: &Request<'_>,
        protections: &Protections,
    ) -> Result<Subject<'i>, Error> {
        match is_hidden(snapshot, request, protections)? {
            false => Ok(self),
            true if request.protected_persons == ProtectedPersons::Refuse => Err(Error::Protected),
            true => Ok(self.without_places()),
        }
    }
}

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

/// The query of a search, without protected persons where it asks for a place: the hit itself would tell.
pub(crate) fn without_protected(
    query: &Query,
    snapshot: &Snapshot,
    scope: Scope,
    policy: ProtectedPersons,
) -> Result<Query, Error> {
    if policy == ProtectedPersons::Tell || !asks_for_place(query) {
        return Ok(query.clone());
    }
    let by_number = snapshot.find(&Query::Protection(ProtectionKind::NAME_AND_ADDRESS))?;
    let others = Query::And(vec![query.clone(), Query::Not(Box::new(Query::Persons(by_number)))]);
    // Under a number that was given up, the protection stands under the number now.
    let replaced = (0..=99).map(Status).filter(|status| status.is_replaced()).map(Query::status);
    let given_up = snapshot.find(&Query::Or(replaced.collect()))?;
    let (policy, day) = (Policy::open(), snapshot.delivery(snapshot.known())?.production_date);
    let search = Search {
        query: Query::And(vec![others.clone(), Query::Persons(given_up)]),
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
    let hidden = Query::Persons(hidden.into_iter().collect::<PersonSet>());
    Ok(Query::And(vec![others, Query::Not(Box::new(hidden))]))
}

fn asks_for_place(query: &Query) -> bool {
    match query {
        Query::Address(_) => true,
        Query::And(list) | Query::Or(list) => list.iter().any(asks_for_place),
        Query::Not(of) => asks_for_place(of),
        _ => false,
    }
}
