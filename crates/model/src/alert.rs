//! Alerts, cases and notices: what was found, under which name, and what people were told.
//!
//! A *case* is what [`CaseKey`] names. Its current form is one [`Alert`] row. Every transition that people
//! may have been told of is a [`Notice`], with a revision that only grows: a reorg withdraws a case by a
//! notice, and a re-mined transaction opens it again under the same key.

use crate::chain::{ChainId, LogPosition};
use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Code of a rule, as `ID-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleCode(pub &'static str);

impl fmt::Display for RuleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How bad, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For operations and statistics.
    Low,
    /// Look at it.
    Medium,
    /// Investigate.
    High,
    /// Stop supply; regulator and maker are told.
    Critical,
}

impl Severity {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| format!("'{text}' is none of low, medium, high, critical"))
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// An explanation may still come: the deadline has not passed.
    InGrace,
    /// It stands.
    Standing,
    /// What came later explains it (an upload, a void, a registry correction).
    Explained,
}

impl Standing {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InGrace => "in_grace",
            Self::Standing => "standing",
            Self::Explained => "explained",
        }
    }
}

/// Why a finding no longer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainedAs {
    /// A step that was uploaded late shows that it was no contradiction.
    DataUpload,
    /// The registry was told later what held then.
    RegistryCorrected,
}

impl ExplainedAs {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataUpload => "data_upload",
            Self::RegistryCorrected => "registry_corrected",
        }
    }
}

impl FromStr for ExplainedAs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::DataUpload, Self::RegistryCorrected]
            .into_iter()
            .find(|word| word.as_str() == text)
            .ok_or_else(|| format!("'{text}' is none of data_upload, registry_corrected"))
    }
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// An item, by the text of its key.
    Item(String),
    /// A contract.
    Contract(Address),
    /// A lot, by the text of its key.
    Lot(String),
    /// An address, or a GLN where the registry knows the party.
    Party(String),
    /// A product, by its GTIN-14: what a storm is about.
    Product(String),
    /// A transaction, by its hash in hex: what a storm is about.
    Transaction(String),
}

impl Subject {
    /// The kind's name in tables.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Item(_) => "item",
            Self::Contract(_) => "contract",
            Self::Lot(_) => "lot",
            Self::Party(_) => "party",
            Self::Product(_) => "product",
            Self::Transaction(_) => "transaction",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(text)
            | Self::Lot(text)
            | Self::Party(text)
            | Self::Product(text)
            | Self::Transaction(text) => f.write_str(text),
            Self::Contract(address) => write!(f, "{address}"),
        }
    }
}

/// Names a case. The same after a reorg that mines the transaction again, so that people's work is not orphaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseKey(pub B256);

impl CaseKey {
    /// The case of the `ordinal`th finding of `rule` about `subject` in a transaction.
    pub fn of_transaction(rule: RuleCode, subject: &Subject, chain: ChainId, tx: B256, ordinal: u32) -> Self {
        Self::hash(&[
            rule.0.as_bytes(),
            &subject_bytes(subject),
            &chain.0.to_be_bytes(),
            &tx.0,
            &ordinal.to_be_bytes(),
        ])
    }

    /// The case of a timer of `rule` about `subject`: what started it, and when it was due.
    pub fn of_timer(rule: RuleCode, subject: &Subject, cause: B256, deadline_secs: i64) -> Self {
        Self::hash(&[
            rule.0.as_bytes(),
            &subject_bytes(subject),
            b"timer",
            &cause.0,
            &deadline_secs.to_be_bytes(),
        ])
    }

    /// The case of the `ordinal`th finding of `rule` about `subject` in a transaction, where the finding rests on
    /// facts of other chains too. It is another case than what the chain alone tells of the same transaction.
    pub fn across_chains(rule: RuleCode, subject: &Subject, chain: ChainId, tx: B256, ordinal: u32) -> Self {
        Self::hash(&[
            rule.0.as_bytes(),
            &subject_bytes(subject),
            b"across",
            &chain.0.to_be_bytes(),
            &tx.0,
            &ordinal.to_be_bytes(),
        ])
    }

    /// Each part is preceded by its length, so that no two lists of parts hash the same bytes.
    fn hash(parts: &[&[u8]]) -> Self {
        let mut bytes = Vec::with_capacity(160);
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(keccak256(bytes))
    }

    /// SQL that lists the cases which hang under this one.
    pub fn members_query(&self) -> String {
        let key = alloy_primitives::hex::encode_prefixed(self.0);
        format!("SELECT * FROM alerts WHERE root = '{key}' ORDER BY raised_at")
    }

    /// The first 12 hex digits: enough to tell cases apart by eye.
    pub fn short(&self) -> String {
        alloy_primitives::hex::encode(&self.0[..6])
    }
}

fn subject_bytes(subject: &Subject) -> Vec<u8> {
    format!("{}:{subject}", subject.kind()).into_bytes()
}

/// An alert as it stands: one row of `alerts`, one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The case.
    pub case_key: CaseKey,
    /// The rule's code.
    pub rule: String,
    /// The rule's version.
    pub rule_version: u32,
    /// How bad, in the item's regime.
    pub severity: Severity,
    /// Where it stands.
    pub standing: Standing,
    /// What it is about.
    pub subject: Subject,
    /// The item, where the subject is one or is about one.
    pub item: Option<String>,
    /// The chain of the event that raised it.
    pub chain: ChainId,
    /// The event that raised it.
    pub position: LogPosition,
    /// Its transaction.
    pub tx_hash: B256,
    /// Block time at which it was raised (a timer: its deadline), Unix seconds.
    pub raised_at_secs: i64,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub came: String,
    /// Who is accused: address, or GLN where known. Empty when undetermined.
    pub accused: Option<String>,
    /// Whose goods or identity are concerned.
    pub victim: Option<String>,
    /// Who saw it.
    pub witness: Option<String>,
    /// Case that this one hangs under; `None` for a root.
    pub root: Option<CaseKey>,
    /// How many alerts it took in (storms, quotas), those that were counted and not expanded among them.
    pub members: u64,
    /// SQL that lists the members that were expanded; `None` where there are none.
    pub members_query: Option<String>,
    /// Judged again on later knowledge.
    pub retroactive: bool,
    /// Why it no longer stands; `None` while it does.
    pub explained_as: Option<ExplainedAs>,
    /// Parameters that the rule ran with, as `name=value` sorted by name.
    pub parameters: String,
    /// Positions of the logs that prove it, the raising one included, ascending.
    pub evidence: Vec<(ChainId, LogPosition)>,
}

/// What a notice says of its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A new case, or one that came back after it was withdrawn.
    Opened,
    /// Severity, standing, root or members changed.
    Changed,
    /// Explained by what came later.
    Closed,
    /// The chain took back what it rested on.
    Withdrawn,
    /// Every block that it rests on is final.
    Final,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Opened, Self::Changed, Self::Closed, Self::Withdrawn, Self::Final];

    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Final => "final",
        }
    }
}

/// One transition of a case, durable before anyone is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The case.
    pub case_key: CaseKey,
    /// Counts the notices of a case, from 1.
    pub revision: u32,
    /// What happened to it.
    pub kind: NoticeKind,
    /// The alert as it stands; as it stood before, when withdrawn.
    pub alert: Alert,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_by_what_it_is_and_not_by_its_block() {
        let item = Subject::Item("01/04012345123456/21/A".into());
        let key = |rule, subject: &Subject, tx, ordinal| {
            CaseKey::of_transaction(RuleCode(rule), subject, ChainId(1), B256::repeat_byte(tx), ordinal)
        };
        let base = key("ID-01", &item, 1, 0);
        assert_eq!(base, key("ID-01", &item, 1, 0));
        let lot = Subject::Lot("01/04012345123456/21/A".into());
        for other in [
            key("ID-02", &item, 1, 0),
            key("ID-01", &lot, 1, 0),
            key("ID-01", &item, 2, 0),
            key("ID-01", &item, 1, 1),
        ] {
            assert_ne!(base, other);
        }
    }
}
