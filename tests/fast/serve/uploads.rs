//! Components that tenants bring.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use podlens_tests::fake::{Fake, get};
use podlens_tests::guests;
use serde_json::json;

use super::server::{
    PATIENCE, Server, Setup, asked, bearer, built_in, cluster, digest, policy, problem, read_to_end, request, tenant, token,
};
use crate::arrange::{PODS, pods};
use crate::proxy::Response;

/// Two components of at most 8 MiB each.
const TWO: &str = "upload: {components: 2, componentBytes: 8Mi}";

fn component(path: &str) -> Vec<u8> {
    fs::read(path).expect("the build has made it")
}

fn start(fake: &Fake, more: &[&str]) -> Server {
    let own = tenant("shop", &[built_in("pod-names")], more);
    Setup::of_fake(fake, &policy(&[own])).with_cache().start()
}

#[test]
fn a_component_is_kept_run_and_forgotten() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let server = start(&fake, &[TWO]);
    let delete = |name: &str| server.ask("DELETE", &format!("/v1/queries/{name}"), &bearer(&token("shop")), b"");
    let asks = component(guests::ASKS);
    let created = server.put("shop", "/v1/queries/own", &asks);
    assert_eq!((created.code, created.json()), (201, json!({ "name": "own", "digest": digest(&asks) })));
    assert_eq!(server.get("shop", "/v1/queries/own/run").json()[0]["name"], "web-0");
    let told = server.get("shop", "/v1/queries/own").json();
    assert_eq!((&told["name"], &told["digest"]), (&json!("own"), &json!(digest(&asks))));
    let run = server.audited("RunStarted").remove(0);
    assert_eq!((&run["reason"], &run["componentDigest"]), (&json!("uploaded"), &json!(digest(&asks))), "{run}");

    // Another one under the same name is another query.
    let echo = component(guests::ECHO_ARGUMENTS);
    let replaced = server.put("shop", "/v1/queries/own", &echo);
    assert_eq!((replaced.code, replaced.json()["digest"].as_str()), (200, Some(digest(&echo).as_str())));
    assert_eq!(server.get("shop", "/v1/queries/own/run?integer=7").json()[0]["integer"], 7);

    let gone = delete("own");
    assert_eq!((gone.code, gone.body.as_str()), (204, ""));
    for target in ["/v1/queries/own", "/v1/queries/own/run"] {
        problem(&server.get("shop", target), 404, "not_found");
    }
    problem(&delete("own"), 404, "not_found");
    // What the policy gives is not the tenant's to forget.
    problem(&delete("pod-names"), 409, "conflict");
}

#[test]
fn taking_one_away_counts_as_bringing_it() {
    let fake = cluster().start();
    let server = start(&fake, &[TWO, "rates: {runsPerSecond: 0.02}"]);
    let delete = |name: &str| server.ask("DELETE", &format!("/v1/queries/{name}"), &bearer(&token("shop")), b"");
    // What is refused anyway does not count.
    problem(&delete("own"), 404, "not_found");
    assert_eq!(server.put("shop", "/v1/queries/own", &component(guests::ASKS)).code, 201);
    let refused = delete("own");
    problem(&refused, 429, "too_many_runs");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(server.get("shop", "/v1/queries/own").code, 200);
    assert_eq!(server.audited("QueryChanged").len(), 1);
}

/// Else it would be there for the next tenant of that name.
#[test]
fn what_is_brought_by_a_policy_that_is_gone_is_not_kept() {
    let fake = cluster().start();
    let server = start(&fake, &[TWO]);
    let asks = component(guests::ASKS);
    let headers = bearer(&token("shop")) + "Content-Type: application/wasm\r\n";
    let request = request(server.api, "PUT", "/v1/queries/own", &headers, &asks);
    let (first, rest) = request.split_at(request.len() - 1000);
    let mut slow = server.connect();
    slow.write_all(first).expect("it is read");
    // Taken away, and given again: it is not the same that was asked by.
    for (more, reloads) in [(&[][..], 2.0), (&[TWO][..], 3.0)] {
        server.place.write("policy.yaml", policy(&[tenant("shop", &[built_in("images")], more)]));
        server.wait_until_metric(r#"podlens_policy_reloads_total{result="success"}"#, reloads);
    }
    slow.write_all(rest).expect("it is read");
    problem(&Response::read(&read_to_end(slow)), 503, "policy_changed");
    problem(&server.get("shop", "/v1/queries/own"), 404, "not_found");
    assert_eq!(server.audited("QueryChanged").len(), 0);
}

#[test]
fn what_is_no_component_of_the_tenants_is_refused_and_changes_nothing() {
    let fake = cluster().start();
    let server = start(&fake, &["upload: {components: 1, componentBytes: 2Mi}"]);
    let asks = component(guests::ASKS);
    let put = |name: &str, headers: &str, body: &[u8]| {
        server.ask("PUT", &format!("/v1/queries/{name}"), &(bearer(&token("shop")) + headers), body)
    };
    problem(&put("pod-names", "", &asks), 409, "conflict");
    problem(&put("own", "Content-Type: text/plain\r\n", &asks), 415, "unsupported_media_type");
    problem(&put("own", "Content-Encoding: gzip\r\n", &asks), 415, "unsupported_media_type");
    problem(&put("own", "", &vec![0; (2 << 20) + 1]), 413, "too_large");
    // One that announces more is not read.
    let head = format!(
        "PUT /v1/queries/own HTTP/1.1\r\nHost: localhost:{}\r\n{}Content-Length: 99999999999\r\n\r\n",
        server.api,
        bearer(&token("shop"))
    );
    assert!(server.send(head.as_bytes()).starts_with("HTTP/1.1 413 "));
    for name in ["Own", "own.wasm", "-own", "o%77n", &"a".repeat(64)] {
        problem(&put(name, "", &asks), 404, "not_found");
    }
    let core = wat::parse_str("(module (func (export \"run\")))").expect("it is one");
    let empty = wat::parse_str("(component)").expect("it is one");
    for (bytes, told) in [
        (&core[..], "core WebAssembly module"),
        (b"SELECT name FROM pods", "not a WebAssembly component"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0", "component"),
        (&empty, "component"),
        (&asks[..asks.len() / 2], "component"),
    ] {
        let refused = put("own", "Content-Type: application/wasm\r\n", bytes);
        let problem = problem(&refused, 422, "invalid_component");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(told)), "`{told}`: {problem}");
        assert!(!refused.body.contains(server.place.path().to_str().expect("it is UTF-8")), "{refused:?}");
    }
    problem(&put("own", "", b""), 422, "invalid_component");
    assert_eq!(server.get("shop", "/v1/queries").json()["queries"].as_array().map(Vec::len), Some(1));

    assert_eq!(put("own", "", &asks).code, 201);
    problem(&put("second", "", &asks), 409, "conflict");
    assert_eq!(put("own", "", &asks).code, 200);
    assert_eq!(asked(&fake), []);
}

#[test]
fn who_may_bring_nothing_brings_nothing() {
    let fake = cluster().start();
    let server = start(&fake, &[]);
    let asks = component(guests::ASKS);
    problem(&server.put("shop", "/v1/queries/own", &asks), 403, "denied");
    assert_eq!(server.audited("Refused")[0]["reason"], "uploadNotAllowed");
    // Nor where there is no place in which another process could leave what it compiled.
    let own = tenant("shop", &[], &[TWO]);
    let server = Server::of_fake(&fake, &[own]);
    problem(&server.put("shop", "/v1/queries/own", &asks), 403, "denied");
}

/// Whoever writes all before reading anything, as most clients do, would find the connection reset, and no answer.
#[test]
fn what_is_refused_unread_is_told_all_the_same() {
    let fake = cluster().start();
    let server = start(&fake, &[]);
    let authority = fake.authority();
    let by_tls = Setup::of_fake(&fake, &policy(&[tenant("shop", &[], &[])])).with_cache().tls(authority).start();
    let headers = bearer(&token("shop")) + "Content-Type: application/wasm\r\n";
    for length in [60_000, 600_000, 4 << 20] {
        let body = vec![0; length];
        for _ in 0..5 {
            problem(&server.put("shop", "/v1/queries/own", &body), 403, "denied");
            let target = ("PUT", "/v1/queries/own");
            let answer = by_tls.send_by_tls(authority, None, &request(by_tls.api, target.0, target.1, &headers, &body));
            problem(&answer.expect("there is an answer"), 403, "denied");
        }
    }
}

/// A component of 7 MiB whose compilation takes more than it may: of one function, which is as large as a function may be, again and again.
fn bomb() -> Vec<u8> {
    // Each is a chain of blocks, with a value that lives through all of them: what the register allocator takes longest for.
    let body = "(local.set 1 (i64.add (local.get 0) (i64.mul (local.get 1) (local.get 2))))\
                (block (br_if 0 (i64.eqz (local.get 1))) (local.set 2 (i64.xor (local.get 2) (local.get 0))))"
        .repeat(60_000);
    let functions: String = (0..4).map(|_| format!("(func (param i64) (local i64 i64) {body})")).collect();
    let text = format!("(component (core module {functions}))");
    wat::parse_str(text).expect("it is one")
}

#[test]
fn a_component_that_takes_for_ever_to_compile_is_stopped_and_keeps_nobody_waiting() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let server = start(&fake, &[TWO]);
    let bomb = bomb();
    assert!(bomb.len() < 8 << 20, "{}", bomb.len());
    std::thread::scope(|scope| {
        let put = scope.spawn(|| server.put("shop", "/v1/queries/bomb", &bomb));
        // Meanwhile others are served.
        while !put.is_finished() {
            let asked = Instant::now();
            assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
            assert_eq!(server.health("/livez").code, 200);
            assert!(asked.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(300));
        }
        let refused = put.join().expect("it does not panic");
        problem(&refused, 422, "invalid_component");
    });
    assert_eq!(server.put("shop", "/v1/queries/own", &component(guests::ASKS)).code, 201);
}
