//! One ABI word: 32 bytes, big-endian, padded in the one way that the encoder pads.

use super::abi_type::{Scalar, WORD_BYTES};
use alloy_primitives::{Address, U256};

/// The bytes of one word.
pub(super) type Word = [u8; WORD_BYTES];

/// The word at byte `at` of `data`, where it lies within.
#[inline]
pub(super) fn word_at(data: &[u8], at: usize) -> Option<&Word> {
    data.get(at..)?.first_chunk()
}

/// The word as a size or offset, where it fits 64 bits.
#[inline]
pub(super) fn size(word: &Word) -> Option<usize> {
    let [high, middle, low, last] = limbs(word);
    if high | middle | low == 0 { usize::try_from(last).ok() } else { None }
}

/// The word as a number.
#[inline]
pub(super) fn uint(word: &Word) -> U256 {
    let [high, middle, low, last] = limbs(word);
    U256::from_limbs([last, low, middle, high])
}

/// The last 20 bytes of the word.
#[inline]
pub(super) fn address(word: &Word) -> Address {
    Address::from_slice(&word[12..])
}

/// Is the word padded as `scalar` requires? Contracts compiled by Solidity or Vyper never log another
/// padding; a value with dirty bits could be read in two ways.
#[inline]
pub(super) fn is_canonical(scalar: Scalar, word: &Word) -> bool {
    match scalar {
        Scalar::Uint(bits) => uint_fits(word, bits),
        Scalar::Address => uint_fits(word, 160),
        Scalar::Bool => uint_fits(word, 1),
        Scalar::Int(bits) => int_fits(word, bits),
        Scalar::FixedBytes(size) => word.iter().skip(usize::from(size)).all(|byte| *byte == 0),
        Scalar::Bytes | Scalar::Text => true,
    }
}

/// Four 64-bit parts of the word, highest first.
#[inline]
fn limbs(word: &Word) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(word.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    limbs
}

/// Is every bit above the lowest `bits` zero?
#[inline]
fn uint_fits(word: &Word, bits: u16) -> bool {
    let mut lowest_bit = 192_u16;
    for limb in limbs(word) {
        let used = bits.saturating_sub(lowest_bit);
        if used < 64 && limb >> used != 0 {
            return false;
        }
        lowest_bit = lowest_bit.saturating_sub(64);
    }
    true
}

/// Is every bit above the lowest `bits` a copy of the sign?
fn int_fits(word: &Word, bits: u16) -> bool {
    let size = usize::from(bits / 8).clamp(1, WORD_BYTES);
    let first = WORD_BYTES - size;
    let sign = if word[first] & 0x80 == 0 { 0 } else { 0xff };
    word[..first].iter().all(|byte| *byte == sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(value: U256) -> Word {
        value.to_be_bytes()
    }

    #[test]
    fn each_width_takes_its_greatest_value_and_not_the_next() {
        for bits in (8..=248).step_by(8) {
            let first_beyond = U256::from(1) << usize::from(bits);
            assert!(is_canonical(Scalar::Uint(bits), &word(first_beyond - U256::from(1))), "{bits}");
            assert!(!is_canonical(Scalar::Uint(bits), &word(first_beyond)), "{bits}");
        }
        assert!(is_canonical(Scalar::Uint(256), &[0xff; 32]));
        assert!(is_canonical(Scalar::Bool, &word(U256::from(1))));
        assert!(!is_canonical(Scalar::Bool, &word(U256::from(2))));
    }

    #[test]
    fn signed_words_carry_their_sign_all_the_way_up() {
        assert!(is_canonical(Scalar::Int(8), &[0xff; 32]));
        assert!(!is_canonical(Scalar::Int(8), &word(U256::from(0xff))));
        assert!(is_canonical(Scalar::Int(16), &word(U256::from(0x7fff))));
    }

    #[test]
    fn sizes_beyond_the_machine_are_none() {
        assert_eq!(size(&word(U256::from(77))), Some(77));
        assert_eq!(size(&word(U256::from(1) << 64)), None);
    }
}
