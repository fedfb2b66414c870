//! A folder of registry files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ingest::registry::fuzz::registry_files(data);
});
