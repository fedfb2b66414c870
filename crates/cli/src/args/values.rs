//! Values of flags.

use clap::ValueEnum;
use model::chain::ChainId;
use query::format::Format;
use std::io::IsTerminal;
use std::net::SocketAddr;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// To a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Are colours used on this stream?
    pub(crate) fn is_on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org: set to anything but nothing.
            Self::Auto => {
                stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// `1:4711`: a chain, and an offset of its topic.
pub(crate) fn place_on_topic(text: &str) -> Result<(ChainId, i64), String> {
    let parsed = text.split_once(':').and_then(|(chain, offset)| {
        let offset = offset.parse().ok().filter(|offset| *offset >= 0)?;
        Some((ChainId(chain.parse().ok()?), offset))
    });
    parsed.ok_or_else(|| "a chain's id and an offset of its topic are expected, as in 1:4711".to_owned())
}

/// `gtin=04012345111118`: a parameter of a named question, and its value.
pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or_else(|| format!("'{text}' is not NAME=VALUE, as gtin=04012345111118"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Columns between bars.
    Table,
    /// RFC 4180, with a header row.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// One Parquet file.
    Parquet,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Csv => Self::Csv,
            OutputFormat::Json => Self::Json,
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Parquet => Self::Parquet,
        }
    }
}

/// Shells that completions are written for.
pub(crate) type Shell = clap_complete::Shell;

/// An address of this machine's own: answers are given without a login.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| format!("'{text}' is no address with a port, as 127.0.0.1:7474"))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!("{address} is no loopback address: answers are given without a login"))
}
