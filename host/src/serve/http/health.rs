//! The second listener: whether this server lives and is ready, and its metrics. For whoever runs it: nothing of a tenant's is told here.
//!
//! Checks and answers are those of kube-apiserver (k8s.io/apiserver `pkg/server/healthz`): `ok`, or 503 and the names of the checks that fail,
//! never why.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::body::Body;
use super::service::{announces_body, answer};
use crate::serve::metrics::{CONTENT_TYPE, CacheSize};
use crate::serve::runs::Runner;

/// What is looked at.
pub(crate) struct Health {
    pub(crate) runner: Arc<Runner>,
    /// Whether the API server answered when it was last asked.
    pub(crate) api_server: AtomicBool,
    /// Whether queries were loaded, as far as they can be.
    pub(crate) loaded: Arc<AtomicBool>,
    /// Whether the end was wished for.
    pub(crate) ends: AtomicBool,
}

impl Health {
    pub(crate) fn new(runner: Arc<Runner>, loaded: Arc<AtomicBool>) -> Self {
        Self { runner, loaded, api_server: AtomicBool::new(false), ends: AtomicBool::new(false) }
    }

    /// Answers a request of the second listener.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let mut answer = self.answered(&request);
        if announces_body(request.headers()) {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    fn answered(&self, request: &Request<Incoming>) -> Response<Body> {
        let text = |status, text: String| answer(status, "text/plain; charset=utf-8", Body::whole(text));
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD\n".to_owned());
        }
        let verbose = request.uri().query().is_some_and(|query| query.split('&').any(|word| word == "verbose"));
        match request.uri().path() {
            "/metrics" => answer(StatusCode::OK, CONTENT_TYPE, Body::whole(self.metrics())),
            "/livez" => {
                let (status, words) = told("livez", &[("ping", true), ("audit-writer", !self.runner.audit.is_gone())], verbose);
                text(status, words)
            }
            "/readyz" | "/healthz" => {
                let (status, words) = told("readyz", &self.ready(), verbose);
                text(status, words)
            }
            _ => text(StatusCode::NOT_FOUND, "/livez, /readyz and /metrics\n".to_owned()),
        }
    }

    fn metrics(&self) -> String {
        let Runner { metrics, admission, cache, .. } = &*self.runner;
        metrics.set_runs(admission.running(), admission.queued());
        let cache = cache.read().unwrap_or_else(PoisonError::into_inner).clone();
        metrics.set_cache(cache.map_or_else(CacheSize::default, |cache| cache.size()));
        metrics.encode()
    }

    fn ready(&self) -> [(&'static str, bool); 4] {
        [
            ("api-server", self.api_server.load(Ordering::Relaxed)),
            ("audit", self.runner.audit.is_well()),
            ("queries", self.loaded.load(Ordering::Relaxed)),
            ("shutdown", !self.ends.load(Ordering::Relaxed)),
        ]
    }
}

fn told(name: &str, checks: &[(&str, bool)], verbose: bool) -> (StatusCode, String) {
    let good = checks.iter().all(|(_, good)| *good);
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if good && !verbose {
        return (status, "ok".to_owned());
    }
    let mut words = String::new();
    for (check, good) in checks {
        // Writing to a `String` cannot fail.
        let _ = match good {
            true => writeln!(words, "[+]{check} ok"),
            false => writeln!(words, "[-]{check} failed"),
        };
    }
    words += &format!("{name} check {}\n", if good { "passed" } else { "failed" });
    (status, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_fails_is_named() {
        assert_eq!(told("readyz", &[("audit", true)], false), (StatusCode::OK, "ok".to_owned()));
        let (status, words) = told("readyz", &[("audit", false), ("shutdown", true)], false);
        assert_eq!(
            (status, words.as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "[-]audit failed\n[+]shutdown ok\nreadyz check failed\n")
        );
        assert_eq!(told("livez", &[("ping", true)], true).1, "[+]ping ok\nlivez check passed\n");
    }
}
