//! What is said across chains: durable with what it was said of, in files when it is final, told once.

use super::{lines, open};
use crate::parquet::memory_files::{Loss, MemoryFiles};
use crate::testing::{alert, commit_append, commit_effect, notice};
use crate::{Store, Writer};
use model::alert::{Alert, NoticeKind};
use model::chain::{ChainId, LogPosition};
use model::change::Sequence;
use model::commit::{AlertChange, Commit, Effect};
use model::segment::Finality;

const CASES: &str = "select came from alerts order by came";
const NOTICES: &str = "select chain, stream_sequence, revision, kind from notices order by 1, 2";

/// A case that rests on chains 1 and 137.
fn clone(case: u8, came: &str) -> Alert {
    let position = LogPosition { block: 5, log: 6, sub: 0 };
    Alert { evidence: vec![(ChainId(1), position), (ChainId(137), position)], ..alert(case, came) }
}

fn said(sequence: u64, alert: &Alert, (revision, kind): (u32, NoticeKind)) -> Commit {
    let stable = kind == NoticeKind::Final;
    let there = (kind != NoticeKind::Withdrawn).then(|| alert.clone());
    let change = AlertChange { case_key: alert.case_key, alert: there, updated: (5, 6), stable };
    Commit {
        alerts: vec![change],
        notices: vec![notice(alert, revision, kind)],
        ..commit_effect(ChainId::ACROSS.0, sequence, Effect::None)
    }
}

async fn cases(store: &Store) -> Vec<String> {
    lines(&store.reader().snapshot(), CASES).await
}

async fn told(store: &Store) -> (u64, Vec<(String, u32, NoticeKind)>) {
    let (Sequence(sequence), notices) = store.told_across().await.unwrap();
    let told = notices.into_iter().map(|notice| (notice.alert.came, notice.revision, notice.kind));
    (sequence, told.collect())
}

#[tokio::test]
async fn what_is_said_is_durable_at_once_and_no_chain() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    store.commit(commit_append(1, 1, 1..=1, 0, Finality::Open)).await.unwrap();
    store.commit(said(1, &clone(1, "a clone"), (1, NoticeKind::Opened))).await.unwrap();
    assert_eq!(cases(&store).await, ["a clone"]);
    assert_eq!(lines(&store.reader().snapshot(), NOTICES).await, ["0 1 1 opened"]);
    assert_eq!(lines(&store.reader().snapshot().final_only(), CASES).await, [""; 0], "it may still go");
    let chains: Vec<_> = store.reader().snapshot().heads().keys().copied().collect();
    assert_eq!(chains, [ChainId(1)]);
    drop(store);

    let store = open(&files.after_crash(Loss::Everything)).unwrap();
    assert_eq!(told(&store).await, (1, vec![("a clone".to_owned(), 1, NoticeKind::Opened)]));
    assert_eq!(cases(&store).await, [""; 0], "its row comes again with the chains");
    assert_eq!(store.recovered().into_keys().collect::<Vec<_>>(), [ChainId(1)]);
    assert_eq!(store.durable().into_keys().collect::<Vec<_>>(), [ChainId(1)]);
}

#[tokio::test]
async fn what_is_said_of_rows_that_wait_waits_with_them() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    store.commit(commit_append(1, 1, 1..=1, 0, Finality::Final)).await.unwrap();
    store.commit(said(1, &clone(1, "a clone"), (1, NoticeKind::Opened))).await.unwrap();
    let crashed = open(&files.after_crash(Loss::Everything)).unwrap();
    assert_eq!(told(&crashed).await, (0, vec![]));
    assert_eq!(cases(&store).await, [""; 0]);

    store.flush().await.unwrap();
    assert_eq!(cases(&store).await, ["a clone"]);
    let crashed = open(&files.after_crash(Loss::Everything)).unwrap();
    assert_eq!(told(&crashed).await, (1, vec![("a clone".to_owned(), 1, NoticeKind::Opened)]));
}

#[tokio::test]
async fn a_final_case_is_in_files_and_the_last_word_of_each_case_is_found() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    let (one, other) = (clone(1, "one"), clone(2, "other"));
    store.commit(said(1, &one, (1, NoticeKind::Opened))).await.unwrap();
    store.commit(said(2, &other, (1, NoticeKind::Opened))).await.unwrap();
    store.flush().await.unwrap();
    store.commit(said(3, &one, (2, NoticeKind::Final))).await.unwrap();
    store.commit(said(4, &other, (2, NoticeKind::Withdrawn))).await.unwrap();
    let expected = || {
        let word = |came: &str, kind| (came.to_owned(), 2, kind);
        (4, vec![word("one", NoticeKind::Final), word("other", NoticeKind::Withdrawn)])
    };
    let in_log = open(&files.after_crash(Loss::Everything)).unwrap();
    assert_eq!(told(&in_log).await, expected());
    store.flush().await.unwrap();
    drop(store);

    let mut store = open(&files.after_crash(Loss::Everything)).unwrap();
    assert_eq!((told(&store).await, cases(&store).await), (expected(), vec!["one".to_owned()]));
    store.compact().unwrap();
    store.commit(said(5, &other, (3, NoticeKind::Opened))).await.unwrap();
    assert_eq!(cases(&store).await, ["one", "other"]);
    assert_eq!(lines(&store.reader().snapshot(), NOTICES).await.len(), 5);
}
