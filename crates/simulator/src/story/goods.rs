//! Goods: packs, cases and pallets as a story holds them.

use crate::contract::gs1_pack::{PackName, Token};
use crate::world::contracts::ContractRef;
use crate::world::country::CountryId;
use crate::world::party::Actor;
use alloy_primitives::{Address, U256};
use model::alert::Subject;
use model::gs1::{Gtin, Text};
use model::item::ItemKey;

/// A lot that a story makes packs of.
#[derive(Debug, Clone)]
pub(crate) struct LotInfo {
    pub(crate) gtin: Gtin,
    pub(crate) code: Text,
    /// As a pack says it: YYYYMMDD, DD = 00 for the month's end.
    pub(crate) expiry: u32,
    /// Where its packs are commissioned.
    pub(crate) contract: ContractRef,
}

/// What is printed on a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) gtin: Gtin,
    pub(crate) serial: Text,
    pub(crate) lot: Text,
    pub(crate) expiry: u32,
}

impl Print {
    /// Calls `tell` with the print as a log says it.
    pub(crate) fn told<T>(&self, tell: impl FnOnce(&PackName<'_>) -> T) -> T {
        let gtin = self.gtin.to_string();
        tell(&PackName {
            gtin: &gtin,
            serial: self.serial.as_str(),
            lot: self.lot.as_str(),
            expiry: self.expiry,
        })
    }

    /// The item that it names.
    pub(crate) fn key(&self) -> ItemKey {
        ItemKey::Sgtin(self.gtin, self.serial)
    }
}

/// A pack, a case or a pallet with its token.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) contract: ContractRef,
    pub(crate) id: U256,
    /// Owner of its token on the chain.
    pub(crate) owner: Address,
    pub(crate) key: ItemKey,
    /// What is printed on it; none on cases and pallets.
    pub(crate) print: Option<Print>,
    /// The parent that the chain still has it in.
    pub(crate) parent: Option<U256>,
    /// What is inside.
    pub(crate) inside: Vec<Item>,
}

impl Item {
    /// Its token.
    pub(crate) fn token(&self) -> Token {
        Token { contract: self.contract.address, id: self.id }
    }

    /// It as the subject of an alert.
    pub(crate) fn subject(&self) -> Subject {
        Subject::Item(self.key.to_string())
    }
}

/// Who handles a product on its way to a market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    /// The product's place in the world.
    pub(crate) product: usize,
    pub(crate) maker: Actor,
    pub(crate) market: CountryId,
    pub(crate) wholesaler: Actor,
    /// Another wholesaler of the market.
    pub(crate) second_wholesaler: Actor,
    pub(crate) pharmacy: Actor,
    /// Another pharmacy of the market.
    pub(crate) second_pharmacy: Actor,
    /// Takes the market's returns.
    pub(crate) disposer: Actor,
}
