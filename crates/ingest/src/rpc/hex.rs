//! Hex as nodes write it, read strictly: `0x`, then digits, and nothing else.

use alloy_primitives::hex;

/// Reads a quantity of at most 64 bits. Leading zeros are harmless: some nodes pad.
pub(crate) fn quantity(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty())?;
    let value = |number: u64, digit: u8| {
        let digit = (digit as char).to_digit(16)?;
        (number >> 60 == 0).then_some(number << 4 | u64::from(digit))
    };
    digits.bytes().try_fold(0, value)
}

/// Reads exactly `N` bytes.
pub(crate) fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = digits(text)?;
    let mut bytes = [0; N];
    (digits.len() == 2 * N).then(|| hex::decode_to_slice(digits, &mut bytes).ok())??;
    Some(bytes)
}

/// Reads any number of bytes into `bytes`, which is emptied first.
pub(crate) fn bytes(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let digits = digits(text)?;
    bytes.clear();
    bytes.resize(digits.len() / 2, 0);
    hex::decode_to_slice(digits, bytes).ok()
}

/// The digits after `0x`. The decoder would pass over a second `0x`.
fn digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").filter(|digits| digits.as_bytes().get(1) != Some(&b'x'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_hex_within_64_bits() {
        for (text, value) in [("0x0", 0), ("0x1f", 31), ("0x00Ff", 255), ("0xffffffffffffffff", u64::MAX)] {
            assert_eq!(quantity(text), Some(value), "{text}");
        }
        for text in ["", "0x", "1", "0xg", "0x-1", "0x1 ", "0x10000000000000000", "0X1", "0xé"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_are_an_even_number_of_digits_after_one_prefix() {
        assert_eq!(fixed::<2>("0x00ff"), Some([0, 255]));
        for text in ["0x00f", "0x00fff", "00ff", "0x0x00", "0x0xff", "0x00fg", "", "0xé0"] {
            assert_eq!(fixed::<2>(text), None, "{text}");
        }
        let mut out = vec![9];
        assert_eq!(bytes("0x", &mut out).map(|()| out.clone()), Some(vec![]));
        assert_eq!(bytes("0xABcd", &mut out).map(|()| out.clone()), Some(vec![0xab, 0xcd]));
        for text in ["", "0x1", "0x0xab", "0xzz", "abcd"] {
            assert_eq!(bytes(text, &mut out), None, "{text}");
        }
    }
}
