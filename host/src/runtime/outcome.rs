//! What the end of a run was: from a trap or the guest's own error to the operator's.

use std::fmt;

use wasmtime::PoolConcurrencyLimitError;
use wasmtime::component::ResourceTableError;
use wasmtime_wasi::I32Exit;

use crate::bindings::podlens::query::types;
use crate::error::{Error, Kind};
use crate::imports::Notes;
use crate::limits::{Budget, LimitReached};

use super::log::Log;
use super::store::MAX_HANDLES;
use super::trap::{Trap, shown};

/// The guest answered with an error.
pub(super) fn of_guest_error(error: types::Error, notes: &Notes) -> Error {
    let (kind, text) = match error {
        types::Error::InvalidArgument(text) => (Kind::InvalidArgument, format!("invalid argument: {}", shown(&text))),
        types::Error::Denied(text) => (Kind::Denied, format!("denied: {}", shown(&text))),
        types::Error::NotFound => (Kind::NotFound, "not found".to_owned()),
        types::Error::Expired => (Kind::Expired, "the list expired before it was complete".to_owned()),
        types::Error::LimitExceeded(text) => (Kind::Query, format!("limit exceeded: {}", shown(&text))),
        types::Error::Unavailable(_) => (Kind::Unavailable, "the cluster gave no usable answer in time".to_owned()),
        types::Error::ServerError(text) => (Kind::Server, format!("server error: {}", shown(&text))),
        types::Error::Other(text) => (Kind::Query, shown(&text)),
    };
    // A guest may claim anything. It is believed only where the host remembers such a failure, whose full story is then told.
    match notes.last_failure() {
        Some(cause) if same_lane(cause.kind(), kind) => cause.told_as("the query could not be answered"),
        _ => Error::new(Kind::Query, "the query answered with an error").because(Words(text)),
    }
}

/// What a guest sees of a host's failure is coarser than the failure.
fn same_lane(cause: Kind, claimed: Kind) -> bool {
    cause == claimed || (claimed == Kind::Unavailable && matches!(cause, Kind::Unreachable | Kind::Configuration))
}

/// The guest was stopped, or stopped itself.
pub(super) fn of_trap(trap: wasmtime::Error, budget: &Budget, log: &Log, during: &str) -> Error {
    // A guest can swallow nothing here: the budget knows first.
    if let Some(reached) = budget.reached() {
        return reached.into_error();
    }
    if let Some(reached) = trap.downcast_ref::<LimitReached>() {
        return reached.into_error();
    }
    if let Some(I32Exit(status)) = trap.downcast_ref::<I32Exit>() {
        let error = Error::new(Kind::Query, format!("the query ended its process with status {status} while it should {during}"));
        // What a language's runtime said of it.
        let words = if *status == 0 { Vec::new() } else { log.take_last_words() };
        return if words.is_empty() { error } else { error.because(Words(words.join("\n"))) };
    }
    if let Some(ResourceTableError::Full) = trap.downcast_ref::<ResourceTableError>() {
        return Error::new(
            Kind::Limit("handles"),
            format!("the query holds more than {MAX_HANDLES} pods, lists and streams at once"),
        )
        .hint("let it keep what it needs of a pod, and drop the pod before it reads on; no flag raises this");
    }
    if trap.is::<PoolConcurrencyLimitError>() {
        return Error::new(Kind::Fault, "there is no room for one more run").because(trap);
    }
    let (what, message) = match trap.downcast_ref::<wasmtime::Trap>() {
        // Told on standard error, just before. What is there before any other trap is not about the trap.
        Some(wasmtime::Trap::UnreachableCodeReached) => ("panicked", log.take_last_words()),
        Some(wasmtime::Trap::StackOverflow) => ("overflowed its stack", Vec::new()),
        _ => ("trapped", Vec::new()),
    };
    Error::new(Kind::Query, format!("the query {what} while it should {during}")).because(Trap::new(&trap, message))
}

/// Text for people that came from a guest or from the engine.
#[derive(Debug)]
struct Words(String);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Words {}
