//! A header from a node's JSON, or from RLP.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    evidence::fuzz::header_json(data);
});
