//! What is read is written back byte for byte: every record from its packed values, and every sound file as a whole.
#![no_main]

use cpr_extract::Family;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::mutate;
use replika_fuzz::write_back::write_back;

fuzz_target!(|bytes: &[u8]| {
    for family in Family::all() {
        write_back(bytes, family);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(3) {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&mutate::extract(&data[..size], seed), data, max_size)
});
