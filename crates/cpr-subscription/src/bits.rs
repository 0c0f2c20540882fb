//! Sets of small numbers as bits, 64 to a word.

pub(crate) fn set_bits(bit_words: &mut [u64], positions: &[u32]) {
    for &position in positions {
        bit_words[position as usize / 64] |= 1 << (position % 64);
    }
}

/// Marks the first `count` places.
pub(crate) fn set_first_bits(bit_words: &mut [u64], count: usize) {
    bit_words.fill(u64::MAX);
    if let Some(last) = bit_words.last_mut()
        && !count.is_multiple_of(64)
    {
        *last = (1 << (count % 64)) - 1;
    }
}

/// The places of the bits that are set, ascending.
pub(crate) fn positions(bit_words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    bit_words.iter().enumerate().flat_map(|(at, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}
