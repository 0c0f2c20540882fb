//! Any bytes as a file to thin: no panic; a part of a sound file is sound, and the parts are the file.
#![no_main]

use cpr_extract::Family;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::mutate;
use replika_fuzz::thinned::thin;

fuzz_target!(|bytes: &[u8]| {
    for name in ["std", "full"] {
        thin(bytes, Family::named(name).expect("a family of the crate"));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&mutate::extract(&data[..size], seed), data, max_size)
});
