//! ABI types as the decoder walks them: sizes and kinds worked out once, when a profile is read.
//!
//! Source: Solidity contract ABI specification, "Formal Specification of the Encoding".

use alloy_json_abi::Param;

/// Deepest nesting of lists and tuples. Real events nest two deep; the bound keeps the walk's recursion
/// small.
const MAX_DEPTH: u32 = 8;

/// Longest head of one type: 1,024 words. A contract's stack and memory allow far less in one event.
const MAX_HEAD_BYTES: usize = 1024 * WORD_BYTES;

/// Bytes of one ABI word.
pub(super) const WORD_BYTES: usize = 32;

/// A type without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// `uintN`, with its bits.
    Uint(u16),
    /// `intN`, with its bits.
    Int(u16),
    /// `address`.
    Address,
    /// `bool`.
    Bool,
    /// `bytesN`, with its bytes; `function` is `bytes24`.
    FixedBytes(u8),
    /// `bytes`.
    Bytes,
    /// `string`.
    Text,
}

impl Scalar {
    /// Does it stand in the tail, behind an offset?
    pub(super) fn is_dynamic(self) -> bool {
        matches!(self, Self::Bytes | Self::Text)
    }
}

/// A type with its place in an encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// Does it stand in the tail, behind an offset?
    pub(super) dynamic: bool,
    /// Bytes that it takes in the head: 32 for an offset, else its whole size.
    pub(super) head_bytes: usize,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value.
    Scalar(Scalar),
    /// Values of one type; `None` counts them in the encoding.
    List(Box<Type>, Option<usize>),
    /// Values of several types, with the names of the parts where known.
    Tuple(Box<[(String, Type)]>),
}

impl Type {
    /// Reads the type `text`, whose tuples have the parts `components`.
    ///
    /// # Errors
    /// One sentence that says which type is not ABI or is beyond the bounds.
    pub(super) fn parse(text: &str, components: &[Param]) -> Result<Self, String> {
        Self::parse_at(text, components, 0)
    }

    fn parse_at(text: &str, components: &[Param], depth: u32) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("lists and tuples nest deeper than {MAX_DEPTH}"));
        }
        if let Some((element, count)) = list_suffix(text)? {
            return Self::list(Self::parse_at(element, components, depth + 1)?, count);
        }
        if text == "tuple" {
            let part = |param: &Param| {
                let ty = Self::parse_at(&param.ty, &param.components, depth + 1)?;
                Ok((param.name.clone(), ty))
            };
            return Self::tuple(components.iter().map(part).collect::<Result<_, String>>()?);
        }
        Ok(Self::scalar(parse_scalar(text)?))
    }

    fn scalar(scalar: Scalar) -> Self {
        Self { kind: Kind::Scalar(scalar), dynamic: scalar.is_dynamic(), head_bytes: WORD_BYTES }
    }

    fn list(element: Self, count: Option<usize>) -> Result<Self, String> {
        let dynamic = element.dynamic || count.is_none();
        let whole =
            count.unwrap_or(1).checked_mul(element.head_bytes).filter(|bytes| *bytes <= MAX_HEAD_BYTES);
        let whole = whole.ok_or_else(|| format!("a fixed list is larger than {MAX_HEAD_BYTES} bytes"))?;
        let head_bytes = if dynamic { WORD_BYTES } else { whole };
        Ok(Self { kind: Kind::List(Box::new(element), count), dynamic, head_bytes })
    }

    fn tuple(parts: Box<[(String, Self)]>) -> Result<Self, String> {
        if parts.is_empty() {
            return Err("a tuple has no parts".into());
        }
        let dynamic = parts.iter().any(|(_, part)| part.dynamic);
        let whole: usize = parts.iter().map(|(_, part)| part.head_bytes).sum();
        if whole > MAX_HEAD_BYTES {
            return Err(format!("a tuple is larger than {MAX_HEAD_BYTES} bytes"));
        }
        let head_bytes = if dynamic { WORD_BYTES } else { whole };
        Ok(Self { kind: Kind::Tuple(parts), dynamic, head_bytes })
    }
}

/// Splits `uint256[3]` into `uint256` and 3, `uint256[]` into `uint256` and none; other texts have no suffix.
fn list_suffix(text: &str) -> Result<Option<(&str, Option<usize>)>, String> {
    let Some(open) = text.strip_suffix(']').and_then(|rest| rest.rfind('[')) else {
        return Ok(None);
    };
    let (element, count) = (&text[..open], &text[open + 1..text.len() - 1]);
    if count.is_empty() {
        return Ok(Some((element, None)));
    }
    let count: usize = count.parse().map_err(|_| format!("'{text}' has no readable length"))?;
    if count == 0 { Err(format!("'{text}' holds nothing")) } else { Ok(Some((element, Some(count)))) }
}

fn parse_scalar(text: &str) -> Result<Scalar, String> {
    let unknown = || format!("'{text}' is not an ABI type (an enum is uint8, a contract is address)");
    let bits = |digits: &str| {
        let bits: u16 = if digits.is_empty() { 256 } else { digits.parse().map_err(|_| unknown())? };
        let whole = (8..=256).contains(&bits) && bits.is_multiple_of(8);
        if whole { Ok(bits) } else { Err(unknown()) }
    };
    match text {
        "address" => Ok(Scalar::Address),
        "bool" => Ok(Scalar::Bool),
        "string" => Ok(Scalar::Text),
        "bytes" => Ok(Scalar::Bytes),
        "function" => Ok(Scalar::FixedBytes(24)),
        _ => {
            if let Some(digits) = text.strip_prefix("uint") {
                return bits(digits).map(Scalar::Uint);
            }
            if let Some(digits) = text.strip_prefix("int") {
                return bits(digits).map(Scalar::Int);
            }
            let size = text.strip_prefix("bytes").and_then(|digits| digits.parse::<u8>().ok());
            let size = size.filter(|size| (1..=32).contains(size));
            size.map(Scalar::FixedBytes).ok_or_else(unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> Result<(bool, usize), String> {
        Type::parse(text, &[]).map(|ty| (ty.dynamic, ty.head_bytes))
    }

    #[test]
    fn sizes_follow_the_specification() {
        assert_eq!(size("uint8"), Ok((false, 32)));
        assert_eq!(size("bytes32[3]"), Ok((false, 96)));
        assert_eq!(size("uint256[2][3]"), Ok((false, 192)));
        assert_eq!(size("uint256[2][]"), Ok((true, 32)));
        assert_eq!(size("string[2]"), Ok((true, 32)));
    }

    #[test]
    fn what_is_no_type_or_beyond_the_bounds_is_refused() {
        for text in ["uint7", "uint264", "bytes33", "BatchStatus", "uint256[0]", "uint256[x]", "tuple"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("uint256[100000]").is_err());
        assert!(size(&format!("uint256{}", "[]".repeat(9))).is_err());
    }
}
