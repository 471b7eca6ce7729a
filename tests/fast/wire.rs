//! What the API server, and the way to it, can do wrong, as a user of the binary meets it: the exit code and every word, and
//! nothing on standard output that could be taken for an answer.
//!
//! `host/src/client/tests.rs` has the same server byte by byte; here is what becomes of it in the end.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use podlens::{ApiServer, Client, Config, Error, FieldSelector, Grant, RunOptions};
use podlens_tests::fake::{Answer, Authority, Expected, Fake, Opening, Serving, get, post};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

use crate::arrange::{
    DOCTOR, NAMESPACE, PODS, Place, TOKEN, check, check_answer, lines, page, pod, pod_list, pods, protobuf, protobuf_list,
    protobuf_list_of,
};
use crate::{guests, support};

const RBAC: &str = "hint: the API server's RBAC decides this: it takes a Role and a RoleBinding in the namespace, and `podlens rbac` prints \
                    what a query needs";

const POD_NAMES: &[&str] = &["run", "pod-names"];

/// The answer of [`POD_NAMES`] to `pods(&["web-0"], "")`.
const ONE_POD: &[&str] = &["NAMESPACE   NAME", "shop        web-0"];

/// How long a run may take that a server tries to hold up. The machine may be busy; an hour it is not.
const PATIENCE: Duration = Duration::from_secs(60);

// The way to the server.

#[track_caller]
fn check_untrusted(serving: Serving, stderr: &[&str]) {
    check(Fake::builder().serving(serving).start(), POD_NAMES, 4, &[], stderr);
}

#[test]
fn a_server_that_is_not_to_be_trusted_is_told_with_what_to_check() {
    check_untrusted(
        Serving::OtherAuthority,
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate is not issued by the certificate authority from `FOLDER/ca.crt`",
            "hint: either that is another cluster's authority, or another server answers at this address; the authority has \
             to be the issuer's certificate, not the server's own",
            DOCTOR,
        ],
    );
    check_untrusted(
        Serving::SelfSigned,
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate is not issued by the certificate authority from `FOLDER/ca.crt`",
            "hint: either that is another cluster's authority, or another server answers at this address; the authority has \
             to be the issuer's certificate, not the server's own",
            DOCTOR,
        ],
    );
    check_untrusted(
        Serving::Expired,
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate expired at 2021-01-01T00:00:00Z",
            "hint: the clock here says NOWZ: set it if that is wrong, else renew the certificate",
            DOCTOR,
        ],
    );
    check_untrusted(
        Serving::NotYetValid,
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate is not valid before 4000-01-01T00:00:00Z",
            "hint: the clock here says NOWZ: set it if that is wrong, else renew the certificate",
            DOCTOR,
        ],
    );
    check_untrusted(
        Serving::OtherName,
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate is for `other.example`, `10.0.0.1`, not for this address",
            "hint: use an address for `https://127.0.0.1:PORT` that the certificate is for, or give such a name as \
             `--tls-server-name`",
            DOCTOR,
        ],
    );
}

#[test]
fn a_server_that_does_not_listen_is_told() {
    let authority = Authority::new();
    // Of a system's own services: the port of a listener that was closed may be another test's by now.
    let port = 1;
    let place = Place::mount(&authority);
    let mut command = place.in_pod("127.0.0.1", port);
    place.check(
        command.args(POD_NAMES),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://127.0.0.1:PORT`",
            "  caused by: connection refused",
            "hint: the address is from the environment's `KUBERNETES_SERVICE_HOST`: is the port right, and is the API server \
             running?",
            DOCTOR,
        ],
    );
    // The same address from a kubeconfig, and a proxy that kubectl would take.
    place.write_kubeconfig(&authority, &format!("https://127.0.0.1:{port}"), &json!({ "token": TOKEN }));
    let mut command = place.with_kubeconfig();
    place.check(
        command.args(POD_NAMES),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://127.0.0.1:PORT`",
            "  caused by: connection refused",
            "hint: the address is from cluster `dev` in `FOLDER/config`: is the port right, and is the API server running?",
            DOCTOR,
        ],
    );
    command.env("HTTPS_PROXY", "http://127.0.0.1:1");
    place.check(
        &mut command,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://127.0.0.1:PORT`",
            "  caused by: connection refused",
            "hint: the environment's `HTTPS_PROXY` is set and not used: name the proxy as the kubeconfig's `proxy-url` if it \
             is needed",
            DOCTOR,
        ],
    );
}

#[test]
fn a_name_that_does_not_resolve_is_told() {
    let place = Place::mount(&Authority::new());
    // resolv.conf(5): where no name server answers, none is waited for.
    let mut command = place.in_pod("api.cluster.invalid", 6443);
    place.check(
        command.env("RES_OPTIONS", "attempts:1 timeout:1").args(POD_NAMES),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://api.cluster.invalid:6443`",
            "  caused by: its name cannot be resolved",
            "hint: the address is from the environment's `KUBERNETES_SERVICE_HOST`: is the name right, and does DNS work here?",
            DOCTOR,
        ],
    );
}

#[test]
fn a_server_without_tls_is_told() {
    check(
        Fake::builder().openings([Opening::PlainHttp; 2]).start(),
        POD_NAMES,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://127.0.0.1:PORT`",
            "  caused by: it does not speak TLS",
            "hint: is the port right? an API server's is usually 6443 or 443",
            DOCTOR,
        ],
    );
}

#[test]
fn a_server_that_never_shakes_hands_is_given_up() {
    check(
        Fake::builder().openings([Opening::Hang; 2]).start(),
        POD_NAMES,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: cannot reach the API server at `https://127.0.0.1:PORT`",
            "  caused by: no connection within 5 s",
            "hint: the address is from the environment's `KUBERNETES_SERVICE_HOST`: is it right, and can it be reached from here?",
            DOCTOR,
        ],
    );
}

#[test]
fn a_server_that_hangs_up_is_tried_again() {
    let fake = Fake::builder().openings([Opening::Close; 2]).script([(get(PODS), pods(&["web-0"], ""))]).start();
    check(fake, POD_NAMES, 0, ONE_POD, &[]);
    check(
        Fake::builder().openings([Opening::Close; 6]).start(),
        POD_NAMES,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
}

#[test]
fn cluster_info_tells_what_it_knows_before_it_fails() {
    check(
        Fake::builder().serving(Serving::Expired).start(),
        &["cluster-info"],
        4,
        &[
            "server                  https://127.0.0.1:PORT    (the environment's `KUBERNETES_SERVICE_HOST`)",
            "namespace               shop                       (`FOLDER/namespace`)",
            "certificate authority   as configured              (`FOLDER/ca.crt`)",
            "credentials             bearer token from a file   (`FOLDER/token`)",
        ],
        &[
            "error: `https://127.0.0.1:PORT` is not a server to be trusted",
            "  caused by: its certificate expired at 2021-01-01T00:00:00Z",
            "hint: the clock here says NOWZ: set it if that is wrong, else renew the certificate",
            DOCTOR,
        ],
    );
    let fake = Fake::start([
        (get("/version"), Answer::json(200, r#"{"gitVersion":"v1.37.2","platform":"linux/amd64"}"#)),
        (
            post("/apis/authentication.k8s.io/v1/selfsubjectreviews").token(TOKEN),
            Answer::status(401, "Unauthorized", "Unauthorized"),
        ),
    ]);
    check(
        fake,
        &["cluster-info"],
        3,
        &[
            "server                  https://127.0.0.1:PORT    (the environment's `KUBERNETES_SERVICE_HOST`)",
            "namespace               shop                       (`FOLDER/namespace`)",
            "certificate authority   as configured              (`FOLDER/ca.crt`)",
            "credentials             bearer token from a file   (`FOLDER/token`)",
            "version                 v1.37.2                    (linux/amd64)",
        ],
        &[
            "error: `https://127.0.0.1:PORT` answered `POST /apis/authentication.k8s.io/v1/selfsubjectreviews` with 401 \
             Unauthorized",
            "  caused by: Unauthorized",
            "hint: a token was sent, from `FOLDER/token`: renew it there; it may have expired, be of another cluster, or its \
             pod or account may be gone",
            DOCTOR,
        ],
    );
}

// What it says instead of an answer.

#[test]
fn a_refusal_is_told_with_who_was_refused() {
    let message = concat!(
        r#"pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group """#,
        r#" in the namespace "shop""#
    );
    check_answer(
        Answer::status(401, "Unauthorized", "Unauthorized"),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 401 Unauthorized",
            "  caused by: Unauthorized",
            "hint: a token was sent, from `FOLDER/token`: renew it there; it may have expired, be of another cluster, or its \
             pod or account may be gone",
            DOCTOR,
        ],
    );
    check_answer(
        Answer::status(403, "Forbidden", message),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 403 Forbidden",
            "  caused by: pods is forbidden: User \"system:serviceaccount:shop:default\" cannot list resource \"pods\" in API \
             group \"\" in the namespace \"shop\"",
            RBAC,
            DOCTOR,
        ],
    );
    // A proxy's page is not shown.
    check_answer(
        Answer::text(403, "<html>blocked"),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 403 Forbidden",
            RBAC,
            DOCTOR,
        ],
    );
}

#[test]
fn a_refusal_of_a_kubeconfigs_user_tells_which_credentials_were_sent() {
    let fake = Fake::start([
        (get(PODS).token("of-kubeconfig"), Answer::status(401, "Unauthorized", "Unauthorized")),
        (get(PODS).anonymous(), Answer::status(401, "Unauthorized", "Unauthorized")),
    ]);
    let place = Place::empty();
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": "of-kubeconfig" }));
    let mut command = place.with_kubeconfig();
    place.check(
        command.args(POD_NAMES),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 401 Unauthorized",
            "  caused by: Unauthorized",
            "hint: a token was sent, from user `dev` in `FOLDER/config`: renew it there; it may have expired, be of another \
             cluster, or its pod or account may be gone",
            DOCTOR,
        ],
    );
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({}));
    let mut command = place.with_kubeconfig();
    place.check(
        command.args(POD_NAMES),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 401 Unauthorized",
            "  caused by: Unauthorized",
            "hint: no token was sent: there is none in user `dev` in `FOLDER/config`; add one there, or give `--token-file`",
            DOCTOR,
        ],
    );
}

#[test]
fn what_is_not_there_is_told() {
    let pod = get("/api/v1/namespaces/shop/pods/web-0");
    let get_pod = &["run", guests::ASKS, "-p", "namespace=shop", "-p", "name=web-0"];
    let missing = Answer::status(404, "NotFound", r#"pods "web-0" not found"#);
    check(
        Fake::start([(pod.clone(), missing)]),
        get_pod,
        1,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods/web-0` with 404 Not Found",
            r#"  caused by: pods "web-0" not found"#,
        ],
    );
    // What answers is no API server: that says nothing about the pod.
    check(
        Fake::start([(pod, Answer::text(404, "404 page not found"))]),
        get_pod,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods/web-0` with 404 Not Found",
            "hint: is `https://127.0.0.1:PORT` the address of a Kubernetes API server?",
            DOCTOR,
        ],
    );
    check_answer(
        Answer::text(404, "404 page not found"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 404 Not Found",
            "hint: is `https://127.0.0.1:PORT` the address of a Kubernetes API server?",
            DOCTOR,
        ],
    );
}

#[test]
fn a_bad_request_is_the_callers_if_the_api_server_says_so() {
    check_answer(
        Answer::status(400, "BadRequest", "unable to parse requirement"),
        2,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 400 Bad Request",
            "  caused by: unable to parse requirement",
        ],
    );
    check_answer(
        Answer::text(400, "what?"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 400 Bad Request",
        ],
    );
}

/// `answer` twice and then a list: nothing is lost. `answer` for ever: it is told.
#[track_caller]
fn check_tried_again(answer: &Answer, code: i32, stdout: &[&str], stderr: &[&str]) {
    let passes = [(get(PODS), answer.clone()), (get(PODS), answer.clone()), (get(PODS), pods(&["web-0"], ""))];
    check(Fake::start(passes), POD_NAMES, 0, ONE_POD, &[]);
    check(Fake::start(vec![(get(PODS), answer.clone()); 5]), POD_NAMES, code, stdout, stderr);
}

#[test]
fn what_may_pass_is_tried_again_and_then_told() {
    check_tried_again(
        &Answer::status(429, "TooManyRequests", "too many requests, please try again later"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 429 Too Many Requests",
            "  caused by: too many requests, please try again later",
        ],
    );
    check_tried_again(
        &Answer::status(500, "InternalError", "etcdserver: request timed out"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 500 Internal Server Error",
            "  caused by: etcdserver: request timed out",
        ],
    );
    check_tried_again(
        &Answer::text(503, "apiserver not ready"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 503 Service Unavailable",
        ],
    );
    check_tried_again(
        &Answer::text(504, "<html>a balancer's page"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 504 Gateway Timeout",
        ],
    );
    check_tried_again(
        &Answer::cut(),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
    check_tried_again(
        &pods(&["web-0"], "").truncated(),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
    check_tried_again(
        &pods(&["web-0"], "").chunked(16).truncated(),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
    check_tried_again(
        &pods(&["web-0"], "").until_close().truncated(),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
}

#[test]
fn the_server_says_when_to_try_again() {
    let asked = |seconds: &str| Answer::status(429, "TooManyRequests", "slow down").header("Retry-After", seconds);
    let started = Instant::now();
    let fake = Fake::start([(get(PODS), asked("1")), (get(PODS), pods(&["web-0"], ""))]);
    check(fake, POD_NAMES, 0, ONE_POD, &[]);
    assert!(started.elapsed() >= Duration::from_secs(1));
    // Later than the run may take: told at once.
    check_answer(
        asked("3600"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 429 Too Many Requests",
            "  caused by: slow down",
            "hint: the API server asks to wait 3600 s before trying again",
        ],
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Fake::start([]);
    let redirect = Answer::redirect(307, &format!("{}{PODS}", elsewhere.address()));
    let script = [(get(PODS).token(TOKEN), redirect)];
    check(
        Fake::builder().authority(elsewhere.authority()).script(script).start(),
        POD_NAMES,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 307 Temporary Redirect",
            "hint: redirects are not followed, since the token would go with them; an API server sends none: a login page or a \
             proxy may",
        ],
    );
    assert_eq!((elsewhere.connections(), elsewhere.seen()), (0, vec![]));
}

// Answers that are none.

/// A list, by the library, as far as it came.
async fn list(answer: Answer, grant: Grant) -> (Vec<String>, Result<(), Error>) {
    let fake = Fake::start([(get(PODS), answer)]);
    let place = Place::mount(fake.authority());
    let client = Config::service_account(&fake.address(), place.path()).and_then(Client::new).expect("the mount is in order");
    let query = support::query(guests::ASKS).await;
    let mut options = RunOptions::default();
    options.grant = grant;
    options.arguments = query.description().arguments([]).expect("none is needed");
    let mut run = query.run(Arc::new(ApiServer::new(client)), options);
    let mut rows = Vec::new();
    while let Some(row) = run.next_row().await {
        rows.push(format!("{:?}", row.cells()));
    }
    (rows, run.finish().await.result)
}

fn shop() -> Grant {
    Grant::nothing().namespace(support::namespace(NAMESPACE))
}

/// An answer that is no list of pods: `what` it should have been is told, and nothing of it.
async fn check_undecodable(answer: Answer, what: &str) {
    let (rows, result) = list(answer.clone(), shop()).await;
    let error = result.expect_err("this is no answer");
    let expected = format!("the query could not be answered: the API server's answer could not be read: the answer is {what}");
    assert_eq!((rows, support::told(&error)), (vec![], expected), "{answer:?}");
    assert!(error.is_server_error());
}

/// A list as JSON, with these items in place of a list's.
fn items(items: &str) -> Answer {
    Answer::json(200, format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":{items}}}"#))
}

#[tokio::test]
async fn a_body_that_is_no_list_is_refused() {
    let malformed = "not a well-formed PodList";
    for body in ["", "garbage", "{", "null", "7", "<html></html>", "\u{feff}{}", "k8s\0garbage"] {
        check_undecodable(Answer::json(200, body), malformed).await;
    }
    let list = protobuf_list(&pod_list(&[pod("web-0"), pod("web-1")], ""));
    for body in [&list[..list.len() - 1], &list[..list.len() / 2], b"\0", b"k8s\0", &[&list[..], &[0xff]].concat()] {
        check_undecodable(Answer::protobuf(body), malformed).await;
    }
    for wrong in ["[".repeat(100_000).as_str(), "[{}", "{}", "7"] {
        check_undecodable(items(wrong), malformed).await;
    }
    // Which of the two is meant, nobody knows.
    let twice = r#"{"kind":"PodList","apiVersion":"v1","items":[],"items":[{"metadata":{"name":"web-0","namespace":"shop"}}]}"#;
    check_undecodable(Answer::json(200, twice), malformed).await;
}

#[tokio::test]
async fn one_pod_that_cannot_be_read_spoils_the_list() {
    let good = pod("web-0");
    for bad in [
        "null",
        "7",
        r#"{"metadata":7}"#,
        r#"{"metadata":{"name":"web-1","name":"web-2"}}"#,
        r#"{"spec":{"priority":1e99}}"#,
        r#"{"metadata":{"creationTimestamp":"yesterday"}}"#,
    ] {
        check_undecodable(items(&format!("[{good},{bad}]")), "not a well-formed Pod").await;
    }
    // Text that is no UTF-8, in both encodings.
    let spoilt = |body: &[u8]| {
        let at = body.windows(5).position(|window| window == b"web-1").expect("it is in there");
        [&body[..at], b"web-\xff", &body[at + 5..]].concat()
    };
    let list = pod_list(&[good, pod("web-1")], "");
    check_undecodable(Answer::json(200, spoilt(list.to_string().as_bytes())), "not a well-formed PodList").await;
    check_undecodable(Answer::protobuf(spoilt(&protobuf_list(&list))), "not a well-formed Pod").await;
}

#[tokio::test]
async fn another_kind_is_refused_by_its_name() {
    for (api_version, kind) in
        [("v1", "SecretList"), ("v1", "Pod"), ("v2", "PodList"), ("meta.k8s.io/v1", "Table"), ("v1", "Status")]
    {
        let told = format!("`{api_version} {kind}`, not a v1 PodList");
        let json = json!({ "kind": kind, "apiVersion": api_version, "items": [] });
        check_undecodable(Answer::json(200, json.to_string()), &told).await;
        check_undecodable(Answer::protobuf(protobuf(api_version, kind, Vec::new())), &told).await;
    }
    check_undecodable(Answer::json(200, "{}"), "``, not a v1 PodList").await;
    check_answer(
        Answer::json(200, json!({ "kind": "SecretList", "apiVersion": "v1" }).to_string()),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: the API server's answer could not be read",
            "  caused by: the answer is `v1 SecretList`, not a v1 PodList",
        ],
    );
}

#[test]
fn a_head_that_promises_no_list_is_refused() {
    let list = || pods(&["web-0"], "");
    check_answer(
        list().header("Content-Encoding", "gzip"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave `GET /api/v1/namespaces/shop/pods` an answer that is none",
            "  caused by: it is encoded as `gzip`, which was not asked for",
        ],
    );
    check_answer(
        list().header("Content-Type", "text/html"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave `GET /api/v1/namespaces/shop/pods` an answer that is none",
            "  caused by: its content type is `text/html`, not the JSON or protobuf that was asked for",
        ],
    );
    check_answer(
        list().without_header("Content-Type"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave `GET /api/v1/namespaces/shop/pods` an answer that is none",
            "  caused by: it does not say its content type",
        ],
    );
    // Only a part of it.
    check_answer(
        Answer::json(206, pod_list(&[pod("web-0")], "").to_string()).header("Content-Range", "bytes 0-1/2"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 206 Partial Content",
        ],
    );
}

#[test]
fn an_answer_without_end_takes_neither_memory_nor_time() {
    const GIB: usize = 1 << 30;
    /// podlens itself takes 26 MiB of this, and one answer of 32 MiB as it grows, 35 MiB.
    const MAX_RESIDENT_KIB: u64 = 96 << 10;
    let mebibyte = || Answer::json(200, vec![b' '; 1 << 20]);
    program::podlens();
    for answer in [mebibyte(), mebibyte().chunked(1 << 20)] {
        let started = Instant::now();
        // Fewer pods may fit; when one does not, it is told.
        let script = ["500", "125", "31", "7", "1"].map(|limit| (page(limit, None), answer.clone().times(GIB >> 20)));
        let fake = Fake::start(script);
        let place = Place::mount(fake.authority());
        let (done, peak_kib) = program::run_with_peak(place.in_pod("127.0.0.1", fake.port()).args(POD_NAMES));
        let address = fake.address();
        let stderr = lines(&[
            "error: the query could not be answered",
            &format!("  caused by: the answer of `{address}` to `GET {PODS}` is longer than 33554432 bytes"),
        ]);
        assert_eq!(done, Done { code: 4, stdout: String::new(), stderr });
        assert!(peak_kib < MAX_RESIDENT_KIB, "{peak_kib} KiB");
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    }
}

#[test]
fn a_byte_a_second_is_no_answer() {
    program::podlens();
    let started = Instant::now();
    check_answer(
        pods(&["web-0"; 20], "").drip(Duration::from_secs(1)),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: the answer of `https://127.0.0.1:PORT` to `GET /api/v1/namespaces/shop/pods` comes at less than 1 KiB/s",
        ],
    );
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    // A run that has less time than it takes to notice.
    let fake = Fake::start([(get(PODS), pods(&["web-0"; 20], "").drip(Duration::from_secs(1)))]);
    check(
        fake,
        &["run", "pod-names", "--timeout", "500ms"],
        5,
        &[],
        &["error: the run reached its limit of wall time: 500ms", "hint: raise it with `--timeout`, if the query should have more"],
    );
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_the_run_may_take() {
    let fake = Fake::start([(get(PODS), Answer::hang())]);
    check(
        fake,
        &["run", "pod-names", "--timeout", "500ms"],
        5,
        &[],
        &["error: the run reached its limit of wall time: 500ms", "hint: raise it with `--timeout`, if the query should have more"],
    );
}

// Lists that break off.

/// How a table and `csv` end that have not all rows; in `csv` of one column with a second field, so that it is no row.
const CUT: &str = "# the answer is not complete";

/// Two good pages, and then `last`: the rows of the two are marked as not all.
#[track_caller]
fn check_broken_off(arguments: &[&str], last: &[Answer], code: i32, stdout: &[&str], stderr: &[&str]) {
    let good = [(page("500", None), pods(&["web-0", "web-1"], "2")), (page("500", Some("2")), pods(&["web-2"], "3"))];
    let last = last.iter().map(|answer| (page("500", Some("3")), answer.clone()));
    check(Fake::start(good.into_iter().chain(last)), arguments, code, stdout, stderr);
}

#[test]
fn what_a_list_gave_before_it_broke_off_is_never_passed_off_as_all() {
    let truncated = pods(&["web-3"], "").truncated();
    check_broken_off(
        POD_NAMES,
        &vec![truncated.clone(); 5],
        4,
        &["NAMESPACE   NAME", "shop        web-0", "shop        web-1", "shop        web-2", CUT],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
    check_broken_off(
        &["run", "pod-names", "-o", "json"],
        &vec![truncated; 5],
        4,
        &[
            "[",
            "    {",
            r#"        "namespace": "shop","#,
            r#"        "name": "web-0""#,
            "    },",
            "    {",
            r#"        "namespace": "shop","#,
            r#"        "name": "web-1""#,
            "    },",
            "    {",
            r#"        "namespace": "shop","#,
            r#"        "name": "web-2""#,
            "    }",
        ],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave no complete answer to `GET /api/v1/namespaces/shop/pods`",
            "  caused by: the connection was lost before the answer was complete",
        ],
    );
    check_broken_off(
        POD_NAMES,
        &[Answer::json(200, "{")],
        4,
        &["NAMESPACE   NAME", "shop        web-0", "shop        web-1", "shop        web-2", CUT],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: the API server's answer could not be read",
            "  caused by: the answer is not a well-formed PodList",
        ],
    );
    check_broken_off(
        POD_NAMES,
        &[Answer::status(403, "Forbidden", "pods is forbidden")],
        3,
        &["NAMESPACE   NAME", "shop        web-0", "shop        web-1", "shop        web-2", CUT],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 403 Forbidden",
            "  caused by: pods is forbidden",
            RBAC,
            DOCTOR,
        ],
    );
    // 410 without a token to go on with, or twice.
    check_broken_off(
        POD_NAMES,
        &[Answer::status(410, "Expired", "the provided continue parameter is too old")],
        4,
        &["NAMESPACE   NAME", "shop        web-0", "shop        web-1", "shop        web-2", CUT],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 410 Gone",
            "  caused by: the provided continue parameter is too old",
        ],
    );
    // A query that counts at the end has nothing to answer.
    check_broken_off(
        &["run", "owners"],
        &[Answer::json(200, "{")],
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: the API server's answer could not be read",
            "  caused by: the answer is not a well-formed PodList",
        ],
    );
}

/// All that a query can learn of a failure is its kind, whatever the server says.
#[test]
fn a_query_learns_only_the_kind_of_a_failure() {
    let status = |code, reason| Answer::status(code, reason, "what the server says");
    for (answer, times, kind, code) in [
        (status(401, "Unauthorized"), 1, "denied", 3),
        (status(403, "Forbidden"), 1, "denied", 3),
        (status(404, "NotFound"), 1, "not-found", 1),
        (status(410, "Expired"), 1, "expired", 4),
        (status(429, "TooManyRequests"), 5, "unavailable", 4),
        (status(503, "ServiceUnavailable"), 5, "unavailable", 4),
        (status(500, "InternalError"), 5, "server-error", 4),
        (Answer::json(200, "what the server says"), 1, "server-error", 4),
        (status(400, "BadRequest"), 1, "invalid-argument", 2),
    ] {
        let fake = Fake::start(vec![(get(PODS), answer); times]);
        let place = Place::mount(fake.authority());
        let run = ["run", guests::SWALLOWS, "-p", "namespace=shop", "-o", "csv", "--no-headers"];
        let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(run));
        assert_eq!((done.code, done.stdout), (code, lines(&[kind, &format!("{CUT},")])));
        // The operator is told more, and that the answer may lack something.
        let told = "warning: the answer is not complete\nerror: the query answered although a list ended early\n";
        assert!(done.stderr.starts_with(told), "{}", done.stderr);
    }
}

// Pages.

#[test]
fn a_list_is_asked_for_page_by_page_with_the_same_words() {
    let page = |token: Option<&str>| {
        let query = [
            ("limit", Some("500")),
            ("labelSelector", Some("app=web,tier in (a,b)")),
            ("fieldSelector", Some("status.phase!=Failed")),
            ("continue", token),
        ];
        let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        get(PODS).query(&query).token(TOKEN)
    };
    let labelled = |name: &str| {
        json!({
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "app": "web", "tier": "a" } },
            "status": { "phase": "Running" },
        })
    };
    let json = |names: &[&str], token: &str| pod_list(&names.iter().map(|name| labelled(name)).collect::<Vec<_>>(), token);
    let fake = Fake::start([
        (page(None), Answer::protobuf(protobuf_list(&json(&["web-0", "web-1"], "a/+=&b? %")))),
        // A server without protobuf, as it may be behind a balancer.
        (page(Some("a/+=&b? %")), Answer::json(200, json(&["web-2"], "3").to_string()).chunked(7)),
        // An empty page is not the last one.
        (page(Some("3")), Answer::protobuf(protobuf_list(&json(&[], "4")))),
        (page(Some("4")), Answer::protobuf(protobuf_list(&json(&["web-3"], "")))),
    ]);
    let place = Place::mount(fake.authority());
    let selectors = ["-l", "app=web,tier in (a,b)", "--field-selector", "status.phase!=Failed"];
    place.check(
        place.in_pod("127.0.0.1", fake.port()).args(["run", "pod-names", "-o", "name"]).args(selectors),
        0,
        &["pod/web-0", "pod/web-1", "pod/web-2", "pod/web-3"],
        &[],
    );
    let accepted: BTreeSet<_> = fake.seen().iter().map(|seen| seen.header("accept").map(str::to_owned)).collect();
    assert_eq!(accepted, [Some("application/vnd.kubernetes.protobuf,application/json".to_owned())].into());
    assert_eq!(fake.connections(), 1);
}

/// `pod-names` imports nothing that reads more than metadata, `restarts` does.
#[test]
fn metadata_alone_is_asked_for_where_a_query_can_read_no_more() {
    const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/vnd.kubernetes.protobuf,application/json";
    const FIELDS: &str = "application/vnd.kubernetes.protobuf,application/json";
    let list = |names: &[&str]| {
        pod_list(&names.iter().map(|name| json!({ "metadata": { "name": name, "namespace": NAMESPACE } })).collect::<Vec<_>>(), "")
    };
    let partial = |names: &[&str]| Answer::protobuf(protobuf_list_of("meta.k8s.io/v1", "PartialObjectMetadataList", &list(names)));
    for (arguments, accept, answer) in [
        (&["pod-names"][..], METADATA, partial(&["web-0"])),
        // A server that knows no such form.
        (&["pod-names"], METADATA, Answer::protobuf(protobuf_list(&list(&["web-0"])))),
        (&["pod-names"], METADATA, Answer::json(200, list(&["web-0"]).to_string())),
        (&["pod-names", "--field-selector", "metadata.name=web-0"], METADATA, partial(&["web-0"])),
        (&["pod-names", "--field-selector", "status.phase!=Failed"], FIELDS, Answer::protobuf(protobuf_list(&list(&["web-0"])))),
        (&["pod-names", "--record", "recording.json"], FIELDS, Answer::protobuf(protobuf_list(&list(&["web-0"])))),
    ] {
        let fake = Fake::start([(get(PODS), answer)]);
        let place = Place::mount(fake.authority());
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut run = place.in_pod("127.0.0.1", fake.port());
        run.current_dir(folder.path()).arg("run").args(arguments).args(["-o", "name"]);
        place.check(&mut run, 0, &["pod/web-0"], &[]);
        assert_eq!(fake.seen()[0].header("accept"), Some(accept), "{arguments:?}");
    }
    // What has less than was asked for is no answer.
    let less = [
        "error: the query could not be answered",
        "  caused by: the API server's answer could not be read",
        "  caused by: the answer is `meta.k8s.io/v1 PartialObjectMetadataList`, not a v1 PodList",
    ];
    for (answer, code, stdout, stderr) in
        [(Answer::protobuf(protobuf_list(&list(&["web-0"]))), 0, &["[]"][..], &[][..]), (partial(&["web-0"]), 4, &[], &less)]
    {
        let fake = Fake::start([(get(PODS), answer)]);
        let place = Place::mount(fake.authority());
        place.check(place.in_pod("127.0.0.1", fake.port()).args(["run", "restarts", "-o", "json"]), code, stdout, stderr);
        assert_eq!(fake.seen()[0].header("accept"), Some(FIELDS));
    }
}

#[test]
fn whole_objects_are_asked_for_as_json() {
    let fake = Fake::start([(page("500", None), pods(&["web-0"], ""))]);
    let place = Place::mount(fake.authority());
    let run = ["run", guests::OBJECTS, "--whole-objects", "-o", "csv", "--no-headers"];
    place.check(
        place.in_pod("127.0.0.1", fake.port()).args(run),
        0,
        &[r#""{""kind"":""Pod"",""apiVersion"":""v1"",""metadata"":{""name"":""web-0"",""namespace"":""shop""}}""#],
        &[],
    );
    assert_eq!(fake.seen()[0].header("accept"), Some("application/json"));
    // Protobuf was not asked for.
    check(
        Fake::start([(get(PODS), Answer::protobuf(protobuf_list(&pod_list(&[], ""))))]),
        &["run", guests::OBJECTS, "--whole-objects"],
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` gave `GET /api/v1/namespaces/shop/pods` an answer that is none",
            "  caused by: its content type is `application/vnd.kubernetes.protobuf`, not the JSON that was asked for",
        ],
    );
}

#[test]
fn namespaces_are_listed_one_after_the_other() {
    let list = |namespace: &str, names: &[&str], token: &str| {
        let pods: Vec<Value> = names.iter().map(|name| json!({ "metadata": { "name": name, "namespace": namespace } })).collect();
        Answer::protobuf(protobuf_list(&pod_list(&pods, token)))
    };
    let page = |namespace: &str, token: Option<&str>| {
        let query = [Some(("limit", "500")), token.map(|token| ("continue", token))];
        get(&format!("/api/v1/namespaces/{namespace}/pods")).query(&query.into_iter().flatten().collect::<Vec<_>>())
    };
    let fake = Fake::start([
        (page("a", None), list("a", &["x"], "2")),
        (page("a", Some("2")), list("a", &["y"], "")),
        (page("b", None), list("b", &[], "")),
        // The token of one list is never used for another.
        (page("c", None), list("c", &["x"], "")),
    ]);
    let arguments = ["run", "pod-names", "-n", "c", "-n", "a", "-n", "b", "-n", "a", "--no-headers"];
    check(fake, &arguments, 0, &["a     x", "a     y", "c     x"], &[]);
}

#[test]
fn a_page_with_more_pods_than_asked_for_is_given_whole() {
    let names: Vec<String> = (0..1201).map(|index| format!("web-{index:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows: Vec<String> = names.iter().map(|name| format!("pod/{name}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let fake = Fake::start([(page("500", None), pods(&names, ""))]);
    check(fake, &["run", "pod-names", "-o", "name"], 0, &rows, &[]);
}

#[test]
fn a_page_that_is_too_large_is_asked_for_again_with_fewer_pods() {
    let large = || Answer::json(200, vec![b' '; 1 << 20]).times(40);
    let fake = Fake::start([
        (page("500", None), pods(&["web-0"], "2")),
        (page("500", Some("2")), large()),
        (page("125", Some("2")), large()),
        (page("31", Some("2")), pods(&["web-1"], "3")),
        // What was too large once is likely to be so again.
        (page("31", Some("3")), pods(&["web-2"], "")),
    ]);
    check(fake, &["run", "pod-names", "-o", "name"], 0, &["pod/web-0", "pod/web-1", "pod/web-2"], &[]);
}

#[test]
fn the_bytes_that_a_run_may_read_end_it_by_name() {
    check(
        Fake::start([(page("500", None), pods(&["web-0"; 50], ""))]),
        &["run", "pod-names", "--max-response-bytes", "1Ki"],
        5,
        &[],
        &[
            "error: the run reached its limit of bytes of answers: 1Ki",
            "hint: raise it with `--max-response-bytes`, if the query should have more",
        ],
    );
}

// Lists that expire.

fn expired(fresh: &str) -> Answer {
    let message = "The provided continue parameter is too old to display a consistent list result.";
    Answer::status_with(410, "Expired", message, &json!({ "continue": fresh }), &json!({}))
}

#[test]
fn a_list_that_expires_before_its_first_pod_starts_again() {
    let fake = Fake::start([
        (page("500", None), pods(&[], "2")),
        (page("500", Some("2")), expired("fresh")),
        (page("500", None), pods(&["web-0"], "3")),
        (page("500", Some("3")), pods(&["web-1"], "")),
    ]);
    check(fake, &["run", "pod-names", "-o", "name"], 0, &["pod/web-0", "pod/web-1"], &[]);
    // Once.
    let fake = Fake::start([
        (page("500", None), pods(&[], "2")),
        (page("500", Some("2")), expired("fresh")),
        (page("500", None), pods(&[], "3")),
        (page("500", Some("3")), expired("fresh")),
    ]);
    check(
        fake,
        POD_NAMES,
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 410 Gone",
            "  caused by: The provided continue parameter is too old to display a consistent list result.",
        ],
    );
}

/// Whether a pod was handed out is asked of each namespace's list for itself.
#[test]
fn a_list_that_expires_before_its_first_pod_starts_again_in_a_later_namespace() {
    let list = |namespace: &str| get(&format!("/api/v1/namespaces/{namespace}/pods"));
    let of_b = json!({ "metadata": { "name": "web-1", "namespace": "b" } });
    let of_a = json!({ "metadata": { "name": "web-0", "namespace": "a" } });
    let fake = Fake::start([
        (list("a"), Answer::json(200, pod_list(&[of_a], "").to_string())),
        (list("b").query(&[("limit", "500")]), pods(&[], "2")),
        (list("b").query(&[("limit", "500"), ("continue", "2")]), expired("fresh")),
        (list("b").query(&[("limit", "500")]), Answer::json(200, pod_list(&[of_b], "").to_string())),
    ]);
    check(fake, &["run", "pod-names", "-n", "a", "-n", "b", "-o", "name"], 0, &["pod/web-0", "pod/web-1"], &[]);
}

#[test]
fn a_list_that_expires_later_goes_on_with_a_fresh_token_and_says_so() {
    let first = || [(page("500", None), pods(&["web-0"], "2")), (page("500", Some("2")), expired("fresh"))];
    let fake = Fake::start(
        first()
            .into_iter()
            .chain([(page("500", Some("fresh")), pods(&["web-1"], "3")), (page("500", Some("3")), pods(&["web-2"], ""))]),
    );
    check(
        fake,
        &["run", "pod-names", "-o", "name"],
        0,
        &["pod/web-0", "pod/web-1", "pod/web-2"],
        &["warning: the API server dropped the snapshot in the middle of the list: pods after that point are of a later moment"],
    );
    // Twice is no list any more.
    let fake = Fake::start(
        first()
            .into_iter()
            .chain([(page("500", Some("fresh")), pods(&["web-1"], "3")), (page("500", Some("3")), expired("fresher"))]),
    );
    check(
        fake,
        POD_NAMES,
        4,
        &["NAMESPACE   NAME", "shop        web-0", "shop        web-1", CUT],
        &[
            "warning: the API server dropped the snapshot in the middle of the list: pods after that point are of a later moment",
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 410 Gone",
            "  caused by: The provided continue parameter is too old to display a consistent list result.",
        ],
    );
}

#[test]
fn a_list_that_expires_at_once_is_told() {
    check_answer(
        expired("fresh"),
        4,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 410 Gone",
            "  caused by: The provided continue parameter is too old to display a consistent list result.",
        ],
    );
}

// Lists without end.

#[test]
fn a_list_that_goes_on_where_it_was_is_told() {
    let fake = Fake::start([(page("500", None), pods(&["web-0"], "2")), (page("500", Some("2")), pods(&["web-1"], "2"))]);
    check(
        fake,
        POD_NAMES,
        4,
        &["NAMESPACE   NAME", "shop        web-0", CUT],
        &[
            "warning: the answer is not complete",
            "error: the query could not be answered",
            "  caused by: the API server continues the list where it already was",
        ],
    );
}

/// Two pages that lead to each other.
fn circle(names: &[&str]) -> Fake {
    Fake::builder()
        .script([(page("500", None), pods(names, "2"))])
        .always(page("500", Some("2")), pods(names, "3"))
        .always(page("500", Some("3")), pods(names, "2"))
        .start()
}

#[test]
fn a_list_without_end_is_ended_by_a_limit() {
    check(
        circle(&["web-0"]),
        &["run", "owners", "--max-pods", "100"],
        5,
        &[],
        &["error: the run reached its limit of pods: 100", "hint: raise it with `--max-pods`, if the query should have more"],
    );
    check(
        circle(&["web-0"]),
        &["run", "owners", "--max-requests", "10"],
        5,
        &[],
        &[
            "error: the run reached its limit of requests for pods: 10",
            "hint: raise it with `--max-requests`, if the query should have more",
        ],
    );
    // Without a pod, too.
    check(
        circle(&[]),
        &["run", "owners", "--max-requests", "10"],
        5,
        &[],
        &[
            "error: the run reached its limit of requests for pods: 10",
            "hint: raise it with `--max-requests`, if the query should have more",
        ],
    );
    check(
        circle(&[]),
        &["run", "owners", "--timeout", "500ms", "--max-requests", "1000000000"],
        5,
        &[],
        &["error: the run reached its limit of wall time: 500ms", "hint: raise it with `--timeout`, if the query should have more"],
    );
}

// Tokens.

#[test]
fn a_token_that_was_replaced_meanwhile_is_tried_once() {
    let unauthorized = || Answer::status(401, "Unauthorized", "Unauthorized");
    let run = |answers: Vec<(Expected, Answer)>, code: i32, stdout: &[&str], first_word: &str| {
        let fake = Fake::start(answers);
        let place = Place::mount(fake.authority());
        let mut command = place.in_pod("127.0.0.1", fake.port());
        let child = thread::spawn(move || program::run(command.args(POD_NAMES)));
        while fake.seen().is_empty() {
            thread::yield_now();
        }
        // It was refused the old one, and does not know yet.
        fs::rename(place.write("new-token", "rotated\n"), place.path().join("token")).expect("the folder can be written");
        fake.release();
        let done = child.join().expect("podlens can be run");
        assert_eq!((done.code, done.stdout), (code, lines(stdout)), "{}", done.stderr);
        assert!(done.stderr.starts_with(first_word), "{}", done.stderr);
    };
    let old = (get(PODS).token(TOKEN), unauthorized().held());
    run(vec![old.clone(), (get(PODS).token("rotated"), pods(&["web-0"], ""))], 0, ONE_POD, "");
    run(vec![old, (get(PODS).token("rotated"), unauthorized())], 3, &[], "error: ");
}

// A server that lies.

#[tokio::test]
async fn a_pod_that_was_not_asked_for_is_withheld_with_all_of_its_page() {
    let with = |name: &str, namespace: &str, labels: Value, phase: &str| {
        let metadata = json!({ "name": name, "namespace": namespace, "labels": labels });
        json!({ "metadata": metadata, "status": { "phase": phase } })
    };
    let asked_for = with("web-0", NAMESPACE, json!({ "app": "web" }), "Running");
    let grant = shop().labels(&support::labels("app=web")).fields(&FieldSelector::parse("status.phase=Running").unwrap());
    for (not_asked_for, is_one) in [
        (with("web-1", NAMESPACE, json!({ "app": "web" }), "Running"), false),
        (with("web-1", "kube-system", json!({ "app": "web" }), "Running"), true),
        (with("web-1", "", json!({ "app": "web" }), "Running"), true),
        (with("web-1", NAMESPACE, json!({ "app": "db" }), "Running"), true),
        (with("web-1", NAMESPACE, json!({}), "Running"), true),
        (with("web-1", NAMESPACE, json!({ "app": "web" }), "Failed"), true),
        (with("", NAMESPACE, json!({ "app": "web" }), "Running"), true),
        (with("../web-1", NAMESPACE, json!({ "app": "web" }), "Running"), true),
        (json!({}), true),
    ] {
        let pods = pod_list(&[asked_for.clone(), not_asked_for], "");
        for answer in [Answer::json(200, pods.to_string()), Answer::protobuf(protobuf_list(&pods))] {
            let (rows, result) = list(answer, grant.clone()).await;
            let told = result.as_ref().map_or_else(support::told, |()| "success".to_owned());
            let expected = match is_one {
                true => (0, "the query could not be answered: the API server returned a pod that was not asked for"),
                false => (2, "success"),
            };
            assert_eq!((rows.len(), told.as_str()), expected, "{pods}");
        }
    }
}

#[test]
fn a_pod_that_was_not_asked_for_is_told() {
    let other = json!({ "metadata": { "name": "web-1", "namespace": "kube-system" } });
    check_answer(
        Answer::json(200, pod_list(&[pod("web-0"), other], "").to_string()),
        4,
        &[],
        &["error: the query could not be answered", "  caused by: the API server returned a pod that was not asked for"],
    );
    // In all namespaces, one of none.
    let nowhere = pod_list(&[json!({ "metadata": { "name": "web-1" } })], "");
    let fake = Fake::start([(get("/api/v1/pods"), Answer::json(200, nowhere.to_string()))]);
    check(
        fake,
        &["run", "pod-names", "-A"],
        4,
        &[],
        &["error: the query could not be answered", "  caused by: the API server returned a pod that was not asked for"],
    );
}

#[test]
fn a_pod_of_another_name_or_namespace_than_asked_for_is_not_given() {
    let get_pod = &["run", guests::ASKS, "-p", "namespace=shop", "-p", "name=web-0"];
    let other_name = json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "web-1", "namespace": NAMESPACE } });
    let other_namespace = json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "web-0", "namespace": "kube-system" } });
    for pod in [other_name, other_namespace] {
        let fake = Fake::start([(get("/api/v1/namespaces/shop/pods/web-0"), Answer::json(200, pod.to_string()))]);
        check(
            fake,
            get_pod,
            1,
            &[],
            &["error: the query could not be answered", "  caused by: there is no such pod among those granted"],
        );
    }
}
