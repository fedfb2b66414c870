//! One answer in each format.

use super::{Encoder, Format};
use crate::limits::Limits;
use crate::testing::{collect, engine};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::StreamExt as _;

/// Text that an enemy wrote, an amount of 38 digits, a time, a hash, a list and a null.
const SQL: &str = "SELECT n, 'a,\"b\"' || chr(10) || chr(27) || '[2J' AS text, CAST('99999999999999999999999999999999999999' AS DECIMAL(38)) AS amount, \
    to_timestamp_seconds(86400 * n) AS at, hex(arrow_cast('ab', 'Binary')) AS hash, make_array(n, 2) AS list, CAST(NULL AS INT) AS nothing \
    FROM (VALUES (1), (2)) AS t (n) ORDER BY n";

async fn written(format: Format, sql: &str) -> Vec<u8> {
    let engine = engine(5, Limits::default());
    let mut answer = engine.ask(sql).await.unwrap();
    let mut encoder = Encoder::new(format, &answer.schema(), answer.snapshot()).unwrap();
    let mut out = Vec::new();
    while let Some(batch) = answer.next().await {
        out.extend(encoder.batch(&batch.unwrap()).unwrap());
    }
    out.extend(encoder.finish().unwrap());
    out
}

async fn text(format: Format, sql: &str) -> String {
    String::from_utf8(written(format, sql).await).unwrap()
}

#[tokio::test]
async fn csv_quotes_what_needs_it() {
    let row = |n, day| {
        format!(
            "{n},\"a,\"\"b\"\"\n\u{1b}[2J\",99999999999999999999999999999999999999,1970-01-0{day}T00:00:00Z,0x6162,\"[{n}, 2]\",\n"
        )
    };
    let expected = format!("n,text,amount,at,hash,list,nothing\n{}{}", row(1, 2), row(2, 3));
    assert_eq!(text(Format::Csv, SQL).await, expected);
}

#[tokio::test]
async fn json_keeps_every_digit_and_every_column() {
    let found: serde_json::Value = serde_json::from_str(&text(Format::Json, SQL).await).unwrap();
    let row = |n: i64, day: i64| {
        serde_json::json!({"n": n, "text": "a,\"b\"\n\u{1b}[2J", "amount": "99999999999999999999999999999999999999",
            "at": format!("1970-01-0{day}T00:00:00Z"), "hash": "0x6162", "list": [n, 2], "nothing": null})
    };
    assert_eq!(found, serde_json::json!([row(1, 2), row(2, 3)]));
}

#[tokio::test]
async fn ndjson_is_one_object_a_line() {
    let found = text(
        Format::Ndjson,
        "SELECT block_number AS b, finality AS f FROM events WHERE block_number IN (1, 4) ORDER BY 1",
    )
    .await;
    assert_eq!(found, "{\"b\":1,\"f\":\"final\"}\n{\"b\":4,\"f\":\"provisional\"}\n");
}

#[tokio::test]
async fn a_table_shows_control_characters_and_does_not_send_them() {
    let found = text(Format::Table, "SELECT 'x' || chr(27) || '[2J' || chr(8238) AS \"a\u{7}b\"").await;
    let expected = "\
+--------------------+
| a\\u{7}b            |
+--------------------+
| x\\u{1b}[2J\\u{202e} |
+--------------------+
";
    assert_eq!(found, expected);
    assert!(found.chars().all(|char| char == '\n' || !char.is_control()), "{found:?}");
}

#[tokio::test]
async fn parquet_reads_back_and_names_its_snapshot() {
    let bytes = written(Format::Parquet, SQL).await;
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
    let snapshot =
        metadata.iter().find(|pair| pair.key == "rxtrail.snapshot").and_then(|pair| pair.value.clone());
    assert!(snapshot.unwrap().starts_with("commit=7; chain=1 head=4 "));
    let read: Vec<RecordBatch> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    let asked = collect(&engine(5, Limits::default()), SQL).await.unwrap();
    let table = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
    assert_eq!(table(&read), table(&asked));
}

#[tokio::test]
async fn an_answer_without_rows_is_whole_in_every_format() {
    let sql = "SELECT item, rule FROM alerts WHERE false";
    assert_eq!(text(Format::Csv, sql).await, "item,rule\n");
    assert_eq!(text(Format::Json, sql).await, "[]\n");
    assert_eq!(text(Format::Ndjson, sql).await, "");
    assert_eq!(
        text(Format::Table, sql).await,
        "+------+------+\n| item | rule |\n+------+------+\n+------+------+\n"
    );
    let bytes = bytes::Bytes::from(written(Format::Parquet, sql).await);
    assert_eq!(
        ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().metadata().file_metadata().num_rows(),
        0
    );
}

#[tokio::test]
async fn a_table_is_cut_and_says_so() {
    let engine = engine(10_003, Limits::default());
    let mut answer = engine.ask("SELECT block_number FROM events").await.unwrap();
    let mut encoder = Encoder::new(Format::Table, &answer.schema(), answer.snapshot()).unwrap();
    while let Some(batch) = answer.next().await {
        encoder.batch(&batch.unwrap()).unwrap();
    }
    let found = String::from_utf8(encoder.finish().unwrap()).unwrap();
    assert_eq!(found.lines().count(), 10_000 + 4 + 1);
    assert!(found.ends_with("… and 3 more rows: ask for csv, json, ndjson or parquet to see them all\n"));
}
