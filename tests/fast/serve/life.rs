//! Files that change while the server runs, and its end.

use std::fs;
use std::io::Write as _;
use std::thread;

use podlens_tests::fake::get;
use podlens_tests::guests;

use super::server::{
    Server, Setup, asked, bearer, built_in, cluster, guest, policy, problem, read_to_end, read_until, request, tenant, token,
    wait_for,
};
use crate::arrange::{PODS, pods};
use crate::proxy::Response;

#[test]
fn it_says_that_it_ends_before_it_does_and_runs_complete() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "").held()).start();
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &[])]);
    let mut server = Setup::of_fake(&fake, &own).arguments(&["--shutdown-delay", "2s", "--shutdown-grace", "30s"]).start();
    server.wait_until_ready();
    let mut stream = server.connect();
    let bytes = request(server.api, "GET", "/v1/queries/pod-names/run", &bearer(&token("shop")), b"");
    stream.write_all(&bytes).expect("it reads");
    server.wait_until_metric("podlens_runs_in_flight", 1.0);
    // A client that has asked nothing yet is not waited for.
    let idle = server.connect();
    server.signal("-TERM");
    wait_for("word of the end", || server.health("/readyz").body.contains("[-]shutdown failed").then_some(()));
    // Whoever has not heard of it yet is still served.
    assert_eq!(server.get("shop", "/v1/queries").code, 200);
    assert_eq!(server.health("/livez").code, 200);
    // After the delay nobody comes in any more.
    wait_for("closed door", || std::net::TcpStream::connect(("127.0.0.1", server.api)).is_err().then_some(()));
    assert_eq!(server.metric("podlens_runs_in_flight"), 1.0);
    fake.release();
    let answer = Response::read(&read_to_end(stream));
    assert_eq!((answer.code, answer.json()[0]["name"].as_str()), (200, Some("web-0")));
    assert_eq!(server.wait().code(), Some(0));
    drop(idle);
    assert_eq!(server.audited("RunComplete")[0]["outcome"], "ok");
}

#[test]
fn what_lasts_longer_than_its_grace_is_cancelled_and_on_record() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "").held()).start();
    let own = policy(&[tenant("shop", &[built_in("pod-names")], &[])]);
    // The second: the wish is told twice, and there would be time.
    for (arguments, signals) in [
        (["--shutdown-delay", "0s", "--shutdown-grace", "300ms"], 1),
        (["--shutdown-delay", "10m", "--shutdown-grace", "10m"], 2),
        (["--shutdown-delay", "0s", "--shutdown-grace", "10m"], 2),
    ] {
        let mut server = Setup::of_fake(&fake, &own).arguments(&arguments).start();
        let mut stream = server.connect();
        let bytes = request(server.api, "GET", "/v1/queries/pod-names/run", &bearer(&token("shop")), b"");
        stream.write_all(&bytes).expect("it reads");
        server.wait_until_metric("podlens_runs_in_flight", 1.0);
        server.signal("-TERM");
        if signals == 2 {
            wait_for("word of the end", || server.health("/readyz").body.contains("[-]shutdown failed").then_some(()));
            server.signal("-INT");
        }
        assert_eq!(server.wait().code(), Some(0), "{arguments:?}");
        assert_eq!(read_to_end(stream), "", "{arguments:?}");
        let complete = server.audited("RunComplete");
        assert_eq!((complete.len(), complete.first().map(|line| line["outcome"].clone())), (1, Some("cancelled".into())));
    }
    fake.release();
}

#[test]
fn a_policy_is_taken_as_it_changes_and_one_of_no_use_changes_nothing() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    let names = |tenant: &str| {
        let told = server.get(tenant, "/v1/queries").json();
        let names: Option<Vec<_>> =
            told["queries"].as_array().map(|queries| queries.iter().map(|query| query["name"].to_string()).collect());
        names.unwrap_or_default().join(" ")
    };
    let write = |text: &str| {
        server.place.write("policy.yaml", text);
    };
    assert_eq!(names("shop"), "\"pod-names\"");
    let good = policy(&[tenant("shop", &[built_in("images")], &[]), tenant("payments", &[built_in("restarts")], &[])]);
    write(&good);
    wait_for("new policy", || (names("shop") == "\"images\"").then_some(()));
    assert_eq!(names("payments"), "\"restarts\"");
    problem(&server.get("shop", "/v1/queries/pod-names"), 404, "not_found");

    let bad = policy(&[tenant("shop", &[built_in("no-such-query")], &[])]).replace("kind: Policy", "kind: Polity");
    write(&bad);
    server.wait_until_metric(r#"podlens_policy_reloads_total{result="error"}"#, 1.0);
    assert_eq!((names("shop").as_str(), names("payments").as_str()), ("\"images\"", "\"restarts\""));
    assert!(server.said().contains("what was good before stays"), "{}", server.said());
    // Nor does one that is not there.
    fs::remove_file(server.place.path().join("policy.yaml")).expect("it is there");
    wait_for("word of it", || server.said().contains("cannot be read").then_some(()));
    assert_eq!(names("shop"), "\"images\"");

    // Who is in it no longer is nobody from then on.
    write(&policy(&[tenant("payments", &[], &[])]));
    wait_for("policy without shop", || (server.get("shop", "/v1/queries").code == 401).then_some(()));
    assert_eq!(names("payments"), "");
    assert_eq!(server.metric(r#"podlens_policy_reloads_total{result="success"}"#), 3.0);
    assert_eq!(asked(&fake), []);
}

/// A generator that has lost its mind, or a clock in a comment. It takes ten seconds until that is told.
#[test]
fn a_policy_that_never_stands_still_is_not_taken_and_told_of() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    let changed = policy(&[tenant("shop", &[built_in("images")], &[])]);
    let mut count = 0;
    let said = "was another one at each look for 10 s, and is taken once it stands still; what was good before stays";
    wait_for("word of it", || {
        count += 1;
        server.place.write("policy.yaml", format!("{changed}# {count}\n"));
        server.said().contains(said).then_some(())
    });
    assert_eq!(server.metric(r#"podlens_policy_reloads_total{result="error"}"#), 1.0);
    assert_eq!(server.get("shop", "/v1/queries/pod-names").code, 200);
    wait_for("policy that stands", || (server.get("shop", "/v1/queries/images").code == 200).then_some(()));
    assert_eq!((server.said().matches(said).count(), asked(&fake)), (1, Vec::new()));
}

#[test]
fn a_run_is_finished_by_the_policy_that_it_was_begun_by() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "").held()).start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    thread::scope(|scope| {
        let run = scope.spawn(|| server.get("shop", "/v1/queries/pod-names/run"));
        server.wait_until_metric("podlens_runs_in_flight", 1.0);
        server.place.write("policy.yaml", policy(&[tenant("shop", &[], &[])]));
        wait_for("policy without it", || (server.get("shop", "/v1/queries/pod-names").code == 404).then_some(()));
        fake.release();
        assert_eq!(run.join().expect("it does not panic").code, 200);
    });
    let (started, complete) = (server.audited("RunStarted"), server.audited("RunComplete"));
    assert_eq!(started[0]["policyDigest"], complete[0]["policyDigest"]);
}

#[test]
fn a_run_of_a_tenant_that_is_gone_is_ended() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "").held()).start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    thread::scope(|scope| {
        let run = scope.spawn(|| server.get("shop", "/v1/queries/pod-names/run"));
        server.wait_until_metric("podlens_runs_in_flight", 1.0);
        server.place.write("policy.yaml", policy(&[tenant("payments", &[], &[])]));
        // The API server still holds its answer back.
        let ended = run.join().expect("it does not panic");
        assert_eq!(problem(&ended, 403, "denied")["detail"], "the policy does not have this tenant any more");
    });
    fake.release();
    wait_for("policy without shop", || (server.get("shop", "/v1/queries").code == 401).then_some(()));
    let complete = wait_for("end on record", || server.audited("RunComplete").pop());
    assert_eq!(complete["outcome"], "cancelled", "{complete}");
    assert!(server.said().contains("the policy was taken"), "{}", server.said());
}

/// Of rows that a client has not read there may be more: what it was given is not all.
#[test]
fn rows_of_a_tenant_that_is_gone_have_no_end() {
    let fake = cluster().start();
    let more = ["limits: {max-rows: 1000000, max-output-bytes: 64Mi}"];
    let own = tenant("shop", &[guest("works", guests::WORKS)], &more);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::WORKS]).start();
    let mut stream = server.connect();
    let headers = bearer(&token("shop")) + "Accept: application/jsonl\r\n";
    stream.write_all(&request(server.api, "GET", "/v1/queries/works/run?rows=400000", &headers, b"")).expect("it reads");
    let mut answer = String::new();
    read_until(&mut stream, &mut answer, "web-00042");
    server.place.write("policy.yaml", policy(&[tenant("payments", &[], &[])]));
    let complete = wait_for("end on record", || server.audited("RunComplete").pop());
    assert_eq!(complete["outcome"], "cancelled", "{complete}");
    answer += &read_to_end(&mut stream);
    assert!(!answer.ends_with("0\r\n\r\n"), "{}", answer.len());
}

#[test]
fn a_query_is_there_once_its_file_is() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).start();
    let garbage = "this is no component";
    let of_garbage = format!("{{name: garbage, digest: \"{}\"}}", super::server::digest(garbage.as_bytes()));
    let own = policy(&[tenant("shop", &[guest("asks", guests::ASKS), of_garbage, built_in("pod-names")], &[])]);
    let server = Setup::of_fake(&fake, &own).start();
    let told = |name: &str| {
        let told = server.get("shop", "/v1/queries").json();
        let queries = told["queries"].as_array().cloned().unwrap_or_default();
        queries.into_iter().find(|query| query["name"] == name).expect("it is listed")
    };
    let folder = server.place.path().join("queries");
    for name in ["asks", "garbage"] {
        assert!(told(name)["problem"].as_str().is_some_and(|problem| problem.contains("is not ready to run")), "{}", told(name));
        problem(&server.get("shop", &format!("/v1/queries/{name}/run")), 503, "invalid_component");
    }
    // Nor is it in a file that is called so and is another.
    fs::copy(guests::PANICS, folder.join("asks.wasm")).expect("it can be written");
    fs::write(folder.join("garbage.wasm"), garbage).expect("it can be written");
    fs::copy(guests::ASKS, folder.join("whatever.wasm")).expect("it can be written");
    wait_for("query", || told("asks")["digest"].is_string().then_some(()));
    assert_eq!(server.get("shop", "/v1/queries/asks/run").json()[0]["name"], "web-0");
    // Why is for the server's owner: a tenant learns that it is not there.
    wait_for("word of what is none", || server.said().contains("this is not a WebAssembly component").then_some(()));
    problem(&server.get("shop", "/v1/queries/garbage/run"), 503, "invalid_component");
    assert!(server.get("shop", "/").body.contains("is not ready to run"));
    assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
}
