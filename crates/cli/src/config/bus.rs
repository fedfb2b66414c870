//! `[bus]`: how changes get from the readers of chains to the transform.

use super::secret::password;
use super::section::Section;
use crate::error::{Error, Result};
use bus::kafka::Config;
use bus::kafka::config::{Password, Sasl, Security, Tls};
use std::path::Path;
use std::time::Duration;

/// How a user says who he is: what the client library can do with and without TLS.
const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// Which bus there is.
#[derive(Debug, Clone, Default)]
pub(crate) enum BusKind {
    /// A log in the data folder.
    #[default]
    Local,
    /// Topics of a Kafka cluster.
    Kafka(Box<Config>),
}

impl BusKind {
    /// Refuses what would leave the store and the topics with two streams of one chain.
    ///
    /// # Errors
    /// When the bus is not local.
    pub(crate) fn only_local(&self, command: &str) -> Result<()> {
        match self {
            Self::Local => Ok(()),
            Self::Kafka(_) => Err(Error::Request(format!(
                "{command} works on the local bus; with [bus] kind = \"kafka\", give the chains a new topic_prefix \
                 and an empty data_dir, and they are read anew"
            ))),
        }
    }
}

/// Reads `[bus]`.
pub(super) fn bus(section: Section<'_>, base: &Path) -> BusKind {
    match section.text("kind") {
        None | Some(("local", _)) => {
            section.finish();
            BusKind::Local
        }
        Some(("kafka", _)) => {
            kafka(section, base).map_or(BusKind::Local, |config| BusKind::Kafka(Box::new(config)))
        }
        Some((kind, place)) => {
            let message = format!("'{kind}' is no kind of bus");
            let help = "kind = \"local\", or kind = \"kafka\" with brokers = [\"127.0.0.1:9092\"]";
            section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
            BusKind::Local
        }
    }
}

fn kafka(section: Section<'_>, base: &Path) -> Option<Config> {
    section.need("brokers", "[\"127.0.0.1:9092\"]");
    let mut config = Config::new(section.texts("brokers"));
    if let Some((prefix, place)) = section.text("topic_prefix") {
        if !is_topic(prefix) {
            let message = format!("topic_prefix '{prefix}' is no part of a topic's name");
            let help = "letters, digits, '.', '_' and '-', at most 200 of them";
            section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
        }
        prefix.clone_into(&mut config.topic_prefix);
    }
    if let Some((topic, place)) = section.text("alerts_topic") {
        if !topic.is_empty() && !is_topic(topic) {
            let message = format!("alerts_topic '{topic}' is no topic's name");
            let help = "letters, digits, '.', '_' and '-', at most 200 of them; empty for none";
            section.findings().note("config::bad-value", place, message, Some(help.to_owned()));
        }
        config.alerts_topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
    }
    if let Some(copies) = section.number("replication", 1, 100) {
        config.replication = u16::try_from(copies).unwrap_or(1);
    }
    if let Some(hours) = section.number("retention_hours", 0, 1 << 20) {
        config.retention = (hours > 0).then(|| Duration::from_secs(3600 * hours));
    }
    config.security = Security {
        tls: section.section("tls").map(|section| tls(section, base)),
        sasl: section.section("sasl").and_then(|section| sasl(section, base)),
    };
    section.finish();
    Some(config)
}

/// May a topic's name begin so? A chain's number of twenty digits comes behind it.
fn is_topic(prefix: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    !prefix.is_empty() && prefix.len() <= 200 && prefix.chars().all(allowed)
}

fn tls(section: Section<'_>, base: &Path) -> Tls {
    let authorities = section.path("authorities", base);
    let certificate = section.path("certificate", base);
    let key = section.path("key", base);
    if certificate.is_some() != key.is_some() {
        let message = "certificate and key belong together".to_owned();
        section.findings().note(
            "config::conflict",
            section.place(),
            message,
            Some("set both, or none".into()),
        );
    }
    section.finish();
    Tls { authorities, certificate: certificate.zip(key) }
}

/// A password comes from a file of its own, so that a configuration can be shown.
fn sasl(section: Section<'_>, base: &Path) -> Option<Sasl> {
    let mechanism = section.text("mechanism").map_or("SCRAM-SHA-512", |(mechanism, place)| {
        if !MECHANISMS.contains(&mechanism) {
            let message = format!("'{mechanism}' is none of {}", MECHANISMS.join(", "));
            section.findings().note("config::bad-value", place, message, None);
        }
        mechanism
    });
    let user = section.need_text("user", "\"rxtrail\"").map(|(user, _)| user.to_owned());
    section.need("password_file", "\"/run/secrets/kafka\"");
    let password = password(&section, base).map(Password);
    section.finish();
    Some(Sasl { mechanism: mechanism.to_owned(), user: user?, password: password? })
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::tests::with_section;
    use super::*;
    use crate::config::diagnostic::Refused;

    fn settings(bus: &str, base: &Path) -> std::result::Result<Settings, Refused> {
        with_section("bus", bus, base)
    }

    fn fault(bus: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        format!("{:?}", settings(bus, folder.path()).unwrap_err())
    }

    #[test]
    fn a_cluster_is_read_with_its_password_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "hunter2\n").unwrap();
        let text = r#"
kind = "kafka"
brokers = ["a:9092", "b:9092"]
topic_prefix = "rx."
alerts_topic = ""
replication = 3
retention_hours = 0
sasl = { user = "rxtrail", password_file = "secret" }
tls = { authorities = "ca.pem" }
"#;
        let settings = settings(text, folder.path()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let BusKind::Kafka(config) = settings.bus else { panic!("it is Kafka's") };
        assert_eq!((config.brokers.join(","), config.topic_prefix.as_str()), ("a:9092,b:9092".into(), "rx."));
        assert_eq!((config.alerts_topic, config.replication, config.retention), (None, 3, None));
        let sasl = config.security.sasl.unwrap();
        assert_eq!((sasl.mechanism.as_str(), sasl.password.0.as_str()), ("SCRAM-SHA-512", "hunter2"));
        assert_eq!(config.security.tls.unwrap().authorities, Some(folder.path().join("ca.pem")));
    }

    #[test]
    fn each_mistake_is_told() {
        let kafka = |more: &str| format!("kind = \"kafka\"\nbrokers = [\"a:9092\"]\n{more}");
        let told = [
            ("kind = \"kafka\"".to_owned(), "[bus] has no brokers"),
            (kafka("topic_prefix = \"a b\""), "topic_prefix 'a b' is no part of a topic's name"),
            (kafka("replication = 0"), "replication is 0, it must be from 1 to 100"),
            (kafka("sasl = { user = \"x\" }"), "has no password_file"),
            (kafka("sasl = { user = \"x\", password_file = \"gone\" }"), "cannot read"),
            (
                kafka("sasl = { mechanism = \"GSSAPI\", user = \"x\", password_file = \"gone\" }"),
                "'GSSAPI' is none of",
            ),
            (kafka("tls = { key = \"k\" }"), "certificate and key belong together"),
            (kafka("broker = \"a\""), "[bus] has no key 'broker'"),
        ];
        for (text, words) in told {
            let fault = fault(&text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
