//! Every refusal and failure: Problem Details (RFC 9457), with a code that a program can tell apart. A browser is shown a page, in `page.rs`.
//!
//! What is said of the cluster is our words alone: what the API server said is for the server's owner, who finds it in the log.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::error::{Error, Kind};
use crate::serve::outcome::Outcome;
use crate::serve::runs::RunReport;

/// Why there is no answer. The codes are closed, and described in `openapi.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) detail: String,
    retry_after: Option<Duration>,
    pub(super) run: Option<Uuid>,
    limit: Option<&'static str>,
}

/// All there are.
pub(super) const CODES: [&str; 22] = [
    "bad_request",
    "unauthenticated",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "not_acceptable",
    "unsupported_media_type",
    "too_large",
    "conflict",
    "invalid_component",
    "invalid_argument",
    "denied",
    "query_failed",
    "limit_exceeded",
    "too_many_runs",
    "too_many_tokens",
    "shutting_down",
    "policy_changed",
    "audit_unavailable",
    "cluster_unavailable",
    "cluster_error",
    "internal_error",
];

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(CODES.contains(&code), "{code}");
        Self { status, code, detail: detail.into(), retry_after: None, run: None, limit: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(super) fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// Nothing of this name, for this caller: whether there is one for others is not said.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what} for you"))
    }

    pub(super) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(super) fn of_run(self, run: Uuid) -> Self {
        Self { run: Some(run), ..self }
    }

    /// After how many seconds it can be tried again.
    pub(super) fn wait_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs().max(1))
    }

    /// How a run failed.
    pub(super) fn of_error(error: &Error) -> Self {
        let (status, code) = match error.kind() {
            Kind::InvalidArgument => (StatusCode::BAD_REQUEST, "invalid_argument"),
            Kind::Denied => (StatusCode::FORBIDDEN, "denied"),
            Kind::Query | Kind::NotFound => (StatusCode::UNPROCESSABLE_ENTITY, "query_failed"),
            Kind::Limit(_) => (StatusCode::UNPROCESSABLE_ENTITY, "limit_exceeded"),
            Kind::Component => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_component"),
            Kind::Unavailable | Kind::Unreachable | Kind::Expired => (StatusCode::SERVICE_UNAVAILABLE, "cluster_unavailable"),
            Kind::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
            Kind::Server | Kind::Configuration => (StatusCode::BAD_GATEWAY, "cluster_error"),
        };
        let mut problem = Self::new(status, code, told(error));
        problem.limit = error.limit();
        problem.retry_after =
            error.wait().or_else(|| (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1)));
        problem
    }

    /// How a run of a tenant's failed. What the grant refuses is the tenant's to know.
    pub(super) fn of_report(error: &Error, report: &RunReport) -> Self {
        let problem = Self::of_error(error).of_run(report.id());
        match &report.ended_by {
            // One that could not be put on record is withheld, whatever it was.
            _ if !error.is_denied() || report.outcome != Outcome::Denied => problem,
            Some(denied) => Self { detail: denied.clone(), ..problem },
            None => {
                let told = "the cluster does not let the account that your queries read as read these pods; the server's owner finds more in its log";
                Self { detail: told.to_owned(), ..problem }
            }
        }
    }

    /// A query that the policy gives, and that is not there to be run.
    pub(super) fn not_ready() -> Self {
        let told = "this query is not ready to run; if it stays so, the server's owner finds why in its log";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "invalid_component", told).retry_after(Duration::from_secs(30))
    }

    pub(super) fn json(&self) -> Bytes {
        let mut problem = json!({
            "type": format!("urn:podlens:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let more = [("runID", self.run.map(|run| run.to_string())), ("limit", self.limit.map(str::to_owned))];
        for (name, value) in more {
            if let (Some(value), Some(object)) = (value, problem.as_object_mut()) {
                object.insert(name.to_owned(), value.into());
            }
        }
        (problem.to_string() + "\n").into()
    }
}

/// An error in words for the tenant: of the query's failures all, and of a grant's denial; of the cluster's the outermost alone, which is
/// ours.
fn told(error: &Error) -> String {
    let mut told = error.to_string();
    if error.kind() == Kind::NotFound {
        // One that is hidden is as one that is not there: of that the API server has its own words.
        told += ": there is no such pod among those granted";
    }
    // Of a run, all other kinds are the API server's, with its address and its words.
    if matches!(error.kind(), Kind::Query | Kind::Component) {
        error.causes().for_each(|cause| told += &format!(": {cause}"));
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_failure_of_the_cluster_is_told_without_its_words() {
        let cause = "pods is forbidden: user \"system:serviceaccount:podlens:podlens\"";
        for (kind, code) in [
            (Kind::Denied, 403),
            (Kind::Unavailable, 503),
            (Kind::Server, 502),
            (Kind::Unreachable, 503),
            (Kind::InvalidArgument, 400),
        ] {
            let problem = Problem::of_error(&Error::new(kind, "it could not be read").because(cause).hint("ask `admin`"));
            let json: Value = serde_json::from_slice(&problem.json()).unwrap();
            assert_eq!((&json["status"], &json["detail"]), (&code.into(), &"it could not be read".into()));
            assert!(!json.to_string().contains("admin"), "{json}");
        }
    }

    #[test]
    fn a_failure_of_the_query_is_told_in_its_own() {
        let problem = Problem::of_error(&Error::new(Kind::Query, "the query answered with an error").because("no team given"));
        assert_eq!(problem.detail, "the query answered with an error: no team given");
        let limit = Problem::of_error(&Error::new(Kind::Limit("max-pods"), "too many")).of_run(Uuid::nil());
        let json: Value = serde_json::from_slice(&limit.json()).unwrap();
        assert_eq!(
            (&json["limit"], &json["runID"], &json["code"]),
            (&"max-pods".into(), &Uuid::nil().to_string().into(), &"limit_exceeded".into())
        );
    }
}
