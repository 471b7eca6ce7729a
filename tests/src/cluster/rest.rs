//! Requests to the API server, for arrangement and for a look at what happened. Not the client under test.
//!
//! Each call blocks, and hands its request to a runtime that belongs to the harness: a `reqwest` client is bound to the
//! runtime that first used it, which ends with the `#[tokio::test]` it was made in, and a blocking client panics inside
//! of one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use reqwest::{Certificate, Method, redirect};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::Cluster;

/// For one request. Far longer than any takes, far shorter than a CI job.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What the API server said.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The body: an object, or the `Status` that says why there is none; text that is not JSON becomes a string.
    pub body: Value,
}

impl Answer {
    /// The `message` of a `Status`; empty for any other object.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// As the cluster's admin. Paths start at the root of the server, and may have a query: `/api/v1/pods?limit=1`.
impl Cluster {
    /// Reads an object or a list.
    ///
    /// # Panics
    ///
    /// As all of these: when the API server refuses, with its words.
    pub fn get(&self, path: &str) -> Value {
        self.admin(&Method::GET, path, None)
    }

    /// Creates an object; `path` is that of the collection. Returns what the API server made of it.
    pub fn post(&self, path: &str, object: &Value) -> Value {
        self.admin(&Method::POST, path, Some(object))
    }

    /// Replaces an object.
    pub fn put(&self, path: &str, object: &Value) -> Value {
        self.admin(&Method::PUT, path, Some(object))
    }

    /// Changes an object by a JSON merge patch (RFC 7386).
    pub fn patch(&self, path: &str, patch: &Value) -> Value {
        self.admin(&Method::PATCH, path, Some(patch))
    }

    /// Deletes an object at once: no kubelet would end a pod's grace period.
    pub fn delete(&self, path: &str) {
        self.admin(&Method::DELETE, path, Some(&json!({ "gracePeriodSeconds": 0 })));
    }

    /// One request with this bearer token and no body; an empty token makes it anonymous. For what may be refused.
    ///
    /// # Panics
    ///
    /// When there is no answer at all.
    pub fn request_as(&self, token: &str, method: &str, path: &str) -> Answer {
        let method = method.parse().expect("a method is an upper-case word");
        self.client.send(token, &method, path, None).expect("the API server answers")
    }

    /// [`Cluster::request_as`] with a body, impersonating this user if there is one.
    pub fn request_impersonating(&self, token: &str, user: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let method = method.parse().expect("a method is an upper-case word");
        self.client.send_as(token, user, &method, path, body).expect("the API server answers")
    }

    fn admin(&self, method: &Method, path: &str, body: Option<&Value>) -> Value {
        let answer = self.try_admin(method, path, body);
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    pub(super) fn try_admin(&self, method: &Method, path: &str, body: Option<&Value>) -> Answer {
        self.client
            .send(&self.admin_token, method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: no answer: {error:?}"))
    }
}

/// Speaks to one API server; HTTP/2, so that many threads share a connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

impl Client {
    pub(super) fn new(ca_pem: &str, address: SocketAddr) -> Self {
        // Fails when there is one already, which is then as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = Certificate::from_pem(ca_pem.as_bytes()).expect("the harness made it");
        let http = builder().tls_certs_only([ca]).build().expect("nothing of this depends on the machine");
        Self { http, address }
    }

    pub(super) fn is_ready(&self, token: &str) -> bool {
        self.send(token, &Method::GET, "/readyz", None).is_ok_and(|answer| answer.status == 200)
    }

    fn send(&self, token: &str, method: &Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        self.send_as(token, None, method, path, body)
    }

    fn send_as(
        &self,
        token: &str,
        user: Option<&str>,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let content_type = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let mut request = self.http.request(method.clone(), format!("https://{}{path}", self.address));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(user) = user {
            request = request.header("Impersonate-User", user);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", content_type).body(body.to_string());
        }
        block_on(answer(request))
    }
}

/// Asks etcd to forget every revision before its last. etcd answers JSON beside gRPC.
pub(super) fn compact(etcd_socket: &Path) {
    let http = builder().unix_socket(etcd_socket).build().expect("nothing of this depends on the machine");
    let ask = |path: &str, body: &Value| {
        let request = http.post(format!("http://etcd/v3/{path}")).body(body.to_string());
        let answer = block_on(answer(request)).expect("etcd answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    };
    let status = ask("maintenance/status", &json!({}));
    ask("kv/compaction", &json!({ "revision": status["header"]["revision"], "physical": true }));
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(REQUEST_TIMEOUT)
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    Ok(Answer { status, body })
}

/// Runs a future on the harness's runtime and blocks for its output.
fn block_on<F: Future<Output: Send + 'static> + Send + 'static>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("cluster-rest").enable_all().build().expect("the system has threads")
    });
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move { sender.send(future.await) });
    receiver.recv().expect("the future does not panic")
}
