//! The core's way from versions of the registry to rows of the table `registry`.
//!
//! A row stands from the first block that it is in force for to the first that it no longer is. Both follow from the
//! versions and their positions alone, so that a fresh index gives the same rows: a reorg undoes nothing here but the
//! block with which rows began to be given.

use super::Chain;
use crate::registry::Index;
use crate::rows::registered::{self, Registered};
use model::B256;
use model::segment::Segment;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Chain {
    /// The rows that come into force or go out of it within a segment, in the order of their blocks.
    pub(super) fn registered(&mut self, segment: &Segment, none: &Arc<Index>) -> Vec<Registered> {
        let mut rows = Vec::new();
        for block in self.turns(segment) {
            let new = self.registry_at(block, none);
            let old = match self.registry_told {
                Some(_) => self.registry_at(block.saturating_sub(1), none),
                None => none,
            };
            if !Arc::ptr_eq(old, new) {
                let (gone, come) = (registered::without(old, new), registered::without(new, old));
                let gone = gone.map(|(hash, stated)| {
                    let from_block = self.in_force_since(&hash, block.saturating_sub(1), none);
                    Registered { hash, stated, from_block, to_block: Some(block) }
                });
                let come = come.map(|(hash, stated)| {
                    let from_block = self.in_force_since(&hash, block, none);
                    Registered { hash, stated, from_block, to_block: None }
                });
                rows.extend(gone.chain(come));
                self.registry_told.get_or_insert(block);
            }
        }
        rows
    }

    /// The blocks of a segment that another version may be in force for than for the block below: its first, and those
    /// after which a version came.
    fn turns(&self, segment: &Segment) -> BTreeSet<u64> {
        let within = segment.first_number..=segment.last.number;
        let turns = self.starts().filter(|start| within.contains(start));
        turns.chain([segment.first_number]).collect()
    }

    /// The first block that each version is meant for.
    fn starts(&self) -> impl Iterator<Item = u64> {
        self.registries.iter().map(|index| index.version().after.map_or(0, |after| after + 1))
    }

    /// The first of the blocks up to `block` through which a row was in force.
    fn in_force_since(&self, hash: &B256, block: u64, none: &Arc<Index>) -> u64 {
        let starts: BTreeSet<u64> = self.starts().filter(|start| *start <= block).collect();
        let has_row = |start: &u64| self.registry_at(*start, none).has_row(hash);
        starts.into_iter().rev().take_while(has_row).last().unwrap_or(block)
    }
}

#[cfg(test)]
mod tests {
    use crate::core::{Core, Setup};
    use crate::rules::Parameters;
    use arrow_array::cast::AsArray;
    use arrow_array::types::UInt64Type;
    use arrow_array::{Array, RecordBatch};
    use model::B256;
    use model::chain::{BlockRef, ChainId};
    use model::change::{Change, Epoch, Record, RegistryVersion, Sequence};
    use model::commit::Effect;
    use model::registry::{Licence, LicenceStatus, LicenceType, Party, Registry, Role, Validity};
    use model::segment::{Finality, LogsBuilder, Segment, VerificationLevel};
    use model::tables::Table;
    use std::collections::BTreeMap;
    use std::ops::RangeInclusive;
    use std::sync::Arc;

    const GLN: &str = "4012345000009";

    /// A table that reorgs cut, as a store keeps it: the newest row of each key.
    struct Stage {
        core: Core,
        sequence: u64,
        rows: Vec<(u64, [String; 4])>,
    }

    impl Stage {
        fn new() -> Self {
            let core = Core::new(Setup { profiles: Arc::default(), parameters: Parameters::default() });
            Self { core, sequence: 0, rows: Vec::new() }
        }

        fn take(&mut self, change: Change) -> &mut Self {
            self.sequence += 1;
            let (chain, sequence) = (ChainId(1), Sequence(self.sequence));
            let record = Record { chain, epoch: Epoch::default(), sequence, change };
            match self.core.step(&record).unwrap().unwrap().effect {
                Effect::Append { rows, last, .. } => {
                    let told = rows.iter().filter(|(table, _)| *table == Table::Registry);
                    let told = told.flat_map(|(_, batch)| lines(batch));
                    self.rows.extend(told.map(|row| (last.number, row)));
                }
                Effect::Revert { to } => self.rows.retain(|(block, _)| *block <= to.number),
                Effect::None | Effect::Finalize { .. } => {}
            }
            self
        }

        /// Appends blocks one by one, as they come at the head.
        fn append(&mut self, blocks: RangeInclusive<u64>) -> &mut Self {
            blocks.for_each(|block| self.segment(block..=block, Finality::Open));
            self
        }

        /// Appends blocks as one final run.
        fn run(&mut self, blocks: RangeInclusive<u64>) -> &mut Self {
            self.segment(blocks, Finality::Final);
            self
        }

        fn segment(&mut self, blocks: RangeInclusive<u64>, finality: Finality) {
            let block = |number| BlockRef { number, hash: B256::with_last_byte(number as u8) };
            self.take(Change::Append(Arc::new(Segment {
                first_number: *blocks.start(),
                parent_hash: block(blocks.start() - 1).hash,
                last: block(*blocks.end()),
                last_time_secs: 0,
                finality,
                level: VerificationLevel::Off,
                filter: B256::ZERO,
                blocks: Vec::new(),
                logs: LogsBuilder::default().finish().unwrap(),
                incidents: Vec::new(),
            })));
        }

        fn revert(&mut self, number: u64) -> &mut Self {
            self.take(Change::Revert(BlockRef { number, hash: B256::with_last_byte(number as u8) }))
        }

        fn registry(&mut self, version: u64, after: Option<u64>, rows: &Registry) -> &mut Self {
            let rows = Arc::new(rows.clone());
            self.take(Change::Registry(Arc::new(RegistryVersion { version, after, rows })))
        }

        /// List, name or status, from, to of each row as it stands.
        fn shown(&self) -> Vec<String> {
            let mut newest = BTreeMap::new();
            for (block, [list, says, from, to]) in &self.rows {
                let entry = newest.entry((list, says, from)).or_insert((block, to));
                if block >= entry.0 {
                    *entry = (block, to);
                }
            }
            let line = |((list, says, from), (_, to))| format!("{list} {says} {from}..{to}");
            newest.into_iter().map(line).collect()
        }
    }

    fn lines(batch: &RecordBatch) -> Vec<[String; 4]> {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap();
            let value = column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned());
            value.unwrap_or_default()
        };
        let number = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap().as_primitive::<UInt64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        let line = |row| {
            let says = text("name", row) + &text("status", row);
            let (from, to) = (number("from_block", row).unwrap(), number("to_block", row));
            [text("list", row), says, from.to_string(), to.map_or_else(String::new, |to| to.to_string())]
        };
        (0..batch.num_rows()).map(line).collect()
    }

    fn of(names: &[&str], status: Option<LicenceStatus>) -> Registry {
        let party = |name: &&str| Party {
            gln: GLN.parse().unwrap(),
            name: (*name).to_owned(),
            country: "DE".to_owned(),
            role: Role::Wholesaler,
            tz: "Europe/Berlin".to_owned(),
            validity: Validity::ALWAYS,
        };
        let licence = |status| Licence {
            party: GLN.parse().unwrap(),
            kind: LicenceType::Wholesale,
            jurisdiction: "DE".to_owned(),
            status,
            validity: Validity { to_secs: 77, ..Validity::ALWAYS },
        };
        let (parties, licences) =
            (names.iter().map(party).collect(), status.map(licence).into_iter().collect());
        Registry { parties, licences, ..Registry::default() }
    }

    #[test]
    fn a_row_stands_as_long_as_every_version_has_it() {
        let mut stage = Stage::new();
        stage.registry(1, None, &of(&["North", "South"], Some(LicenceStatus::Active))).append(5..=7);
        stage.registry(2, Some(7), &of(&["North"], Some(LicenceStatus::Revoked))).append(8..=9);
        stage.registry(3, Some(9), &of(&["North", "South"], Some(LicenceStatus::Revoked))).append(10..=10);
        assert_eq!(
            stage.shown(),
            [
                "licences active 0..8",
                "licences revoked 8..",
                "parties North 0..",
                "parties South 0..8",
                "parties South 10..",
            ]
        );
    }

    #[test]
    fn a_reorg_takes_back_what_came_and_what_went() {
        let mut stage = Stage::new();
        stage.registry(1, None, &of(&["North", "South"], None)).append(5..=7);
        stage.registry(2, Some(7), &of(&["North", "East"], None)).append(8..=8);
        let told = ["parties East 8..", "parties North 0..", "parties South 0..8"];
        assert_eq!(stage.shown(), told);
        assert_eq!(stage.revert(7).shown(), ["parties North 0..", "parties South 0.."]);
        assert_eq!(stage.append(8..=8).shown(), told);
        // Below its place it is not in force; told again at the new tip, it is from there.
        stage.revert(6).append(7..=7).registry(2, Some(7), &of(&["North", "East"], None)).append(8..=9);
        assert_eq!(stage.shown(), told);
        // Everything was taken back: what is in force is told with the first block again.
        assert_eq!(stage.revert(4).shown(), [""; 0]);
        assert_eq!(stage.append(5..=9).shown(), told);
    }

    #[test]
    fn one_long_run_and_many_short_ones_tell_the_same() {
        let versions = [of(&["North"], None), of(&["North", "East"], None)];
        let mut short = Stage::new();
        short.registry(1, None, &versions[0]).append(1..=3);
        short.registry(2, Some(3), &versions[1]).append(4..=4).append(5..=6);
        let mut long = Stage::new();
        long.registry(1, None, &versions[0]).registry(2, Some(3), &versions[1]).run(1..=6);
        assert_eq!(short.shown(), long.shown());
        assert_eq!(long.shown(), ["parties East 4..", "parties North 0.."]);
    }
}
