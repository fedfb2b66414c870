//! A supply chain on anvil, told step by step. Each step sends its transaction, and writes down which events rxtrail
//! must find in it: the list that is compared in the end was never read from rxtrail.

use crate::cast::{Cast, gtin, sscc};
use crate::node::{Call, Contract, GENESIS_SECS, Node};
use model::chain::BlockRef;
use std::collections::BTreeMap;

/// Columns of `events` in the order of the lines that a story expects.
pub(super) const EVENTS: &str =
    "SELECT kind, item, legal, from_address, to_address, actor, parent, place, reason,
    to_unixtime(event_time) AS declared FROM events ORDER BY block_number, log_index";

/// Seconds of `hour` o'clock on a day of the story, from day 1.
pub(super) fn at(day: u64, hour: u64) -> u64 {
    GENESIS_SECS + (day - 1) * 86_400 + hour * 3_600
}

/// The story so far.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) node: Node,
    pub(super) cast: Cast,
    pub(super) packs: Contract,
    pub(super) fake: Contract,
    /// The events that must be found, in the order of the chain.
    pub(super) expected: Vec<String>,
    waiting: Vec<Call>,
    now: u64,
    items: BTreeMap<u64, String>,
    owners: BTreeMap<u64, &'static str>,
}

/// What one log must be read as.
#[derive(Debug, Default)]
struct Expected<'a> {
    kind: &'a str,
    item: &'a str,
    from: &'a str,
    to: &'a str,
    by: &'a str,
    parent: &'a str,
    place: &'a str,
    reason: &'a str,
    declared: Option<u64>,
    /// Does it fit the item's story?
    legal: bool,
}

impl Story {
    /// Deploys the contracts of the cast, and lets the maker and the rival mint.
    pub(super) async fn begin() -> Self {
        let node = Node::start().await;
        let cast = Cast::on(&node);
        let admin = cast.address("admin");
        let packs = node.deploy("Packs", admin, &[&admin.to_string()]).await;
        let fake = node.deploy("LookAlike", cast.address("thief"), &[]).await;
        let mut story = Self {
            node,
            cast,
            packs,
            fake,
            expected: vec!["role_granted||true||admin|admin||||".into()],
            waiting: Vec::new(),
            now: at(1, 0),
            items: BTreeMap::new(),
            owners: BTreeMap::new(),
        };
        for name in ["maker", "wholesaler"] {
            let role = alloy_primitives::keccak256("MINTER").to_string();
            story.send("admin", "grantRole", &[&role, &story.address(name)]);
            story.expect(Expected {
                kind: "role_granted",
                to: name,
                by: "admin",
                legal: true,
                ..Expected::default()
            });
        }
        story.block(at(1, 1)).await;
        story
    }

    fn address(&self, name: &str) -> String {
        self.cast.address(name).to_string()
    }

    fn send(&mut self, by: &str, function: &str, arguments: &[&str]) {
        self.waiting.push(self.packs.call(self.cast.address(by), function, arguments));
    }

    fn expect(&mut self, event: Expected<'_>) {
        let Expected { kind, item, from, to, by, parent, place, reason, declared, legal } = event;
        let declared = declared.map(|secs| secs.to_string()).unwrap_or_default();
        self.expected
            .push(format!("{kind}|{item}|{legal}|{from}|{to}|{by}|{parent}|{place}|{reason}|{declared}"));
    }

    /// The time that steps declare: a minute before their block.
    fn declared(&self) -> u64 {
        self.now - 60
    }

    fn item(&self, token: u64) -> String {
        self.items.get(&token).cloned().unwrap_or_else(|| panic!("token {token} was never minted"))
    }

    /// Mines what waits, at a time of the story.
    pub(super) async fn block(&mut self, time_secs: u64) -> BlockRef {
        let calls = std::mem::take(&mut self.waiting);
        let block = self.node.block(time_secs, calls).await;
        self.now = time_secs;
        block
    }

    /// What happens at one time, in one block.
    pub(super) async fn scene(&mut self, time_secs: u64, steps: impl FnOnce(&mut Self)) -> BlockRef {
        self.now = time_secs;
        steps(self);
        self.block(time_secs).await
    }

    /// A scene that the chain takes back: nothing of it may be found. Ends once `seen` has ended.
    pub(super) async fn orphaned(
        &mut self,
        time_secs: u64,
        steps: impl FnOnce(&mut Self),
        seen: impl AsyncFnOnce(BlockRef),
    ) {
        let (expected, items, owners) = (self.expected.clone(), self.items.clone(), self.owners.clone());
        let block = self.scene(time_secs, steps).await;
        seen(block).await;
        self.node.reorg(1, &[]).await;
        (self.expected, self.items, self.owners) = (expected, items, owners);
    }

    /// Commissions packs with serials `S<number>` of a lot, tokens from `first` on.
    pub(super) fn commission(
        &mut self,
        by: &'static str,
        first: u64,
        serials: &[u64],
        lot: (&str, u32),
        legal: bool,
    ) {
        let (names, time) = (serials.iter().map(|n| format!("S{n}")).collect::<Vec<_>>(), self.declared());
        let (first_text, list) = (first.to_string(), format!("[{}]", names.join(",")));
        let (expiry, declared) = (lot.1.to_string(), time.to_string());
        self.send(by, "commission", &[&first_text, &gtin(), &list, lot.0, &expiry, &declared]);
        for (token, serial) in (first..).zip(&names) {
            self.items.insert(token, format!("pack {serial}"));
            self.mint(by, token);
            self.expect_step("commissioning", token, by, (by, legal));
        }
    }

    /// Commissions a case.
    pub(super) fn commission_case(&mut self, by: &'static str, token: u64) {
        let (id, time) = (token.to_string(), self.declared().to_string());
        self.send(by, "commissionUnit", &[&id, &sscc(token), &time]);
        self.items.insert(token, format!("00/{}", sscc(token)));
        self.mint(by, token);
        self.expect_step("commissioning", token, by, (by, true));
    }

    /// A mint, in which the token has no identity yet that anyone could have told.
    fn mint(&mut self, by: &'static str, token: u64) {
        let item = format!("eip155:31337/erc721:packs/{token}");
        let zero = "0x0000000000000000000000000000000000000000";
        self.expect(Expected {
            kind: "transfer",
            item: &item,
            from: zero,
            to: by,
            legal: true,
            ..Expected::default()
        });
        self.owners.insert(token, by);
    }

    fn expect_step(&mut self, kind: &str, token: u64, to: &str, (by, legal): (&str, bool)) {
        let (item, declared) = (self.item(token), Some(self.declared()));
        self.expect(Expected { kind, item: &item, to, by, declared, legal, ..Expected::default() });
    }

    /// Sends tokens to `to`.
    pub(super) fn ship(&mut self, by: &str, tokens: &[u64], to: &str, legal: bool) {
        self.send_off(("ship", "shipping"), by, tokens, (to, legal));
    }

    /// Says afterwards that a token was sent, at an earlier time.
    pub(super) fn ship_late(&mut self, by: &str, token: u64, to: &str, declared_secs: u64) {
        let now = std::mem::replace(&mut self.now, declared_secs + 60);
        self.ship(by, &[token], to, true);
        self.now = now;
    }

    /// Sends tokens back to `to`.
    pub(super) fn give_back(&mut self, by: &str, tokens: &[u64], to: &str) {
        self.send_off(("giveBack", "returning"), by, tokens, (to, true));
    }

    fn send_off(
        &mut self,
        (function, kind): (&str, &str),
        by: &str,
        tokens: &[u64],
        (to, legal): (&str, bool),
    ) {
        for token in tokens {
            let (to_text, time) = (self.address(to), self.declared().to_string());
            self.send(by, function, &[&token.to_string(), &to_text, &time]);
            let (item, declared) = (self.item(*token), Some(self.declared()));
            self.expect(Expected {
                kind,
                item: &item,
                from: by,
                to,
                by,
                declared,
                legal,
                ..Expected::default()
            });
        }
    }

    /// Takes tokens over, at the receiver's own place.
    pub(super) fn receive(&mut self, by: &'static str, tokens: &[u64], legal: bool) {
        for token in tokens {
            let time = self.declared().to_string();
            self.send(by, "receive_", &[&token.to_string(), &time, &Cast::gln(by)]);
            let item = self.item(*token);
            let owner = self.owners.insert(*token, by).unwrap_or(by);
            if owner != by {
                self.expect(Expected {
                    kind: "transfer",
                    item: &item,
                    from: owner,
                    to: by,
                    legal: true,
                    ..Expected::default()
                });
            }
            let declared = Some(self.declared());
            self.expect(Expected {
                kind: "receiving",
                item: &item,
                to: by,
                by,
                place: by,
                declared,
                legal,
                ..Expected::default()
            });
        }
    }

    /// Puts tokens into a parent, or takes them out.
    pub(super) fn packing(&mut self, function: &str, by: &str, tokens: &[u64], parent: u64) {
        let list = format!("[{}]", tokens.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
        self.send(by, function, &[&list, &parent.to_string(), &self.declared().to_string()]);
        let kind = format!("{function}ing");
        let outer = self.item(parent);
        for token in tokens {
            let (item, declared) = (self.item(*token), Some(self.declared()));
            self.expect(Expected {
                kind: &kind,
                item: &item,
                by,
                parent: &outer,
                declared,
                legal: true,
                ..Expected::default()
            });
        }
    }

    /// Supplies a pack in full.
    pub(super) fn dispense(&mut self, by: &str, token: u64, legal: bool) {
        self.send(by, "dispense", &[&token.to_string(), &self.declared().to_string(), &Cast::gln(by)]);
        let (item, declared) = (self.item(token), Some(self.declared()));
        self.expect(Expected {
            kind: "dispensing",
            item: &item,
            by,
            place: by,
            declared,
            legal,
            ..Expected::default()
        });
    }

    /// Supplies some units of a pack.
    pub(super) fn dispense_part(&mut self, by: &str, token: u64, units: u64) {
        self.send(
            by,
            "dispensePart",
            &[&token.to_string(), &units.to_string(), &self.declared().to_string()],
        );
        self.expect_step("partial_dispensing", token, "", (by, true));
    }

    /// Withdraws an identifier: reason 1 damaged, 3 sample.
    pub(super) fn decommission(&mut self, by: &str, token: u64, reason: usize) {
        self.send(
            by,
            "decommission",
            &[&token.to_string(), &reason.to_string(), &self.declared().to_string()],
        );
        let (item, declared) = (self.item(token), Some(self.declared()));
        let reason = ["unspecified", "damaged", "expired", "sample"][reason];
        self.expect(Expected {
            kind: "decommissioning",
            item: &item,
            by,
            reason,
            declared,
            legal: true,
            ..Expected::default()
        });
    }

    /// A step that names nothing but its token: `reactivate`, `quarantine`, `voidShipping`.
    pub(super) fn simple(&mut self, (function, kind): (&str, &str), by: &str, token: u64, legal: bool) {
        self.send(by, function, &[&token.to_string(), &self.declared().to_string()]);
        self.expect_step(kind, token, "", (by, legal));
    }

    /// Burns the token and destroys the pack.
    pub(super) fn destroy(&mut self, by: &str, token: u64) {
        self.send(by, "destroy", &[&token.to_string(), &self.declared().to_string()]);
        let item = self.item(token);
        let owner = self.owners.remove(&token).expect("an owner");
        let zero = "0x0000000000000000000000000000000000000000";
        self.expect(Expected {
            kind: "transfer",
            item: &item,
            from: owner,
            to: zero,
            legal: true,
            ..Expected::default()
        });
        self.expect_step("destroying", token, "", (by, true));
    }

    /// The look-alike claims a serial in somebody's name.
    pub(super) fn fake_claim(&mut self, token: u64, maker: &str, serial: u64) {
        let (id, name, time) = (token.to_string(), self.address(maker), self.declared().to_string());
        let serial = format!("S{serial}");
        let arguments = [id.as_str(), &name, &gtin(), &serial, "L1", "20270630", &time];
        let call = self.fake.call(self.cast.address("thief"), "claim", &arguments);
        self.waiting.push(call);
        // Its Transfer is not asked for: of contracts that nobody named, only what tells of packs is.
        let (item, declared) = (format!("pack {serial}"), Some(self.declared()));
        self.expect(Expected {
            kind: "commissioning",
            item: &item,
            to: maker,
            by: maker,
            declared,
            ..Expected::default()
        });
    }

    /// The look-alike has somebody receive one of its tokens.
    pub(super) fn fake_receipt(&mut self, token: u64, by: &str) {
        let arguments = [token.to_string(), self.address(by), self.declared().to_string()];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.waiting.push(self.fake.call(self.cast.address("thief"), "take", &arguments));
        let (item, declared) = (format!("eip155:31337/erc721:fake/{token}"), Some(self.declared()));
        self.expect(Expected { kind: "receiving", item: &item, to: by, by, declared, ..Expected::default() });
    }

    /// Lines with names for addresses.
    pub(super) fn told(&self, lines: Vec<String>) -> Vec<String> {
        let contracts = [("packs", &self.packs), ("fake", &self.fake)];
        lines.iter().map(|line| self.cast.told(line, &contracts)).collect()
    }
}
