//! Alerts, notices and incidents as rows of their tables, and alerts back from rows.

use crate::error::{Error, Result};
use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, StringBuilder, TimestampSecondBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampSecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use model::alert::{Alert, CaseKey, ExplainedAs, Notice, Severity, Standing, Subject};
use model::chain::{ChainId, LogPosition};
use model::incident::Incident;
use model::tables::Table;
use model::{Address, B256};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A row of `notices`, but for its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoticeRow {
    pub(crate) case_key: CaseKey,
    pub(crate) revision: u32,
    pub(crate) kind: String,
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) item: Option<String>,
    /// The alert as JSON.
    pub(crate) alert: String,
}

/// A row of `incidents`, but for its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IncidentRow {
    pub(crate) block: Option<u64>,
    pub(crate) kind: String,
    pub(crate) endpoint: String,
    pub(crate) detail: String,
}

impl NoticeRow {
    /// The row of a notice.
    pub(crate) fn new(notice: &Notice) -> Result<Self> {
        let alert = &notice.alert;
        Ok(Self {
            case_key: notice.case_key,
            revision: notice.revision,
            kind: notice.kind.as_str().into(),
            rule: alert.rule.clone(),
            severity: alert.severity.as_str().into(),
            item: alert.item.clone(),
            alert: serde_json::to_string(alert).map_err(|error| ArrowError::JsonError(error.to_string()))?,
        })
    }
}

impl IncidentRow {
    /// The row of an incident.
    pub(crate) fn new(incident: &Incident) -> Self {
        Self {
            block: incident.block,
            kind: incident.kind.as_str().into(),
            endpoint: incident.endpoint.clone(),
            detail: incident.detail.clone(),
        }
    }
}

/// Rows of one change with their place in the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a, R> {
    pub(crate) chain: ChainId,
    pub(crate) sequence: u64,
    pub(crate) rows: &'a [R],
}

/// Chain, sequence and ordinal of each row.
fn places<R>(placed: &[Placed<'_, R>]) -> Vec<ArrayRef> {
    let (mut chains, mut sequences, mut ordinals) =
        (UInt64Builder::new(), UInt64Builder::new(), UInt32Builder::new());
    for change in placed {
        for ordinal in 0..change.rows.len() {
            chains.append_value(change.chain.0);
            sequences.append_value(change.sequence);
            ordinals.append_value(ordinal as u32);
        }
    }
    vec![Arc::new(chains.finish()), Arc::new(sequences.finish()), Arc::new(ordinals.finish())]
}

/// Rows of `notices`.
pub(crate) fn notice_rows(placed: &[Placed<'_, NoticeRow>]) -> Result<RecordBatch> {
    let rows = || placed.iter().flat_map(|change| change.rows);
    let mut case_keys = FixedSizeBinaryBuilder::new(32);
    for row in rows() {
        case_keys.append_value(row.case_key.0)?;
    }
    let mut revisions = UInt32Builder::new();
    rows().for_each(|row| revisions.append_value(row.revision));
    let mut columns = places(placed);
    columns.extend([
        Arc::new(case_keys.finish()) as ArrayRef,
        Arc::new(revisions.finish()),
        Arc::new(rows().map(|row| Some(&row.kind)).collect::<StringArray>()),
        Arc::new(rows().map(|row| Some(&row.rule)).collect::<StringArray>()),
        Arc::new(rows().map(|row| Some(&row.severity)).collect::<StringArray>()),
        Arc::new(rows().map(|row| row.item.as_ref()).collect::<StringArray>()),
        Arc::new(rows().map(|row| Some(&row.alert)).collect::<StringArray>()),
    ]);
    Ok(RecordBatch::try_new(Table::Notices.schema(), columns)?)
}

/// Rows of `incidents`.
pub(crate) fn incident_rows(placed: &[Placed<'_, IncidentRow>]) -> Result<RecordBatch> {
    let rows = || placed.iter().flat_map(|change| change.rows);
    let mut blocks = UInt64Builder::new();
    rows().for_each(|row| blocks.append_option(row.block));
    let mut columns = places(placed);
    columns.extend([
        Arc::new(blocks.finish()) as ArrayRef,
        Arc::new(rows().map(|row| Some(&row.kind)).collect::<StringArray>()),
        Arc::new(rows().map(|row| Some(&row.endpoint)).collect::<StringArray>()),
        Arc::new(rows().map(|row| Some(&row.detail)).collect::<StringArray>()),
    ]);
    Ok(RecordBatch::try_new(Table::Incidents.schema(), columns)?)
}

/// An alert and the version of its row.
pub(crate) type Versioned<'a> = (&'a Alert, (u64, u32));

/// Rows of `alerts`: each alert with its version.
pub fn alert_rows<'a>(alerts: impl IntoIterator<Item = (&'a Alert, (u64, u32))>) -> Result<RecordBatch> {
    let mut columns = AlertColumns::default();
    for (alert, updated) in alerts {
        columns.push(alert, updated)?;
    }
    columns.finish()
}

struct AlertColumns {
    hashes: [FixedSizeBinaryBuilder; 3],
    texts: [StringBuilder; 15],
    numbers: [UInt64Builder; 4],
    small_numbers: [UInt32Builder; 4],
    raised_at: TimestampSecondBuilder,
    retroactive: BooleanBuilder,
}

impl Default for AlertColumns {
    fn default() -> Self {
        Self {
            hashes: std::array::from_fn(|_| FixedSizeBinaryBuilder::new(32)),
            texts: Default::default(),
            numbers: Default::default(),
            small_numbers: Default::default(),
            raised_at: TimestampSecondBuilder::new().with_timezone("UTC"),
            retroactive: BooleanBuilder::new(),
        }
    }
}

impl AlertColumns {
    fn push(&mut self, alert: &Alert, updated: (u64, u32)) -> Result<()> {
        let [case_key, tx_hash, root] = &mut self.hashes;
        case_key.append_value(alert.case_key.0)?;
        tx_hash.append_value(alert.tx_hash)?;
        match alert.root {
            Some(key) => root.append_value(key.0)?,
            None => root.append_null(),
        }
        let evidence: Vec<String> =
            alert.evidence.iter().map(|(chain, position)| format!("{chain}:{position}")).collect();
        let (subject, evidence) = (alert.subject.to_string(), evidence.join(" "));
        let texts: [Option<&str>; 15] = [
            Some(&alert.rule),
            Some(alert.severity.as_str()),
            Some(alert.standing.as_str()),
            Some(alert.subject.kind()),
            Some(&subject),
            alert.item.as_deref(),
            Some(&alert.expected),
            Some(&alert.came),
            alert.accused.as_deref(),
            alert.victim.as_deref(),
            alert.witness.as_deref(),
            alert.members_query.as_deref(),
            alert.explained_as.map(ExplainedAs::as_str),
            Some(&alert.parameters),
            Some(&evidence),
        ];
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_option(text));
        let numbers = [alert.chain.0, alert.position.block, alert.members, updated.0];
        self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.append_value(number));
        let small = [alert.rule_version, alert.position.log, alert.position.sub, updated.1];
        self.small_numbers.iter_mut().zip(small).for_each(|(column, number)| column.append_value(number));
        self.raised_at.append_value(alert.raised_at_secs);
        self.retroactive.append_value(alert.retroactive);
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let [case_key, tx_hash, root] = &mut self.hashes;
        let mut texts = self.texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let mut text =
            || texts.next().ok_or_else(|| ArrowError::ComputeError("an alert has 15 texts".into()));
        let [chain, block, members, updated_block] = &mut self.numbers;
        let [rule_version, log, sub, updated_log] = &mut self.small_numbers;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(case_key.finish()),
            text()?,
            Arc::new(rule_version.finish()),
            text()?,
            text()?,
            text()?,
            text()?,
            text()?,
            Arc::new(chain.finish()),
            Arc::new(block.finish()),
            Arc::new(log.finish()),
            Arc::new(sub.finish()),
            Arc::new(tx_hash.finish()),
            Arc::new(self.raised_at.finish()),
            text()?,
            text()?,
            text()?,
            text()?,
            text()?,
            Arc::new(root.finish()),
            Arc::new(members.finish()),
            text()?,
            Arc::new(self.retroactive.finish()),
            text()?,
            text()?,
            text()?,
            Arc::new(updated_block.finish()),
            Arc::new(updated_log.finish()),
        ];
        Ok(RecordBatch::try_new(Table::Alerts.schema(), columns)?)
    }
}

/// The alerts in rows of `alerts`, each with its version.
///
/// # Errors
/// When the rows are not those of [`alert_rows`].
pub fn read_alerts(rows: &RecordBatch) -> Result<Vec<(Alert, (u64, u32))>> {
    if rows.schema_ref() != &Table::Alerts.schema() {
        return Err(ArrowError::SchemaError("the columns are not those of alerts".into()).into());
    }
    let view = AlertView { rows };
    (0..rows.num_rows()).map(|row| view.get(row).ok_or_else(|| bad_alert(row))).collect()
}

fn bad_alert(row: usize) -> Error {
    ArrowError::ParseError(format!("row {row} is no alert")).into()
}

struct AlertView<'a> {
    rows: &'a RecordBatch,
}

impl<'a> AlertView<'a> {
    fn column(&self, name: &str) -> Option<&'a ArrayRef> {
        self.rows.column_by_name(name)
    }

    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        let column: &StringArray = self.column(name)?.as_string();
        column.is_valid(row).then(|| column.value(row))
    }

    fn owned(&self, name: &str, row: usize) -> Option<String> {
        self.text(name, row).map(str::to_owned)
    }

    fn number(&self, name: &str, row: usize) -> Option<u64> {
        Some(self.column(name)?.as_primitive::<UInt64Type>().value(row))
    }

    fn small_number(&self, name: &str, row: usize) -> Option<u32> {
        Some(self.column(name)?.as_primitive::<UInt32Type>().value(row))
    }

    fn hash(&self, name: &str, row: usize) -> Option<B256> {
        let column: &FixedSizeBinaryArray = self.column(name)?.as_fixed_size_binary();
        column.is_valid(row).then(|| B256::from_slice(column.value(row)))
    }

    fn get(&self, row: usize) -> Option<(Alert, (u64, u32))> {
        let position = LogPosition {
            block: self.number("block_number", row)?,
            log: self.small_number("log_index", row)?,
            sub: self.small_number("sub_index", row)?,
        };
        let alert = Alert {
            case_key: CaseKey(self.hash("case_key", row)?),
            rule: self.owned("rule", row)?,
            rule_version: self.small_number("rule_version", row)?,
            severity: self.text("severity", row)?.parse::<Severity>().ok()?,
            standing: standing(self.text("standing", row)?)?,
            subject: subject(self.text("subject_kind", row)?, self.text("subject", row)?)?,
            item: self.owned("item", row),
            chain: ChainId(self.number("chain", row)?),
            position,
            tx_hash: self.hash("tx_hash", row)?,
            raised_at_secs: self.column("raised_at")?.as_primitive::<TimestampSecondType>().value(row),
            expected: self.owned("expected", row)?,
            came: self.owned("came", row)?,
            accused: self.owned("accused", row),
            victim: self.owned("victim", row),
            witness: self.owned("witness", row),
            root: self.hash("root", row).map(CaseKey),
            members: self.number("members", row)?,
            members_query: self.owned("members_query", row),
            retroactive: self.column("retroactive")?.as_boolean().value(row),
            explained_as: self.text("explained_as", row).map(str::parse).transpose().ok()?,
            parameters: self.owned("parameters", row)?,
            evidence: self.text("evidence", row)?.split_whitespace().map(evidence).collect::<Option<_>>()?,
        };
        Some((alert, (self.number("updated_block", row)?, self.small_number("updated_log", row)?)))
    }
}

fn standing(text: &str) -> Option<Standing> {
    [Standing::InGrace, Standing::Standing, Standing::Explained]
        .into_iter()
        .find(|standing| standing.as_str() == text)
}

fn subject(kind: &str, text: &str) -> Option<Subject> {
    Some(match kind {
        "item" => Subject::Item(text.into()),
        "lot" => Subject::Lot(text.into()),
        "party" => Subject::Party(text.into()),
        "product" => Subject::Product(text.into()),
        "transaction" => Subject::Transaction(text.into()),
        "contract" => Subject::Contract(text.parse::<Address>().ok()?),
        _ => return None,
    })
}

/// `chain:block/log` or `chain:block/log.sub`.
fn evidence(text: &str) -> Option<(ChainId, LogPosition)> {
    let (chain, position) = text.split_once(':')?;
    let (block, log) = position.split_once('/')?;
    let (log, sub) = log.split_once('.').unwrap_or((log, "0"));
    let position = LogPosition { block: block.parse().ok()?, log: log.parse().ok()?, sub: sub.parse().ok()? };
    Some((ChainId(chain.parse().ok()?), position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::alert;

    #[test]
    fn alerts_come_back_as_they_went_in() {
        let plain = alert(1, "plain");
        let full = Alert {
            subject: Subject::Contract(Address::repeat_byte(7)),
            item: Some("01/04012345123456/21/A".into()),
            accused: Some("4012345000009".into()),
            victim: Some("4012345000016".into()),
            witness: Some("0x01".into()),
            root: Some(CaseKey(B256::repeat_byte(3))),
            standing: Standing::InGrace,
            severity: Severity::Critical,
            members: 3,
            members_query: Some(CaseKey(B256::repeat_byte(2)).members_query()),
            retroactive: true,
            explained_as: Some(ExplainedAs::RegistryCorrected),
            evidence: vec![
                (ChainId(1), LogPosition { block: 5, log: 6, sub: 0 }),
                (ChainId(10), LogPosition { block: 7, log: 8, sub: 9 }),
            ],
            ..alert(2, "full")
        };
        let rows = alert_rows([(&plain, (1, 2)), (&full, (3, 4))]).unwrap();
        assert_eq!(read_alerts(&rows).unwrap(), [(plain, (1, 2)), (full, (3, 4))]);
    }
}
