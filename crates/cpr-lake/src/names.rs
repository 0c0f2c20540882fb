//! Names of tables and columns, and which of them some product of CPR can fill.

use cpr_replika::cpr_extract::{Family, Role};
use cpr_replika::cpr_model::{Aspect, Field};

/// Every table that there can be.
pub(crate) fn every_table() -> impl Iterator<Item = Aspect> {
    Aspect::all()
}

/// The name of a table.
pub(crate) fn name_of(aspect: Aspect) -> &'static str {
    if aspect == Aspect::Event { "events" } else { aspect.name() }
}

/// Every field that some product has in records of this aspect.
pub(crate) fn fields_in_any_product(aspect: Aspect) -> Vec<Field> {
    let mut fields: Vec<Field> = Family::all().iter().flat_map(|family| fields_of(family, aspect)).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The fields of an aspect's records in a family, each once, in the order of the lines.
pub(crate) fn fields_of(family: &Family, aspect: Aspect) -> Vec<Field> {
    let is_of_aspect = |role: Role| match role {
        Role::Fact(of, _) => of == aspect,
        Role::Event => aspect == Aspect::Event,
        _ => false,
    };
    let mut fields = Vec::new();
    for field in family.records().filter(|record| is_of_aspect(record.role)).flat_map(|record| &record.columns) {
        fields.extend(field.field.filter(|field| !fields.contains(field)));
    }
    fields
}

/// CPR's name of a field in lower snake case, in ASCII: `START_DT-FORÆLDREMYN` is `start_dt_foraeldremyn`.
pub(crate) fn column_name(field: Field) -> String {
    let mut name = String::new();
    for character in field.term().chars() {
        match character {
            'Æ' => name.push_str("ae"),
            'Ø' => name.push_str("oe"),
            'Å' => name.push_str("aa"),
            '-' => name.push('_'),
            other => name.push(other.to_ascii_lowercase()),
        }
    }
    name
}
