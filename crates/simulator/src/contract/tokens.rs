//! Events of token standards and of contract administration, which honest chains are full of.
//!
//! Sources: ERC-20, ERC-721, ERC-1155, ERC-4906; OpenZeppelin AccessControl and Ownable.

use crate::contract::abi::{Arg, log, number, topic, word};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256};
use std::sync::LazyLock;

macro_rules! topics {
    ($($name:ident = $signature:literal),+ $(,)?) => {
        $(static $name: LazyLock<B256> = LazyLock::new(|| topic($signature));)+
    };
}

topics! {
    TRANSFER = "Transfer(address,address,uint256)",
    APPROVAL = "Approval(address,address,uint256)",
    APPROVAL_FOR_ALL = "ApprovalForAll(address,address,bool)",
    TRANSFER_SINGLE = "TransferSingle(address,address,address,uint256,uint256)",
    TRANSFER_BATCH = "TransferBatch(address,address,address,uint256[],uint256[])",
    URI = "URI(string,uint256)",
    BATCH_METADATA_UPDATE = "BatchMetadataUpdate(uint256,uint256)",
    ROLE_GRANTED = "RoleGranted(bytes32,address,address)",
    OWNERSHIP_TRANSFERRED = "OwnershipTransferred(address,address)",
    COMMISSIONED = "Commissioned(uint256,address,string,string,string,uint32,uint64)",
}

/// ERC-721 `Approval`: one token may be moved by another.
pub(crate) fn approval(contract: Address, owner: Address, approved: Address, id: U256) -> Log {
    log(contract, [*APPROVAL, word(owner), word(approved), number(id)], &[])
}

/// `ApprovalForAll`: an operator is set or removed.
pub(crate) fn approval_for_all(contract: Address, owner: Address, operator: Address, approved: bool) -> Log {
    let args = [Arg::Word(number(u64::from(approved)))];
    log(contract, [*APPROVAL_FOR_ALL, word(owner), word(operator)], &args)
}

/// ERC-4906 `BatchMetadataUpdate` of every token.
pub(crate) fn all_metadata_updated(contract: Address) -> Log {
    log(contract, [*BATCH_METADATA_UPDATE], &[Arg::Word(B256::ZERO), Arg::Word(number(U256::MAX))])
}

/// `RoleGranted`: the default administrator's role is 0, others are hashes of their names.
pub(crate) fn role_granted(contract: Address, role: B256, account: Address, sender: Address) -> Log {
    log(contract, [*ROLE_GRANTED, role, word(account), word(sender)], &[])
}

/// `OwnershipTransferred`, as a contract logs it when it is deployed.
pub(crate) fn ownership_transferred(contract: Address, from: Address, to: Address) -> Log {
    log(contract, [*OWNERSHIP_TRANSFERRED, word(from), word(to)], &[])
}

/// ERC-20 `Transfer`: the same first topic as ERC-721's, with the amount in the data.
pub(crate) fn erc20_transfer(contract: Address, from: Address, to: Address, amount: U256) -> Log {
    log(contract, [*TRANSFER, word(from), word(to)], &[Arg::Word(number(amount))])
}

/// Someone moves units of an ERC-1155 token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Movement {
    pub(crate) contract: Address,
    pub(crate) operator: Address,
    pub(crate) from: Address,
    pub(crate) to: Address,
}

/// ERC-1155 `TransferSingle`.
pub(crate) fn transfer_single(movement: Movement, id: U256, amount: u64) -> Log {
    let Movement { contract, operator, from, to } = movement;
    let args = [Arg::Word(number(id)), Arg::Word(number(amount))];
    log(contract, [*TRANSFER_SINGLE, word(operator), word(from), word(to)], &args)
}

/// ERC-1155 `TransferBatch`.
pub(crate) fn transfer_batch(movement: Movement, entries: &[(U256, u64)]) -> Log {
    let Movement { contract, operator, from, to } = movement;
    // Two lists behind two offsets: a length and its words each.
    let count = entries.len() as u64;
    let mut data = Vec::with_capacity((entries.len() * 2 + 4) * 32);
    let mut push = |value: B256| data.extend_from_slice(value.as_slice());
    push(number(64_u64));
    push(number(64 + 32 * (count + 1)));
    push(number(count));
    entries.iter().for_each(|(id, _)| push(number(*id)));
    push(number(count));
    entries.iter().for_each(|(_, amount)| push(number(*amount)));
    let topics = vec![*TRANSFER_BATCH, word(operator), word(from), word(to)];
    Log { address: contract, data: LogData::new_unchecked(topics, data.into()) }
}

/// ERC-1155 `URI`.
pub(crate) fn uri(contract: Address, id: U256, text: &str) -> Log {
    log(contract, [*URI, number(id)], &[Arg::Text(text)])
}

/// A log that claims to be a `Commissioned` and whose data end too early: what careless contracts emit.
pub(crate) fn broken_commissioned(contract: Address, id: U256, maker: Address) -> Log {
    let topics = vec![*COMMISSIONED, number(id), word(maker)];
    Log { address: contract, data: LogData::new_unchecked(topics, Bytes::from(vec![0xFF; 70])) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn a_batch_lists_ids_then_amounts() {
        let movement = Movement {
            contract: Address::ZERO,
            operator: Address::ZERO,
            from: Address::ZERO,
            to: Address::ZERO,
        };
        let log = transfer_batch(movement, &[(U256::from(5), 50), (U256::from(6), 60)]);
        let expected: String = [0x40, 0xa0, 2, 5, 6, 2, 50, 60].map(|word| format!("{word:064x}")).concat();
        assert_eq!(hex::encode(&log.data.data), expected);
    }
}
