//! A person's record lines as received, written back from the packed facts.

use std::collections::HashMap;

use cpr_extract::{Family, Line, LineEnd, RecordLayout, Style};
use cpr_model::{OwnedFact, PersonKey, Pnr};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Delivery;
use crate::person::stored::v2::{ArchivedDocument, ArchivedLineWidth, LineWidth};
use crate::snapshot::Snapshot;
use crate::store::tables::name;

/// The rows of one person in one extract: the delivery, the facts with their ids in line order, odd widths.
pub(crate) struct LineLayout {
    pub(crate) delivered: DeliveryNumber,
    pub(crate) facts: Vec<(u16, OwnedFact)>,
    pub(crate) widths: Vec<LineWidth>,
}

impl LineLayout {
    /// The rows of a person as the last extract that changed it had them.
    pub(crate) fn of_document(document: &ArchivedDocument) -> LineLayout {
        let rows = document.rows().take(document.in_group.to_native() as usize);
        let facts = rows.map(|(header, values)| (header.id, header.fact(None, values).to_owned()));
        let widths = document.widths.iter().map(ArchivedLineWidth::native).collect();
        LineLayout { delivered: DeliveryNumber(document.delivered.to_native()), facts: facts.collect(), widths }
    }

    /// Renders each row, as wide as it came in a file of this style, without a line end.
    pub(crate) fn render(
        &self,
        family: &Family,
        key: PersonKey,
        style: &Style,
        mut each: impl FnMut(&RecordLayout, Line<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut content, mut widths) = (Vec::new(), self.widths.iter().peekable());
        for (at, (_, fact)) in self.facts.iter().enumerate() {
            let view = fact.as_fact();
            let layout = family
                .record(view.record())
                .ok_or(Error::Corrupt { table: name::PERSONS, what: "a record of no layout" })?;
            layout.render(Some(key.pnr()), view.values(), &mut content);
            let used = content.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
            let odd = widths.next_if(|width| usize::from(width.line) == at).map(|width| usize::from(width.bytes));
            let width = odd.unwrap_or(style.padding.width(used, layout.length));
            each(layout, Line { content: &content, width, end: LineEnd::None })?;
        }
        Ok(())
    }
}

/// The lines of one person as one delivery brought them (003 included, events not).
#[derive(Clone)]
#[non_exhaustive]
pub struct GroupLines {
    /// The delivery whose file spelled them so.
    pub delivered: DeliveryNumber,
    /// What ended each line.
    pub end: LineEnd,
    lines: Vec<Box<[u8]>>,
}

/// Says how many lines there are, not what they hold.
impl std::fmt::Debug for GroupLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lines of delivery {}", self.lines.len(), self.delivered)
    }
}

impl GroupLines {
    /// The lines in ISO 8859-1, as wide as they came, without their ends. They tell who the person is.
    pub fn reveal(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.lines.iter().map(|line| &**line)
    }
}

impl Snapshot {
    /// The person's lines as received at the last delivery up to `known` that held the person; none when there is none.
    ///
    /// Rows that the extract itself did not hold (events, rows that aged out of the window) are not among them.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, cpr_model::Pnr};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let lines = replika.snapshot().group(sofie, Some(DeliveryNumber(1)))?.ok_or("held")?;
    /// assert!(lines.reveal().next().is_some_and(|line| line.starts_with(b"0016101801234")));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn group(&self, pnr: Pnr, known: Option<DeliveryNumber>) -> Result<Option<GroupLines>, Error> {
        let known = self.check_known(known)?;
        let Some(key) = pnr.key() else { return Ok(None) };
        let Some(shape) = self.shape(key, known)? else { return Ok(None) };
        let delivery = self.delivery(shape.delivered)?;
        let mut lines = Vec::with_capacity(shape.facts.len());
        self.render(key, &shape, &delivery, |_, line| {
            let mut bytes = Vec::with_capacity(line.width);
            line.write(&mut bytes).map_err(Error::Output)?;
            lines.push(bytes.into());
            Ok(())
        })?;
        Ok(Some(GroupLines { delivered: shape.delivered, end: delivery.style.line_end, lines }))
    }

    /// The person's rows in the order of its lines as of a delivery.
    pub(crate) fn shape(&self, key: PersonKey, known: DeliveryNumber) -> Result<Option<LineLayout>, Error> {
        let image = self.image(key, None, known)?;
        let Some(person) = &image.person else { return Ok(None) };
        let now = person.archived();
        if now.delivered.to_native() <= known.0 {
            return Ok(Some(LineLayout::of_document(now)));
        }
        let Some((group, order, widths)) = image.pasts().find_map(|past| past.group_at(known.0)) else {
            return Ok(None);
        };
        let delivered = DeliveryNumber(group.delivered);
        if delivered > known {
            return Ok(None);
        }
        let mut believed: HashMap<u16, OwnedFact> = HashMap::new();
        for past in image.pasts() {
            let rows = past.rows().map(|(header, values, known_to)| (header.id, header.fact(Some(known_to), values)));
            let then = rows.filter(|(_, fact)| fact.known().contains(known.0));
            believed.extend(then.map(|(id, fact)| (id, fact.to_owned())));
        }
        let rows = now.rows().map(|(header, values)| (header.id, header.fact(None, values)));
        let then = rows.filter(|(_, fact)| fact.known().contains(known.0));
        believed.extend(then.map(|(id, fact)| (id, fact.to_owned())));
        let facts = order.into_iter().map(|id| {
            let fact = believed.remove(&id).map(|fact| (id, fact));
            fact.ok_or(Error::Corrupt { table: name::PERSONS, what: "a row of the lines is missing" })
        });
        Ok(Some(LineLayout { delivered, facts: facts.collect::<Result<_, _>>()?, widths }))
    }

    /// Renders each row of a person, as wide as it came in the file of `delivery`, without a line end.
    pub(crate) fn render(
        &self,
        key: PersonKey,
        shape: &LineLayout,
        delivery: &Delivery,
        each: impl FnMut(&RecordLayout, Line<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let corrupt = Error::Corrupt { table: name::PERSONS, what: "a record of no layout" };
        shape.render(self.settings().family.ok_or(corrupt)?, key, &delivery.style, each)
    }
}
