//! Restart: puts the core back as it was where the store's files end.

use crate::error::{Error, Result};
use custody::Core;
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
        let damaged = |error: custody::error::Error| Error::State { chain, detail: error.to_string() };
        let now_secs = i64::try_from(recovery.state_time_secs).unwrap_or(i64::MAX);
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let mut failed = None;
                let rows =
                    ahead(scope, batches).map_while(|rows| rows.map_err(|error| failed = Some(error)).ok());
                let restored = core.restore(chain, (recovery.state_at, now_secs), rows, &revisions);
                failed.map_or_else(|| restored.map_err(damaged), |error| Err(error.into()))
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
