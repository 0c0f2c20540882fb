//! Text that a command reads whole, from a file or from standard input: lists of numbers, a query, a scenario. However
//! much comes, no more than a limit is taken, and the error names it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::failure::Failure;
use crate::visible;

/// A list of every number that the country has given, with room to spare.
const MOST_TEXT_MIB: u64 = 256;

/// A line with a query.
const MOST_LINE_KIB: u64 = 64;

/// The text of a file, or of standard input as `-`.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    if path == Path::new("-") {
        return read_standard_input();
    }
    let shown = visible::path(path);
    let text =
        File::open(path).and_then(|file| read_at_most(file, MOST_TEXT_MIB << 20, format!("{MOST_TEXT_MIB} MiB")));
    text.map_err(|error| Failure::Reading(shown, error))
}

/// All of standard input.
pub(crate) fn read_standard_input() -> Result<String, Failure> {
    read_at_most(io::stdin().lock(), MOST_TEXT_MIB << 20, format!("{MOST_TEXT_MIB} MiB")).map_err(of_standard_input)
}

/// The first line of standard input.
pub(crate) fn read_line() -> Result<String, Failure> {
    first_line(io::stdin().lock()).map_err(of_standard_input)
}

fn first_line(from: impl io::BufRead) -> io::Result<String> {
    let mut line = String::new();
    let most = MOST_LINE_KIB << 10;
    let read = io::BufRead::read_line(&mut from.take(most + 1), &mut line)? as u64;
    if read > most { Err(too_large(format!("a line of {MOST_LINE_KIB} KiB"))) } else { Ok(line) }
}

fn read_at_most(from: impl Read, most: u64, limit: String) -> io::Result<String> {
    let mut text = String::new();
    let read = from.take(most + 1).read_to_string(&mut text)? as u64;
    if read > most { Err(too_large(limit)) } else { Ok(text) }
}

fn too_large(limit: String) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("it is more than {limit}, and no more is read"))
}

fn of_standard_input(error: io::Error) -> Failure {
    Failure::Reading("standard input".to_owned(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_an_end_is_read_up_to_the_limit_that_the_error_names() {
        let error = read_at_most(io::repeat(b'1'), 1000, "1000 bytes".to_owned()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains("1000 bytes")), (ErrorKind::FileTooLarge, true));
        let error = first_line(io::BufReader::new(io::repeat(b'n'))).unwrap_err();
        assert!(error.to_string().contains("64 KiB"), "{error}");
        assert_eq!(read_at_most(&b"6101801234"[..], 10, String::new()).unwrap(), "6101801234");
        assert_eq!(first_line(&b"navn\nrest"[..]).unwrap(), "navn\n");
    }
}
