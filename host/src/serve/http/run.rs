//! `/v1/queries/NAME/run`: from the arguments to the rows.
//!
//! Rows are collected and answered whole, so that a run that fails is a failure from the first byte, but for JSON lines, which go out as
//! they come: who reads those is told by a last line, and by the end of the connection, that they are not all.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LINK};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{timeout, timeout_at};
use uuid::Uuid;

use super::accept::Form;
use super::body::{self, Body, Piece};
use super::parameters::{self, Asked};
use super::problem::Problem;
use super::service::{Call, Service, answer, no_audit, policy_changed, refusal};
use crate::limits::Limit;
use crate::output::style::Style;
use crate::output::{Link, Printer, PrinterOptions, page_policy};
use crate::query::Description;
use crate::serve::audit::{Allowed, PodsFrom, RefusalReason};
use crate::serve::cache::Reading;
use crate::serve::outcome::Outcome;
use crate::serve::policy::QueryName;
use crate::serve::runs::{Answer, NoRun, TenantRun, Wish, source};

/// Most bytes of a run's arguments. Arbitrary.
const ARGUMENTS_MAX_BYTES: usize = 64 * 1024;

const RUN: HeaderName = HeaderName::from_static("podlens-run");
const SOURCE: HeaderName = HeaderName::from_static("podlens-source");
const OBSERVED_AT: HeaderName = HeaderName::from_static("podlens-observed-at");
const RESOURCE_VERSION: HeaderName = HeaderName::from_static("podlens-resource-version");

/// Pieces of a streamed answer that wait for the client before the query does. Arbitrary.
const PIECES_AHEAD: usize = 16;
/// How many bytes a form may make of each byte that a query's rows are charged: a cell without a value counts for 8, and takes some 10 and
/// its column's name in JSON. Arbitrary beyond that.
const RENDERED_PER_BYTE: u64 = 8;
/// How many bytes of rows are sent together, where they come fast. Arbitrary.
const PIECE_BYTES: usize = 16 * 1024;

pub(super) async fn run(
    service: &Arc<Service>,
    call: Call,
    name: &QueryName,
    post: Option<Incoming>,
) -> Result<Response<Body>, Problem> {
    let tenant = Arc::clone(&call.caller.tenant);
    let refused = |reason| service.refused(reason, call.told.clone(), Some(&tenant), Some(name.as_str()));
    let Some(ready) = service.catalogue.find(&tenant, name.as_str()) else {
        refused(RefusalReason::UnknownQuery).await?;
        return Err(Problem::not_found("query"));
    };
    let loaded = ready.map_err(|_| Problem::not_ready())?;
    let form = Form::wanted(&call.head.headers).ok_or_else(|| {
        let forms = "rows are given as application/json, application/jsonl, text/csv, text/html and text/plain (Prometheus)";
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", forms)
    })?;
    // Taken before anything is read of a body: a tenant has no more bodies on their way than it may have runs.
    let Some(place) = service.runner.answers.place(&tenant.name, &tenant.rates) else {
        service.runner.metrics.run_not_begun(&tenant.name, Outcome::Throttled);
        return Err(service.no_room(service.runner.admission.full(&tenant.name), &call, name).await);
    };
    let Asked { arguments, fresh } = match post {
        Some(body) => {
            parameters::none_in_query(call.head.uri.query())?;
            parameters::of_body(&body::read(body, ARGUMENTS_MAX_BYTES).await?, &call.head.headers)?
        }
        None => parameters::of_query(call.head.uri.query(), &call.head.headers)?,
    };
    let pairs = arguments.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let description = loaded.query.description();
    let arguments = description
        .arguments(pairs)
        .and_then(|given| description.complete(given))
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "invalid_argument", error.to_string()))?;
    // Before a place is taken for it: what cannot be shown need not be run.
    Rows::printer(form, description, None)?;
    let allowed = match tenant.queries.iter().find(|allowed| allowed.name == *name) {
        Some(allowed) if allowed.digest.is_some() => Allowed::Digest,
        Some(_) => Allowed::Builtin,
        None => Allowed::Uploaded,
    };
    let wish = Wish {
        caller: call.caller.clone(),
        told: call.told.clone(),
        name: name.as_str().to_owned(),
        loaded: Arc::clone(&loaded),
        allowed,
        arguments,
        fresh,
        policy: call.rules.policy,
    };
    let started = match service.runner.start(wish).await {
        Ok(started) => started,
        Err(NoRun::NoAudit) => return Err(no_audit()),
        Err(NoRun::Changed) => {
            refused(RefusalReason::PolicyChanged).await?;
            return Err(policy_changed());
        }
        Err(NoRun::Refused(no_room)) => return Err(service.no_room(no_room, &call, name).await),
    };
    let (rows, printer) = Rows::printer(form, started.description(), Some(started.id()))?;
    rows.at_most(tenant.limits.get(Limit::OutputBytes).saturating_mul(RENDERED_PER_BYTE));
    match form {
        Form::JsonLines => Ok(streamed(started, rows, printer, place).await),
        form => Ok(collected(started, form, rows, printer, place).await),
    }
}

/// All rows, or none of them.
async fn collected(mut run: TenantRun, form: Form, rows: Rows, mut printer: Printer<Rows>, place: Answer) -> Response<Body> {
    let id = run.id();
    let (deadline, mut unprintable) = (run.deadline(), None);
    while let Some(row) = run.next_row().await {
        if let Err(error) = printer.row(&row) {
            unprintable = Some(error);
            break;
        }
    }
    let (result, report) = match unprintable {
        Some(error) => {
            let headers = Headers::of(&run);
            drop(run);
            return headers.set(refusal(&unshown(&error).of_run(id), Some(form)));
        }
        None => run.finish().await,
    };
    let headers = Headers { id, reading: report.reading() };
    if let (Some(from), Some(observed)) = (headers.reading.from, headers.reading.observed) {
        let from = match from {
            PodsFrom::Cache => "from the cache",
            PodsFrom::ApiServer => "from the API server",
        };
        printer.set_source(from, observed);
    }
    let shown = match result {
        Ok(()) => printer.finish(true).map_err(|error| unshown(&error)),
        Err(error) => Err(Problem::of_report(&error, &report)),
    };
    match shown {
        Ok(()) => {
            let mut whole = headers.set(answer(StatusCode::OK, form.content_type(), Body::rows(rows.take(), deadline, place)));
            if form == Form::Html {
                // The page's own, which lets its script and its style act and nothing else. Within a page none can say who may frame it.
                if let Ok(policy) = HeaderValue::from_str(&format!("{}; frame-ancestors 'none'", page_policy())) {
                    whole.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
                }
            }
            whole
        }
        Err(problem) => headers.set(refusal(&problem.of_run(id), Some(form))),
    }
}

/// Rows as they come. Whether there is an answer at all is known with the first of them.
async fn streamed(mut run: TenantRun, rows: Rows, mut printer: Printer<Rows>, place: Answer) -> Response<Body> {
    let id = run.id();
    let Some(first) = run.next_row().await else {
        let (result, report) = run.finish().await;
        let headers = Headers { id, reading: report.reading() };
        return headers.set(match result {
            Ok(()) => answer(StatusCode::OK, Form::JsonLines.content_type(), Body::whole("")),
            Err(error) => refusal(&Problem::of_report(&error, &report), Some(Form::JsonLines)),
        });
    };
    let (headers, deadline) = (Headers::of(&run), run.deadline());
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    let send = async move {
        let _place = place;
        let mut next = Some(first);
        while let Some(row) = next.take() {
            if printer.row(&row).is_err() {
                return;
            }
            // What is there already goes out together.
            next = match timeout(Duration::ZERO, run.next_row()).await {
                Ok(row) if rows.len() < PIECE_BYTES => row,
                ready => {
                    let taken = tokio::select! {
                        taken = sender.send(Piece::Bytes(rows.take())) => taken.is_ok(),
                        () = run.revoked() => false,
                    };
                    if !taken {
                        // The client has gone, or may have no more; and the run with it.
                        return;
                    }
                    match ready {
                        Ok(row) => row,
                        // A client that has gone is not waited for until the next row comes.
                        Err(_) => tokio::select! {
                            row = run.next_row() => row,
                            () = sender.closed() => return,
                        },
                    }
                }
            };
        }
        let (result, _) = run.finish().await;
        let complete = result.is_ok();
        // Where it is not, a last line says so.
        let complete = printer.finish(complete).is_ok() && complete;
        if !rows.is_empty() && sender.send(Piece::Bytes(rows.take())).await.is_err() {
            return;
        }
        if complete {
            let _ = sender.send(Piece::End).await;
        }
    };
    // Given up, it drops the run, which is then on record as cancelled.
    tokio::spawn(timeout_at(deadline, send));
    headers.set(answer(StatusCode::OK, Form::JsonLines.content_type(), Body::streamed(pieces)))
}

fn unshown(error: &io::Error) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query_failed", format!("the rows cannot be given in this form: {error}"))
}

/// What an answer tells of its run.
struct Headers {
    id: Uuid,
    reading: Reading,
}

impl Headers {
    fn of(run: &TenantRun) -> Self {
        Self { id: run.id(), reading: run.reading() }
    }

    fn set(self, mut response: Response<Body>) -> Response<Body> {
        let Self { id, reading } = self;
        let all = [
            (RUN, Some(id.to_string())),
            (LINK, Some(format!("</v1/runs/{id}>; rel=\"describedby\""))),
            (SOURCE, reading.from.map(|from| source(from).to_owned())),
            (OBSERVED_AT, reading.observed.map(|at| at.to_string())),
            (RESOURCE_VERSION, reading.resource_version),
        ];
        for (name, value) in all {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// What a printer has written and nobody has taken.
#[derive(Clone, Debug, Default)]
struct Rows(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    bytes: Vec<u8>,
    /// How many more may come.
    room: u64,
}

impl Default for Written {
    fn default() -> Self {
        Self { bytes: Vec::new(), room: u64::MAX }
    }
}

impl Rows {
    fn printer(form: Form, description: &Description, id: Option<Uuid>) -> Result<(Self, Printer<Self>), Problem> {
        let ways = [("The run's report", id.map(|id| format!("/v1/runs/{id}"))), ("All queries", Some("/".to_owned()))];
        let links = ways.into_iter().filter_map(|(text, target)| Some(Link { text: text.to_owned(), target: target? }));
        let options = PrinterOptions {
            headers: true,
            now: Timestamp::now(),
            terminal: false,
            style: Style::plain(),
            sort_by: None,
            links: links.collect(),
        };
        let rows = Self::default();
        let printer = Printer::new(form.format(), description, &options, rows.clone())
            .map_err(|error| Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", error.to_string()))?;
        Ok((rows, printer))
    }

    /// Bounds all that is written from now on.
    fn at_most(&self, bytes: u64) {
        self.written().room = bytes;
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut self.written().bytes).into()
    }

    fn len(&self) -> usize {
        self.written().bytes.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Write for Rows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.written();
        let length = bytes.len() as u64;
        written.room = written.room.checked_sub(length).ok_or_else(|| io::Error::other("it is longer than an answer may be"))?;
        written.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
