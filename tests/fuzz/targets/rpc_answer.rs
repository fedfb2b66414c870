//! The body of a node's answer: the envelope of one call and of a batch, quantities, headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ingest::rpc::fuzz::answer(data);
});
