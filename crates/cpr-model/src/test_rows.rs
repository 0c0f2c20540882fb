//! Rows of tests, written as `aspect TERM=value …`, with `was` before a historic one, bounds and mark first, as they
//! are packed.

use bitemporal::Known;

use crate::{Aspect, Fact, Field, Kind, RowKind, Values, ValuesWriter, latin1_of};

#[derive(Eq, PartialEq)]
pub(crate) struct Row(pub(crate) RowKind, pub(crate) Vec<u8>);

pub(crate) fn pack(text: &str) -> Row {
    let (historic, text) = text.strip_prefix("was ").map_or((false, text), |text| (true, text));
    let mut words = text.split(' ');
    let aspect = words.next().and_then(Aspect::from_name).expect("an aspect");
    let mut values = Vec::new();
    let mut writer = ValuesWriter(&mut values);
    for (term, value) in words.map(|word| word.split_once('=').expect("a value")) {
        let field = Field::from_term(term).expect("a field");
        let number = || value.parse::<u64>().expect("digits");
        match field.kind() {
            Kind::Text => writer.text(field, value.as_bytes()),
            Kind::Small | Kind::Code => writer.number(field, Some(number() as u16)),
            Kind::Date => writer.date(field, number() as u32),
            Kind::Timestamp | Kind::Pnr => writer.digits(field, number()),
            Kind::Flag => writer.flag(field, latin1_of(value)[0]),
        }
    }
    Row(RowKind::new(aspect, historic), values)
}

pub(crate) fn packed(rows: &[&str]) -> Vec<Row> {
    rows.iter().map(|row| pack(row)).collect()
}

pub(crate) fn facts(rows: &[Row]) -> Vec<Fact<'_>> {
    let known = Known { from: 1, to: None };
    rows.iter().map(|Row(kind, values)| Fact::new(25, *kind, known, Values::new(values)).expect("an aspect")).collect()
}
