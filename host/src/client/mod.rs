//! Sends a prepared [`Request`] to the API server and gives back a bounded answer within the caller's deadline.
//!
//! `send.rs` is a call, `lines.rs` one that lasts, and `attempts.rs` its attempts and the time between them. `attempt.rs` is one attempt;
//! `refusal.rs` judges statuses, `unreachable.rs` connections, `body.rs` bounds what is read. `pool.rs` and `reloading.rs` keep TLS and token
//! up to date, `ahead.rs` opens a connection early, `exec.rs` runs credential plugins, `verify.rs` and `judge.rs` decide who may answer.
//! `caller.rs` says in whose name a client asks, and `witness.rs` tells of what was sent. Nothing here knows what is in an answer.

mod advice;
mod ahead;
mod answer;
mod attempt;
mod attempts;
mod body;
mod caller;
mod credential;
mod exec;
mod judge;
mod lines;
mod pool;
mod presence;
mod refusal;
mod reloading;
mod retry;
mod send;
#[cfg(feature = "cli")]
mod stream;
mod unreachable;
mod verify;
mod witness;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::config::{Authority, Config, Credentials};
use crate::error::{Error, Kind};
use crate::kube::{Access, AccessAnswer, ContinueToken, DecodeError, Namespace, Request, SelfSubjectReview, ServerVersion};
pub(crate) use caller::Acting;
use caller::Caller;
use credential::{Credential, Source};
use pool::Pools;
use presence::Presence;
use retry::RetryBudget;

pub(crate) use body::Receiver;
#[cfg(feature = "cli")]
pub(crate) use judge::{Judge, Judged, Presented};
#[cfg(feature = "cli")]
pub(crate) use pool::client_config;
#[cfg(feature = "cli")]
pub(crate) use presence::STARTING;
#[cfg(feature = "cli")]
pub(crate) use stream::Streamed;
pub(crate) use verify::Naming;
#[cfg(feature = "cli")]
pub(crate) use verify::verifier;
#[cfg(feature = "cli")]
pub(crate) use witness::{Ending, Heard, Sent, Underway, Witness};

/// Most bytes of an answer about the cluster itself. Those are under 4 KiB, unless an identity has very many groups; arbitrary.
const ABOUT_MAX_BYTES: u64 = 256 * 1024;

/// Connections to one API server. Cheap to clone: clones share connections, token and CA.
///
/// TLS 1.2 or 1.3 with the configured authorities only, HTTP/2 or 1.1; redirects are not followed, no proxy but a kubeconfig's own is
/// used, answers are not decompressed. Token and certificates are read again as they rotate (see `reloading.rs`).
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    caller: Arc<Caller>,
}

struct Inner {
    config: Config,
    source: Source,
    pools: Pools,
    presence: Arc<Presence>,
    retries: RetryBudget,
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
pub(crate) struct Response<B = Bytes> {
    pub(crate) body: B,
    /// Bytes of bodies that this call received, those of failed attempts included.
    pub(crate) wire_bytes: u64,
    /// The server's clock when it answered, where it told.
    pub(crate) date: Option<jiff::Timestamp>,
    /// What it was asked with.
    credential: Credential,
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
        Self::of(config, Arc::default())
    }

    /// The same API server by connections of its own. Whether it is there, both know by what either of them met.
    #[cfg(feature = "cli")]
    pub(crate) fn apart(&self) -> Result<Self, Error> {
        Self::of(self.inner.config.clone(), Arc::clone(&self.inner.presence))
    }

    fn of(config: Config, presence: Arc<Presence>) -> Result<Self, Error> {
        let pools = Pools::new(&config)?;
        let source = Source::new(&config.credentials.value);
        if matches!(config.tls.authority, Authority::Anybody(_)) {
            tracing::warn!(
                "nobody knows who answers at `{}`, and whoever does gets the credentials: no certificate is verified, by {}",
                config.address(),
                config.tls.authority_origin()
            );
        }
        let acting = config.impersonation.clone().map_or(Acting::Ourselves, Acting::As);
        let caller = Caller { acting, ..Caller::default() };
        let inner = Inner { config, source, pools, presence, retries: RetryBudget::default() };
        Ok(Self { inner: Arc::new(inner), caller: Arc::new(caller) })
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

    /// Gets the credential now, so that a credential plugin that has to ask a person does so before any clock runs. Other credentials are
    /// there already.
    pub async fn authenticate(&self) -> Result<(), Error> {
        self.inner.source.get().await.map(|_| ())
    }

    /// Opens a connection, for the first request to find it open. Nothing is sent on it, and what is in the way is told to that request.
    ///
    /// Does nothing where a credential plugin decides on the connection's certificate, or a request was sent already.
    pub async fn open_ahead(&self) {
        let config = &self.inner.config;
        if matches!(config.credentials.value, Credentials::Exec(_)) {
            return;
        }
        let pool = self.inner.pools.get(&Credential::None).await;
        let mut url = config.server.value.url("/", &[]);
        Naming::new(config).apply(&mut url);
        pool.ahead.open(&pool.http, url).await;
    }

    /// Sends `request`. What may be sent twice is retried within the deadline, see `retry.rs`.
    pub(crate) async fn send(&self, request: &Request, call: Call) -> Result<Response, Failure> {
        send::send(self, request, call).await
    }

    /// As [`send`](Self::send), for a body that is not kept: `receiver` is given it as it comes.
    pub(crate) async fn receive(
        &self,
        request: &Request,
        call: Call,
        receiver: &mut dyn Receiver,
    ) -> Result<Response<()>, Failure> {
        send::receive(self, request, call, receiver).await
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

    /// Whether the API server's authorizers let us do something.
    pub async fn may_we(&self, access: &Access<'_>, deadline: Instant) -> Result<AccessAnswer, Error> {
        let answer = self.about(&Request::self_subject_access_review(access), deadline).await?;
        AccessAnswer::decode(&answer.body).map_err(|error| self.undecodable("access review", error))
    }

    /// Whether the API server may have been away a moment ago, so that it may refuse what it allows a moment later.
    #[cfg(feature = "cli")]
    pub(crate) fn may_be_starting(&self) -> bool {
        self.inner.presence.is_starting()
    }

    /// To be told of an answer that ended though it was to go on: the API server may be away, and back before it is asked anything else.
    pub(crate) fn broke_off(&self) {
        self.inner.presence.broke_off();
    }

    async fn about(&self, request: &Request, deadline: Instant) -> Result<Response, Error> {
        self.ask(request, Call { deadline, max_bytes: ABOUT_MAX_BYTES }).await
    }

    /// Sends a request whose answer is JSON that is shown: a server that lies may have in it what it was sent.
    pub(crate) async fn ask(&self, request: &Request, call: Call) -> Result<Response, Error> {
        let answer = self.send(request, call).await?;
        if answer.credential.token().is_some_and(|token| token.is_sent_back_in_json(&answer.body)) {
            let message = format!("`{}` sends back the credential that it was asked with", self.address());
            return Err(Error::new(Kind::Server, message));
        }
        Ok(answer)
    }

    fn undecodable(&self, what: &str, error: DecodeError) -> Error {
        Error::new(Kind::Server, format!("cannot read the {what} that `{}` gave", self.address())).because(error)
    }
}

impl Inner {
    /// The deadline of a call that is to end at `deadline`, and within the time that the configuration gives each.
    fn bounded(&self, deadline: Instant) -> Instant {
        let own = self.config.request_timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        own.map_or(deadline, |own| own.min(deadline))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.inner.config).field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl<B> Response<B> {
    /// Why this answer could not be read.
    pub(crate) fn unreadable(&self, error: DecodeError) -> Error {
        unreadable(&self.credential, error)
    }
}

/// Why an answer could not be read, unless its words would show the credential.
fn unreadable(credential: &Credential, error: DecodeError) -> Error {
    let unreadable = Error::new(Kind::Server, "the API server's answer could not be read");
    if credential.is_sent_back_in(&error.to_string()) { unreadable } else { unreadable.because(error) }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, wire_bytes, date, credential: _ } = self;
        let bytes = body.len();
        f.debug_struct("Response").field("bytes", &bytes).field("wire_bytes", wire_bytes).field("date", date).finish()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Expired { error, .. } | Failure::TooLarge { error } | Failure::Other(error) => error,
        }
    }
}

/// One request by one client.
#[derive(Clone, Copy)]
struct Ask<'a> {
    inner: &'a Inner,
    caller: &'a Caller,
    request: &'a Request,
}

impl<'a> Ask<'a> {
    fn new(client: &'a Client, request: &'a Request) -> Self {
        Self { inner: &client.inner, caller: &client.caller, request }
    }

    fn config(&self) -> &'a Config {
        &self.inner.config
    }

    fn address(&self) -> &'a str {
        self.config().address()
    }

    fn method(&self) -> &'static str {
        if self.request.body().is_some() { "POST" } else { "GET" }
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
