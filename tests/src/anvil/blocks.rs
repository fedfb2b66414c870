//! Evidence over blocks that another implementation made: transactions of every type, each of which logs.

use crate::cast::Cast;
use crate::node::{Call, Contract, Key, Node};
use alloy_primitives::{Address, B256, keccak256};
use evidence::error::{Error, Trie};
use evidence::log_proof::LogProof;
use evidence::{block, header, receipt, roots, transaction};
use serde_json::{Value, json};

/// A block as the node tells it: header, receipts and transactions as JSON text.
struct Told {
    block: String,
    receipts: String,
    /// Type and sender of each transaction, in order, as the node names them.
    transactions: Vec<(u8, Address)>,
}

/// A call that writes two logs: one of one topic, one of none.
fn log(raw: &Contract, from: Address, n: u8) -> Call {
    let topic = B256::repeat_byte(n);
    raw.call(from, "write", &[&format!("[([{topic}],0x{n:02x}),([],0x)]")])
}

/// A block with a transaction of each type but 3; also the contract that logs in it and the account that lets the
/// contract's code speak for it.
async fn block_of_types() -> (Told, Contract, Address) {
    let node = Node::start().await;
    let cast = Cast::on(&node);
    let raw = node.deploy("RawLogs", cast.address("admin"), &[]).await;
    let log = |n: u8| log(&raw, cast.address("thief"), n);
    let unlocked = |n: u8, more: Value| log(n).with(more);
    let access = json!([{ "address": raw.address, "storageKeys": [B256::repeat_byte(7)] }]);
    let calls: [Call; 3] = [
        unlocked(0xa0, json!({ "type": "0x0", "gasPrice": "0x174876e800" })),
        unlocked(0xa1, json!({ "type": "0x1", "gasPrice": "0x174876e800", "accessList": access })),
        unlocked(
            0xa2,
            json!({ "type": "0x2", "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0x1" }),
        ),
    ];
    let mut sent = Vec::new();
    for call in &calls {
        sent.push(node.send(call).await);
    }
    let mut sender = Key::funded(&node, "sender").await;
    let mut authority = Key::funded(&node, "authority").await;
    sent.push(sender.send_with_authorization(&node, &mut authority, raw.address, log(0xa4).input).await);
    let head = node.mine_pending(&sent).await;
    (told(&node, head.hash).await, raw, authority.address())
}

async fn told(node: &Node, hash: B256) -> Told {
    let block = node.call("eth_getBlockByHash", json!([hash, true])).await;
    let receipts = node.call("eth_getBlockReceipts", json!([hash])).await;
    let transactions = block["transactions"].as_array().expect("transactions").iter().map(|tx| {
        let number: alloy_primitives::U8 = serde_json::from_value(tx["type"].clone()).expect("a type");
        (number.to(), serde_json::from_value(tx["from"].clone()).expect("a sender"))
    });
    Told { transactions: transactions.collect(), block: block.to_string(), receipts: receipts.to_string() }
}

#[tokio::test]
async fn every_transaction_type_of_a_real_node_is_proved() {
    let (told, raw, authority) = block_of_types().await;
    let types: Vec<u8> = told.transactions.iter().map(|(tx_type, _)| *tx_type).collect();
    assert_eq!(types, [0, 1, 2, 4], "the block holds one transaction of every type");

    let (header, hash) = header::from_json(&told.block).expect("the header hashes to what names it");
    let receipts = receipt::list_from_json(&told.receipts).expect("receipts");
    let transactions = transaction::list_from_block_json(&told.block).expect("transactions");
    let proved = block::verify(&header, &receipts, &transactions).expect("both roots and every claim hold");
    assert_eq!(proved.block().hash, hash);
    let senders: Result<Vec<_>, _> = proved.transactions().senders().collect();
    assert_eq!(senders.expect("signatures"), Vec::from_iter(told.transactions.iter().map(|(_, from)| *from)));

    // Two logs a transaction, the second without topics. Under an authorisation the account itself logs.
    let logs: Vec<_> =
        proved.logs().map(|(place, tx)| (place.log_index, place.log.address, tx.tx_type())).collect();
    let emitter = |index: u32| if index < 6 { raw.address } else { authority };
    assert_eq!(logs, Vec::from_iter((0..8).map(|index| (index, emitter(index), types[index as usize / 2]))));

    for (place, tx) in proved.logs() {
        let proof = LogProof::build(&proved, place.log_index).expect("a proof of a log that is there");
        let carried = serde_json::to_string(&proof).expect("a proof as JSON");
        let known: LogProof = serde_json::from_str(&carried).expect("the same from JSON");
        let log = known.verify().expect("a proof that holds");
        let claims = (log.block.hash, log.tx_hash, &log.log, log.sender);
        assert_eq!(claims, (hash, tx.hash(), place.log, told.transactions[place.tx_index as usize].1));
    }
    assert!(LogProof::build(&proved, 8).is_err(), "there is no ninth log");
}

/// Anvil takes a transaction's blobs into its transactions root, as they travel and not as a chain commits to them
/// (EIP-4844). Its header is therefore refused, for just that reason; everything else of the block holds.
#[tokio::test]
async fn a_blob_transaction_is_read_as_the_chain_commits_to_it() {
    let node = Node::start().await;
    let cast = Cast::on(&node);
    let raw = node.deploy("RawLogs", cast.address("admin"), &[]).await;
    let mut sender = Key::funded(&node, "sender").await;
    let (sent, as_it_travels) = sender.send_with_blob(&node, &log(&raw, sender.address(), 0xa3)).await;
    let head = node.mine_pending(&[sent]).await;
    let told = told(&node, head.hash).await;

    let (header, hash) = header::from_json(&told.block).expect("the header hashes to what names it");
    assert_eq!(hash, head.hash);
    let receipts = receipt::list_from_json(&told.receipts).expect("receipts");
    let proved = block::verify_receipts(&header, &receipts).expect("the receipts root");
    let logs: Vec<_> = proved.logs().map(|place| (place.log.address, place.log.data.data.to_vec())).collect();
    assert_eq!(logs, [(raw.address, vec![0xa3]), (raw.address, vec![])]);

    let transactions = transaction::list_from_block_json(&told.block).expect("transactions");
    let [blob] = transactions.as_slice() else { panic!("one transaction") };
    assert_eq!((blob.tx_type(), blob.hash()), (3, sent));
    assert_eq!(blob.sender().expect("a signature"), sender.address());
    let refused = block::verify(&header, &receipts, &transactions).expect_err("anvil's transactions root");
    let of_what_travels = roots::transactions_root(&[as_it_travels]);
    let computed = roots::transactions_root(&[blob.encoded()]);
    let expected = Error::Root { trie: Trie::Transactions, header: of_what_travels, computed };
    assert_eq!(refused.to_string(), expected.to_string());
}

#[tokio::test]
async fn one_altered_digit_anywhere_is_found_out() {
    let (told, ..) = block_of_types().await;
    let verify = |block: &str, receipts: &str| -> Result<(), Error> {
        let (header, _) = header::from_json(block)?;
        let (receipts, transactions) =
            (receipt::list_from_json(receipts)?, transaction::list_from_block_json(block)?);
        let proved = block::verify(&header, &receipts, &transactions)?;
        proved.transactions().senders().try_for_each(|sender| sender.map(drop))
    };
    verify(&told.block, &told.receipts).expect("the block as it is");
    let (mut tried, mut missed) = (0, Vec::new());
    for name in
        ["stateRoot", "receiptsRoot", "logsBloom", "gasUsed", "timestamp", "from", "input", "r", "s", "nonce"]
    {
        for altered in with_altered_digit(&told.block, name) {
            tried += 1;
            if verify(&altered, &told.receipts).is_ok() {
                missed.push(format!("block: {name}"));
            }
        }
    }
    for name in ["data", "address", "status", "cumulativeGasUsed", "transactionHash", "transactionIndex"] {
        for altered in with_altered_digit(&told.receipts, name) {
            tried += 1;
            if verify(&told.block, &altered).is_ok() {
                missed.push(format!("receipts: {name}"));
            }
        }
    }
    println!("evidence: {tried} altered digits in a block of four transaction types");
    assert!(tried > 60, "{tried} digits were altered");
    assert_eq!(missed, Vec::<String>::new(), "hash {}", keccak256(&told.block));
}

/// The JSON with the last digit of each field of this name changed, one at a time.
fn with_altered_digit(json: &str, name: &str) -> Vec<String> {
    let key = format!("\"{name}\":\"0x");
    let ends = json
        .match_indices(&key)
        .map(|(at, _)| at + key.len() + json[at + key.len()..].find('"').expect("an end"));
    let altered = ends.filter(|end| json.as_bytes()[end - 1] != b'x').map(|end| {
        let digit = if json.as_bytes()[end - 1] == b'0' { "1" } else { "0" };
        format!("{}{digit}{}", &json[..end - 1], &json[end..])
    });
    altered.collect()
}
