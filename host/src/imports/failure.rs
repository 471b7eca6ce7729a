//! What a failed call becomes: an error that the guest may handle, or a trap that it may not. Decided here and nowhere else.
//!
//! The texts for guests are fixed or name the guest's own input. None quotes the API server, an address or a credential, and none
//! differs between a pod that is not there and one that is not granted.

use crate::bindings::podlens::query::types;
use crate::error::{Error, Kind};
use crate::kube::{NameError, SelectorError};
use crate::limits::LimitReached;
use crate::policy::Denied;
use crate::query::RowError;

/// Why an import failed.
pub(crate) enum Failure {
    /// The guest is told, and goes on.
    Guest(types::Error),
    /// The guest is stopped.
    Trap(wasmtime::Error),
}

impl Failure {
    pub(super) fn into_guest(self) -> wasmtime::Result<types::Error> {
        match self {
            Self::Guest(error) => Ok(error),
            Self::Trap(trap) => Err(trap),
        }
    }

    pub(super) fn limit_exceeded(text: impl Into<String>) -> Self {
        Self::Guest(types::Error::LimitExceeded(text.into()))
    }

    /// A source's failure, reduced to what a guest may know of it.
    pub(super) fn of_source(error: &Error) -> Self {
        Self::Guest(match error.kind() {
            Kind::Denied => types::Error::Denied("the API server refuses this to the identity that podlens reads with".into()),
            Kind::NotFound => types::Error::NotFound,
            Kind::Expired => types::Error::Expired,
            Kind::Unreachable | Kind::Unavailable | Kind::Configuration => {
                types::Error::Unavailable(error.wait().and_then(|wait| u32::try_from(wait.as_secs()).ok()))
            }
            Kind::InvalidArgument => types::Error::InvalidArgument("the API server does not accept this selector".into()),
            Kind::Server | Kind::Limit(_) | Kind::Component | Kind::Query | Kind::Fault => {
                types::Error::ServerError("the API server's answer could not be used".into())
            }
        })
    }
}

impl From<LimitReached> for Failure {
    fn from(reached: LimitReached) -> Self {
        Self::Trap(wasmtime::Error::new(reached))
    }
}

/// A handle that is not there: wasmtime hands out handles, so this is a fault of the guest's code or of ours.
impl From<wasmtime::component::ResourceTableError> for Failure {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Trap(wasmtime::Error::new(error))
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::Guest(types::Error::InvalidArgument(error.to_string()))
    }
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        Self::Guest(types::Error::InvalidArgument(error.to_string()))
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Guest(types::Error::Denied(denied.to_string()))
    }
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        if error.is_text_too_long() {
            Self::limit_exceeded(error.to_string())
        } else {
            Self::Guest(types::Error::InvalidArgument(error.to_string()))
        }
    }
}
