//! Sends a prepared [`Request`] to the API server and gives back a bounded answer within the caller's deadline.
//!
//! `send.rs` is one call: its attempts, and the time between them. `attempt.rs` is one attempt; `refusal.rs` judges statuses,
//! `unreachable.rs` connections, `body.rs` bounds what is read. `pool.rs` and `reloading.rs` keep TLS and token up to date. Nothing here
//! knows what is in an answer, nor who asked for it.

mod answer;
mod attempt;
mod body;
mod pool;
mod refusal;
mod reloading;
mod retry;
mod send;
mod tokens;
mod unreachable;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::kube::{ContinueToken, DecodeError, Namespace, Request, SelfSubjectReview, ServerVersion};
use pool::Pool;
use reloading::Reloading;
use tokens::Tokens;

/// Most bytes of an answer about the cluster itself. Both are under 4 KiB, unless an identity has very many groups; arbitrary.
const ABOUT_MAX_BYTES: u64 = 256 * 1024;

/// Connections to one API server. Cheap to clone: clones share connections, token and CA.
///
/// TLS 1.2 or 1.3 with the configured authorities only, HTTP/2 or 1.1; redirects are not followed, no proxy is used, answers are not
/// decompressed. Token and certificates are read again as they rotate (see `reloading.rs`).
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    tokens: Tokens,
    pool: Reloading<Pool>,
}

/// The bounds of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// When the answer has to be complete, retries included.
    pub(crate) deadline: Instant,
    /// Most bytes of the answer's body.
    pub(crate) max_bytes: u64,
}

/// A complete answer: 200 or 201, and JSON or Kubernetes' protobuf by its own word.
pub(crate) struct Response {
    pub(crate) body: Bytes,
    /// Bytes of bodies that this call received, those of failed attempts included.
    pub(crate) wire_bytes: u64,
    /// The server's clock when it answered, where it told.
    pub(crate) date: Option<jiff::Timestamp>,
}

/// Why a call gave no answer. [`Error::from`] for who need not tell these apart.
#[derive(Debug)]
pub(crate) enum Failure {
    /// 410: the list cannot be continued with this token. `fresh` is the one to go on with, where the server gave one.
    Expired { fresh: Option<ContinueToken>, error: Error },
    /// The body is longer than the call's `max_bytes`. A shorter page may fit.
    TooLarge { error: Error },
    /// Anything else.
    Other(Error),
}

impl Client {
    /// Prepares TLS and credentials. Nothing is sent before the first call.
    ///
    /// Fails ([`Error::is_configuration`]) when the files that `config` names have become unusable, when certificate and key do not
    /// belong together, or when the platform has no authorities and `config` names none.
    pub fn new(config: Config) -> Result<Self, Error> {
        let pool = pool::keep(&config)?;
        let tokens = Tokens::new(&config.credentials.value);
        Ok(Self { inner: Arc::new(Inner { config, tokens, pool }) })
    }

    /// The API server's address, for messages.
    pub fn address(&self) -> &str {
        self.inner.config.address()
    }

    /// What the client was made of.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The namespace to use where the caller names none.
    pub fn namespace(&self) -> &Namespace {
        self.inner.config.namespace()
    }

    /// Sends `request`. What may be sent twice is retried within the deadline, see `retry.rs`.
    pub(crate) async fn send(&self, request: &Request, call: Call) -> Result<Response, Failure> {
        send::send(&self.inner, request, call).await
    }

    /// What the API server says it is.
    pub async fn version(&self, deadline: Instant) -> Result<ServerVersion, Error> {
        let answer = self.about(&Request::version(), deadline).await?;
        ServerVersion::decode(&answer.body).map_err(|error| self.undecodable("version", error))
    }

    /// Who the API server says we are.
    ///
    /// The API is there since Kubernetes 1.28; an older server answers [`Error::is_not_found`] or [`Error::is_server_error`].
    pub async fn self_subject_review(&self, deadline: Instant) -> Result<SelfSubjectReview, Error> {
        let answer = self.about(&Request::self_subject_review(), deadline).await?;
        SelfSubjectReview::decode(&answer.body).map_err(|error| self.undecodable("identity", error))
    }

    async fn about(&self, request: &Request, deadline: Instant) -> Result<Response, Error> {
        Ok(self.send(request, Call { deadline, max_bytes: ABOUT_MAX_BYTES }).await?)
    }

    fn undecodable(&self, what: &str, error: DecodeError) -> Error {
        Error::new(Kind::Server, format!("cannot read the {what} that `{}` gave", self.address())).because(error)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, wire_bytes, date } = self;
        let bytes = body.len();
        f.debug_struct("Response").field("bytes", &bytes).field("wire_bytes", wire_bytes).field("date", date).finish()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Expired { error, .. } | Failure::TooLarge { error } | Failure::Other(error) => error,
        }
    }
}

/// One request of one configuration, as messages name it.
#[derive(Clone, Copy)]
struct Ask<'a> {
    config: &'a Config,
    request: &'a Request,
}

impl Ask<'_> {
    fn address(&self) -> &str {
        self.config.address()
    }

    fn method(&self) -> &'static str {
        if self.request.body().is_some() { "POST" } else { "GET" }
    }

    /// Whether sending it twice does no more than sending it once.
    fn is_repeatable(&self) -> bool {
        self.request.body().is_none()
    }
}

/// Method and path. Never the query: a continue token is in it, which names a pod.
impl fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}`", self.method(), self.request.path())
    }
}

#[cfg(test)]
mod tests;
