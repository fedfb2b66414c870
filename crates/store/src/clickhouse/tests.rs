//! Stories told to a store on the real engine, over a way that fails; after each the tables are those of the plain
//! model.

#[path = "../../../../tests/src/clickhouse.rs"]
mod server;

use super::{Config, Reader, Snapshot, Store};
use crate::Writer;
use crate::read::digest_of;
use crate::rows::read_alerts;
use crate::testing::state_values;
use crate::testing::steps::{CHAIN, append, draw, draw_query, expected};
use crate::testing::story::{Places, Story};
use crate::testing::{block, commit_effect};
use arrow_array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use model::chain::ChainId;
use model::commit::Effect;
use model::error::ErrorClass;
use model::past::PastStep;
use model::segment::Finality;
use model::tables::Table;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use server::{Fate, Server, Way};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const TABLES: [Table; 6] =
    [Table::Blocks, Table::Events, Table::State, Table::Alerts, Table::Notices, Table::Incidents];

/// A number that names a run: given, else drawn. Printed, so that a failure can be repeated.
fn seed() -> u64 {
    let given = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    println!("clickhouse: RXTRAIL_SEED={seed}");
    seed
}

fn config(url: &str, database: &str) -> Config {
    Config {
        request_timeout: Duration::from_secs(30),
        poll_every: Duration::from_millis(5),
        ..Config::new(url, database)
    }
}

/// Opens the store, however often it takes.
async fn open(config: &Config) -> Store {
    loop {
        match Store::open(config.clone()).await {
            Ok(store) => return store,
            Err(error) => assert_eq!(error.class(), ErrorClass::Transient, "{error}"),
        }
    }
}

async fn flush(store: &mut Store) {
    while let Err(error) = store.flush().await {
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    }
}

/// What was read of a story.
struct Telling<'a> {
    story: &'a Story,
    begin: Places,
}

impl<'a> Telling<'a> {
    fn of(story: &'a Story, store: &Store) -> Self {
        let begin = store.recovered().into_iter().map(|(chain, left)| (chain, left.state_at.sequence.0));
        Self { story, begin: begin.collect() }
    }

    async fn commit(&self, store: &mut Store, index: usize) {
        let commit = self.story.commits[index].clone();
        if commit.position.sequence.0 > self.begin.get(&commit.chain).copied().unwrap_or(0) {
            store.commit(commit).await.unwrap();
        }
    }

    /// What a restart is given is what there was at `state_at`.
    async fn check_restart(&self, store: &Store) {
        let (tables, cases) = (self.story.tables(&self.begin, &self.begin), self.story.cases(&self.begin));
        for (chain, begin) in &self.begin {
            let rows = tables.get(&Table::State).into_iter().flatten().filter(|rows| of_chain(rows, *chain));
            let expected: BTreeMap<_, _> =
                rows.flat_map(state_values).filter(|(_, value)| value.is_some()).collect();
            let came: Vec<_> =
                restored(store, Table::State, *chain).await.iter().flat_map(state_values).collect();
            assert_eq!(came, expected.into_iter().collect::<Vec<_>>(), "state of chain {chain} at {begin}");
            let came = restored(store, Table::Alerts, *chain).await;
            let came: Vec<_> = came.iter().flat_map(|rows| read_alerts(rows).unwrap()).collect();
            let of_it = cases.values().filter(|(alert, _)| alert.chain == *chain).cloned();
            assert_eq!(came, of_it.collect::<Vec<_>>(), "alerts of chain {chain} at {begin}");
            let revisions: Vec<_> = self.story.revisions(*chain, *begin).into_iter().collect();
            assert_eq!(
                sorted(store.revisions(*chain).await.unwrap()),
                revisions,
                "revisions of chain {chain}"
            );
        }
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

async fn restored(store: &Store, table: Table, chain: ChainId) -> Vec<RecordBatch> {
    let batches = store.restore(table, chain).await.unwrap();
    tokio::task::spawn_blocking(move || batches.collect::<crate::Result<_>>()).await.unwrap().unwrap()
}

fn of_chain(rows: &RecordBatch, chain: ChainId) -> bool {
    use arrow_array::cast::AsArray;
    rows.column(0).as_primitive::<arrow_array::types::UInt64Type>().value(0) == chain.0
}

fn memory(table: Table, batches: &[RecordBatch]) -> Arc<dyn TableProvider> {
    Arc::new(MemTable::try_new(table.schema(), vec![batches.to_vec()]).unwrap())
}

/// A snapshot shows what was committed, all of it: rows up to `written_to`, and of the state those up to `state_at`.
async fn check(story: &Story, snapshot: &Snapshot) {
    let places = |place: &dyn Fn(&crate::Head) -> u64| -> Places {
        snapshot.heads().iter().map(|(chain, head)| (*chain, place(head))).collect()
    };
    let (written, state_at) =
        (places(&|head| head.written_to.sequence.0), places(&|head| head.state_at.sequence.0));
    let expected = story.tables(&written, &written);
    let final_ones = story.tables(&state_at, &written);
    for table in TABLES {
        let expected = if table == Table::State { &final_ones } else { &expected };
        same(table, &snapshot.table(table), expected).await;
        if !matches!(table, Table::Alerts) {
            same(table, &snapshot.final_only().table(table), &final_ones).await;
        }
    }
}

async fn same(table: Table, came: &Arc<dyn TableProvider>, expected: &BTreeMap<Table, Vec<RecordBatch>>) {
    let expected = memory(table, expected.get(&table).map(Vec::as_slice).unwrap_or_default());
    if digest_of(table, came.clone()).await.unwrap() != digest_of(table, expected.clone()).await.unwrap() {
        let show = async |rows: &Arc<dyn TableProvider>| {
            let rows = SessionContext::new().read_table(rows.clone()).unwrap().collect().await.unwrap();
            datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
        };
        panic!("{}: came\n{}\nexpected\n{}", table.name(), show(came).await, show(&expected).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_commit_the_tables_are_those_of_the_model_whatever_is_lost_on_the_way() {
    let server = Server::start();
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut fates = StdRng::seed_from_u64(seed + 1);
    let decide = move |_: &str| match fates.random_range(0..40) {
        0 => Fate::Refused,
        1 => Fate::AnswerLost,
        2 => Fate::Late,
        _ => Fate::Answered,
    };
    let way = Way::to(server.url(), Box::new(decide)).await;
    server.forget(&["story"]).await;
    let config = |url| Config { sweep_after: Duration::ZERO, ..config(url, "story") };
    let (config, direct) = (config(way.url()), config(server.url()));
    let story = Story::new(seed, 60);
    let mut store = open(&config).await;
    let mut telling = Telling::of(&story, &store);
    let (mut commits, mut lives) = (0, 1);
    for index in 0..story.commits.len() {
        telling.commit(&mut store, index).await;
        if random.random_ratio(1, 3) {
            flush(&mut store).await;
            commits += 1;
            check(&story, &Reader::open(&direct).await.unwrap().snapshot()).await;
        }
        if random.random_ratio(1, 15) {
            // The process dies with what it had not sent, or in the middle of sending it.
            if random.random_bool(0.5) {
                drop(
                    tokio::time::timeout(Duration::from_millis(random.random_range(0..20)), store.flush())
                        .await,
                );
            }
            store = open(&config).await;
            lives += 1;
            telling = Telling::of(&story, &store);
            way.calm(true);
            telling.check_restart(&store).await;
            way.calm(false);
            for earlier in 0..=index {
                telling.commit(&mut store, earlier).await;
            }
        }
    }
    flush(&mut store).await;
    check(&story, &Reader::open(&direct).await.unwrap().snapshot()).await;
    way.calm(true);
    assert_swept(&mut store, &direct).await;
    check(&story, &Reader::open(&direct).await.unwrap().snapshot()).await;
    println!(
        "clickhouse: {commits} commits, {lives} lives, {} requests or answers lost; the tables are right",
        way.lost()
    );
}

/// Nothing is left that counts for nobody, once the writer was idle for some commits.
async fn assert_swept(store: &mut Store, direct: &Config) {
    let client = super::client::Client::new(direct, Some(&direct.database));
    let mut left = Vec::new();
    for _ in 0..500 {
        while let Err(error) = store.beat().await {
            assert_eq!(error.class(), ErrorClass::Transient, "{error}");
        }
        let moment = super::reader::newest(&client).await.unwrap();
        left.clear();
        for table in Table::ALL {
            let Some(garbage) = moment.garbage(table) else { continue };
            let sql = format!("SELECT count() FROM {} WHERE {garbage}", super::moment::kept(table));
            let (rows,): (u64,) = client.first("count", &sql).await.unwrap().unwrap();
            left.push(rows);
        }
        if moment.dead_for_good().is_empty() && left.iter().all(|rows| *rows == 0) {
            return;
        }
    }
    panic!("garbage is left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_that_of_the_place_that_the_chain_was_read_to() {
    let server = Server::start();
    server.forget(&["past"]).await;
    let config = config(server.url(), "past");
    let random = &mut StdRng::seed_from_u64(seed());
    let mut steps = |blocks: std::ops::RangeInclusive<u64>| -> Vec<PastStep> {
        blocks
            .flat_map(|block| (0..8).map(move |log| (block, log)))
            .map(|(block, log)| draw(random, block, log))
            .collect()
    };
    let (below, taken_back, instead) = (steps(1..=30), steps(31..=32), steps(31..=32));
    let one = |sequence, block, steps: &[PastStep]| append(sequence, block..=block, Finality::Open, steps);
    let history = [
        append(1, 1..=30, Finality::Final, &below),
        one(2, 31, &taken_back),
        one(3, 32, &taken_back),
        commit_effect(CHAIN.0, 4, Effect::Revert { to: block(30, 0) }),
        one(5, 31, &instead),
        one(6, 32, &instead),
    ];
    // What stands after each of them.
    let upto = |steps: &[PastStep], last| -> Vec<PastStep> {
        below.iter().chain(steps.iter().filter(|step| step.position.block <= last)).cloned().collect()
    };
    let stands = [
        upto(&[], 0),
        upto(&taken_back, 31),
        upto(&taken_back, 32),
        upto(&[], 0),
        upto(&instead, 31),
        upto(&instead, 32),
    ];
    let mut store = open(&config).await;
    let mut queries = StdRng::seed_from_u64(1);
    // At first each is asked of before it is committed; then all is committed and read again from the last final block.
    for life in 0..2 {
        for (at, (commit, stand)) in history.iter().zip(&stands).enumerate().skip(life) {
            store.commit(commit.clone()).await.unwrap();
            for _ in 0..6 {
                let query = draw_query(&mut queries);
                let past = store.past(CHAIN, &query).await.unwrap();
                assert_eq!(past.steps, expected(stand, &query), "life {life}, after {at}: {query:?}");
            }
            if life == 0 && at == 2 {
                flush(&mut store).await;
            }
        }
        flush(&mut store).await;
        store = open(&config).await;
    }
}

/// Questions whose conditions the server judges in whole, in part, or not at all.
const QUESTIONS: [&str; 12] = [
    "SELECT count(*) FROM events",
    "SELECT count(*) FROM alerts WHERE item IS NULL",
    "SELECT block_number, log_index, item FROM events WHERE block_number > 3 AND block_number <= 9 AND chain = 1",
    "SELECT token_id, kind FROM events WHERE kind = 'kind-1-2' OR kind = 'kind-2-1' OR item LIKE '%3'",
    "SELECT item FROM events WHERE tx_hash = (SELECT max(tx_hash) FROM events)",
    "SELECT item FROM events WHERE legal AND block_time > '1970-01-01T00:01:00Z' AND reason IS NOT NULL",
    "SELECT item FROM events WHERE lot IN ('lot-1-1', 'lot-1-2', 'it''s', 'a\\b') AND NOT (gtin = 'gtin-1-1')",
    "SELECT case_key, severity, came FROM alerts WHERE severity = 'high' AND chain = 1",
    "SELECT case_key FROM alerts WHERE came <> 'x' AND item IS NULL AND updated_block >= 2",
    "SELECT key, value FROM state WHERE chain = 1 AND updated_block > 2",
    "SELECT count(*) FROM (SELECT 1 FROM events LIMIT 3)",
    "SELECT chain, kind, count(*) FROM notices WHERE revision > 1 GROUP BY chain, kind",
];

#[tokio::test(flavor = "multi_thread")]
async fn questions_have_the_same_answers_whoever_judges_their_conditions() {
    let server = Server::start();
    server.forget(&["questions"]).await;
    let mut store = open(&config(server.url(), "questions")).await;
    let story = Story::new(5, 120);
    let telling = Telling::of(&story, &store);
    for index in 0..story.commits.len() {
        telling.commit(&mut store, index).await;
        if index % 11 == 0 {
            flush(&mut store).await;
        }
    }
    flush(&mut store).await;
    let snapshot = store.reader().snapshot();
    let (server_side, here) = (SessionContext::new(), SessionContext::new());
    for table in TABLES {
        let rows = SessionContext::new().read_table(snapshot.table(table)).unwrap().collect().await.unwrap();
        here.register_table(table.name(), memory(table, &rows)).unwrap();
        server_side.register_table(table.name(), snapshot.table(table)).unwrap();
    }
    for question in QUESTIONS {
        let (came, expected) = (lines(&server_side, question).await, lines(&here, question).await);
        assert_eq!(came, expected, "{question}");
        assert!(!came.is_empty(), "{question} has no answer");
    }
}

async fn lines(context: &SessionContext, sql: &str) -> Vec<String> {
    let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
    let text = datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string();
    sorted(text.lines().map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_taken_over_writes_in_vain_and_finds_out() {
    let server = Server::start();
    server.forget(&["fence"]).await;
    let config = config(server.url(), "fence");
    let story = Story::new(7, 40);
    let mut first = open(&config).await;
    let telling = Telling::of(&story, &first);
    for index in 0..20 {
        telling.commit(&mut first, index).await;
    }
    flush(&mut first).await;
    for index in 20..25 {
        telling.commit(&mut first, index).await;
    }
    let mut second = open(&config).await;
    let reader = Reader::open(&config).await.unwrap();
    let found = reader.snapshot();
    let error = first.flush().await.unwrap_err();
    assert!(matches!(error, crate::Error::Fenced { epoch: 2 }), "{error}");
    assert_eq!(Reader::open(&config).await.unwrap().snapshot().commit(), found.commit(), "it does not count");
    let telling = Telling::of(&story, &second);
    telling.check_restart(&second).await;
    for index in 0..40 {
        telling.commit(&mut second, index).await;
    }
    flush(&mut second).await;
    check(&story, &Reader::open(&config).await.unwrap().snapshot()).await;
    check(&story, &found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_the_server_itself_sees_what_counts_and_nothing_else() {
    let server = Server::start();
    server.forget(&["views"]).await;
    let config = config(server.url(), "views");
    let client = super::client::Client::new(&config, Some("views"));
    let story = Story::new(11, 60);
    let mut store = open(&config).await;
    let telling = Telling::of(&story, &store);
    let shown = async |(table, columns): (Table, &str)| {
        let sql = format!("SELECT concat_ws('|', {columns}) AS row FROM {}", table.name());
        sorted(client.lines::<Shown>("read", &sql).await.unwrap())
            .into_iter()
            .map(|shown| shown.row)
            .collect::<Vec<_>>()
    };
    for asked in SHOWN {
        assert_eq!(shown(asked).await, Vec::<String>::new(), "{asked:?} before the first commit");
    }
    for index in 0..60 {
        telling.commit(&mut store, index).await;
        if index % 3 == 0 {
            flush(&mut store).await;
        }
    }
    flush(&mut store).await;
    let (snapshot, context) = (store.reader().snapshot(), SessionContext::new());
    for (table, columns) in SHOWN {
        context.register_table(table.name(), snapshot.table(table)).unwrap();
        let sql = format!("SELECT concat_ws('|', {columns}) AS row FROM {}", table.name());
        let rows = context.sql(&sql).await.unwrap().collect().await.unwrap();
        let text = |rows: &RecordBatch, row| array_value_to_string(rows.column(0), row).unwrap();
        let rows = rows.iter().flat_map(|rows| (0..rows.num_rows()).map(|row| text(rows, row)));
        let expected = sorted(rows.collect());
        assert!(!expected.is_empty(), "{}", table.name());
        assert_eq!(shown((table, columns)).await, expected, "{}", table.name());
    }
}

/// Columns that a view shows as they are stored.
const SHOWN: [(Table, &str); 5] = [
    (Table::Blocks, "chain, number, log_count"),
    (Table::Events, "chain, block_number, log_index, kind, item, branch"),
    (Table::Alerts, "chain, severity, standing, came, updated_block"),
    (Table::Notices, "chain, stream_sequence, ordinal, revision, kind"),
    (Table::Incidents, "chain, stream_sequence, ordinal, kind, detail"),
];

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Shown {
    row: String,
}

/// The engine of the tests has no users, so that rights cannot be tried here; that it can read them can.
#[tokio::test(flavor = "multi_thread")]
async fn the_statements_for_users_and_rows_are_ones_that_the_server_knows() {
    let server = Server::start();
    let client = super::client::Client::new(&config(server.url(), "default"), None);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/clickhouse");
    let mut statements = 0;
    for file in ["users.sql", "row-policies.sql"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        for statement in lines.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let quoted = super::schema::escaped(statement);
            client.run("read", &format!("SELECT formatQuery('{quoted}') FORMAT Null")).await.unwrap();
            statements += 1;
        }
    }
    assert!(statements > 20, "{statements}");
}
