//! Receipts from a node's JSON, or from EIP-2718 bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    evidence::fuzz::receipt_json(data);
});
