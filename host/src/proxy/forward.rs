//! A decided read, from here to the API server and back.

use std::time::Duration;

use hyper::Response;
use tokio::time::Instant;

use super::answer;
use super::body::{Body, Watching};
use super::decide::Forward;
use super::status::Status;
use crate::Client;
use crate::client::Streamed;

/// How long a read may take as a whole. The API server gives it a minute (k8s.io/apiserver `pkg/server/config.go`, `RequestTimeout`) and
/// then says so itself.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(65);

pub(super) async fn forward(client: &Client, forward: &Forward, watching: Option<Watching>) -> Response<Body> {
    let path = forward.request.path();
    match client.stream(&forward.request, Instant::now() + REQUEST_TIMEOUT).await {
        Ok(Streamed { code, headers, body, deadline }) => {
            tracing::debug!(path, code = code.as_u16(), "answered");
            let body = || match watching {
                Some(watching) if code.is_success() => Body::relayed_until(body, watching),
                _ => Body::relayed(body, deadline),
            };
            answer::relay(forward.kind, code, &headers, body)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::warn!(path, cause, hint = error.help().unwrap_or_default().replace('\n', "; "), "{error}");
            answer::failure(&Status::unanswered(&error))
        }
    }
}
