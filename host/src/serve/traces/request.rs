//! Requests, by the conventions for HTTP servers, and the runs that they begin.
//!
//! A request's span begins when it is known who is calling: only then is its `traceparent` believed. `tracestate` and baggage are not read.

use std::time::SystemTime;

use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanKind};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use uuid::Uuid;

use super::span::Span;
use super::{Traces, count};
use crate::runtime::Digest;
use crate::serve::audit::Subject;
use crate::serve::authenticate::Authenticated;
use crate::serve::metrics::{Route, RunEnded, known_method};
use crate::serve::outcome::Outcome;

const TRACEPARENT: &str = "traceparent";

impl Traces {
    /// A request has come, and begins nothing yet.
    pub(crate) fn request(&self, head: &Parts, route: Route) -> Span {
        let Some(maker) = &self.0 else { return Span::default() };
        let known = known_method(&head.method);
        // The conventions' names for what is none of theirs.
        let (method, verb) = (known.unwrap_or("_OTHER"), known.unwrap_or("HTTP"));
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", if maker.is_tls { "https" } else { "http" }),
            KeyValue::new("network.protocol.version", "1.1"),
        ];
        let name = match route {
            Route::Other => verb.to_owned(),
            route => {
                attributes.push(KeyValue::new("http.route", route.name()));
                format!("{verb} {}", route.name())
            }
        };
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(SystemTime::now()).with_attributes(attributes);
        Span::pending(maker, builder, claimed(&head.headers))
    }
}

impl Span {
    /// It is known who is calling: the request is of the trace that it says it is of.
    pub(crate) fn authenticated(&self, caller: &Authenticated) {
        self.begin(!matches!(caller.by, Subject::Anonymous));
        self.tell(|| vec![KeyValue::new("podlens.tenant", caller.tenant.name.as_str().to_owned())], false);
    }

    /// The request is answered. Where rows are still to come, it lasts as long as they do.
    pub(crate) fn answered(&self, status: StatusCode) {
        // Of nobody there is none: anybody could have as many as he likes.
        if self.begun().is_none() {
            return;
        }
        let is_failed = status.is_server_error();
        let attributes = || {
            let mut told = vec![KeyValue::new("http.response.status_code", i64::from(status.as_u16()))];
            told.extend(is_failed.then(|| KeyValue::new("error.type", status.as_u16().to_string())));
            told
        };
        self.tell(attributes, is_failed);
    }

    /// A run has its slot.
    pub(crate) fn run(&self, id: Uuid, caller: &Authenticated, query: &str, digest: Digest) -> Self {
        self.child(|| {
            SpanBuilder::from_name("run").with_attributes([
                KeyValue::new("podlens.tenant", caller.tenant.name.as_str().to_owned()),
                KeyValue::new("podlens.query", query.to_owned()),
                KeyValue::new("podlens.component.digest", digest.to_string()),
                KeyValue::new("podlens.run.id", id.to_string()),
            ])
        })
    }

    /// The run is over.
    pub(crate) fn run_ended(&self, run: &RunEnded) {
        let is_failed = !matches!(run.outcome, Outcome::Ok | Outcome::Cancelled);
        let attributes = || {
            let mut told = vec![
                KeyValue::new("podlens.outcome", run.outcome.name()),
                KeyValue::new("podlens.pods", count(run.pods)),
                KeyValue::new("podlens.rows", count(run.rows)),
                KeyValue::new("podlens.host_calls", count(run.host_calls)),
                KeyValue::new("podlens.response_bytes", count(run.response_bytes)),
            ];
            told.extend(run.outcome.limit().map(|limit| KeyValue::new("podlens.limit", limit)));
            told.extend(is_failed.then(|| KeyValue::new("error.type", run.outcome.name())));
            told
        };
        self.tell(attributes, is_failed);
        self.end();
    }
}

/// The span that a request says it is a part of. Two of them are none.
fn claimed(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Traceparent(headers))
}

struct Traceparent<'a>(&'a HeaderMap);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(TRACEPARENT).iter().filter(|_| key == TRACEPARENT);
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt as _;

    use super::*;

    const ONE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_claimed_by_one_header_alone() {
        for (headers, expected) in [
            (&[][..], None),
            (&[(TRACEPARENT, ONE)], Some("4bf92f3577b34da6a3ce929d0e0e4736")),
            (&[(TRACEPARENT, ONE), ("tracestate", "secret=1")], Some("4bf92f3577b34da6a3ce929d0e0e4736")),
            (&[(TRACEPARENT, ONE), (TRACEPARENT, ONE)], None),
            (&[("tracestate", "secret=1")], None),
            (&[(TRACEPARENT, "00-00000000000000000000000000000000-00f067aa0ba902b7-01")], None),
            (&[(TRACEPARENT, "00-4bf92f3577b34da6a3ce929d0e0e4736-01")], None),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            let claimed = claimed(&map);
            let context = claimed.span().span_context().clone();
            assert_eq!(context.is_valid().then(|| context.trace_id().to_string()).as_deref(), expected, "{headers:?}");
            assert_eq!(context.trace_state().header(), "");
        }
    }
}
