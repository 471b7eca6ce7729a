//! Calls of the API server, by the conventions for HTTP clients. Neither the path nor the query is told: a pod's name is in them.

use std::time::SystemTime;

use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use uuid::Uuid;

use super::span::{Ended, Span, failed};
use crate::client::{Ending, Sent, Underway};
use crate::kube::Request;

impl Span {
    /// A request is about to be sent, as a part of this.
    pub(crate) fn call(&self, request: &Request, audit_id: Uuid) -> Option<Underway> {
        let open = self.0.as_ref()?;
        let builder = || builder(request, audit_id, &open.maker.api_server);
        let call = self.child(builder);
        let Some((_, context)) = call.begun() else {
            // Who is calling is being found out. Nobody has proved to be of a trace, so that none is told of.
            let (pending, mut builder) = (self.clone(), builder());
            let ended = Box::new(move |sent: &Sent<'_>| {
                let (told, status) = told(sent);
                builder.attributes.get_or_insert_default().extend(told);
                pending.ended(Ended { builder, status, at: SystemTime::now() });
            });
            return Some(Underway { traceparent: None, ended });
        };
        let context = context.span().span_context().clone();
        let flags = context.trace_flags().to_u8();
        let traceparent = Some(format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()));
        let ended = Box::new(move |sent: &Sent<'_>| {
            let (attributes, status) = told(sent);
            call.tell(|| attributes, status != Status::Unset);
            call.end();
        });
        Some(Underway { traceparent, ended })
    }
}

fn builder(request: &Request, audit_id: Uuid, server: &[KeyValue; 2]) -> SpanBuilder {
    let method = if request.body().is_some() { "POST" } else { "GET" };
    let (template, target) = (template(request), request.target());
    let audit_id = Value::Array(Array::String(vec![StringValue::from(audit_id.to_string())]));
    let mut attributes = server.to_vec();
    attributes.extend([
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", "https"),
        KeyValue::new("url.template", template.clone()),
        KeyValue::new("http.request.header.audit-id", audit_id),
    ]);
    attributes.extend(target.namespace.map(|namespace| KeyValue::new("k8s.namespace.name", namespace.to_owned())));
    SpanBuilder::from_name(format!("{method} {template}"))
        .with_kind(SpanKind::Client)
        .with_start_time(SystemTime::now())
        .with_attributes(attributes)
}

/// The path with no name in it.
fn template(request: &Request) -> String {
    let target = request.target();
    match request.path().split_once("/namespaces/").filter(|_| target.namespace.is_some()) {
        None => request.path().to_owned(),
        Some((root, _)) => {
            let name = if target.name.is_some() { "/{name}" } else { "" };
            format!("{root}/namespaces/{{namespace}}/{}{name}", target.resource)
        }
    }
}

fn told(sent: &Sent<'_>) -> (Vec<KeyValue>, Status) {
    let (code, failure) = match sent.ending {
        Ending::Answered(code) if code < 400 => (Some(code), None),
        Ending::Answered(code) => (Some(code), Some(code.to_string())),
        // As the audit log has it.
        Ending::Broken(code) => (Some(code), Some("badAnswer".to_owned())),
        Ending::Unanswered => (None, Some("unreachable".to_owned())),
        Ending::GivenUp => (None, Some("cancelled".to_owned())),
    };
    let mut told = Vec::new();
    told.extend(code.map(|code| KeyValue::new("http.response.status_code", i64::from(code))));
    told.push(KeyValue::new("http.response.body.size", super::count(sent.bytes)));
    let status = if failure.is_some() { failed() } else { Status::Unset };
    told.extend(failure.map(|failure| KeyValue::new("error.type", failure)));
    (told, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::{Detail, Namespace, PodName};

    #[test]
    fn a_template_has_no_names() {
        let (namespace, pod) = (Namespace::parse("namespaces").unwrap(), PodName::parse("web-0").unwrap());
        for (request, expected) in [
            (Request::version(), "/version"),
            (Request::token_review("secret", "podlens"), "/apis/authentication.k8s.io/v1/tokenreviews"),
            (Request::get_pod(&namespace, &pod, Detail::Fields), "/api/v1/namespaces/{namespace}/pods/{name}"),
        ] {
            assert_eq!(template(&request), expected);
        }
    }
}
