//! The proof of a log, as it stands in an evidence bundle.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    evidence::fuzz::log_proof(data);
});
