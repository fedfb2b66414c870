//! Everything at once, in any order.

use super::*;

/// One thing that happens to a chain or its nodes.
fn happen(random: &mut StdRng, chain: &Arc<Mutex<Chain>>, faults: &Arc<Mutex<u32>>) {
    match random.random_range(0..10) {
        0..4 => grow(chain, random.random_range(1..12)),
        4..7 => {
            let (latest, finalized) = {
                let chain = chain.lock().unwrap();
                (chain.latest(), chain.finalized)
            };
            let to = random.random_range(finalized..=latest);
            chain.lock().unwrap().take_back(to);
            let blocks = random.random_range(1..=(latest - to) + 4);
            grow(chain, blocks);
        }
        7..9 => {
            let mut chain = chain.lock().unwrap();
            chain.finalized = random.random_range(chain.finalized..=chain.latest());
        }
        _ => *faults.lock().unwrap() = random.random_range(1..20),
    }
}

/// A node that breaks, limits, omits and alters for as many answers as `faults` says, then is honest.
fn plague(node: &Node, faults: Arc<Mutex<u32>>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    node.trick(move |method, _, answer| {
        {
            let mut left = faults.lock().unwrap();
            if *left == 0 {
                return answer;
            }
            *left -= 1;
        }
        match (random.random_range(0..5), method) {
            (0, _) => Err(Failure::Breaks(RpcError::Transient("reset".into()))),
            (1, "eth_getLogs") => Err(Failure::Says(-32005, "query returned more than 10000 results".into())),
            (2, _) => Err(Failure::Says(429, "Too Many Requests".into())),
            (3, "eth_getLogs") => Ok(json!([])),
            (4, "eth_getLogs") => answer.map(|mut logs| {
                for log in logs.as_array_mut().unwrap() {
                    log["data"] = json!("0xbad0");
                }
                logs
            }),
            (3, "eth_getBlockReceipts") => Ok(Value::Null),
            _ => answer,
        }
    });
}

/// Random growth, reorgs, finality, faults and crashes: the end is always that of a fresh index of the final chain.
#[tokio::test(start_paused = true)]
async fn any_schedule_ends_as_a_fresh_index_of_the_final_chain() {
    let first: u64 = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in first..first + 60 {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (chain, node) = shared(Chain::of(random.random_range(1..40)));
        let faults = Arc::new(Mutex::new(0));
        plague(&node, Arc::clone(&faults), seed);
        let mut careful = config();
        careful.verify.backfill = VerificationLevel::Receipts;
        careful.concurrency = random.random_range(1..5);
        let bus = MemoryBus::new();
        let mut running = Running::start(&careful, &filter(), &[Arc::clone(&node)], &bus);
        for _ in 0..30 {
            happen(&mut random, &chain, &faults);
            tokio::time::sleep(Duration::from_millis(random.random_range(0..3_000))).await;
            if random.random_range(0..6) == 0 {
                running.task.abort();
                drop(running.task.await);
                running = Running::start(&careful, &filter(), &[Arc::clone(&node)], &bus);
            }
        }
        *faults.lock().unwrap() = 0;
        grow(&chain, 1);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), truth(&chain), "seed {seed}");
    }
}
