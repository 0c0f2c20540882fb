//! What an earlier version wrote: brought to the format of this one when it is opened to write, and read as it is where
//! it is only read, a store or packs.
//!
//! Format 5 has the sets of whose protections end when. A store of format 4 gets them, read off the documents of all who
//! are protected, in one durable transaction, behind which the earlier version refuses it. Until then, and of packs of
//! format 4, whoever asks for those sets asks for all who are protected instead.

use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::person_set::PersonSet;
use crate::index::sets::{Index, add_set};
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::tables::{FORMAT, META};

/// The first format with the sets of whose protections end when.
const WITH_PROTECTION_ENDS: u32 = 5;

impl Replika {
    /// Does nothing where the store is only read, or of this format already.
    ///
    /// # Errors
    /// Those of reading who is protected, and of writing; the store is as it was then.
    pub(crate) fn upgrade(&self) -> Result<(), Error> {
        let snapshot = self.snapshot();
        if snapshot.source().format() == FORMAT || self.database().check_writable().is_err() {
            return Ok(());
        }
        let mut index = Index::default();
        snapshot.for_each_held(snapshot.protected()?.iter(), |key, person| {
            index.collect_protection_ends(key, &person.current());
            Ok(())
        })?;
        self.change(|write, _| {
            // Where the rows are there already, in a store that was restored, they are the same.
            index.write(write, None)?;
            write.open_table(META)?.insert("format", FORMAT.to_string().as_str())?;
            Ok(())
        })
    }
}

impl Snapshot {
    /// Whether there are rows of [`SetKind::ProtectionEnd`].
    pub(crate) fn has_protection_ends(&self) -> bool {
        self.source().format() >= WITH_PROTECTION_ENDS
    }

    /// Who has a protection of any kind.
    pub(crate) fn protected(&self) -> Result<PersonSet, Error> {
        self.of_values(SetKind::Protection, 0..=u32::MAX)
    }

    /// Who stands under one of these values of a kind.
    pub(crate) fn of_values(&self, kind: SetKind, values: std::ops::RangeInclusive<u32>) -> Result<PersonSet, Error> {
        let (kind, mut all) = (kind as u8, RoaringBitmap::new());
        for row in self.tables().sets.range((kind, *values.start(), 0)..=(kind, *values.end(), u16::MAX))? {
            let (key, sealed) = row?;
            add_set(key.value(), sealed.value(), &mut all)?;
        }
        Ok(PersonSet(all))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
    use cpr_model::{Date, Pnr};

    use super::*;
    use crate::apply::ApplyOptions;
    use crate::packs::packed::Packed;
    use crate::store::config::Config;
    use crate::store::file::{Opened, Options};
    use crate::store::tables::SETS;

    const PERSONS: [(&str, &str); 3] =
        [("6101801231", "2026-04-31"), ("6101801240", "2026-05-01"), ("6102850015", "2026-05-02")];

    /// A store of persons whose protections end, as it was before the sets said so.
    fn write_store_of_format_4(path: &Path) {
        let family = Family::named("std").unwrap();
        let replika = Replika::create(path, &Config { family: Some(family), ..Config::default() }).unwrap();
        let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
        let [today, before] = [2026_01_02, 2026_01_01].map(|digits| Date::from_digits(digits).unwrap());
        let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
        for (number, ends) in PERSONS {
            let pnr = Pnr::parse(number.as_bytes()).unwrap();
            writer.record(1, pnr, &[("STATUS", "01")]).unwrap();
            writer.record(4, pnr, &[("BESKYTTYPE", "0001"), ("SLET_DT-BESKYTTELSE", ends)]).unwrap();
        }
        replika.apply(Cursor::new(writer.finish().unwrap()), &ApplyOptions::named("made up")).unwrap();
        assert_eq!(format_and_ends(&replika.snapshot()), (5, 3));
        replika
            .change(|write, _| {
                write.open_table(SETS)?.retain(|(kind, ..), _| kind != SetKind::ProtectionEnd as u8)?;
                write.open_table(META)?.insert("format", "4")?;
                Ok(())
            })
            .unwrap();
    }

    /// The format, and how many sets of ends of protections there are.
    fn format_and_ends(snapshot: &Snapshot) -> (u32, usize) {
        let kind = SetKind::ProtectionEnd as u8;
        let rows = snapshot.tables().sets.range((kind, 0, 0)..=(kind, u32::MAX, u16::MAX)).unwrap();
        (snapshot.source().format(), rows.count())
    }

    fn check(snapshot: &Snapshot, is: (u32, usize)) {
        assert_eq!(format_and_ends(snapshot), is);
        let [first, last] = ["2026-05-01", "2026-05-01"].map(|day| day.parse().unwrap());
        let due = snapshot.calendar(first, last, &[]).unwrap();
        let of: Vec<&str> = due.iter().map(|event| event.pnr.reveal()).collect();
        assert_eq!(of, [PERSONS[0].0, PERSONS[1].0]);
        assert_eq!(snapshot.verify().unwrap().faults, []);
    }

    #[test]
    fn a_store_without_ends_of_protections_answers_the_same_and_gets_them_once_it_is_opened_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let [path, packs, restored] = ["store", "packs", "restored"].map(|name| folder.path().join(name));
        write_store_of_format_4(&path);
        let replika = Replika::open_read_only(&path).unwrap();
        check(&replika.snapshot(), (4, 0));
        assert!(Replika::verify_file(&path, &Options::default()).unwrap().is_clean());
        replika.snapshot().write_pack(&packs).unwrap();
        check(&Packed::open(&packs).unwrap().snapshot(), (4, 0));
        drop(replika);

        check(&Replika::restore(&packs, &restored, &Options::default()).unwrap().snapshot(), (5, 3));
        std::fs::remove_file(&restored).unwrap();
        let known = crate::DeliveryNumber(1);
        let (earlier, _) = Replika::restore_known_at(&packs, &restored, known, &Options::default()).unwrap();
        check(&earlier.snapshot(), (5, 3));

        check(&Replika::open(&path).unwrap().snapshot(), (5, 3));
        let replika = Replika::open(&path).unwrap();
        check(&replika.snapshot(), (5, 3));
        assert!(replika.snapshot().write_pack(&packs).unwrap().is_base, "no overlay over rows of another format");
        check(&Packed::open(&packs).unwrap().snapshot(), (5, 3));
    }

    #[test]
    fn a_store_is_as_it_was_when_who_is_protected_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        write_store_of_format_4(&path);
        let opened = Opened::open(&path, &Options::default()).unwrap();
        let write = opened.begin_write().unwrap();
        let key = Pnr::parse(PERSONS[1].0.as_bytes()).and_then(|pnr| pnr.key()).unwrap().as_u32();
        write.open_table(crate::store::tables::PERSONS).unwrap().insert(key, &[0; 16][..]).unwrap();
        write.commit().unwrap();
        drop(opened);
        assert!(matches!(Replika::open(&path), Err(Error::Corrupt { .. })));
        let read = Replika::open_read_only(&path).unwrap().snapshot();
        assert_eq!(format_and_ends(&read), (4, 0));
        assert!(read.person(Pnr::parse(PERSONS[0].0.as_bytes()).unwrap()).unwrap().is_some());
    }
}
