//! Writes one segment: Parquet to a temporary name, hashed as it goes, synced, then renamed.
//!
//! The segment counts only once a record of the commit log names it.

use super::files::{Files, Output};
use super::layout;
use super::segment::{Bounds, SegmentMeta, io_error};
use crate::error::{Error, Result};
use ::parquet::arrow::ArrowWriter;
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::statistics::Statistics;
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use model::chain::ChainId;
use model::tables::Table;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Prefix of files that are not finished: whatever has it at start is left over from a crash.
pub(crate) const TEMPORARY: &str = "tmp-";

/// What is known of a segment before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft {
    /// Its id.
    pub(crate) id: u64,
    /// Its table.
    pub(crate) table: Table,
    /// The chain of its rows.
    pub(crate) chain: ChainId,
    /// Its rank.
    pub(crate) rank: u64,
    /// Made by merging others.
    pub(crate) merged: bool,
}

/// A segment that is being written.
pub(crate) struct SegmentWriter<'a> {
    draft: Draft,
    files: &'a dyn Files,
    dir: &'a Path,
    temporary: PathBuf,
    parquet: ArrowWriter<Hashed>,
    rows: u64,
}

impl<'a> SegmentWriter<'a> {
    /// Begins a segment in `dir`.
    pub(crate) fn create(files: &'a dyn Files, dir: &'a Path, draft: Draft) -> Result<Self> {
        let temporary = dir.join(format!("{TEMPORARY}{}", draft.id));
        let output = files.create(&temporary).map_err(io_error("create", &temporary))?;
        let properties = layout::writer_properties(draft.table, draft.merged)?;
        let hashed = Hashed { output, hash: Sha256::new(), bytes: 0 };
        let parquet = ArrowWriter::try_new(hashed, draft.table.schema(), Some(properties))?;
        Ok(Self { draft, files, dir, temporary, parquet, rows: 0 })
    }

    /// Adds rows; they come in the order of the table.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.parquet.write(batch)?;
        Ok(())
    }

    /// Finishes the file under its name and says what the commit log is to know of it. The folder is not synced
    /// yet. A segment without rows is not kept.
    pub(crate) fn finish(mut self) -> Result<Option<SegmentMeta>> {
        let footer = self.parquet.finish()?;
        let Hashed { output, hash, bytes } = self.parquet.inner_mut();
        if self.rows == 0 {
            self.files.remove(&self.temporary).map_err(io_error("remove", &self.temporary))?;
            return Ok(None);
        }
        output.sync().map_err(io_error("sync", &self.temporary))?;
        let Draft { id, table, chain, rank, merged } = self.draft;
        let meta = SegmentMeta {
            id,
            table: table.name().into(),
            chain,
            range: range(&footer, table)?,
            rows: self.rows,
            bytes: *bytes,
            hash: hash.finalize_reset().into(),
            rank,
            merged,
            bounds: layout::bounded_columns(table)
                .iter()
                .map(|name| bounds(&footer, table, name))
                .collect::<Result<_>>()?,
        };
        let path = self.dir.join(meta.file_name());
        self.files.rename(&self.temporary, &path).map_err(io_error("rename", &path))?;
        Ok(Some(meta))
    }
}

struct Hashed {
    output: Box<dyn Output>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

fn range(footer: &ParquetMetaData, table: Table) -> Result<(u64, u64)> {
    match bounds(footer, table, layout::order_column(table))? {
        Some(Bounds::Unsigned(first, last)) => Ok((first, last)),
        _ => Err(no_statistics(table, layout::order_column(table))),
    }
}

/// Least and greatest value of a column, from the statistics of the row groups; `None` when all are null.
fn bounds(footer: &ParquetMetaData, table: Table, name: &str) -> Result<Option<Bounds>> {
    let column = table.schema().index_of(name)?;
    let data_type = table.schema().field(column).data_type().clone();
    let mut found: Option<Bounds> = None;
    for group in footer.row_groups() {
        let statistics = group.column(column).statistics().ok_or_else(|| no_statistics(table, name))?;
        let nulls = statistics.null_count_opt().unwrap_or(0);
        if nulls == group.num_rows() as u64 {
            continue;
        }
        let group = typed(statistics, &data_type).ok_or_else(|| no_statistics(table, name))?;
        found = Some(match found {
            None => group,
            Some(before) => before.union(group).ok_or_else(|| no_statistics(table, name))?,
        });
    }
    Ok(found)
}

fn typed(statistics: &Statistics, data_type: &DataType) -> Option<Bounds> {
    let signed = matches!(data_type, DataType::Timestamp(_, _) | DataType::Date32);
    Some(match statistics {
        Statistics::Int32(values) if signed => {
            Bounds::Signed((*values.min_opt()?).into(), (*values.max_opt()?).into())
        }
        Statistics::Int32(values) => {
            Bounds::Unsigned((*values.min_opt()? as u32).into(), (*values.max_opt()? as u32).into())
        }
        Statistics::Int64(values) if signed => Bounds::Signed(*values.min_opt()?, *values.max_opt()?),
        Statistics::Int64(values) => Bounds::Unsigned(*values.min_opt()? as u64, *values.max_opt()? as u64),
        Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => {
            Bounds::Bytes(statistics.min_bytes_opt()?.to_vec(), statistics.max_bytes_opt()?.to_vec())
        }
        _ => return None,
    })
}

impl Bounds {
    /// The bounds of both together; `None` when they are of different types.
    fn union(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Unsigned(a, b), Self::Unsigned(c, d)) => Self::Unsigned(a.min(c), b.max(d)),
            (Self::Signed(a, b), Self::Signed(c, d)) => Self::Signed(a.min(c), b.max(d)),
            (Self::Bytes(a, b), Self::Bytes(c, d)) => Self::Bytes(a.min(c), b.max(d)),
            _ => return None,
        })
    }
}

fn no_statistics(table: Table, column: &str) -> Error {
    Error::Parquet(::parquet::errors::ParquetError::General(format!(
        "no statistics of {}.{column}",
        table.name()
    )))
}
