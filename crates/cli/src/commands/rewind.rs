//! `rewind`: takes a chain back below its finalised block.

use crate::args::{Common, Rewind};
use crate::config::Overrides;
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{print, tell};
use crate::wiring::{blocking, bus_dir};
use store::Config;

/// Takes the chain back.
pub(super) async fn execute(common: &Common, args: &Rewind) -> Result<Exit> {
    let settings = load(common, &Overrides { data_dir: args.data.data_dir.clone(), ..Overrides::default() })?;
    settings.bus.only_local("rewind")?;
    settings.store.only_folder("rewind")?;
    let Some(chain) = settings.chains.iter().find(|chain| chain.name == args.chain) else {
        let names: Vec<_> = settings.chains.iter().map(|chain| chain.name.as_str()).collect();
        return Err(Error::Request(format!(
            "there is no [chains.{}]; chains are {}",
            args.chain,
            names.join(", ")
        )));
    };
    let (id, to, dir) = (chain.ingest.id, args.to, settings.data_dir.clone());
    let rewound = blocking(move || {
        let rewound = store::parquet::rewind::rewind(Config::new(&dir), id, to)?;
        // What the bus holds stands on blocks that are gone: it is read from the chain again.
        let bus = bus_dir(&dir);
        match std::fs::remove_dir_all(&bus) {
            Ok(()) => Ok(rewound),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(rewound),
            Err(source) => Err(Error::Io { action: "remove", path: bus, source }),
        }
    })
    .await?;
    let tip = rewound
        .state_at
        .tip
        .map_or_else(|| "before its first block".to_owned(), |tip| format!("at block {tip}"));
    print(&format!("chain {} stands {tip}\n", args.chain))?;
    tell("what people were told of the blocks above stays in notices; `rxtrail run` reads them again");
    Ok(Exit::Ok)
}
