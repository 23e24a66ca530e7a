#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ctishark_fuzz_checks::redact::check(data));
