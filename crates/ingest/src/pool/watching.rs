//! What goes on beside the reads: news of heads, and the comparison of endpoints.

use super::Shared;
use crate::rpc::methods::Head;
use crate::rpc::websocket::WebSocket;
use crate::source::Heads;
use alloy_primitives::B256;
use model::incident::IncidentKind;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// Between two attempts to connect a socket: polling goes on meanwhile.
const RECONNECT: Duration = Duration::from_secs(5);
/// Between two comparisons of the endpoints: a little more than one Ethereum block.
const COMPARE: Duration = Duration::from_secs(15);
/// So far below the newest block endpoints are compared: forks of one or two blocks are everyday life.
const SETTLED_DEPTH: u64 = 8;
/// An endpoint so many blocks behind another one is not followed.
const LAG_MAX: u64 = 8;

/// Tells of each head that a socket tells of, and connects again when it breaks.
pub(super) async fn tell_heads(socket: WebSocket, shared: Arc<Shared>, tell: watch::Sender<u64>) {
    loop {
        match socket.new_heads().await {
            Ok(mut heads) => {
                shared.telling.fetch_add(1, Ordering::Relaxed);
                while let Some(number) = heads.next().await {
                    tell.send_replace(number);
                }
                shared.telling.fetch_sub(1, Ordering::Relaxed);
                tracing::info!(chain = shared.chain.0, "a socket that told of heads is gone; polling");
            }
            Err(error) => tracing::info!(chain = shared.chain.0, %error, "no socket tells of heads; polling"),
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Compares the endpoints, now and then.
pub(super) async fn compare(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(COMPARE).await;
        if let Some(heads) = shared.remembered_heads() {
            shared.compare(heads).await;
        }
    }
}

impl Shared {
    /// Do the endpoints hold the same blocks as the one that is followed? Those that do not are reported. The one
    /// that is followed changes when most hold another final block, when it lags, and back when the preferred one is well.
    pub(super) async fn compare(&self, heads: Heads) {
        let mut numbers: Vec<u64> = heads.finalized.iter().map(|block| block.block.number).collect();
        numbers.push(heads.latest.block.number.saturating_sub(SETTLED_DEPTH));
        let mut views = Vec::new();
        for place in 0..self.endpoints.len() {
            if let Some(view) = self.view(place, &numbers).await {
                views.push(view);
            }
        }
        let followed = self.first.load(Ordering::Relaxed);
        let Some(mine) = views.iter().find(|view| view.place == followed).cloned() else { return };
        for view in &views {
            self.report_disagreement(&mine, view);
        }
        if let Some(better) = better(&mine, &views) {
            tracing::info!(chain = self.chain.0, endpoint = self.endpoints[better].name, "now followed");
            self.first.store(better, Ordering::Relaxed);
        }
    }

    async fn view(&self, place: usize, numbers: &[u64]) -> Option<View> {
        let endpoint = &self.endpoints[place];
        if endpoint.rests_until().is_some() {
            return None;
        }
        let seen = endpoint.attempt(async {
            let latest = endpoint.client.latest(self.hashing).await?;
            Ok((latest, endpoint.client.headers(numbers, self.hashing).await?))
        });
        match seen.await {
            Ok((latest, heads)) => {
                let blocks: Vec<Option<B256>> =
                    heads.iter().map(|head| head.as_ref().map(|head| head.hash)).collect();
                Some(View { place, latest: Head::number(&latest), numbers: numbers.to_vec(), blocks })
            }
            Err(error) => {
                self.report(endpoint, &error);
                None
            }
        }
    }

    fn report_disagreement(&self, mine: &View, other: &View) {
        for ((number, mine_hash), other_hash) in mine.numbers.iter().zip(&mine.blocks).zip(&other.blocks) {
            let (Some(mine_hash), Some(other_hash)) = (mine_hash, other_hash) else { continue };
            if mine_hash == other_hash {
                continue;
            }
            let detail = format!("holds {other_hash}, {} holds {mine_hash}", self.endpoints[mine.place].name);
            let endpoint = &self.endpoints[other.place].name;
            self.incidents.report(IncidentKind::Disagreement, Some(*number), endpoint, &detail);
        }
    }
}

/// What one endpoint holds.
#[derive(Debug, Clone)]
struct View {
    place: usize,
    latest: u64,
    numbers: Vec<u64>,
    blocks: Vec<Option<B256>>,
}

/// The endpoint to follow instead of `mine`, where there is a better one.
fn better(mine: &View, views: &[View]) -> Option<usize> {
    let mut votes: HashMap<&[Option<B256>], usize> = HashMap::new();
    for view in views {
        *votes.entry(view.blocks.as_slice()).or_default() += 1;
    }
    let is_of_most =
        |view: &View| votes.get(view.blocks.as_slice()).is_some_and(|votes| votes * 2 > views.len());
    let most_agree = views.iter().any(is_of_most);
    let newest = views.iter().map(|view| view.latest).max()?;
    let is_well = |view: &View| {
        newest - view.latest <= LAG_MAX
            && if most_agree { is_of_most(view) } else { view.blocks == mine.blocks }
    };
    let best = views.iter().find(|view| is_well(view))?;
    // The preferred endpoint is taken back up when it is well; else one that is well is left alone.
    (best.place != mine.place && (!is_well(mine) || best.place < mine.place)).then_some(best.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(place: usize, latest: u64, block: u8) -> View {
        View { place, latest, numbers: vec![90], blocks: vec![Some(B256::repeat_byte(block))] }
    }

    #[test]
    fn the_endpoint_that_is_followed_changes_for_a_reason_only() {
        let check = |followed: usize, views: &[View], expected: Option<usize>| {
            assert_eq!(better(&views[followed], views), expected, "{views:?}");
        };
        check(0, &[view(0, 100, 1), view(1, 100, 1)], None);
        check(0, &[view(0, 90, 1), view(1, 100, 1)], Some(1));
        check(1, &[view(0, 99, 1), view(1, 100, 1)], Some(0));
        check(1, &[view(0, 80, 1), view(1, 100, 1)], None);
        // Two against one; one against one is reported, and nobody knows better.
        check(0, &[view(0, 100, 1), view(1, 100, 2), view(2, 100, 2)], Some(1));
        check(0, &[view(0, 100, 1), view(1, 100, 2)], None);
        check(1, &[view(0, 100, 1), view(1, 100, 2)], None);
    }
}
