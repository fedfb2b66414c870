//! What the registry is told late in a schedule: drawn, then put into the oracle's stream where it came in the lives.

use super::chain::START_SECS;
use super::life::Disks;
use super::schedule::gln;
use alloy_primitives::Address;
use bus::Bus as _;
use bus::local::LocalBus;
use model::chain::ChainId;
use model::change::{Change, Record, RegistryVersion};
use model::registry::{
    Agreement, AgreementKind, ContractAuthority, Delegation, LicenceStatus, Recall, Registry, Tier, Validity,
    Wallet, WalletStatus,
};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Changes a registry as if it were told late; says what it was told.
pub fn draw(
    rng: &mut StdRng,
    rows: &mut Registry,
    (actors, unnamed): (&[Address], Address),
    gtin: &str,
) -> Vec<&'static str> {
    let mut told = Vec::new();
    let validity = Validity { from_secs: some_time(rng), ..Validity::ALWAYS };
    if rng.random_bool(0.5) {
        told.push("learnt of a recall late");
        rows.recalls.retain(|_| rng.random_bool(0.5));
        rows.recalls.push(recall(rng, rows.recalls.len(), gtin));
    }
    if rng.random_bool(0.5) {
        told.push("learnt of a licence late");
        let one = rng.random_range(0..rows.licences.len());
        let status =
            [LicenceStatus::Revoked, LicenceStatus::Suspended, LicenceStatus::Active][rng.random_range(0..3)];
        rows.licences[one].status = status;
        rows.licences[one].validity = validity;
    }
    if rng.random_bool(0.5) {
        told.push("learnt of a delegation late");
        let (principal, agent, gtin) = (gln(0), gln(rng.random_range(1..4)), gtin.parse().ok());
        rows.delegations.push(Delegation { principal, agent, gtin, lot_pattern: None, site: None, validity });
    }
    if rng.random_bool(0.5) {
        told.push("learnt of an agreement late");
        let (principal, agent) = (gln(rng.random_range(0..4)), gln(rng.random_range(0..4)));
        rows.agreements.push(Agreement {
            principal,
            agent,
            kind: AgreementKind::Logistics,
            scope: None,
            validity,
        });
    }
    if rng.random_bool(0.3) {
        told.push("learnt of a wallet late");
        let (address, party) = (actors[rng.random_range(4..6)], gln(rng.random_range(0..4)));
        let status = WalletStatus::Active;
        rows.wallets.push(Wallet { chain: None, address, party, status, validity });
    }
    if rng.random_bool(0.2) {
        told.push("learnt of a contract late");
        let row = |chain| ContractAuthority {
            chain,
            address: unnamed,
            tier: Tier::Recognised,
            gtin: None,
            validity,
        };
        rows.contracts.extend([ChainId(1), ChainId(137)].map(row));
    }
    told
}

/// A time within the first ten days of a chain.
fn some_time(rng: &mut StdRng) -> i64 {
    START_SECS as i64 + rng.random_range(0..10 * 86_400)
}

fn recall(rng: &mut StdRng, number: usize, gtin: &str) -> Recall {
    let serial = rng.random_bool(0.3).then(|| format!("S{}", rng.random_range(0..9)).parse().unwrap());
    let effective_at_secs = some_time(rng);
    Recall {
        id: format!("R-{number}-{effective_at_secs}"),
        gtin: gtin.parse().unwrap(),
        lot: rng.random_bool(0.5).then(|| "L1".parse().unwrap()),
        serial_from: serial,
        serial_to: serial,
        market: None,
        class: "I".into(),
        effective_at_secs,
        resolved_at_secs: rng.random_bool(0.3).then(|| effective_at_secs + rng.random_range(1..10) * 86_400),
        validity: Validity::ALWAYS,
    }
}

/// Which versions of the registry each chain heard of, and where they came to stand.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Versions>>);

/// Versions of the registry by chain and number.
pub type Versions = BTreeMap<(ChainId, u64), Arc<RegistryVersion>>;

impl Heard {
    /// Remembers the version that a record brings. One that was lost in a crash comes again, and stands where it came
    /// last.
    pub fn hear(&self, record: &Record) {
        if let Change::Registry(version) = &record.change {
            self.0.lock().unwrap().insert((record.chain, version.version), version.clone());
        }
    }

    /// All of them so far.
    pub fn all(&self) -> Versions {
        self.0.lock().unwrap().clone()
    }
}

/// Puts versions into empty streams, each in force after its block, before any of these blocks is there.
pub async fn publish(disks: &Disks, versions: Versions) {
    let bus = LocalBus::on(Box::new(disks.bus.clone()), BTreeMap::new()).unwrap();
    let chains: BTreeSet<ChainId> = versions.keys().map(|(chain, _)| *chain).collect();
    for chain in chains {
        let mut publisher = bus.publisher(chain).unwrap();
        publisher.open().await.unwrap();
        for version in versions.range((chain, 0)..=(chain, u64::MAX)).map(|(_, version)| version) {
            publisher.publish(Change::Registry(version.clone())).await.unwrap();
        }
    }
}
