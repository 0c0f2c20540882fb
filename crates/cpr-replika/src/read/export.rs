//! The whole replica as a full extract, as of any delivery; or some of it, as known now.

use std::io::Write;
use std::ops::RangeInclusive;

use cpr_extract::{Family, Line, LineEnd, Style, end_counter};
use cpr_model::{Aspect, CorrectionMark, Date, PersonKey, Pnr, Values};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::person_set::PersonSet;
use crate::index::sets::Row;
use crate::person::image::Person;
use crate::read::in_order::in_order;
use crate::read::lines::{LineLayout, is_formatted, no_layout};
use crate::snapshot::Snapshot;
use crate::store::tables::name;
use crate::trace::span;

impl Snapshot {
    /// Writes every person held as of a delivery as a full extract of the store's family, in CPR's order of records:
    /// persons by birth, all 003 after them by address. Lines are spelled as received; the start record bears the
    /// delivery's production date twice, as an establishment does, so that the next delta follows on it. Returns the
    /// persons written.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::DeliveryNumber;
    /// let mut file = Vec::new();
    /// assert_eq!(demo()?.snapshot().export(Some(DeliveryNumber(1)), &mut file)?, 2);
    /// assert!(file.starts_with(b"00000000000009999012026010520260105"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`]; [`Error::Output`] from the writer.
    pub fn export(&self, known: Option<DeliveryNumber>, out: &mut impl Write) -> Result<u64, Error> {
        let span = span!("export", delivery, persons, records);
        let known = self.check_known(known)?;
        let delivery = self.delivery(known)?;
        span.record("delivery", known.0.into());
        let family = self.settings().family.ok_or_else(no_layout)?;
        let exporter = Exporter { snapshot: self, known, family, style: &delivery.style };
        let mut writer = Writer::new(out, &delivery.style);
        writer.frame(&start_record(&delivery.task, delivery.production_date))?;
        let mut formatted: Vec<(AddressOrder, PersonKey)> = Vec::new();
        let mut persons = 0;
        let render = |keys, rendered: &mut Rendered| exporter.render_persons(keys, rendered);
        in_order(exporter.stretches(), render, |rendered| {
            persons += rendered.persons;
            formatted.append(&mut rendered.formatted);
            writer.append(rendered)
        })?;
        formatted.sort_unstable();
        let render = |persons: &[_], rendered: &mut Rendered| exporter.render_formatted(persons, rendered);
        in_order(formatted.chunks(PERSONS).map(Ok), render, |rendered| writer.append(rendered))?;
        span.record("persons", persons);
        span.record("records", writer.finish()?);
        Ok(persons)
    }

    /// Writes these persons as known now as a full extract, each with full history, from which the next delta follows:
    /// the start record bears the last production date twice. Returns the persons written.
    ///
    /// Memory does not grow with the persons: the 003 stand by street, as the index has them, and behind those the ones
    /// of persons without a street.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no delivery yet; [`Error::Output`] from the writer.
    pub fn export_persons(&self, persons: &PersonSet, out: &mut impl Write) -> Result<u64, Error> {
        let span = span!("export", delivery, persons, records);
        let delivery = self.delivery(self.known())?;
        span.record("delivery", delivery.number.0.into());
        let mut writer = Writer::new(out, &delivery.style);
        writer.frame(&start_record(&delivery.task, delivery.production_date))?;
        let family = self.settings().family.ok_or_else(no_layout)?;
        let (mut behind, mut written) = (RoaringBitmap::new(), 0);
        for key in persons.iter() {
            let image = self.image(key, None, delivery.number)?;
            let Some(lines) = image.line_layout()? else { continue };
            written += 1;
            writer.person(family, key, &lines, false)?;
            if lines.has_formatted() {
                behind.insert(key.as_u32());
            }
        }
        let street = SetKind::Street as u8;
        for row in self.tables().sets.range((street, 0, 0)..(street + 1, 0, 0))? {
            let (key, sealed) = row?;
            let Row::Street(residents) = Row::open(key.value(), sealed.value())? else { continue };
            let residents = residents.into_iter().map(|(_, key)| key).filter(|key| behind.remove(*key));
            let mut here = Vec::new();
            for key in residents.filter_map(PersonKey::from_u32) {
                let image = self.image(key, None, delivery.number)?;
                here.extend(image.line_layout()?.map(|lines| (AddressOrder::of(key.pnr(), &lines), key)));
            }
            here.sort_unstable();
            self.write_formatted(here.into_iter().map(|(_, key)| key), delivery.number, &mut writer)?;
        }
        self.write_formatted(behind.into_iter().filter_map(PersonKey::from_u32), delivery.number, &mut writer)?;
        span.record("persons", written);
        span.record("records", writer.finish()?);
        Ok(written)
    }

    /// Writes the 003 lines of persons, one after the other.
    fn write_formatted(
        &self,
        persons: impl Iterator<Item = PersonKey>,
        known: DeliveryNumber,
        writer: &mut Writer<'_, impl Write>,
    ) -> Result<(), Error> {
        let family = self.settings().family.ok_or_else(no_layout)?;
        for key in persons {
            let image = self.image(key, None, known)?;
            if let Some(lines) = image.line_layout()? {
                writer.person(family, key, &lines, true)?;
            }
        }
        Ok(())
    }
}

/// Keys that are exported together: of four days, on which some thousand persons are born.
const KEYS: u32 = 40_000;

/// Persons whose 003 are exported together.
const PERSONS: usize = 4096;

/// Lines of some persons, as they are to be written.
#[derive(Default)]
struct Rendered {
    bytes: Vec<u8>,
    lines: u64,
    persons: u64,
    /// Those among the persons whose 003 stand behind.
    formatted: Vec<(AddressOrder, PersonKey)>,
}

/// Renders parts of an export, on any thread.
struct Exporter<'s> {
    snapshot: &'s Snapshot,
    known: DeliveryNumber,
    family: &'static Family,
    style: &'s Style,
}

impl Exporter<'_> {
    /// Stretches of keys in which somebody is, in order.
    fn stretches(&self) -> impl Iterator<Item = Result<RangeInclusive<u32>, Error>> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let first = self.snapshot.tables().persons.range(next?..).and_then(|mut rows| rows.next().transpose());
            let first = match first {
                Ok(row) => row?.0.value(),
                Err(error) => return Some(Err(error)),
            };
            let last = last_of_stretch(first);
            next = last.checked_add(1);
            Some(Ok(first..=last))
        })
    }

    fn render_persons(&self, keys: RangeInclusive<u32>, rendered: &mut Rendered) -> Result<(), Error> {
        rendered.clear();
        let mut writer = Writer::new(&mut rendered.bytes, self.style);
        for row in self.snapshot.tables().persons.range(keys)? {
            let (key, value) = row?;
            let corrupt = || Error::Corrupt { table: name::PERSONS, what: "a key of no number" };
            let key = PersonKey::from_u32(key.value()).ok_or_else(corrupt)?;
            let person = Person::open(key.as_u32(), value)?;
            let image = self.snapshot.image_of(key, Some(person), None, self.known)?;
            let Some(lines) = image.line_layout()? else { continue };
            rendered.persons += 1;
            writer.person(self.family, key, &lines, false)?;
            if lines.has_formatted() {
                rendered.formatted.push((AddressOrder::of(key.pnr(), &lines), key));
            }
        }
        rendered.lines = writer.count;
        Ok(())
    }

    fn render_formatted(&self, persons: &[(AddressOrder, PersonKey)], rendered: &mut Rendered) -> Result<(), Error> {
        rendered.clear();
        let mut writer = Writer::new(&mut rendered.bytes, self.style);
        let keys = persons.iter().map(|(_, key)| *key);
        self.snapshot.write_formatted(keys, self.known, &mut writer)?;
        rendered.lines = writer.count;
        Ok(())
    }
}

impl Rendered {
    fn clear(&mut self) {
        self.bytes.clear();
        self.formatted.clear();
        (self.lines, self.persons) = (0, 0);
    }
}

/// Writes an extract line by line.
pub(crate) struct Writer<'a, W> {
    out: &'a mut W,
    style: &'a Style,
    count: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    pub(crate) fn new(out: &'a mut W, style: &'a Style) -> Writer<'a, W> {
        Writer { out, style, count: 0 }
    }

    /// Writes the 003 lines of a person, or all others.
    pub(crate) fn person(
        &mut self,
        family: &Family,
        key: PersonKey,
        lines: &LineLayout<'_>,
        formatted: bool,
    ) -> Result<(), Error> {
        lines.render(
            family,
            key,
            self.style,
            |fact| is_formatted(fact) == formatted,
            |line| {
                self.count += 1;
                // Without line ends, a line can only be as wide as its record.
                let is_odd = self.style.line_end == LineEnd::None;
                self.line(if is_odd { Line { width: line.content.len(), ..line } } else { line })
            },
        )
    }

    /// Writes lines that were rendered in the style of this file.
    fn append(&mut self, rendered: &Rendered) -> Result<(), Error> {
        self.count += rendered.lines;
        self.out.write_all(&rendered.bytes).map_err(Error::Output)
    }

    fn line(&mut self, line: Line<'_>) -> Result<(), Error> {
        Line { end: self.style.line_end, ..line }.write(self.out).map_err(Error::Output)
    }

    /// The end record, and what stands after it. Returns the records between the first and this one.
    pub(crate) fn finish(mut self) -> Result<u64, Error> {
        let records = self.count;
        let count = end_counter(self.count);
        self.frame(&format!("9999999999999{count:08}"))?;
        self.out.write_all(&self.style.trailer).map_err(Error::Output)?;
        Ok(records)
    }

    /// A start or end record: both are filled to their last byte.
    pub(crate) fn frame(&mut self, content: &str) -> Result<(), Error> {
        let width = self.style.padding.width(content.len(), content.len());
        self.line(Line { content: content.as_bytes(), width, end: LineEnd::None })
    }
}

/// The start record of what is known after a delivery.
pub(crate) fn start_record(task: &str, production_date: Date) -> String {
    let date = production_date.digits();
    format!("0000000000000{task:0>6}{date:08}{date:08}")
}

/// CPR's order of 003: municipality, street, even before odd house numbers, house number, floor, side or door, in
/// EBCDIC order, then the number. A person whose address is not delivered stands where the last one was.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct AddressOrder {
    street: (u16, u16),
    odd: bool,
    place: [u8; 14],
    pnr: Pnr,
}

impl AddressOrder {
    pub(crate) fn of(pnr: Pnr, lines: &LineLayout<'_>) -> AddressOrder {
        let rows = lines.facts.iter().map(|(_, fact)| *fact).filter(|fact| fact.aspect() == Aspect::Address);
        let unmarked = rows.filter(|fact| {
            fact.mark() != Some(CorrectionMark::Corrected) && fact.mark() != Some(CorrectionMark::Annulled)
        });
        let last = unmarked.max_by_key(|fact| (!fact.is_historic(), fact.valid().to));
        let values = last.map_or(Values::new(&[]), |fact| fact.values());
        let address = cpr_model::facts::Address::new(values);
        let mut place = [ebcdic(b' '); 14];
        let house = address.house_number();
        let parts = [
            (house, 0..4),
            (address.floor(), 4..6),
            (address.side_or_door(), 6..10),
            (address.building_number(), 10..14),
        ];
        for (text, range) in parts {
            for (to, from) in place[range].iter_mut().zip(text.latin1()) {
                *to = ebcdic(*from);
            }
        }
        let last_digit = house.latin1().iter().rev().find(|byte| byte.is_ascii_digit());
        AddressOrder {
            street: (
                address.municipality_code().map_or(0, |code| code.0),
                address.street_code().map_or(0, |code| code.0),
            ),
            odd: last_digit.is_some_and(|digit| digit % 2 == 1),
            place,
            pnr,
        }
    }
}

/// The last key of the stretch in which a key is.
fn last_of_stretch(key: u32) -> u32 {
    (key / KEYS * KEYS).saturating_add(KEYS - 1)
}

/// Where a character stands in EBCDIC code page 277: blank, signs, small letters, capitals, digits.
fn ebcdic(latin1: u8) -> u8 {
    match latin1 {
        b' ' => 0x40,
        b'-' => 0x60,
        b'/' => 0x61,
        b'a'..=b'i' => 0x81 + (latin1 - b'a'),
        b'j'..=b'r' => 0x91 + (latin1 - b'j'),
        b's'..=b'z' => 0xA2 + (latin1 - b's'),
        b'A'..=b'I' => 0xC1 + (latin1 - b'A'),
        b'J'..=b'R' => 0xD1 + (latin1 - b'J'),
        b'S'..=b'Z' => 0xE2 + (latin1 - b'S'),
        b'0'..=b'9' => 0xF0 + (latin1 - b'0'),
        _ => 0x50,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_where_the_next_one_begins_and_the_last_one_with_all_keys() {
        for (first, last) in
            [(0, KEYS - 1), (7, KEYS - 1), (KEYS - 1, KEYS - 1), (KEYS, 2 * KEYS - 1), (u32::MAX, u32::MAX)]
        {
            assert_eq!(last_of_stretch(first), last);
        }
        assert_eq!(last_of_stretch(u32::MAX / KEYS * KEYS), u32::MAX);
    }
}
