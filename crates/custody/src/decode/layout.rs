//! The layout of an event's data: a bounded walk that accepts exactly what an ABI encoder writes.
//!
//! Heads come first, tails follow in the order of their heads, without gap or overlap. Whoever checks that
//! with one running cursor needs no other bound: each offset has one legal value, so nothing can point
//! back, past the end or twice at the same bytes, and the walk is linear in the length of the data.

use super::abi_type::{Kind, Scalar, Type, WORD_BYTES};
use super::refusal::Refusal;
use super::word::{is_canonical, size, word_at};
use model::event::DeadReason;

/// Most entries of one list. Log data costs 8 gas a byte, a batch entry 64 bytes: 65,536 entries are
/// 33 million gas, a whole block of most chains.
pub(super) const MAX_BATCH: usize = 65_536;

/// Longest text or byte string that is believed: 16 MiB would cost 134 million gas.
const MAX_CLAIM_BYTES: usize = 16 << 20;

/// May bytes follow the encoding?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailing {
    /// The data ends where the encoding ends.
    Refused,
    /// More may follow and is not read: calls with attribution suffixes, early token contracts.
    Ignored,
}

/// The parameters that stand in the data, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    params: Box<[(String, Type)]>,
    head_bytes: usize,
}

impl Layout {
    /// The layout of `params`.
    pub(super) fn new(params: Vec<(String, Type)>) -> Self {
        let head_bytes = params.iter().map(|(_, ty)| ty.head_bytes).sum();
        Self { params: params.into(), head_bytes }
    }

    /// The parameters with the byte at which the head of each begins.
    pub(super) fn heads(&self) -> impl Iterator<Item = (&str, &Type, usize)> {
        self.params.iter().scan(0, |head, (name, ty)| {
            let at = *head;
            *head += ty.head_bytes;
            Some((name.as_str(), ty, at))
        })
    }

    /// Checks that `data` is the canonical encoding of the parameters.
    ///
    /// # Errors
    /// The first thing that is not, with the parameter that it belongs to.
    #[inline]
    pub(super) fn check(&self, data: &[u8], trailing: Trailing) -> Result<(), Refusal> {
        if data.len() < self.head_bytes {
            let detail = format!("{} bytes of data, at least {} needed", data.len(), self.head_bytes);
            return Err(Refusal::new(DeadReason::ShortData, detail));
        }
        let mut walk = Walk { data, tail: self.head_bytes };
        for (name, ty, head) in self.heads() {
            walk.slot(ty, 0, head).map_err(|refusal| refusal.of(name))?;
        }
        if walk.tail < data.len() && trailing == Trailing::Refused {
            let detail = format!("{} bytes of data, the encoding ends after {}", data.len(), walk.tail);
            return Err(Refusal::new(DeadReason::BadLength, detail));
        }
        Ok(())
    }
}

/// A walk over data with the one place where the next tail may begin.
struct Walk<'a> {
    data: &'a [u8],
    tail: usize,
}

impl Walk<'_> {
    /// Checks the value whose head is `head` bytes into the frame that begins at `base`.
    #[inline]
    fn slot(&mut self, ty: &Type, base: usize, head: usize) -> Result<(), Refusal> {
        if !ty.dynamic {
            return self.inline(ty, base + head);
        }
        let word = word_at(self.data, base + head).ok_or_else(short)?;
        let (claimed, expected) = (size(word), self.tail - base);
        if claimed != Some(expected) {
            return Err(bad_offset(claimed, expected));
        }
        self.body(ty)
    }

    /// Checks a value of fixed size in place.
    #[inline]
    fn inline(&self, ty: &Type, at: usize) -> Result<(), Refusal> {
        match &ty.kind {
            Kind::Scalar(scalar) => {
                let word = word_at(self.data, at).ok_or_else(short)?;
                if is_canonical(*scalar, word) { Ok(()) } else { Err(dirty(*scalar)) }
            }
            Kind::List(element, count) => {
                let mut heads = (0..count.unwrap_or(0)).map(|index| at + index * element.head_bytes);
                heads.try_for_each(|at| self.inline(element, at))
            }
            Kind::Tuple(parts) => {
                let mut at = at;
                for (_, part) in parts {
                    self.inline(part, at)?;
                    at += part.head_bytes;
                }
                Ok(())
            }
        }
    }

    /// Checks a value in the tail and moves the cursor behind it.
    fn body(&mut self, ty: &Type) -> Result<(), Refusal> {
        match &ty.kind {
            Kind::Scalar(scalar) => self.text(*scalar),
            Kind::List(element, Some(count)) => self.elements(element, *count),
            Kind::List(element, None) => {
                let count = self.claim(MAX_BATCH)?;
                self.elements(element, count)
            }
            Kind::Tuple(parts) => {
                let base = self.frame(parts.iter().map(|(_, part)| part.head_bytes).sum())?;
                let mut head = 0;
                for (_, part) in parts {
                    self.slot(part, base, head)?;
                    head += part.head_bytes;
                }
                Ok(())
            }
        }
    }

    fn elements(&mut self, element: &Type, count: usize) -> Result<(), Refusal> {
        let base = self.frame(count * element.head_bytes)?;
        (0..count).try_for_each(|index| self.slot(element, base, index * element.head_bytes))
    }

    /// Takes `bytes` of heads from the tail and returns where they begin.
    fn frame(&mut self, bytes: usize) -> Result<usize, Refusal> {
        let base = self.tail;
        let left = self.data.len() - base;
        if bytes > left {
            let detail = format!("claims {bytes} bytes of {left} that follow");
            return Err(Refusal::new(DeadReason::BadLength, detail));
        }
        self.tail = base + bytes;
        Ok(base)
    }

    /// Takes a length word, which may claim at most `max`.
    fn claim(&mut self, max: usize) -> Result<usize, Refusal> {
        let word = word_at(self.data, self.tail).ok_or_else(short)?;
        self.tail += WORD_BYTES;
        match size(word) {
            Some(claimed) if claimed <= max => Ok(claimed),
            claimed => {
                let claimed = claimed.map_or("2^64 or more".to_owned(), |claimed| claimed.to_string());
                Err(Refusal::new(
                    DeadReason::HugeClaim,
                    format!("claims a length of {claimed}, at most {max}"),
                ))
            }
        }
    }

    fn text(&mut self, scalar: Scalar) -> Result<(), Refusal> {
        let length = self.claim(MAX_CLAIM_BYTES)?;
        let begin = self.frame(length.next_multiple_of(WORD_BYTES))?;
        let (text, padding) = self.data[begin..self.tail].split_at(length);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(dirty(scalar));
        }
        if scalar == Scalar::Text && std::str::from_utf8(text).is_err() {
            return Err(Refusal::new(DeadReason::BadText, format!("{length} bytes that are not UTF-8")));
        }
        Ok(())
    }
}

/// Where the value of a slot begins, in data that [`Layout::check`] has accepted.
#[inline]
pub(super) fn locate(data: &[u8], base: usize, head: usize, dynamic: bool) -> Option<usize> {
    if !dynamic {
        return Some(base + head);
    }
    base.checked_add(size(word_at(data, base + head)?)?)
}

/// The content of a text or byte string that begins at `at`, in data that was accepted.
#[inline]
pub(super) fn content(data: &[u8], at: usize) -> Option<&[u8]> {
    let length = size(word_at(data, at)?)?;
    data.get(at + WORD_BYTES..)?.get(..length)
}

#[cold]
fn short() -> Refusal {
    Refusal::new(DeadReason::ShortData, "the data ends before it")
}

#[cold]
fn dirty(scalar: Scalar) -> Refusal {
    Refusal::new(DeadReason::DirtyPadding, format!("bits outside the {} are set", described(scalar)))
}

#[cold]
fn bad_offset(claimed: Option<usize>, expected: usize) -> Refusal {
    let claimed = claimed.map_or("2^64 or more".to_owned(), |claimed| claimed.to_string());
    Refusal::new(DeadReason::BadOffset, format!("offset {claimed}, the encoding has it at {expected}"))
}

/// A scalar in words.
pub(super) fn described(scalar: Scalar) -> String {
    match scalar {
        Scalar::Uint(bits) => format!("uint{bits}"),
        Scalar::Int(bits) => format!("int{bits}"),
        Scalar::Address => "address".into(),
        Scalar::Bool => "bool".into(),
        Scalar::FixedBytes(size) => format!("bytes{size}"),
        Scalar::Bytes => "bytes".into(),
        Scalar::Text => "string".into(),
    }
}
