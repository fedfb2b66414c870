//! Cursors: how far something that follows the tables has come, kept beside them, so that whoever takes a writer's
//! place on another machine goes on where it was.

use super::client::Client;
use super::config::Config;
use super::schema::{CURSORS, escaped};
use crate::error::Result;

/// A cursor of a database.
#[derive(Debug, Clone)]
pub struct Cursor {
    client: Client,
    name: String,
}

impl Cursor {
    /// The cursor of that name.
    pub fn new(config: &Config, name: impl Into<String>) -> Self {
        Self { client: Client::new(config, Some(&config.database)), name: name.into() }
    }

    /// What was saved last; `None` when nothing ever was.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn load(&self) -> Result<Option<String>> {
        let sql = format!(
            "SELECT place FROM {CURSORS} FINAL WHERE name = '{}' ORDER BY saved DESC LIMIT 1",
            escaped(&self.name)
        );
        Ok(self.client.first("read a cursor", &sql).await?.map(|(place,)| place))
    }

    /// Saves a place. One that is lost is behind: what follows it comes again.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn save(&self, place: &str) -> Result<()> {
        let (name, place) = (escaped(&self.name), escaped(place));
        let sql = format!("INSERT INTO {CURSORS} (name, place) VALUES ('{name}', '{place}')");
        self.client.run("save a cursor", &sql).await
    }
}
