mod support;
use simulator::{Config, History, Simulator};
#[test]
fn big() {
    let b = std::time::Instant::now();
    let s = Simulator::generate(Config {
        events: 10_000_000,
        history: History::All,
        block_interval_ms: 0,
        ..Config::new(1)
    })
    .unwrap();
    println!(
        "{:?} events {} blocks {:?} labels {} bytes {} per event {}",
        b.elapsed(),
        s.events(),
        s.blocks(),
        s.labels().len(),
        s.prepared_bytes(),
        s.prepared_bytes() as u64 / s.events()
    );
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
            .collect::<Vec<_>>()
            .join(" ")
    );
}
#[test]
fn quiet() {
    for seed in 2000..2100 {
        let s = Simulator::generate(Config { events: 10_000, history: History::All, ..Config::new(seed) })
            .unwrap();
        let last = s.labels().iter().map(|l| l.block).max().unwrap();
        let b = s.blocks()[0];
        println!("seed {seed} events {} last label {last} of {}", s.events(), b.0);
    }
}
