//! Events of the token standards and of the contracts around them, as profiles read them.
//!
//! They are written in the same language as a profile's own events: one file per family of standards.

use super::event_toml;
use super::mapping::Mapping;
use super::profile::{ProfileError, Standard};
use alloy_primitives::{B256, b256};
use std::sync::{Arc, LazyLock};

const ERC721: &str = include_str!("../../profiles/standards/erc721.toml");
const ERC1155: &str = include_str!("../../profiles/standards/erc1155.toml");
const EXTENSIONS: &str = include_str!("../../profiles/standards/nft-extensions.toml");
const ADMINISTRATION: &str = include_str!("../../profiles/standards/administration.toml");

/// `Transfer(address,address,uint256)`, of ERC-721 and ERC-20 alike.
pub(super) const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// `Approval(address,address,uint256)`, of ERC-721 and ERC-20 alike.
pub(super) const APPROVAL: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");

/// `ConsecutiveTransfer(uint256,uint256,address,address)` of ERC-2309.
const TRANSFER_RANGE: B256 = b256!("deaa91b6123d068f5821d0fb0678463d1a8a6079fe8af5de3ce5e896dcf9133d");

/// `TransferSingle` and `TransferBatch` of ERC-1155.
const TRANSFER_QUANTITY: [B256; 2] = [
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"),
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"),
];

type Mappings = Vec<Arc<Mapping>>;

static READ: LazyLock<[(Standard, Mappings); 3]> = LazyLock::new(|| {
    [Standard::Erc721, Standard::Erc1155, Standard::None]
        .map(|standard| (standard, read(standard).unwrap_or_default()))
});

/// The mappings that come with a standard.
pub(super) fn mappings(standard: Standard) -> &'static [Arc<Mapping>] {
    let [erc721, erc1155, none] = &*READ;
    match standard {
        Standard::Erc721 => &erc721.1,
        Standard::Erc1155 => &erc1155.1,
        Standard::None => &none.1,
    }
}

/// First topics by which tokens of a standard change owner.
pub(super) fn transfer_topics(standard: Standard) -> Vec<B256> {
    match standard {
        Standard::Erc721 => vec![TRANSFER, TRANSFER_RANGE],
        Standard::Erc1155 => TRANSFER_QUANTITY.to_vec(),
        Standard::None => Vec::new(),
    }
}

/// Reads the texts of a standard.
fn read(standard: Standard) -> Result<Mappings, ProfileError> {
    let texts: &[(&str, &str)] = match standard {
        Standard::Erc721 => {
            &[("erc721", ERC721), ("nft-extensions", EXTENSIONS), ("administration", ADMINISTRATION)]
        }
        Standard::Erc1155 => {
            &[("erc1155", ERC1155), ("nft-extensions", EXTENSIONS), ("administration", ADMINISTRATION)]
        }
        Standard::None => &[("administration", ADMINISTRATION)],
    };
    let mut mappings = Vec::new();
    for (name, text) in texts {
        mappings.extend(event_toml::parse_events(name, text)?.into_iter().map(Arc::new));
    }
    Ok(mappings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    // First four bytes of each first topic, from ethereum/ERCs and OpenZeppelin Contracts; computed
    // elsewhere.
    const KNOWN: &[(&str, Standard)] = &[
        ("ddf252ad", Standard::Erc721),
        ("8c5be1e5", Standard::Erc721),
        ("17307eab", Standard::Erc721),
        ("deaa91b6", Standard::Erc721),
        ("f8e1a15a", Standard::Erc721),
        ("6bd5c950", Standard::Erc721),
        ("032bc66b", Standard::Erc721),
        ("f27b6ce5", Standard::Erc721),
        ("135ffb33", Standard::Erc721),
        ("4e06b4e7", Standard::Erc721),
        ("a366111d", Standard::Erc721),
        ("d0582651", Standard::Erc721),
        ("0a74f4ab", Standard::Erc721),
        ("7e1636e7", Standard::Erc721),
        ("04444026", Standard::Erc721),
        ("e65085e6", Standard::Erc721),
        ("29486b9e", Standard::Erc721),
        ("2bedee38", Standard::Erc721),
        ("02d6d6db", Standard::Erc721),
        ("0371ddf2", Standard::Erc721),
        ("0ef52e51", Standard::Erc721),
        ("cad8ef6f", Standard::Erc721),
        ("c3d58168", Standard::Erc1155),
        ("4a39dc06", Standard::Erc1155),
        ("6bb7ff70", Standard::Erc1155),
        ("17307eab", Standard::Erc1155),
        ("2f878811", Standard::None),
        ("f6391f5c", Standard::None),
        ("8be0079c", Standard::None),
        ("bc7cd75a", Standard::None),
        ("7e644d79", Standard::None),
        ("62e78cea", Standard::None),
        ("5db9ee0a", Standard::None),
        ("1cf3b03a", Standard::None),
    ];

    #[test]
    fn every_text_is_readable_and_every_topic_is_the_published_one() {
        for standard in [Standard::Erc721, Standard::Erc1155, Standard::None] {
            read(standard).unwrap();
        }
        for (prefix, standard) in KNOWN {
            let found = mappings(*standard)
                .iter()
                .any(|mapping| alloy_primitives::hex::encode(mapping.shape.topic0).starts_with(prefix));
            assert!(found, "{prefix} of {standard:?}");
        }
    }

    #[test]
    fn no_two_events_of_a_standard_have_one_key() {
        for standard in [Standard::Erc721, Standard::Erc1155, Standard::None] {
            let keys: BTreeSet<_> = mappings(standard).iter().map(|mapping| mapping.key()).collect();
            assert_eq!(keys.len(), mappings(standard).len(), "{standard:?}");
        }
    }

    #[test]
    fn transfers_are_among_the_events_of_their_standard() {
        for standard in [Standard::Erc721, Standard::Erc1155] {
            for topic in transfer_topics(standard) {
                assert!(mappings(standard).iter().any(|mapping| mapping.shape.topic0 == topic), "{topic}");
            }
        }
    }
}
