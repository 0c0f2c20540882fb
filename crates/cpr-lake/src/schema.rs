//! The tables of a lake and their columns: what each is filled from, its type, and its meaning as field metadata.
//!
//! There is a table for each aspect that the store's family of layouts has, and one for events. Every table begins with
//! the same columns (who, the clocks, the mark); those of CPR's fields follow, as far as the profile names them. The
//! field where an aspect's valid time begins or ends, its mark of uncertainty and its time of registration are not
//! repeated among them: they are `valid_from`, `valid_to`, `…_uncertain` and `registered_at`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Aspect, Field, Kind};

use crate::names::{column_name, every_table, fields_of, name_of};
use crate::profile::{Precision, Profile, ProtectedAddresses};
use crate::registration::{is_address, is_birth_date, registered_at, uncertainty_of};

/// What a column is filled from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Person,
    FactNumber,
    ValidFrom,
    ValidTo,
    ValidFromText,
    ValidToText,
    ValidFromUncertain,
    ValidToUncertain,
    RegisteredAt,
    RegisteredAtText,
    Record,
    Historic,
    Mark,
    TieRank,
    KnownFrom,
    KnownFromProduction,
    KnownTo,
    KnownToProduction,
    Pnr,
    /// A column of table `deliveries`.
    Ledger(u16),
    Value(Field),
    /// What was received where the column of the value says another thing.
    Text(Field),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    Long,
    Int,
    Short,
    Double,
    Text,
    Flag,
    Day,
    Moment,
}

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) kind: Type,
    /// How exact its dates are.
    pub(crate) precision: Precision,
    /// True where a person with protection has null.
    pub(crate) is_hidden_if_protected: bool,
    meaning: String,
}

/// One table: its columns, and where a field's value goes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) aspect: Aspect,
    pub(crate) columns: Vec<Column>,
    /// By number of the field: the columns of its value and of its text.
    pub(crate) places: HashMap<u16, (usize, Option<usize>)>,
}

/// The tables of a store of this family, as far as the profile has them.
pub(crate) fn tables_of(family: &Family, profile: &Profile) -> Vec<Table> {
    let named = every_table().filter(|aspect| profile.has_table(name_of(*aspect)));
    let tables = named.map(|aspect| (aspect, fields_of(family, aspect))).filter(|(_, fields)| !fields.is_empty());
    tables.map(|(aspect, fields)| Table::new(aspect, &fields, profile)).collect()
}

impl Table {
    fn new(aspect: Aspect, fields: &[Field], profile: &Profile) -> Table {
        let mut columns = if aspect == Aspect::Event { event_columns() } else { fact_columns(aspect) };
        if profile.pnr && aspect == Aspect::Person {
            columns.push(Column::named("pnr", Source::Pnr, Type::Text, "the personnummer"));
        }
        let bounds = [aspect.start(), aspect.end()];
        let said_already = |field: Field| {
            let of_bounds = bounds.into_iter().flatten();
            let mut said: Vec<Field> =
                of_bounds.flat_map(|field| [Some(field), uncertainty_of(field)]).flatten().collect();
            said.extend(registered_at(aspect));
            said.push(Field::CorrectionMark);
            said.contains(&field)
        };
        let mut places = HashMap::new();
        let wanted = |field: &&Field| !said_already(**field) && profile.has_column(name_of(aspect), **field);
        for &field in fields.iter().filter(wanted) {
            let value = columns.len();
            columns.push(Column::of_value(aspect, field, profile));
            let has_text =
                matches!(field.kind(), Kind::Date | Kind::Timestamp) && columns[value].precision == Precision::Day;
            if has_text {
                let name = format!("{}_text", columns[value].name);
                columns.push(Column::named(
                    &name,
                    Source::Text(field),
                    Type::Text,
                    "as received, where it is no moment of the calendar",
                ));
            }
            places.insert(field.number(), (value, has_text.then_some(value + 1)));
        }
        Table { aspect, columns, places }
    }

    pub(crate) fn name(&self) -> &'static str {
        name_of(self.aspect)
    }
}

/// What every fact has, whatever it is about.
fn fact_columns(aspect: Aspect) -> Vec<Column> {
    use Source as S;
    let started = |what: &str| match aspect.start() {
        Some(field) => format!("{what} ({})", field.term()),
        None => "CPR does not date this".to_owned(),
    };
    let ended = |what: &str| match aspect.end() {
        Some(field) => format!("{what} ({})", field.term()),
        None => "CPR gives no end".to_owned(),
    };
    let lossy = "as received, where it is no moment of the calendar";
    vec![
        Column::named("person", S::Person, Type::Long, "pseudonym of the personnummer"),
        Column::named(
            "fact_number",
            S::FactNumber,
            Type::Int,
            "which of the facts that the delivery opened of the person here",
        ),
        Column::named(
            "valid_from",
            S::ValidFrom,
            Type::Moment,
            &started("in the world, from and including; null: since ever"),
        ),
        Column::named(
            "valid_to",
            S::ValidTo,
            Type::Moment,
            &ended("in the world, to and excluding; null: until further notice"),
        ),
        Column::named("valid_from_text", S::ValidFromText, Type::Text, lossy),
        Column::named("valid_to_text", S::ValidToText, Type::Text, lossy),
        Column::named(
            "valid_from_uncertain",
            S::ValidFromUncertain,
            Type::Flag,
            "CPR marks the beginning as uncertain",
        ),
        Column::named("valid_to_uncertain", S::ValidToUncertain, Type::Flag, "CPR marks the end as uncertain"),
        Column::named("registered_at", S::RegisteredAt, Type::Moment, "when CPR wrote it, where the product says"),
        Column::named("registered_at_text", S::RegisteredAtText, Type::Text, lossy),
        Column::named("record", S::Record, Type::Short, "number of CPR's record type"),
        Column::named("historic", S::Historic, Type::Flag, "CPR delivers it as a thing of the past"),
        Column::named("mark", S::Mark, Type::Text, "K corrected, A annulled, Æ technical: it never counts as true"),
        Column::named(
            "tie_rank",
            S::TieRank,
            Type::Double,
            "of facts that began together, the highest counts; null is 0",
        ),
        Column::named("known_from", S::KnownFrom, Type::Int, "the delivery that brought it"),
        Column::named("known_from_production", S::KnownFromProduction, Type::Day, "that delivery's production date"),
    ]
}

/// What every event has.
fn event_columns() -> Vec<Column> {
    vec![
        Column::named("person", Source::Person, Type::Long, "pseudonym of the personnummer"),
        Column::named("fact_number", Source::FactNumber, Type::Int, "which of the person's events in the delivery"),
        Column::named("record", Source::Record, Type::Short, "number of CPR's record type"),
        Column::named("known_from", Source::KnownFrom, Type::Int, "the delivery that brought it"),
        Column::named(
            "known_from_production",
            Source::KnownFromProduction,
            Type::Day,
            "that delivery's production date",
        ),
    ]
}

/// What says that a fact is no longer believed: which, and since when.
pub(crate) fn closed_columns() -> Vec<Column> {
    vec![
        Column::named("person", Source::Person, Type::Long, "pseudonym of the personnummer"),
        Column::named("known_from", Source::KnownFrom, Type::Int, "the delivery that brought the fact"),
        Column::named(
            "fact_number",
            Source::FactNumber,
            Type::Int,
            "which of the facts that that delivery opened of the person here",
        ),
        Column::named("known_to", Source::KnownTo, Type::Int, "the delivery that took it back"),
        Column::named("known_to_production", Source::KnownToProduction, Type::Day, "that delivery's production date"),
    ]
}

/// Columns as a schema, each with its meaning and a number that stays.
pub(crate) fn arrow_schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(Column::arrow).collect::<Vec<_>>()))
}

impl Column {
    pub(crate) fn named(name: &str, source: Source, kind: Type, meaning: &str) -> Column {
        let meaning = meaning.to_owned();
        Column {
            name: name.to_owned(),
            source,
            kind,
            precision: Precision::Day,
            is_hidden_if_protected: false,
            meaning,
        }
    }

    fn of_value(aspect: Aspect, field: Field, profile: &Profile) -> Column {
        let kind = match field.kind() {
            Kind::Text | Kind::Flag => Type::Text,
            Kind::Small | Kind::Code => Type::Short,
            Kind::Date => Type::Day,
            Kind::Timestamp => Type::Moment,
            Kind::Pnr => Type::Long,
        };
        let mut column = Column::named(&column_name(field), Source::Value(field), kind, &meaning_of(field));
        if is_birth_date(field) {
            column.precision = profile.birth_date;
        }
        column.is_hidden_if_protected = is_address(field)
            && match profile.protected_addresses {
                ProtectedAddresses::Null => true,
                ProtectedAddresses::Municipality => field != Field::MunicipalityCode || aspect != Aspect::Address,
                ProtectedAddresses::Kept => false,
            };
        column
    }

    fn arrow(&self) -> ArrowField {
        let kind = match self.kind {
            Type::Long => DataType::Int64,
            Type::Int => DataType::Int32,
            Type::Short => DataType::Int16,
            Type::Double => DataType::Float64,
            Type::Text => DataType::Utf8,
            Type::Flag => DataType::Boolean,
            Type::Day => DataType::Date32,
            Type::Moment => DataType::Timestamp(TimeUnit::Microsecond, None),
        };
        let metadata = [("description", self.meaning.clone()), ("PARQUET:field_id", self.number().to_string())];
        let metadata: HashMap<String, String> =
            metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        ArrowField::new(&self.name, kind, true).with_metadata(metadata)
    }

    /// Its number in the schemas of table formats: CPR's fields have theirs for ever, and so have these.
    fn number(&self) -> u32 {
        match self.source {
            Source::Person => 1,
            Source::FactNumber => 2,
            Source::ValidFrom => 3,
            Source::ValidTo => 4,
            Source::ValidFromText => 5,
            Source::ValidToText => 6,
            Source::ValidFromUncertain => 7,
            Source::ValidToUncertain => 8,
            Source::RegisteredAt => 9,
            Source::RegisteredAtText => 10,
            Source::Record => 11,
            Source::Historic => 12,
            Source::Mark => 13,
            Source::TieRank => 14,
            Source::KnownFrom => 15,
            Source::KnownFromProduction => 16,
            Source::KnownTo => 17,
            Source::KnownToProduction => 18,
            Source::Pnr => 19,
            Source::Ledger(at) => 101 + u32::from(at),
            Source::Value(field) => 1_000 + u32::from(field.number()),
            Source::Text(field) => 2_000 + u32::from(field.number()),
        }
    }
}

/// What a field means: its name in English, and CPR's.
fn meaning_of(field: Field) -> String {
    let mut words = String::new();
    for character in format!("{field:?}").chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    let what = if field.kind() == Kind::Pnr { ", as a pseudonym; 0: exists, number not known" } else { "" };
    format!("{words} ({}){what}", field.term())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_its_tables_and_no_name_twice() {
        let whole = Profile::shipped("whole").expect("shipped");
        for family in Family::all() {
            let tables = tables_of(family, &whole);
            assert!(tables.len() > 5, "{}", family.name);
            for table in tables {
                let mut names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
                names.sort_unstable();
                let count = names.len();
                names.dedup();
                assert_eq!(names.len(), count, "{} {}", family.name, table.name());
                assert!(count < 128, "a row marks its columns in 128 bits");
            }
        }
    }

    #[test]
    fn a_column_says_what_it_means() {
        let table = &tables_of(Family::named("std").expect("a family"), &Profile::shipped("default").expect("shipped"));
        let address = table.iter().find(|table| table.name() == "address").expect("an aspect");
        let schema = arrow_schema(&address.columns);
        let komkod = schema.field_with_name("komkod").expect("in the profile");
        assert_eq!(komkod.metadata()["description"], "municipality code (KOMKOD)");
        assert!(schema.field_with_name("vejkod").is_err(), "what is not named is out");
    }
}
