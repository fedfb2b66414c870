//! The events of the `gs1-pack` contract profile: an ERC-721 contract with custody steps.
//!
//! Its Transfer logs are ownership facts; custody is in the steps. A step on a parent carries its contents.

use crate::contract::abi::{Arg, log, number, time, topic, word};
use alloy_primitives::{Address, B256, Log, U256};
use model::event::Reason;
use std::sync::LazyLock;

/// A token of a contract: what nearly every event begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) contract: Address,
    pub(crate) id: U256,
}

/// What a pack is commissioned as.
#[derive(Debug, Clone)]
pub(crate) struct PackName<'a> {
    pub(crate) gtin: &'a str,
    pub(crate) serial: &'a str,
    pub(crate) lot: &'a str,
    /// As YYYYMMDD; DD = 00 is the month's end.
    pub(crate) expiry: u32,
}

macro_rules! signatures {
    ($($name:ident = $signature:literal),+ $(,)?) => {
        $(static $name: LazyLock<B256> = LazyLock::new(|| topic($signature));)+

        /// Every event of the profile, as its signature.
        #[cfg(test)]
        const SIGNATURES: &[&str] = &[$($signature),+];
    };
}

signatures! {
    TRANSFER = "Transfer(address,address,uint256)",
    COMMISSIONED = "Commissioned(uint256,address,string,string,string,uint32,uint64)",
    UNIT_COMMISSIONED = "UnitCommissioned(uint256,address,string,uint64)",
    SHIPPED = "Shipped(uint256,address,address,uint64)",
    RECEIVED = "Received(uint256,address,uint64,string)",
    SHIPPING_VOIDED = "ShippingVoided(uint256,address,uint64)",
    RETURNED = "Returned(uint256,address,address,uint64)",
    PACKED = "Packed(uint256,uint256,address,uint64)",
    UNPACKED = "Unpacked(uint256,uint256,address,uint64)",
    DISPENSED = "Dispensed(uint256,address,uint64,string)",
    PARTLY_DISPENSED = "PartlyDispensed(uint256,address,uint256,uint64)",
    DECOMMISSIONED = "Decommissioned(uint256,address,uint8,uint64)",
    DESTROYED = "Destroyed(uint256,address,uint64)",
    REACTIVATED = "Reactivated(uint256,address,uint64)",
    QUARANTINED = "Quarantined(uint256,address,uint64)",
    INSPECTED = "Inspected(uint256,address,uint64)",
    THEFT_REPORTED = "TheftReported(uint256,address,uint64)",
    THEFT_WITHDRAWN = "TheftWithdrawn(uint256,address,uint64)",
}

/// `Transfer`: the token's owner on the chain; from zero a mint, to zero a burn.
pub(crate) fn transfer(token: Token, from: Address, to: Address) -> Log {
    log(token.contract, [*TRANSFER, word(from), word(to), number(token.id)], &[])
}

/// `Commissioned`: a pack gets its identity.
pub(crate) fn commissioned(token: Token, maker: Address, name: &PackName<'_>, at: i64) -> Log {
    let args = [
        Arg::Text(name.gtin),
        Arg::Text(name.serial),
        Arg::Text(name.lot),
        Arg::Word(number(name.expiry)),
        Arg::Word(time(at)),
    ];
    log(token.contract, [*COMMISSIONED, number(token.id), word(maker)], &args)
}

/// `UnitCommissioned`: a case or pallet gets its SSCC.
pub(crate) fn unit_commissioned(token: Token, maker: Address, sscc: &str, at: i64) -> Log {
    log(
        token.contract,
        [*UNIT_COMMISSIONED, number(token.id), word(maker)],
        &[Arg::Text(sscc), Arg::Word(time(at))],
    )
}

/// `Shipped`: sent to a named receiver.
pub(crate) fn shipped(token: Token, from: Address, to: Address, at: i64) -> Log {
    log(token.contract, [*SHIPPED, number(token.id), word(from), word(to)], &[Arg::Word(time(at))])
}

/// `Returned`: sent back.
pub(crate) fn returned(token: Token, from: Address, to: Address, at: i64) -> Log {
    log(token.contract, [*RETURNED, number(token.id), word(from), word(to)], &[Arg::Word(time(at))])
}

/// `Received`: taken over, at a place that may be left out.
pub(crate) fn received(token: Token, by: Address, at: i64, gln: &str) -> Log {
    placed(*RECEIVED, token, by, at, gln)
}

/// `Dispensed`: supplied in full, at a place that may be left out.
pub(crate) fn dispensed(token: Token, by: Address, at: i64, gln: &str) -> Log {
    placed(*DISPENSED, token, by, at, gln)
}

/// `Packed`: put into a parent.
pub(crate) fn packed(token: Token, parent: U256, by: Address, at: i64) -> Log {
    nested(*PACKED, token, parent, by, at)
}

/// `Unpacked`: taken out of a parent.
pub(crate) fn unpacked(token: Token, parent: U256, by: Address, at: i64) -> Log {
    nested(*UNPACKED, token, parent, by, at)
}

/// `PartlyDispensed`: some units supplied.
pub(crate) fn partly_dispensed(token: Token, by: Address, units: u32, at: i64) -> Log {
    let args = [Arg::Word(number(units)), Arg::Word(time(at))];
    log(token.contract, [*PARTLY_DISPENSED, number(token.id), word(by)], &args)
}

/// `Decommissioned`: withdrawn from use for a reason.
pub(crate) fn decommissioned(token: Token, by: Address, reason: Reason, at: i64) -> Log {
    let place = Reason::TABLE.iter().position(|(known, _)| *known == reason).unwrap_or(0);
    let args = [Arg::Word(number(place as u64)), Arg::Word(time(at))];
    log(token.contract, [*DECOMMISSIONED, number(token.id), word(by)], &args)
}

/// `ShippingVoided`: a shipping is declared not to have happened.
pub(crate) fn shipping_voided(token: Token, by: Address, at: i64) -> Log {
    plain(*SHIPPING_VOIDED, token, by, at)
}

/// `Destroyed`.
pub(crate) fn destroyed(token: Token, by: Address, at: i64) -> Log {
    plain(*DESTROYED, token, by, at)
}

/// `Reactivated`: a decommissioning is undone.
pub(crate) fn reactivated(token: Token, by: Address, at: i64) -> Log {
    plain(*REACTIVATED, token, by, at)
}

/// `Quarantined`: held back.
pub(crate) fn quarantined(token: Token, by: Address, at: i64) -> Log {
    plain(*QUARANTINED, token, by, at)
}

/// `Inspected`: looked at.
pub(crate) fn inspected(token: Token, by: Address, at: i64) -> Log {
    plain(*INSPECTED, token, by, at)
}

/// `TheftReported`: stolen from a time on.
pub(crate) fn theft_reported(token: Token, by: Address, effective: i64) -> Log {
    plain(*THEFT_REPORTED, token, by, effective)
}

/// `TheftWithdrawn`: the report was wrong.
pub(crate) fn theft_withdrawn(token: Token, by: Address, at: i64) -> Log {
    plain(*THEFT_WITHDRAWN, token, by, at)
}

fn plain(event: B256, token: Token, by: Address, at: i64) -> Log {
    log(token.contract, [event, number(token.id), word(by)], &[Arg::Word(time(at))])
}

fn placed(event: B256, token: Token, by: Address, at: i64, gln: &str) -> Log {
    log(token.contract, [event, number(token.id), word(by)], &[Arg::Word(time(at)), Arg::Text(gln)])
}

fn nested(event: B256, token: Token, parent: U256, by: Address, at: i64) -> Log {
    log(token.contract, [event, number(token.id), number(parent), word(by)], &[Arg::Word(time(at))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{b256, hex};

    const TOKEN: Token = Token { contract: Address::repeat_byte(0xCC), id: U256::from_limbs([7, 0, 0, 0]) };

    #[test]
    fn a_transfer_has_the_well_known_topic_and_no_data() {
        let log = transfer(TOKEN, Address::ZERO, Address::repeat_byte(1));
        let topic = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
        assert_eq!((log.data.topics().len(), log.data.topics()[0], log.data.data.len()), (4, topic, 0));
    }

    #[test]
    fn a_reason_is_written_as_its_number() {
        let log = decommissioned(TOKEN, Address::ZERO, Reason::Bridged, 5);
        assert_eq!(hex::encode(&log.data.data), format!("{:064x}{:064x}", 11, 5));
    }

    #[test]
    fn every_event_has_its_own_topic() {
        let topics: std::collections::HashSet<_> = SIGNATURES.iter().map(|text| topic(text)).collect();
        assert_eq!(topics.len(), 18);
    }
}
