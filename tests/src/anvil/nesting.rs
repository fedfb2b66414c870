//! Tokens inside tokens of another contract (ERC-7401): a box with packs in it, offered, taken in, given out.

use crate::cast::{Cast, gtin};
use crate::deployment::{Deployment, watched};
use crate::lines::assert_lines;
use crate::node::{Contract, GENESIS_SECS, Node};
use alloy_primitives::{Address, keccak256};
use model::chain::BlockRef;

/// The two contracts.
struct Nest {
    packs: Contract,
    boxes: Contract,
}

impl Nest {
    async fn on(node: &Node, admin: Address) -> Self {
        let packs = node.deploy("Packs", admin, &[&admin.to_string()]).await;
        let boxes = node.deploy("Nest", admin, &[]).await;
        Self { packs, boxes }
    }

    /// Three packs, three offers, two of them taken in, one taken in given out again, one refused. The last block.
    async fn play(&self, node: &Node, cast: &Cast) -> BlockRef {
        let (admin, maker, shop) = (cast.address("admin"), cast.address("maker"), cast.address("pharmacy"));
        let (packs, boxes) = (&self.packs, &self.boxes);
        let (packs_address, boxes_address) = (packs.address.to_string(), boxes.address.to_string());
        let (role, time) = (keccak256("MINTER").to_string(), GENESIS_SECS.to_string());
        node.next_block([packs.call(admin, "grantRole", &[&role, &maker.to_string()])]).await;
        node.next_block([
            packs.call(maker, "commission", &["1", &gtin(), "[A, B, C]", "L1", "20270630", &time]),
            packs.call(maker, "setApprovalForAll", &[&boxes_address, "true"]),
            boxes.call(maker, "make", &["70"]),
        ])
        .await;
        let offer = |token: &str| boxes.call(maker, "propose", &["70", &packs_address, token]);
        node.next_block([offer("1"), offer("2"), offer("3")]).await;
        // The list of those offered closes its gaps: 3 takes the place of 1.
        let accept = |place: &str| boxes.call(maker, "accept", &["70", place]);
        node.next_block([accept("0"), accept("1")]).await;
        node.next_block([
            boxes.call(maker, "transferChild", &["70", "0", "true", &maker.to_string()]),
            boxes.call(maker, "transferChild", &["70", "0", "false", &shop.to_string()]),
        ])
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_go_into_a_box_of_another_contract_and_come_out_again() {
    let node = Node::start().await;
    let cast = Cast::on(&node);
    let nest = Nest::on(&node, cast.address("admin")).await;
    let (packs, boxes) = (&nest.packs, &nest.boxes);
    let registry = tempfile::tempdir().expect("a folder");
    cast.write_registry(registry.path(), &[(packs, "authoritative"), (boxes, "recognised")], &[]);
    let end = nest.play(&node, &cast).await;
    let contracts = vec![
        watched("packs", Some(packs.address), "gs1-pack"),
        watched("boxes", Some(boxes.address), "erc721"),
    ];
    let mut indexer = Deployment::of(node.url(), contracts).with_registry(registry.path()).start();
    indexer.until(end).await;
    let told = async |sql: &str| {
        let lines = indexer.rows(sql).await;
        let contracts = [("packs", packs), ("boxes", boxes)];
        lines.iter().map(|line| cast.told(line, &contracts)).collect::<Vec<_>>()
    };
    let steps =
        "SELECT kind, item, parent FROM events WHERE contract = token_contract AND kind = 'commissioning'
        OR contract <> token_contract ORDER BY block_number, log_index";
    let expected = [
        "commissioning|pack A|",
        "commissioning|pack B|",
        "commissioning|pack C|",
        "commissioning|eip155:31337/erc721:boxes/70|",
        "nest_proposed|pack A|eip155:31337/erc721:boxes/70",
        "nest_proposed|pack B|eip155:31337/erc721:boxes/70",
        "nest_proposed|pack C|eip155:31337/erc721:boxes/70",
        "packing|pack A|eip155:31337/erc721:boxes/70",
        "packing|pack B|eip155:31337/erc721:boxes/70",
        "other|pack C|eip155:31337/erc721:boxes/70",
        "unpacking|pack A|eip155:31337/erc721:boxes/70",
    ];
    assert_lines("steps", &told(steps).await, &expected);
    let inside = "SELECT child, parent, to_block IS NULL AS is_open FROM containment ORDER BY child";
    let boxed = ["pack A|eip155:31337/erc721:boxes/70|false", "pack B|eip155:31337/erc721:boxes/70|true"];
    assert_lines("containment", &told(inside).await, &boxed);
    let owners = "SELECT token_id, owner FROM tokens WHERE owner IS NOT NULL ORDER BY contract, token_id";
    let mut owned = told(owners).await;
    owned.sort();
    assert_lines("owners", &owned, &["1|pharmacy", "2|boxes", "3|maker", "70|maker"]);
    assert_lines("alerts", &told("SELECT rule, subject FROM alerts").await, &[""; 0]);
    assert_lines("dead letters", &told("SELECT * FROM dead_letters").await, &[""; 0]);
    indexer.stop().await;
}
