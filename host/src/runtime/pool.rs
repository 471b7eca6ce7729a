//! A pool of memories, tables and stacks that are there before a run needs them: one starts in less time, and so many as there are places
//! run at once.
//!
//! What a component may have in the pool is bounded so that a run with a place never finds it empty.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::{Enabled, PoolingAllocationConfig};

/// Most of each that one component may have in a pool. One with a Python runtime has 15 instances of its own and as many that join them, two
/// tables, and one memory. A memory costs 4 GiB of addresses, a table some 60 bytes before it is used.
const MAX_CORE_INSTANCES: u32 = 128;
const MAX_TABLES: u32 = 32;
const MAX_MEMORIES: u32 = 4;

/// Most elements of one table. A Python runtime's has some 6,000; wasmtime's own default is 20,000.
const MAX_TABLE_ELEMENTS: usize = 65_536;

/// Most bytes of what wasmtime keeps of one instance, its memories and tables aside. A Python runtime's take 0.4 MB; wasmtime's own default
/// is 1 MiB. They come from the allocator, and cost nothing before.
const MAX_INSTANCE_BYTES: usize = 16 << 20;

/// Stacks beyond those of the places: wasmtime looks for a free one shard by shard, and may miss one that is given back just then.
const SPARE_STACKS: u32 = 16;

/// How much of a table and of a stack is cleared by hand after a run, and not by giving its pages back to the kernel, which would hand them
/// out anew one by one. Arbitrary: what a small query touches. This much stays resident for each table and stack that was used.
///
/// Nothing of a memory: it begins with a stack of 1 MiB, as linkers of Rust and C lay it out, of which a query touches the far end alone.
const KEEP_TABLE_BYTES: usize = 4 << 10;
const KEEP_STACK_BYTES: usize = 32 << 10;

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
        .total_stacks(runs.saturating_add(SPARE_STACKS))
        .total_core_instances(runs.saturating_mul(MAX_CORE_INSTANCES))
        .total_tables(runs.saturating_mul(MAX_TABLES))
        .total_memories(runs.saturating_mul(MAX_MEMORIES))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_tables_per_component(MAX_TABLES)
        .max_memories_per_component(MAX_MEMORIES)
        // One module may have them all.
        .max_tables_per_module(MAX_TABLES)
        .max_memories_per_module(MAX_MEMORIES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_core_instance_size(MAX_INSTANCE_BYTES)
        .max_component_instance_size(MAX_INSTANCE_BYTES)
        .linear_memory_keep_resident(0)
        .table_keep_resident(KEEP_TABLE_BYTES)
        .async_stack_keep_resident(KEEP_STACK_BYTES)
        // It can leave what one guest wrote to the next: fixed in wasmtime 50.
        .pagemap_scan(Enabled::No);
    pool
}
