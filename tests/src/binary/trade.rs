//! Random trade on a real node, honest and not, with reorgs: what a process is killed over.

use crate::cast::{Cast, gtin, sscc};
use crate::node::{BLOCK_SECS, Call, Contract, GENESIS_SECS, Node, REORG_DEPTH_MAX};
use alloy_primitives::keccak256;
use model::chain::BlockRef;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;
use std::collections::VecDeque;

/// Parties that act.
const ACTORS: [&str; 6] = ["maker", "wholesaler", "rival", "pharmacy", "corner_shop", "struck_off"];

/// The chain, and what happened on it.
#[derive(Debug)]
pub(super) struct Trade {
    pub(super) node: Node,
    pub(super) cast: Cast,
    pub(super) packs: Contract,
    /// Counts.
    pub(super) mined: u64,
    pub(super) orphaned: u64,
    pub(super) reorgs: u64,
    /// Transactions of the newest blocks, oldest first: what a reorg may mine again.
    recent: VecDeque<Vec<Call>>,
    /// The first block that a reorg may touch: the contract stands below it.
    floor: u64,
    tokens: u64,
}

impl Trade {
    /// Deploys the contract, and lets two mint: the maker, and the wholesaler, who may not.
    pub(super) async fn begin() -> Self {
        let node = Node::start().await;
        let cast = Cast::on(&node);
        let admin = cast.address("admin");
        let packs = node.deploy("Packs", admin, &[&admin.to_string()]).await;
        let role = keccak256("MINTER").to_string();
        let grant = |name: &str| packs.call(admin, "grantRole", &[&role, &cast.address(name).to_string()]);
        let head = node.next_block([grant("maker"), grant("wholesaler")]).await;
        let (mined, floor) = (head.number, head.number + 1);
        Self { node, cast, packs, mined, orphaned: 0, reorgs: 0, recent: VecDeque::new(), floor, tokens: 0 }
    }

    /// Mines one block of a few random steps. Some revert, as on any chain.
    pub(super) async fn block(&mut self, rng: &mut StdRng) -> BlockRef {
        let calls: Vec<Call> = (0..rng.random_range(0..5)).map(|_| self.step(rng)).collect();
        self.mine(rng, calls).await
    }

    /// A pack that its maker commissions, and that a rival who never had it sends on.
    pub(super) async fn fraud(&mut self, rng: &mut StdRng) -> BlockRef {
        let minted = self.commission("maker");
        let token = self.tokens.to_string();
        let receiver = self.cast.address("corner_shop").to_string();
        let stolen = self.call("rival", "ship", &[&token, &receiver, &self.now()]);
        self.mine(rng, vec![minted, stolen]).await
    }

    async fn mine(&mut self, rng: &mut StdRng, calls: Vec<Call>) -> BlockRef {
        for call in &calls {
            self.node.send(call).await;
        }
        if rng.random_bool(0.2) {
            // Hours pass, so that graces end.
            let head = self.node.call("eth_getBlockByNumber", json!(["latest", false])).await;
            let time: alloy_primitives::U64 =
                serde_json::from_value(head["timestamp"].clone()).expect("a time");
            let later = time.to::<u64>() + rng.random_range(1..14) * 3_600;
            self.node.call("evm_setNextBlockTimestamp", json!([later])).await;
        }
        self.node.mine(1).await;
        self.mined += 1;
        self.recent.push_back(calls);
        if self.recent.len() as u64 > REORG_DEPTH_MAX {
            self.recent.pop_front();
        }
        self.node.head().await
    }

    /// Replaces up to seven of the newest blocks by others, which hold some of the transactions again.
    pub(super) async fn reorg(&mut self, rng: &mut StdRng) {
        let depth_max = (self.node.head().await.number + 1 - self.floor).min(self.recent.len() as u64);
        if depth_max == 0 {
            return;
        }
        // The lesser of two draws: most reorgs are short, as on any chain.
        let depth = rng.random_range(1..=depth_max).min(rng.random_range(1..=depth_max));
        let taken = self.recent.split_off(self.recent.len() - usize::try_from(depth).expect("seven"));
        let mut again: Vec<Vec<Call>> = vec![Vec::new(); taken.len()];
        for call in taken.into_iter().flatten() {
            if rng.random_bool(0.7) {
                again[rng.random_range(0..usize::try_from(depth).expect("seven"))].push(call);
            }
        }
        let pairs: Vec<(Call, u64)> = (0..)
            .zip(&again)
            .flat_map(|(block, calls)| calls.iter().map(move |call| (call.clone(), block)))
            .collect();
        self.node.reorg(depth, &pairs).await;
        self.recent.extend(again);
        self.reorgs += 1;
        self.orphaned += depth;
        self.mined += depth;
    }

    fn now(&self) -> String {
        (GENESIS_SECS + self.mined * BLOCK_SECS).to_string()
    }

    fn call(&self, by: &str, function: &str, arguments: &[&str]) -> Call {
        self.packs.call(self.cast.address(by), function, arguments)
    }

    fn commission(&mut self, by: &str) -> Call {
        self.tokens += 1;
        let (token, serials) = (self.tokens.to_string(), format!("[T{}]", self.tokens));
        self.call(by, "commission", &[&token, &gtin(), &serials, "L1", "20270630", &self.now()])
    }

    /// One step of anyone on anything.
    fn step(&mut self, rng: &mut StdRng) -> Call {
        let by = ACTORS[rng.random_range(0..ACTORS.len())];
        let token = rng.random_range(1..=self.tokens.max(1)).to_string();
        let to = self.cast.address(ACTORS[rng.random_range(0..ACTORS.len())]).to_string();
        let (now, place) = (self.now(), Cast::gln(by));
        match rng.random_range(0..14) {
            0..4 => self.commission("maker"),
            4 => self.commission("wholesaler"),
            5 => {
                self.tokens += 1;
                self.call("maker", "commissionUnit", &[&self.tokens.to_string(), &sscc(self.tokens), &now])
            }
            6 | 7 => self.call(by, "ship", &[&token, &to, &now]),
            8 | 9 => self.call(by, "receive_", &[&token, &now, &place]),
            10 => self.call(
                by,
                "pack",
                &[&format!("[{token}]"), &rng.random_range(1..=self.tokens.max(1)).to_string(), &now],
            ),
            11 => self.call(by, "dispense", &[&token, &now, &place]),
            12 => self.call(by, "decommission", &[&token, &rng.random_range(0..8).to_string(), &now]),
            _ => self.call(by, "destroy", &[&token, &now]),
        }
    }
}
