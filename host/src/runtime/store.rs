//! Makes stores: one for each run and each description, all with the same limits in force. Nothing else in podlens makes one.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::cpu::CpuClock;
use super::log::Log;
use super::memory::MemoryLimiter;
use super::wasi;
use crate::imports::{Imports, Notes, READS_AT_ONCE};
use crate::limits::Budget;
use crate::policy::Grant;
use crate::query::{Column, Row};
use crate::source::PodSource;

/// Most handles of one guest, in wasmtime's table and in ours: pods, lists and streams that it holds at once. Bounds what their
/// bookkeeping costs, some 100 bytes each; the pods themselves count as memory, and are in the way earlier.
pub(super) const MAX_HANDLES: usize = 65_536;

/// Most bytes that a guest may pass to the host in one call: a row of 64 texts of 64 KiB, and its cells.
const MAX_CALL_BYTES: usize = 8 << 20;

/// What a store holds.
pub(crate) struct State {
    pub(super) imports: Imports,
    wasi: WasiCtx,
    memory: MemoryLimiter,
    cpu: Arc<CpuClock>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.imports.table }
    }
}

/// What one instance is given.
pub(super) struct Sandbox {
    pub(super) grant: Arc<Grant>,
    pub(super) source: Arc<dyn PodSource>,
    /// Whether the guest imports what reads more of a pod than its metadata.
    pub(super) reads_fields: bool,
    pub(super) budget: Arc<Budget>,
    pub(super) deadline: Instant,
    pub(super) columns: Arc<[Column]>,
    pub(super) rows: Option<mpsc::Sender<Row>>,
    pub(super) notes: Arc<Notes>,
    pub(super) log: Log,
    pub(super) cpu: Arc<CpuClock>,
    /// What the wall clock shows; `None` for the machine's time.
    pub(super) now: Option<SystemTime>,
}

impl Sandbox {
    pub(super) fn store(self, engine: &Engine) -> wasmtime::Result<Store<State>> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let state = State {
            wasi: wasi::context(&self.log, self.now),
            memory: MemoryLimiter::new(self.budget.clone()),
            cpu: self.cpu,
            imports: Imports {
                table,
                grant: self.grant,
                source: self.source,
                reads_fields: self.reads_fields,
                budget: self.budget,
                deadline: self.deadline,
                columns: self.columns,
                rows: self.rows,
                notes: self.notes,
                open_lists: 0,
                reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
                calls: Default::default(),
            },
        };
        let mut store = Store::try_new(engine, state)?;
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(MAX_CALL_BYTES);
        store.set_max_component_handles(MAX_HANDLES);
        // Every tick: look at the processor time, then let the rest of the program run, which is also what lets the deadline of
        // the whole run be seen while the guest computes.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            context.data().cpu.check().map_err(wasmtime::Error::new)?;
            Ok(UpdateDeadline::Yield(1))
        });
        Ok(store)
    }
}
