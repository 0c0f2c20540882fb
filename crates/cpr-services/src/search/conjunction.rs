//! Criteria that must all be true, joined into as few questions as the engine answers best.

use cpr_replika::{AddressPattern, Query};

/// Criteria that must all be true. Those of an address become one address, as far as none asks for two things of one
/// part, so that they are asked of one row, and found by an index that knows street and house together.
pub(super) fn all(queries: Vec<Query>) -> Query {
    let mut rest = Vec::with_capacity(queries.len());
    let mut one: Option<AddressPattern> = None;
    for query in queries {
        match query {
            Query::Address(address) => match one.take() {
                None => one = Some(address),
                Some(so_far) => match joined(&so_far, &address) {
                    Some(both) => one = Some(both),
                    None => {
                        rest.push(Query::Address(address));
                        one = Some(so_far);
                    }
                },
            },
            query => rest.push(query),
        }
    }
    rest.extend(one.map(Query::Address));
    if rest.len() == 1 { rest.remove(0) } else { Query::And(rest) }
}

/// Both as one; none when they ask for two things of one part.
fn joined(a: &AddressPattern, b: &AddressPattern) -> Option<AddressPattern> {
    fn one<T: Clone>(a: &Option<T>, b: &Option<T>) -> Option<Option<T>> {
        if a.is_some() && b.is_some() { None } else { Some(a.clone().or_else(|| b.clone())) }
    }
    let houses = match (a.houses.is_empty(), b.houses.is_empty()) {
        (false, false) => return None,
        (true, _) => b.houses.clone(),
        (false, true) => a.houses.clone(),
    };
    Some(AddressPattern {
        municipality: one(&a.municipality, &b.municipality)?,
        street: one(&a.street, &b.street)?,
        street_name: [a.street_name.clone(), b.street_name.clone()].concat(),
        houses,
        floor: one(&a.floor, &b.floor)?,
        door: one(&a.door, &b.door)?,
        building: one(&a.building, &b.building)?,
        postal_code: one(&a.postal_code, &b.postal_code)?,
        postal_district: [a.postal_district.clone(), b.postal_district.clone()].concat(),
        town: [a.town.clone(), b.town.clone()].concat(),
    })
}
