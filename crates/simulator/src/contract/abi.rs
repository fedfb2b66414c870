//! The Solidity ABI, as far as events need it: topics of 32 bytes, and data of words and texts.
//!
//! Source: Solidity documentation, "Contract ABI Specification", sections "Events" and "Formal Specification".

use alloy_primitives::ruint::UintTryFrom;
use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, keccak256};

/// One argument that is not indexed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg<'a> {
    /// A value of one word: a number, an address, a hash.
    Word(B256),
    /// A text, which stands behind the words.
    Text(&'a str),
}

/// A number as a word.
pub(crate) fn number<T>(value: T) -> B256
where
    U256: UintTryFrom<T>,
{
    B256::from(U256::from(value))
}

/// A time as a word; nothing that happens here is before 1970.
pub(crate) fn time(secs: i64) -> B256 {
    number(u64::try_from(secs).unwrap_or(0))
}

/// An address as a word.
pub(crate) fn word(address: Address) -> B256 {
    address.into_word()
}

/// A log of `contract`: the event's hash and indexed arguments, then the rest.
pub(crate) fn log<const N: usize>(contract: Address, topics: [B256; N], args: &[Arg<'_>]) -> Log {
    Log { address: contract, data: LogData::new_unchecked(topics.to_vec(), encode(args)) }
}

/// Hash of an event's signature: its first topic.
pub(crate) fn topic(signature: &str) -> B256 {
    keccak256(signature)
}

fn encode(args: &[Arg<'_>]) -> Bytes {
    let head = args.len() * 32;
    let tail: usize =
        args.iter().map(|arg| if let Arg::Text(text) = arg { 32 + padded(text.len()) } else { 0 }).sum();
    let mut data = Vec::with_capacity(head + tail);
    let mut offset = head;
    for arg in args {
        match arg {
            Arg::Word(value) => data.extend_from_slice(value.as_slice()),
            Arg::Text(text) => {
                data.extend_from_slice(number(offset as u64).as_slice());
                offset += 32 + padded(text.len());
            }
        }
    }
    for arg in args {
        if let Arg::Text(text) = arg {
            data.extend_from_slice(number(text.len() as u64).as_slice());
            data.extend_from_slice(text.as_bytes());
            data.resize(data.len() + padded(text.len()) - text.len(), 0);
        }
    }
    data.into()
}

/// Texts fill whole words.
fn padded(length: usize) -> usize {
    length.div_ceil(32) * 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    // The example of the specification, "Use of Dynamic Types", less its selector: f(uint256, string, uint256).
    #[test]
    fn words_come_first_and_texts_behind_them() {
        let data =
            encode(&[Arg::Word(number(0x123_u64)), Arg::Text("Hello, world!"), Arg::Word(number(7_u64))]);
        let expected = [
            "0000000000000000000000000000000000000000000000000000000000000123",
            "0000000000000000000000000000000000000000000000000000000000000060",
            "0000000000000000000000000000000000000000000000000000000000000007",
            "000000000000000000000000000000000000000000000000000000000000000d",
            "48656c6c6f2c20776f726c642100000000000000000000000000000000000000",
        ];
        assert_eq!(hex::encode(data), expected.concat());
    }

    #[test]
    fn an_empty_text_is_only_its_length() {
        assert_eq!(encode(&[Arg::Text("")]).len(), 64);
    }
}
