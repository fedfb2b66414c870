//! How fast a world is made and served: neither may be what a measurement of its readers measures.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use simulator::{Config, Endpoint, History, Simulator};
use tokio_util::sync::CancellationToken;

fn config(events: u64) -> Config {
    Config { events, history: History::All, block_interval_ms: 0, ..Config::new(1) }
}

fn generate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    for events in [20_000, 200_000] {
        let made = Simulator::generate(config(events)).map_or(0, |world| world.events());
        group.sample_size(10).throughput(Throughput::Elements(made));
        group.bench_function(format!("{events} events"), |bench| {
            bench.iter(|| Simulator::generate(config(events)))
        });
    }
    group.finish();
}

fn get_logs(criterion: &mut Criterion, endpoint: &Endpoint, events: u64, contract: &str) {
    let range = r#""fromBlock":"0x0","toBlock":"latest""#;
    let call = |filter: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{{{range}{filter}}}]}}"#)
    };
    let mut group = criterion.benchmark_group("eth_getLogs");
    group.sample_size(20).throughput(Throughput::Elements(events));
    for (name, filter) in [("all", String::new()), ("one contract", format!(r#","address":"{contract}""#))] {
        let request = call(&filter);
        group.bench_function(name, |bench| bench.iter(|| endpoint.answer(request.as_bytes())));
    }
    group.finish();
}

fn serve(criterion: &mut Criterion) {
    let Ok(world) = Simulator::generate(config(200_000)) else { return };
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return };
    let (events, contract) = (world.events(), world.contracts()[0].address.to_string());
    let token = CancellationToken::new();
    let running = runtime.block_on(world.serve(&[([127, 0, 0, 1], 0).into()], token.clone()));
    if let Some(endpoint) = running.ok().and_then(|running| running.endpoints.first().cloned()) {
        get_logs(criterion, &endpoint, events, &contract);
    }
    token.cancel();
}

criterion_group!(benches, generate, serve);
criterion_main!(benches);
