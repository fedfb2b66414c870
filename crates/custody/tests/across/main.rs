//! Two chains and what is said across them: each story is played in every order in which the blocks of the two chains
//! can arrive, with every block reverted once, and with restarts; what stands in the end is the same.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a story ends where it is wrong; nobody imports it")]

#[allow(dead_code, reason = "the cast of the scenarios; these stories need a part of it")]
#[path = "../scenarios/cast.rs"]
mod cast;
mod stage;

use model::registry::{AnnouncementKind, Tier};
use stage::{A, Act, B, Block, GRACE_SECS, Stage, Story};

fn mint(token: u64) -> Act {
    Act::Mint { contract: "packs", token, by: "maker" }
}

fn minted_by(by: &'static str) -> Act {
    Act::Mint { contract: "packs", token: 9, by }
}

fn block(secs: i64, acts: &[Act]) -> Block {
    Block { secs, acts: acts.to_vec() }
}

/// The old token on chain A from second 100; chain B's blocks; both chains end long after.
fn story(a: &[Block], b: &[Block]) -> Story {
    let end = block(1_000_000, &[]);
    let close = |blocks: &[Block]| [blocks, std::slice::from_ref(&end)].concat();
    Story { chains: [(A, close(a)), (B, close(b))], ..Story::default() }
}

fn announced(kind: AnnouncementKind, story: Story) -> Story {
    Story { announced: Some(kind), ..story }
}

/// Plays the story in every order of arrival; gives what stands, which must be one thing.
fn played(story: &Story) -> Vec<String> {
    let straight = Stage::play(story, &story.orders()[0]);
    for order in story.orders() {
        let stage = Stage::play(story, &order);
        assert_eq!(stage.standing(), straight.standing(), "{order:?}");
        let told: Vec<&str> = stage.notices.iter().map(|notice| notice.kind.as_str()).collect();
        assert!(told.iter().all(|kind| *kind == "opened"), "told too soon in {order:?}: {told:?}");
        let reverted = Stage::play_with_every_block_reverted_once(story, &order);
        assert_eq!(reverted.standing(), straight.standing(), "reverted, {order:?}");
        assert_eq!(reverted.told_last(), straight.told_last(), "reverted, {order:?}");
        let restarted = Stage::play_with_restarts(story, &order);
        assert_eq!(restarted.standing(), straight.standing(), "restarted, {order:?}");
        assert_eq!(restarted.notices, stage.notices, "restarted, {order:?}");
    }
    let lines = |alert: &model::alert::Alert| {
        let chains: Vec<_> = alert.evidence.iter().map(|(chain, at)| format!("{chain}:{at}")).collect();
        let accused = alert.accused.as_deref().unwrap_or("nobody");
        format!(
            "{} {} at {} accuses {accused}: {}",
            alert.rule,
            alert.severity.as_str(),
            alert.raised_at_secs,
            chains.join(" ")
        )
    };
    straight.standing().values().map(lines).collect()
}

#[test]
fn a_serial_that_lives_on_two_chains_is_a_clone() {
    let both = story(&[block(100, &[mint(1)])], &[block(150, &[]), block(200, &[mint(2)])]);
    assert_eq!(played(&both), ["ID-01 critical at 200 accuses nobody: 1:1/0 137:2/0"]);
    let earlier_on_b = story(&[block(50, &[]), block(100, &[mint(1)])], &[block(60, &[mint(2)])]);
    assert_eq!(played(&earlier_on_b), ["ID-01 critical at 100 accuses nobody: 1:2/0 137:1/0"]);
    let at_one_time = story(&[block(100, &[mint(1)])], &[block(100, &[mint(2)])]);
    assert_eq!(played(&at_one_time), ["ID-01 critical at 100 accuses nobody: 1:1/0 137:1/0"]);
}

#[test]
fn a_token_that_was_burnt_before_frees_its_serial() {
    let burn = Act::Burn { contract: "packs", token: 1, by: "maker" };
    let before = story(&[block(100, &[mint(1)]), block(150, &[burn])], &[block(200, &[mint(2)])]);
    assert_eq!(played(&before), [""; 0]);
    let after = story(&[block(100, &[mint(1)]), block(250, &[burn])], &[block(200, &[mint(2)])]);
    assert_eq!(played(&after), ["ID-01 critical at 200 accuses nobody: 1:1/0 137:1/0"]);
}

#[test]
fn an_announced_migration_or_bridge_has_its_grace() {
    let leave = |secs| block(secs, &[Act::Leave { contract: "packs", token: 1, by: "maker" }]);
    for kind in [AnnouncementKind::Migration, AnnouncementKind::Bridge] {
        let due = 200 + GRACE_SECS;
        for secs in [250, due] {
            let in_time = story(&[block(100, &[mint(1)]), leave(secs)], &[block(200, &[mint(2)])]);
            assert_eq!(played(&announced(kind, in_time)), [""; 0], "{secs}");
        }
        let late = story(&[block(100, &[mint(1)]), leave(due + 1)], &[block(200, &[mint(2)])]);
        let clone = format!("ID-01 critical at {due} accuses nobody: 1:1/0 137:1/0");
        assert_eq!(played(&announced(kind, late)), [clone]);
    }
}

#[test]
fn a_bridge_may_bring_a_pack_back() {
    let burn = |token| Act::Burn { contract: "packs", token, by: "maker" };
    let anew = Act::MintAnew { contract: "packs", token: 1, by: "maker" };
    let there_and_back = story(
        &[block(100, &[mint(1)]), block(150, &[burn(1)]), block(300, &[anew])],
        &[block(200, &[mint(2)]), block(290, &[burn(2)])],
    );
    assert_eq!(played(&there_and_back), [""; 0]);
    let kept = story(
        &[block(100, &[mint(1)]), block(150, &[burn(1)]), block(300, &[anew])],
        &[block(200, &[mint(2)])],
    );
    assert_eq!(played(&kept), ["ID-01 critical at 300 accuses nobody: 1:3/0 137:1/0"]);
}

#[test]
fn an_unknown_contract_clones_nothing() {
    let fake = Act::Mint { contract: "fake", token: 2, by: "stranger" };
    assert_eq!(played(&story(&[block(100, &[mint(1)])], &[block(200, &[fake])])), [""; 0]);
}

#[test]
fn the_lower_authority_or_who_had_no_right_is_accused() {
    let partner = Act::Mint { contract: "partner", token: 2, by: "maker" };
    let lower = story(&[block(100, &[partner])], &[block(200, &[mint(2)])]);
    let maker = cast::gln_of("maker").to_string();
    assert_eq!(played(&lower), [format!("ID-01 critical at 200 accuses {maker}: 1:1/0 137:1/0")]);
    let stranger = story(&[block(100, &[mint(1)])], &[block(200, &[minted_by("stranger")])]);
    let name = cast::address("stranger").to_string();
    assert_eq!(played(&stranger), [format!("ID-01 critical at 200 accuses {name}: 1:1/0 137:1/0")]);
    assert!(Tier::Recognised < Tier::Authoritative);
}

#[test]
fn a_case_is_provisional_until_both_chains_are_final_past_it() {
    let story = story(&[block(100, &[mint(1)]), block(300, &[])], &[block(200, &[mint(2)]), block(300, &[])]);
    let mut stage = Stage::new(&story);
    for chain in [A, A, B, B] {
        stage.next(chain);
    }
    let told = |stage: &Stage| -> Vec<(&'static str, bool)> {
        let stable = stage.changes.iter().map(|change| change.stable);
        stage.notices.iter().map(|notice| notice.kind.as_str()).zip(stable).collect()
    };
    assert_eq!(told(&stage), [("opened", false)]);
    // The second mint is final, and on chain A the first token may still be burnt before it.
    stage.finalize(B, 2);
    stage.finalize(A, 1);
    assert_eq!(told(&stage), [("opened", false)]);
    stage.finalize(A, 2);
    assert_eq!(told(&stage), [("opened", false), ("final", true)]);
}

#[test]
fn a_reorg_that_takes_a_mint_back_withdraws_the_case() {
    let story = story(&[block(100, &[mint(1)]), block(300, &[])], &[block(200, &[mint(2)]), block(300, &[])]);
    for (chain, left) in [(A, 2), (B, 2), (A, 1), (B, 1)] {
        let mut stage = Stage::new(&story);
        for chain in [A, A, B, B] {
            stage.next(chain);
        }
        let case = stage.notices[0].case_key;
        // With two blocks left both mints are there, and the chain has not passed the moment any more.
        stage.revert(chain, left);
        let told: Vec<_> = stage.notices.iter().map(|n| (n.case_key, n.revision, n.kind.as_str())).collect();
        assert_eq!(told, [(case, 1, "opened"), (case, 2, "withdrawn")], "{chain} {left}");
        assert!(stage.standing().is_empty());
        while stage.next(chain) {}
        let last = stage.notices.last().unwrap();
        assert_eq!((last.case_key, last.revision, last.kind.as_str()), (case, 3, "opened"));
    }
}

#[test]
fn one_chain_alone_keeps_no_claims() {
    let story = story(&[block(100, &[mint(1)])], &[]);
    let alone = Story { chains: [story.chains[0].clone(), (A, Vec::new())], ..story };
    let mut stage = Stage::new(&alone);
    while stage.next(A) {}
    assert_eq!(stage.claims_written, 0);
}
