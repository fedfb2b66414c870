//! Signs drafts: every transaction type that mainnet has, with a signature whose sender can be recovered.

use crate::error::Result;
use crate::keys::{KeyName, Keyring};
use crate::story::script::Draft;
use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
};
use alloy_eips::eip2718::{Encodable2718, Typed2718};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256, keccak256};
use evidence::receipt::Receipt;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::sync::LazyLock;

/// Any transaction that the chain holds.
pub(crate) type Envelope = EthereumTxEnvelope<TxEip4844>;

/// A signed transaction with what its execution leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct SignedTx {
    pub(crate) hash: B256,
    pub(crate) sender: Address,
    pub(crate) envelope: Envelope,
    /// Its EIP-2718 bytes.
    pub(crate) encoded: Bytes,
    pub(crate) gas_used: u64,
    /// When it was sent: a reorg may not put it off for long.
    pub(crate) sent_secs: i64,
    /// The story it belongs to, whose order a reorg keeps.
    pub(crate) story: u32,
}

impl AsRef<[u8]> for SignedTx {
    fn as_ref(&self) -> &[u8] {
        &self.encoded
    }
}

/// Wei in a gwei.
const GWEI: u128 = 1_000_000_000;
/// What senders are ready to pay at most; the base fee starts at 1 gwei and falls while blocks are far from full.
const MAX_FEE_PER_GAS: u128 = 30 * GWEI;
/// Gas of a plain call.
const CALL_GAS: u64 = 21_000;
/// Gas of what a step writes to storage, about one cold slot and some reads.
const STEP_GAS: u64 = 24_000;

/// Signs drafts of one chain.
#[derive(Debug)]
pub(crate) struct Signer {
    chain_id: u64,
    keys: Keyring,
    rng: ChaCha8Rng,
}

impl Signer {
    /// A signer for a chain, with keys and dice of its own.
    pub(crate) fn new(chain_id: u64, keys: Keyring, rng: ChaCha8Rng) -> Self {
        Self { chain_id, keys, rng }
    }

    /// Signs a draft. The receipt's cumulative gas is set when its block is sealed.
    pub(crate) fn sign(&mut self, draft: Draft) -> Result<(SignedTx, Receipt)> {
        let (sender, nonce) = self.keys.next_nonce(draft.sender)?;
        let input = input(&draft.logs);
        let gas_used = gas_of(&draft.logs, &input);
        let call = Call { nonce, gas_limit: gas_used + gas_used / 4, to: draft.to, input, tip: self.tip() };
        let envelope = self.envelope(draft.sender, call, draft.logs.len())?;
        let mut encoded = Vec::with_capacity(envelope.encode_2718_len());
        envelope.encode_2718(&mut encoded);
        let receipt = Receipt::new(envelope.ty(), true.into(), 0, draft.logs);
        let (hash, encoded) = (keccak256(&encoded), encoded.into());
        let (sent_secs, story) = (draft.time, draft.story);
        Ok((SignedTx { hash, sender, envelope, encoded, gas_used, sent_secs, story }, receipt))
    }

    fn tip(&mut self) -> u128 {
        self.rng.random_range(1..=20) * GWEI / 10
    }

    /// Four in five are EIP-1559; uploads of many logs sometimes come with blobs.
    fn envelope(&mut self, key: KeyName, call: Call, logs: usize) -> Result<Envelope> {
        match self.rng.random_range(0..100) {
            0..10 => self.signed(key, call.legacy(self.chain_id)),
            10..14 => self.signed(key, call.with_access_list(self.chain_id)),
            14..16 => {
                let authorization = self.authorization(call.to)?;
                self.signed(key, call.delegating(self.chain_id, authorization))
            }
            16..24 if logs > 8 => self.signed(key, call.with_blobs(self.chain_id)),
            _ => self.signed(key, call.dynamic_fee(self.chain_id)),
        }
    }

    fn signed<T>(&mut self, key: KeyName, tx: T) -> Result<Envelope>
    where
        T: SignableTransaction<Signature>,
        Envelope: From<Signed<T>>,
    {
        let signature = self.keys.sign(key, tx.signature_hash())?;
        Ok(tx.into_signed(signature).into())
    }

    /// EIP-7702: the contracts' administrator lets its account run a contract's code.
    fn authorization(&mut self, address: Address) -> Result<SignedAuthorization> {
        let authorization = Authorization { chain_id: U256::from(self.chain_id), address, nonce: 0 };
        let signature = self.keys.sign(KeyName::Admin, authorization.signature_hash())?;
        Ok(authorization.into_signed(signature))
    }
}

/// A call as every type of transaction has it.
struct Call {
    nonce: u64,
    gas_limit: u64,
    to: Address,
    input: Bytes,
    tip: u128,
}

impl Call {
    fn legacy(self, chain_id: u64) -> TxLegacy {
        TxLegacy {
            chain_id: Some(chain_id),
            nonce: self.nonce,
            gas_price: 2 * GWEI + self.tip,
            gas_limit: self.gas_limit,
            to: TxKind::Call(self.to),
            value: U256::ZERO,
            input: self.input,
        }
    }

    fn with_access_list(self, chain_id: u64) -> TxEip2930 {
        let storage_keys = vec![B256::ZERO, keccak256(&self.input)];
        TxEip2930 {
            chain_id,
            nonce: self.nonce,
            gas_price: 2 * GWEI + self.tip,
            gas_limit: self.gas_limit,
            to: TxKind::Call(self.to),
            value: U256::ZERO,
            access_list: AccessList(vec![AccessListItem { address: self.to, storage_keys }]),
            input: self.input,
        }
    }

    fn dynamic_fee(self, chain_id: u64) -> TxEip1559 {
        TxEip1559 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: MAX_FEE_PER_GAS,
            max_priority_fee_per_gas: self.tip,
            to: TxKind::Call(self.to),
            value: U256::ZERO,
            access_list: AccessList::default(),
            input: self.input,
        }
    }

    fn with_blobs(self, chain_id: u64) -> TxEip4844 {
        let mut versioned = keccak256([self.input.as_ref(), b"blob"].concat());
        versioned[0] = alloy_eips::eip4844::VERSIONED_HASH_VERSION_KZG;
        TxEip4844 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: MAX_FEE_PER_GAS,
            max_priority_fee_per_gas: self.tip,
            to: self.to,
            value: U256::ZERO,
            access_list: AccessList::default(),
            blob_versioned_hashes: vec![versioned],
            max_fee_per_blob_gas: GWEI,
            input: self.input,
        }
    }

    fn delegating(self, chain_id: u64, authorization: SignedAuthorization) -> TxEip7702 {
        TxEip7702 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: MAX_FEE_PER_GAS,
            max_priority_fee_per_gas: self.tip,
            to: self.to,
            value: U256::ZERO,
            access_list: AccessList::default(),
            authorization_list: vec![authorization],
            input: self.input,
        }
    }
}

/// The call `record(bytes32)` with a digest of what it records: short, whatever an upload holds.
fn input(logs: &[Log]) -> Bytes {
    static RECORD: LazyLock<B256> = LazyLock::new(|| keccak256("record(bytes32)"));
    let mut digest = alloy_primitives::Keccak256::new();
    for log in logs {
        log.data.topics().iter().for_each(|topic| digest.update(topic));
        digest.update(&log.data.data);
    }
    [&RECORD[..4], digest.finalize().as_slice()].concat().into()
}

/// Gas that a call with these logs would use, near enough. Source: EIP-2028 (call data), Yellow Paper appendix G.
fn gas_of(logs: &[Log], input: &Bytes) -> u64 {
    let of_log =
        |log: &Log| STEP_GAS + 375 * (1 + log.data.topics().len() as u64) + 8 * log.data.data.len() as u64;
    CALL_GAS + 16 * input.len() as u64 + logs.iter().map(of_log).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::transaction::Transaction;
    use rand::SeedableRng;
    use std::collections::BTreeSet;

    #[test]
    fn every_type_of_transaction_gives_back_its_sender() {
        let mut signer = Signer::new(5, Keyring::new(1), ChaCha8Rng::seed_from_u64(1));
        let mut types = BTreeSet::new();
        for n in 0..300 {
            let draft = Draft {
                time: 0,
                chain: 0,
                sender: KeyName::Party(n % 3),
                to: Address::ZERO,
                logs: vec![Log::default(); 9],
                story: 0,
                intents: Vec::new(),
            };
            let (signed, _) = signer.sign(draft).unwrap();
            let read = Transaction::decode(signed.encoded.clone()).unwrap();
            assert_eq!((read.sender().unwrap(), read.hash()), (signed.sender, signed.hash));
            types.insert(read.tx_type());
        }
        assert_eq!(types, BTreeSet::from([0, 1, 2, 3, 4]));
    }
}
