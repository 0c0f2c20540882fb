//! Files that are no extract as they stand, told by their first bytes: the first thing to know about them.

use crate::fault::Reason;

/// How files in other formats begin. (UTF-16 and EBCDIC: the ten zeros of a start record in that encoding.)
const FORMATS: &[(&[u8], Reason)] = &[
    (b"\xEF\xBB\xBF", Reason::ByteOrderMark),
    (b"\xFF\xFE", Reason::Utf16),
    (b"\xFE\xFF", Reason::Utf16),
    (b"0\x000\x00", Reason::Utf16),
    (b"\x000\x000", Reason::Utf16),
    (b"\xF0\xF0\xF0\xF0", Reason::Ebcdic),
    (b"\x1F\x8B", Reason::Compressed { by: "gzip" }),
    (b"PK\x03\x04", Reason::Compressed { by: "zip" }),
    (b"BZh", Reason::Compressed { by: "bzip2" }),
    (b"\xFD7zXZ\x00", Reason::Compressed { by: "xz" }),
    (b"7z\xBC\xAF\x27\x1C", Reason::Compressed { by: "7z" }),
    (b"\x28\xB5\x2F\xFD", Reason::Compressed { by: "zstd" }),
];

/// No format needs more bytes to be told.
pub(crate) const LOOKED_AT: u64 = 8;

/// Why a file that begins so is no extract, when its first bytes are those of another format.
pub(crate) fn format_of(first: &[u8]) -> Option<Reason> {
    FORMATS.iter().find(|(bytes, _)| first.starts_with(bytes)).map(|(_, reason)| *reason)
}
