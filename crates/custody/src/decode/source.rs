//! A source: where one field of an event is read in a log, and how its value is taken.
//!
//! Indexed texts and lists leave only their hash in the log. Where the preimage is known it is read instead.

use super::abi_type::{Scalar, WORD_BYTES};
use super::layout::{content, locate};
use super::refusal::Refusal;
use super::word::{Word, size, uint, word_at};
use alloy_primitives::{I256, U256};
use model::event::DeadReason;
use model::segment::RawLog;

/// Longest content that is described, in bytes: more than any reader shows (256 characters of 4 bytes).
const MAX_DESCRIBED_BYTES: usize = 1100;

/// Where a field is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: Box<str>,
    pub(super) scalar: Scalar,
    place: Place,
}

/// A place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The value itself, in this topic.
    Topic(u8),
    /// The hash of a text or byte string.
    HashedContent(u8),
    /// The hash of a list of words.
    HashedWords(u8),
    /// The hash of something that is not rebuilt.
    HashedWhole(u8),
    /// In the data, behind these steps.
    Data { head: usize, dynamic: bool, steps: Box<[Step]> },
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To a part of a tuple.
    Part { offset: usize, dynamic: bool },
    /// To the entry of a list that the row names; `None` where the list counts itself.
    Entry { stride: usize, dynamic: bool, count: Option<usize> },
}

/// What a source holds in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// One word.
    Word(&'a Word),
    /// A text or byte string.
    Content(&'a [u8]),
    /// Only the hash is known.
    Hash(&'a Word),
}

/// A log with the preimages that are known of its topics.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownLog<'a, 'l> {
    pub(super) log: &'l RawLog<'a>,
    /// By topic after the first.
    pub(super) preimages: [Option<&'a [u8]>; 3],
}

impl<'l> KnownLog<'_, 'l> {
    #[inline]
    fn topic(&self, topic: u8) -> Result<&'l Word, Refusal> {
        let word = self.log.topics.get(usize::from(topic)).and_then(Option::as_ref);
        word.map(|word| &word.0).ok_or_else(|| Refusal::new(DeadReason::TopicCount, "a topic is missing"))
    }

    fn preimage(&self, topic: u8) -> Option<&'l [u8]> {
        self.preimages.get(usize::from(topic).checked_sub(1)?).copied().flatten()
    }
}

impl Source {
    /// A source of that name and place.
    pub(super) fn new(name: &str, place: Place, scalar: Scalar) -> Self {
        Self { name: name.into(), scalar, place }
    }

    /// The topic whose preimage would tell more than the hash.
    pub(super) fn hashed_topic(&self) -> Option<u8> {
        match self.place {
            Place::HashedContent(topic) | Place::HashedWords(topic) => Some(topic),
            Place::Topic(_) | Place::HashedWhole(_) | Place::Data { .. } => None,
        }
    }

    /// Does it stand for the entries of a list?
    pub(super) fn is_listed(&self) -> bool {
        match &self.place {
            Place::HashedWords(_) => true,
            Place::Data { steps, .. } => steps.iter().any(|step| matches!(step, Step::Entry { .. })),
            Place::Topic(_) | Place::HashedContent(_) | Place::HashedWhole(_) => false,
        }
    }

    /// How many entries the list has in this log; `None` for no list and for one known by its hash only.
    ///
    /// # Errors
    /// Never in data that the layout has accepted.
    pub(super) fn entries(&self, log: &KnownLog<'_, '_>) -> Result<Option<usize>, Refusal> {
        match &self.place {
            Place::HashedWords(topic) => Ok(log.preimage(*topic).map(|words| words.len() / WORD_BYTES)),
            Place::Data { head, dynamic, steps } => {
                entries(log.log.data, *head, *dynamic, steps).ok_or_else(unreadable)
            }
            Place::Topic(_) | Place::HashedContent(_) | Place::HashedWhole(_) => Ok(None),
        }
    }

    /// The value in `row`.
    ///
    /// # Errors
    /// Never in a log whose shape was checked.
    #[inline]
    pub(super) fn value<'l>(&self, log: &KnownLog<'_, 'l>, row: usize) -> Result<Value<'l>, Refusal> {
        match &self.place {
            Place::Topic(topic) => Ok(Value::Word(log.topic(*topic)?)),
            Place::HashedWhole(topic) => Ok(Value::Hash(log.topic(*topic)?)),
            Place::HashedContent(topic) => match log.preimage(*topic) {
                Some(content) => Ok(Value::Content(content)),
                None => Ok(Value::Hash(log.topic(*topic)?)),
            },
            Place::HashedWords(topic) => match log.preimage(*topic) {
                Some(words) => word_at(words, row * WORD_BYTES).map(Value::Word).ok_or_else(unreadable),
                None => Ok(Value::Hash(log.topic(*topic)?)),
            },
            Place::Data { head, dynamic, steps } => {
                let data = log.log.data;
                let at = descend(data, *head, *dynamic, steps, row).ok_or_else(unreadable)?;
                let value = if self.scalar.is_dynamic() {
                    content(data, at).map(Value::Content)
                } else {
                    word_at(data, at).map(Value::Word)
                };
                value.ok_or_else(unreadable)
            }
        }
    }

    /// The value as people read it, cut, and as hostile as it came.
    pub(super) fn describe(&self, value: Value<'_>) -> String {
        let cut = |content: &'_ [u8]| content.len().min(MAX_DESCRIBED_BYTES);
        match (value, self.scalar) {
            (Value::Hash(hash), _) => hex(hash),
            (Value::Content(content), Scalar::Text) => {
                String::from_utf8_lossy(&content[..cut(content)]).into_owned()
            }
            (Value::Content(content), _) => hex(&content[..cut(content)]),
            (Value::Word(word), Scalar::Uint(_)) => uint(word).to_string(),
            (Value::Word(word), Scalar::Int(_)) => I256::from_raw(uint(word)).to_string(),
            (Value::Word(word), Scalar::Bool) => (uint(word) != U256::ZERO).to_string(),
            (Value::Word(word), Scalar::Address) => hex(&word[12..]),
            (Value::Word(word), Scalar::FixedBytes(size)) => hex(&word[..usize::from(size).min(WORD_BYTES)]),
            (Value::Word(word), Scalar::Bytes | Scalar::Text) => hex(word),
        }
    }
}

/// Where the value behind `steps` begins.
#[inline]
fn descend(data: &[u8], head: usize, dynamic: bool, steps: &[Step], row: usize) -> Option<usize> {
    let mut at = locate(data, 0, head, dynamic)?;
    for step in steps {
        at = match step {
            Step::Part { offset, dynamic } => locate(data, at, *offset, *dynamic)?,
            Step::Entry { stride, dynamic, count } => {
                let base = if count.is_some() { at } else { at + WORD_BYTES };
                locate(data, base, row.checked_mul(*stride)?, *dynamic)?
            }
        };
    }
    Some(at)
}

/// The length of the list among `steps`: `Some(None)` where there is none.
#[allow(clippy::option_option, reason = "no list and no way there are two things")]
fn entries(data: &[u8], head: usize, dynamic: bool, steps: &[Step]) -> Option<Option<usize>> {
    let Some(list) = steps.iter().position(|step| matches!(step, Step::Entry { .. })) else {
        return Some(None);
    };
    if let Step::Entry { count: Some(count), .. } = steps[list] {
        return Some(Some(count));
    }
    let at = descend(data, head, dynamic, &steps[..list], 0)?;
    Some(Some(size(word_at(data, at)?)?))
}

fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode_prefixed(bytes)
}

#[cold]
fn unreadable() -> Refusal {
    Refusal::new(DeadReason::ShortData, "the data ends before it")
}
