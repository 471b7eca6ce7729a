//! A credential shows up nowhere, whatever goes wrong and whoever sends it back: not in an answer, not in an error, not in the log
//! at its most talkative.
//!
//! `real/canary.rs` does the same on a real API server.

use std::fs;
use std::path::Path;
use std::process::Command;

use podlens_tests::canary::forms_of_token;
use podlens_tests::fake::{Answer, Authority, Fake, get, post};
use podlens_tests::program;
use serde_json::json;

use crate::arrange::{PODS, Place, pod_list, pods};
use crate::guests;

/// As long as a real one, so that what cuts long texts shows only a part of it, and its signature would be seen in that.
const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpjYW5hcnkifQ.c1GnaTuRe-oF_tHe-cAnArY-0123456789";

/// What else nobody may see: the keys of this place.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(place: &Place) -> Self {
        let mut forms = forms_of_token(TOKEN);
        // A key's own lines of base64 are what gives it away.
        let lines = fs::read_to_string(place.path().join("key.pem")).unwrap_or_default();
        forms.extend(lines.lines().filter(|line| line.len() > 30 && !line.starts_with('-')).map(str::to_owned));
        Self(forms)
    }

    #[track_caller]
    fn are_not_in(&self, text: &str, of: &dyn std::fmt::Debug) {
        for form in &self.0 {
            assert!(!text.contains(form), "{of:?} shows `{form}`: {text}");
        }
    }
}

/// Runs `podlens` with its log on, looks through all that it gave, and returns the log.
#[track_caller]
fn check(place: &Place, command: &mut Command, arguments: &[&str], code: i32) -> String {
    let (seen, log) = look(place, command, arguments);
    assert_eq!(seen, code, "{arguments:?}: {log}");
    log
}

/// The commands that tell how the cluster is reached, and who we are to it.
const TELLING: [&[&str]; 6] = [
    &["cluster-info"],
    &["config", "view"],
    &["config", "view", "-o", "json"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["rbac", "pod-names", "--diff"],
];

/// The same for a run that may end as it likes.
#[track_caller]
fn look(place: &Place, command: &mut Command, arguments: &[&str]) -> (i32, String) {
    let done = program::run(command.env("PODLENS_LOG", "trace").env("RUST_BACKTRACE", "1").args(arguments));
    let secrets = Secrets::of(place);
    secrets.are_not_in(&done.stdout, &arguments);
    secrets.are_not_in(&done.stderr, &arguments);
    (done.code, done.stderr)
}

/// The mount of a pod, with the canary as its token. Its CA comes with a key, as in a file that somebody copied too much into.
fn mount(authority: &Authority) -> Place {
    let place = Place::mount(authority);
    place.write("token", TOKEN);
    let key = authority.client("canary").key_pem;
    place.write("ca.crt", authority.pem() + &key);
    place.write("key.pem", key);
    place
}

/// One answer, to as many attempts as there are, for a run that ends with `code`.
#[track_caller]
fn check_answer(answer: Answer, times: usize, code: i32) {
    let script = vec![(get(PODS).token(TOKEN), answer); times];
    let fake = Fake::start(script);
    let place = mount(fake.authority());
    let log = check(&place, &mut place.in_pod("127.0.0.1", fake.port()), &["run", guests::ASKS], code);
    assert!(log.contains("TRACE"), "the log is on: {log}");
    assert_eq!(fake.seen().last().and_then(|seen| seen.token()), Some(TOKEN), "it was sent");
}

#[test]
fn what_the_server_sends_back_of_a_token_is_not_shown() {
    let says = |code, reason: &str| Answer::status(code, reason, &format!("the token {TOKEN} is not accepted"));
    check_answer(says(401, "Unauthorized"), 1, 3);
    check_answer(says(403, "Forbidden"), 1, 3);
    check_answer(Answer::status(403, TOKEN, "forbidden"), 1, 3);
    check_answer(says(404, "NotFound"), 1, 1);
    check_answer(says(410, "Expired"), 1, 4);
    check_answer(says(429, "TooManyRequests"), 5, 4);
    check_answer(says(500, "InternalError"), 5, 4);
    check_answer(says(503, "ServiceUnavailable"), 5, 4);
    check_answer(Answer::text(500, &format!("Authorization: Bearer {TOKEN}")), 5, 4);
    check_answer(Answer::text(401, TOKEN), 1, 3);
    check_answer(Answer::json(200, TOKEN), 1, 4);
    check_answer(Answer::json(200, format!("{{\"{TOKEN}\":")), 1, 4);
    check_answer(Answer::redirect(302, &format!("https://elsewhere.invalid/?token={TOKEN}")), 1, 4);
    // What an answer says to be is quoted, but never so much of it that a token would fit.
    check_answer(Answer::json(200, json!({ "kind": TOKEN, "apiVersion": "v1" }).to_string()), 1, 4);
    check_answer(pods(&["web-0"], "").header("Content-Type", TOKEN), 1, 4);
    check_answer(pods(&["web-0"], "").header("Content-Encoding", TOKEN), 1, 4);
    check_answer(Answer::text(500, "").header("Retry-After", TOKEN), 5, 4);
    // A pod by that name is not one that was asked for.
    check_answer(pods(&["web-0"], TOKEN).truncated(), 5, 4);
}

#[test]
fn what_tells_of_the_way_shows_no_token() {
    let says = |code: u16| Answer::status(code, "Forbidden", &format!("the token {TOKEN} is not accepted"));
    let user = json!({ "status": { "userInfo": { "username": TOKEN, "groups": [TOKEN] } } }).to_string();
    let access = json!({ "status": { "allowed": false, "reason": TOKEN, "evaluationError": TOKEN } }).to_string();
    let version = json!({ "gitVersion": TOKEN, "platform": TOKEN }).to_string();
    let (reviews, reviewed) = ("/apis/authentication.k8s.io/v1/selfsubjectreviews", Answer::json(201, user));
    // JSON may write each character as its number.
    let escaped: String = TOKEN.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
    let user = format!(r#"{{"kind":"SelfSubjectReview","status":{{"userInfo":{{"username":"{escaped}"}}}}}}"#);
    let in_header = Answer::json(201, "{}").header("Content-Type", TOKEN);
    for (identity, code) in
        [(reviewed, 200), (Answer::json(201, user), 200), (in_header, 200), (says(401), 401), (says(403), 403), (says(500), 500)]
    {
        let pods = if code == 200 { pods(&["web-0"], "") } else { says(code) };
        let fake = Fake::builder()
            .always(get("/version"), Answer::json(200, version.clone()))
            .always(get("/readyz"), Answer::text(200, "ok"))
            .always(post(reviews), identity)
            .always(post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), Answer::json(201, access.clone()))
            .always(post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"), says(403))
            .always(post("/apis/authorization.k8s.io/v1/subjectaccessreviews"), says(403))
            .always(get(PODS), pods)
            .start();
        let place = mount(fake.authority());
        for telling in TELLING {
            look(&place, &mut place.in_pod("127.0.0.1", fake.port()), telling);
        }
    }
}

#[test]
fn what_a_query_does_shows_no_token() {
    let pod = json!({ "metadata": { "name": "web-0", "namespace": "shop" } });
    let list = Answer::json(200, pod_list(&[pod], "").to_string());
    let fake = Fake::builder().always(get(PODS).token(TOKEN), list).start();
    let place = mount(fake.authority());
    for (arguments, code) in [
        (&["run", "pod-names", "-o", "json"][..], 0),
        (&["run", "restarts"], 0),
        (&["run", guests::DESCRIBES_EVERYTHING, "-o", "yaml"], 0),
        (&["run", guests::OBJECTS, "--whole-objects", "-o", "csv"], 0),
        (&["run", guests::ASKS], 0),
        (&["run", guests::READS_WORLD], 0),
        (&["run", guests::PANICS], 1),
        (&["run", guests::LOOPS, "--cpu-limit", "100ms"], 5),
        (&["run", guests::LISTS_FOREVER, "--max-requests", "5"], 5),
        (&["run", guests::ASKS, "-p", "namespace=.."], 1),
        (&["run", guests::ASKS, "-p", "namespace=kube-system"], 3),
    ] {
        check(&place, &mut place.in_pod("127.0.0.1", fake.port()), arguments, code);
    }
}

#[test]
fn a_connection_that_fails_shows_no_token() {
    let fake = Fake::start([]);
    let place = mount(&Authority::new());
    let info = &["cluster-info"];
    // Not to be trusted, not there, not found.
    check(&place, &mut place.in_pod("127.0.0.1", fake.port()), info, 4);
    check(&place, &mut place.in_pod("127.0.0.1", 1), info, 4);
    check(&place, place.in_pod("api.cluster.invalid", 443).env("RES_OPTIONS", "attempts:1 timeout:1"), info, 4);
}

#[test]
fn files_that_are_mixed_up_or_broken_show_nothing_of_themselves() {
    let authority = Authority::new();
    let place = mount(&authority);
    let info = &["cluster-info"];
    let in_pod = || place.in_pod("127.0.0.1", 1);
    for token in [format!("{TOKEN} {TOKEN}"), format!("{TOKEN}\n{TOKEN}"), format!("{TOKEN}\0"), format!("\u{feff}{TOKEN}")] {
        place.write("token", token);
        check(&place, &mut in_pod(), info, 4);
    }
    place.write("token", TOKEN);
    let authority = fs::read(place.path().join("ca.crt")).expect("it is in the mount");
    let key = fs::read(place.path().join("key.pem")).expect("it was written");
    for mixed_up in [TOKEN.as_bytes(), &key] {
        place.write("ca.crt", mixed_up);
        check(&place, &mut in_pod(), info, 4);
    }
    place.write("ca.crt", authority);
    // The name of a namespace is quoted, but never so much of it that a token would fit.
    place.write("namespace", TOKEN);
    check(&place, &mut in_pod(), info, 4);
    place.write("namespace", "shop");
    // The token where something else belongs.
    check(&place, &mut in_pod(), &["run", &file(&place, "token")], 6);
    check(&place, &mut in_pod(), &["cluster-info", "--kubeconfig", &file(&place, "token")], 4);
    check(&place, &mut in_pod(), &["cluster-info", "--kubeconfig", &file(&place, "key.pem")], 4);
}

fn file(place: &Place, name: &str) -> String {
    Path::new(place.path()).join(name).to_str().expect("it is UTF-8").to_owned()
}

#[test]
fn a_kubeconfig_shows_nothing_but_names() {
    let authority = Authority::new();
    let place = mount(&authority);
    let key = fs::read_to_string(place.path().join("key.pem")).expect("it was written");
    let certificate = authority.client("dev").certificate_pem;
    let encode = |text: &str| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text);
    for user in [
        json!({ "token": TOKEN }),
        json!({ "token": format!("{TOKEN} {TOKEN}") }),
        json!({ "token": { "value": TOKEN } }),
        json!({ "password": TOKEN, "username": "dev" }),
        json!({ "exec": { "command": "login", "args": [TOKEN], "env": [{ "name": "TOKEN", "value": TOKEN }] } }),
        json!({ "auth-provider": { "name": "oidc", "config": { "id-token": TOKEN } } }),
        json!({ "as": "somebody", "as-user-extra": { "token": [TOKEN] }, "token": TOKEN }),
        json!({ "client-key-data": TOKEN, "client-certificate-data": TOKEN }),
        json!({ "client-key-data": encode(&key) }),
        // Two that do not belong together.
        json!({ "client-key-data": encode(&key), "client-certificate-data": encode(&certificate) }),
        json!({ "client-key-data": encode(&key), "client-certificate-data": encode(&key) }),
    ] {
        place.write_kubeconfig(&authority, "https://127.0.0.1:1", &user);
        check(&place, &mut place.with_kubeconfig(), &["cluster-info"], 4);
        for telling in TELLING {
            look(&place, &mut place.with_kubeconfig(), telling);
        }
    }
    for broken in [
        format!("users: [{{name: dev, user: {{token: {TOKEN}}}"),
        format!("users:\n- name: dev\n  user:\n    token: {TOKEN}\n   x: y"),
        format!("{TOKEN}: {TOKEN}"),
        format!("kind: {TOKEN}"),
        format!("users: {TOKEN}"),
    ] {
        place.write("config", broken);
        check(&place, &mut place.with_kubeconfig(), &["cluster-info"], 4);
        for telling in TELLING {
            look(&place, &mut place.with_kubeconfig(), telling);
        }
    }
    place.write_kubeconfig(&authority, &format!("https://dev:{TOKEN}@127.0.0.1:1"), &json!({}));
    check(&place, &mut place.with_kubeconfig(), &["cluster-info"], 4);
}
