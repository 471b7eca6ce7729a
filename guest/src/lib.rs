//! Write query components for podlens in Rust.
//!
//! A *query* lists the pods of a Kubernetes cluster, or gets some, and answers with a table.
//! podlens, its host, runs it in a sandbox: a query has no network, no files, no environment and no
//! credentials, and sees only the pods it was granted. This is a whole one:
//!
//! ```
//! use podlens_guest::{
//!     Arguments, Column, Description, Error, Parameter, Query,
//!     pods::{self, ListOptions},
//!     row, rows,
//! };
//!
//! struct Restarts;
//!
//! impl Query for Restarts {
//!     fn describe() -> Description {
//!         Description::new("Restarts", "Containers that were restarted")
//!             .columns([
//!                 Column::text("namespace", "The pod's namespace"),
//!                 Column::text("name", "The pod's name"),
//!                 Column::text("container", "The container's name"),
//!                 Column::integer("restarts", "How often it was restarted").metric(),
//!             ])
//!             .parameters([Parameter::integer("min", "The least number of restarts").default(1)])
//!     }
//!
//!     fn run(arguments: Arguments) -> Result<(), Error> {
//!         let min: i64 = arguments.get("min")?;
//!         for pod in pods::list(ListOptions::new())? {
//!             let pod = pod?;
//!             for container in pod.health().containers {
//!                 let restarts = container.restarts;
//!                 if i64::from(restarts) >= min {
//!                     rows::emit(row![pod.namespace(), pod.name(), container.name, restarts])?;
//!                 }
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! podlens_guest::export!(Restarts);
//! ```
//!
//! # Build
//!
//! A query is a library of the kind `cdylib`, built for the target `wasm32-wasip2`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [profile.release]
//! opt-level = "s"
//! lto = true
//! codegen-units = 1
//! panic = "abort"
//! strip = "debuginfo"
//! ```
//!
//! ```text
//! rustup target add wasm32-wasip2
//! cargo build --release --target wasm32-wasip2
//! podlens run target/wasm32-wasip2/release/restarts.wasm --min 2
//! ```
//!
//! What a query prints, and the text of a panic, become log lines of the host. A dependency that
//! needs a socket makes a component that the host refuses to load.
//!
//! # Where things are
//!
//! - [`Query`] and [`export!`]: what a query is.
//! - [`Description`], [`Column`], [`Parameter`]: what it says of itself; [`Arguments`]: what it was
//!   told.
//! - [`pods`]: how it reads pods. [`rows`]: how it answers.
//! - [`Error`]: the one error of all of these.
//!
//! The crate compiles for every target, so the pure parts of a query can be tested on the machine
//! they are written on. Calls of [`pods`] and [`rows`] need a host, and panic where there is none.

#[doc(hidden)]
pub mod bindings;

mod arguments;
mod description;
mod error;
pub mod pods;
pub mod rows;

pub use arguments::{Argument, ArgumentValue, Arguments, FromArgument};
pub use description::{Column, ColumnType, Description, Parameter, ParameterType};
pub use error::Error;
#[cfg(feature = "k8s-openapi")]
pub use k8s_openapi;

/// A query over the pods of a Kubernetes cluster. See the [crate's example](crate).
pub trait Query {
    /// What this query is: its title, columns and parameters.
    ///
    /// The host calls it once, in an instance of its own, before any run. Nothing is granted at
    /// that moment, and the answer must not depend on time or chance.
    fn describe() -> Description;

    /// Answers once.
    ///
    /// # Errors
    ///
    /// An error ends the run: rows already emitted are shown and marked incomplete. Pass on an
    /// error of [`pods`] or [`rows`] as it came, so that the host can tell its operator why.
    fn run(arguments: Arguments) -> Result<(), Error>;
}

impl<Q: Query> bindings::Guest for Q {
    fn describe() -> Description {
        Q::describe()
    }

    fn run(arguments: Vec<Argument>) -> Result<(), Error> {
        Q::run(arguments.into())
    }
}

/// Makes the component's exports of a type that implements [`Query`]. Once in a crate.
#[macro_export]
macro_rules! export {
    ($query:ident) => {
        $crate::bindings::export!($query with_types_in $crate::bindings);
    };
}
