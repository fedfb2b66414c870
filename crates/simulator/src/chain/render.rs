//! Writes a sealed block as JSON, once. Answers are then copies of these bytes.
//!
//! A log's text has a fixed beginning: its address and topics stand at known places, and filters are matched there
//! (see [`crate::node::filter`]).
//!
//! Source of the fields: execution-apis, schemas `Block`, `TransactionInfo`, `ReceiptInfo`, `Log`.

use crate::chain::body::Body;
use crate::chain::seal::{SealedBlock, SealedTx};
use crate::chain::transaction::{Envelope, SignedTx};
use alloy_consensus::{Header, Transaction as _, Typed2718};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{B256, Log, hex};
use bytes::Bytes;
use evidence::receipt::Receipt;
use std::fmt::LowerHex;
use std::io::Write;

/// Where a log's address begins in its text.
pub(crate) const ADDRESS_AT: usize = r#"{"address":"0x"#.len();
/// Where a log's topics begin in its text: the first quotation mark.
pub(crate) const TOPICS_AT: usize = ADDRESS_AT + 40 + r#"","topics":["#.len();
/// From one topic's quotation mark to the next one's: `"0x…64…",`.
pub(crate) const TOPIC_STRIDE: usize = 69;

/// Renders a block with its hash. A block's text stays far below 4 GiB: 600 logs of some kilobytes.
pub(crate) fn block(header: Header, hash: B256, body: &Body) -> SealedBlock {
    let mut text = Text::with_capacity(3_000 + body.txs.len() * 2_400);
    let header_text = text.section(|out| write_header(out, &header, hash, body));
    let log_total: usize = body.receipts.iter().map(|receipt| receipt.logs.len()).sum();
    let mut logs = Text::with_capacity(log_total * 900);
    let mut log_starts = Vec::with_capacity(log_total + 1);
    let mut txs = Vec::with_capacity(body.txs.len());
    let context = BlockContext::new(&header, hash);
    for (index, (tx, receipt)) in body.txs.iter().zip(&body.receipts).enumerate() {
        let first_log = small(log_starts.len());
        let place = context.of_transaction(tx.hash, index);
        for log in &receipt.logs {
            let log_index = log_starts.len();
            log_starts.push(logs.section(|out| write_log(out, log, &place, log_index)).start);
        }
        txs.push(SealedTx {
            hash: tx.hash,
            text: text.section(|out| write_transaction(out, tx, &header, &place)),
            receipt: text.section(|out| write_receipt(out, tx, receipt, &header, &place)),
            logs: first_log..small(log_starts.len()),
        });
    }
    log_starts.push(small(logs.0.len()));
    // The last log has no comma after it; the end counts as if it had.
    logs.0.pop();
    let (text, logs) = (Bytes::from(text.0), Bytes::from(logs.0));
    SealedBlock { header, hash, text, header_text, txs, logs, log_starts }
}

fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// JSON being written.
#[derive(Debug)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl Text {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Where what `write` writes lies.
    fn section(&mut self, write: impl FnOnce(&mut Self)) -> std::ops::Range<u32> {
        let start = small(self.0.len());
        write(self);
        start..small(self.0.len())
    }

    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Bytes as DATA, with quotation marks.
    fn data(&mut self, bytes: &[u8]) -> &mut Self {
        self.raw("\"0x");
        let at = self.0.len();
        self.0.resize(at + bytes.len() * 2, 0);
        // The room is exactly what the digits need: there is no error to meet.
        hex::encode_to_slice(bytes, &mut self.0[at..]).unwrap_or_default();
        self.raw("\"")
    }

    /// A number as QUANTITY, with quotation marks.
    fn quantity(&mut self, value: impl LowerHex) -> &mut Self {
        // Writing to a vector cannot fail.
        write!(self.0, "\"{value:#x}\"").unwrap_or_default();
        self
    }

    fn data_field(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.raw("\"").raw(name).raw("\":").data(bytes.as_ref()).raw(",")
    }

    fn quantity_field(&mut self, name: &str, value: impl LowerHex) -> &mut Self {
        self.raw("\"").raw(name).raw("\":").quantity(value).raw(",")
    }

    fn data_list(&mut self, items: impl Iterator<Item = B256>) -> &mut Self {
        self.raw("[");
        for (n, item) in items.enumerate() {
            self.raw(if n > 0 { "," } else { "" }).data(item.as_slice());
        }
        self.raw("]")
    }
}

/// The parts of texts that are the same for all of a block.
struct BlockContext {
    number: String,
    hash: String,
    timestamp: String,
}

/// The parts of texts that are the same for all of a transaction.
struct TxContext {
    /// Number, transaction hash and index, block hash.
    fields: String,
    timestamp: String,
}

impl BlockContext {
    fn new(header: &Header, hash: B256) -> Self {
        Self {
            number: format!(r#""blockNumber":"{:#x}""#, header.number),
            hash: format!(r#""blockHash":"{hash}""#),
            timestamp: format!(r#""blockTimestamp":"{:#x}""#, header.timestamp),
        }
    }

    fn of_transaction(&self, tx: B256, index: usize) -> TxContext {
        let place = format!(r#""transactionHash":"{tx}","transactionIndex":"{index:#x}""#);
        let fields = [self.number.as_str(), &place, &self.hash].join(",");
        TxContext { fields, timestamp: self.timestamp.clone() }
    }
}

fn write_log(out: &mut Text, log: &Log, place: &TxContext, log_index: usize) {
    out.raw(r#"{"address":"#).data(log.address.as_slice()).raw(r#","topics":"#);
    out.data_list(log.data.topics().iter().copied()).raw(r#","data":"#).data(&log.data.data).raw(",");
    out.raw(&place.fields).raw(",").raw(&place.timestamp);
    out.raw(r#","logIndex":"#).quantity(log_index as u64).raw(r#","removed":false},"#);
}

fn write_header(out: &mut Text, header: &Header, hash: B256, body: &Body) {
    let size = header.size() + body.txs.iter().map(|tx| tx.encoded.len()).sum::<usize>();
    out.data_field("hash", hash)
        .data_field("parentHash", header.parent_hash)
        .data_field("sha3Uncles", header.ommers_hash)
        .data_field("miner", header.beneficiary)
        .data_field("stateRoot", header.state_root)
        .data_field("transactionsRoot", header.transactions_root)
        .data_field("receiptsRoot", header.receipts_root)
        .data_field("logsBloom", header.logs_bloom)
        .quantity_field("difficulty", header.difficulty)
        .quantity_field("number", header.number)
        .quantity_field("gasLimit", header.gas_limit)
        .quantity_field("gasUsed", header.gas_used)
        .quantity_field("timestamp", header.timestamp)
        .data_field("extraData", &header.extra_data)
        .data_field("mixHash", header.mix_hash)
        .data_field("nonce", header.nonce)
        .quantity_field("size", size as u64);
    for (name, value) in [
        ("baseFeePerGas", header.base_fee_per_gas),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    ] {
        value.map(|value| out.quantity_field(name, value));
    }
    for (name, value) in [
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ] {
        value.map(|value| out.data_field(name, value));
    }
    out.raw(r#""uncles":[],"withdrawals":[]"#);
}

fn write_transaction(out: &mut Text, tx: &SignedTx, header: &Header, place: &TxContext) {
    let envelope = &tx.envelope;
    out.raw("{").raw(&place.fields).raw(",");
    out.quantity_field("type", u64::from(envelope.ty()))
        .data_field("hash", tx.hash)
        .data_field("from", tx.sender)
        .quantity_field("nonce", envelope.nonce())
        .quantity_field("gas", envelope.gas_limit())
        .quantity_field("gasPrice", envelope.effective_gas_price(header.base_fee_per_gas))
        .quantity_field("value", envelope.value())
        .data_field("input", envelope.input());
    envelope.to().map(|to| out.data_field("to", to));
    envelope.chain_id().map(|id| out.quantity_field("chainId", id));
    if envelope.is_dynamic_fee() {
        out.quantity_field("maxFeePerGas", envelope.max_fee_per_gas());
        out.quantity_field("maxPriorityFeePerGas", envelope.max_priority_fee_per_gas().unwrap_or(0));
    }
    envelope.max_fee_per_blob_gas().map(|fee| out.quantity_field("maxFeePerBlobGas", fee));
    if let Some(hashes) = envelope.blob_versioned_hashes() {
        out.raw(r#""blobVersionedHashes":"#).data_list(hashes.iter().copied()).raw(",");
    }
    write_lists(out, envelope);
    write_signature(out, envelope);
    out.raw("}");
}

fn write_lists(out: &mut Text, envelope: &Envelope) {
    if let Some(AccessList(items)) = envelope.access_list() {
        out.raw(r#""accessList":["#);
        for (n, item) in items.iter().enumerate() {
            out.raw(if n > 0 { "," } else { "" }).raw("{").data_field("address", item.address);
            out.raw(r#""storageKeys":"#).data_list(item.storage_keys.iter().copied()).raw("}");
        }
        out.raw("],");
    }
    if let Some(list) = envelope.authorization_list() {
        out.raw(r#""authorizationList":["#);
        for (n, signed) in list.iter().enumerate() {
            out.raw(if n > 0 { "," } else { "" })
                .raw("{")
                .quantity_field("chainId", *signed.inner().chain_id());
            out.data_field("address", signed.inner().address())
                .quantity_field("nonce", signed.inner().nonce());
            out.quantity_field("yParity", u64::from(signed.y_parity())).quantity_field("r", signed.r());
            out.raw(r#""s":"#).quantity(signed.s()).raw("}");
        }
        out.raw("],");
    }
}

fn write_signature(out: &mut Text, envelope: &Envelope) {
    let signature = envelope.signature();
    let parity = u64::from(signature.v());
    let v = match (envelope.is_legacy(), envelope.chain_id()) {
        // EIP-155.
        (true, Some(chain_id)) => chain_id * 2 + 35 + parity,
        (true, None) => 27 + parity,
        (false, _) => {
            out.quantity_field("yParity", parity);
            parity
        }
    };
    out.quantity_field("v", v).quantity_field("r", signature.r());
    out.raw(r#""s":"#).quantity(signature.s());
}

/// A receipt up to its logs: `…,"logs":[`.
fn write_receipt(out: &mut Text, tx: &SignedTx, receipt: &Receipt, header: &Header, place: &TxContext) {
    let envelope = &tx.envelope;
    out.raw("{").raw(&place.fields).raw(",");
    out.quantity_field("type", u64::from(receipt.tx_type))
        .quantity_field("status", 1_u64)
        .quantity_field("cumulativeGasUsed", receipt.cumulative_gas_used)
        .quantity_field("gasUsed", tx.gas_used)
        .quantity_field("effectiveGasPrice", envelope.effective_gas_price(header.base_fee_per_gas))
        .data_field("from", tx.sender)
        .data_field("logsBloom", receipt.bloom);
    envelope.to().map(|to| out.data_field("to", to));
    if let Some(gas) = envelope.blob_gas_used() {
        let price = BlobParams::prague().calc_blob_fee(header.excess_blob_gas.unwrap_or(0));
        out.quantity_field("blobGasUsed", gas).quantity_field("blobGasPrice", price);
    }
    out.raw(r#""contractAddress":null,"logs":["#);
}
