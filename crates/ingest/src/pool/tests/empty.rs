//! Answers that say less than there is, and what can be proved of them.

use super::*;

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
