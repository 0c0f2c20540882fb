//! Sets of small numbers as bits, 64 to a word.

pub(crate) fn set_bits(words: &mut [u64], places: &[u32]) {
    for &place in places {
        words[place as usize / 64] |= 1 << (place % 64);
    }
}

/// Marks the first `count` places.
pub(crate) fn set_first_bits(words: &mut [u64], count: usize) {
    words.fill(u64::MAX);
    if let Some(last) = words.last_mut()
        && !count.is_multiple_of(64)
    {
        *last = (1 << (count % 64)) - 1;
    }
}

/// The places of the bits that are set, ascending.
pub(crate) fn positions(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(at, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}
