//! Runs of the guest `works.rs`, which does as much as it is told.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use podlens::{Grant, Limit, PodSource, Query, RunOptions, Runtime, RuntimeOptions};
use podlens_tests::guests;

/// What a guest reads of each pod of a page: names of such sets, and their accessors.
pub const SETS: [(&str, &str); 7] = [
    ("handles", ""),
    ("name+namespace", "name,namespace"),
    ("name+namespace+health", "name,namespace,health"),
    ("name+namespace+status", "name,namespace,status"),
    ("metadata", "metadata"),
    ("spec", "spec"),
    ("all", "name,namespace,metadata,spec,status,health"),
];

/// The guest, compiled, and one thread that host and guest share, so that all work is in sequence.
pub struct Works {
    executor: tokio::runtime::Runtime,
    query: Query,
}

/// What the guest does in one run. Default: nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// What to read of each pod that a list gives, and how often; `None` lists nothing.
    read: Option<(&'static str, u64)>,
    /// How many rows to emit.
    rows: u64,
}

impl Work {
    /// Lists pods, and reads each so often by these accessors.
    pub fn reads(accessors: &'static str, times: u64) -> Self {
        Self { read: Some((accessors, times)), rows: 0 }
    }

    /// Emits so many rows.
    pub fn emits(rows: u64) -> Self {
        Self { read: None, rows }
    }
}

impl Works {
    /// The guest, compiled by `runtime`.
    ///
    /// # Panics
    ///
    /// When it cannot be.
    pub fn new(runtime: &Runtime) -> Self {
        let executor = executor();
        let query = executor.block_on(runtime.load(component())).expect("the guest is a query");
        Self { executor, query }
    }

    /// An instance of the guest that does nothing, from its store to the end of both.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn instantiate(&self) {
        self.executor.block_on(podlens::bench::instantiate(&self.query)).expect("the guest can be instantiated");
    }

    /// One run, from its start to its last row and its end.
    ///
    /// # Panics
    ///
    /// When the run fails.
    pub fn run(&self, source: &Arc<dyn PodSource>, work: Work) {
        let mut options = RunOptions::default();
        options.grant = Grant::all_namespaces();
        for limit in [Limit::HostCalls, Limit::Rows, Limit::OutputBytes, Limit::CpuTime, Limit::WallTime] {
            options.limits = options.limits.with(limit, u64::MAX >> 16);
        }
        let (read, times) = work.read.unwrap_or_default();
        let (list, times, rows) = (work.read.is_some().to_string(), times.to_string(), work.rows.to_string());
        let arguments = [("list", list.as_str()), ("read", read), ("times", &times), ("rows", &rows)];
        options.arguments = self.query.description().arguments(arguments).expect("the guest has these parameters");
        self.executor.block_on(async {
            let mut run = self.query.run(source.clone(), options);
            while run.next_row().await.is_some() {}
            run.finish().await.result.expect("the run does as it is told");
        });
    }
}

/// A runtime with a place in a pool for one run.
///
/// # Panics
///
/// When this machine cannot run WebAssembly.
pub fn pooled() -> Runtime {
    let mut options = RuntimeOptions::default();
    options.pool = Some(NonZeroU32::MIN);
    Runtime::with_options(options).expect("this machine runs WebAssembly")
}

/// The guest's bytes.
///
/// # Panics
///
/// When they cannot be read.
pub fn component() -> Vec<u8> {
    std::fs::read(Path::new(guests::WORKS)).expect("the build script made this component")
}

/// Runs futures on the thread that asks for it.
///
/// # Panics
///
/// When there can be none.
pub fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread starts")
}
