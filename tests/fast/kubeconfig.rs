//! What a kubeconfig and the flags make of a request, as a user of the binary meets it: credential plugins, impersonation, passwords, and
//! the command that shows all of it.
//!
//! Which values go before which is tested beside the code (`host/src/config/kubeconfig/tests.rs`) and against client-go
//! (`tests/differential`); trust in `trust.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use podlens_tests::fake::{Answer, Expected, Fake, Serving, get};
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{DOCTOR, PODS, Place, TOKEN, pod_list, pods};

const POD_NAMES: [&str; 4] = ["run", "pod-names", "-o", "name"];

fn one_pod(expected: Expected) -> (Expected, Answer) {
    (expected, pods(&["web-0"], ""))
}

/// `podlens run pod-names` with the kubeconfig of `place` and these flags.
fn run<'a>(place: &Place, flags: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = place.with_kubeconfig();
    command.current_dir(place.path()).args(POD_NAMES).args(flags);
    command
}

/// A credential plugin: a shell script, which has its number of runs in `$runs`.
fn plugin(place: &Place, script: &str) {
    let text = format!("#!/bin/sh\ncd \"${{0%/*}}\"\necho x >>runs\nruns=$(wc -l <runs)\n{script}\n");
    let path = place.write("plugin", text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it was just written");
}

fn runs(place: &Place) -> usize {
    fs::read_to_string(place.path().join("runs")).map_or(0, |runs| runs.lines().count())
}

fn exec(fields: &Value) -> Value {
    let mut exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never" });
    exec.as_object_mut().expect("it is one").extend(fields.as_object().cloned().unwrap_or_default());
    json!({ "exec": exec })
}

/// What a plugin prints, as a line of its script.
fn credential(status: &Value) -> String {
    let credential = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status });
    format!("cat <<END\n{credential}\nEND")
}

/// The working directory is the kubeconfig's.
const ALLOW: [&str; 2] = ["--allow-exec", "./plugin"];

#[test]
fn a_plugin_that_is_not_allowed_is_not_run() {
    let place = Place::empty();
    let fake = Fake::builder().start();
    plugin(&place, &credential(&json!({ "token": "canary" })));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({ "args": ["canary"], "installHint": "canary" })));
    for flags in [&[][..], &["--allow-exec", "plugin"], &["--allow-exec", "aws"]] {
        place.check(
            place.with_kubeconfig().arg("cluster-info").args(flags),
            4,
            &[],
            &[
                "error: the credential plugin `./plugin` of user `dev` in `FOLDER/config` is not run",
                "  caused by: a kubeconfig's program is only run when it is allowed by name",
                "hint: kubectl would run it unasked; `--allow-exec FOLDER/plugin` lets podlens do so, with the arguments and variables \
                 that the kubeconfig has for it: if you know where that is from",
            ],
        );
    }
    assert_eq!((runs(&place), fake.connections()), (0, 0));
}

#[test]
fn a_plugin_is_run_once_and_its_words_are_shown() {
    let place = Place::empty();
    let fake = Fake::start([
        (get(PODS).token("token-1"), pods(&["web-0"], "next")),
        one_pod(get(PODS).token("token-1").query(&[("limit", "500"), ("continue", "next")])),
    ]);
    plugin(
        &place,
        &format!(
            "printf 'sign in at \\033[1mhttps://x\\033[0m\\n' >&2\n\
             printf '%s' \"$KUBERNETES_EXEC_INFO\" >info\nprintf '%s ' \"$@\" \"$TEAM\" \"$HOME\" >arguments\n{}",
            credential(&json!({ "token": "token-$runs" }))
        ),
    );
    let fields = json!({ "args": ["get-token", "a b"], "env": [{ "name": "TEAM", "value": "shop" }], "provideClusterInfo": true });
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&fields));
    place.check(
        &mut run(&place, ALLOW),
        0,
        &["pod/web-0", "pod/web-0"],
        &[r"NOWZ  WARN podlens::client::exec: ./plugin: sign in at \u{1b}[1mhttps://x\u{1b}[0m"],
    );
    assert_eq!(runs(&place), 1);
    assert_eq!(fs::read_to_string(place.path().join("arguments")).unwrap(), "get-token a b shop /nonexistent ");
    let info: Value = serde_json::from_str(&fs::read_to_string(place.path().join("info")).unwrap()).unwrap();
    assert_eq!((&info["kind"], &info["spec"]["interactive"]), (&json!("ExecCredential"), &json!(false)));
    assert_eq!(info["spec"]["cluster"]["server"], json!(fake.address()));
    let authority = info["spec"]["cluster"]["certificate-authority-data"].as_str().unwrap();
    assert_eq!(
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, authority).unwrap(),
        fake.authority().pem().into_bytes()
    );
}

#[test]
fn a_plugin_is_run_again_when_its_credential_ends_or_is_refused() {
    let place = Place::empty();
    let unauthorized = || Answer::status(401, "Unauthorized", "Unauthorized");
    // Ended by the clock here, which need not be the server's; then refused.
    let fake = Fake::start([
        (get(PODS).token("token-1"), pods(&["a"], "next")),
        (get(PODS).token("token-1"), unauthorized()),
        (get(PODS).token("token-2"), pods(&["b"], "")),
    ]);
    let ended = json!({ "token": "token-$runs", "expirationTimestamp": "2026-01-01T00:00:00Z" });
    let lasting = json!({ "token": "token-$runs", "expirationTimestamp": "2999-01-01T00:00:00Z" });
    plugin(&place, &format!("if [ $runs = 1 ]; then\n{}\nelse\n{}\nfi", credential(&ended), credential(&lasting)));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({})));
    let done = program::run(&mut run(&place, ALLOW));
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "pod/a\npod/b\n", ""));
    assert_eq!(runs(&place), 2);

    // Refused, and no other comes.
    let place = Place::empty();
    let fake = Fake::start([(get(PODS).token("canary"), unauthorized())]);
    plugin(&place, &credential(&json!({ "token": "canary" })));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({})));
    place.check(
        &mut run(&place, ALLOW),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 401 Unauthorized",
            "  caused by: Unauthorized",
            "hint: the credential plugin `./plugin` gave this credential, and none better when it was run again: sign in anew with \
             its own tool",
            DOCTOR,
        ],
    );
    assert_eq!(runs(&place), 2);
}

#[test]
fn a_certificate_of_a_plugin_is_shown() {
    let place = Place::empty();
    let fake = Fake::builder().client_certificates().script([one_pod(get(PODS).anonymous())]).start();
    let mine = fake.authority().client("me");
    let status = json!({ "clientCertificateData": mine.certificate_pem, "clientKeyData": mine.key_pem });
    plugin(&place, &credential(&status).replace("<<END", "<<'END'"));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({})));
    place.check(&mut run(&place, ALLOW), 0, &["pod/web-0"], &[]);
}

#[test]
fn a_plugin_that_fails_is_told_without_what_it_gave() {
    for (script, told) in [
        ("echo canary; exit 3", "the credential plugin `./plugin` failed: exit status: 3"),
        ("kill -9 $$", "the credential plugin `./plugin` failed: signal: 9 (SIGKILL)"),
        ("echo canary", "the credential plugin `./plugin` gave an answer that is no credential"),
        ("yes canary | head -c 2000000", "the credential plugin `./plugin` gave more than 1048576 bytes"),
    ] {
        let place = Place::empty();
        let fake = Fake::builder().start();
        plugin(&place, script);
        place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({})));
        let done = program::run(&mut run(&place, ALLOW));
        assert_eq!((done.code, done.stdout.as_str()), (4, ""), "{script}: {}", done.stderr);
        assert!(done.stderr.contains(told) && !done.stderr.contains("canary"), "{script}: {}", done.stderr);
        assert_eq!(fake.connections(), 0);
    }
}

#[test]
fn a_plugin_that_needs_a_terminal_is_not_run_without_one() {
    let place = Place::empty();
    let fake = Fake::builder().start();
    plugin(&place, &credential(&json!({ "token": "canary" })));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({ "interactiveMode": "Always" })));
    let done = program::run(run(&place, ALLOW).stdin(std::process::Stdio::null()));
    assert!(done.code == 4 && done.stderr.contains("needs a terminal on standard input, and there is none"), "{}", done.stderr);
    assert_eq!(runs(&place), 0);
}

#[test]
fn what_a_plugin_leaves_behind_holds_nothing_up() {
    let place = Place::empty();
    let fake = Fake::start([one_pod(get(PODS).token("t"))]);
    plugin(&place, &format!("sleep 300 >/dev/null &\n{}", credential(&json!({ "token": "t" }))));
    place.write_kubeconfig(fake.authority(), &fake.address(), &exec(&json!({})));
    let started = Instant::now();
    place.check(&mut run(&place, ALLOW), 0, &["pod/web-0"], &[]);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn impersonation_is_in_every_request() {
    let fake = Fake::start([
        (get(PODS).token(TOKEN), pods(&["a"], "next")),
        (get(PODS).token(TOKEN), Answer::status(500, "InternalError", "")),
        one_pod(get(PODS).token(TOKEN)),
    ]);
    let place = Place::empty();
    let user = json!({
        "token": TOKEN, "as": "jane", "as-uid": "7", "as-groups": ["devs", "ops"],
        "as-user-extra": { "example.org/scope": ["read", "list"] },
    });
    place.write_kubeconfig(fake.authority(), &fake.address(), &user);
    place.check(&mut run(&place, []), 0, &["pod/a", "pod/web-0"], &[]);
    let seen = fake.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        let of_impersonation = request.headers.iter().filter(|(name, _)| name.starts_with("impersonate"));
        assert_eq!(
            of_impersonation.map(|(name, value)| format!("{name}: {value}")).collect::<BTreeSet<_>>(),
            [
                "impersonate-user: jane",
                "impersonate-uid: 7",
                "impersonate-group: devs",
                "impersonate-group: ops",
                "impersonate-extra-example.org%2fscope: list",
                "impersonate-extra-example.org%2fscope: read",
            ]
            .map(str::to_owned)
            .into()
        );
    }
}

#[test]
fn flags_impersonate_in_a_pod_too() {
    let refused = r#"users "joan" is forbidden: User "system:serviceaccount:shop:default" cannot impersonate resource "users" in API group """#;
    let fake = Fake::start([(get(PODS).token(TOKEN), Answer::status(403, "Forbidden", refused))]);
    let place = Place::mount(fake.authority());
    let mut command = place.in_pod("127.0.0.1", fake.port());
    place.check(
        command.args(POD_NAMES).args(["--as", "joan", "--as-group", "devs"]),
        3,
        &[],
        &[
            "error: the query could not be answered",
            "  caused by: `https://127.0.0.1:PORT` answered `GET /api/v1/namespaces/shop/pods` with 403 Forbidden",
            &format!("  caused by: {refused}"),
            "hint: to ask as user `joan`, groups `devs`, by the option `as`, needs the verb `impersonate` on it: a Role of your own \
             user gives that",
            DOCTOR,
        ],
    );
    assert_eq!(fake.seen()[0].header("impersonate-user"), Some("joan"));
    let done = program::run(place.in_pod("127.0.0.1", 1).args(POD_NAMES).args(["--as-group", "devs"]));
    assert!(done.code == 4 && done.stderr.contains("`as` is not set"), "{}", done.stderr);
}

#[test]
fn user_and_password_are_sent_as_basic_authentication() {
    let fake = Fake::start([one_pod(get(PODS))]);
    let place = Place::empty();
    // The example of RFC 7617, section 2.
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "username": "Aladdin", "password": "open sesame" }));
    place.check(&mut run(&place, []), 0, &["pod/web-0"], &[]);
    assert_eq!(fake.seen()[0].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[test]
fn insecurity_is_said_each_time() {
    let fake = Fake::builder().serving(Serving::SelfSigned).script([one_pod(get(PODS).token(TOKEN))]).start();
    let place = Place::mount(fake.authority());
    let mut command = place.in_pod("127.0.0.1", fake.port());
    place.check(
        command.args(POD_NAMES).arg("--insecure-skip-tls-verify"),
        0,
        &["pod/web-0"],
        &["NOWZ  WARN podlens::client: nobody knows who answers at `https://127.0.0.1:PORT`, and whoever does gets the credentials: \
           no certificate is verified, by the option `insecure-skip-tls-verify`"],
    );
}

#[test]
fn flags_alone_make_a_configuration() {
    let pod = json!({ "metadata": { "name": "web-0", "namespace": "default" } });
    let fake =
        Fake::start([(get("/api/v1/namespaces/default/pods").token(TOKEN), Answer::json(200, pod_list(&[pod], "").to_string()))]);
    let place = Place::mount(fake.authority());
    let (ca, token) = (place.path().join("ca.crt"), place.path().join("token"));
    let mut command = program::command();
    command
        .args(POD_NAMES)
        .arg("--server")
        .arg(fake.address())
        .arg("--certificate-authority")
        .arg(ca)
        .arg("--token-file")
        .arg(token);
    place.check(&mut command, 0, &["pod/web-0"], &[]);
}

#[test]
fn a_request_has_the_time_that_it_is_given() {
    let fake = Fake::start([(get(PODS), Answer::hang())]);
    let place = Place::mount(fake.authority());
    let started = Instant::now();
    let done = program::run(place.in_pod("127.0.0.1", fake.port()).args(POD_NAMES).args(["--request-timeout", "500ms"]));
    assert!(done.code == 4 && done.stderr.contains("in time"), "{}", done.stderr);
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn the_configuration_is_shown_with_its_origins_and_without_secrets() {
    let place = Place::empty();
    let authority = podlens_tests::fake::Authority::new();
    let mine = authority.client("me");
    place.write("me.crt", mine.certificate_pem);
    place.write("me.key", mine.key_pem);
    let user =
        json!({ "token": "canary", "client-certificate": "me.crt", "client-key": "me.key", "as": "jane", "as-groups": ["devs"] });
    place.write_kubeconfig(&authority, "https://api.example:6443", &user);
    let mut command = place.with_kubeconfig();
    command.env("HTTPS_PROXY", "http://me:canary@proxy").env("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    place.check(
        command.args(["config", "view", "--tls-server-name", "kubernetes", "--request-timeout", "5"]),
        0,
        &[
            "server                  https://api.example:6443                      (from cluster `dev` in `FOLDER/config`)",
            "namespace               shop                                          (from context `dev` in `FOLDER/config`)",
            "certificate authority   as configured                                 (from `FOLDER/ca.crt`)",
            "TLS server name         kubernetes                                    (from the option `tls-server-name`)",
            "credentials             bearer token                                  (from user `dev` in `FOLDER/config`)",
            "client certificate      certificate and key                           (from `FOLDER/me.crt`)",
            "impersonation           user `jane`, groups `devs`                    (from user `dev` in `FOLDER/config`)",
            "request timeout         5s                                            (from the option `request-timeout`)",
            "not used                the environment's `KUBERNETES_SERVICE_HOST`   (a kubeconfig or `server` comes before the pod's \
             service account)",
            "not used                the environment's `HTTPS_PROXY`               (a proxy is used where a kubeconfig has a `proxy-url`, and \
             nowhere else)",
        ],
        &[],
    );
    let done = program::run(command.args(["-o", "json"]));
    let view: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(view["settings"][0]["name"], json!("server"));
    assert_eq!(view["unused"][1]["name"], json!("the environment's `HTTPS_PROXY`"));
    assert!(!done.stdout.contains("canary"));
}
