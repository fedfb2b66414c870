//! The text of a contract profile, and logs decoded under what was accepted.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    custody::decode::fuzz::contract_profile(data);
});
