//! A node's answer to `eth_getLogs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ingest::rpc::fuzz::get_logs(data);
});
