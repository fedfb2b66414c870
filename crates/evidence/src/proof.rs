//! Merkle proofs: one entry of a block's receipts or transactions, for someone who has only the header.
//!
//! A proof is the nodes of the trie from the root to the entry. Each node must hash to what the node above it
//! names, so what comes out of [`verify`] is what the root commits to, whoever made the proof.

use crate::error::{Error, Result, Trie};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::nodes::{RlpNode, TrieNode};
use alloy_trie::proof::ProofRetainer;
use alloy_trie::root::adjust_index_for_rlp;
use alloy_trie::{HashBuilder, Nibbles};
use serde::{Deserialize, Serialize};

/// The path to one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The key: RLP of the entry's index.
    pub key: Bytes,
    /// The nodes, from the root down. A node below 32 bytes stands inside its parent and not here.
    pub nodes: Vec<Bytes>,
}

/// The longest path: the RLP of a 32-bit index has at most 5 bytes, so 10 nibbles, each at most one node, and a leaf.
pub const NODES_MAX: usize = 11;

/// Builds the proof of entry `index` of a list of EIP-2718 bytes.
///
/// # Errors
/// [`Error::NoEntry`].
pub fn build<T: AsRef<[u8]>>(items: &[T], index: u32) -> Result<Proof> {
    let count = items.len();
    if index as usize >= count {
        return Err(Error::NoEntry { what: "entry", index: index as usize, count });
    }
    let target = key(index as usize);
    let mut trie =
        HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![Nibbles::unpack(&target)]));
    for place in 0..count {
        let index = adjust_index_for_rlp(place, count);
        trie.add_leaf(Nibbles::unpack(key(index)), items[index].as_ref());
    }
    trie.root();
    let nodes = trie.take_proof_nodes().into_nodes_sorted().into_iter();
    let hashed = nodes.filter(|(path, node)| path.is_empty() || node.len() >= 32);
    Ok(Proof { key: target, nodes: hashed.map(|(_, node)| node).collect() })
}

/// The EIP-2718 bytes of entry `index` under `root`.
///
/// # Errors
/// [`Error::Proof`].
pub fn verify(trie: Trie, root: B256, index: u32, proof: &Proof) -> Result<Bytes> {
    let failed = |detail| Error::Proof { trie, index, detail };
    if proof.key != key(index as usize) {
        return Err(failed("the key is not that of the entry"));
    }
    if proof.nodes.len() > NODES_MAX {
        return Err(failed("more nodes than a path can have"));
    }
    walk(root, Nibbles::unpack(&proof.key), &proof.nodes).map_err(failed)
}

fn key(index: usize) -> Bytes {
    Bytes::copy_from_slice(&alloy_rlp::encode_fixed_size(&index))
}

/// Follows `rest` from the root. Every node is used, and used once.
fn walk(root: B256, mut rest: Nibbles, nodes: &[Bytes]) -> std::result::Result<Bytes, &'static str> {
    let mut expected = root;
    let mut nodes = nodes.iter();
    while let Some(node) = nodes.next() {
        if keccak256(node) != expected {
            return Err("a node does not hash to what the node above it names");
        }
        match descend(decode(node)?, &mut rest)? {
            Step::Below(hash) => expected = hash,
            Step::Value(value) if nodes.len() == 0 => return Ok(value),
            Step::Value(_) => return Err("nodes are left over"),
        }
    }
    Err("it ends above the entry")
}

enum Step {
    /// The path goes on in the node of this hash.
    Below(B256),
    /// The path ends.
    Value(Bytes),
}

/// Follows `rest` through a node and those that stand inside it; each of them is smaller than the one around it.
fn descend(mut node: TrieNode, rest: &mut Nibbles) -> std::result::Result<Step, &'static str> {
    loop {
        let child = match node {
            TrieNode::Leaf(leaf) if leaf.key == *rest => return Ok(Step::Value(leaf.value.into())),
            TrieNode::Extension(extension) if rest.starts_with(&extension.key) => {
                *rest = rest.slice(extension.key.len()..);
                extension.child
            }
            TrieNode::Branch(branch) => {
                let nibble = rest.first().ok_or("the path ends at a branch")?;
                *rest = rest.slice(1..);
                let branch = branch.as_ref();
                let child = branch.children().find_map(|(at, child)| child.filter(|_| at == nibble));
                child.ok_or(ABSENT)?.clone()
            }
            TrieNode::Leaf(_) | TrieNode::Extension(_) | TrieNode::EmptyRoot => return Err(ABSENT),
        };
        match child.as_hash() {
            Some(hash) => return Ok(Step::Below(hash)),
            None => node = decode_inline(&child)?,
        }
    }
}

const ABSENT: &str = "the path leads elsewhere: there is no such entry";

fn decode_inline(child: &RlpNode) -> std::result::Result<TrieNode, &'static str> {
    decode(child.as_slice())
}

fn decode(mut bytes: &[u8]) -> std::result::Result<TrieNode, &'static str> {
    let node = alloy_rlp::Decodable::decode(&mut bytes).map_err(|_| "a node is not a node of a trie")?;
    if bytes.is_empty() { Ok(node) } else { Err("a node has bytes left over") }
}

#[cfg(test)]
mod tests;
