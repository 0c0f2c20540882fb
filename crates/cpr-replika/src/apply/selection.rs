//! Whom of a file a store keeps: who is needed, with all numbers, who is of their family where that is asked for, and
//! who is held already.
//!
//! The file is read once for it, before it is merged: who is needed may be said by a record that comes later.

use std::collections::HashMap;
use std::io::{Read, Seek};

use cpr_extract::{Group, Groups};
use cpr_model::{CurrentRows, Date, PersonKey, RowsBuffer};
use roaring::RoaringBitmap;
use rustc_hash::FxBuildHasher;

use crate::apply::read_ahead::{ChunkOrder, for_each_chunk};
use crate::error::Error;
use crate::index::keys::SetKind;
use crate::person::mentions::relatives;
use crate::snapshot::Snapshot;
use crate::subscriptions::keep_settings::KeepSettings;
use crate::subscriptions::keeper::Keeper;
use crate::subscriptions::subject_view::SubjectView;

/// Whom a file brings, as far as it matters to a store that does not keep everybody.
#[derive(Default)]
pub(crate) struct Selection {
    /// Who is not needed, and not held.
    pub(crate) left_out: RoaringBitmap,
    /// Who is needed, or held.
    pub(crate) kept: RoaringBitmap,
    /// Who is held already.
    pub(crate) held: RoaringBitmap,
}

/// Numbers that are said to be one, or to be related: each with the others.
type Links = HashMap<u32, Vec<u32>, FxBuildHasher>;

/// What is read of a file.
#[derive(Default)]
struct FileView {
    all: RoaringBitmap,
    /// Who is needed as the file has them.
    needed: RoaringBitmap,
    /// Numbers of one human being, each way.
    chains: Links,
    /// Whom those who are not needed themselves name of their family.
    relatives: Vec<(u32, u32)>,
}

/// Sorts the persons of a file, which is of this day.
pub(crate) fn select(
    snapshot: &Snapshot,
    settings: KeepSettings,
    groups: Groups<'_, impl Read + Seek + Send>,
    day: Date,
) -> Result<Selection, Error> {
    let selector = Selector { snapshot, keeper: Keeper::now(snapshot)?, settings, day };
    let file = selector.read_file(groups)?;
    let held = snapshot.index_set(SetKind::Held, 0)?;
    let kept = match selector.keeper.is_everybody() {
        true => file.all.clone(),
        false => selector.kept(&file, &held)?,
    };
    Ok(Selection { left_out: &file.all - &kept, held: &held & &file.all, kept })
}

struct Selector<'s> {
    snapshot: &'s Snapshot,
    keeper: Keeper,
    settings: KeepSettings,
    day: Date,
}

impl Selector<'_> {
    fn read_file(&self, groups: Groups<'_, impl Read + Seek + Send>) -> Result<FileView, Error> {
        let mut file = FileView::default();
        let mut buffer = RowsBuffer::default();
        for_each_chunk(groups, ChunkOrder::AsRead, |chunk| {
            for group in chunk {
                buffer = self.look_at(group, std::mem::take(&mut buffer), &mut file)?;
            }
            Ok(())
        })?;
        Ok(file)
    }

    fn look_at(&self, group: &Group, buffer: RowsBuffer, file: &mut FileView) -> Result<RowsBuffer, Error> {
        let key = group.key();
        let rows = CurrentRows::read_into(buffer, group.facts(0), None);
        let view = SubjectView::read(&rows).unwrap_or_default();
        file.all.insert(key.as_u32());
        for other in view.mentions.iter().filter(|other| **other != key).map(|other| other.as_u32()) {
            file.chains.entry(key.as_u32()).or_default().push(other);
            file.chains.entry(other).or_default().push(key.as_u32());
        }
        if self.keeper.keeps(key, Some(&view.subject), self.day) || self.is_followed(key)? {
            file.needed.insert(key.as_u32());
        } else if self.settings.families {
            let named = rows.counting().flat_map(|fact| relatives(&fact)).map(|named| (key.as_u32(), named.as_u32()));
            file.relatives.extend(named);
        }
        Ok(rows.recycle())
    }

    /// Whether a subscriber filters on the number.
    fn is_followed(&self, key: PersonKey) -> Result<bool, Error> {
        Ok(!self.snapshot.tables().followers.get(key.as_u32())?.is_empty())
    }

    fn kept(&self, file: &FileView, held: &RoaringBitmap) -> Result<RoaringBitmap, Error> {
        // Numbers that are named and not in the file are needed too, and bring those that are one with them.
        let mut own = file.needed.clone();
        for &key in file.chains.keys() {
            let is_needed = |key| Ok::<_, Error>(self.keeper.keeps(key, None, self.day) || self.is_followed(key)?);
            if PersonKey::from_u32(key).map_or(Ok(false), is_needed)? {
                own.insert(key);
            }
        }
        let own = reach(&file.chains, own);
        let mut kept = &own | &(held & &file.all);
        for &(person, named) in &file.relatives {
            if own.contains(named) || (!file.all.contains(named) && self.is_needed_as_held(named, held)?) {
                kept.insert(person);
            }
        }
        for key in &file.all - &kept {
            let holders = self.snapshot.tables().numbers.get(key)?;
            let links = file.chains.get(&key).into_iter().flatten();
            if !holders.is_empty() || links.copied().any(|link| held.contains(link)) {
                kept.insert(key);
            }
        }
        Ok(reach(&file.chains, kept) & &file.all)
    }

    /// Whether who is held, and not in the file, is needed as a human being.
    fn is_needed_as_held(&self, key: u32, held: &RoaringBitmap) -> Result<bool, Error> {
        let Some(key) = PersonKey::from_u32(key).filter(|_| held.contains(key)) else { return Ok(false) };
        let numbers = self.snapshot.numbers(key.pnr(), None)?.map_or(Vec::new(), |chain| chain.numbers);
        for number in numbers.iter().filter_map(|number| number.pnr.key()).chain([key]) {
            let view = SubjectView::of_image(&self.snapshot.image(number, None, self.snapshot.known())?);
            let subject = view.as_ref().map(|view| &view.subject);
            if self.keeper.keeps(number, subject, self.day) || self.is_followed(number)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whom links connect with these, themselves among them.
fn reach(links: &Links, from: RoaringBitmap) -> RoaringBitmap {
    let mut open: Vec<u32> = from.iter().filter(|key| links.contains_key(key)).collect();
    let mut reached = from;
    while let Some(key) = open.pop() {
        for &next in links.get(&key).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}
