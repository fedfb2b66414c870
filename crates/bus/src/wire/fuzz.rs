//! What must hold for any bytes that should be a record: nothing panics, and what is accepted is written and read
//! back as itself.
//!
//! The fuzz target under `tests/fuzz` is one call into this module; the unit tests run the same call over the seeds
//! there.

use super::{HEADER_BYTES, Header, compress, decode, encode, join};

/// A record as it lies on disk; and a header with its payload before compression, which a fuzzer changes with more
/// effect than a compressed one. Returns whether either was accepted.
///
/// # Panics
/// When what was accepted is not written and read back as itself.
pub fn record(data: &[u8]) -> bool {
    let as_it_is = holds(data);
    let Ok((header, payload)) = Header::read(data) else { return as_it_is };
    let compressed = compress(payload).map(|payload| holds(&join(&header, &payload)));
    as_it_is | compressed.unwrap_or(false)
}

fn holds(bytes: &[u8]) -> bool {
    let Ok(read) = decode(bytes) else { return false };
    let written = encode(&read).unwrap_or_else(|error| panic!("what was read cannot be written: {error}"));
    assert_eq!(written[..HEADER_BYTES], bytes[..HEADER_BYTES], "a record has one header");
    let again = decode(&written).unwrap_or_else(|error| panic!("what was written cannot be read: {error}"));
    // Bytes are compared, not values: coordinates in a damaged registry may be no numbers, which equal nothing.
    assert_eq!(encode(&again).ok(), Some(written));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// That no changed byte of a record makes the reader panic is tested beside it.
    #[test]
    fn records_hold_over_the_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds/bus_record");
        let entries = std::fs::read_dir(folder).unwrap();
        let seeds: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(seeds.len(), 9);
        for seed in seeds {
            let bytes = std::fs::read(&seed).unwrap();
            assert!(record(&bytes), "{}", seed.display());
            for end in 0..bytes.len() {
                record(&bytes[..end]);
            }
        }
    }
}
