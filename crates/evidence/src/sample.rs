//! Blocks for tests: every type of transaction, really signed, with receipts, in the JSON that a node writes.

use crate::receipt::{self, ClaimedReceipt, Receipt};
use crate::transaction::{self, Transaction};
use crate::{header, roots};
use alloy_consensus::{
    EthereumTxEnvelope, Header, SignableTransaction, Signed, Transaction as _, TxEip1559, TxEip2930,
    TxEip4844, TxEip7702, TxLegacy,
};
use alloy_eips::eip2718::{Encodable2718, Typed2718};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, Signature, TxKind, U256, keccak256};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

pub(crate) type Envelope = EthereumTxEnvelope<TxEip4844>;

/// A block as a node would answer with it, and as it is read.
pub(crate) struct Sample {
    pub(crate) header: Header,
    pub(crate) block_json: String,
    pub(crate) receipts_json: String,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) receipts: Vec<ClaimedReceipt>,
    pub(crate) senders: Vec<Address>,
}

/// A block of `count` transactions, of every type in turn; the i-th logs i mod 4 times, and every seventh fails.
pub(crate) fn block(count: usize) -> Sample {
    let signed: Vec<(Envelope, Address)> = (0..count).map(|index| transaction(index as u64)).collect();
    let encoded: Vec<Vec<u8>> = signed.iter().map(|(envelope, _)| envelope.encoded_2718()).collect();
    let receipts: Vec<Receipt> =
        signed.iter().zip(0u64..).map(|((envelope, _), index)| receipt(envelope.ty(), index)).collect();
    let mut logs_bloom = Bloom::ZERO;
    receipts.iter().for_each(|receipt| logs_bloom.accrue_bloom(&receipt.bloom));
    let header = Header {
        parent_hash: B256::repeat_byte(7),
        number: 1_000,
        timestamp: 1_700_000_000,
        gas_limit: 30_000_000,
        gas_used: receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used),
        transactions_root: roots::transactions_root(&encoded),
        receipts_root: roots::receipts_root(&receipts).unwrap(),
        logs_bloom,
        base_fee_per_gas: Some(7),
        withdrawals_root: Some(B256::repeat_byte(8)),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::repeat_byte(9)),
        requests_hash: Some(B256::repeat_byte(10)),
        ..Header::default()
    };
    let mut block_json = header_json(&header);
    block_json["transactions"] =
        signed.iter().map(|(envelope, sender)| transaction_json(envelope, *sender)).collect();
    let block_json = block_json.to_string();
    let hashes: Vec<B256> = encoded.iter().map(keccak256).collect();
    let receipts_json = Value::from(receipts_json(&header, &receipts, &hashes)).to_string();
    Sample {
        transactions: transaction::list_from_block_json(&block_json).unwrap(),
        receipts: receipt::list_from_json(&receipts_json).unwrap(),
        senders: signed.iter().map(|(_, sender)| *sender).collect(),
        header,
        block_json,
        receipts_json,
    }
}

/// A signed transaction: legacy before and after EIP-155, then types 1 to 4, in turn. Returns who signed it.
pub(crate) fn transaction(seed: u64) -> (Envelope, Address) {
    let key = key(seed);
    let envelope = match seed % 6 {
        0 => sign(legacy(seed, None), &key).into(),
        1 => sign(legacy(seed, Some(1_337)), &key).into(),
        2 => sign(access_list_tx(seed), &key).into(),
        3 => sign(dynamic_fee_tx(seed), &key).into(),
        4 => sign(blob_tx(seed), &key).into(),
        _ => sign(set_code_tx(seed), &key).into(),
    };
    (envelope, Address::from_private_key(&key))
}

const TO: Address = Address::repeat_byte(0x21);

fn legacy(nonce: u64, chain_id: Option<u64>) -> TxLegacy {
    let to = if chain_id.is_some() { TxKind::Call(TO) } else { TxKind::Create };
    TxLegacy {
        chain_id,
        nonce,
        gas_price: u128::MAX,
        gas_limit: 21_000,
        to,
        value: U256::MAX,
        input: input(nonce),
    }
}

fn access_list_tx(nonce: u64) -> TxEip2930 {
    TxEip2930 {
        chain_id: 1,
        nonce,
        gas_price: 9,
        gas_limit: 21_000,
        to: TxKind::Call(TO),
        value: U256::from(5),
        access_list: access_list(),
        input: input(nonce),
    }
}

fn dynamic_fee_tx(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 1,
        to: TxKind::Create,
        value: U256::ZERO,
        access_list: AccessList::default(),
        input: input(nonce),
    }
}

fn blob_tx(nonce: u64) -> TxEip4844 {
    TxEip4844 {
        chain_id: 1,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 1,
        to: TO,
        value: U256::from(5),
        access_list: access_list(),
        blob_versioned_hashes: vec![B256::repeat_byte(1)],
        max_fee_per_blob_gas: 3,
        input: input(nonce),
    }
}

fn set_code_tx(nonce: u64) -> TxEip7702 {
    TxEip7702 {
        chain_id: 1,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 1,
        to: TO,
        value: U256::from(5),
        access_list: access_list(),
        authorization_list: vec![authorization(nonce)],
        input: input(nonce),
    }
}

fn input(seed: u64) -> Bytes {
    vec![seed as u8; (seed % 100) as usize].into()
}

fn access_list() -> AccessList {
    AccessList(vec![AccessListItem { address: TO, storage_keys: vec![B256::ZERO, B256::repeat_byte(1)] }])
}

/// A receipt with `seed` mod 4 logs. Its gas grows with the seed.
pub(crate) fn receipt(tx_type: u8, seed: u64) -> Receipt {
    let log = |nth: u64| {
        let topics =
            (0..(seed + nth) % 5).map(|topic| keccak256([seed as u8, nth as u8, topic as u8])).collect();
        let data = vec![nth as u8; (seed % 70) as usize];
        Log::new_unchecked(Address::repeat_byte(seed as u8), topics, data.into())
    };
    Receipt::new(tx_type, (seed % 7 != 6).into(), 21_000 * (seed + 1), (0..seed % 4).map(log).collect())
}

/// A header's JSON, with the hash beside it.
pub(crate) fn header_json(header: &Header) -> Value {
    let quantity = |number: Option<u64>| number.map(|number| format!("{number:#x}"));
    json!({
        "hash": header::hash(header), "parentHash": header.parent_hash, "sha3Uncles": header.ommers_hash,
        "miner": header.beneficiary, "stateRoot": header.state_root, "transactionsRoot": header.transactions_root,
        "receiptsRoot": header.receipts_root, "logsBloom": header.logs_bloom,
        "difficulty": format!("{:#x}", header.difficulty), "number": quantity(Some(header.number)),
        "gasLimit": quantity(Some(header.gas_limit)), "gasUsed": quantity(Some(header.gas_used)),
        "timestamp": quantity(Some(header.timestamp)), "extraData": header.extra_data, "mixHash": header.mix_hash,
        "nonce": header.nonce, "baseFeePerGas": quantity(header.base_fee_per_gas),
        "withdrawalsRoot": header.withdrawals_root, "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas), "parentBeaconBlockRoot": header.parent_beacon_block_root,
        "requestsHash": header.requests_hash, "blockAccessListHash": header.block_access_list_hash,
        "slotNumber": quantity(header.slot_number),
    })
}

/// A transaction's JSON, with the hash and the sender beside it.
pub(crate) fn transaction_json(envelope: &Envelope, from: Address) -> Value {
    let signature = envelope.signature();
    let parity = u64::from(signature.v());
    let mut json = json!({
        "hash": envelope.tx_hash(), "from": from, "type": format!("{:#x}", envelope.ty()),
        "nonce": format!("{:#x}", envelope.nonce()), "gas": format!("{:#x}", envelope.gas_limit()),
        "gasPrice": format!("{:#x}", envelope.gas_price().unwrap_or(8)), "to": envelope.to(),
        "value": format!("{:#x}", envelope.value()), "input": envelope.input(),
        "r": format!("{:#x}", signature.r()), "s": format!("{:#x}", signature.s()),
        "blockHash": null, "blockNumber": null, "transactionIndex": null,
    });
    json["chainId"] = envelope.chain_id().map(|id| format!("{id:#x}")).into();
    if envelope.ty() == 0 {
        json["v"] = format!("{:#x}", envelope.chain_id().map_or(27, |id| 35 + 2 * id) + parity).into();
        return json;
    }
    json["v"] = format!("{parity:#x}").into();
    json["yParity"] = json["v"].clone();
    json["accessList"] = envelope
        .access_list()
        .map(|list| {
            list.iter()
                .map(|item| json!({"address": item.address, "storageKeys": item.storage_keys}))
                .collect()
        })
        .unwrap_or(Value::Null);
    if envelope.ty() > 1 {
        json["maxFeePerGas"] = format!("{:#x}", envelope.max_fee_per_gas()).into();
        json["maxPriorityFeePerGas"] =
            envelope.max_priority_fee_per_gas().map(|fee| format!("{fee:#x}")).into();
    }
    if let Some(hashes) = envelope.blob_versioned_hashes() {
        json["blobVersionedHashes"] = json!(hashes);
        json["maxFeePerBlobGas"] = envelope.max_fee_per_blob_gas().map(|fee| format!("{fee:#x}")).into();
    }
    if let Some(list) = envelope.authorization_list() {
        json["authorizationList"] = list.iter().map(authorization_json).collect();
    }
    json
}

fn authorization_json(signed: &SignedAuthorization) -> Value {
    json!({
        "chainId": format!("{:#x}", signed.chain_id), "address": signed.address,
        "nonce": format!("{:#x}", signed.nonce), "yParity": format!("{:#x}", signed.y_parity()),
        "r": format!("{:#x}", signed.r()), "s": format!("{:#x}", signed.s()),
    })
}

/// The receipts' JSON, with what a node writes beside each receipt and each log.
pub(crate) fn receipts_json(header: &Header, receipts: &[Receipt], hashes: &[B256]) -> Vec<Value> {
    let (block_hash, block_number) = (header::hash(header), format!("{:#x}", header.number));
    let mut log_index = 0;
    let one = |(index, (receipt, hash)): (usize, (&Receipt, &B256))| {
        let logs: Vec<Value> = receipt.logs.iter().map(|log| {
            log_index += 1;
            json!({
                "address": log.address, "topics": log.topics(), "data": log.data.data, "blockHash": block_hash,
                "blockNumber": block_number, "transactionHash": hash, "transactionIndex": format!("{index:#x}"),
                "logIndex": format!("{:#x}", log_index - 1), "removed": false,
            })
        }).collect();
        json!({
            "type": format!("{:#x}", receipt.tx_type), "cumulativeGasUsed": format!("{:#x}", receipt.cumulative_gas_used),
            "status": receipt.status_or_root.as_eip658().map(|status| if status { "0x1" } else { "0x0" }),
            "root": receipt.status_or_root.as_post_state(), "logsBloom": receipt.bloom, "logs": logs,
            "blockHash": block_hash, "blockNumber": block_number, "transactionHash": hash,
            "transactionIndex": format!("{index:#x}"),
        })
    };
    receipts.iter().zip(hashes).enumerate().map(one).collect()
}

fn key(seed: u64) -> SigningKey {
    SigningKey::from_slice(keccak256(seed.to_be_bytes()).as_slice()).unwrap()
}

fn sign<T: SignableTransaction<Signature>>(tx: T, key: &SigningKey) -> Signed<T> {
    let signature = sign_hash(tx.signature_hash(), key);
    tx.into_signed(signature)
}

fn sign_hash(hash: B256, key: &SigningKey) -> Signature {
    key.sign_prehash_recoverable(hash.as_slice()).unwrap().into()
}

fn authorization(seed: u64) -> SignedAuthorization {
    let inner = Authorization { chain_id: U256::from(1), address: Address::repeat_byte(3), nonce: seed };
    let signature = sign_hash(inner.signature_hash(), &key(seed + 1));
    inner.into_signed(signature)
}
