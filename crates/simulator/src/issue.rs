//! Issues GS1 keys with right check digits: GTIN, GLN, SSCC, serials and lots that no two stories share.
//!
//! A company prefix has seven digits: the country's GS1 prefix (two) and a company number (five). That leaves
//! five digits for items and places and nine for logistic units.

use crate::error::Result;
use model::gs1::{Gln, Gtin, Sscc, Text, check_digit};

/// A GS1 company prefix of seven digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompanyPrefix(u64);

impl CompanyPrefix {
    /// The prefix of a company in a country. `company` is below 100,000.
    pub(crate) fn new(country_prefix: u8, company: u32) -> Self {
        Self(u64::from(country_prefix) * 100_000 + u64::from(company % 100_000))
    }

    /// The GTIN-14 of the company's `item` (below 100,000) at a packaging level (0 is the pack).
    pub(crate) fn gtin(self, level: u8, item: u32) -> Result<Gtin> {
        let body = u64::from(level) * 1_000_000_000_000 + self.0 * 100_000 + u64::from(item);
        Ok(format!("{body:013}{}", check_digit(body)).parse()?)
    }

    /// The GLN of the company's `place` (below 100,000); 0 is its head office.
    pub(crate) fn gln(self, place: u32) -> Result<Gln> {
        let body = self.0 * 100_000 + u64::from(place);
        Ok(format!("{body:012}{}", check_digit(body)).parse()?)
    }

    /// The SSCC of the company's `unit` (below a billion).
    pub(crate) fn sscc(self, unit: u64) -> Result<Sscc> {
        let body = self.0 * 1_000_000_000 + unit;
        Ok(format!("{body:017}{}", check_digit(body)).parse()?)
    }
}

/// Letters and digits that nobody confuses when reading a pack (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Twelve characters of five bits.
const SERIAL_BITS: u32 = 60;

/// The serial of the `count`th pack of a world: unguessable to look at, and no two counts share one.
pub(crate) fn serial(seed: u64, count: u64) -> Result<Text> {
    let mask = (1 << SERIAL_BITS) - 1;
    let mut mixed = (count ^ seed) & mask;
    // Each step is invertible in 60 bits, so different counts stay different.
    for factor in [0x9E37_79B9_7F4A_7C15_u64, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
        mixed = mixed.wrapping_mul(factor | 1) & mask;
        mixed ^= mixed >> 31;
    }
    Ok(base32(mixed, 12).parse()?)
}

/// The code of a lot: a prefix that delegations can match, and what is left of a count.
pub(crate) fn lot(prefix: &str, count: u64) -> Result<Text> {
    // An odd factor is invertible modulo 2^30 (six characters of five bits): different counts stay different.
    let mixed = count.wrapping_mul(0x2C1B_3C6D) & ((1 << 30) - 1);
    Ok(format!("{prefix}{}", base32(mixed, 6)).parse()?)
}

fn base32(mut value: u64, length: usize) -> String {
    let mut text = vec![b'0'; length];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_carry_the_prefix_and_a_right_check_digit() {
        let prefix = CompanyPrefix::new(40, 10_007);
        assert_eq!(prefix.gtin(0, 12).unwrap().to_string(), "04010007000121");
        assert_eq!(prefix.gln(0).unwrap().to_string(), "4010007000008");
        assert_eq!(prefix.sscc(123).unwrap().to_string(), "040100070000001234");
    }

    #[test]
    fn serials_of_a_long_run_are_all_different() {
        let serials: HashSet<_> = (0..200_000).map(|count| serial(1, count).unwrap()).collect();
        assert_eq!(serials.len(), 200_000);
    }
}
