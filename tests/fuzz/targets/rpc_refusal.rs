//! An HTTP answer whose status is not 200.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ingest::rpc::fuzz::refusal(data);
});
