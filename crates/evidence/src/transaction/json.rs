//! A transaction's fields in JSON, to the envelope that encodes and hashes.

use super::{Envelope, LAST_KNOWN_TYPE, unknown_type};
use crate::error::{Error, Result};
use crate::json::{Quantity, Unsigned};
use alloy_consensus::{Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use serde::Deserialize;

/// Reads the envelope, and the hash and the sender that the node wrote beside it.
pub(super) fn read(json: &str) -> Result<(Envelope, B256, Address)> {
    let tx: TransactionJson = match serde_json::from_str(json) {
        Ok(tx) => tx,
        Err(error) => {
            return Err(unknown_type_in(json).unwrap_or_else(|| Error::malformed("transaction", error)));
        }
    };
    let (hash, from) = (tx.hash, tx.from);
    let envelope = match tx.r#type.map_or(0, |Quantity(tx_type)| tx_type) {
        0 => tx.legacy()?.into(),
        1 => tx.access_list()?.into(),
        2 => tx.dynamic_fee()?.into(),
        3 => tx.blob()?.into(),
        4 => tx.set_code()?.into(),
        other => return Err(unknown_type(other)),
    };
    Ok((envelope, hash, from))
}

/// The fields of every type. What a type does not have is absent; what it has and is absent is an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransactionJson {
    hash: B256,
    from: Address,
    /// Absent in nodes that know legacy transactions only.
    r#type: Option<Quantity<u64>>,
    nonce: Quantity<u64>,
    gas: Quantity<u64>,
    gas_price: Option<Quantity<u128>>,
    max_fee_per_gas: Option<Quantity<u128>>,
    max_priority_fee_per_gas: Option<Quantity<u128>>,
    max_fee_per_blob_gas: Option<Quantity<u128>>,
    to: Option<Address>,
    value: Quantity<U256>,
    input: Bytes,
    chain_id: Option<Quantity<u64>>,
    access_list: Option<Vec<AccessJson>>,
    blob_versioned_hashes: Option<Vec<B256>>,
    authorization_list: Option<Vec<AuthorizationJson>>,
    v: Option<Quantity<u128>>,
    y_parity: Option<Quantity<u8>>,
    r: Quantity<U256>,
    s: Quantity<U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessJson {
    address: Address,
    storage_keys: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationJson {
    chain_id: Quantity<U256>,
    address: Address,
    nonce: Quantity<u64>,
    y_parity: Quantity<u8>,
    r: Quantity<U256>,
    s: Quantity<U256>,
}

#[derive(Deserialize)]
struct TypeJson {
    r#type: Quantity<u64>,
}

impl TransactionJson {
    /// The chain id of a legacy transaction is in `v` (EIP-155), not in the field that nodes write beside it.
    fn legacy(self) -> Result<Signed<TxLegacy>> {
        let v = required("v", self.v)?;
        let (parity, chain_id) = match v {
            27 | 28 => (v == 28, None),
            35.. => {
                let chain_id =
                    u64::try_from((v - 35) / 2).map_err(|_| malformed("v", "holds no 64-bit chain id"))?;
                ((v - 35) % 2 == 1, Some(chain_id))
            }
            _ => return Err(malformed("v", "is neither 27, 28 nor above 34")),
        };
        let tx = TxLegacy {
            chain_id,
            nonce: self.nonce.0,
            gas_price: required("gasPrice", self.gas_price)?,
            gas_limit: self.gas.0,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value.0,
            input: self.input,
        };
        Ok(Signed::new_unhashed(tx, Signature::new(self.r.0, self.s.0, parity)))
    }

    fn access_list(self) -> Result<Signed<TxEip2930>> {
        let signature = self.signature()?;
        let tx = TxEip2930 {
            chain_id: required("chainId", self.chain_id)?,
            nonce: self.nonce.0,
            gas_price: required("gasPrice", self.gas_price)?,
            gas_limit: self.gas.0,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value.0,
            access_list: access_list(self.access_list),
            input: self.input,
        };
        Ok(Signed::new_unhashed(tx, signature))
    }

    fn dynamic_fee(self) -> Result<Signed<TxEip1559>> {
        let signature = self.signature()?;
        let tx = TxEip1559 {
            chain_id: required("chainId", self.chain_id)?,
            nonce: self.nonce.0,
            gas_limit: self.gas.0,
            max_fee_per_gas: required("maxFeePerGas", self.max_fee_per_gas)?,
            max_priority_fee_per_gas: required("maxPriorityFeePerGas", self.max_priority_fee_per_gas)?,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value.0,
            access_list: access_list(self.access_list),
            input: self.input,
        };
        Ok(Signed::new_unhashed(tx, signature))
    }

    fn blob(self) -> Result<Signed<TxEip4844>> {
        let signature = self.signature()?;
        let tx = TxEip4844 {
            chain_id: required("chainId", self.chain_id)?,
            nonce: self.nonce.0,
            gas_limit: self.gas.0,
            max_fee_per_gas: required("maxFeePerGas", self.max_fee_per_gas)?,
            max_priority_fee_per_gas: required("maxPriorityFeePerGas", self.max_priority_fee_per_gas)?,
            to: self.to.ok_or_else(|| missing("to"))?,
            value: self.value.0,
            access_list: access_list(self.access_list),
            blob_versioned_hashes: self
                .blob_versioned_hashes
                .ok_or_else(|| missing("blobVersionedHashes"))?,
            max_fee_per_blob_gas: required("maxFeePerBlobGas", self.max_fee_per_blob_gas)?,
            input: self.input,
        };
        Ok(Signed::new_unhashed(tx, signature))
    }

    fn set_code(self) -> Result<Signed<TxEip7702>> {
        let signature = self.signature()?;
        let authorizations = self.authorization_list.ok_or_else(|| missing("authorizationList"))?;
        let tx = TxEip7702 {
            chain_id: required("chainId", self.chain_id)?,
            nonce: self.nonce.0,
            gas_limit: self.gas.0,
            max_fee_per_gas: required("maxFeePerGas", self.max_fee_per_gas)?,
            max_priority_fee_per_gas: required("maxPriorityFeePerGas", self.max_priority_fee_per_gas)?,
            to: self.to.ok_or_else(|| missing("to"))?,
            value: self.value.0,
            access_list: access_list(self.access_list),
            authorization_list: authorizations.into_iter().map(AuthorizationJson::into_signed).collect(),
            input: self.input,
        };
        Ok(Signed::new_unhashed(tx, signature))
    }

    /// The signature of a typed transaction. `yParity` came after `v`, which older nodes give alone.
    fn signature(&self) -> Result<Signature> {
        let parity = match (&self.y_parity, &self.v) {
            (Some(Quantity(y_parity)), _) => u128::from(*y_parity),
            (None, Some(Quantity(v))) => *v,
            (None, None) => return Err(missing("yParity")),
        };
        match parity {
            0 | 1 => Ok(Signature::new(self.r.0, self.s.0, parity == 1)),
            _ => Err(malformed("yParity", "is neither 0 nor 1")),
        }
    }
}

impl AuthorizationJson {
    fn into_signed(self) -> SignedAuthorization {
        let inner = Authorization { chain_id: self.chain_id.0, address: self.address, nonce: self.nonce.0 };
        SignedAuthorization::new_unchecked(inner, self.y_parity.0, self.r.0, self.s.0)
    }
}

/// Nodes leave an empty list out, or write null.
fn access_list(items: Option<Vec<AccessJson>>) -> AccessList {
    let items = items.unwrap_or_default().into_iter();
    AccessList(
        items.map(|item| AccessListItem { address: item.address, storage_keys: item.storage_keys }).collect(),
    )
}

fn required<T: Unsigned>(field: &'static str, value: Option<Quantity<T>>) -> Result<T> {
    value.map(|quantity| quantity.0).ok_or_else(|| missing(field))
}

fn missing(field: &'static str) -> Error {
    malformed(field, "is missing")
}

fn malformed(field: &'static str, detail: &'static str) -> Error {
    Error::malformed("transaction", format_args!("{field} {detail}"))
}

/// A type that is not known explains why the rest cannot be read.
fn unknown_type_in(json: &str) -> Option<Error> {
    let tx_type = serde_json::from_str::<TypeJson>(json).ok()?.r#type.0;
    (tx_type > LAST_KNOWN_TYPE.into()).then(|| unknown_type(tx_type))
}
