//! What rows were made by: configuration, rules, registry.

use serde::{Deserialize, Serialize};

/// What made the rows: each is compared and shown, never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Fingerprint of the configuration that rows depend on (chains, contracts, profiles).
    pub configuration: String,
    /// Version of the rules.
    pub rules: String,
    /// Version of the registry that was in force when the store was opened.
    pub registry: String,
}
