//! Random numbers that can be asked again: numbers and permutations as pure functions of a seed and of what they are
//! about.

/// Mixes a word so that each bit of it moves every bit of the result. Source: the finalizer of splitmix64.
pub(crate) fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A run of numbers that begins with what it is about; the same topic and subject give the same run.
#[derive(Clone, Copy)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The numbers for a topic (a constant of the caller's) and its subject, in the world of this seed.
    pub(crate) fn about(seed: u64, topic: u64, subject: u64) -> Rng {
        Rng(mix(seed ^ mix(topic.wrapping_mul(0xD134_2543_DE82_EF95) ^ subject)))
    }

    /// A number below `sides`, which is at least 1.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((u128::from(mix(self.0)) * u128::from(sides)) >> 64) as u64
    }

    /// A number from `low` to `high`, both in.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low).max(0) as u64 + 1) as i32
    }

    /// True `permille` times in a thousand.
    pub(crate) fn hits_permille(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of these; the first ones are likelier when `long_tail` is above 1.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T], long_tail: u32) -> &'a T {
        let sides = 1 << 20;
        let share = (0..long_tail).fold(sides, |share, _| share * self.below(sides) / sides);
        &from[(share * from.len() as u64 / sides) as usize]
    }
}

/// A permutation of the numbers below `size`, both ways in constant time: a Feistel network that walks its cycle until
/// it is back in the range.
#[derive(Clone, Copy)]
pub(crate) struct Permutation {
    key: u64,
    size: u32,
    half: u32,
}

const ROUNDS: u64 = 3;

impl Permutation {
    pub(crate) fn new(seed: u64, topic: u64, subject: u64, size: u32) -> Permutation {
        let bits = 32 - size.saturating_sub(1).leading_zeros();
        Permutation { key: mix(seed ^ mix(topic << 32 ^ subject)), size, half: bits.div_ceil(2).max(1) }
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Where `at`, which is below the size, goes.
    pub(crate) fn forth(&self, at: u32) -> u32 {
        let mut at = at;
        loop {
            at = self.network(at, 0..ROUNDS);
            if at < self.size {
                return at;
            }
        }
    }

    /// What goes to `at`.
    pub(crate) fn back(&self, at: u32) -> u32 {
        let mut at = at;
        loop {
            // The halves are swapped before and after, so that the same rounds in reverse undo the network.
            at = self.swap(self.network(self.swap(at), (0..ROUNDS).rev()));
            if at < self.size {
                return at;
            }
        }
    }

    fn swap(&self, at: u32) -> u32 {
        let mask = (1 << self.half) - 1;
        (at & mask) << self.half | at >> self.half
    }

    fn network(&self, at: u32, rounds: impl Iterator<Item = u64>) -> u32 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (at >> self.half, at & mask);
        for round in rounds {
            let mixed = (self.key ^ u64::from(right) << 3 ^ round).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32;
            (left, right) = (right, left ^ (mixed as u32 & mask));
        }
        left << self.half | right
    }
}
