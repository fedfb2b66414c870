//! Statements that must do nothing.

use crate::limits::Limits;
use crate::testing::{collect, engine};
use std::time::Duration;

/// A statement and the code of the error that it ends with.
const REFUSED: &[(&str, &str)] = &[
    // Writes.
    ("INSERT INTO events SELECT * FROM events", "not-allowed"),
    ("INSERT INTO raw.state VALUES (1)", "not-allowed"),
    ("UPDATE alerts SET severity = 'low'", "not-allowed"),
    ("DELETE FROM alerts", "not-allowed"),
    ("TRUNCATE alerts", "not-allowed"),
    ("MERGE INTO alerts USING events ON true WHEN MATCHED THEN DELETE", "not-allowed"),
    ("WITH x AS (SELECT 1) INSERT INTO alerts SELECT * FROM x", "not-allowed"),
    ("WITH x AS (DELETE FROM alerts RETURNING *) SELECT * FROM x", "not-allowed"),
    ("SELECT * INTO stolen FROM alerts", "not-allowed"),
    ("SELECT * FROM alerts FOR UPDATE", "not-allowed"),
    // Files.
    ("COPY alerts TO '/tmp/alerts.csv'", "not-allowed"),
    ("COPY (SELECT * FROM alerts) TO '/tmp/alerts.parquet' STORED AS PARQUET", "not-allowed"),
    ("COPY alerts FROM '/etc/passwd'", "syntax"),
    ("SELECT * FROM '/etc/passwd'", "plan"),
    ("SELECT * FROM '/etc/passwd.csv'", "plan"),
    ("SELECT * FROM \"file:///etc/passwd\"", "plan"),
    ("SELECT * FROM read_csv('/etc/passwd')", "not-allowed"),
    ("SELECT * FROM read_parquet('/tmp/*.parquet')", "not-allowed"),
    ("SELECT * FROM parquet_metadata('/tmp/x.parquet')", "not-allowed"),
    ("SELECT input_file_name() FROM events", "plan"),
    ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", "not-allowed"),
    ("EXPLAIN COPY alerts TO '/tmp/alerts.csv'", "not-allowed"),
    ("EXPLAIN ANALYZE COPY alerts TO '/tmp/alerts.csv'", "not-allowed"),
    ("LOAD DATA INPATH '/etc/passwd' INTO TABLE x", "syntax"),
    ("EXPORT DATA INTO '/tmp/x'", "syntax"),
    ("UNLOAD (SELECT 1) TO '/tmp/x'", "not-allowed"),
    // Definitions.
    ("CREATE TABLE x AS SELECT * FROM alerts", "not-allowed"),
    ("CREATE TABLE x (a INT)", "not-allowed"),
    ("CREATE VIEW x AS SELECT 1", "not-allowed"),
    ("CREATE OR REPLACE VIEW alerts AS SELECT 1", "not-allowed"),
    ("CREATE SCHEMA x", "not-allowed"),
    ("CREATE DATABASE x", "not-allowed"),
    ("CREATE FUNCTION f(INT) RETURNS INT RETURN $1", "not-allowed"),
    ("CREATE INDEX i ON alerts (rule)", "not-allowed"),
    ("DROP TABLE alerts", "not-allowed"),
    ("DROP VIEW alerts", "not-allowed"),
    ("DROP SCHEMA raw CASCADE", "not-allowed"),
    ("ALTER TABLE alerts ADD COLUMN x INT", "not-allowed"),
    // The session.
    ("SET datafusion.execution.batch_size = 1", "not-allowed"),
    ("SET TIME ZONE 'Asia/Tokyo'", "not-allowed"),
    ("RESET datafusion.execution.batch_size", "not-allowed"),
    ("SHOW ALL", "not-allowed"),
    ("SHOW datafusion.execution.batch_size", "not-allowed"),
    ("SHOW FUNCTIONS", "not-allowed"),
    ("SHOW CREATE TABLE alerts", "not-allowed"),
    ("SELECT * FROM information_schema.df_settings", "not-allowed"),
    ("SELECT * FROM rxtrail.information_schema.df_settings", "not-allowed"),
    ("SELECT * FROM information_schema.\"DF_SETTINGS\"", "not-allowed"),
    ("SELECT * FROM information_schema.routines", "not-allowed"),
    ("WITH t AS (SELECT * FROM information_schema.parameters) SELECT * FROM t", "not-allowed"),
    ("DESCRIBE information_schema.df_settings", "not-allowed"),
    ("PREPARE p AS SELECT 1", "not-allowed"),
    ("EXECUTE p", "not-allowed"),
    ("DEALLOCATE p", "not-allowed"),
    ("BEGIN", "not-allowed"),
    ("COMMIT", "not-allowed"),
    ("CALL x()", "not-allowed"),
    ("USE raw", "not-allowed"),
    ("KILL 1", "not-allowed"),
    ("ANALYZE TABLE alerts", "not-allowed"),
    ("VACUUM", "not-allowed"),
    ("GRANT ALL ON alerts TO PUBLIC", "not-allowed"),
    ("EXPLAIN ANALYZE SELECT 1", "not-allowed"),
    ("EXPLAIN (ANALYZE) SELECT 1", "not-allowed"),
    ("EXPLAIN INSERT INTO alerts SELECT * FROM alerts", "not-allowed"),
    ("EXPLAIN EXPLAIN SELECT 1", "not-allowed"),
    // More than one.
    ("SELECT 1; SELECT 2", "syntax"),
    ("SELECT 1; DROP TABLE alerts", "syntax"),
    ("", "syntax"),
    (";;", "syntax"),
    ("-- nothing", "syntax"),
    ("/* SELECT 1", "syntax"),
    // Much out of little.
    ("SELECT * FROM generate_series(1, 1000000000000)", "not-allowed"),
    ("SELECT * FROM range(0, 1000000000000)", "not-allowed"),
    ("SELECT generate_series(1, 2000000000)", "plan"),
    ("SELECT range(2000000000)", "plan"),
    ("SELECT repeat('x', 2000000000)", "plan"),
    ("SELECT lpad('x', 2000000000)", "plan"),
    ("SELECT rpad('x', 2000000000, 'y')", "plan"),
    ("SELECT array_repeat(1, 2000000000)", "plan"),
    ("SELECT list_repeat(1, 2000000000)", "plan"),
    ("SELECT array_resize(make_array(1), 2000000000)", "plan"),
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "not-allowed",
    ),
    (
        "WITH RECURSIVE t AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
        "not-allowed",
    ),
    ("SELECT array_agg(item) OVER (ORDER BY block_number) FROM events", "not-allowed"),
    ("SELECT string_agg(item, ',') OVER (ORDER BY block_number) FROM events", "not-allowed"),
    ("SELECT median(block_number) OVER (ORDER BY block_number) FROM events", "not-allowed"),
    ("SELECT regexp_like(item, item) FROM events", "not-allowed"),
    ("SELECT item ~ detail FROM events", "not-allowed"),
    ("SELECT regexp_replace(item, concat(item, '{1000}'), '') FROM events", "not-allowed"),
    (
        "SELECT item FROM events GROUP BY CUBE (item, gtin, lot, kind, place, actor, sender, branch)",
        "too-complex",
    ),
    (
        "SELECT 1 FROM events GROUP BY CUBE (item, gtin), CUBE (lot, kind), CUBE (place, actor, sender)",
        "too-complex",
    ),
    ("SELECT * FROM events TABLESAMPLE (10 PERCENT) REPEATABLE (1) MATCH_RECOGNIZE (PATTERN (a))", "syntax"),
    ("FROM events |> SELECT item", "not-allowed"),
    ("SELECT * FROM events SETTINGS max_threads = 1000", "not-allowed"),
];

fn chain_of_ctes(levels: usize, first: &str, next: impl Fn(usize) -> String) -> String {
    let ctes = (1..=levels).map(|level| format!("c{level} AS ({})", next(level - 1)));
    let ctes = std::iter::once(format!("c0 AS ({first})")).chain(ctes).collect::<Vec<_>>().join(", ");
    format!("WITH {ctes} SELECT * FROM c{levels} WHERE x <> ''")
}

/// Statements that are too long to write down.
fn bombs() -> Vec<(String, &'static str)> {
    let double = |level: usize| format!("SELECT x || x AS x FROM c{level}");
    let renamed = |level: usize| format!("SELECT y || y AS x FROM c{level} AS t (y)");
    let quoted = |level: usize| format!("SELECT \"X\" || \"X\" AS \"X\", '' AS x FROM c{level}");
    let joined = |level: usize| format!("SELECT a.x FROM c{level} a, c{level} b");
    let unioned = |level: usize| format!("SELECT x FROM c{level} UNION ALL SELECT x FROM c{level}");
    let subquery =
        |level: usize| format!("SELECT (SELECT max(x) FROM c{level}) || (SELECT min(x) FROM c{level}) AS x");
    let nested = |open: &str, close: &str, depth: usize| {
        format!("SELECT {}item{} FROM events", open.repeat(depth), close.repeat(depth))
    };
    vec![
        (chain_of_ctes(40, "SELECT item AS x FROM events", double), "too-complex"),
        (chain_of_ctes(40, "SELECT item AS x FROM events", renamed), "too-complex"),
        (chain_of_ctes(40, "SELECT item AS \"X\", item AS x FROM events", quoted), "too-complex"),
        (chain_of_ctes(40, "SELECT item AS x FROM events", joined), "too-complex"),
        (chain_of_ctes(40, "SELECT item AS x FROM events", unioned), "too-complex"),
        (chain_of_ctes(40, "SELECT item AS x FROM events", subquery), "too-complex"),
        (nested("encode(", ", 'hex')", 30), "too-complex"),
        (nested("replace(", ", '0', '00000000000000000000000000000000')", 5), "too-complex"),
        (nested("(", ")", 5000), "syntax"),
        (nested("NOT ", "", 15_000), "syntax"),
        (nested("-", "", 30_000), "syntax"),
        (format!("SELECT {}1", "1+".repeat(30_000)), "too-complex"),
        (format!("SELECT * FROM events WHERE {}true", "chain=1 OR ".repeat(5000)), "too-complex"),
        (format!("SELECT {}1 AS x", "1 UNION SELECT ".repeat(4000)), "too-complex"),
        (format!("SELECT 1 FROM events{}", ", events".repeat(200)), "too-complex"),
        (format!("SELECT '{}'", "x".repeat(70_000)), "too-complex"),
        (format!("SELECT * FROM {}events{}", "(SELECT * FROM ".repeat(2000), ")".repeat(2000)), "syntax"),
        (
            format!("SELECT {} FROM events", "item || ".repeat(200) + "item")
                .replace("item", "repeat(item, 100000)"),
            "plan",
        ),
    ]
}

#[tokio::test]
async fn a_hostile_statement_is_refused() {
    let limits = Limits { deadline: Duration::from_secs(20), ..Limits::default() };
    let engine = engine(100, limits);
    let mut wrong = Vec::new();
    let written = REFUSED.iter().map(|(sql, code)| ((*sql).to_owned(), *code));
    for (sql, code) in written.chain(bombs()) {
        let found = match collect(&engine, &sql).await {
            Ok(_) => "an answer".to_owned(),
            Err(error) if error.code() == code => continue,
            Err(error) => format!("{}: {error}", error.code()),
        };
        wrong.push(format!("{} … expected {code}, came {found}", sql.chars().take(120).collect::<String>()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What people ask must pass all the same.
#[tokio::test]
async fn honest_statements_are_answered() {
    let engine = engine(100, Limits::default());
    for sql in [
        "SELECT rule, severity, count(*) FROM alerts WHERE root IS NULL GROUP BY rule, severity ORDER BY 3 DESC",
        "WITH d AS (SELECT item, count(*) AS n FROM events WHERE kind = 'dispensing' GROUP BY item) SELECT * FROM d WHERE n > 1",
        "SELECT e.item, a.rule FROM events e JOIN alerts a ON a.item = e.item AND a.chain = e.chain LEFT JOIN items i ON i.item = e.item",
        "SELECT date_trunc('day', block_time), count(*) FROM events GROUP BY 1 ORDER BY 1",
        "SELECT item, lag(kind) OVER (PARTITION BY item ORDER BY block_number, log_index) FROM events",
        "SELECT rule, string_agg(item, ', ' ORDER BY item) FROM alerts GROUP BY rule",
        "SELECT * FROM items WHERE item ~ '^01/0401' OR gtin LIKE '0401%'",
        "SELECT legal, count(DISTINCT item) FROM events GROUP BY ROLLUP (legal)",
        "SELECT regexp_replace(item, '^01/', '') FROM items",
        "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, s)",
        "EXPLAIN SELECT * FROM alerts",
        "EXPLAIN VERBOSE SELECT * FROM alerts",
        "SELECT item FROM events INTERSECT SELECT item FROM items EXCEPT SELECT item FROM alerts",
        "SELECT (SELECT max(number) FROM blocks) - block_number AS age FROM alerts",
        "SELECT * FROM containment c WHERE EXISTS (SELECT 1 FROM alerts a WHERE a.item = c.child)",
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'",
    ] {
        if let Err(error) = collect(&engine, sql).await {
            panic!("{sql}: {}: {error}", error.code());
        }
    }
}
