//! What is on a topic, for people: each message as it is, and where the stream stands by them.

use super::config::Config;
use super::parcel::{self, Piece};
use super::scan::Scan;
use super::topic::Topic;
use crate::Tail;
use crate::error::Result;
use crate::wire::Kind;
use model::chain::ChainId;
use model::change::{Epoch, Sequence};
use model::segment::Finality;
use std::fmt;

/// A topic as it is.
#[derive(Debug)]
pub struct Inspection {
    /// Its name.
    pub topic: String,
    /// The first offset that it holds.
    pub low: i64,
    /// The offset after the last.
    pub high: i64,
    /// Where the stream stands, for the writer that would come next.
    pub tail: Tail,
    /// The messages that were asked for.
    pub messages: Vec<Seen>,
}

/// A message.
#[derive(Debug)]
pub struct Seen {
    /// Where it is.
    pub offset: i64,
    /// How long it is.
    pub bytes: usize,
    /// What it is.
    pub what: What,
}

/// What a message is.
#[derive(Debug)]
pub enum What {
    /// Somebody else's.
    Foreign,
    /// Ours, and it cannot be read.
    Damaged(String),
    /// A piece of a record.
    Piece {
        /// Under which epoch it was written.
        epoch: Epoch,
        /// The record's place in the stream.
        sequence: Sequence,
        /// What the record is.
        kind: Kind,
        /// Which piece, from 1, of how many.
        piece: (u32, u32),
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not ours"),
            Self::Damaged(why) => write!(f, "cannot be read: {why}"),
            Self::Piece { epoch, sequence, kind, piece: (piece, pieces) } => {
                write!(f, "epoch {epoch} record {sequence} {}", kind.as_str())?;
                match kind {
                    Kind::Append(run) => {
                        let finality = if run.finality == Finality::Final { "final" } else { "open" };
                        write!(f, " {finality} {}..={}", run.first_number, run.last)?;
                    }
                    Kind::Revert(to) => write!(f, " to {to}")?,
                    Kind::Finalize(upto) => write!(f, " up to {upto}")?,
                    Kind::Registry { version } => write!(f, " version {version}")?,
                    Kind::Open => {}
                }
                if *pieces > 1 { write!(f, " piece {piece} of {pieces}") } else { Ok(()) }
            }
        }
    }
}

/// Looks at the topic of `chain`: `count` messages from an offset, or the last ones. Nothing is made or written.
///
/// # Errors
/// When the brokers do not answer, there is no such topic, or it has forgotten where the stream stands.
pub async fn inspect(config: &Config, chain: ChainId, from: Option<i64>, count: usize) -> Result<Inspection> {
    let topic = Topic::find(config, chain).await?;
    let scan = Scan::new(config, &topic);
    let (low, high) = scan.ends().await?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let from = from.unwrap_or(high.saturating_sub(count)).clamp(low, high);
    let mut messages = Vec::new();
    scan.each(from, high.min(from.saturating_add(count)), |offset, bytes| {
        messages.push(Seen { offset, bytes: bytes.len(), what: what(bytes) });
    })
    .await?;
    let tail = scan.books(None).await?.intake.tail().clone();
    Ok(Inspection { topic: topic.name, low, high, tail, messages })
}

fn what(bytes: &[u8]) -> What {
    match parcel::open(bytes) {
        Ok(None) => What::Foreign,
        Ok(Some(Piece { mark, header, .. })) => What::Piece {
            epoch: header.epoch,
            sequence: header.sequence,
            kind: header.kind,
            piece: (mark.piece + 1, mark.pieces),
        },
        Err(error) => What::Damaged(error.to_string()),
    }
}
