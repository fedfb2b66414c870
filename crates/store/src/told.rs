//! What was told with a change: its notices and incidents, as rows with their place in the stream.

use crate::error::{Error, Result};
use crate::rows::{IncidentRow, NoticeRow, Placed, incident_rows, notice_rows};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;
use model::B256;
use model::alert::{CaseKey, Notice, NoticeKind};
use model::chain::ChainId;
use model::change::Position;
use model::commit::Commit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was told with one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The chain.
    pub(crate) chain: ChainId,
    /// The stream after the change.
    pub(crate) position: Position,
    /// Rows of `notices`.
    pub(crate) notices: Vec<NoticeRow>,
    /// Rows of `incidents`.
    pub(crate) incidents: Vec<IncidentRow>,
}

impl Told {
    /// What a commit tells.
    pub(crate) fn of(commit: &Commit) -> Result<Self> {
        Ok(Self {
            chain: commit.chain,
            position: commit.position,
            notices: commit.notices.iter().map(NoticeRow::new).collect::<Result<_>>()?,
            incidents: commit.incidents.iter().map(IncidentRow::new).collect(),
        })
    }

    /// Place of the change in its stream.
    pub(crate) fn sequence(&self) -> u64 {
        self.position.sequence.0
    }

    /// A change that is read again must tell what it told before: people may know of it.
    ///
    /// # Errors
    /// [`Error::Diverged`] when it tells something else.
    pub(crate) fn is_what_was_told(&self, before: &[NoticeRow]) -> Result<()> {
        if self.notices == before {
            return Ok(());
        }
        let (sequence, now) = (self.sequence(), &self.notices);
        let detail = format!(
            "change {sequence} was read again and tells something else: before {before:?}, now {now:?}"
        );
        Err(Error::Diverged { chain: self.chain, detail })
    }

    /// Does it tell nothing?
    pub(crate) fn is_empty(&self) -> bool {
        self.notices.is_empty() && self.incidents.is_empty()
    }
}

/// Rows of `notices` and `incidents`.
pub(crate) fn told_rows(told: &[&Told]) -> Result<(RecordBatch, RecordBatch)> {
    let place = |told: &&Told| (told.chain, told.sequence());
    let notices: Vec<_> = told.iter().map(|told| (place(told), told.notices.as_slice())).collect();
    let notices: Vec<_> =
        notices.into_iter().map(|((chain, sequence), rows)| Placed { chain, sequence, rows }).collect();
    let incidents: Vec<_> = told
        .iter()
        .map(|told| Placed { chain: told.chain, sequence: told.sequence(), rows: told.incidents.as_slice() })
        .collect();
    Ok((notice_rows(&notices)?, incident_rows(&incidents)?))
}

/// The last notice of each case, while they are gathered.
#[derive(Default)]
pub(crate) struct Last(BTreeMap<CaseKey, (u32, String, String)>);

impl Last {
    /// Takes a notice.
    pub(crate) fn add(&mut self, case_key: CaseKey, revision: u32, (kind, alert): (&str, &str)) {
        let known = self.0.entry(case_key).or_default();
        if revision > known.0 {
            *known = (revision, kind.to_owned(), alert.to_owned());
        }
    }

    /// Takes rows of `case_key`, `revision`, `kind`, `alert`.
    pub(crate) fn add_rows(&mut self, rows: &RecordBatch) {
        let (keys, revisions) =
            (rows.column(0).as_fixed_size_binary(), rows.column(1).as_primitive::<UInt32Type>());
        let (kinds, alerts) = (rows.column(2).as_string::<i32>(), rows.column(3).as_string::<i32>());
        for row in 0..rows.num_rows() {
            let case_key = CaseKey(B256::from_slice(keys.value(row)));
            self.add(case_key, revisions.value(row), (kinds.value(row), alerts.value(row)));
        }
    }

    /// The last notice of each case.
    pub(crate) fn notices(self) -> Result<Vec<Notice>> {
        let notice = |(case_key, (revision, kind, alert)): (CaseKey, (u32, String, String))| {
            let kind = NoticeKind::ALL.into_iter().find(|known| known.as_str() == kind);
            let kind =
                kind.ok_or_else(|| ArrowError::ParseError(format!("case {case_key:?} has no kind")))?;
            let alert = serde_json::from_str(&alert)
                .map_err(|error| ArrowError::ParseError(format!("case {case_key:?}: {error}")))?;
            Ok(Notice { case_key, revision, kind, alert })
        };
        self.0.into_iter().map(notice).collect()
    }
}

/// Takes the highest revision of each case from rows of `case_key`, `revision`.
pub(crate) fn add_revisions(highest: &mut BTreeMap<CaseKey, u32>, rows: &RecordBatch) {
    let keys = rows.column(0).as_fixed_size_binary();
    let revisions = rows.column(1).as_primitive::<UInt32Type>();
    for (key, revision) in keys.iter().zip(revisions) {
        if let (Some(key), Some(revision)) = (key, revision) {
            let known = highest.entry(CaseKey(B256::from_slice(key))).or_default();
            *known = revision.max(*known);
        }
    }
}

/// Rows of `notices` by chain and change, each in its order.
///
/// # Errors
/// When the rows are not those of [`told_rows`].
pub(crate) fn read_notices(rows: &RecordBatch) -> Result<Vec<(ChainId, u64, NoticeRow)>> {
    if rows.schema_ref() != &model::tables::Table::Notices.schema() {
        return Err(ArrowError::SchemaError("the columns are not those of notices".into()).into());
    }
    let number = |column: usize| rows.column(column).as_primitive::<UInt64Type>();
    let text = |column: usize| rows.column(column).as_string::<i32>();
    let (keys, revisions) =
        (rows.column(3).as_fixed_size_binary(), rows.column(4).as_primitive::<UInt32Type>());
    let notice = |row: usize| NoticeRow {
        case_key: CaseKey(B256::from_slice(keys.value(row))),
        revision: revisions.value(row),
        kind: text(5).value(row).to_owned(),
        rule: text(6).value(row).to_owned(),
        severity: text(7).value(row).to_owned(),
        item: text(8).is_valid(row).then(|| text(8).value(row).to_owned()),
        alert: text(9).value(row).to_owned(),
    };
    Ok((0..rows.num_rows())
        .map(|row| (ChainId(number(0).value(row)), number(1).value(row), notice(row)))
        .collect())
}
