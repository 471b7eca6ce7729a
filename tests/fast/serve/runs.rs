//! Runs, and their answers.

use std::io::Write as _;

use podlens_tests::fake::{Answer, Fake, get};
use podlens_tests::guests;
use serde_json::{Value, json};

use super::server::{
    Server, Setup, asked, bearer, built_in, cluster, guest, policy, problem, read_to_end, read_until, request, tenant, token,
    wait_for,
};
use crate::arrange::{PODS, pod, pod_list, pods};

/// A list of two pages, of which the second waits for [`Fake::release`].
fn slow_list() -> Fake {
    cluster()
        .always(get(PODS).query(&[("limit", "500")]), pods(&["first"], "next"))
        .always(get(PODS).query(&[("limit", "500"), ("continue", "next")]), pods(&["second"], "").held())
        .start()
}

fn shop(queries: &[String], more: &[&str]) -> String {
    policy(&[tenant("shop", queries, more)])
}

#[test]
fn an_answer_has_the_form_that_was_asked_for() {
    let fake = cluster().start();
    let own = shop(&[guest("all-types", guests::ALL_TYPES), built_in("pod-names")], &[]);
    let server = Setup::of_fake(&fake, &own).queries(&[guests::ALL_TYPES]).start();
    let ask = |accept: &str| {
        let headers = bearer(&token("shop")) + accept;
        server.ask("GET", "/v1/queries/all-types/run?hostile=true", &headers, b"")
    };
    for (accept, content_type, begins, has) in [
        ("", "application/json", "[", "\"name\": \"web-10\""),
        ("Accept: application/json\r\n", "application/json", "[", "\"restarts\": 12"),
        ("Accept: application/jsonl\r\n", "application/jsonl", "{", "\"name\":\"web-9\""),
        ("Accept: text/csv\r\n", "text/csv; charset=utf-8; header=present", "namespace,name,", "OOMKilled"),
        ("Accept: text/html,*/*;q=0.8\r\n", "text/html; charset=utf-8", "<!doctype html>", "web-10"),
        (
            "Accept: text/plain;version=0.0.4\r\n",
            "text/plain; version=0.0.4; charset=utf-8",
            "# HELP ",
            "podlens_all_types_restarts{",
        ),
    ] {
        let answer = ask(accept);
        assert_eq!((answer.code, answer.header("content-type")), (200, Some(content_type)), "{accept:?}");
        assert!(answer.body.starts_with(begins) && answer.body.contains(has), "{accept:?}: {}", answer.body);
        // What a query wrote is nowhere markup, and no terminal acts on it; CSV has no way to escape, and is for programs.
        assert!(!answer.body.contains("</td><script>") || !content_type.contains("html"), "{}", answer.body);
        let acted_on = answer.body.contains('\u{1b}') || answer.body.contains('\u{202e}');
        assert_eq!(acted_on, content_type.starts_with("text/csv"), "{accept:?}: {}", answer.body);
        let run = answer.header("podlens-run").expect("each run has a name");
        assert_eq!(answer.header("link"), Some(format!("</v1/runs/{run}>; rel=\"describedby\"").as_str()));
        let report = server.get("shop", &format!("/v1/runs/{run}")).json();
        assert_eq!((&report["runID"], &report["outcome"], &report["query"]), (&json!(run), &json!("ok"), &json!("all-types")));
        assert_eq!(report["limits"]["max-rows"]["used"], 6);
    }
    for accept in ["image/png", "application/xml, text/html;q=0", "application/yaml"] {
        problem(&ask(&format!("Accept: {accept}\r\n")), 406, "not_acceptable");
    }
    // A query without a metric has no form for Prometheus, and is not run to find that out.
    let headers = bearer(&token("shop")) + "Accept: text/plain\r\n";
    problem(&server.ask("GET", "/v1/queries/pod-names/run", &headers, b""), 406, "not_acceptable");
    assert_eq!(asked(&fake), []);
}

#[test]
fn arguments_come_by_the_query_string_or_as_json() {
    let fake = cluster().start();
    let server = Setup::of_fake(&fake, &shop(&[guest("echo", guests::ECHO_ARGUMENTS)], &["rates: {runsPerSecond: 100}"]))
        .queries(&[guests::ECHO_ARGUMENTS])
        .start();
    let row = |text: Value, integer: Value, number: Value, boolean: Value| json!([{ "text": text, "integer": integer, "number": number, "boolean": boolean }]);
    let none = || Value::Null;
    for (query, expected) in [
        ("", row(none(), none(), none(), none())),
        ("?text=a+b%26c&integer=-3&number=0.5&boolean=true", row("a b&c".into(), (-3).into(), 0.5.into(), true.into())),
        // What a form sends of a field that was not filled in.
        ("?text=&integer=&boolean=", row(none(), none(), none(), none())),
        ("?text=%C3%A9", row("é".into(), none(), none(), none())),
    ] {
        let answer = server.get("shop", &format!("/v1/queries/echo/run{query}"));
        assert_eq!((answer.code, answer.json()), (200, expected), "{query}");
    }
    for query in
        ["?nothing=1", "?integer=x", "?integer=1.5", "?number=x", "?boolean=maybe", "?integer=1&integer=2", "?text=%", "?text=%ff"]
    {
        let refused = server.get("shop", &format!("/v1/queries/echo/run{query}"));
        assert_eq!(refused.code, 400, "{query}: {refused:?}");
    }
    for (body, expected) in [
        ("{}", row(none(), none(), none(), none())),
        (
            r#"{"parameters":{"text":"a b","integer":7,"number":1e3,"boolean":false},"fresh":true}"#,
            row("a b".into(), 7.into(), json!(1000.0), false.into()),
        ),
    ] {
        let answer = server.post("shop", "/v1/queries/echo/run", body);
        assert_eq!((answer.code, answer.json()), (200, expected), "{body}");
    }
    for body in [
        "",
        "[]",
        "{",
        "{} {}",
        r#"{"parameter":{}}"#,
        r#"{"parameters":{"nothing":1}}"#,
        r#"{"parameters":{"integer":"x"}}"#,
        r#"{"parameters":{"text":null}}"#,
        r#"{"parameters":{"text":["a"]}}"#,
        r#"{"parameters":{"integer":1,"integer":2}}"#,
        r#"{"fresh":"yes"}"#,
    ] {
        let refused = server.post("shop", "/v1/queries/echo/run", body);
        assert_eq!(refused.code, 400, "{body}: {refused:?}");
    }
    // It would be left out in silence.
    problem(&server.post("shop", "/v1/queries/echo/run?integer=1", "{}"), 400, "bad_request");
    let post = |headers: &str, body: &[u8]| server.ask("POST", "/v1/queries/echo/run", &(bearer(&token("shop")) + headers), body);
    problem(&post("", b"{}"), 415, "unsupported_media_type");
    problem(&post("Content-Type: text/plain\r\n", b"{}"), 415, "unsupported_media_type");
    problem(&post("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", b"{}"), 415, "unsupported_media_type");
    problem(&post("Content-Type: application/json\r\n", &vec![b' '; 64 * 1024 + 1]), 413, "too_large");
    assert_eq!(asked(&fake), []);
}

#[test]
fn a_method_that_a_path_does_not_take_runs_nothing() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    for (target, allow) in [
        ("/", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/v1/queries", "GET, HEAD"),
        ("/v1/queries/pod-names", "GET, HEAD, PUT, DELETE"),
        ("/v1/queries/pod-names/run", "GET, POST"),
        ("/v1/runs/6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11", "GET, HEAD"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "QUERY"] {
            if allow.split(", ").any(|allowed| allowed == method) || method == "CONNECT" {
                continue;
            }
            let refused = server.ask(method, target, &bearer(&token("shop")), b"");
            assert_eq!((refused.code, refused.header("allow")), (405, Some(allow)), "{method} {target}");
            assert!(method == "HEAD" || refused.body.contains("method_not_allowed"), "{refused:?}");
        }
    }
    assert_eq!(server.ask("HEAD", "/v1/queries", &bearer(&token("shop")), b"").body, "");
    assert_eq!(asked(&fake), []);
    assert_eq!(server.audited("RunStarted"), Vec::<Value>::new());
}

#[test]
fn rows_go_out_as_they_come() {
    let fake = slow_list();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    let mut stream = server.connect();
    let headers = bearer(&token("shop")) + "Accept: application/jsonl\r\n";
    stream.write_all(&request(server.api, "GET", "/v1/queries/pod-names/run", &headers, b"")).expect("it reads");
    let mut answer = String::new();
    read_until(&mut stream, &mut answer, "\"first\"");
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("second"), "{answer}");
    // The query runs still.
    assert_eq!(server.metric("podlens_runs_in_flight"), 1.0);
    assert_eq!(server.audited("RunComplete"), Vec::<Value>::new());
    fake.release();
    answer += &read_to_end(&mut stream);
    assert!(answer.contains("\"second\"") && answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(server.audited("RunComplete")[0]["outcome"], "ok");
}

#[test]
fn rows_that_are_not_all_end_with_a_line_that_says_so_and_without_an_end() {
    let fake = cluster()
        .always(get(PODS).query(&[("limit", "500")]), pods(&["first"], "next"))
        .always(get(PODS).query(&[("limit", "500"), ("continue", "next")]), Answer::status(403, "Forbidden", "canary").held())
        .start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    let mut stream = server.connect();
    let headers = bearer(&token("shop")) + "Accept: application/jsonl\r\n";
    stream.write_all(&request(server.api, "GET", "/v1/queries/pod-names/run", &headers, b"")).expect("it reads");
    let mut answer = String::new();
    read_until(&mut stream, &mut answer, "\"first\"");
    fake.release();
    answer += &read_to_end(&mut stream);
    assert!(answer.contains("\n# ") && !answer.contains("canary"), "{answer}");
    // Without the last chunk no client takes it for whole.
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(server.audited("RunComplete")[0]["outcome"], "denied");
}

#[test]
fn a_client_that_goes_away_takes_its_run_with_it() {
    for accept in ["application/json", "application/jsonl"] {
        let fake = slow_list();
        let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
        let mut stream = server.connect();
        let headers = bearer(&token("shop")) + &format!("Accept: {accept}\r\n");
        stream.write_all(&request(server.api, "GET", "/v1/queries/pod-names/run", &headers, b"")).expect("it reads");
        if accept == "application/jsonl" {
            read_until(&mut stream, &mut String::new(), "\"first\"");
        }
        wait_for("second page that is asked for", || (asked(&fake).len() == 2).then_some(()));
        drop(stream);
        let complete = wait_for("end of the run", || server.audited("RunComplete").pop());
        assert_eq!(complete["outcome"], "cancelled", "{accept}");
        assert_eq!(server.metric(r#"podlens_runs_total{tenant="shop",outcome="cancelled"}"#), 1.0);
        // Its place is free once the request is on record that was under way.
        server.wait_until_metric("podlens_runs_in_flight", 0.0);
        // So does the request that was under way: it is on record as that.
        wait_for("end of the request", || {
            let calls = server.audited("ResponseComplete");
            calls
                .iter()
                .any(|call| call["objectRef"]["resource"] == "pods" && call["responseStatus"]["code"].is_null())
                .then_some(())
        });
        let report = server.get("shop", &format!("/v1/runs/{}", complete["runID"].as_str().expect("a run has a name")));
        assert_eq!(report.json()["outcome"], "cancelled");
        fake.release();
    }
}

#[test]
fn a_limit_that_is_reached_is_told_by_name() {
    let list = pod_list(&["a", "b", "c"].map(pod), "").to_string();
    let fake = cluster().always(get(PODS), Answer::json(200, list)).start();
    let paths = [guests::LOOPS, guests::SLEEPS, guests::GROWS, guests::EMITS, guests::LISTS_FOREVER];
    for (name, path, limit, most) in [
        ("pod-names", None, "max-pods", "2"),
        ("pod-names", None, "max-rows", "2"),
        ("pod-names", None, "max-response-bytes", "10"),
        ("loops", Some(guests::LOOPS), "cpu-limit", "300ms"),
        ("loops", Some(guests::LOOPS), "timeout", "300ms"),
        ("sleeps", Some(guests::SLEEPS), "timeout", "300ms"),
        ("grows", Some(guests::GROWS), "memory-limit", "16Mi"),
        ("emits", Some(guests::EMITS), "max-output-bytes", "10Ki"),
        ("lists-forever", Some(guests::LISTS_FOREVER), "max-requests", "3"),
        ("lists-forever", Some(guests::LISTS_FOREVER), "max-host-calls", "20"),
    ] {
        let query = path.map_or_else(|| built_in(name), |path| guest(name, path));
        let own = shop(&[query], &[&format!("limits: {{{limit}: {most}}}")]);
        let server = Setup::of_fake(&fake, &own).queries(&paths).start();
        let refused = server.get("shop", &format!("/v1/queries/{name}/run"));
        let told = problem(&refused, 422, "limit_exceeded");
        assert_eq!(told["limit"], limit, "{told}");
        let report = server.get("shop", &format!("/v1/runs/{}", told["runID"].as_str().expect("a run has a name"))).json();
        assert_eq!(report["limitReached"], limit, "{report}");
        assert_eq!(server.metric(&format!(r#"podlens_limit_kills_total{{tenant="shop",limit="{limit}"}}"#)), 1.0);
        let outcome = if limit == "timeout" { "deadline" } else { "limit" };
        assert_eq!(server.audited("RunComplete")[0]["outcome"], outcome, "{limit}");
    }
}

#[test]
fn a_guest_that_panics_ends_its_run_and_nothing_else() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let queries = [guest("panics", guests::PANICS), guest("exits", guests::EXITS), built_in("pod-names")];
    let server = Setup::of_fake(&fake, &shop(&queries, &[])).queries(&[guests::PANICS, guests::EXITS]).start();
    for name in ["panics", "exits"] {
        let ask = |accept: &str| {
            let headers = bearer(&token("shop")) + &format!("Accept: {accept}\r\n");
            server.ask("GET", &format!("/v1/queries/{name}/run"), &headers, b"")
        };
        for accept in ["application/json", "application/jsonl"] {
            problem(&ask(accept), 422, "query_failed");
        }
        assert_eq!(ask("text/html").code, 422);
    }
    assert_eq!(server.get("shop", "/v1/queries/pod-names/run").json()[0]["name"], "web-0");
    assert_eq!(server.metric("podlens_panics_total"), 0.0);
    for outcome in ["trap", "guest_error"] {
        assert_eq!(server.metric(&format!(r#"podlens_runs_total{{tenant="shop",outcome="{outcome}"}}"#)), 3.0, "{outcome}");
    }
}

#[test]
fn what_fails_at_the_api_server_is_told_in_our_words() {
    let words = "canary: etcdserver: no leader at 10.0.0.7";
    for (answer, code, word) in [
        (Answer::status(503, "ServiceUnavailable", words), 503, "cluster_unavailable"),
        (Answer::status(429, "TooManyRequests", words), 503, "cluster_unavailable"),
        (Answer::status(500, "InternalError", words), 502, "cluster_error"),
        (Answer::cut(), 503, "cluster_unavailable"),
        (Answer::status(400, "BadRequest", words), 400, "invalid_argument"),
        (Answer::status(403, "Forbidden", words), 403, "denied"),
        (Answer::status(401, "Unauthorized", words), 403, "denied"),
        (Answer::status(410, "Expired", words), 503, "cluster_unavailable"),
        (Answer::text(200, words), 502, "cluster_error"),
        (Answer::json(200, "{\"kind\":\"canary\"}"), 502, "cluster_error"),
    ] {
        let fake = cluster().always(get(PODS), answer.clone()).start();
        let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
        for accept in ["application/json", "text/html"] {
            let headers = bearer(&token("shop")) + &format!("Accept: {accept}\r\n");
            let refused = server.ask("GET", "/v1/queries/pod-names/run", &headers, b"");
            match accept {
                "text/html" => assert!(refused.code == code && refused.body.contains(word), "{refused:?}"),
                _ => drop(problem(&refused, code, word)),
            }
            assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
            let wait = refused.header("retry-after").map(|wait| wait.parse::<u64>().expect("seconds"));
            assert_eq!(wait.is_some_and(|wait| wait >= 1), code == 503, "{answer:?}: {refused:?}");
            let report = server.get("shop", &format!("/v1/runs/{}", refused.header("podlens-run").expect("a run has a name")));
            assert!(!report.body.contains("canary"), "{report:?}");
        }
        // Who runs the server has to know more than who asked.
        if code >= 500 {
            wait_for("word of it", || server.said().contains("a run failed: ").then_some(()));
            assert!(server.said().contains("tenant=shop") && server.said().contains("cause="), "{}", server.said());
        }
    }
    // Nobody listens there.
    let fake = cluster().start();
    let setup = Setup::of_fake(&fake, &shop(&[built_in("pod-names")], &["limits: {timeout: 5s}"]));
    drop(fake);
    let server = setup.start();
    let refused = server.get("shop", "/v1/queries/pod-names/run");
    problem(&refused, 503, "cluster_unavailable");
    assert!(refused.header("retry-after").is_some() && !refused.body.contains("127.0.0.1"), "{refused:?}");
    assert_eq!(server.health("/readyz").code, 503);
}

#[test]
fn runs_start_out_of_a_pool_where_there_are_the_addresses_for_one() {
    // Far less than a pool takes, and far more than all else.
    const FEW_KIB: u64 = 256 << 20;
    let says = "without a pool of memories";
    for is_bounded in [false, true] {
        let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
        let setup = Setup::of_fake(&fake, &shop(&[built_in("pod-names")], &[]));
        let server = if is_bounded { setup.addresses(FEW_KIB).start() } else { setup.start() };
        assert_eq!(server.said().contains(says), is_bounded, "{}", server.said());
        assert_eq!(server.get("shop", "/v1/queries/pod-names/run").json()[0]["name"], "web-0");
    }
}
