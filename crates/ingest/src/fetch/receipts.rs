//! Logs taken from receipts that are proved against hashed headers.

use super::proof::per_log;
use super::{PROVED_AT_ONCE, Read, hashing, lacks};
use crate::columns::Sent;
use crate::rpc::error::RpcError;
use crate::rpc::logs::{LogBlock, LogSet};
use crate::rpc::methods::Head;
use crate::verify::{self, Heads};
use evidence::block::BlockLog;
use evidence::receipt::ClaimedReceipt;
use model::segment::{LogsBuilder, RawLog, Segment, VerificationLevel};

/// Blocks of one read from receipts: at 0.5 MB of JSON each, 32 MB.
const PROVED_MAX: u64 = 64;

impl Read<'_> {
    /// The first blocks of the range, from their receipts.
    pub(super) async fn by_receipts(mut self) -> (Option<Head>, Result<Segment, RpcError>) {
        let last = self.request.last.min(self.request.first.saturating_add(PROVED_MAX - 1));
        let outcome = async {
            let heads = self.heads(&(self.request.first..=last).collect::<Vec<_>>()).await?;
            let (set, senders) = self.logs_of_receipts(&heads).await?;
            verify::check_headers(VerificationLevel::Present, &heads, &set)?;
            self.segment(last, &heads, set, &senders)
        };
        let outcome = outcome.await;
        (self.seen, outcome)
    }

    /// The logs of one block, taken from its receipts.
    pub(super) async fn block_of_receipts(&self, number: u64) -> Result<LogSet, RpcError> {
        let head = self.endpoint.client.headers(&[number], hashing(self.request)).await?.pop().flatten();
        let head = head.ok_or_else(|| lacks(number))?;
        let (set, _) = self.logs_of_receipts(&Heads::from([(number, head)])).await?;
        Ok(set)
    }

    /// The logs of these blocks, taken from their receipts, and their senders where they are carried.
    async fn logs_of_receipts(&self, heads: &Heads) -> Result<(LogSet, Vec<Option<Sent>>), RpcError> {
        let query = &self.request.query;
        let matching: Vec<&Head> = heads
            .range(query.start_block..)
            .map(|(_, head)| head)
            .filter(|head| query.might_match(&head.header.logs_bloom))
            .collect();
        let mut taken = Taken::default();
        for group in matching.chunks(PROVED_AT_ONCE) {
            let numbers: Vec<u64> = group.iter().map(|head| head.number()).collect();
            let whole = if self.needs_transactions() { numbers.as_slice() } else { &[] };
            let client = &self.endpoint.client;
            let (receipts, transactions) =
                tokio::join!(client.receipts(&numbers), client.transactions(whole));
            let mut transactions = transactions?.into_iter();
            for (head, receipts) in group.iter().zip(receipts?) {
                let transactions = transactions.next();
                let proved = verify::prove(head, &receipts, transactions.as_deref())?;
                let wanted: Vec<_> = proved
                    .logs()
                    .filter(|log| query.wants(&log.log.address, log.log.topics().first()))
                    .collect();
                let indexes = wanted.iter().map(|log| log.tx_index);
                if let (Some(transactions), true) = (&transactions, query.carry_sender) {
                    taken
                        .senders
                        .extend(per_log(indexes, |index| verify::sent(head.number(), transactions, index))?);
                }
                taken.push(head, &receipts, &wanted)?;
            }
        }
        taken.finish()
    }

    fn needs_transactions(&self) -> bool {
        self.request.level == VerificationLevel::Receipts || self.request.query.carry_sender
    }
}

/// Logs taken from receipts.
#[derive(Default)]
struct Taken {
    builder: LogsBuilder,
    blocks: Vec<LogBlock>,
    senders: Vec<Option<Sent>>,
    rows: usize,
}

impl Taken {
    fn push(
        &mut self,
        head: &Head,
        receipts: &[ClaimedReceipt],
        logs: &[BlockLog<'_>],
    ) -> Result<(), RpcError> {
        for log in logs {
            let mut topics = [None; 4];
            for (place, topic) in topics.iter_mut().zip(log.log.topics()) {
                *place = Some(*topic);
            }
            let tx_hash = receipts.get(log.tx_index as usize).map(|receipt| receipt.tx_hash);
            let raw = RawLog {
                block_number: head.number(),
                log_index: log.log_index,
                tx_index: log.tx_index,
                tx_hash: tx_hash.ok_or_else(|| verify::no_transaction(head.number(), log.tx_index))?,
                contract: log.log.address,
                topics,
                data: &log.log.data.data,
                sender: None,
                input: None,
            };
            self.builder.push(&raw).map_err(|error| RpcError::malformed(error.to_string()))?;
        }
        if !logs.is_empty() {
            let block =
                LogBlock { number: head.number(), hash: head.hash, first_row: self.rows, rows: logs.len() };
            self.blocks.push(block);
            self.rows += logs.len();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(LogSet, Vec<Option<Sent>>), RpcError> {
        let logs = self.builder.finish().map_err(|error| RpcError::malformed(error.to_string()))?;
        Ok((LogSet { logs, blocks: self.blocks }, self.senders))
    }
}
