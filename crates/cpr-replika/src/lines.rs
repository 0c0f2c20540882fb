//! A person's record lines as received, written back from the packed facts.

use cpr_extract::{Line, LineEnd, RecordLayout};
use cpr_model::stored::v1::Width;
use cpr_model::{PersonKey, Pnr};

use crate::delivery::{Delivery, DeliveryNumber};
use crate::error::Error;
use crate::fact::Fact;
use crate::snapshot::Snapshot;

/// The rows of one person in one extract: the delivery, the facts with their ids in line order, odd widths.
pub(crate) struct Shape {
    pub(crate) delivered: DeliveryNumber,
    pub(crate) facts: Vec<(u16, Fact)>,
    pub(crate) widths: Vec<Width>,
}

/// The lines of one person as one delivery brought them (003 included, events not).
#[derive(Clone)]
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

    /// Renders each row of a person, as wide as it came in the file of `delivery`, without a line end.
    pub(crate) fn render(
        &self,
        key: PersonKey,
        shape: &Shape,
        delivery: &Delivery,
        mut each: impl FnMut(&RecordLayout, Line<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let corrupt = Error::Corrupt { table: crate::image::PERSONS_TABLE, what: "a record of no layout" };
        let Some(family) = self.config().family else { return Err(corrupt) };
        let (mut content, mut widths) = (Vec::new(), shape.widths.iter().peekable());
        for (at, (_, fact)) in shape.facts.iter().enumerate() {
            let view = fact.view();
            let layout = family
                .record(view.record())
                .ok_or(Error::Corrupt { table: crate::image::PERSONS_TABLE, what: "a record of no layout" })?;
            layout.render(Some(key.pnr()), view.values(), &mut content);
            let used = content.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
            let odd = widths.next_if(|width| usize::from(width.line) == at).map(|width| usize::from(width.bytes));
            let width = odd.unwrap_or(delivery.style.padding.width(used, layout.length));
            each(layout, Line { content: &content, width, end: LineEnd::None })?;
        }
        Ok(())
    }
}
