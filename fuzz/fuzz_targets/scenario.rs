//! Any text as a scenario: refused with its place and without its words, or an extract and nights that are sound.
#![no_main]

use cpr_extract::{CheckOptions, Family, Waive, check};
use cpr_population::{Product, Scenario};
use libfuzzer_sys::fuzz_target;

/// Nights that are written of one scenario; a text may ask for many that have nothing in them.
const MOST_NIGHTS: usize = 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let product = Product { family: Family::named("std").expect("a family of the crate"), task: "999901".to_owned() };
    let mut scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => return assert_silent(&error.to_string()),
    };
    let extract = scenario.fixture().full_extract(Vec::new(), &product).expect("written to memory");
    let mut persons = assert_sound(&extract, &product);
    assert_eq!(persons, scenario.fixture().persons() as u64);
    for _ in 0..MOST_NIGHTS {
        let Some(date) = scenario.next_production_date() else { break };
        let mut delta = Vec::new();
        match scenario.next_delta(&mut delta, &product) {
            Ok(is_written) => assert!(is_written, "a date of a night that there is not"),
            Err(error) => return assert_silent(&error.to_string()),
        }
        assert_eq!(scenario.fixture().production_date(), date);
        persons = persons.max(assert_sound(&delta, &product));
    }
});

/// Checks the file as the engine does; how many persons it has is the answer.
fn assert_sound(extract: &[u8], product: &Product) -> u64 {
    let options =
        CheckOptions { family: product.family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    let checked = check(std::io::Cursor::new(extract), options).expect("memory can be read");
    assert!(checked.is_sound(), "{}", checked.faults[0]);
    checked.persons
}

fn assert_silent(message: &str) {
    let digits = message.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(digits < Some(10) && message.len() < 120, "an error that may repeat the text");
}
