//! What must hold for any text that should name an item: nothing panics, and what is accepted reads back as itself.
//!
//! The fuzz target under `tests/fuzz` is one call into this module; the unit tests run the same call over the seeds
//! there, and over what one step of a fuzzer makes of them.

use crate::gs1::{Gln, Gtin, Sscc, Text};
use crate::item::ItemKey;
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// An item's key, and each GS1 key, from text. Returns whether any was accepted.
///
/// # Panics
/// When what was accepted does not read back as itself, or a token's name says less than the token.
pub fn item_text(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let keys = [
        ends_as_it_was::<Gtin>(text),
        ends_as_it_was::<Sscc>(text),
        ends_as_it_was::<Gln>(text),
        ends_as_it_was::<Text>(text),
    ];
    let item = text.parse::<ItemKey>();
    if let Ok(item) = &item {
        let written = item.to_string();
        assert_eq!(written.parse().as_ref(), Ok(item), "an item has one name");
        if let ItemKey::Token(_) = item {
            assert_eq!(without_zeros(text), without_zeros(&written), "a token is named in full");
        }
    }
    item.is_ok() || keys.contains(&true)
}

/// A key is written as it came, with the leading zeros that its form wants.
fn ends_as_it_was<K: FromStr + Display + Debug + PartialEq>(text: &str) -> bool {
    let Ok(key) = text.parse::<K>() else { return false };
    let written = key.to_string();
    assert!(written.ends_with(text), "{text} was written as {written}");
    assert_eq!(written.parse().ok(), Some(key));
    true
}

/// The parts of a token's name. Zeros before a number say nothing, a number without digits is none.
fn without_zeros(text: &str) -> Vec<String> {
    let digits = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_ascii_lowercase(),
    };
    text.split([':', '/']).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;
    use std::path::Path;

    #[test]
    fn items_hold_over_the_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds/item_text");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let seed = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(item_text(&seed), "{}", String::from_utf8_lossy(&seed));
            for at in 0..seed.len() {
                item_text(&seed[..at]);
                for byte in 0..128 {
                    item_text(&[&seed[..at], &[byte], &seed[at + 1..]].concat());
                    item_text(&[&seed[..at], &[byte], &seed[at..]].concat());
                }
            }
            count += 1;
        }
        assert_eq!(count, 9);
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String, serial in "[!-~]{1,30}", id in "[0-9_+ x]{0,90}") {
            item_text(text.as_bytes());
            item_text(format!("01/04012345111118/21/{serial}").as_bytes());
            item_text(format!("eip155:{id}/erc721:0x{:040x}/{id}", 7).as_bytes());
        }
    }
}
