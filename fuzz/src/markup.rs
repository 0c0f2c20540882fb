//! Mutations that know what an element is: whole elements move, repeat, vanish and change places, as whoever wraps a
//! signature would have it.

/// Applies changes of five bytes each to a document: what is done, which element, and where to; the last one may be
/// of a byte alone. What is left of the script behind the last whole change is passed over.
pub fn changed(document: &str, script: &[u8]) -> Vec<u8> {
    // A piece is a tag with the text behind it.
    let mut pieces: Vec<Vec<u8>> = document.split_inclusive('>').map(|piece| piece.as_bytes().to_vec()).collect();
    for change in script.chunks_exact(5).take(8) {
        let [what, a, b, c, d] = *change else { continue };
        let at = |low, high| usize::from(u16::from_le_bytes([low, high])) % pieces.len().max(1);
        let (from, to) = (at(a, b), at(c, d));
        let Some(end) = end_of(&pieces, from) else { continue };
        match what % 8 {
            0 => drop(pieces.drain(from..end)),
            1 => {
                let copy = pieces[from..end].to_vec();
                pieces.splice(to..to, copy);
            }
            2 => {
                let moved: Vec<_> = pieces.drain(from..end).collect();
                let to = to.min(pieces.len());
                pieces.splice(to..to, moved);
            }
            // In place of another element.
            3 => {
                let copy = pieces[from..end].to_vec();
                let Some(end) = end_of(&pieces, to) else { continue };
                pieces.splice(to..end, copy);
            }
            // Within an element of its own.
            4 => {
                pieces.insert(end, b"</w>".to_vec());
                pieces.insert(from, b"<w xmlns=''>".to_vec());
            }
            // The tag of another element.
            5 => pieces[from] = pieces[to].clone(),
            6 => pieces.insert(from, b"<!-- -->".to_vec()),
            _ => {
                let piece = &mut pieces[from];
                let place = usize::from(c) % piece.len().max(1);
                if let Some(byte) = piece.get_mut(place) {
                    *byte = d;
                }
            }
        }
        if pieces.is_empty() || pieces.len() > 4096 {
            break;
        }
    }
    pieces.concat()
}

/// The piece behind the element that begins in a piece; none where none begins.
fn end_of(pieces: &[Vec<u8>], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, piece) in pieces.iter().enumerate().skip(from) {
        let tag = piece.iter().position(|byte| *byte == b'<').map(|start| &piece[start..])?;
        if tag.starts_with(b"</") {
            depth = depth.checked_sub(1)?;
        } else if !tag.ends_with(b"/>") {
            depth += 1;
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}
