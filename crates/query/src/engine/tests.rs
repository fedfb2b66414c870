//! The engine over a store in memory.

mod deadline;
mod hostile;

use crate::error::Error;
use crate::limits::Limits;
use crate::testing::{collect, engine, lines};
use futures::StreamExt as _;
use std::time::Duration;

#[tokio::test]
async fn a_view_shows_hex_decimals_and_finality() {
    let engine = engine(4, Limits::default());
    let sql = "SELECT block_number, tx_hash, contract, token_id, finality FROM events WHERE block_number >= 2 ORDER BY 1";
    assert_eq!(
        lines(&engine, sql).await,
        [
            format!("2|0x{:064x}|0x{:040x}|2|final", 2, 2),
            format!("3|0x{:064x}|0x{:040x}|3|provisional", 3, 3),
        ]
    );
}

#[tokio::test]
async fn a_raw_table_shows_what_is_stored() {
    let engine = engine(3, Limits::default());
    let sql = "SELECT arrow_typeof(token_id), token_decimal(token_id), hex(contract) = hex(unhex('0x0000000000000000000000000000000000000002')) \
               FROM raw.events WHERE block_number = 2";
    assert_eq!(lines(&engine, sql).await, ["FixedSizeBinary(32)|2|true"]);
}

#[tokio::test]
async fn state_is_not_shown_to_people() {
    let engine = engine(1, Limits::default());
    assert_eq!(collect(&engine, "SELECT * FROM state").await.unwrap_err().code(), "plan");
    assert_eq!(lines(&engine, "SELECT count(*) FROM raw.state").await, ["1"]);
}

#[tokio::test]
async fn shown_text_is_compared_as_stored_bytes() {
    let engine = engine(16, Limits::default());
    for (filter, found) in [
        (format!("tx_hash = '0x{:064x}'", 10), "1"),
        // Pasted in the checksum form of EIP-55.
        (format!("contract = '0x{:0>40}'", "A"), "1"),
        ("token_id = '12'".to_owned(), "1"),
        ("token_id = 12".to_owned(), "1"),
        ("token_id IN ('12', '13', '99')".to_owned(), "2"),
        ("token_id <> '12'".to_owned(), "15"),
        // Not the text that is shown: equal to nothing.
        ("token_id = '012'".to_owned(), "0"),
        ("tx_hash = '0x0a'".to_owned(), "0"),
    ] {
        let sql = format!("SELECT count(*) FROM events WHERE {filter}");
        assert_eq!(lines(&engine, &sql).await, [found], "{filter}");
    }
    let sql =
        format!("EXPLAIN SELECT block_number FROM events WHERE tx_hash = '0x{:064x}' AND token_id = '3'", 10);
    let plan = lines(&engine, &sql).await.join("\n");
    assert!(!plan.contains("hex(") && !plan.contains("token_decimal("), "{plan}");
}

#[tokio::test]
async fn an_answer_names_its_snapshot() {
    let answer = engine(1, Limits::default()).ask("SELECT 1").await.unwrap();
    let hash = format!("0x{:064x}", 9);
    assert_eq!(
        answer.snapshot().to_string(),
        format!("commit=7; chain=1 head=4 ({hash}) finalized=2 ({hash})")
    );
}

#[tokio::test]
async fn the_catalogue_shows_tables_and_hides_settings() {
    let engine = engine(1, Limits::default());
    let shown = lines(&engine, "SHOW TABLES").await;
    assert!(shown.contains(&"rxtrail|public|alerts|VIEW".to_owned()), "{shown:?}");
    assert!(shown.contains(&"rxtrail|raw|state|BASE TABLE".to_owned()), "{shown:?}");
    let columns = lines(&engine, "DESCRIBE alerts").await;
    assert!(columns.contains(&"case_key|Utf8|NO".to_owned()), "{columns:?}");
    let columns = lines(&engine, "SHOW COLUMNS FROM items").await;
    assert!(columns.iter().any(|line| line.contains("|possessor|")), "{columns:?}");
}

#[tokio::test]
async fn rows_beyond_the_limit_are_cut_off_and_the_answer_says_so() {
    for (rows, truncated) in [(100, false), (101, true), (20_000, true)] {
        let engine = engine(rows, Limits { rows: 100, ..Limits::default() });
        let mut answer = engine.ask("SELECT block_number FROM events").await.unwrap();
        let mut count = 0;
        while let Some(batch) = answer.next().await {
            count += batch.unwrap().num_rows();
        }
        assert_eq!((count, answer.truncated()), (100, truncated), "{rows} rows");
    }
}

#[tokio::test]
async fn bytes_beyond_the_limit_are_cut_off() {
    let engine = engine(50_000, Limits { bytes: 200_000, ..Limits::default() });
    let mut answer = engine.ask("SELECT tx_hash FROM events").await.unwrap();
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        rows += batch.unwrap().num_rows();
    }
    // A hash as text is 66 bytes and its offset 4.
    assert!(answer.truncated() && rows > 0 && rows <= 200_000 / 66, "{rows} rows");
}

#[tokio::test]
async fn a_sort_beyond_memory_spills_and_a_hash_table_ends_with_an_error() {
    let small = Limits { memory_bytes: 64 << 20, rows: 1, ..Limits::default() };
    let engine = engine(700_000, small);
    let sorted =
        lines(&engine, "SELECT block_number, tx_hash, topic0, data FROM raw.logs ORDER BY tx_hash DESC")
            .await;
    assert!(sorted[0].starts_with("699999|"), "{sorted:?}");
    let sql = "SELECT array_agg(tx_hash || data) FROM logs GROUP BY block_number % 2";
    assert_eq!(collect(&engine, sql).await.unwrap_err().code(), "memory");
}

#[tokio::test]
async fn a_query_that_nobody_reads_gives_its_place_back() {
    let limits = Limits { concurrent: 1, queue_wait: Duration::from_secs(30), ..Limits::default() };
    let engine = engine(200_000, limits);
    for _ in 0..3 {
        let mut answer = engine.ask("SELECT * FROM raw.events a CROSS JOIN raw.events b").await.unwrap();
        assert!(answer.next().await.is_some());
    }
    assert_eq!(lines(&engine, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn an_answer_whose_engine_goes_away_is_not_taken_for_a_whole() {
    let engine = engine(200_000, Limits::default());
    let mut answer = engine.ask("SELECT * FROM raw.events").await.unwrap();
    drop(engine);
    let mut last = None;
    while let Some(batch) = answer.next().await {
        last = Some(batch);
    }
    assert!(matches!(last, Some(Err(_))), "{last:?}");
}

#[tokio::test]
async fn beyond_the_places_a_query_waits_and_is_then_refused() {
    let limits = Limits { concurrent: 1, queue_wait: Duration::from_millis(50), ..Limits::default() };
    let engine = engine(200_000, limits);
    let held = engine.ask("SELECT * FROM raw.events").await.unwrap();
    let error = engine.ask("SELECT 1").await.unwrap_err();
    assert!(matches!(error, Error::Busy { running: 1, .. }), "{error}");
    drop(held);
}

#[tokio::test]
async fn what_names_nothing_is_said_in_words() {
    let engine = engine(1, Limits::default());
    for (sql, code, part) in [
        ("SELEC 1", "syntax", "Expected"),
        ("SELECT severty FROM alerts", "plan", "severity"),
        ("SELECT * FROM alrts", "plan", "alrts"),
        ("SELECT nosuch(1)", "plan", "nosuch"),
        ("SELECT 1/0", "execution", "zero"),
        ("SELECT CAST('x' AS INT)", "execution", "x"),
    ] {
        let error = collect(&engine, sql).await.unwrap_err();
        assert_eq!(error.code(), code, "{sql}: {error}");
        assert!(error.to_string().to_lowercase().contains(part.to_lowercase().as_str()), "{sql}: {error}");
    }
}

#[tokio::test]
async fn every_end_of_a_question_is_counted() {
    let registry = prometheus::Registry::new();
    let metrics = crate::metrics::Metrics::new(&registry).unwrap();
    let limits = Limits { rows: 10, ..Limits::default() };
    let engine =
        crate::engine::Engine::new(std::sync::Arc::new(crate::testing::Rows(20)), limits, metrics).unwrap();
    for sql in ["SELECT 1", "SELECT * FROM events", "SELECT * FROM nothing", "SELECT 1/0"] {
        collect(&engine, sql).await.ok();
    }
    drop(engine.ask("SELECT 1").await.unwrap());
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "rxtrail_query_total{outcome=\"ok\"} 1",
        "rxtrail_query_total{outcome=\"truncated\"} 1",
        "rxtrail_query_total{outcome=\"plan\"} 1",
        "rxtrail_query_total{outcome=\"execution\"} 1",
        "rxtrail_query_total{outcome=\"cancelled\"} 1",
        "rxtrail_query_running 0",
        "rxtrail_query_rows_total 11",
        "rxtrail_query_seconds_count 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn addresses_in_the_words_of_an_alert_are_shown_as_everywhere() {
    use model::tables::Table;
    let checksummed = "0x52908400098527886E0F7030069857D2E4169EE7";
    let row = serde_json::json!({"subject_kind": "contract", "subject": checksummed, "accused": checksummed, "victim": "4012345000009"});
    let told = crate::testing::Told::default().rows(Table::Alerts, [row]);
    let engine = crate::testing::engine_over(std::sync::Arc::new(told), Limits::default());
    let lower = checksummed.to_lowercase();
    let found = lines(
        &engine,
        &format!("SELECT subject, accused, victim FROM alerts WHERE subject = '{checksummed}'"),
    )
    .await;
    assert_eq!(found, [format!("{lower}|{lower}|4012345000009")]);
}
