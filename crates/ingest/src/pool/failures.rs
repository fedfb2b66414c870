//! Why no endpoint gave what was asked for, gathered until it is one error.

use crate::error::Error;
use crate::rpc::error::RpcError;
use model::chain::ChainId;
use model::incident::IncidentKind;
use std::collections::BTreeMap;

/// The last failure of each endpoint that was asked.
#[derive(Debug, Default)]
pub(super) struct Failures(BTreeMap<String, RpcError>);

impl Failures {
    pub(super) fn push(&mut self, endpoint: &str, error: RpcError) {
        self.0.insert(endpoint.to_owned(), error);
    }

    /// Would asking again be in vain: every endpoint has said that it cannot?
    pub(super) fn are_final(&self, endpoints: usize) -> bool {
        let never = |error: &RpcError| {
            matches!(
                error,
                RpcError::Pruned { .. }
                    | RpcError::Unsupported(_)
                    | RpcError::Unprovable(_)
                    | RpcError::WrongChain(_)
            )
        };
        self.0.len() == endpoints && self.0.values().all(never)
    }

    /// Was a list of logs shown to be not the block's? Then receipts, which are proved, may still tell them.
    pub(super) fn logs_were_wrong(&self) -> bool {
        use IncidentKind::{ForgedLog, OmittedLog, PrunedHistory};
        let wrong = |error: &RpcError| {
            matches!(error, RpcError::BadData { kind: OmittedLog | ForgedLog | PrunedHistory, .. })
        };
        self.0.values().any(wrong)
    }

    /// One error for all of them.
    pub(super) fn into_error(self, chain: ChainId, what: &str, endpoints: usize) -> Error {
        let what = what.to_owned();
        let lines: Vec<String> =
            self.0.iter().map(|(endpoint, error)| format!("{endpoint}: {error}")).collect();
        let detail =
            if lines.is_empty() { "every endpoint rests after failures".into() } else { lines.join("; ") };
        if self.are_final(endpoints) {
            return self.into_final(chain, what, detail);
        }
        if self.0.values().any(|error| matches!(error, RpcError::BadData { .. })) {
            return Error::Refuted { chain, what, detail };
        }
        Error::Unavailable { chain, what, detail }
    }

    fn into_final(self, chain: ChainId, what: String, detail: String) -> Error {
        if self.0.values().all(|error| matches!(error, RpcError::WrongChain(_))) {
            return Error::WrongChain { chain, detail };
        }
        let block = self.0.values().find_map(|error| match error {
            RpcError::Pruned { block, .. } => Some(block.unwrap_or(0)),
            _ => None,
        });
        match block {
            Some(block) => Error::Pruned { chain, block, detail },
            None => Error::Unsupported { chain, what, detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(failures: &[(&str, RpcError)], endpoints: usize) -> Error {
        let mut gathered = Failures::default();
        for (endpoint, error) in failures {
            gathered.push(endpoint, error.clone());
        }
        gathered.into_error(ChainId(1), "block 7", endpoints)
    }

    #[test]
    fn only_what_every_endpoint_says_ends_the_run() {
        let pruned = || RpcError::Pruned { block: Some(7), detail: "null".into() };
        let unsupported = || RpcError::Unsupported("no such method".into());
        let bad = || RpcError::malformed("x");
        let transient = || RpcError::Transient("refused".into());
        assert!(matches!(error(&[("a", pruned()), ("b", unsupported())], 2), Error::Pruned { block: 7, .. }));
        assert!(matches!(error(&[("a", pruned())], 2), Error::Unavailable { .. }));
        assert!(matches!(error(&[("a", unsupported())], 1), Error::Unsupported { .. }));
        assert!(matches!(error(&[("a", RpcError::WrongChain(5))], 1), Error::WrongChain { .. }));
        assert!(matches!(
            error(&[("a", RpcError::WrongChain(5)), ("b", transient())], 2),
            Error::Unavailable { .. }
        ));
        assert!(matches!(error(&[("a", bad()), ("b", transient())], 2), Error::Refuted { .. }));
        let said = error(&[("a", transient()), ("b", bad())], 2).to_string();
        assert_eq!(
            said,
            "chain 1: no endpoint's answer for block 7 holds: a: refused; b: malformed_answer: x"
        );
        assert!(error(&[], 2).to_string().contains("every endpoint rests"));
    }
}
