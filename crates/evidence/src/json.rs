//! Quantities of JSON-RPC, read strictly: `0x` and hex digits, nothing else, no larger than the field.

use alloy_primitives::U256;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// An unsigned integer written as a QUANTITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantity<T>(pub(crate) T);

impl<'de, T: Unsigned> Deserialize<'de> for Quantity<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(QuantityVisitor(PhantomData))
    }
}

struct QuantityVisitor<T>(PhantomData<T>);

impl<T: Unsigned> Visitor<'_> for QuantityVisitor<T> {
    type Value = Quantity<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x and a hex number of at most {} bits", T::BITS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::from_quantity(text)
            .map(Quantity)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// The integers that fields have.
pub(crate) trait Unsigned: Sized {
    const BITS: usize;
    fn from_quantity(text: &str) -> Option<Self>;
}

macro_rules! unsigned {
    ($($integer:ty: $bytes:literal),*) => {$(
        impl Unsigned for $integer {
            const BITS: usize = 8 * $bytes;
            fn from_quantity(text: &str) -> Option<Self> {
                big_endian::<$bytes>(text).map(Self::from_be_bytes)
            }
        }
    )*};
}

unsigned!(u8: 1, u32: 4, u64: 8, u128: 16);

impl Unsigned for U256 {
    const BITS: usize = 256;
    fn from_quantity(text: &str) -> Option<Self> {
        big_endian::<32>(text).map(Self::from_be_bytes)
    }
}

/// Leading zeros are harmless (some nodes pad); a sign, a space or a separator is not a digit.
fn big_endian<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digits =
        text.strip_prefix("0x").filter(|digits| !digits.is_empty())?.trim_start_matches('0').as_bytes();
    if digits.len() > 2 * BYTES {
        return None;
    }
    let mut out = [0; BYTES];
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = (*digit as char).to_digit(16)? as u8;
        out[BYTES - 1 - place / 2] |= value << (4 * (place % 2));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_hex_digits_within_its_width_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Quantity<u8>>(text).ok().map(|quantity| quantity.0);
        for (text, value) in [("\"0x0\"", 0), ("\"0xff\"", 255), ("\"0x00Ff\"", 255), ("\"0x7\"", 7)] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for text in
            ["\"0x\"", "\"ff\"", "\"0x100\"", "\"0x+1\"", "\"0x_1\"", "\"0x 1\"", "1", "null", "\"0xé\""]
        {
            assert_eq!(read(text), None, "{text}");
        }
        let max = format!("\"0x{}\"", "f".repeat(64));
        assert_eq!(serde_json::from_str::<Quantity<U256>>(&max).unwrap().0, U256::MAX);
    }
}
