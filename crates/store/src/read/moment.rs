//! One moment of the store: which segments are live, and what is in memory beside them.

use super::Head;
use crate::chain::{Chain, Entry};
use crate::error::Result;
use crate::forms::Form;
use crate::order::RunRows;
use crate::parquet::manifest::Segments;
use crate::rows::{Versioned, alert_rows};
use crate::told::Told;
use crate::told::told_rows;
use crate::versions::Versions;
use arrow_array::RecordBatch;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::{Table, TableKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Everything that a snapshot shows. It never changes.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    /// Number of the last record of the commit log.
    pub(crate) commit: u64,
    /// What rows were made by.
    pub(crate) versions: Versions,
    /// Where each chain stands.
    pub(crate) heads: BTreeMap<ChainId, Head>,
    /// Live segments.
    pub(crate) segments: Arc<Segments>,
    /// Cases whose rows in files do not count.
    pub(crate) hidden: Arc<BTreeSet<CaseKey>>,
    /// Final rows that are not in files, in the order of their changes.
    pub(crate) finals: Vec<Arc<Entry>>,
    /// Rows that may still go, chain by chain.
    pub(crate) open: Vec<Arc<Entry>>,
    /// What was told and is not in files.
    pub(crate) told: Vec<Arc<Told>>,
    /// The newest form of each case that is not in files.
    pub(crate) cases: Vec<(CaseKey, Arc<Form>)>,
    /// The same, as final blocks alone leave it.
    pub(crate) final_cases: Vec<(CaseKey, Arc<Form>)>,
    /// Rows in memory of each table, made when first asked for.
    pub(crate) memory: [OnceLock<Arc<Memory>>; Table::ALL.len()],
}

/// Rows in memory of one table, chain by chain. Of an upserted table each chain has one run.
pub(crate) type Memory = BTreeMap<ChainId, Vec<RecordBatch>>;

impl Moment {
    /// The same moment without rows that may still go.
    pub(crate) fn final_only(&self) -> Self {
        let heads =
            self.heads.iter().map(|(id, head)| (*id, Head { tip: head.finalized, ..*head })).collect();
        Self {
            commit: self.commit,
            versions: self.versions.clone(),
            heads,
            segments: self.segments.clone(),
            hidden: self.hidden.clone(),
            finals: self.finals.clone(),
            open: Vec::new(),
            told: self.told.clone(),
            cases: self.final_cases.clone(),
            final_cases: self.final_cases.clone(),
            memory: Default::default(),
        }
    }

    /// Rows of a table in memory.
    pub(crate) fn memory(&self, table: Table) -> Result<Arc<Memory>> {
        let slot = &self.memory[table as usize];
        if let Some(memory) = slot.get() {
            return Ok(memory.clone());
        }
        let memory = Arc::new(self.gather(table)?);
        Ok(slot.get_or_init(|| memory).clone())
    }

    /// Cases whose rows in files must not be seen: what is in memory says that they are no more.
    pub(crate) fn gone(&self) -> BTreeSet<CaseKey> {
        let gone = self.cases.iter().filter(|(_, form)| form.alert.is_none()).map(|(case_key, _)| *case_key);
        self.hidden.iter().copied().chain(gone).collect()
    }

    fn gather(&self, table: Table) -> Result<Memory> {
        let mut memory = match table {
            Table::Notices | Table::Incidents => self.gather_told(table)?,
            Table::Alerts => self.gather_alerts()?,
            _ => self.gather_rows(table),
        };
        if matches!(table.spec().kind, TableKind::Upsert { .. }) {
            for batches in memory.values_mut() {
                *batches = vec![RunRows::new(table, batches)?.whole()?];
            }
        }
        Ok(memory)
    }

    fn gather_rows(&self, table: Table) -> Memory {
        let mut memory = Memory::new();
        for entry in self.finals.iter().chain(&self.open) {
            for (_, batch) in entry.rows.iter().filter(|(of, _)| *of == table) {
                memory.entry(entry.chain).or_default().push(batch.clone());
            }
        }
        memory
    }

    fn gather_told(&self, table: Table) -> Result<Memory> {
        let mut memory = Memory::new();
        let chains: BTreeSet<ChainId> = self.told.iter().map(|told| told.chain).collect();
        for chain in chains {
            let told: Vec<&Told> =
                self.told.iter().map(|told| &**told).filter(|told| told.chain == chain).collect();
            let (notices, incidents) = told_rows(&told)?;
            let rows = if table == Table::Notices { notices } else { incidents };
            if rows.num_rows() > 0 {
                memory.insert(chain, vec![rows]);
            }
        }
        Ok(memory)
    }

    fn gather_alerts(&self) -> Result<Memory> {
        let mut alerts: BTreeMap<ChainId, Vec<Versioned<'_>>> = BTreeMap::new();
        for (_, form) in &self.cases {
            if let Some(alert) = &form.alert {
                alerts.entry(alert.chain).or_default().push((alert, form.updated));
            }
        }
        alerts.into_iter().map(|(chain, alerts)| Ok((chain, vec![alert_rows(alerts)?]))).collect()
    }
}

/// What readers see of a chain.
pub(crate) fn head(chain: &Chain) -> Head {
    let (position, tip_time_secs) = chain.seen;
    Head {
        tip: position.tip,
        tip_time_secs,
        finalized: position.finalized,
        state_at: chain.marks.state_at,
        written_to: chain.marks.written_to,
    }
}
