//! Topics as lists of messages: what a reader makes of them, and what the next writer finds.

use super::{Intake, Taken};
use crate::Tail;
use crate::kafka::books::Books;
use crate::kafka::parcel::{self, Anchor};
use crate::sample::{block, final_run, noise, open_block, open_block_with, registry};
use crate::wire::{self, Kind};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use proptest::prelude::*;

const CHAIN: ChainId = ChainId(1);
const PIECE_BYTES: usize = 200;

/// A topic: the offset of a message is its place.
#[derive(Debug, Default)]
struct Topic(Vec<Vec<u8>>);

/// A writer that looks at the topic only when it takes it over.
#[derive(Debug)]
struct Pen {
    books: Books,
    epoch: Epoch,
}

impl Topic {
    fn end(&self) -> i64 {
        self.0.len() as i64
    }

    /// Where the books of whoever reads begin: what the last message of ours before that offset says.
    fn anchor(&self, before: i64) -> Option<Anchor> {
        let pieces = self.0[..before as usize].iter().filter_map(|bytes| parcel::open(bytes).ok().flatten());
        pieces.max_by_key(|piece| piece.header.epoch).map(|piece| piece.mark.anchor)
    }

    /// The books of the topic, read from where its last record says, or the last one before that offset.
    fn books(&self, before: Option<i64>) -> Books {
        let mut books = match self.anchor(before.unwrap_or(self.end())) {
            Some(anchor) => Books::new(CHAIN, anchor.position, anchor.registry_version, anchor.offset),
            None => Books::new(CHAIN, Position::default(), 0, 0),
        };
        for at in books.next_offset..self.end() {
            books.take(at, &self.0[at as usize]);
        }
        books
    }

    /// A writer that takes the topic over.
    fn open(&mut self) -> Pen {
        self.open_before(None)
    }

    fn open_before(&mut self, offset: Option<i64>) -> Pen {
        let books = self.books(offset);
        let epoch = books.intake.next_epoch().unwrap();
        let mut pen = Pen { books, epoch };
        assert!(self.write(&mut pen, &Change::Open(epoch), None));
        pen
    }

    /// Writes a change, or only the first messages of it, then reads what others wrote before. `false` when the
    /// writer's books refuse it, or it was fenced.
    fn write(&mut self, pen: &mut Pen, change: &Change, only: Option<usize>) -> bool {
        let header = pen.books.intake.next_header(pen.epoch, Kind::of(change));
        if pen.books.intake.check(&header).is_err() {
            return false;
        }
        let payload = wire::encode_payload(change).unwrap();
        let messages = parcel::pack(&header, &payload, pen.books.anchor(), PIECE_BYTES).unwrap();
        let first = self.end();
        self.0.extend(messages.into_iter().take(only.unwrap_or(usize::MAX)));
        for at in pen.books.next_offset..first {
            pen.books.take(at, &self.0[at as usize]);
        }
        pen.books.wrote(&header, first, self.end() - 1)
    }

    /// Everything that a reader makes of the topic, from its begin.
    fn read(&self) -> (Vec<Record>, Vec<String>, Tail) {
        let mut intake = Intake::new(CHAIN, Position::default(), 0);
        let (mut records, mut told) = (Vec::new(), Vec::new());
        for (at, bytes) in self.0.iter().enumerate() {
            match intake.take(at as i64, bytes) {
                Taken::Record(record, _) => records.push(record),
                Taken::Damaged(why) | Taken::Gap(why) => told.push(why),
                Taken::Foreign => told.push("foreign".into()),
                Taken::Nothing => {}
            }
        }
        (records, told, intake.tail().clone())
    }
}

fn changes(records: &[Record]) -> Vec<&Change> {
    records.iter().map(|record| &record.change).collect()
}

#[test]
fn records_come_as_they_were_written_and_other_peoples_messages_are_passed_over() {
    let (mut topic, large) = (Topic::default(), open_block_with(2, 0, 0, &noise(7, 1_000)));
    let mut pen = topic.open();
    topic.write(&mut pen, &final_run(1, 1), None);
    topic.0.push(b"hello".to_vec());
    let begun = topic.0.len();
    topic.write(&mut pen, &large, None);
    assert!(topic.0.len() > begun + 3, "it has several pieces");
    topic.0.insert(begun + 1, b"in between".to_vec());
    let (records, told, tail) = topic.read();
    assert_eq!(changes(&records), [&Change::Open(Epoch(1)), &final_run(1, 1), &large]);
    assert_eq!(told, ["foreign", "foreign"]);
    assert_eq!(tail.position.sequence, Sequence(3));
}

#[test]
fn a_writer_that_was_fenced_writes_in_vain() {
    let mut topic = Topic::default();
    let mut first = topic.open();
    topic.write(&mut first, &final_run(1, 1), None);
    let mut second = topic.open();
    topic.write(&mut first, &open_block(2, 9, 0), None);
    topic.write(&mut second, &open_block(2, 0, 0), None);
    let (records, told, _) = topic.read();
    let expected = [&Change::Open(Epoch(1)), &final_run(1, 1), &Change::Open(Epoch(2)), &open_block(2, 0, 0)];
    assert_eq!((changes(&records), told), (expected.to_vec(), Vec::<String>::new()));
}

#[test]
fn a_damaged_record_stops_the_stream_until_a_writer_publishes_it_again() {
    let mut topic = Topic::default();
    let mut pen = topic.open();
    for number in 1..=3 {
        topic.write(&mut pen, &open_block(number, 0, 0), None);
    }
    let damaged = topic.0.len() - 1;
    let last = topic.0[damaged].len() - 1;
    // The message of block 3; block 4 comes after it.
    topic.0[damaged][last] ^= 1;
    topic.write(&mut pen, &open_block(4, 0, 0), None);
    let (records, told, tail) = topic.read();
    assert_eq!((records.len(), tail.position.tip), (3, Some(block(2, 0))));
    assert_eq!(told, ["not a change: the checksum is not that of the message"]);
    let mut next = topic.open();
    assert_eq!(
        next.books.intake.tail().position.tip,
        Some(block(2, 0)),
        "it goes on where the others stopped"
    );
    topic.write(&mut next, &open_block(3, 0, 0), None);
    let (records, ..) = topic.read();
    assert_eq!(changes(&records[3..]), [&Change::Open(Epoch(2)), &open_block(3, 0, 0)]);
}

#[test]
fn damage_that_nobody_noticed_for_long_is_mended_from_its_offset_on() {
    let mut topic = Topic::default();
    let mut pen = topic.open();
    let blocks: Vec<Change> = (1..=4).map(|number| open_block(number, 0, 0)).collect();
    topic.write(&mut pen, &blocks[0], None);
    let damaged = topic.0.len();
    for change in [&blocks[1], &blocks[2], &Change::Finalize(block(3, 0)), &blocks[3]] {
        topic.write(&mut pen, change, None);
    }
    *topic.0[damaged].last_mut().unwrap() ^= 1;
    assert_eq!(
        topic.open().books.intake.tail().position.tip,
        Some(block(4, 0)),
        "it begins after the damage"
    );
    assert_eq!(topic.read().2.position.tip, Some(block(1, 0)), "and readers stand still all the same");
    let mut mending = topic.open_before(Some(damaged as i64));
    topic.write(&mut mending, &blocks[1], None);
    let (records, ..) = topic.read();
    assert_eq!(changes(&records[1..2]), [&blocks[0]]);
    assert!(matches!(records[2].change, Change::Open(_)));
    assert_eq!(changes(&records[3..]), [&blocks[1]]);
}

#[test]
fn who_took_the_stream_over_from_further_back_fences_a_writer_that_is_ahead() {
    let mut topic = Topic::default();
    let mut ahead = topic.open();
    topic.write(&mut ahead, &open_block(1, 0, 0), None);
    let damaged = topic.0.len();
    topic.write(&mut ahead, &open_block(2, 0, 0), None);
    topic.write(&mut ahead, &open_block(3, 0, 0), None);
    *topic.0[damaged].last_mut().unwrap() ^= 1;
    let mut mending = topic.open_before(Some(damaged as i64));
    assert!(!topic.write(&mut ahead, &open_block(4, 0, 0), None), "it hears of it");
    assert!(topic.write(&mut mending, &open_block(2, 7, 0), None));
    let next = topic.open();
    assert_eq!(
        next.books.intake.tail().position.tip,
        Some(block(2, 7)),
        "what the other wrote leads nobody astray"
    );
}

#[test]
fn damage_that_is_older_than_what_is_committed_stops_nobody() {
    let mut topic = Topic::default();
    let mut pen = topic.open();
    topic.write(&mut pen, &open_block(1, 0, 0), None);
    topic.0.push(b"rxtrail\x01 and nothing that fits".to_vec());
    let mut pen = topic.open();
    topic.write(&mut pen, &open_block(2, 0, 0), None);
    let committed = topic.read().2.position;
    topic.write(&mut pen, &open_block(3, 0, 0), None);
    let mut intake = Intake::new(CHAIN, committed, 0);
    let taken = topic.0.iter().enumerate().map(|(at, bytes)| intake.take(at as i64, bytes));
    let records = taken.filter_map(|taken| match taken {
        Taken::Record(record, _) => Some(record),
        _ => None,
    });
    assert_eq!(changes(&records.collect::<Vec<_>>()), [&open_block(3, 0, 0)]);
}

#[test]
fn a_record_that_was_cut_off_is_not_there() {
    let mut topic = Topic::default();
    let mut pen = topic.open();
    let large = open_block_with(1, 0, 0, &noise(3, 1_000));
    topic.write(&mut pen, &large, Some(2));
    let mut next = topic.open();
    assert_eq!(next.books.intake.tail().position.tip, None);
    topic.write(&mut next, &large, None);
    let (records, told, _) = topic.read();
    assert_eq!(changes(&records), [&Change::Open(Epoch(1)), &Change::Open(Epoch(2)), &large]);
    assert_eq!(told, Vec::<String>::new());
}

/// What may happen to a topic.
#[derive(Debug, Clone)]
enum Deed {
    /// Another writer takes over.
    Open,
    /// One of the writers, from the newest, writes its next block on this branch, of so many bytes of data.
    Block { back: usize, branch: u8, bytes: usize },
    /// The same, but dies within its pieces.
    Cut { back: usize },
    /// The newest writer takes this many blocks back.
    Revert(u64),
    /// The newest writer says that all but this many blocks are final.
    Finalize(u64),
    /// The newest writer puts a registry in force.
    Registry(u64),
    /// Somebody else writes.
    Foreign,
    /// The last message is damaged.
    Damage,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => Just(Deed::Open),
        12 => (0_usize..2, 0_u8..3, 0_usize..600).prop_map(|(back, branch, bytes)| Deed::Block { back, branch, bytes }),
        1 => (0_usize..2).prop_map(|back| Deed::Cut { back }),
        2 => (1_u64..4).prop_map(Deed::Revert),
        3 => (0_u64..4).prop_map(Deed::Finalize),
        1 => (1_u64..9).prop_map(Deed::Registry),
        1 => Just(Deed::Foreign),
        1 => Just(Deed::Damage),
    ]
}

/// The next block of a writer.
fn next_block(pen: &Pen, branch: u8, bytes: usize) -> Change {
    let tip = pen.books.intake.tail().position.tip;
    let (number, below) = tip.map_or((1, 0), |tip| (tip.number + 1, tip.hash[31]));
    open_block_with(number, branch, below, &noise(number, bytes))
}

fn perform(topic: &mut Topic, pens: &mut Vec<Pen>, deed: &Deed) {
    let newest = pens.len() - 1;
    let tail = pens[newest].books.intake.tail().clone();
    let open_at = |from_end: u64| {
        let at = tail.open_blocks.len().checked_sub(1 + from_end as usize)?;
        tail.open_blocks.get(at).copied()
    };
    match deed {
        Deed::Open => pens.push(topic.open()),
        Deed::Block { back, branch, bytes } => {
            let pen = &mut pens[newest.saturating_sub(*back)];
            let change = next_block(pen, *branch, *bytes);
            if !topic.write(pen, &change, None) {
                // It was fenced, and knows it now.
                pens.remove(newest.saturating_sub(*back));
            }
        }
        Deed::Cut { back } => {
            let mut pen = pens.remove(newest.saturating_sub(*back));
            let change = next_block(&pen, 0, 900);
            topic.write(&mut pen, &change, Some(2));
            pens.push(topic.open());
        }
        Deed::Revert(blocks) => {
            if let Some(to) = open_at(*blocks) {
                topic.write(&mut pens[newest], &Change::Revert(to), None);
            }
        }
        Deed::Finalize(left) => {
            if let Some(upto) = open_at(*left) {
                topic.write(&mut pens[newest], &Change::Finalize(upto), None);
            }
        }
        Deed::Registry(version) => {
            topic.write(&mut pens[newest], &registry(*version), None);
        }
        Deed::Foreign => topic.0.push(b"somebody else's".to_vec()),
        Deed::Damage => {
            if let Some(byte) = topic.0.last_mut().and_then(|bytes| bytes.last_mut()) {
                *byte ^= 1;
            }
            // Who comes next finds it.
            pens.clear();
            pens.push(topic.open());
        }
    }
}

proptest! {
    /// A writer reads from where the last record says, a reader from where its store ends: both must see one stream.
    #[test]
    fn whoever_reads_a_topic_from_wherever_sees_one_stream(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut topic = Topic::default();
        let mut pens = vec![topic.open()];
        for deed in &deeds {
            perform(&mut topic, &mut pens, deed);
        }
        let (records, _, read) = topic.read();
        let found = topic.books(None);
        let (found, next) = (found.intake.tail().clone(), found.intake.next_epoch());
        prop_assert_eq!(found.position.sequence, read.position.sequence);
        prop_assert_eq!(found.position.tip, read.position.tip);
        prop_assert_eq!(&found.open_blocks, &read.open_blocks);
        prop_assert_eq!(found.registry_version, read.registry_version);
        prop_assert!(next > Some(read.position.epoch));
        // Each place of the stream is taken once, in order.
        let places: Vec<u64> = records.iter().map(|record| record.sequence.0).collect();
        prop_assert_eq!(places, (1..=records.len() as u64).collect::<Vec<_>>());
    }
}
