//! A supply chain of nine days with thirteen frauds among honest trade, followed live through a reorg: exactly the
//! events that were sent, exactly the alerts that the frauds deserve, and the same tables as a fresh index gives.

use super::story::{EVENTS, Story, at};
use crate::cast::{Cast, gtin};
use crate::deployment::{Deployment, Indexer, watched};
use crate::lines::assert_lines;
use std::path::Path;

/// A lot that lasts, one that expires on the third day, one that is recalled on the fourth.
const L1: (&str, u32) = ("L1", 2027_0600);
const SHORT: (&str, u32) = ("SHORT", 2026_0107);
const BAD: (&str, u32) = ("BAD", 2027_0630);

/// Alerts in the order of their events: rule, how bad, whether it stands, about what, under which root.
const ALERTS: &str = "SELECT a.rule, a.severity, a.standing, a.subject, r.rule AS under, a.accused
    FROM alerts a LEFT JOIN alerts r ON a.root = r.case_key ORDER BY a.block_number, a.log_index, a.rule";

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_frauds_of_a_supply_chain_are_flagged() {
    let mut story = Story::begin().await;
    let registry = tempfile::tempdir().expect("a folder");
    write_registry(&story, registry.path());
    let contracts =
        vec![watched("packs", Some(story.packs.address), "gs1-pack"), watched("any", None, "gs1-pack")];
    let deployment = Deployment::of(story.node.url(), contracts).with_registry(registry.path());

    let mut indexer = deployment.start();
    honest_days(&mut story).await;
    frauds_of_day_four(&mut story).await;
    let fraud = |story: &mut Story| story.ship("thief", &[16], "corner_shop", false);
    story.orphaned(at(5, 8), fraud, async |block| indexer.until(block).await).await;
    frauds_of_day_five(&mut story).await;
    frauds_of_day_six(&mut story).await;
    innocent_days(&mut story).await;
    indexer.until(story.node.head().await).await;
    assert_story(&story, &indexer).await;
    let orphaned = "SELECT kind, item FROM notices WHERE case_key NOT IN (SELECT case_key FROM alerts) ORDER BY revision";
    assert_eq!(story.told(indexer.rows(orphaned).await), ["opened|pack S16", "withdrawn|pack S16"]);

    // What followed the chain live, and what reads it afresh, are the same.
    story.node.finalize().await;
    let end = story.node.head().await;
    indexer.until(end).await;
    let mut fresh = deployment.start();
    fresh.until(end).await;
    assert_story(&story, &fresh).await;
    assert_eq!(indexer.digests().await, fresh.digests().await);
    indexer.stop().await;
    fresh.stop().await;
}

/// A recall of one lot, and a carrier that acts for the wholesaler.
fn write_registry(story: &Story, dir: &Path) {
    let recall = [format!("R-1,{},BAD,,,,I,2026-01-08T00:00:00Z,", gtin())];
    let recalls = "recalls: id,gtin,lot,serial_from,serial_to,market,class,effective_at,resolved_at";
    let agreement = [format!("{},{},logistics,", Cast::gln("wholesaler"), Cast::gln("carrier"))];
    let agreements = "agreements: principal,agent,kind,scope";
    story.cast.write_registry(
        dir,
        &[(&story.packs, "authoritative")],
        &[(recalls, &recall), (agreements, &agreement)],
    );
}

async fn honest_days(story: &mut Story) {
    story
        .scene(at(1, 8), |s| {
            s.commission("maker", 1, &Vec::from_iter(1..=19), L1, true);
            s.commission("maker", 31, &[31], SHORT, true);
            s.commission("maker", 41, &[41], BAD, true);
            s.commission_case("maker", 100);
        })
        .await;
    story.scene(at(1, 9), |s| s.packing("pack", "maker", &[1, 2, 3, 4, 5], 100)).await;
    story
        .scene(at(1, 10), |s| {
            s.ship("maker", &[100, 6, 7, 8, 9, 10, 11, 12], "wholesaler", true);
            s.ship("maker", &[31, 41], "pharmacy", true);
            s.ship("maker", &[15], "struck_off", true);
        })
        .await;
    story
        .scene(at(2, 9), |s| {
            s.receive("wholesaler", &[100, 6, 7, 8, 9, 10, 11], true);
            s.receive("carrier", &[12], true);
            s.receive("pharmacy", &[31, 41], true);
        })
        .await;
    story
        .scene(at(2, 12), |s| {
            s.packing("unpack", "wholesaler", &[1, 2], 100);
            s.ship("wholesaler", &[1, 2, 6, 7, 8, 9], "pharmacy", true);
        })
        .await;
    story.scene(at(3, 9), |s| s.receive("pharmacy", &[1, 2, 6, 7, 8, 9], true)).await;
    story
        .scene(at(3, 10), |s| {
            s.dispense("pharmacy", 1, true);
            s.dispense_part("pharmacy", 6, 10);
        })
        .await;
    story.scene(at(4, 9), |s| s.give_back("pharmacy", &[9], "wholesaler")).await;
    story.scene(at(4, 10), |s| s.receive("wholesaler", &[9], true)).await;
    story.scene(at(4, 11), |s| s.decommission("pharmacy", 8, 3)).await;
}

async fn frauds_of_day_four(story: &mut Story) {
    // A licence that was revoked.
    story.scene(at(4, 12), |s| s.receive("struck_off", &[15], true)).await;
    // Sold twice.
    story.scene(at(4, 13), |s| s.dispense("corner_shop", 1, false)).await;
    // Sent by someone who never had it.
    story.scene(at(4, 14), |s| s.ship("rival", &[10], "corner_shop", false)).await;
    // A contract that only looks like the maker's, and a pharmacy that falls for it.
    story.scene(at(4, 15), |s| s.fake_claim(900, "maker", 900)).await;
    story.scene(at(4, 16), |s| s.fake_receipt(900, "pharmacy")).await;
    // One serial, two living tokens.
    story.scene(at(4, 17), |s| s.commission("maker", 50, &[3], L1, false)).await;
}

async fn frauds_of_day_five(story: &mut Story) {
    story.scene(at(5, 9), |s| s.simple(("reactivate", "reactivating"), "pharmacy", 8, true)).await;
    // Minted by someone whom nobody asked to.
    story.scene(at(5, 10), |s| s.commission("wholesaler", 60, &[60], L1, true)).await;
    // Expired, recalled, destroyed.
    story.scene(at(5, 11), |s| s.dispense("pharmacy", 31, true)).await;
    story.scene(at(5, 12), |s| s.dispense("pharmacy", 41, true)).await;
    story.scene(at(5, 13), |s| s.destroy("maker", 19)).await;
    story.scene(at(5, 14), |s| s.ship("maker", &[19], "wholesaler", false)).await;
}

async fn frauds_of_day_six(story: &mut Story) {
    // Received by someone else than it was sent to.
    story.scene(at(6, 9), |s| s.ship("wholesaler", &[11], "pharmacy", true)).await;
    story.scene(at(6, 10), |s| s.receive("corner_shop", &[11], false)).await;
    // Brought back to life while alive.
    story.scene(at(6, 11), |s| s.simple(("reactivate", "reactivating"), "pharmacy", 7, false)).await;
    // Received though nobody sent it, and nobody says so within a day.
    story.scene(at(6, 12), |s| s.receive("rival", &[14], false)).await;
    // Withdrawn, then minted again.
    story.scene(at(6, 13), |s| s.decommission("maker", 18, 1)).await;
    story.scene(at(6, 14), |s| s.commission("maker", 70, &[18], L1, false)).await;
    // Out of a case that the wholesaler has.
    story.scene(at(6, 15), |s| s.dispense("pharmacy", 4, false)).await;
}

async fn innocent_days(story: &mut Story) {
    // The receipt comes first, word of the sending three hours later.
    story.scene(at(7, 10), |s| s.receive("pharmacy", &[13], false)).await;
    story.scene(at(7, 13), |s| s.ship_late("maker", 13, "pharmacy", at(7, 8))).await;
    // Out of the case without a word, sent, called back, sent again.
    story.scene(at(7, 14), |s| s.ship("wholesaler", &[5], "pharmacy", true)).await;
    story.scene(at(7, 15), |s| s.simple(("voidShipping", "void_shipping"), "wholesaler", 5, true)).await;
    story.scene(at(7, 16), |s| s.ship("wholesaler", &[5], "pharmacy", true)).await;
    story.scene(at(8, 9), |s| s.receive("pharmacy", &[5], true)).await;
    story.scene(at(8, 10), |s| s.simple(("quarantine", "holding"), "wholesaler", 12, true)).await;
    story.scene(at(9, 9), |s| s.dispense("pharmacy", 2, true)).await;
}

async fn assert_story(story: &Story, indexer: &Indexer) {
    assert_lines("events", &story.told(indexer.rows(EVENTS).await), &story.expected);
    assert_lines("dead letters", &indexer.rows("SELECT * FROM dead_letters").await, &[""; 0]);
    let alerts = [
        "PT-01|critical|standing|pack S15||struck_off",
        "ST-01|critical|standing|pack S1||corner_shop",
        "SQ-03|critical|standing|pack S10||rival",
        "CT-01|critical|standing|fake||fake",
        "ID-01|critical|standing|pack S3||maker",
        "MI-01|critical|standing|pack S60||wholesaler",
        "ST-05|critical|standing|pack S31||pharmacy",
        "ST-04|critical|standing|pack S41||pharmacy",
        "ST-03|critical|standing|pack S19||maker",
        "SQ-01|high|standing|pack S11||corner_shop",
        "SQ-04|high|standing|pack S7||pharmacy",
        "SQ-01|high|standing|pack S14||rival",
        "MI-03|critical|standing|pack S18||maker",
        "AG-01|critical|standing|pack S4||pharmacy",
    ];
    assert_lines("alerts", &story.told(indexer.rows(ALERTS).await), &alerts);
}
