//! Traces: what a collector is told of, what it never is, and that nobody waits for it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Told};
use podlens_tests::fake::{Answer, Fake, Seen, get, post};
use prost::Message as _;
use serde_json::json;

use super::server::{Server, Setup, asked, bearer, built_in, cluster, policy, tenant, token, wait_for};
use crate::arrange::{PODS, pods};

const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// What a caller says its trace is.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("traceparent: 00-{TRACE}-{PARENT}-{flags}\r\ntracestate: canary-state=1\r\nbaggage: canary=baggage\r\n")
}

/// How a collector takes what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    Refuses,
    /// It reads, and says nothing.
    IsSilent,
}

/// What is posted, head and body.
type Post = (String, Vec<u8>);

/// A collector, and what came to it.
struct Collector {
    port: u16,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        let posts: Arc<Mutex<Vec<_>>> = Arc::default();
        let kept = Arc::clone(&posts);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || attend(&stream, manner, &kept));
            }
        });
        Self { port, posts }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spans(&self) -> Vec<Span> {
        self.posts().iter().flat_map(|(_, body)| spans(body)).collect()
    }

    /// Waits for a span of each of these names, and gives all that have come by then.
    #[track_caller]
    fn wait_for(&self, names: &[&str]) -> Vec<Span> {
        wait_for(&format!("{names:?}"), || {
            let spans = self.spans();
            names.iter().all(|name| spans.iter().any(|span| span.name == *name)).then_some(spans)
        })
    }
}

fn attend(stream: &TcpStream, manner: Manner, kept: &Mutex<Vec<Post>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !reader.read_line(&mut head).is_ok_and(|bytes| bytes > 0) {
                return;
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).push((head, body));
        let answer = match manner {
            Manner::Takes => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            Manner::Refuses => "HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\n\r\ncanary-words",
            Manner::IsSilent => "",
        };
        let mut stream = stream;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A span as it came.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    trace: String,
    id: String,
    parent: String,
    kind: i32,
    attributes: BTreeMap<String, String>,
    begun: u64,
    ended: u64,
    is_failed: bool,
    service: String,
}

impl Span {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let attributes = |all: &[KeyValue]| {
        let told = |value: &KeyValue| match value.value.clone().and_then(|value| value.value) {
            Some(Told::StringValue(text)) => text,
            Some(Told::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        all.iter().map(|value| (value.key.clone(), told(value))).collect::<BTreeMap<_, _>>()
    };
    let request = ExportTraceServiceRequest::decode(body).expect("it is a request of OTLP");
    let mut spans = Vec::new();
    for of_resource in request.resource_spans {
        let resource = attributes(&of_resource.resource.expect("there is a resource").attributes);
        for span in of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans) {
            assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty(), "{span:?}");
            spans.push(Span {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                kind: span.kind,
                attributes: attributes(&span.attributes),
                begun: span.start_time_unix_nano,
                ended: span.end_time_unix_nano,
                is_failed: span.status.as_ref().is_some_and(|status| status.code == 2),
                service: resource["service.name"].clone(),
                name: span.name,
            });
        }
    }
    spans
}

#[track_caller]
fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut of_name = spans.iter().filter(|span| span.name == name);
    match (of_name.next(), of_name.next()) {
        (Some(span), None) => span,
        (found, _) => panic!("{} `{name}` in {spans:#?}", if found.is_some() { "more than one" } else { "no" }),
    }
}

/// Traces go out at once, to this collector.
fn traced(setup: Setup, collector: &Collector) -> Setup {
    setup.variable("OTEL_BSP_SCHEDULE_DELAY", "20").arguments(&["--otlp-endpoint", &collector.url()])
}

fn list() -> Vec<String> {
    vec![tenant("shop", &[built_in("pod-names"), built_in("restarts")], &[])]
}

fn traceparent_of(seen: &Seen) -> Option<&str> {
    seen.header("traceparent")
}

/// An account as caller, a policy with a cache: all that a run can ask the API server.
#[test]
fn a_run_is_a_tree_of_spans_that_continues_its_callers_trace() {
    let claims = json!({ "aud": ["podlens"], "exp": 99_999_999_999_u64, "sub": "system:serviceaccount:shop:dashboards" });
    let shown = format!("e30.{}.Y2FuYXJ5", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let user = json!({ "authenticated": true, "user": { "username": claims["sub"] }, "audiences": ["podlens"] });
    let reviewed = json!({ "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": user });
    let may = json!({ "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": { "allowed": true } });
    let fake = cluster()
        .script([(post(TOKEN_REVIEWS), Answer::json(201, reviewed.to_string()))])
        .always(post(ACCESS_REVIEWS), Answer::json(201, may.to_string()))
        .always(get(PODS), pods(&["canary-pod"], ""))
        .start();
    let collector = Collector::start(Manner::Takes);
    let own = "- name: shop\n  callers: [{serviceAccount: {namespace: shop, name: dashboards}}]\n  identity: host\n  \
               namespaces: [shop]\n  queries: [{name: restarts}]\n";
    let own = policy(&[own.to_owned()]).replace("tenants:", "cache: {identity: host}\ntenants:");
    let server = traced(Setup::of_fake(&fake, &own), &collector).variable("OTEL_EXPORTER_OTLP_HEADERS", "api-key=c").start();
    let headers = bearer(&shown) + &traceparent("00");
    let answer = server.ask("GET", "/v1/queries/restarts/run?min=31337", &headers, b"");
    assert_eq!(answer.code, 200, "{answer:?}");
    let run_id = answer.header("podlens-run").expect("it has a name");

    let names = ["GET /v1/queries/{name}/run", "queue", "run", "access_review"];
    let spans = collector.wait_for(&names);
    let [request, queue, run, review] = names.map(|name| named(&spans, name));
    let token_review = named(&spans, "POST /apis/authentication.k8s.io/v1/tokenreviews");
    let review_call = named(&spans, "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
    let list = named(&spans, "GET /api/v1/namespaces/{namespace}/pods");
    assert_eq!(spans.len(), 7, "the server's own calls are of no trace: {spans:#?}");
    // Whatever the caller's flag says.
    assert!(spans.iter().all(|span| span.trace == TRACE && span.service == "podlens"), "{spans:#?}");
    assert!(spans.iter().all(|span| !span.is_failed && span.begun <= span.ended), "{spans:#?}");
    assert_eq!(request.parent, PARENT);
    for (child, parent) in
        [(token_review, request), (queue, request), (run, request), (review, run), (review_call, review), (list, run)]
    {
        assert_eq!(child.parent, parent.id, "{child:?} of {parent:?}");
        assert!(parent.begun <= child.begun && child.ended <= parent.ended, "{child:?} of {parent:?}");
    }
    // By OTLP's numbers: 1 internal, 2 server, 3 client.
    assert_eq!([request.kind, queue.kind, run.kind, list.kind], [2, 1, 1, 3]);
    let digest = run.attribute("podlens.component.digest").expect("it is told");
    assert!(digest.starts_with("sha256:"), "{digest}");
    let complete = &server.audited("RunComplete")[0];
    let audit_id = &server.audited("ResponseComplete").into_iter().find(|call| call["objectRef"]["resource"] == "pods");
    let audit_id = audit_id.as_ref().and_then(|call| call["auditID"].as_str()).expect("it is on record").to_owned();
    assert_eq!(complete["componentDigest"].as_str(), Some(digest));
    for (span, name, expected) in [
        (request, "http.request.method", "GET"),
        (request, "http.route", "/v1/queries/{name}/run"),
        (request, "http.response.status_code", "200"),
        (request, "url.scheme", "http"),
        (request, "podlens.tenant", "shop"),
        (run, "podlens.tenant", "shop"),
        (run, "podlens.query", "restarts"),
        (run, "podlens.run.id", run_id),
        (run, "podlens.outcome", "ok"),
        (run, "podlens.pods", "1"),
        (run, "podlens.rows", "0"),
        (list, "http.request.method", "GET"),
        (list, "http.response.status_code", "200"),
        (list, "k8s.namespace.name", "shop"),
        (list, "server.address", "127.0.0.1"),
        (list, "server.port", &fake.port().to_string()),
    ] {
        assert_eq!(span.attribute(name), Some(expected), "{name} of {span:?}");
    }
    assert!(list.attribute("http.request.header.audit-id").is_some_and(|ids| ids.contains(&audit_id)), "{list:?}");

    // What the API server is asked for a run is of the trace; what is asked before it is known who is calling is of none.
    for seen in asked(&fake).iter().filter(|seen| !seen.query.iter().any(|(name, _)| name == "watch")) {
        let of = match (seen.path.as_str(), seen.query.iter().any(|(name, _)| name == "limit")) {
            (ACCESS_REVIEWS, _) => review_call,
            // Another list, without a trace, fills the cache.
            (PODS, true) if traceparent_of(seen).is_some() => list,
            _ => {
                assert_eq!(traceparent_of(seen), None, "{seen:?}");
                continue;
            }
        };
        assert_eq!(traceparent_of(seen), Some(&*format!("00-{TRACE}-{}-01", of.id)));
        assert!(seen.header("tracestate").is_none() && seen.header("baggage").is_none(), "{seen:?}");
    }
    let listed = asked(&fake).iter().filter(|seen| seen.path == PODS).filter_map(traceparent_of).count();
    assert_eq!(listed, 1);

    let posts = collector.posts();
    assert!(posts.iter().all(|(head, _)| head.starts_with("post /v1/traces http/1.1\r\n") && head.contains("api-key: c\r\n")));
    let body: Vec<u8> = posts.into_iter().flat_map(|(_, body)| body).collect();
    let body = String::from_utf8_lossy(&body).into_owned();
    for secret in [&*shown, "Y2FuYXJ5", "token-of-a-test", "31337", "canary", "min", "limit="] {
        assert!(!body.contains(secret), "`{secret}` is in {spans:#?}");
    }
    server.wait_until_metric(r#"podlens_trace_spans_total{result="exported"}"#, 7.0);
}

#[test]
fn who_is_calling_is_known_before_a_trace_is_believed() {
    let fake = cluster().start();
    let collector = Collector::start(Manner::Takes);
    let server = traced(Setup::of_fake(&fake, &policy(&list())), &collector).start();
    let canaries = "/v1/queries/canary-query/run?canary=1";
    let wrong = bearer("wrong-canary") + &traceparent("01");
    assert_eq!(server.ask("GET", canaries, &wrong, b"").code, 401);
    let good = bearer(&token("shop"));
    assert_eq!(server.ask("GET", canaries, &good, b"").code, 404);
    assert_eq!(server.ask("CANARY", "/canary", &(good.clone() + &traceparent("01")), b"").code, 404);
    assert_eq!(server.ask("GET", "/v1/queries", &(good + &traceparent("01") + &traceparent("01")), b"").code, 200);
    let spans = collector.wait_for(&["GET /v1/queries/{name}/run", "HTTP", "GET /v1/queries"]);
    let runs: Vec<_> = spans.iter().filter(|span| span.name.ends_with("/run")).collect();
    // Nobody's requests are in no trace: anybody could have as many as he likes.
    let [run] = runs[..] else { panic!("{runs:#?}") };
    assert!(run.trace != TRACE && run.parent.is_empty(), "{run:?}");
    assert_eq!(run.attribute("http.response.status_code"), Some("404"));
    assert_eq!(run.attribute("podlens.tenant"), Some("shop"));
    let unknown = named(&spans, "HTTP");
    assert_eq!((unknown.trace.as_str(), unknown.attribute("http.request.method")), (TRACE, Some("_OTHER")));
    assert_eq!(unknown.attribute("http.route"), None);
    // Two of them are none.
    assert!(named(&spans, "GET /v1/queries").parent.is_empty());
    assert!(!format!("{:?}", collector.posts()).contains("canary"), "{spans:#?}");
    assert!(!format!("{spans:?}").contains("canary"), "{spans:#?}");
}

#[test]
fn a_request_lasts_as_long_as_its_rows_and_a_failure_is_one() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let collector = Collector::start(Manner::Takes);
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &["limits: {max-rows: 1}"])]);
    let server = traced(Setup::of_fake(&fake, &own), &collector).start();
    let headers = bearer(&token("shop")) + "Accept: application/jsonl\r\n";
    assert_eq!(server.ask("GET", "/v1/queries/pod-names/run", &headers, b"").code, 200);
    let spans = collector.wait_for(&["GET /v1/queries/{name}/run"]);
    assert!(named(&spans, "run").ended <= named(&spans, "GET /v1/queries/{name}/run").ended, "{spans:#?}");

    let fake = cluster().always(get(PODS), Answer::status(500, "InternalError", "canary-words")).start();
    let collector = Collector::start(Manner::Takes);
    let server = traced(Setup::of_fake(&fake, &own), &collector).start();
    assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 502);
    let spans = collector.wait_for(&["GET /v1/queries/{name}/run"]);
    for (name, kind) in
        [("run", "upstream"), ("GET /v1/queries/{name}/run", "502"), ("GET /api/v1/namespaces/{namespace}/pods", "500")]
    {
        // Of a call there are several attempts.
        let failed = spans.iter().find(|span| span.name == name).expect("it is told");
        assert_eq!((failed.is_failed, failed.attribute("error.type")), (true, Some(kind)), "{failed:?}");
    }
    assert!(!format!("{spans:?}").contains("canary"), "{spans:#?}");
}

#[test]
fn without_a_collector_there_are_no_traces() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let server = Server::of_fake(&fake, &list());
    let headers = bearer(&token("shop")) + &traceparent("01");
    assert_eq!(server.ask("GET", "/v1/queries/pod-names/run", &headers, b"").code, 200);
    assert!(fake.seen().iter().all(|seen| traceparent_of(seen).is_none()), "{:?}", fake.seen());
    assert!(!server.health("/metrics").body.contains("podlens_trace_spans_total{"));
}

#[test]
fn the_environment_says_where_which_and_as_whom() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let headers = bearer(&token("shop")) + &traceparent("01");
    let start = |collector: &Collector, sampler: &str| {
        Setup::of_fake(&fake, &policy(&list()))
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
            .variable("OTEL_BSP_SCHEDULE_DELAY", "600000")
            .variable("OTEL_SERVICE_NAME", "dashboards")
            .variable("OTEL_TRACES_SAMPLER", sampler)
            .arguments(&["--shutdown-delay", "0s"])
            .start()
    };
    for (sampler, kept) in [("parentbased_always_off", 0), ("always_on", 4)] {
        let collector = Collector::start(Manner::Takes);
        let mut server = start(&collector, sampler);
        assert_eq!(server.ask("GET", "/v1/queries/pod-names/run", &headers, b"").code, 200);
        let flags = if kept == 0 { "00" } else { "01" };
        let seen = asked(&fake).pop().expect("it was asked");
        let parent = traceparent_of(&seen).expect("it is told");
        assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with(&format!("-{flags}")), "{parent}");
        // What waits is sent at the end.
        assert!(collector.posts().is_empty());
        server.signal("-TERM");
        assert_eq!(server.wait().code(), Some(0));
        let spans = collector.spans();
        assert_eq!(spans.len(), kept, "{spans:#?}");
        assert!(spans.iter().all(|span| span.service == "dashboards"), "{spans:#?}");
    }
}

/// As where the environment is the same for all programs of a cluster.
#[test]
fn what_is_to_be_compressed_is_sent_as_it_is() {
    let fake = cluster().start();
    let collector = Collector::start(Manner::Takes);
    let setup = Setup::of_fake(&fake, &policy(&list())).variable("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    let server = traced(setup, &collector).start();
    assert_eq!(server.get("shop", "/v1/queries").code, 200);
    collector.wait_for(&["GET /v1/queries"]);
    assert!(collector.posts().iter().all(|(head, _)| !head.contains("content-encoding")), "{:?}", collector.posts());
    let told = "traces are sent uncompressed, and the environment asks for `gzip`";
    assert_eq!(server.said().matches(told).count(), 1, "{}", server.said());
}

#[test]
fn nobody_waits_for_a_collector() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let nobody = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port").local_addr().expect("it is bound").port();
    let [refuses, silent] = [Manner::Refuses, Manner::IsSilent].map(Collector::start);
    for (url, what, dropped) in [
        (format!("http://127.0.0.1:{nobody}"), "network error", "failed"),
        (refuses.url(), "status code: 400", "failed"),
        (silent.url(), "", "queue_full"),
    ] {
        let mut server = Setup::of_fake(&fake, &policy(&list()))
            .variable("OTEL_BSP_SCHEDULE_DELAY", "20")
            .variable("OTEL_BSP_MAX_QUEUE_SIZE", "6")
            .variable("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-key")
            .variable("PODLENS_LOG", "debug")
            .arguments(&["--otlp-endpoint", &url, "--shutdown-delay", "0s"])
            .start();
        let dropped = format!("podlens_trace_spans_total{{result=\"{dropped}\"}}");
        wait_for("drops", || {
            let begun = Instant::now();
            assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
            assert!(begun.elapsed() < Duration::from_secs(5), "it waited for {url}");
            (server.metric(&dropped) > 20.0).then_some(())
        });
        let begun = Instant::now();
        server.signal("-TERM");
        assert_eq!(server.wait().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(8), "{url} held up the end for {:?}", begun.elapsed());
        let said = server.said();
        if !what.is_empty() {
            let told: Vec<_> = said.lines().filter(|line| line.contains("traces are dropped")).collect();
            assert!(matches!(told[..], [one] if one.contains(&url) && one.contains(what)), "{said}");
        }
        assert!(!said.contains("canary"), "{said}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    let fake = Fake::start([]);
    let refused = |setup: Setup| {
        let done = setup.refused();
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(!done.stderr.contains("canary"), "{}", done.stderr);
        done.stderr
    };
    let with = |url: &str| Setup::of_fake(&fake, &policy(&list())).arguments(&["--otlp-endpoint", url]);
    assert!(refused(with("http://user:canary@collector:4318")).contains("`--otlp-endpoint` is no address of a collector"));
    let variable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let told = refused(Setup::of_fake(&fake, &policy(&list())).variable(variable, "collector:4317"));
    assert!(told.contains(&format!("`{variable}` is no address of a collector")), "{told}");
}
