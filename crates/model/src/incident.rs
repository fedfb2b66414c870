//! Incidents: what went wrong while a chain was read or a record was taken from the bus.
//!
//! They are history (SY-01 of the rules): an incident says how something was read, so it never
//! takes part in the comparison of canonical tables.

use crate::chain::ChainId;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A header does not hash to the hash that names it.
    HeaderHash,
    /// A block does not link to the one below it.
    ParentLink,
    /// A log is not held by its block's bloom filter.
    Bloom,
    /// A block's bloom and receipts hold a log that the node left out.
    OmittedLog,
    /// A log that the node gave is not in the block's receipts.
    ForgedLog,
    /// The receipts do not hash to the header's receipts root.
    ReceiptsRoot,
    /// The transactions do not hash to the header's transactions root.
    TransactionsRoot,
    /// The sender that the node names is not the one that signed.
    Sender,
    /// Endpoints give different blocks for one number.
    Disagreement,
    /// A node does not hold the history that it was asked for.
    PrunedHistory,
    /// Finality has not moved for longer than the tail's limit.
    FinalityStalled,
    /// A record on the bus is not ours; it was skipped.
    ForeignRecord,
    /// An answer of a node cannot be read.
    MalformedAnswer,
    /// A new version of the registry concerns more of the past than is judged again.
    PastLeftOut,
}

impl IncidentKind {
    /// Every kind, in the order of the type.
    pub const ALL: [Self; 14] = [
        Self::HeaderHash,
        Self::ParentLink,
        Self::Bloom,
        Self::OmittedLog,
        Self::ForgedLog,
        Self::ReceiptsRoot,
        Self::TransactionsRoot,
        Self::Sender,
        Self::Disagreement,
        Self::PrunedHistory,
        Self::FinalityStalled,
        Self::ForeignRecord,
        Self::MalformedAnswer,
        Self::PastLeftOut,
    ];

    /// The name in tables and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HeaderHash => "header_hash",
            Self::ParentLink => "parent_link",
            Self::Bloom => "bloom",
            Self::OmittedLog => "omitted_log",
            Self::ForgedLog => "forged_log",
            Self::ReceiptsRoot => "receipts_root",
            Self::TransactionsRoot => "transactions_root",
            Self::Sender => "sender",
            Self::Disagreement => "disagreement",
            Self::PrunedHistory => "pruned_history",
            Self::FinalityStalled => "finality_stalled",
            Self::ForeignRecord => "foreign_record",
            Self::MalformedAnswer => "malformed_answer",
            Self::PastLeftOut => "past_left_out",
        }
    }
}

/// One thing that went wrong, with where and who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The chain.
    pub chain: ChainId,
    /// The block, where one is known.
    pub block: Option<u64>,
    /// What kind.
    pub kind: IncidentKind,
    /// Name of the endpoint that was asked: its place in the configuration, never its address (which may hold a key).
    pub endpoint: String,
    /// One sentence with the values that disagree.
    pub detail: String,
}
