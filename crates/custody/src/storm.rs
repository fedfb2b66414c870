//! SY-02: many roots with one cause within an hour become members of one parent.
//!
//! Not a rule that looks at events: it is raised by what the rules raised. Every finding goes through [`raise`]. A root
//! about an item or lot is counted under each of its causes, narrowest first: the transaction, the container, the
//! accused actor, the contract that logged, the product. The first cause that has 50 roots within an hour, whatever
//! their order, gets a parent which takes them in. While roots of that cause go on to come, each goes under it at once;
//! an hour without one ends the storm.
//!
//! A busy contract or product has many alerts that have nothing to do with one another: there the roots must also be of
//! one rule. A contract or address that is itself accused of flooding or posing (SP-01, CT-01) takes in whatever it
//! caused within the hour.

use crate::cases::{self, Cause, Finding, SubjectKey};
use crate::rules::{Card, rank};
use crate::state::{ChainState, ContractId, HolderId, ItemId};
use model::B256;
use model::alert::{CaseKey, RuleCode, Severity};
use model::gs1::Gtin;
use serde::{Deserialize, Serialize};

/// Its card.
pub static CARD: Card = Card {
    code: RuleCode("SY-02"),
    version: 2,
    title: "storm",
    rank: rank::SY,
    severity: "HIGH, operations",
    trigger: "50 roots within an hour of block time with one cause: a transaction, a container, an actor, or one rule on one contract or product",
    innocent: "a late upload or a misconfigured system is what it mostly is: one cause to look at, not fifty",
    source: "RULES §1, episodes, precedence, storms",
    parameters: &[],
};

/// Roots with one cause within an hour that make a storm.
/// Source: catalogue of rules, "a storm is 50 roots with one cause within one hour".
pub const ROOTS_MAX: usize = 50;

/// Members of one storm that are expanded within an hour: more than anyone reads of one cause. Those beyond are
/// counted; their events stand in `events`.
pub const EXPANDED_MAX: u32 = 1_000;

/// How far apart roots of one storm may be, and how long it waits for the next one.
const HOUR_SECS: i64 = 3_600;

/// A rule's code as bytes: two letters, a dash, two digits.
type RuleTag = [u8; 5];

/// Stands for every rule, and is no rule's.
const ANY_RULE: RuleTag = [0; 5];

/// What many alerts may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CauseKey {
    /// The transaction whose logs raised them, or started their timers.
    Transaction(B256),
    /// The outermost item that theirs were inside of.
    Container(ItemId),
    /// The accused address.
    Actor(HolderId),
    /// The contract that logged, and the rule.
    Contract(ContractId, RuleTag),
    /// The product, and the rule.
    Product(Gtin, RuleTag),
}

/// The roots of one cause. Forgotten an hour after the last one, so that there are at most five for each root of the
/// last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surge {
    /// Roots with the block time of each, at most [`ROOTS_MAX`].
    roots: Vec<(CaseKey, i64)>,
    /// The case that takes them in, once there is one.
    parent: Option<CaseKey>,
    /// Block time of the last root, Unix seconds.
    last_secs: i64,
    /// When the running hour of `expanded` began, Unix seconds.
    since_secs: i64,
    /// Members that were expanded in it.
    expanded: u32,
}

impl Surge {
    fn ends_secs(&self) -> i64 {
        self.last_secs.saturating_add(HOUR_SECS)
    }
}

/// Raises a finding. A root that it opens goes under the parent of its cause, or is counted towards one. Returns the
/// case that it is told under; `None` when it was only counted.
pub fn raise(state: &mut ChainState, finding: &Finding, cause: &Cause) -> Option<CaseKey> {
    if !is_counted(finding.subject) {
        let raised = cases::raise(state, finding, cause);
        // Only what floods or poses is the cause of alerts about items; a change of a contract's owner is not.
        if finding.rank <= rank::CT_01_SP_01 {
            caused_by(state, finding.subject).into_iter().for_each(|key| {
                gather(state, key, raised.root, cause);
            });
        }
        return Some(raised.case);
    }
    let causes = causes(state, finding, cause);
    let storm = causes.iter().find_map(|key| Some((*key, parent_of(state, *key, cause)?)));
    let opens = cases::open_root(state, finding.subject, cause.raised_at_secs).is_none();
    if let (Some((key, parent)), true) = (storm, opens) {
        return join(state, (key, parent), finding, cause);
    }
    let raised = cases::raise(state, finding, cause);
    if raised.opened {
        count(state, &causes, raised.root, cause);
    }
    Some(raised.case)
}

/// Forgets causes that were quiet for an hour at `now_secs`.
pub fn forget(state: &mut ChainState, now_secs: i64) {
    while let Some((end, key)) = state.surge_ends.first().map(|(end, ())| *end) {
        if end >= now_secs {
            break;
        }
        state.surge_ends.set((end, key), None);
        state.surges.set(key, None);
    }
}

/// The causes of the last hour, put aside while a version of the registry is judged by: what it brings to light is
/// counted by itself.
#[derive(Debug)]
pub struct Aside {
    surges: Vec<(CauseKey, Surge)>,
    ends: Vec<(i64, CauseKey)>,
}

/// Puts the causes of the last hour aside.
pub fn put_aside(state: &mut ChainState) -> Aside {
    let surges: Vec<_> = state.surges.iter().map(|(key, surge)| (*key, surge.clone())).collect();
    let ends: Vec<_> = state.surge_ends.iter().map(|(end, ())| *end).collect();
    surges.iter().for_each(|(key, _)| state.surges.set(*key, None));
    ends.iter().for_each(|end| state.surge_ends.set(*end, None));
    Aside { surges, ends }
}

/// Puts them back, in place of those that came meanwhile.
pub fn put_back(state: &mut ChainState, aside: Aside) {
    drop(put_aside(state));
    aside.surges.into_iter().for_each(|(key, surge)| state.surges.set(key, Some(surge)));
    aside.ends.into_iter().for_each(|end| state.surge_ends.set(end, Some(())));
}

/// Findings about goods are counted; those about contracts and parties are what others are counted under.
fn is_counted(subject: SubjectKey) -> bool {
    matches!(subject, SubjectKey::Item(_) | SubjectKey::Lot(_))
}

fn tag(rule: &str) -> RuleTag {
    rule.as_bytes().try_into().unwrap_or(ANY_RULE)
}

/// What a finding may have in common with others, narrowest first.
fn causes(state: &ChainState, finding: &Finding, cause: &Cause) -> Vec<CauseKey> {
    let rule = tag(&finding.rule);
    let gtin = match finding.subject {
        SubjectKey::Item(item) => state.items.key(item).gtin(),
        SubjectKey::Lot(lot) => Some(state.lots.key(lot).0),
        _ => None,
    };
    [
        Some(CauseKey::Transaction(cause.tx_hash)),
        cause.container.map(CauseKey::Container),
        finding.accused_holder.map(CauseKey::Actor),
        cause.contract.map(|contract| CauseKey::Contract(contract, rule)),
        gtin.map(|gtin| CauseKey::Product(gtin, rule)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What an accused contract or address is the cause of.
fn caused_by(state: &ChainState, subject: SubjectKey) -> Vec<CauseKey> {
    match subject {
        SubjectKey::Party(holder) => vec![CauseKey::Actor(holder)],
        SubjectKey::Contract(contract) => {
            let each_rule =
                CauseKey::Contract(contract, ANY_RULE)..=CauseKey::Contract(contract, [u8::MAX; 5]);
            let counted = state.surges.range(each_rule).map(|(key, _)| *key);
            let any = CauseKey::Contract(contract, ANY_RULE);
            std::iter::once(any).chain(counted.filter(|key| *key != any)).collect()
        }
        _ => Vec::new(),
    }
}

/// The surge of a cause as it stands at the time of `cause`.
fn surge(state: &ChainState, key: CauseKey, cause: &Cause) -> Surge {
    let now_secs = cause.counted_at_secs();
    let runs = |surge: &&Surge| surge.ends_secs() >= now_secs;
    let mut surge = state.surges.get(&key).filter(runs).cloned().unwrap_or_default();
    if now_secs - surge.since_secs >= HOUR_SECS {
        surge.since_secs = now_secs;
        surge.expanded = 0;
    }
    surge
}

fn set_surge(state: &mut ChainState, key: CauseKey, surge: Surge) {
    if let Some(before) = state.surges.get(&key).map(Surge::ends_secs) {
        state.surge_ends.set((before, key), None);
    }
    state.surge_ends.set((surge.ends_secs(), key), Some(()));
    state.surges.set(key, Some(surge));
}

/// The standing case that takes in the roots of a cause.
fn parent_of(state: &ChainState, key: CauseKey, cause: &Cause) -> Option<CaseKey> {
    let of = |key| surge(state, key, cause).parent.filter(|parent| cases::stands(state, *parent));
    match key {
        CauseKey::Contract(contract, _) => of(CauseKey::Contract(contract, ANY_RULE)).or_else(|| of(key)),
        _ => of(key),
    }
}

/// A further member of a storm: expanded while there is room, else counted.
fn join(
    state: &mut ChainState,
    (key, parent): (CauseKey, CaseKey),
    finding: &Finding,
    cause: &Cause,
) -> Option<CaseKey> {
    let mut surge = surge(state, key, cause);
    surge.last_secs = cause.counted_at_secs();
    surge.parent = Some(parent);
    let room = surge.expanded < EXPANDED_MAX;
    surge.expanded = surge.expanded.saturating_add(u32::from(room));
    set_surge(state, key, surge);
    if !room {
        cases::count_member(state, parent, cause);
        return None;
    }
    let raised = cases::raise(state, finding, cause);
    cases::adopt(state, raised.root, parent, cause);
    Some(raised.case)
}

/// Counts a root under each of its causes, and opens the storm of the first that it completes.
fn count(state: &mut ChainState, causes: &[CauseKey], root: CaseKey, cause: &Cause) {
    let now_secs = cause.counted_at_secs();
    let mut completed = None;
    for (at, key) in causes.iter().enumerate() {
        let mut surge = surge(state, *key, cause);
        surge.roots.retain(|(root, secs)| now_secs - secs <= HOUR_SECS && cases::is_root(state, *root));
        surge.roots.push((root, now_secs));
        surge.last_secs = now_secs;
        if surge.roots.len() >= ROOTS_MAX {
            completed = completed.or(Some(at));
            surge.roots.truncate(ROOTS_MAX);
        }
        set_surge(state, *key, surge);
    }
    if let Some(at) = completed {
        open(state, &causes[at..], cause);
    }
}

/// Opens the storm of the first cause; its parent is in turn one root of the wider causes.
fn open(state: &mut ChainState, causes: &[CauseKey], cause: &Cause) {
    let [key, wider @ ..] = causes else { return };
    let (subject, name) = described(state, *key);
    let finding = Finding {
        expected: "alerts that have nothing to do with one another".to_owned(),
        came: format!("{ROOTS_MAX} within an hour, all from {name}"),
        accused: match key {
            CauseKey::Actor(holder) => Some(state.holders.key(*holder).to_string()),
            _ => None,
        },
        ..Finding::new(&CARD, Severity::High, subject)
    };
    let raised = cases::raise(state, &finding, cause);
    gather(state, *key, raised.root, cause);
    if raised.opened {
        let of_storms = |key: &CauseKey| match *key {
            CauseKey::Contract(contract, _) => CauseKey::Contract(contract, tag(CARD.code.0)),
            CauseKey::Product(gtin, _) => CauseKey::Product(gtin, tag(CARD.code.0)),
            other => other,
        };
        count(state, &wider.iter().map(of_storms).collect::<Vec<_>>(), raised.root, cause);
    }
}

/// What a storm is about, and how people call its cause.
fn described(state: &ChainState, key: CauseKey) -> (SubjectKey, String) {
    match key {
        CauseKey::Transaction(hash) => {
            let hex = alloy_primitives::hex::encode_prefixed(hash);
            (SubjectKey::Transaction(hash), format!("transaction {hex}"))
        }
        CauseKey::Container(item) => {
            (SubjectKey::Item(item), format!("what was inside of {}", state.items.key(item)))
        }
        CauseKey::Actor(holder) => {
            (SubjectKey::Party(holder), format!("what {} does", state.holders.key(holder)))
        }
        CauseKey::Contract(contract, rule) => {
            let name = format!("one rule ({}) on contract {}", shown(rule), state.contracts.key(contract));
            (SubjectKey::Contract(contract), name)
        }
        CauseKey::Product(gtin, rule) => {
            (SubjectKey::Product(gtin), format!("one rule ({}) on product {gtin}", shown(rule)))
        }
    }
}

fn shown(rule: RuleTag) -> String {
    String::from_utf8_lossy(&rule).into_owned()
}

/// Puts the roots of a cause under `parent`, and those that still come.
fn gather(state: &mut ChainState, key: CauseKey, parent: CaseKey, cause: &Cause) {
    let mut surge = surge(state, key, cause);
    for (root, secs) in std::mem::take(&mut surge.roots) {
        if cause.counted_at_secs() - secs <= HOUR_SECS {
            cases::adopt(state, root, parent, cause);
            surge.expanded = surge.expanded.saturating_add(1);
        }
    }
    if let Some(storm) = surge.parent.replace(parent) {
        cases::adopt(state, storm, parent, cause);
    }
    surge.last_secs = cause.counted_at_secs();
    set_surge(state, key, surge);
}
