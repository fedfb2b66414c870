//! What rows depend on, written and read back.

use super::{Contract, Deployment, Profile, Who};
use ingest::filter::{AddressPlace, Factory};
use model::B256;
use model::chain::ChainId;
use std::sync::Arc;

const OURS: &str = "standard = \"erc721\"\ntransfer = \"ownership\"\n";

fn deployment() -> Deployment {
    let contract = |name: &str, who, profile| Contract {
        name: name.to_owned(),
        chain: ChainId(1),
        who,
        profile,
        from_block: 3,
    };
    let parsed = custody::decode::profile::ContractProfile::parse("ours.toml", OURS).unwrap();
    let ours = Profile { name: "ours.toml".into(), text: Some(OURS.into()), parsed: Arc::new(parsed) };
    let factory =
        Factory { address: [2; 20].into(), topic: B256::repeat_byte(3), place: AddressPlace::Data(1) };
    Deployment {
        chains: [(ChainId(1), 7)].into(),
        contracts: vec![
            contract("packs", Who::Address([1; 20].into()), Profile::built_in("gs1-pack").unwrap()),
            contract("made", Who::Factory(factory), ours),
            contract("anyone", Who::Any, Profile::built_in("gs1-pack").unwrap()),
        ],
        parameters: [(("ST-01".to_owned(), "repeats".to_owned()), 5)].into(),
        off: vec!["ST-03".to_owned()],
    }
}

#[test]
fn it_reads_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Deployment::load(folder.path()).unwrap().is_none());
    let written = deployment();
    written.save(folder.path()).unwrap();
    let read = Deployment::load(folder.path()).unwrap().unwrap();
    let (one, other) = (written.versions(B256::ZERO).unwrap(), read.versions(B256::ZERO).unwrap());
    assert_eq!(one, other);
    assert_eq!(written.filter(ChainId(1)), read.filter(ChainId(1)));
    assert_eq!(
        read.contracts.iter().map(|contract| contract.who).collect::<Vec<_>>(),
        written.contracts.iter().map(|contract| contract.who).collect::<Vec<_>>()
    );
}

#[test]
fn whatever_rows_depend_on_changes_its_version() {
    let base = deployment().versions(B256::ZERO).unwrap();
    let changed = |change: fn(&mut Deployment)| {
        let mut other = deployment();
        change(&mut other);
        let other = other.versions(B256::ZERO).unwrap();
        (other.configuration != base.configuration, other.rules != base.rules)
    };
    assert_eq!(changed(|_| {}), (false, false));
    assert_eq!(changed(|other| other.contracts[0].from_block = 4), (true, false));
    assert_eq!(changed(|other| drop(other.contracts.pop())), (true, false));
    assert_eq!(changed(|other| other.chains = [(ChainId(1), 8)].into()), (true, false));
    assert_eq!(changed(|other| other.off.clear()), (false, true));
    assert_eq!(changed(|other| other.parameters.values_mut().for_each(|value| *value += 1)), (false, true));
    let registry = deployment().versions(B256::repeat_byte(1)).unwrap().registry;
    assert_ne!(registry, base.registry);
}

#[test]
fn a_damaged_file_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("deployment.json"), "{\"form\": 1").unwrap();
    let error = Deployment::load(folder.path()).unwrap_err();
    assert!(error.to_string().contains("deployment.json: EOF"), "{error}");
    assert_eq!(error.exit(), crate::exit::Exit::Data);
}
