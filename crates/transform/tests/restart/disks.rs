//! The disks of a deployment, in memory: they outlive a process and lose what was not synced.

use bus::memory::{MemoryDisk, PowerCut};
use std::sync::Arc;
use store::Store;
use store::parquet::memory_files::{Loss, MemoryFiles};

/// The bus's disk and the store's files.
#[derive(Clone, Default)]
pub(crate) struct Disks {
    pub(crate) bus: MemoryDisk,
    files: MemoryFiles,
}

impl Disks {
    /// What is left after a loss of power.
    pub(crate) fn after_a_crash(&self) -> Self {
        Self { bus: self.bus.after(PowerCut::ALL[0]), files: self.files.after_crash(Loss::Everything) }
    }

    /// The store over its files.
    pub(crate) fn store(&self) -> Store {
        let mut config = store::Config::new("/data");
        config.compaction = false;
        Store::open_in(config, Arc::new(self.files.clone())).unwrap()
    }
}
