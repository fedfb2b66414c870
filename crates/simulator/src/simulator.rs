//! Generates a world: tells its stories, mines its history, and keeps what was planted.

use crate::chain::body::{Gatherer, Planted};
use crate::chain::ledger::Ledger;
use crate::chain::transaction::Signer;
use crate::config::{Config, History};
use crate::error::Result;
use crate::keys::{Keyring, derive};
use crate::label::Label;
use crate::registry_files;
use crate::timeline::{Timeline, append};
use crate::world::contracts::Contract;
use crate::world::{DAY_SECS, SPAN_DAYS, START_SECS, World};
use alloy_primitives::{B256, Keccak256};
use model::registry::Registry;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// People work a little more than half of the day: blocks have to be spread over that time.
const BUSY_SHARE: f64 = 0.6;

/// A world that has been generated and is ready to be served.
#[derive(Debug)]
pub struct Simulator {
    pub(crate) config: Config,
    pub(crate) ledgers: Vec<Ledger>,
    registry: Registry,
    labels: Vec<Label>,
    contracts: Vec<Contract>,
    events: u64,
}

impl Simulator {
    /// Makes the world of a configuration: all of its transactions, and the blocks of its history.
    /// This is work for one core: some 2 s for 20,000 events, a minute for 10 million.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when no world can be made of the configuration.
    pub fn generate(config: Config) -> Result<Self> {
        config.check()?;
        let world = World::new(&config)?;
        let mut timeline = Timeline::new(&world, config.events)?;
        let mut chains = config
            .chains
            .iter()
            .enumerate()
            .map(|(place, id)| ChainInMaking::new(&config, &world, place, *id))
            .collect::<Result<Vec<_>>>()?;
        let mut events = 0;
        while let Some(draft) = timeline.next()? {
            events += draft.logs.len() as u64;
            chains[draft.chain].take(draft)?;
        }
        let mut simulator = Self {
            registry: world.registry.clone(),
            labels: Vec::new(),
            contracts: world.contracts.list(&config.chains),
            ledgers: Vec::new(),
            events,
            config,
        };
        append(&mut simulator.registry, timeline.rows());
        for chain in chains {
            let (ledger, labels) = chain.finish(simulator.config.history)?;
            simulator.ledgers.push(ledger);
            simulator.labels.extend(labels);
        }
        Ok(simulator)
    }

    /// Writes the registry as the CSV files that `[registry] dir` names.
    ///
    /// # Errors
    /// [`crate::Error::Write`].
    pub fn write_registry(&self, dir: &Path) -> Result<()> {
        registry_files::write(&self.registry, dir)
    }

    /// The registry's rows.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What was planted, by chain and block.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The contracts that the registry names. Look-alikes and junk are not among them: a reader meets those only
    /// when it watches the profile's topics on any contract.
    pub fn contracts(&self) -> &[Contract] {
        &self.contracts
    }

    /// How many logs the world has on all its chains, mined or not.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many blocks of each chain are mined, and how many are planned.
    pub fn blocks(&self) -> Vec<(u64, u64)> {
        self.ledgers.iter().map(|ledger| (ledger.height() + 1, ledger.plan.len() as u64)).collect()
    }

    /// Bytes that the answers of the mined blocks take in memory.
    pub fn prepared_bytes(&self) -> usize {
        self.ledgers.iter().flat_map(|ledger| &ledger.blocks).map(|block| block.prepared_bytes()).sum()
    }

    /// Mines everything that is left, as live mining will, and hashes all blocks of all chains.
    /// Equal configurations have equal digests.
    ///
    /// # Errors
    /// [`crate::Error::Seal`].
    pub fn digest(&mut self) -> Result<B256> {
        let mut digest = Keccak256::new();
        for ledger in &mut self.ledgers {
            while ledger.mine()?.is_some() {}
            for block in &ledger.blocks {
                digest.update(block.hash);
                digest.update(&block.text);
                digest.update(&block.logs);
            }
        }
        Ok(digest.finalize())
    }
}

/// A chain while the world is told.
struct ChainInMaking {
    ledger: Ledger,
    gatherer: Gatherer,
    bodies: u64,
    planted: Vec<(u64, Planted)>,
    history: History,
}

impl ChainInMaking {
    fn new(config: &Config, world: &World, place: usize, id: u64) -> Result<Self> {
        let genesis_secs = START_SECS - DAY_SECS;
        let rng = ChaCha8Rng::from_seed(derive(config.seed, &format!("chain/{place}")).0);
        let signer = Signer::new(id, Keyring::new(config.seed), rng);
        let busy_secs = (SPAN_DAYS * DAY_SECS) as f64 * BUSY_SHARE;
        let window_secs = (busy_secs / world.scale.blocks as f64) as i64;
        Ok(Self {
            ledger: Ledger::new(id, config.finality_depth, genesis_secs)?,
            gatherer: Gatherer::new(signer, window_secs, genesis_secs),
            bodies: 0,
            planted: Vec::new(),
            history: config.history,
        })
    }

    fn take(&mut self, draft: crate::story::script::Draft) -> Result<()> {
        let complete = self.gatherer.push(draft)?;
        self.plan(complete)
    }

    /// Plans a body; mines it at once where the history certainly reaches it, so that it need not be kept.
    fn plan(&mut self, complete: Option<(crate::chain::body::Body, Vec<Planted>)>) -> Result<()> {
        let Some((body, planted)) = complete else { return Ok(()) };
        self.bodies += 1;
        self.planted.extend(planted.into_iter().map(|planted| (self.bodies, planted)));
        self.ledger.plan.push_back(body);
        let now = match self.history {
            History::All => true,
            History::Blocks(blocks) => self.ledger.height() + 1 < blocks,
            History::Share(_) => false,
        };
        if now {
            self.ledger.mine()?;
        }
        Ok(())
    }

    fn finish(mut self, history: History) -> Result<(Ledger, Vec<Label>)> {
        let complete = self.gatherer.close()?;
        self.plan(complete)?;
        let goal = match history {
            History::All => u64::MAX,
            History::Blocks(blocks) => blocks,
            History::Share(percent) => (self.bodies + 1) * u64::from(percent) / 100,
        };
        while self.ledger.height() + 1 < goal {
            if self.ledger.mine()?.is_none() {
                break;
            }
        }
        let chain = self.ledger.chain_id;
        let place = |(block, Planted { tx, intents }): (u64, Planted)| {
            intents.into_iter().map(move |intent| intent.placed(chain, block, tx.to_string()))
        };
        Ok((self.ledger, self.planted.into_iter().flat_map(place).collect()))
    }
}
