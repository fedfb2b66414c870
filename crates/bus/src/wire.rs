//! How a change is written: a fixed header that names the record, then the payload.
//!
//! ```text
//! version 1 | kind 1 | finality 1 | 0 | chain 8 | epoch 8 | sequence 8
//! first number 8 | parent hash 32 | last number 8 | last hash 32 | payload …
//! ```
//!
//! Integers are little-endian, fields that a kind does not use are zero. [`Header::read`] names a record without
//! touching its payload. Open, revert and finalize are their header. The payload of an append ([`segment`]) and of a
//! registry is one zstd frame.
//!
//! Whatever the bytes claim, reading them ends in a record or in [`Error::Wire`], and takes no more memory than
//! [`PAYLOAD_BYTES_MAX`] and a small multiple of it.

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod header;
mod segment;

pub use header::{HEADER_BYTES, Header, Kind, VERSION};

use crate::error::{Error, Result};
use model::change::{Change, Record, RegistryVersion};
use std::io::Read;
use std::sync::Arc;

/// The largest payload before compression. A block of 36 M gas holds at most 4.5 MB of log data (8 gas a byte);
/// a run of 128 k logs at 500 bytes is 64 MB; a registry of a million rows is about 200 MB.
pub const PAYLOAD_BYTES_MAX: usize = 512 << 20;

/// The largest record: an incompressible payload grows by less than a part in 256 in zstd.
pub const RECORD_BYTES_MAX: usize = HEADER_BYTES + PAYLOAD_BYTES_MAX + PAYLOAD_BYTES_MAX / 256;

/// zstd's fastest ordinary level: a head block is written in well under a millisecond.
const ZSTD_LEVEL: i32 = 1;

/// A frame may ask for a window of 2^23 = 8 MiB; level 1 uses 2^19.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Writes `record`.
///
/// # Errors
/// [`Error::Wire`] when the payload is above [`PAYLOAD_BYTES_MAX`], or an open's epoch is not the record's.
pub fn encode(record: &Record) -> Result<Vec<u8>> {
    let header = Header::of(record)?;
    Ok(join(&header, &encode_payload(&record.change)?))
}

/// Reads a record.
///
/// # Errors
/// [`Error::Wire`] with what does not fit; never a panic.
pub fn decode(bytes: &[u8]) -> Result<Record> {
    let (header, payload) = Header::read(bytes)?;
    decode_parts(&header, payload)
}

/// Reads a record whose header was read before.
pub(crate) fn decode_parts(header: &Header, payload: &[u8]) -> Result<Record> {
    let change = match header.kind {
        Kind::Append(run) => Change::Append(Arc::new(segment::read(run, decompress(payload)?)?)),
        Kind::Registry { version } => Change::Registry(Arc::new(read_registry(version, payload)?)),
        Kind::Open => empty(payload, Change::Open(header.epoch))?,
        Kind::Revert(to) => empty(payload, Change::Revert(to))?,
        Kind::Finalize(upto) => empty(payload, Change::Finalize(upto))?,
    };
    Ok(Record { chain: header.chain, epoch: header.epoch, sequence: header.sequence, change })
}

/// The payload of `change`, which does not depend on its place in the stream.
pub(crate) fn encode_payload(change: &Change) -> Result<Vec<u8>> {
    match change {
        Change::Open(_) | Change::Revert(_) | Change::Finalize(_) => Ok(Vec::new()),
        Change::Append(segment) => compress(&segment::write(segment)?),
        Change::Registry(version) => {
            let bytes = postcard::to_stdvec(version.as_ref()).map_err(|error| {
                Error::Wire(format!("registry {} cannot be written: {error}", version.version))
            })?;
            compress(&bytes)
        }
    }
}

/// A record's bytes from its two parts.
pub(crate) fn join(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&header.to_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn empty(payload: &[u8], change: Change) -> Result<Change> {
    match payload.len() {
        0 => Ok(change),
        more => Err(Error::Wire(format!("{} has {more} bytes of payload, none is expected", change.kind()))),
    }
}

fn read_registry(version: u64, payload: &[u8]) -> Result<RegistryVersion> {
    let bytes = decompress(payload)?;
    let registry: RegistryVersion = whole(&bytes, "registry")?;
    if registry.version != version {
        return Err(Error::Wire(format!(
            "registry {} under a header of registry {version}",
            registry.version
        )));
    }
    Ok(registry)
}

/// Reads all of `bytes` as one value.
fn whole<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Error::Wire(format!("{} bytes follow the {what}", rest.len()))),
        Err(error) => Err(Error::Wire(format!("the {what} cannot be read: {error}"))),
    }
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.len() > PAYLOAD_BYTES_MAX {
        return Err(Error::Wire(format!("payload of {} bytes, at most {PAYLOAD_BYTES_MAX}", bytes.len())));
    }
    zstd::stream::encode_all(bytes, ZSTD_LEVEL).map_err(|error| Error::Wire(format!("zstd: {error}")))
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>> {
    decompress_within(bytes, PAYLOAD_BYTES_MAX)
}

/// Memory grows with what was really decompressed, never with what the frame claims.
fn decompress_within(bytes: &[u8], max_bytes: usize) -> Result<Vec<u8>> {
    let wire = |error: std::io::Error| Error::Wire(format!("zstd: {error}"));
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(wire)?.single_frame();
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(wire)?;
    let mut out = Vec::new();
    decoder.by_ref().take(max_bytes as u64 + 1).read_to_end(&mut out).map_err(wire)?;
    if out.len() > max_bytes {
        return Err(Error::Wire(format!("payload of more than {max_bytes} bytes")));
    }
    match decoder.get_ref().len() {
        0 => Ok(out),
        rest => Err(Error::Wire(format!("{rest} bytes follow the payload"))),
    }
}

#[cfg(test)]
mod tests;
