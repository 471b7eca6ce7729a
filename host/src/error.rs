//! The one public error, and the question that decides what to do about it: its kind.
//!
//! `Display` tells this level only; `source` leads to the cause, and one printer in the binary walks the chain. No error carries
//! a credential, a header or the body of an answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why something failed, for the operator or the embedding program; a guest sees a closed variant instead.
///
/// Ask the predicates, not the text. Exactly one of them is true, [`Error::is_retryable`] aside.
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

struct Inner {
    kind: Kind,
    message: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The caller's own input.
    InvalidArgument,
    /// What tells how to reach the cluster is missing or wrong.
    Configuration,
    /// The grant, or the API server, refuses.
    Denied,
    NotFound,
    Expired,
    /// No connection that can be trusted.
    Unreachable,
    /// Connected, and no usable answer in time.
    Unavailable,
    /// An answer that is none.
    Server,
    /// A limit of the run, by name.
    Limit(&'static str),
    /// The component cannot be used as a query.
    Component,
    /// The query failed by itself.
    Query,
    /// Podlens did.
    Fault,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { inner: Arc::new(Inner { kind, message: message.into(), hint: None, retry_after: None, source: None }) }
    }

    /// Adds what to do about it, shown on a line of its own.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.with(|inner| inner.hint = Some(hint.into()))
    }

    /// The same failure, told at a level above it.
    pub(crate) fn told_as(self, message: impl Into<String>) -> Self {
        let mut told = Self::new(self.kind(), message).retry_after(self.wait());
        if let Some(hint) = self.help() {
            told = told.hint(hint.to_owned());
        }
        told.because(self)
    }

    pub(crate) fn retry_after(self, delay: Option<Duration>) -> Self {
        self.with(|inner| inner.retry_after = delay)
    }

    /// Builders run before the error is shared; a shared one is left as it is.
    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            change(inner);
        }
        self
    }

    /// Whether this is a clone of the other, and not another failure that is told in the same words.
    #[cfg(feature = "cli")]
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// What is behind it, the nearest first.
    #[cfg(feature = "cli")]
    pub(crate) fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |cause| StdError::source(*cause))
    }

    /// The same in one line, for a log.
    #[cfg(feature = "cli")]
    pub(crate) fn causes_in_line(&self) -> String {
        self.causes().map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    pub(crate) fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// The caller's own input is wrong: a name, a selector, a parameter. Trying again cannot help.
    pub fn is_invalid_argument(&self) -> bool {
        self.kind() == Kind::InvalidArgument
    }

    /// No usable configuration: no kubeconfig and no service account, or a broken one.
    pub fn is_configuration(&self) -> bool {
        self.kind() == Kind::Configuration
    }

    /// The grant or the API server refuses (401 and 403 alike).
    pub fn is_denied(&self) -> bool {
        self.kind() == Kind::Denied
    }

    /// There is no such pod.
    pub fn is_not_found(&self) -> bool {
        self.kind() == Kind::NotFound
    }

    /// A list could not be continued. A new list may succeed.
    pub fn is_expired(&self) -> bool {
        self.kind() == Kind::Expired
    }

    /// No connection that can be trusted: address, DNS, TCP or TLS.
    pub fn is_unreachable(&self) -> bool {
        self.kind() == Kind::Unreachable
    }

    /// The API server gave no usable answer in time. Trying later may help; see [`Error::wait`].
    pub fn is_unavailable(&self) -> bool {
        self.kind() == Kind::Unavailable
    }

    /// The API server's answer is not one.
    pub fn is_server_error(&self) -> bool {
        self.kind() == Kind::Server
    }

    /// The name of the limit that ended the run, as in [`Limits`](crate::Limits).
    pub fn limit(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::Limit(name) => Some(name),
            _ => None,
        }
    }

    /// The component cannot be used as a query.
    pub fn is_component(&self) -> bool {
        self.kind() == Kind::Component
    }

    /// The query itself failed: it answered with an error of its own, or trapped.
    pub fn is_query(&self) -> bool {
        self.kind() == Kind::Query
    }

    /// Podlens itself failed, or a [`PodSource`](crate::PodSource) of the embedder's own did by a panic.
    pub fn is_fault(&self) -> bool {
        self.kind() == Kind::Fault
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), Kind::Unavailable | Kind::Expired)
    }

    /// How long the API server asked to wait before trying again.
    pub fn wait(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// What to do about it, as one or more lines for a person.
    pub fn help(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }
}

/// For a [`PodSource`](crate::PodSource) of the embedder's own. Each message tells what was attempted, for the operator; a query
/// learns only which of the five it was.
///
/// ```
/// use podlens::Error;
/// use std::{io, time::Duration};
///
/// let cause = io::Error::other("connection reset");
/// let error = Error::unavailable("reading the pod cache failed", Some(Duration::from_secs(5))).because(cause);
/// assert!(error.is_unavailable() && error.is_retryable());
/// assert_eq!(error.to_string(), "reading the pod cache failed"); // `source` leads to the cause
/// ```
impl Error {
    /// What is behind the source refuses: [`Error::is_denied`].
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    /// There is no such pod: [`Error::is_not_found`].
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "there is no such pod among those granted")
    }

    /// The list cannot be continued: [`Error::is_expired`].
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(Kind::Expired, message)
    }

    /// No usable answer in time, and after how long trying again makes sense, if that is known: [`Error::is_unavailable`].
    pub fn unavailable(message: impl Into<String>, wait: Option<Duration>) -> Self {
        Self::new(Kind::Unavailable, message).retry_after(wait)
    }

    /// What is behind the source failed, or sent something that is no answer: [`Error::is_server_error`].
    pub fn server_error(message: impl Into<String>) -> Self {
        Self::new(Kind::Server, message)
    }

    /// Adds the cause, for [`source`](StdError::source) to lead to. The message must not repeat it.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.with(|inner| inner.source = Some(source.into()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("message", &self.inner.message)
            .field("source", &self.inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_tells_itself_and_leads_to_its_cause() {
        let error = Error::new(Kind::Unavailable, "listing pods failed")
            .because(std::io::Error::other("connection reset"))
            .hint("try again")
            .retry_after(Some(Duration::from_secs(3)));
        assert_eq!(error.to_string(), "listing pods failed");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("connection reset"));
        assert_eq!((error.help(), error.wait()), (Some("try again"), Some(Duration::from_secs(3))));
        assert!(error.is_unavailable() && error.is_retryable() && !error.is_denied());
    }
}
