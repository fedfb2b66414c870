//! `[query]`: where questions are asked, and what they may cost.

use super::section::Section;
use query::limits::Limits;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Where questions are asked unless configured.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7474);

/// Where questions are asked, and what they may cost.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// A loopback address.
    pub(crate) listen: SocketAddr,
    /// What one question may cost.
    pub(crate) limits: Limits,
}

impl Default for Query {
    fn default() -> Self {
        Self { listen: LISTEN, limits: Limits::default() }
    }
}

/// Reads `[query]`.
pub(super) fn query(section: Section<'_>) -> Query {
    let mut query = Query::default();
    if let Some(listen) = section.parsed::<SocketAddr>("listen") {
        if !listen.ip().is_loopback() {
            let place = section.get("listen").map_or(section.place(), |node| &node.place);
            let help = "answers are given without a login, so only to this machine: 127.0.0.1 or [::1]; put a proxy with \
                        a login before it";
            section.findings().note(
                "config::listen",
                place,
                format!("{listen} is no loopback address"),
                Some(help.to_owned()),
            );
        }
        query.listen = listen;
    }
    if let Some(secs) = section.number("deadline_secs", 1, 3600) {
        query.limits.deadline = Duration::from_secs(secs);
    }
    if let Some(megabytes) = section.number("memory_mb", 16, 1 << 20) {
        query.limits.memory_bytes = usize::try_from(megabytes << 20).unwrap_or(usize::MAX);
    }
    if let Some(megabytes) = section.number("spill_mb", 0, 1 << 24) {
        query.limits.spill_bytes = megabytes << 20;
    }
    if let Some(concurrent) = section.number("concurrent", 1, 256) {
        query.limits.concurrent = usize::try_from(concurrent).unwrap_or(1);
    }
    if let Some(rows) = section.number("rows", 1, 1 << 40) {
        query.limits.rows = rows;
    }
    section.finish();
    query
}
