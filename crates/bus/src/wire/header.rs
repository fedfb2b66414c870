//! The fixed head of a record: enough to name it, order it and link it, without its payload.

use crate::error::{Error, Result};
use model::B256;
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Epoch, Record, Sequence};
use model::segment::{Finality, Segment};

/// The version that is written, and the only one that is read.
pub const VERSION: u8 = 1;

/// Length of a header.
pub const HEADER_BYTES: usize = 108;

/// What names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The chain whose stream this is.
    pub chain: ChainId,
    /// The writer's epoch; for an open, the epoch that it starts.
    pub epoch: Epoch,
    /// The place in the stream.
    pub sequence: Sequence,
    /// What it is, and the blocks that it names.
    pub kind: Kind,
}

/// What a record is, and the blocks that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A writer takes over.
    Open,
    /// A run of blocks.
    Append(Run),
    /// Blocks above this one are no longer canonical.
    Revert(BlockRef),
    /// Blocks up to this one can no longer change.
    Finalize(BlockRef),
    /// Reference data.
    Registry {
        /// Its version.
        version: u64,
    },
}

/// How a run of blocks links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of the first block.
    pub first_number: u64,
    /// Hash of the block below it.
    pub parent_hash: B256,
    /// The last block.
    pub last: BlockRef,
    /// May these blocks still be orphaned?
    pub finality: Finality,
}

impl Kind {
    /// What `change` is.
    pub fn of(change: &Change) -> Self {
        match change {
            Change::Open(_) => Self::Open,
            Change::Append(segment) => Self::Append(Run::of(segment)),
            Change::Revert(to) => Self::Revert(*to),
            Change::Finalize(upto) => Self::Finalize(*upto),
            Change::Registry(version) => Self::Registry { version: version.version },
        }
    }

    /// The kind's name, as [`Change::kind`] gives it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Append(_) => "append",
            Self::Revert(_) => "revert",
            Self::Finalize(_) => "finalize",
            Self::Registry { .. } => "registry",
        }
    }

    /// Must it be on disk before it counts as published? A final run need not: the chain still holds it.
    pub fn is_logged(&self) -> bool {
        !matches!(self, Self::Append(Run { finality: Finality::Final, .. }))
    }
}

impl Run {
    fn of(segment: &Segment) -> Self {
        Self {
            first_number: segment.first_number,
            parent_hash: segment.parent_hash,
            last: segment.last,
            finality: segment.finality,
        }
    }
}

impl Header {
    /// The header of `record`.
    ///
    /// # Errors
    /// [`Error::Wire`] when an open starts another epoch than the record's.
    pub fn of(record: &Record) -> Result<Self> {
        if let Change::Open(epoch) = record.change
            && epoch != record.epoch
        {
            return Err(Error::Wire(format!(
                "open of epoch {} in a record of epoch {}",
                epoch.0, record.epoch.0
            )));
        }
        let kind = Kind::of(&record.change);
        Ok(Self { chain: record.chain, epoch: record.epoch, sequence: record.sequence, kind })
    }

    /// Reads the header of a record; also returns its payload.
    ///
    /// # Errors
    /// [`Error::Wire`] when the bytes are too short, of another version, or no header that we write.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let version = *bytes.first().ok_or_else(|| Error::Wire("no bytes".into()))?;
        if version != VERSION {
            return Err(Error::Wire(format!("version {version}, this program reads version {VERSION}")));
        }
        let (fixed, payload) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or_else(|| Error::Wire(format!("{} bytes, a header has {HEADER_BYTES}", bytes.len())))?;
        let fields = Fields::read(fixed);
        let header = Self {
            chain: ChainId(fields.chain),
            epoch: Epoch(fields.epoch),
            sequence: Sequence(fields.sequence),
            kind: fields.kind()?,
        };
        if fields.epoch == u64::MAX || fields.sequence == u64::MAX {
            return Err(Error::Wire("an epoch or place in the stream that nothing can follow".into()));
        }
        // What a kind does not use is zero: one record has one header.
        if header.to_bytes() != *fixed {
            return Err(Error::Wire(format!(
                "a header of {} with fields that it does not use",
                header.kind.as_str()
            )));
        }
        Ok((header, payload))
    }

    /// The header as it is written.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut fields = Fields {
            chain: self.chain.0,
            epoch: self.epoch.0,
            sequence: self.sequence.0,
            ..Fields::default()
        };
        match self.kind {
            Kind::Open => fields.kind = 1,
            Kind::Append(run) => {
                fields.kind = 2;
                fields.finality = match run.finality {
                    Finality::Final => 1,
                    Finality::Open => 2,
                };
                fields.first_number = run.first_number;
                fields.parent_hash = run.parent_hash;
                fields.last = run.last;
            }
            Kind::Revert(to) => (fields.kind, fields.first_number, fields.last) = (3, to.number, to),
            Kind::Finalize(upto) => (fields.kind, fields.first_number, fields.last) = (4, upto.number, upto),
            Kind::Registry { version } => (fields.kind, fields.first_number) = (5, version),
        }
        fields.to_bytes()
    }
}

/// The fields in the order of the bytes.
struct Fields {
    kind: u8,
    finality: u8,
    chain: u64,
    epoch: u64,
    sequence: u64,
    first_number: u64,
    parent_hash: B256,
    last: BlockRef,
}

impl Default for Fields {
    fn default() -> Self {
        let last = BlockRef { number: 0, hash: B256::ZERO };
        Self {
            kind: 0,
            finality: 0,
            chain: 0,
            epoch: 0,
            sequence: 0,
            first_number: 0,
            parent_hash: B256::ZERO,
            last,
        }
    }
}

impl Fields {
    fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let hash = |at: usize| B256::new(std::array::from_fn(|i| bytes[at + i]));
        Self {
            kind: bytes[1],
            finality: bytes[2],
            chain: number(4),
            epoch: number(12),
            sequence: number(20),
            first_number: number(28),
            parent_hash: hash(36),
            last: BlockRef { number: number(68), hash: hash(76) },
        }
    }

    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..3].copy_from_slice(&[VERSION, self.kind, self.finality]);
        bytes[4..12].copy_from_slice(&self.chain.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.first_number.to_le_bytes());
        bytes[36..68].copy_from_slice(self.parent_hash.as_slice());
        bytes[68..76].copy_from_slice(&self.last.number.to_le_bytes());
        bytes[76..108].copy_from_slice(self.last.hash.as_slice());
        bytes
    }

    fn kind(&self) -> Result<Kind> {
        match self.kind {
            1 => Ok(Kind::Open),
            2 => Ok(Kind::Append(Run {
                first_number: self.first_number,
                parent_hash: self.parent_hash,
                last: self.last,
                finality: match self.finality {
                    1 => Finality::Final,
                    2 => Finality::Open,
                    other => return Err(Error::Wire(format!("finality {other} of an append"))),
                },
            })),
            3 => Ok(Kind::Revert(self.last)),
            4 => Ok(Kind::Finalize(self.last)),
            5 => Ok(Kind::Registry { version: self.first_number }),
            other => Err(Error::Wire(format!("kind {other}"))),
        }
    }
}
