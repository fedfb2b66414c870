//! Contracts that the registry does not name and that do no harm.

use crate::contract::gs1_pack::{self as log, PackName, Token};
use crate::contract::tokens;
use crate::error::Result;
use crate::issue::CompanyPrefix;
use crate::keys::derive;
use crate::story::script::Script;
use alloy_primitives::{Address, U256};
use rand::Rng;

/// A GS1 prefix of a country that no party of the world is in.
const ELSEWHERE: u8 = 59;

/// The address of a contract of this story that nobody has named.
pub(crate) fn unnamed_contract(s: &mut Script<'_>) -> Address {
    let id = s.new_id();
    Address::from_word(derive(s.world.seed, &format!("unnamed/{id}")))
}

/// A GTIN of no product of the world.
pub(crate) fn unknown_gtin(s: &mut Script<'_>) -> Result<String> {
    let item = s.rng.random_range(1..99_999);
    Ok(CompanyPrefix::new(ELSEWHERE, s.story).gtin(0, item)?.to_string())
}

/// Someone elsewhere runs the same software for other products: whole lives of packs, none of them known here.
pub(crate) fn other_trade(s: &mut Script<'_>) -> Result<()> {
    let contract = unnamed_contract(s);
    let gtin = unknown_gtin(s)?;
    let ((maker_key, maker), (shop_key, shop)) = (s.stranger()?, s.stranger()?);
    for _ in 0..8 {
        let serial = s.odd_text("X")?;
        let token = Token { contract, id: s.new_id() };
        let name = PackName { gtin: &gtin, serial: serial.as_str(), lot: "X1", expiry: 20_281_200 };
        let minted = log::transfer(token, Address::ZERO, maker);
        s.send_as(maker_key, 0, vec![minted, log::commissioned(token, maker, &name, s.now)]);
        s.wait_hours(1..9);
        s.send_as(maker_key, 0, vec![log::shipped(token, maker, shop, s.now)]);
        s.wait_hours(5..40);
        let taken = log::transfer(token, maker, shop);
        s.send_as(shop_key, 0, vec![taken, log::received(token, shop, s.now, "")]);
        s.wait_hours(5..40);
        s.send_as(shop_key, 0, vec![log::dispensed(token, shop, s.now, "")]);
    }
    Ok(())
}

/// Coins, collectibles and careless copies: the same topics with other shapes, and data that end too early.
pub(crate) fn junk(s: &mut Script<'_>) -> Result<()> {
    let (coin, careless) = (unnamed_contract(s), unnamed_contract(s));
    let (key, someone) = s.stranger()?;
    let (_, other) = s.stranger()?;
    for n in 0..6_u64 {
        let amount = U256::from(s.rng.random_range(1_000_000_u64..9_000_000_000));
        let logs = vec![
            tokens::erc20_transfer(coin, someone, other, amount),
            tokens::broken_commissioned(careless, U256::from(n), someone),
        ];
        s.send_as(key, 0, logs);
        s.wait_hours(2..30);
    }
    Ok(())
}
