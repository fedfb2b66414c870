//! The named questions over HTTP: which there are, and their answers.

use super::Service;
use super::negotiate;
use super::problem::Problem;
use super::written;
use crate::format::{Encoder, Format};
use crate::named;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::Arc;

/// Every query with its parameters, columns and statement. They change with the binary, not with the data.
pub(super) async fn list() -> Result<Response, Problem> {
    let queries = named::catalogue()?;
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(json!({ "queries": queries }))).into_response())
}

/// The answer to one of them.
pub(super) async fn ask(
    State(service): State<Arc<Service>>,
    name: Result<Path<String>, PathRejection>,
    arguments: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bad = |text: String| Problem::of(StatusCode::BAD_REQUEST, "parameters", &text);
    let Path(name) = name.map_err(|rejection| bad(rejection.body_text()))?;
    let Query(arguments) = arguments.map_err(|rejection| bad(rejection.body_text()))?;
    let format = negotiate::format(&headers)?;
    let answer = service.engine.ask_named(&name, &arguments).await?;
    let encoder = match format {
        Format::Json => Encoder::document(&answer.schema(), answer.snapshot())?,
        other => Encoder::new(other, &answer.schema(), answer.snapshot())?,
    };
    Ok(written(answer, encoder, format).await?)
}
