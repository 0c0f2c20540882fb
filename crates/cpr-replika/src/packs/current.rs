//! The file `CURRENT` of a folder of packs: which of them are the state that the folder holds. Replaced by rename, so
//! that whoever reads it has one state or the next.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use private_file::PartFile;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;

/// The name of the file.
const FILE: &str = "CURRENT";

/// The version of its layout, which stands in its first line.
const VERSION: u32 = 1;

/// More bytes than a `CURRENT` has.
const MOST_BYTES: u64 = 4096;

/// What the file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Current {
    /// The store whose state it is.
    pub(crate) store: [u8; 16],
    pub(crate) delivery: DeliveryNumber,
    /// The names of the files.
    pub(crate) base: String,
    pub(crate) overlay: Option<String>,
}

impl Current {
    /// Reads the file of a folder; none when there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Current>, Error> {
        let path = folder.join(FILE);
        // Reading a pipe would wait for whoever writes to it.
        let bytes = match fs::metadata(&path).map(|found| found.is_file() && found.len() <= MOST_BYTES) {
            Ok(true) => fs::read(&path),
            Ok(false) => return Err(damaged()),
            Err(error) => Err(error),
        };
        match bytes {
            Ok(bytes) => Current::parse(&bytes).map(Some).ok_or_else(|| match version(&bytes) {
                Some(found) if found > VERSION => cpr_pack::Error::Version { found, expected: VERSION }.into(),
                _ => damaged(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Folder { doing: "reading CURRENT", source }),
        }
    }

    /// Puts the file in the place of the one that is there, durably.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let written = PartFile::create(&folder.join(FILE)).and_then(|part| {
            part.file().write_all(self.text().as_bytes())?;
            part.publish()
        });
        written.map_err(|source| Error::Folder { doing: "writing CURRENT", source })
    }

    /// The names of the files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        [&self.base].into_iter().chain(&self.overlay).map(String::as_str)
    }

    fn text(&self) -> String {
        let mut text = format!(
            "replika packs {VERSION}\nstore {}\ndelivery {}\nbase {}\n",
            hex::encode(self.store),
            self.delivery,
            self.base
        );
        if let Some(overlay) = &self.overlay {
            writeln!(text, "overlay {overlay}").expect("memory takes text");
        }
        let check = crc32fast::hash(text.as_bytes());
        writeln!(text, "check {check:08x}").expect("memory takes text");
        text
    }

    /// None for anything that [`Current::text`] does not write.
    fn parse(bytes: &[u8]) -> Option<Current> {
        let text = str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        let mut line = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(' ');
        if line("replika packs")?.parse() != Ok(VERSION) {
            return None;
        }
        let mut store = [0; 16];
        hex::decode_to_slice(line("store")?, &mut store).ok()?;
        let delivery = DeliveryNumber(line("delivery")?.parse().ok()?);
        let base = line("base")?.to_owned();
        let rest: Vec<&str> = lines.collect();
        let overlay = match rest[..] {
            [overlay, _] => Some(overlay.strip_prefix("overlay ")?.to_owned()),
            _ => None,
        };
        let current = Current { store, delivery, base, overlay };
        (current.files().all(is_name) && current.text() == text).then_some(current)
    }
}

/// The version of a file whose bytes are as they were written; what stands between its first line and its check is that
/// version's.
fn version(bytes: &[u8]) -> Option<u32> {
    let text = str::from_utf8(bytes).ok()?;
    let (stated, check) = text.split_at(text.rfind("check ")?);
    let is_sound = check == format!("check {:08x}\n", crc32fast::hash(stated.as_bytes()));
    stated.lines().next().filter(|_| is_sound)?.strip_prefix("replika packs ")?.parse().ok()
}

/// That a name leads to no other folder.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) && name != ".."
}

fn damaged() -> Error {
    Error::Corrupt { table: FILE, what: "it does not say which packs are current" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_is_read_back_and_any_other_bytes_are_refused() {
        for overlay in [None, Some("overlay-2-00.pack".to_owned())] {
            let current =
                Current { store: [7; 16], delivery: DeliveryNumber(2), base: "base-1-00.pack".to_owned(), overlay };
            let text = current.text().into_bytes();
            assert_eq!(Current::parse(&text), Some(current));
            for at in 0..text.len() {
                assert_eq!(Current::parse(&text[..at]), None, "cut at {at}");
                for bit in 0..8 {
                    let mut flipped = text.clone();
                    flipped[at] ^= 1 << bit;
                    assert_eq!(Current::parse(&flipped), None, "bit {bit} of byte {at}");
                }
            }
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["../base", "a/b", "", ".."] {
            let current = Current { store: [7; 16], delivery: DeliveryNumber(1), base: name.to_owned(), overlay: None };
            assert_eq!(Current::parse(current.text().as_bytes()), None, "{name}");
        }
    }
}
