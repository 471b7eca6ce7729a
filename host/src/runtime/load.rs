//! From bytes to a [`Query`]: is it a component, does it import only what is offered, does it export what a query must, and does
//! it describe itself as the WIT says?

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinError;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::{Runtime, Shared};
use super::inspect::{ComponentKind, Digest, Offered, imported_names};
use super::store::State;
use super::uses::PodAccess;
use super::{describe, wasi};
use crate::bindings;
use crate::error::{Error, Kind};
use crate::query::{Column, Description};
use crate::text::excerpt;

/// Largest component that is compiled, in bytes. One with a Python runtime has 18 MB.
pub(crate) const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// Our own interfaces, without their version.
const OWN: &[&str] = &["podlens:query/pods", "podlens:query/rows", "podlens:query/types"];
/// The version of our own interfaces that this host offers, and every older patch of it.
const OWN_VERSION: &str = "0.1.0";
/// What the names of WASI's interfaces must have as their version; its patch may be any.
const WASI_VERSION: &str = "0.2.0";
/// What a query exports.
const EXPORTS: &[&str] = &["describe", "run"];

/// First bytes of a component and of a core module: the magic, the version, the layer (component model, `Binary.md`).
pub(super) const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
pub(super) const MODULE_HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// A component that was compiled and checked, ready to run any number of times. Cheap to clone.
#[derive(Clone)]
pub struct Query {
    pub(super) shared: Shared,
    pub(super) pre: bindings::QueryPre<State>,
    pub(super) description: Arc<Description>,
    pub(super) columns: Arc<[Column]>,
    pub(super) uses: PodAccess,
    digest: Digest,
    compilation: Compilation,
}

/// How a query came to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compilation {
    /// How long compiling took, or reading what was compiled before.
    pub elapsed: Duration,
    /// Whether it was found compiled in the runtime's cache. Where other components are loaded by the same runtime meanwhile, it may
    /// not be told, and this is `false`.
    pub from_cache: bool,
}

impl Query {
    /// What the query says of itself; checked.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Which requests for pods it can make at all: what an account needs that it runs as.
    pub fn uses(&self) -> PodAccess {
        self.uses
    }

    /// Names the component's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How it came to be compiled.
    pub fn compilation(&self) -> Compilation {
        self.compilation
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("description", &self.description).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Compiles a component, checks that it is a query, and has it describe itself.
    ///
    /// Compiling takes some 0.2 seconds for a component written in Rust, up to one with a JavaScript runtime, and several with Python's.
    ///
    /// # Errors
    ///
    /// [`Error::is_component`]: it is not a component, not a query, built for another version of the WIT, imports what is not
    /// offered, or describes itself wrongly. [`Error::limit`]: describing itself took too much.
    pub async fn load(&self, bytes: impl Into<Vec<u8>>) -> Result<Query, Error> {
        load(self.clone(), bytes.into()).await
    }
}

#[cfg(feature = "cli")]
impl Runtime {
    /// Compiles a component and nothing more: what is left is in the cache.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Compilation, Error> {
        check_header(bytes)?;
        check_imports(&imported_names(bytes))?;
        compile(self, bytes)
            .map(|(_, compilation)| compilation)
            .map_err(|error| Error::new(Kind::Component, "the component cannot be compiled").because(error))
    }
}

async fn load(runtime: Runtime, bytes: Vec<u8>) -> Result<Query, Error> {
    check_header(&bytes)?;
    let shared = runtime.shared.clone();
    let compile = {
        let engine = shared.engine.clone();
        move || -> Result<_, Error> {
            // Before compiling, which takes long.
            check_imports(&imported_names(&bytes))?;
            let (component, compilation, digest) = compile_and_name(&runtime, &bytes)
                .map_err(|error| Error::new(Kind::Component, "the component cannot be compiled").because(error))?;
            check_exports(&component, &engine)?;
            let fits = |error: wasmtime::Error| {
                Error::new(Kind::Component, "the component does not fit the world `query` of podlens:query").because(error).hint(
                    format!(
                        "build it against podlens:query@{OWN_VERSION}, with the SDK `podlens-guest` of this version or an older one"
                    ),
                )
            };
            let uses = PodAccess::of(&component, &engine);
            let pre = runtime.linker.instantiate_pre(&component).map_err(fits)?;
            Ok((bindings::QueryPre::new(pre).map_err(fits)?, uses, digest, compilation))
        }
    };
    let (pre, uses, digest, compilation) =
        tokio::task::spawn_blocking(compile).await.map_err(|error| fault("compiling the component failed", error))??;
    let description = describe::describe(&shared, &pre).await?;
    let columns = description.columns.clone().into();
    Ok(Query { shared, pre, description: Arc::new(description), columns, uses, digest, compilation })
}

/// A thread of ours that died.
pub(super) fn fault(message: &str, error: JoinError) -> Error {
    Error::new(Kind::Component, message).because(error)
}

/// Both read all of the bytes, which is what takes a component with a language's runtime in it its time to load.
fn compile_and_name(runtime: &Runtime, bytes: &[u8]) -> wasmtime::Result<(Component, Compilation, Digest)> {
    thread::scope(|scope| {
        let digest = thread::Builder::new().spawn_scoped(scope, || Digest::of(bytes));
        let (component, compilation) = compile(runtime, bytes)?;
        // A process that may have no more threads does the one after the other.
        let digest = digest.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| Digest::of(bytes));
        Ok((component, compilation, digest))
    })
}

fn compile(runtime: &Runtime, bytes: &[u8]) -> wasmtime::Result<(Component, Compilation)> {
    let before = cache_use(runtime);
    let started = Instant::now();
    let component = Component::from_binary(&runtime.shared.engine, bytes)?;
    let elapsed = started.elapsed();
    let after = cache_use(runtime);
    Ok((component, Compilation { elapsed, from_cache: before.0 < after.0 && before.1 == after.1 }))
}

/// Hits and misses of the runtime's cache so far.
#[cfg(feature = "cache")]
fn cache_use(runtime: &Runtime) -> (usize, usize) {
    runtime.cache.as_ref().map_or((0, 0), |cache| (cache.hits(), cache.misses()))
}

#[cfg(not(feature = "cache"))]
fn cache_use(_: &Runtime) -> (usize, usize) {
    (0, 0)
}

fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let not_a_component = |message: &str, hint: &str| Error::new(Kind::Component, message).hint(hint);
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(Error::new(
            Kind::Component,
            format!("the component has {} bytes: at most {MAX_COMPONENT_BYTES} are accepted", bytes.len()),
        ));
    }
    let refused = match ComponentKind::of(bytes) {
        ComponentKind::Component => return Ok(()),
        ComponentKind::Module => not_a_component(
            "this is a core WebAssembly module, not a component",
            "build it for the target `wasm32-wasip2`, or make a component of it with `wasm-tools component new`",
        ),
        ComponentKind::Precompiled => not_a_component(
            "this is precompiled code, which podlens never loads",
            "give the `.wasm` component that it was compiled from",
        ),
        ComponentKind::Text => not_a_component("this is WebAssembly text, not a component", "translate it with `wasm-tools parse`"),
        ComponentKind::Empty => not_a_component("the file is empty, not a WebAssembly component", "build the query again"),
        ComponentKind::Unknown => {
            not_a_component("this is not a WebAssembly component", "a query is a `.wasm` file built for the target `wasm32-wasip2`")
        }
    };
    Err(refused)
}

fn check_imports(names: &[String]) -> Result<(), Error> {
    const MAX_NAMED: usize = 8;
    let mut refused = Vec::new();
    let mut wrong_version = None;
    for name in names {
        match offer(name) {
            Offered::Yes => {}
            Offered::OtherVersion => wrong_version = Some(excerpt(name)),
            Offered::No if refused.len() < MAX_NAMED => refused.push(format!("`{}`", excerpt(name))),
            Offered::No => {}
        }
    }
    if !refused.is_empty() {
        let hint = format!(
            "a query may import {} at {OWN_VERSION} or an older 0.1, and of WASI 0.2 {}",
            OWN.join(", "),
            wasi::OFFERED.join(", ")
        );
        let message = format!("the component imports {}, which no query is offered", refused.join(", "));
        return Err(Error::new(Kind::Component, message).hint(hint));
    }
    if let Some(name) = wrong_version {
        let hint = format!("this podlens offers podlens:query@{OWN_VERSION} and WASI {WASI_VERSION} (any patch of 0.2)");
        return Err(
            Error::new(Kind::Component, format!("the component imports `{name}`, a version that is not offered")).hint(hint)
        );
    }
    Ok(())
}

/// Whether a query is offered what is imported under this name.
pub(super) fn offer(import: &str) -> Offered {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    // Within 0.x the minor number tells what is compatible, as for the linker. Whether each function is there, the linker checks.
    let compatible = |offered: &str| minor(version).is_some() && minor(version) == minor(offered);
    let known = if OWN.contains(&name) {
        compatible(OWN_VERSION)
    } else if wasi::OFFERED.contains(&name) {
        compatible(WASI_VERSION)
    } else {
        return Offered::No;
    };
    if known { Offered::Yes } else { Offered::OtherVersion }
}

fn minor(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(major), Some(minor), Some(_), None) => Some((major, minor)),
        _ => None,
    }
}

fn check_exports(component: &Component, engine: &Engine) -> Result<(), Error> {
    let exported = component.component_type();
    let missing: Vec<_> =
        EXPORTS.iter().filter(|name| exported.get_export(engine, name).is_none()).map(|name| format!("`{name}`")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found: Vec<_> = exported.exports(engine).take(8).map(|(name, _)| format!("`{}`", excerpt(name))).collect();
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    Err(Error::new(Kind::Component, format!("the component does not export {}: it is not a query", missing.join(" and ")))
        .hint(format!("it exports {found}; a query targets the world `query` of podlens:query@{OWN_VERSION}")))
}
