//! How the brokers are reached, and what topics are made like.

use model::chain::ChainId;
use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How the brokers are reached, and what topics are made like.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to ask for the cluster: `host:port`, several.
    pub brokers: Vec<String>,
    /// A chain's topic is this and its number.
    pub topic_prefix: String,
    /// Where alerts go out to other systems; `None` where they do not.
    pub alerts_topic: Option<String>,
    /// Copies of a topic that is made, in as many brokers.
    pub replication: u16,
    /// How long a topic that is made keeps its records; `None` for ever. Longer than any stop of the transform.
    pub retention: Option<Duration>,
    /// How the connection is protected.
    pub security: Security,
    /// A writer takes a stream over only once nothing was written to it for so long; `None` is at once.
    pub standby: Option<Duration>,
    /// Of chains whose topic holds a message that cannot be read, its offset: their writer goes on before it.
    pub republish_from: BTreeMap<ChainId, i64>,
}

impl Config {
    /// A cluster without protection, as on loopback.
    pub fn new(brokers: Vec<String>) -> Self {
        Self {
            brokers,
            topic_prefix: "rxtrail.changes.".into(),
            alerts_topic: Some("rxtrail.alerts".into()),
            replication: 1,
            retention: Some(Duration::from_secs(7 * 86_400)),
            security: Security::default(),
            standby: None,
            republish_from: BTreeMap::new(),
        }
    }

    /// What every client of librdkafka is told.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.brokers.join(","));
        client.set("client.id", "rxtrail");
        // A broker that comes back is found within seconds.
        client.set("reconnect.backoff.max.ms", "2000");
        self.security.set(&mut client);
        client
    }
}

/// How a connection to the brokers is protected. TLS needs a build with the feature `kafka-tls`.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// Encrypt, and check the brokers' certificates.
    pub tls: Option<Tls>,
    /// Say who we are.
    pub sasl: Option<Sasl>,
}

/// Files of a connection that is encrypted, PEM.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Authorities that are trusted; those of the system where there are none.
    pub authorities: Option<PathBuf>,
    /// Our certificate and its key, where the brokers ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// A user and password.
#[derive(Debug, Clone)]
pub struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Password,
}

/// A password, which nothing prints.
#[derive(Clone)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Security {
    fn set(&self, client: &mut ClientConfig) {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        client.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            if let Some(file) = &tls.authorities {
                client.set("ssl.ca.location", file.to_string_lossy());
            }
            if let Some((certificate, key)) = &tls.certificate {
                client.set("ssl.certificate.location", certificate.to_string_lossy());
                client.set("ssl.key.location", key.to_string_lossy());
            }
        }
        if let Some(sasl) = &self.sasl {
            client.set("sasl.mechanism", &sasl.mechanism);
            client.set("sasl.username", &sasl.user);
            client.set("sasl.password", &sasl.password.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let sasl = Sasl {
            mechanism: "SCRAM-SHA-512".into(),
            user: "rxtrail".into(),
            password: Password("hunter2".into()),
        };
        let config = Config {
            security: Security { tls: Some(Tls::default()), sasl: Some(sasl) },
            ..Config::new(vec!["a:1".into(), "b:2".into()])
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        let client = config.client();
        let set = |name| client.get(name).unwrap_or_default().to_owned();
        assert_eq!(set("bootstrap.servers"), "a:1,b:2");
        assert_eq!((set("security.protocol"), set("sasl.password")), ("sasl_ssl".into(), "hunter2".into()));
    }
}
