//! A text that should name an item: a GS1 Digital Link path, a GS1 key, a token.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    model::fuzz::item_text(data);
});
