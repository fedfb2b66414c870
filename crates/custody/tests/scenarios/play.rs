//! Plays a scenario through the core, block by block, and gathers what it did.

use crate::cast::{self, CHAIN, Changes, address};
use crate::shown;
use arrow_array::cast::AsArray;
use custody::decode::profile::ContractProfile;
use custody::decode::{Decoded, Profiles, WatchedContract};
use custody::rows::state_rows;
use custody::rules::Parameters;
use custody::state::StateRow;
use custody::{Core, Setup};
use model::alert::{CaseKey, ExplainedAs, Notice, Standing};
use model::chain::{BlockRef, LogPosition};
use model::change::{Change, Epoch, Record, RegistryVersion, Sequence};
use model::commit::{Commit, Effect};
use model::event::{Event, EventKind, Identity};
use model::past::rows::StepRows;
use model::past::{Newest, PAST_STEPS_MAX, Past, PastQuery};
use model::segment::{BlockMeta, Finality, LogsBuilder, Segment, VerificationLevel};
use model::tables::Table;
use model::{Address, B256, U256};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What happens, for people.
    #[serde(rename = "story")]
    _story: String,
    /// What the registry says beside the cast.
    #[serde(default)]
    registry: Changes,
    #[serde(default, rename = "event")]
    events: Vec<Happening>,
    #[serde(default, rename = "revert")]
    reverts: Vec<Revert>,
    /// Versions of the registry that come while the story is told.
    #[serde(default, rename = "later")]
    versions: Vec<Later>,
    /// The whole list of alerts in the end.
    #[serde(default, rename = "alert", deserialize_with = "expanded")]
    pub alerts: Vec<Told>,
    /// Rows of tables in the end, sorted.
    #[serde(default)]
    pub tables: BTreeMap<String, Vec<String>>,
    /// Block time to which the story runs on without events.
    until: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Happening {
    at: String,
    /// Block time, where it is not a minute after `at`.
    seen: Option<String>,
    #[serde(rename = "do")]
    kind: String,
    item: String,
    by: Option<String>,
    from: Option<String>,
    to: Option<String>,
    lot: Option<String>,
    expiry: Option<String>,
    parent: Option<String>,
    reason: Option<String>,
    place: Option<String>,
    contract: Option<String>,
    /// Token id, where it is not the item's number.
    token: Option<u64>,
    /// A product that nobody registered.
    #[serde(default)]
    unregistered: bool,
    /// How many times, with the item's number counting on.
    times: Option<u64>,
    /// Each time by someone else: the actor's name with the item.
    #[serde(default)]
    each_by_another: bool,
    /// All of them in one transaction.
    #[serde(default)]
    one_transaction: bool,
    /// In the block of the event before.
    #[serde(default)]
    together: bool,
    /// All of them in one log.
    #[serde(default)]
    one_log: bool,
    /// Units; `max` for as many as a token can have.
    quantity: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revert {
    after: usize,
}

/// A version of the registry that comes late.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    /// How many events come before it.
    after: usize,
    /// What it says beside the cast, instead of what was said before.
    registry: Changes,
}

/// Alerts as a scenario file lists them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    rule: String,
    severity: String,
    subject: String,
    under: Option<String>,
    #[serde(default)]
    members: u64,
    #[serde(default)]
    explained: bool,
    #[serde(default)]
    corrected: bool,
    #[serde(default)]
    retroactive: bool,
    /// How many of them, with the subject's number counting on.
    times: Option<u64>,
}

/// Every alert of the list, in the order in which they are compared.
fn expanded<'de, D: serde::Deserializer<'de>>(list: D) -> Result<Vec<Told>, D::Error> {
    let mut alerts = Vec::new();
    for listed in Vec::<Listed>::deserialize(list)? {
        for time in 0..listed.times.unwrap_or(1) {
            let Listed { rule, severity, subject, under, members, explained, .. } = listed.clone();
            let subject = if time == 0 { subject } else { counted_on(&subject, time) };
            let explained = explained || listed.corrected;
            let Listed { corrected, retroactive, .. } = listed;
            alerts.push(Told { rule, severity, subject, under, members, explained, corrected, retroactive });
        }
    }
    alerts.sort();
    Ok(alerts)
}

/// `P1` counted on by 2 is `P3`.
fn counted_on(item: &str, times: u64) -> String {
    format!("{}{}", &item[..1], item[1..].parse::<u64>().unwrap() + times)
}

/// An alert as a scenario names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// The rule.
    pub rule: String,
    /// How bad.
    pub severity: String,
    /// `P1`, `contract fake`, `party stranger`.
    pub subject: String,
    /// Rule of the root that it hangs under.
    pub under: Option<String>,
    /// Members that were counted under it.
    pub members: u64,
    /// Was it closed by what came later?
    pub explained: bool,
    /// Was that the registry?
    pub corrected: bool,
    /// Was it judged on later knowledge?
    pub retroactive: bool,
}

/// The last notice of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastNotice {
    case: CaseKey,
    /// What it said.
    pub kind: &'static str,
    severity: &'static str,
}

/// What a play left.
#[derive(Debug)]
pub struct Played {
    /// Alerts that stand.
    pub alerts: Vec<Told>,
    /// Canonical rows, newest of each key, as text.
    pub rows: BTreeMap<String, String>,
    /// Every entry of the custody state, as bytes by map and key.
    pub state: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    notices: Vec<Notice>,
    batches: Vec<(Table, arrow_array::RecordBatch)>,
}

impl Played {
    /// Rows of a table as lines.
    pub fn lines(&self, table: &str) -> Vec<String> {
        shown::lines(table, self.batches.iter())
    }

    /// The last notice of each case: what people know in the end. Opened and changed both say that it stands.
    pub fn told_last(&self) -> Vec<LastNotice> {
        let mut last = BTreeMap::new();
        for notice in &self.notices {
            let revision = last.get(&notice.case_key).map_or(0, |(revision, _)| *revision);
            assert_eq!(notice.revision, revision + 1, "revisions of a case count on: {notice:?}");
            let root = notice.alert.root;
            assert!(root.is_none_or(|root| last.contains_key(&root)), "told before its root: {notice:?}");
            let query = (notice.alert.members > 0).then(|| notice.case_key.members_query());
            assert_eq!(notice.alert.members_query, query, "{notice:?}");
            last.insert(notice.case_key, (notice.revision, notice.clone()));
        }
        let as_told = |(case, (_, notice)): (CaseKey, (u32, Notice))| LastNotice {
            case,
            kind: if notice.kind.as_str() == "withdrawn" { "withdrawn" } else { "stands" },
            severity: notice.alert.severity.as_str(),
        };
        last.into_iter().map(as_told).collect()
    }
}

/// Plays a story once.
pub fn through(story: &Story) -> Played {
    let mut stage = Stage::new(story);
    for step in script(story) {
        stage.play(&step);
    }
    stage.curtain()
}

/// Plays a story so that each block is orphaned once before it stays.
pub fn with_every_block_reverted_once(story: &Story) -> Played {
    let mut stage = Stage::new(story);
    for step in script(story) {
        if let Step::Block(..) = step {
            let before = stage.blocks.len();
            stage.fork += 1;
            stage.play(&step);
            stage.revert(before);
            stage.fork = 0;
        }
        stage.play(&step);
    }
    stage.curtain()
}

/// Plays a story with a restart from what was written after each block.
pub fn with_a_restart_after_every_block(story: &Story) -> Played {
    let mut stage = Stage::new(story);
    for step in script(story) {
        stage.play(&step);
        // A version that no block came after comes again from the bus.
        if story.reverts.is_empty() && matches!(step, Step::Block(..)) {
            stage.restart();
        }
    }
    stage.curtain()
}

/// Plays a story as final runs of so many blocks, with every version of the registry known from the beginning. `None`
/// for a story of reorgs.
pub fn in_runs_of(story: &Story, blocks: usize) -> Option<Played> {
    if !story.reverts.is_empty() {
        return None;
    }
    let mut stage = Stage::new(story);
    let (mut runs, mut below) = (Vec::new(), 0);
    for step in script(story) {
        match step {
            Step::Block(time_secs, happenings) => {
                runs.push((time_secs, happenings));
                below += 1;
            }
            Step::Version(changes) => stage.register(&changes, below),
            Step::Revert(_) => return None,
        }
    }
    runs.chunks(blocks).for_each(|run| stage.append_run(run, Finality::Final));
    Some(stage.curtain())
}

/// Plays a story in which a version of the registry comes before the last block, orphans that block, and plays the same
/// without either. `None` for any other story.
pub fn and_revert_what_was_judged_again(story: &Story) -> Option<(Played, Played)> {
    let mut steps = script(story);
    if !matches!(steps.as_slice(), [.., Step::Version(_), Step::Block(..)]) {
        return None;
    }
    let (mut reverted, mut never) = (Stage::new(story), Stage::new(story));
    steps.iter().for_each(|step| reverted.play(step));
    reverted.revert(reverted.blocks.len() - 1);
    steps.truncate(steps.len() - 2);
    steps.iter().for_each(|step| never.play(step));
    Some((reverted.curtain(), never.curtain()))
}

/// Plays a story and orphans all of it.
pub fn and_revert_to_nothing(story: &Story) -> Played {
    let mut stage = Stage::new(story);
    for step in script(story) {
        stage.play(&step);
    }
    stage.revert(1);
    stage.curtain()
}

#[derive(Debug)]
enum Step {
    Block(i64, Vec<Happening>),
    Revert(usize),
    Version(Box<Changes>),
}

fn script(story: &Story) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, happening) in story.events.iter().enumerate() {
        let seen = happening.seen.as_deref().map_or_else(|| cast::secs(&happening.at) + 60, cast::secs);
        let times = happening.times.unwrap_or(1);
        let each = |time| {
            let item = counted_on(&happening.item, time);
            let another =
                happening.each_by_another.then(|| format!("{} of {item}", happening.by.as_deref().unwrap()));
            Happening { by: another.or_else(|| happening.by.clone()), item, ..happening.clone() }
        };
        match steps.last_mut() {
            Some(Step::Block(_, block)) if happening.together => block.extend((0..times).map(each)),
            _ => steps.push(Step::Block(seen, (0..times).map(each).collect())),
        }
        let versions = story.versions.iter().filter(|version| version.after == at + 1);
        steps.extend(versions.map(|version| Step::Version(Box::new(version.registry.clone()))));
        steps.extend(story.reverts.iter().filter(|revert| revert.after == at + 1).map(|_| Step::Revert(at)));
    }
    if let Some(until) = &story.until {
        steps.push(Step::Block(cast::secs(until), Vec::new()));
    }
    steps
}

/// The core with what it gave so far.
struct Stage {
    core: Core,
    /// Versions of the registry so far.
    versions: u64,
    sequence: u64,
    blocks: Vec<(BlockRef, Vec<(Table, arrow_array::RecordBatch)>)>,
    notices: Vec<Notice>,
    alerts: BTreeMap<CaseKey, model::alert::Alert>,
    /// Orphans have other hashes than the blocks that stay.
    fork: u8,
    /// Block time of the tip.
    time_secs: i64,
}

/// Two contracts of lots: all of the one was seen, the other is older than our first block.
fn setup() -> Setup {
    let watched = |name: &str, complete: bool| {
        let profile = format!(
            "standard = \"erc1155\"\ntransfer = \"ownership\"\n[observability]\ncomplete_history = {complete}"
        );
        WatchedContract {
            name: name.to_owned(),
            chain: CHAIN,
            address: Some(address(name)),
            profile: Arc::new(ContractProfile::parse(name, &profile).unwrap()),
            family: None,
            from_block: 0,
        }
    };
    let contracts = vec![watched("lots", true), watched("old_lots", false)];
    Setup { profiles: Arc::new(Profiles::new(contracts).unwrap()), parameters: Parameters::default() }
}

impl Stage {
    fn new(story: &Story) -> Self {
        let mut stage = Self {
            core: Core::new(setup()),
            versions: 0,
            sequence: 0,
            blocks: Vec::new(),
            notices: Vec::new(),
            alerts: BTreeMap::new(),
            fork: 0,
            time_secs: 0,
        };
        stage.take(Change::Open(Epoch(1)));
        stage.register_after(&story.registry, None);
        // The first block carries the registry into what a restart reads.
        stage.play(&Step::Block(0, Vec::new()));
        stage
    }

    fn register(&mut self, changes: &Changes, after: u64) {
        self.register_after(changes, Some(after));
    }

    fn register_after(&mut self, changes: &Changes, after: Option<u64>) {
        self.versions += 1;
        let rows = Arc::new(cast::registry(changes));
        self.take(Change::Registry(Arc::new(RegistryVersion { version: self.versions, after, rows })));
    }

    /// The steps that the core asks for, from the rows of the blocks so far.
    fn past(&self, query: &PastQuery) -> Past {
        let mut newest = Newest::new(PAST_STEPS_MAX);
        let batches = self.blocks.iter().flat_map(|(_, rows)| rows);
        for (_, rows) in batches.filter(|(table, _)| *table == Table::Events) {
            let rows = StepRows::new(rows).unwrap();
            for step in (0..rows.traits.count()).map(|row| rows.get(row).unwrap()) {
                if query.wants(step.position.block, step.kind, &step.traits()) {
                    newest.push(step);
                }
            }
        }
        newest.finish(query.after)
    }

    fn take(&mut self, change: Change) -> Commit {
        self.take_decoded(change, None)
    }

    fn take_decoded(&mut self, change: Change, decoded: Option<Decoded>) -> Commit {
        self.sequence += 1;
        let record = Record { chain: CHAIN, epoch: Epoch(1), sequence: Sequence(self.sequence), change };
        let past = self.core.wants_past(&record).iter().map(|query| self.past(query)).collect();
        let commit = self.core.step_decoded(&record, decoded, past).unwrap().unwrap();
        assert_eq!(commit.incidents, []);
        self.notices.extend(commit.notices.iter().cloned());
        for change in &commit.alerts {
            match &change.alert {
                Some(alert) => self.alerts.insert(change.case_key, alert.clone()),
                None => self.alerts.remove(&change.case_key),
            };
        }
        commit
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Block(time_secs, happenings) => {
                self.append_run(&[(*time_secs, happenings.clone())], Finality::Open);
            }
            Step::Revert(after) => self.revert(after + 1),
            Step::Version(changes) => {
                let tip = self.blocks.last().map_or(0, |(block, _)| block.number);
                self.register(changes, tip);
            }
        }
    }

    /// Appends a run of blocks, each with its time and what happens in it.
    fn append_run(&mut self, run: &[(i64, Vec<Happening>)], finality: Finality) {
        let parent = self.blocks.last().map(|(block, _)| *block);
        let first_number = parent.map_or(0, |parent| parent.number + 1);
        let parent_hash = parent.map_or(B256::ZERO, |parent| parent.hash);
        let (mut blocks, mut events) = (Vec::new(), Vec::new());
        for (number, (time_secs, happenings)) in (first_number..).zip(run) {
            let meta = BlockMeta {
                block: self.block(number),
                parent_hash: blocks.last().map_or(parent_hash, |meta: &BlockMeta| meta.block.hash),
                time_secs: u64::try_from(*time_secs).unwrap(),
            };
            blocks.push(meta);
            events.extend(happenings.iter().zip(0..).map(|(what, log)| event(what, number, log, *time_secs)));
        }
        let last = blocks.last().copied().unwrap();
        self.time_secs = i64::try_from(last.time_secs).unwrap();
        let segment = Segment {
            first_number,
            parent_hash,
            last: last.block,
            last_time_secs: last.time_secs,
            finality,
            level: VerificationLevel::Off,
            filter: B256::ZERO,
            blocks,
            logs: LogsBuilder::default().finish().unwrap(),
            incidents: Vec::new(),
        };
        let decoded = Decoded { logs: events.len(), events, dead_letters: Vec::new() };
        let commit = self.take_decoded(Change::Append(Arc::new(segment)), Some(decoded));
        let Effect::Append { rows, .. } = commit.effect else { panic!("an append appends") };
        self.blocks.push((last.block, rows));
    }

    fn block(&self, number: u64) -> BlockRef {
        let mut hash = [self.fork; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        BlockRef { number, hash: hash.into() }
    }

    fn revert(&mut self, blocks: usize) {
        self.blocks.truncate(blocks);
        let to = self.blocks.last().unwrap().0;
        self.take(Change::Revert(to));
    }

    fn restart(&mut self) {
        let newest = newest_state(&self.blocks);
        let row = |((kind, key), value)| StateRow { kind, key, value: Some(value) };
        let rows: Vec<_> = newest.into_iter().map(row).collect();
        let rows = state_rows(CHAIN, &rows, 0).unwrap();
        let mut revisions: BTreeMap<CaseKey, u32> = BTreeMap::new();
        for notice in &self.notices {
            revisions.insert(notice.case_key, notice.revision);
        }
        let position = self.core.position(CHAIN);
        self.core = Core::new(setup());
        self.core
            .restore(CHAIN, (position, self.time_secs), [rows], &revisions.into_iter().collect::<Vec<_>>())
            .unwrap();
    }

    fn curtain(self) -> Played {
        let rule_of = |case: CaseKey| self.alerts.get(&case).map(|alert| alert.rule.clone());
        let mut alerts: Vec<Told> = self
            .alerts
            .values()
            .map(|alert| Told {
                rule: alert.rule.clone(),
                severity: alert.severity.as_str().to_owned(),
                subject: short(alert),
                under: alert.root.and_then(rule_of),
                members: alert.members,
                explained: alert.standing == Standing::Explained,
                corrected: alert.explained_as == Some(ExplainedAs::RegistryCorrected),
                retroactive: alert.retroactive,
            })
            .collect();
        alerts.sort();
        let (rows, state) = (newest_rows(&self.blocks), newest_state(&self.blocks));
        let batches = self.blocks.into_iter().flat_map(|(_, batches)| batches).collect();
        Played { alerts, rows, state, notices: self.notices, batches }
    }
}

/// The subject as a scenario writes it.
fn short(alert: &model::alert::Alert) -> String {
    let text = alert.subject.to_string();
    match alert.subject.kind() {
        // A unit's serial reference is its number, before the check digit.
        "item" if text.starts_with("00/") => format!("C{}", text[16..20].trim_start_matches('0')),
        "item" => text.rsplit('/').next().unwrap_or_default().to_owned(),
        "product" | "transaction" => alert.subject.kind().to_owned(),
        kind => {
            let names =
                ["fake", "packs", "partner", "lots", "stranger", "maker", "wholesaler", "second_wholesaler"];
            let named = names.iter().find(|name| address(name).to_string() == text);
            format!("{kind} {}", named.unwrap_or(&text.as_str()))
        }
    }
}

/// Newest entry of each key of the custody state, as the bytes that a restart reads.
fn newest_state(
    blocks: &[(BlockRef, Vec<(Table, arrow_array::RecordBatch)>)],
) -> BTreeMap<(u32, Vec<u8>), Vec<u8>> {
    let mut newest: BTreeMap<(u32, Vec<u8>), Option<Vec<u8>>> = BTreeMap::new();
    for (table, batch) in blocks.iter().flat_map(|(_, rows)| rows) {
        if *table == Table::State {
            let kinds =
                batch.column_by_name("kind").unwrap().as_primitive::<arrow_array::types::UInt32Type>();
            let keys = batch.column_by_name("key").unwrap().as_binary::<i32>();
            let values = batch.column_by_name("value").unwrap().as_binary::<i32>();
            for ((kind, key), value) in kinds.iter().zip(keys).zip(values) {
                newest.insert((kind.unwrap(), key.unwrap().to_vec()), value.map(<[u8]>::to_vec));
            }
        }
    }
    newest.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Newest row of each key of the canonical tables, as text without the hashes of blocks. A store takes the row of the
/// highest version for the newest: a later row may not stand below an earlier one.
fn newest_rows(blocks: &[(BlockRef, Vec<(Table, arrow_array::RecordBatch)>)]) -> BTreeMap<String, String> {
    let (mut rows, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for (table, batch) in blocks.iter().flat_map(|(_, rows)| rows) {
        let spec = table.spec();
        if !spec.canonical || *table == Table::Blocks {
            continue;
        }
        let key_columns: Vec<&str> = match spec.kind {
            model::tables::TableKind::Upsert { key } => key.to_vec(),
            model::tables::TableKind::Append => spec.sort.to_vec(),
        };
        for row in 0..batch.num_rows() {
            let cell = |name: &str| format!("{:?}", batch.column_by_name(name).unwrap().slice(row, 1));
            let key: Vec<String> = key_columns.iter().map(|name| cell(name)).collect();
            let values: Vec<String> = spec.columns.iter().map(|column| cell(column.name)).collect();
            let key = format!("{} {}", spec.name, key.join(" "));
            if let Some(block) = batch.column_by_name("updated_block") {
                let block = block.as_primitive::<arrow_array::types::UInt64Type>().value(row);
                let log = batch.column_by_name("updated_log").unwrap();
                let version = (block, log.as_primitive::<arrow_array::types::UInt32Type>().value(row));
                let before = versions.insert(key.clone(), version);
                assert!(before.is_none_or(|before| before <= version), "{key}: {version:?} after {before:?}");
            }
            rows.insert(key, values.join(" "));
        }
    }
    rows
}

fn kind_of(text: &str) -> EventKind {
    text.parse().unwrap_or_else(|error: String| panic!("{error}"))
}

fn identity(what: &Happening) -> Identity {
    let number: u64 = what.item[1..].parse().unwrap();
    if what.item.starts_with('C') {
        return Identity { sscc: Some(cast::sscc(number)), ..Identity::default() };
    }
    if what.item.starts_with('L') {
        let lot = Some(what.item.parse().unwrap());
        return Identity { gtin: Some(cast::gtin()), lot, ..Identity::default() };
    }
    let day = what
        .expiry
        .as_deref()
        .map(|day| i32::try_from(cast::secs(&format!("{day}T00:00")) / 86_400).unwrap());
    Identity {
        gtin: Some(if what.unregistered { cast::unknown_gtin() } else { cast::gtin() }),
        serial: Some(what.item.parse().unwrap()),
        lot: Some(what.lot.as_deref().unwrap_or("L1").parse().unwrap()),
        expiry_day: day,
        ..Identity::default()
    }
}

fn units(text: &str) -> U256 {
    if text == "max" { U256::MAX } else { text.parse().unwrap() }
}

fn token(item: &str) -> U256 {
    let offset = if item.starts_with('C') { 1_000_000 } else { 0 };
    U256::from(offset + item[1..].parse::<u64>().unwrap())
}

fn event(what: &Happening, block: u64, log: u32, block_time_secs: i64) -> Event {
    let kind = kind_of(&what.kind);
    let contract = address(what.contract.as_deref().unwrap_or("packs"));
    let named = matches!(kind, EventKind::Commissioning | EventKind::Identity);
    let (log, sub) = if what.one_log { (0, log) } else { (log, 0) };
    let mut tx = [7; 32];
    tx[..8].copy_from_slice(&block.to_be_bytes());
    tx[8..12].copy_from_slice(&(if what.one_transaction { 0 } else { log }).to_be_bytes());
    let party = |name: &Option<String>| -> Option<Address> { name.as_deref().map(address) };
    Event {
        tx_hash: tx.into(),
        tx_index: log,
        block_time_secs,
        event_time_secs: Some(cast::secs(&what.at)),
        token: Some(what.token.map_or_else(|| token(&what.item), U256::from)),
        identity: if named { identity(what) } else { Identity::default() },
        from: party(&what.from),
        to: party(&what.to),
        actor: party(&what.by),
        parent: what.parent.as_deref().map(token),
        quantity: what.quantity.as_deref().map(units),
        place: what.place.as_ref().map(|place| cast::gln_of(place)),
        reason: what.reason.as_ref().map(|reason| reason.parse().unwrap()),
        ..Event::bare(kind, contract, LogPosition { block, log, sub })
    }
}
