//! Restart: puts the core back as it was where the store's files end.

use crate::error::{Error, Result};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use custody::Core;
use custody::state::StateRow;
use model::chain::ChainId;
use model::tables::Table;
use std::sync::mpsc::sync_channel;
use std::thread::Scope;
use store::Writer;

/// Batches that wait to be taken in: enough that neither side waits for the other at each one.
const BATCHES_AHEAD: usize = 4;

/// Puts back every chain that the store knows.
///
/// # Errors
/// When the store cannot be read, or a row of the state is not what was written.
pub async fn restore(core: &mut Core, writer: &dyn Writer) -> Result<()> {
    let recovered = writer.recovered();
    let written_to = recovered.iter().map(|(chain, recovery)| (*chain, recovery.written_to.sequence));
    let (sequence, told) = writer.told_across().await?;
    core.restore_across(sequence, told, written_to);
    for (chain, recovery) in recovered {
        let batches = writer.restore(Table::State, chain).await?;
        let revisions = writer.revisions(chain).await?;
        let damaged =
            |error: custody::journal::RestoreError| Error::State { chain, detail: error.to_string() };
        let now_secs = i64::try_from(recovery.state_time_secs).unwrap_or(i64::MAX);
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let mut failed = None;
                let rows = ahead(scope, batches.map(move |batch| read(chain, batch)))
                    .map_while(|rows| rows.map_err(|error| failed = Some(error)).ok());
                let restored = core.restore(chain, (recovery.state_at, now_secs), rows.flatten(), &revisions);
                failed.map_or_else(|| restored.map_err(damaged), Err)
            })
        })?;
        tracing::info!(%chain, tip = ?recovery.state_at.tip.map(|tip| tip.number), "state restored");
    }
    Ok(())
}

/// The same, made by a thread of its own while what comes before is taken in. It ends when nobody takes any more.
fn ahead<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    made: impl Iterator<Item = T> + Send + 'scope,
) -> impl Iterator<Item = T> {
    let (sender, receiver) = sync_channel(BATCHES_AHEAD);
    scope.spawn(move || {
        for one in made {
            if sender.send(one).is_err() {
                break;
            }
        }
    });
    receiver.into_iter()
}

/// The rows of a batch.
fn read(chain: ChainId, batch: store::Result<RecordBatch>) -> Result<Vec<StateRow>> {
    let batch = batch?;
    let missing = |name: &str| Error::State { chain, detail: format!("column '{name}' is missing") };
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| missing(name));
    let kinds = column("kind")?.as_primitive_opt::<UInt32Type>().ok_or_else(|| missing("kind"))?;
    let keys = column("key")?.as_binary_opt::<i32>().ok_or_else(|| missing("key"))?;
    let values = column("value")?.as_binary_opt::<i32>().ok_or_else(|| missing("value"))?;
    let rows = kinds.iter().zip(keys).zip(values).map(|((kind, key), value)| StateRow {
        kind: kind.unwrap_or_default(),
        key: key.unwrap_or_default().to_vec(),
        value: value.map(<[u8]>::to_vec),
    });
    Ok(rows.collect())
}
