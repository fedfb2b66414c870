//! How a record travels: as one Kafka message, or as several where it is larger than the broker takes.
//!
//! ```text
//! message = "rxtrail" | version 1 | crc32 4 | mark length 2 | mark | record header 108 | piece of the payload
//! ```
//!
//! Every message names its record, so that none needs another to be understood. The checksum covers what follows it.
//! What does not begin with the word is somebody else's. Nothing of ours is in Kafka's own headers: a client may not
//! be able to read those that others write.

use crate::error::{Error, Result};
use crate::wire::{HEADER_BYTES, Header};
use model::change::Position;
use serde::{Deserialize, Serialize};

/// What every message of ours begins with.
const WORD: &[u8; 7] = b"rxtrail";

/// The version that is written, and the only one that is read.
const VERSION: u8 = 1;

/// Bytes before the mark.
const LEAD_BYTES: usize = WORD.len() + 1 + 4 + 2;

/// The longest mark: three numbers of ten bytes, two blocks of 42, a few flags.
const MARK_BYTES_MAX: usize = 256;

/// What a message holds beside a piece of a payload, at most; Kafka's own frame around it has some 70 bytes more.
pub(super) const OVERHEAD_BYTES: usize = LEAD_BYTES + MARK_BYTES_MAX + HEADER_BYTES + 512;

/// Where whoever wants the books of a stream begins to read: below all blocks that were open, and not after what the
/// writer had read. So it holds for a writer that was fenced without knowing it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// Offset of the first message to read.
    pub(super) offset: i64,
    /// Where the stream stood before it.
    pub(super) position: Position,
    /// The highest version of the registry before it.
    pub(super) registry_version: u64,
}

/// What a message says beside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Which piece this is, from 0.
    pub(super) piece: u32,
    /// How many pieces the record has.
    pub(super) pieces: u32,
    /// Where its writer's books begin.
    pub(super) anchor: Anchor,
}

/// A message of ours: a piece of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Which piece.
    pub(super) mark: Mark,
    /// The record's.
    pub(super) header: Header,
    /// The piece of its payload.
    pub(super) payload: &'a [u8],
}

/// The messages of a record, with pieces of at most `piece_bytes`.
///
/// # Errors
/// [`Error::Wire`] when there would be more than four billion.
pub(super) fn pack(
    header: &Header,
    payload: &[u8],
    anchor: Anchor,
    piece_bytes: usize,
) -> Result<Vec<Vec<u8>>> {
    let count = payload.len().div_ceil(piece_bytes.max(1)).max(1);
    let pieces = u32::try_from(count).map_err(|_| Error::Wire(format!("a record of {count} messages")))?;
    let cut = |piece: u32| {
        let begin = piece as usize * piece_bytes;
        let end = payload.len().min(begin + piece_bytes);
        message(&Mark { piece, pieces, anchor }, header, payload.get(begin..end).unwrap_or_default())
    };
    (0..pieces).map(cut).collect()
}

fn message(mark: &Mark, header: &Header, piece: &[u8]) -> Result<Vec<u8>> {
    let unwritten = |error: postcard::Error| Error::Wire(format!("the mark cannot be written: {error}"));
    let mark = postcard::to_allocvec(mark).map_err(unwritten)?;
    let length = u16::try_from(mark.len()).map_err(|_| Error::Wire("the mark is too long".into()))?;
    let mut bytes = Vec::with_capacity(LEAD_BYTES + mark.len() + HEADER_BYTES + piece.len());
    bytes.extend_from_slice(WORD);
    bytes.push(VERSION);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&mark);
    bytes.extend_from_slice(&header.to_bytes());
    bytes.extend_from_slice(piece);
    let checksum = crc32fast::hash(&bytes[WORD.len() + 5..]);
    bytes[WORD.len() + 1..WORD.len() + 5].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The piece that `bytes` are; `None` when they are somebody else's.
///
/// # Errors
/// [`Error::Wire`] when they were ours and are damaged, or are of another version.
pub(super) fn open(bytes: &[u8]) -> Result<Option<Piece<'_>>> {
    let Some(rest) = bytes.strip_prefix(WORD) else { return Ok(None) };
    let short = || Error::Wire(format!("a message of {} bytes ends too early", bytes.len()));
    let (version, rest) = rest.split_first().ok_or_else(short)?;
    if *version != VERSION {
        return Err(Error::Wire(format!("message version {version}, this program reads version {VERSION}")));
    }
    let (checksum, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*checksum) {
        return Err(Error::Wire("the checksum is not that of the message".into()));
    }
    let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (mark, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or_else(short)?;
    let unread = |error: postcard::Error| Error::Wire(format!("the mark cannot be read: {error}"));
    let mark: Mark = postcard::from_bytes(mark).map_err(unread)?;
    let position = &mark.anchor.position;
    if position.sequence.0 == u64::MAX || position.epoch.0 == u64::MAX {
        return Err(Error::Wire("a mark of a place that nothing can follow".into()));
    }
    if mark.piece >= mark.pieces {
        return Err(Error::Wire(format!("piece {} of {}", mark.piece, mark.pieces)));
    }
    let (header, payload) = Header::read(rest)?;
    Ok(Some(Piece { mark, header, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::block;
    use crate::wire::Kind;
    use model::chain::ChainId;
    use model::change::{Epoch, Sequence};
    use proptest::prelude::*;

    fn anchor() -> Anchor {
        let position = Position {
            epoch: Epoch(u64::MAX - 1),
            sequence: Sequence(u64::MAX - 1),
            tip: Some(block(u64::MAX, 1)),
            finalized: Some(block(u64::MAX, 2)),
        };
        Anchor { offset: i64::MIN, position, registry_version: u64::MAX }
    }

    fn header() -> Header {
        Header {
            chain: ChainId(1),
            epoch: Epoch(3),
            sequence: Sequence(9),
            kind: Kind::Registry { version: 2 },
        }
    }

    #[test]
    fn the_largest_mark_fits_beside_a_piece() {
        let mark = Mark { piece: u32::MAX - 1, pieces: u32::MAX, anchor: anchor() };
        assert!(postcard::to_allocvec(&mark).unwrap().len() <= MARK_BYTES_MAX);
    }

    #[test]
    fn other_peoples_messages_are_told_from_ours() {
        for bytes in [&b""[..], b"{\"hello\":1}", b"rxtrai"] {
            assert_eq!(open(bytes).unwrap(), None);
        }
        let newer = open(b"rxtrail\x02....").unwrap_err().to_string();
        assert_eq!(newer, "not a change: message version 2, this program reads version 1");
    }

    proptest! {
        #[test]
        fn a_payload_comes_back_from_its_pieces(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            piece_bytes in 1_usize..400,
        ) {
            let messages = pack(&header(), &payload, anchor(), piece_bytes).unwrap();
            let mut back = Vec::new();
            for (at, bytes) in messages.iter().enumerate() {
                let Piece { mark, header: of, payload: piece } = open(bytes).unwrap().unwrap();
                prop_assert_eq!((mark.piece as usize, mark.pieces as usize), (at, messages.len()));
                prop_assert_eq!((mark.anchor, of), (anchor(), header()));
                prop_assert!(piece.len() <= piece_bytes);
                back.extend_from_slice(piece);
            }
            prop_assert_eq!(back, payload);
        }

        #[test]
        fn one_flipped_bit_is_damage_or_somebody_elses(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = pack(&header(), b"payload", anchor(), 100).unwrap().remove(0);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(matches!(open(&bytes), Err(_) | Ok(None)));
        }
    }
}
