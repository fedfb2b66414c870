//! Stories told to a store, with flushes, merges and restarts between the commits; after each the tables are
//! those of the plain model.

use super::super::memory_files::MemoryFiles;
use super::{config, open, restored};
use crate::read::{Snapshot, digest_of};
use crate::rows::read_alerts;
use crate::testing::state_values;
use crate::testing::story::{Places, Story};
use crate::{Error, Result, Store, Writer};
use arrow_array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionContext, col};
use model::B256;
use model::chain::ChainId;
use model::change::Position;
use model::tables::Table;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const TABLES: [Table; 6] =
    [Table::Blocks, Table::Events, Table::State, Table::Alerts, Table::Notices, Table::Incidents];

/// How a telling ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The whole story was told, and the tables are right.
    Told,
    /// The disk crashed.
    Crashed,
    /// The store is wrong.
    Failed(String),
}

/// What a store has said is durable: of each chain `state_at` and `written_to`.
pub(super) type Promises = BTreeMap<ChainId, (u64, u64)>;

/// Tells a story to a store that is opened in `files`, from where each chain was left, and looks at the tables at
/// the beginning and at the end, and at what earlier lives of the store have promised.
pub(super) fn tell(story: &Story, files: &MemoryFiles, promises: &mut Promises) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let told = runtime.block_on(async {
        let mut store = open(files)?;
        let mut telling = Telling::new(story, &store);
        let left =
            made(store.recovered().into_iter().map(|(chain, left)| (chain, left.state_at, left.written_to)));
        for (chain, promised) in promises.iter() {
            let left = left.get(chain).copied().unwrap_or_default();
            let kept = left.0 >= promised.0 && left.1 >= promised.1;
            same(&format!("chain {chain} was left at {left:?}, promised was {promised:?}"), &kept, &true)?;
        }
        telling.check_restart(&store).await?;
        for (index, _) in story.commits.iter().enumerate() {
            telling.commit(&mut store, index).await?;
            if index % 13 == 0 {
                store.flush().await?;
            }
            if index % 29 == 0 {
                store.compact()?;
            }
            let snapshot = store.reader().snapshot();
            let heads = snapshot.heads().iter();
            *promises = made(heads.map(|(chain, head)| (*chain, store.durable()[chain], head.written_to)));
        }
        store.flush().await?;
        telling.check_tables(&store.reader().snapshot()).await
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    match told {
        Ok(()) => Outcome::Told,
        Err(error) if error.to_string().contains("the machine has crashed") => Outcome::Crashed,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn made(places: impl Iterator<Item = (ChainId, Position, Position)>) -> Promises {
    places
        .map(|(chain, state_at, written_to)| (chain, (state_at.sequence.0, written_to.sequence.0)))
        .collect()
}

/// A telling of a story.
struct Telling<'a> {
    story: &'a Story,
    /// Where each chain was left when the store was opened.
    begin: Places,
    read: Places,
}

impl<'a> Telling<'a> {
    fn new(story: &'a Story, store: &Store) -> Self {
        let begin = store.recovered().into_iter().map(|(chain, left)| (chain, left.state_at.sequence.0));
        let begin: Places = begin.collect();
        Self { story, read: begin.clone(), begin }
    }

    async fn commit(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let commit = self.story.commits[index].clone();
        let (chain, sequence) = (commit.chain, commit.position.sequence.0);
        if sequence > self.begin.get(&chain).copied().unwrap_or(0) {
            store.commit(commit).await?;
            self.read.insert(chain, sequence);
        }
        Ok(())
    }

    /// Reads again what was read before, and looks at the tables on the way.
    async fn catch_up(&mut self, store: &mut Store, upto: usize) -> Result<()> {
        for index in 0..=upto {
            self.commit(store, index).await?;
            if index % 3 == 0 {
                self.check_tables(&store.reader().snapshot()).await?;
            }
        }
        Ok(())
    }

    /// What a restart is given is what there was at `state_at`.
    async fn check_restart(&self, store: &Store) -> Result<()> {
        let tables = self.story.tables(&self.begin, &self.begin);
        let cases = self.story.cases(&self.begin);
        for (chain, begin) in &self.begin {
            let state: BTreeMap<_, _> = tables[&Table::State]
                .iter()
                .filter(|row| of_chain(row, *chain))
                .flat_map(state_values)
                .filter_map(|(key, value)| Some((key, value?)))
                .collect();
            let came: Vec<_> =
                restored(store, Table::State, chain.0).await.iter().flat_map(state_values).collect();
            let expected: Vec<_> = state.into_iter().map(|(key, value)| (key, Some(value))).collect();
            same(&format!("state of chain {chain} at {begin}"), &came, &expected)?;
            let came = restored(store, Table::Alerts, chain.0).await;
            let came: Vec<_> = came.iter().flat_map(|rows| read_alerts(rows).unwrap()).collect();
            let expected: Vec<_> =
                cases.values().filter(|(alert, _)| alert.chain == *chain).cloned().collect();
            same(&format!("alerts of chain {chain} at {begin}"), &came, &expected)?;
            let revisions: Vec<_> = self.story.revisions(*chain, *begin).into_iter().collect();
            same(
                &format!("revisions of chain {chain} at {begin}"),
                &store.revisions(*chain).await?,
                &revisions,
            )?;
        }
        Ok(())
    }

    /// A snapshot shows what is durable, all of it.
    async fn check_tables(&self, snapshot: &Snapshot) -> Result<()> {
        let (mut seen, mut told) = (Places::new(), Places::new());
        for (chain, head) in snapshot.heads() {
            let read = self.read.get(chain).copied().unwrap_or(0);
            told.insert(*chain, head.written_to.sequence.0);
            seen.insert(*chain, read.min(head.written_to.sequence.0));
        }
        let expected = self.story.tables(&seen, &told);
        for table in TABLES {
            let batches = expected.get(&table).cloned().unwrap_or_default();
            if digest(table, snapshot.table(table)).await? != digest(table, memory(table, &batches)).await? {
                let came = super::rows(snapshot, &format!("select * from {}", table.name())).await;
                let show = |batches: &[_]| {
                    datafusion::arrow::util::pretty::pretty_format_batches(batches).unwrap().to_string()
                };
                return Err(Error::Closed(format!(
                    "{} at {}: came\n{}\nexpected\n{}",
                    table.name(),
                    snapshot.name(),
                    show(&came),
                    show(&batches)
                )));
            }
        }
        Ok(())
    }
}

fn memory(table: Table, batches: &[RecordBatch]) -> Arc<dyn TableProvider> {
    Arc::new(MemTable::try_new(table.schema(), vec![batches.to_vec()]).unwrap())
}

/// The digest of a table. An entry of the state that was removed may be there as such or not at all: it means the
/// same, so that it is left out.
async fn digest(table: Table, rows: Arc<dyn TableProvider>) -> Result<B256> {
    if table != Table::State {
        return digest_of(table, rows).await;
    }
    let rows = SessionContext::new().read_table(rows)?.filter(col("value").is_not_null())?.collect().await?;
    digest_of(table, memory(table, &rows)).await
}

fn of_chain(rows: &RecordBatch, chain: ChainId) -> bool {
    use arrow_array::cast::AsArray;
    use arrow_array::types::UInt64Type;
    rows.column(0).as_primitive::<UInt64Type>().value(0) == chain.0
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, came: &T, expected: &T) -> Result<()> {
    if came == expected {
        Ok(())
    } else {
        Err(Error::Closed(format!("{what}: came {came:?}, expected {expected:?}")))
    }
}

#[tokio::test]
async fn after_every_commit_the_tables_are_those_of_the_model() {
    for seed in 0..6 {
        let story = Story::new(seed, 80);
        let files = MemoryFiles::default();
        let mut store = Store::open_in(config(), Arc::new(files.clone())).unwrap();
        let mut telling = Telling::new(&story, &store);
        for index in 0..story.commits.len() {
            telling.commit(&mut store, index).await.unwrap();
            telling
                .check_tables(&store.reader().snapshot())
                .await
                .unwrap_or_else(|error| panic!("seed {seed}, {index}: {error}"));
            match (seed as usize * 5 + index) % 23 {
                3 => store.flush().await.unwrap(),
                7 => drop(store.compact().unwrap()),
                11 => {
                    // A restart: everything after `state_at` is read again.
                    drop(store);
                    store = open(&files).unwrap();
                    telling = Telling::new(&story, &store);
                    telling.check_restart(&store).await.unwrap();
                    telling.catch_up(&mut store, index).await.unwrap();
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_fresh_store_and_one_that_was_merged_and_restarted_have_the_same_digests() {
    let story = Story::new(77, 120);
    let (fresh, worn) = (MemoryFiles::default(), MemoryFiles::default());
    let mut store =
        Store::open_in(super::Config { flush_rows: 100_000, ..config() }, Arc::new(fresh)).unwrap();
    let mut telling = Telling::new(&story, &store);
    for index in 0..story.commits.len() {
        telling.commit(&mut store, index).await.unwrap();
    }
    store.flush().await.unwrap();
    for end in [20, 50, 90, 120] {
        let mut store = open(&worn).unwrap();
        let mut telling = Telling::new(&story, &store);
        for index in 0..end {
            telling.commit(&mut store, index).await.unwrap();
        }
        store.flush().await.unwrap();
        store.compact().unwrap();
    }
    let mut worn = open(&worn).unwrap();
    let mut telling = Telling::new(&story, &worn);
    for index in 0..story.commits.len() {
        telling.commit(&mut worn, index).await.unwrap();
    }
    for table in TABLES {
        let [a, b] =
            [store.reader().snapshot(), worn.reader().snapshot()].map(|snapshot| snapshot.table(table));
        assert_eq!(digest(table, a).await.unwrap(), digest(table, b).await.unwrap(), "{}", table.name());
    }
}
