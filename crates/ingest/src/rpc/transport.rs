//! The way to one endpoint, and the envelope around its answers.
//!
//! A [`Transport`] carries a packet of calls; a [`Reply`] gives each call its outcome, borrowed from the body: the
//! text of an answer is never copied on its way to the reader.

use super::error::{RpcError, excerpt};
use super::wording;
use alloy_json_rpc::{Id, RequestPacket, Response, ResponsePayload};
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The largest answer that is read, in bytes: ten times an answer of [`ANSWER_LOGS`](crate::range::ANSWER_LOGS) logs
/// at 640 bytes each, or the receipts of a block of 20,000 transactions. A larger one counts as a range that is too
/// large.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// A way to one endpoint.
#[async_trait]
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// Sends one call, or several as a batch.
    async fn send(&self, packet: RequestPacket) -> Result<Reply, RpcError>;
}

/// What came back for a packet.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A body, as it came.
    Body(Bytes),
    /// Responses that the transport took apart already.
    Parts(Vec<Response>),
}

/// The text of an answer, or why there is none.
pub(crate) type Outcome<'a> = Result<&'a str, RpcError>;

impl Reply {
    /// How large it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Body(body) => body.len(),
            Self::Parts(parts) => {
                parts.iter().filter_map(|part| part.payload.as_success()).map(|raw| raw.get().len()).sum()
            }
        }
    }

    /// The outcome of each of `calls` calls, whose ids count from `first_id`.
    ///
    /// # Errors
    /// When the reply is no reply, refuses the packet as a whole, or lacks a call.
    pub(crate) fn outcomes(&self, first_id: u64, calls: usize) -> Result<Vec<Outcome<'_>>, RpcError> {
        let mut outcomes: Vec<Option<Outcome<'_>>> = (0..calls).map(|_| None).collect();
        match self {
            Self::Body(body) => read_body(body, first_id, &mut outcomes)?,
            Self::Parts(parts) => read_parts(parts, first_id, &mut outcomes)?,
        }
        let answered = outcomes.iter().flatten().count();
        let missing = || RpcError::malformed(format!("{answered} answers to {calls} calls"));
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
    }
}

/// A response of JSON-RPC 2.0, read leniently: `"error": null` beside a result is common, and so is an error that
/// is a mere text.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// A result that is null is there; one that is absent is not.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct ErrorObject<'a> {
    #[serde(default)]
    code: i64,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// The place among the calls whose ids count from `first_id`.
    fn place(&self, first_id: u64, calls: usize) -> Option<usize> {
        let id: u64 = self.id?.get().trim_matches('"').parse().ok()?;
        usize::try_from(id.checked_sub(first_id)?).ok().filter(|place| *place < calls)
    }

    fn outcome(&self) -> Outcome<'a> {
        match (self.error, self.result) {
            (Some(error), _) => Err(read_error(error.get())),
            (None, Some(result)) => Ok(result.get()),
            (None, None) => Err(RpcError::malformed("a response with neither result nor error")),
        }
    }
}

/// Reads an error of JSON-RPC, whatever form it has.
fn read_error(json: &str) -> RpcError {
    match serde_json::from_str::<ErrorObject<'_>>(json) {
        Ok(error) => wording::classify(error.code, &error.message, error.data.map(RawValue::get)),
        Err(_) => wording::classify(0, json, None),
    }
}

/// The error in a body, where it holds one: providers send it with any HTTP status.
pub(crate) fn error_in(body: &[u8]) -> Option<RpcError> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    envelope.error.map(|error| read_error(error.get()))
}

fn read_body<'a>(
    body: &'a Bytes,
    first_id: u64,
    outcomes: &mut [Option<Outcome<'a>>],
) -> Result<(), RpcError> {
    let unreadable = |error| RpcError::malformed(excerpt(&format!("no JSON-RPC: {error}")));
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        let single: Envelope<'_> = serde_json::from_slice(body).map_err(unreadable)?;
        return match outcomes {
            [only] => {
                *only = Some(single.outcome());
                Ok(())
            }
            _ => Err(whole_batch(single.outcome())),
        };
    }
    let responses: Vec<Envelope<'_>> = serde_json::from_slice(body).map_err(unreadable)?;
    for response in responses {
        match response.place(first_id, outcomes.len()) {
            Some(place) => put(&mut outcomes[place], response.outcome())?,
            None => {
                return Err(response
                    .outcome()
                    .err()
                    .unwrap_or_else(|| RpcError::malformed("an answer to no call")));
            }
        }
    }
    Ok(())
}

/// One response to a batch speaks of the batch: servers that know none call it invalid, each in its own words.
fn whole_batch(outcome: Outcome<'_>) -> RpcError {
    match outcome {
        Err(error @ (RpcError::RateLimited { .. } | RpcError::Denied(_) | RpcError::Timeout(_))) => error,
        Err(error) => RpcError::BatchRefused(error.to_string()),
        Ok(_) => RpcError::BatchRefused("one answer to a batch".into()),
    }
}

fn read_parts<'a>(
    parts: &'a [Response],
    first_id: u64,
    outcomes: &mut [Option<Outcome<'a>>],
) -> Result<(), RpcError> {
    for part in parts {
        let place = match part.id {
            Id::Number(id) => id.checked_sub(first_id).and_then(|place| usize::try_from(place).ok()),
            Id::String(_) | Id::None => None,
        };
        let outcome = match &part.payload {
            ResponsePayload::Success(result) => Ok(result.get()),
            ResponsePayload::Failure(error) => {
                Err(wording::classify(error.code, &error.message, error.data.as_deref().map(RawValue::get)))
            }
        };
        let slot = place.and_then(|place| outcomes.get_mut(place));
        put(slot.ok_or_else(|| RpcError::malformed("an answer to no call"))?, outcome)?;
    }
    Ok(())
}

fn put<'a>(slot: &mut Option<Outcome<'a>>, outcome: Outcome<'a>) -> Result<(), RpcError> {
    match slot.replace(outcome) {
        None => Ok(()),
        Some(_) => Err(RpcError::malformed("two answers to one call")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(body: &str, calls: usize) -> Result<Vec<Result<String, RpcError>>, RpcError> {
        let reply = Reply::Body(Bytes::copy_from_slice(body.as_bytes()));
        let outcomes = reply.outcomes(7, calls)?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map(str::to_owned)).collect())
    }

    #[test]
    fn each_call_gets_its_own_answer_whatever_the_order() {
        let body = r#" [{"id":8,"result":[1]},{"id":"7","result":null,"error":null}] "#;
        assert_eq!(outcomes(body, 2), Ok(vec![Ok("null".into()), Ok("[1]".into())]));
        assert_eq!(outcomes(r#"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#, 1), Ok(vec![Ok("\"0x1\"".into())]));
    }

    #[test]
    fn one_call_of_a_batch_may_fail_alone() {
        let body = r#"[{"id":7,"error":{"code":-32601,"message":"Method not found"}},{"id":8,"result":1}]"#;
        let read = outcomes(body, 2).unwrap();
        assert!(matches!(read[0], Err(RpcError::Unsupported(_))) && read[1] == Ok("1".into()));
    }

    #[test]
    fn an_error_is_read_in_whatever_form_it_comes() {
        let whole = r#"{"error":{"code":-32600,"message":"batch size too large"}}"#;
        assert!(matches!(outcomes(whole, 2), Err(RpcError::BatchRefused(_))));
        for no_batch in
            [r#"{"error":{"code":-32600,"message":"Invalid Request"}}"#, r#"{"id":7,"result":1}"#, "{}"]
        {
            assert!(matches!(outcomes(no_batch, 2), Err(RpcError::BatchRefused(_))), "{no_batch}");
        }
        let nobody = r#"[{"id":null,"error":{"message":"Too many requests"}}]"#;
        assert!(matches!(outcomes(nobody, 2), Err(RpcError::RateLimited { .. })));
        let text = r#"{"id":7,"error":"Too Many Requests"}"#;
        assert!(matches!(outcomes(text, 1).unwrap()[0], Err(RpcError::RateLimited { .. })));
    }

    #[test]
    fn what_is_no_reply_is_malformed() {
        let table = [
            "",
            "<html>",
            "null",
            "7",
            "[",
            "{",
            "[]",
            "[null]",
            r#"[{"id":7}]"#,
            r#"[{"id":7,"result":1}]"#,
            r#"[{"id":7,"result":1},{"id":7,"result":1}]"#,
            r#"[{"id":9,"result":1},{"id":7,"result":1}]"#,
            r#"[{"id":7,"result":1},{"id":18446744073709551616,"result":1}]"#,
            r#"[{"id":7,"result":1},{}]"#,
        ];
        for body in table {
            let read = outcomes(body, 2);
            assert!(matches!(read, Err(RpcError::BadData { .. })), "{body}: {read:?}");
        }
        let deep = format!(r#"{{"id":7,"result":{}"#, "[".repeat(1_000_000));
        assert!(matches!(outcomes(&deep, 1), Err(RpcError::BadData { .. })));
    }
}
