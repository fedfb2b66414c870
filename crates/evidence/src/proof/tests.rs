//! Merkle proofs over lists of every shape, built and verified, against those of another library.

use super::*;
use alloy_trie::proof::verify_proof;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

fn root(items: &[Vec<u8>]) -> B256 {
    crate::roots::transactions_root(items)
}

/// Items of distinct bytes, long enough not to be stored inside their parent.
fn long(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| keccak256(index.to_be_bytes()).repeat(1 + index % 5)).collect()
}

fn check(items: &[Vec<u8>]) {
    let root = root(items);
    for (index, item) in (0u32..).zip(items) {
        let proof = build(items, index).unwrap();
        assert_eq!(
            verify(Trie::Receipts, root, index, &proof),
            Ok(item.clone().into()),
            "entry {index} of {}",
            items.len()
        );
        assert!(proof.nodes.len() <= NODES_MAX);
        if proof.nodes[0].len() >= 32 {
            // alloy's verifier does not know that a root is hashed however small its node is.
            let key = Nibbles::unpack(&proof.key);
            assert_eq!(
                verify_proof(root, key, Some(item.clone()), &proof.nodes),
                Ok(()),
                "alloy on entry {index}"
            );
        }
    }
}

/// The key's length changes at 128 and 256, and entry 0 has a key of its own.
#[test]
fn every_entry_of_lists_of_every_shape_is_proved() {
    for count in [1, 2, 3, 16, 17, 127, 128, 129, 200, 255, 256, 257, 300] {
        check(&long(count));
    }
}

/// An attacker can sign transactions of some 20 bytes: their leaves stand inside the branch above them.
#[test]
fn entries_small_enough_to_stand_inside_their_parent_are_proved() {
    for count in [1, 2, 3, 16, 17, 40, 128, 129, 140] {
        check(&(0..count).map(|index| vec![index as u8; 1 + index % 3]).collect::<Vec<_>>());
        check(&(0..count).map(|index| vec![0xaa; [1, 29, 60][index % 3]]).collect::<Vec<_>>());
    }
}

#[test]
fn there_is_no_proof_of_what_is_not_there() {
    let items = long(3);
    assert_eq!(build(&items, 3), Err(Error::NoEntry { what: "entry", index: 3, count: 3 }));
    assert_eq!(build::<Vec<u8>>(&[], 0), Err(Error::NoEntry { what: "entry", index: 0, count: 0 }));
}

#[test]
fn a_proof_is_of_its_entry_and_of_its_root_only() {
    let items = long(150);
    let (root, proof) = (root(&items), build(&items, 20).unwrap());
    let failed = |root, index, proof: &Proof| match verify(Trie::Transactions, root, index, proof) {
        Err(Error::Proof { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(failed(root, 21, &proof), "the key is not that of the entry");
    assert_eq!(failed(B256::ZERO, 20, &proof), "a node does not hash to what the node above it names");
    let renamed = Proof { key: build(&items, 21).unwrap().key, ..proof.clone() };
    assert_eq!(failed(root, 21, &renamed), "a node does not hash to what the node above it names");

    let cut = Proof { nodes: proof.nodes[..proof.nodes.len() - 1].to_vec(), ..proof.clone() };
    assert_eq!(failed(root, 20, &cut), "it ends above the entry");
    assert_eq!(failed(root, 20, &Proof { nodes: vec![], ..proof.clone() }), "it ends above the entry");
    let mut more = proof.clone();
    more.nodes.push(Bytes::from_static(b"more"));
    assert_eq!(failed(root, 20, &more), "nodes are left over");
    let swapped = Proof { nodes: proof.nodes.iter().rev().cloned().collect(), ..proof.clone() };
    assert_eq!(failed(root, 20, &swapped), "a node does not hash to what the node above it names");
    let endless = Proof { nodes: vec![proof.nodes[0].clone(); NODES_MAX + 1], ..proof };
    assert_eq!(failed(root, 20, &endless), "more nodes than a path can have");
}

/// The root of one node is the hash of that node: nobody can name a node that is not one and be believed.
#[test]
fn bytes_that_are_no_node_prove_nothing_even_under_their_own_hash() {
    let key = build(&long(1), 0).unwrap().key;
    let branch_of_branches = [vec![0xd1], vec![0xc0], vec![0x80; 16]].concat();
    for (bytes, detail) in [
        (vec![], "a node is not a node of a trie"),
        (vec![0x80], ABSENT),
        (vec![0xc0], "a node is not a node of a trie"),
        (branch_of_branches, ABSENT),
        (vec![0xc2, 0x20, 0x01, 0x00], "a node has bytes left over"),
        (vec![0xc3, 0x82, 0x00, 0x80, 0xc0], "a node is not a node of a trie"),
    ] {
        let proof = Proof { key: key.clone(), nodes: vec![bytes.clone().into()] };
        let error = verify(Trie::Receipts, keccak256(&bytes), 0, &proof).unwrap_err();
        assert_eq!(error, Error::Proof { trie: Trie::Receipts, index: 0, detail }, "{bytes:02x?}");
    }
}

fn items() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..100), 1..200)
}

proptest! {
    #[test]
    fn a_proof_gives_the_entry_and_one_flipped_bit_gives_nothing(
        items in items(), index in any::<proptest::sample::Index>(), node in any::<proptest::sample::Index>(), bit in any::<proptest::sample::Index>(),
    ) {
        let index = index.index(items.len()) as u32;
        let (root, mut proof) = (root(&items), build(&items, index).unwrap());
        prop_assert_eq!(verify(Trie::Receipts, root, index, &proof), Ok(items[index as usize].clone().into()));
        let node = node.index(proof.nodes.len());
        let mut bytes = proof.nodes[node].to_vec();
        let bit = bit.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        proof.nodes[node] = bytes.into();
        prop_assert!(verify(Trie::Receipts, root, index, &proof).is_err());
    }

    /// Each node is put under its own hash, so that every one of them is read.
    #[test]
    fn arbitrary_nodes_prove_nothing_but_what_they_hold(node: Vec<u8>, index: u32) {
        let proof = Proof { key: key(index as usize), nodes: vec![node.clone().into()] };
        if let Ok(value) = verify(Trie::Receipts, keccak256(&node), index, &proof) {
            prop_assert!(value.is_empty() || node.windows(value.len()).any(|window| *window == *value));
        }
    }
}
