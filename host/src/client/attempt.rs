//! One attempt: a request out, a whole answer back, or the reason why not. All that is sent to the API server is sent by [`head`].

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Method, StatusCode};
use tokio::time::timeout;

use super::body::{self, BodyError, IDLE_TIMEOUT, Receiver};
use super::credential::Credential;
use super::pool::Pool;
use super::refusal::{self, Refused};
use super::verify::Naming;
use super::witness::Telling;
use super::{Acting, Ask, Failure, answer, unreachable};
use crate::error::{Error, Kind};
use crate::kube::Status;

/// How long an answer may take to begin. The API server holds a request in its queues for up to 15 s (a quarter of its request timeout,
/// k8s.io/apiserver `pkg/util/flowcontrol`), and answers a page within a second or two after that.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// Most bytes of a failure's body. A Status has some hundred; arbitrary. A longer one is passed over.
const STATUS_MAX_BYTES: u64 = 64 * 1024;

/// Sends once, with `credential`, and reads at most `max_bytes` for `receiver`. Gives the server's clock.
pub(super) async fn attempt(
    ask: Ask<'_>,
    pool: &Pool,
    credential: &Credential,
    max_bytes: u64,
    wire_bytes: &mut u64,
    receiver: &mut dyn Receiver,
) -> Result<Option<jiff::Timestamp>, Refused> {
    let (telling, before) = (Telling::begin(ask), *wire_bytes);
    let result = read(&telling, pool, credential, max_bytes, wire_bytes, receiver).await;
    telling.end(result, *wire_bytes - before).await
}

async fn read(
    telling: &Telling<'_>,
    pool: &Pool,
    credential: &Credential,
    max_bytes: u64,
    wire_bytes: &mut u64,
    receiver: &mut dyn Receiver,
) -> Result<Option<jiff::Timestamp>, Refused> {
    let ask = telling.ask();
    let mut response = well_begun(telling, pool, credential, wire_bytes).await?;
    let date = answer::date(response.headers());
    match body::read(&mut response, max_bytes, wire_bytes, receiver).await {
        Ok(()) => Ok(date),
        Err(BodyError::Unreadable(error)) => Err(Refused::Final(Failure::Other(super::unreadable(credential, error)))),
        Err(BodyError::TooLarge) => {
            let message = format!("the answer of `{}` to {ask} is longer than {max_bytes} bytes", ask.address());
            Err(Refused::Final(Failure::TooLarge { error: Error::new(Kind::Server, message) }))
        }
        Err(BodyError::Silent) => Err(unreachable::silent(ask, format!("it stood still for {} s", IDLE_TIMEOUT.as_secs()))),
        Err(BodyError::Slow) => {
            let message = format!("the answer of `{}` to {ask} comes at less than 1 KiB/s", ask.address());
            Err(Refused::Final(Failure::Other(Error::new(Kind::Unavailable, message))))
        }
        Err(BodyError::Lost(error)) => Err(unreachable::judge(ask, &error)),
    }
}

/// Sends once, and gives back an answer whose body is worth reading.
pub(super) async fn begin(ask: Ask<'_>, pool: &Pool, credential: &Credential) -> Result<reqwest::Response, Refused> {
    let (telling, mut wire_bytes) = (Telling::begin(ask), 0);
    let result = well_begun(&telling, pool, credential, &mut wire_bytes).await;
    telling.end(result, wire_bytes).await
}

async fn well_begun(
    telling: &Telling<'_>,
    pool: &Pool,
    credential: &Credential,
    wire_bytes: &mut u64,
) -> Result<reqwest::Response, Refused> {
    let ask = telling.ask();
    let mut response = match timeout(HEAD_TIMEOUT, head(telling, pool, credential)).await {
        Ok(head) => head?,
        Err(_) => return Err(unreachable::silent(ask, format!("it did not begin within {} s", HEAD_TIMEOUT.as_secs()))),
    };
    let code = response.status();
    if !matches!(code, StatusCode::OK | StatusCode::CREATED) {
        let status = status(&mut response, wire_bytes).await;
        return Err(refusal::judge(ask, code, response.headers(), &status, credential.token()));
    }
    answer::check(response.headers(), ask.request.accept()).map_err(|error| {
        let none = Error::new(Kind::Server, format!("`{}` gave {ask} an answer that is none", ask.address()));
        let is_secret = credential.is_sent_back_in(&error.to_string());
        Refused::Final(Failure::Other(if is_secret { none } else { none.because(error) }))
    })?;
    Ok(response)
}

/// Sends once, and gives back the head of whatever is answered.
pub(super) async fn head(telling: &Telling<'_>, pool: &Pool, credential: &Credential) -> Result<reqwest::Response, Refused> {
    let ask = telling.ask();
    let mut request = request(ask, credential);
    telling.apply(request.headers_mut());
    guard(ask, request.headers())?;
    pool.ahead.used();
    let response = pool.http.execute(request).await.map_err(|error| unreachable::judge(ask, &error))?;
    telling.answered(response.status().as_u16());
    // An ill one, or a balancer without one, says no more than that.
    if !response.status().is_server_error() {
        ask.inner.presence.answered();
    }
    Ok(response)
}

fn request(ask: Ask<'_>, credential: &Credential) -> reqwest::Request {
    let method = if ask.request.body().is_some() { Method::POST } else { Method::GET };
    let mut url = ask.config().server.value.url(ask.request.path(), ask.request.query());
    Naming::new(ask.config()).apply(&mut url);
    let mut request = reqwest::Request::new(method, url);
    let headers: &mut HeaderMap = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static(ask.request.accept().header()));
    if let Some(token) = credential.token() {
        token.authorize(headers);
    }
    if let Some(agent) = &ask.caller.agent {
        headers.insert(USER_AGENT, agent.clone());
    }
    if let Some(impersonation) = ask.caller.impersonation() {
        impersonation.value.apply(headers);
    }
    if let Some(body) = ask.request.body() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.to_owned().into());
    }
    request
}

/// Holds back a request that would be answered as ourselves where another identity is to be taken, whatever made it: that one can do
/// less, as a rule, and the difference would be a hole (CVE-2021-31999 was one).
fn guard(ask: Ask<'_>, headers: &HeaderMap) -> Result<(), Refused> {
    match &ask.caller.acting {
        Acting::Undecided => {
            let message = format!("{ask} is not sent: nobody has said as whom");
            Err(Refused::Final(Failure::Other(Error::new(Kind::Configuration, message))))
        }
        Acting::As(impersonation) if !impersonation.value.is_in(headers) => {
            let message = format!("{ask} is not sent: it would not be answered as {}", impersonation.value);
            Err(Refused::Final(Failure::Other(Error::new(Kind::Configuration, message))))
        }
        _ => Ok(()),
    }
}

/// What the server says with a failure. The HTTP status speaks alone where that cannot be read.
async fn status(response: &mut reqwest::Response, wire_bytes: &mut u64) -> Status {
    if response.status().is_redirection() || response.headers().contains_key(reqwest::header::CONTENT_ENCODING) {
        return Status::default();
    }
    // Bounded as a whole: this is an aside.
    match timeout(IDLE_TIMEOUT, body::read_whole(response, STATUS_MAX_BYTES, wire_bytes)).await {
        Ok(Ok(body)) => Status::decode(&body),
        Ok(Err(_)) | Err(_) => Status::default(),
    }
}
