//! A pool of memories, tables and stacks that are there before a run needs them: one starts in less time, and so many as there are places
//! run at once.
//!
//! What a component may have in the pool is bounded so that a run with a place never finds it empty.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::{Enabled, PoolingAllocationConfig};

/// Most of each that one component may have in a pool. One with a Python runtime has some fifty instances and tables, and one memory. Costs
/// address space alone.
const MAX_CORE_INSTANCES: u32 = 128;
const MAX_TABLES: u32 = 128;
const MAX_MEMORIES: u32 = 4;

/// Most elements of one table. A Python runtime's has some 15,000; wasmtime's own default is 20,000.
const MAX_TABLE_ELEMENTS: usize = 65_536;

/// How much of a memory is cleared by hand after a run, and not by giving the pages back to the kernel, which would hand them out anew
/// one by one. Arbitrary: what a small query touches. This much stays resident for each place that was used.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// The places of a pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(runs: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(runs as usize)) }
    }

    /// Waits for a place. Whoever waits longer comes first.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.places.acquire().await.ok()
    }
}

/// wasmtime's side of it.
pub(super) fn allocation(runs: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(runs)
        .total_stacks(runs)
        .total_core_instances(runs.saturating_mul(MAX_CORE_INSTANCES))
        .total_tables(runs.saturating_mul(MAX_TABLES))
        .total_memories(runs.saturating_mul(MAX_MEMORIES))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_tables_per_component(MAX_TABLES)
        .max_memories_per_component(MAX_MEMORIES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        // It can leave what one guest wrote to the next: fixed in wasmtime 50.
        .pagemap_scan(Enabled::No);
    pool
}
