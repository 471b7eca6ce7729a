//! Who may see what. Pure: it decides, and has never heard of HTTP or WebAssembly.
//!
//! [`authorize`] is the one way to a [`PodRequest`], and a `PodRequest` is the one thing that a source of pods answers.
//! What comes back for a query is held against it once more by [`PodRequest::admits`], and becomes a [`VisiblePod`]: without what the grant
//! withholds.

mod authorize;
mod grant;
mod redaction;
#[cfg(test)]
mod tests;
mod visible_pod;

pub(crate) use authorize::{Ask, Denied, authorize};
pub use authorize::{PodRequest, Scope};
pub use grant::Grant;
pub use redaction::Redaction;
pub(crate) use redaction::overwrite;
pub(crate) use visible_pod::VisiblePod;
