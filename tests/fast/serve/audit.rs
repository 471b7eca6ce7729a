//! What is on record.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use podlens_tests::canary;
use podlens_tests::fake::{Answer, get};
use podlens_tests::{guests, program};
use serde_json::{Value, json};

use super::callers::{ACCOUNT, made_up};
use super::server::{Server, Setup, asked, bearer, built_in, cluster, guest, policy, problem, tenant, token, wait_for};
use crate::arrange::{PODS, TOKEN, pods};
use crate::demo::Serving;

/// How often the API server was asked whether it is there, and answered.
const VERSIONS: &str = r#"rest_client_requests_total{code="200",method="GET"}"#;

#[test]
fn what_cannot_be_put_on_record_is_not_done() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &[])]);
    // A disk that is full, and a pipe that nobody reads any more.
    let full = OpenOptions::new().write(true).open("/dev/full").expect("this needs /dev/full");
    let closed = {
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().expect("there is `true`");
        let pipe = reader.stdin.take().expect("it is piped");
        assert!(reader.wait().expect("it ends").success());
        std::os::fd::OwnedFd::from(pipe).into()
    };
    for sink in [full, closed] {
        let server = Setup::of_fake(&fake, &own).audit_to(sink).start();
        for accept in ["application/json", "application/jsonl"] {
            let headers = bearer(&token("shop")) + &format!("Accept: {accept}\r\n");
            let refused = server.ask("GET", "/v1/queries/pod-names/run", &headers, b"");
            problem(&refused, 503, "audit_unavailable");
            assert!(refused.header("retry-after").is_some(), "{refused:?}");
        }
        // What tells of nothing new goes on, and who asks whether the server is ready is told.
        assert_eq!(server.get("shop", "/v1/queries").code, 200);
        wait_for("word of it", || server.health("/readyz").body.contains("[-]audit failed").then_some(()));
        wait_for("an API server that is there", || server.health("/readyz").body.contains("[+]api-server ok").then_some(()));
        assert_eq!((server.health("/readyz").code, server.health("/livez").code), (503, 200));
        assert!(server.metric(r#"podlens_audit_records_total{result="error"}"#) >= 2.0);
    }
    assert_eq!(asked(&fake), []);
}

/// A collector that is stopped, or a disk that hangs. Both directions of the test's patience: it takes five seconds, and not for ever.
/// A pipe whose next write waits for a reader.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("there are pipes");
    // What one holds on Linux (pipe(7)).
    writer.write_all(&[b'x'; 65_536]).expect("it is empty");
    (reader, writer)
}

#[test]
fn a_log_that_stands_still_holds_up_those_alone_who_have_to_be_on_record() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &[]), ACCOUNT.to_owned()]);
    let (_reader, writer) = full_pipe();
    let mut server = Setup::of_fake(&fake, &own).audit_to(std::os::fd::OwnedFd::from(writer).into()).start();
    let started = Instant::now();
    let refused = server.get("shop", "/v1/queries/pod-names/run");
    problem(&refused, 503, "audit_unavailable");
    assert!(started.elapsed() >= Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!((server.get("shop", "/v1/queries").code, server.health("/livez").code), (200, 200));
    // Whose a token is is not asked, since that could not be put on record.
    let refused = server.ask("GET", "/v1/queries", &bearer(&made_up("podlens")), b"");
    problem(&refused, 503, "audit_unavailable");
    assert_eq!(asked(&fake), []);
    // It is the log that fails, and the API server is there: asked once.
    wait_for("an answer to the probe", || (server.metric(VERSIONS) == 1.0).then_some(()));
    let ready = server.health("/readyz").body;
    assert!(ready.contains("[-]audit failed") && ready.contains("[+]api-server ok"), "{ready}");
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.said().contains("it has stood still for 5 s"), "{}", server.said());
}

#[test]
fn who_wishes_for_the_end_twice_does_not_wait_for_a_log_that_stands_still() {
    let fake = cluster().start();
    let (_reader, writer) = full_pipe();
    let own = policy(&[tenant("shop", &[], &[])]);
    let setup = Setup::of_fake(&fake, &own).arguments(&["--shutdown-delay", "10m"]);
    let mut server = setup.audit_to(std::os::fd::OwnedFd::from(writer).into()).start();
    wait_for("an answer to the probe", || (server.metric(VERSIONS) == 1.0).then_some(()));
    server.signal("-TERM");
    wait_for("word of the end", || server.health("/readyz").body.contains("[-]shutdown failed").then_some(()));
    let wished = Instant::now();
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(wished.elapsed() < Duration::from_secs(4), "{:?}", wished.elapsed());
    assert!(server.said().contains("the audit log has not taken its last lines"), "{}", server.said());
}

#[test]
fn a_log_that_is_none_is_not_gone_on_with() {
    let fake = cluster().start();
    let own = policy(&[tenant("shop", &[], &[])]);
    for text in ["something else\n", "{\"schema\":\"another\"}\n"] {
        let setup = Setup::of_fake(&fake, &own);
        setup.place.write("audit.jsonl", text);
        let refused = setup.refused();
        assert_eq!((refused.code, refused.stdout.as_str()), (4, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("there is no audit log, and without one nothing is run"), "{}", refused.stderr);
    }
}

#[test]
fn each_request_to_the_api_server_is_on_record_by_its_audit_id() {
    let name = format!("{PODS}/web-0");
    let fake = cluster()
        .always(get(PODS).query(&[("limit", "500")]), pods(&["a"], "next"))
        .always(get(PODS).query(&[("limit", "500"), ("continue", "next")]), Answer::status(503, "ServiceUnavailable", "no"))
        .always(get(&name), Answer::status(404, "NotFound", "no"))
        .start();
    let own = tenant("shop", &[built_in("pod-names"), guest("asks", guests::ASKS)], &[]);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::ASKS]).start();
    server.wait_until_ready();
    let failed = server.get("shop", "/v1/queries/pod-names/run");
    assert_eq!(failed.code, 503, "{failed:?}");
    assert_eq!(server.get("shop", "/v1/queries/asks/run?namespace=shop&name=web-0").code, 422);

    let seen = fake.seen();
    assert!(seen.len() > 4, "attempts are requests, too: {seen:?}");
    let id = |seen: &podlens_tests::fake::Seen| seen.header("audit-id").expect("each request has one").to_owned();
    let sent: BTreeSet<_> = seen.iter().map(id).collect();
    let calls = server.audited("ResponseComplete");
    let recorded: BTreeSet<_> = calls.iter().map(|call| call["auditID"].as_str().expect("each has one").to_owned()).collect();
    assert_eq!((sent.len(), &sent), (seen.len(), &recorded));
    assert_eq!(calls.len(), seen.len());
    // Who reads both logs finds the run by what the API server is told, too.
    let runs: BTreeSet<_> = server.audited("RunStarted").iter().map(|run| run["runID"].as_str().unwrap().to_owned()).collect();
    for seen in asked(&fake) {
        let call = calls.iter().find(|call| call["auditID"] == id(&seen)).expect("it is there");
        let run = call["runID"].as_str().expect("it is a run's");
        assert!(
            runs.contains(run) && seen.header("user-agent").is_some_and(|agent| agent.contains(&format!("run/{run}"))),
            "{seen:?}"
        );
        assert_eq!((&call["tenant"], &call["objectRef"]["resource"]), (&json!("shop"), &json!("pods")));
    }
}

/// Runs of each kind on a server that has something to tell of them, and looks for what may not be told.
#[test]
fn the_log_is_whole_and_tells_nothing_of_what_was_in_a_run() {
    const PARAMETER: &str = "canary-parameter-5e1f";
    const NAMESPACE: &str = "canary-namespace-9e";
    const POD: &str = "canary-pod-77aa";
    let list = json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7" },
        "items": [{
            "metadata": { "name": POD, "namespace": "shop", "labels": { "canary": "canary-label-1c" } },
            "spec": { "nodeName": "canary-node-9d", "containers": [{ "name": "canary-container-4b", "image": "canary/image:3e" }] },
        }],
    });
    let fake = cluster().always(get(PODS), Answer::json(200, list.to_string())).start();
    let paths = [guests::ECHO_ARGUMENTS, guests::PANICS, guests::SWALLOWS];
    let queries = [
        built_in("pod-names"),
        built_in("images"),
        guest("echo", guests::ECHO_ARGUMENTS),
        guest("panics", guests::PANICS),
        guest("swallows", guests::SWALLOWS),
    ];
    let own = tenant("shop", &queries, &["rates: {runsPerSecond: 100}"]);
    let setup = Setup::of_fake(&fake, &policy(&[own]));
    let server = setup.queries(&paths).start();
    for name in ["pod-names", "images", "panics", "nothing"] {
        server.get("shop", &format!("/v1/queries/{name}/run"));
    }
    let answer = server.get("shop", "/v1/queries/pod-names/run");
    assert!(answer.body.contains(POD), "{answer:?}");
    let echo = server.get("shop", &format!("/v1/queries/echo/run?text={PARAMETER}"));
    assert!(echo.body.contains(PARAMETER), "{echo:?}");
    server.post("shop", "/v1/queries/echo/run", &json!({ "parameters": { "text": PARAMETER } }).to_string());
    server.post("shop", "/v1/queries/echo/run", &json!({ "parameters": { "integer": PARAMETER } }).to_string());
    server.get("shop", &format!("/v1/queries/swallows/run?namespace={NAMESPACE}"));
    server.ask("GET", "/v1/queries", &bearer("canary-token-of-nobody"), b"");

    let path = server.audit_path();
    let done = program::run(program::command().args(["audit", "verify"]).arg(&path));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
    let log = fs::read_to_string(&path).expect("it can be read");
    let stages = |stage: &str| server.audited(stage).len();
    assert!(stages("RunStarted") >= 7 && stages("RunStarted") == stages("RunComplete"), "{log}");
    // The parameter's name is there; its value is not.
    assert!(server.audited("RunStarted").iter().any(|run| run["parameters"] == json!(["text"])), "{log}");
    // What was asked for and is not granted is there, though the query has swallowed that.
    let denied: Vec<_> = server.audited("RunComplete").into_iter().filter(|run| !run["denied"].is_null()).collect();
    let told = format!("namespace `{NAMESPACE}` is not granted");
    assert_eq!(denied.iter().map(|run| run["denied"].as_str()).collect::<Vec<_>>(), [Some(told.as_str())], "{log}");
    assert_eq!(log.matches(NAMESPACE).count(), 1, "{log}");
    let mut secrets = canary::forms_of_token(TOKEN);
    secrets.extend(canary::forms_of_token(&token("shop")));
    for secret in
        [PARAMETER, POD, "canary-token-of-nobody", "canary-label-1c", "canary-node-9d", "canary-container-4b", "canary/image:3e"]
    {
        secrets.extend(canary::forms(secret));
    }
    for secret in &secrets {
        assert!(!log.contains(secret), "{secret} is in {log}");
        assert!(!server.said().contains(secret), "{secret} is in {}", server.said());
        assert!(!server.health("/metrics").body.contains(secret), "{secret}");
    }
    // It is for its owner alone.
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_log_names_whom_the_api_server_was_asked_as() {
    let demo = Serving::start();
    let own = "- name: shop\n  callers: [{serviceAccount: {namespace: shop, name: dashboards}}]\n  \
               identity: {serviceAccount: {namespace: shop, name: podlens-reader}}\n  namespaces: [shop]\n  \
               queries: [{name: pod-names}]\n";
    let server = Setup::of_demo(&demo, &policy(&[own.to_owned()])).start();
    let caller = demo.caller_token("shop");
    assert_eq!(server.ask("GET", "/v1/queries/pod-names/run", &bearer(&caller), b"").code, 200);
    let calls = server.audited("ResponseComplete");
    let of = |resource: &str| calls.iter().filter(|call| call["objectRef"]["resource"] == resource).collect::<Vec<&Value>>();
    let [review] = of("tokenreviews")[..] else { panic!("{calls:?}") };
    assert!(review["impersonatedUser"].is_null() && review["tenant"].is_null(), "{review}");
    assert!(!of("pods").is_empty());
    for call in of("pods") {
        assert!(call["impersonatedUser"].to_string().contains("system:serviceaccount:shop:podlens-reader"), "{call}");
    }
    let run = &server.audited("RunStarted")[0];
    assert!(run.to_string().contains("dashboards"), "{run}");
    let mut log = String::new();
    fs::File::open(server.audit_path()).expect("it is there").read_to_string(&mut log).expect("it is UTF-8");
    assert!(canary::forms_of_token(&caller).iter().all(|secret| !log.contains(secret)), "{log}");
}

#[test]
fn a_log_goes_on_where_it_was() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &[])]);
    let first = Setup::of_fake(&fake, &own).start();
    assert_eq!(first.get("shop", "/v1/queries/pod-names/run").code, 200);
    let log = fs::read(first.audit_path()).expect("it can be read");
    drop(first);
    let setup = Setup::of_fake(&fake, &own);
    // The last line was torn when the machine lost its power.
    setup.place.write("audit.jsonl", [&log[..], b"{\"schema\":\"podlens.dev/au"].concat());
    let second: Server = setup.start();
    assert_eq!(second.get("shop", "/v1/queries/pod-names/run").code, 200);
    let done = program::run(program::command().args(["audit", "verify"]).arg(second.audit_path()));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
    assert!(done.stdout.contains("2 RunComplete"), "{}", done.stdout);
}
