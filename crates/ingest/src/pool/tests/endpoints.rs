//! Endpoints that rest, fail, lag and disagree.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out_as_long_as_the_node_asks() {
    let node = Node::with(chain());
    let mut left = 2;
    node.trick(move |method, _, answer| {
        if method == "eth_getLogs" && left > 0 {
            left -= 1;
            let after = Some(Duration::from_secs(7));
            return Err(Failure::Breaks(RpcError::RateLimited { after, detail: "HTTP 429".into() }));
        }
        answer
    });
    let (pool, incidents) = pool(&config(), &[node]);
    let begun = Instant::now();
    let segment = pool.read(request(Present, 1, 11, &filter())).await.unwrap();
    assert_eq!((data(&segment), begun.elapsed().as_secs()), (items(1..=10), 14));
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_on_its_way_does_not_end_a_rest() {
    let node = Node::with(chain());
    let config = config();
    let endpoint = crate::testing::endpoint(&config, &node, "a");
    let limited = async {
        Err::<(), _>(RpcError::RateLimited { after: Some(Duration::from_secs(60)), detail: String::new() })
    };
    drop(endpoint.attempt(limited).await);
    drop(endpoint.attempt(async { Ok(()) }).await);
    assert!(endpoint.rests_until().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_is_replaced_at_once_and_taken_back_when_it_is_well() {
    let (first, second) = (Node::with(chain()), Node::with(chain()));
    first.trick(|_, _, _| Err(Failure::Breaks(RpcError::Transient("connection refused".into()))));
    let (pool, _) = pool(&config(), &[Arc::clone(&first), Arc::clone(&second)]);
    let begun = Instant::now();
    let heads = pool.heads().await.unwrap();
    assert_eq!((heads.latest.block.number, begun.elapsed()), (11, Duration::ZERO));
    first.repent();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let before = second.asked("eth_getBlockByNumber");
    pool.heads().await.unwrap();
    assert_eq!(second.asked("eth_getBlockByNumber"), before, "the first is asked again");
    assert!(first.asked("eth_chainId") >= 2, "its chain is checked again after it failed");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_another_chain_is_never_used() {
    let (wrong, right) = (Node::with(Chain::of(99)), Node::with(chain()));
    wrong.serves(5);
    let (pool, incidents) = pool(&config(), &[Arc::clone(&wrong), right]);
    assert_eq!(pool.heads().await.unwrap().latest.block.number, 11);
    assert_eq!(wrong.asked("eth_getBlockByNumber"), 0);
    assert_eq!(told(&incidents), [(IncidentKind::Disagreement, None, "a".into())]);
    let (alone, _) = self::pool(&config(), &[wrong]);
    let error = alone.heads().await.unwrap_err();
    assert!(matches!(error, crate::error::Error::WrongChain { .. }), "{error}");
}

/// News is told once: a tail that nothing is told of rests for as long as it polls.
#[tokio::test(start_paused = true)]
async fn a_quiet_tail_rests_after_the_news() {
    let (mut pool, _) = pool(&config(), &[Node::with(chain())]);
    let (tell, news) = watch::channel(0);
    pool.news = tokio::sync::Mutex::new(news);
    let waits = async |pool: &Pool| {
        let begun = Instant::now();
        pool.changed().await;
        begun.elapsed()
    };
    tell.send_replace(12);
    assert_eq!([waits(&pool).await, waits(&pool).await], [Duration::ZERO, config().poll()]);
    // A socket that tells of heads leaves polling as the cross-check.
    pool.shared.telling.store(1, Ordering::Relaxed);
    assert_eq!(waits(&pool).await, config().poll() * 10);
    drop(tell);
    pool.shared.telling.store(0, Ordering::Relaxed);
    assert_eq!(waits(&pool).await, config().poll());
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_disagree_on_a_block_are_told() {
    let mut other = Chain::of(80);
    other.branch = 1;
    for number in 81..=100 {
        other.mine(&[vec![log(number)]]);
    }
    let (first, second) = (Node::with(Chain::of(100)), Node::with(other));
    let (pool, incidents) = pool(&config(), &[first, second]);
    pool.heads().await.unwrap();
    in_time("a comparison", async {
        let mut all = Vec::new();
        while all.is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            all = told(&incidents);
        }
        assert_eq!(all, [(IncidentKind::Disagreement, Some(92), "b".into())]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn final_blocks_come_from_the_chain_of_the_endpoint_that_is_followed() {
    let mut fork = Chain::of(5);
    fork.branch = 1;
    for number in 6..=11 {
        fork.mine(&[vec![log(number + 100)]]);
    }
    let (followed, forked) = (Node::with(Chain::of(11)), Node::with(fork));
    let (pool, incidents) = pool(&config(), &[followed, forked]);
    pool.heads().await.unwrap();
    // Whichever is asked first: what comes out is one chain.
    for _ in 0..6 {
        let segment = pool.read(request(Present, 1, 11, &filter())).await.unwrap();
        assert_eq!(data(&segment), items(1..=11));
    }
    let told = told(&incidents);
    assert!(
        told.iter().all(|(kind, block, name)| (*kind, *block, name.as_str())
            == (IncidentKind::Disagreement, Some(11), "b")),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_final_block_that_one_endpoint_denies_and_another_holds_stands() {
    let mut fork = Chain::of(5);
    fork.branch = 1;
    fork.mine_empty(6);
    let (forked, honest) = (Node::with(fork), Node::with(Chain::of(11)));
    let wanted = honest.chain().block_ref(9);
    let (pool, incidents) = pool(&config(), &[Arc::clone(&forked), honest]);
    assert!(pool.confirm(wanted).await.unwrap());
    assert_eq!(told(&incidents), [(IncidentKind::Disagreement, Some(9), "a".into())]);
    let before = forked.asked("eth_getBlockByNumber");
    assert_eq!(pool.block(9).await.unwrap().unwrap().block, wanted);
    assert_eq!(forked.asked("eth_getBlockByNumber"), before, "it is not trusted for a while");
    assert!(!pool.confirm(BlockRef { number: 9, hash: B256::ZERO }).await.unwrap());
    assert!(pool.confirm(BlockRef { number: 900, hash: B256::ZERO }).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_replaced_while_it_is_read_is_no_lie() {
    let shared = Arc::new(Mutex::new(chain()));
    let node = Node::of(&shared);
    let mut replaced = false;
    let on_receipts = Arc::clone(&shared);
    // Between its logs and its receipts block 10 becomes another one.
    node.trick(move |method, _, answer| {
        if method == "eth_getLogs" && !replaced {
            replaced = true;
            let mut chain = on_receipts.try_lock().unwrap();
            chain.take_back(9);
            chain.mine(&[vec![log(77)]]);
        }
        answer
    });
    let (pool, incidents) = pool(&config(), &[node]);
    let open = ReadRequest { finality: Finality::Open, ..request(Receipts, 10, 10, &filter()) };
    let segment = pool.read(open).await.unwrap();
    assert_eq!(data(&segment), [(10, Bytes::from(77u64.to_be_bytes().to_vec()))]);
    assert_eq!((segment.last, told(&incidents)), (shared.lock().unwrap().block_ref(10), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_does_not_stand_on_its_parent_is_a_lie_only_if_the_parent_is_there() {
    let node = Node::with(chain());
    let (pool, incidents) = pool(&config(), &[Arc::clone(&node)]);
    // Another parent than ours: the chain has changed, and the caller finds out.
    let orphaned = ReadRequest { parent: Some(B256::repeat_byte(9)), ..request(Present, 6, 11, &filter()) };
    assert_eq!(pool.read(orphaned).await.unwrap().parent_hash, node.chain().block(5).unwrap().hash);
    assert_eq!(told(&incidents), []);
    // Our parent is there, and its child names another one: the node's blocks do not link.
    let parent = node.chain().block(5).unwrap().hash;
    let mut other = Chain::of(5);
    other.branch = 1;
    other.mine(&[vec![log(5)]]);
    other.mine(&[]);
    let stray = other.block(7).unwrap().json(false);
    node.trick(move |method, params, answer| match method {
        "eth_getBlockByNumber" if params[0] == json!(quantity(6)) => {
            let mut block = stray.clone();
            block["number"] = json!("0x6");
            Ok(block)
        }
        _ => answer,
    });
    let linked = ReadRequest { parent: Some(parent), ..request(Off, 6, 6, &filter()) };
    drop(pool.read(linked).await.unwrap_err());
    assert!(told(&incidents).iter().any(|(_, block, _)| *block == Some(6)));
}
