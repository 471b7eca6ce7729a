//! One call whose answer is handed on as it comes: for the proxy, which bounds it, and judges its head, itself.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::attempt::head;
use super::attempts::Attempts;
use super::witness::Telling;
use super::{Ask, Client, refusal};
use crate::error::Error;
use crate::kube::Request;

/// The head of an answer, and the rest of it as it comes. Dropped, it ends the request.
pub(crate) struct Streamed {
    pub(crate) code: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: reqwest::Body,
    /// By when the body should be complete: the caller's deadline, less what `--request-timeout` takes off, and more by what a credential
    /// plugin needed.
    pub(crate) deadline: Instant,
}

impl Client {
    /// Sends `request`, and gives back whatever is answered as soon as it begins, which it has to by `deadline`.
    ///
    /// A connection that was lost before that is tried again, after a 401 another token, if there is one, and what a server
    /// refuses that has only just come back. Everything else is the caller's: statuses are not judged, and bodies not bounded.
    pub(crate) async fn stream(&self, request: &Request, deadline: Instant) -> Result<Streamed, Error> {
        let ask = Ask::new(self, request);
        let mut attempts = Attempts::new(ask, deadline);
        let response = loop {
            let with = attempts.next().await?;
            // A refusal that is the last word is handed on like any other answer.
            let mut refusal = None;
            let attempt = async {
                let telling = Telling::begin(ask);
                let response = head(&telling, &with.pool, &with.credential).await;
                let response = telling.end(response, 0).await?;
                let Some(refused) = refusal::of_status(ask, response.status()) else { return Ok(response) };
                refusal = Some(response);
                Err(refused)
            };
            match (attempts.make(&with, attempt).await, refusal) {
                (Ok(Some(response)), _) | (Err(_), Some(response)) => break response,
                (Ok(None), _) => {}
                (Err(failure), None) => return Err(failure.into()),
            }
        };
        let (code, headers) = (response.status(), response.headers().clone());
        Ok(Streamed { code, headers, body: response.into(), deadline: attempts.deadline() })
    }
}
