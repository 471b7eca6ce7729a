//! The guest's memory: all linear memories and tables of an instance together, against one limit.
//!
//! wasmtime's own `StoreLimits` bounds each memory by itself, so that eight memories get eight times the limit.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::limits::{Budget, Limit};

/// Bytes of one table element in the host's memory.
const TABLE_ELEMENT_BYTES: u64 = 8;

/// Most core instances, tables and memories of one component. A component with a Python runtime in it has some fifty instances;
/// each costs the host some kilobytes that no other limit counts.
const MAX_INSTANCES: usize = 256;
const MAX_TABLES: usize = 256;
const MAX_MEMORIES: usize = 32;

/// Charges growth to the run's budget. Going over it ends the run at once: a guest that is told `memory.grow` failed would
/// die some way of its own, and the operator would not learn why.
pub(super) struct MemoryLimiter {
    budget: Arc<Budget>,
}

impl MemoryLimiter {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget }
    }

    fn grow(&self, current: usize, desired: usize, unit_bytes: u64) -> wasmtime::Result<bool> {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(unit_bytes);
        self.budget.charge(Limit::Memory, more).map_err(wasmtime::Error::new)?;
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Past the memory's own maximum the growth fails anyway, and nothing is used.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(current, desired, TABLE_ELEMENT_BYTES)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
