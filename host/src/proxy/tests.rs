//! The proxy without its sockets: what is decided about a head, and what becomes of bytes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::answer;
use super::body::Body;
use super::decide::{ForwardKind, Plan, Rules, decide};
use crate::kube::{Accept, Namespace};
use crate::web::browser::Hosts;
use crate::web::{Seats, Stopper, channel, serve};
use crate::{Grant, kube};

const HOST: &str = "localhost:8001";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

fn granted(grant: Grant) -> Rules {
    Rules { grant: grant.whole_objects(), watch: false, hosts: Hosts::of_port(8001, None) }
}

fn everywhere() -> Rules {
    granted(Grant::all_namespaces())
}

fn shop() -> Rules {
    granted(Grant::nothing().namespace(Namespace::parse("shop").unwrap()))
}

fn watching() -> Rules {
    Rules { watch: true, ..everywhere() }
}

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target).header("host", HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// What is decided, in one line: what the API server is asked for, `here`, or the code of a refusal.
fn decided(rules: &Rules, head: &Parts) -> String {
    match decide(rules, head) {
        Err(status) => status.code().as_u16().to_string(),
        Ok(Plan::Answer { .. }) => "here".to_owned(),
        Ok(Plan::Forward(forward)) => shown(&forward.request),
    }
}

fn shown(request: &kube::Request) -> String {
    let query: Vec<_> = request.query().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{}{query}", request.path())
}

#[test]
fn nothing_is_passed_on_that_may_have_what_is_withheld() {
    let rules = granted(Grant::all_namespaces().withhold(crate::Redaction::Env));
    for target in ["/api/v1/pods", "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/pods/web-0"] {
        assert_eq!(decided(&rules, &head("GET", target, &[])), "403");
    }
}

#[test]
fn a_request_becomes_another_one_or_none() {
    for (rules, method, target, expected) in [
        (everywhere(), "GET", "/", "here"),
        (everywhere(), "GET", "/api", "here"),
        (everywhere(), "GET", "/api?timeout=32s", "here"),
        (everywhere(), "GET", "/apis?timeout=32s", "here"),
        (everywhere(), "GET", "/api/v1", "here"),
        (everywhere(), "GET", "/api/v1?watch=1", "400"),
        (everywhere(), "GET", "/version", "/version"),
        (everywhere(), "GET", "/version?timeout=32s", "/version"),
        (everywhere(), "GET", "/healthz", "/healthz"),
        (everywhere(), "GET", "/livez", "/livez"),
        (everywhere(), "GET", "/readyz?verbose", "400"),
        (everywhere(), "GET", "/api/v1/pods", "/api/v1/pods"),
        (everywhere(), "HEAD", "/api/v1/pods", "/api/v1/pods"),
        (everywhere(), "GET", "/api/v1/pods?", "400"),
        (everywhere(), "GET", "/api/v1/pods?limit=500&continue=abc", "/api/v1/pods?limit=500&continue=abc"),
        (everywhere(), "GET", "/api/v1/pods?labelSelector=app+in+(b,a)", "/api/v1/pods?labelSelector=app in (a,b)"),
        (everywhere(), "GET", "/api/v1/namespaces/shop/pods/web-0", "/api/v1/namespaces/shop/pods/web-0"),
        (everywhere(), "GET", "/api/v1/namespaces/shop/pods/web-0?watch=1", "400"),
        (everywhere(), "GET", "/api/v1/namespaces/shop/pods/web-0/log", "403"),
        (everywhere(), "GET", "/api/v1/namespaces/shop/pods/web-0/exec?command=sh", "403"),
        (everywhere(), "GET", "/api/v1/namespaces/shop/secrets", "403"),
        (everywhere(), "GET", "/api/v1/namespaces/../pods", "403"),
        (everywhere(), "GET", "/api/v1/namespaces/%2e%2e/pods", "403"),
        (everywhere(), "GET", "//api/v1/pods", "403"),
        // A watch, in every way that the API server would take for one, and some in which it would not.
        (everywhere(), "GET", "/api/v1/pods?watch=1", "403"),
        (everywhere(), "GET", "/api/v1/pods?watch=true", "403"),
        (everywhere(), "GET", "/api/v1/pods?watch=TRUE", "400"),
        (everywhere(), "GET", "/api/v1/pods?watch=", "400"),
        (everywhere(), "GET", "/api/v1/pods?watch", "400"),
        (everywhere(), "GET", "/api/v1/pods?watch=no", "400"),
        (everywhere(), "GET", "/api/v1/pods?watch=false", "/api/v1/pods"),
        (everywhere(), "GET", "/api/v1/pods?watch=false&watch=true", "400"),
        (everywhere(), "GET", "/api/v1/pods?%77atch=true", "400"),
        (everywhere(), "GET", "/api/v1/watch/pods", "403"),
        (watching(), "GET", "/api/v1/pods?watch=1", "/api/v1/pods?watch=true"),
        (watching(), "GET", "/api/v1/pods?watch=true&watch=false", "400"),
        (watching(), "GET", "/api/v1/pods?watch=0", "/api/v1/pods"),
        (
            watching(),
            "GET",
            "/api/v1/pods?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true",
            "/api/v1/pods?resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true&sendInitialEvents=true",
        ),
        (watching(), "GET", "/api/v1/namespaces/shop/pods/web-0?watch=1", "400"),
        // The grant.
        (shop(), "GET", "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/pods"),
        (shop(), "GET", "/api/v1/namespaces/shop/pods/web-0", "/api/v1/namespaces/shop/pods/web-0"),
        (shop(), "GET", "/api/v1/pods", "403"),
        (shop(), "GET", "/api/v1/pods?fieldSelector=metadata.namespace%3Dshop", "403"),
        (shop(), "GET", "/api/v1/namespaces/kube-system/pods", "403"),
        (shop(), "GET", "/api/v1/namespaces/kube-system/pods/etcd-0", "403"),
        (shop(), "GET", "/version", "/version"),
        (granted(Grant::nothing()), "GET", "/api/v1/pods", "403"),
    ] {
        assert_eq!(decided(&rules, &head(method, target, &[])), expected, "{method} {target}");
    }
}

#[test]
fn there_is_no_other_verb() {
    for method in [
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "get",
        "Get",
        "HEAD2",
        "PROPFIND",
        "QUERY",
        "WATCH",
        "DELETECOLLECTION",
    ] {
        for target in
            ["/", "/version", "/api/v1/pods", "/api/v1/namespaces/shop/pods/web-0", "/api/v1/namespaces/shop/pods/web-0/exec"]
        {
            assert_eq!(decided(&watching(), &head(method, target, &[])), "405", "{method} {target}");
        }
    }
}

#[test]
fn a_read_has_no_body_and_becomes_nothing_else() {
    for (name, value) in [
        ("content-length", "0"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("trailer", "x"),
        ("upgrade", "websocket"),
        ("upgrade", "SPDY/3.1"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
    ] {
        assert_eq!(decided(&everywhere(), &head("GET", "/api/v1/pods", &[(name, value)])), "400", "{name}: {value}");
    }
    for name in ["impersonate-user", "Impersonate-Group", "impersonate-uid", "impersonate-extra-scopes"] {
        assert_eq!(decided(&everywhere(), &head("GET", "/api/v1/pods", &[(name, "admin")])), "403", "{name}");
    }
}

#[test]
fn no_header_changes_what_is_asked_for() {
    let bare = decide(&everywhere(), &head("GET", "/api/v1/pods", &[])).unwrap();
    for (name, value) in [
        ("authorization", "Bearer stolen"),
        ("authorization", ""),
        ("cookie", "a=b"),
        ("x-remote-user", "admin"),
        ("x-remote-group", "system:masters"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-uri", "/api/v1/secrets"),
        ("x-original-url", "/api/v1/secrets"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "for=10.0.0.1"),
        ("connection", "impersonate-user"),
        ("connection", "upgrade, host"),
        ("proxy-authorization", "Basic YTpi"),
        ("accept-encoding", "gzip"),
        ("range", "bytes=0-1"),
        ("if-none-match", "*"),
        ("user-agent", "kubectl/v1.37.2"),
        ("sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.c3RvbGVu"),
        ("accept", "*/*"),
    ] {
        let with = decide(&everywhere(), &head("GET", "/api/v1/pods", &[(name, value)])).unwrap();
        assert_eq!(with, bare, "{name}: {value}");
    }
}

#[test]
fn a_form_that_there_is_none_of_is_not_acceptable() {
    let accept = |accept| decided(&everywhere(), &head("GET", "/api/v1/pods", &[("accept", accept)]));
    assert_eq!((accept("text/html").as_str(), accept("application/yaml").as_str()), ("406", "/api/v1/pods"));
    let plan = decide(&everywhere(), &head("GET", "/api/v1/pods", &[("accept", TABLE)])).unwrap();
    assert!(matches!(plan, Plan::Forward(forward) if forward.request.accept().header() == TABLE));
}

#[test]
fn people_get_indented_json() {
    for (agent, target, expected) in [
        ("curl/8.5.0", "/api/v1/pods", "/api/v1/pods?pretty=true"),
        ("Mozilla/5.0 (X11)", "/api/v1/namespaces/shop/pods/web-0", "/api/v1/namespaces/shop/pods/web-0?pretty=true"),
        ("curl/8.5.0", "/api/v1/pods?pretty=false", "/api/v1/pods"),
        ("kubectl/v1.37.2", "/api/v1/pods?pretty=1", "/api/v1/pods?pretty=true"),
        ("kubectl/v1.37.2", "/api/v1/pods", "/api/v1/pods"),
    ] {
        assert_eq!(decided(&everywhere(), &head("GET", target, &[("user-agent", agent)])), expected);
    }
}

#[test]
fn the_target_has_a_bound() {
    let target = |length: usize| {
        let start = "/api/v1/pods?labelSelector=";
        format!("{start}{}", "a".repeat(length - start.len()))
    };
    assert_eq!(decided(&everywhere(), &head("GET", &target(8 * 1024), &[])), "400");
    assert_eq!(decided(&everywhere(), &head("GET", &target(8 * 1024 + 1), &[])), "414");
}

#[test]
fn a_watch_is_known_as_one() {
    for (target, expected) in
        [("/api/v1/pods?watch=1", ForwardKind::Watch), ("/api/v1/pods", ForwardKind::Object), ("/livez", ForwardKind::Health)]
    {
        let plan = decide(&watching(), &head("GET", target, &[])).unwrap();
        assert!(matches!(plan, Plan::Forward(forward) if forward.kind == expected), "{target}");
    }
}

/// Whether an API server may be asked for this: written here once more, and in another way.
fn is_in_grammar(request: &kube::Request) -> bool {
    const PARAMETERS: [&str; 13] = [
        "limit",
        "continue",
        "labelSelector",
        "fieldSelector",
        "resourceVersion",
        "resourceVersionMatch",
        "timeoutSeconds",
        "watch",
        "allowWatchBookmarks",
        "sendInitialEvents",
        "includeObject",
        "pretty",
        "timeout",
    ];
    let is_name = |name: &str, characters: &str, longest: usize| {
        let ends = |character: Option<char>| character.is_some_and(|character| character != '-' && character != '.');
        name.len() <= longest
            && name.chars().all(|character| characters.contains(character))
            && ends(name.chars().next())
            && ends(name.chars().last())
            && !name.contains("..")
    };
    let label = "abcdefghijklmnopqrstuvwxyz0123456789-";
    let subdomain = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    let segments: Vec<_> = request.path().split('/').collect();
    let path = match segments.as_slice() {
        ["", "version" | "healthz" | "livez" | "readyz"] => request.query().is_empty(),
        ["", "api", "v1", "pods"] => true,
        ["", "api", "v1", "namespaces", namespace, "pods"] => is_name(namespace, label, 63),
        ["", "api", "v1", "namespaces", namespace, "pods", name] => is_name(namespace, label, 63) && is_name(name, subdomain, 253),
        _ => false,
    };
    let mut names: Vec<_> = request.query().iter().map(|(name, _)| *name).collect();
    let query = names.iter().all(|name| PARAMETERS.contains(name))
        && request.query().iter().all(|(_, value)| value.len() < 5000 && !value.contains(char::is_control));
    names.sort_unstable();
    names.dedup();
    let accept = match request.accept() {
        Accept::Forwarded(representation) => Accept::Forwarded(representation).header().starts_with("application/"),
        Accept::Json => request.path() == "/version",
        Accept::Protobuf | Accept::Metadata | Accept::MetadataList => false,
    };
    path && query && names.len() == request.query().len() && accept && request.body().is_none()
}

/// The same numbers each time: xorshift64 (Marsaglia, 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Pieces of which targets are made, good and bad.
const PIECES: &[&str] = &[
    "/",
    "api",
    "v1",
    "pods",
    "namespaces",
    "shop",
    "web-0",
    "web.0",
    "/api/v1/pods",
    "/api/v1/namespaces/",
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/pods/web-0",
    "/version",
    "/livez",
    "secrets",
    "log",
    "exec",
    "proxy",
    "watch",
    "..",
    ".",
    "%2e",
    "%2F",
    "%00",
    "%",
    ";",
    "\\",
    "#",
    "?",
    "&",
    "=",
    "true",
    "false",
    "1",
    "0",
    "limit=",
    "continue=",
    "labelSelector=",
    "fieldSelector=",
    "watch=true",
    "pretty=1",
    "resourceVersion=",
    "timeout=",
    "app%3Dweb",
    "status.phase%3DRunning",
    "+",
    ",",
    "(",
    "a",
    "-",
    "A",
    "é",
    "@",
    ":",
    "*",
    "~",
];

#[test]
fn whatever_is_sent_what_is_asked_for_is_in_the_grammar() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let rules = watching();
    let mut forwarded = 0;
    for _ in 0..400_000 {
        let mut target = if numbers.below(3) == 0 { String::new() } else { numbers.of(&PIECES[8..12]).to_owned() };
        for _ in 0..numbers.below(7) {
            target += numbers.of(PIECES);
        }
        let method = numbers.of(&["GET", "GET", "GET", "HEAD", "POST"]);
        let Ok(request) = Request::builder().method(method).uri(&target).header("host", HOST).body(()) else { continue };
        if let Ok(Plan::Forward(forward)) = decide(&rules, &request.into_parts().0) {
            assert!(is_in_grammar(&forward.request), "{target} asks for {}", shown(&forward.request));
            forwarded += 1;
        }
    }
    assert!(forwarded > 1000, "{forwarded}: the pieces make sense now and then");
}

/// A connection whose requests are decided, and of which those for the API server are written down in its place.
struct Wire {
    client: DuplexStream,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
    stopper: Stopper,
}

impl Wire {
    fn open(rules: Rules) -> Self {
        let (client, server) = duplex(256 * 1024);
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let (stopper, stop) = channel();
        let serving = tokio::spawn(async move {
            let answer = |request: Request<Incoming>| {
                let answer = answer_to(&rules, &request.into_parts().0, &seen);
                async { answer }
            };
            // However it ends, it ends.
            let _ = serve(server, Seats::default().seat(), stop, super::server::IDLE_TIMEOUT, answer).await;
        });
        Self { client, asked, serving, stopper }
    }

    /// Sends these bytes and no more, and gives all that comes until the server closes the connection.
    async fn send(mut self, bytes: &[u8]) -> (String, Vec<String>) {
        // It may close the connection before all is sent.
        let _ = self.client.write_all(bytes).await;
        let mut answers = Vec::new();
        let _ = self.client.read_to_end(&mut answers).await;
        self.serving.await.unwrap();
        let asked = self.asked.lock().unwrap().clone();
        (String::from_utf8(answers).unwrap(), asked)
    }
}

fn answer_to(rules: &Rules, head: &Parts, asked: &Mutex<Vec<String>>) -> Response<Body> {
    match decide(rules, head) {
        Err(status) => answer::refusal(&status),
        Ok(Plan::Answer { content_type, json }) => answer::json(content_type, &json),
        Ok(Plan::Forward(forward)) => {
            assert!(is_in_grammar(&forward.request), "{}", shown(&forward.request));
            asked.lock().unwrap().push(shown(&forward.request));
            Response::new(Body::whole("pods".into()))
        }
    }
}

/// The codes of the answers, one by one. No body of these tests has a line that begins so.
fn codes(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_one_after_the_other() {
    let get = "GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\r\n\r\n";
    let (answers, asked) = Wire::open(everywhere()).send(get.repeat(3).as_bytes()).await;
    assert_eq!((codes(&answers), asked), (vec!["200"; 3], vec!["/api/v1/pods".to_owned(); 3]));
    for header in ["x-content-type-options: nosniff", "cache-control: no-cache, private"] {
        let (answers, _) = Wire::open(everywhere()).send(get.replace("/api/v1/pods", "/api").as_bytes()).await;
        assert!(answers.contains(header), "{answers}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_two_meanings_has_none() {
    const HOST: &str = "Host: localhost:8001\r\n";
    const SMUGGLED: &str = "GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\r\n\r\n";
    let get = |rest: &str| format!("GET /api/v1/pods HTTP/1.1\r\n{HOST}{rest}");
    let mut corpus = Vec::new();
    // Bodies: announced once, twice, in two ways, or in a way that one of two parsers passes over.
    for framing in [
        "Content-Length: 0\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n",
        "Content-Length: 0, 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        " Content-Length: 5\r\n",
        "Content-Length\0: 5\r\n",
        "Content\\Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\tchunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\r\n : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "TRANSFER-ENCODING: CHUNKED\r\n",
        "Trailer: Host\r\n",
    ] {
        for body in ["", "0\r\n\r\n", "abcde", SMUGGLED, &format!("0\r\n\r\n{SMUGGLED}"), &format!("2d\r\n{SMUGGLED}")] {
            corpus.push(get(&format!("{framing}\r\n{body}")));
        }
        corpus.push(get(&format!("{framing}\r\n")).replacen("GET", "POST", 1));
    }
    // Lines.
    for bytes in [
        get("\r\n").replace("\r\n", "\n"),
        get("X: y\n\r\n"),
        get("X: y\r\n\n"),
        get("X: y\rZ: z\r\n\r\n"),
        get("X: y\r\r\n\r\n"),
        get("X: \0\r\n\r\n"),
        get("X: y\r\n folded\r\n\r\n"),
        get("X: y\r\n\tfolded\r\n\r\n"),
        get("X y\r\n\r\n"),
        get(": y\r\n\r\n"),
        get("X\u{7f}: y\r\n\r\n"),
        get("Xé: y\r\n\r\n"),
        format!("GET /api/v1/pods HTTP/1.1\r\n {HOST}\r\n"),
        format!("GET /api/v1/pods HTTP/1.1\n{HOST}\r\n"),
        "GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\n\n".to_owned(),
        format!("\nGET /api/v1/pods HTTP/1.1\r\n{HOST}\r\n"),
    ] {
        corpus.push(bytes);
    }
    // Request lines.
    for line in [
        "GET /api/v1/pods",
        "GET /api/v1/pods ",
        "GET /api/v1/pods HTTP/0.9",
        "GET /api/v1/pods HTTP/1.0",
        "GET /api/v1/pods HTTP/1.2",
        "GET /api/v1/pods HTTP/2.0",
        "GET /api/v1/pods http/1.1",
        "GET /api/v1/pods HTTP/1.1 ",
        "GET  /api/v1/pods HTTP/1.1",
        "GET\t/api/v1/pods\tHTTP/1.1",
        " GET /api/v1/pods HTTP/1.1",
        "GET /api/v1/pods\0 HTTP/1.1",
        "GET /api/v1/pods\\ HTTP/1.1",
        "GET /api/v1/pods# HTTP/1.1",
        "GET /api/v1/pods#a HTTP/1.1",
        "GET /api/v1/pods?#limit=1 HTTP/1.1",
        "GET /api/v1/pods\u{80} HTTP/1.1",
        "GET /api/v1/po ds HTTP/1.1",
        "GET api/v1/pods HTTP/1.1",
        "GET ?/api/v1/pods HTTP/1.1",
        "GET http://evil.example/api/v1/pods HTTP/1.1",
        "GET http://localhost:8001@evil.example/api/v1/pods HTTP/1.1",
        "GET http://127.0.0.1:8001/api/v1/pods HTTP/1.1",
        "GET https://localhost:8001/api/v1/pods HTTP/1.1",
        "GET http:///api/v1/pods HTTP/1.1",
        "GET http:/api/v1/pods HTTP/1.1",
        "GET //localhost:8001/api/v1/pods HTTP/1.1",
        "GET localhost:8001 HTTP/1.1",
        "CONNECT localhost:8001 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET * HTTP/1.1",
        "PRI * HTTP/2.0",
        "POST /api/v1/pods HTTP/1.1",
        "DELETE /api/v1/pods HTTP/1.1",
        "G\u{202e}ET /api/v1/pods HTTP/1.1",
    ] {
        corpus.push(format!("{line}\r\n{HOST}\r\n"));
        corpus.push(format!("{line}\r\n{HOST}\r\n{SMUGGLED}"));
    }
    // Who is addressed, and what else is wanted.
    for headers in [
        "",
        "Host:\r\n",
        "Host: evil.example\r\n",
        "Host: localhost:8001\r\nHost: localhost:8001\r\n",
        "Host: localhost:8001\r\nHost: evil.example\r\n",
        "Host: evil.example\r\nHost: localhost:8001\r\n",
        "Host : localhost:8001\r\n",
        "Host: localhost:8001, evil.example\r\n",
        "Host: localhost:8001\r\n evil.example\r\n",
        "Host: localhost:8001\r\nOrigin: null\r\n",
        "Host: localhost:8001\r\nSec-Fetch-Site: cross-site\r\n",
        "Host: localhost:8001\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        "Host: localhost:8001\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n",
        "Host: localhost:8001\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Host: localhost:8001\r\nExpect: 100-continue\r\n",
        "Host: localhost:8001\r\nImpersonate-User: admin\r\nConnection: Impersonate-User\r\n",
    ] {
        corpus.push(format!("GET /api/v1/pods HTTP/1.1\r\n{headers}\r\n"));
        corpus.push(format!("GET /api/v1/pods HTTP/1.1\r\n{headers}\r\n{SMUGGLED}"));
    }
    corpus.push(format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{}", "\0".repeat(9)));
    corpus.push("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned());
    assert!(corpus.len() > 300, "{}", corpus.len());
    for bytes in corpus {
        let (answers, asked) = Wire::open(everywhere()).send(bytes.as_bytes()).await;
        assert!(asked.is_empty(), "{bytes:?} asks for {asked:?}");
        assert!(codes(&answers).len() <= 1, "{bytes:?} is answered with {answers}");
        assert!(codes(&answers).iter().all(|code| !code.starts_with('2')), "{bytes:?} is answered with {answers}");
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_by_chance_ask_for_what_is_in_the_grammar() {
    let pieces: &[&[u8]] = &[
        b"GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\r\n\r\n",
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"/api/v1/pods",
        b"/version",
        b"?limit=1",
        b"?watch=1",
        b" HTTP/1.1\r\n",
        b" HTTP/1.0\r\n",
        b"Host: localhost:8001\r\n",
        b"Host: evil.example\r\n",
        b"Content-Length: 7\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Upgrade: h2c\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"#",
        b"%2e",
        b"..",
        b"\xff",
    ];
    let mut numbers = Numbers(7);
    let mut asked = 0;
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        for _ in 0..1 + numbers.below(12) {
            bytes.extend_from_slice(numbers.of(pieces));
        }
        if numbers.below(2) == 0 {
            let at = numbers.below(bytes.len());
            bytes[at] = u8::try_from(numbers.below(256)).unwrap();
        }
        // What is asked for is held against the grammar where it is answered.
        asked += Wire::open(everywhere()).send(&bytes).await.1.len();
    }
    assert!(asked > 100, "{asked}: the pieces make sense now and then");
}

#[tokio::test(start_paused = true)]
async fn a_head_has_bounds() {
    let get = |headers: &str| format!("GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\r\n{headers}\r\n");
    let many = |count: usize| "X: y\r\n".repeat(count);
    let long = |bytes: usize| format!("X: {}\r\n", "y".repeat(bytes));
    for (headers, expected) in [
        (many(63), vec!["200"]),
        (many(64), vec!["431"]),
        (many(5_000), vec!["431"]),
        (long(15_000), vec!["200"]),
        (long(17_000), vec!["431"]),
        (long(200_000), vec!["431"]),
    ] {
        let (answers, _) = Wire::open(everywhere()).send(get(&headers).as_bytes()).await;
        assert_eq!(codes(&answers), expected, "{} bytes", headers.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_come_to_its_point_is_left() {
    // Nothing; a head that does not end; a head of which a byte comes each second; nothing more after an answer.
    for bytes in [&b""[..], b"GET /api/v1/pods HTTP/1.1\r\nHost: localhost:8001\r\n"] {
        let start = Instant::now();
        let (answers, asked) = Wire::open(everywhere()).send(bytes).await;
        assert_eq!((codes(&answers).len(), asked.len(), start.elapsed().as_secs()), (0, 0, 10));
    }
    let start = Instant::now();
    let Wire { client, serving, asked, stopper: _stopper } = Wire::open(everywhere());
    let (mut reader, mut writer) = tokio::io::split(client);
    let trickle = async {
        for byte in b"GET /api/v1/pods HTTP/1.1\r\n" {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let mut answers = Vec::new();
    let (_, read) = tokio::join!(trickle, reader.read_to_end(&mut answers));
    read.unwrap();
    serving.await.unwrap();
    assert!(answers.is_empty() && asked.lock().unwrap().is_empty() && start.elapsed() < Duration::from_secs(13));

    let start = Instant::now();
    let (answers, _) = Wire::open(everywhere()).send(b"GET /api HTTP/1.1\r\nHost: localhost:8001\r\n\r\n").await;
    assert_eq!((codes(&answers), start.elapsed().as_secs()), (vec!["200"], 10));
}

#[tokio::test(start_paused = true)]
async fn who_has_asked_for_nothing_is_not_waited_for_at_the_end() {
    let Wire { client, serving, stopper, .. } = Wire::open(everywhere());
    let start = Instant::now();
    stopper.stop();
    serving.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(client);
}
