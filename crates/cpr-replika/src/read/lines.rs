//! A person's record lines as received, written back from the packed facts.

use std::collections::HashMap;

use cpr_extract::{Family, Line, LineEnd, Style};
use cpr_model::{Aspect, Fact, PersonKey, Pnr};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::person::image::Image;
use crate::person::stored::v2::{ArchivedDocument, ArchivedLineWidth, LineWidth};
use crate::snapshot::Snapshot;
use crate::store::tables::name;

/// The rows of one person in one extract: the delivery, the facts with their ids in line order, odd widths.
pub(crate) struct LineLayout<'i> {
    pub(crate) delivered: DeliveryNumber,
    pub(crate) facts: Vec<(u16, Fact<'i>)>,
    pub(crate) widths: Vec<LineWidth>,
}

impl<'i> LineLayout<'i> {
    /// The rows of a person as the last extract that changed it had them.
    pub(crate) fn of_document(document: &'i ArchivedDocument) -> LineLayout<'i> {
        let rows = document.rows().take(document.in_group.to_native() as usize);
        let facts = rows.map(|(header, values)| (header.id, header.fact(None, values)));
        let widths = document.widths.iter().map(ArchivedLineWidth::native).collect();
        LineLayout { delivered: DeliveryNumber(document.delivered.to_native()), facts: facts.collect(), widths }
    }

    /// True when there is a 003, which stands behind all persons.
    pub(crate) fn has_formatted(&self) -> bool {
        self.facts.iter().any(|(_, fact)| is_formatted(fact))
    }

    /// Renders rows, each as wide as it came in a file of this style, without a line end; the content is that of the
    /// whole record.
    pub(crate) fn render(
        &self,
        family: &Family,
        key: PersonKey,
        style: &Style,
        is_wanted: impl Fn(&Fact<'_>) -> bool,
        mut each: impl FnMut(Line<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut content, mut widths, pnr) = (Vec::new(), self.widths.iter().peekable(), key.pnr());
        for (at, (_, fact)) in self.facts.iter().enumerate() {
            let odd = widths.next_if(|width| usize::from(width.line) == at).map(|width| usize::from(width.bytes));
            if !is_wanted(fact) {
                continue;
            }
            let layout = family.record(fact.record()).ok_or_else(no_layout)?;
            layout.render(Some(pnr), fact.values(), &mut content);
            let used = content.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
            let width = odd.unwrap_or_else(|| style.padding.width(used, layout.length));
            each(Line { content: &content, width, end: LineEnd::None })?;
        }
        Ok(())
    }
}

/// True for a 003.
pub(crate) fn is_formatted(fact: &Fact<'_>) -> bool {
    fact.aspect() == Aspect::FormattedAddress && !fact.is_historic()
}

pub(crate) fn no_layout() -> Error {
    Error::Corrupt { table: name::PERSONS, what: "a record of no layout" }
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
        let image = self.image(key, None, known)?;
        let Some(of) = image.line_layout()? else { return Ok(None) };
        let delivery = self.delivery(of.delivered)?;
        let family = self.settings().family.ok_or_else(no_layout)?;
        let mut lines = Vec::with_capacity(of.facts.len());
        of.render(
            family,
            key,
            &delivery.style,
            |_| true,
            |line| {
                let mut bytes = Vec::with_capacity(line.width);
                line.write(&mut bytes).map_err(Error::Output)?;
                lines.push(bytes.into());
                Ok(())
            },
        )?;
        Ok(Some(GroupLines { delivered: of.delivered, end: delivery.style.line_end, lines }))
    }
}

impl Image<'_> {
    /// The person's rows in the order of its lines as of the delivery of the image.
    pub(crate) fn line_layout(&self) -> Result<Option<LineLayout<'_>>, Error> {
        let (Some(person), known) = (&self.person, self.known) else { return Ok(None) };
        let now = person.archived();
        if now.delivered.to_native() <= known.0 {
            return Ok(Some(LineLayout::of_document(now)));
        }
        let Some((group, order, widths)) = self.pasts().find_map(|past| past.group_at(known.0)) else {
            return Ok(None);
        };
        let delivered = DeliveryNumber(group.delivered);
        if delivered > known {
            return Ok(None);
        }
        let mut believed: HashMap<u16, Fact<'_>> = HashMap::new();
        for past in self.pasts() {
            let rows = past.rows().map(|(header, values, known_to)| (header.id, header.fact(Some(known_to), values)));
            believed.extend(rows.filter(|(_, fact)| fact.known().contains(known.0)));
        }
        let rows = now.rows().map(|(header, values)| (header.id, header.fact(None, values)));
        believed.extend(rows.filter(|(_, fact)| fact.known().contains(known.0)));
        let facts = order.into_iter().map(|id| {
            let fact = believed.remove(&id).map(|fact| (id, fact));
            fact.ok_or(Error::Corrupt { table: name::PERSONS, what: "a row of the lines is missing" })
        });
        Ok(Some(LineLayout { delivered, facts: facts.collect::<Result<_, _>>()?, widths }))
    }
}
