//! `podlens doctor` where no API server is needed, or one that is none: what it tells of TLS, of tokens and of odd answers, and
//! that no token is ever shown. What it mends is mended in the real lane.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use podlens_tests::fake::{Answer, Authority, Builder, Fake, Opening, Serving, get, post};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

use crate::arrange::{PODS, Place, TOKEN, pods};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const USER: &str = "system:serviceaccount:shop:podlens";

fn version() -> Answer {
    Answer::json(200, r#"{"gitVersion":"v1.37.2","platform":"linux/amd64"}"#)
}

fn review() -> Answer {
    let user = json!({ "username": USER, "groups": ["system:serviceaccounts", "system:authenticated"] });
    Answer::json(201, json!({ "kind": "SelfSubjectReview", "status": { "userInfo": user } }).to_string())
}

fn access(allowed: bool) -> Answer {
    let status =
        json!({ "allowed": allowed, "reason": if allowed { "RBAC: allowed by RoleBinding \"podlens/shop\"" } else { "" } });
    Answer::json(201, json!({ "kind": "SelfSubjectAccessReview", "status": status }).to_string())
}

/// An API server where all is well.
fn healthy() -> Builder {
    Fake::builder()
        .always(get("/version").anonymous(), version())
        .always(post(REVIEWS), review())
        .always(post(ACCESS), access(true))
        .always(get(PODS).query(&[("limit", "1")]), pods(&["web-0"], "more"))
}

/// What the doctor says in a pod of this server's cluster, without what differs from one run to the next.
fn told(place: &Place, fake: &Fake, flags: &[&str]) -> Done {
    let mut done = place.run(place.in_pod("127.0.0.1", fake.port()).arg("doctor").args(flags));
    done.stdout = steady(&done.stdout);
    done
}

fn steady(text: &str) -> String {
    let line = |line: &str| {
        let mut line = line.to_owned();
        for (before, after) in [("(key ", ")"), (" in ", " ms\n"), ("the clock here says ", ";")] {
            if let Some(start) = line.find(before).map(|at| at + before.len())
                && let Some(length) = line[start..].find(after)
            {
                line.replace_range(start..start + length, "_");
            }
        }
        line
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The step that failed first, by name, and what it says; the other steps are as they are told.
#[track_caller]
fn check_first(place: &Place, fake: &Fake, code: i32, name: &str, says: &str) -> Value {
    let done = told(place, fake, &["-o", "json"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    assert_eq!((done.code, report["firstFailed"].as_str()), (code, Some(name)), "{report:#}");
    let steps = report["steps"].as_array().expect("there are steps");
    let failed = steps.iter().find(|step| step["result"] == "failed").expect("one failed");
    assert!(failed["summary"].as_str().is_some_and(|summary| summary.contains(says)), "{failed:#}");
    report
}

#[test]
fn all_steps_are_told() {
    let fake = healthy().start();
    let place = Place::mount(fake.authority());
    let done = told(&place, &fake, &[]);
    assert_eq!(done.code, 0);
    crate::arrange::check_golden("doctor-healthy", &done.stdout);
}

#[test]
fn a_refusal_is_told_with_its_fix() {
    let forbidden = r#"pods is forbidden: User "system:serviceaccount:shop:podlens" cannot list resource "pods""#;
    let fake = Fake::builder()
        .always(get("/version"), version())
        .always(post(REVIEWS), review())
        .always(post(ACCESS), access(false))
        .always(get("/readyz"), Answer::text(200, "ok"))
        .always(get(PODS), Answer::status(403, "Forbidden", forbidden))
        .start();
    let place = Place::mount(fake.authority());
    let done = told(&place, &fake, &[]);
    assert_eq!(done.code, 19);
    crate::arrange::check_golden("doctor-forbidden", &done.stdout);
}

#[test]
fn an_empty_environment_is_told() {
    let place = Place::empty();
    let done = place.run(program::command().arg("doctor"));
    assert_eq!(done.code, 11);
    crate::arrange::check_golden("doctor-nothing", &done.stdout);
}

#[test]
fn a_server_that_is_not_to_be_trusted_gets_no_token() {
    for (serving, says) in [
        (Serving::OtherAuthority, "wrong CA: the certificate is issued by"),
        (Serving::SelfSigned, "wrong CA: the certificate is issued by"),
        (Serving::Expired, "a certificate has expired: it is valid 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z"),
        (Serving::NotYetValid, "a certificate is not valid yet: it is valid 4000-01-01T00:00:00Z to "),
        (Serving::OtherName, "wrong host: the certificate is for `other.example`, `10.0.0.1`, not for `127.0.0.1`"),
    ] {
        let fake = Fake::builder().serving(serving).start();
        let place = Place::mount(fake.authority());
        let report = check_first(&place, &fake, 15, "TLS", says);
        // The chain is told, and the token is looked at all the same.
        assert!(report["steps"][4]["facts"][0]["value"].as_str().unwrap().contains("kube-apiserver"), "{report:#}");
        assert_eq!(report["steps"][6]["result"], "passed");
        assert_eq!(fake.seen(), []);
    }
}

#[test]
fn what_speaks_no_tls_is_told() {
    let fake = Fake::builder().openings([Opening::PlainHttp]).start();
    check_first(&Place::mount(fake.authority()), &fake, 15, "TLS", "does not speak TLS");
    let fake = Fake::builder().openings([Opening::Close]).start();
    check_first(&Place::mount(fake.authority()), &fake, 15, "TLS", "no TLS connection");
}

#[test]
fn what_is_no_api_server_is_told() {
    for (answer, says) in [
        (Answer::text(200, "<html>"), "gave `GET /version` an answer that is none"),
        (Answer::json(200, "[]"), "what answers there is not the version of a Kubernetes API server"),
        (Answer::text(404, "not here"), "with 404 Not Found"),
    ] {
        let fake = Fake::builder()
            .always(get("/version"), answer)
            .always(post(REVIEWS), Answer::text(404, "not here"))
            .always(post(ACCESS), Answer::text(404, "not here"));
        let fake = fake.always(get(PODS), Answer::text(404, "not here")).start();
        check_first(&Place::mount(fake.authority()), &fake, 16, "anonymous", says);
    }
}

#[test]
fn a_mount_that_is_not_whole_is_told_and_the_rest_looked_at() {
    let fake = Fake::builder().always(get("/version").anonymous(), version()).start();
    let place = Place::mount(fake.authority());
    std::fs::remove_file(place.path().join("token")).unwrap();
    let report = check_first(&place, &fake, 11, "configuration", "the service account's folder `FOLDER` has no `token`");
    let results: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| step["result"].as_str().unwrap()).collect();
    let rest = ["skipped", "skipped", "skipped", "passed"];
    assert_eq!(results, [&["failed", "passed", "skipped", "passed", "passed", "passed"][..], &rest].concat());

    place.write("token", "");
    check_first(&place, &fake, 11, "configuration", "cannot use the token file `FOLDER/token`");
    place.write("token", "a");
    place.write("ca.crt", "");
    let report = check_first(&place, &fake, 11, "configuration", "cannot use the certificate authority `FOLDER/ca.crt`");
    assert_eq!(report["steps"][3]["result"], "passed");
}

#[test]
fn an_address_that_is_none_is_told() {
    let fake = Fake::builder().start();
    let place = Place::mount(fake.authority());
    for (host, port, says) in
        [("a/b", "443", "is `a/b`, not an IP address or a DNS name"), ("127.0.0.1", "tcp", "is `tcp`, not a port")]
    {
        let mut command = place.in_pod(host, 1);
        let done = place.run(command.env("KUBERNETES_SERVICE_PORT", port).args(["doctor", "-o", "json"]));
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        // The configuration cannot be used, and the address says why.
        assert!(report["steps"][1]["result"] == "failed" && report["steps"][1]["summary"].to_string().contains(says), "{report:#}");
    }
}

/// A token with these claims, signed by nobody.
fn token(claims: &Value) -> String {
    format!("{}.{}.canary", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn a_token_is_decoded_and_never_shown() {
    let hour = 3600;
    let now = jiff::Timestamp::now().as_second();
    let unauthorized = || Answer::status(401, "Unauthorized", "Unauthorized");
    for (claims, code, name, says) in [
        (json!({ "exp": now - hour, "sub": USER }), 17, "credentials", "the token expired 60 min ago"),
        (json!({ "exp": now + 2 * hour, "nbf": now + hour, "sub": USER }), 17, "credentials", "the token is not valid before "),
        (
            json!({ "exp": now + hour, "aud": ["vault"], "iss": "https://issuer", "sub": USER }),
            17,
            "credentials",
            "is meant for `vault`",
        ),
        (json!({ "exp": now + hour, "aud": "https://issuer", "iss": "https://issuer", "sub": USER }), 18, "identity", "(401)"),
        (json!({}), 18, "identity", "(401)"),
    ] {
        let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), unauthorized()).start();
        let place = Place::mount(fake.authority());
        let token = token(&claims);
        place.write("token", &token);
        let report = check_first(&place, &fake, code, name, says);
        for part in token.split('.') {
            assert!(!report.to_string().contains(part), "{part} is shown");
        }
    }
    // One that is no JSON Web Token.
    let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), unauthorized()).start();
    let report = check_first(&Place::mount(fake.authority()), &fake, 18, "identity", "(401)");
    assert!(report["steps"][6]["summary"].to_string().contains("it is not a JSON Web Token"), "{report:#}");
    assert!(!report.to_string().contains(TOKEN));
}

#[test]
fn another_clock_is_told_and_a_token_read_by_the_servers() {
    // The server is two hours behind, and so is what it says of a token that expired an hour ago by the clock here.
    let now = jiff::Timestamp::now();
    let behind = now - jiff::SignedDuration::from_hours(2);
    let date = behind.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let fake = healthy().script([(get("/version").anonymous(), version().header("Date", &date))]).start();
    let place = Place::mount(fake.authority());
    place.write("token", token(&json!({ "exp": now.as_second() - 3600, "sub": USER })));
    let done = told(&place, &fake, &["-o", "json"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &report["steps"][6]["result"], &report["steps"][9]["result"]), (0, &json!("passed"), &json!("noted")));
    assert!(report["steps"][9]["summary"].to_string().contains("s ahead of the server's"), "{report:#}");
}

#[test]
fn a_kubeconfig_is_told_by_file_and_entry() {
    let fake = healthy().start();
    let place = Place::empty();
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": "canary" }));
    let done = place.run(place.with_kubeconfig().args(["doctor", "-o", "json"]));
    assert_eq!(done.code, 0, "{}", done.stdout);
    assert!(done.stdout.contains("from cluster `dev` in `FOLDER/config`") && !done.stdout.contains("canary"), "{}", done.stdout);

    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({}));
    let forbidden = r#"selfsubjectreviews is forbidden: User "system:anonymous" cannot create resource"#;
    let fake = Fake::builder()
        .authority(fake.authority())
        .always(get("/version"), version())
        .always(post(REVIEWS), Answer::status(403, "Forbidden", forbidden))
        .start();
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({}));
    let done = place.run(place.with_kubeconfig().args(["doctor", "-o", "json"]));
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, report["firstFailed"].as_str()), (17, Some("credentials")), "{report:#}");
    assert_eq!(report["steps"][7]["result"], "failed");

    let broken = place.run(place.with_kubeconfig().args(["doctor", "--context", "nope"]));
    assert_eq!(broken.code, 11);
    assert!(broken.stdout.contains("`nope`") && broken.stdout.contains("`dev`"), "{}", broken.stdout);
}

// What it says to do.

/// The report of the doctor that is run so.
#[track_caller]
fn report(command: &mut Command) -> (i32, Value) {
    let done = program::run(command.args(["doctor", "-o", "json"]));
    (done.code, serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}")))
}

/// The first step that failed, which has to be for this reason.
#[track_caller]
fn failed(report: &Value, reason: &str) -> Value {
    let steps = report["steps"].as_array().expect("there are steps");
    let failed = steps.iter().find(|step| step["result"] == "failed").unwrap_or_else(|| panic!("none failed: {report:#}"));
    assert_eq!(failed["reason"], reason, "{report:#}");
    failed.clone()
}

fn commands(step: &Value) -> Vec<String> {
    let commands = step["fix"]["commands"].as_array().expect("there is a fix");
    commands.iter().map(|command| command.as_str().expect("a command is text").to_owned()).collect()
}

fn fix(step: &Value) -> &str {
    step["fix"]["text"].as_str().expect("there is a fix")
}

/// Pastes `commands` into shells whose `kubectl` fails, or finds nothing, until it is to write something; and looks whether these
/// files are as they were.
#[track_caller]
fn leaves_alone(place: &Place, commands: &[String], files: &[&str]) {
    let read = || files.iter().map(|name| std::fs::read(place.path().join(name)).expect("it is there")).collect::<Vec<_>>();
    let before = read();
    assert!(!commands.is_empty());
    for script in ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho half\nexit 1\n", "#!/bin/sh\n[ $1 = config ] && echo > $MARK\nexit 0\n"]
    {
        let kubectl = place.write("kubectl", script);
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let path = format!("{}:/usr/bin:/bin", place.path().display());
        let mark = place.path().join("mark");
        let mut shell = Command::new("sh");
        shell.args(["-c", &commands.join("\n")]).env_clear().env("PATH", path).env("MARK", &mark).current_dir(place.path());
        program::run(&mut shell);
        assert!(read() == before, "{commands:?} with {script}");
        assert!(!mark.exists(), "a kubeconfig would have been written: {commands:?}");
    }
}

fn expired() -> String {
    token(&json!({ "exp": jiff::Timestamp::now().as_second() - 3600, "sub": USER }))
}

/// An API server that accepts no credentials.
fn strict() -> Builder {
    let unauthorized = Answer::status(401, "Unauthorized", "Unauthorized");
    Fake::builder().always(get("/version"), version()).always(post(REVIEWS), unauthorized)
}

#[test]
fn a_remedy_that_fails_in_its_midst_leaves_everything_as_it_was() {
    let fake = Fake::builder().serving(Serving::OtherAuthority).start();
    let place = Place::mount(fake.authority());
    let commands_of = |(_, report): (i32, Value), reason: &str| commands(&failed(&report, reason));
    leaves_alone(&place, &commands_of(report(&mut place.in_pod("127.0.0.1", fake.port())), "wrong-ca"), &["ca.crt"]);
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": "canary" }));
    leaves_alone(&place, &commands_of(report(&mut place.with_kubeconfig()), "wrong-ca"), &["ca.crt", "config"]);

    let fake = strict().start();
    let place = Place::mount(fake.authority());
    place.write("token", expired());
    leaves_alone(&place, &commands_of(report(&mut place.in_pod("127.0.0.1", fake.port())), "expired-token"), &["token"]);
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": expired() }));
    leaves_alone(&place, &commands_of(report(&mut place.with_kubeconfig()), "expired-token"), &["config"]);

    let place = Place::mount(fake.authority());
    let found = commands_of(report(&mut place.in_pod("no-such-name.invalid", fake.port())), "dns");
    let script =
        format!("kubectl() {{ false; }}; KUBERNETES_SERVICE_HOST=before; {}; echo $KUBERNETES_SERVICE_HOST", found.join("\n"));
    assert_eq!(program::run(Command::new("sh").args(["-c", &script])).stdout, "before\n");
}

#[test]
fn a_name_that_an_unknown_server_chose_is_never_pasted() {
    let fake = Fake::builder().serving(Serving::OtherName).start();
    let place = Place::empty();
    let server = format!("{}/k8s/clusters/c-1", fake.address());
    let config = json!({
        "clusters": [{ "name": "dev", "cluster": { "server": server } }],
        "contexts": [{ "name": "dev", "context": { "cluster": "dev" } }],
        "current-context": "dev",
    });
    place.write("config", config.to_string());
    // The platform's authorities are those of a file here, as far as rustls is concerned.
    let platform = place.write("platform.crt", fake.authority().pem());
    let (_, found) = report(place.with_kubeconfig().env("SSL_CERT_FILE", platform));
    let wrong = failed(&found, "wrong-host");
    assert!(commands(&wrong).is_empty() && !fix(&wrong).contains("other.example"), "{wrong:#}");

    // An authority that is configured vouches for its names.
    place.write_kubeconfig(fake.authority(), &server, &json!({}));
    let wrong = failed(&report(&mut place.with_kubeconfig()).1, "wrong-host");
    assert!(commands(&wrong)[0].ends_with(" --tls-server-name=other.example"), "{wrong:#}");
    assert!(fix(&wrong).contains("only if you know this name"), "{wrong:#}");
}

#[test]
fn a_remedy_is_for_what_was_examined() {
    let forbidden = Answer::status(403, "Forbidden", "no");
    let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), review());
    let fake = fake
        .always(post(ACCESS), access(false))
        .always(get("/readyz"), Answer::text(200, "ok"))
        .always(get(PODS), forbidden)
        .start();
    let place = Place::empty();
    let config = place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": "canary" }));
    let config = config.to_str().unwrap();
    let flags = ["--kubeconfig", config, "--context", "dev", "--user", "dev", "-n", "shop", "-o", "json"];
    let done = program::run(program::command().arg("doctor").args(flags));
    let wrong = failed(&serde_json::from_str(&done.stdout).unwrap(), "no-role");
    // Somebody who may is another user.
    let told = format!("--kubeconfig={config} --context=dev");
    for command in commands(&wrong) {
        assert_eq!(command.matches(&told).count(), 2, "{command}");
        assert!(!command.contains("--user"), "{command}");
    }
    let done = program::run(program::command().arg("doctor").args(&flags[..8]));
    assert!(done.stdout.contains(&format!("\nkubectl apply {told} -f - <<'EOF'\n")), "{}", done.stdout);

    drop(fake);
    let done = program::run(program::command().arg("doctor").args(flags));
    let wait = format!("while podlens doctor {told} --user=dev --namespace=shop; ");
    let wrong = failed(&serde_json::from_str(&done.stdout).unwrap(), "refused");
    assert!(commands(&wrong)[0].starts_with(&wait), "{wrong:#}");
}

#[test]
fn what_cannot_be_seen_is_told_and_not_pasted() {
    let user = json!({ "username": "jane\u{202e}\u{1b}[2J", "groups": [] });
    let review = json!({ "kind": "SelfSubjectReview", "status": { "userInfo": user } });
    let forbidden = Answer::status(403, "Forbidden", "no");
    let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), Answer::json(201, review.to_string()));
    let fake = fake
        .always(post(ACCESS), access(false))
        .always(get("/readyz"), Answer::text(200, "ok"))
        .always(get(PODS), forbidden)
        .start();
    let place = Place::mount(fake.authority());
    let done = told(&place, &fake, &[]);
    assert_eq!(done.code, 19);
    assert!(!done.stdout.contains(['\u{202e}', '\u{1b}']), "{:?}", done.stdout);
    assert!(done.stdout.contains(r#"name: "jane\u202e\u001b[2J""#), "{}", done.stdout);
    assert!(!done.stdout.contains("kubectl create"), "{}", done.stdout);

    // The names of a kubeconfig, and of what a token is bound to.
    let fake = Fake::builder().serving(Serving::OtherAuthority).start();
    for name in ["dev\u{1b}[2J", "-dev"] {
        let config = json!({
            "clusters": [{ "name": name, "cluster": { "server": fake.address(), "certificate-authority": "ca.crt" } }],
            "contexts": [{ "name": "dev", "context": { "cluster": name } }],
            "current-context": "dev",
        });
        place.write("config", config.to_string());
        let done = place.run(place.with_kubeconfig().arg("doctor"));
        assert_eq!(done.code, 15);
        assert!(
            done.stdout.contains("there is no command to paste, since `") && !done.stdout.contains('\u{1b}'),
            "{:?}",
            done.stdout
        );
    }
}

#[test]
fn a_kubeconfig_whose_user_cannot_be_used_still_tells_the_way() {
    let fake = Fake::builder().always(get("/version").anonymous(), version()).start();
    let place = Place::empty();
    let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "interactiveMode": "Never" });
    for user in [json!({ "exec": exec }), json!({ "tokenFile": "missing" }), json!({ "client-certificate": "missing" })] {
        place.write_kubeconfig(fake.authority(), &fake.address(), &user);
        let (code, report) = report(&mut place.with_kubeconfig());
        let results: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| step["result"].as_str().unwrap()).collect();
        let way = ["failed", "passed", "skipped", "passed", "passed", "passed", "skipped", "skipped", "skipped", "passed"];
        assert_eq!((code, results), (11, way.to_vec()), "{report:#}");
    }
    // Without its authority nobody is trusted, and nothing asked.
    let fake = Fake::builder().start();
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({}));
    std::fs::remove_file(place.path().join("ca.crt")).unwrap();
    let (code, report) = report(&mut place.with_kubeconfig());
    assert_eq!((code, &report["steps"][3]["result"], &report["steps"][4]["result"]), (11, &json!("passed"), &json!("skipped")));
    assert!(report["steps"][4]["facts"].to_string().contains("kube-apiserver"), "{report:#}");
}

#[test]
fn a_server_that_hides_from_strangers_is_noted() {
    for hidden in [
        Answer::redirect(302, "https://login.example/"),
        Answer::text(401, "who are you?"),
        Answer::status(403, "Forbidden", "no"),
        Answer::text(404, "not here"),
    ] {
        let fake = Fake::builder().always(get("/version"), hidden).always(post(REVIEWS), review());
        let fake = fake.always(post(ACCESS), access(true)).always(get(PODS), pods(&["web-0"], "")).start();
        let (code, report) = report(&mut Place::mount(fake.authority()).in_pod("127.0.0.1", fake.port()));
        assert_eq!(code, 0, "{report:#}");
        assert_eq!(
            (&report["steps"][5]["result"], &report["steps"][9]["result"]),
            (&json!("noted"), &json!("noted")),
            "{report:#}"
        );
    }
}

#[test]
fn a_handshake_is_the_clients() {
    // The name that the kubeconfig wants, and the client's certificate, without which this server talks to nobody.
    let fake = healthy().serving(Serving::OtherName).client_certificates().start();
    let user = fake.authority().client("jane");
    let place = Place::empty();
    for (name, data) in [("jane.crt", &user.certificate_pem), ("jane.key", &user.key_pem)] {
        place.write(name, data);
    }
    let server = fake.address();
    place.write_kubeconfig(fake.authority(), &server, &json!({ "client-certificate": "jane.crt", "client-key": "jane.key" }));
    let config = std::fs::read_to_string(place.path().join("config")).unwrap();
    for name in ["other.example", "10.0.0.1"] {
        let named = format!(r#""tls-server-name":"{name}","server":"#);
        place.write("config", config.replace(r#""server":"#, &named));
        let (code, report) = report(&mut place.with_kubeconfig());
        assert_eq!(code, 0, "{report:#}");
        assert_eq!(
            (&report["steps"][4]["result"], &report["steps"][5]["result"]),
            (&json!("passed"), &json!("noted")),
            "{report:#}"
        );
    }
    place.write("config", config.replace(r#""server":"#, r#""tls-server-name":"wrong.example","server":"#));
    let wrong = failed(&report(&mut place.with_kubeconfig()).1, "wrong-host");
    assert!(wrong["summary"].as_str().unwrap().ends_with("not for `wrong.example`"), "{wrong:#}");
    assert!(fix(&wrong).starts_with("the name is from cluster `dev`"), "{wrong:#}");
}

#[test]
fn who_may_not_ask_who_they_are_may_still_be_somebody() {
    let forbidden = |what: &str| Answer::status(403, "Forbidden", &format!(r#"{what} is forbidden: User "{USER}" cannot"#));
    let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), forbidden("selfsubjectreviews"));
    let fake = fake
        .always(post(ACCESS), access(false))
        .always(get("/readyz"), Answer::text(200, "ok"))
        .always(get(PODS), forbidden("pods"))
        .start();
    let place = Place::mount(fake.authority());
    place.write("token", token(&json!({ "exp": jiff::Timestamp::now().as_second() + 3600, "sub": USER })));
    let (code, report) = report(&mut place.in_pod("127.0.0.1", fake.port()));
    assert_eq!((code, &report["steps"][7]["result"]), (19, &json!("noted")), "{report:#}");
    // Whom the right is for, the token says.
    let wrong = failed(&report, "no-role");
    assert!(commands(&wrong)[1].contains(" --serviceaccount=shop:podlens "), "{wrong:#}");
}

#[test]
fn what_the_authorizers_do_not_tell_is_not_claimed() {
    let fake = Fake::builder().always(get("/version"), version()).always(post(REVIEWS), review());
    let fake = fake.always(post(ACCESS), Answer::text(404, "not here")).always(get(PODS), pods(&["web-0"], "")).start();
    let (code, report) = report(&mut Place::mount(fake.authority()).in_pod("127.0.0.1", fake.port()));
    assert_eq!((code, &report["steps"][8]["result"]), (0, &json!("noted")), "{report:#}");
    assert_eq!(report["steps"][8]["summary"], "we may list pods in `shop`; whether we may get one is not told");
}

#[test]
fn an_audience_is_wrong_only_where_it_is() {
    let hour = jiff::Timestamp::now().as_second() + 3600;
    let local = "https://kubernetes.default.svc.cluster.local";
    for (audience, subject, result) in [
        (local, USER, "passed"),
        ("https://kubernetes.default.svc", USER, "passed"),
        ("vault", USER, "failed"),
        ("vault", "jane", "noted"),
    ] {
        let fake = strict().start();
        let place = Place::mount(fake.authority());
        place.write("token", token(&json!({ "exp": hour, "aud": audience, "iss": "https://issuer", "sub": subject })));
        let (_, report) = report(&mut place.in_pod("127.0.0.1", fake.port()));
        assert_eq!(report["steps"][6]["result"], result, "{audience}, {subject}: {report:#}");
    }
}

#[test]
fn a_proxy_is_told_from_what_is_behind_it() {
    let authority = Authority::new();
    let place = Place::empty();
    let with_proxy = |proxy: &str| {
        place.write_kubeconfig(&authority, "https://10.96.0.1", &json!({ "token": "canary" }));
        let config = std::fs::read_to_string(place.path().join("config")).unwrap();
        let proxied = format!(r#""proxy-url":"{proxy}","server":"#);
        place.write("config", config.replace(r#""server":"#, &proxied));
        report(&mut place.with_kubeconfig()).1
    };
    for (proxy, reason, says) in [
        ("http://no-such-name.invalid:3128", "dns", "the proxy's name `no-such-name.invalid` cannot be resolved"),
        ("http://127.0.0.1:1", "refused", "the proxy `127.0.0.1:1`: nothing listens there"),
    ] {
        let wrong = failed(&with_proxy(proxy), reason);
        assert!(wrong["summary"].as_str().unwrap().starts_with(says), "{wrong:#}");
        assert!(fix(&wrong).contains(&format!("the proxy `{proxy}`, the `proxy-url` of cluster `dev`")), "{wrong:#}");
    }
    // One that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = failed(&with_proxy(&format!("http://{}", silent.local_addr().unwrap())), "proxy-refused");
    assert!(wrong["summary"].to_string().contains("the proxy gives no answer within 10 s"), "{wrong:#}");
}

#[test]
fn a_proxy_of_the_environment_is_a_hint_beside_the_remedy() {
    let authority = Authority::new();
    let place = Place::empty();
    place.write_kubeconfig(&authority, "https://127.0.0.1:1", &json!({ "token": "canary" }));
    let wrong = failed(&report(place.with_kubeconfig().env("HTTPS_PROXY", "http://127.0.0.1:9")).1, "refused");
    assert!(fix(&wrong).contains("the API server is down") && fix(&wrong).contains("`HTTPS_PROXY` is set"), "{wrong:#}");
    assert_eq!(commands(&wrong), ["while podlens doctor; s=$?; [ $s -ge 13 ] && [ $s -le 15 ]; do sleep 5; done"]);

    // A pod's own API server is no other cluster's.
    place.write_kubeconfig(&authority, "https://api.no-such-name.invalid", &json!({ "token": "canary" }));
    let pod = [("KUBERNETES_SERVICE_HOST", "10.96.0.1"), ("KUBERNETES_SERVICE_PORT", "443")];
    let wrong = failed(&report(place.with_kubeconfig().envs(pod)).1, "dns");
    assert!(commands(&wrong)[0].contains("--server=https://IP:443 "), "{wrong:#}");
}

#[test]
fn the_wait_ends_where_waiting_does_not_help() {
    let place = Place::empty();
    place.write_kubeconfig(&Authority::new(), "https://127.0.0.1:1", &json!({ "token": "canary" }));
    let wait = commands(&failed(&report(&mut place.with_kubeconfig()).1, "refused")).remove(0);
    for (codes, runs) in [("0", 1), ("14 13 15 0", 4), ("14 19", 2), ("11", 1), ("2", 1)] {
        let codes = place.write("codes", codes.replace(' ', "\n") + "\n");
        let podlens = place.write("podlens", "#!/bin/sh\necho run\ncode=$(head -1 codes)\nsed -i 1d codes\nexit $code\n");
        std::fs::set_permissions(&podlens, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = Command::new("sh");
        let path = format!("{}:/usr/bin:/bin", place.path().display());
        shell
            .args(["-c", &wait.replace("sleep 5", "true")])
            .env("PATH", path)
            .current_dir(codes.parent().map_or(Path::new("/"), |it| it));
        assert_eq!(program::run(&mut shell).stdout, "run\n".repeat(runs), "{wait}");
    }
}
