//! Text is read as what it is declared to be, and undeclared ISO 8859-1 too.

use cpr_wire::{Error, charset::text};

const LATIN1: &[u8] = b"<a>S\xf8rensen</a>";
const UTF8: &[u8] = "<a>Sørensen</a>".as_bytes();

#[test]
fn undeclared_text_is_utf_8_where_it_can_be_and_iso_8859_1_otherwise() {
    assert_eq!(text(UTF8, None).as_deref(), Ok("<a>Sørensen</a>"));
    assert_eq!(text(LATIN1, None).as_deref(), Ok("<a>Sørensen</a>"));
    assert_eq!(text(LATIN1, Some("")).as_deref(), Ok("<a>Sørensen</a>"));
}

#[test]
fn a_declaration_counts_and_that_of_the_transport_counts_first() {
    let declaring =
        |name: &str, rest: &[u8]| [format!("<?xml version='1.0' encoding='{name}'?>").as_bytes(), rest].concat();
    let latin1 = declaring("ISO-8859-1", LATIN1);
    assert!(text(&latin1, None).is_ok_and(|text| text.ends_with("<a>Sørensen</a>")));
    assert!(text(&latin1, Some("\"iso-8859-1\"")).is_ok());
    assert_eq!(text(&latin1, Some("UTF-8")), Err(Error::Encoding), "not what the transport says");
    assert_eq!(text(&declaring("utf-8", LATIN1), None), Err(Error::Encoding));
    assert_eq!(text(&declaring("EBCDIC-DK", UTF8), None), Err(Error::Encoding));
    let twice = declaring("iso-8859-1", UTF8);
    assert!(text(&twice, None).is_ok_and(|text| text.ends_with("<a>SÃ¸rensen</a>")), "as declared");
}

#[test]
fn a_byte_order_mark_tells_utf_8_and_utf_16_is_refused() {
    let marked = [b"\xef\xbb\xbf", UTF8].concat();
    assert_eq!(text(&marked, None).as_deref(), Ok("<a>Sørensen</a>"));
    assert_eq!(text(&[b"\xef\xbb\xbf", LATIN1].concat(), None), Err(Error::Encoding));
    assert_eq!(text(b"\xff\xfe<\0a\0/\0>\0", None), Err(Error::Encoding));
    assert_eq!(text(b"\xfe\xff\0<\0a", None), Err(Error::Encoding));
}
