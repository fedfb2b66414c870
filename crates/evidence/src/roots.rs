//! Roots of the two tries of a block: entry i of the list at key rlp(i) of a Merkle Patricia trie.

use crate::error::Result;
use crate::receipt::Receipt;
use alloy_primitives::B256;
use alloy_trie::root::{ordered_trie_root_encoded, ordered_trie_root_with_encoder};

/// The root over the receipts of a block, in order.
///
/// # Errors
/// [`Error::UnknownType`](crate::error::Error::UnknownType), before anything is encoded.
pub fn receipts_root(receipts: &[Receipt]) -> Result<B256> {
    root_of_receipts(receipts.iter())
}

/// The root over the transactions of a block, in order, each as its EIP-2718 bytes.
pub fn transactions_root<T: AsRef<[u8]>>(encoded: &[T]) -> B256 {
    ordered_trie_root_encoded(encoded)
}

/// The root over receipts wherever they stand. One buffer serves all of them.
pub(crate) fn root_of_receipts<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Result<B256> {
    let receipts: Vec<&Receipt> = receipts.collect();
    for receipt in &receipts {
        receipt.check_type()?;
    }
    Ok(ordered_trie_root_with_encoder(&receipts, |receipt, out| receipt.encode_known(out)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Bytes, hex};

    const EMPTY: B256 = B256::new(hex!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"));

    #[test]
    fn the_root_of_nothing_is_the_hash_of_the_empty_string() {
        assert_eq!(receipts_root(&[]), Ok(EMPTY));
        assert_eq!(transactions_root::<Bytes>(&[]), EMPTY);
    }
}
