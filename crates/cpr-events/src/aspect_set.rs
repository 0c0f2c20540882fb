//! Sets of aspects, as bits.

use std::ops::{BitAnd, BitOr, BitOrAssign};

use cpr_model::Aspect;

/// A set of aspects.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct AspectSet(u64);

impl AspectSet {
    pub(crate) fn of(aspects: &[Aspect]) -> AspectSet {
        AspectSet(aspects.iter().fold(0, |set, aspect| set | 1 << aspect.number()))
    }

    pub(crate) fn has(self, aspect: Aspect) -> bool {
        self.0 >> aspect.number() & 1 == 1
    }

    pub(crate) fn without(self, other: AspectSet) -> AspectSet {
        AspectSet(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Aspect> {
        Aspect::all().filter(move |aspect| self.has(*aspect))
    }
}

impl BitAnd for AspectSet {
    type Output = AspectSet;
    fn bitand(self, other: AspectSet) -> AspectSet {
        AspectSet(self.0 & other.0)
    }
}

impl BitOr for AspectSet {
    type Output = AspectSet;
    fn bitor(self, other: AspectSet) -> AspectSet {
        AspectSet(self.0 | other.0)
    }
}

impl BitOrAssign for AspectSet {
    fn bitor_assign(&mut self, other: AspectSet) {
        self.0 |= other.0;
    }
}
