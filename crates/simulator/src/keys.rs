//! The keys of the world: each name has one secp256k1 key, derived from the seed, so that every sender can be recovered.

use crate::error::{Error, Result};
use alloy_primitives::{Address, B256, Signature, keccak256};
use k256::ecdsa::SigningKey;
use std::collections::HashMap;
use std::fmt;

/// Names a key. Two names have two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyName {
    /// A party of the base world, by its place in it.
    Party(u32),
    /// One of the two members of a party's multisig.
    Member(u32, u8),
    /// A service that sends what others signed, by its number.
    Relayer(u8),
    /// Someone who appears in one story only: the story and the place in it.
    Story(u32, u32),
    /// Whoever deploys and administers the contracts.
    Admin,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Party(n) => write!(f, "party/{n}"),
            Self::Member(n, m) => write!(f, "member/{n}/{m}"),
            Self::Relayer(n) => write!(f, "relayer/{n}"),
            Self::Story(story, n) => write!(f, "story/{story}/{n}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

/// Derives the 32 bytes that belong to `name` in the world of `seed`.
pub(crate) fn derive(seed: u64, name: &str) -> B256 {
    keccak256(format!("rxtrail/simulator/{seed}/{name}"))
}

/// The address of `name`. Costs one multiplication on the curve (about 50 µs): not for loops over packs.
pub(crate) fn address_of(seed: u64, name: KeyName) -> Result<Address> {
    Ok(Address::from_private_key(&secret(seed, name)?))
}

fn secret(seed: u64, name: KeyName) -> Result<SigningKey> {
    SigningKey::from_slice(derive(seed, &name.to_string()).as_slice())
        .map_err(|source| Error::Signing { key: name.to_string(), source })
}

/// Signs, and keeps the keys it has signed with and the nonces it has used.
#[derive(Debug)]
pub(crate) struct Keyring {
    seed: u64,
    accounts: HashMap<KeyName, Account>,
}

#[derive(Debug)]
struct Account {
    key: SigningKey,
    address: Address,
    nonce: u64,
}

impl Keyring {
    /// An empty ring of the world of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, accounts: HashMap::new() }
    }

    /// The address of `name` and its next nonce, which is thereby used up.
    pub(crate) fn next_nonce(&mut self, name: KeyName) -> Result<(Address, u64)> {
        let account = self.account(name)?;
        account.nonce += 1;
        Ok((account.address, account.nonce - 1))
    }

    /// Signs a hash, deterministically (RFC 6979).
    pub(crate) fn sign(&mut self, name: KeyName, hash: B256) -> Result<Signature> {
        let signed = self.account(name)?.key.sign_prehash_recoverable(hash.as_slice());
        signed.map(Signature::from).map_err(|source| Error::Signing { key: name.to_string(), source })
    }

    fn account(&mut self, name: KeyName) -> Result<&mut Account> {
        use std::collections::hash_map::Entry;
        match self.accounts.entry(name) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(place) => {
                let key = secret(self.seed, name)?;
                let address = Address::from_private_key(&key);
                Ok(place.insert(Account { key, address, nonce: 0 }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_gives_back_the_address_of_its_name() {
        let mut ring = Keyring::new(7);
        for name in [KeyName::Party(0), KeyName::Member(0, 1), KeyName::Story(3, 2), KeyName::Admin] {
            let hash = keccak256(name.to_string());
            let signature = ring.sign(name, hash).unwrap();
            assert_eq!(signature.recover_address_from_prehash(&hash).unwrap(), address_of(7, name).unwrap());
        }
    }

    #[test]
    fn nonces_count_up_for_each_key_alone() {
        let mut ring = Keyring::new(7);
        let nonces =
            [KeyName::Party(0), KeyName::Party(1), KeyName::Party(0)].map(|n| ring.next_nonce(n).unwrap().1);
        assert_eq!(nonces, [0, 0, 1]);
    }
}
