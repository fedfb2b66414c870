//! `[store]`: where tables are kept.

use super::secret::password;
use super::section::Section;
use crate::error::{Error, Result};
use std::path::Path;
use store::clickhouse::Config;

/// Where tables are kept.
#[derive(Debug, Clone, Default)]
pub(crate) enum StoreKind {
    /// Parquet files in the data folder.
    #[default]
    Folder,
    /// A database of ClickHouse.
    ClickHouse(Box<Config>),
}

impl StoreKind {
    /// Refuses what works on the files of a data folder.
    ///
    /// # Errors
    /// When the tables are elsewhere.
    pub(crate) fn only_folder(&self, command: &str) -> Result<()> {
        match self {
            Self::Folder => Ok(()),
            Self::ClickHouse(config) => Err(Error::Request(format!(
                "{command} works on a data folder, and the tables are in ClickHouse: name another database than \
                 '{}' and have `rxtrail transform` build the tables anew",
                config.database
            ))),
        }
    }
}

/// Reads `[store]`.
pub(super) fn store(section: Section<'_>, base: &Path) -> StoreKind {
    match section.text("kind") {
        None | Some(("parquet", _)) => {
            section.finish();
            StoreKind::Folder
        }
        Some(("clickhouse", _)) => clickhouse(section, base),
        Some((kind, place)) => {
            let message = format!("'{kind}' is no kind of store");
            let help = "kind = \"parquet\", or kind = \"clickhouse\" with url = \"http://127.0.0.1:8123\"";
            section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
            StoreKind::Folder
        }
    }
}

fn clickhouse(section: Section<'_>, base: &Path) -> StoreKind {
    let url = section.need_text("url", "\"http://127.0.0.1:8123\"");
    if let Some((_, place)) =
        url.filter(|(url, _)| !url.starts_with("http://") && !url.starts_with("https://"))
    {
        let help =
            "the address of the HTTP interface: \"http://127.0.0.1:8123\", \"https://clickhouse:8443\"";
        let message = "the url begins with neither http:// nor https://".to_owned();
        section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
    }
    let mut config = Config::new(url.map(|(url, _)| url).unwrap_or_default(), "rxtrail");
    if let Some((database, place)) = section.text("database") {
        if !is_name(database) {
            let message = format!("'{database}' is no name of a database");
            let help = "letters, digits and '_', at most 64 of them, no digit first";
            section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
        }
        database.clone_into(&mut config.database);
    }
    if let Some((user, _)) = section.text("user") {
        user.clone_into(&mut config.user);
    }
    config.password = password(&section, base);
    config.cluster = section.text("cluster").map(|(cluster, _)| cluster.to_owned());
    section.finish();
    StoreKind::ClickHouse(Box::new(config))
}

/// A name that stands in a statement without quotes.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let begins = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    begins && name.len() <= 64 && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::tests::with_section;
    use super::*;
    use crate::config::diagnostic::Refused;

    fn settings(store: &str, base: &Path) -> std::result::Result<Settings, Refused> {
        with_section("store", store, base)
    }

    #[test]
    fn a_database_is_read_with_its_password_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "hunter2\n").unwrap();
        let text = "kind = \"clickhouse\"\nurl = \"https://clickhouse:8443\"\ndatabase = \"packs\"\n\
                    user = \"writer\"\npassword_file = \"secret\"\n";
        let settings = settings(text, folder.path()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let StoreKind::ClickHouse(config) = settings.store else { panic!("it is ClickHouse's") };
        assert_eq!(
            (config.url.as_str(), config.database.as_str(), config.user.as_str(), config.password.as_deref()),
            ("https://clickhouse:8443", "packs", "writer", Some("hunter2"))
        );
    }

    #[test]
    fn each_mistake_is_told() {
        let told = [
            ("kind = \"clickhouse\"", "[store] has no url"),
            ("kind = \"duckdb\"", "'duckdb' is no kind of store"),
            ("kind = \"clickhouse\"\nurl = \"clickhouse:9000\"", "begins with neither http:// nor https://"),
            ("kind = \"clickhouse\"\nurl = \"http://a\"\ndatabase = \"a; DROP\"", "is no name of a database"),
            ("kind = \"clickhouse\"\nurl = \"http://a\"\npassword_file = \"gone\"", "cannot read"),
            ("kind = \"clickhouse\"\nurl = \"http://a\"\npassword = \"x\"", "[store] has no key 'password'"),
            ("kind = \"parquet\"\nurl = \"http://a\"", "[store] has no key 'url'"),
        ];
        for (text, words) in told {
            let folder = tempfile::tempdir().unwrap();
            let fault = format!("{:?}", settings(text, folder.path()).unwrap_err());
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
