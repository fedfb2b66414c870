//! Reference data from a folder of CSV files, for [`Change::Registry`](model::change::Change::Registry).
//!
//! ```text
//! folder ──load──▶ Registry ──digest──▶ changed since the last version? ──▶ publish
//! ```
//!
//! Each file is `<name>.csv` with a header row; a missing file is an empty list. Times are RFC 3339 or `YYYY-MM-DD`
//! (its first second), UTC; an empty time is open; lists are separated by `|`. A folder is loaded whole or not at
//! all: what is wrong is told with file, line, column and what to do.

mod cells;
mod check;
mod countries;
mod fault;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod rows;
mod table;

pub use fault::{Fault, LoadError};

use alloy_primitives::{B256, Keccak256};
use fault::Faults;
use model::registry::{
    Agreement, Announcement, Confirmation, ContractAuthority, Delegation, Extension, Lane, Licence, Lot,
    Party, Product, Recall, Registry, Site, Wallet,
};
use std::io;
use std::path::Path;
use table::{Files, Folder, Numbered};

/// Loads all files of `dir`.
///
/// # Errors
/// [`LoadError::Rows`] with everything that is wrong in the files, [`LoadError::Io`] when one cannot be read.
pub fn load(dir: &Path) -> Result<Registry, LoadError> {
    let mut faults = Faults::default();
    let folder = Folder::open(dir, &mut faults)?;
    load_files(&folder, dir, faults)
}

fn load_files(files: &impl Files, dir: &Path, mut faults: Faults) -> Result<Registry, LoadError> {
    let tables = Tables::read(files, &mut faults)?;
    check::check(&tables, &mut faults);
    faults.into_result(dir)?;
    Ok(tables.into_registry())
}

/// Names what a registry says: equal for equal rows in equal order, whatever the files look like.
pub fn digest(registry: &Registry) -> B256 {
    let mut bytes = Hashed(Keccak256::new());
    // Neither plain rows nor a hash in memory can fail to be written; if they did, the digest would only differ.
    if let Err(error) = serde_json::to_writer(&mut bytes, registry) {
        bytes.0.update(error.to_string());
    }
    bytes.0.finalize()
}

/// Hashes what is written to it.
struct Hashed(Keccak256);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The rows of all files with their lines.
struct Tables {
    parties: Vec<Numbered<Party>>,
    sites: Vec<Numbered<Site>>,
    wallets: Vec<Numbered<Wallet>>,
    licences: Vec<Numbered<Licence>>,
    delegations: Vec<Numbered<Delegation>>,
    agreements: Vec<Numbered<Agreement>>,
    products: Vec<Numbered<Product>>,
    lots: Vec<Numbered<Lot>>,
    recalls: Vec<Numbered<Recall>>,
    extensions: Vec<Numbered<Extension>>,
    contracts: Vec<Numbered<ContractAuthority>>,
    announcements: Vec<Numbered<Announcement>>,
    lanes: Vec<Numbered<Lane>>,
    confirmations: Vec<Numbered<Confirmation>>,
}

impl Tables {
    fn read(files: &impl Files, faults: &mut Faults) -> Result<Self, LoadError> {
        Ok(Self {
            parties: files.read(&table::PARTIES, faults, rows::party)?,
            sites: files.read(&table::SITES, faults, rows::site)?,
            wallets: files.read(&table::WALLETS, faults, rows::wallet)?,
            licences: files.read(&table::LICENCES, faults, rows::licence)?,
            delegations: files.read(&table::DELEGATIONS, faults, rows::delegation)?,
            agreements: files.read(&table::AGREEMENTS, faults, rows::agreement)?,
            products: files.read(&table::PRODUCTS, faults, rows::product)?,
            lots: files.read(&table::LOTS, faults, rows::lot)?,
            recalls: files.read(&table::RECALLS, faults, rows::recall)?,
            extensions: files.read(&table::EXTENSIONS, faults, rows::extension)?,
            contracts: files.read(&table::CONTRACTS, faults, rows::contract)?,
            announcements: files.read(&table::ANNOUNCEMENTS, faults, rows::announcement)?,
            lanes: files.read(&table::LANES, faults, rows::lane)?,
            confirmations: files.read(&table::CONFIRMATIONS, faults, rows::confirmation)?,
        })
    }

    fn into_registry(self) -> Registry {
        fn rows<T>(numbered: Vec<Numbered<T>>) -> Vec<T> {
            numbered.into_iter().map(|numbered| numbered.row).collect()
        }
        Registry {
            parties: rows(self.parties),
            sites: rows(self.sites),
            wallets: rows(self.wallets),
            licences: rows(self.licences),
            delegations: rows(self.delegations),
            agreements: rows(self.agreements),
            products: rows(self.products),
            lots: rows(self.lots),
            recalls: rows(self.recalls),
            extensions: rows(self.extensions),
            contracts: rows(self.contracts),
            announcements: rows(self.announcements),
            lanes: rows(self.lanes),
            confirmations: rows(self.confirmations),
        }
    }
}

#[cfg(test)]
mod tests;
