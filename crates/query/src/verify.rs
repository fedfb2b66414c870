//! Is this pack what it claims to be? The trade's most frequent question, answered from the tables.
//!
//! The answer has the codes of GS1's Lightweight Messaging Standard for Verification of Product Identifiers 1.3, so
//! that a verification router understands it, and reasons in words for people. It never calls a pack false: what
//! contradicts the chain is a potential suspect falsification.

use crate::cases::Alert;
use crate::error::{Error, Result};
use crate::item::{self, Lot, Product};
use crate::moment::{Moment, Party, quoted};
use crate::pedigree::ItemRow;
use crate::snapshot::SnapshotName;
use model::gs1::{Gs1Error, Gtin, Text};
use model::item::ItemKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Open cases that an answer lists.
const ALERTS: usize = 50;

/// What is printed on a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// GTIN of 8, 12, 13 or 14 digits.
    pub gtin: String,
    /// The serial.
    pub serial: String,
    /// The lot, where it was read.
    pub lot: Option<String>,
    /// The last day of use, `YYYY-MM-DD`, where it was read.
    pub expiry: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The moment that it is made of.
    pub snapshot: SnapshotName,
    /// The time of the newest block: what has expired is judged by it.
    pub as_of: Option<String>,
    /// Who is behind the addresses.
    pub parties: BTreeMap<String, Party>,
    /// Key of the item.
    pub item: String,
    /// In one word.
    pub verdict: Verdict,
    /// Does the pack fit what the chain says, and may it go on?
    pub verified: bool,
    /// Why not, in the standard's codes.
    pub verification_failure_reason: Option<&'static str>,
    /// What else is known, in the standard's codes.
    pub additional_info: BTreeSet<&'static str>,
    /// The same in words.
    pub reasons: Vec<Reason>,
    /// The item as it stands, on each chain that knows it.
    pub now: Vec<ItemRow>,
    /// Open cases about it.
    pub alerts: Vec<Alert>,
    /// Its product, as the registry says.
    pub product: Option<Product>,
    /// Its lot, as the registry says.
    pub lot: Option<Lot>,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It fits, and may go on.
    Verified,
    /// Something contradicts what the chain says: a potential suspect falsification.
    Suspect,
    /// It fits, and may not go on: recalled, expired, dispensed, withdrawn.
    NotVerified,
    /// No contract that is believed ever spoke of it.
    Unknown,
}

/// Why an answer is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stays the same between versions.
    pub code: &'static str,
    /// For people.
    pub text: String,
}

/// What is known of a pack.
#[derive(Debug, Clone, Default)]
struct Known {
    now: Vec<ItemRow>,
    recalls: Vec<String>,
    alerts: Vec<Alert>,
    lot: Option<Lot>,
    today: Option<String>,
}

/// What follows from what is known.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    verdict: Verdict,
    failure: Option<&'static str>,
    info: BTreeSet<&'static str>,
    reasons: Vec<Reason>,
}

/// Answers a claim.
///
/// # Errors
/// [`Error::Parameter`] when the claim is not well formed, and every error of a question.
pub async fn verify(moment: &Moment<'_>, claim: &Claim) -> Result<Answer> {
    let (gtin, serial) = identifier(claim)?;
    if let Some(expiry) = claim.expiry.as_deref().filter(|expiry| !is_day(expiry)) {
        return Err(Error::parameter("expiry", format!("'{expiry}' is no day: write YYYY-MM-DD")));
    }
    let item = ItemKey::Sgtin(gtin, serial).to_string();
    let (known, as_of) = known(moment, (gtin, serial), &item).await?;
    let Judged { verdict, failure, info, reasons } = judge(claim, &known);
    let held = known
        .now
        .iter()
        .flat_map(|now| [now.possessor.as_deref(), now.owner.as_deref(), now.maker.as_deref()]);
    let parties = moment.parties(held.chain(known.alerts.iter().flat_map(Alert::addresses))).await?;
    Ok(Answer {
        snapshot: moment.name(),
        as_of,
        parties,
        item,
        verdict,
        verified: verdict == Verdict::Verified,
        verification_failure_reason: failure,
        additional_info: info,
        reasons,
        now: known.now,
        alerts: known.alerts,
        product: item::product(moment, &gtin.to_string()).await?,
        lot: known.lot,
    })
}

fn identifier(claim: &Claim) -> Result<(Gtin, Text)> {
    let digits = claim.gtin.trim();
    if !matches!(digits.len(), 8 | 12 | 13 | 14) {
        return Err(Error::parameter(
            "gtin",
            format!("'{digits}' has {} digits, not 8, 12, 13 or 14", digits.len()),
        ));
    }
    let wrong = |name: &'static str| move |error: Gs1Error| Error::parameter(name, error.to_string());
    let gtin = format!("{digits:0>14}").parse().map_err(wrong("gtin"))?;
    let serial = claim.serial.trim().parse().map_err(wrong("serial"))?;
    Ok((gtin, serial))
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts[..], [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Newest {
    time: Option<String>,
}

async fn known(
    moment: &Moment<'_>,
    (gtin, serial): (Gtin, Text),
    item: &str,
) -> Result<(Known, Option<String>)> {
    let key = quoted(item);
    let now: Vec<ItemRow> =
        moment.rows(&format!("SELECT * FROM items WHERE item = {key} ORDER BY chain")).await?;
    let newest: Option<Newest> = moment.first("SELECT max(time) AS time FROM blocks").await?;
    let as_of = newest.and_then(|newest| newest.time);
    let alerts: Vec<Alert> = moment
        .rows(&format!(
            "SELECT * FROM alerts WHERE (item = {key} OR (subject_kind = 'item' AND subject = {key})) \
             AND standing <> 'explained' ORDER BY raised_at, case_key LIMIT {ALERTS}"
        ))
        .await?;
    let gtin_text = gtin.to_string();
    let lot_name = now.iter().find_map(|now| now.lot.clone());
    let lot = match &lot_name {
        Some(lot) => item::lot(moment, &gtin_text, lot).await?,
        None => None,
    };
    let recalls = match &as_of {
        Some(at) => recalls(moment, (&gtin_text, lot_name.as_deref(), serial.as_str()), at).await?,
        None => Vec::new(),
    };
    let today = as_of.as_deref().and_then(|time| time.get(..10)).map(str::to_owned);
    Ok((Known { now, recalls, alerts, lot, today }, as_of))
}

/// Unresolved recalls that are in effect and cover the pack: its product, lot and serial.
async fn recalls(
    moment: &Moment<'_>,
    (gtin, lot, serial): (&str, Option<&str>, &str),
    at: &str,
) -> Result<Vec<String>> {
    let (gtin, serial, at) = (quoted(gtin), quoted(serial), quoted(at));
    let lot =
        lot.map_or_else(|| "lot IS NULL".to_owned(), |lot| format!("(lot IS NULL OR lot = {})", quoted(lot)));
    let sql = format!(
        "SELECT DISTINCT id FROM registry_recalls WHERE gtin = {gtin} AND {lot} AND to_block IS NULL \
         AND (serial_from IS NULL OR serial_from <= {serial}) AND (serial_to IS NULL OR serial_to >= {serial}) \
         AND effective_at <= {at} AND (resolved_at IS NULL OR resolved_at > {at}) ORDER BY id LIMIT {ALERTS}"
    );
    let rows: Vec<Id> = moment.rows(&sql).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// States in which a pack may go on. Whatever is not listed may not.
const ACTIVE: [&str; 4] = ["active", "in_transit", "packed", "partially_dispensed"];

fn judge(claim: &Claim, known: &Known) -> Judged {
    let mut judged =
        Judged { verdict: Verdict::Verified, failure: None, info: BTreeSet::new(), reasons: Vec::new() };
    // What only contracts spoke of that nobody believes stands as unknown.
    if known.now.iter().all(|now| now.state == "unknown") {
        judged.verdict = Verdict::Unknown;
        judged.failure = Some("No_match_GTIN_Serial");
        judged.because(
            "unknown_serial",
            "no contract that is believed ever spoke of this serial of this product".to_owned(),
        );
        return judged;
    }
    judged.compare(claim, known);
    judged.look_at_cases(known);
    judged.may_go_on(known);
    judged
}

impl Judged {
    fn because(&mut self, code: &'static str, text: String) {
        self.reasons.push(Reason { code, text });
    }

    /// What is printed beside what was commissioned.
    fn compare(&mut self, claim: &Claim, known: &Known) {
        let lots: Vec<&String> = known.now.iter().filter_map(|now| now.lot.as_ref()).collect();
        let days: Vec<&String> = known.now.iter().filter_map(|now| now.expiry.as_ref()).collect();
        let lot = claim.lot.as_deref().map(str::trim).filter(|lot| !lot.is_empty());
        let other_lot = lot.filter(|lot| !lots.is_empty() && !lots.iter().any(|known| same_lot(known, lot)));
        let extended = known.lot.as_ref().and_then(|lot| lot.expiry.as_ref());
        let is_known = |day: &str| days.iter().copied().chain(extended).any(|known| known == day);
        let other_day = claim.expiry.as_deref().filter(|day| !days.is_empty() && !is_known(day));
        if let Some(lot) = other_lot {
            self.because(
                "lot_mismatch",
                format!("the pack says lot {lot}, it was commissioned with another"),
            );
        }
        if let Some(day) = other_day {
            self.because(
                "expiry_mismatch",
                format!("the pack says {day}, it was commissioned with another last day"),
            );
        }
        self.failure = match (other_lot, other_day) {
            (Some(_), Some(_)) => Some("No_match_GTIN_Serial_Lot_Expiry"),
            (Some(_), None) => Some("No_match_GTIN_Serial_Lot"),
            (None, Some(_)) => Some("No_match_GTIN_Serial_Expiry"),
            (None, None) => None,
        };
        if self.failure.is_some() {
            self.verdict = Verdict::Suspect;
        }
    }

    fn look_at_cases(&mut self, known: &Known) {
        let grave =
            known.alerts.iter().filter(|alert| matches!(alert.severity.as_str(), "high" | "critical"));
        for alert in grave {
            self.verdict = Verdict::Suspect;
            self.failure.get_or_insert("Not_for_re-distribution");
            self.info.insert("Suspect");
            let text = format!("{}: expected {}; came {}", alert.rule, alert.expected, alert.came);
            self.because("open_alert", text);
        }
    }

    fn may_go_on(&mut self, known: &Known) {
        for recall in &known.recalls {
            self.info.insert("Recalled");
            self.stop("recalled", format!("it is recalled: {recall}"));
        }
        let commissioned = known.now.iter().filter_map(|now| now.expiry.as_ref()).min();
        let extended = known.lot.as_ref().and_then(|lot| lot.expiry.as_ref());
        let last_day = commissioned.max(extended);
        if let (Some(last), Some(today)) = (last_day, &known.today)
            && last < today
        {
            self.info.insert("Expired");
            self.stop("expired", format!("its last day of use was {last}"));
        } else if commissioned < extended && commissioned.is_some() {
            self.info.insert("ExpirationExtended");
        }
        for now in known.now.iter().filter(|now| !ACTIVE.contains(&now.state.as_str())) {
            let code = if now.state == "dispensed" { "dispensed" } else { "not_active" };
            self.stop(code, format!("on chain {} it is {}", now.chain, now.state));
        }
    }

    fn stop(&mut self, code: &'static str, text: String) {
        if self.verdict == Verdict::Verified {
            self.verdict = Verdict::NotVerified;
        }
        self.failure.get_or_insert("Not_for_re-distribution");
        self.because(code, text);
    }
}

/// Lots are compared without regard to case and leading zeros, which printers and systems add and drop.
fn same_lot(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim().trim_start_matches('0').to_uppercase();
    plain(one) == plain(other)
}
