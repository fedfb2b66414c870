//! `bus inspect`: what is on the topics of Kafka.

use crate::args::{BusCommand, Common, Inspect};
use crate::config::Overrides;
use crate::config::bus::BusKind;
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{print, printable};
use bus::kafka::inspect::{Inspection, What, inspect};
use std::fmt::Write as _;

/// Looks, and prints. Exit 1 says that there is something that is not ours or cannot be read.
pub(super) async fn execute(common: &Common, command: &BusCommand) -> Result<Exit> {
    let BusCommand::Inspect(args) = command;
    let settings = load(common, &Overrides::default())?;
    let BusKind::Kafka(config) = &settings.bus else {
        let words = "there is nothing to inspect: [bus] kind is \"local\", whose log is of one process";
        return Err(Error::Request(words.to_owned()));
    };
    let Some(chain) = settings.chains.iter().find(|chain| chain.name == args.chain) else {
        let names: Vec<_> = settings.chains.iter().map(|chain| chain.name.as_str()).collect();
        let message = format!("there is no [chains.{}]; chains are {}", args.chain, names.join(", "));
        return Err(Error::Request(message));
    };
    let Inspect { from, count, .. } = args;
    let found = inspect(config, chain.ingest.id, *from, *count).await?;
    print(&sheet(&found))?;
    let is_ours = found.messages.iter().all(|seen| matches!(seen.what, What::Piece { .. }));
    Ok(if is_ours { Exit::Ok } else { Exit::Findings })
}

fn sheet(found: &Inspection) -> String {
    let (tail, mut text) = (&found.tail, String::new());
    let block = |block: Option<model::chain::BlockRef>| {
        block.map_or_else(|| "none".to_owned(), |block| block.to_string())
    };
    let position = &tail.position;
    // Writing to a text cannot fail.
    let mut line = |words: String| writeln!(text, "{words}").ok();
    line(format!("topic {}, offsets {} to {}", found.topic, found.low, found.high));
    line(format!("epoch {}, record {}, tip {}", position.epoch, position.sequence, block(position.tip)));
    line(format!(
        "finalized {}, open blocks {}, registry version {}",
        block(position.finalized),
        tail.open_blocks.len(),
        tail.registry_version
    ));
    for seen in &found.messages {
        line(format!("{:>12} {:>9} B  {}", seen.offset, seen.bytes, printable(&seen.what.to_string())));
    }
    text
}
