//! Runs of sources and results, as transactions tell them.

use super::{End, Lineage, SOURCES_MAX};
use model::chain::LogPosition;
use model::event::{Event, EventKind, Reason};
use model::item::{ItemKey, TokenRef, TokenStandard};
use model::{Address, B256, U256};

fn end(name: u64) -> End {
    let token = TokenRef {
        chain: model::chain::ChainId(1),
        contract: Address::ZERO,
        id: U256::from(name),
        standard: TokenStandard::Erc721,
    };
    End { item: ItemKey::Token(Box::new(token)), token: None }
}

fn name(end: &End) -> String {
    end.item.to_string().rsplit('/').next().unwrap().to_owned()
}

fn event(log: u32, tx: u8, actor: u8, taken: bool) -> Event {
    let kind = if taken { EventKind::Decommissioning } else { EventKind::Commissioning };
    Event {
        tx_hash: B256::repeat_byte(tx),
        actor: Some(Address::repeat_byte(actor)),
        reason: taken.then_some(Reason::Repackaged),
        ..Event::bare(kind, Address::ZERO, LogPosition { block: 1, log, sub: 0 })
    }
}

/// `-1` takes item 1, `+2` makes item 2, `|` begins another transaction, `a` and `b` another actor.
fn told(story: &str) -> Vec<String> {
    let (mut lineage, mut tx, mut actor) = (Lineage::default(), 1, b'a');
    for (log, word) in (0..).zip(story.split(' ')) {
        match word.as_bytes()[0] {
            b'|' => tx += 1,
            letter @ (b'a' | b'b') => actor = letter,
            sign => {
                let number = word[1..].parse().unwrap();
                lineage.step(&event(log, tx, actor, sign == b'-'), || end(number));
            }
        }
    }
    let shown = |source: &Option<End>| source.as_ref().map_or_else(|| "batch".to_owned(), name);
    let rows = lineage.finish();
    rows.iter().map(|row| format!("{} from {}", name(&row.result), shown(&row.source))).collect()
}

#[test]
fn each_run_of_sources_makes_the_results_after_it() {
    let cases: &[(&str, &[&str])] = &[
        ("-1 +2", &["2 from 1"]),
        ("-1 +2 +3", &["2 from 1", "3 from 1"]),
        ("-1 -2 +3", &["3 from 1", "3 from 2"]),
        ("-1 +2 -3 +4", &["2 from 1", "4 from 3"]),
        ("+2 +3 -1", &["2 from 1", "3 from 1"]),
        // What was made before anything was taken is new, where what is taken makes something of its own.
        ("+9 -1 +2", &["2 from 1"]),
        ("-1 | +2", &[]),
        ("-1 b +2", &[]),
        ("-1 b -3 +4 a +2", &["4 from 3", "2 from 1"]),
        ("+2 +3", &[]),
        ("-1 -2", &[]),
        ("-1 +2 | -3 +4", &["2 from 1", "4 from 3"]),
    ];
    for (story, expected) in cases {
        assert_eq!(told(story), *expected, "{story}");
    }
}

#[test]
fn a_result_of_a_batch_has_one_row() {
    let sources: Vec<String> = (0..=SOURCES_MAX).map(|number| format!("-{}", number + 10)).collect();
    assert_eq!(told(&format!("{} +1 +2", sources.join(" "))), ["1 from batch", "2 from batch"]);
    assert_eq!(told(&format!("{} +1", sources[1..].join(" "))).len(), SOURCES_MAX);
}
