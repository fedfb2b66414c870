//! What was taken and waits for the next commit. Pure: it becomes rows with the id of an attempt, as often as it takes.

use super::columns::{gone_rows, repeated, to_kept};
use crate::error::Result;
use crate::forms::Form;
use crate::order::RunRows;
use crate::rows::alert_rows;
use crate::told::{Told, told_rows};
use arrow_array::{ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, UInt64Array};
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::{Table, TableKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one table that one change brought.
#[derive(Debug)]
struct Rows {
    table: Table,
    chain: ChainId,
    sequence: u64,
    rows: RecordBatch,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    rows: Vec<Rows>,
    /// Forms of cases, in the order in which they came to be.
    forms: Vec<(CaseKey, Form)>,
    told: Vec<Told>,
    /// Changes, rows, forms and what was told, counted together.
    count: usize,
}

impl Waiting {
    /// Does nothing wait?
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How much waits: each change, row, form of a case, notice and incident counts as one.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A change was taken, if it only moves a position.
    pub(super) fn add_change(&mut self) {
        self.count += 1;
    }

    /// Takes rows of a change. Of a key that it wrote more than once the last counts.
    pub(super) fn add(
        &mut self,
        table: Table,
        chain: ChainId,
        sequence: u64,
        rows: &RecordBatch,
    ) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let rows = match table.spec().kind {
            TableKind::Append => rows.clone(),
            TableKind::Upsert { .. } => RunRows::new(table, std::slice::from_ref(rows))?.whole()?,
        };
        self.count += rows.num_rows();
        self.rows.push(Rows { table, chain, sequence, rows });
        Ok(())
    }

    /// Takes what a change did to a case.
    pub(super) fn add_form(&mut self, case_key: CaseKey, form: Form) {
        self.count += 1;
        self.forms.push((case_key, form));
    }

    /// Takes what was told with a change.
    pub(super) fn add_told(&mut self, told: Told) {
        if !told.is_empty() {
            self.count += told.notices.len() + told.incidents.len();
            self.told.push(told);
        }
    }

    /// Drops rows of changes of a chain from `first` on: the chain took their blocks back before anyone saw them.
    pub(super) fn drop_from(&mut self, chain: ChainId, first: u64) {
        let dropped = self.rows.extract_if(.., |rows| rows.chain == chain && rows.sequence >= first);
        self.count -= dropped.map(|rows| rows.rows.num_rows()).sum::<usize>();
    }

    /// Events of a chain that wait.
    pub(super) fn events(&self, chain: ChainId) -> impl Iterator<Item = &RecordBatch> {
        let events = self.rows.iter().filter(move |rows| rows.table == Table::Events && rows.chain == chain);
        events.map(|rows| &rows.rows)
    }

    /// Everything as rows of commit `commit`, as they are kept.
    pub(super) fn kept(&self, commit: u64) -> Result<BTreeMap<Table, Vec<RecordBatch>>> {
        let mut kept: BTreeMap<Table, Vec<RecordBatch>> = BTreeMap::new();
        for Rows { table, sequence, rows, .. } in &self.rows {
            let extra = vec![repeated(commit, rows.num_rows()), repeated(*sequence, rows.num_rows())];
            kept.entry(*table).or_default().push(to_kept(*table, rows, extra)?);
        }
        for told in &self.told {
            let (notices, incidents) = told_rows(&[told])?;
            for (table, rows) in [(Table::Notices, notices), (Table::Incidents, incidents)] {
                if rows.num_rows() > 0 {
                    let extra =
                        vec![repeated(commit, rows.num_rows()), repeated(told.sequence(), rows.num_rows())];
                    kept.entry(table).or_default().push(to_kept(table, &rows, extra)?);
                }
            }
        }
        let cases = self.cases(commit)?;
        if !cases.is_empty() {
            kept.insert(Table::Alerts, cases);
        }
        Ok(kept)
    }

    /// Forms of cases as rows, those that are no more apart.
    fn cases(&self, commit: u64) -> Result<Vec<RecordBatch>> {
        let forms = || (0u64..).zip(&self.forms);
        let there: Vec<_> = forms().filter(|(_, (_, form))| form.alert.is_some()).collect();
        let gone: Vec<_> = forms().filter(|(_, (_, form))| form.alert.is_none()).collect();
        let mut cases = Vec::new();
        if !there.is_empty() {
            let alerts = there.iter().filter_map(|(_, (_, form))| Some((form.alert.as_ref()?, form.updated)));
            cases.push(to_kept(Table::Alerts, &alert_rows(alerts)?, case_extras(commit, &there))?);
        }
        if !gone.is_empty() {
            let keys = gone.iter().map(|(_, (case_key, _))| case_key.0.0);
            let keys: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter(keys)?);
            cases.push(to_kept(Table::Alerts, &gone_rows(keys)?, case_extras(commit, &gone))?);
        }
        Ok(cases)
    }
}

/// The columns beside those of `alerts`, in their order.
fn case_extras(commit: u64, forms: &[(u64, &(CaseKey, Form))]) -> Vec<ArrayRef> {
    let numbers = |number: &dyn Fn(&Form) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(forms.iter().map(|(_, (_, form))| number(form))))
    };
    let flags = |flag: &dyn Fn(&Form) -> bool| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(forms.iter().map(|(_, (_, form))| Some(flag(form)))))
    };
    vec![
        repeated(commit, forms.len()),
        numbers(&|form| form.sequence),
        numbers(&|form| form.chain.0),
        Arc::new(UInt64Array::from_iter_values(forms.iter().map(|(place, _)| *place))),
        flags(&|form| form.alert.is_none()),
        flags(&Form::rests_on_own_chain),
    ]
}
