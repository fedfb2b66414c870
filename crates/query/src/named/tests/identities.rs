//! Copies, impostors and contradictions.

use super::answer;
use super::told::{
    GTIN, OTHER_GTIN, actor, address, company, inside, item, pack, possession, shown, step, with,
};
use model::tables::Table;
use serde_json::{Value, json};

fn token(chain: u64, contract: &str, id: u64, item: &str, owner: &str) -> Value {
    json!({
        "chain": chain, "contract": address(contract), "token_id": format!("{id:064x}"), "standard": "erc721",
        "item": item, "owner": address(owner), "minted_block": 1,
    })
}

fn came_from(item: &str, link: &str, contract: &str, id: u64) -> Value {
    json!({
        "chain": 1, "item": item, "source": item, "link": link, "source_contract": address(contract),
        "source_token_id": format!("{id:064x}"),
    })
}

#[tokio::test]
async fn a_serial_on_two_living_tokens_is_copied_and_one_that_moved_is_not() {
    let (copied, burnt, migrated) = (pack("COPIED"), pack("BURNT"), pack("MIGRATED"));
    let told = company()
        .rows(
            Table::Tokens,
            [
                token(1, "c0", 7, &copied, "a1"),
                token(2, "c2", 10, &copied, "ee"),
                with(token(1, "c0", 8, &burnt, "a1"), json!({"owner": null, "burnt_block": 5})),
                token(1, "c0", 9, &burnt, "a1"),
                token(1, "c0", 1, &migrated, "a1"),
                token(1, "c1", 1, &migrated, "a1"),
                // A lot may have many tokens.
                with(token(1, "c0", 2, "01/04012345111118/10/L1", "a1"), json!({"standard": "erc1155"})),
                with(token(1, "c0", 3, "01/04012345111118/10/L1", "a1"), json!({"standard": "erc1155"})),
            ],
        )
        .rows(
            Table::Lineage,
            [
                came_from(&migrated, "migrated", "c0", 1),
                // Tokens of it that came before: they explain neither of the two.
                came_from(&copied, "migrated", "c0", 99),
                came_from(&copied, "bridged", "c5", 7),
                came_from(&copied, "named", "c0", 7),
                // Another pack's, under the same token.
                came_from(&burnt, "migrated", "c0", 7),
            ],
        );
    let both = [format!("{copied}|2|1|@c0|7|1|@a1|1|Maker"), format!("{copied}|2|2|@c2|10|1|@ee||")];
    assert_eq!(answer(&told, "copied-identities", &[]).await, both);
    assert_eq!(answer(&told, "copied-identities", &[("gtin", GTIN)]).await, both);
    assert_eq!(answer(&told, "copied-identities", &[("gtin", OTHER_GTIN)]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_contract_that_nobody_named_claims_a_product_that_has_its_own() {
    let claims = |block, kind, contract, gtin| {
        let more = json!({"authority": "unknown", "token_contract": address(contract), "gtin": gtin});
        with(
            step(block, &pack(&block.to_string()), kind, if kind == "receiving" { "b1" } else { "ee" }),
            more,
        )
    };
    let told = company()
        .registry(
            "registry_contracts",
            [
                json!({"on_chain": 1, "address": shown("c0"), "tier": "authoritative", "gtin": GTIN}),
                json!({"on_chain": 1, "address": shown("c1"), "tier": "recognised", "gtin": OTHER_GTIN}),
            ],
        )
        .rows(
            Table::Events,
            [
                claims(2, "commissioning", "f1", GTIN),
                claims(3, "commissioning", "f1", GTIN),
                claims(4, "receiving", "f1", GTIN),
                with(claims(4, "receiving", "f1", GTIN), json!({"log_index": 1})),
                claims(5, "commissioning", "f2", GTIN),
                claims(5, "commissioning", "f4", GTIN),
                claims(6, "shipping", "f4", GTIN),
                // No contract is authoritative for this product: nobody is imitated.
                claims(6, "commissioning", "f3", OTHER_GTIN),
                // The real one.
                step(7, &pack("7"), "commissioning", "a1"),
            ],
        );
    assert_eq!(
        answer(&told, "impostor-contracts", &[]).await,
        [
            "1|@f1|1|3|4|1|2026-01-02|2026-01-04",
            "1|@f4|1|2|2|0|2026-01-05|2026-01-06",
            "1|@f2|1|1|1|0|2026-01-05|2026-01-05"
        ]
    );
}

#[tokio::test]
async fn a_contract_for_every_product_guards_those_that_the_registry_knows() {
    let claim = |gtin| {
        with(
            step(2, &pack("1"), "commissioning", "ee"),
            json!({"authority": "unknown", "token_contract": address("f1"), "gtin": gtin}),
        )
    };
    let told = company()
        .registry(
            "registry_contracts",
            [json!({"on_chain": 1, "address": shown("c0"), "tier": "authoritative"})],
        )
        .rows(Table::Events, [claim(GTIN), claim(OTHER_GTIN)]);
    assert_eq!(answer(&told, "impostor-contracts", &[]).await, ["1|@f1|1|1|1|0|2026-01-02|2026-01-02"]);
    let product =
        |more| with(json!({"gtin": OTHER_GTIN, "owner": "1", "name": "Drops", "level": "pack"}), more);
    let named = |tier: &str, more| with(json!({"on_chain": 1, "address": shown("c0"), "tier": tier}), more);
    for (contract, drops) in [
        (named("recognised", json!({})), product(json!({}))),
        (named("authoritative", json!({"to_block": 1})), product(json!({}))),
        (named("authoritative", json!({"gtin": GTIN})), product(json!({}))),
        (named("authoritative", json!({"gtin": OTHER_GTIN, "to_block": 1})), product(json!({}))),
        (named("authoritative", json!({})), product(json!({"to_block": 1}))),
    ] {
        let told = company()
            .registry("registry_contracts", [contract.clone()])
            .registry("registry_products", [drops])
            .rows(Table::Events, [claim(OTHER_GTIN)]);
        assert_eq!(answer(&told, "impostor-contracts", &[]).await, Vec::<String>::new(), "{contract}");
    }
}

#[tokio::test]
async fn a_pack_dispensed_twice_is_found_and_one_that_was_reactivated_is_not() {
    let again = |block, serial: &str, kind, actor| step(block, &pack(serial), kind, actor);
    let told = company().rows(
        Table::Events,
        [
            again(3, "TWICE", "dispensing", "d1"),
            again(4, "TWICE", "inspecting", "d1"),
            with(again(9, "TWICE", "dispensing", "ee"), json!({"chain": 2, "log_index": 4, "legal": false})),
            again(3, "BACK", "dispensing", "d1"),
            again(4, "BACK", "reactivating", "d1"),
            again(5, "BACK", "dispensing", "d1"),
            again(3, "ONCE", "dispensing", "d1"),
            // What an impostor says of it makes no second.
            with(again(6, "ONCE", "dispensing", "ee"), json!({"authority": "unknown"})),
            // Of what nobody has named, nothing is known to be the same.
            with(again(7, "", "dispensing", "d1"), json!({"item": null})),
            with(again(8, "", "dispensing", "d1"), json!({"item": null})),
        ],
    );
    let twice = format!("{}|2026-01-03|@d1|Shop|2026-01-09|@ee||2|9|4|0", pack("TWICE"));
    assert_eq!(answer(&told, "double-dispense", &[]).await, [twice]);
}

#[tokio::test]
async fn an_item_of_two_stories_shows_who_tells_the_other() {
    let [two, one, settled, strange] = ["TWO", "ONE", "SETTLED", "STRANGE"].map(pack);
    let other = |holder, from| with(possession(&two, holder, from, None), json!({"branch": 1}));
    let told = company()
        .rows(
            Table::Items,
            [
                with(item("TWO", "active", "b1"), json!({"branches": 2})),
                item("ONE", "active", "b1"),
                item("SETTLED", "active", "b1"),
                with(item("STRANGE", "active", "e9"), json!({"branches": 2})),
            ],
        )
        .rows(
            Table::Custody,
            [
                possession(&two, "b1", 2, None),
                other("ee", 3),
                with(other("e0", 4), json!({"from_log": 1})),
                with(other("ef", 4), json!({"from_log": 2})),
                possession(&one, "b1", 2, None),
                // Another story that turned out to be the story.
                with(possession(&settled, "ee", 3, Some(4)), json!({"branch": 1})),
                with(possession(&strange, "d1", 5, None), json!({"branch": 1})),
            ],
        )
        .rows(
            Table::Events,
            [
                with(step(3, &two, "accepting", "ee"), json!({"branch": 1, "legal": false})),
                with(step(4, &two, "accepting", "ee"), json!({"branch": 1})),
                step(2, &two, "accepting", "a1"),
                with(step(3, &settled, "accepting", "ee"), json!({"branch": 1})),
                with(step(4, &two, "accepting", "ee"), json!({"branch": 2})),
            ],
        );
    assert_eq!(
        answer(&told, "contradicting-stories", &[]).await,
        [
            format!("1|{strange}|active|@e9||1|@d1|Shop|2026-01-05|0"),
            format!("1|{two}|active|@b1|Trader|1|@ef||2026-01-04|2"),
        ]
    );
    assert_eq!(answer(&told, "contradicting-stories", &[("gtin", OTHER_GTIN)]).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_minter_made_is_told_by_contract_and_lot() {
    let minted = |block, serial: &str, to: &str, more: Value| {
        let beneficiary = json!({"to_address": address(to), "lot": "L1", "log_index": block});
        with(with(step(block, &pack(serial), "commissioning", "0f"), beneficiary), more)
    };
    let told = company()
        .rows(
            Table::Events,
            [
                minted(2, "1", "ee", json!({})),
                minted(3, "2", "ee", json!({"legal": false})),
                minted(3, "2", "ee", json!({"log_index": 9})),
                minted(4, "3", "ee", json!({"lot": "L2", "authority": "unknown", "token_contract": address("f1")})),
                // Made for another: who pays for a transaction mints nothing.
                minted(5, "4", "a1", json!({"actor": address("ee")})),
                step(6, &pack("1"), "shipping", "ee"),
            ],
        )
        .rows(
            Table::Alerts,
            [
                json!({"case_key": "01".repeat(32), "chain": 1, "block_number": 3, "log_index": 3, "standing": "standing"}),
                // Raised by others of its block, and by another entry of its batch.
                json!({"case_key": "03".repeat(32), "chain": 1, "block_number": 3, "log_index": 4, "standing": "standing"}),
                json!({"case_key": "04".repeat(32), "chain": 1, "block_number": 3, "log_index": 3, "sub_index": 1, "standing": "standing"}),
                json!({"case_key": "02".repeat(32), "chain": 1, "block_number": 3, "log_index": 3, "standing": "explained"}),
            ],
        );
    assert_eq!(
        answer(&told, "minter-history", &[("minter", &shown("ee"))]).await,
        [
            format!("1|@c0|authoritative|{GTIN}|L1|2|1|1|2026-01-02|2026-01-03"),
            format!("1|@f1|unknown|{GTIN}|L2|1|0|0|2026-01-04|2026-01-04")
        ]
    );
}

#[tokio::test]
async fn what_was_in_the_same_case_at_the_same_time_travelled_with_a_pack() {
    let (own, friend, later, pallet) = (pack("OWN"), pack("FRIEND"), pack("LATER"), "00/340123451111111111");
    let (case, next) = ("00/340123451111111128", "00/340123451111111135");
    let told = company()
        .registry("actors", [actor("b2", "4", "Trader 2", "wholesaler")])
        .rows(
            Table::Containment,
            [
                inside(&own, case, 2, Some(6)),
                inside(&friend, case, 3, None),
                // Packed when it was already out, and taken out before it came.
                inside(&later, case, 6, None),
                inside(&pack("EARLIER"), case, 1, Some(2)),
                inside(&pack("UNSEEN"), case, 5, None),
                // The case was on other pallets before and after.
                inside(case, "00/340123451111111999", 1, Some(2)),
                inside(case, "00/340123451111111998", 6, None),
                inside(&pack("BEFORE"), "00/340123451111111999", 1, None),
                inside(&pack("AFTER"), "00/340123451111111998", 1, None),
                inside(case, pallet, 4, Some(5)),
                inside(next, pallet, 4, None),
                inside(&pack("ELSEWHERE"), next, 2, None),
            ],
        )
        .rows(
            Table::Items,
            [
                with(item("FRIEND", "packed", "b2"), json!({"possessor": null})),
                with(item("NEXT", "active", "b2"), json!({"item": next, "serial": null})),
            ],
        );
    assert_eq!(
        answer(&told, "travelled-with", &[("item", &own)]).await,
        [
            format!("1|{friend}|{case}|2026-01-03|2026-01-06|packed||"),
            format!("1|{next}|{pallet}|2026-01-04|2026-01-05|active|@b2|Trader 2"),
            format!("1|{}|{case}|2026-01-05|2026-01-06|||", pack("UNSEEN")),
        ]
    );
}
