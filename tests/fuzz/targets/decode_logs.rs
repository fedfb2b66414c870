//! Raw logs of one block, decoded under every contract profile that ships.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    custody::decode::fuzz::logs(data);
});
