//! What disagrees, with the values: every way in which a block, a receipt or a proof can fail.

use alloy_primitives::{Address, B256, BlockHash};
use model::chain::BlockRef;
use model::error::ErrorClass;
use model::incident::IncidentKind;

/// Result of reading or verifying.
pub type Result<T> = std::result::Result<T, Error>;

/// Which of the two tries of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trie {
    /// The transactions of a block.
    Transactions,
    /// The receipts of a block.
    Receipts,
}

impl Trie {
    fn as_str(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Receipts => "receipts",
        }
    }
}

impl std::fmt::Display for Trie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What disagrees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text or the bytes are not what they should be.
    #[error("{what} cannot be read: {detail}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What the reader says, on one line of at most 200 characters.
        detail: Box<str>,
    },
    /// A type that this crate does not know how to encode. Found before anything is encoded.
    #[error("{what} type {tx_type:#x} is not known")]
    UnknownType {
        /// `transaction` or `receipt`.
        what: &'static str,
        /// The EIP-2718 type, or what stands in its place.
        tx_type: u64,
    },
    /// A header does not hash to the hash that names it.
    #[error("header hashes to {computed}, its node says {claimed}{}", unknown_fields(unknown))]
    HeaderHash {
        /// The hash that was claimed.
        claimed: BlockHash,
        /// The hash of what was given.
        computed: BlockHash,
        /// Names of the header's fields that are not known, which may be why; at most a few.
        unknown: Vec<Box<str>>,
    },
    /// A header has a field of a later fork without one of an earlier fork: no chain encodes that.
    #[error("header has {present} without {missing}")]
    HeaderFields {
        /// The field that is there.
        present: &'static str,
        /// The field that should be there too.
        missing: &'static str,
    },
    /// A block does not stand on the one that is said to be below it.
    #[error("block {number} names its parent {parent_hash}, the block below is {parent}")]
    ParentLink {
        /// Number of the block.
        number: u64,
        /// The parent that its header names.
        parent_hash: BlockHash,
        /// The block that is said to be below.
        parent: BlockRef,
    },
    /// A list does not hash to the root in the header.
    #[error("the {trie} hash to {computed}, the header says {header}")]
    Root {
        /// Which list.
        trie: Trie,
        /// The root in the header.
        header: B256,
        /// The root of what was given.
        computed: B256,
    },
    /// The receipts' blooms together are not the bloom in the header.
    #[error("the logs of the receipts make another bloom than that of header {block}")]
    HeaderBloom {
        /// Hash of the header.
        block: BlockHash,
    },
    /// A number that the node gives beside a receipt is not the one that the block implies.
    #[error("receipt {index}: {field} is {got}, the block implies {expected}")]
    ReceiptField {
        /// Place in the list.
        index: usize,
        /// Name of the field.
        field: &'static str,
        /// What the block implies.
        expected: u64,
        /// What the node says.
        got: u64,
    },
    /// A hash that the node gives beside a receipt is not the one that the block implies.
    #[error("receipt {index}: {field} is {got}, the block implies {expected}")]
    HashField {
        /// Place in the list.
        index: usize,
        /// Name of the field.
        field: &'static str,
        /// What the block implies.
        expected: B256,
        /// What the node says.
        got: B256,
    },
    /// The receipts and the transactions of a block differ in number.
    #[error("{receipts} receipts for {transactions} transactions")]
    Count {
        /// How many receipts.
        receipts: usize,
        /// How many transactions.
        transactions: usize,
    },
    /// A transaction does not hash to the hash that names it.
    #[error("transaction hashes to {computed}, its node says {claimed}")]
    TransactionHash {
        /// The hash that was claimed.
        claimed: B256,
        /// The hash of what was given.
        computed: B256,
    },
    /// The sender that the node names is not the one that signed.
    #[error("transaction {hash} was signed by {recovered}, its node says {claimed}")]
    Sender {
        /// Hash of the transaction.
        hash: B256,
        /// The sender that was claimed.
        claimed: Address,
        /// The sender that signed.
        recovered: Address,
    },
    /// No key signs what this signature signs.
    #[error("transaction {hash} has a signature that no key makes")]
    Signature {
        /// Hash of the transaction.
        hash: B256,
    },
    /// A Merkle proof does not lead from the root to a value at the key.
    #[error("proof of entry {index} of the {trie}: {detail}")]
    Proof {
        /// Which list.
        trie: Trie,
        /// Place in the list.
        index: u32,
        /// What does not fit.
        detail: &'static str,
    },
    /// The list, or the receipt, has no such entry.
    #[error("there is no {what} {index}: there are {count}")]
    NoEntry {
        /// What was asked for.
        what: &'static str,
        /// Its index.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl Error {
    /// What may be done about it: the same bytes fail again, so ask another endpoint.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::BadData
    }

    /// The kind of incident that it is, when a node's answer fails so.
    pub fn incident(&self) -> IncidentKind {
        match self {
            Self::HeaderHash { .. } | Self::HeaderFields { .. } => IncidentKind::HeaderHash,
            Self::ParentLink { .. } => IncidentKind::ParentLink,
            Self::HeaderBloom { .. } => IncidentKind::Bloom,
            Self::Root { trie, .. } | Self::Proof { trie, .. } => match trie {
                Trie::Receipts => IncidentKind::ReceiptsRoot,
                Trie::Transactions => IncidentKind::TransactionsRoot,
            },
            Self::ReceiptField { .. } | Self::HashField { .. } | Self::Count { .. } => {
                IncidentKind::ReceiptsRoot
            }
            Self::TransactionHash { .. } => IncidentKind::TransactionsRoot,
            Self::Sender { .. } | Self::Signature { .. } => IncidentKind::Sender,
            Self::Malformed { .. } | Self::UnknownType { .. } | Self::NoEntry { .. } => {
                IncidentKind::MalformedAnswer
            }
        }
    }

    /// Text or bytes that cannot be read.
    pub(crate) fn malformed(what: &'static str, detail: impl std::fmt::Display) -> Self {
        let words = detail.to_string();
        let printable = |character: char| if character.is_control() { ' ' } else { character };
        let detail: String = words.chars().take(DETAIL_CHARS_MAX).map(printable).collect();
        Self::Malformed { what, detail: detail.into() }
    }
}

/// How much of a reader's words is kept: they quote what was read, which may be megabytes of anything.
const DETAIL_CHARS_MAX: usize = 200;

/// The names as they were sent may hold anything: they are shown escaped.
fn unknown_fields(names: &[Box<str>]) -> String {
    if names.is_empty() { String::new() } else { format!("; unknown header field {names:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: B256 = B256::ZERO;

    fn check(cases: impl IntoIterator<Item = (Error, IncidentKind, &'static str)>) {
        for (error, incident, text) in cases {
            assert!(error.to_string().starts_with(text), "{error}");
            assert_eq!((error.incident(), error.class()), (incident, ErrorClass::BadData), "{error}");
        }
    }

    #[test]
    fn an_error_about_a_header_says_what_disagrees() {
        let parent = BlockRef { number: 7, hash: ZERO };
        let (hash, link) = (IncidentKind::HeaderHash, IncidentKind::ParentLink);
        check([
            (
                Error::HeaderHash { claimed: ZERO, computed: ZERO, unknown: vec![] },
                hash,
                "header hashes to 0x",
            ),
            (Error::HeaderFields { present: "b", missing: "a" }, hash, "header has b without a"),
            (Error::ParentLink { number: 9, parent_hash: ZERO, parent }, link, "block 9 names its parent 0x"),
            (
                Error::HeaderBloom { block: ZERO },
                IncidentKind::Bloom,
                "the logs of the receipts make another bloom",
            ),
        ]);
    }

    #[test]
    fn an_error_about_a_list_says_where_it_disagrees() {
        let (receipts, transactions) = (IncidentKind::ReceiptsRoot, IncidentKind::TransactionsRoot);
        let root = |trie| Error::Root { trie, header: ZERO, computed: ZERO };
        let field = Error::ReceiptField { index: 3, field: "logIndex", expected: 4, got: 5 };
        let hash = Error::HashField { index: 3, field: "blockHash", expected: ZERO, got: ZERO };
        let proof = Error::Proof { trie: Trie::Receipts, index: 3, detail: "why" };
        check([
            (root(Trie::Receipts), receipts, "the receipts hash to 0x"),
            (root(Trie::Transactions), transactions, "the transactions hash to 0x"),
            (field, receipts, "receipt 3: logIndex is 5, the block implies 4"),
            (hash, receipts, "receipt 3: blockHash is 0x"),
            (Error::Count { receipts: 2, transactions: 1 }, receipts, "2 receipts for 1 transactions"),
            (proof, receipts, "proof of entry 3 of the receipts: why"),
        ]);
    }

    #[test]
    fn an_error_about_one_entry_says_which_and_why() {
        let (claimed, recovered) = (Address::ZERO, Address::repeat_byte(1));
        let (malformed, sender) = (IncidentKind::MalformedAnswer, IncidentKind::Sender);
        let another = Error::TransactionHash { claimed: ZERO, computed: ZERO };
        let unknown = Error::UnknownType { what: "receipt", tx_type: 126 };
        let none = Error::NoEntry { what: "entry", index: 3, count: 3 };
        check([
            (Error::malformed("header", "why"), malformed, "header cannot be read: why"),
            (unknown, malformed, "receipt type 0x7e is not known"),
            (none, malformed, "there is no entry 3: there are 3"),
            (another, IncidentKind::TransactionsRoot, "transaction hashes to 0x"),
            (Error::Sender { hash: ZERO, claimed, recovered }, sender, "transaction 0x"),
            (Error::Signature { hash: ZERO }, sender, "transaction 0x"),
        ]);
    }
}
