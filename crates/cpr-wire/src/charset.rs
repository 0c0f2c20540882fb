//! Bytes to text: UTF-8, or ISO 8859-1 where that is declared or nothing is.
//!
//! Some clients send ISO 8859-1 without saying so. Every sequence of bytes is ISO 8859-1, and hardly any text with a
//! Danish letter in ISO 8859-1 is UTF-8 by accident: what declares nothing and is not UTF-8 is read so.

use std::borrow::Cow;

use crate::error::Error;

/// The text of a document, without a byte order mark. `charset` is what the transport says (HTTP's Content-Type), which
/// counts before the document's own declaration.
///
/// # Errors
/// [`Error::Encoding`] for another encoding, declared or by its byte order mark, and for declared UTF-8 that is none.
pub fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, Error> {
    if bytes.starts_with(&[0xfe, 0xff]) || bytes.starts_with(&[0xff, 0xfe]) {
        return Err(Error::Encoding);
    }
    let (bytes, is_marked) = match bytes.strip_prefix("\u{feff}".as_bytes()) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let declared = match charset.filter(|charset| !charset.is_empty()).or_else(|| declared(bytes)) {
        Some(name) => Some(Charset::from_name(name).ok_or(Error::Encoding)?),
        None => is_marked.then_some(Charset::Utf8),
    };
    match (declared, str::from_utf8(bytes)) {
        (Some(Charset::Latin1), _) if !is_marked => Ok(Cow::Owned(latin1(bytes))),
        (_, Ok(text)) => Ok(Cow::Borrowed(text)),
        (None, Err(_)) => Ok(Cow::Owned(latin1(bytes))),
        (Some(_), Err(_)) => Err(Error::Encoding),
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Charset {
    Utf8,
    Latin1,
}

impl Charset {
    fn from_name(name: &str) -> Option<Charset> {
        const NAMES: [(&str, Charset); 6] = [
            ("utf-8", Charset::Utf8),
            ("utf8", Charset::Utf8),
            ("us-ascii", Charset::Utf8),
            ("iso-8859-1", Charset::Latin1),
            ("latin1", Charset::Latin1),
            ("windows-1252", Charset::Latin1),
        ];
        let name = name.trim_matches(['"', '\'', ' ']);
        NAMES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, charset)| charset)
    }
}

/// The encoding in the XML declaration, which is ASCII in all encodings read here.
fn declared(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    let end = rest.iter().take(200).position(|byte| *byte == b'>')?;
    let declaration = str::from_utf8(&rest[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
