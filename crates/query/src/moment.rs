//! Several statements asked of one moment: what the surfaces beside SQL are made of.
//!
//! Every statement goes through the one door, with its guard, bounds and deadline; all see the same snapshot.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::format::{Encoder, Format};
use crate::snapshot::{Snapshot, SnapshotName};
use datafusion::arrow::array::RecordBatch;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Addresses and numbers whose parties are looked up for one answer. A pedigree of a thousand steps names fewer.
const NAMED: usize = 4000;

/// Of these in one statement, which may have 64 KB.
const AT_ONCE: usize = 1000;

/// The newest snapshot, held while several statements are asked of it.
#[derive(Debug)]
pub struct Moment<'a> {
    engine: &'a Engine,
    snapshot: Arc<dyn Snapshot>,
}

/// Who is behind an address, by the newest registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Global location number.
    pub gln: String,
    /// Name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What it does in the chain of supply.
    pub role: String,
}

#[derive(Deserialize)]
struct Named {
    named: String,
    #[serde(flatten)]
    party: Party,
}

impl Named {
    fn entry(self) -> (String, Party) {
        (self.named, self.party)
    }
}

impl<'a> Moment<'a> {
    /// The newest snapshot of the engine's store.
    pub fn newest(engine: &'a Engine) -> Self {
        Self { engine, snapshot: engine.snapshot() }
    }

    /// Which moment.
    pub fn name(&self) -> SnapshotName {
        self.snapshot.name()
    }

    /// The rows of a statement. `T` has the columns that it wants, by name.
    ///
    /// # Errors
    /// Every error of a question; [`Error::Output`] when a row is no `T`.
    pub async fn rows<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>> {
        let mut answer = self.engine.ask_of(self.snapshot.clone(), sql).await?;
        let mut rows = Vec::new();
        while let Some(batch) = answer.next().await {
            rows.extend(read(&batch?)?);
        }
        Ok(rows)
    }

    /// The first row.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn first<T: DeserializeOwned>(&self, sql: &str) -> Result<Option<T>> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Who is behind these addresses and numbers of parties, as far as the registry knows.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn parties<'t>(
        &self,
        named: impl IntoIterator<Item = Option<&'t str>>,
    ) -> Result<BTreeMap<String, Party>> {
        let named: BTreeSet<&str> = named.into_iter().flatten().collect();
        let (addresses, numbers): (Vec<&str>, Vec<&str>) =
            named.into_iter().take(NAMED).partition(|text| text.starts_with("0x"));
        let mut parties = BTreeMap::new();
        for addresses in addresses.chunks(AT_ONCE) {
            let sql = format!(
                "SELECT address AS named, gln, name, country, role FROM actors WHERE address IN ({}) \
                 ORDER BY address, chain DESC",
                list(addresses.iter().copied())
            );
            parties.extend(self.rows::<Named>(&sql).await?.into_iter().map(Named::entry));
        }
        let is_gln = |text: &&str| text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
        let numbers: Vec<&str> = numbers.into_iter().filter(is_gln).collect();
        for numbers in numbers.chunks(AT_ONCE) {
            let sql = format!(
                "SELECT gln AS named, gln, name, country, role FROM registry_parties WHERE gln IN ({}) \
                 AND to_block IS NULL ORDER BY gln, valid_from NULLS FIRST, chain DESC",
                list(numbers.iter().copied())
            );
            parties.extend(self.rows::<Named>(&sql).await?.into_iter().map(Named::entry));
        }
        Ok(parties)
    }
}

/// The rows of a batch.
fn read<T: DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>> {
    let mut encoder = Encoder::new(Format::Ndjson, &batch.schema(), &SnapshotName::default())?;
    let lines = encoder.batch(batch)?;
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|error| Error::Output(error.to_string()))).collect()
}

/// A text as a literal of SQL.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts as literals, comma between.
pub(crate) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// Rows up to `most`; were there more?
pub(crate) fn cut<T>(rows: &mut Vec<T>, most: usize) -> bool {
    let more = rows.len() > most;
    rows.truncate(most);
    more
}
