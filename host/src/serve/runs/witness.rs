//! Puts on record what the API server is asked, before anybody has the answer.

use std::sync::Arc;

use uuid::Uuid;

use crate::client::{Ending, Heard, Sent, Underway, Witness};
use crate::error::Error;
use crate::kube::{Namespace, PodName, Request, ServiceAccount};
use crate::serve::admission::Place;
use crate::serve::audit::{AuditLog, CallFailure, CallRecord, CallResponse, Event, ObjectRef, Resource, Verb};
use crate::serve::metrics::Metrics;
use crate::serve::policy::TenantName;
use crate::serve::traces::Span;

/// For the requests of one run, or of the host itself.
pub(crate) struct CallWitness {
    pub(crate) audit: AuditLog,
    pub(crate) metrics: Metrics,
    pub(crate) run: Option<(Uuid, TenantName)>,
    /// What the requests are a part of; `None`: of what the host does when it sends them.
    pub(crate) trace: Option<Span>,
    /// The run's: it is free once no request of it is left that would have to be put on record.
    #[expect(dead_code, reason = "it is only kept")]
    pub(crate) place: Option<Arc<Place>>,
}

impl CallWitness {
    /// For requests that are no run's.
    pub(crate) fn of_host(audit: &AuditLog, metrics: &Metrics) -> Self {
        Self { audit: audit.clone(), metrics: metrics.clone(), run: None, trace: None, place: None }
    }
}

impl Witness for CallWitness {
    fn begins(&self, request: &Request, audit_id: Uuid) -> Option<Underway> {
        self.trace.clone().unwrap_or_else(Span::current).call(request, audit_id)
    }

    fn ended(&self, sent: &Sent<'_>) -> Heard {
        let response = match sent.ending {
            Ending::Answered(code) => CallResponse::Code(code),
            Ending::Broken(_) => CallResponse::Failed(CallFailure::BadAnswer),
            Ending::Unanswered => CallResponse::Failed(CallFailure::Unreachable),
            Ending::GivenUp => CallResponse::Failed(CallFailure::Cancelled),
        };
        let Asked { verb, object } = Asked::of(sent.request);
        self.metrics.upstream_answered(verb, response, sent.elapsed);
        let of_query = |wanted: &str| sent.request.query().iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        let recorded = self.audit.record(Event::Call(CallRecord {
            audit_id: sent.audit_id,
            run_id: self.run.as_ref().map(|(id, _)| *id),
            tenant: self.run.as_ref().map(|(_, tenant)| tenant.clone()),
            impersonated_user: sent.impersonation.and_then(|impersonation| ServiceAccount::of_user(impersonation.user())),
            verb,
            object,
            label_selector: of_query("labelSelector"),
            field_selector: of_query("fieldSelector"),
            limit: of_query("limit").and_then(|limit| limit.parse().ok()),
            response,
            latency: sent.elapsed,
            bytes: sent.bytes,
        }));
        Box::pin(async move {
            let written = recorded.written().await;
            written.map_err(|error| Error::unavailable("the audit log cannot be written", None).because(error))
        })
    }
}

struct Asked {
    verb: Verb,
    object: ObjectRef,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let target = request.target();
        let verb = match (request.body(), target.name, request.is_watch()) {
            (Some(_), ..) => Verb::Create,
            (None, Some(_), _) => Verb::Get,
            (None, None, true) => Verb::Watch,
            (None, None, false) if target.resource.is_empty() => Verb::Get,
            (None, None, false) => Verb::List,
        };
        let resource = match target.resource {
            "tokenreviews" => Resource::TokenReviews,
            "pods" => Resource::Pods,
            "" => Resource::Version,
            "selfsubjectaccessreviews" => Resource::SelfSubjectAccessReviews,
            _ => Resource::SubjectAccessReviews,
        };
        let namespace = target.namespace.and_then(|name| Namespace::parse(name).ok());
        let name = target.name.and_then(|name| PodName::parse(name).ok());
        Self { verb, object: ObjectRef { resource, namespace, name } }
    }
}
