//! A broker that speaks TLS only, and only with whoever knows a password.

use super::broker::Broker;
use super::{CHAIN, changes, final_run, next, open_block, publish};
use crate::Bus as _;
use crate::kafka::config::{Password, Sasl, Security, Tls};
use crate::kafka::{Config, KafkaBus, Metrics};
use model::change::{Change, Epoch, Position};
use std::time::Duration;
use tokio::task::JoinSet;

const USER: &str = "rxtrail";
const PASSWORD: &str = "a password of its own";

/// Whoever may come in is in within a second.
const WAITED: Duration = Duration::from_secs(6);

fn bus(broker: &Broker, security: Security) -> KafkaBus {
    let config = Config { security, ..Config::new(vec![broker.address()]) };
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    KafkaBus::new(config, [(CHAIN, Position::default())].into(), metrics)
}

fn security(broker: &Broker, password: &str) -> Security {
    let tls = Tls { authorities: Some(broker.certificate()), certificate: None };
    let sasl = Sasl {
        mechanism: "SCRAM-SHA-512".to_owned(),
        user: USER.to_owned(),
        password: Password(password.to_owned()),
    };
    Security { tls: Some(tls), sasl: Some(sasl) }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_with_a_password_records_come_and_without_either_nobody_gets_in() {
    let broker = Broker::start_guarded(USER, PASSWORD);
    let bus_of = |security| bus(&broker, security);
    let allowed = bus_of(security(&broker, PASSWORD));
    let mut writer = allowed.publisher(CHAIN).unwrap();
    writer.open().await.unwrap();
    let told = [final_run(1, 100), open_block(101, 0, 0)];
    publish(&mut writer, &told).await;
    let mut reader = allowed.subscriber().unwrap();
    let taken = changes(&next(&mut reader, 3).await);
    assert_eq!(taken, [&[Change::Open(Epoch(1))], &told[..]].concat());

    let good = security(&broker, PASSWORD);
    let nobody = Tls { authorities: None, certificate: None };
    let refused = [
        ("a wrong password", security(&broker, "guessed")),
        ("no password", Security { sasl: None, ..good.clone() }),
        ("no TLS", Security { tls: None, ..good.clone() }),
        ("a certificate that nobody vouches for", Security { tls: Some(nobody), ..good }),
    ];
    let mut tries = JoinSet::new();
    for (why, security) in refused {
        tries.spawn(try_in_vain(why, bus_of(security)));
    }
    tries.join_all().await;
}

/// Whoever is refused waits, as for brokers that may come back: it is told in the log, and gets nothing.
async fn try_in_vain(why: &str, refused: KafkaBus) {
    let (mut reader, mut writer) = (refused.subscriber().unwrap(), refused.publisher(CHAIN).unwrap());
    let write = tokio::time::timeout(WAITED, writer.open());
    let read = tokio::time::timeout(WAITED, reader.next());
    let (written, read) = tokio::join!(write, read);
    assert!(!matches!(written, Ok(Ok(_))), "{why}: it wrote");
    assert!(!matches!(read, Ok(Ok(_))), "{why}: it read");
}
