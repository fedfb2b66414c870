//! What verifying costs, on a block of 200 transactions with 400 logs, about a busy block of mainnet.
//!
//! `cargo bench -p evidence`. The figures that matter: `block` is what the level `receipts` costs at the head for each
//! block, less reading the JSON and recovering the senders of the logs that the filter keeps (`sender`, for one).

#![allow(clippy::expect_used, missing_docs, reason = "a bench stops where its own setup fails")]

use alloy_consensus::{EthereumTxEnvelope, Header, Signed, TxEip1559, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256, keccak256};
use criterion::{Criterion, criterion_group, criterion_main};
use evidence::block;
use evidence::bloom::{self, Matcher};
use evidence::error::Trie;
use evidence::log_proof::LogProof;
use evidence::receipt::{self, ClaimedReceipt, Receipt};
use evidence::transaction::Transaction;
use evidence::{header, proof, roots};
use std::hint::black_box;
use std::path::Path;

const TRANSACTIONS: u64 = 200;
const LOGS_PER_TRANSACTION: u64 = 2;

/// A log as a token writes it: three topics, 32 bytes of data.
fn log(seed: u64) -> Log {
    let topic = |nth: u64| keccak256((seed * 4 + nth).to_be_bytes());
    let contract = Address::from_word(keccak256((seed % 40).to_be_bytes()));
    Log::new_unchecked(contract, vec![B256::repeat_byte(1), topic(1), topic(2)], topic(3).to_vec().into())
}

fn logs(transaction: u64) -> Vec<Log> {
    (0..LOGS_PER_TRANSACTION).map(|nth| log(transaction * LOGS_PER_TRANSACTION + nth)).collect()
}

/// A transaction with 100 bytes of input. Any r and s are somebody's signature, more often than not.
fn transaction(nonce: u64) -> Transaction {
    let tx = TxEip1559 {
        chain_id: 1,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::repeat_byte(1)),
        value: U256::ZERO,
        access_list: Default::default(),
        input: Bytes::from(vec![7; 100]),
    };
    let signature =
        Signature::new(U256::from(1), U256::from_be_bytes(keccak256(nonce.to_be_bytes()).0) >> 1, false);
    let envelope: EthereumTxEnvelope<TxEip4844> = Signed::new_unhashed(tx, signature).into();
    Transaction::decode(envelope.encoded_2718().into()).expect("what was encoded is decoded")
}

fn receipts() -> Vec<Receipt> {
    (0..TRANSACTIONS).map(|index| Receipt::new(2, true.into(), 50_000 * (index + 1), logs(index))).collect()
}

/// A header that fits, and the receipts as a node claims them.
fn block_of(receipts: Vec<Receipt>, transactions: &[Transaction]) -> (Header, Vec<ClaimedReceipt>) {
    let header = Header {
        number: 1,
        gas_used: 50_000 * TRANSACTIONS,
        receipts_root: roots::receipts_root(&receipts).expect("the types are known"),
        transactions_root: roots::transactions_root(transactions),
        logs_bloom: bloom::of_logs(receipts.iter().flat_map(|receipt| &receipt.logs)),
        ..Header::default()
    };
    let block = header::block_ref(&header);
    let claim = |(tx_index, receipt): (u32, Receipt)| ClaimedReceipt {
        receipt,
        block,
        tx_hash: transactions[tx_index as usize].hash(),
        tx_index,
        first_log_index: Some(tx_index * LOGS_PER_TRANSACTION as u32),
    };
    let claimed = (0u32..).zip(receipts).map(claim).collect();
    (header, claimed)
}

fn whole_blocks(bench: &mut Criterion) {
    let transactions: Vec<Transaction> = (0..TRANSACTIONS).map(transaction).collect();
    let receipts = receipts();
    bench.bench_function("receipts root", |b| b.iter(|| roots::receipts_root(black_box(&receipts))));
    bench.bench_function("transactions root", |b| {
        b.iter(|| roots::transactions_root(black_box(&transactions)))
    });
    bench.bench_function("bloom of 400 logs", |b| {
        b.iter(|| bloom::of_logs(receipts.iter().flat_map(|receipt| &receipt.logs)));
    });
    bench.bench_function("sender", |b| b.iter(|| black_box(&transactions[0]).sender().is_ok()));
    let (header, claimed) = block_of(receipts, &transactions);
    bench.bench_function("header hash", |b| b.iter(|| header::hash(black_box(&header))));
    let matcher = Matcher::new(&[Address::repeat_byte(1)], &[vec![B256::repeat_byte(1)]]);
    bench.bench_function("matcher", |b| b.iter(|| matcher.might_match(black_box(&header.logs_bloom))));
    bench.bench_function("block", |b| b.iter(|| block::verify(&header, &claimed, &transactions).is_ok()));
}

fn proofs(bench: &mut Criterion) {
    let transactions: Vec<Transaction> = (0..TRANSACTIONS).map(transaction).collect();
    let (header, claimed) = block_of(receipts(), &transactions);
    let encoded =
        receipt::encode_all(claimed.iter().map(|claimed| &claimed.receipt)).expect("the types are known");
    let one = proof::build(&encoded, 100).expect("there are 200 receipts");
    bench.bench_function("build a proof", |b| b.iter(|| proof::build(black_box(&encoded), 100)));
    bench.bench_function("verify a proof", |b| {
        b.iter(|| proof::verify(Trie::Receipts, header.receipts_root, 100, black_box(&one)));
    });
    let block = block::verify(&header, &claimed, &transactions).expect("the block was made to fit");
    let of_log = LogProof::build(&block, 200).expect("there are 400 logs");
    bench.bench_function("verify a log proof", |b| b.iter(|| black_box(&of_log).verify().is_ok()));
}

/// The answers of a real node, where they are at hand: reading them costs more than verifying them.
fn reading(bench: &mut Criterion) {
    let Some(data) = std::env::var_os("RXTRAIL_DATA") else { return };
    let folder = Path::new(&data).join("mainnet-block-21925176");
    let read = |name| std::fs::read_to_string(folder.join(name)).expect("the folder holds a block");
    let (block, receipts) = (read("block.json"), read("receipts.json"));
    bench.bench_function("read a header", |b| b.iter(|| header::from_json(black_box(&block)).is_ok()));
    bench.bench_function("read 202 receipts", |b| {
        b.iter(|| receipt::list_from_json(black_box(&receipts)).is_ok())
    });
}

criterion_group!(benches, whole_blocks, proofs, reading);
criterion_main!(benches);
