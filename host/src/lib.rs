//! Runs sandboxed WebAssembly *query components* over the pods of a Kubernetes cluster.
//!
//! A query can list pods and get a pod, and it answers with rows of a table. It holds no token, no CA, no socket and no file: the
//! host holds those, and decides what each query may see. This crate is that host, for programs that want to embed it; the
//! `podlens` binary is one of them.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use podlens::{ApiServer, Client, Config, ConfigOptions, Error, Grant, Limit, Limits, RunOptions, Runtime};
//!
//! # async fn restarts() -> Result<(), Box<dyn std::error::Error>> {
//! // The cluster: a kubeconfig, or the service account of the pod that this runs in.
//! let client = Client::new(Config::infer(&ConfigOptions::default())?)?;
//!
//! // The query: compiled once, then run as often as you like.
//! let runtime = Runtime::new()?;
//! let query = runtime.load(std::fs::read("restarts.wasm")?).await?;
//!
//! // What this run may see, use and is told.
//! let mut options = RunOptions::default();
//! options.grant = Grant::nothing().namespace(client.namespace().clone());
//! options.limits = Limits::default().with(Limit::Memory, 64 << 20);
//! options.arguments = query.description().arguments([("min", "3")])?;
//!
//! // The answer: rows as they come, then whether they are all, and what it took.
//! let mut run = query.run(Arc::new(ApiServer::new(client)), options);
//! while let Some(row) = run.next_row().await {
//!     println!("{:?}", row.cells());
//! }
//! let outcome = run.finish().await;
//! println!("{} pods in {:?}", outcome.report.used(Limit::Pods), outcome.report.elapsed);
//! match outcome.result {
//!     Err(error) if error.is_denied() => println!("the service account needs a role: {error}"),
//!     result => result?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Pods need not come from an API server: bring a [`PodSource`] of your own. Grants and limits hold for it all the same.
//!
//! # The map
//!
//! | module | what it does |
//! |---|---|
//! | `config` | finds address, CA, credentials and namespace, and remembers where each came from |
//! | [`kube`] | Kubernetes without I/O: names, selectors, requests, pods, decoding |
//! | `client` | sends a prepared request: TLS, token, retries, bounds |
//! | `policy` | grant and ask become a request, or a refusal |
//! | `source` | where pods come from |
//! | `proxy` | `podlens proxy`, feature `cli`: pods over HTTP on this machine |
//! | `serve` | `podlens serve`, feature `cli`: tenants' queries, many at once |
//! | `imports` | our side of the WIT: what a query can call |
//! | `runtime` | compiles, checks, confines and runs components |
//! | `limits` | what a run may use, and has used |
//! | `query` | the words of a query: description, arguments, rows |
//! | `output` | feature `cli`: answers as tables, JSON, pages and more |
//! | `web` | feature `cli`: a server for HTTP clients who are not trusted |
//! | `text` | makes text that others wrote fit to be shown |
//! | `yaml` | reads YAML that others wrote, within bounds |
//!
//! # What does not happen
//!
//! - `kube` does no I/O and has not heard of tokio, reqwest or wasmtime; `policy` has not heard of HTTP.
//! - `client` knows no WIT type; WIT types do not leave `bindings`, `imports` and `runtime`.
//! - A guest cannot express a URL, a header, a token or an HTTP status, and no answer carries one.
//! - A guest sees no pod but by `policy`, which leaves out what its grant withholds.
//! - The library never prints or exits, and reads the environment in `config` only.
//! - One function makes a store; one function makes a [`PodRequest`]; one function exposes a token.
//!
//! # Features
//!
//! `cli` (default): the binary's dependencies. Embedders set `default-features = false`.
//! `cache` (with `cli`): [`CompileCache`], compiled components kept on disk.

#[doc(hidden)]
pub mod bench;
mod bindings;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod client;
mod config;
#[cfg(feature = "cli")]
mod demo;
mod error;
#[cfg(test)]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "another package's module, of which these tests use a part")]
#[path = "../../tests/src/fake/mod.rs"]
mod fake;
mod imports;
pub mod kube;
mod limits;
#[cfg(feature = "cli")]
mod output;
mod policy;
#[cfg(feature = "cli")]
mod proxy;
mod query;
mod runtime;
#[cfg(feature = "cli")]
mod serve;
mod source;
mod text;
#[cfg(feature = "cli")]
mod web;
mod yaml;

pub use client::Client;
pub use config::{Config, ConfigOptions, Setting};
pub use error::Error;
pub use kube::{Detail, FieldSelector, LabelSelector, Namespace, Pod, PodName, ReadPod};
pub use limits::{Limit, Limits, Unit};
pub use policy::{Grant, PodRequest, Redaction, Scope};
pub use query::{
    Argument, ArgumentError, ArgumentValue, Cell, Column, ColumnType, Description, DescriptionError, Parameter, ParameterType, Row,
    RowError,
};
#[cfg(feature = "cache")]
pub use runtime::CompileCache;
pub use runtime::{
    Abilities, Annotation, Compilation, ComponentKind, Digest, Export, ExternKind, Frame, HostCall, HostFunction, Import,
    Inspection, Listed, LogLine, LogSink, LogStream, Offered, Outcome, PodAccess, Producer, Query, Report, Run, RunOptions,
    Runtime, RuntimeOptions, Sizes, Trap,
};
pub use source::{
    ApiServer, Bounds, BoxFuture, Page, PodPages, PodSource, Recorder, Recording, RecordingError, Replay, Requests,
    SkippedNamespace, Snapshot, Watch, WatchUpdate,
};
