//! The end of a log: its files by day, and the head that the last of them ends with.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::key::LogKey;
use crate::line::{self, Head, MAX_LINE, Note, Said};

const ENDING: &str = ".jsonl";

/// Lines are written in runs of so many bytes, and the line that goes beyond.
pub(crate) const RUN_BYTES: usize = 1 << 20;

/// Whether a power cut has left this: where a file had grown and a sector of it was not written, zeros are read. No line
/// has one. It is the end of a log as one that was cut off is, and what stands behind it was never told as synced.
pub(crate) fn has_holes(bytes: &[u8]) -> bool {
    bytes.contains(&0)
}

/// The file of a day.
pub(crate) fn day_path(folder: &Path, day: &str) -> PathBuf {
    folder.join(format!("{day}{ENDING}"))
}

/// The days of a log that have a file, in their order. Other files in the folder are not the log's.
pub(crate) fn days(folder: &Path) -> io::Result<Vec<String>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let day = name.to_str().and_then(|name| name.strip_suffix(ENDING));
        days.extend(day.filter(|day| is_day(day)).map(str::to_owned));
    }
    days.sort_unstable();
    Ok(days)
}

fn is_day(text: &str) -> bool {
    let digits = |of: &[u8]| of.iter().all(u8::is_ascii_digit);
    matches!(text.as_bytes(), [year @ .., b'-', m1, m2, b'-', d1, d2]
        if year.len() == 4 && digits(year) && digits(&[*m1, *m2, *d1, *d2]))
}

/// How a file ends.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Tail {
    /// The head after its last whole line.
    pub(crate) head: Head,
    /// So many bytes of it are whole lines.
    pub(crate) whole_bytes: u64,
    /// So many bytes behind them are none.
    pub(crate) unfinished_bytes: u64,
}

/// Reads how the file of a day ends; none when its last whole line does not follow from the one before.
pub(crate) fn read_tail(file: &mut File, key: &LogKey) -> io::Result<Option<Tail>> {
    let length = file.metadata()?.len();
    // Two whole lines, and what was written and synced together behind them.
    let from = length.saturating_sub((RUN_BYTES + 3 * MAX_LINE) as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length - from).read_to_end(&mut bytes)?;
    if has_holes(&bytes) {
        file.seek(SeekFrom::Start(0))?;
        return find_tail(BufReader::new(file.take(length)), length, key);
    }
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let mut lines = bytes[..end].rsplit(|byte| *byte == b'\n');
    let last = lines.next().and_then(line::split);
    let Some((body, mac)) = last else { return Ok(None) };
    let Some(parsed) = line::parse(body) else { return Ok(None) };
    // The first line of a file says itself what it follows; any other has a line before it in the window.
    let before = match (&parsed.said, lines.next().and_then(line::split)) {
        (Said::Note(Note::Begins { previous, .. }), _) => previous.mac,
        (_, Some((_, mac))) => mac,
        (_, None) => return Ok(None),
    };
    if !key.is_line_mac(&before, body, &mac) {
        return Ok(None);
    }
    let unfinished_bytes = (bytes.len() - end - 1) as u64;
    let head = Head { line: parsed.n, mac };
    Ok(Some(Tail { head, whole_bytes: length - unfinished_bytes, unfinished_bytes }))
}

/// As [`read_tail`], from the first line on: where the lines before the first hole end. None when another one than that
/// does not follow from the one before.
fn find_tail(mut file: impl BufRead, length: u64, key: &LogKey) -> io::Result<Option<Tail>> {
    let (mut head, mut whole_bytes, mut line) = (None::<Head>, 0, Vec::new());
    loop {
        line.clear();
        let bytes = file.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? as u64;
        if has_holes(&line) {
            return Ok(head.map(|head| Tail { head, whole_bytes, unfinished_bytes: length - whole_bytes }));
        }
        let Some((body, mac)) = line.strip_suffix(b"\n").and_then(line::split) else { return Ok(None) };
        let Some(parsed) = line::parse(body) else { return Ok(None) };
        let before = match (head, &parsed.said) {
            (Some(head), _) => head,
            (None, Said::Note(Note::Begins { previous, .. })) => *previous,
            (None, _) => return Ok(None),
        };
        if !key.is_line_mac(&before.mac, body, &mac) {
            return Ok(None);
        }
        head = Some(Head { line: parsed.n, mac });
        whole_bytes += bytes;
    }
}
