//! Contracts that are made while the chain is read.

use super::*;

const FACTORY: Address = Address::repeat_byte(0xfa);
const MADE: B256 = B256::repeat_byte(0xfe);

fn made(child: Address) -> Log {
    Log::new_unchecked(FACTORY, vec![MADE, B256::left_padding_from(child.as_slice())], Bytes::new())
}

fn child(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Children speak before, in and after the block that makes them.
fn chain_of_factories() -> Chain {
    let mut chain = Chain::new();
    for number in 1..=60u64 {
        let mut logs = vec![log_of(child(1), number), log_of(child(2), number), log_of(child(3), number)];
        match number {
            10 => logs.push(made(child(1))),
            25 => logs.insert(0, made(child(2))),
            55 => logs.push(made(child(3))),
            _ => {}
        }
        chain.mine(&[logs]);
    }
    chain
}

/// The factory's own events, and each child's logs from the block that makes it.
fn watched_by_factory(chain: &Arc<Mutex<Chain>>) -> Vec<(BlockRef, u32, Address, Bytes)> {
    let chain = chain.lock().unwrap();
    let born = |address: Address| {
        let blocks = chain.blocks.iter().filter(|block| {
            block.receipts.iter().flat_map(|receipt| &receipt.logs).any(|log| *log == made(address))
        });
        blocks.map(|block| block.header.number).min().unwrap_or(u64::MAX)
    };
    let born: Vec<(Address, u64)> = [1, 2, 3].map(|n| (child(n), born(child(n)))).to_vec();
    chain.logs(|number, log| {
        log.address == FACTORY
            || born.iter().any(|(address, from)| log.address == *address && number >= *from)
    })
}

fn factory_filter() -> Filter {
    Filter {
        factories: vec![Factory { address: FACTORY, topic: MADE, place: AddressPlace::Topic(1) }],
        ..Filter::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_factories_make_is_watched_from_its_block_on_however_the_chain_is_cut() {
    for span in [1, 3, 7, 100] {
        let (chain, node) = shared(chain_of_factories());
        chain.lock().unwrap().finalized = 50;
        node.trick(move |method, params, answer| {
            let bound = |key: &str| {
                u64::from_str_radix(params[0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
            };
            if method == "eth_getLogs" && bound("toBlock") - bound("fromBlock") >= span {
                return Err(Failure::Says(-32000, format!("block range exceeds {span}")));
            }
            answer
        });
        let bus = MemoryBus::new();
        let running = Running::start(&config(), &factory_filter(), &[Arc::clone(&node)], &bus);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), watched_by_factory(&chain), "span {span}");
        // A second run finds again what the first one found.
        chain.lock().unwrap().mine(&[vec![log_of(child(2), 61)]]);
        let running = Running::start(&config(), &factory_filter(), &[node], &bus);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), watched_by_factory(&chain), "span {span}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contract_whose_making_is_taken_back_is_no_longer_watched() {
    let (chain, node) = shared(chain_of_factories());
    chain.lock().unwrap().finalized = 50;
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &factory_filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    {
        let mut chain = chain.lock().unwrap();
        chain.take_back(54);
        for number in 55..=62 {
            chain.mine(&[vec![log_of(child(3), number), log_of(child(1), number)]]);
        }
    }
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), watched_by_factory(&chain));
}
