//! Versions of the registry among the blocks.

use super::*;

fn version(version: u64) -> Arc<model::change::RegistryVersion> {
    Arc::new(model::change::RegistryVersion {
        version,
        after: Some(999),
        rows: Arc::new(Registry::default()),
    })
}

#[tokio::test(start_paused = true)]
async fn registry_versions_go_out_once_each_at_their_place() {
    let (chain, node) = shared(Chain::of(10));
    chain.lock().unwrap().finalized = 5;
    let bus = MemoryBus::new();
    let (send, updates) = mpsc::channel(4);
    let feed = RegistryFeed::from(vec![version(1)]).with_updates(updates);
    let running = Running::with_registry(&config(), &filter(), &[Arc::clone(&node)], &bus, feed);
    bus.until_tip(head(&chain)).await;
    assert_eq!(bus.story()[1], "registry 1 after None");
    send.send(version(2)).await.unwrap();
    bus.until("version 2", |tail| tail.registry_version == 2).await;
    assert_eq!(bus.story().last().unwrap(), "registry 2 after Some(10)");
    running.stop().await;
    let feed = RegistryFeed::from(vec![version(1), version(2), version(3)]);
    let running = Running::with_registry(&config(), &filter(), &[node], &bus, feed);
    bus.until("version 3", |tail| tail.registry_version == 3).await;
    running.stop().await;
    let told: Vec<_> = bus
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            Change::Registry(version) => Some(version.version),
            Change::Open(_) | Change::Append(_) | Change::Revert(_) | Change::Finalize(_) => None,
        })
        .collect();
    assert_eq!(told, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_final_run_ends_where_a_version_of_the_registry_comes_into_force() {
    let (chain, node) = shared(Chain::of(10));
    chain.lock().unwrap().finalized = 5;
    let bus = MemoryBus::new();
    let (send, updates) = mpsc::channel(4);
    let feed = RegistryFeed::from(vec![version(1)]).with_updates(updates);
    let running = Running::with_registry(&config(), &filter(), &[node], &bus, feed);
    bus.until_tip(head(&chain)).await;
    send.send(version(2)).await.unwrap();
    bus.until("version 2", |tail| tail.registry_version == 2).await;
    chain.lock().unwrap().take_back(8);
    grow(&chain, 12);
    chain.lock().unwrap().finalized = 18;
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    let story = bus.story();
    let at = story.iter().position(|told| told == "registry 2 after Some(10)").unwrap();
    let runs = ["revert 8", "finalize 8", "append 9..10", "append 11..18", "append 19..19", "append 20..20"];
    assert_eq!(story[at + 1..], runs);
}
