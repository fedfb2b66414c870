//! A chain in memory whose hashes, blooms and roots are right.

use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, EthereumTxEnvelope, Header, SignableTransaction, TxEip4844, TxLegacy,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, Signature, TxKind, U256, b256, hex};
use evidence::receipt::Receipt;
use evidence::roots;
use evidence::transaction::Transaction;
use model::chain::BlockRef;
use serde_json::{Value, json};

/// The contract whose logs most tests watch.
pub(crate) const WATCHED: Address = Address::repeat_byte(0xc0);
/// Its event.
pub(crate) const EVENT: B256 = B256::repeat_byte(0xe0);
const SECONDS_PER_BLOCK: u64 = 12;

/// A block with everything in it.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) receipts: Vec<Receipt>,
}

/// A chain, from genesis.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) blocks: Vec<Block>,
    pub(crate) finalized: u64,
    /// Blocks of different branches differ by it.
    pub(crate) branch: u64,
    nonce: u64,
}

/// A log of the watched contract that speaks of `item`.
pub(crate) fn log(item: u64) -> Log {
    log_of(WATCHED, item)
}

pub(crate) fn log_of(contract: Address, item: u64) -> Log {
    let topics = vec![EVENT, B256::left_padding_from(&item.to_be_bytes())];
    Log::new_unchecked(contract, topics, Bytes::from(item.to_be_bytes().to_vec()))
}

impl Chain {
    pub(crate) fn new() -> Self {
        let mut chain = Self { blocks: Vec::new(), finalized: 0, branch: 0, nonce: 0 };
        chain.mine(&[]);
        chain
    }

    /// A chain of `blocks` blocks above genesis, each with one log of the watched contract that speaks of its number.
    pub(crate) fn of(blocks: u64) -> Self {
        let mut chain = Self::new();
        for number in 1..=blocks {
            chain.mine(&[vec![log(number)]]);
        }
        chain
    }

    /// Adds a block with one transaction for each list of logs.
    pub(crate) fn mine(&mut self, transactions: &[Vec<Log>]) -> BlockRef {
        let mut receipts = Vec::new();
        let mut signed = Vec::new();
        for (place, logs) in transactions.iter().enumerate() {
            let gas = 21_000 * (place as u64 + 1);
            receipts.push(Receipt::new(0, Eip658Value::Eip658(true), gas, logs.clone()));
            self.nonce += 1;
            signed.push(transaction(self.nonce, self.branch));
        }
        let number = self.blocks.len() as u64;
        let header = Header {
            parent_hash: self.blocks.last().map_or(B256::ZERO, |block| block.hash),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            number,
            timestamp: 1_700_000_000 + number * SECONDS_PER_BLOCK,
            gas_limit: 30_000_000,
            gas_used: 21_000 * transactions.len() as u64,
            logs_bloom: receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom),
            receipts_root: roots::receipts_root(&receipts).unwrap(),
            transactions_root: roots::transactions_root(&signed),
            extra_data: Bytes::from(self.branch.to_be_bytes().to_vec()),
            base_fee_per_gas: Some(7),
            ..Header::default()
        };
        let hash = evidence::header::hash(&header);
        self.blocks.push(Block { header, hash, transactions: signed, receipts });
        BlockRef { number, hash }
    }

    /// Adds `blocks` blocks without transactions.
    pub(crate) fn mine_empty(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.mine(&[]);
        }
    }

    /// Takes back every block above `number`; what is mined from now on is another branch.
    pub(crate) fn take_back(&mut self, number: u64) {
        self.blocks.truncate(number as usize + 1);
        self.branch += 1;
    }

    pub(crate) fn latest(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    pub(crate) fn block(&self, number: u64) -> Option<&Block> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn block_ref(&self, number: u64) -> BlockRef {
        BlockRef { number, hash: self.block(number).unwrap().hash }
    }

    /// Every log that `wants` takes, as (block, index in block, contract, data).
    pub(crate) fn logs(&self, wants: impl Fn(u64, &Log) -> bool) -> Vec<(BlockRef, u32, Address, Bytes)> {
        let mut logs = Vec::new();
        for block in &self.blocks {
            let at = BlockRef { number: block.header.number, hash: block.hash };
            let of_block = block.receipts.iter().flat_map(|receipt| &receipt.logs).zip(0..);
            logs.extend(
                of_block
                    .filter(|(log, _)| wants(at.number, log))
                    .map(|(log, index)| (at, index, log.address, log.data.data.clone())),
            );
        }
        logs
    }
}

impl Block {
    pub(crate) fn json(&self, whole: bool) -> Value {
        let header = &self.header;
        let transactions: Vec<Value> =
            self.transactions
                .iter()
                .enumerate()
                .map(|(index, transaction)| {
                    if whole { self.transaction_json(index, transaction) } else { json!(transaction.hash()) }
                })
                .collect();
        json!({
            "hash": self.hash, "parentHash": header.parent_hash, "sha3Uncles": header.ommers_hash,
            "miner": header.beneficiary, "stateRoot": header.state_root, "transactionsRoot": header.transactions_root,
            "receiptsRoot": header.receipts_root, "logsBloom": header.logs_bloom, "difficulty": "0x0",
            "number": quantity(header.number), "gasLimit": quantity(header.gas_limit), "gasUsed": quantity(header.gas_used),
            "timestamp": quantity(header.timestamp), "extraData": header.extra_data, "mixHash": header.mix_hash,
            "nonce": "0x0000000000000000", "baseFeePerGas": "0x7", "size": "0x1", "uncles": [], "transactions": transactions,
        })
    }

    fn transaction_json(&self, index: usize, transaction: &Transaction) -> Value {
        json!({
            "hash": transaction.hash(), "type": "0x0", "from": transaction.sender().unwrap(), "to": transaction.to(),
            "input": transaction.input(), "value": "0x0", "gas": "0x5208", "gasPrice": "0x7",
            "nonce": quantity(nonce_in(transaction)), "r": R, "s": "0x1", "v": "0x1b",
            "blockHash": self.hash, "blockNumber": quantity(self.header.number), "transactionIndex": quantity(index as u64),
        })
    }

    pub(crate) fn receipts_json(&self) -> Vec<Value> {
        let mut log_index = 0;
        let entries = self.receipts.iter().zip(&self.transactions).enumerate();
        entries.map(|(index, (receipt, transaction))| {
            let logs: Vec<Value> = receipt.logs.iter().map(|log| {
                log_index += 1;
                self.log_json(log, transaction.hash(), index, log_index - 1)
            }).collect();
            json!({
                "type": "0x0", "status": "0x1", "cumulativeGasUsed": quantity(receipt.cumulative_gas_used), "logs": logs,
                "logsBloom": receipt.bloom, "blockHash": self.hash, "blockNumber": quantity(self.header.number),
                "transactionHash": transaction.hash(), "transactionIndex": quantity(index as u64),
            })
        }).collect()
    }

    pub(crate) fn logs_json(&self) -> Vec<Value> {
        self.receipts_json()
            .into_iter()
            .flat_map(|receipt| receipt["logs"].as_array().unwrap().clone())
            .collect()
    }

    fn log_json(&self, log: &Log, tx_hash: B256, tx_index: usize, log_index: u64) -> Value {
        json!({
            "address": log.address, "topics": log.topics(), "data": log.data.data, "blockHash": self.hash,
            "blockNumber": quantity(self.header.number), "transactionHash": tx_hash,
            "transactionIndex": quantity(tx_index as u64), "logIndex": quantity(log_index), "removed": false,
        })
    }
}

pub(crate) fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// The x coordinate of the curve's generator: with any `s`, some key has signed, and which one follows.
const R: B256 = b256!("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");

fn transaction(nonce: u64, branch: u64) -> Transaction {
    let input = [hex!("feed").to_vec(), branch.to_be_bytes().to_vec()].concat();
    let unsigned = TxLegacy {
        chain_id: None,
        nonce,
        gas_price: 7,
        gas_limit: 21_000,
        to: TxKind::Call(WATCHED),
        value: U256::ZERO,
        input: input.into(),
    };
    let signature = Signature::new(R.into(), U256::from(1), false);
    let envelope: EthereumTxEnvelope<TxEip4844> = unsigned.into_signed(signature).into();
    let mut encoded = Vec::new();
    alloy_eips::eip2718::Encodable2718::encode_2718(&envelope, &mut encoded);
    Transaction::decode(encoded.into()).unwrap()
}

/// The nonce stands first in the list.
fn nonce_in(transaction: &Transaction) -> u64 {
    let mut encoded: &[u8] = transaction.encoded();
    alloy_rlp::Header::decode(&mut encoded).unwrap();
    alloy_rlp::Decodable::decode(&mut encoded).unwrap()
}
