//! Where the server is and what the store may use of it.

use crate::versions::Versions;
use std::fmt;
use std::time::Duration;

/// Where the server is and what the store may use of it.
#[derive(Clone)]
pub struct Config {
    /// Address of its HTTP interface, as `http://127.0.0.1:8123` or `https://…`.
    pub url: String,
    /// The database. Made when missing.
    pub database: String,
    /// The user.
    pub user: String,
    /// Its password; never shown.
    pub password: Option<String>,
    /// Name of a cluster, over which tables are replicated.
    pub cluster: Option<String>,
    /// What rows are made by from now on.
    pub versions: Versions,
    /// At least so long between two commits while rows come faster than one by one: a server merges what each brings.
    pub commit_every: Duration,
    /// At most so long between two signs of life of a writer: commits, if only without rows.
    pub beat_every: Duration,
    /// Rows that are committed at once without waiting, all tables together.
    pub commit_rows: usize,
    /// Rows that may wait while the server cannot be reached: no change is taken beyond them.
    pub waiting_rows: usize,
    /// What counts for nobody is swept away so long after it was named: no query is older.
    pub sweep_after: Duration,
    /// How long one request may take that a commit, or the search for one, is made of.
    pub request_timeout: Duration,
    /// How often a reader looks for a newer commit.
    pub poll_every: Duration,
}

impl Config {
    /// The defaults for a server.
    pub fn new(url: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            database: database.into(),
            user: "default".to_owned(),
            password: None,
            cluster: None,
            versions: Versions::default(),
            // ClickHouse asks for inserts of 10 to 100 thousand rows, about one a second a table.
            commit_every: Duration::from_secs(1),
            beat_every: Duration::from_secs(2),
            commit_rows: 100_000,
            // 1 Mi rows of 200 to 300 bytes are a quarter of a gigabyte.
            waiting_rows: 1 << 20,
            // A question takes an hour at most.
            sweep_after: Duration::from_secs(2 * 3600),
            // A large insert takes seconds; a server that is silent for a minute has not got it.
            request_timeout: Duration::from_secs(60),
            poll_every: Duration::from_millis(250),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let config =
            Config { password: Some("secret".into()), ..Config::new("http://127.0.0.1:1", "rxtrail") };
        assert!(!format!("{config:?}").contains("secret"));
    }
}
