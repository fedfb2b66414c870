//! Transactions that anvil does not sign for its accounts: with blobs (EIP-4844) and with authorisations (EIP-7702).

use super::{Call, Node};
use alloy_consensus::{SignableTransaction, TxEip4844, TxEip4844WithSidecar, TxEip7702};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip4844::{Blob, BlobTransactionSidecar, Bytes48, kzg_to_versioned_hash};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, hex, keccak256};
use k256::ecdsa::SigningKey;
use serde_json::json;

const CHAIN_ID: u64 = crate::cast::CHAIN;
const GAS: u64 = 1_000_000;
/// Far above what anvil asks for.
const FEE_WEI: u128 = 100_000_000_000;

/// A key that only the test has.
#[derive(Debug)]
pub(crate) struct Key {
    key: SigningKey,
    nonce: u64,
}

impl Key {
    /// The key of a name, with enough on its account.
    pub(crate) async fn funded(node: &Node, name: &str) -> Self {
        let key = SigningKey::from_slice(keccak256(name).as_slice()).expect("a hash is a key");
        let key = Self { key, nonce: 0 };
        node.call("anvil_setBalance", json!([key.address(), "0xde0b6b3a7640000"])).await;
        key
    }

    /// Its address.
    pub(crate) fn address(&self) -> Address {
        Address::from_private_key(&self.key)
    }

    fn sign(&self, hash: B256) -> Signature {
        self.key.sign_prehash_recoverable(hash.as_slice()).expect("a hash is signed").into()
    }

    fn next_nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce - 1
    }

    /// The call in a transaction that carries a blob of zeros; returns its hash, and the bytes that travelled.
    pub(crate) async fn send_with_blob(&mut self, node: &Node, call: &Call) -> (B256, Vec<u8>) {
        // The polynomial that is zero everywhere commits to the point at infinity, and so does its proof: that is all
        // the KZG that a test needs.
        let mut infinity = Bytes48::ZERO;
        infinity[0] = 0xc0;
        let sidecar = BlobTransactionSidecar {
            blobs: vec![Blob::ZERO],
            commitments: vec![infinity],
            proofs: vec![infinity],
        };
        let tx = TxEip4844 {
            chain_id: CHAIN_ID,
            nonce: self.next_nonce(),
            gas_limit: GAS,
            max_fee_per_gas: FEE_WEI,
            max_priority_fee_per_gas: 1,
            to: call.to.expect("a blob goes to someone"),
            blob_versioned_hashes: vec![kzg_to_versioned_hash(infinity.as_slice())],
            max_fee_per_blob_gas: FEE_WEI,
            input: call.input.clone(),
            ..TxEip4844::default()
        };
        let signature = self.sign(tx.signature_hash());
        let tx = TxEip4844WithSidecar::from_tx_and_sidecar(tx, sidecar);
        let bytes = tx.into_signed(signature).encoded_2718();
        (self.send(node, bytes.clone()).await, bytes)
    }

    /// The call to the account of `authority`, which lets the code of `code` speak for it from now on.
    pub(crate) async fn send_with_authorization(
        &mut self,
        node: &Node,
        authority: &mut Self,
        code: Address,
        input: Bytes,
    ) -> B256 {
        let permission =
            Authorization { chain_id: U256::from(CHAIN_ID), address: code, nonce: authority.next_nonce() };
        let signature = authority.sign(permission.signature_hash());
        let tx = TxEip7702 {
            chain_id: CHAIN_ID,
            nonce: self.next_nonce(),
            gas_limit: GAS,
            max_fee_per_gas: FEE_WEI,
            max_priority_fee_per_gas: 1,
            to: authority.address(),
            authorization_list: vec![permission.into_signed(signature)],
            input,
            ..TxEip7702::default()
        };
        let signature = self.sign(tx.signature_hash());
        self.send(node, tx.into_signed(signature).encoded_2718()).await
    }

    async fn send(&self, node: &Node, encoded: Vec<u8>) -> B256 {
        let hash = node.call("eth_sendRawTransaction", json!([hex::encode_prefixed(encoded)])).await;
        serde_json::from_value(hash).expect("a hash")
    }
}
