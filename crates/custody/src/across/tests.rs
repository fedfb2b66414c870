//! What is judged of the lives of one item, as stories of a few of them.

use super::*;
use crate::claims::LIVING;

const A: ChainId = ChainId(1);
const B: ChainId = ChainId(137);
const C: ChainId = ChainId(10);
const GRACE: i64 = 72 * 3_600;

fn life(chain: ChainId, token: u64, begun_secs: i64, ended_secs: i64) -> Life {
    Life {
        chain,
        contract: Address::repeat_byte(1),
        token: U256::from(token),
        begun: LogPosition { block: begun_secs.unsigned_abs(), log: 0, sub: 0 },
        begun_secs,
        ended_secs,
        tx_hash: B256::repeat_byte(token as u8),
        tier: Tier::Authoritative,
        entitled: true,
        minter: Some(format!("minter {token}")),
        minter_in_words: format!("minter {token} in words"),
    }
}

/// Judges with all chains at `now_secs`, of which nothing after `final_secs` is final.
fn judged_at(lives: &[Life], (now_secs, final_secs): (i64, i64), announced: bool) -> Judged {
    let clocks = [A, B, C].map(|chain| (chain, Clock { now_secs, final_secs })).into();
    let view = View { clocks: &clocks, grace_secs: GRACE, announced: &|_, _| announced };
    judge(lives.to_vec(), &view)
}

fn judged(lives: &[Life]) -> Judged {
    judged_at(lives, (i64::MAX, i64::MAX), false)
}

fn tokens(judged: &Judged) -> Vec<(u64, u64, i64)> {
    let token = |life: &Life| life.token.to::<u64>();
    judged.pairs.iter().map(|pair| (token(&pair.first), token(&pair.second), pair.due_secs)).collect()
}

fn orders(lives: &[Life]) -> Vec<Vec<Life>> {
    if lives.is_empty() {
        return vec![Vec::new()];
    }
    let put = |at: usize| {
        let mut rest = lives.to_vec();
        let first = rest.remove(at);
        orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat()).collect::<Vec<_>>()
    };
    (0..lives.len()).flat_map(put).collect()
}

#[test]
fn two_living_tokens_on_two_chains_are_a_clone_by_the_later() {
    let lives = [life(B, 2, 200, LIVING), life(A, 1, 100, LIVING)];
    assert_eq!(
        judged(&lives),
        Judged {
            pairs: vec![Pair {
                first: lives[1].clone(),
                second: lives[0].clone(),
                due_secs: 200,
                is_final: true
            }],
            waits: vec![],
        }
    );
}

#[test]
fn lives_in_any_order_are_judged_alike() {
    let lives = [
        life(A, 1, 100, 250),
        life(B, 2, 200, LIVING),
        life(C, 3, 200, 400),
        life(A, 4, 300, LIVING),
        life(C, 5, 500, LIVING),
    ];
    let all = orders(&lives);
    assert_eq!(all.len(), 120);
    let expected = judged(&lives);
    // At one time the chain with the lower id is the earlier one.
    assert_eq!(tokens(&expected), [(1, 3, 200), (1, 2, 200), (3, 4, 300), (2, 5, 500)]);
    for lives in all {
        assert_eq!(judged(&lives), expected);
    }
}

#[test]
fn a_token_that_was_burnt_before_is_no_clone() {
    for ended in [150, 199, 200] {
        assert_eq!(judged(&[life(A, 1, 100, ended), life(B, 2, 200, LIVING)]), Judged::default());
    }
    assert_eq!(tokens(&judged(&[life(A, 1, 100, 201), life(B, 2, 200, LIVING)])), [(1, 2, 200)]);
}

#[test]
fn tokens_of_one_chain_are_its_own_matter() {
    assert_eq!(judged(&[life(A, 1, 100, LIVING), life(A, 2, 200, LIVING)]), Judged::default());
}

#[test]
fn an_announced_pair_has_the_grace_on_both_sides() {
    let due = 200 + GRACE;
    let by_ends = |ends: (i64, i64)| {
        let lives = [life(A, 1, 100, ends.0), life(B, 2, 200, ends.1)];
        tokens(&judged_at(&lives, (i64::MAX, i64::MAX), true))
    };
    for completed in [(due, LIVING), (LIVING, due), (201, LIVING), (LIVING, 201)] {
        assert_eq!(by_ends(completed), []);
    }
    for left_half in [(LIVING, LIVING), (due + 1, LIVING), (LIVING, due + 1)] {
        assert_eq!(by_ends(left_half), [(1, 2, due)]);
    }
}

#[test]
fn nothing_is_said_before_both_chains_have_passed_the_moment() {
    let lives = [life(A, 1, 100, LIVING), life(B, 2, 200, LIVING)];
    let at = |secs, announced| {
        let judged = judged_at(&lives, secs, announced);
        (tokens(&judged), judged.waits, judged.pairs.iter().any(|pair| pair.is_final))
    };
    assert_eq!(at((200, 200), false), (vec![], vec![200], false));
    assert_eq!(at((201, 200), false), (vec![(1, 2, 200)], vec![200], false));
    assert_eq!(at((201, 201), false), (vec![(1, 2, 200)], vec![], true));
    let due = 200 + GRACE;
    assert_eq!(at((due, due), true), (vec![], vec![due], false));
    assert_eq!(at((due + 1, due), true), (vec![(1, 2, due)], vec![due], false));
    assert_eq!(at((due + 1, due + 1), true), (vec![(1, 2, due)], vec![], true));
}

#[test]
fn a_chain_that_is_behind_holds_back_only_what_it_can_still_change() {
    let lives = [life(A, 1, 100, LIVING), life(C, 3, 150, 160), life(B, 2, 200, LIVING)];
    let clock = |now_secs| Clock { now_secs, final_secs: now_secs };
    let clocks = [(A, clock(1_000)), (B, clock(1_000)), (C, clock(170))].into();
    let view = View { clocks: &clocks, grace_secs: GRACE, announced: &|_, _| false };
    assert_eq!(tokens(&judge(lives.to_vec(), &view)), [(1, 3, 150), (1, 2, 200)]);
    let clocks = [(A, clock(1_000)), (B, clock(1_000)), (C, clock(150))].into();
    let view = View { clocks: &clocks, grace_secs: GRACE, announced: &|_, _| false };
    let judged = judge(lives.to_vec(), &view);
    assert_eq!((tokens(&judged), judged.waits), (vec![(1, 2, 200)], vec![150]));
}

#[test]
fn a_case_that_stands_is_not_taken_back_while_another_chain_catches_up() {
    let lives = [life(A, 1, 100, LIVING), life(C, 3, 50, LIVING), life(B, 2, 200, LIVING)];
    let clock = |now_secs| Clock { now_secs, final_secs: now_secs };
    let at = |behind| {
        let clocks = [(A, clock(1_000)), (B, clock(1_000)), (C, clock(behind))].into();
        let view = View { clocks: &clocks, grace_secs: GRACE, announced: &|_, _| false };
        let judged = judge(lives.to_vec(), &view);
        (tokens(&judged), judged.pairs.iter().map(|pair| pair.is_final).collect::<Vec<_>>(), judged.waits)
    };
    assert_eq!(at(60), (vec![(1, 2, 200)], vec![false], vec![100, 200]));
    assert_eq!(at(201), (vec![(3, 1, 100), (3, 2, 200)], vec![true, true], vec![]));
}

#[test]
fn the_lower_authority_is_accused_else_who_had_no_right_else_nobody() {
    let accused = |change: fn(&mut Life, &mut Life)| {
        let (mut first, mut second) = (life(A, 1, 100, LIVING), life(B, 2, 200, LIVING));
        change(&mut first, &mut second);
        let judged = judged(&[first, second]);
        alerts(&"01/04098765000010/21/S1".parse().unwrap(), &judged.pairs, "")[0].accused.clone()
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(accused(|_, _| {}), None);
    assert_eq!(accused(|first, _| first.tier = Tier::Recognised), named("minter 1"));
    assert_eq!(accused(|_, second| second.tier = Tier::Recognised), named("minter 2"));
    assert_eq!(accused(|first, _| first.entitled = false), named("minter 1"));
    assert_eq!(accused(|_, second| second.entitled = false), named("minter 2"));
    assert_eq!(
        accused(|first, second| {
            first.tier = Tier::Recognised;
            second.entitled = false;
        }),
        named("minter 1")
    );
}

#[test]
fn an_alert_says_what_it_rests_on_and_later_clones_hang_under_the_first() {
    let item: ItemKey = "01/04098765000010/21/S1".parse().unwrap();
    let day = 86_400;
    let lives = [
        life(A, 1, 0, LIVING),
        life(B, 2, day, LIVING),
        life(C, 3, 2 * day, LIVING),
        life(B, 4, 99 * day, LIVING),
    ];
    let told = alerts(&item, &judged(&lives).pairs, "grace_secs=259200");
    let contract = Address::repeat_byte(1);
    let key = |life: &Life| {
        let subject = Subject::Item(item.to_string());
        CaseKey::across_chains(RuleCode("ID-01"), &subject, life.chain, life.tx_hash, 0)
    };
    let expected = Alert {
        case_key: key(&lives[1]),
        rule: "ID-01".into(),
        rule_version: 2,
        severity: Severity::Critical,
        standing: Standing::Standing,
        subject: Subject::Item(item.to_string()),
        item: Some(item.to_string()),
        chain: B,
        position: lives[1].begun,
        tx_hash: lives[1].tx_hash,
        raised_at_secs: day,
        expected: format!(
            "one living token for this identity; it has token 1 of contract {contract} on chain 1, minted by minter 1 \
             in words at 1970-01-01T00:00:00Z"
        ),
        came: format!("token 2 of contract {contract} on chain 137 was minted by minter 2 in words"),
        accused: None,
        victim: None,
        witness: None,
        root: None,
        members: 0,
        members_query: None,
        retroactive: false,
        explained_as: None,
        parameters: "grace_secs=259200".into(),
        evidence: vec![(A, lives[0].begun), (B, lives[1].begun)],
    };
    assert_eq!(told[0], expected);
    let roots: Vec<_> = told.iter().map(|alert| (alert.case_key, alert.root)).collect();
    assert_eq!(
        roots,
        [(key(&lives[1]), None), (key(&lives[2]), Some(key(&lives[1]))), (key(&lives[3]), None)]
    );
}
