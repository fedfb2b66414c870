//! A log file of the bus: any records, and any torn end.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bus::local::fuzz::log_file(data);
});
