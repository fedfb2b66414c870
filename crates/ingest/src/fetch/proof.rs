//! What the level asks of logs that were read: their blocks' receipts and transactions, history behind silence, senders.

use super::{Read, lacks};
use crate::columns::Sent;
use crate::rpc::error::RpcError;
use crate::rpc::logs::{LogBlock, LogSet};
use crate::verify::{self, Heads, Suspect};
use alloy_consensus::EMPTY_ROOT_HASH;
use model::incident::IncidentKind;
use model::segment::{Finality, VerificationLevel};
use std::collections::HashMap;

impl Read<'_> {
    /// Nodes that have pruned their history answer with an empty list, or with its upper part. No bloom of the probed
    /// blocks speaks of a log, so one of them that has transactions is asked for its receipts.
    pub(super) async fn check_history(&self, heads: &Heads, probes: &[u64]) -> Result<(), RpcError> {
        if self.request.finality == Finality::Open {
            return Ok(());
        }
        let probed = probes.iter().filter_map(|number| heads.get(number));
        let Some(head) = probed.into_iter().find(|head| head.header.transactions_root != EMPTY_ROOT_HASH)
        else {
            return Ok(());
        };
        match self.endpoint.client.receipts(&[head.number()]).await {
            Ok(receipts) if receipts.iter().flatten().count() == 0 => Err(lacks(head.number())),
            // What cannot be asked, or read, cannot be known: the level says how far answers are believed.
            Err(RpcError::Unsupported(detail) | RpcError::Unprovable(detail)) => {
                tracing::debug!(endpoint = self.endpoint.name, detail, "history cannot be checked");
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    /// Proves some blocks. Below `bloom` the level does not ask for proof: where it cannot be had, that of a sample,
    /// or behind an empty answer, is a mere look.
    pub(super) async fn prove_or_look(
        &self,
        group: &[Suspect],
        heads: &Heads,
        set: &LogSet,
        senders: &mut [Option<Sent>],
    ) -> Result<(), RpcError> {
        match self.prove(group, heads, set, senders).await {
            Err(RpcError::Unprovable(_)) if self.request.level < VerificationLevel::Bloom => {
                self.look(group, set).await
            }
            outcome => outcome,
        }
    }

    /// Reads and compares the receipts of some blocks, and with them the senders where they are carried.
    async fn prove(
        &self,
        group: &[Suspect],
        heads: &Heads,
        set: &LogSet,
        senders: &mut [Option<Sent>],
    ) -> Result<(), RpcError> {
        let numbers: Vec<u64> = group.iter().map(|suspect| suspect.number).collect();
        let whole: Vec<u64> =
            group.iter().filter(|suspect| suspect.transactions).map(|suspect| suspect.number).collect();
        let client = &self.endpoint.client;
        let (receipts, transactions) = tokio::join!(client.receipts(&numbers), client.transactions(&whole));
        let transactions: HashMap<u64, _> = whole.into_iter().zip(transactions?).collect();
        let view = verify::view(set)?;
        for (number, receipts) in numbers.iter().zip(receipts?) {
            let head = heads.get(number).ok_or_else(|| lacks(*number))?;
            let transactions = transactions.get(number).map(Vec::as_slice);
            let checked = verify::check_block(head, &receipts, transactions, set, &self.request.query);
            checked.map_err(|error| self.left_out(error, set))?;
            let block = set.blocks.iter().find(|block| block.number == *number);
            if let (Some(transactions), Some(block), false) = (transactions, block, senders.is_empty()) {
                let indexes = verify::rows(&view, block).map(|log| log.tx_index);
                let sent = per_log(indexes, |tx_index| verify::sent(*number, transactions, tx_index))?;
                senders[block.first_row..block.first_row + block.rows].clone_from_slice(&sent);
            }
        }
        Ok(())
    }

    /// Looks for logs in receipts that cannot be proved, where none were given.
    async fn look(&self, group: &[Suspect], set: &LogSet) -> Result<(), RpcError> {
        for Suspect { number, .. } in group {
            let given = set.blocks.iter().any(|block| block.number == *number);
            if !given && self.endpoint.client.tells_of_logs(*number, &self.request.query).await? {
                let detail = "the receipts tell of a log that was left out".to_owned();
                let omitted =
                    RpcError::BadData { kind: IncidentKind::OmittedLog, block: Some(*number), detail };
                return Err(self.left_out(omitted, set));
            }
        }
        Ok(())
    }

    /// Nothing at all of a final range that holds logs: the node lost them, whatever it says.
    fn left_out(&self, error: RpcError, set: &LogSet) -> RpcError {
        match error {
            RpcError::BadData { kind: IncidentKind::OmittedLog, block, detail }
                if set.blocks.is_empty() && self.request.finality == Finality::Final =>
            {
                RpcError::BadData { kind: IncidentKind::PrunedHistory, block, detail }
            }
            error => error,
        }
    }

    /// Senders that no proof has brought, in the node's words.
    pub(super) async fn name_senders(
        &self,
        set: &LogSet,
        senders: &mut [Option<Sent>],
    ) -> Result<(), RpcError> {
        if senders.is_empty() {
            return Ok(());
        }
        let open: Vec<&LogBlock> =
            set.blocks.iter().filter(|block| senders[block.first_row].is_none()).collect();
        let view = verify::view(set)?;
        for group in open.chunks(self.endpoint.client.batch_size()) {
            let numbers: Vec<u64> = group.iter().map(|block| block.number).collect();
            let named = self.endpoint.client.named_transactions(&numbers).await?;
            for (block, transactions) in group.iter().zip(named) {
                for (row, log) in (block.first_row..).zip(verify::rows(&view, block)) {
                    let transaction =
                        transactions.get(log.tx_index as usize).filter(|named| named.hash == log.tx_hash);
                    let transaction =
                        transaction.ok_or_else(|| verify::no_transaction(block.number, log.tx_index))?;
                    senders[row] = Some((transaction.from, transaction.input.clone()));
                }
            }
        }
        Ok(())
    }
}

/// What each log's transaction was sent with. Logs of one transaction follow one another, so each is asked for once.
pub(super) fn per_log(
    tx_indexes: impl Iterator<Item = u32>,
    sent: impl Fn(u32) -> Result<Sent, RpcError>,
) -> Result<Vec<Option<Sent>>, RpcError> {
    let mut last: Option<(u32, Sent)> = None;
    let mut all = Vec::new();
    for tx_index in tx_indexes {
        let known = last.take().filter(|(index, _)| *index == tx_index);
        let (_, now) = last.insert(match known {
            Some(known) => known,
            None => (tx_index, sent(tx_index)?),
        });
        all.push(Some(now.clone()));
    }
    Ok(all)
}
