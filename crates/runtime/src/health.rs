//! Who of a process is well, and whether it may be given work.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

/// How a component is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does what it should.
    Ok,
    /// It has not begun.
    Starting,
    /// It works, with less than it should have: behind, or without an endpoint.
    Degraded,
    /// It has stopped.
    Failed,
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// How it is.
    pub state: State,
    /// One sentence for people: what it does or misses. Never a secret.
    pub detail: String,
    /// May the process be given work, as far as this component goes? (Backfill done, tables open.)
    #[serde(rename = "ready")]
    pub is_ready: bool,
}

/// A component's status under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its name: `ingest ethereum`, `transform`, `query`.
    pub name: String,
    /// What it last said.
    #[serde(flatten)]
    pub status: Status,
}

/// The process's health. Clones are the same health.
#[derive(Debug, Clone, Default)]
pub struct Health {
    components: Arc<RwLock<BTreeMap<String, Status>>>,
}

impl Health {
    /// Health of a process that is ready once every one of `names` said so.
    pub fn expecting<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let health = Self::default();
        for name in names {
            health.update(name, State::Starting, false, "not begun");
        }
        health
    }

    /// Notes what the component `name` says; it is expected from now on.
    pub fn update(&self, name: &str, state: State, is_ready: bool, detail: impl Into<String>) {
        let status = Status { state, detail: detail.into(), is_ready };
        // A panic elsewhere leaves whole statuses: they are as good as before.
        let mut components = self.components.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        components.insert(name.to_owned(), status);
    }

    /// All components by name.
    pub fn components(&self) -> Vec<Component> {
        let components = self.components.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        components
            .iter()
            .map(|(name, status)| Component { name: name.clone(), status: status.clone() })
            .collect()
    }

    /// The worst state of all; `Starting` while nobody is expected.
    pub fn state(&self) -> State {
        self.components().iter().map(|component| component.status.state).max().unwrap_or(State::Starting)
    }

    /// Who keeps the process from being ready; `None` while nobody is expected, for then nobody can tell.
    pub fn missing(&self) -> Option<Vec<Component>> {
        let components = self.components();
        let is_known = !components.is_empty();
        is_known.then(|| components.into_iter().filter(|component| !component.status.is_ready).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, State};

    #[test]
    fn a_process_is_as_well_as_its_worst_component_and_ready_once_all_are() {
        let health = Health::expecting(["ingest", "query"]);
        let missing = || {
            let names = health.missing().unwrap().into_iter().map(|component| component.name);
            names.collect::<Vec<_>>()
        };
        assert_eq!((health.state(), missing()), (State::Starting, vec!["ingest".into(), "query".into()]));
        health.update("ingest", State::Ok, true, "at the head");
        assert_eq!((health.state(), missing()), (State::Starting, vec!["query".into()]));
        health.update("query", State::Ok, true, "listening");
        assert_eq!((health.state(), missing()), (State::Ok, vec![]));
        health.update("ingest", State::Degraded, true, "one of two endpoints answers");
        assert_eq!((health.state(), missing()), (State::Degraded, vec![]));
        health.update("ingest", State::Failed, false, "fenced");
        assert_eq!((health.state(), missing()), (State::Failed, vec!["ingest".into()]));
    }

    #[test]
    fn a_process_of_which_nothing_is_known_is_not_ready() {
        assert_eq!((Health::default().state(), Health::default().missing()), (State::Starting, None));
    }
}
