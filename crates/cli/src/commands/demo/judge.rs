//! Compares what was planted with what was found.
//!
//! The simulator says what it planted, from intent; the table `alerts` says what stands. A label is *found* by an
//! alert of its rule about its subject, root or hanging; *taken over* when only the root of a higher rule about that
//! subject is left. A root that no label explains is *false*; a storm is explained by its members, where each accuses
//! somebody whose fraud was planted.

use crate::ask;
use crate::error::Result;
use custody::rules::ALL;
use query::engine::Engine;
use serde::Deserialize;
use simulator::Label;
use std::collections::BTreeMap;

/// An alert as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Row {
    pub(super) case_key: String,
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) subject_kind: String,
    pub(super) subject: String,
    pub(super) root: Option<String>,
    pub(super) accused: Option<String>,
    pub(super) block_number: u64,
    pub(super) expected: String,
    pub(super) came: String,
}

/// How one rule did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) planted: u64,
    pub(super) found: u64,
    pub(super) taken_over: u64,
    pub(super) missed: u64,
    pub(super) falsely: u64,
}

/// How all of them did.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) rules: BTreeMap<String, Count>,
    pub(super) missed: Vec<Label>,
    pub(super) falsely: Vec<Row>,
}

impl Verdict {
    /// Was everything found, and nothing else?
    pub(super) fn is_clean(&self) -> bool {
        self.missed.is_empty() && self.falsely.is_empty()
    }
}

/// Every alert that stands, by SQL.
///
/// # Errors
/// What the question fails with.
pub(super) async fn alerts(engine: &Engine) -> Result<Vec<Row>> {
    let sql = "SELECT case_key, rule, severity, subject_kind, subject, root, accused, block_number, expected, came FROM alerts \
               ORDER BY chain, block_number, log_index, sub_index, rule";
    ask::rows(engine, sql).await
}

/// Compares.
pub(super) fn judge(labels: &[Label], alerts: &[Row]) -> Verdict {
    let mut verdict = Verdict::default();
    for label in labels {
        let count = verdict.rules.entry(label.rule.to_owned()).or_default();
        count.planted += 1;
        if alerts.iter().any(|alert| is_about(alert, label) && alert.rule == label.rule) {
            count.found += 1;
        } else if alerts.iter().any(|alert| took_over(alert, label)) {
            count.taken_over += 1;
        } else {
            count.missed += 1;
            verdict.missed.push(label.clone());
        }
    }
    for alert in alerts.iter().filter(|alert| alert.root.is_none()) {
        let explains = |label: &Label| label.rule == alert.rule || label.also.contains(&alert.rule.as_str());
        let planted = labels.iter().any(|label| is_about(alert, label) && explains(label));
        if !planted && !is_storm_of(alert, labels, alerts) {
            verdict.rules.entry(alert.rule.clone()).or_default().falsely += 1;
            verdict.falsely.push(alert.clone());
        }
    }
    verdict
}

/// Is it a storm whose members all accuse somebody whose fraud was planted? Two such may fall into one hour.
fn is_storm_of(storm: &Row, labels: &[Label], alerts: &[Row]) -> bool {
    let planted = |accused: &str| {
        let of_party = labels.iter().filter(|label| label.subject_kind == "party");
        { of_party }.any(|label| label.subject.eq_ignore_ascii_case(accused))
    };
    let mut members = alerts.iter().filter(|alert| alert.root.as_ref() == Some(&storm.case_key)).peekable();
    members.peek().is_some() && members.all(|member| member.accused.as_deref().is_some_and(planted))
}

fn is_about(alert: &Row, label: &Label) -> bool {
    // Addresses have a checksum in their case; other subjects are compared as they are.
    let same = match label.subject_kind {
        "contract" | "party" => alert.subject.eq_ignore_ascii_case(&label.subject),
        _ => alert.subject == label.subject,
    };
    same && alert.subject_kind == label.subject_kind
}

/// Is this the root of a higher rule that the label's alert became?
fn took_over(alert: &Row, label: &Label) -> bool {
    let rank = |code: &str| {
        ALL.iter().map(|rule| rule.card()).find(|card| card.code.0 == code).map(|card| card.rank)
    };
    let is_higher = rank(&alert.rule).zip(rank(label.rule)).is_some_and(|(alert, label)| alert < label);
    is_about(alert, label) && alert.root.is_none() && is_higher
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(rule: &'static str, subject: &str, also: &'static [&'static str]) -> Label {
        let (variant, subject) = ("x", subject.to_owned());
        Label { rule, variant, chain: 1, block: 1, tx: "0x".into(), subject_kind: "item", subject, also }
    }

    fn alert(rule: &str, subject: &str, root: Option<&str>) -> Row {
        Row {
            case_key: format!("{rule} {subject}"),
            rule: rule.into(),
            severity: "high".into(),
            subject_kind: "item".into(),
            subject: subject.into(),
            root: root.map(str::to_owned),
            accused: None,
            block_number: 1,
            expected: "a".into(),
            came: "b".into(),
        }
    }

    #[test]
    fn a_storm_is_explained_where_each_member_accuses_who_was_planted() {
        let labels = [Label { subject_kind: "party", ..label("SP-01", "0xAB", &[]) }];
        let member = |accused: &str| Row {
            accused: Some(accused.into()),
            ..alert("SQ-03", "pack", Some("SY-02 contract"))
        };
        let falsely = |accused: [&str; 2]| {
            let [one, other] = accused.map(member);
            judge(&labels, &[alert("SY-02", "contract", None), one, other]).falsely.len()
        };
        assert_eq!((falsely(["0xab", "0xAB"]), falsely(["0xab", "0xcd"])), (0, 1));
    }

    #[test]
    fn planted_is_found_taken_over_or_missed_and_the_rest_is_false() {
        let labels = [
            label("ST-01", "found", &[]),
            label("ST-01", "hanging", &[]),
            label("ST-01", "higher", &["ST-04"]),
            label("ST-01", "lower", &["SQ-04"]),
            label("ST-01", "nothing", &[]),
        ];
        let alerts = [
            alert("ST-01", "found", None),
            alert("ST-01", "hanging", Some("0x1")),
            alert("ST-04", "higher", None),
            alert("SQ-04", "lower", None),
            alert("SQ-01", "found", Some("0x1")),
            alert("SQ-01", "stranger", None),
            alert("PT-01", "nothing", None),
        ];
        let verdict = judge(&labels, &alerts);
        let count = Count { planted: 5, found: 2, taken_over: 1, missed: 2, falsely: 0 };
        assert_eq!(verdict.rules["ST-01"], count);
        let missed: Vec<_> = verdict.missed.iter().map(|label| label.subject.as_str()).collect();
        assert_eq!(missed, ["lower", "nothing"]);
        let falsely: Vec<_> =
            verdict.falsely.iter().map(|row| (row.rule.as_str(), row.subject.as_str())).collect();
        assert_eq!(falsely, [("SQ-01", "stranger"), ("PT-01", "nothing")]);
        assert!(!verdict.is_clean() && judge(&[], &[]).is_clean());
    }
}
