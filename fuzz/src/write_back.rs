//! What is read is written back byte for byte: every record from its packed values, and every sound file as a whole.

use cpr_extract::{Family, Item, Line, LineEnd, Role, records};
use cpr_model::Values;

/// Reads an extract as this family, and asserts that it is written back as it came.
pub fn write_back(bytes: &[u8], family: &'static Family) {
    let mut lines = records(bytes, family, &[]);
    let (mut written, mut whole) = (Vec::new(), true);
    let (mut packed, mut content, mut line) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(item) = lines.next_item().expect("memory can be read") {
        let Item::Record(record) = item else {
            whole = false;
            continue;
        };
        assert!(!whole || record.offset == written.len() as u64, "an offset that is not where the record stands");
        packed.clear();
        record.pack(&mut packed);
        match record.layout.role {
            Role::Fact(..) | Role::Event => {
                assert!(Values::new(&packed).is_whole(), "{record:?} packs to what does not unpack");
                record.layout.render(record.pnr(), Values::new(&packed), &mut content);
            }
            // The frame is not packed: it is kept as the few values that the ledger has of it.
            Role::Start | Role::End | Role::InputError | Role::Receipt => {
                assert!(packed.is_empty());
                content.clear();
                content.extend_from_slice(record.bytes());
            }
        }
        line.clear();
        let spelled = Line { content: &content, width: record.bytes().len(), end: LineEnd::None };
        spelled.write(&mut line).expect("memory can be written");
        assert!(line == record.bytes(), "{record:?} is not written back as it came");
        Line { end: record.end, ..spelled }.write(&mut written).expect("memory can be written");
    }
    if whole {
        written.extend_from_slice(lines.trailer());
        assert!(written == bytes, "a sound file is not written back as it came, {}", family.name);
    }
}
