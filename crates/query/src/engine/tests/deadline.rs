//! Queries that would run for hours end when their time is over, and give their threads back.

use crate::limits::Limits;
use crate::testing::{collect, engine, lines};
use std::time::{Duration, Instant};

/// Each looks at 10^10 pairs or more.
const ENDLESS: &[&str] = &[
    "SELECT count(*) FROM events a JOIN events b ON a.block_number + b.block_number < 0",
    "SELECT count(*) FROM events a CROSS JOIN events b WHERE a.block_number + b.block_number < 0",
    "SELECT sum(a.block_number * b.block_number) FROM raw.events a CROSS JOIN raw.events b",
    "SELECT count(*) FROM events a LEFT JOIN events b ON true",
    "SELECT count(*) FROM events a LEFT JOIN events b ON a.block_number + b.block_number < 0",
    "SELECT count(*) FROM events a FULL JOIN events b ON a.block_number + b.block_number < 0",
    "SELECT count(*) FROM events a JOIN events b ON a.chain = b.chain",
    "SELECT count(*) FROM events a JOIN events b ON a.chain = b.chain AND a.block_number + b.block_number < 0",
    "SELECT count(*) FROM events a LEFT JOIN events b ON a.chain = b.chain AND a.block_number + b.block_number < 0",
    "SELECT count(*) FROM events a WHERE EXISTS (SELECT 1 FROM events b WHERE a.block_number + b.block_number < 0)",
    "SELECT count(*) FROM events a WHERE NOT EXISTS (SELECT 1 FROM events b WHERE a.block_number * b.block_number = 7 AND a.item < b.item)",
    "SELECT a.block_number, b.log_index FROM raw.events a, raw.events b ORDER BY a.item || b.item LIMIT 10",
    "SELECT DISTINCT a.block_number * b.block_number FROM raw.events a, raw.events b",
    "SELECT max(a.item || b.item) FROM events a, events b GROUP BY a.block_number % 7",
    "SELECT count(*) FROM events a, events b, events c WHERE a.block_number + b.block_number = c.block_number + 900000",
    "SELECT count(*) FROM (SELECT unnest(make_array(1, 2, 3)) AS n FROM events a, events b) WHERE n > 3",
    "SELECT sum(r) FROM (SELECT row_number() OVER (PARTITION BY a.chain) AS r FROM raw.events a, raw.events b)",
    "SELECT count(*) FROM (SELECT block_number FROM events UNION ALL SELECT a.block_number * b.block_number FROM events a, events b) WHERE block_number % 1000003 = 1000002",
];

/// Beyond its time a query may run for as long as one call into the engine takes.
const LATE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_endless_query_ends_on_time_and_frees_its_threads() {
    let limits = Limits { deadline: Duration::from_millis(500), concurrent: 1, ..Limits::default() };
    let queue_wait = limits.deadline + LATE;
    let engine = engine(120_000, Limits { queue_wait, ..limits });
    for sql in ENDLESS {
        let started = Instant::now();
        let error = collect(&engine, sql).await.expect_err(sql);
        let answered = started.elapsed();
        assert!(matches!(error.code(), "deadline" | "memory"), "{sql}: {error}");
        // There is one place: this waits until the threads of the query above have left it.
        assert_eq!(lines(&engine, "SELECT 1").await, ["1"], "{sql}");
        println!(
            "{:4} ms answered, {:4} ms freed, {}: {sql}",
            answered.as_millis(),
            started.elapsed().as_millis(),
            error.code()
        );
    }
}
