//! A session of the query engine for one question: our tables, our functions, bounded, and nothing else.

use super::allowed::with_functions;
use super::deadline::{Deadline, EndOnTime};
use super::literal::CompareBytes;
use super::views::{CATALOG, Catalog, VIEWS};
use crate::limits::Limits;
use crate::snapshot::Snapshot;
use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use std::sync::Arc;

/// Rows of a batch. The widest expression that is allowed makes 4,096 × 64 KB = 256 MB of one.
const BATCH_ROWS: usize = 4096;

/// Scans of one query that run side by side. More than the cores of a laptop help nobody.
const PARTITIONS: usize = 8;

/// A session over `snapshot` that ends at `deadline`.
pub(super) fn session(
    snapshot: Arc<dyn Snapshot>,
    limits: &Limits,
    deadline: Deadline,
) -> Result<SessionState> {
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(Catalog::new(snapshot)));
    let pool = Arc::new(FairSpillPool::new(limits.memory_bytes));
    let disk = DiskManagerBuilder::default().with_max_temp_directory_size(limits.spill_bytes);
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc()?;
    let builder = SessionStateBuilder::new()
        .with_config(config())
        .with_runtime_env(runtime)
        .with_catalog_list(Arc::new(catalogs))
        .with_optimizer_rule(Arc::new(CompareBytes))
        .with_physical_optimizer_rule(Arc::new(EndOnTime(deadline)));
    let mut state = with_functions(builder).build();
    state.mark_start_execution();
    Ok(state)
}

/// The same memory, and no disk.
pub(super) fn without_spilling(runtime: &RuntimeEnv) -> Result<Arc<RuntimeEnv>> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    RuntimeEnvBuilder::from_runtime_env(runtime).with_disk_manager_builder(disk).build_arc()
}

fn config() -> SessionConfig {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut config = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_target_partitions(cores.min(PARTITIONS))
        .with_default_catalog_and_schema(CATALOG, VIEWS)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.time_zone = Some("UTC".to_owned());
    config
}
