//! How a file spells its lines: line ends, padding, and what stands after the last record.

use std::fmt;
use std::io::{self, Write};

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LineEnd {
    /// Nothing: the next record starts at the record's full length.
    None,
    /// LF.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
}

impl LineEnd {
    /// The bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            LineEnd::None => b"",
            LineEnd::Lf => b"\n",
            LineEnd::CrLf => b"\r\n",
        }
    }

    /// A stable word: `none`, `lf`, `crlf`.
    pub fn name(self) -> &'static str {
        match self {
            LineEnd::None => "none",
            LineEnd::Lf => "lf",
            LineEnd::CrLf => "crlf",
        }
    }
}

/// How wide the lines of a file are, as a rule; a line that departs from it carries its own width.
///
/// ```
/// use cpr_extract::Padding;
/// let widths = [Padding::Cut, Padding::Full, Padding::Fixed(400)].map(|padding| padding.width(20, 35));
/// assert_eq!(widths, [20, 35, 400]);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Padding {
    /// Trailing blanks are cut.
    #[default]
    Cut,
    /// Every line has its record's full length.
    Full,
    /// Every line has this many bytes.
    Fixed(u16),
}

impl Padding {
    /// The width of a line of which `used` bytes are not trailing blanks, with a record of `length` bytes.
    pub fn width(self, used: usize, length: usize) -> usize {
        match self {
            Padding::Cut => used,
            Padding::Full => length.max(used),
            Padding::Fixed(width) => usize::from(width).max(used),
        }
    }
}

/// Prints how wide the lines are: `400 bytes each`.
impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Padding::Cut => f.write_str("trailing blanks cut"),
            Padding::Full => f.write_str("full length"),
            Padding::Fixed(bytes) => write!(f, "{bytes} bytes each"),
        }
    }
}

/// How a file spells its lines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Style {
    /// What ends its lines.
    pub line_end: LineEnd,
    /// How wide they are.
    pub padding: Padding,
    /// What stands after the last record: a final 1A, empty lines.
    pub trailer: Vec<u8>,
}

/// A line to write: the record's content without trailing blanks, and its width and end.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The content; blanks at its end may be missing.
    pub content: &'a [u8],
    /// Bytes to write, filled with blanks.
    pub width: usize,
    /// What ends it.
    pub end: LineEnd,
}

/// Says how wide it is, not what it holds.
impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line of {} bytes", self.width)
    }
}

impl Line<'_> {
    /// Writes the line.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let content = &self.content[..self.content.len().min(self.width)];
        out.write_all(content)?;
        const BLANKS: [u8; 64] = [b' '; 64];
        let mut missing = self.width - content.len();
        while missing > 0 {
            let now = missing.min(BLANKS.len());
            out.write_all(&BLANKS[..now])?;
            missing -= now;
        }
        out.write_all(self.end.bytes())
    }
}

/// Counts what the lines of a file look like, and says the rule afterwards.
#[derive(Debug, Default)]
pub(crate) struct StyleVotes {
    first: Option<(usize, usize)>,
    cut: u64,
    full: u64,
    lf: u64,
    crlf: u64,
}

impl StyleVotes {
    pub(crate) fn line(&mut self, line: &[u8], length: usize, end: LineEnd) {
        self.first.get_or_insert((line.len(), length));
        if line.len() < length {
            self.cut += 1;
        } else if line.last() == Some(&b' ') {
            self.full += 1;
        }
        self.lf += u64::from(end == LineEnd::Lf);
        self.crlf += u64::from(end == LineEnd::CrLf);
    }

    pub(crate) fn style(&self, trailer: Vec<u8>) -> Style {
        let (width, length) = self.first.unwrap_or_default();
        // A file with any line ends can be written with them throughout; without them, every line must be full.
        let line_end = match (self.lf, self.crlf) {
            (0, 0) => LineEnd::None,
            (lf, crlf) if crlf > lf => LineEnd::CrLf,
            _ => LineEnd::Lf,
        };
        let padding = match u16::try_from(width) {
            _ if line_end == LineEnd::None => Padding::Full,
            Ok(width) if usize::from(width) > length => Padding::Fixed(width),
            _ if self.full > self.cut => Padding::Full,
            _ => Padding::Cut,
        };
        Style { line_end, padding, trailer }
    }
}
