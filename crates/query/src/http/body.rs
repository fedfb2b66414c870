//! An answer as a body: whole when it is short, else as it comes.

use super::TRUNCATED;
use crate::engine::Answer;
use crate::error::{Error, Result};
use crate::format::Encoder;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures::{Stream as _, StreamExt as _};
use http_body::Frame;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// An answer that fits is sent when it has ended: its errors have a status, and whether it was cut is in a header.
const WHOLE_BYTES: usize = 1 << 20;

/// The response with the rows of `answer`.
pub(super) async fn respond(mut answer: Answer, mut encoder: Encoder) -> Result<Response> {
    let mut begun = Vec::new();
    while begun.len() < WHOLE_BYTES {
        match answer.next().await {
            Some(batch) => begun.extend(encoder.batch(&batch?)?),
            None => {
                if answer.truncated() {
                    encoder.cut_off();
                }
                begun.extend(encoder.finish()?);
                let mut response = Response::new(Body::from(begun));
                response.headers_mut().insert(TRUNCATED, said(&answer));
                return Ok(response);
            }
        }
    }
    let ready = VecDeque::from([Frame::data(Bytes::from(begun))]);
    let mut response = Response::new(Body::new(Rest { answer, encoder: Some(encoder), ready }));
    let headers = response.headers_mut();
    headers.insert(TRUNCATED, HeaderValue::from_static("trailer"));
    headers.insert(header::TRAILER, HeaderValue::from(TRUNCATED));
    Ok(response)
}

fn said(answer: &Answer) -> HeaderValue {
    HeaderValue::from_static(if answer.truncated() { "true" } else { "false" })
}

/// The rest of an answer. An error in it breaks the connection off, so that no half is taken for a whole.
struct Rest {
    answer: Answer,
    /// `None` once it has ended.
    encoder: Option<Encoder>,
    ready: VecDeque<Frame<Bytes>>,
}

impl Rest {
    fn end(&mut self) -> Result<()> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(()) };
        if self.answer.truncated() {
            encoder.cut_off();
        }
        self.push(encoder.finish()?);
        let trailers = HeaderMap::from_iter([(TRUNCATED, said(&self.answer))]);
        self.ready.push_back(Frame::trailers(trailers));
        Ok(())
    }

    fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.ready.push_back(Frame::data(Bytes::from(bytes)));
        }
    }
}

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Error>>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            let this = &mut *self;
            let Some(encoder) = this.encoder.as_mut() else { return Poll::Ready(None) };
            let step = match ready!(Pin::new(&mut this.answer).poll_next(context)) {
                Some(batch) => batch.and_then(|batch| encoder.batch(&batch)).map(|bytes| this.push(bytes)),
                None => this.end(),
            };
            if let Err(error) = step {
                tracing::warn!(%error, "an answer ended before its last row");
                self.encoder = None;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
