//! `metav1.Status`: how the proxy says no, so that kubectl prints `Error from server (Forbidden): …`.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;

use crate::error::{Error, Kind};

/// A refusal or failure: the HTTP status, and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    code: StatusCode,
    message: String,
}

impl Status {
    pub(super) fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What a client may not have from here, or not from where it asks.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// What cannot be understood, or should not be.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// An answer of the API server that is not handed on.
    pub(super) fn bad_gateway(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, message)
    }

    /// No answer from the API server: what went wrong and why. What to do about it is for the log, which the proxy's owner reads.
    pub(super) fn unanswered(error: &Error) -> Self {
        let code = match error.kind() {
            Kind::Unavailable => StatusCode::GATEWAY_TIMEOUT,
            Kind::Unreachable | Kind::Configuration => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        };
        let mut message = error.to_string();
        error.causes().for_each(|cause| message += &format!(": {cause}"));
        Self::new(code, message)
    }

    pub(super) fn code(&self) -> StatusCode {
        self.code
    }

    pub(super) fn json(&self) -> Bytes {
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason(),
            "code": self.code.as_u16(),
        });
        (status.to_string() + "\n").into()
    }

    /// apimachinery `pkg/apis/meta/v1/types.go`, `StatusReason`; empty where Kubernetes has no word.
    fn reason(&self) -> &'static str {
        match self.code.as_u16() {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            406 => "NotAcceptable",
            410 => "Expired",
            415 => "UnsupportedMediaType",
            422 => "Invalid",
            429 => "TooManyRequests",
            500 => "InternalError",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn it_is_a_status() {
        let status: Value = serde_json::from_slice(&Status::forbidden("a \"b\"\n").json()).unwrap();
        let expected = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "a \"b\"\n", "reason": "Forbidden", "code": 403,
        });
        assert_eq!(status, expected);
    }

    #[test]
    fn a_failure_tells_its_causes_and_keeps_its_hint() {
        for (kind, code) in [(Kind::Unreachable, 503), (Kind::Unavailable, 504), (Kind::Server, 502)] {
            let error = Error::new(kind, "cannot reach it").because("connection refused").hint("read `/etc/config`");
            let status = Status::unanswered(&error);
            assert_eq!((status.code().as_u16(), status.message.as_str()), (code, "cannot reach it: connection refused"));
        }
    }
}
