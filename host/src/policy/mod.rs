//! Who may see what. Pure: it decides, and has never heard of HTTP or WebAssembly.
//!
//! [`authorize`] is the one way to a [`PodRequest`], and a `PodRequest` is the one thing that a source of pods answers.
//! What comes back for a query is held against it once more by [`PodRequest::admits`].

mod authorize;
mod grant;

pub(crate) use authorize::{Ask, Denied, authorize};
pub use authorize::{PodRequest, Scope};
pub use grant::Grant;
