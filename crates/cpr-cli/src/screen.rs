//! Standard output and standard error: all that a command prints goes through here.
//!
//! Text for people shows control characters by their number instead of sending them, so that no value of the register
//! and no name of a file moves the cursor of a terminal. JSON escapes them. What cannot be printed is a
//! [`Failure::Output`], never a panic.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use cpr_replika::cpr_model::{Pnr, ProtectionKind};
use cpr_replika::{DeliveryNumber, Snapshot};
use cpr_services::{Caller, Protections, Request as Question};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use crate::access::{Account, Held};
use crate::clock;
use crate::failure::Failure;
use crate::visible::Visible;

/// Standard output of one run.
pub(crate) struct Screen {
    out: Held<BufWriter<StdoutLock<'static>>>,
}

impl Screen {
    pub(crate) fn new() -> Screen {
        Screen { out: Held::new(BufWriter::new(io::stdout().lock())) }
    }

    /// Text for people, as `write!` and `writeln!` call it.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), Failure> {
        write!(self.out, "{}", Visible(&text.to_string())).map_err(Failure::of_output)
    }

    /// One object on one line.
    pub(crate) fn print_json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut serializer = Serializer::with_formatter(&mut self.out, Escaping);
        value.serialize(&mut serializer).map_err(|error| Failure::of_output(error.into()))?;
        self.out.write_all(b"\n").map_err(Failure::of_output)
    }

    /// XML, on a terminal with control characters as references.
    pub(crate) fn print_xml(&mut self, xml: &str) -> Result<(), Failure> {
        let mut text = String::with_capacity(xml.len());
        for c in xml.chars() {
            match c {
                '\t' | '\n' | '\r' => text.push(c),
                '\u{7f}'..='\u{9f}' => write!(text, "&#x{:x};", u32::from(c)).expect("a String takes all"),
                // What XML has no way to say.
                c if c.is_control() => text.push(char::REPLACEMENT_CHARACTER),
                c => text.push(c),
            }
        }
        text.push('\n');
        self.out.write_all(text.as_bytes()).map_err(Failure::of_output)
    }

    /// Lines of an extract: the bytes as they are, or readable where a person reads them.
    pub(crate) fn latin1(&mut self) -> impl Write + '_ {
        Latin1 { out: &mut self.out, readable: io::stdout().is_terminal() }
    }

    /// From here on, what is printed of persons is accounted for; see [`Held`].
    pub(crate) fn account_for(&mut self, account: Option<Account>) {
        self.out.account_for(account);
    }

    /// The account of this run, where there is one.
    pub(crate) fn account(&mut self) -> Option<&mut Account> {
        self.out.account()
    }

    /// Tells the account, where there is one, as of which delivery is answered, and whom the question is about.
    pub(crate) fn asks(
        &mut self,
        snapshot: &Snapshot,
        about: Option<Pnr>,
        known: Option<DeliveryNumber>,
    ) -> Result<(), Failure> {
        let Some(account) = self.out.account() else { return Ok(()) };
        let mut protected = None;
        if let Some(pnr) = about.filter(|_| snapshot.known().0 > 0) {
            let question = Question { known, ..Question::on(pnr, clock::today(), Caller::unlogged()) };
            let protections = Protections::of_person(snapshot, &question)?.filter(Protections::is_known);
            protected = protections.map(|of| of.recorded(ProtectionKind::NAME_AND_ADDRESS).is_some());
        }
        account.asks(about, known.unwrap_or(snapshot.known()).0, protected);
        Ok(())
    }

    /// The answer is complete, or there was none.
    pub(crate) fn finish(&mut self, found: bool) -> Result<(), Failure> {
        self.out.finish(found).map_err(Failure::of_output)
    }

    /// Sends what was printed so far on its way.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::of_output)
    }
}

/// Prints a line to standard error; when that is gone too, there is nobody left to tell.
pub(crate) fn warn(text: &str) {
    writeln!(io::stderr().lock(), "{}", Visible(text)).ok();
}

/// ISO 8859-1 as it is, or as UTF-8 with its control characters shown.
struct Latin1<'a> {
    out: &'a mut Held<BufWriter<StdoutLock<'static>>>,
    readable: bool,
}

impl Write for Latin1<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.readable {
            return self.out.write(bytes);
        }
        let text: String = bytes.iter().filter(|&&byte| byte != b'\r').map(|&byte| char::from(byte)).collect();
        write!(self.out, "{}", Visible(&text))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// JSON on one line in which DEL and the C1 controls are escaped as the C0 controls are.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| c.is_control()) {
            out.write_all(&rest.as_bytes()[..at])?;
            write!(out, "\\u{:04x}", u32::from(c))?;
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(out, escape)
    }
}
