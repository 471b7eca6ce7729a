//! Answers one request: keeps web pages of others out, finds out who is calling, and does what the route says.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT, HeaderName,
    HeaderValue, RETRY_AFTER, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use serde_json::{Value, json};

use super::accept::Form;
use super::body::{self, Body};
use super::problem::Problem;
use super::route::Route;
use super::{page, run};
use crate::runtime::Digest;
use crate::serve::admission::{self, Why};
use crate::serve::audit::{self, ChangeKind, Event, QueryChange, RefusalReason, Refused, Subject};
use crate::serve::authenticate::{Authenticated, Callers, Peer, TokenReviews, Unauthenticated};
use crate::serve::metrics::{self, HttpRejection};
use crate::serve::policy::{QueryName, Tenant};
use crate::serve::queries::{Catalogue, UploadError};
use crate::serve::runs::Runner;
use crate::serve::traces::{Span, Traces};
use crate::web::browser::{self, Hosts};

/// Longest target, in bytes: arguments of a run are in it. Arbitrary.
const TARGET_MAX_BYTES: usize = 8 * 1024;

/// How much is kept of what a client calls itself. Arbitrary: a browser's name has some hundred.
const USER_AGENT_MAX_CHARS: usize = 256;

/// How long the API server may take to say whose a token is.
const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of a request that wants something else than an answer.
const MORE_THAN_AN_ANSWER: [HeaderName; 2] = [TRAILER, UPGRADE];

/// Keeps an answer from being loaded by a page of another server (Fetch standard).
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What is known of the policy of the moment. A request is answered by one of these from its beginning to its end.
pub(crate) struct Rules {
    pub(crate) policy: Digest,
    pub(crate) callers: Callers,
}

/// What answers.
pub(crate) struct Service {
    pub(crate) runner: Arc<Runner>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) reviews: TokenReviews,
    pub(crate) rules: RwLock<Arc<Rules>>,
    /// By which names this server is addressed.
    pub(crate) hosts: Hosts,
    pub(crate) traces: Traces,
    /// Held while a tenant's queries change: the log has changes in the order in which they are made.
    pub(crate) changes: tokio::sync::Mutex<()>,
}

/// One request, its caller known.
pub(super) struct Call {
    pub(super) caller: Authenticated,
    pub(super) told: audit::Caller,
    pub(super) rules: Arc<Rules>,
    pub(super) head: Parts,
}

impl Service {
    /// Answers.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let route = Route::of(head.uri.path());
        let word = route.as_ref().map_or(metrics::Route::Other, Route::word);
        let (method, has_body) = (head.method.clone(), announces_body(&head.headers));
        let form = Form::wanted(&head.headers);
        let trace = self.traces.request(&head, word);
        let answered = trace.scope(self.clone().decide(head, body, route, peer)).await;
        let mut answer = answered.unwrap_or_else(|problem| refusal(&problem, form));
        if has_body || answer.status() == StatusCode::UNAUTHORIZED {
            // What follows on the connection may be a body that nobody reads; and who is nobody by what the connection began with has to begin
            // another one.
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        trace.answered(answer.status());
        self.runner.metrics.http_answered(word, &method, answer.status(), started.elapsed());
        answer
    }

    async fn decide(
        self: Arc<Self>,
        head: Parts,
        body: Incoming,
        route: Option<Route>,
        peer: Peer,
    ) -> Result<Response<Body>, Problem> {
        self.check(&head)?;
        let rules = Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner));
        let user_agent = head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let user_agent = user_agent.map(|agent| agent.chars().take(USER_AGENT_MAX_CHARS).collect::<String>());
        let told = |subject| audit::Caller { subject, source: Some(peer.address), user_agent: user_agent.clone() };
        let deadline = tokio::time::Instant::now() + AUTHENTICATION_TIMEOUT;
        // Who is calling comes first: nobody else learns what there is.
        let caller = match rules.callers.authenticate(&head.headers, &peer, &self.reviews, deadline).await {
            Ok(caller) => caller,
            Err(refused) => {
                self.refused(RefusalReason::Unauthenticated, told(Subject::Anonymous), None, None).await?;
                self.runner.metrics.http_rejected(HttpRejection::Auth);
                return Err(unauthenticated(&refused));
            }
        };
        Span::current().authenticated(&caller);
        let route = route.ok_or_else(|| Problem::not_found("path"))?;
        if !route.methods().contains(&head.method) {
            let methods: Vec<_> = route.methods().iter().map(Method::as_str).collect();
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", methods.join(", "));
            return Ok(with_allow(refusal(&problem, Form::wanted(&head.headers)), &methods.join(", ")));
        }
        let told = told(caller.by.clone());
        let call = Call { caller, told, rules, head };
        match (route, &call.head.method) {
            (Route::Page, _) => Ok(page::index(&self.catalogue, &call.caller.tenant)),
            (Route::OpenApi, _) => Ok(answer(StatusCode::OK, "application/json", Body::whole(include_str!("openapi.json")))),
            (Route::Queries, _) => Ok(json(StatusCode::OK, &self.queries(&call.caller.tenant))),
            (Route::RunReport(id), _) => {
                let report = self.runner.reports.find(&call.caller.tenant.name, id).ok_or_else(|| Problem::not_found("run"))?;
                Ok(match Form::wanted(&call.head.headers) {
                    Some(Form::Html) => page::report(&report.json()),
                    _ => json(StatusCode::OK, &report.json()),
                })
            }
            (Route::Query(name), &Method::PUT) => self.upload(&call, &name, body).await,
            (Route::Query(name), &Method::DELETE) => self.forget(&call, &name).await,
            (Route::Query(name), _) => self.query(&call, &name),
            (Route::Run(name), method) => {
                let post = (*method == Method::POST).then_some(body);
                run::run(&self, call, &name, post).await
            }
        }
    }

    /// Refuses what is not a plain request for this server, before anything is done for it.
    fn check(&self, head: &Parts) -> Result<(), Problem> {
        if head.version != Version::HTTP_11 {
            return Err(Problem::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "bad_request", "only HTTP/1.1 is spoken here"));
        }
        browser::check(&self.hosts, &head.uri, &head.headers).map_err(|foreign| {
            self.runner.metrics.http_rejected(HttpRejection::Origin);
            let code = if foreign.code == StatusCode::FORBIDDEN { "forbidden" } else { "bad_request" };
            Problem::new(foreign.code, code, foreign.message)
        })?;
        if head.uri.path_and_query().map_or(0, |target| target.as_str().len()) > TARGET_MAX_BYTES {
            let long = format!("the target is longer than {TARGET_MAX_BYTES} bytes: send arguments with POST");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, "bad_request", long));
        }
        if let Some(name) = MORE_THAN_AN_ANSWER.iter().find(|name| head.headers.contains_key(*name)) {
            return Err(Problem::bad_request(format!("`{name}` is not served")));
        }
        // `100-continue` is answered when the body is read, and not at all where the request is refused before (RFC 9110 section 10.1.1).
        if head.headers.get_all(EXPECT).iter().any(|expected| !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
            return Err(Problem::new(StatusCode::EXPECTATION_FAILED, "bad_request", "only `100-continue` can be expected"));
        }
        let takes_body = matches!(head.method, Method::POST | Method::PUT);
        let is_empty =
            head.headers.get_all(CONTENT_LENGTH).iter().all(|bytes| bytes == "0") && !head.headers.contains_key(TRANSFER_ENCODING);
        if !is_empty && !takes_body {
            return Err(Problem::bad_request(format!("a {} has no body", head.method)));
        }
        if head.headers.contains_key(CONTENT_ENCODING) {
            return Err(Problem::unsupported_media_type("send the body as it is, without `Content-Encoding`"));
        }
        Ok(())
    }

    /// Puts on record that somebody was turned away. What cannot be put on record is not answered otherwise either.
    pub(super) async fn refused(
        &self,
        reason: RefusalReason,
        caller: audit::Caller,
        tenant: Option<&Tenant>,
        query: Option<&str>,
    ) -> Result<(), Problem> {
        if self.runner.audit.turns_away() {
            return Err(no_audit());
        }
        let tenant = tenant.map(|tenant| tenant.name.clone());
        let refused = Refused { reason, caller, tenant, query: query.map(str::to_owned) };
        self.runner.audit.record(Event::Refused(refused)).written().await.map_err(|_| no_audit())
    }

    /// Puts on record that there is no room for what a tenant wants to do, and tells when to come back.
    pub(super) async fn no_room(&self, refused: admission::Refused, call: &Call, query: &QueryName) -> Problem {
        let (reason, problem) = match refused.why {
            Why::Rate => (RefusalReason::Rate, too_many("more runs, uploads and deletes a second than are yours")),
            Why::QueueFull => (
                RefusalReason::QueueFull,
                too_many("as many of your runs and uploads as may are under way, wait, or have an answer that is not read yet"),
            ),
            Why::Closed => {
                let ends = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", "this server is about to end");
                (RefusalReason::Closed, ends)
            }
        };
        match self.refused(reason, call.told.clone(), Some(&call.caller.tenant), Some(query.as_str())).await {
            Ok(()) => problem.retry_after(refused.retry_after),
            Err(no_audit) => no_audit,
        }
    }

    fn queries(&self, tenant: &Tenant) -> Value {
        let queries: Vec<_> = self
            .catalogue
            .all(tenant)
            .into_iter()
            .map(|(name, ready)| match ready {
                Ok(loaded) => {
                    let description = loaded.query.description();
                    json!({
                        "name": name,
                        "title": description.title,
                        "summary": description.summary,
                        "digest": loaded.query.digest().to_string(),
                        "uploaded": self.catalogue.is_upload(&tenant.name, &name),
                    })
                }
                Err(_) => json!({ "name": name, "problem": Problem::not_ready().detail }),
            })
            .collect();
        json!({ "tenant": tenant.name.as_str(), "queries": queries })
    }

    fn query(&self, call: &Call, name: &QueryName) -> Result<Response<Body>, Problem> {
        let ready = self.catalogue.find(&call.caller.tenant, name.as_str()).ok_or_else(|| Problem::not_found("query"))?;
        let loaded = ready.map_err(|_| Problem::not_ready())?;
        let mut told = loaded.inspection.clone();
        if let Some(object) = told.as_object_mut() {
            object.insert("name".to_owned(), name.as_str().into());
        }
        Ok(json(StatusCode::OK, &told))
    }

    async fn upload(self: &Arc<Self>, call: &Call, name: &QueryName, body: Incoming) -> Result<Response<Body>, Problem> {
        let tenant = &call.caller.tenant;
        let Some(upload) = &tenant.upload else {
            self.refused(RefusalReason::UploadNotAllowed, call.told.clone(), Some(tenant), Some(name.as_str())).await?;
            return Err(upload_problem(&UploadError::NotAllowed));
        };
        let is_component = call
            .head
            .headers
            .get(CONTENT_TYPE)
            .is_none_or(|value| matches!(value.as_bytes(), b"application/wasm" | b"application/octet-stream"));
        if !is_component {
            return Err(Problem::unsupported_media_type("send a component as `Content-Type: application/wasm`"));
        }
        let place = self.catalogue.begin_upload(tenant, name).map_err(|error| upload_problem(&error))?;
        let bytes = body::read(body, upload.component_bytes).await?;
        // Compiling and describing are work as a run is, and have their turn and their rate.
        let turn = self.runner.admission.admit(&tenant.name, &tenant.rates);
        let turn = match Span::current().within("queue", turn).await {
            Ok(turn) => turn,
            Err(refused) => return Err(self.no_room(refused, call, name).await),
        };
        let loaded = self.catalogue.prepare(&place, bytes.to_vec()).await.map_err(|error| upload_problem(&error))?;
        drop(turn);
        let digest = loaded.query.digest();
        let (of_check, of_keep) = (name.clone(), name.clone());
        let may = move |catalogue: &Catalogue, tenant: &Tenant| {
            catalogue.may_keep(tenant, &of_check).map_err(|error| upload_problem(&error))
        };
        let keep = move |catalogue: &Catalogue, tenant: &Tenant| {
            // Until it is kept, no other of the tenant's is compiled.
            let _place = place;
            catalogue.keep(&tenant.name, &of_keep, loaded)
        };
        let is_new = self.change(ChangeKind::Uploaded, call, name, Some(digest), may, keep).await?;
        let told = json!({ "name": name.as_str(), "digest": digest.to_string() });
        Ok(json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &told))
    }

    /// Puts a change of a tenant's queries on record, and then makes it: one after the other, both of them although the client goes away, and
    /// only if it `may` be made, and the policy is for the tenant what it was when he asked.
    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: ChangeKind,
        call: &Call,
        name: &QueryName,
        digest: Option<Digest>,
        may: impl FnOnce(&Catalogue, &Tenant) -> Result<(), Problem> + Send + 'static,
        make: impl FnOnce(&Catalogue, &Tenant) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (tenant, caller, query) = (Arc::clone(&call.caller.tenant), call.told.clone(), name.as_str().to_owned());
        let changed = QueryChange { change, caller, tenant: tenant.name.clone(), query, component_digest: digest };
        let service = Arc::clone(self);
        let made = tokio::spawn(async move {
            let _one_at_a_time = service.changes.lock().await;
            let (runner, catalogue) = (&service.runner, &service.catalogue);
            if runner.audit.turns_away() {
                return Err(no_audit());
            }
            runner.while_same(&tenant, || may(catalogue, &tenant)).unwrap_or_else(|| Err(policy_changed()))?;
            runner.audit.record(Event::QueryChanged(changed)).written().await.map_err(|_| no_audit())?;
            // A policy that comes after this removes what it does not allow.
            runner.while_same(&tenant, || make(catalogue, &tenant)).ok_or_else(policy_changed)
        });
        made.await.unwrap_or_else(|_| Err(no_audit()))
    }

    async fn forget(self: &Arc<Self>, call: &Call, name: &QueryName) -> Result<Response<Body>, Problem> {
        let tenant = &call.caller.tenant;
        if self.catalogue.is_upload(&tenant.name, name.as_str()) {
            // No work, but a line of the log, and the turn of all who change something.
            if let Err(refused) = self.runner.admission.count(&tenant.name, &tenant.rates) {
                return Err(self.no_room(refused, call, name).await);
            }
            let (of_check, of_forget) = (name.clone(), name.clone());
            let may = move |catalogue: &Catalogue, tenant: &Tenant| match catalogue.is_upload(&tenant.name, of_check.as_str()) {
                true => Ok(()),
                false => Err(Problem::not_found("query")),
            };
            let forget = move |catalogue: &Catalogue, tenant: &Tenant| catalogue.forget(&tenant.name, of_forget.as_str());
            self.change(ChangeKind::Deleted, call, name, None, may, forget).await?;
            return Ok(answer(StatusCode::NO_CONTENT, "", Body::whole("")));
        }
        // Of those that the policy gives it is known that they are there.
        match self.catalogue.find(tenant, name.as_str()) {
            Some(_) => Err(upload_problem(&UploadError::NameTaken)),
            None => Err(Problem::not_found("query")),
        }
    }
}

pub(super) fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

fn unauthenticated(refused: &Unauthenticated) -> Problem {
    let detail = refused.to_string();
    match refused {
        Unauthenticated::TooMany(wait) => Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tokens", detail).retry_after(*wait),
        Unauthenticated::NoAudit => no_audit(),
        // Not this caller's doing.
        Unauthenticated::CannotTell | Unauthenticated::Busy => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cluster_unavailable", detail).retry_after(Duration::from_secs(1))
        }
        Unauthenticated::NothingShown | Unauthenticated::NoBearer | Unauthenticated::Unknown | Unauthenticated::Outdated => {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
        }
    }
}

fn upload_problem(error: &UploadError) -> Problem {
    let told = error.to_string();
    match error {
        UploadError::NotAllowed => Problem::new(StatusCode::FORBIDDEN, "denied", told),
        UploadError::NameTaken | UploadError::TooMany(_) => Problem::new(StatusCode::CONFLICT, "conflict", told),
        UploadError::Busy => too_many(&told).retry_after(Duration::from_secs(1)),
        UploadError::Component(error) => Problem::of_error(error),
    }
}

fn too_many(detail: &str) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_runs", detail)
}

/// What was asked for was allowed by a policy that is another one now.
pub(super) fn policy_changed() -> Problem {
    let changed = "the policy has changed meanwhile: ask again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "policy_changed", changed).retry_after(Duration::from_secs(1))
}

/// Nothing is done that is not on record.
pub(super) fn no_audit() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", "the audit log cannot be written, so that nothing is run")
        .retry_after(Duration::from_secs(5))
}

/// Why there is no answer: a page for who asks for one, and else Problem Details, whatever was asked for.
pub(super) fn refusal(problem: &Problem, form: Option<Form>) -> Response<Body> {
    let mut refusal = match form {
        Some(Form::Html) => page::problem(problem),
        _ => answer(problem.status, "application/problem+json", Body::whole(problem.json())),
    };
    if let Some(wait) = problem.wait_seconds() {
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    refusal
}

fn with_allow(mut answer: Response<Body>, methods: &str) -> Response<Body> {
    if let Ok(methods) = HeaderValue::from_str(methods) {
        answer.headers_mut().insert(ALLOW, methods);
    }
    answer
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    answer(status, "application/json", Body::whole(format!("{value:#}\n")))
}

/// An answer that is neither kept by anybody nor a part of another server's page.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in [
        (CACHE_CONTROL, "no-store, private"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
