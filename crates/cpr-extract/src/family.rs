//! Layouts as data: which records a product has, and where their fields stand.
//!
//! `layouts/families.csv` names the families and what each extends; `layouts/records.csv` holds one row per field. Both
//! are read once, at first use. A test holds that the columns of every record tile it without gap or overlap.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cpr_model::{Aspect, Field};

use crate::column::{Column, Format};
use crate::template::Template;

/// What a record is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// 000
    Start,
    /// 999
    End,
    /// 910, an error record: echo of the customer's input.
    InputError,
    /// 997, the receipt for a deleted subscription.
    Receipt,
    /// A row of a person that replaces what was held; true for a historic record.
    Fact(Aspect, bool),
    /// 099 or 900: accumulates.
    Event,
}

/// One record of a family.
#[derive(Clone, Debug)]
pub struct RecordLayout {
    /// The three digits as a number.
    pub number: u16,
    /// What it is for.
    pub role: Role,
    /// Bytes at full length.
    pub length: usize,
    /// The columns after the record number, in line order.
    pub columns: Vec<Column>,
    /// The columns in the order they are packed: valid time first, where every read looks.
    pub(crate) packing: Vec<Packed>,
    /// Positions of the columns whose content is checked: all but text.
    pub(crate) checked: Vec<usize>,
    /// What each byte may be.
    pub(crate) template: Template,
    /// The line of a record in which every field is empty, but for the number of the person.
    pub(crate) empty: Vec<u8>,
    /// The first column is the number of the person.
    pub(crate) has_key: bool,
}

/// A column as it is packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    pub(crate) field: Field,
    pub(crate) format: Format,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// True when a blank is a value of its own, since zeros are the usual "none".
    pub(crate) tells_blank: bool,
}

impl RecordLayout {
    /// True for 001, which opens a person.
    pub fn opens_person(&self) -> bool {
        self.role == Role::Fact(Aspect::Person, false)
    }

    /// True for 003, which stands after all persons.
    pub fn is_formatted_address(&self) -> bool {
        self.role == Role::Fact(Aspect::FormattedAddress, false)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A family of layouts: the records of one product, told apart by their first three digits.
///
/// ```
/// use cpr_extract::Family;
/// let family = Family::named("uuid").expect("a family");
/// assert!(family.is_variant_of(Family::named("std").expect("a family")));
/// let address = family.record(2).expect("002");
/// assert_eq!((address.length, address.columns.last().map(|column| column.name)), (382, Some("ADRESSE_UUID")));
/// ```
#[derive(Debug)]
pub struct Family {
    /// `std`, `uuid`, `2022`, `u12180`, `full`.
    pub name: &'static str,
    /// CPR's products that have it.
    pub products: &'static str,
    /// The family it adds to, when it is a variant.
    pub extends: Option<&'static str>,
    records: BTreeMap<u16, RecordLayout>,
    /// By record number, so that a line finds its layout without a search.
    table: Vec<Option<&'static RecordLayout>>,
    /// By number of an aspect; see [`Family::records_of`].
    of_aspects: Vec<Vec<u16>>,
}

/// Which records stand under which family name; not a family of its own.
const FRAME: &str = "frame";

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let records = parse_records(include_str!("../layouts/records.csv"));
    parse_families(include_str!("../layouts/families.csv"), &records)
});

impl Family {
    /// The family with this name.
    pub fn named(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// Every family; a variant stands after what it extends.
    pub fn all() -> &'static [Family] {
        &FAMILIES
    }

    /// The layout of a record number.
    #[inline]
    pub fn record(&self, number: u16) -> Option<&'static RecordLayout> {
        self.table.get(usize::from(number)).copied().flatten()
    }

    /// Every record, by number.
    pub fn records(&self) -> impl Iterator<Item = &RecordLayout> {
        self.records.values()
    }

    /// The numbers of the records that tell of an aspect: those of it, and of parents any that names them, as in some
    /// products the person's own record does.
    pub fn records_of(&self, aspect: Aspect) -> &[u16] {
        &self.of_aspects[usize::from(aspect.number())]
    }

    /// The layout that the first three bytes of a line name.
    #[inline]
    pub(crate) fn layout_of(&self, line: &[u8]) -> Option<&'static RecordLayout> {
        self.record(record_number(line)?)
    }

    /// True when `self` is `other` or a variant of it.
    pub fn is_variant_of(&self, other: &Family) -> bool {
        self.name == other.name || self.extends.and_then(Family::named).is_some_and(|base| base.is_variant_of(other))
    }
}

impl Eq for Family {}

impl PartialEq for Family {
    fn eq(&self, other: &Family) -> bool {
        self.name == other.name
    }
}

/// The three digits that begin a line.
#[inline]
pub(crate) fn record_number(line: &[u8]) -> Option<u16> {
    let [a, b, c] = line.first_chunk::<3>()?.map(|byte| u16::from(byte.wrapping_sub(b'0')));
    (a < 10 && b < 10 && c < 10).then_some(a * 100 + b * 10 + c)
}

/// Zero-filled digits; what does not fit is cut at the left, which checked values never need.
pub(crate) fn put_number(cell: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in cell.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

type Tables = Vec<(&'static str, RecordLayout)>;

/// The tables are part of the crate and checked by its tests, so a row that cannot be read is a broken build.
fn parse_records(csv: &'static str) -> Tables {
    let mut tables: Tables = Vec::new();
    for row in csv.lines().skip(1) {
        let cells: Vec<&'static str> = row.split(',').collect();
        let [family, record, aspect, tense, name, start, length, code, term] = cells[..] else {
            panic!("layouts/records.csv: a row has {} cells", cells.len());
        };
        let number: u16 = record.parse().expect("a record number");
        let length: usize = length.parse().expect("a field length");
        let start: usize = start.parse().expect("a field position");
        let format = Format::from_code(code).expect("a format code of Format::from_code");
        let in_frame = family == FRAME;
        let field = (!in_frame && format != Format::Key)
            .then(|| Field::from_term(if term.is_empty() { name } else { term }).expect("a term of cpr_model::Field"));
        let role = match (in_frame, number, Aspect::from_name(aspect)) {
            (true, 0, _) => Role::Start,
            (true, 910, _) => Role::InputError,
            (true, 997, _) => Role::Receipt,
            (true, _, _) => Role::End,
            (false, _, Some(Aspect::Event)) => Role::Event,
            (false, _, aspect) => Role::Fact(aspect.expect("an aspect of cpr_model"), tense == "historic"),
        };
        if tables.last().is_none_or(|(of, last)| (*of, last.number) != (family, number)) {
            tables.push((family, RecordLayout::empty(number, role)));
        }
        let (_, record) = tables.last_mut().expect("pushed above");
        record.length = start - 1 + length;
        record.columns.push(Column { name, field, start: start - 1, length, format });
    }
    for (_, record) in &mut tables {
        record.prepare();
    }
    tables
}

impl RecordLayout {
    fn empty(number: u16, role: Role) -> RecordLayout {
        RecordLayout {
            number,
            role,
            length: 3,
            columns: Vec::new(),
            packing: Vec::new(),
            checked: Vec::new(),
            template: Template::new(&[], 3),
            empty: Vec::new(),
            has_key: false,
        }
    }

    /// Derives from the columns what reading looks at.
    fn prepare(&mut self) {
        let (first, last) = match self.role {
            Role::Fact(aspect, _) => (aspect.start(), aspect.end()),
            _ => (None, None),
        };
        let packed = |column: &Column| {
            let Column { field, format, start, length, .. } = *column;
            let tells_blank = matches!(format, Format::Number | Format::NumberOrBlank | Format::PlainDate);
            field.map(|field| Packed { field, format, start, end: start + length, tells_blank })
        };
        self.packing = self.columns.iter().filter_map(packed).collect();
        self.packing.sort_by_key(|packed| {
            let field = Some(packed.field);
            (field != first, field != last, packed.field != Field::CorrectionMark)
        });
        let checked = |at: &usize| self.columns[*at].format != Format::Text;
        self.checked = (0..self.columns.len()).filter(checked).collect();
        self.template = Template::new(&self.columns, self.length);
        self.empty = vec![b' '; self.length];
        put_number(&mut self.empty[..3], u64::from(self.number));
        for column in &self.columns {
            if column.format.is_empty_as_zeros() {
                self.empty[column.start..column.start + column.length].fill(b'0');
            }
        }
        self.has_key = self.columns.first().is_some_and(|column| column.format == Format::Key);
    }
}

fn parse_families(csv: &'static str, tables: &Tables) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for row in csv.lines().skip(1) {
        let [name, extends, products] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("layouts/families.csv: not three cells");
        };
        let extends = (!extends.is_empty()).then_some(extends);
        let base = extends.map(|of| families.iter().find(|family| family.name == of).expect("the base stands before"));
        let mut records = base.map_or_else(BTreeMap::new, |base| base.records.clone());
        let own = tables.iter().filter(|(of, _)| *of == name || *of == FRAME);
        records.extend(own.map(|(_, record)| (record.number, record.clone())));
        // The layouts live as long as the process: they are parsed once and handed out everywhere.
        let mut table = vec![None; 1000];
        for record in records.values() {
            table[usize::from(record.number)] = Some(&*Box::leak(Box::new(record.clone())));
        }
        let mut of_aspects = vec![Vec::new()];
        of_aspects.extend(Aspect::all().map(|aspect| numbers_of(aspect, records.values())));
        families.push(Family { name, products, extends, records, table, of_aspects });
    }
    families
}

fn numbers_of<'r>(aspect: Aspect, records: impl Iterator<Item = &'r RecordLayout>) -> Vec<u16> {
    let is_of = |record: &RecordLayout| {
        matches!(record.role, Role::Fact(of, _) if of == aspect)
            || record.role == Role::Event && aspect == Aspect::Event
            || aspect == Aspect::Parents && record.columns.iter().any(|column| column.field == Some(Field::MotherPnr))
    };
    records.filter(|record| is_of(record)).map(|record| record.number).collect()
}
