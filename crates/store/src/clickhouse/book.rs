//! The book of commits: which of them count. Pure; the table `commits` holds its lines.
//!
//! A commit counts by one line, written after all its rows. There is one writer at a time, and the server has no lock
//! to give, so writers fence one another by the book alone:
//!
//! 1. A writer chooses the next epoch, writes an *intent*, and reads the book. If another writer has the same epoch, it
//!    gives its own up; the one that sees nobody else has it.
//! 2. It takes the last commit of earlier epochs that counts as its base, and writes an *open* that names it.
//! 3. After the line of each commit it reads the book. If there is an intent of a later epoch, it is a writer no more,
//!    and the commit is not its to tell of.
//!
//! Of an earlier epoch only what is at or below the base counts, whatever is written later, by whomever. A commit that
//! its writer told of is at or below every later base: its writer saw no intent after writing the line, so the intent
//! came after the line, and whoever wrote it read the line. This needs of the server that what was answered is seen by
//! whoever asks afterwards; of a replicated one, that it is asked so.
//!
//! Ids are never used twice: the epoch is in their upper bits, and an attempt that failed, or that nobody knows the end
//! of, is named as void by the next commit, so that it is void even if its rows or its line come late.

use super::moment::Body;
use serde::Deserialize;

/// Bits of an id below the epoch: a commit a millisecond for 34 years.
const NUMBER_BITS: u32 = 40;

/// The first id of an epoch, which is no commit's.
pub(super) fn first_id(epoch: u64) -> u64 {
    epoch << NUMBER_BITS
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A writer would like to have the epoch.
    Intent,
    /// A writer has the epoch; of earlier ones nothing counts above its base.
    Open,
    /// Rows of a commit count.
    Commit,
}

impl Kind {
    /// The name in the table.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Open => "open",
            Self::Commit => "commit",
        }
    }
}

/// A line of the book.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Line {
    /// The commit; of the other kinds the epoch's first id.
    pub(super) id: u64,
    /// What it says.
    pub(super) kind: Kind,
    /// The writer's epoch.
    pub(super) epoch: u64,
    /// Names the writer.
    pub(super) writer: String,
    /// Of an open the last commit of earlier epochs that counts; else 0.
    pub(super) base: u64,
    /// Of a commit what it says of the tables, as JSON; else empty.
    pub(super) body: String,
}

/// The lines that were read: all intents and opens, and at least the newest commits.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    lines: Vec<Line>,
}

impl Book {
    /// A book of these lines, in any order.
    pub(super) fn new(lines: Vec<Line>) -> Self {
        Self { lines }
    }

    /// The newest commit that counts.
    pub(super) fn newest(&self) -> Option<&Line> {
        self.newest_below(u64::MAX)
    }

    /// The newest commit that counts of epochs below `epoch`: the base of a writer that takes it.
    pub(super) fn newest_below(&self, epoch: u64) -> Option<&Line> {
        let commits = self.of(Kind::Commit).filter(|line| line.epoch < epoch && self.counts(line));
        commits.max_by_key(|line| line.id)
    }

    /// The commit that the last writer began on; 0 when there was none.
    pub(super) fn last_base(&self) -> u64 {
        self.of(Kind::Open).max_by_key(|open| open.epoch).map_or(0, |open| open.base)
    }

    /// Does nobody ask for an epoch who has not said yet what counts before it? Until then a reader keeps what it knows:
    /// the newest commit may turn out not to count.
    pub(super) fn is_settled(&self) -> bool {
        let opened = self.of(Kind::Open).map(|line| line.epoch).max().unwrap_or(0);
        self.later_than(opened).is_none()
    }

    /// An epoch that nobody has asked for.
    pub(super) fn next_epoch(&self) -> u64 {
        self.lines.iter().map(|line| line.epoch).max().unwrap_or(0) + 1
    }

    /// The highest epoch that somebody asked for after `epoch`.
    pub(super) fn later_than(&self, epoch: u64) -> Option<u64> {
        self.of(Kind::Intent).map(|line| line.epoch).filter(|later| *later > epoch).max()
    }

    /// Did nobody but `writer` ask for the epoch?
    pub(super) fn is_alone(&self, epoch: u64, writer: &str) -> bool {
        self.of(Kind::Intent).all(|line| line.epoch != epoch || line.writer == writer)
    }

    fn counts(&self, commit: &Line) -> bool {
        self.of(Kind::Open).all(|open| open.epoch <= commit.epoch || commit.id <= open.base)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }
}

/// Ids that are void: inclusive ranges, ascending, none touching another.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Void(Vec<(u64, u64)>);

impl Void {
    /// Adds ids from `first` to `last`, above all that are in it. An empty range adds nothing.
    pub(super) fn add(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        match self.0.last_mut() {
            Some(before) if before.1 + 1 >= first => before.1 = before.1.max(last),
            _ => self.0.push((first, last)),
        }
    }

    /// Takes the last id out again.
    fn remove_last(&mut self, id: u64) {
        match self.0.last_mut() {
            Some(range) if range.0 == id => drop(self.0.pop()),
            Some(range) if range.1 == id => range.1 = id - 1,
            _ => {}
        }
    }

    /// The ranges.
    pub(super) fn ranges(&self) -> &[(u64, u64)] {
        &self.0
    }
}

/// Does the range hold the place where a writer took over?
fn is_between_writers((first, last): (u64, u64)) -> bool {
    first_id(last >> NUMBER_BITS) >= first
}

/// A writer's own count of ids.
#[derive(Debug)]
pub(super) struct Ids {
    last: u64,
    void: Void,
}

impl Ids {
    /// The ids of an epoch that begins on `base`: everything between the two is void.
    pub(super) fn begin(epoch: u64, base: Option<(u64, &Body)>) -> Self {
        let (id, mut void) = base.map_or((0, Void::default()), |(id, body)| (id, body.void.clone()));
        void.add(id + 1, first_id(epoch));
        Self { last: first_id(epoch), void }
    }

    /// An id for an attempt, and the ids that are void beside it. It is void from the next attempt on, unless
    /// [`Ids::counts`] says otherwise.
    pub(super) fn attempt(&mut self) -> (u64, Void) {
        let void = self.void.clone();
        self.last += 1;
        self.void.add(self.last, self.last);
        (self.last, void)
    }

    /// The last attempt counts.
    pub(super) fn counts(&mut self) {
        self.void.remove_last(self.last);
    }

    /// Rows of these ids were swept away, and no request for them can still be on its way. What lies between two
    /// writers stays void for ever: nobody knows what the earlier one may still send.
    pub(super) fn swept(&mut self, void: &Void) {
        self.void.0.retain(|range| is_between_writers(*range) || !void.0.contains(range));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(kind: Kind, epoch: u64, number: u64, base: u64) -> Line {
        let (id, writer) = (first_id(epoch) + number, format!("writer {epoch}"));
        Line { id, kind, epoch, writer, base, body: String::new() }
    }

    #[test]
    fn of_an_earlier_writer_only_what_the_later_one_found_counts() {
        let mut lines = vec![
            line(Kind::Intent, 1, 0, 0),
            line(Kind::Open, 1, 0, 0),
            line(Kind::Commit, 1, 1, 0),
            line(Kind::Commit, 1, 2, 0),
        ];
        assert_eq!(Book::new(lines.clone()).newest().unwrap().id, first_id(1) + 2);
        lines.push(line(Kind::Intent, 2, 0, 0));
        assert_eq!(Book::new(lines.clone()).newest_below(2).unwrap().id, first_id(1) + 2);
        lines.push(line(Kind::Open, 2, 0, first_id(1) + 2));
        lines.push(line(Kind::Commit, 1, 3, 0));
        let book = Book::new(lines);
        assert_eq!(book.newest().unwrap().id, first_id(1) + 2, "what came late does not count");
        assert_eq!((book.later_than(1), book.later_than(2), book.next_epoch()), (Some(2), None, 3));
        assert!(book.is_settled());
    }

    #[test]
    fn a_writer_that_never_committed_leaves_nothing_to_begin_on() {
        let mut lines =
            vec![line(Kind::Intent, 1, 0, 0), line(Kind::Open, 1, 0, 0), line(Kind::Intent, 2, 0, 0)];
        assert!(!Book::new(lines.clone()).is_settled(), "nobody knows yet what counts before epoch 2");
        lines.extend([line(Kind::Open, 2, 0, 0), line(Kind::Commit, 1, 1, 0)]);
        let book = Book::new(lines);
        assert_eq!((book.newest(), book.last_base()), (None, 0), "the line of epoch 1 came in vain");
    }

    #[test]
    fn attempts_that_failed_and_all_between_two_writers_are_void() {
        let mut ids = Ids::begin(1, None);
        ids.attempt();
        ids.counts();
        ids.attempt();
        ids.attempt();
        let (id, void) = ids.attempt();
        assert_eq!(id, first_id(1) + 4);
        assert_eq!(void.ranges(), [(1, first_id(1)), (first_id(1) + 2, first_id(1) + 3)]);
        let body = Body { void: void.clone(), ..Body::default() };
        ids.counts();
        let mut later = Ids::begin(2, Some((first_id(1) + 4, &body)));
        let (id, void) = later.attempt();
        assert_eq!(id, first_id(2) + 1);
        assert_eq!(
            void.ranges(),
            [(1, first_id(1)), (first_id(1) + 2, first_id(1) + 3), (first_id(1) + 5, first_id(2))]
        );
        later.swept(&void);
        let (_, void) = later.attempt();
        assert_eq!(
            void.ranges(),
            [(1, first_id(1)), (first_id(1) + 5, first_id(2) + 1)],
            "what lies between writers stays"
        );
    }

    /// One step of a writer, as the server sees it.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Intend,
        Look,
        Open,
        Commit,
        Check,
    }

    /// A writer on its way through the steps.
    #[derive(Debug, Default, Clone)]
    struct Writer {
        epoch: u64,
        at: usize,
        base: u64,
        number: u64,
        dead: bool,
        told: Vec<u64>,
    }

    impl Writer {
        fn step(&mut self, name: usize, lines: &mut Vec<Line>) {
            const BEGIN: [Step; 4] = [Step::Intend, Step::Look, Step::Open, Step::Check];
            let step = match BEGIN.get(self.at) {
                Some(step) => *step,
                None if self.at.is_multiple_of(2) => Step::Commit,
                None => Step::Check,
            };
            self.at += 1;
            let book = Book::new(lines.clone());
            let me = format!("writer {name}");
            let mine = |kind, id, base| Line {
                id,
                kind,
                epoch: self.epoch,
                writer: me.clone(),
                base,
                body: String::new(),
            };
            match step {
                Step::Intend => {
                    // Chosen from what it read before: another may have chosen the same.
                    lines.push(mine(Kind::Intent, first_id(self.epoch), 0));
                }
                Step::Look => {
                    self.dead = !book.is_alone(self.epoch, &me) || book.later_than(self.epoch).is_some();
                    self.base = book.newest_below(self.epoch).map_or(0, |line| line.id);
                }
                Step::Open => lines.push(mine(Kind::Open, first_id(self.epoch), self.base)),
                Step::Commit => {
                    self.number += 1;
                    lines.push(mine(Kind::Commit, first_id(self.epoch) + self.number, 0));
                }
                Step::Check => {
                    self.dead = book.later_than(self.epoch).is_some();
                    if !self.dead && self.number > 0 {
                        self.told.push(first_id(self.epoch) + self.number);
                    }
                }
            }
        }
    }

    proptest! {
        /// Whatever the order in which the steps of three writers come: what one of them told of counts for ever.
        #[test]
        fn what_a_writer_told_of_counts_for_ever(order in prop::collection::vec(0usize..3, 0..60)) {
            let mut lines = Vec::new();
            let mut writers = vec![Writer::default(); 3];
            for name in order {
                let next = Book::new(lines.clone()).next_epoch();
                let writer = &mut writers[name];
                if writer.at == 0 {
                    // It reads now and writes at its next step.
                    writer.epoch = if writer.epoch == 0 { next } else { writer.epoch };
                }
                if !writer.dead {
                    writer.step(name, &mut lines);
                }
                let book = Book::new(lines.clone());
                for id in writers.iter().flat_map(|writer| &writer.told) {
                    let commit = lines.iter().find(|line| line.kind == Kind::Commit && line.id == *id).unwrap();
                    prop_assert!(book.counts(commit), "{id} was told of, and counts no more: {lines:?}");
                }
            }
        }
    }
}
