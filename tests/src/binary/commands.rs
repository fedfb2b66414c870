//! What people type: `check`, `run`, `sql` beside it and after it, `pedigree`; and how it ends when something is wrong.

use super::process::{Process, answer, configuration, rxtrail, sql};
use super::trade::Trade;
use crate::cast::gtin;
use crate::lines::assert_lines;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_checked_indexed_and_asked_while_it_runs_and_afterwards() {
    let mut trade = Trade::begin().await;
    let head = trade.fraud(&mut StdRng::seed_from_u64(1)).await;
    let dir = tempfile::tempdir().expect("a folder");
    let (config, data, registry) =
        (dir.path().join("rxtrail.toml"), dir.path().join("data"), dir.path().join("registry"));
    trade.cast.write_registry(&registry, &[(&trade.packs, "authoritative")], &[]);
    fs::write(&config, configuration(trade.node.url(), trade.packs.address, &registry)).expect("a file");
    let (config_text, data_text) = (config.to_str().expect("text"), data.to_str().expect("text"));
    answer(&["check", "--config", config_text]);

    let mut process = Process::start(&config, &data);
    process.until(head, None).await;
    let steps =
        "SELECT kind, legal, finality FROM events WHERE item LIKE '01/%' ORDER BY block_number, log_index";
    let provisional = ["commissioning,true,provisional", "shipping,false,provisional"];
    // The process holds the folder: it is asked.
    assert_lines("events while it runs", &sql(&data, steps), &provisional);
    trade.node.finalize().await;
    process.until(trade.node.head().await, Some(trade.node.finalized().await)).await;
    let while_it_runs = open_cases(data_text);
    assert_eq!(process.terminate().code(), Some(130));
    assert_eq!(open_cases(data_text), while_it_runs, "a named question has one answer, whoever gives it");
    assert!(while_it_runs[0].contains("\ncritical,SQ-03,1,0,0,0,"), "{while_it_runs:?}");
    assert!(
        while_it_runs[1].starts_with("[{\"severity\":\"critical\",\"rule\":\"SQ-03\","),
        "{while_it_runs:?}"
    );
    let is_final = ["commissioning,true,final", "shipping,false,final"];
    assert_lines("events afterwards", &sql(&data, steps), &is_final);
    let alerts = sql(&data, "SELECT rule, severity, standing, item FROM alerts");
    assert_lines("alerts", &alerts, &[format!("SQ-03,critical,standing,01/{}/21/T1", gtin())]);
    let notices = sql(&data, "SELECT kind FROM notices ORDER BY revision");
    assert_lines("notices", &notices, &["opened", "final"]);

    let story = answer(&["pedigree", "--data-dir", data_text, &format!("01/{}/21/T1", gtin()), "--json"]);
    let story: serde_json::Value = serde_json::from_str(&story).expect("JSON");
    assert!(story.to_string().contains("SQ-03"), "the story holds what was flagged: {story}");
}

/// The answer to one named question in every format that is text.
fn open_cases(data_dir: &str) -> [String; 4] {
    let ask =
        |format| answer(&["queries", "open-cases", "-p", "limit=10", "--data-dir", data_dir, "-f", format]);
    ["csv", "json", "ndjson", "table"].map(ask)
}

#[test]
fn what_cannot_be_used_ends_with_its_own_exit_code() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("rxtrail.toml");
    fs::write(&config, "[chains.anvil]\nid = 31337\nendpoint = [\"http://127.0.0.1:1\"]\n").expect("a file");
    let config = config.to_str().expect("text");
    let code = |arguments: &[&str]| {
        let output = rxtrail(arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (wrong, said) = code(&["check", "--offline", "--config", config]);
    assert_eq!(wrong, Some(78), "{said}");
    assert!(said.contains("endpoint") && said.contains("did you mean"), "{said}");
    assert_eq!(code(&["walk"]).0, Some(2));
    let nowhere = dir.path().join("nowhere");
    let (missing, said) = code(&["sql", "--data-dir", nowhere.to_str().expect("text"), "SELECT 1"]);
    assert!(missing.is_some_and(|code| code >= 64), "{missing:?} {said}");
    for (arguments, part) in [
        (&["recal-reach"][..], "did you mean recall-reach?"),
        (&["recall-reach", "--format", "csv", "--describe"], "cannot be used with"),
        (&["recall-reach", "-p", "gtin"], "'gtin' is not NAME=VALUE"),
    ] {
        let (wrong, said) = code(&[&["queries"], arguments].concat());
        assert!(wrong.is_some_and(|code| code == 2 || code == 64) && said.contains(part), "{wrong:?} {said}");
    }
    let listed = rxtrail(&["queries"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("gtin=<gtin> [lot=<text>]"), "{listed:?}");
    let answer = rxtrail(&["rules", "ST-01", "--json"]);
    assert!(answer.status.success());
    assert!(String::from_utf8_lossy(&answer.stdout).contains("double dispense"));
}
