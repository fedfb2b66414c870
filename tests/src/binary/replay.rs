//! Tables built anew from what is stored, without a node.

use super::kill::{Place, assert_same};
use super::process::{Process, answer, rxtrail, seed, sql};
use super::trade::Trade;
use rand::SeedableRng;
use rand::rngs::StdRng;

#[tokio::test(flavor = "multi_thread")]
async fn tables_built_from_stored_logs_are_those_of_a_fresh_index_and_are_gone_on_with() {
    let mut rng = StdRng::seed_from_u64(seed("replay"));
    let mut trade = Trade::begin().await;
    let place = Place::of(&trade, "");
    for _ in 0..30 {
        trade.block(&mut rng).await;
    }
    trade.fraud(&mut rng).await;
    trade.node.finalize().await;
    let (head, finalized) = (trade.node.head().await, trade.node.finalized().await);
    let (old, anew, fresh) = (place.data("old"), place.data("anew"), place.data("fresh"));
    let mut process = Process::start(&place.config, &old);
    process.until(head, Some(finalized)).await;
    process.terminate();
    let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let (config, from, into) = (text(&place.config), text(&old), text(&anew));
    let replay = ["replay", "--config", &config, "--data-dir", &from, "--into", &into];
    assert!(answer(&replay).contains("built; go on with it by data_dir"));
    let built = sql(&anew, "SELECT count(*) FROM events");
    assert_eq!(built, sql(&old, "SELECT count(*) FROM events"), "final blocks hold all of them");
    let again = rxtrail(&replay);
    assert_eq!(again.status.code(), Some(64), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already: name a new folder"));
    // The chain goes on, and so do the new tables.
    trade.fraud(&mut rng).await;
    trade.reorg(&mut rng).await;
    let (head, finalized) = (trade.node.head().await, trade.node.finalized().await);
    for data in [&anew, &fresh] {
        let mut process = Process::start(&place.config, data);
        process.until(head, Some(finalized)).await;
        process.terminate();
    }
    assert_same(&trade, &anew, &fresh).await;
}
