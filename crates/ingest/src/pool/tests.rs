//! Nodes that lie, fail, lag and refuse, and what the pool makes of them.

use super::*;
use crate::filter::Filter;
use crate::source::{ChainSource, ReadRequest, Sample};
use crate::testing::chain::{Chain, WATCHED, log, log_of, quantity};
use crate::testing::node::{Failure, Node};
use crate::testing::{config, in_time, pool, told};
use VerificationLevel::{Bloom, Off, Present, Receipts};
use alloy_primitives::{Address, B256, Bytes};
use model::chain::BlockRef;
use model::segment::{Finality, LogsView, Segment};
use serde_json::{Value, json};

const LEVELS: [VerificationLevel; 4] = [Off, Present, Bloom, Receipts];

fn filter() -> Filter {
    Filter { addresses: vec![WATCHED], ..Filter::default() }
}

fn request(level: VerificationLevel, first: u64, last: u64, filter: &Filter) -> ReadRequest {
    let (sample, query) = (Sample::default(), Arc::new(filter.query([])));
    ReadRequest { first, last, parent: None, finality: Finality::Final, level, sample, query }
}

fn data(segment: &Segment) -> Vec<(u64, Bytes)> {
    let view = LogsView::new(&segment.logs).unwrap();
    view.iter().map(|log| (log.block_number, Bytes::copy_from_slice(log.data))).collect()
}

fn items(items: std::ops::RangeInclusive<u64>) -> Vec<(u64, Bytes)> {
    items.map(|number| (number, Bytes::from(number.to_be_bytes().to_vec()))).collect()
}

/// Blocks 1 to 10 with a log each in two transactions' company, block 11 without.
fn chain() -> Chain {
    let mut chain = Chain::new();
    for number in 1..=10 {
        chain.mine(&[vec![log_of(Address::repeat_byte(1), 0)], vec![log(number)]]);
    }
    chain.mine(&[]);
    chain
}

#[tokio::test(start_paused = true)]
async fn a_range_is_read_whole_at_every_level() {
    for level in LEVELS {
        let node = Node::with(chain());
        let (pool, incidents) = pool(&config(), &[Arc::clone(&node)]);
        let segment = pool.read(request(level, 2, 11, &filter())).await.unwrap();
        let truth = node.chain();
        assert_eq!(data(&segment), items(2..=10), "{level:?}");
        assert_eq!((segment.first_number, segment.parent_hash), (2, truth.block(1).unwrap().hash));
        assert_eq!((segment.last, segment.level), (truth.block_ref(11), level));
        assert_eq!(
            segment.blocks.iter().map(|meta| meta.block).collect::<Vec<_>>(),
            (2..=10).map(|n| truth.block_ref(n)).collect::<Vec<_>>()
        );
        assert_eq!(told(&incidents), []);
    }
}

#[tokio::test(start_paused = true)]
async fn senders_and_inputs_are_carried_at_every_level() {
    for level in LEVELS {
        let node = Node::with(chain());
        let (pool, _) = pool(&config(), &[Arc::clone(&node)]);
        let carrying = Filter { carry_sender: true, ..filter() };
        let segment = pool.read(request(level, 1, 11, &carrying)).await.unwrap();
        let view = LogsView::new(&segment.logs).unwrap();
        let truth = node.chain().clone();
        let mut last = None;
        for log in view.iter() {
            let is_first = last.replace(log.tx_hash) != Some(log.tx_hash);
            let transaction = &truth.block(log.block_number).unwrap().transactions[1];
            assert_eq!(log.sender, transaction.sender().ok(), "{level:?}");
            assert_eq!(log.input, is_first.then_some(transaction.input().as_ref()));
            assert_eq!(log.tx_hash, transaction.hash());
        }
    }
}

/// A lie about block 5, and the levels that find it out.
struct Lie {
    name: &'static str,
    tell: fn(&Node),
    found_from: VerificationLevel,
    kind: IncidentKind,
}

/// Changes the entry of block 5 in each answer to `method`, a list or one block.
fn about_block_5(node: &Node, method: &'static str, change: fn(&mut Value)) {
    node.alter(method, move |_, answer| {
        let is_5 = |value: &Value| value["blockNumber"] == "0x5" || value["number"] == "0x5";
        match answer {
            Value::Array(entries) => entries.iter_mut().filter(|entry| is_5(entry)).for_each(change),
            block if is_5(block) => change(block),
            _ => {}
        }
    });
}

fn lies() -> Vec<Lie> {
    let omit = |node: &Node| {
        node.alter("eth_getLogs", |_, logs| {
            logs.as_array_mut().unwrap().retain(|log| log["blockNumber"] != "0x5")
        });
    };
    let topic = |node: &Node| {
        about_block_5(node, "eth_getLogs", |log| log["topics"][1] = json!(B256::repeat_byte(0x99)));
    };
    let data = |node: &Node| about_block_5(node, "eth_getLogs", |log| log["data"] = json!("0xbad0"));
    let header =
        |node: &Node| about_block_5(node, "eth_getBlockByNumber", |block| block["timestamp"] = json!("0x1"));
    let fork = |node: &Node| {
        about_block_5(node, "eth_getLogs", |log| log["blockHash"] = json!(B256::repeat_byte(0x99)));
    };
    let receipt = |node: &Node| {
        about_block_5(node, "eth_getBlockReceipts", |receipt| receipt["cumulativeGasUsed"] = json!("0x1"));
    };
    let sender = |node: &Node| {
        about_block_5(node, "eth_getBlockByNumber", |block| {
            for transaction in
                block["transactions"].as_array_mut().unwrap().iter_mut().filter(|tx| tx.is_object())
            {
                transaction["from"] = json!(Address::repeat_byte(0x99));
            }
        });
    };
    let input = |node: &Node| {
        about_block_5(node, "eth_getBlockByNumber", |block| {
            for transaction in
                block["transactions"].as_array_mut().unwrap().iter_mut().filter(|tx| tx.is_object())
            {
                transaction["input"] = json!("0xbad0");
            }
        });
    };
    vec![
        Lie { name: "omitted log", tell: omit, found_from: Bloom, kind: IncidentKind::OmittedLog },
        Lie { name: "altered topic", tell: topic, found_from: Present, kind: IncidentKind::Bloom },
        Lie { name: "altered data", tell: data, found_from: Receipts, kind: IncidentKind::ForgedLog },
        Lie { name: "altered header", tell: header, found_from: Present, kind: IncidentKind::HeaderHash },
        Lie { name: "log of another block", tell: fork, found_from: Off, kind: IncidentKind::Disagreement },
        Lie {
            name: "altered receipt",
            tell: receipt,
            found_from: Receipts,
            kind: IncidentKind::ReceiptsRoot,
        },
        Lie { name: "altered sender", tell: sender, found_from: Receipts, kind: IncidentKind::Sender },
        Lie {
            name: "altered input",
            tell: input,
            found_from: Receipts,
            kind: IncidentKind::TransactionsRoot,
        },
    ]
}

/// Each lie is found out at the levels that claim it, and at no level below: there it comes through, so each of these
/// tests fails when its check is off. Found out, it is told with its block, and the honest node is believed.
#[tokio::test(start_paused = true)]
async fn each_lie_is_found_out_exactly_at_the_levels_that_claim_it() {
    let carrying = Filter { carry_sender: true, ..filter() };
    let truth = {
        let (pool, _) = pool(&config(), &[Node::with(chain())]);
        pool.read(request(Receipts, 1, 11, &carrying)).await.unwrap()
    };
    for Lie { name, tell, found_from, kind } in lies() {
        for level in LEVELS {
            let (liar, honest) = (Node::with(chain()), Node::with(chain()));
            tell(&liar);
            let (pool, incidents) = pool(&config(), &[liar, honest]);
            let read = pool.read(request(level, 1, 11, &carrying)).await.unwrap();
            let is_true = Segment { level: Receipts, ..read } == truth;
            let told = told(&incidents);
            if level >= found_from {
                assert!(is_true, "{name} at {level:?}");
                assert_eq!(told, [(kind, Some(5), "a".to_owned())], "{name} at {level:?}");
            } else {
                // The altered receipt is not read below, so nothing is altered by it.
                assert_eq!((is_true, told), (name == "altered receipt", vec![]), "{name} at {level:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_honest_node_a_lie_is_never_read_as_true() {
    let carrying = Filter { carry_sender: true, ..filter() };
    for Lie { name, tell, kind, .. } in lies() {
        let liar = Node::with(chain());
        tell(&liar);
        let (pool, incidents) = pool(&config(), &[Arc::clone(&liar)]);
        let read = pool.read(request(Receipts, 1, 11, &carrying)).await;
        assert!(told(&incidents).contains(&(kind, Some(5), "a".into())), "{name}");
        match kind {
            // Its own receipts, which are proved, tell what its logs did not.
            IncidentKind::OmittedLog | IncidentKind::ForgedLog | IncidentKind::Bloom => {
                if let Ok(segment) = read {
                    assert_eq!(data(&segment), items(1..=10), "{name}");
                }
            }
            _ => assert!(matches!(read, Err(crate::error::Error::Refuted { .. })), "{name}: {read:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sampled_block_is_proved_whatever_the_level() {
    for sampled in [false, true] {
        let (liar, honest) = (Node::with(chain()), Node::with(chain()));
        about_block_5(&liar, "eth_getLogs", |log| log["data"] = json!("0xbad0"));
        let (pool, incidents) = pool(&config(), &[liar, honest]);
        let sample = Sample { one_in: sampled.into(), seed: 0 };
        let read = pool.read(ReadRequest { sample, ..request(Present, 1, 11, &filter()) }).await.unwrap();
        assert_eq!(data(&read) == items(1..=10), sampled);
        assert_eq!(told(&incidents).len(), usize::from(sampled));
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_of_many_ranges_is_read_by_what_the_endpoint_takes() {
    let node = Node::with(Chain::of(100));
    node.trick(|method, params, answer| {
        let bound = |key: &str| {
            u64::from_str_radix(params[0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        };
        if method == "eth_getLogs" && bound("toBlock") - bound("fromBlock") >= 10 {
            return Err(Failure::Says(-32000, "block range is too wide (maximum 10)".into()));
        }
        answer
    });
    let (pool, incidents) = pool(&config(), &[Arc::clone(&node)]);
    let segment = pool.read(request(Present, 1, 100, &filter())).await.unwrap();
    assert_eq!(data(&segment), items(1..=100));
    assert_eq!((node.asked("eth_getLogs"), pool.span(Present)), (11, 10));
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn one_block_that_is_too_much_for_one_answer_is_read_from_its_receipts() {
    let node = Node::with(chain());
    node.trick(|method, params, answer| match method {
        "eth_getLogs"
            if params[0]["fromBlock"] != params[0]["toBlock"] || params[0]["fromBlock"] == "0x5" =>
        {
            Err(Failure::Says(-32005, "query returned more than 10000 results".into()))
        }
        _ => answer,
    });
    let (pool, incidents) = pool(&config(), &[node]);
    let segment = pool.read(request(Present, 1, 11, &filter())).await.unwrap();
    assert_eq!(data(&segment), items(1..=10));
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_logs_shrinks_the_range() {
    let node = Node::with(Chain::of(100));
    node.trick(|method, params, answer| match method {
        "eth_getLogs" if params[0]["fromBlock"] == "0x1" && params[0]["toBlock"] == "0x64" => {
            Err(Failure::Breaks(RpcError::Timeout("no answer".into())))
        }
        _ => answer,
    });
    let (pool, _) = pool(&config(), &[node]);
    assert_eq!(data(&pool.read(request(Present, 1, 100, &filter())).await.unwrap()), items(1..=100));
}

/// A node that has lost everything up to block 6.
fn pruned_node() -> Arc<Node> {
    let pruned = Node::with(chain());
    pruned.alter("eth_getLogs", |_, logs| {
        logs.as_array_mut().unwrap().retain(|log| log["blockNumber"].as_str().unwrap() > "0x6");
    });
    pruned.alter("eth_getBlockReceipts", |params, receipts| {
        if params[0].as_str().unwrap() <= "0x6" {
            *receipts = Value::Null;
        }
    });
    pruned
}

/// Nodes that pruned their history say that there is nothing (Ghoststake #58).
#[tokio::test(start_paused = true)]
async fn an_empty_answer_of_a_pruned_node_is_not_believed() {
    for level in LEVELS {
        for (first, last) in [(1, 6), (1, 11)] {
            let pruned = pruned_node();
            let (pool, incidents) = pool(&config(), &[Arc::clone(&pruned), Node::with(chain())]);
            let segment = pool.read(request(level, first, last, &filter())).await.unwrap();
            assert_eq!(data(&segment), items(first..=last.min(10)), "{level:?}");
            let told = told(&incidents);
            assert!(
                matches!(told.as_slice(), [(IncidentKind::PrunedHistory, Some(_), name)] if name == "a"),
                "{level:?} {told:?}"
            );
            let (alone, _) = self::pool(&config(), &[pruned]);
            let read = alone.read(request(level, first, last, &filter())).await;
            assert!(matches!(read, Err(crate::error::Error::Pruned { .. })), "{level:?}: {read:?}");
        }
    }
}

/// A node that lost its logs and kept its receipts: they tell what its logs do not.
#[tokio::test(start_paused = true)]
async fn logs_that_a_node_lost_are_taken_from_its_receipts() {
    for level in LEVELS {
        let node = Node::with(Chain::of(200));
        node.alter("eth_getLogs", |_, logs| {
            let block = |log: &Value| {
                u64::from_str_radix(log["blockNumber"].as_str().unwrap().trim_start_matches("0x"), 16)
            };
            logs.as_array_mut().unwrap().retain(|log| block(log).unwrap() > 120);
        });
        let (pool, incidents) = pool(&config(), &[node]);
        let mut first = 1;
        let mut all = Vec::new();
        while first <= 200 {
            let segment = pool.read(request(level, first, 200, &filter())).await.unwrap();
            all.extend(data(&segment));
            first = segment.last.number + 1;
        }
        assert_eq!(all, items(1..=200), "{level:?}");
        assert_eq!(told(&incidents)[0].1, Some(1), "{level:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_announced_and_not_given_is_taken_from_below() {
    let node = Node::with(chain());
    node.trick(|method, params, answer| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("latest" | "0xb")) => Ok(Value::Null),
        ("eth_blockNumber", _) => Ok(json!("0xb")),
        _ => answer,
    });
    let (pool, incidents) = pool(&config(), &[node]);
    assert_eq!(pool.heads().await.unwrap().latest.block.number, 10);
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_empty_because_there_is_nothing_is_believed() {
    for level in LEVELS {
        let mut quiet = Chain::new();
        for number in 0..50 {
            quiet.mine(&[vec![log_of(Address::repeat_byte(1), number)]]);
        }
        let (pool, incidents) = pool(&config(), &[Node::with(quiet)]);
        let segment = pool.read(request(level, 1, 50, &filter())).await.unwrap();
        assert_eq!((data(&segment), told(&incidents)), (vec![], vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_without_block_receipts_is_asked_for_each_receipt() {
    let node = Node::with(chain());
    node.trick(|method, _, answer| match method {
        "eth_getBlockReceipts" => Err(Failure::Says(-32601, "Method not found".into())),
        _ => answer,
    });
    let (pool, _) = pool(&config(), &[Arc::clone(&node)]);
    let segment = pool.read(request(Receipts, 1, 11, &filter())).await.unwrap();
    assert_eq!(data(&segment), items(1..=10));
    assert_eq!(node.asked("eth_getTransactionReceipt"), 20);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_of_an_unknown_type_cannot_be_proved_and_is_said_so() {
    let node = Node::with(chain());
    about_block_5(&node, "eth_getBlockReceipts", |receipt| receipt["type"] = json!("0x7e"));
    let (pool, _) = pool(&config(), &[node]);
    let error = pool.read(request(Receipts, 1, 11, &filter())).await.unwrap_err();
    assert!(matches!(error, crate::error::Error::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("block 5: receipt type 0x7e is not known"), "{error}");
}

/// Blocks of rollups hold transactions that nobody here can encode: levels that need no proof do without.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_proved_is_still_looked_at_where_an_answer_is_empty() {
    let rollup = |silent: bool| {
        let node = Node::with(chain());
        node.alter("eth_getBlockReceipts", |_, receipts| {
            for receipt in receipts.as_array_mut().unwrap() {
                receipt["type"] = json!("0x7e");
            }
        });
        if silent {
            node.alter("eth_getLogs", |_, logs| *logs = json!([]));
        }
        node
    };
    for level in [Off, Present] {
        let sample = Sample { one_in: 1, seed: 0 };
        let (pool, incidents) = pool(&config(), &[rollup(true), rollup(false)]);
        let segment = pool.read(ReadRequest { sample, ..request(level, 1, 11, &filter()) }).await.unwrap();
        assert_eq!(data(&segment), items(1..=10), "{level:?}");
        assert_eq!(told(&incidents), [(IncidentKind::PrunedHistory, Some(1), "a".into())], "{level:?}");
    }
}

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
