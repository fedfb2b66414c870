//! Asks the engine of this process, and reads the rows of the answer as values.

use crate::error::{Error, Result};
use futures::StreamExt as _;
use query::engine::Engine;
use query::format::{Encoder, Format};
use serde::de::DeserializeOwned;

/// The rows of an answer.
///
/// # Errors
/// What the question fails with; when there are more rows than one answer holds, or they are not of that form.
pub(crate) async fn rows<T: DeserializeOwned>(engine: &Engine, sql: &str) -> Result<Vec<T>> {
    let mut answer = engine.ask(sql).await?;
    let mut encoder = Encoder::new(Format::Ndjson, &answer.schema(), answer.snapshot())?;
    let mut rows = Vec::new();
    while let Some(batch) = answer.next().await {
        let lines = encoder.batch(&batch?)?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            rows.push(serde_json::from_slice(line).map_err(|error| Error::Internal(error.to_string()))?);
        }
    }
    if answer.truncated() {
        return Err(Error::Data("there are more rows than one answer holds".to_owned()));
    }
    Ok(rows)
}
