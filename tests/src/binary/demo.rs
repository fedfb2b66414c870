//! The demonstration over seeds that nobody has seen: every planted fraud found, nothing honest accused.

use super::process::{rounds, rxtrail, seed};

/// Seeds in every run: some three seconds each.
const SEEDS: u64 = 20;

#[test]
fn whatever_the_seed_the_demo_finds_what_was_planted_and_nothing_else() {
    let (first, count) = (seed("demo"), rounds("RXTRAIL_DEMO_SEEDS", SEEDS));
    let mut failed = Vec::new();
    let mut planted = 0;
    for seed in first..first + count {
        let output = rxtrail(&["demo", "--exit", "--seed", &seed.to_string()]);
        let (text, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let total = text.lines().rev().find(|line| line.starts_with("total"));
        let figures: Vec<u64> = total
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .map_while(|figure| figure.parse().ok())
            .collect();
        match figures.as_slice() {
            [here, found, taken_over, 0, 0] if output.status.success() && here == &(found + taken_over) => {
                planted += here
            }
            _ => failed.push(format!("seed {seed}: {}\n{text}{log}", output.status)),
        }
    }
    println!("demo: seeds {first}..{}, {planted} frauds planted, all found, none false", first + count);
    // 14 rules, each at least three times.
    assert!(failed.is_empty() && planted >= count * 42, "{}", failed.join("\n"));
}
