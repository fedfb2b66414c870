//! Frauds: each plants what one rule is about, on goods of its own, and says so.
//!
//! Around each planted step the story is as honest as any: goods are made, shipped and received first, and the
//! other packs of the same case are sold as usual, so that no pattern but the fraud itself gives it away.

pub(crate) mod aggregation;
pub(crate) mod contracts;
pub(crate) mod identity;
pub(crate) mod minting;
pub(crate) mod parties;
pub(crate) mod sequence;
pub(crate) mod state;

use crate::behaviour::{Behaviour, one_chain, two_chains};
use crate::world::country::{CH, CountryId, DE, FR, IT, US};

/// Where identities are frauded: everywhere that the industry's registry serves.
const MARKETS: &[CountryId] = &[US, DE, FR, IT, CH];
/// Where every hop is reported by law or custom: in the Union only the ends are, and sequence rules are silent.
const REPORTED_HOPS: &[CountryId] = &[US, CH];

/// Every variant of every fraud.
pub(crate) const ALL: &[Behaviour] = &[
    one_chain("ID-01 same-contract", identity::same_contract),
    one_chain("ID-01 partner-contract", identity::partner_contract),
    two_chains("ID-01 other-chain", identity::other_chain),
    one_chain("MI-03 after-decommissioning", identity::after_decommissioning),
    one_chain("MI-03 after-destroying", identity::after_destroying),
    one_chain("CT-01 claims", contracts::claims),
    one_chain("CT-01 received", contracts::received),
    one_chain("SP-01 contract-flood", contracts::contract_flood),
    one_chain("SP-01 wallet-flood", contracts::wallet_flood),
    one_chain("MI-01 stranger", minting::stranger),
    one_chain("MI-01 wholesaler", minting::wholesaler),
    one_chain("MI-01 lapsed-delegation", minting::lapsed_delegation),
    one_chain("SQ-01 no-shipping", sequence::no_shipping),
    one_chain("SQ-01 wrong-receiver", sequence::wrong_receiver),
    one_chain("SQ-03 stranger", sequence::stranger),
    one_chain("SQ-03 former-holder", sequence::former_holder),
    one_chain("SQ-04 reactivate-active", sequence::reactivate_active),
    one_chain("SQ-04 dispense-in-transit", sequence::dispense_in_transit),
    one_chain("SQ-04 ship-twice", sequence::ship_twice),
    one_chain("ST-01 other-pharmacy", state::other_pharmacy),
    one_chain("ST-01 repeat", state::repeat),
    one_chain("ST-03 after-destroying", state::after_destroying),
    one_chain("ST-03 after-inactive", state::after_inactive),
    one_chain("ST-04 dispensed", state::recalled_dispensed),
    one_chain("ST-04 moved", state::recalled_moved),
    one_chain("ST-05 dispensed", state::expired_dispensed),
    one_chain("ST-05 moved", state::expired_moved),
    one_chain("PT-01 revoked", parties::revoked),
    one_chain("PT-01 suspended", parties::suspended),
    one_chain("PT-01 expired", parties::expired),
    one_chain("AG-01 moved", aggregation::moved),
    one_chain("AG-01 dispensed", aggregation::dispensed),
];
