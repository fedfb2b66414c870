//! Goes back below finality: the repair for a reorg that a chain had called impossible.
//!
//! State as of any block is not kept; it is as of the records of the commit log. So a chain goes back to the
//! newest record at which its rows reached no further than the block asked for, by a new record that makes the
//! segments of then live again. That can be done while their files are there: they outlive their replacement by
//! some flushes. After that, only building anew helps.
//!
//! What people were told is not taken back: notices and incidents stay.

use super::config::Config;
use super::core::Core;
use super::files::{DiskFiles, Files};
use super::flush::cases_in;
use super::log::{log_paths, read_file};
use super::manifest::Manifest;
use super::open::{commits_dir, lock, recover, replay};
use super::record::Checkpoint;
use super::segment::{Segment, SegmentMeta, io_error};
use crate::chain::Marks;
use crate::error::{Error, Result};
use crate::told::Told;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::change::Position;
use model::tables::Table;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a chain stands after it went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewound {
    /// The chain.
    pub chain: ChainId,
    /// The stream goes on after this place.
    pub state_at: Position,
    /// Notices of changes after it: people were told, and it may not come again.
    pub told_after: u64,
    /// Segments that count no more.
    pub retired_segments: u64,
}

/// Takes a chain back to block `to` or below, to the nearest place that the store can go back to.
///
/// # Errors
/// [`Error::TooFarBack`] when files of that time are gone; [`Error::Diverged`] when the chain is not here.
pub fn rewind(config: Config, chain: ChainId, to: u64) -> Result<Rewound> {
    rewind_in(config, Arc::new(DiskFiles), chain, to)
}

/// The same, in another file system.
pub fn rewind_in(config: Config, files: Arc<dyn Files>, chain: ChainId, to: u64) -> Result<Rewound> {
    let _lock = lock(&*files, &config.dir)?;
    let mut core = recover(config.clone(), files.clone())?;
    let Some(now) = core.manifest.chains.get(&chain).copied() else {
        return Err(Error::Diverged { chain, detail: "no rows of it are here".into() });
    };
    if reaches_at_most(&now, to) {
        return Ok(Rewound { chain, state_at: now.state_at, told_after: 0, retired_segments: 0 });
    }
    let then = manifest_at(&config, &files, chain, to)?;
    check_files(&*files, &core, &then, chain)?;
    let rewound = go_back(&mut core, &then, chain);
    core.close();
    rewound
}

fn reaches_at_most(marks: &Marks, to: u64) -> bool {
    marks.state_at.tip.is_none_or(|tip| tip.number <= to)
}

/// What the store held after the newest record at which the chain reached no further than `to`.
fn manifest_at(config: &Config, files: &Arc<dyn Files>, chain: ChainId, to: u64) -> Result<Manifest> {
    for path in log_paths(&**files, &commits_dir(&config.dir))?.iter().rev() {
        let mut found = None;
        replay(config, files, read_file(&**files, path)?.records, |manifest| {
            let marks = manifest.chains.get(&chain).copied().unwrap_or_default();
            if reaches_at_most(&marks, to) {
                found = Some(manifest.clone());
            }
        })?;
        if let Some(manifest) = found {
            return Ok(manifest);
        }
    }
    Err(Error::TooFarBack {
        chain,
        detail: format!("no record of the commit log ends at block {to} or below"),
    })
}

/// Are the files of then still there?
fn check_files(files: &dyn Files, core: &Core, then: &Manifest, chain: ChainId) -> Result<()> {
    let dir = &core.place.dir;
    let there: BTreeSet<String> = files.list(dir).map_err(io_error("list", dir))?.into_iter().collect();
    let of_chain = |segment: &&Arc<Segment>| segment.meta.chain == chain && !is_history(&segment.meta);
    let missing = then.live().filter(of_chain).find(|segment| !there.contains(&segment.meta.file_name()));
    if then.generation == core.manifest.generation && missing.is_none() {
        return Ok(());
    }
    let to = then.chains.get(&chain).and_then(|marks| marks.state_at.tip).map_or(0, |tip| tip.number);
    let detail = format!(
        "the nearest place to go back to is block {to}, and files of that time have been merged away"
    );
    Err(Error::TooFarBack { chain, detail })
}

/// Notices and incidents are history: they stay as they are.
fn is_history(segment: &SegmentMeta) -> bool {
    [Table::Notices, Table::Incidents].iter().any(|table| segment.table == table.name())
}

fn go_back(core: &mut Core, then: &Manifest, chain: ChainId) -> Result<Rewound> {
    let marks = then.chains.get(&chain).copied().unwrap_or_default();
    let now = core.manifest.checkpoint();
    let told: Vec<Told> = now.told.iter().filter(|told| told.chain == chain).cloned().collect();
    let gone = |segment: &&SegmentMeta| segment.chain == chain && !is_history(segment);
    let back: Vec<SegmentMeta> =
        then.live().map(|segment| segment.meta.clone()).filter(|meta| gone(&meta)).collect();
    let back_ids: BTreeSet<u64> = back.iter().map(|segment| segment.id).collect();
    let retired: Vec<SegmentMeta> =
        now.segments.iter().filter(gone).filter(|segment| !back_ids.contains(&segment.id)).cloned().collect();
    let rewound = Rewound {
        chain,
        state_at: marks.state_at,
        told_after: told.iter().map(|told| told.notices.len() as u64).sum(),
        retired_segments: retired.len() as u64,
    };
    let history = core.file_told(chain, &told)?;
    let hidden = hidden_then(core, then, &back)?;
    let checkpoint = Checkpoint {
        next_id: history.iter().map(|segment| segment.id + 1).max().unwrap_or(now.next_id).max(now.next_id),
        chains: now
            .chains
            .iter()
            .map(|(id, now)| (*id, if *id == chain { at_state(marks) } else { *now }))
            .collect(),
        segments: now
            .segments
            .iter()
            .filter(|segment| !gone(segment))
            .cloned()
            .chain(back)
            .chain(history)
            .collect(),
        retired: now
            .retired
            .iter()
            .filter(|(_, segment)| !back_ids.contains(&segment.id))
            .cloned()
            .chain(retired.into_iter().map(|segment| (now.flushes, segment)))
            .collect(),
        told: now.told.iter().filter(|told| told.chain != chain).cloned().collect(),
        hidden,
        ..now.clone()
    };
    core.replace(checkpoint)?;
    Ok(rewound)
}

/// A chain that goes back tells anew what comes after.
fn at_state(marks: Marks) -> Marks {
    Marks { written_to: marks.state_at, ..marks }
}

/// Cases that are not to be seen: those of the chain as they were then, those of others as they are.
fn hidden_then(core: &Core, then: &Manifest, back: &[SegmentMeta]) -> Result<Vec<CaseKey>> {
    let ids: BTreeSet<u64> = back.iter().map(|segment| segment.id).collect();
    let alerts = then
        .live()
        .filter(|segment| segment.meta.table == Table::Alerts.name() && ids.contains(&segment.meta.id));
    let all: BTreeSet<CaseKey> = core.manifest.hidden.union(&then.hidden).copied().collect();
    let of_chain = cases_in(alerts, &all)?;
    let others = core.manifest.hidden.difference(&of_chain).copied();
    Ok(others.chain(then.hidden.intersection(&of_chain).copied()).collect())
}
