//! The client against the scripted server of the fast lane, which shares its source with these tests.

use std::error::Error as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::fake::{Answer, Authority, Expected, Fake, Opening, Serving, get, post};
use crate::kube::{Detail, FieldSelector, LabelSelector, ListPods, PAGE_LIMIT, PodName};

const CANARY: &str = "canary-token-5e1f";
const VERSION: &str = r#"{"gitVersion":"v1.37.2","platform":"linux/amd64"}"#;
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// A service account's folder. (The harness has one that swaps as a kubelet does; nothing here reads while it is written.)
fn mount(authority: &Authority) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "token", &format!("{CANARY}\n"));
    write(folder.path(), "ca.crt", &authority.pem());
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn client(fake: &Fake, mount: &Path) -> Client {
    Client::new(Config::service_account(&fake.address(), mount).unwrap()).unwrap()
}

fn within(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn get_pod() -> Request {
    Request::get_pod(&Namespace::parse("shop").unwrap(), &PodName::parse("web-0").unwrap(), Detail::Object)
}

fn list_pods(continue_token: Option<&ContinueToken>) -> Request {
    Request::list_pods(&ListPods {
        namespace: Some(&Namespace::parse("shop").unwrap()),
        labels: &LabelSelector::parse("app=web").unwrap(),
        fields: &FieldSelector::parse("").unwrap(),
        detail: Detail::Fields,
        limit: PAGE_LIMIT,
        continue_token,
    })
}

/// One call with a client of its own.
async fn send(fake: &Fake, request: &Request, call: Call) -> Result<Response, Failure> {
    let mount = mount(fake.authority());
    client(fake, mount.path()).send(request, call).await
}

/// The error of a script that one call of 20 s meets.
async fn error(script: impl IntoIterator<Item = (Expected, Answer)>, request: &Request) -> Error {
    let fake = Fake::start(script);
    let failure = send(&fake, request, Call { deadline: within(20), max_bytes: 1 << 20 }).await.unwrap_err();
    checked(failure.into())
}

/// No error tells the token or a continue token, in any form.
fn checked(error: Error) -> Error {
    let all = format!("{error:?} {} {:?}", told(&error), error.help());
    assert!(!all.contains("canary"), "{all}");
    error
}

/// The chain on one line, the port as `PORT`.
fn told(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    match told.split_once("127.0.0.1:") {
        Some((before, after)) => format!("{before}127.0.0.1:PORT{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => told,
    }
}

#[tokio::test]
async fn an_answer_is_given_whole_and_the_request_is_as_it_should_be() {
    let fake = Fake::start([
        (
            get(PODS).token(CANARY).query(&[("limit", "500"), ("labelSelector", "app=web"), ("continue", "a/+=&b")]),
            Answer::protobuf(b"k8s\0").header("Date", "Tue, 24 Nov 2026 06:00:07 GMT").chunked(3),
        ),
        (get("/version"), Answer::json(200, VERSION)),
        (
            post("/apis/authentication.k8s.io/v1/selfsubjectreviews").token(CANARY),
            Answer::json(201, r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"me"}}}"#),
        ),
    ]);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    let request = list_pods(ContinueToken::new("a/+=&b").as_ref());
    let response = client.send(&request, Call { deadline: within(20), max_bytes: 4 }).await.unwrap();
    assert_eq!((response.body.as_ref(), response.wire_bytes), (b"k8s\0".as_slice(), 4));
    assert_eq!(response.date.map(|date| date.to_string()).as_deref(), Some("2026-11-24T06:00:07Z"));
    assert_eq!(client.version(within(20)).await.unwrap().git_version, "v1.37.2");
    assert_eq!(client.self_subject_review(within(20)).await.unwrap().username, "me");
    assert_eq!(fake.connections(), 1);

    let seen = fake.seen();
    let headers: Vec<&str> = seen[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["accept", "authorization", "user-agent", "host"]);
    assert_eq!(seen[0].header("accept"), Some("application/vnd.kubernetes.protobuf,application/json"));
    let user_agent = seen[0].header("user-agent").unwrap();
    assert!(user_agent.starts_with("podlens/0.") && user_agent.contains(" (linux/"), "{user_agent}");
    assert_eq!(seen[2].header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_connection_that_was_opened_ahead_is_the_first_requests_and_nothing_else_is_sent_on_it() {
    let versions = (0..2).map(|_| (get("/version").token(CANARY), Answer::json(200, VERSION)));
    let fake = Fake::start(versions);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    client.open_ahead().await;
    assert_eq!((fake.connections(), fake.seen().len()), (1, 0));
    client.version(within(20)).await.unwrap();
    assert_eq!((fake.connections(), fake.seen().len()), (1, 1));
    // There is one already, on which it would be sent.
    client.open_ahead().await;
    client.version(within(20)).await.unwrap();
    assert_eq!((fake.connections(), fake.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_request_waits_for_the_connection_that_opens() {
    let fake = Fake::start([(get("/version").token(CANARY), Answer::json(200, VERSION))]);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    let ((), version) = tokio::join!(client.open_ahead(), client.version(within(20)));
    version.unwrap();
    assert_eq!((fake.connections(), fake.seen().len()), (1, 1));
}

/// What is in the way is told by the request that finds it there.
#[tokio::test]
async fn a_connection_that_is_lost_or_not_to_be_had_is_nothing_to_the_first_request() {
    let fake = Fake::builder().openings([Opening::Close]).script([(get("/version"), Answer::json(200, VERSION))]).start();
    let mounted = mount(fake.authority());
    let ours = client(&fake, mounted.path());
    ours.open_ahead().await;
    ours.version(within(20)).await.unwrap();

    let fake = Fake::builder().serving(Serving::SelfSigned).start();
    let mounted = mount(fake.authority());
    let ours = client(&fake, mounted.path());
    ours.open_ahead().await;
    let error = checked(ours.version(within(20)).await.unwrap_err());
    assert!(told(&error).contains("is not a server to be trusted"), "{}", told(&error));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_to_be_trusted_gets_no_request() {
    for (serving, cause) in [
        (Serving::OtherAuthority, "its certificate is not issued by the certificate authority from `@/ca.crt`"),
        (Serving::SelfSigned, "its certificate is not issued by the certificate authority from `@/ca.crt`"),
        (Serving::Expired, "its certificate expired at 2021-01-01T00:00:00Z"),
        (Serving::NotYetValid, "its certificate is not valid before 4000-01-01T00:00:00Z"),
        (Serving::OtherName, "its certificate is for `other.example`, `10.0.0.1`, not for this address"),
    ] {
        let fake = Fake::builder().serving(serving).start();
        let mount = mount(fake.authority());
        let error = checked(client(&fake, mount.path()).version(within(20)).await.unwrap_err());
        let told = told(&error).replace(mount.path().to_str().unwrap(), "@");
        assert_eq!(told, format!("`https://127.0.0.1:PORT` is not a server to be trusted: {cause}"));
        assert!(error.is_unreachable() && error.help().is_some());
        assert_eq!((fake.seen().len(), fake.connections()), (0, 1), "{serving:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_at_once() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mount = mount(&Authority::new());
    for (address, cause) in [
        (format!("https://127.0.0.1:{port}"), "connection refused"),
        ("https://podlens.invalid".to_owned(), "its name cannot be resolved"),
    ] {
        let client = Client::new(Config::service_account(&address, mount.path()).unwrap()).unwrap();
        let error = checked(client.version(within(20)).await.unwrap_err());
        assert_eq!(error.to_string(), format!("cannot reach the API server at `{address}`"));
        assert_eq!(error.source().unwrap().to_string(), cause);
        assert!(error.is_unreachable());
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let fake = Fake::builder().openings([Opening::PlainHttp]).start();
    let mount = mount(fake.authority());
    let error = client(&fake, mount.path()).version(within(20)).await.unwrap_err();
    assert_eq!(told(&error), "cannot reach the API server at `https://127.0.0.1:PORT`: it does not speak TLS");
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_given_up() {
    let fake = Fake::builder().openings([Opening::Hang]).start();
    let mount = mount(fake.authority());
    let error = client(&fake, mount.path()).version(within(20)).await.unwrap_err();
    assert_eq!(told(&error), "cannot reach the API server at `https://127.0.0.1:PORT`: no connection within 5 s");
}

#[tokio::test]
async fn statuses_are_told_apart() {
    let said = "pods is forbidden: User \"system:serviceaccount:shop:reader\" cannot list resource \"pods\"";
    let answered = format!("`https://127.0.0.1:PORT` answered `GET {PODS}` with ");
    for (answer, kind, message) in [
        (
            Answer::status(400, "BadRequest", "field label not supported: x"),
            Kind::InvalidArgument,
            "400 Bad Request: field label not supported: x".to_owned(),
        ),
        (Answer::text(400, "canary"), Kind::Server, "400 Bad Request".to_owned()),
        (Answer::status(401, "Unauthorized", "Unauthorized"), Kind::Denied, "401 Unauthorized: Unauthorized".to_owned()),
        (Answer::status(403, "Forbidden", said), Kind::Denied, format!("403 Forbidden: {said}")),
        (Answer::status(403, "Forbidden", &format!("your token is {CANARY}")), Kind::Denied, "403 Forbidden".to_owned()),
        (
            Answer::status(403, "Forbidden", "a\u{1b}[2Jb\nc\u{202e}d"),
            Kind::Denied,
            "403 Forbidden: a\\u{1b}[2Jb\\u{a}c\\u{202e}d".to_owned(),
        ),
        (Answer::status(403, "Forbidden", &"x".repeat(9000)), Kind::Denied, format!("403 Forbidden: {}…", "x".repeat(512))),
        (
            Answer::status(404, "NotFound", "pods \"web-0\" not found"),
            Kind::NotFound,
            "404 Not Found: pods \"web-0\" not found".to_owned(),
        ),
        (Answer::text(404, "404 page not found"), Kind::Server, "404 Not Found".to_owned()),
        (Answer::text(405, ""), Kind::Server, "405 Method Not Allowed".to_owned()),
        (Answer::status(409, "Conflict", "c"), Kind::Server, "409 Conflict: c".to_owned()),
        (Answer::status(410, "Expired", "too old"), Kind::Expired, "410 Gone: too old".to_owned()),
        (Answer::text(204, ""), Kind::Server, "204 No Content".to_owned()),
        (Answer::json(206, "{}"), Kind::Server, "206 Partial Content".to_owned()),
        (Answer::text(304, ""), Kind::Server, "304 Not Modified".to_owned()),
        (Answer::text(501, "canary"), Kind::Server, "501 Not Implemented".to_owned()),
        (Answer::text(599, ""), Kind::Server, "599".to_owned()),
    ] {
        let error = error([(get(PODS), answer)], &list_pods(None)).await;
        assert_eq!((told(&error), error.kind()), (format!("{answered}{message}"), kind));
    }
}

#[tokio::test]
async fn an_expired_list_gives_the_token_to_go_on_with() {
    let metadata = serde_json::json!({"continue": "canary-fresh"});
    let expired = Answer::status_with(410, "Expired", "too old", &metadata, &serde_json::json!({}));
    let fake = Fake::start([(get(PODS), expired)]);
    let request = list_pods(ContinueToken::new("canary-old").as_ref());
    match send(&fake, &request, Call { deadline: within(20), max_bytes: 9 }).await {
        Err(failure @ Failure::Expired { .. }) => {
            assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
            let Failure::Expired { fresh, error } = failure else { unreachable!() };
            assert_eq!(fresh.unwrap().as_str(), "canary-fresh");
            assert!(checked(error).is_expired());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let good = || (get("/version"), Answer::json(200, VERSION));
    let whole = Answer::json(200, VERSION);
    for (name, trouble) in [
        ("429", Answer::text(429, "Too many requests, please try again later.")),
        ("500", Answer::status(500, "InternalError", "etcd")),
        ("502", Answer::text(502, "")),
        ("503", Answer::status(503, "ServiceUnavailable", "").header("Retry-After", "0")),
        ("504", Answer::status(504, "Timeout", "")),
        ("no answer", Answer::cut()),
        ("half a head", whole.clone().cut_after(20)),
        ("no body", whole.clone().cut_after(70)),
        ("half a body", whole.clone().truncated()),
        ("half a chunked body", whole.clone().chunked(7).truncated()),
        ("no last chunk", whole.clone().chunked(7).truncated()),
        ("a body until the connection is cut", whole.clone().until_close().truncated()),
        ("longer by its header", whole.clone().header("Content-Length", "1000").truncated()),
    ] {
        let fake = Fake::start([(get("/version"), trouble), good()]);
        let mount = mount(fake.authority());
        let version = client(&fake, mount.path()).version(within(20)).await;
        assert_eq!(version.map(|it| it.git_version).ok().as_deref(), Some("v1.37.2"), "{name}");
    }
    for opening in [Opening::Close, Opening::GoAway] {
        let fake = Fake::builder().openings([opening]).script([good()]).start();
        let mount = mount(fake.authority());
        client(&fake, mount.path()).version(within(20)).await.unwrap();
        assert_eq!(fake.connections(), 2, "{opening:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_anywhere_is_never_given_in_part() {
    let whole = Answer::json(200, VERSION).chunked(16);
    let length = 400;
    let script =
        (0..length).step_by(7).flat_map(|at| [(get("/version"), whole.clone().cut_after(at)), (get("/version"), whole.clone())]);
    let fake = Fake::start([]);
    let mount = mount(fake.authority());
    let script: Vec<_> = script.collect();
    for pair in script.chunks(2) {
        // A client of its own, which may repeat as much as it likes.
        let client = client(&fake, mount.path());
        for (expected, answer) in pair {
            fake.expect(expected.clone(), answer.clone());
        }
        let before = fake.seen().len();
        let response = client.send(&Request::version(), Call { deadline: within(20), max_bytes: 999 }).await.unwrap();
        assert_eq!(response.body.as_ref(), VERSION.as_bytes());
        // What was cut after its end was whole, and the second answer is still to be asked for.
        if fake.seen().len() - before == 1 {
            client.version(within(20)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_replaced() {
    let announced = Answer::json(200, VERSION).until_close();
    let unannounced = Answer::json(200, VERSION).cut_after(usize::MAX);
    let closing = [announced, unannounced];
    let fake = Fake::start(closing.iter().cycle().take(20).map(|answer| (get("/version"), answer.clone())));
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    for _ in 0..20 {
        client.version(within(20)).await.unwrap();
    }
    assert_eq!(fake.seen().len(), 20);
}

#[tokio::test]
async fn attempts_are_bounded_and_the_last_one_is_told() {
    let attempts = usize::try_from(retry::MAX_ATTEMPTS).unwrap();
    let told_of = |answer: Answer| async move { error(vec![(get("/version"), answer); attempts], &Request::version()).await };
    assert_eq!(
        told(&told_of(Answer::status(500, "InternalError", "etcd is ill")).await),
        "`https://127.0.0.1:PORT` answered `GET /version` with 500 Internal Server Error: etcd is ill"
    );
    let lost = told_of(Answer::json(200, VERSION).truncated()).await;
    assert_eq!(
        told(&lost),
        "`https://127.0.0.1:PORT` gave no complete answer to `GET /version`: the connection was lost before the answer was complete"
    );
    assert!(lost.is_unavailable() && lost.is_retryable());
}

/// As when an API server ends that has much under way: what each call loses is lost once.
#[tokio::test]
async fn a_lost_connection_costs_no_call_however_many_it_takes_with_it() {
    let calls = 40;
    let lost_and_found = [(get("/version"), Answer::cut()), (get("/version"), Answer::json(200, VERSION))];
    let fake = Fake::start(lost_and_found.iter().cycle().take(2 * calls).cloned());
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    for _ in 0..calls {
        client.version(within(20)).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_has_only_just_come_back_is_given_time() {
    let authority = Authority::new();
    let mount = mount(&authority);
    let good = || (get("/version"), Answer::json(200, VERSION));
    let fake = Fake::builder().authority(&authority).script([good()]).start();
    let (client, port) = (client(&fake, mount.path()), fake.port());
    client.version(within(20)).await.unwrap();
    drop(fake);
    let waiting = tokio::spawn(async move { client.version(within(20)).await.map(|version| (version, client)) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ill = [Answer::text(503, ""), Answer::cut(), Answer::status(403, "Forbidden", ""), Answer::text(500, "")];
    let script = ill.iter().chain(&ill).map(|answer| (get("/version"), answer.clone()));
    let fake = Fake::builder().authority(&authority).port(port).script(script.chain([good()])).start();
    waiting.await.unwrap().unwrap();
    assert_eq!(fake.seen().len(), 9);
}

/// It is posted, and changes nothing.
#[tokio::test]
async fn a_review_is_asked_again() {
    let review = || post("/apis/authentication.k8s.io/v1/selfsubjectreviews");
    let answer = r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"jane"}}}"#;
    let fake = Fake::start([(review(), Answer::text(503, "")), (review(), Answer::json(201, answer))]);
    let mount = mount(fake.authority());
    client(&fake, mount.path()).self_subject_review(within(20)).await.unwrap();
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    for (answer, seconds) in [
        (Answer::text(429, "").header("Retry-After", "60"), 60),
        (Answer::text(503, "").header("Retry-After", "18446744073709551615"), u64::MAX),
        (Answer::text(503, "").header("Retry-After", "99999999999999999999999"), u64::MAX),
        (
            Answer::status_with(429, "TooManyRequests", "", &serde_json::json!({}), &serde_json::json!({"retryAfterSeconds": 33})),
            33,
        ),
    ] {
        let started = Instant::now();
        let error = error([(get("/version"), answer)], &Request::version()).await;
        assert!(error.is_unavailable() && started.elapsed() < Duration::from_secs(10));
        assert_eq!(error.wait(), Some(Duration::from_secs(seconds)));
    }
}

#[tokio::test]
async fn a_wait_is_as_long_as_the_server_asks() {
    let fake = Fake::start([
        (get("/version"), Answer::text(429, "").header("Retry-After", "1")),
        (get("/version"), Answer::json(200, VERSION)),
    ]);
    let mount = mount(fake.authority());
    let started = Instant::now();
    client(&fake, mount.path()).version(within(20)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_deadline_ends_every_wait() {
    let json = Answer::json(200, VERSION);
    for answer in [Answer::hang(), json.clone().hang_after(100), json.clone().drip(Duration::from_millis(100)), json.held()] {
        let fake = Fake::start([(get("/version"), answer)]);
        let mount = mount(fake.authority());
        let started = Instant::now();
        let error = checked(client(&fake, mount.path()).version(within(1)).await.unwrap_err());
        assert_eq!(told(&error), "`https://127.0.0.1:PORT` gave no answer to `GET /version` in time");
        assert!(error.is_unavailable() && started.elapsed() < Duration::from_secs(4));
    }
}

#[tokio::test]
async fn the_deadline_tells_what_happened_before() {
    let fake = Fake::start([(get("/version"), Answer::text(500, "")), (get("/version"), Answer::hang())]);
    let mount = mount(fake.authority());
    let error = client(&fake, mount.path()).version(within(2)).await.unwrap_err();
    assert_eq!(
        told(&error).replace(&fake.port().to_string(), "PORT"),
        "`https://127.0.0.1:PORT` gave no answer to `GET /version` in time: \
         `https://127.0.0.1:PORT` answered `GET /version` with 500 Internal Server Error"
    );
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused() {
    let json = Answer::json(200, VERSION);
    for (answer, cause) in [
        (Answer::text(200, "canary"), "its content type is `text/plain; charset=utf-8`, not the JSON that was asked for"),
        (json.clone().without_header("Content-Type"), "it does not say its content type"),
        (json.clone().header("Content-Encoding", "gzip"), "it is encoded as `gzip`, which was not asked for"),
        (
            json.clone().header("Content-Type", "application/vnd.kubernetes.protobuf"),
            "its content type is `application/vnd.kubernetes.protobuf`, not the JSON that was asked for",
        ),
    ] {
        let error = error([(get("/api/v1/namespaces/shop/pods/web-0"), answer)], &get_pod()).await;
        assert_eq!(error.source().unwrap().to_string(), cause);
        assert!(error.is_server_error());
    }
    let fake = Fake::start([(get("/version"), Answer::json(200, "{canary"))]);
    let mount = mount(fake.authority());
    let error = checked(client(&fake, mount.path()).version(within(20)).await.unwrap_err());
    assert_eq!(told(&error), "cannot read the version that `https://127.0.0.1:PORT` gave: the answer is not a well-formed version");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_apart() {
    let body = "x".repeat(100_000);
    for answer in
        [Answer::json(200, body.clone()), Answer::json(200, body.clone()).chunked(1000), Answer::json(200, body).until_close()]
    {
        let fake = Fake::start([(get("/version"), answer)]);
        match send(&fake, &Request::version(), Call { deadline: within(20), max_bytes: 50_000 }).await {
            Err(Failure::TooLarge { error }) => {
                assert_eq!(told(&error), "the answer of `https://127.0.0.1:PORT` to `GET /version` is longer than 50000 bytes");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_failure_with_a_huge_body_is_still_that_failure() {
    let huge = format!(r#"{{"kind":"Status","reason":"Forbidden","message":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(
        told(&error([(get("/version"), Answer::json(403, huge))], &Request::version()).await),
        "`https://127.0.0.1:PORT` answered `GET /version` with 403 Forbidden"
    );
}

#[tokio::test]
async fn a_bomb_of_headers_is_refused() {
    let many: String = (0..5000).map(|number| format!("x-{number}: {}\r\n", "y".repeat(200))).collect();
    let bomb = Answer::raw(format!("HTTP/1.1 200 OK\r\n{many}\r\n"));
    let attempts = usize::try_from(retry::MAX_ATTEMPTS).unwrap();
    assert!(error(vec![(get("/version"), bomb); attempts], &Request::version()).await.is_unavailable());
}

#[tokio::test]
async fn a_redirect_is_refused_and_its_target_sees_nothing() {
    let target = Fake::start([]);
    for code in [301, 302, 303, 307, 308] {
        let fake = Fake::builder()
            .authority(target.authority())
            .script([(get("/version"), Answer::redirect(code, &format!("{}/canary", target.address())))])
            .start();
        let mount = mount(fake.authority());
        let error = checked(client(&fake, mount.path()).version(within(20)).await.unwrap_err());
        assert!(error.is_server_error() && error.help().unwrap().starts_with("redirects are not followed"), "{code}");
    }
    assert_eq!((target.connections(), target.seen().len()), (0, 0));
}

#[tokio::test]
async fn a_refused_token_is_read_again_and_tried_once() {
    let unauthorized = || Answer::status(401, "Unauthorized", "Unauthorized");
    let fake = Fake::start([
        (get("/version").token(CANARY), unauthorized()),
        // The file still holds the same: no second try.
        (get("/version").token(CANARY), unauthorized()),
        (get("/version").token("second"), Answer::json(200, VERSION)),
        (get("/version").token("second"), unauthorized()),
        (get("/version").token("third"), unauthorized()),
    ]);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    let error = checked(client.version(within(20)).await.unwrap_err());
    assert!(error.is_denied() && error.help().unwrap().starts_with("a token was sent, from `/"));
    write(mount.path(), "token", "second\n");
    assert_eq!(client.version(within(20)).await.unwrap().git_version, "v1.37.2");
    write(mount.path(), "token", "third");
    assert!(client.version(within(20)).await.unwrap_err().is_denied());
}

#[tokio::test]
async fn a_token_that_cannot_be_read_again_is_kept() {
    let fake = Fake::start([]);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    for text in [Some(""), Some("\n"), Some("half a token"), Some("\u{7f}"), None] {
        match text {
            Some(text) => write(mount.path(), "token", text),
            None => fs::remove_file(mount.path().join("token")).unwrap(),
        }
        fake.expect(get("/version").token(CANARY), Answer::status(401, "Unauthorized", "Unauthorized"));
        fake.expect(get("/version").token(CANARY), Answer::json(200, VERSION));
        assert!(client.version(within(20)).await.unwrap_err().is_denied());
        client.version(within(20)).await.unwrap();
    }
}

#[tokio::test]
async fn without_credentials_no_authorization_is_sent() {
    let fake = Fake::start([(get("/version").anonymous(), Answer::status(401, "Unauthorized", "Unauthorized"))]);
    let folder = tempfile::tempdir().unwrap();
    let error = checked(kubeconfig_client(folder.path(), &fake, "token: ''").version(within(20)).await.unwrap_err());
    let file = folder.path().join("config");
    let step =
        format!("no token was sent: there is none in user `u` in `{}`; add one there, or give `--token-file`", file.display());
    assert_eq!(error.help(), Some(format!("{step}\n{}", advice::DOCTOR).as_str()));
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let fake = Fake::builder().client_certificates().script([(get("/version").anonymous(), Answer::json(200, VERSION))]).start();
    let folder = tempfile::tempdir().unwrap();
    let mine = fake.authority().client("me");
    write(folder.path(), "crt", &mine.certificate_pem);
    write(folder.path(), "key", &mine.key_pem);
    let client = kubeconfig_client(folder.path(), &fake, "client-certificate: crt, client-key: key");
    client.version(within(20)).await.unwrap();

    let none = kubeconfig_client(folder.path(), &fake, "token: a").version(within(20)).await.unwrap_err();
    assert_eq!(
        told(&none),
        "cannot reach the API server at `https://127.0.0.1:PORT`: \
         it refuses the client certificate or the lack of one (CertificateRequired)"
    );
    write(folder.path(), "key", &Authority::new().client("me").key_pem);
    let error = kubeconfig(folder.path(), &fake, "client-certificate: crt, client-key: key").unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "it does not belong to the client certificate");
}

fn kubeconfig(folder: &Path, fake: &Fake, user: &str) -> Result<Config, Error> {
    write(folder, "ca.crt", &fake.authority().pem());
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{}', certificate-authority: ca.crt}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n",
        fake.address()
    );
    write(folder, "config", &text);
    let options = crate::config::ConfigOptions { kubeconfig: Some(folder.join("config")), ..Default::default() };
    Config::infer(&options)
}

fn kubeconfig_client(folder: &Path, fake: &Fake, user: &str) -> Client {
    Client::new(kubeconfig(folder, fake, user).unwrap()).unwrap()
}

#[tokio::test]
async fn a_rotated_authority_replaces_the_old_one() {
    let old = Fake::start([(get("/version"), Answer::json(200, VERSION))]);
    let mount = mount(old.authority());
    let config = Config::service_account(&old.address(), mount.path()).unwrap();
    let pool = Pools::new(&config).unwrap().pools;
    let seen = pool.get().await;
    // Looked at, and the same: nothing is replaced.
    assert!(Arc::ptr_eq(&seen, &pool.refresh(&seen).await));
    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        write(mount.path(), "ca.crt", broken);
        assert!(Arc::ptr_eq(&seen, &pool.refresh(&seen).await), "{broken:?}");
    }
    write(mount.path(), "ca.crt", &Authority::new().pem());
    let next = pool.refresh(&seen).await;
    assert!(!Arc::ptr_eq(&seen, &next));
    let url = format!("{}/version", old.address());
    seen.http.get(&url).send().await.unwrap();
    next.http.get(&url).send().await.unwrap_err();
}

/// Everything that is logged, by all crates, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_tells_a_token_or_a_body() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let fake = Fake::start([
        (get("/version"), Answer::text(500, "canary-body")),
        (get("/version"), Answer::json(200, VERSION).truncated()),
        (get("/version"), Answer::status(401, "Unauthorized", CANARY)),
        (get("/version").token("canary-second"), Answer::json(200, r#"{"gitVersion":"canary-body"}"#)),
        (get("/version").token("canary-second"), Answer::status(401, "Unauthorized", CANARY)),
    ]);
    let mount = mount(fake.authority());
    let client = client(&fake, mount.path());
    write(mount.path(), "token", "canary-second");
    client.version(within(20)).await.unwrap();
    write(mount.path(), "token", "");
    client.version(within(20)).await.unwrap_err();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("GET /version") && text.contains("the last good one is still used"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert!(!format!("{client:?} {:?}", client.config()).contains("canary"));
}
