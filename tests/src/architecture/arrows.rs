//! Arrows between crates, and the fences around third-party libraries, as `cargo metadata` tells them.

use super::root;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each crate with those of ours that it may import. What is not named here may not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("runtime", &["model"]),
    ("evidence", &["model"]),
    ("custody", &["model"]),
    ("bus", &["model"]),
    ("store", &["model"]),
    ("ingest", &["model", "runtime", "evidence", "bus"]),
    ("transform", &["model", "runtime", "custody", "bus", "store"]),
    ("query", &["model", "runtime", "evidence", "store"]),
    ("simulator", &["model", "evidence"]),
    ("cli", EVERY),
    ("tests", EVERY_AND_CLI),
];

const EVERY: &[&str] =
    &["model", "runtime", "evidence", "custody", "bus", "store", "ingest", "transform", "query", "simulator"];

const EVERY_AND_CLI: &[&str] = &[
    "model",
    "runtime",
    "evidence",
    "custody",
    "bus",
    "store",
    "ingest",
    "transform",
    "query",
    "simulator",
    "cli",
];

/// Libraries with the crates that may use them.
const FENCES: &[(&str, &[&str])] = &[
    ("rdkafka", &["bus"]),
    ("parquet", &["store"]),
    ("clickhouse", &["store"]),
    ("clickhouse", &["store"]),
    ("datafusion", &["store", "query"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("eyre", &["cli"]),
    ("miette", &["cli"]),
    ("indicatif", &["cli"]),
    ("rustyline", &["cli"]),
    ("alloy-provider", &["ingest"]),
    ("alloy-rpc-client", &["ingest"]),
    ("alloy-json-rpc", &["ingest"]),
    ("alloy-pubsub", &["ingest"]),
    ("alloy-transport", &["ingest"]),
    ("alloy-transport-ws", &["ingest"]),
    ("alloy-transport-http", &["ingest"]),
    ("reqwest", &["ingest"]),
    ("tokio", &["runtime", "bus", "store", "ingest", "transform", "query", "simulator", "cli"]),
    ("async-trait", &["bus", "store", "ingest", "transform", "query", "cli"]),
];

#[derive(Debug)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    dev: bool,
}

/// The packages of the workspace with what they depend on.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let dependency = |value: &Value| Dependency { name: text(&value["name"]), dev: value["kind"] == "dev" };
    let package = |value: &Value| Package {
        name: text(&value["name"]),
        dependencies: list(&value["dependencies"]).iter().map(dependency).collect(),
    };
    list(&metadata["packages"]).iter().map(package).collect()
}

/// What stands against the two tables, one line each.
fn trespasses(packages: &[Package]) -> Vec<String> {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let fences: BTreeMap<_, _> = FENCES.iter().copied().collect();
    let mut found = Vec::new();
    for package in packages {
        let Some(allowed) = arrows.get(package.name.as_str()) else {
            found.push(format!("{} stands in no row of the table of crates", package.name));
            continue;
        };
        for Dependency { name, dev } in &package.dependencies {
            if arrows.contains_key(name.as_str()) && !allowed.contains(&name.as_str()) {
                found.push(format!("{} imports {name}", package.name));
            }
            let users = fences.get(name.as_str());
            if !dev && users.is_some_and(|users| !users.contains(&package.name.as_str())) {
                found.push(format!(
                    "{} uses {name}, which is for {}",
                    package.name,
                    users.unwrap().join(", ")
                ));
            }
        }
    }
    found
}

#[test]
fn every_arrow_between_crates_is_in_the_table_and_every_library_within_its_fence() {
    let packages = packages();
    let ours: BTreeSet<_> = packages.iter().map(|package| package.name.as_str()).collect();
    let named: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, named, "the crates of the workspace are those of the table");
    assert_eq!(trespasses(&packages), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_and_a_broken_fence_are_found() {
    let uses = |name: &str, dev| Dependency { name: name.into(), dev };
    let package = |name: &str, dependencies| Package { name: name.into(), dependencies };
    let found = trespasses(&[
        package("simulator", vec![uses("custody", true), uses("evidence", false), uses("reqwest", true)]),
        package("custody", vec![uses("tokio", false)]),
        package("helpers", vec![]),
    ]);
    let expected = [
        "simulator imports custody",
        "custody uses tokio, which is for runtime, bus, store, ingest, transform, query, simulator, cli",
        "helpers stands in no row of the table of crates",
    ];
    assert_eq!(found, expected);
}
