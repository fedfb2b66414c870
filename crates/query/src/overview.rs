//! How the whole thing stands: chains with what was read of them, open cases, and what went wrong lately.

use crate::error::Result;
use crate::moment::Moment;
use crate::snapshot::SnapshotName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Incidents that are told.
const INCIDENTS: usize = 50;

/// How the whole thing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// Version of the program that answers.
    pub version: &'static str,
    /// The chains.
    pub chains: Vec<ChainState>,
    /// Open roots by severity.
    pub alerts: BTreeMap<String, u64>,
    /// What went wrong, newest first.
    pub incidents: Vec<Incident>,
}

/// A chain with what was read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChainState {
    /// EIP-155 chain id.
    pub chain: u64,
    /// The last block that was read.
    pub head: Option<u64>,
    /// Time of the newest block that carries logs of ours.
    pub head_time: Option<String>,
    /// The last block that can no longer change.
    pub finalized: Option<u64>,
    /// Events.
    pub events: u64,
    /// Items.
    pub items: u64,
    /// Logs that are no events.
    pub dead_letters: u64,
}

/// Something that went wrong while a chain was read: columns of `incidents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Incident {
    pub chain: u64,
    pub block_number: Option<u64>,
    pub kind: String,
    pub endpoint: String,
    pub detail: String,
}

#[derive(Deserialize)]
struct OfChain {
    chain: u64,
    n: u64,
    newest: Option<String>,
}

#[derive(Deserialize)]
struct OfSeverity {
    severity: String,
    n: u64,
}

/// How the whole thing stands.
///
/// # Errors
/// Every error of a question.
pub async fn overview(moment: &Moment<'_>) -> Result<Overview> {
    let snapshot = moment.name();
    let mut chains: BTreeMap<u64, ChainState> = BTreeMap::new();
    for chain in &snapshot.chains {
        let (head, finalized) =
            (chain.head.map(|block| block.number), chain.finalized.map(|block| block.number));
        let state = ChainState { chain: chain.chain, head, finalized, ..ChainState::default() };
        chains.insert(chain.chain, state);
    }
    for (table, put) in COUNTED {
        let newest = if table == "blocks" { "max(time)" } else { "NULL" };
        let sql = format!(
            "SELECT chain, count(*) AS n, {newest} AS newest FROM {table} GROUP BY chain ORDER BY chain"
        );
        let rows: Vec<OfChain> = moment.rows(&sql).await?;
        for row in rows {
            if let Some(chain) = chains.get_mut(&row.chain) {
                put(chain, row);
            }
        }
    }
    let sql = "SELECT severity, count(*) AS n FROM alerts WHERE root IS NULL AND standing <> 'explained' \
               GROUP BY severity ORDER BY severity";
    let open: Vec<OfSeverity> = moment.rows(sql).await?;
    let mut alerts: BTreeMap<String, u64> =
        ["low", "medium", "high", "critical"].into_iter().map(|severity| (severity.to_owned(), 0)).collect();
    alerts.extend(open.into_iter().map(|row| (row.severity, row.n)));
    let sql = format!(
        "SELECT chain, block_number, kind, endpoint, detail FROM incidents \
         ORDER BY stream_sequence DESC, chain, ordinal DESC LIMIT {INCIDENTS}"
    );
    let incidents = moment.rows(&sql).await?;
    Ok(Overview {
        snapshot,
        version: env!("CARGO_PKG_VERSION"),
        chains: chains.into_values().collect(),
        alerts,
        incidents,
    })
}

/// Where a count goes.
type Put = fn(&mut ChainState, OfChain);

/// What is counted of each chain, and where the count goes.
const COUNTED: [(&str, Put); 4] = [
    ("blocks", |chain, row| chain.head_time = row.newest),
    ("events", |chain, row| chain.events = row.n),
    ("items", |chain, row| chain.items = row.n),
    ("dead_letters", |chain, row| chain.dead_letters = row.n),
];
