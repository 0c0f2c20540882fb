//! Rows gathered column by column, as the Parquet writer takes them.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use cpr_replika::cpr_model::{Date, Fact, Field, Pnr, RelatedPnr, Timestamp, Value, Values};

use crate::error::Error;
use crate::moment::Calendar;
use crate::profile::Precision;
use crate::pseudonym::PseudonymKey;
use crate::registration::{registered_at, uncertainty_of};
use crate::schema::{Column, Source, Table, Type};

/// What stands beside the values of a row.
pub(crate) struct Context<'a> {
    pub(crate) key: &'a PseudonymKey,
    pub(crate) calendar: &'a mut Calendar,
    /// The delivery that is written, and the day since 1970 of its production.
    pub(crate) delivery: u32,
    pub(crate) production: Option<i32>,
}

/// Who a row is about.
#[derive(Clone, Copy)]
pub(crate) struct Whose {
    pub(crate) pseudonym: i64,
    pub(crate) pnr: Option<Pnr>,
    pub(crate) is_protected: bool,
}

/// Rows of one table, not written yet.
pub(crate) struct Batch {
    schema: SchemaRef,
    columns: Vec<Builder>,
    rows: usize,
}

/// The values of one column.
enum Builder {
    Long(Int64Builder),
    Int(Int32Builder),
    Short(Int16Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Flag(BooleanBuilder),
    Day(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

/// One value of a column.
pub(crate) enum Cell<'a> {
    Null,
    Long(i64),
    Int(i32),
    Short(i16),
    Double(f64),
    Text(&'a str),
    Flag(bool),
    Day(i32),
    Moment(i64),
}

impl Builder {
    fn new(kind: Type) -> Builder {
        match kind {
            Type::Long => Builder::Long(Int64Builder::new()),
            Type::Int => Builder::Int(Int32Builder::new()),
            Type::Short => Builder::Short(Int16Builder::new()),
            Type::Double => Builder::Double(Float64Builder::new()),
            Type::Text => Builder::Text(StringBuilder::new()),
            Type::Flag => Builder::Flag(BooleanBuilder::new()),
            Type::Day => Builder::Day(Date32Builder::new()),
            Type::Moment => Builder::Moment(TimestampMicrosecondBuilder::new()),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Builder::Long(to), Cell::Long(value)) => to.append_value(value),
            (Builder::Int(to), Cell::Int(value)) => to.append_value(value),
            (Builder::Short(to), Cell::Short(value)) => to.append_value(value),
            (Builder::Double(to), Cell::Double(value)) => to.append_value(value),
            (Builder::Text(to), Cell::Text(value)) => to.append_value(value),
            (Builder::Flag(to), Cell::Flag(value)) => to.append_value(value),
            (Builder::Day(to), Cell::Day(value)) => to.append_value(value),
            (Builder::Moment(to), Cell::Moment(value)) => to.append_value(value),
            (to, _) => to.push_null(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Builder::Long(to) => to.append_null(),
            Builder::Int(to) => to.append_null(),
            Builder::Short(to) => to.append_null(),
            Builder::Double(to) => to.append_null(),
            Builder::Text(to) => to.append_null(),
            Builder::Flag(to) => to.append_null(),
            Builder::Day(to) => to.append_null(),
            Builder::Moment(to) => to.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Long(from) => Arc::new(from.finish()),
            Builder::Int(from) => Arc::new(from.finish()),
            Builder::Short(from) => Arc::new(from.finish()),
            Builder::Double(from) => Arc::new(from.finish()),
            Builder::Text(from) => Arc::new(from.finish()),
            Builder::Flag(from) => Arc::new(from.finish()),
            Builder::Day(from) => Arc::new(from.finish()),
            Builder::Moment(from) => Arc::new(from.finish()),
        }
    }
}

impl Batch {
    pub(crate) fn new(columns: &[Column], schema: SchemaRef) -> Batch {
        Batch { schema, columns: columns.iter().map(|column| Builder::new(column.kind)).collect(), rows: 0 }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows as the writer takes them; none are left.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, Error> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(Error::parquet)
    }

    /// Adds a row of cells, one for each column.
    pub(crate) fn push_cells<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        self.rows += 1;
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }

    /// Adds a fact that the delivery opened.
    pub(crate) fn push_fact(
        &mut self,
        table: &Table,
        whose: Whose,
        (fact, number, tie_rank): (Fact<'_>, u32, f64),
        context: &mut Context<'_>,
    ) {
        let values = fact.values();
        self.rows += 1;
        let from = self.push_values(table, whose, values, context);
        for (to, column) in self.columns.iter_mut().zip(&table.columns).take(from) {
            with_cell(column.source, whose, (&fact, number, tie_rank), context, |cell| to.push(cell));
        }
    }

    /// Adds an event that the delivery brought.
    pub(crate) fn push_event(
        &mut self,
        table: &Table,
        whose: Whose,
        (record, number, values): (u16, u32, Values<'_>),
        context: &mut Context<'_>,
    ) {
        self.rows += 1;
        let from = self.push_values(table, whose, values, context);
        for (to, column) in self.columns.iter_mut().zip(&table.columns).take(from) {
            to.push(match column.source {
                Source::Person => Cell::Long(whose.pseudonym),
                Source::FactNumber => Cell::Int(number as i32),
                Source::Record => Cell::Short(record as i16),
                Source::KnownFrom => Cell::Int(context.delivery as i32),
                Source::KnownFromProduction => context.production.map_or(Cell::Null, Cell::Day),
                _ => Cell::Null,
            });
        }
    }

    /// Adds that the delivery closed a fact.
    pub(crate) fn push_closed(&mut self, whose: Whose, known_from: u32, number: u32, context: &Context<'_>) {
        let production = context.production.map_or(Cell::Null, Cell::Day);
        let [from, number, to] = [known_from, number, context.delivery].map(|value| Cell::Int(value as i32));
        self.push_cells([Cell::Long(whose.pseudonym), from, number, to, production]);
    }

    /// Fills the columns of CPR's fields, which stand behind all others; returns where they begin.
    fn push_values(&mut self, table: &Table, whose: Whose, values: Values<'_>, context: &mut Context<'_>) -> usize {
        let mut filled = 0_u128;
        for (field, value) in values.iter() {
            let Some(&(at, text)) = table.places.get(&field.number()) else { continue };
            if filled & (1 << at) != 0 {
                continue;
            }
            filled |= 1 << at;
            let column = &table.columns[at];
            if column.is_hidden_if_protected && whose.is_protected {
                self.columns[at].push_null();
            } else {
                push_value(&mut self.columns[at], value, column.precision, context);
            }
            if let Some(text) = text {
                filled |= 1 << text;
                with_text(value, context.calendar, |cell| self.columns[text].push(cell));
            }
        }
        let is_value = |column: &Column| matches!(column.source, Source::Value(_) | Source::Text(_));
        let first = table.columns.iter().position(is_value).unwrap_or(table.columns.len());
        for (at, column) in self.columns.iter_mut().enumerate().skip(first) {
            if filled & (1 << at) == 0 {
                column.push_null();
            }
        }
        first
    }
}

/// The value of a field. A date that is to be inexact loses its day, or its day and month.
fn push_value(to: &mut Builder, value: Value<'_>, precision: Precision, context: &mut Context<'_>) {
    match value {
        Value::Text(text) => to.push(Cell::Text(&text.reveal())),
        Value::Flag(flag) => to.push(Cell::Text(char::from(flag).encode_utf8(&mut [0; 2]))),
        Value::Number(number) => to.push(number.map_or(Cell::Null, |number| Cell::Short(number as i16))),
        Value::Date(date) => {
            let day = context.calendar.day(rounded(date, precision));
            to.push(day.map_or(Cell::Null, |day| Cell::Day(day.at)));
        }
        Value::Timestamp(time) => {
            let moment = context.calendar.moment(time);
            to.push(moment.map_or(Cell::Null, |moment| Cell::Moment(moment.at)));
        }
        Value::Pnr(RelatedPnr::Known(pnr)) => to.push(Cell::Long(context.key.pseudonym(pnr))),
        Value::Pnr(RelatedPnr::Unknown) => to.push(Cell::Long(0)),
    }
}

fn rounded(date: Date, precision: Precision) -> Date {
    let digits = date.digits();
    let first = match precision {
        Precision::Day => digits,
        _ if digits == 0 => digits,
        Precision::Month if date.month().is_some() => digits / 100 * 100 + 1,
        Precision::Month | Precision::Year => digits / 10_000 * 10_000 + 101,
    };
    Date::from_digits(first).unwrap_or(date)
}

/// What was received, where its place on the calendar says another thing.
fn with_text(value: Value<'_>, calendar: &mut Calendar, push: impl FnOnce(Cell<'_>)) {
    let text = match value {
        Value::Date(date) => date_text(Some(date), calendar),
        Value::Timestamp(time) => time_text(Some(time), calendar),
        _ => None,
    };
    push(text.as_deref().map_or(Cell::Null, Cell::Text));
}

fn date_text(date: Option<Date>, calendar: &mut Calendar) -> Option<String> {
    let date = date?;
    (!calendar.day(date).is_some_and(|day| day.is_exact)).then(|| date.to_string())
}

fn time_text(time: Option<Timestamp>, calendar: &mut Calendar) -> Option<String> {
    let time = time?;
    (!calendar.moment(time).is_some_and(|moment| moment.is_exact)).then(|| time.to_string())
}

/// A cell of what every fact has.
fn with_cell(
    source: Source,
    whose: Whose,
    (fact, number, tie_rank): (&Fact<'_>, u32, f64),
    context: &mut Context<'_>,
    push: impl FnOnce(Cell<'_>),
) {
    let aspect = fact.aspect();
    let bound = |time: Option<Timestamp>, calendar: &mut Calendar| {
        time.and_then(|time| calendar.bound(time)).map_or(Cell::Null, Cell::Moment)
    };
    let is_uncertain = |date: Option<Field>| match date.and_then(uncertainty_of) {
        Some(mark) => Cell::Flag(fact.values().flag(mark) == Some(b'*')),
        None => Cell::Null,
    };
    let registered = || registered_at(aspect).and_then(|field| fact.values().timestamp(field));
    let text;
    let mut letter = [0; 4];
    push(match source {
        Source::Person => Cell::Long(whose.pseudonym),
        Source::FactNumber => Cell::Int(number as i32),
        Source::ValidFrom => bound(fact.valid().from, context.calendar),
        Source::ValidTo => bound(fact.valid().to, context.calendar),
        Source::ValidFromText => {
            text = time_text(fact.stated_bounds().0, context.calendar);
            text.as_deref().map_or(Cell::Null, Cell::Text)
        }
        Source::ValidToText => {
            text = time_text(fact.stated_bounds().1, context.calendar);
            text.as_deref().map_or(Cell::Null, Cell::Text)
        }
        Source::ValidFromUncertain => is_uncertain(aspect.start()),
        Source::ValidToUncertain => is_uncertain(aspect.end()),
        Source::RegisteredAt => bound(registered(), context.calendar),
        Source::RegisteredAtText => {
            text = time_text(registered(), context.calendar);
            text.as_deref().map_or(Cell::Null, Cell::Text)
        }
        Source::Record => Cell::Short(fact.record() as i16),
        Source::Historic => Cell::Flag(fact.is_historic()),
        Source::Mark => fact.mark().map_or(Cell::Null, |mark| Cell::Text(mark.letter().encode_utf8(&mut letter))),
        Source::TieRank if tie_rank != 0.0 => Cell::Double(tie_rank),
        Source::KnownFrom => Cell::Int(context.delivery as i32),
        Source::KnownFromProduction => context.production.map_or(Cell::Null, Cell::Day),
        Source::Pnr => match &whose.pnr {
            Some(pnr) => Cell::Text(pnr.reveal()),
            None => Cell::Null,
        },
        _ => Cell::Null,
    });
}
