//! Where the bytes of the engine's file are after the nights, and how many are left of them when it is written anew.

use std::ops::ControlFlow;

use benches::machine::Size;
use benches::peers::ENGINE;
use benches::results::Results;
use cpr_replika::Replika;

use super::Plan;

/// The table of the persons: their values, with their past.
const PERSONS: &str = "persons/";

/// Adds to the results what stands in the file, and what its length is once it is compacted. The last that is done with
/// it.
pub(super) fn bytes(plan: &Plan, results: &mut Results) {
    let path = plan.of_store(ENGINE).join("store");
    let replika = Replika::open(&path).expect("the store");
    let mut add = |what: &str, bytes: u64| {
        results.add(&format!("bytes after the nights: {what}"), ENGINE, "bytes", bytes as f64);
    };
    let file = Size::of(&path).allocated;
    let tables = replika.snapshot().stats().expect("sizes").tables;
    let (persons, others): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.name.starts_with(PERSONS));
    let mut in_use = 0;
    for (whose, tables) in [("persons", persons), ("indexes and ledger", others)] {
        let [stored, branches, empty] = tables.iter().fold([0; 3], |[stored, branches, empty], table| {
            [stored + table.stored_bytes, branches + table.metadata_bytes, empty + table.fragmented_bytes]
        });
        add(&format!("{whose}, keys and values"), stored);
        add(&format!("{whose}, branches and heads of pages"), branches);
        add(&format!("{whose}, empty in pages"), empty);
        in_use += stored + branches + empty;
    }
    add("free pages, checks of blocks, the storage engine's own tables", file.saturating_sub(in_use));
    replika.compact(|_| ControlFlow::Continue(())).expect("a smaller file");
    drop(replika);
    add("all of the file, compacted", Size::of(&path).allocated);
}
