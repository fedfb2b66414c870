//! What the writer has taken: where each chain stands, what waits for the next commit, what the chain took back.
//! Pure: the server is not asked here.
//!
//! Rows of open blocks are sent at once, so that readers see them, and are named as dead when the chain takes their
//! blocks back. Custody state of open blocks waits until they are final: a restart begins there.

use super::book::Void;
use super::moment::{Body, Dead, Stand};
use super::waiting::Waiting;
use crate::Recovery;
use crate::chain::{Chain, Marks};
use crate::error::Result;
use crate::forms::Form;
use crate::rows::NoticeRow;
use crate::told::Told;
use crate::versions::Versions;
use arrow_array::RecordBatch;
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::commit::{AlertChange, Commit, Effect};
use model::tables::Table;
use std::collections::BTreeMap;

/// What was told with changes that are read again after a restart, by chain and change.
pub(super) type Before = BTreeMap<(ChainId, u64), Vec<NoticeRow>>;

/// What the writer has taken.
#[derive(Debug)]
pub(super) struct Taken {
    chains: BTreeMap<ChainId, Chain>,
    /// Where each chain stood at the last commit.
    stands: BTreeMap<ChainId, Stand>,
    dead: Vec<Dead>,
    before: Before,
    pub(super) waiting: Waiting,
}

impl Taken {
    /// Begins where a commit left off.
    pub(super) fn new(body: &Body, before: Before) -> Self {
        let chain = |(id, stand): (&ChainId, &Stand)| (*id, Chain::new(*id, stand.marks));
        Self {
            chains: body.chains.iter().map(chain).collect(),
            stands: body.chains.clone(),
            dead: body.dead.clone(),
            before,
            waiting: Waiting::default(),
        }
    }

    /// Where each chain was left at the last commit.
    pub(super) fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        let known = self.stands.iter().filter(|(id, _)| **id != ChainId::ACROSS);
        known
            .map(|(id, Stand { marks, .. })| {
                let Marks { state_at, state_time_secs, written_to } = *marks;
                (*id, Recovery { state_at, state_time_secs, written_to })
            })
            .collect()
    }

    /// How far a chain is committed.
    pub(super) fn written_to(&self, chain: ChainId) -> Position {
        self.stands.get(&chain).map(|stand| stand.marks.written_to).unwrap_or_default()
    }

    /// Takes a commit. One that does not stand on what is here changes nothing.
    pub(super) fn take(&mut self, commit: Commit) -> Result<()> {
        let chain =
            self.chains.entry(commit.chain).or_insert_with(|| Chain::new(commit.chain, Marks::default()));
        chain.check(&commit)?;
        let told = Told::of(&commit)?;
        if commit.position.sequence <= chain.marks.written_to.sequence {
            let before = self.before.get(&(told.chain, told.sequence())).map(Vec::as_slice);
            told.is_what_was_told(before.unwrap_or_default())?;
            return self.apply(commit, true);
        }
        self.waiting.add_told(told);
        self.waiting.add_change();
        self.apply(commit, false)
    }

    /// What the next commit says, beside its rows.
    pub(super) fn body(&self, void: &Void, versions: &Versions) -> Body {
        let chains = self.chains.iter().map(|(id, chain)| (*id, self.stand(*id, chain)));
        let chains = chains.filter(|(_, stand)| stand.marks.written_to.sequence.0 > 0);
        Body {
            chains: chains.collect(),
            void: void.clone(),
            dead: self.dead.clone(),
            versions: versions.clone(),
        }
    }

    /// Everything that waited is committed as `body` says.
    pub(super) fn committed(&mut self, body: &Body) {
        self.waiting = Waiting::default();
        self.stands.clone_from(&body.chains);
        for (id, chain) in &mut self.chains {
            if let Some(stand) = body.chains.get(id) {
                chain.settle(stand.marks);
            }
        }
        let state_at = |chain: &ChainId| body.chains.get(chain).map(|stand| stand.marks.state_at.sequence.0);
        self.before
            .retain(|(chain, sequence), _| state_at(chain).is_none_or(|state_at| *sequence > state_at));
    }

    /// How far a chain was read.
    pub(super) fn read_to(&self, chain: ChainId) -> Sequence {
        self.chains.get(&chain).map(|chain| chain.position.sequence).unwrap_or_default()
    }

    /// What a chain had taken back by the place that it was read to: after a restart that may be before what it took
    /// back since.
    pub(super) fn dead_before(&self, chain: ChainId) -> Vec<Dead> {
        let upto = self.read_to(chain).0;
        self.dead.iter().filter(|dead| dead.chain == chain && dead.last <= upto).copied().collect()
    }

    /// The ranges that are dead are so no more: their rows are gone.
    pub(super) fn buried(&mut self, gone: &[Dead]) {
        self.dead.retain(|dead| !gone.contains(dead));
    }

    fn stand(&self, id: ChainId, chain: &Chain) -> Stand {
        let last = self.stands.get(&id).copied().unwrap_or_default();
        if chain.position.sequence < last.marks.written_to.sequence {
            // What was committed before is being read again.
            return last;
        }
        let (state_at, state_time_secs) =
            chain.ready.unwrap_or((last.marks.state_at, last.marks.state_time_secs));
        Stand {
            marks: Marks { state_at, state_time_secs, written_to: chain.position },
            tip_time_secs: chain.time_secs,
        }
    }

    /// Does to what is here what the commit says; of one that is read again the rows are there already.
    fn apply(&mut self, commit: Commit, again: bool) -> Result<()> {
        let Commit { chain: id, position, mut effect, alerts, .. } = commit;
        let Some(chain) = self.chains.get_mut(&id) else { return Ok(()) };
        let sequence = position.sequence.0;
        if !again {
            for AlertChange { case_key, alert, updated, stable } in alerts {
                let form = Form { chain: id, sequence, updated, stable, alert };
                self.waiting.add_form(case_key, form);
            }
        }
        if let Effect::Append { rows, .. } = &mut effect {
            let sent: Vec<_> = rows.extract_if(.., |(table, _)| *table != Table::State).collect();
            if !again {
                add(&mut self.waiting, id, sequence, &sent)?;
            }
        }
        let is_revert = matches!(effect, Effect::Revert { .. });
        let settled = chain.apply(position, effect);
        if is_revert && !again {
            let first = chain.stands_at().0 + 1;
            self.waiting.drop_from(id, first);
            if first <= chain.marks.written_to.sequence.0 {
                self.dead.push(Dead { chain: id, first, last: sequence });
            }
        }
        for entry in settled {
            add(&mut self.waiting, id, entry.position.sequence.0, &entry.rows)?;
        }
        Ok(())
    }
}

fn add(waiting: &mut Waiting, chain: ChainId, sequence: u64, rows: &[(Table, RecordBatch)]) -> Result<()> {
    rows.iter().try_for_each(|(table, rows)| waiting.add(*table, chain, sequence, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, block_rows, commit_append, commit_effect};
    use model::segment::Finality;

    fn open(sequence: u64, number: u64, fork: u8) -> Commit {
        let mut commit = commit_append(1, sequence, number..=number, fork, Finality::Open);
        if let Effect::Append { rows, .. } = &mut commit.effect {
            *rows = vec![(Table::Blocks, block_rows(1, &[number]))];
        }
        commit
    }

    fn sequences(taken: &Taken) -> Vec<u64> {
        let kept = taken.waiting.kept(1).unwrap();
        let rows = kept.get(&Table::Blocks).into_iter().flatten();
        rows.flat_map(|rows| {
            let column = rows.column_by_name("sequence").unwrap();
            arrow_array::cast::AsArray::as_primitive::<arrow_array::types::UInt64Type>(column)
                .values()
                .to_vec()
        })
        .collect()
    }

    #[test]
    fn what_the_chain_took_back_is_not_sent_or_named_as_dead() {
        let mut taken = Taken::new(&Body::default(), Before::new());
        taken.take(open(1, 10, 0)).unwrap();
        taken.take(open(2, 11, 0)).unwrap();
        let body = taken.body(&Void::default(), &Versions::default());
        taken.committed(&body);
        taken.take(open(3, 12, 0)).unwrap();
        taken.take(commit_effect(1, 4, Effect::Revert { to: block(10, 0) })).unwrap();
        taken.take(open(5, 11, 0)).unwrap();
        assert_eq!(sequences(&taken), [5], "block 12 was never sent");
        let body = taken.body(&Void::default(), &Versions::default());
        assert_eq!(body.dead, [Dead { chain: ChainId(1), first: 2, last: 4 }], "block 11 was");
        assert_eq!(body.chains[&ChainId(1)].marks.written_to.sequence.0, 5);
    }

    #[test]
    fn a_block_that_comes_back_counts_as_often_as_the_chain_says_so() {
        let mut taken = Taken::new(&Body::default(), Before::new());
        let commit = |taken: &mut Taken| {
            let body = taken.body(&Void::default(), &Versions::default());
            taken.committed(&body);
            body
        };
        taken.take(open(1, 10, 0)).unwrap();
        taken.take(open(2, 11, 0)).unwrap();
        commit(&mut taken);
        taken.take(commit_effect(1, 3, Effect::Revert { to: block(10, 0) })).unwrap();
        commit(&mut taken);
        // The very same block again: its rows have another place in the stream, so that they are not dead.
        taken.take(open(4, 11, 0)).unwrap();
        assert_eq!(sequences(&taken), [4]);
        assert_eq!(commit(&mut taken).dead, [Dead { chain: ChainId(1), first: 2, last: 3 }]);
        taken.take(commit_effect(1, 5, Effect::Revert { to: block(10, 0) })).unwrap();
        taken.take(open(6, 11, 0)).unwrap();
        assert_eq!(sequences(&taken), [6]);
        let dead = [(2, 3), (2, 5)].map(|(first, last)| Dead { chain: ChainId(1), first, last });
        assert_eq!(commit(&mut taken).dead, dead);
    }

    #[test]
    fn what_is_read_again_after_a_restart_is_not_sent_again() {
        let mut first = Taken::new(&Body::default(), Before::new());
        first.take(commit_append(1, 1, 1..=9, 0, Finality::Final)).unwrap();
        first.take(open(2, 10, 0)).unwrap();
        let body = first.body(&Void::default(), &Versions::default());
        let mut second = Taken::new(&body, Before::new());
        assert_eq!(second.recovered()[&ChainId(1)].state_at.sequence.0, 1);
        second.take(open(2, 10, 0)).unwrap();
        assert!(second.waiting.is_empty());
        second.take(open(3, 11, 0)).unwrap();
        assert_eq!(sequences(&second), [3]);
        second.take(commit_effect(1, 4, Effect::Finalize { upto: block(10, 0) })).unwrap();
        let body = second.body(&Void::default(), &Versions::default());
        assert_eq!(body.chains[&ChainId(1)].marks.state_at.sequence.0, 2);
    }
}
