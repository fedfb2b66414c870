//! Restart: rows of the state as they stood at `state_at`, and what people were told by then; and the past.

use super::client::{Client, patiently};
use super::columns::from_kept;
use super::moment::{Filters, Moment, kept};
use super::taken::Before;
use crate::error::{Error, Result};
use crate::order::key_columns;
use crate::past::{add, wanted};
use crate::told::{Last, add_revisions, read_notices};
use crate::{Batches, Recovery};
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::Sequence;
use model::error::ErrorClass;
use model::past::rows::STEP_COLUMNS;
use model::past::{Newest, PAST_STEPS_MAX, Past, PastQuery};
use model::tables::Table;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the state of one chain may take to read.
const RESTORE_WITHIN: Duration = Duration::from_secs(6 * 3600);

/// Batches that wait to be taken in.
const BATCHES_AHEAD: usize = 4;

/// Rows of `state` or `alerts` of a chain as they stood at `at`, in the order of the keys.
pub(super) async fn rows(
    client: &Client,
    moment: &Moment,
    table: Table,
    (chain, at): (ChainId, &Recovery),
) -> Result<Batches> {
    let moment = Moment { final_only: true, ..moment.clone() };
    let schema = table.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut filters = Filters::default();
    let of_chain = format!("chain = {chain}");
    match table {
        Table::State => {
            filters.on_key = vec![of_chain, format!("sequence <= {}", at.state_at.sequence)];
            // An entry that was removed leaves a row without a value.
            filters.any = vec!["isNotNull(value)".to_owned()];
        }
        _ => filters.any = vec![of_chain],
    }
    let order = key_columns(table).join(", ");
    let sql = format!("{} ORDER BY {order}", moment.select(table, &names, &filters));
    // Whoever takes the rows in sets the pace: a state of a hundred million packs takes its time.
    let client = client.for_long(RESTORE_WITHIN);
    let begin = || async {
        let mut rows = client.rows(&sql)?;
        Ok((Ok(rows.next().await?), rows))
    };
    let (mut next, mut rows) = patiently(begin).await?;
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    tokio::spawn(async move {
        loop {
            let batch = next.and_then(|next| next.map(|batch| from_kept(&batch, &schema)).transpose());
            let is_last = !matches!(batch, Ok(Some(_)));
            if sender.send(batch).await.is_err() || is_last {
                return;
            }
            next = rows.next().await;
        }
    });
    Ok(Box::new(Received(receiver)))
}

/// Batches that a task fetches. Asking for one blocks until it is there. Only `None` from the task is the end: one that
/// fell silent has not fetched all.
struct Received(mpsc::Receiver<Result<Option<RecordBatch>>>);

impl Iterator for Received {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let silent =
            || Err(Error::Closed("the task that reads the state has ended before its end".to_owned()));
        self.0.blocking_recv().unwrap_or_else(silent).transpose()
    }
}

/// The highest revision of each case that people were told of by `at`.
pub(super) async fn revisions(
    client: &Client,
    moment: &Moment,
    (chain, at): (ChainId, &Recovery),
) -> Result<Vec<(CaseKey, u32)>> {
    let sql = format!(
        "SELECT case_key, max(revision) AS revision FROM {} WHERE {} AND chain = {chain} AND stream_sequence <= {} \
         GROUP BY case_key",
        kept(Table::Notices),
        moment.condition(Table::Notices),
        at.state_at.sequence
    );
    let mut highest = BTreeMap::new();
    for rows in client.rows(&sql)?.all(&notice_columns(&["case_key", "revision"])?).await? {
        add_revisions(&mut highest, &rows);
    }
    Ok(highest.into_iter().collect())
}

/// The last notice of each case across chains.
pub(super) async fn told_across(client: &Client, moment: &Moment) -> Result<Vec<Notice>> {
    let names = ["case_key", "revision", "kind", "alert"];
    let sql = format!(
        "SELECT {} FROM {} WHERE {} AND chain = {} ORDER BY case_key, revision DESC LIMIT 1 BY case_key",
        names.join(", "),
        kept(Table::Notices),
        moment.condition(Table::Notices),
        ChainId::ACROSS
    );
    let mut last = Last::default();
    for rows in client.rows(&sql)?.all(&notice_columns(&names)?).await? {
        last.add_rows(&rows);
    }
    last.notices()
}

/// What was told with changes that will be read again: those after `state_at` of each chain.
pub(super) async fn told_since(client: &Client, moment: &Moment) -> Result<Before> {
    let mut before = Before::new();
    let schema = Table::Notices.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    for (chain, stand) in &moment.body.chains {
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND chain = {chain} AND stream_sequence > {} ORDER BY stream_sequence, ordinal",
            names.join(", "),
            kept(Table::Notices),
            moment.condition(Table::Notices),
            stand.marks.state_at.sequence
        );
        for rows in client.rows(&sql)?.all(&schema).await? {
            for (chain, sequence, notice) in read_notices(&rows)? {
                before.entry((chain, sequence)).or_default().push(notice);
            }
        }
    }
    Ok(before)
}

/// The steps of a chain that a query asks for, up to a place of its stream: those that are committed, and those in
/// `waiting`. `moment` names as dead what the chain had taken back by then.
pub(super) async fn past<'a>(
    client: &Client,
    moment: &Moment,
    (chain, upto, query): (ChainId, Sequence, &PastQuery),
    waiting: impl Iterator<Item = &'a RecordBatch>,
) -> Result<Past> {
    let kinds: Vec<String> = query.kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {} AND chain = {chain} AND sequence <= {upto} AND block_number <= {} AND block_time >= {} \
         AND kind IN ({})",
        STEP_COLUMNS.join(", "),
        kept(Table::Events),
        moment.condition(Table::Events),
        query.after,
        query.earliest_block_secs(),
        kinds.join(", ")
    );
    let events = Table::Events.schema();
    let fields = STEP_COLUMNS.iter().map(|name| Ok(events.field_with_name(name)?.clone()));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?));
    let mut newest = Newest::new(PAST_STEPS_MAX);
    let mut take = |rows: &RecordBatch| {
        let wanted = wanted(query, rows)?;
        add(&mut newest, rows, |row| wanted.value(row))
    };
    waiting.into_iter().try_for_each(&mut take)?;
    let mut rows = client.rows(&sql)?;
    while let Some(batch) = rows.next().await? {
        take(&from_kept(&batch, &schema)?)?;
    }
    Ok(newest.finish(query.after))
}

fn notice_columns(names: &[&str]) -> Result<SchemaRef> {
    let notices = Table::Notices.schema();
    let fields = names.iter().map(|name| notices.field_with_name(name).cloned());
    let fields = fields.collect::<std::result::Result<Vec<_>, _>>().map_err(|cause| Error::ClickHouse {
        action: "read notices",
        detail: cause.to_string(),
        class: ErrorClass::Fatal,
    })?;
    Ok(Arc::new(Schema::new(fields)))
}
