//! Cases: findings become alerts, alerts of one subject become an episode, and one of them is its root.
//!
//! The first finding of an episode is its root; later ones hang under it. A finding of a higher class takes the root
//! over: it is told under the root's case key, so that people's work on the case goes on, and the finding that was
//! told there goes on under the key of the new one.

use crate::rules::{self, Card};
use crate::state::{ChainState, ContractId, HolderId, ItemId};
use model::B256;
use model::alert::{Alert, CaseKey, RuleCode, Severity, Standing, Subject};
use model::chain::{ChainId, LogPosition};
use model::gs1::Gtin;
use serde::{Deserialize, Serialize};

/// An episode ends when nothing came for this long. Source: catalogue of rules, "90 days quiet".
pub const QUIET_SECS: i64 = 90 * 86_400;

/// What a finding is about, as the state numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SubjectKey {
    /// An item.
    Item(ItemId),
    /// A contract.
    Contract(u32),
    /// A lot.
    Lot(u32),
    /// The holder of an address.
    Party(HolderId),
    /// A product.
    Product(Gtin),
    /// A transaction.
    Transaction(B256),
}

/// What a rule found in an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Code of the rule.
    pub rule: String,
    /// Its version.
    pub rule_version: u32,
    /// Its class, highest first: who takes over whose root.
    pub rank: u8,
    /// How bad.
    pub severity: Severity,
    /// What it is about.
    pub subject: SubjectKey,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub came: String,
    /// Who is accused, in people's words.
    pub accused: Option<String>,
    /// The accused address, for collapsing what one actor causes.
    pub accused_holder: Option<HolderId>,
    /// Whose goods or identity are concerned.
    pub victim: Option<String>,
    /// Who saw it.
    pub witness: Option<String>,
    /// What the rule ran with.
    pub parameters: String,
    /// Logs that prove it, beside the one that raised it.
    pub evidence: Vec<(ChainId, LogPosition)>,
    /// The item that it concerns, where the subject is not one.
    pub item: Option<ItemId>,
}

impl Finding {
    /// A finding of `card` about `subject`, with nothing said yet of who and why.
    pub fn new(card: &Card, severity: Severity, subject: SubjectKey) -> Self {
        Self {
            rule: card.code.0.to_owned(),
            rule_version: card.version,
            rank: card.rank,
            severity,
            subject,
            expected: String::new(),
            came: String::new(),
            accused: None,
            accused_holder: None,
            victim: None,
            witness: None,
            parameters: String::new(),
            evidence: Vec::new(),
            item: None,
        }
    }
}

/// What raised a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The event.
    pub position: LogPosition,
    /// Its transaction.
    pub tx_hash: B256,
    /// When the alert counts as raised: block time, or the deadline of a timer, Unix seconds.
    pub raised_at_secs: i64,
    /// The deadline, when a timer raised it.
    pub deadline_secs: Option<i64>,
    /// The block by which it was raised: what it rests on beside its evidence.
    pub rests_on: u64,
    /// The contract that logged the event.
    pub contract: Option<ContractId>,
    /// The outermost item that the event's item was inside of.
    pub container: Option<ItemId>,
    /// The block in which a version of the registry came into force that judges the event again.
    pub known_in: Option<u64>,
}

impl Cause {
    /// Block and log of what changes the case.
    pub fn updated(&self) -> (u64, u32) {
        self.known_in.map_or((self.position.block, self.position.log), |block| (block, 0))
    }

    /// The time by which findings are counted together, Unix seconds. All that one version of the registry brings to
    /// light comes at one moment, whenever it happened.
    pub fn counted_at_secs(&self) -> i64 {
        match (self.known_in, self.deadline_secs) {
            (Some(_), None) => 0,
            _ => self.raised_at_secs,
        }
    }
}

/// A case as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEntry {
    /// Its row.
    pub alert: Alert,
    /// What it is about.
    pub subject: SubjectKey,
    /// Its class.
    pub rank: u8,
    /// The event that changed it last.
    pub updated: (u64, u32),
    /// The highest block that this form of it rests on.
    pub rests_on: u64,
    /// How many of the members that it took in were explained since.
    pub explained: u64,
}

/// The open episode of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// The root's case.
    pub root: CaseKey,
    /// Block time of its last finding, Unix seconds.
    pub last_secs: i64,
}

/// How people name a subject.
pub(crate) fn subject_text(state: &ChainState, subject: SubjectKey) -> Subject {
    match subject {
        SubjectKey::Item(item) => Subject::Item(state.items.key(item).to_string()),
        SubjectKey::Contract(contract) => Subject::Contract(*state.contracts.key(contract)),
        SubjectKey::Lot(lot) => {
            let (gtin, lot) = *state.lots.key(lot);
            Subject::Lot(model::item::ItemKey::Lot(gtin, lot).to_string())
        }
        SubjectKey::Party(holder) => Subject::Party(state.holders.key(holder).to_string()),
        SubjectKey::Product(gtin) => Subject::Product(gtin.to_string()),
        SubjectKey::Transaction(hash) => Subject::Transaction(alloy_primitives::hex::encode_prefixed(hash)),
    }
}

/// The key of a new case: the next ordinal of (rule, subject) in its transaction that is free.
fn new_key(state: &ChainState, finding: &Finding, subject: &Subject, cause: &Cause) -> CaseKey {
    let code = RuleCode(crate::rules::code_of(&finding.rule));
    if let Some(deadline) = cause.deadline_secs {
        return CaseKey::of_timer(code, subject, cause.tx_hash, deadline);
    }
    let mut ordinal = 0;
    loop {
        let key = CaseKey::of_transaction(code, subject, state.chain, cause.tx_hash, ordinal);
        if state.cases.get(&key).is_none() {
            return key;
        }
        ordinal += 1;
    }
}

fn alert_of(state: &ChainState, finding: &Finding, cause: &Cause, key: CaseKey, subject: Subject) -> Alert {
    let item = match finding.subject {
        SubjectKey::Item(item) => Some(item),
        _ => finding.item,
    };
    let mut evidence = finding.evidence.clone();
    evidence.push(state.evidence(cause.position));
    evidence.sort_unstable();
    evidence.dedup();
    Alert {
        case_key: key,
        rule: finding.rule.clone(),
        rule_version: finding.rule_version,
        severity: finding.severity,
        standing: Standing::Standing,
        subject,
        item: item.map(|item| state.items.key(item).to_string()),
        chain: state.chain,
        position: cause.position,
        tx_hash: cause.tx_hash,
        raised_at_secs: cause.raised_at_secs,
        expected: finding.expected.clone(),
        came: finding.came.clone(),
        accused: finding.accused.clone(),
        victim: finding.victim.clone(),
        witness: finding.witness.clone(),
        root: None,
        members: 0,
        members_query: None,
        retroactive: cause.known_in.is_some(),
        explained_as: None,
        parameters: finding.parameters.clone(),
        evidence,
    }
}

/// Where a finding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// The case that it is told under.
    pub case: CaseKey,
    /// The root of its episode.
    pub root: CaseKey,
    /// Did it open the episode?
    pub opened: bool,
}

/// Raises a finding: a new root, or a case under the root of its subject's episode.
pub fn raise(state: &mut ChainState, finding: &Finding, cause: &Cause) -> Raised {
    let subject = subject_text(state, finding.subject);
    let key = new_key(state, finding, &subject, cause);
    let entry = CaseEntry {
        alert: alert_of(state, finding, cause, key, subject),
        subject: finding.subject,
        rank: finding.rank,
        updated: cause.updated(),
        rests_on: cause.rests_on,
        explained: 0,
    };
    let open = open_root(state, finding.subject, cause.raised_at_secs);
    let root = open.and_then(|root| state.cases.get(&root).cloned());
    let root_key = root.as_ref().map_or(key, |root| root.alert.case_key);
    let opened = root.is_none();
    let mut case = key;
    match root {
        None => state.cases.set(key, Some(entry)),
        Some(root) if entry.rank < root.rank => {
            case = root_key;
            take_over(state, root, entry);
        }
        Some(root) => hang(state, entry, root.alert.case_key),
    }
    // What comes to light late does not make the episode end sooner.
    let last_secs =
        state.episodes.get(&finding.subject).filter(|_| !opened).map_or(i64::MIN, |e| e.last_secs);
    let last_secs = last_secs.max(cause.raised_at_secs);
    state.episodes.set(finding.subject, Some(Episode { root: root_key, last_secs }));
    if rules::may_be_explained(&finding.rule, cause) {
        state.explainable.set((finding.subject, cause.position), Some(case));
    }
    Raised { case, root: root_key, opened }
}

/// The root of the episode of `subject` that is open at `now_secs`.
pub fn open_root(state: &ChainState, subject: SubjectKey, now_secs: i64) -> Option<CaseKey> {
    let open = state.episodes.get(&subject).filter(|episode| now_secs - episode.last_secs <= QUIET_SECS);
    open.map(|episode| episode.root)
}

/// Does the case stand?
pub fn stands(state: &ChainState, key: CaseKey) -> bool {
    state.cases.get(&key).is_some_and(|entry| entry.alert.standing != Standing::Explained)
}

/// Does the case stand, and hang under no other?
pub fn is_root(state: &ChainState, key: CaseKey) -> bool {
    stands(state, key) && state.cases.get(&key).is_some_and(|entry| entry.alert.root.is_none())
}

/// Puts a case under `root`, away from the one that it hung under.
pub(crate) fn hang(state: &mut ChainState, mut entry: CaseEntry, root: CaseKey) {
    let key = entry.alert.case_key;
    if let Some(before) = entry.alert.root.replace(root) {
        state.hanging.set((before, key), None);
    }
    state.hanging.set((root, key), Some(()));
    state.cases.set(key, Some(entry));
}

/// Cases that hang under `root`.
pub(crate) fn hanging_under(state: &ChainState, root: CaseKey) -> impl Iterator<Item = &CaseEntry> {
    let under = (root, CaseKey(B256::ZERO))..=(root, CaseKey(B256::repeat_byte(u8::MAX)));
    state.hanging.range(under).filter_map(|((_, key), ())| state.cases.get(key))
}

/// The higher finding is told under the root's key; what was told there goes on under the key of the new one.
fn take_over(state: &mut ChainState, root: CaseEntry, mut entry: CaseEntry) {
    let (root_key, new_key) = (root.alert.case_key, entry.alert.case_key);
    let (updated, rests_on) = (entry.updated, entry.rests_on.max(root.rests_on));
    let mut demoted = CaseEntry { updated, rests_on, ..root };
    entry.alert.case_key = root_key;
    entry.alert.root = demoted.alert.root;
    entry.alert.members = std::mem::take(&mut demoted.alert.members);
    entry.alert.members_query = demoted.alert.members_query.take();
    entry.explained = std::mem::take(&mut demoted.explained);
    entry.rests_on = rests_on;
    demoted.alert.case_key = new_key;
    // The root's place under another case is the higher finding's now.
    demoted.alert.root = None;
    let told_of = (demoted.subject, demoted.alert.position);
    if state.explainable.get(&told_of) == Some(&root_key) {
        state.explainable.set(told_of, Some(new_key));
    }
    state.cases.set(root_key, Some(entry));
    hang(state, demoted, root_key);
}

/// Puts `child` under `parent`, one root under another, and counts it there.
pub fn adopt(state: &mut ChainState, child: CaseKey, parent: CaseKey, cause: &Cause) {
    let (Some(mut entry), Some(mut above)) =
        (state.cases.get(&child).cloned(), state.cases.get(&parent).cloned())
    else {
        return;
    };
    if child == parent || entry.alert.root.is_some() {
        return;
    }
    for changed in [&mut entry, &mut above] {
        changed.updated = cause.updated();
        changed.rests_on = changed.rests_on.max(cause.rests_on);
    }
    above.alert.members += 1;
    above.alert.members_query = Some(parent.members_query());
    state.cases.set(parent, Some(above));
    hang(state, entry, parent);
}

/// Counts a member of `parent` that is not expanded.
pub fn count_member(state: &mut ChainState, parent: CaseKey, cause: &Cause) {
    let Some(mut above) = state.cases.get(&parent).cloned() else { return };
    above.updated = cause.updated();
    above.rests_on = above.rests_on.max(cause.rests_on);
    above.alert.members += 1;
    state.cases.set(parent, Some(above));
}

/// The case that `rule` is told under, which was told under `key` until a higher finding took its root over.
pub fn told_under(state: &ChainState, key: CaseKey, rule: &str) -> Option<CaseKey> {
    let of_rule = |entry: &&CaseEntry| entry.alert.rule == rule;
    let own = state.cases.get(&key).into_iter();
    own.chain(hanging_under(state, key)).find(of_rule).map(|entry| entry.alert.case_key)
}

/// Raises the severity of a case, when what was open for its grace was not explained.
pub fn escalate(state: &mut ChainState, key: CaseKey, severity: Severity, cause: &Cause) {
    let Some(mut entry) = state.cases.get(&key).cloned() else { return };
    if entry.alert.severity >= severity || entry.alert.standing == Standing::Explained {
        return;
    }
    entry.alert.severity = severity;
    entry.rests_on = entry.rests_on.max(cause.rests_on);
    state.cases.set(key, Some(entry));
}

/// Says of a case that stands what `finding` says of it now.
pub fn regrade(state: &mut ChainState, key: CaseKey, finding: &Finding, cause: &Cause) {
    let Some(mut entry) = state.cases.get(&key).cloned() else { return };
    entry.alert.severity = finding.severity;
    entry.alert.expected = finding.expected.clone();
    entry.alert.came = finding.came.clone();
    entry.alert.retroactive = cause.known_in.is_some();
    entry.updated = cause.updated();
    entry.rests_on = entry.rests_on.max(cause.rests_on);
    state.cases.set(key, Some(entry));
}
