//! All or nothing: a power cut at any write or sync leaves the store as before the delivery or as after it.
//!
//! The disk here keeps what was synced, and of what was written since only some pages, in any order, as disks do.

use std::io::{self, Cursor};
use std::sync::{Arc, Mutex};

use cpr_extract::{ExtractWriter, Family, Style};
use cpr_model::{Date, Pnr};
use redb::StorageBackend;

use crate::{ApplyOptions, Config, DeliveryNumber, Error, Replika};

/// What is on the disk, and what is on its way there.
#[derive(Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    current: Vec<u8>,
    since_sync: Vec<(u64, Vec<u8>)>,
    operations: u64,
    /// The operation from which on nothing works any more.
    fails_at: Option<(u64, io::ErrorKind)>,
}

impl Platter {
    /// Counts an operation, and fails it when the power is gone.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.fails_at {
            Some((at, kind)) if self.operations > at => Err(io::Error::from(kind)),
            _ => Ok(()),
        }
    }

    /// The disk after a power cut: what was synced, and of the rest those writes whose bit is set.
    fn after_power_cut(&self, survives: u64) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (at, (offset, data)) in self.since_sync.iter().enumerate() {
            if survives >> (at % 64) & 1 == 1 {
                let (start, end) = (*offset as usize, *offset as usize + data.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(data);
            }
        }
        // Growing a file is metadata; give the disk the benefit of having kept the length.
        bytes.resize(bytes.len().max(self.current.len()), 0);
        bytes
    }
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn holding(bytes: Vec<u8>) -> Disk {
        let platter = Platter { durable: bytes.clone(), current: bytes, ..Platter::default() };
        Disk(Arc::new(Mutex::new(platter)))
    }

    fn platter(&self) -> std::sync::MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.platter();
        let found = platter.current.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        platter.current.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        platter.durable = platter.current.clone();
        platter.since_sync.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        let end = offset as usize + data.len();
        platter.current[offset as usize..end].copy_from_slice(data);
        platter.since_sync.push((offset, data.to_vec()));
        Ok(())
    }
}

fn night(number: u32) -> Vec<u8> {
    let day = |n: u32| Date::from_digits(2026_01_01 + n).unwrap();
    let family = Family::named("std").unwrap();
    let mut writer =
        ExtractWriter::new(Vec::new(), family, Style::default(), "123401", day(number), day(number - 1)).unwrap();
    for serial in 1000..1200 {
        let pnr = Pnr::parse(format!("610180{serial}").as_bytes()).unwrap();
        let house = format!("{number:03}");
        writer.record(1, pnr, &[("STATUS", "01"), ("KOEN", "K")]).unwrap();
        let address = [("KOMKOD", "0101"), ("HUSNR", house.as_str()), ("TILFLYDTO", "202001010000")];
        writer.record(2, pnr, &address).unwrap();
    }
    writer.finish().unwrap()
}

fn config() -> Config {
    Config { family: Family::named("std"), ..Config::default() }
}

fn exported(replika: &Replika) -> Exported {
    let snapshot = replika.snapshot();
    let mut bytes = Vec::new();
    snapshot.export(None, &mut bytes).unwrap();
    (snapshot.known(), bytes)
}

/// What a store exports: its last delivery and the bytes.
type Exported = (DeliveryNumber, Vec<u8>);

/// The bytes of a store with one delivery, what it and the next delivery export, and the operations in between.
fn prepared() -> (Vec<u8>, Exported, Exported, u64) {
    let disk = Disk::default();
    let replika = Replika::with_backend(disk.clone(), &config()).unwrap();
    replika.apply(Cursor::new(night(1)), &ApplyOptions::named("first")).unwrap();
    let before = exported(&replika);
    drop(replika);
    let image = disk.platter().current.clone();

    let disk = Disk::holding(image.clone());
    let replika = Replika::with_backend(disk.clone(), &config()).unwrap();
    replika.apply(Cursor::new(night(2)), &ApplyOptions::named("second")).unwrap();
    let after = exported(&replika);
    let operations = disk.platter().operations;
    (image, before, after, operations)
}

#[test]
fn a_power_cut_at_any_write_or_sync_leaves_before_or_after() {
    let (image, before, after, operations) = prepared();
    assert!(operations > 10, "the delivery writes");
    let (mut saw_before, mut saw_after) = (0, 0);
    for at in 0..=operations {
        let disk = Disk::holding(image.clone());
        disk.platter().fails_at = Some((at, io::ErrorKind::Other));
        if let Ok(replika) = Replika::with_backend(disk.clone(), &config()) {
            replika.apply(Cursor::new(night(2)), &ApplyOptions::named("second")).ok();
        }
        for survives in [0, u64::MAX, 0x5555_5555_5555_5555, 0x9E37_79B9_7F4A_7C15u64.rotate_left(at as u32)] {
            let bytes = disk.platter().after_power_cut(survives);
            let replika = Replika::with_backend(Disk::holding(bytes), &config()).unwrap();
            let found = exported(&replika);
            assert!(found == before || found == after, "operation {at}: neither before nor after");
            assert!(replika.snapshot().verify().unwrap().is_clean());
            saw_before += u32::from(found == before);
            saw_after += u32::from(found == after);
        }
    }
    assert!(saw_before > 0 && saw_after > 0, "the cuts fall on both sides of the commit");
}

#[test]
fn a_full_disk_is_told_and_the_delivery_can_be_applied_again() {
    let (image, before, after, operations) = prepared();
    for at in [2, operations / 2] {
        let disk = Disk::holding(image.clone());
        let replika = Replika::with_backend(disk.clone(), &config()).unwrap();
        let opened = disk.platter().operations;
        disk.platter().fails_at = Some((opened + at, io::ErrorKind::StorageFull));
        let refused = replika.apply(Cursor::new(night(2)), &ApplyOptions::named("second"));
        assert!(matches!(refused, Err(Error::Storage(_))), "operation {at}");
        assert_eq!(exported(&replika).0, before.0, "the snapshot stays as it was");
        drop(replika);
        disk.platter().fails_at = None;
        let bytes = disk.platter().current.clone();
        let replika = Replika::with_backend(Disk::holding(bytes), &config()).unwrap();
        assert_eq!(exported(&replika), before);
        replika.apply(Cursor::new(night(2)), &ApplyOptions::named("second")).unwrap();
        assert_eq!(exported(&replika), after);
    }
}
