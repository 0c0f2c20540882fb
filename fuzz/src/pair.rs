//! The input of the target `apply`: two extracts in one, with the history window of the store they go into.

/// Window (one byte), length of the first extract (two bytes, little-endian), the first extract, the second.
///
/// Any bytes are a pair: a length that reaches beyond the end leaves the second extract empty.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// 0 to 5 years; any other byte stands for all history.
    pub window: u8,
    /// The extracts, in the order in which they are applied.
    pub extracts: [&'a [u8]; 2],
}

impl<'a> Pair<'a> {
    /// Takes the input apart; none when it is shorter than its head.
    pub fn split(input: &'a [u8]) -> Option<Pair<'a>> {
        let ([window, low, high], rest) = input.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (first, second) = rest.split_at(length);
        Some(Pair { window: *window, extracts: [first, second] })
    }

    /// The input that is taken apart into this pair; none when the first extract is too long for it.
    pub fn join(&self) -> Option<Vec<u8>> {
        let [first, second] = self.extracts;
        let mut input = vec![self.window];
        input.extend(u16::try_from(first.len()).ok()?.to_le_bytes());
        input.extend_from_slice(first);
        input.extend_from_slice(second);
        Some(input)
    }
}
