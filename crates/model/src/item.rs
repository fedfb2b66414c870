//! What an item is called: a GS1 Digital Link path where its identity is known, else its token.
//!
//! A token is an alias of an item. An item that no event, registry row or metadata has named is called
//! by its token in CAIP-19 until it is named.

use crate::chain::ChainId;
use crate::gs1::{Gs1Error, Gtin, Sscc, Text};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A token on a chain: CAIP-19 `eip155:1/erc721:0x…/7` (or `erc1155`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenRef {
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub contract: Address,
    /// The token id.
    pub id: U256,
    /// The standard, which CAIP-19 names.
    pub standard: TokenStandard,
}

/// Token standards as CAIP-19 names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenStandard {
    /// One token, one owner.
    Erc721,
    /// One token id, many units.
    Erc1155,
}

impl TokenStandard {
    /// The namespace in CAIP-19.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erc721 => "erc721",
            Self::Erc1155 => "erc1155",
        }
    }
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // CAIP-19 is read by machines and people who copy: lower case, not the checksum form.
        write!(
            f,
            "eip155:{}/{}:0x{}/{}",
            self.chain,
            self.standard.as_str(),
            alloy_primitives::hex::encode(self.contract),
            self.id
        )
    }
}

/// An item's canonical key. Its text form is a GS1 Digital Link path, or CAIP-19 for an unnamed token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ItemKey {
    /// One pack: `01/<gtin14>/21/<serial>`.
    Sgtin(Gtin, Text),
    /// One logistic unit: `00/<sscc>`.
    Sscc(Sscc),
    /// A lot: `01/<gtin14>/10/<lot>`.
    Lot(Gtin, Text),
    /// A token that nothing has named yet.
    Token(Box<TokenRef>),
}

impl ItemKey {
    /// The product, where the key names one.
    pub fn gtin(&self) -> Option<Gtin> {
        match self {
            Self::Sgtin(gtin, _) | Self::Lot(gtin, _) => Some(*gtin),
            Self::Sscc(_) | Self::Token(_) => None,
        }
    }
}

/// Characters of charset 82 that a URI path segment must not hold bare (RFC 3986; GS1 Digital Link 1.3 §4.12).
fn escape(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    // Most keys have nothing to escape: runs of plain characters are written at once.
    let mut rest = text;
    while let Some(at) = rest.find(|character| !is_plain(character)) {
        let (plain, special) = rest.split_at(at);
        let (character, after) = special.split_at(special.chars().next().map_or(0, char::len_utf8));
        out.write_str(plain)?;
        for byte in character.bytes() {
            write!(out, "%{byte:02X}")?;
        }
        rest = after;
    }
    out.write_str(rest)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sgtin(gtin, serial) => {
                f.write_str("01/")?;
                gtin.fmt(f)?;
                f.write_str("/21/")?;
                escape(serial.as_str(), f)
            }
            Self::Sscc(sscc) => write!(f, "00/{sscc}"),
            Self::Lot(gtin, lot) => {
                write!(f, "01/{gtin}/10/")?;
                escape(lot.as_str(), f)
            }
            Self::Token(token) => token.fmt(f),
        }
    }
}

/// Why a text names no item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemKeyError {
    /// None of the known forms.
    #[error(
        "'{0}' names no item: expected 01/<gtin>/21/<serial>, 01/<gtin>/10/<lot>, 00/<sscc> or eip155:<chain>/erc721:<contract>/<id>"
    )]
    Form(String),
    /// The form is right, a key in it is not.
    #[error(transparent)]
    Key(#[from] Gs1Error),
}

fn parse_token(text: &str) -> Option<TokenRef> {
    let (chain, rest) = text.strip_prefix("eip155:")?.split_once('/')?;
    let (standard, rest) = rest.split_once(':')?;
    let (contract, id) = rest.split_once('/')?;
    let standard = match standard {
        "erc721" => TokenStandard::Erc721,
        "erc1155" => TokenStandard::Erc1155,
        _ => return None,
    };
    // The number types read more than digits: a sign, `_` between digits, nothing at all as zero.
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(chain) || !is_number(id) || !contract.starts_with("0x") {
        return None;
    }
    Some(TokenRef {
        chain: ChainId(chain.parse().ok()?),
        contract: contract.parse().ok()?,
        id: U256::from_str_radix(id, 10).ok()?,
        standard,
    })
}

impl FromStr for ItemKey {
    type Err = ItemKeyError;

    fn from_str(text: &str) -> Result<Self, ItemKeyError> {
        let form = || ItemKeyError::Form(text.chars().take(120).collect());
        if let Some(token) = parse_token(text) {
            return Ok(Self::Token(Box::new(token)));
        }
        let path = text.strip_prefix("https://id.gs1.org/").unwrap_or(text).trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["00", sscc] => Ok(Self::Sscc(sscc.parse()?)),
            ["01", gtin, "21", serial] => {
                Ok(Self::Sgtin(gtin.parse()?, unescape(serial).ok_or_else(form)?.parse()?))
            }
            ["01", gtin, "10", lot] => Ok(Self::Lot(gtin.parse()?, unescape(lot).ok_or_else(form)?.parse()?)),
            _ => Err(form()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_and_read_back() {
        for text in [
            "01/04012345111118/21/98%2522",
            "01/04012345123456/10/Lot987",
            "00/340123451111111111",
            "eip155:1/erc721:0x00000000000000000000000000000000000000aa/7",
        ] {
            assert_eq!(text.parse::<ItemKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_web_uri_names_the_same_item() {
        let web = "https://id.gs1.org/01/04012345111118/21/2017".parse::<ItemKey>().unwrap();
        assert_eq!(web.to_string(), "01/04012345111118/21/2017");
    }

    #[test]
    fn what_names_nothing_says_what_was_expected() {
        let error = "pack 12".parse::<ItemKey>().unwrap_err().to_string();
        assert!(error.starts_with("'pack 12' names no item: expected 01/<gtin>/21/<serial>"), "{error}");
    }

    #[test]
    fn a_token_is_named_in_full() {
        let contract = "0x00000000000000000000000000000000000000aa";
        assert!(format!("eip155:1/erc721:{contract}/7").parse::<ItemKey>().is_ok());
        for (chain, contract, id) in [
            ("1", contract, ""),
            ("1", contract, "_"),
            ("1", contract, "1_000"),
            ("1", contract, "+7"),
            ("+1", contract, "7"),
            ("", contract, "7"),
            ("1", &contract[2..], "7"),
        ] {
            let text = format!("eip155:{chain}/erc721:{contract}/{id}");
            assert!(text.parse::<ItemKey>().is_err(), "{text}");
        }
    }
}
