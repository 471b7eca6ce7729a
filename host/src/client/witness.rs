//! Tells somebody of each request that is sent, before anybody has its answer: for an audit log that joins the API server's own.
//!
//! A request that is told of carries an `Audit-ID`, which the API server takes for its own record (k8s.io/apiserver
//! `pkg/endpoints/filters/audit_init.go`). Each attempt is a request of its own. One that is given up half-way is told of, too.

use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use uuid::Uuid;

use super::refusal::Refused;
use super::{Ask, Failure};
use crate::config::Impersonation;
use crate::error::{Error, Kind};
use crate::kube::Request;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Who is told.
pub(crate) trait Witness: Send + Sync {
    /// A request is about to be sent. What is given is told of its end, too.
    fn begins(&self, request: &Request, audit_id: Uuid) -> Option<Underway>;

    /// A request has ended. It is told of at once; whoever asked has the answer once that has been heard, and not at all after an error.
    fn ended(&self, sent: &Sent<'_>) -> Heard;
}

/// That somebody was told, once he has heard it.
pub(crate) type Heard = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A request that a trace is kept of.
pub(crate) struct Underway {
    /// What it carries, so that the API server's own trace goes on from there (W3C Trace Context).
    pub(crate) traceparent: Option<String>,
    /// Told of its end.
    pub(crate) ended: Box<dyn FnOnce(&Sent<'_>) + Send + Sync>,
}

/// A request that was sent, or was about to be.
#[derive(Debug)]
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only a server has witnesses"))]
pub(crate) struct Sent<'a> {
    pub(crate) request: &'a Request,
    /// What the API server was told to call it.
    pub(crate) audit_id: Uuid,
    /// Who the API server was to take us for, where not for ourselves.
    pub(crate) impersonation: Option<&'a Impersonation>,
    pub(crate) ending: Ending,
    pub(crate) elapsed: Duration,
    /// Bytes of the answer's body that were read.
    pub(crate) bytes: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With this HTTP status, and what belongs to it.
    Answered(u16),
    /// It began with this HTTP status, and was not read to its end, or could not be.
    Broken(u16),
    /// With no answer.
    Unanswered,
    /// Nobody waited for the answer any more.
    GivenUp,
}

/// Tells of one attempt when it ends, or is dropped. Where nobody is to be told it does nothing.
pub(super) struct Telling<'a> {
    ask: Ask<'a>,
    audit_id: Option<Uuid>,
    underway: Option<Underway>,
    started: Instant,
    /// The HTTP status; 0 while there is none.
    code: AtomicU16,
}

impl<'a> Telling<'a> {
    pub(super) fn begin(ask: Ask<'a>) -> Self {
        let audit_id = ask.caller.witness.as_ref().map(|_| Uuid::new_v4());
        let underway = ask.caller.witness.as_ref().zip(audit_id).and_then(|(witness, id)| witness.begins(ask.request, id));
        Self { ask, audit_id, underway, started: Instant::now(), code: AtomicU16::new(0) }
    }

    pub(super) fn ask(&self) -> Ask<'a> {
        self.ask
    }

    /// Names the request.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let id = self.audit_id.map(|id| id.to_string());
        let traceparent = self.underway.as_ref().and_then(|underway| underway.traceparent.clone());
        for (name, value) in [(AUDIT_ID, id), (TRACEPARENT, traceparent)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
    }

    /// The answer has begun.
    pub(super) fn answered(&self, code: u16) {
        self.code.store(code, Ordering::Relaxed);
    }

    /// The attempt is over. An answer that cannot be told of is none.
    pub(super) async fn end<T>(mut self, result: Result<T, Refused>, bytes: u64) -> Result<T, Refused> {
        let ending = match (self.code.load(Ordering::Relaxed), &result) {
            (0, _) => Ending::Unanswered,
            (code, Ok(_)) => Ending::Answered(code),
            (code, Err(_)) if code >= 300 => Ending::Answered(code),
            (code, Err(_)) => Ending::Broken(code),
        };
        if let Some(heard) = self.tell(ending, bytes) {
            heard.await.map_err(|error| {
                let message = format!("the answer to {} is withheld: it could not be put on record", self.ask);
                Refused::Final(Failure::Other(Error::new(Kind::Unavailable, message).because(error)))
            })?;
        }
        result
    }

    fn tell(&mut self, ending: Ending, bytes: u64) -> Option<Heard> {
        let (audit_id, witness) = (self.audit_id.take()?, self.ask.caller.witness.as_ref()?);
        let sent = Sent {
            request: self.ask.request,
            audit_id,
            impersonation: self.ask.caller.impersonation().map(|impersonation| &impersonation.value),
            ending,
            elapsed: self.started.elapsed(),
            bytes,
        };
        if let Some(underway) = self.underway.take() {
            (underway.ended)(&sent);
        }
        Some(witness.ended(&sent))
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        // Nobody has the answer, so nothing need be withheld if this is not heard.
        let _ = self.tell(Ending::GivenUp, 0);
    }
}
