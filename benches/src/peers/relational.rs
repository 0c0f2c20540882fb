//! The schema that a team would build by hand, for the stores that answer the engine's own questions: a table for each
//! kind of fact, a column for each field of CPR's, both clocks beside them. Files are read with the engine's own
//! checker and reader.

use std::fs::File;
use std::path::Path;

use cpr_replika::cpr_extract::{CheckOptions, Family, Group, Groups, Role, Waive, check};
use cpr_replika::cpr_model::{Aspect, Field, Timestamp, Values};

/// Persons that are read at a time.
const CHUNK: usize = 8 * 1024;

/// One kind of fact.
pub(super) struct Table {
    pub(super) aspect: Aspect,
    /// All but those that are the bounds of valid time.
    pub(super) fields: Vec<Field>,
}

/// What an extract states in one row.
pub(super) struct Row<'g> {
    pub(super) record: u16,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) valid_to: Option<Timestamp>,
    /// Corrected, annulled or technical: never true.
    pub(super) marked: bool,
    pub(super) values: Values<'g>,
}

impl Table {
    /// The tables of family `std`, one for each aspect and one for events; the bounds of valid time have columns of
    /// their own.
    pub(super) fn all() -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        for record in family().records() {
            let aspect = match record.role {
                Role::Fact(aspect, _) => aspect,
                Role::Event => Aspect::Event,
                _ => continue,
            };
            let at = tables.iter().position(|table| table.aspect == aspect).unwrap_or(tables.len());
            if at == tables.len() {
                tables.push(Table { aspect, fields: Vec::new() });
            }
            let bounds = [aspect.start(), aspect.end()];
            for field in record.columns.iter().filter_map(|column| column.field) {
                if !bounds.contains(&Some(field)) && !tables[at].fields.contains(&field) {
                    tables[at].fields.push(field);
                }
            }
        }
        tables
    }

    /// Events accumulate; of all else a delivery states what is true of the persons in it.
    pub(super) fn accumulates(&self) -> bool {
        self.aspect == Aspect::Event
    }

    /// The rows of a person that belong here.
    pub(super) fn rows<'g>(&self, group: &'g Group) -> Vec<Row<'g>> {
        if self.accumulates() {
            return group.events().map(|(record, values)| self.row(record, false, values)).collect();
        }
        let facts = group.facts(1).filter(|fact| fact.aspect() == self.aspect);
        facts.map(|fact| self.row(fact.record(), fact.is_historic(), fact.values())).collect()
    }

    fn row<'g>(&self, record: u16, historic: bool, values: Values<'g>) -> Row<'g> {
        let period = self.aspect.period(values, historic);
        let marked = self.aspect.mark(values).is_some();
        Row { record, valid_from: period.from, valid_to: period.to, marked, values }
    }
}

/// Checks an extract whole, then hands on its persons, some thousands at a time.
pub(super) fn read(extract: &Path, mut take: impl FnMut(&[Group])) {
    let options =
        CheckOptions { family: family(), chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    let open = || File::open(extract).expect("the extract");
    let checked = check(open(), options).expect("a file that can be read");
    assert!(checked.is_sound(), "{:?}", checked.faults);
    let mut reader = Groups::new(open(), &checked, &[]).expect("a file that can be read");
    let mut groups = Vec::new();
    loop {
        let count = reader.next_chunk(&mut groups, CHUNK).expect("what was checked");
        if count == 0 {
            break;
        }
        take(&groups[..count]);
    }
}

fn family() -> &'static Family {
    Family::named("std").expect("the family is part of the product")
}
