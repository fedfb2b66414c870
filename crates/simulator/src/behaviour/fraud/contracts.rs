//! Frauds of whole contracts and wallets: look-alikes (CT-01) and floods (SP-01).

use crate::behaviour::fraud::MARKETS;
use crate::behaviour::noise::strangers::{unknown_gtin, unnamed_contract};
use crate::contract::gs1_pack::{self as log, PackName, Token};
use crate::error::Result;
use crate::keys::KeyName;
use crate::story::delivery::Stage;
use crate::story::goods::Print;
use crate::story::script::Script;
use crate::world::HOUR_SECS;
use alloy_primitives::{Address, Log, U256};
use model::alert::Subject;
use rand::Rng;

/// Events of a flood, above the quota of 200 in an hour.
const FLOOD_EVENTS: usize = 260;
/// A flood is over within so many seconds, so that its blocks lie within one hour.
const FLOOD_SECS: i64 = 20 * 60;
/// Logs in one transaction of a flood.
const FLOOD_UPLOAD: usize = 20;

/// CT-01: an unknown contract claims serials of a product that has a contract of its own.
pub(crate) fn claims(s: &mut Script<'_>) -> Result<()> {
    claim(s, "claims").map(|_| ())
}

/// CT-01: and a licensed pharmacy falls for it.
pub(crate) fn received(s: &mut Script<'_>) -> Result<()> {
    let (token, pharmacy) = claim(s, "received")?;
    s.wait_hours(5..40);
    s.at_work(pharmacy.country);
    s.send(&pharmacy, 0, vec![log::received(token, pharmacy.address, s.now, &pharmacy.site.to_string())]);
    Ok(())
}

/// Genuine packs are on their way; a look-alike names one of their serials and two invented ones.
fn claim(s: &mut Script<'_>, variant: &'static str) -> Result<(Token, crate::world::party::Actor)> {
    let stock = s.stock(Stage::Wholesaler, 3, MARKETS)?;
    let pharmacy = stock.route.pharmacy;
    let contract = unnamed_contract(s);
    let (key, forger) = s.stranger()?;
    let genuine = stock.packs.first().and_then(|pack| pack.print.clone());
    let prints = [s.print(&stock.lot)?, s.print(&stock.lot)?].into_iter().chain(genuine);
    let mut last = Token { contract, id: U256::ZERO };
    for (n, print) in prints.enumerate() {
        last = Token { contract, id: s.new_id() };
        s.send_as(key, 0, look_alike(last, forger, &print, s.now));
        if n == 0 {
            s.plant("CT-01", variant, Subject::Contract(contract), &[]);
        }
        s.wait_hours(1..9);
    }
    for mut pack in stock.packs {
        s.deliver(&mut pack, &stock.holder, &pharmacy);
    }
    Ok((last, pharmacy))
}

fn look_alike(token: Token, forger: Address, print: &Print, at: i64) -> Vec<Log> {
    let named = print.told(|name| log::commissioned(token, forger, name, at));
    vec![log::transfer(token, Address::ZERO, forger), named]
}

/// SP-01: a contract that nobody knows logs hundreds of packs of a product that nobody knows, by many addresses.
pub(crate) fn contract_flood(s: &mut Script<'_>) -> Result<()> {
    s.wait_hours(30..200);
    let contract = unnamed_contract(s);
    let gtin = unknown_gtin(s)?;
    // Who watches for packs of any contract asks for its commissionings, not for every transfer on the chain.
    let mut logs = Vec::with_capacity(FLOOD_EVENTS * 2);
    for _ in 0..FLOOD_EVENTS {
        let token = Token { contract, id: s.new_id() };
        // A new address for every pack: only the contract stands out.
        let nobody = Address::from(s.rng.random::<[u8; 20]>());
        let serial = s.odd_text("F")?;
        let name = PackName { gtin: &gtin, serial: serial.as_str(), lot: "F1", expiry: 20_281_200 };
        logs.extend([
            log::transfer(token, Address::ZERO, nobody),
            log::commissioned(token, nobody, &name, s.now),
        ]);
    }
    let (key, _) = s.stranger()?;
    flood(s, key, &logs);
    s.plant("SP-01", "contract-flood", Subject::Contract(contract), &[]);
    Ok(())
}

/// SP-01: a wallet that nobody knows ships packs that it never had, hundreds of times.
pub(crate) fn wallet_flood(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 40, MARKETS)?;
    let (key, wallet) = s.stranger()?;
    let (_, accomplice) = s.stranger()?;
    let at = s.now;
    let targets = stock.packs.iter().cycle().take(FLOOD_EVENTS);
    let logs: Vec<Log> = targets.map(|pack| log::shipped(pack.token(), wallet, accomplice, at)).collect();
    flood(s, key, &logs);
    s.plant("SP-01", "wallet-flood", Subject::Party(wallet.to_string()), &[]);
    Ok(())
}

/// Sends logs in many transactions within [`FLOOD_SECS`].
fn flood(s: &mut Script<'_>, key: KeyName, logs: &[Log]) {
    let uploads = logs.len().div_ceil(FLOOD_UPLOAD);
    let gap = FLOOD_SECS / i64::try_from(uploads).unwrap_or(1);
    let begun = s.now;
    for (n, part) in logs.chunks(FLOOD_UPLOAD).enumerate() {
        s.send_as(key, 0, part.to_vec());
        s.now = begun + gap * i64::try_from(n + 1).unwrap_or(0);
    }
    s.now = s.now.max(begun + HOUR_SECS);
}
