//! SF6002: the calling system's own filters in the store. A system is a subscriber under its name.

use access_log::{Caller, Question};
use cpr_replika::cpr_subscription::{Filter, FilterAnswer, FilterError, Profile};
use cpr_replika::{Error, FilterChange, FilterPolicy, Replika};
use cpr_wire::sf6002::{Change, Outcome as Word, Request};
use cpr_wire::{Error as WireError, Problem};

use crate::config::System;
use crate::outcome::Outcome;
use crate::service::Service;

/// Makes every system that may call SF6002 a subscriber. Who is one already keeps its filters.
pub(crate) fn register(replika: &Replika, systems: &[System]) -> Result<(), Error> {
    let service = Service::from_name("SF6002").expect("a name of the table");
    let held = replika.snapshot().subscribers()?;
    let may_subscribe =
        |system: &&System| system.agreements.iter().any(|agreement| agreement.services.contains(&service));
    for system in systems.iter().filter(may_subscribe) {
        if !held.iter().any(|subscriber| subscriber.name == system.name) {
            replika.add_subscriber(&system.name, Profile::SF6002)?;
        }
    }
    Ok(())
}

/// Adds, removes or tells filters of a system, which the access log is told before the answer leaves. A change is
/// durable when it is answered, and counts from the next delivery on.
pub(crate) fn change(
    replika: &Replika,
    system: &System,
    policy: &FilterPolicy,
    request: &Request,
    caller: Caller<'_>,
) -> Outcome {
    if !request.is_in(system.sf6002) {
        return Outcome::problem(Problem::Request(WireError::UnknownOperation));
    }
    let inquiry = caller.begin();
    let snapshot = replika.snapshot();
    let mut question = Question { delivery: snapshot.known().0, ..Question::about("SF6002", request.operation()) };
    if let Change::Add(filter) | Change::Remove(filter) = request.change() {
        question.asked.extend(number_of(filter));
    }
    let written = match request.change() {
        Change::Add(filter) => change_one(replika, system, policy, FilterChange::Add(filter.clone())),
        Change::Remove(filter) => change_one(replika, system, policy, FilterChange::Remove(filter.clone())),
        Change::RemoveAll(kind) => replika.clear_filters(&system.name, Some(*kind)).map(|_| Told::Word(Word::Removed)),
        Change::GetAll => snapshot.filters(&system.name, None).map(|filters| {
            question.shown.extend(filters.iter().filter_map(number_of));
            Told::Filters(filters)
        }),
    };
    match written {
        Ok(told) => {
            question.found = !matches!(told, Told::Word(Word::UnknownNumber));
            if let Err(error) = inquiry.answered(|| Ok(question)) {
                return Outcome::not_logged(error);
            }
            Outcome::found(Ok(match told {
                Told::Word(word) => request.result_xml(word),
                Told::Filters(filters) => request.filters_xml(system.sf6002, &filters),
            }))
        }
        Err(Error::CodeNotInUse) => Outcome::problem(Problem::Request(WireError::Filter(FilterError::CodeNotInUse))),
        // A filter on what this store does not hold: no agreement could offer it.
        Err(Error::Search(_)) => Outcome::problem(Problem::UnknownService),
        Err(error) => Outcome::failed(&error),
    }
}

/// What is told of filters.
enum Told {
    Word(Word),
    Filters(Vec<Filter>),
}

fn change_one(replika: &Replika, system: &System, policy: &FilterPolicy, change: FilterChange) -> Result<Told, Error> {
    let answers = replika.change_filters_under(&system.name, &[change], policy)?;
    Ok(Told::Word(match answers.first() {
        Some(FilterAnswer::Added) => Word::Added,
        Some(FilterAnswer::AlreadyExisted) => Word::AlreadyExisted,
        Some(FilterAnswer::Removed) => Word::Removed,
        Some(FilterAnswer::UnknownNumber) => Word::UnknownNumber,
        _ => Word::NotThere,
    }))
}

/// The number that a filter is on.
fn number_of(filter: &Filter) -> Option<cpr_replika::cpr_model::Pnr> {
    match filter {
        Filter::Pnr(key) => Some(key.pnr()),
        _ => None,
    }
}
