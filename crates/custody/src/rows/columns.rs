//! Columns: collected rows and changed entries as record batches in the schemas of [`model::tables`].

use super::{Interval, IntervalOf, Judged, Rows, ShipmentRow, registered, state_rows};
use crate::lineage::Descent;
use crate::state::{ChainState, Changed, ContractId, Item, State, StateRow, Token};
use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, RecordBatch, StringArray,
    TimestampSecondArray, UInt32Array, UInt64Array,
};
use arrow_schema::ArrowError;
use model::chain::ChainId;
use model::event::{DeadLetter, Event};
use model::item::{ItemKey, TokenStandard};
use model::segment::{LogsView, Segment};
use model::tables::Table;
use model::{Address, B256, U256};
use std::fmt::{Display, Write};
use std::sync::Arc;

type Batches = Vec<(Table, RecordBatch)>;

/// Everything that a segment adds, one batch a table, tables without rows left out.
///
/// # Errors
/// When columns do not fit their schema, which is a defect of ours.
pub fn batches(
    state: &ChainState,
    segment: &Segment,
    undecoded: &[DeadLetter],
    rows: Rows,
    changed: (&Changed, Vec<StateRow>),
) -> Result<Batches, ArrowError> {
    let chain = state.chain;
    let last = segment.last.number;
    let (ended, open): (Vec<Interval>, Vec<Interval>) = (rows.intervals, rows.open.into_values().collect());
    let intervals: Vec<Interval> = ended.into_iter().chain(open).collect();
    let (inside, held): (Vec<&Interval>, Vec<&Interval>) =
        intervals.iter().partition(|interval| matches!(interval.of, IntervalOf::Parent(_)));
    let sent: Vec<ShipmentRow> = rows.shipments.into_iter().chain(rows.sent.into_values()).collect();
    let descents = rows.lineage.finish();
    let letters: Vec<&DeadLetter> = undecoded.iter().chain(&rows.dead_letters).collect();
    let mut batches = vec![
        (Table::Blocks, blocks(chain, segment)?),
        (Table::Logs, logs(chain, segment)?),
        (Table::Events, events(chain, &rows.events)?),
        (Table::DeadLetters, dead_letters(chain, &letters)?),
        (Table::Items, items(state, &changed.0.items)?),
        (Table::Tokens, tokens(state, &changed.0.tokens)?),
        (Table::Custody, custody(chain, &held)?),
        (Table::Containment, containment(chain, &inside)?),
        (Table::Shipments, shipments(chain, &sent)?),
        (Table::Lineage, lineage(chain, &descents)?),
        (Table::Registry, registered::batch(chain, &rows.registered)?),
        (Table::State, state_rows(chain, &changed.1, last)?),
    ];
    batches.retain(|(_, batch)| batch.num_rows() > 0);
    Ok(batches)
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(table.schema(), columns)
}

fn u64s(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn u32s(values: impl IntoIterator<Item = u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(values))
}

fn opt_u64s(values: impl IntoIterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter(values))
}

fn opt_u32s(values: impl IntoIterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter(values))
}

fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampSecondArray::from_iter(values).with_timezone("UTC"))
}

fn hashes(values: impl Iterator<Item = Option<B256>>) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 32)?))
}

fn addresses(values: impl Iterator<Item = Option<Address>>) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 20)?))
}

fn words(values: impl Iterator<Item = Option<U256>>) -> Result<ArrayRef, ArrowError> {
    hashes(values.map(|value| value.map(B256::from)))
}

fn names<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// Writes each value's text straight into the column.
fn texts<T: Display>(values: impl Iterator<Item = Option<T>>) -> Result<ArrayRef, ArrowError> {
    let mut builder = StringBuilder::new();
    for value in values {
        match value {
            Some(value) => {
                write!(builder, "{value}").map_err(|error| ArrowError::ComputeError(error.to_string()))?;
                builder.append_value("");
            }
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn chains(chain: ChainId, rows: usize) -> ArrayRef {
    u64s(std::iter::repeat_n(chain.0, rows))
}

fn blocks(chain: ChainId, segment: &Segment) -> Result<RecordBatch, ArrowError> {
    let rows = &segment.blocks;
    let view = LogsView::new(&segment.logs)?;
    let mut counts = vec![0u32; rows.len()];
    let mut at = 0;
    for log in view.iter() {
        while at + 1 < rows.len() && rows[at].block.number < log.block_number {
            at += 1;
        }
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    let rows: Vec<_> = rows.iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    batch(
        Table::Blocks,
        vec![
            chains(chain, rows.len()),
            u64s(rows.iter().map(|(row, _)| row.block.number)),
            hashes(rows.iter().map(|(row, _)| Some(row.block.hash)))?,
            hashes(rows.iter().map(|(row, _)| Some(row.parent_hash)))?,
            times(rows.iter().map(|(row, _)| i64::try_from(row.time_secs).ok())),
            u32s(rows.iter().map(|(_, count)| *count)),
        ],
    )
}

/// The segment's own columns, with the chain before them and the input left out.
fn logs(chain: ChainId, segment: &Segment) -> Result<RecordBatch, ArrowError> {
    let logs = &segment.logs;
    let mut columns = vec![chains(chain, logs.num_rows())];
    columns.extend((0..11).map(|column| Arc::clone(logs.column(column))));
    batch(Table::Logs, columns)
}

/// Amounts up to 38 digits fit a decimal; larger ones stand raw.
fn decimal(value: U256) -> Option<i128> {
    const BOUND: u128 = 100_000_000_000_000_000_000_000_000_000_000_000_000; // 10^38
    u128::try_from(value).ok().filter(|value| *value < BOUND).and_then(|value| i128::try_from(value).ok())
}

fn amounts(values: impl Iterator<Item = Option<U256>>) -> Result<ArrayRef, ArrowError> {
    let amounts = Decimal128Array::from_iter(values.map(|value| value.and_then(decimal)));
    Ok(Arc::new(amounts.with_precision_and_scale(38, 0)?))
}

fn events(chain: ChainId, rows: &[(Event, Judged)]) -> Result<RecordBatch, ArrowError> {
    let all = || rows.iter();
    let each = || rows.iter().map(|(event, _)| event);
    batch(
        Table::Events,
        vec![
            chains(chain, rows.len()),
            u64s(each().map(|e| e.position.block)),
            u32s(each().map(|e| e.position.log)),
            u32s(each().map(|e| e.position.sub)),
            times(each().map(|e| Some(e.block_time_secs))),
            times(each().map(|e| e.event_time_secs)),
            hashes(each().map(|e| Some(e.tx_hash)))?,
            addresses(each().map(|e| Some(e.contract)))?,
            addresses(each().map(|e| Some(e.token_contract)))?,
            words(each().map(|e| e.token))?,
            words(each().map(|e| e.range_end))?,
            names(each().map(|e| Some(e.kind.as_str()))),
            texts(all().map(|(_, judged)| judged.key.as_ref()))?,
            texts(all().map(|(_, judged)| judged.key.as_ref().and_then(ItemKey::gtin)))?,
            texts(all().map(|(_, judged)| judged.lot))?,
            u32s(all().map(|(_, judged)| judged.branch)),
            Arc::new(BooleanArray::from_iter(all().map(|(_, judged)| Some(judged.legal)))),
            names(all().map(|(_, judged)| Some(judged.tier.as_str()))),
            addresses(each().map(|e| e.from))?,
            addresses(each().map(|e| e.to))?,
            addresses(each().map(|e| e.actor))?,
            names(each().map(|e| e.actor_source.map(|source| source.as_str()))),
            addresses(each().map(|e| e.sender))?,
            texts(all().map(|(_, judged)| judged.parent.as_ref()))?,
            amounts(each().map(|e| e.quantity))?,
            words(each().map(|e| e.quantity.filter(|value| decimal(*value).is_none())))?,
            texts(each().map(|e| e.place))?,
            names(each().map(|e| e.reason.map(|reason| reason.as_str()))),
            names(each().map(|e| e.detail.as_deref())),
        ],
    )
}

fn dead_letters(chain: ChainId, rows: &[&DeadLetter]) -> Result<RecordBatch, ArrowError> {
    let mut rows: Vec<_> = rows.to_vec();
    rows.sort_by_key(|row| row.position);
    batch(
        Table::DeadLetters,
        vec![
            chains(chain, rows.len()),
            u64s(rows.iter().map(|row| row.position.block)),
            u32s(rows.iter().map(|row| row.position.log)),
            u32s(rows.iter().map(|row| row.position.sub)),
            hashes(rows.iter().map(|row| Some(row.tx_hash)))?,
            addresses(rows.iter().map(|row| Some(row.contract)))?,
            hashes(rows.iter().map(|row| row.topic0))?,
            names(rows.iter().map(|row| Some(row.reason.as_str()))),
            names(rows.iter().map(|row| Some(row.detail.as_str()))),
        ],
    )
}

fn items(state: &ChainState, ids: &[u32]) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<(&ItemKey, Item)> =
        ids.iter().map(|id| (state.items.key(*id), state.items.get(*id))).collect();
    let each = || rows.iter().map(|(key, item)| (*key, item));
    let owners = || ids.iter().map(|id| state.owner_of(*id));
    let address = |holder: Option<u32>| holder.map(|holder| *state.holders.key(holder));
    let lot = |lot: Option<u32>| lot.map(|lot| (state.lots.key(lot).1, state.lots.get(lot).expiry_day));
    batch(
        Table::Items,
        vec![
            chains(state.chain, ids.len()),
            texts(each().map(|(key, _)| Some(key)))?,
            texts(each().map(|(key, _)| key.gtin()))?,
            texts(each().map(|(key, _)| crate::state::item::serial_of(key)))?,
            texts(each().map(|(_, item)| lot(item.lot).map(|(lot, _)| lot)))?,
            Arc::new(Date32Array::from_iter(each().map(|(_, item)| lot(item.lot).and_then(|(_, day)| day)))),
            names(each().map(|(_, item)| Some(item.story.state.as_str()))),
            // Inside a parent, who has the parent has it: the parent's row says who that is.
            addresses(each().map(|(_, item)| {
                address(item.story.possessor.filter(|_| item.story.state != State::Packed))
            }))?,
            addresses(owners().map(address))?,
            addresses(each().map(|(_, item)| address(item.story.consignee)))?,
            texts(each().map(|(_, item)| item.story.parent.map(|parent| state.items.key(parent))))?,
            addresses(each().map(|(_, item)| address(item.maker)))?,
            u32s(each().map(|(_, item)| item.branches + 1)),
            times(each().map(|(_, item)| item.commissioned_secs)),
            u32s(each().map(|(_, item)| item.steps)),
            u64s(ids.iter().map(|id| state.changed_at(*id).block)),
            u32s(ids.iter().map(|id| state.changed_at(*id).log)),
        ],
    )
}

fn tokens(state: &ChainState, ids: &[u32]) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<(&(ContractId, B256), Token)> =
        ids.iter().map(|id| (state.tokens.key(*id), state.tokens.get(*id))).collect();
    let each = || rows.iter().map(|(key, token)| (*key, token));
    let standard = |token: &Token| match token.item.map(|item| state.items.key(item)) {
        _ if token.in_units => TokenStandard::Erc1155,
        Some(ItemKey::Token(token)) => token.standard,
        Some(ItemKey::Lot(..)) => TokenStandard::Erc1155,
        _ => TokenStandard::Erc721,
    };
    batch(
        Table::Tokens,
        vec![
            chains(state.chain, ids.len()),
            addresses(each().map(|((contract, _), _)| Some(*state.contracts.key(*contract))))?,
            hashes(each().map(|((_, id), _)| Some(*id)))?,
            names(each().map(|(_, token)| Some(standard(token).as_str()))),
            texts(each().map(|(_, token)| token.item.map(|item| state.items.key(item))))?,
            addresses(each().map(|(_, token)| token.owner.map(|owner| *state.holders.key(owner))))?,
            opt_u64s(each().map(|(_, token)| token.minted_block)),
            opt_u64s(each().map(|(_, token)| token.burnt_block)),
            u64s(each().map(|(_, token)| token.updated.block)),
            u32s(each().map(|(_, token)| token.updated.log)),
        ],
    )
}

/// The columns that every interval ends in.
fn interval_columns(rows: &[&Interval]) -> Vec<ArrayRef> {
    let updated = |row: &Interval| row.to.map_or(row.from, |(to, _)| to);
    vec![
        u64s(rows.iter().map(|row| row.from.block)),
        u32s(rows.iter().map(|row| row.from.log)),
        u32s(rows.iter().map(|row| row.from.sub)),
        times(rows.iter().map(|row| Some(row.from_secs))),
        opt_u64s(rows.iter().map(|row| row.to.map(|(to, _)| to.block))),
        opt_u32s(rows.iter().map(|row| row.to.map(|(to, _)| to.log))),
        times(rows.iter().map(|row| row.to.map(|(_, secs)| secs))),
        u64s(rows.iter().map(|row| updated(row).block)),
        u32s(rows.iter().map(|row| updated(row).log)),
    ]
}

fn custody(chain: ChainId, rows: &[&Interval]) -> Result<RecordBatch, ArrowError> {
    let role = |row: &Interval| match row.of {
        IntervalOf::Owner(holder) => ("owner", Some(holder)),
        IntervalOf::Possessor(holder) => ("possessor", Some(holder)),
        IntervalOf::Declarer(holder) => ("declarer", Some(holder)),
        IntervalOf::Parent(_) => ("parent", None),
    };
    let mut columns = vec![
        chains(chain, rows.len()),
        texts(rows.iter().map(|row| Some(&row.item)))?,
        u32s(rows.iter().map(|row| row.branch)),
        names(rows.iter().map(|row| Some(role(row).0))),
        addresses(rows.iter().map(|row| role(row).1))?,
        amounts(rows.iter().map(|row| row.units))?,
        words(rows.iter().map(|row| row.units.filter(|units| decimal(*units).is_none())))?,
    ];
    columns.extend(interval_columns(rows));
    batch(Table::Custody, columns)
}

fn containment(chain: ChainId, rows: &[&Interval]) -> Result<RecordBatch, ArrowError> {
    let parent = |row: &Interval| match &row.of {
        IntervalOf::Parent(parent) => Some(parent.clone()),
        IntervalOf::Owner(_) | IntervalOf::Possessor(_) | IntervalOf::Declarer(_) => None,
    };
    let mut columns = vec![
        chains(chain, rows.len()),
        texts(rows.iter().map(|row| Some(&row.item)))?,
        texts(rows.iter().map(|row| parent(row)))?,
    ];
    columns.extend(interval_columns(rows));
    batch(Table::Containment, columns)
}

fn shipments(chain: ChainId, rows: &[ShipmentRow]) -> Result<RecordBatch, ArrowError> {
    let updated = |row: &ShipmentRow| row.ended.map_or(row.shipped, |(at, _)| at);
    batch(
        Table::Shipments,
        vec![
            chains(chain, rows.len()),
            texts(rows.iter().map(|row| Some(&row.item)))?,
            u32s(rows.iter().map(|row| row.branch)),
            addresses(rows.iter().map(|row| Some(row.consignor)))?,
            addresses(rows.iter().map(|row| row.consignee))?,
            names(rows.iter().map(|row| Some(row.status))),
            u64s(rows.iter().map(|row| row.shipped.block)),
            u32s(rows.iter().map(|row| row.shipped.log)),
            u32s(rows.iter().map(|row| row.shipped.sub)),
            times(rows.iter().map(|row| Some(row.shipped_secs))),
            opt_u64s(rows.iter().map(|row| row.ended.map(|(at, _)| at.block))),
            times(rows.iter().map(|row| row.ended.map(|(_, secs)| secs))),
            u64s(rows.iter().map(|row| updated(row).block)),
            u32s(rows.iter().map(|row| updated(row).log)),
        ],
    )
}

fn lineage(chain: ChainId, rows: &[Descent]) -> Result<RecordBatch, ArrowError> {
    let sources = || rows.iter().map(|row| row.source.as_ref());
    let source_tokens = || sources().map(|source| source.and_then(|source| source.token));
    let tokens = || rows.iter().map(|row| row.result.token);
    batch(
        Table::Lineage,
        vec![
            chains(chain, rows.len()),
            texts(rows.iter().map(|row| Some(&row.result.item)))?,
            texts(sources().map(|source| source.map(|source| &source.item)))?,
            names(rows.iter().map(|row| Some(row.link.as_str()))),
            addresses(tokens().map(|token| token.map(|(contract, _)| contract)))?,
            words(tokens().map(|token| token.map(|(_, id)| id)))?,
            addresses(source_tokens().map(|token| token.map(|(contract, _)| contract)))?,
            words(source_tokens().map(|token| token.map(|(_, id)| id)))?,
            u64s(rows.iter().map(|row| row.position.block)),
            u32s(rows.iter().map(|row| row.position.log)),
            u32s(rows.iter().map(|row| row.position.sub)),
            times(rows.iter().map(|row| Some(row.secs))),
            hashes(rows.iter().map(|row| Some(row.tx_hash)))?,
            addresses(rows.iter().map(|row| row.actor))?,
        ],
    )
}
