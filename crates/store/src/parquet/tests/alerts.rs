//! Cases that change, go and come back, in memory and in files.

use super::{lines, open, restored};
use crate::parquet::memory_files::MemoryFiles;
use crate::rows::read_alerts;
use crate::testing::{alert, block, commit_append, commit_effect, notice};
use crate::{Error, Store, Writer};
use model::alert::{Alert, NoticeKind};
use model::commit::{AlertChange, Commit, Effect};
use model::segment::Finality;
use model::tables::Table;

const CASES: &str = "select came from alerts order by came";
const NOTICES: &str = "select stream_sequence, revision, kind from notices order by 1, 2";

fn change(alert: &Alert, is_there: bool) -> AlertChange {
    let (case_key, updated) = (alert.case_key, (alert.position.block, 0));
    AlertChange { case_key, alert: is_there.then(|| alert.clone()), updated, stable: true }
}

/// Block `number` of chain 1, final, with these changes of cases.
fn with_cases(number: u64, alerts: Vec<AlertChange>) -> Commit {
    Commit { alerts, ..commit_append(1, number, number..=number, 0, Finality::Final) }
}

fn told(commit: Commit, alert: &Alert, revision: u32, kind: NoticeKind) -> Commit {
    Commit { notices: vec![notice(alert, revision, kind)], ..commit }
}

async fn cases(store: &Store) -> Vec<String> {
    lines(&store.reader().snapshot(), CASES).await
}

async fn restored_cases(store: &Store) -> Vec<String> {
    let rows = restored(store, Table::Alerts, 1).await;
    rows.iter().flat_map(|rows| read_alerts(rows).unwrap()).map(|(alert, _)| alert.came).collect()
}

#[tokio::test]
async fn a_case_in_files_that_is_no_more_is_seen_by_nobody_until_it_comes_back() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    let (case, other) = (alert(1, "case"), alert(2, "other"));
    store.commit(with_cases(1, vec![change(&case, true), change(&other, true)])).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(cases(&store).await, ["case", "other"]);

    let gone = Commit { alerts: vec![change(&case, false)], ..commit_append(1, 2, 2..=2, 0, Finality::Open) };
    store.commit(gone).await.unwrap();
    assert_eq!(cases(&store).await, ["other"], "hidden by what is in memory");
    assert_eq!(lines(&store.reader().snapshot().final_only(), CASES).await, ["case", "other"]);
    store.commit(commit_effect(1, 3, Effect::Finalize { upto: block(2, 0) })).await.unwrap();
    store.flush().await.unwrap();
    drop(store);

    let mut store = open(&files).unwrap();
    assert_eq!(
        (cases(&store).await, restored_cases(&store).await),
        (vec!["other".into()], vec!["other".to_owned()])
    );
    store.compact().unwrap();
    assert_eq!(
        (cases(&store).await, restored_cases(&store).await),
        (vec!["other".into()], vec!["other".to_owned()])
    );

    let again = Alert { came: "case again".into(), ..case };
    store.commit(commit_effect(1, 3, Effect::Finalize { upto: block(2, 0) })).await.unwrap();
    let again = Commit {
        position: crate::testing::position(4, Some(block(3, 0))),
        ..with_cases(3, vec![change(&again, true)])
    };
    store.commit(again).await.unwrap();
    store.flush().await.unwrap();
    drop(store);
    let store = open(&files).unwrap();
    assert_eq!(restored_cases(&store).await, ["case again", "other"]);
    assert_eq!(cases(&store).await, ["case again", "other"]);
}

#[tokio::test]
async fn notices_of_final_blocks_are_seen_once_they_are_durable_and_those_of_open_blocks_at_once() {
    let mut store = open(&MemoryFiles::default()).unwrap();
    let case = alert(1, "case");
    store.commit(told(with_cases(1, vec![change(&case, true)]), &case, 1, NoticeKind::Opened)).await.unwrap();
    assert_eq!(
        (lines(&store.reader().snapshot(), NOTICES).await, cases(&store).await),
        (Vec::new(), Vec::<String>::new())
    );

    let open_block = commit_append(1, 2, 2..=2, 0, Finality::Open);
    store.commit(told(open_block, &case, 2, NoticeKind::Changed)).await.unwrap();
    assert_eq!(lines(&store.reader().snapshot(), NOTICES).await, ["1 1 opened", "2 2 changed"]);
    assert_eq!(cases(&store).await, ["case"]);
}

#[tokio::test]
async fn a_replay_that_tells_something_else_is_refused_with_both_and_changes_nothing() {
    let files = MemoryFiles::default();
    let case = alert(1, "case");
    let mut store = open(&files).unwrap();
    store
        .commit(told(commit_append(1, 1, 1..=1, 0, Finality::Open), &case, 1, NoticeKind::Opened))
        .await
        .unwrap();
    drop(store);

    let mut store = open(&files).unwrap();
    let other = told(commit_append(1, 1, 1..=1, 0, Finality::Open), &case, 1, NoticeKind::Changed);
    let error = store.commit(other).await.unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, Error::Diverged { .. }) && text.contains("opened") && text.contains("changed"),
        "{text}"
    );
    let silent = commit_append(1, 1, 1..=1, 0, Finality::Open);
    assert!(matches!(store.commit(silent.clone()).await, Err(Error::Diverged { .. })));
    store.commit(told(silent, &case, 1, NoticeKind::Opened)).await.unwrap();
    assert_eq!(lines(&store.reader().snapshot(), NOTICES).await, ["1 1 opened"]);
}
