//! The words of a node's error, and the data beside them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ingest::rpc::fuzz::error_words(data);
});
