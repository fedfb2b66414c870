//! The core's way from a version of the registry to what it judges again: which version is due where, and what of the
//! past it needs at hand.
//!
//! A version is due in the first block after its `after`. Nothing of that need be remembered: a reorg that takes the
//! block back undoes what was done in it, and the block in its place is the first one again.

use super::{Chain, Core, Setup};
use crate::apply;
use crate::registry::Index;
use crate::rejudge::{self, Late, query};
use crate::rows::Rows;
use crate::rules::Parameters;
use model::change::{Change, Record};
use model::incident::{Incident, IncidentKind};
use model::past::{Newest, PAST_STEPS_MAX, Past, PastQuery};
use model::segment::Segment;
use std::collections::VecDeque;
use std::sync::Arc;

/// A version of the registry that comes into force, and the one before it.
#[derive(Debug)]
pub(super) struct Due {
    /// The last block that it is not in force for.
    after: u64,
    old: Arc<Index>,
    new: Arc<Index>,
    past: Past,
}

/// The versions that are due in a segment, in the order of their blocks, with the past that they need.
#[derive(Debug, Default)]
pub(super) struct Known(VecDeque<Due>);

impl Known {
    /// `past` is what was found for the queries of these versions.
    pub(super) fn new(due: impl Iterator<Item = Due>, past: Vec<Past>) -> Self {
        let mut known: VecDeque<Due> = due.collect();
        for found in past {
            if let Some(due) = known.iter_mut().find(|due| due.after == found.after) {
                due.past = found;
            }
        }
        Self(known)
    }

    /// The next version that is in force for events of `block`.
    pub(super) fn due_before(&mut self, block: u64) -> Option<Due> {
        if self.0.front()?.after < block { self.0.pop_front() } else { None }
    }
}

impl Core {
    /// The steps of the past that must be at hand to take `record`: nearly always none. Those of the record itself
    /// the core has.
    pub fn wants_past(&self, record: &Record) -> Vec<PastQuery> {
        let (Change::Append(segment), Some(chain)) = (&record.change, self.chains.get(&record.chain)) else {
            return Vec::new();
        };
        let fenced = record.epoch < chain.position.epoch;
        if fenced || record.sequence != chain.position.sequence.next() {
            return Vec::new();
        }
        let due = chain.versions_due(segment, &self.no_registry);
        let queries = due.map(|due| chain.query(&due, segment, &self.setup.parameters));
        queries.filter(|query| !query.is_empty()).collect()
    }
}

impl Chain {
    /// The versions that come into force within a segment, in the order of their blocks.
    pub(super) fn versions_due(&self, segment: &Segment, none: &Arc<Index>) -> impl Iterator<Item = Due> {
        let within = segment.first_number..=segment.last.number;
        let after = self.registries.iter().filter_map(|index| index.version().after);
        let mut after: Vec<u64> = after.filter(|after| within.contains(&(after + 1))).collect();
        after.sort_unstable();
        after.dedup();
        after.into_iter().filter_map(|after| {
            let (old, new) = (self.registry_at(after, none), self.registry_at(after + 1, none));
            let changes = !Arc::ptr_eq(old, new) && old.version().rows != new.version().rows;
            changes.then(|| Due { after, old: old.clone(), new: new.clone(), past: Past::default() })
        })
    }

    fn query(&self, due: &Due, segment: &Segment, parameters: &Parameters) -> PastQuery {
        let end = i64::try_from(segment.last_time_secs).unwrap_or(i64::MAX);
        let until_secs = self.state.now_secs.max(end);
        let scope = query::Scope { chain: self.state.chain, after: due.after, until_secs, parameters };
        query::query(&due.old, &due.new, scope)
    }

    /// Judges by a version what came before it: what was asked for, and what this segment told so far. Gives what is to
    /// be said where that was too much.
    pub(super) fn judge_again(
        &mut self,
        setup: &Setup,
        segment: &Segment,
        mut due: Due,
        rows: &mut Rows,
    ) -> Option<Incident> {
        self.pass_time(segment, due.after);
        let query = self.query(&due, segment, &setup.parameters);
        let mut newest = Newest::new(PAST_STEPS_MAX);
        std::mem::take(&mut due.past.steps).into_iter().for_each(|step| newest.push(step));
        rows.past(&query).for_each(|step| newest.push(step));
        let Past { steps, left_out, .. } = newest.finish(due.after);
        let left_out = left_out + due.past.left_out;
        let late = Late {
            old: &due.old,
            new: &due.new,
            parameters: &setup.parameters,
            profiles: &setup.profiles,
            block: due.after + 1,
        };
        rejudge::version(&mut self.state, &late, &steps, rows);
        (left_out > 0).then(|| self.left_out(&due, left_out))
    }

    /// Time goes on up to block `after`: what was due by then comes before what is judged again. A segment that ends
    /// there has told its time already; one that goes on tells it where it names the block. Ingest ends final runs
    /// there, so that one that does not is a run of before a restart whose block had no logs; then time goes on to
    /// the last block below it that has.
    fn pass_time(&mut self, segment: &Segment, after: u64) {
        let below = segment.blocks.iter().take_while(|meta| meta.block.number <= after);
        if let Some(secs) = below.last().and_then(|meta| i64::try_from(meta.time_secs).ok()) {
            apply::fire_timers(&mut self.state, secs, after);
        }
    }

    fn left_out(&self, due: &Due, count: u64) -> Incident {
        let version = due.new.version().version;
        Incident {
            chain: self.state.chain,
            block: Some(due.after + 1),
            kind: IncidentKind::PastLeftOut,
            endpoint: String::new(),
            detail: format!(
                "version {version} of the registry concerns {count} steps beyond the newest {PAST_STEPS_MAX}, \
                 which were not judged again; `rxtrail rederive` judges all of them"
            ),
        }
    }
}
