//! Writes XML: elements that are named by the contracts, texts and values escaped.

use std::borrow::Cow;

use super::read::is_char;

/// A document that is being written, without line breaks. Every element that is opened must be closed.
pub(crate) struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer { out: String::with_capacity(512), open: Vec::new() }
    }

    /// One that begins with the XML declaration.
    pub(crate) fn document() -> Writer {
        let mut writer = Writer::new();
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        writer
    }

    pub(crate) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Writer {
        self.tag(name, attributes);
        self.out.push('>');
        self.open.push(name);
        self
    }

    pub(crate) fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Writer {
        self.tag(name, attributes);
        self.out.push_str("/>");
        self
    }

    /// An element that holds a text.
    pub(crate) fn text(&mut self, name: &'static str, text: &str) -> &mut Writer {
        self.open(name, &[]);
        self.out.push_str(&escaped(text));
        self.close()
    }

    /// XML that was written already.
    pub(crate) fn xml(&mut self, xml: &str) -> &mut Writer {
        self.out.push_str(xml);
        self
    }

    /// Ends the innermost element.
    pub(crate) fn close(&mut self) -> &mut Writer {
        let name = self.open.pop().expect("every close has its open");
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self
    }

    /// Ends all that is open.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(&escaped(value));
            self.out.push('"');
        }
    }
}

/// A text as it stands in XML, between tags or as a value, without the characters that XML cannot carry.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| is_char(c) && !matches!(c, '<' | '>' | '&' | '"' | '\'' | '\r' | '\n' | '\t');
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for c in text.chars().filter(|c| is_char(*c)) {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A reader makes line ends one, and blanks of those in a value.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
