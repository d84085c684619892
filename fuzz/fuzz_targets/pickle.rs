#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lk_fuzz::pickle::run(data));
