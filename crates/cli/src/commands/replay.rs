//! `replay`: the tables built anew with the present rules, profiles and registry, without asking a node: from the logs
//! that are stored, or from the topics of Kafka.
//!
//! They are built beside the old ones, which stay as they are; whoever likes them names them in the configuration.

use crate::args::{Common, Replay, ReplayFrom};
use crate::config::bus::BusKind;
use crate::config::store::{StoreKind, is_name};
use crate::config::{Overrides, Settings};
use crate::deployment::Deployment;
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::goals::Goals;
use crate::terminal::print;
use crate::wiring::replaying::{Stored, check};
use crate::wiring::{self, Reading, Role, open_database, open_for_reading};
use bus::kafka::inspect::inspect;
use query::limits::Limits;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use store::clickhouse;

/// A question to the old tables reads one segment's rows; none is cut off.
const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(3600),
    queue_wait: Duration::from_secs(3600),
    concurrent: 4,
    memory_bytes: 512 << 20,
    spill_bytes: 16 << 30,
    rows: u64::MAX,
    bytes: u64::MAX,
};

/// Builds.
pub(super) async fn execute(common: &Common, args: &Replay) -> Result<Exit> {
    let settings = load(common, &Overrides { data_dir: args.data.data_dir.clone(), ..Overrides::default() })?;
    let interrupted = runtime::shutdown::on_signal()?;
    let stop = interrupted.child_token();
    let mut building = building(&settings, args)?;
    refuse_used_database(&building).await?;
    let (_reading, role, goals) = match args.from {
        ReplayFrom::Logs => {
            building.bus = only_own_streams(&settings)?;
            let (reading, stored) = stored(&settings).await?;
            let mut goals = BTreeMap::new();
            for chain in &settings.chains {
                let last = stored.last_block(chain.ingest.id).await?;
                goals.insert(chain.ingest.id, last.unwrap_or(0));
            }
            (Some(reading), Role::Replay(stored), Goals::final_blocks(goals))
        }
        ReplayFrom::Bus => {
            let goals = ends_of_topics(&mut building).await?;
            (None, Role::Transform, goals)
        }
    };
    let running = wiring::start(&building, role, None, stop.clone()).await?;
    goals.reach(running, &stop).await?;
    if interrupted.is_cancelled() {
        return Err(Error::Interrupted);
    }
    print(&told(&building))?;
    Ok(Exit::Ok)
}

/// The same settings, with new tables.
fn building(settings: &Settings, args: &Replay) -> Result<Settings> {
    let into = std::path::absolute(&args.into).unwrap_or_else(|_| args.into.clone());
    if has_something(&into) {
        return Err(Error::Request(format!("{} is there already: name a new folder", into.display())));
    }
    let store = match (&settings.store, &args.database) {
        (StoreKind::Folder, None) => StoreKind::Folder,
        (StoreKind::Folder, Some(_)) => {
            return Err(Error::Request("--database is for [store] kind = \"clickhouse\"".to_owned()));
        }
        (StoreKind::ClickHouse(config), Some(database))
            if is_name(database) && *database != config.database =>
        {
            let config =
                clickhouse::Config { database: database.clone(), ..clickhouse::Config::clone(config) };
            StoreKind::ClickHouse(Box::new(config))
        }
        (StoreKind::ClickHouse(config), _) => {
            return Err(Error::Request(format!(
                "the tables are in the database '{}': name a new one with --database, of letters, digits and '_'",
                config.database
            )));
        }
    };
    Ok(Settings { data_dir: into, store, ..settings.clone() })
}

/// A database that somebody has written to is not a new one, whatever the folder says.
async fn refuse_used_database(building: &Settings) -> Result<()> {
    let StoreKind::ClickHouse(config) = &building.store else { return Ok(()) };
    match clickhouse::silent_for(config).await? {
        None => Ok(()),
        Some(_) => Err(Error::Request(format!(
            "the database '{}' is there already: name a new one",
            config.database
        ))),
    }
}

fn has_something(dir: &Path) -> bool {
    dir.exists() && std::fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_some())
}

/// What is built from logs has a stream of its own, which topics do not go on with.
fn only_own_streams(settings: &Settings) -> Result<BusKind> {
    match settings.bus {
        BusKind::Local => Ok(BusKind::Local),
        BusKind::Kafka(_) => Err(Error::Request(
            "tables built from logs cannot be gone on with from topics: `rxtrail replay --from bus` builds them from \
             the topics"
                .to_owned(),
        )),
    }
}

/// The tables that are there.
async fn stored(settings: &Settings) -> Result<(Reading, Stored)> {
    let deployment = Deployment::load(&settings.data_dir)?.unwrap_or_default();
    check(settings, &deployment)?;
    let reading = match &settings.store {
        StoreKind::Folder => open_for_reading(&settings.data_dir, LIMITS).await?,
        StoreKind::ClickHouse(config) => {
            let mut asking = settings.clone();
            asking.query.limits = LIMITS;
            open_database(config, &asking).await?
        }
    };
    let stored = Stored::new(reading.engine.clone());
    Ok((reading, stored))
}

/// Where the topics end now. Nobody is told of alerts again.
async fn ends_of_topics(building: &mut Settings) -> Result<Goals> {
    let BusKind::Kafka(config) = &mut building.bus else {
        return Err(Error::Request(
            "--from bus is for [bus] kind = \"kafka\"; the local bus keeps only what is not in tables: --from logs"
                .to_owned(),
        ));
    };
    config.alerts_topic = None;
    let mut ends = BTreeMap::new();
    for chain in &building.chains {
        let found = inspect(config, chain.ingest.id, None, 0).await?;
        ends.insert(chain.ingest.id, found.tail.position.sequence.0);
    }
    Ok(Goals::places(ends))
}

fn told(built: &Settings) -> String {
    let dir = built.data_dir.display();
    match &built.store {
        StoreKind::Folder => format!("built; go on with it by data_dir = \"{dir}\"\n"),
        StoreKind::ClickHouse(config) => {
            format!("built; go on with it by database = \"{}\" and data_dir = \"{dir}\"\n", config.database)
        }
    }
}
