//! Which of ascending keys are among others that ascend too, told while the first are being read.

/// Walks along ascending keys. What is asked for must ascend as well: it goes on from where the one before was.
pub(crate) struct Ascending<'k> {
    rest: &'k [u32],
}

impl<'k> Ascending<'k> {
    pub(crate) fn new(keys: &'k [u32]) -> Ascending<'k> {
        Ascending { rest: keys }
    }

    /// True when this key is among them. Steps double until they are past it, so that of many keys those between two
    /// that are asked for are not looked at.
    #[inline]
    pub(crate) fn has(&mut self, key: u32) -> bool {
        let mut step = 1;
        while self.rest.get(step - 1).is_some_and(|next| *next < key) {
            self.rest = &self.rest[step..];
            step *= 2;
        }
        let end = self.rest.len().min(step - 1);
        self.rest = &self.rest[self.rest[..end].partition_point(|next| *next < key)..];
        self.rest.first() == Some(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_along_keys_finds_those_that_are_there_and_no_others() {
        let keys: Vec<u32> = (0..2_000).map(|at| at * at % 7 + at * 10).collect();
        assert!(keys.is_sorted());
        for stride in [1, 2, 3, 10, 63, 64, 1_000, 19_990] {
            let mut walk = Ascending::new(&keys);
            for key in (0..20_100).step_by(stride) {
                assert_eq!(walk.has(key), keys.binary_search(&key).is_ok(), "{key} in steps of {stride}");
                assert_eq!(walk.has(key), keys.binary_search(&key).is_ok(), "{key} asked for again");
            }
        }
        assert!(!Ascending::new(&[]).has(0));
    }
}
