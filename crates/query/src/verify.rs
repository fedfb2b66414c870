//! Is this pack what it claims to be? The trade's most frequent question, answered from the tables.
//!
//! The answer has the codes of GS1's Lightweight Messaging Standard for Verification of Product Identifiers 1.3, so
//! that a verification router understands it, and reasons in words for people. It never calls a pack false: what
//! contradicts the chain is a potential suspect falsification.

use crate::cases::Alert;
use crate::error::{Error, Result};
use crate::item::{self, Lot, Product};
use crate::moment::{Moment, Party, list, quoted};
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
    /// What is around it, outermost, where it is packed.
    around: Vec<Around>,
    recalls: Vec<String>,
    alerts: Vec<Alert>,
    lot: Option<Lot>,
    /// The last day of use that an authority granted.
    extended: Option<String>,
    today: Option<String>,
}

/// The parents of a packed item, from the inside out, and the state of the outermost.
#[derive(Debug, Clone, Deserialize)]
struct Around {
    p1: Option<String>,
    p2: Option<String>,
    p3: Option<String>,
    state: Option<String>,
}

impl Around {
    fn keys(&self) -> impl Iterator<Item = &str> {
        [&self.p1, &self.p2, &self.p3].into_iter().flatten().map(String::as_str)
    }
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
    let claim = &printed(claim)?;
    let item = ItemKey::Sgtin(gtin, serial).to_string();
    let (known, as_of) = known(moment, (gtin, serial), (&item, claim)).await?;
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

/// The claim without blanks around what is printed, its day as the tables write days.
fn printed(claim: &Claim) -> Result<Claim> {
    let text = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let expiry =
        match text(&claim.expiry) {
            Some(expiry) => Some(day(&expiry).ok_or_else(|| {
                Error::parameter("expiry", format!("'{expiry}' is no day: write YYYY-MM-DD"))
            })?),
            None => None,
        };
    Ok(Claim { lot: text(&claim.lot), expiry, ..claim.clone() })
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

/// A day as the tables write it. Day 0 is the end of the month (GS1 General Specifications, AI 17).
fn day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || ![year, month, day].into_iter().all(is_number) {
        return None;
    }
    let (year, month, day): (u32, u32, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return None,
    };
    let day = if day == 0 { last } else { day };
    (day <= last).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Newest {
    time: Option<String>,
}

#[derive(Deserialize)]
struct LastDay {
    expiry: Option<String>,
}

async fn known(
    moment: &Moment<'_>,
    (gtin, serial): (Gtin, Text),
    (item, claim): (&str, &Claim),
) -> Result<(Known, Option<String>)> {
    let key = quoted(item);
    let mut now: Vec<ItemRow> =
        moment.rows(&format!("SELECT * FROM items WHERE item = {key} ORDER BY chain")).await?;
    // What only contracts spoke of that nobody believes says nothing where another chain knows the pack.
    if now.iter().any(|now| now.state != UNKNOWN) {
        now.retain(|now| now.state != UNKNOWN);
    }
    let newest: Option<Newest> = moment.first("SELECT max(time) AS time FROM blocks").await?;
    let as_of = newest.and_then(|newest| newest.time);
    let around = around(moment, &key).await?;
    let alerts = alerts(moment, item, &around).await?;
    let gtin = gtin.to_string();
    let mut lots: BTreeSet<&str> = now.iter().filter_map(|now| now.lot.as_deref()).collect();
    if lots.is_empty() {
        // Where the chain is silent, what is printed is all that there is.
        lots.extend(claim.lot.as_deref());
    }
    let lot = match lots.first() {
        Some(lot) => item::lot(moment, &gtin, lot).await?,
        None => None,
    };
    let at = as_of.as_deref().unwrap_or_default();
    let covered = covered(&lots, at);
    let (recalls, extended) = match as_of.is_some() {
        true => (
            recalls(moment, (&gtin, serial.as_str()), (&covered, at)).await?,
            extended(moment, &gtin, &covered).await?,
        ),
        false => (Vec::new(), None),
    };
    let today = as_of.as_deref().and_then(|time| time.get(..10)).map(str::to_owned);
    Ok((Known { now, around, recalls, alerts, lot, extended, today }, as_of))
}

/// What is around the pack where it is packed: parents up to three levels above it.
async fn around(moment: &Moment<'_>, key: &str) -> Result<Vec<Around>> {
    let sql = format!(
        "SELECT p1.item AS p1, p2.item AS p2, p3.item AS p3, coalesce(p3.state, p2.state, p1.state) AS state \
         FROM (SELECT chain, parent FROM items WHERE item = {key} AND state = 'packed') p0 \
         LEFT JOIN items p1 ON p1.chain = p0.chain AND p1.item = p0.parent \
         LEFT JOIN items p2 ON p2.chain = p1.chain AND p2.item = p1.parent \
         LEFT JOIN items p3 ON p3.chain = p2.chain AND p3.item = p2.parent ORDER BY p0.chain"
    );
    moment.rows(&sql).await
}

/// Open cases about the pack and what is around it, the gravest first.
async fn alerts(moment: &Moment<'_>, item: &str, around: &[Around]) -> Result<Vec<Alert>> {
    let keys = list(std::iter::once(item).chain(around.iter().flat_map(Around::keys)));
    let sql = format!(
        "SELECT * FROM alerts WHERE (item IN ({keys}) OR (subject_kind = 'item' AND subject IN ({keys}))) \
         AND standing <> 'explained' \
         ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END, raised_at, case_key LIMIT {ALERTS}"
    );
    moment.rows(&sql).await
}

/// The condition for a row of the registry about one of these lots that holds at `at`. Lots are compared as
/// [`same_lot`] does.
fn covered(lots: &BTreeSet<&str>, at: &str) -> String {
    let plain: Vec<String> = lots.iter().map(|lot| plain_lot(lot)).collect();
    let named = match plain.is_empty() {
        true => String::new(),
        false => format!(" OR ltrim(upper(lot), '0') IN ({})", list(plain.iter().map(String::as_str))),
    };
    let at = quoted(at);
    format!(
        "(lot IS NULL{named}) AND to_block IS NULL AND (valid_from IS NULL OR valid_from <= {at}) \
         AND (valid_to IS NULL OR valid_to > {at})"
    )
}

/// Unresolved recalls that are in effect and cover the pack: its product, lot and serial.
async fn recalls(
    moment: &Moment<'_>,
    (gtin, serial): (&str, &str),
    (covered, at): (&str, &str),
) -> Result<Vec<String>> {
    let (gtin, serial, at) = (quoted(gtin), quoted(serial), quoted(at));
    let sql = format!(
        "SELECT DISTINCT id FROM registry_recalls WHERE gtin = {gtin} AND {covered} \
         AND (serial_from IS NULL OR serial_from <= {serial}) AND (serial_to IS NULL OR serial_to >= {serial}) \
         AND effective_at <= {at} AND (resolved_at IS NULL OR resolved_at > {at}) ORDER BY id LIMIT {ALERTS}"
    );
    let rows: Vec<Id> = moment.rows(&sql).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The last day of use that an authority granted the lot.
async fn extended(moment: &Moment<'_>, gtin: &str, covered: &str) -> Result<Option<String>> {
    let gtin = quoted(gtin);
    let sql =
        format!("SELECT max(expiry) AS expiry FROM registry_extensions WHERE gtin = {gtin} AND {covered}");
    Ok(moment.first::<LastDay>(&sql).await?.and_then(|last| last.expiry))
}

/// The state of what only contracts spoke of that nobody believes.
const UNKNOWN: &str = "unknown";

/// States in which a pack may go on. Whatever is not listed may not.
/// A return that is on the way is the trade's reason to ask.
const ACTIVE: [&str; 5] = ["active", "in_transit", "packed", "returning", "partially_dispensed"];

fn judge(claim: &Claim, known: &Known) -> Judged {
    let mut judged =
        Judged { verdict: Verdict::Verified, failure: None, info: BTreeSet::new(), reasons: Vec::new() };
    if known.now.iter().all(|now| now.state == UNKNOWN) {
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
    judged.may_go_on(claim, known);
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
        let other_lot = claim
            .lot
            .as_deref()
            .filter(|lot| !lots.is_empty() && !lots.iter().any(|known| same_lot(known, lot)));
        let is_known = |day: &str| days.iter().copied().chain(&known.extended).any(|known| known == day);
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

    fn may_go_on(&mut self, claim: &Claim, known: &Known) {
        for recall in &known.recalls {
            self.info.insert("Recalled");
            self.stop("recalled", format!("it is recalled: {recall}"));
        }
        let commissioned = known.now.iter().filter_map(|now| now.expiry.as_ref()).min();
        let of_lot = known.lot.as_ref().and_then(|lot| lot.expiry.as_ref());
        let printed = commissioned.or(of_lot).or(claim.expiry.as_ref());
        let extended = known.extended.as_ref();
        let last_day = printed.max(extended);
        if let (Some(last), Some(today)) = (last_day, &known.today)
            && last < today
        {
            self.info.insert("Expired");
            self.stop("expired", format!("its last day of use was {last}"));
        } else if printed < extended && printed.is_some() {
            self.info.insert("ExpirationExtended");
        }
        for row in known.now.iter().filter(|row| !ACTIVE.contains(&row.state.as_str())) {
            let code = if row.state == "dispensed" { "dispensed" } else { "not_active" };
            self.stop(code, format!("on chain {} it is {}", row.chain, row.state));
        }
        let around = known.around.iter().filter_map(|around| around.state.as_deref());
        for state in around.filter(|state| !ACTIVE.contains(state)) {
            self.stop("not_active", format!("what it is inside of is {state}"));
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
    plain_lot(one) == plain_lot(other)
}

fn plain_lot(lot: &str) -> String {
    lot.trim().to_uppercase().trim_start_matches('0').to_owned()
}
