//! What a world holds: every rule often enough and in enough forms, labels that point at something, keys that are keys.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use model::gs1::check_digit;
use serde_json::{Value, json};
use simulator::{Config, Simulator};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use support::{all_logs, call, hex, number, serve_world, whole};

/// The rules that are planted, and how many forms each has with one chain.
const RULES: [(&str, usize); 14] = [
    ("AG-01", 2),
    ("CT-01", 2),
    ("ID-01", 2),
    ("MI-01", 3),
    ("MI-03", 2),
    ("PT-01", 3),
    ("SP-01", 2),
    ("SQ-01", 2),
    ("SQ-03", 2),
    ("SQ-04", 3),
    ("ST-01", 2),
    ("ST-03", 2),
    ("ST-04", 2),
    ("ST-05", 2),
];

#[test]
fn every_rule_is_planted_three_times_in_two_forms_whatever_the_seed() {
    for seed in [1, 2, 3, 99, 2_025] {
        let simulator = Simulator::generate(Config { events: 20_000, ..Config::new(seed) }).unwrap();
        let mut planted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for label in simulator.labels() {
            planted.entry(label.rule).or_default().push(label.variant);
        }
        for (rule, forms) in RULES {
            let variants = &planted[rule];
            let different: BTreeSet<_> = variants.iter().collect();
            assert!(variants.len() >= 3 && different.len() == forms, "seed {seed}, {rule}: {variants:?}");
        }
        assert_eq!(planted.len(), 14, "seed {seed}");
        assert!(
            simulator.events() >= 20_000 && simulator.events() < 26_000,
            "seed {seed}: {}",
            simulator.events()
        );
        let subjects: HashSet<_> =
            simulator.labels().iter().map(|label| (label.subject_kind, &label.subject)).collect();
        assert_eq!(subjects.len(), simulator.labels().len(), "seed {seed}: a subject has two labels");
        let blocks = simulator.blocks()[0];
        assert!((1_400..=3_000).contains(&(blocks.0 + blocks.1)), "seed {seed}: {blocks:?}");
    }
}

#[test]
fn a_second_chain_holds_clones_of_the_first() {
    let simulator = Simulator::generate(Config { chains: vec![1, 10], ..whole(3) }).unwrap();
    let other: Vec<_> = simulator.labels().iter().filter(|label| label.variant == "other-chain").collect();
    assert_eq!(other.len(), 2);
    assert!(other.iter().all(|label| label.chain == 10 && label.rule == "ID-01"));
    assert!(simulator.contracts().iter().any(|contract| contract.chain.0 == 10));
}

#[tokio::test]
async fn every_label_points_at_a_transaction_and_three_quiet_days_follow_the_last() {
    let drawn = RandomState::new().hash_one("seed") % 1_000_000_000;
    for seed in [4, 5, drawn] {
        let simulator = Simulator::generate(Config { chains: vec![1, 10], ..whole(seed) }).unwrap();
        let labels = simulator.labels().to_vec();
        let (world, _token) = serve_world(simulator).await;
        for endpoint in &world.endpoints {
            let of_chain = labels.iter().filter(|label| label.chain == endpoint.chain_id);
            let mut last = 0;
            for label in of_chain {
                let tx = call(endpoint, "eth_getTransactionByHash", json!([label.tx]));
                assert_eq!(tx["blockNumber"], hex(label.block), "seed {seed}: {label:?}");
                last = last.max(number(
                    &call(endpoint, "eth_getBlockByNumber", json!([hex(label.block), false]))["timestamp"],
                ));
            }
            let end = all_logs(endpoint).last().map(|log| number(&log["blockTimestamp"])).unwrap();
            assert!(end >= last + 3 * 86_400, "seed {seed}: last fraud {last}, end {end}");
        }
        assert!(world.is_exhausted());
    }
}

/// Logs of contracts that the registry does not name: contract, time, data as text.
fn unnamed<'a>(logs: &'a [Value], named: &HashSet<String>) -> BTreeMap<&'a str, Vec<(u64, &'a str)>> {
    let mut unnamed: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for log in logs {
        let address = log["address"].as_str().unwrap();
        if !named.contains(address) {
            let entry = (number(&log["blockTimestamp"]), log["data"].as_str().unwrap());
            unnamed.entry(address).or_default().push(entry);
        }
    }
    unnamed
}

/// The most entries within one hour.
fn busiest_hour(entries: &[(u64, &str)]) -> usize {
    let within = |from: u64| entries.iter().filter(|(time, _)| (from..from + 3_600).contains(time)).count();
    entries.iter().map(|(time, _)| within(*time)).max().unwrap_or(0)
}

#[tokio::test]
async fn unnamed_contracts_claim_known_products_or_flood_only_where_a_label_says_so() {
    let simulator = Simulator::generate(whole(8)).unwrap();
    let named: HashSet<_> = simulator.contracts().iter().map(|c| format!("{:#x}", c.address)).collect();
    let known: Vec<_> = simulator
        .registry()
        .products
        .iter()
        .map(|p| alloy_primitives::hex::encode(p.gtin.to_string()))
        .collect();
    let labels = simulator.labels().to_vec();
    let (world, _token) = serve_world(simulator).await;
    let logs = all_logs(&world.endpoints[0]);
    let (mut claiming, mut flooding) = (BTreeSet::new(), BTreeSet::new());
    for (address, entries) in unnamed(&logs, &named) {
        if entries.iter().any(|(_, data)| known.iter().any(|gtin| data.contains(gtin))) {
            claiming.insert(address.to_owned());
        }
        if busiest_hour(&entries) > 200 {
            flooding.insert(address.to_owned());
        }
    }
    let labelled = |rule: &str| {
        let of_rule = labels.iter().filter(|label| label.rule == rule && label.subject_kind == "contract");
        of_rule.map(|label| label.subject.to_lowercase()).collect::<BTreeSet<_>>()
    };
    assert_eq!((claiming, flooding), (labelled("CT-01"), labelled("SP-01")));
}

/// Every GS1 number in a file, by the column that holds it.
fn numbers(dir: &std::path::Path, file: &str, column: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(dir.join(file)).unwrap();
    let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    let fields = reader.records().map(|row| row.unwrap()[at].to_owned());
    fields.filter(|field| !field.is_empty()).collect()
}

#[test]
fn the_registry_files_hold_keys_with_right_check_digits_and_refer_to_each_other() {
    let dir = tempfile::tempdir().unwrap();
    Simulator::generate(whole(6)).unwrap().write_registry(dir.path()).unwrap();
    let read = |file: &str, column: &str| numbers(dir.path(), file, column);
    let keys = [
        ("parties.csv", "gln"),
        ("sites.csv", "gln"),
        ("sites.csv", "party"),
        ("wallets.csv", "party"),
        ("licences.csv", "party"),
        ("delegations.csv", "principal"),
        ("delegations.csv", "agent"),
        ("agreements.csv", "agent"),
        ("products.csv", "gtin"),
        ("products.csv", "owner"),
        ("lots.csv", "gtin"),
        ("recalls.csv", "gtin"),
        ("contracts.csv", "gtin"),
    ];
    for (file, column) in keys {
        let found = read(file, column);
        assert!(!found.is_empty(), "{file} {column}");
        for text in found {
            let digits: u64 = text.parse().unwrap();
            assert_eq!(
                check_digit(digits / 10),
                u8::try_from(digits % 10).unwrap(),
                "{file} {column} {text}"
            );
        }
    }
    let set = |file: &str, column: &str| read(file, column).into_iter().collect::<HashSet<_>>();
    let (parties, products) = (set("parties.csv", "gln"), set("products.csv", "gtin"));
    for (file, column) in [
        ("wallets.csv", "party"),
        ("licences.csv", "party"),
        ("products.csv", "owner"),
        ("agreements.csv", "principal"),
    ] {
        assert!(set(file, column).is_subset(&parties), "{file} {column}");
    }
    assert!(set("lots.csv", "gtin").is_subset(&products) && set("recalls.csv", "gtin").is_subset(&products));
    for file in ["extensions.csv", "confirmations.csv", "announcements.csv", "lanes.csv"] {
        let header = std::fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(header.lines().next().unwrap().ends_with("valid_from,valid_to,known_from"), "{file}");
    }
}

#[test]
fn labels_are_json_lines() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = Simulator::generate(whole(7)).unwrap();
    let path = dir.path().join("labels.jsonl");
    simulator::label::write(simulator.labels(), &path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let keys: BTreeSet<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["also", "block", "chain", "rule", "subject", "subject_kind", "tx", "variant"];
    assert_eq!(keys, BTreeSet::from(expected));
    assert_eq!(text.lines().count(), simulator.labels().len());
}
