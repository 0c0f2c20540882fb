//! The stored person document, one frozen module per schema version.
//!
//! A layout that changes is a new module, a migration and a kept fixture; the bytes of each version are pinned by a
//! golden test and drawn in docs/format.md. (Version 1 was replaced before anything was released with it.)

/// Version 2.
pub(crate) mod v2 {
    use std::fmt;

    use rkyv::{Archive, Serialize};

    use bitemporal::Known;
    use cpr_model::{Fact, RowKind, Values};

    /// A person as known now: every fact, all of valid time. Alignment 4.
    #[derive(Archive, Clone, Default, Serialize)]
    pub(crate) struct Document {
        /// The last delivery whose extract held this person.
        pub(crate) delivered: u32,
        /// The first `in_group` facts are the person's lines in that extract, in its order; after them stand the
        /// historic rows that aged out of the customer's window and stay known.
        pub(crate) in_group: u32,
        /// The facts, each with the end of its packed values; it starts where the one before ends.
        pub(crate) facts: Vec<FactHeader>,
        /// The packed values of all facts, end to end (see [`cpr_model::Values`]).
        pub(crate) values: Vec<u8>,
        /// Lines of the group whose width is not what the delivery's style says.
        pub(crate) widths: Vec<LineWidth>,
    }

    /// One fact: a record line as received.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub(crate) struct FactHeader {
        /// The delivery that brought the fact.
        pub(crate) known_from: u32,
        /// Where its packed values end.
        pub(crate) end: u32,
        /// Tells the facts of this person that are believed at the same time apart.
        pub(crate) id: u16,
        /// The record number in the store's family.
        pub(crate) record: u8,
        /// Aspect and tense ([`RowKind`]).
        pub(crate) kind: u8,
    }

    /// A line of the group with a width of its own: position in the group, received width in bytes.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub(crate) struct LineWidth {
        /// Position of the line in the group, from 0.
        pub(crate) line: u16,
        /// Bytes as received, without the line end.
        pub(crate) bytes: u16,
    }

    /// What happened to one person: facts that ceased to be believed and the shapes of earlier lines, each in the order
    /// of their end, and the events as received, in the order in which they came.
    #[derive(Archive, Clone, Default, Serialize)]
    pub(crate) struct Past {
        /// The delivery of the last entry of the past before this one; 0 when there is none. As of that delivery or a
        /// later one, this past is enough.
        pub(crate) since: u32,
        /// The facts, each with the end of its packed values; it starts where the one before ends.
        pub(crate) facts: Vec<PastFact>,
        /// The packed values of all facts, end to end.
        pub(crate) values: Vec<u8>,
        /// The shapes of the lines that were replaced.
        pub(crate) groups: Vec<PastGroup>,
        /// The ids of the facts of all groups in the order of the lines, end to end.
        pub(crate) order: Vec<u16>,
        /// The odd widths of all groups, end to end.
        pub(crate) widths: Vec<LineWidth>,
        /// The events (099, 900), each with the end of its packed values; it starts where the one before ends.
        pub(crate) events: Vec<PastEvent>,
        /// The packed values of all events, end to end.
        pub(crate) event_values: Vec<u8>,
    }

    /// An event as received.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub(crate) struct PastEvent {
        /// The delivery that brought it.
        pub(crate) delivery: u32,
        /// The record number in the store's family.
        pub(crate) record: u32,
        /// Where its packed values end.
        pub(crate) end: u32,
    }

    /// A fact that ceased to be believed.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub(crate) struct PastFact {
        /// The fact.
        pub(crate) fact: FactHeader,
        /// The delivery that took it back.
        pub(crate) known_to: u32,
    }

    /// The shape of a person's lines in one extract, kept when a later extract replaces them.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub(crate) struct PastGroup {
        /// The delivery whose extract held the lines.
        pub(crate) delivered: u32,
        /// The delivery that replaced them.
        pub(crate) known_to: u32,
        /// Where its ids end in `order`.
        pub(crate) order_end: u32,
        /// Where its widths end in `widths`.
        pub(crate) widths_end: u32,
    }

    /// Says how much there is, not what it states.
    impl fmt::Debug for Document {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Document of {} facts", self.facts.len())
        }
    }

    /// Says how much there is, not what it stated.
    impl fmt::Debug for Past {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Past of {} facts and {} events", self.facts.len(), self.events.len())
        }
    }

    impl Document {
        /// The facts, in order.
        pub(crate) fn facts(&self) -> impl ExactSizeIterator<Item = Fact<'_>> {
            let mut start = 0;
            self.facts.iter().map(move |header| {
                let values = &self.values[start..header.end as usize];
                start = header.end as usize;
                header.fact(None, Values::new(values))
            })
        }
    }

    impl Past {
        /// Forgets everything and keeps the buffers.
        pub(crate) fn clear(&mut self) {
            self.since = 0;
            self.facts.clear();
            self.values.clear();
            self.groups.clear();
            self.order.clear();
            self.widths.clear();
            self.events.clear();
            self.event_values.clear();
        }

        /// True when nothing happened.
        pub(crate) fn is_empty(&self) -> bool {
            self.groups.is_empty() && self.events.is_empty()
        }

        /// Takes over what is stored.
        pub(crate) fn copy_from(&mut self, stored: &ArchivedPast) {
            self.clear();
            self.since = stored.since.to_native();
            self.facts.extend(stored.facts.iter().map(ArchivedPastFact::native));
            self.values.extend_from_slice(&stored.values);
            self.groups.extend(stored.groups.iter().map(ArchivedPastGroup::native));
            self.order.extend(stored.order.iter().map(|id| id.to_native()));
            self.widths.extend(stored.widths.iter().map(ArchivedLineWidth::native));
            self.events.extend(stored.events.iter().map(ArchivedPastEvent::native));
            self.event_values.extend_from_slice(&stored.event_values);
        }

        /// Takes over what had happened as of a delivery.
        pub(crate) fn copy_until(&mut self, stored: &ArchivedPast, known: u32) {
            self.copy_from(stored);
            self.facts.truncate(self.facts.partition_point(|past| past.known_to <= known));
            self.values.truncate(self.facts.last().map_or(0, |past| past.fact.end as usize));
            self.groups.truncate(self.groups.partition_point(|group| group.known_to <= known));
            self.order.truncate(self.groups.last().map_or(0, |group| group.order_end as usize));
            self.widths.truncate(self.groups.last().map_or(0, |group| group.widths_end as usize));
            self.events.truncate(self.events.partition_point(|event| event.delivery <= known));
            self.event_values.truncate(self.events.last().map_or(0, |event| event.end as usize));
        }

        /// Lets go of the events of deliveries up to one.
        pub(crate) fn drop_events_until(&mut self, delivery: u32) {
            let gone = self.events.partition_point(|event| event.delivery <= delivery);
            let Some(end) = gone.checked_sub(1).map(|last| self.events[last].end) else { return };
            self.events.drain(..gone);
            self.event_values.drain(..end as usize);
            self.events.iter_mut().for_each(|event| event.end -= end);
        }

        /// The delivery of the last entry.
        pub(crate) fn last(&self) -> u32 {
            let ended = self.groups.last().map_or(0, |group| group.known_to);
            ended.max(self.events.last().map_or(0, |event| event.delivery))
        }

        /// Adds an event that delivery `delivery` brought.
        pub(crate) fn push_event(&mut self, delivery: u32, record: u16, values: Values<'_>) {
            self.event_values.extend_from_slice(values.bytes());
            let end = self.event_values.len() as u32;
            self.events.push(PastEvent { delivery, record: u32::from(record), end });
        }

        /// Adds a fact that delivery `known_to` took back.
        pub(crate) fn push_fact(&mut self, fact: FactHeader, values: Values<'_>, known_to: u32) {
            self.values.extend_from_slice(values.bytes());
            let fact = FactHeader { end: self.values.len() as u32, ..fact };
            self.facts.push(PastFact { fact, known_to });
        }

        /// Adds the shape of the lines that delivery `known_to` replaced.
        pub(crate) fn push_group(
            &mut self,
            delivered: u32,
            known_to: u32,
            order: impl Iterator<Item = u16>,
            widths: impl Iterator<Item = LineWidth>,
        ) {
            self.order.extend(order);
            self.widths.extend(widths);
            let (order_end, widths_end) = (self.order.len() as u32, self.widths.len() as u32);
            self.groups.push(PastGroup { delivered, known_to, order_end, widths_end });
        }
    }

    impl ArchivedPast {
        /// The facts, each with the deliveries between which it was believed.
        #[inline]
        pub(crate) fn facts(&self) -> impl ExactSizeIterator<Item = Fact<'_>> {
            self.rows().map(|(header, values, known_to)| header.fact(Some(known_to), values))
        }

        /// The facts as they are stored: header, packed values, and the delivery that took each back.
        #[inline]
        pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = (FactHeader, Values<'_>, u32)> {
            let mut start = 0;
            self.facts.iter().map(move |past| {
                let past = past.native();
                let values = self.values.get(start..past.fact.end as usize).unwrap_or_default();
                start = past.fact.end as usize;
                (past.fact, Values::new(values), past.known_to)
            })
        }

        /// The shape of the lines as of a delivery: that of the first group that was replaced after it.
        pub(crate) fn group_at(&self, known: u32) -> Option<(PastGroup, Vec<u16>, Vec<LineWidth>)> {
            let at = self.groups.iter().position(|group| group.known_to.to_native() > known)?;
            let group = self.groups.get(at)?.native();
            let before = at.checked_sub(1).and_then(|at| self.groups.get(at)).map(ArchivedPastGroup::native);
            let (order, widths) = before.map_or((0, 0), |group| (group.order_end, group.widths_end));
            let order = self.order.get(order as usize..group.order_end as usize)?;
            let widths = self.widths.get(widths as usize..group.widths_end as usize)?;
            let order = order.iter().map(|id| id.to_native()).collect();
            Some((group, order, widths.iter().map(ArchivedLineWidth::native).collect()))
        }

        /// The events with their packed values.
        pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = (PastEvent, Values<'_>)> {
            let mut start = 0;
            self.events.iter().map(move |event| {
                let event = event.native();
                let values = self.event_values.get(start..event.end as usize).unwrap_or_default();
                start = event.end as usize;
                (event, Values::new(values))
            })
        }

        /// The delivery of the last entry.
        pub(crate) fn last(&self) -> u32 {
            let ended = self.groups.last().map_or(0, |group| group.known_to.to_native());
            let happened = self.events.last().map_or(0, |event| event.delivery.to_native());
            ended.max(happened)
        }
    }

    impl ArchivedPastEvent {
        fn native(&self) -> PastEvent {
            PastEvent {
                delivery: self.delivery.to_native(),
                record: self.record.to_native(),
                end: self.end.to_native(),
            }
        }
    }

    impl ArchivedPastFact {
        #[inline]
        fn native(&self) -> PastFact {
            PastFact { fact: self.fact.native(), known_to: self.known_to.to_native() }
        }
    }

    impl ArchivedPastGroup {
        fn native(&self) -> PastGroup {
            PastGroup {
                delivered: self.delivered.to_native(),
                known_to: self.known_to.to_native(),
                order_end: self.order_end.to_native(),
                widths_end: self.widths_end.to_native(),
            }
        }
    }

    const _: () = assert!(align_of::<ArchivedDocument>() <= 4 && align_of::<ArchivedPast>() <= 4);

    impl ArchivedDocument {
        /// The facts, in stored order.
        #[inline]
        pub(crate) fn facts(&self) -> impl ExactSizeIterator<Item = Fact<'_>> {
            self.rows().map(|(header, values)| header.fact(None, values))
        }

        /// The facts as they are stored: header and packed values. Positions that do not fit read as empty values.
        #[inline]
        pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = (FactHeader, Values<'_>)> {
            let mut start = 0;
            self.facts.iter().map(move |fact| {
                let fact = fact.native();
                let values = self.values.get(start..fact.end as usize).unwrap_or_default();
                start = fact.end as usize;
                (fact, Values::new(values))
            })
        }

        /// One fact by its position, as [`ArchivedDocument::rows`] gives it.
        pub(crate) fn row(&self, at: usize) -> Option<(FactHeader, Values<'_>)> {
            let fact = self.facts.get(at)?.native();
            let before = at.checked_sub(1).and_then(|at| self.facts.get(at)).map_or(0, |fact| fact.end.to_native());
            let values = self.values.get(before as usize..fact.end as usize).unwrap_or_default();
            Some((fact, Values::new(values)))
        }
    }

    impl FactHeader {
        /// The fact of this header, believed from its delivery to another, or still.
        #[inline]
        pub(crate) fn fact<'a>(&self, known_to: Option<u32>, values: Values<'a>) -> Fact<'a> {
            let known = Known { from: self.known_from, to: known_to };
            Fact::new(self.record, RowKind(self.kind), known, values).expect("kinds are checked when a value is opened")
        }
    }

    impl ArchivedFactHeader {
        /// True when its kind names an aspect.
        #[inline]
        pub(crate) fn has_aspect(&self) -> bool {
            RowKind(self.kind).names_aspect()
        }

        /// The fact in native numbers.
        #[inline]
        pub(crate) fn native(&self) -> FactHeader {
            FactHeader {
                known_from: self.known_from.to_native(),
                end: self.end.to_native(),
                id: self.id.to_native(),
                record: self.record,
                kind: self.kind,
            }
        }
    }

    impl ArchivedLineWidth {
        /// The width in native numbers.
        #[inline]
        pub(crate) fn native(&self) -> LineWidth {
            LineWidth { line: self.line.to_native(), bytes: self.bytes.to_native() }
        }
    }
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
