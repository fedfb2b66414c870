//! A folder with every file, and what it says.

use super::{MAKER, PARTIES, PHARMACY, PRODUCT, PRODUCTS, folder};
use crate::registry::load;
use alloy_primitives::address;
use model::chain::ChainId;
use model::registry::{
    Agreement, AgreementKind, Announcement, AnnouncementKind, Confirmation, ContractAuthority, Delegation,
    Extension, Lane, Level, Licence, LicenceStatus, LicenceType, Lot, Party, Product, Recall, Registry, Role,
    Site, Tier, Validity, Wallet, WalletStatus,
};
use tempfile::TempDir;

pub(super) fn whole() -> TempDir {
    let contract = "0x00000000000000000000000000000000000000c1";
    let successor = "0x00000000000000000000000000000000000000c2";
    folder(&[
        ("parties.csv", PARTIES, &format!("{MAKER}{PHARMACY}")),
        (
            "sites.csv",
            "gln,party,kind,lat,lon,precision_km",
            "4012345000016,0614141073467,plant,52.5,13.4,0.1,,,\n",
        ),
        (
            "wallets.csv",
            "chain,address,party,status",
            "1,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed,0614141073467,active,2024-01-01,2025-01-01T00:00:00+02:00,\n\
             ,0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed,4012345000009,retired,,,2024-06-30T12:00:00Z\n",
        ),
        ("licences.csv", "party,type,jurisdiction,status", "0614141073467,manufacturing,*,active,,,\n"),
        (
            "delegations.csv",
            "principal,agent,gtin,lot_pattern,site",
            "0614141073467,4012345000009,04012345123456,AB*,4012345000016,,,\n0614141073467,4012345000009,,,,,,\n",
        ),
        (
            "agreements.csv",
            "principal,agent,kind,scope",
            "0614141073467,4012345000009,consignment,4012345123456,,,\n",
        ),
        ("products.csv", PRODUCTS, PRODUCT),
        (
            "lots.csv",
            "gtin,lot,expiry,quantity,markets,closed_at",
            "04012345123456,AB1,2027-02-00,1000,DE,2025-03-01,,,\n",
        ),
        (
            "recalls.csv",
            "id,gtin,lot,serial_from,serial_to,market,class,effective_at,resolved_at",
            "R-1,04012345123456,AB1,100,200,DE,1,2025-06-01T08:00:00Z,,,,\n",
        ),
        ("extensions.csv", "gtin,lot,expiry", "04012345123456,AB1,1970-01-02,,,\n"),
        (
            "contracts.csv",
            "chain,address,tier,gtin",
            &format!("1,{contract},authoritative,04012345123456,,,\n"),
        ),
        (
            "announcements.csv",
            "kind,chain,contract,successor_chain,successor",
            &format!("migration,1,{contract},10,{successor},,,\n"),
        ),
        ("lanes.csv", "from,to,p99_hours", "0614141073467,,36.5,,,\n"),
        (
            "confirmations.csv",
            "item,party,finding",
            "https://id.gs1.org/01/04012345123456/21/7,4012345000009,falsified,,,\n",
        ),
    ])
}

fn expected() -> Registry {
    let Registry { parties, sites, wallets, licences, delegations, agreements, .. } = expected_parties();
    Registry { parties, sites, wallets, licences, delegations, agreements, ..expected_goods() }
}

/// Who the files speak of, and what they may do.
fn expected_parties() -> Registry {
    let (maker, pharmacy) = ("0614141073467".parse().unwrap(), "4012345000009".parse().unwrap());
    let plant = "4012345000016".parse().unwrap();
    let gtin = "04012345123456".parse().unwrap();
    let key = address!("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    let party = |gln, name: &str, country: &str, role, tz: &str| Party {
        gln,
        name: name.into(),
        country: country.into(),
        role,
        tz: tz.into(),
        validity: Validity::ALWAYS,
    };
    let delegation = |gtin, lot_pattern: Option<&str>, site| Delegation {
        principal: maker,
        agent: pharmacy,
        gtin,
        lot_pattern: lot_pattern.map(Into::into),
        site,
        validity: Validity::ALWAYS,
    };
    let wallet = |chain, party, status, validity| Wallet { chain, address: key, party, status, validity };
    // Two hours east of Greenwich 2025 began at 2024-12-31T22:00:00Z.
    let year = Validity { from_secs: 1_704_067_200, to_secs: 1_735_682_400, ..Validity::ALWAYS };
    let later_known = Validity { known_from_secs: 1_719_748_800, ..Validity::ALWAYS };
    Registry {
        parties: vec![
            party(maker, "Maker", "DE", Role::Manufacturer, "Europe/Berlin"),
            party(pharmacy, "Pharmacy", "FR", Role::Dispenser, "Europe/Paris"),
        ],
        sites: vec![Site {
            gln: plant,
            party: maker,
            kind: "plant".into(),
            lat: Some(52.5),
            lon: Some(13.4),
            precision_km: Some(0.1),
            validity: Validity::ALWAYS,
        }],
        wallets: vec![
            wallet(Some(ChainId(1)), maker, WalletStatus::Active, year),
            wallet(None, pharmacy, WalletStatus::Retired, later_known),
        ],
        licences: vec![Licence {
            party: maker,
            kind: LicenceType::Manufacturing,
            jurisdiction: "*".into(),
            status: LicenceStatus::Active,
            validity: Validity::ALWAYS,
        }],
        delegations: vec![delegation(Some(gtin), Some("AB*"), Some(plant)), delegation(None, None, None)],
        agreements: vec![Agreement {
            principal: maker,
            agent: pharmacy,
            kind: AgreementKind::Consignment,
            scope: Some(gtin),
            validity: Validity::ALWAYS,
        }],
        ..Registry::default()
    }
}

/// What the files say of goods and of contracts.
fn expected_goods() -> Registry {
    let (maker, pharmacy) = ("0614141073467".parse().unwrap(), "4012345000009".parse().unwrap());
    let (gtin, lot) = ("04012345123456".parse().unwrap(), "AB1".parse().unwrap());
    let contract = address!("00000000000000000000000000000000000000c1");
    Registry {
        products: vec![Product {
            gtin,
            owner: maker,
            name: "Aspirin".into(),
            level: Level::Pack,
            units: 1,
            markets: vec!["DE".into(), "FR".into()],
            validity: Validity::ALWAYS,
        }],
        lots: vec![Lot {
            gtin,
            lot,
            // 2027-02-28
            expiry_day: 20_877,
            quantity: Some(1000),
            markets: vec!["DE".into()],
            closed_at_secs: Some(1_740_787_200),
            validity: Validity::ALWAYS,
        }],
        recalls: vec![Recall {
            id: "R-1".into(),
            gtin,
            lot: Some(lot),
            serial_from: Some("100".parse().unwrap()),
            serial_to: Some("200".parse().unwrap()),
            market: Some("DE".into()),
            class: "1".into(),
            effective_at_secs: 1_748_764_800,
            resolved_at_secs: None,
            validity: Validity::ALWAYS,
        }],
        extensions: vec![Extension { gtin, lot, expiry_day: 1, validity: Validity::ALWAYS }],
        contracts: vec![ContractAuthority {
            chain: ChainId(1),
            address: contract,
            tier: Tier::Authoritative,
            gtin: Some(gtin),
            validity: Validity::ALWAYS,
        }],
        announcements: vec![Announcement {
            kind: AnnouncementKind::Migration,
            chain: ChainId(1),
            contract,
            successor_chain: ChainId(10),
            successor: address!("00000000000000000000000000000000000000c2"),
            validity: Validity::ALWAYS,
        }],
        lanes: vec![Lane { from: Some(maker), to: None, p99_secs: 131_400, validity: Validity::ALWAYS }],
        confirmations: vec![Confirmation {
            item: "01/04012345123456/21/7".into(),
            party: Some(pharmacy),
            finding: "falsified".into(),
            validity: Validity::ALWAYS,
        }],
        ..Registry::default()
    }
}

#[test]
fn every_file_is_read() {
    assert_eq!(load(whole().path()).unwrap(), expected());
}
