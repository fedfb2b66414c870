//! The power goes at every step of a life of the bus, in every way that a disk may take it. What comes up again is
//! the stream as it was published, without a gap, and nothing that was durable is missing.

use super::LocalBus;
use crate::memory::{MemoryDisk, PowerCut};
use crate::sample::{block, final_run, noise, open_block, open_block_with, registry};
use crate::{Bus as _, Publisher, Subscriber};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record};
use model::segment::Finality;
use std::collections::BTreeMap;

const ONE: ChainId = ChainId(1);
const TWO: ChainId = ChainId(2);

enum Step {
    Open(ChainId),
    Publish(ChainId, Change),
    /// The store commits everything up to this many records of the chain, and acknowledges it.
    Commit(ChainId, usize),
}

/// What a process did before the power went.
#[derive(Default)]
struct Life {
    published: BTreeMap<ChainId, Vec<Record>>,
    committed: BTreeMap<ChainId, Position>,
    /// What was being published when it went.
    in_flight: Option<(ChainId, Change)>,
    is_complete: bool,
}

impl Life {
    fn position(&self, chain: ChainId, count: usize) -> Position {
        let records = self.published.get(&chain).into_iter().flatten().take(count);
        records.fold(Position::default(), Position::after)
    }

    /// The highest version of the registry among what was committed and what is read again.
    fn registry_version(&self, chain: ChainId, replayed: &[Record]) -> u64 {
        let committed = self.committed.get(&chain).map_or(0, |position| position.sequence.0);
        let published = self.published.get(&chain).into_iter().flatten();
        let records = published.filter(|record| record.sequence.0 <= committed).chain(replayed);
        let version = |record: &Record| {
            if let Change::Registry(registry) = &record.change { registry.version } else { 0 }
        };
        records.map(version).max().unwrap_or(0)
    }

    /// What must be read again: everything after what was committed, up to a final run that memory held.
    fn replay(&self, chain: ChainId) -> (Vec<Record>, bool) {
        let committed = self.committed.get(&chain).map_or(0, |position| position.sequence.0);
        let left =
            self.published.get(&chain).into_iter().flatten().filter(|record| record.sequence.0 > committed);
        let left: Vec<Record> = left.cloned().collect();
        let is_lost = |record: &Record| matches!(&record.change, Change::Append(segment) if segment.finality == Finality::Final);
        let kept: Vec<Record> = left.iter().take_while(|record| !is_lost(record)).cloned().collect();
        let is_whole = kept.len() == left.len();
        (kept, is_whole)
    }
}

/// Lives `steps` on `disk` until they end or the power goes.
async fn live(disk: &MemoryDisk, steps: &[Step]) -> Life {
    let mut life = Life::default();
    let Ok(bus) = LocalBus::on(Box::new(disk.clone()), BTreeMap::new()) else { return life };
    let mut subscriber = bus.subscriber().unwrap();
    let mut publishers: BTreeMap<ChainId, Box<dyn Publisher>> = BTreeMap::new();
    for step in steps {
        if !take(step, &bus, &mut subscriber, &mut publishers, &mut life).await {
            return life;
        }
    }
    life.is_complete = true;
    life
}

async fn take(
    step: &Step,
    bus: &LocalBus,
    subscriber: &mut Box<dyn Subscriber>,
    publishers: &mut BTreeMap<ChainId, Box<dyn Publisher>>,
    life: &mut Life,
) -> bool {
    let (chain, change) = match step {
        Step::Commit(chain, count) => {
            let position = life.position(*chain, *count);
            life.committed.insert(*chain, position);
            return subscriber.acknowledge(*chain, position).await.is_ok();
        }
        Step::Open(chain) => {
            let mut publisher = bus.publisher(*chain).unwrap();
            let epoch = life.position(*chain, usize::MAX).epoch;
            life.in_flight = Some((*chain, Change::Open(Epoch(epoch.0 + 1))));
            let Ok(epoch) = publisher.open().await else { return false };
            publishers.insert(*chain, publisher);
            (*chain, Change::Open(epoch))
        }
        Step::Publish(chain, change) => {
            life.in_flight = Some((*chain, change.clone()));
            let publisher = publishers.get_mut(chain).unwrap();
            if publisher.publish(change.clone()).await.is_err() {
                return false;
            }
            (*chain, change.clone())
        }
    };
    let record = subscriber.next().await.unwrap().unwrap();
    assert_eq!((record.chain, &record.change), (chain, &change));
    life.published.entry(chain).or_default().push(record);
    life.in_flight = None;
    true
}

/// The bus on what the disk kept is the stream of `life`, and goes on.
async fn check(disk: &MemoryDisk, life: &Life, context: &str) {
    let bus = LocalBus::on(Box::new(disk.clone()), life.committed.clone())
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut subscriber = bus.subscriber().unwrap();
    let mut tails = BTreeMap::new();
    for chain in [ONE, TWO] {
        let mut publisher = bus.publisher(chain).unwrap();
        tails.insert(chain, publisher.tail().await.unwrap());
        let epoch = publisher.open().await.unwrap();
        let known = life.published.get(&chain).into_iter().flatten().map(|record| record.epoch).max();
        assert!(Some(epoch) > known, "{context}: epoch {epoch:?} after {known:?}");
        let tip = tails[&chain].position.tip;
        let next = tip.map_or(1, |tip| tip.number + 1);
        let branch = tip.map_or(0, |tip| tip.hash[31]);
        publisher
            .publish(open_block(next, 77, branch))
            .await
            .unwrap_or_else(|error| panic!("{context}: {error}"));
    }
    drop(bus);
    let mut read: BTreeMap<ChainId, Vec<Record>> = BTreeMap::new();
    while let Some(record) = subscriber.next().await.unwrap() {
        read.entry(record.chain).or_default().push(record);
    }
    for chain in [ONE, TWO] {
        let records = read.remove(&chain).unwrap_or_default();
        let (replayed, new) = records.split_at(records.len() - 2);
        assert!(
            matches!(new, [Record { change: Change::Open(_), .. }, _]),
            "{context}: the new writer comes last"
        );
        let (mut expected, is_whole) = life.replay(chain);
        if let Some((_, change)) = life.in_flight.as_ref().filter(|(of, _)| *of == chain && is_whole)
            && replayed.len() == expected.len() + 1
        {
            let last = replayed.last().unwrap().clone();
            assert_eq!(last.change, *change, "{context}");
            expected.push(last);
        }
        assert_eq!(replayed, expected, "{context}: chain {chain}");
        let committed = life.committed.get(&chain).copied().unwrap_or_default();
        assert_eq!(tails[&chain].position, replayed.iter().fold(committed, Position::after), "{context}");
        assert_eq!(tails[&chain].registry_version, life.registry_version(chain, replayed), "{context}");
    }
}

/// How many steps `script` takes on the disk.
async fn steps_of(script: &[Step]) -> u64 {
    let disk = MemoryDisk::default();
    let life = live(&disk, script).await;
    assert!(life.is_complete);
    disk.steps()
}

fn everyday() -> Vec<Step> {
    use Step::{Commit, Open, Publish};
    vec![
        Open(ONE),
        Publish(ONE, registry(1)),
        Publish(ONE, final_run(1, 100)),
        Open(TWO),
        Open(ONE),
        Publish(TWO, open_block(7, 0, 0)),
        Publish(ONE, final_run(101, 200)),
        Commit(ONE, 5),
        Publish(ONE, open_block(201, 0, 0)),
        Publish(ONE, open_block(202, 0, 0)),
        Publish(ONE, Change::Revert(block(201, 0))),
        Publish(ONE, open_block(202, 1, 0)),
        Publish(TWO, Change::Revert(block(6, 0))),
        Publish(TWO, open_block(7, 1, 0)),
        Publish(ONE, Change::Finalize(block(201, 0))),
        Commit(ONE, 6),
        Publish(ONE, registry(2)),
        Open(ONE),
        Publish(ONE, open_block(203, 1, 1)),
        Publish(ONE, Change::Finalize(block(203, 1))),
        Publish(ONE, final_run_on_branch()),
        Publish(ONE, open_block(301, 0, 0)),
        Publish(TWO, Change::Finalize(block(7, 1))),
    ]
}

/// Blocks 204 to 300 on block 203 of branch 1.
fn final_run_on_branch() -> Change {
    let Change::Append(segment) = final_run(204, 300) else { unreachable!() };
    let mut segment = model::segment::Segment::clone(&segment);
    segment.parent_hash = block(203, 1).hash;
    Change::Append(segment.into())
}

#[tokio::test]
async fn the_power_may_go_at_any_step_and_again_while_the_log_is_opened() {
    let script = everyday();
    let steps = steps_of(&script).await;
    assert!(steps > 30, "{steps} steps");
    for step in 0..steps {
        let disk = MemoryDisk::default();
        disk.fail_after(step);
        let life = live(&disk, &script).await;
        assert!(!life.is_complete, "the power went at step {step}");
        for cut in PowerCut::ALL {
            check(&disk.after(cut), &life, &format!("step {step}, {cut:?}")).await;
            check_second_cuts(&disk, cut, &life, &format!("step {step}, {cut:?}")).await;
        }
    }
}

/// Opening a log writes too: it may be cut off as well, at any step.
async fn check_second_cuts(disk: &MemoryDisk, cut: PowerCut, life: &Life, context: &str) {
    for step in 0.. {
        let second = disk.after(cut);
        second.fail_after(step);
        let is_open = LocalBus::on(Box::new(second.clone()), life.committed.clone()).is_ok();
        for second_cut in PowerCut::ALL {
            check(&second.after(second_cut), life, &format!("{context}, then step {step}, {second_cut:?}"))
                .await;
        }
        if is_open {
            return;
        }
    }
}

#[tokio::test]
async fn the_power_may_go_while_the_file_is_replaced() {
    // Nine blocks of half a megabyte are enough for the file to be replaced once eight are committed.
    let mut script = vec![Step::Open(ONE), Step::Open(TWO), Step::Publish(TWO, open_block(7, 0, 0))];
    let large = |number| Step::Publish(ONE, open_block_with(number, 0, 0, &noise(number, 512 << 10)));
    script.extend((1..=9).map(large));
    script.push(Step::Publish(ONE, Change::Finalize(block(9, 0))));
    let before = steps_of(&script).await;
    script.push(Step::Commit(ONE, 9));
    let after = steps_of(&script).await;
    assert!(after - before >= 5, "replacing is two appends, a sync, a rename and a sync of the folder");
    script.push(Step::Publish(ONE, registry(1)));
    for step in before..steps_of(&script).await {
        let disk = MemoryDisk::default();
        disk.fail_after(step);
        let life = live(&disk, &script).await;
        for cut in PowerCut::ALL {
            check(&disk.after(cut), &life, &format!("step {step}, {cut:?}")).await;
        }
    }
}
