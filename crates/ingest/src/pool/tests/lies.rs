//! Nodes that lie about a block, and the levels that find it out.

use super::*;

/// A lie about block 5, and the levels that find it out.
struct Lie {
    name: &'static str,
    tell: fn(&Node),
    found_from: VerificationLevel,
    kind: IncidentKind,
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
