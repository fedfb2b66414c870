//! Transactions: the bytes that the transactions root commits to, their hash, and who signed them.
//!
//! ```text
//! block JSON ──from_json──▶ Transaction ──encoded──▶ transactions root
//!                               └─signature──▶ sender
//! ```
//!
//! Reading costs microseconds; [`Transaction::sender`] recovers a public key, which costs some hundred
//! microseconds, so it is asked for only where the sender matters.

use crate::error::{Error, Result};
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{EthereumTxEnvelope, Transaction as _, TxEip4844};
use alloy_eips::eip2718::{Decodable2718, Encodable2718, Typed2718};
use alloy_primitives::{Address, B256, Bytes, keccak256};

mod json;

/// A signed transaction in the form that stands in a block (blobs without their sidecar).
#[derive(Debug, Clone)]
pub struct Transaction {
    envelope: Envelope,
    encoded: Bytes,
    hash: B256,
    claimed_sender: Option<Address>,
}

type Envelope = EthereumTxEnvelope<TxEip4844>;

impl Transaction {
    /// Reads a transaction from its EIP-2718 bytes. The bytes hold one transaction and nothing else.
    ///
    /// # Errors
    /// [`Error::UnknownType`], [`Error::Malformed`].
    pub fn decode(encoded: Bytes) -> Result<Self> {
        match encoded.first() {
            Some(1..=LAST_KNOWN_TYPE | 0xc0..) => {}
            Some(tx_type @ ..=0x7f) => return Err(unknown_type((*tx_type).into())),
            _ => return Err(Error::malformed("transaction", "neither a type nor a list")),
        }
        let envelope =
            Envelope::decode_2718_exact(&encoded).map_err(|error| Error::malformed("transaction", error))?;
        Ok(Self { envelope, hash: keccak256(&encoded), encoded, claimed_sender: None })
    }

    /// The hash: Keccak-256 of the EIP-2718 bytes.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// The EIP-2718 bytes: what the transactions root commits to.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// The EIP-2718 type: 0 legacy, 1 access list, 2 dynamic fee, 3 blob, 4 set code.
    pub fn tx_type(&self) -> u8 {
        self.envelope.ty()
    }

    /// The account or contract that it calls; `None` when it creates a contract.
    pub fn to(&self) -> Option<Address> {
        self.envelope.to()
    }

    /// The call's input, or the code that creates a contract.
    pub fn input(&self) -> &Bytes {
        self.envelope.input()
    }

    /// The sender that the node named beside it; `None` when read from bytes.
    pub fn claimed_sender(&self) -> Option<Address> {
        self.claimed_sender
    }

    /// The address that signed it, recovered from the signature.
    ///
    /// A high `s` is accepted: blocks before Homestead (EIP-2) hold such signatures, and what a block may hold is
    /// for its root to say.
    ///
    /// # Errors
    /// [`Error::Signature`]; [`Error::Sender`] when the node named another one.
    pub fn sender(&self) -> Result<Address> {
        let recovered =
            self.envelope.recover_signer_unchecked().map_err(|_| Error::Signature { hash: self.hash })?;
        match self.claimed_sender {
            Some(claimed) if claimed != recovered => {
                Err(Error::Sender { hash: self.hash, claimed, recovered })
            }
            _ => Ok(recovered),
        }
    }
}

impl AsRef<[u8]> for Transaction {
    fn as_ref(&self) -> &[u8] {
        &self.encoded
    }
}

/// Reads a transaction from a node's JSON, as it stands in a block, and checks that it hashes to the hash beside it.
///
/// # Errors
/// [`Error::UnknownType`] (the deposits and system transactions of some chains), [`Error::Malformed`],
/// [`Error::TransactionHash`].
pub fn from_json(json: &str) -> Result<Transaction> {
    let (envelope, claimed_hash, claimed_sender) = json::read(json)?;
    let mut encoded = Vec::with_capacity(envelope.encode_2718_len());
    envelope.encode_2718(&mut encoded);
    let computed = keccak256(&encoded);
    if computed != claimed_hash {
        return Err(Error::TransactionHash { claimed: claimed_hash, computed });
    }
    Ok(Transaction {
        envelope,
        encoded: encoded.into(),
        hash: computed,
        claimed_sender: Some(claimed_sender),
    })
}

/// Reads the transactions of a block from a node's JSON of the block (`eth_getBlockBy*` with whole transactions).
///
/// # Errors
/// As [`from_json`]; a block that lists hashes only is [`Error::Malformed`].
pub fn list_from_block_json(json: &str) -> Result<Vec<Transaction>> {
    #[derive(serde::Deserialize)]
    struct BlockJson<'a> {
        #[serde(borrow)]
        transactions: Vec<&'a serde_json::value::RawValue>,
    }
    let block: BlockJson<'_> =
        serde_json::from_str(json).map_err(|error| Error::malformed("transactions", error))?;
    block.transactions.into_iter().map(|entry| from_json(entry.get())).collect()
}

const LAST_KNOWN_TYPE: u8 = 4;

fn unknown_type(tx_type: u64) -> Error {
    Error::UnknownType { what: "transaction", tx_type }
}

#[cfg(test)]
mod tests;
