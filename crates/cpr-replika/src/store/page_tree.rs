//! The trees of a store's pages, read without the storage engine: what can still be read of a damaged file, and what
//! cannot.
//!
//! redb goes by its first failed read and says nothing of what stands elsewhere. This walks its trees (file format 3)
//! over blocks that were checked: a page that is lost costs the rows below it, and the page above says between which
//! keys they stood. Every parse is total; a page that makes no sense is told as one that is lost.

use std::collections::BTreeMap;
use std::io;

use redb::StorageBackend;

use crate::damage::{BlockError, Damage, Place};

const PAGE: usize = 4096;
/// Bytes of the engine's header.
const HEADER: usize = 320;
/// What a tree is at most deep, and a page at most long: far more than any is.
const MOST_LEVELS: u32 = 32;
const MOST_ORDER: u32 = 16;

/// Kinds of tables, in the list of them.
const ONE_VALUE: u8 = 3;
const SEVERAL_VALUES: u8 = 4;
/// Kinds of collections of a key's values.
const INLINE: u8 = 1;
const TREE: u8 = 3;

/// What a walk comes across.
pub(crate) enum Found<'r> {
    Row {
        key: &'r [u8],
        value: &'r [u8],
        /// The page that holds it, and how many are above that.
        page: PageNumber,
        level: u32,
    },
    /// A page that cannot be read, and so no row behind one key up to another.
    Lost {
        after: Option<&'r [u8]>,
        up_to: Option<&'r [u8]>,
        /// How many pages are above the lost one.
        level: u32,
        damage: Damage,
    },
}

/// Where a page is, as the engine writes it.
pub(crate) type PageNumber = u64;

/// A tree of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    root: Option<PageNumber>,
    /// How many rows it has when all are there.
    pub(crate) rows: u64,
    widths: Widths,
    /// Of a table with several values a key, whose rows are pairs: a value of the tree is a collection, with these
    /// widths.
    collections: Option<Widths>,
}

/// Widths of keys and of values, where they are fixed.
#[derive(Clone, Copy, Debug)]
struct Widths {
    key: Option<usize>,
    value: Option<usize>,
}

/// Rows under keys of four bytes, with values of any length.
const NUMBERED: Widths = Widths { key: Some(4), value: None };

/// The pages of one file.
pub(crate) struct Pages<'f, S> {
    file: &'f S,
    /// Of the last committed state: the tables, and those in which the engine keeps account.
    tables: Tree,
    accounts: Tree,
    pages_a_region: u64,
    header_pages: u64,
}

impl<'f, S: StorageBackend> Pages<'f, S> {
    /// Reads the header.
    pub(crate) fn open(file: &'f S) -> io::Result<Pages<'f, S>> {
        let mut header = [0; HEADER];
        file.len()?;
        file.read(0, &mut header)?;
        let senseless = || io::Error::from(BlockError::damaged(Place::Pages, "the engine's header makes no sense"));
        let primary = usize::from(header[9] & 1);
        let slot = |number: usize| &header[64 + 128 * number..64 + 128 * (number + 1)];
        let is_whole = |slot: &[u8]| slot[0] == 3 && slot[112..] == xxh3(&slot[..112]);
        let slot = [slot(primary), slot(1 - primary)].into_iter().find(|slot| is_whole(slot)).ok_or_else(senseless)?;
        let widths = Widths { key: None, value: None };
        let list = |flag: usize, at: usize| {
            let root = (slot[flag] != 0).then(|| number(&slot[at..]));
            Tree { root, rows: number(&slot[at + 24..]), widths, collections: None }
        };
        let (tables, accounts) = (list(1, 8), list(2, 40));
        let half = |at: usize| u64::from(u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes")));
        let (header_pages, data_pages) = (half(16), half(20));
        if data_pages == 0 {
            return Err(senseless());
        }
        Ok(Pages { file, tables, accounts, pages_a_region: header_pages + data_pages, header_pages })
    }

    /// The tables, by name, and what of the list of tables is lost.
    pub(crate) fn tables(&self) -> io::Result<(BTreeMap<String, Tree>, Vec<Damage>)> {
        self.listed(self.tables)
    }

    /// The engine's own tables, as [`Pages::tables`].
    pub(crate) fn accounts(&self) -> io::Result<(BTreeMap<String, Tree>, Vec<Damage>)> {
        self.listed(self.accounts)
    }

    fn listed(&self, list: Tree) -> io::Result<(BTreeMap<String, Tree>, Vec<Damage>)> {
        let (mut tables, mut lost) = (BTreeMap::new(), Vec::new());
        self.walk(list, &mut |found| {
            match found {
                Found::Row { key, value, .. } => {
                    if let (Ok(name), Some(tree)) = (std::str::from_utf8(key), Tree::of_table(value)) {
                        tables.insert(name.to_owned(), tree);
                    }
                }
                Found::Lost { damage, .. } => lost.push(damage),
            }
            Ok::<(), io::Error>(())
        })?;
        Ok((tables, lost))
    }

    /// Goes through the rows of a tree in the order of their keys.
    pub(crate) fn walk<E: From<io::Error>>(
        &self,
        tree: Tree,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = self.file.len()? / PAGE as u64;
        self.walk_within(&mut left, tree, visit)
    }

    fn walk_within<E: From<io::Error>>(
        &self,
        left: &mut u64,
        tree: Tree,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(root) = tree.root else { return Ok(()) };
        Walk { pages: self, widths: tree.widths, left, visit }.page(root, None, None, 0)
    }

    /// How many rows of a tree there still are, with the places where others are lost.
    pub(crate) fn count(&self, tree: Tree, lost: &mut dyn FnMut(Damage)) -> io::Result<u64> {
        let (mut rows, mut left) = (0, self.file.len()? / PAGE as u64);
        self.walk(tree, &mut |found| {
            match (found, tree.collections) {
                (Found::Row { .. }, None) => rows += 1,
                (Found::Row { value, .. }, Some(widths)) => match Collection::read(value, widths) {
                    Some(Collection::Inline(values)) => rows += values,
                    // No page is of two collections: all of them have the pages of one file.
                    Some(Collection::Tree(tree)) => self.walk_within(&mut left, tree, &mut |found| {
                        match found {
                            Found::Row { .. } => rows += 1,
                            Found::Lost { damage, .. } => lost(damage),
                        }
                        Ok::<(), io::Error>(())
                    })?,
                    None => lost(Damage { place: Place::Pages, what: "values of a key that make no sense" }),
                },
                (Found::Lost { damage, .. }, _) => lost(damage),
            }
            Ok::<(), io::Error>(())
        })?;
        Ok(rows)
    }

    /// The value under a number in a page that it was come across in.
    pub(crate) fn value_in(&self, page: PageNumber, key: u32) -> io::Result<Option<Vec<u8>>> {
        let (bytes, key) = (self.read(page)?, key.to_le_bytes());
        let rows = leaf(&bytes, NUMBERED).unwrap_or_default();
        Ok(rows.into_iter().find(|(found, _)| **found == key).map(|(_, value)| value.to_vec()))
    }

    /// Every page that reads as a leaf with keys of four bytes, of whatever table and state, and whether or not a page
    /// names it. What it holds must prove itself.
    pub(crate) fn loose_leaves<E: From<io::Error>>(
        &self,
        visit: &mut impl FnMut(PageNumber, &[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let blocks = self.file.len()? / PAGE as u64;
        let mut block = 1;
        while block < blocks {
            let mut taken = 1;
            for order in 0..=MOST_ORDER {
                let Some(page) = self.page_at(block, order) else { break };
                let Ok(bytes) = self.read(page) else { break };
                if bytes[0] != 1 {
                    break;
                }
                if let Some(rows) = leaf(&bytes, NUMBERED) {
                    rows.into_iter().try_for_each(|(key, value)| visit(page, key, value))?;
                    taken = 1 << order;
                    break;
                }
            }
            block += taken;
        }
        Ok(())
    }

    /// The page of an order that begins at a block; none where such a page cannot begin.
    fn page_at(&self, block: u64, order: u32) -> Option<PageNumber> {
        let (region, in_region) = ((block - 1) / self.pages_a_region, (block - 1) % self.pages_a_region);
        let index = in_region.checked_sub(self.header_pages)?;
        index.is_multiple_of(1 << order).then_some(u64::from(order) << 59 | region << 20 | index >> order)
    }

    fn read(&self, page: PageNumber) -> io::Result<Vec<u8>> {
        let order = (page >> 59) as u32;
        let index = (page & (0x000F_FFFF >> order.min(20))) << order.min(20);
        let region = (page >> 20) & 0x000F_FFFF;
        let first = 1 + region * self.pages_a_region + self.header_pages + index;
        if order > MOST_ORDER {
            return Err(BlockError::damaged(Place::Pages, "a page that is too long").into());
        }
        let mut bytes = vec![0; PAGE << order];
        self.file.read(first * PAGE as u64, &mut bytes)?;
        Ok(bytes)
    }
}

struct Walk<'w, 'f, S, E> {
    pages: &'w Pages<'f, S>,
    widths: Widths,
    /// Pages that may still be read: no sound file has more of them than blocks.
    left: &'w mut u64,
    visit: &'w mut dyn FnMut(Found<'_>) -> Result<(), E>,
}

impl<S: StorageBackend, E: From<io::Error>> Walk<'_, '_, S, E> {
    fn page(&mut self, page: PageNumber, after: Option<&[u8]>, up_to: Option<&[u8]>, level: u32) -> Result<(), E> {
        let senseless = Damage { place: Place::Pages, what: "a page that makes no sense" };
        let lost = |damage| Found::Lost { after, up_to, level, damage };
        if *self.left == 0 || level == MOST_LEVELS {
            return (self.visit)(lost(senseless));
        }
        *self.left -= 1;
        let bytes = match self.pages.read(page) {
            Ok(bytes) => bytes,
            Err(error) => return (self.visit)(lost(damage_of(&error))),
        };
        if let Some(rows) = leaf(&bytes, self.widths) {
            return rows.into_iter().try_for_each(|(key, value)| (self.visit)(Found::Row { key, value, page, level }));
        }
        let Some((children, keys)) = branch(&bytes, self.widths) else { return (self.visit)(lost(senseless)) };
        for (at, child) in children.into_iter().enumerate() {
            let after = at.checked_sub(1).map_or(after, |before| Some(keys[before]));
            self.page(child, after, keys.get(at).copied().or(up_to), level + 1)?;
        }
        Ok(())
    }
}

/// Where a read failed; a failure of the disk is told as damage of the file.
fn damage_of(error: &io::Error) -> Damage {
    match BlockError::inside(error) {
        Some(BlockError::Damaged(damage)) => damage,
        _ => Damage { place: Place::File, what: "a page could not be read" },
    }
}

impl Tree {
    /// What the list of tables says of one.
    fn of_table(definition: &[u8]) -> Option<Tree> {
        let widths = |at: usize| Some((*definition.get(at)? != 0).then(|| read_u32(definition, at + 1)).flatten());
        let has_collections = match *definition.first()? {
            ONE_VALUE => false,
            SEVERAL_VALUES => true,
            _ => return None,
        };
        let root = (*definition.get(9)? != 0).then(|| number(definition.get(10..).unwrap_or_default()));
        let (key, value) = (widths(42)?, widths(47)?);
        let widths = Widths { key, value: if has_collections { None } else { value } };
        let collections = has_collections.then_some(Widths { key: value, value: Some(0) });
        Some(Tree { root, rows: number(definition.get(1..)?), widths, collections })
    }
}

/// The values of one key: in its place, or in a tree of their own.
enum Collection {
    Inline(u64),
    Tree(Tree),
}

impl Collection {
    fn read(value: &[u8], widths: Widths) -> Option<Collection> {
        let (&kind, rest) = value.split_first()?;
        match kind {
            INLINE => leaf(rest, widths).map(|values| Collection::Inline(values.len() as u64)),
            TREE => {
                let (root, rows) = (Some(number(rest)), number(rest.get(24..)?));
                Some(Collection::Tree(Tree { root, rows, widths, collections: None }))
            }
            _ => None,
        }
    }
}

/// Keys and values of a leaf; none when it is not one.
fn leaf(page: &[u8], widths: Widths) -> Option<Vec<(&[u8], &[u8])>> {
    let &[1, _, low, high, ..] = page else { return None };
    let count = usize::from(u16::from_le_bytes([low, high]));
    let key_ends = 4;
    let value_ends = key_ends + if widths.key.is_none() { 4 * count } else { 0 };
    let keys = value_ends + if widths.value.is_none() { 4 * count } else { 0 };
    let key_end =
        |at: usize| widths.key.map_or_else(|| read_u32(page, key_ends + 4 * at), |w| Some(keys + w * (at + 1)));
    let values = key_end(count.checked_sub(1)?)?;
    let value_end =
        |at: usize| widths.value.map_or_else(|| read_u32(page, value_ends + 4 * at), |w| Some(values + w * (at + 1)));
    let mut rows = Vec::with_capacity(count.min(page.len()));
    let (mut key_at, mut value_at) = (keys, values);
    for at in 0..count {
        let (key_ends, value_ends) = (key_end(at)?, value_end(at)?);
        rows.push((page.get(key_at..key_ends)?, page.get(value_at..value_ends)?));
        (key_at, value_at) = (key_ends, value_ends);
    }
    Some(rows)
}

/// The children of a branch and the keys between them; none when it is not one.
fn branch(page: &[u8], widths: Widths) -> Option<(Vec<PageNumber>, Vec<&[u8]>)> {
    if page[0] != 2 {
        return None;
    }
    let count = usize::from(u16::from_le_bytes([page[2], page[3]]));
    let children = count + 1;
    let ends = 8 + 24 * children;
    let keys = ends + if widths.key.is_none() { 4 * count } else { 0 };
    let numbers = page.get(8 + 16 * children..ends)?.chunks_exact(8).map(number).collect();
    let mut between = Vec::with_capacity(count);
    let mut at = keys;
    for key in 0..count {
        let end = widths.key.map_or_else(|| read_u32(page, ends + 4 * key), |width| Some(keys + width * (key + 1)))?;
        between.push(page.get(at..end)?);
        at = end;
    }
    Some((numbers, between))
}

/// Eight bytes at the front as a number; what is missing is zeros.
fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn read_u32(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
}

fn xxh3(bytes: &[u8]) -> [u8; 16] {
    twox_hash::XxHash3_128::oneshot(bytes).to_le_bytes()
}
