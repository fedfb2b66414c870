//! What the demo says at its end, and where it says to look.

use super::judge::{Count, Verdict};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Cases that are listed by name; more are counted.
const LISTED: usize = 20;

/// The table of the verdict.
pub(super) fn text(verdict: &Verdict) -> String {
    let mut out = String::from("\nrule    planted  found  taken over  missed  false\n");
    let mut total = Count::default();
    for (rule, count) in &verdict.rules {
        row(&mut out, rule, count);
        total = Count {
            planted: total.planted + count.planted,
            found: total.found + count.found,
            taken_over: total.taken_over + count.taken_over,
            missed: total.missed + count.missed,
            falsely: total.falsely + count.falsely,
        };
    }
    row(&mut out, "total", &total);
    let missed = verdict.missed.iter().map(|label| {
        format!("missed: {} {} ({}), block {}", label.rule, label.subject, label.variant, label.block)
    });
    let falsely = verdict.falsely.iter().map(|alert| {
        let (rule, subject, block) = (&alert.rule, &alert.subject, alert.block_number);
        format!("false: {rule} {subject}, block {block}: expected {}; came {}", alert.expected, alert.came)
    });
    list(&mut out, missed);
    list(&mut out, falsely);
    out
}

fn row(out: &mut String, name: &str, count: &Count) {
    let Count { planted, found, taken_over, missed, falsely } = count;
    // Writing to a text cannot fail.
    writeln!(out, "{name:<7} {planted:>7}  {found:>5}  {taken_over:>10}  {missed:>6}  {falsely:>5}").ok();
}

fn list(out: &mut String, lines: impl Iterator<Item = String>) {
    let mut more = 0;
    for (at, line) in lines.enumerate() {
        if at < LISTED {
            out.push_str(&crate::terminal::printable(&line));
            out.push('\n');
        } else {
            more += 1;
        }
    }
    if more > 0 {
        writeln!(out, "… and {more} more").ok();
    }
}

/// When the first alert came.
pub(super) fn first_alert(after: Option<Duration>) -> String {
    match after {
        Some(after) => format!("first alert {:.1} s after the start", after.as_secs_f64()),
        None => "no alert came".to_owned(),
    }
}

/// Where to look while it runs.
pub(super) fn guide(address: SocketAddr, dir: &Path, item: Option<&str>, ends: bool) -> String {
    let dir = dir.display();
    let item = item.unwrap_or("ITEM");
    let end = if ends { "it ends with the chain" } else { "Ctrl-C ends it" };
    format!(
        "\nthe chain's past is read; {end}. Open http://{address}/ in a browser: what was flagged, each pack's story, lots, \
         parties, questions.\nThree things to try in another terminal:\n  \
         rxtrail sql --data-dir {dir} 'SELECT rule, severity, count(*) FROM alerts GROUP BY rule, severity ORDER BY rule'\n  \
         rxtrail pedigree --data-dir {dir} '{item}'\n  \
         curl -s http://{address}/v1/sql -H 'Accept: text/csv' -d 'SELECT item, state, possessor FROM items LIMIT 10'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::judge::judge;
    use super::*;

    #[test]
    fn the_verdict_is_a_table_with_what_went_wrong_below() {
        let label = simulator::Label {
            rule: "ST-01",
            variant: "repeat",
            chain: 1,
            block: 7,
            tx: "0x".into(),
            subject_kind: "item",
            subject: "01/04012345111118/21/A".into(),
            also: &[],
        };
        assert_eq!(
            text(&judge(&[label], &[])),
            "
rule    planted  found  taken over  missed  false
ST-01         1      0           0       1      0
total         1      0           0       1      0
missed: ST-01 01/04012345111118/21/A (repeat), block 7
"
        );
    }
}
