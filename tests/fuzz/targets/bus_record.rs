//! A record of the bus, as it lies on disk and before compression.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bus::wire::fuzz::record(data);
});
