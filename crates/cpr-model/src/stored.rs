//! The stored person document, one frozen module per schema version.
//!
//! A layout that changes is a new module, a migration and a kept fixture; the bytes of each version are pinned by a
//! golden test and drawn in docs/format.md.

/// Version 1.
pub mod v1 {
    use rkyv::{Archive, Serialize};

    use crate::{Aspect, Values};

    /// The number of this schema in stored headers.
    pub const SCHEMA: u16 = 1;

    /// A person as known now: every fact, all of valid time. Alignment 4.
    #[derive(Archive, Clone, Debug, Default, Serialize)]
    pub struct Person {
        /// The last delivery whose extract held this person.
        pub delivered: u32,
        /// The first `in_group` facts are the person's lines in that extract, in its order; after them stand the historic
        /// rows that aged out of the customer's window and stay known.
        pub in_group: u32,
        /// The facts, each with the end of its packed values; it starts where the one before ends.
        pub facts: Vec<Fact>,
        /// The packed values of all facts, end to end (see [`crate::Values`]).
        pub values: Vec<u8>,
        /// Lines of the group whose width is not what the delivery's style says.
        pub widths: Vec<Width>,
    }

    /// One fact: a record line as received.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub struct Fact {
        /// The delivery that brought the fact.
        pub known_from: u32,
        /// Where its packed values end.
        pub end: u32,
        /// Tells the facts of this person that are believed at the same time apart.
        pub id: u16,
        /// The record number in the store's family.
        pub record: u8,
        /// Aspect number, and [`HISTORIC`].
        pub shape: u8,
    }

    /// A line of the group with a width of its own: position in the group, received width in bytes.
    #[derive(Archive, Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    pub struct Width {
        /// Position of the line in the group, from 0.
        pub line: u16,
        /// Bytes as received, without the line end.
        pub bytes: u16,
    }

    /// Bit of [`Fact::shape`]: the record is a historic one.
    pub const HISTORIC: u8 = 0x80;

    /// A fact that ceased to be believed.
    #[derive(Archive, Clone, Debug, Serialize)]
    pub struct Superseded {
        /// The delivery that brought it.
        pub known_from: u32,
        /// As in [`Fact`].
        pub id: u16,
        /// As in [`Fact`].
        pub record: u8,
        /// As in [`Fact`].
        pub shape: u8,
        /// The packed values.
        pub values: Vec<u8>,
    }

    /// The shape of a person's lines in one extract, kept when a later extract replaces them.
    #[derive(Archive, Clone, Debug, Serialize)]
    pub struct Group {
        /// The delivery whose extract held the lines.
        pub delivered: u32,
        /// The ids of the facts, in the order of the lines.
        pub order: Vec<u16>,
        /// As in [`Person`].
        pub widths: Vec<Width>,
    }

    const _: () = assert!(align_of::<ArchivedPerson>() <= 4 && align_of::<ArchivedSuperseded>() <= 4);
    const _: () = assert!(align_of::<ArchivedGroup>() <= 4);

    impl ArchivedPerson {
        /// The facts with their packed values, in stored order. Positions that do not fit read as empty values.
        pub fn facts(&self) -> impl ExactSizeIterator<Item = (Fact, Values<'_>)> {
            let mut start = 0;
            self.facts.iter().map(move |fact| {
                let fact = fact.native();
                let values = self.values.get(start..fact.end as usize).unwrap_or_default();
                start = fact.end as usize;
                (fact, Values::new(values))
            })
        }
    }

    impl ArchivedFact {
        /// The fact in native numbers.
        pub fn native(&self) -> Fact {
            Fact {
                known_from: self.known_from.to_native(),
                end: self.end.to_native(),
                id: self.id.to_native(),
                record: self.record,
                shape: self.shape,
            }
        }
    }

    impl ArchivedWidth {
        /// The width in native numbers.
        pub fn native(&self) -> Width {
            Width { line: self.line.to_native(), bytes: self.bytes.to_native() }
        }
    }

    /// The shape byte of a record of this aspect.
    pub fn shape(aspect: Aspect, historic: bool) -> u8 {
        aspect.number() | if historic { HISTORIC } else { 0 }
    }

    /// What a shape byte says: the aspect, and whether the record is a historic one.
    pub fn aspect(shape: u8) -> Option<(Aspect, bool)> {
        Aspect::from_number(shape & !HISTORIC).map(|aspect| (aspect, shape & HISTORIC != 0))
    }
}
