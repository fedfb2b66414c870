//! Transitions of cases as they are committed, as server-sent events that can be resumed.
//!
//! Each event's id says how far every chain's notices were told; a browser that lost the stream sends it back as
//! `Last-Event-ID` and misses nothing. Whoever comes without one is told from now on.

use super::Service;
use super::problem::Problem;
use crate::engine::Engine;
use crate::error::Result;
use crate::moment::Moment;
use crate::snapshot::SnapshotName;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How many may listen at once: each keeps a connection of the process.
pub(super) const LISTENERS: usize = 16;

/// How long a commit may be there before it is told.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A proxy closes a connection on which nothing comes for long.
const ALIVE: Duration = Duration::from_secs(10);

/// Where the chains stand is told at most so often: a page shows it to people.
const HEADS_EVERY: Duration = Duration::from_secs(1);

/// The id of who was told while there was nothing to tell: before the first notice of every chain.
const NOTHING_YET: &str = "0:0:0";

/// Notices of one look; the rest comes with the next.
const NOTICES: usize = 500;

/// A transition of a case: columns of `notices`.
#[derive(Debug, Deserialize, Serialize)]
struct Notice {
    chain: u64,
    stream_sequence: u64,
    ordinal: u32,
    case_key: String,
    revision: u32,
    kind: String,
    rule: String,
    severity: String,
    item: Option<String>,
    #[serde(serialize_with = "as_json")]
    alert: String,
}

/// The alert is kept as text of JSON.
fn as_json<S: serde::Serializer>(text: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    value.serialize(serializer)
}

/// How far the notices of each chain were told: sequence and ordinal of the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor(BTreeMap<u64, (u64, u32)>);

impl Cursor {
    /// What an id says; `None` when it is none of ours.
    fn read(id: &str) -> Option<Self> {
        let place = |text: &str| {
            let mut parts = text.split(':');
            let (chain, sequence, ordinal) = (parts.next()?, parts.next()?, parts.next()?);
            let place = (chain.parse().ok()?, (sequence.parse().ok()?, ordinal.parse().ok()?));
            parts.next().is_none().then_some(place)
        };
        id.split(',').map(place).collect::<Option<_>>().map(Self)
    }

    /// No further than `told`: an id of other tables may lie beyond all that these have.
    fn within(mut self, told: &Self) -> Self {
        self.0.retain(|chain, _| told.0.contains_key(chain));
        for (chain, place) in &mut self.0 {
            *place = told.0.get(chain).map_or(*place, |last| *last.min(place));
        }
        self
    }

    fn id(&self) -> String {
        if self.0.is_empty() {
            return NOTHING_YET.to_owned();
        }
        let place =
            |(chain, (sequence, ordinal)): (&u64, &(u64, u32))| format!("{chain}:{sequence}:{ordinal}");
        self.0.iter().map(place).collect::<Vec<_>>().join(",")
    }

    /// The condition for what was not told yet.
    fn beyond(&self) -> String {
        let mut conditions: Vec<String> = Vec::new();
        for (chain, (sequence, ordinal)) in &self.0 {
            conditions.push(format!(
                "(chain = {chain} AND (stream_sequence > {sequence} OR (stream_sequence = {sequence} AND ordinal > {ordinal})))"
            ));
        }
        let known: Vec<String> = self.0.keys().map(u64::to_string).collect();
        conditions.push(if known.is_empty() {
            "true".to_owned()
        } else {
            format!("chain NOT IN ({})", known.join(", "))
        });
        conditions.join(" OR ")
    }
}

/// Tells what comes until the listener goes or the process ends.
pub(super) async fn live(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> std::result::Result<Response, Problem> {
    let place = service.listeners.clone().try_acquire_owned().map_err(|_| {
        let detail = format!("{LISTENERS} listen already: close a page, or ask GET /v1/alerts");
        Problem::of(StatusCode::TOO_MANY_REQUESTS, "busy", &detail)
    })?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let so_far = told_so_far(&service.engine).await?;
    let cursor = match last.and_then(Cursor::read) {
        Some(cursor) => cursor.within(&so_far),
        None => so_far,
    };
    let stop = service.stop.clone();
    let listener = Listener { service, cursor, seen: None, head: None, _place: place };
    let events = events(listener).take_until(stop.cancelled_owned());
    let alive = KeepAlive::new().interval(ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

#[derive(Deserialize)]
struct Told {
    chain: u64,
    sequence: u64,
}

async fn told_so_far(engine: &Engine) -> Result<Cursor> {
    let sql = "SELECT chain, max(stream_sequence) AS sequence FROM notices GROUP BY chain ORDER BY chain";
    let told: Vec<Told> = Moment::newest(engine).rows(sql).await?;
    Ok(Cursor(told.into_iter().map(|told| (told.chain, (told.sequence, u32::MAX))).collect()))
}

struct Listener {
    service: Arc<Service>,
    cursor: Cursor,
    /// The moment that was looked at last.
    seen: Option<SnapshotName>,
    /// When it was last told where the chains stand, and which moment that was.
    head: Option<(Instant, SnapshotName)>,
    _place: OwnedSemaphorePermit,
}

fn events(listener: Listener) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    let looks = futures::stream::unfold(listener, |mut listener| async move {
        loop {
            let events = listener.look().await;
            if !events.is_empty() {
                return Some((futures::stream::iter(events), listener));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    });
    looks.flatten().map(Ok)
}

impl Listener {
    /// What is new since the last look; nothing when nothing is, or when it cannot be asked now.
    async fn look(&mut self) -> Vec<Event> {
        let service = Arc::clone(&self.service);
        let moment = Moment::newest(&service.engine);
        let name = moment.name();
        let mut events = match self.seen.as_ref() == Some(&name) {
            true => Vec::new(),
            false => self.notices(&moment, &name).await,
        };
        let is_told =
            self.head.as_ref().is_some_and(|(at, told)| *told == name || at.elapsed() < HEADS_EVERY);
        if !is_told {
            // With an id: whoever was told of no notice yet comes again with the place at which he left.
            events.extend(Event::default().event("head").id(self.cursor.id()).json_data(&name).ok());
            self.head = Some((Instant::now(), name));
        }
        events
    }

    async fn notices(&mut self, moment: &Moment<'_>, name: &SnapshotName) -> Vec<Event> {
        let sql = format!(
            "SELECT chain, stream_sequence, ordinal, case_key, revision, kind, rule, severity, item, alert FROM notices \
             WHERE {} ORDER BY chain, stream_sequence, ordinal LIMIT {NOTICES}",
            self.cursor.beyond()
        );
        let notices: Vec<Notice> = match moment.rows(&sql).await {
            Ok(notices) => notices,
            Err(error) => {
                tracing::warn!(%error, "notices cannot be read for a listener; trying again");
                return Vec::new();
            }
        };
        if notices.len() < NOTICES {
            self.seen = Some(name.clone());
        }
        notices.iter().filter_map(|notice| self.tell(notice)).collect()
    }

    fn tell(&mut self, notice: &Notice) -> Option<Event> {
        self.cursor.0.insert(notice.chain, (notice.stream_sequence, notice.ordinal));
        Event::default().event("notice").id(self.cursor.id()).json_data(notice).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_how_far_each_chain_was_told() {
        let cursor = Cursor(BTreeMap::from([(0, (3, 0)), (1, (120, 2))]));
        assert_eq!(cursor.id(), "0:3:0,1:120:2");
        assert_eq!(Cursor::read("0:3:0,1:120:2"), Some(cursor));
        for none_of_ours in ["", "1", "1:2", "1:2:3:4", "a:b:c", "1:2:3,", "1:2:-3"] {
            assert_eq!(Cursor::read(none_of_ours), None, "{none_of_ours}");
        }
    }
}
