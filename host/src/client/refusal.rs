//! Statuses that are not success: what each means to the caller, and which may be tried again.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::advice::advise;
use super::retry::retry_after;
use super::{Ask, Failure};
use crate::config::{Config, Credentials, Origin, Token};
use crate::error::{Error, Kind};
use crate::kube::Status;
use crate::text::{excerpt, visible_at_most};

/// Most characters of the server's own words in an error. A message of RBAC has about 200; arbitrary beyond that.
const MESSAGE_MAX_CHARS: usize = 512;

/// What came of an attempt that gave no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another attempt may do better, not before the given time.
    Again { error: Error, asked: Option<Duration> },
    /// There was no connection to the API server, so that nothing of the request was sent.
    Down(Error),
    /// The same, of one that ended before it stood, as those of a balancer do whose server is being replaced.
    Cut(Error),
    /// A connection that stood ended before the answer was complete.
    Lost(Error),
    /// One side's certificate is not trusted by the other. Files that have rotated may do better.
    Untrusted(Error),
    /// Another token may do better.
    Unauthorized(Error),
    /// A server that has its roles together may do better.
    Forbidden(Error),
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
        401 => Refused::Unauthorized(advise(answered(Kind::Denied), unauthorized_hint(ask))),
        403 => Refused::Forbidden(advise(answered(Kind::Denied), forbidden_hint(ask, &status.message))),
        // A missing object is told with a Status. A page of something else that answers at this address is no pod's absence.
        404 if status.reason == "NotFound" => last(answered(Kind::NotFound)),
        404 => last(advise(answered(Kind::Server), format_args!("is `{}` the address of a Kubernetes API server?", ask.address()))),
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

/// A refusal that may not be the last word, by its status alone.
#[cfg(feature = "cli")]
pub(super) fn of_status(ask: Ask<'_>, code: StatusCode) -> Option<Refused> {
    let error = || Error::new(Kind::Denied, format!("`{}` answered {ask} with {}", ask.address(), Code(code)));
    match code {
        StatusCode::UNAUTHORIZED => Some(Refused::Unauthorized(error())),
        StatusCode::FORBIDDEN => Some(Refused::Forbidden(error())),
        _ => None,
    }
}

fn is_continued(ask: Ask<'_>) -> bool {
    ask.request.query().iter().any(|(name, _)| *name == "continue")
}

fn unauthorized_hint(ask: Ask<'_>) -> String {
    let Config { credentials, tls, .. } = ask.config();
    let origin = &credentials.origin;
    match &credentials.value {
        Credentials::None => match tls.identity_origin() {
            Some(identity) => {
                format!("only the client certificate was sent, from {identity}: renew it there, unless it is of another cluster")
            }
            None if *origin == Origin::Default => {
                "no credentials were sent, since none are configured: give `--token-file`, or a kubeconfig with a user".to_owned()
            }
            None => format!("no token was sent: there is none in {origin}; add one there, or give `--token-file`"),
        },
        Credentials::Fixed(token) if token.is_basic() => {
            format!("user and password were sent, from {origin}: Kubernetes takes none since 1.19; give a token instead")
        }
        Credentials::Fixed(_) | Credentials::TokenFile { .. } => format!(
            "a token was sent, from {origin}: renew it there; it may have expired, be of another cluster, or its pod or account may \
             be gone"
        ),
        Credentials::Exec(plugin) => format!(
            "the credential plugin `{}` gave this credential, and none better when it was run again: sign in anew with its own tool",
            excerpt(&plugin.command)
        ),
    }
}

fn forbidden_hint(ask: Ask<'_>, message: &str) -> String {
    let Config { credentials, tls, .. } = ask.config();
    let has_credentials = !matches!(credentials.value, Credentials::None) || tls.identity_origin().is_some();
    match ask.caller.impersonation() {
        Some(impersonation) if message.contains(" cannot impersonate") => format!(
            "to ask as {}, by {}, needs the verb `impersonate` on it: a Role of your own user gives that",
            impersonation.value, impersonation.origin
        ),
        _ if message.contains("\"system:anonymous\"") => match has_credentials {
            true => "the request came without credentials that this API server knows: use a token of this cluster".to_owned(),
            false => {
                "no credentials were sent, since none are configured: a kubeconfig's user or a service account's token would be"
                    .to_owned()
            }
        },
        _ => "the API server's RBAC decides this: it takes a Role and a RoleBinding in the namespace, and `podlens rbac` prints what a \
              query needs"
            .to_owned(),
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
        Some(Self(visible_at_most(message, MESSAGE_MAX_CHARS)))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}
