//! The payload of an append: `length 8 | logs as an Arrow IPC stream | the rest of the segment in postcard`.
//!
//! The stream comes first, so that its columns lie aligned in the decompressed bytes and are used where they are.
//! It holds the schema of [`logs_schema`] and one uncompressed record batch (the whole payload is compressed).
//! The Arrow reader trusts lengths and offsets in the message; they are checked here before it sees them.

use super::header::Run;
use super::whole;
use crate::error::{Error, Result};
use arrow_array::RecordBatch;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_ipc::{Message, root_as_message};
use arrow_schema::{ArrowError, DataType, Field};
use model::B256;
use model::incident::Incident;
use model::segment::{BlockMeta, Finality, LogsView, Segment, VerificationLevel, logs_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// A length of the stream stands before it.
const LENGTH_BYTES: usize = 8;

/// Before each message of the stream: a marker and the message's length.
const PREFIX_BYTES: usize = 8;

/// What the header does not say.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    last_time_secs: u64,
    level: VerificationLevel,
    filter: B256,
    blocks: Cow<'a, [BlockMeta]>,
    incidents: Cow<'a, [Incident]>,
}

/// Writes what the header does not say of `segment`.
pub(super) fn write(segment: &Segment) -> Result<Vec<u8>> {
    if segment.logs.schema_ref() != &logs_schema() {
        return Err(wire("the columns are not those of raw logs"));
    }
    let out = write_stream(&segment.logs, vec![0; LENGTH_BYTES])
        .map_err(|error| Error::Wire(format!("logs cannot be written: {error}")))?;
    let rest = Rest {
        last_time_secs: segment.last_time_secs,
        level: segment.level,
        filter: segment.filter,
        blocks: Cow::Borrowed(&segment.blocks),
        incidents: Cow::Borrowed(&segment.incidents),
    };
    let length = (out.len() - LENGTH_BYTES) as u64;
    let mut out = postcard::to_extend(&rest, out)
        .map_err(|error| Error::Wire(format!("segment cannot be written: {error}")))?;
    out[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}

/// Reads a segment whose header said `run`.
pub(super) fn read(run: Run, bytes: Vec<u8>) -> Result<Segment> {
    let (length, body) = bytes.split_first_chunk().ok_or_else(|| wire("no length of the logs"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= body.len());
    let length = length.ok_or_else(|| wire("the logs are longer than the payload"))?;
    let rest: Rest<'_> = whole(&body[length..], "segment")?;
    let (last_time_secs, level, filter) = (rest.last_time_secs, rest.level, rest.filter);
    let (blocks, incidents) = (rest.blocks.into_owned(), rest.incidents.into_owned());
    let stream = arrow_buffer::Buffer::from_vec(bytes).slice_with_length(LENGTH_BYTES, length);
    let segment = Segment {
        first_number: run.first_number,
        parent_hash: run.parent_hash,
        last: run.last,
        last_time_secs,
        finality: run.finality,
        level,
        filter,
        blocks,
        logs: read_stream(stream)?,
        incidents,
    };
    check(&segment)?;
    Ok(segment)
}

fn wire(detail: &str) -> Error {
    Error::Wire(detail.to_owned())
}

fn write_stream(logs: &RecordBatch, out: Vec<u8>) -> std::result::Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new_with_options(out, &logs_schema(), IpcWriteOptions::default())?;
    writer.write(logs)?;
    writer.into_inner()
}

fn read_stream(mut stream: arrow_buffer::Buffer) -> Result<RecordBatch> {
    let (schema, _) = next_message(&mut stream)?;
    check_schema(root(&schema)?)?;
    let (batch, body) = next_message(&mut stream)?;
    let message = root(&batch)?;
    let batch =
        message.header_as_record_batch().ok_or_else(|| wire("the second message is no record batch"))?;
    check_batch(batch, body.len())?;
    let dictionaries = HashMap::new();
    let version = message.version();
    RecordBatchDecoder::try_new(&body, batch, logs_schema(), &dictionaries, &version)
        .and_then(RecordBatchDecoder::read_record_batch)
        .map_err(|error| Error::Wire(format!("logs cannot be read: {error}")))
}

fn root(message: &[u8]) -> Result<Message<'_>> {
    root_as_message(message).map_err(|error| Error::Wire(format!("not an Arrow message: {error}")))
}

/// Takes one message with its body off the stream.
fn next_message(stream: &mut arrow_buffer::Buffer) -> Result<(arrow_buffer::Buffer, arrow_buffer::Buffer)> {
    let short = || wire("the logs end within a message");
    let prefix = stream.first_chunk::<PREFIX_BYTES>().ok_or_else(short)?;
    let [marker @ .., a, b, c, d] = *prefix;
    if marker != [0xff; 4] {
        return Err(wire("no Arrow message where one is expected"));
    }
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if stream.len() - PREFIX_BYTES < length {
        return Err(short());
    }
    let message = stream.slice_with_length(PREFIX_BYTES, length);
    stream.advance(PREFIX_BYTES + length);
    let body_length = usize::try_from(root(&message)?.bodyLength()).map_err(|_| short())?;
    if stream.len() < body_length {
        return Err(short());
    }
    let body = stream.slice_with_length(0, body_length);
    stream.advance(body_length);
    Ok((message, body))
}

/// The schema must be ours: the batch is read with ours, whatever it says.
fn check_schema(message: Message<'_>) -> Result<()> {
    let schema = message.header_as_schema().ok_or_else(|| wire("the first message is no schema"))?;
    let fields = schema.fields().ok_or_else(|| wire("a schema without fields"))?;
    let ours = logs_schema();
    let same = fields.len() == ours.fields().len()
        && fields.iter().zip(ours.fields()).all(|(theirs, ours)| is_field(theirs, ours));
    if same { Ok(()) } else { Err(wire("the columns are not those of raw logs")) }
}

fn is_field(theirs: arrow_ipc::Field<'_>, ours: &Field) -> bool {
    let int = |bits: i32| theirs.type_as_int().is_some_and(|int| int.bitWidth() == bits && !int.is_signed());
    let same_type = match ours.data_type() {
        DataType::UInt64 => int(64),
        DataType::UInt32 => int(32),
        DataType::Binary => theirs.type_as_binary().is_some(),
        DataType::FixedSizeBinary(width) => {
            theirs.type_as_fixed_size_binary().is_some_and(|fixed| fixed.byteWidth() == *width)
        }
        _ => false,
    };
    same_type
        && theirs.name() == Some(ours.name())
        && theirs.nullable() == ours.is_nullable()
        && theirs.dictionary().is_none()
}

/// Counts and places that the reader would trust: every column as long as the batch, every buffer within the body.
fn check_batch(batch: arrow_ipc::RecordBatch<'_>, body_bytes: usize) -> Result<()> {
    if batch.compression().is_some() || batch.variadicBufferCounts().is_some_and(|counts| !counts.is_empty())
    {
        return Err(wire("logs in a form that we do not write"));
    }
    // A log takes at least the 12 bytes of its two numbers, so that the body bounds the count.
    let rows = usize::try_from(batch.length()).ok().filter(|rows| *rows <= body_bytes);
    let rows = rows.ok_or_else(|| wire("more logs than bytes"))?;
    let nodes = batch.nodes().ok_or_else(|| wire("a batch without columns"))?;
    let buffers = batch.buffers().ok_or_else(|| wire("a batch without buffers"))?;
    let mut buffers = buffers.iter();
    for (at, field) in logs_schema().fields().iter().enumerate() {
        let node = (at < nodes.len()).then(|| nodes.get(at)).ok_or_else(|| wire("too few columns"))?;
        check_column(node, field, rows, || {
            let buffer = buffers.next().ok_or_else(|| wire("too few buffers"))?;
            let (start, length) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length()));
            match (start, length) {
                (Ok(start), Ok(length)) if start <= body_bytes && length <= body_bytes - start => Ok(length),
                _ => Err(wire("a column outside the logs")),
            }
        })?;
    }
    Ok(())
}

/// A column's own buffers, whose lengths `next_length` gives in turn: bitmap, offsets where there are some, values.
/// The reader checks that values and offsets are enough and fit each other.
fn check_column(
    node: &arrow_ipc::FieldNode,
    field: &Field,
    rows: usize,
    mut next_length: impl FnMut() -> Result<usize>,
) -> Result<()> {
    if usize::try_from(node.length()) != Ok(rows) || !(0..=node.length()).contains(&node.null_count()) {
        return Err(wire("columns that disagree in length"));
    }
    if next_length()? < rows.div_ceil(8) && node.null_count() > 0 {
        return Err(wire("too few bits for which values are there"));
    }
    if *field.data_type() == DataType::Binary && !next_length()?.is_multiple_of(size_of::<i32>()) {
        return Err(wire("offsets of half a number"));
    }
    next_length().map(|_| ())
}

/// What everyone behind the bus relies on: blocks ascending within the run, logs ascending within those blocks.
fn check(segment: &Segment) -> Result<()> {
    let run = segment.first_number..=segment.last.number;
    if run.is_empty() || (segment.finality == Finality::Open && segment.first_number != segment.last.number) {
        return Err(Error::Wire(format!(
            "a run from block {} to {}",
            segment.first_number, segment.last.number
        )));
    }
    let blocks: Vec<u64> = segment.blocks.iter().map(|meta| meta.block.number).collect();
    if !blocks.is_sorted_by(|a, b| a < b) || !blocks.iter().all(|number| run.contains(number)) {
        return Err(wire("blocks that do not ascend within the run"));
    }
    let logs = LogsView::new(&segment.logs).map_err(|error| Error::Wire(error.to_string()))?;
    let (mut next_block, mut before) = (0, None);
    for log in logs.iter() {
        let at = (log.block_number, log.log_index);
        while blocks.get(next_block).is_some_and(|number| *number < log.block_number) {
            next_block += 1;
        }
        if before.is_some_and(|before| before >= at) || blocks.get(next_block) != Some(&log.block_number) {
            return Err(Error::Wire(format!(
                "log {} of block {} is out of place",
                log.log_index, log.block_number
            )));
        }
        before = Some(at);
    }
    Ok(())
}
