//! Known time: the deliveries between which a fact was believed.

/// The span of deliveries `[from, to)` in which a fact was believed; no `to` means it still is.
///
/// ```
/// use bitemporal::Known;
/// let known = Known { from: 3, to: Some(7) };
/// assert_eq!([2, 3, 6, 7].map(|delivery| known.contains(delivery)), [false, true, true, false]);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Known {
    /// The delivery that brought the fact.
    pub from: u32,
    /// The delivery that took it back, if one did.
    pub to: Option<u32>,
}

impl Known {
    /// True when the fact was believed right after delivery `at` was applied.
    #[inline]
    pub fn contains(&self, at: u32) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}
