//! What rows depend on: chains, contracts with their profiles, parameters of rules.
//!
//! `run` and `demo` write it into the data folder, so that a command that only reads (`sql`, `pedigree`) can rebuild
//! the rows of unfinal blocks exactly as they were made, whatever the configuration says by now. It holds no endpoint and no secret.

use crate::error::{Error, Result};
use alloy_primitives::Address;
use custody::decode::profile::{ContractProfile, builtin};
use custody::decode::{Profiles, WatchedContract};
use custody::rules::{ALL, Parameters};
use ingest::filter::{AddressPlace, Factory, Filter};
use model::B256;
use model::chain::ChainId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Versions;

/// What rows depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployment {
    /// First block of each chain.
    pub(crate) chains: BTreeMap<ChainId, u64>,
    /// The watched contracts.
    pub(crate) contracts: Vec<Contract>,
    /// Parameters of rules, by code and name.
    pub(crate) parameters: BTreeMap<(String, String), i64>,
    /// Rules that are off.
    pub(crate) off: Vec<String>,
}

/// A watched contract.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    /// Its name.
    pub(crate) name: String,
    /// Its chain.
    pub(crate) chain: ChainId,
    /// Which contract, or which contracts.
    pub(crate) who: Who,
    /// How it is read.
    pub(crate) profile: Profile,
    /// From which block on.
    pub(crate) from_block: u64,
}

/// Which contract, or which contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// This one.
    Address(Address),
    /// Those that this one makes.
    Factory(Factory),
    /// Whoever logs an event of the profile.
    Any,
}

/// A contract profile with where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Name of a built-in profile, or of the file.
    pub(crate) name: String,
    /// The file's text; `None` for a built-in.
    pub(crate) text: Option<String>,
    /// The profile.
    pub(crate) parsed: Arc<ContractProfile>,
}

impl Profile {
    /// The built-in profile of that name.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        builtin(name).map(|parsed| Self { name: name.to_owned(), text: None, parsed: Arc::new(parsed) })
    }
}

impl Deployment {
    /// How logs are read.
    ///
    /// # Errors
    /// When contracts contradict one another.
    pub(crate) fn profiles(&self) -> std::result::Result<Profiles, custody::decode::WatchError> {
        let watched = self.contracts.iter().map(|contract| WatchedContract {
            name: contract.name.clone(),
            chain: contract.chain,
            address: match contract.who {
                Who::Address(address) => Some(address),
                Who::Factory(_) | Who::Any => None,
            },
            profile: contract.profile.parsed.clone(),
            family: None,
            from_block: contract.from_block,
        });
        Profiles::new(watched.collect())
    }

    /// What custody works with.
    ///
    /// # Errors
    /// When contracts contradict one another, or a rule or parameter does not exist.
    pub(crate) fn setup(&self) -> Result<custody::Setup> {
        Ok(custody::Setup { profiles: Arc::new(self.profiles()?), parameters: self.rule_parameters()? })
    }

    fn rule_parameters(&self) -> std::result::Result<Parameters, custody::rules::ParameterError> {
        let mut parameters = Parameters::default();
        for ((code, name), value) in &self.parameters {
            parameters.set(code, name, *value)?;
        }
        for code in &self.off {
            parameters.switch_off(code)?;
        }
        Ok(parameters)
    }

    /// Which logs of a chain are carried.
    pub(crate) fn filter(&self, chain: ChainId) -> Filter {
        let mut filter =
            Filter { start_block: self.chains.get(&chain).copied().unwrap_or(0), ..Filter::default() };
        for contract in self.contracts.iter().filter(|contract| contract.chain == chain) {
            let profile = &contract.profile.parsed;
            filter.carry_sender |= profile.needs_sender() || profile.needs_input();
            match contract.who {
                Who::Address(address) => filter.addresses.push(address),
                Who::Factory(factory) => filter.factories.push(factory),
                Who::Any => filter.any_topics.extend(profile.telling_topics()),
            }
        }
        filter.addresses.sort_unstable();
        filter.addresses.dedup();
        filter.any_topics.sort_unstable();
        filter.any_topics.dedup();
        filter
    }

    /// What rows are made by, for the commit log.
    ///
    /// # Errors
    /// When a rule or parameter does not exist.
    pub(crate) fn versions(&self, registry: B256) -> Result<Versions> {
        let parameters = self.rule_parameters()?;
        let rule = |rule: &&dyn custody::rules::Rule| {
            let card = rule.card();
            let told = parameters.describe(card);
            parameters
                .is_on(card)
                .then(|| format!("{}/{} {told}", card.code, card.version).trim_end().to_owned())
        };
        let rules = ALL.iter().filter_map(rule).collect::<Vec<_>>().join("; ");
        let file = File { parameters: Vec::new(), off: Vec::new(), ..File::from(self) };
        let text = serde_json::to_vec(&file).map_err(|error| Error::Internal(error.to_string()))?;
        let configuration = alloy_primitives::keccak256(text).to_string();
        Ok(Versions { configuration, rules, registry: registry.to_string() })
    }

    fn path(dir: &Path) -> PathBuf {
        dir.join("deployment.json")
    }

    /// Writes it into a data folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, dir: &Path) -> Result<()> {
        let (path, temporary) = (Self::path(dir), dir.join("deployment.json.tmp"));
        let text = serde_json::to_vec_pretty(&File::from(self))
            .map_err(|error| Error::Internal(error.to_string()))?;
        let failed = |source| Error::Io { action: "write", path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &path)).map_err(failed)
    }

    /// Reads it from a data folder; `None` when the folder has none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn load(dir: &Path) -> Result<Option<Self>> {
        let path = Self::path(dir);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { action: "read", path, source }),
        };
        let damaged = |detail: String| Error::Data(format!("{}: {detail}", path.display()));
        let file: File = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        file.try_into().map(Some).map_err(damaged)
    }
}

/// Version of the file's form.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: u32,
    /// Of the binary: a built-in profile may differ in another.
    version: String,
    chains: BTreeMap<u64, u64>,
    contracts: Vec<ContractFile>,
    parameters: Vec<(String, String, i64)>,
    off: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractFile {
    name: String,
    chain: u64,
    who: WhoFile,
    profile: String,
    text: Option<String>,
    from_block: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhoFile {
    Address(Address),
    Factory { address: Address, topic: B256, place: PlaceFile },
    Any,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaceFile {
    Topic(u8),
    Data(u16),
}

impl From<&Deployment> for File {
    fn from(from: &Deployment) -> Self {
        let contract = |contract: &Contract| ContractFile {
            name: contract.name.clone(),
            chain: contract.chain.0,
            who: match contract.who {
                Who::Address(address) => WhoFile::Address(address),
                Who::Any => WhoFile::Any,
                Who::Factory(Factory { address, topic, place }) => {
                    let place = match place {
                        AddressPlace::Topic(topic) => PlaceFile::Topic(topic),
                        AddressPlace::Data(word) => PlaceFile::Data(word),
                    };
                    WhoFile::Factory { address, topic, place }
                }
            },
            profile: contract.profile.name.clone(),
            text: contract.profile.text.clone(),
            from_block: contract.from_block,
        };
        Self {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            chains: from.chains.iter().map(|(chain, start)| (chain.0, *start)).collect(),
            contracts: from.contracts.iter().map(contract).collect(),
            parameters: from
                .parameters
                .iter()
                .map(|((code, name), value)| (code.clone(), name.clone(), *value))
                .collect(),
            off: from.off.clone(),
        }
    }
}

impl TryFrom<File> for Deployment {
    type Error = String;

    fn try_from(file: File) -> std::result::Result<Self, String> {
        if file.form != FORM {
            return Err(format!("form {} is not {FORM}: another version of rxtrail wrote it", file.form));
        }
        let contract = |contract: ContractFile| {
            let parsed = match &contract.text {
                Some(text) => {
                    ContractProfile::parse(&contract.profile, text).map_err(|error| error.to_string())?
                }
                None => builtin(&contract.profile)
                    .ok_or_else(|| format!("there is no profile '{}'", contract.profile))?,
            };
            let who = match contract.who {
                WhoFile::Address(address) => Who::Address(address),
                WhoFile::Any => Who::Any,
                WhoFile::Factory { address, topic, place } => {
                    let place = match place {
                        PlaceFile::Topic(topic) => AddressPlace::Topic(topic),
                        PlaceFile::Data(word) => AddressPlace::Data(word),
                    };
                    Who::Factory(Factory { address, topic, place })
                }
            };
            let profile = Profile { name: contract.profile, text: contract.text, parsed: Arc::new(parsed) };
            Ok(Contract {
                name: contract.name,
                chain: ChainId(contract.chain),
                who,
                profile,
                from_block: contract.from_block,
            })
        };
        Ok(Self {
            chains: file.chains.into_iter().map(|(chain, start)| (ChainId(chain), start)).collect(),
            contracts: file
                .contracts
                .into_iter()
                .map(contract)
                .collect::<std::result::Result<_, String>>()?,
            parameters: file
                .parameters
                .into_iter()
                .map(|(code, name, value)| ((code, name), value))
                .collect(),
            off: file.off,
        })
    }
}

#[cfg(test)]
mod tests;
