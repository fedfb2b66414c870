//! Contracts that factories make: found in the factories' events, watched from the block of the event on.
//!
//! A range is read with the contracts that are known when it is asked for. When it comes, and contracts were found
//! since (in it, or in a range before it), their logs are read too and merged before anything is published. So what
//! is published does not depend on how the chain was cut into ranges.

use crate::columns;
use crate::error::{Error, Result};
use crate::filter::{AddressPlace, Factory, Filter, Query};
use crate::source::{ChainSource, ReadRequest};
use alloy_primitives::{Address, B256};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use model::chain::ChainId;
use model::segment::{BlockMeta, LogsView, RawLog, Segment, logs_schema};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Contracts that may be found: at 150 bytes each with its matcher, 30 MB.
const CONTRACTS_MAX: usize = 200_000;

/// The contracts that are watched now.
#[derive(Debug)]
pub(crate) struct Watched {
    chain: ChainId,
    filter: Filter,
    factories: HashMap<(Address, B256), Factory>,
    /// Contracts in the order of their discovery, with the block of it: ascending.
    found: Vec<(u64, Address)>,
    known: HashSet<Address>,
    query: Arc<Query>,
}

impl Watched {
    /// The contracts of the filter; none was found yet.
    pub(crate) fn new(chain: ChainId, filter: Filter) -> Self {
        let factories =
            filter.factories.iter().map(|factory| ((factory.address, factory.topic), *factory)).collect();
        let known = filter.addresses.iter().copied().collect();
        let query = Arc::new(filter.query([]));
        Self { chain, filter, factories, found: Vec::new(), known, query }
    }

    /// What is asked for at present, and how many contracts were found so far.
    pub(crate) fn query(&self) -> (Arc<Query>, usize) {
        (Arc::clone(&self.query), self.found.len())
    }

    /// The factories' events alone; `None` without factories.
    pub(crate) fn query_factories(&self) -> Option<Arc<Query>> {
        (!self.factories.is_empty()).then(|| Arc::new(self.filter.query_factories()))
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Takes in the contracts that these logs tell of.
    pub(crate) fn learn(&mut self, logs: &RecordBatch) -> Result<()> {
        if self.factories.is_empty() {
            return Ok(());
        }
        let before = self.found.len();
        for log in LogsView::new(logs)?.iter() {
            if let Some(address) = self.contract_in(&log).filter(|address| !self.known.contains(address)) {
                if self.found.len() == CONTRACTS_MAX {
                    return Err(Error::TooManyContracts { chain: self.chain, limit: CONTRACTS_MAX });
                }
                self.known.insert(address);
                self.found.push((log.block_number, address));
            }
        }
        if self.found.len() > before {
            self.ask_anew();
        }
        Ok(())
    }

    /// Forgets what was found above `number`.
    pub(crate) fn revert(&mut self, number: u64) {
        let kept = self.found.partition_point(|(block, _)| *block <= number);
        if kept == self.found.len() {
            return;
        }
        for (_, address) in self.found.drain(kept..) {
            self.known.remove(&address);
        }
        self.ask_anew();
    }

    fn ask_anew(&mut self) {
        self.query = Arc::new(self.filter.query(self.found.iter().map(|(_, address)| *address)));
    }

    fn contract_in(&self, log: &RawLog<'_>) -> Option<Address> {
        match self.factories.get(&(log.contract, log.topics[0]?))?.place {
            AddressPlace::Topic(topic) => {
                address_in(log.topics.get(usize::from(topic)).copied()??.as_slice())
            }
            AddressPlace::Data(word) => {
                let start = usize::from(word) * 32;
                address_in(log.data.get(start..start + 32)?)
            }
        }
    }

    /// Adds to a segment the logs of the contracts that were found since it was asked for with `known` of them.
    pub(crate) async fn complete(
        &mut self,
        source: &dyn ChainSource,
        request: &ReadRequest,
        known: usize,
        segment: Segment,
    ) -> Result<Segment> {
        self.learn(&segment.logs)?;
        let found = self.found.get(known..).unwrap_or_default();
        let since: HashMap<Address, u64> = found.iter().map(|(block, address)| (*address, *block)).collect();
        if since.is_empty() {
            return Ok(segment);
        }
        let query = Arc::new(self.filter.query_only(since.keys().copied().collect()));
        let more = self.read_all(source, ReadRequest { query, ..request.clone() }, &segment).await?;
        let more = from_discovery(&more, &since)?;
        merged(segment, &more)
    }

    /// The same range again, whatever pieces it comes in. It must be of the same blocks.
    async fn read_all(
        &self,
        source: &dyn ChainSource,
        request: ReadRequest,
        segment: &Segment,
    ) -> Result<Pieces> {
        let mut pieces = Pieces::default();
        let (mut first, mut parent) = (segment.first_number, segment.parent_hash);
        loop {
            let request =
                ReadRequest { first, last: segment.last.number, parent: Some(parent), ..request.clone() };
            let piece = source.read(request).await?;
            let at_end = piece.last.number >= segment.last.number;
            if piece.parent_hash != parent || (at_end && piece.last != segment.last) {
                return Err(Error::Moved { chain: self.chain, block: first });
            }
            (first, parent) = (piece.last.number.saturating_add(1), piece.last.hash);
            pieces.logs.push(piece.logs);
            pieces.blocks.extend(piece.blocks);
            if at_end {
                return Ok(pieces);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Pieces {
    logs: Vec<RecordBatch>,
    blocks: Vec<BlockMeta>,
}

/// The address in a word, where it is one: 12 zero bytes before it.
fn address_in(word: &[u8]) -> Option<Address> {
    let (zeros, address) = word.split_at_checked(12)?;
    (zeros == [0; 12] && address.len() == 20).then(|| Address::from_slice(address))
}

/// Logs of each contract from the block of its discovery on.
fn from_discovery(pieces: &Pieces, since: &HashMap<Address, u64>) -> Result<Pieces> {
    let logs = concat_batches(&logs_schema(), &pieces.logs)?;
    let view = LogsView::new(&logs)?;
    let kept: BooleanArray = view
        .iter()
        .map(|log| Some(since.get(&log.contract).is_some_and(|block| *block <= log.block_number)))
        .collect();
    let logs = filter_record_batch(&logs, &kept)?;
    let carrying: HashSet<u64> = LogsView::new(&logs)?.iter().map(|log| log.block_number).collect();
    let blocks = pieces.blocks.iter().copied().filter(|meta| carrying.contains(&meta.block.number)).collect();
    Ok(Pieces { logs: vec![logs], blocks })
}

fn merged(mut segment: Segment, more: &Pieces) -> Result<Segment> {
    for logs in &more.logs {
        segment.logs = columns::merge(&segment.logs, logs)?;
    }
    let blocks = segment.blocks.iter().chain(&more.blocks).map(|meta| (meta.block.number, *meta));
    segment.blocks = blocks.collect::<BTreeMap<u64, BlockMeta>>().into_values().collect();
    Ok(segment)
}

#[cfg(test)]
mod tests;
