//! The engine: which WebAssembly is accepted and how it is compiled. One serves all queries of a process.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine, WasmBacktraceDetails, WasmFeatures};

#[cfg(feature = "cache")]
use super::cache::CompileCache;
use super::epoch::Epoch;
use super::pool::{self, Pool};
use super::store::State;
use super::wasi;
use crate::bindings;
use crate::error::{Error, Kind};
use crate::imports::Imports;

/// Most frames of a backtrace. Arbitrary; bounds an error's text.
const MAX_BACKTRACE_FRAMES: usize = 20;

/// What no guest toolchain of today needs, and what has had sandbox advisories elsewhere.
const REFUSED: WasmFeatures = WasmFeatures::THREADS
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_GC)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_ERROR_CONTEXT);

/// Compiles and runs query components. Make one and share it: it holds the compiler, the linked host functions and the thread
/// that keeps time.
#[derive(Clone)]
pub struct Runtime {
    pub(super) shared: Shared,
    pub(super) linker: Arc<Linker<State>>,
    #[cfg(feature = "cache")]
    pub(super) cache: Option<CompileCache>,
}

/// What all runs share, whatever they run.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) epoch: Arc<Epoch>,
    pub(super) pool: Option<Pool>,
}

/// How components are compiled.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Where compiled components are kept. Default: nowhere; each [`Runtime::load`] compiles.
    #[cfg(feature = "cache")]
    pub cache: Option<CompileCache>,
    /// Whether backtraces tell source files and lines, where a component has debug information. Default: no; it is as long as its
    /// author likes, and is read without a limit when a guest is stopped. Leave it so where guests are not trusted.
    pub source_lines: bool,
    /// How many queries can run at the same time out of a pool of memories and stacks that are there beforehand; more wait for a place,
    /// their clocks running. Default: no pool, and no bound on their number; then a run takes some more time to start. For a program that
    /// runs many. A component may then have 4 memories, and 32 tables of 65,536 elements. A place takes 17 GiB of address space, which is not
    /// memory, and keeps some 40 KB once it was used.
    pub pool: Option<NonZeroU32>,
}

impl Runtime {
    /// Prepares the engine with the default options.
    ///
    /// # Errors
    ///
    /// When this machine cannot run WebAssembly, or no thread can be started.
    pub fn new() -> Result<Self, Error> {
        Self::with_options(RuntimeOptions::default())
    }

    /// Prepares the engine.
    ///
    /// # Errors
    ///
    /// As [`Runtime::new`].
    pub fn with_options(options: RuntimeOptions) -> Result<Self, Error> {
        let failed = |error: wasmtime::Error| Error::new(Kind::Component, "the WebAssembly engine cannot start").because(error);
        let engine = Engine::new(&config(&options)).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(failed)?;
        bindings::Query::add_to_linker::<State, wasmtime::component::HasSelf<Imports>>(&mut linker, |state| &mut state.imports)
            .map_err(failed)?;
        let epoch = Epoch::start(&engine)
            .map(Arc::new)
            .map_err(|error| Error::new(Kind::Component, "the thread that keeps time cannot start").because(error))?;
        Ok(Self {
            shared: Shared { engine, epoch, pool: options.pool.map(|runs| Pool::new(runs.get())) },
            linker: Arc::new(linker),
            #[cfg(feature = "cache")]
            cache: options.cache,
        })
    }
}

fn config(options: &RuntimeOptions) -> Config {
    let mut config = Config::new();
    #[cfg(feature = "cache")]
    config.cache(options.cache.as_ref().map(CompileCache::engine_cache));
    if let Some(runs) = options.pool {
        // Else a guest that recursed deeply would leave its place half a megabyte larger.
        config.allocation_strategy(pool::allocation(runs.get())).async_stack_zeroing(true);
    }
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(MAX_BACKTRACE_FRAMES))
        // Said here because its default is what an environment variable says.
        .wasm_backtrace_details(match options.source_lines {
            true => WasmBacktraceDetails::Enable,
            false => WasmBacktraceDetails::Disable,
        })
        .memory_init_cow(true)
        // The largest start image of a component with a language runtime in it, so that it is mapped and not copied.
        .memory_guaranteed_dense_image_size(64 << 20)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .shared_memory(false)
        // Said here although the cargo features leave most of them out: another crate of an embedder may turn those on.
        .wasm_features(REFUSED, false);
    config
}
