//! Errors as problem documents (RFC 9457) with codes that stay the same.

use crate::error::Error;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error as HTTP tells it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after_secs: Option<u64>,
}

impl Problem {
    /// A problem of the request itself.
    pub(super) fn of(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self { status, code, detail: detail.to_owned(), retry_after_secs: None }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Syntax(_)
            | Error::Plan(_)
            | Error::TooComplex { .. }
            | Error::Item(_)
            | Error::Parameter { .. }
            | Error::Arguments(_) => StatusCode::BAD_REQUEST,
            Error::NoSuchQuery { .. } => StatusCode::NOT_FOUND,
            Error::NotAllowed { .. } => StatusCode::FORBIDDEN,
            Error::Execution(_) | Error::Deadline { .. } | Error::Memory(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Output(_) | Error::Catalogue(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Closed => StatusCode::SERVICE_UNAVAILABLE,
        };
        let retry_after_secs = match &error {
            Error::Busy { waited_secs, .. } => Some((*waited_secs).max(1)),
            _ => None,
        };
        Self { status, code: error.code(), detail: error.to_string(), retry_after_secs }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": format!("urn:rxtrail:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.status, [content_type], format!("{body}\n")).into_response();
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
