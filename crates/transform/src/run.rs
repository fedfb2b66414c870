//! The loop: next record, step, commit, tell, acknowledge.

use crate::error::Result;
use crate::ledger::Ledger;
use crate::outward::Outward;
use crate::restore::restore;
use bus::Subscriber;
use custody::Core;
use model::chain::ChainId;
use model::change::{Position, Record};
use model::incident::Incident;
use model::past::Past;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use store::Writer;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How long final rows may wait in memory for a larger file. A crash costs reading them again, so a minute is cheap,
/// and a file a minute a table is what compaction keeps up with.
const FLUSH_EVERY: Duration = Duration::from_secs(60);

/// Takes records until the bus is closed or `stop` is cancelled; then writes what waits and returns.
///
/// # Errors
/// When bus, core or store refuse: nothing of the record that failed is committed.
pub async fn run(
    mut core: Core,
    mut subscriber: Box<dyn Subscriber>,
    writer: Box<dyn Writer>,
    outward: Outward,
    stop: CancellationToken,
) -> Result<()> {
    restore(&mut core, writer.as_ref()).await?;
    let mut ledger = Ledger::new(writer, outward);
    compare_chains(&mut core, &mut ledger).await?;
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut acknowledged = BTreeMap::new();
    // Of records that did nothing: at most one a record, kept with the next that does something.
    let mut incidents = Vec::new();
    loop {
        let pace = ledger.pace();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = flush.tick() => ledger.flush().await?,
            () = until(pace.flush_at) => ledger.flush().await?,
            record = subscriber.next(), if !pace.full => match record? {
                Some(record) => {
                    incidents.extend(subscriber.incidents());
                    take(&mut core, &mut ledger, &record, &mut incidents).await?;
                }
                None => break,
            },
        }
        acknowledge(subscriber.as_mut(), ledger.writer(), &mut acknowledged).await?;
    }
    ledger.flush().await?;
    acknowledge(subscriber.as_mut(), ledger.writer(), &mut acknowledged).await
}

/// Ends at that moment; never, when there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

async fn take(
    core: &mut Core,
    ledger: &mut Ledger,
    record: &Record,
    incidents: &mut Vec<Incident>,
) -> Result<()> {
    let timer = ledger.outward().metrics.time_step();
    let past = past(core, ledger.writer(), record).await?;
    // A large segment keeps a processor busy for long: other tasks of this worker move elsewhere meanwhile.
    let commit = tokio::task::block_in_place(|| core.step_with_past(record, past))?;
    timer.observe_duration();
    if let Some(mut commit) = commit {
        commit.incidents.extend(incidents.extract_if(.., |incident| incident.chain == commit.chain));
        ledger.put(commit).await?;
    }
    compare_chains(core, ledger).await
}

/// The past that the record concerns: it is asked for only where the registry is told late what held before.
async fn past(core: &Core, writer: &dyn Writer, record: &Record) -> Result<Vec<Past>> {
    let mut past = Vec::new();
    for query in core.wants_past(record) {
        let found = writer.past(record.chain, &query).await?;
        tracing::info!(
            chain = %record.chain,
            after = query.after,
            steps = found.steps.len(),
            left_out = found.left_out,
            "a version of the registry concerns the past: it is judged again"
        );
        past.push(found);
    }
    Ok(past)
}

/// Commits what is now to be said across chains: after the record that it came with, in a stream of its own, because
/// its order depends on which chain came first.
async fn compare_chains(core: &mut Core, ledger: &mut Ledger) -> Result<()> {
    match tokio::task::block_in_place(|| core.across()) {
        Some(commit) => ledger.put(commit).await,
        None => Ok(()),
    }
}

/// Tells the bus what it may forget, when that has changed.
async fn acknowledge(
    subscriber: &mut dyn Subscriber,
    writer: &dyn Writer,
    acknowledged: &mut BTreeMap<ChainId, Position>,
) -> Result<()> {
    for (chain, position) in writer.durable() {
        if acknowledged.get(&chain) != Some(&position) {
            subscriber.acknowledge(chain, position).await?;
            acknowledged.insert(chain, position);
        }
    }
    Ok(())
}
