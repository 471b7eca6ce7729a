//! Statuses that are not success: what each means to the caller, and which may be tried again.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::retry::retry_after;
use super::{Ask, Failure};
use crate::config::{Credentials, Token};
use crate::error::{Error, Kind};
use crate::kube::Status;
use crate::text::push_visible_at_most;

/// Most characters of the server's own words in an error. A message of RBAC has about 200; arbitrary beyond that.
const MESSAGE_MAX_CHARS: usize = 512;

/// What came of an attempt that gave no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another attempt may do better, not before the given time.
    Again { error: Error, asked: Option<Duration> },
    /// Another token may do better.
    Unauthorized(Error),
    /// Another attempt gives the same.
    Final(Failure),
}

/// Judges an answer other than 200 and 201. `token` is what was sent.
pub(super) fn judge(ask: Ask<'_>, code: StatusCode, headers: &HeaderMap, status: &Status, token: Option<&Token>) -> Refused {
    let said = Said::new(status, token);
    let answered = |kind| {
        let message = format!("`{}` answered {ask} with {}", ask.address(), Code(code));
        match &said {
            Some(said) => Error::new(kind, message).because(said.clone()),
            None => Error::new(kind, message),
        }
    };
    let asked = headers
        .get(RETRY_AFTER)
        .and_then(retry_after)
        .or_else(|| status.retry_after_seconds().map(|seconds| Duration::from_secs(seconds.into())));
    let again = |kind| Refused::Again { error: answered(kind).retry_after(asked), asked };
    let last = |error| Refused::Final(Failure::Other(error));
    match code.as_u16() {
        401 => Refused::Unauthorized(answered(Kind::Denied).hint(unauthorized_hint(ask))),
        403 => last(answered(Kind::Denied).hint(forbidden_hint(ask, &status.message))),
        // A missing object is told with a Status. A page of something else that answers at this address is no pod's absence.
        404 if status.reason == "NotFound" => last(answered(Kind::NotFound)),
        404 => last(answered(Kind::Server).hint(format!("is `{}` the address of a Kubernetes API server?", ask.address()))),
        410 => Refused::Final(Failure::Expired { fresh: status.fresh_continue_token(), error: answered(Kind::Expired) }),
        429 | 502 | 503 | 504 => again(Kind::Unavailable),
        500 if status.reason == "ServerTimeout" => again(Kind::Unavailable),
        500 => again(Kind::Server),
        // The API server's own word on what the caller asked for, such as a field selector that pods do not have.
        400 | 422 if said.is_some() && !is_continued(ask) => last(answered(Kind::InvalidArgument)),
        300..=399 => last(answered(Kind::Server).hint(
            "redirects are not followed, since the token would go with them; an API server sends none: a login page or a proxy may",
        )),
        _ => last(answered(Kind::Server)),
    }
}

fn is_continued(ask: Ask<'_>) -> bool {
    ask.request.query().iter().any(|(name, _)| *name == "continue")
}

fn unauthorized_hint(ask: Ask<'_>) -> String {
    let credentials = &ask.config.credentials;
    match &credentials.value {
        Credentials::None if ask.config.tls.identity_origin().is_some() => {
            "only the client certificate was sent: it may have expired, or be of another cluster".to_owned()
        }
        Credentials::None => format!("no token was sent: there is none in {}", credentials.origin),
        Credentials::Token(_) | Credentials::TokenFile { .. } => format!(
            "a token was sent, from {}: it may have expired, be of another cluster, or its pod or account may be gone",
            credentials.origin
        ),
    }
}

fn forbidden_hint(ask: Ask<'_>, message: &str) -> &'static str {
    let anonymous = message.contains("\"system:anonymous\"");
    if anonymous && matches!(ask.config.credentials.value, Credentials::None) && ask.config.tls.identity_origin().is_none() {
        "no credentials were sent, since none are configured: a kubeconfig's user or a service account's token would be"
    } else if anonymous {
        "the request came without credentials that this API server knows: its token may be of another cluster"
    } else {
        "the API server's RBAC decides this: a Role and a RoleBinding in the namespace give `get` and `list` on `pods`"
    }
}

/// A status with its name.
struct Code(StatusCode);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.canonical_reason() {
            Some(reason) => write!(f, "{} {reason}", self.0.as_u16()),
            None => write!(f, "{}", self.0.as_u16()),
        }
    }
}

/// The server's own words, for the operator: printable, bounded, and without the token, should the server send it back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said(String);

impl Said {
    fn new(status: &Status, token: Option<&Token>) -> Option<Self> {
        let message = status.message.trim();
        if message.is_empty() || token.is_some_and(|token| token.is_in(message)) {
            return None;
        }
        let mut text = String::new();
        push_visible_at_most(&mut text, message, MESSAGE_MAX_CHARS);
        Some(Self(text))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}
