//! Logs of the reference contract `gs1-pack`, encoded by hand: an independent reading of its ABI.

use alloy_primitives::{Address, B256, U256, keccak256};

/// One log before it stands in a block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Log {
    /// The contract.
    pub contract: Address,
    /// Topics.
    pub topics: Vec<B256>,
    /// ABI-encoded data.
    pub data: Vec<u8>,
}

fn topic(signature: &str) -> B256 {
    keccak256(signature)
}

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

/// ABI encoding of `static words` and texts in the order of their slots.
enum Slot<'a> {
    Number(u64),
    Text(&'a str),
}

fn data(slots: &[Slot<'_>]) -> Vec<u8> {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for slot in slots {
        match slot {
            Slot::Number(value) => head.extend(word(*value)),
            Slot::Text(text) => {
                head.extend(word((slots.len() * 32 + tail.len()) as u64));
                tail.extend(word(text.len() as u64));
                tail.extend(text.as_bytes());
                tail.resize(tail.len().next_multiple_of(32), 0);
            }
        }
    }
    head.extend(tail);
    head
}

/// Writes logs of one contract.
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    /// The contract.
    pub contract: Address,
}

impl Pack {
    fn log(self, signature: &str, topics: &[B256], slots: &[Slot<'_>]) -> Log {
        let topics = std::iter::once(topic(signature)).chain(topics.iter().copied()).collect();
        Log { contract: self.contract, topics, data: data(slots) }
    }

    /// The token moves on the chain.
    pub fn transfer(self, from: Address, to: Address, token: u64) -> Log {
        let topics = [from.into_word(), to.into_word(), B256::from(U256::from(token))];
        self.log("Transfer(address,address,uint256)", &topics, &[])
    }

    /// A pack is commissioned.
    pub fn commissioned(self, token: u64, maker: Address, gtin: &str, serial: &str, at: u64) -> Log {
        let slots = [
            Slot::Text(gtin),
            Slot::Text(serial),
            Slot::Text("L1"),
            Slot::Number(20_271_231),
            Slot::Number(at),
        ];
        let topics = [B256::from(U256::from(token)), maker.into_word()];
        self.log("Commissioned(uint256,address,string,string,string,uint32,uint64)", &topics, &slots)
    }

    /// A step of two parties: `Shipped` or `Returned`.
    pub fn sent(self, name: &str, token: u64, from: Address, to: Address, at: u64) -> Log {
        let topics = [B256::from(U256::from(token)), from.into_word(), to.into_word()];
        self.log(&format!("{name}(uint256,address,address,uint64)"), &topics, &[Slot::Number(at)])
    }

    /// A step of one party with a place: `Received` or `Dispensed`.
    pub fn at_place(self, name: &str, token: u64, by: Address, at: u64) -> Log {
        let topics = [B256::from(U256::from(token)), by.into_word()];
        self.log(
            &format!("{name}(uint256,address,uint64,string)"),
            &topics,
            &[Slot::Number(at), Slot::Text("")],
        )
    }

    /// A step of one party: `Destroyed`, `Reactivated`, `ShippingVoided`, …
    pub fn done(self, name: &str, token: u64, by: Address, at: u64) -> Log {
        let topics = [B256::from(U256::from(token)), by.into_word()];
        self.log(&format!("{name}(uint256,address,uint64)"), &topics, &[Slot::Number(at)])
    }

    /// A token leaves for another contract: its pack migrates, or crosses a bridge.
    pub fn left(self, token: u64, by: Address, at: u64) -> Log {
        const MIGRATED: u64 = 10;
        let topics = [B256::from(U256::from(token)), by.into_word()];
        let slots = [Slot::Number(MIGRATED), Slot::Number(at)];
        self.log("Decommissioned(uint256,address,uint8,uint64)", &topics, &slots)
    }

    /// A pack goes into another token, or out of it: `Packed` or `Unpacked`.
    pub fn nested(self, name: &str, token: u64, parent: u64, by: Address, at: u64) -> Log {
        let topics = [B256::from(U256::from(token)), B256::from(U256::from(parent)), by.into_word()];
        self.log(&format!("{name}(uint256,uint256,address,uint64)"), &topics, &[Slot::Number(at)])
    }

    /// A log that nobody can read.
    pub fn garbage(self, number: u64) -> Log {
        Log {
            contract: self.contract,
            topics: vec![topic("Shipped(uint256,address,address,uint64)")],
            data: word(number).to_vec(),
        }
    }
}
