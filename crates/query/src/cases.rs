//! Cases as people work through them: a page of them by what is asked for, and one with all that belongs to it.

use crate::error::{Error, Result};
use crate::moment::{Moment, Party, list, quoted};
use crate::snapshot::SnapshotName;
use datafusion::arrow::temporal_conversions::timestamp_s_to_datetime;
use model::chain::{ChainId, LogPosition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cases of one page, at most.
const PAGE_MAX: usize = 500;

/// Cases of a page when nobody says.
const PAGE: usize = 50;

/// Members of a case that are listed with it; a storm has a query for all of them.
const MEMBERS: usize = 200;

/// Transitions of a case that are listed with it.
const NOTICES: usize = 500;

/// A case: columns of `alerts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Alert {
    pub case_key: String,
    pub rule: String,
    /// The rule's title, where the rules are known to who answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub severity: String,
    pub standing: String,
    pub subject_kind: String,
    pub subject: String,
    pub item: Option<String>,
    pub chain: u64,
    pub block_number: u64,
    pub log_index: u32,
    pub sub_index: u32,
    pub tx_hash: String,
    pub raised_at: String,
    pub expected: String,
    pub came: String,
    pub accused: Option<String>,
    pub victim: Option<String>,
    pub witness: Option<String>,
    pub root: Option<String>,
    pub members: u64,
    pub members_query: Option<String>,
    pub retroactive: bool,
    pub explained_as: Option<String>,
    pub evidence: String,
    /// `provisional` or `final`; `withdrawn` when the chain took it back.
    pub finality: String,
}

impl Alert {
    /// A case that the chain took back, as people were told of it last.
    fn withdrawn(told: model::alert::Alert) -> Self {
        let place = |(chain, at): &(ChainId, LogPosition)| format!("{chain}:{}/{}", at.block, at.log);
        let raised_at = timestamp_s_to_datetime(told.raised_at_secs);
        Self {
            case_key: format!("{:#x}", told.case_key.0),
            rule: told.rule,
            title: None,
            severity: told.severity.as_str().to_owned(),
            standing: told.standing.as_str().to_owned(),
            subject_kind: told.subject.kind().to_owned(),
            subject: told.subject.to_string(),
            item: told.item,
            chain: told.chain.0,
            block_number: told.position.block,
            log_index: told.position.log,
            sub_index: told.position.sub,
            tx_hash: format!("{:#x}", told.tx_hash),
            raised_at: raised_at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default(),
            expected: told.expected,
            came: told.came,
            accused: told.accused,
            victim: told.victim,
            witness: told.witness,
            root: told.root.map(|root| format!("{:#x}", root.0)),
            members: told.members,
            members_query: told.members_query,
            retroactive: told.retroactive,
            explained_as: told.explained_as.map(|word| word.as_str().to_owned()),
            evidence: told.evidence.iter().map(place).collect::<Vec<_>>().join(" "),
            finality: "withdrawn".to_owned(),
        }
    }

    /// Where the event stands that raised it.
    pub(crate) fn position(&self) -> (u64, u64, u32, u32) {
        (self.chain, self.block_number, self.log_index, self.sub_index)
    }

    /// The addresses that it names.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Option<&str>> {
        let subject = (self.subject_kind != "item").then_some(self.subject.as_str());
        [&self.accused, &self.victim, &self.witness].into_iter().map(Option::as_deref).chain([subject])
    }
}

/// Which cases are asked for. What is not said is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Severities, comma between.
    pub severity: Option<String>,
    /// Codes of rules, comma between.
    pub rule: Option<String>,
    /// Standings, comma between.
    pub standing: Option<String>,
    /// `provisional` or `final`.
    pub finality: Option<String>,
    /// Text within the item, subject, accused or the rule's code.
    pub q: Option<String>,
    /// Also cases that hang under another.
    pub members: Option<bool>,
    /// Cases of the page.
    pub limit: Option<usize>,
    /// The cursor that the page before gave.
    pub after: Option<String>,
}

/// The words that a column of `alerts` has.
const WORDS: [(&str, &[&str]); 3] = [
    ("severity", &["low", "medium", "high", "critical"]),
    ("standing", &["in_grace", "standing", "explained"]),
    ("finality", &["provisional", "final"]),
];

/// A page of cases, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// Who is behind the addresses.
    pub parties: BTreeMap<String, Party>,
    /// The cases.
    pub alerts: Vec<Alert>,
    /// Gives the next page; `None` at the end.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

/// One case with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// Who is behind the addresses.
    pub parties: BTreeMap<String, Party>,
    /// The case as it stands; as people were told of it last when the chain took it back.
    pub alert: Alert,
    /// Cases that hang under it.
    pub members: Vec<Alert>,
    /// Its transitions, oldest first.
    pub notices: Vec<Transition>,
}

/// A transition of a case: columns of `notices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Transition {
    pub chain: u64,
    pub stream_sequence: u64,
    pub revision: u32,
    pub kind: String,
    pub severity: String,
    /// The block of the event that the case rested on when it was told.
    #[serde(default)]
    pub at_block: Option<u64>,
    #[serde(skip_serializing)]
    pub alert: String,
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// The page of cases that `filter` asks for.
///
/// # Errors
/// [`Error::Parameter`] for a word that the column never has, and every error of a question.
pub async fn page(moment: &Moment<'_>, filter: &Filter) -> Result<Page> {
    let limit = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let mut conditions = filter.conditions()?;
    let sql = format!("SELECT count(*) AS n FROM alerts WHERE {}", conditions.join(" AND "));
    let total = moment.first::<Count>(&sql).await?.map_or(0, |count| count.n);
    conditions.extend(filter.after.as_deref().map(beyond).transpose()?);
    let sql = format!(
        "SELECT * FROM alerts WHERE {} ORDER BY raised_at DESC, case_key DESC LIMIT {}",
        conditions.join(" AND "),
        limit + 1
    );
    let mut alerts: Vec<Alert> = moment.rows(&sql).await?;
    let more = crate::moment::cut(&mut alerts, limit);
    let last = alerts.last().filter(|_| more);
    let next = last.map(|alert| format!("{}~{}", alert.raised_at, alert.case_key));
    let parties = moment.parties(alerts.iter().flat_map(Alert::addresses)).await?;
    Ok(Page { snapshot: moment.name(), parties, alerts, next, total })
}

/// One case; `None` when nobody was ever told of it.
///
/// # Errors
/// [`Error::Parameter`] when `key` is no key of a case, and every error of a question.
pub async fn case(moment: &Moment<'_>, key: &str) -> Result<Option<Case>> {
    if !is_key(key) {
        return Err(Error::parameter("case", format!("'{key}' is no key of a case: 0x and 64 hex digits")));
    }
    let key = quoted(&key.to_ascii_lowercase());
    let alert: Option<Alert> = moment.first(&format!("SELECT * FROM alerts WHERE case_key = {key}")).await?;
    let sql = format!(
        "SELECT chain, stream_sequence, revision, kind, severity, alert FROM notices WHERE case_key = {key} \
         ORDER BY revision, chain, stream_sequence LIMIT {NOTICES}"
    );
    let mut notices: Vec<Transition> = moment.rows(&sql).await?;
    let mut told = None;
    for notice in &mut notices {
        told = serde_json::from_str::<model::alert::Alert>(&notice.alert).ok().or(told);
        notice.at_block = told.as_ref().map(|told| told.position.block);
    }
    let Some(alert) = alert.or(told.map(Alert::withdrawn)) else { return Ok(None) };
    let sql = format!("SELECT * FROM alerts WHERE root = {key} ORDER BY raised_at, case_key LIMIT {MEMBERS}");
    let members: Vec<Alert> = moment.rows(&sql).await?;
    let parties = moment.parties(std::iter::once(&alert).chain(&members).flat_map(Alert::addresses)).await?;
    Ok(Some(Case { snapshot: moment.name(), parties, alert, members, notices }))
}

impl Filter {
    fn conditions(&self) -> Result<Vec<String>> {
        let mut conditions = vec!["true".to_owned()];
        for ((column, words), asked) in
            WORDS.into_iter().zip([&self.severity, &self.standing, &self.finality])
        {
            let Some(asked) = asked.as_deref().filter(|asked| !asked.is_empty()) else { continue };
            if let Some(other) = asked.split(',').find(|word| !words.contains(word)) {
                let detail = format!("'{other}' is none of {}", words.join(", "));
                return Err(Error::parameter(column, detail));
            }
            conditions.push(format!("{column} IN ({})", list(asked.split(','))));
        }
        if let Some(rules) = self.rule.as_deref().filter(|rules| !rules.is_empty()) {
            conditions.push(format!("rule IN ({})", list(rules.split(','))));
        }
        if !self.members.unwrap_or(false) {
            conditions.push("root IS NULL".to_owned());
        }
        if let Some(text) = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            let (text, lower, upper) =
                (quoted(text), quoted(&text.to_lowercase()), quoted(&text.to_uppercase()));
            conditions.push(format!(
                "(contains(subject, {text}) OR contains(coalesce(item, ''), {text}) OR contains(coalesce(accused, ''), {lower}) \
                 OR rule = {upper} OR case_key = {lower})"
            ));
        }
        Ok(conditions)
    }
}

/// What lies after a cursor: `<raised_at>~<case_key>`.
fn beyond(cursor: &str) -> Result<String> {
    let bad = || Error::parameter("after", format!("'{cursor}' is no cursor that a page gave"));
    let (time, key) = cursor.split_once('~').ok_or_else(bad)?;
    let is_time =
        time.len() <= 40 && time.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte));
    if !is_time || !is_key(key) {
        return Err(bad());
    }
    let (time, key) = (quoted(time), quoted(key));
    Ok(format!("(raised_at < {time} OR (raised_at = {time} AND case_key < {key}))"))
}

fn is_key(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
