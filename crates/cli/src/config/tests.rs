//! A whole configuration, and a table of mistakes with what is said of each.

use super::{Overrides, Settings, diagnostic::Refused, read};
use crate::deployment::Who;
use ingest::config::FinalityRule;
use ingest::filter::AddressPlace;
use miette::Diagnostic as _;
use model::segment::VerificationLevel;
use std::path::{Path, PathBuf};
use std::time::Duration;

const WHOLE: &str = r#"
data_dir = "data"

[chains.ethereum]
id = 1
endpoints = ["https://node.example/v2/secret", { name = "own", url = "http://127.0.0.1:8545", websocket = "ws://127.0.0.1:8546" }]
start_block = 19000000
finality = { confirmations = 64 }
tail_limit = 512
verify = { head = "receipts", backfill = "bloom", sample = 100 }

[[contracts]]
name = "packs"
chain = "ethereum"
address = "0x00000000000000000000000000000000000000aa"
profile = "gs1-pack"
from_block = 19000001

[[contracts]]
name = "made"
chain = "ethereum"
factory = { address = "0x00000000000000000000000000000000000000bb", event = "Made(uint256 id, address indexed made)", field = "made" }
profile = "erc721"

[[contracts]]
name = "anyone"
chain = "ethereum"
any = true
profile = "gs1-pack"

[registry]
dir = "registry"

[store]
kind = "parquet"

[bus]
kind = "local"

[query]
listen = "127.0.0.1:9000"
deadline_secs = 5

[rules.ST-01]
repeat_secs = 3600

[rules.st-03]
enabled = false
"#;

fn settings(text: &str) -> Result<Settings, Refused> {
    read("rxtrail.toml", text, Path::new("/etc/rxtrail"), [], &Overrides::default())
}

/// The least that a configuration has, and one section more.
pub(super) fn with_section(name: &str, section: &str, base: &Path) -> Result<Settings, Refused> {
    let text = format!(
        "data_dir = \"data\"\n\
         [chains.ethereum]\nid = 1\nendpoints = [\"http://127.0.0.1:8545\"]\n\
         [[contracts]]\nname = \"packs\"\nchain = \"ethereum\"\nprofile = \"gs1-pack\"\n\
         address = \"0x00000000000000000000000000000000000000aa\"\n\
         [{name}]\n{section}\n"
    );
    read("rxtrail.toml", &text, base, [], &Overrides::default())
}

#[test]
fn a_whole_configuration_is_read() {
    let settings = settings(WHOLE).unwrap();
    assert_eq!(settings.data_dir, PathBuf::from("/etc/rxtrail/data"));
    assert_eq!(settings.registry_dir, Some(PathBuf::from("/etc/rxtrail/registry")));
    assert_eq!(
        (settings.query.listen.port(), settings.query.limits.deadline),
        (9000, Duration::from_secs(5))
    );
    let chain = &settings.chains[0].ingest;
    assert_eq!(
        (settings.chains[0].name.as_str(), chain.id.0, chain.start_block, chain.tail_limit),
        ("ethereum", 1, 19_000_000, 512)
    );
    assert_eq!(chain.finality, FinalityRule::Confirmations(64));
    assert_eq!(
        (chain.verify.head, chain.verify.backfill, chain.verify.sample),
        (VerificationLevel::Receipts, VerificationLevel::Bloom, 100)
    );
    let names: Vec<_> = chain.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    assert_eq!(names, ["rpc-1", "own"]);
    let deployment = &settings.deployment;
    let made: Vec<_> = deployment
        .contracts
        .iter()
        .map(|contract| (contract.name.as_str(), contract.profile.name.as_str(), contract.from_block))
        .collect();
    assert_eq!(made, [("packs", "gs1-pack", 19_000_001), ("made", "erc721", 0), ("anyone", "gs1-pack", 0)]);
    assert!(
        matches!(deployment.contracts[1].who, Who::Factory(factory) if factory.place == AddressPlace::Topic(1))
    );
    assert_eq!(deployment.parameters, [(("ST-01".to_owned(), "repeat_secs".to_owned()), 3600)].into());
    assert_eq!(deployment.off, ["ST-03"]);
    let filter = deployment.filter(chain.id);
    assert_eq!((filter.start_block, filter.addresses.len(), filter.factories.len()), (19_000_000, 1, 1));
    assert!(!filter.any_topics.is_empty());
}

#[test]
fn flags_stand_over_the_environment_and_that_over_the_file() {
    let variables = [("RXTRAIL__QUERY__LISTEN", "127.0.0.1:1"), ("RXTRAIL__DATA_DIR", "/env")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = Overrides { data_dir: None, listen: Some("127.0.0.1:2".parse().unwrap()) };
    let settings = read("rxtrail.toml", WHOLE, Path::new(""), variables, &overrides).unwrap();
    assert_eq!((settings.data_dir, settings.query.listen.port()), (PathBuf::from("/env"), 2));
}

#[test]
fn endpoints_are_read_from_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("secret"),
        "# ours\nhttps://node.example/v2/secret\n\nhttp://127.0.0.1:8545\n",
    )
    .unwrap();
    let text = WHOLE.replace(
        WHOLE.lines().find(|line| line.starts_with("endpoints")).unwrap(),
        "endpoints_file = \"secret\"",
    );
    let settings = read("rxtrail.toml", &text, folder.path(), [], &Overrides::default()).unwrap();
    let endpoints = &settings.chains[0].ingest.endpoints;
    assert_eq!((endpoints.len(), endpoints[0].url.as_str()), (2, "https://node.example/v2/secret"));
    assert!(!format!("{settings:?}").contains("secret"), "a key in an address is never shown");
}

/// Where the mistake is made, what it is replaced by, and what is said: place, code, message, help.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "data_dir = \"data\"",
        "data_dri = \"data\"",
        "2:1 config::unknown-key the configuration has no key 'data_dri' (did you mean 'data_dir'?)",
    ),
    (
        "data_dir = \"data\"",
        "",
        "1:1 config::missing-key the configuration has no data_dir (for example data_dir = \"rxtrail-data\")",
    ),
    (
        "data_dir = \"data\"",
        "data_dir = 5",
        "2:12 config::wrong-type data_dir must be text, not a whole number",
    ),
    ("id = 1\n", "", "4:9 config::missing-key [chains.ethereum] has no id (for example id = 1)"),
    ("id = 1\n", "id = 0\n", "5:6 config::out-of-bounds id is 0, it must be from 1 to 9223372036854775807"),
    (
        "id = 1\n",
        "id = 1.5\n",
        "5:6 config::wrong-type id must be a whole number, not a number with a fraction",
    ),
    (
        "start_block",
        "start_blok",
        "7:1 config::unknown-key [chains.ethereum] has no key 'start_blok' (did you mean 'start_block'?)",
    ),
    (
        "confirmations = 64",
        "confirmation = 64",
        "8:14 config::unknown-key [finality] has no key 'confirmation' (did you mean 'confirmations'?)",
    ),
    (
        "finality = { confirmations = 64 }",
        "finality = \"soon\"",
        "8:12 config::wrong-type finality must be \"tag\" or { confirmations = N }, not text",
    ),
    (
        "backfill = \"bloom\"",
        "backfill = \"blom\"",
        "10:42 config::bad-value backfill: 'blom' is not a verification level: off, present, bloom or receipts",
    ),
    (
        "\"https://node.example/v2/secret\"",
        "\"secret//\"",
        "6:14 config::bad-value this is no URL: relative URL without a base",
    ),
    (
        "websocket = \"ws:",
        "websocket = \"http:",
        "4:9 config::chain [chains.ethereum]: configuration: endpoint own: websocket is neither ws nor wss",
    ),
    (
        "name = \"own\", url",
        "name = \"own\", ur",
        "6:64 config::unknown-key [endpoints] has no key 'ur' (did you mean 'url'?)",
    ),
    (
        "tail_limit = 512",
        "tail_limit = 512\nendpoints_file = \"x\"",
        "10:18 config::conflict endpoints and endpoints_file are both set (keep one)",
    ),
    (
        "chain = \"ethereum\"\naddress",
        "chain = \"etherum\"\naddress",
        "14:9 config::unknown-chain there is no [chains.etherum] (did you mean 'ethereum'?)",
    ),
    (
        "address = \"0x00000000000000000000000000000000000000aa\"",
        "address = \"0xaa\"",
        "15:11 config::bad-value address: invalid string length",
    ),
    (
        "address = \"0x00000000000000000000000000000000000000aa\"\n",
        "",
        "12:1 config::contract a contract has one of address, factory and any",
    ),
    ("any = true", "any = false", "28:7 config::bad-value any is true or left out"),
    (
        "profile = \"erc721\"",
        "profile = \"erc-721\"",
        "23:11 config::unknown-profile there is no profile 'erc-721' (did you mean 'erc721'?)",
    ),
    (
        "profile = \"erc721\"",
        "profile = \"missing.toml\"",
        "23:11 config::profile cannot read /etc/rxtrail/missing.toml: No such file or directory (os error 2)",
    ),
    (
        "field = \"made\"",
        "field = \"id\"",
        "22:127 config::bad-value 'id' is of type uint256, a contract is named by an address",
    ),
    ("Made(uint256 id", "Made(uint25 id", "22:77 config::bad-value event: 'uint25' is no type"),
    (
        "listen = \"127.0.0.1:9000\"",
        "listen = \"0.0.0.0:9000\"",
        "41:10 config::listen 0.0.0.0:9000 is no loopback address",
    ),
    (
        "listen = \"127.0.0.1:9000\"",
        "listen = \"localhost\"",
        "41:10 config::bad-value listen: invalid socket address syntax",
    ),
    (
        "deadline_secs = 5",
        "deadline = 5",
        "42:1 config::unknown-key [query] has no key 'deadline' (did you mean 'deadline_secs'?)",
    ),
    (
        "kind = \"parquet\"",
        "kind = \"duckdb\"",
        "35:8 config::bad-value 'duckdb' is no kind of store (kind = \"parquet\", or kind = \"clickhouse\" with url = \"http://127.0.0.1:8123\")",
    ),
    (
        "kind = \"local\"",
        "kind = \"redis\"",
        "38:8 config::bad-value 'redis' is no kind of bus (kind = \"local\", or kind = \"kafka\" with brokers = [\"127.0.0.1:9092\"])",
    ),
    (
        "[rules.ST-01]",
        "[rules.ST-11]",
        "44:8 config::unknown-rule there is no rule 'ST-11' (did you mean 'ST-01'?)",
    ),
    (
        "repeat_secs = 3600",
        "repeat_sec = 3600",
        "45:1 config::unknown-key [rules.ST-01] has no key 'repeat_sec' (did you mean 'repeat_secs'?)",
    ),
    (
        "repeat_secs = 3600",
        "repeat_secs = -1",
        "45:15 config::out-of-bounds repeat_secs is -1, it cannot be below 0",
    ),
    (
        "[registry]\ndir = \"registry\"",
        "[registry]",
        "31:1 config::missing-key [registry] has no dir (for example dir = \"registry\")",
    ),
    (
        "name = \"made\"",
        "name = \"packs\"",
        "config::contracts contract name 'packs' stands for two contracts on chain 1",
    ),
    ("data_dir = \"data\"", "data_dir = \"data", "config::syntax "),
];

/// One line for each thing that is wrong.
fn told(refused: &Refused, text: &str) -> Vec<String> {
    let place = |at: usize| {
        let before = &text[..at.min(text.len())];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{column} ", before.matches('\n').count() + 1)
    };
    let problem = |problem: &dyn miette::Diagnostic| {
        let at = problem
            .labels()
            .and_then(|mut labels| labels.next())
            .map(|label| place(label.offset()))
            .unwrap_or_default();
        let help = problem.help().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{at}{} {problem}{help}", problem.code().unwrap())
    };
    refused.related().unwrap().map(problem).collect()
}

#[test]
fn each_mistake_is_told_at_its_place_with_what_to_do() {
    let mut wrong = Vec::new();
    for (right, mistake, expected) in MISTAKES {
        assert!(WHOLE.contains(right), "{right}");
        let text = WHOLE.replacen(right, mistake, 1);
        match settings(&text) {
            Ok(_) => wrong.push(format!("{mistake}: accepted")),
            Err(refused) => {
                let told = told(&refused, &text);
                if !told.iter().any(|line| line.contains(expected)) {
                    wrong.push(format!(
                        "{mistake}\n  expected {expected}\n  came     {}",
                        told.join("\n           ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "data_dri = 'x'\n[chains.a]\nid = 'one'\n[query]\nlisten = 7\n";
    let told = told(&settings(text).unwrap_err(), text);
    let codes: Vec<_> = told
        .iter()
        .map(|line| line.split_whitespace().find(|word| word.starts_with("config::")).unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "config::missing-key",
            "config::no-contract",
            "config::unknown-key",
            "config::missing-key",
            "config::wrong-type",
            "config::wrong-type"
        ],
        "{told:#?}"
    );
}

#[test]
fn a_mistake_in_the_environment_names_its_variable() {
    let variables = [("RXTRAIL__QUERY__LISTEN".to_owned(), "0.0.0.0:1".to_owned())];
    let refused = read("rxtrail.toml", WHOLE, Path::new(""), variables, &Overrides::default()).unwrap_err();
    let told = told(&refused, WHOLE);
    assert!(
        told[0].contains("0.0.0.0:1 is no loopback address (environment variable RXTRAIL__QUERY__LISTEN)"),
        "{told:?}"
    );
}

#[test]
fn a_mistake_in_a_profile_is_shown_in_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ours.toml"), "standard = \"erc7211\"\n").unwrap();
    let text = WHOLE.replacen("profile = \"erc721\"", "profile = \"ours.toml\"", 1);
    let refused = read("rxtrail.toml", &text, folder.path(), [], &Overrides::default()).unwrap_err();
    let shown = crate::rendered(&refused, false);
    assert!(shown.contains("ours.toml:1:12") && shown.contains("standard = \"erc7211\""), "{shown}");
}

#[test]
fn a_person_sees_the_line_and_what_was_probably_meant() {
    let text = WHOLE.replacen("start_block", "start_blok", 1);
    let shown = crate::rendered(&settings(&text).unwrap_err(), false);
    insta::assert_snapshot!(shown);
}
