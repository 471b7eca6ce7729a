//! What is typed and what is printed: the whole of standard output, standard error and the exit code.
//!
//! What is wrong here is wrong before anything is sent, unless a test scripts a server; `wire.rs` has what is wrong with that.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use podlens::Limit;
use podlens_tests::fake::{Answer, Authority, Fake, get, post};
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{NAMESPACE, PODS, Place, TOKEN, check, check_golden, lines, pod_list, pods, protobuf_list};
use crate::guests;

/// How long a run may take that nobody reads on from. The machine may be busy; an hour it is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who the scripted servers take everybody for.
const REVIEW: &str = r#"{
    "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
    "status": { "userInfo": { "username": "system:serviceaccount:shop:default", "groups": ["one", "system:authenticated"] } }
}"#;

const COME_WITH_PODLENS: &str = "hint: give the path of a `.wasm` file, or one of the queries that come with podlens: age-histogram, by-node, host-access, \
     image-drift, images, no-limits, no-probes, oom-killed, owners, pod-names, restarts, unready";
const NO_NAMESPACE: &str = "is not a namespace: 1 to 63 of a-z, 0-9 and `-`, beginning and ending with a letter or digit";
const NO_POD_NAME: &str =
    "is not a pod's name: 1 to 253 of a-z, 0-9, `-` and `.`, each part beginning and ending with a letter or digit";

/// `podlens` in a pod of a cluster that nobody asks anything.
#[track_caller]
fn check_unasked(arguments: &[&str], code: i32, stdout: &[&str], stderr: &[&str]) {
    let fake = Fake::start([]);
    let place = Place::mount(fake.authority());
    place.check(place.in_pod("127.0.0.1", fake.port()).args(arguments), code, stdout, stderr);
    // A connection may have been opened while the component was loaded.
    assert_eq!(fake.seen(), [], "{arguments:?} asks");
}

/// A value of a flag that is told by `error`, before any request.
#[track_caller]
fn check_wrong_value(arguments: &[&str], error: &str) {
    check_unasked(arguments, 2, &[], &[error, "", "For more information, try '--help'."]);
}

#[track_caller]
fn check_wrong_parameter(arguments: &[&str], error: &str) {
    check_unasked(arguments, 2, &[], &[error, "hint: give parameters as `-p key=value`"]);
}

// Help.

#[test]
fn help_is_as_reviewed() {
    for (arguments, golden) in [
        (&["--help"][..], "help"),
        (&["run", "--help"], "run-help"),
        (&["run", "-h"], "run-help-short"),
        (&["cluster-info", "--help"], "cluster-info-help"),
        (&["demo", "--help"], "demo-help"),
        (&["doctor", "--help"], "doctor-help"),
        (&["rbac", "--help"], "rbac-help"),
        (&["inspect", "--help"], "inspect-help"),
        (&["completions", "--help"], "completions-help"),
        (&["man", "--help"], "man-help"),
        (&["proxy", "--help"], "proxy-help"),
        (&["test", "--help"], "test-help"),
        (&["config", "view", "--help"], "config-view-help"),
    ] {
        let done = program::run(program::command().args(arguments));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        check_golden(golden, &done.stdout);
    }
}

#[test]
fn help_names_every_limit_with_its_default() {
    let help = program::run(program::command().args(["run", "-h"])).stdout;
    let (_, limits) = help.split_once("Limits of the run:\n").expect("limits have a section of their own");
    let shown: Vec<_> = limits.lines().map(str::trim).collect();
    let told = |limit: &Limit| {
        let start = format!("--{} <", limit.name());
        let default = format!("[default: {}]", limit.unit().show(limit.default_value()));
        let line = shown.iter().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no `{start}` in {limits}"));
        assert!(line.ends_with(&default) && line.contains(limit.what()), "{line}");
    };
    Limit::ALL.iter().for_each(told);
    assert_eq!(shown.len(), Limit::ALL.len());
}

#[test]
fn the_version_is_told() {
    let place = Place::empty();
    let version = format!("podlens {}", env!("CARGO_PKG_VERSION"));
    place.check(program::command().arg("--version"), 0, &[&version], &[]);
    place.check(program::command().arg("-V"), 0, &[&version], &[]);
}

// Wrong usage.

#[test]
fn what_does_not_exist_is_refused() {
    let done = program::run(&mut program::command());
    assert_eq!((done.code, done.stdout), (2, String::new()));
    check_golden("help", &done.stderr);
    check_unasked(
        &["frobnicate"],
        2,
        &[],
        &["error: unrecognized subcommand 'frobnicate'", "", "Usage: podlens <COMMAND>", "", "For more information, try '--help'."],
    );
    check_unasked(
        &["--frobnicate"],
        2,
        &[],
        &[
            "error: unexpected argument '--frobnicate' found",
            "",
            "Usage: podlens <COMMAND>",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["run"],
        2,
        &[],
        &[
            "error: the following required arguments were not provided:",
            "  <COMPONENT>",
            "",
            "Usage: podlens run <COMPONENT>",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["run", "pod-names", "--frobnicate"],
        2,
        &[],
        &[
            "error: unexpected argument '--frobnicate' found",
            "",
            "  tip: to pass '--frobnicate' as a value, use '-- --frobnicate'",
            "",
            "Usage: podlens run <COMPONENT>",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["run", "pod-names", "another"],
        2,
        &[],
        &[
            "error: unexpected argument 'another' found",
            "",
            "Usage: podlens run [OPTIONS] <COMPONENT>",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["run", "pod-names", "-o", "xml"],
        2,
        &[],
        &[
            "error: invalid value 'xml' for '--output <FORMAT>'",
            "  [possible values: table, wide, json, jsonl, yaml, csv, markdown, html, prometheus, name, jsonpath=, \
             jsonpath-as-json=, custom-columns=]",
            "",
            "  tip: a similar value exists: 'html'",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["run", "pod-names", "-n", "a", "-A"],
        2,
        &[],
        &[
            "error: the argument '--namespace <NAMESPACE>' cannot be used with '--all-namespaces'",
            "",
            "Usage: podlens run --namespace <NAMESPACE> <COMPONENT>",
            "",
            "For more information, try '--help'.",
        ],
    );
    check_unasked(
        &["cluster-info", "-n", "a"],
        2,
        &[],
        &[
            "error: unexpected argument '-n' found",
            "",
            "Usage: podlens cluster-info [OPTIONS]",
            "",
            "For more information, try '--help'.",
        ],
    );
}

#[test]
fn a_wrong_namespace_is_refused_before_any_request() {
    for wrong in ["..", "a/b", "%2e", "", "Shop", "a b", &"a".repeat(64)] {
        let error = format!("error: invalid value '{wrong}' for '--namespace <NAMESPACE>': `{wrong}` {NO_NAMESPACE}");
        check_wrong_value(&["run", "pod-names", "-n", "shop", "-n", wrong], &error);
    }
}

#[test]
fn a_wrong_selector_is_refused_with_the_part_that_is_wrong() {
    check_wrong_value(
        &["run", "pod-names", "-l", "app in"],
        "error: invalid value 'app in' for '--selector <SELECTOR>': label selector `app in` has the end where `(` is expected",
    );
    check_wrong_value(
        &["run", "pod-names", "-l", "=web"],
        "error: invalid value '=web' for '--selector <SELECTOR>': label selector `=web` has `=` where a label key is expected",
    );
    check_wrong_value(
        &["run", "pod-names", "-l", "app=web,tier=a b"],
        "error: invalid value 'app=web,tier=a b' for '--selector <SELECTOR>': label selector `app=web,tier=a b` has `b` where \
         `,` or the end is expected",
    );
    check_wrong_value(
        &["run", "pod-names", "--field-selector", "spec.nodeName"],
        "error: invalid value 'spec.nodeName' for '--field-selector <SELECTOR>': `spec.nodeName` in the field selector is not \
         `field=value`, `field==value` or `field!=value`",
    );
    check_wrong_value(
        &["run", "pod-names", "--field-selector", "status.qosClass=Burstable"],
        "error: invalid value 'status.qosClass=Burstable' for '--field-selector <SELECTOR>': `status.qosClass` in the field \
         selector is not a field that pods can be selected by: those are metadata.name, metadata.namespace, spec.nodeName, \
         spec.restartPolicy, spec.schedulerName, spec.serviceAccountName, spec.hostNetwork, status.phase, status.podIP, \
         status.nominatedNodeName",
    );
}

#[test]
fn a_wrong_parameter_is_refused_with_what_there_is() {
    check_wrong_parameter(&["run", "restarts", "-p", "min"], "error: argument is `min`, expected `name=value`");
    check_wrong_parameter(&["run", "restarts", "-p", "=3"], "error: this query has no parameter ``, expected one of `min`");
    check_wrong_parameter(
        &["run", "restarts", "-p", "min=many"],
        "error: value of parameter `min` is `many`, expected a decimal 64-bit integer such as `-3`",
    );
    check_wrong_parameter(
        &["run", "restarts", "-p", "min=1", "-p", "min=2"],
        "error: parameter `min` is given twice, expected one value",
    );
    check_wrong_parameter(&["run", "restarts", "-p", "max=3"], "error: this query has no parameter `max`, expected one of `min`");
    check_wrong_parameter(&["run", "pod-names", "-p", "min=3"], "error: this query has no parameter `min`, it takes none");
    check_wrong_parameter(&["run", guests::SWALLOWS], "error: parameter `namespace` is missing, expected text");
}

#[test]
fn a_wrong_limit_is_refused_with_its_form() {
    check_wrong_value(
        &["run", "pod-names", "--timeout", "30"],
        "error: invalid value '30' for '--timeout <DURATION>': expected a duration above 0, such as 30s, 500ms or 5m",
    );
    check_wrong_value(
        &["run", "pod-names", "--timeout", "0s"],
        "error: invalid value '0s' for '--timeout <DURATION>': expected a duration above 0, such as 30s, 500ms or 5m",
    );
    check_wrong_value(
        &["run", "pod-names", "--memory-limit", "64MB"],
        "error: invalid value '64MB' for '--memory-limit <QUANTITY>': expected a quantity of bytes above 0, such as 64Mi or 1Gi",
    );
    check_wrong_value(
        &["run", "pod-names", "--memory-limit", "99999999999Ti"],
        "error: invalid value '99999999999Ti' for '--memory-limit <QUANTITY>': expected a quantity of bytes above 0, such as \
         64Mi or 1Gi",
    );
    check_wrong_value(
        &["run", "pod-names", "--max-rows", "many"],
        "error: invalid value 'many' for '--max-rows <NUMBER>': expected a whole number above 0, such as 500",
    );
    check_wrong_value(
        &["run", "pod-names", "--max-rows", "0"],
        "error: invalid value '0' for '--max-rows <NUMBER>': expected a whole number above 0, such as 500",
    );
}

#[test]
fn names_that_a_query_makes_up_are_refused_before_any_request() {
    let ask = |namespace: &str, name: &str| {
        let parameters = [format!("namespace={namespace}"), format!("name={name}")];
        let fake = Fake::start([]);
        let place = Place::mount(fake.authority());
        let mut command = place.in_pod("127.0.0.1", fake.port());
        let done = place.run(command.args(["run", guests::ASKS, "-A", "-p", &parameters[0], "-p", &parameters[1]]));
        assert_eq!((done.code, done.stdout.as_str(), fake.seen().len()), (1, "", 0));
        let cause = done.stderr.strip_prefix("error: the query answered with an error\n  caused by: invalid argument: ");
        cause.unwrap_or_else(|| panic!("{}", done.stderr)).trim_end().to_owned()
    };
    for wrong in ["..", ".", "a/b", "%2e", "%2e%2e", "A", "a?watch=1", "a#b"] {
        assert_eq!(ask(wrong, "web-0"), format!("`{wrong}` {NO_NAMESPACE}"));
        assert_eq!(ask("shop", wrong), format!("`{wrong}` {NO_POD_NAME}"));
    }
    assert_eq!(ask("", "web-0"), format!("`` {NO_NAMESPACE}"));
    assert_eq!(ask("shop", ""), format!("`` {NO_POD_NAME}"));
}

#[test]
fn what_the_flags_do_not_grant_is_denied_before_any_request() {
    check_unasked(
        &["run", guests::ASKS, "-p", "namespace=kube-system"],
        3,
        &[],
        &["error: the query could not be answered", "  caused by: namespace `kube-system` is not granted"],
    );
    check_unasked(
        &["run", guests::ASKS, "-n", "a", "-p", "namespace=kube-system", "-p", "name=etcd-0"],
        3,
        &[],
        &["error: the query could not be answered", "  caused by: namespace `kube-system` is not granted"],
    );
    check_unasked(
        &["run", guests::OBJECTS, "-A"],
        3,
        &[],
        &["error: the query could not be answered", "  caused by: whole objects are not granted"],
    );
}

// Components.

#[test]
fn what_is_no_query_is_refused() {
    let place = Place::empty();
    let run = |component: &str| {
        let mut command = program::command();
        command.args(["run", component]).current_dir(place.path());
        command
    };
    place.check(
        &mut run("nosuch"),
        6,
        &[],
        &["error: the component `nosuch` cannot be read", "  caused by: No such file or directory (os error 2)", COME_WITH_PODLENS],
    );
    place.check(
        &mut run("./pod-names"),
        6,
        &[],
        &[
            "error: the component `./pod-names` cannot be read",
            "  caused by: No such file or directory (os error 2)",
            COME_WITH_PODLENS,
        ],
    );
    place.check(
        &mut run("nosuch.wasm"),
        6,
        &[],
        &[
            "error: the component `nosuch.wasm` cannot be read",
            "  caused by: No such file or directory (os error 2)",
            COME_WITH_PODLENS,
        ],
    );
    place.check(
        &mut run("."),
        6,
        &[],
        &["error: the component `.` cannot be read", "  caused by: Is a directory (os error 21)", COME_WITH_PODLENS],
    );
    place.write("query.wasm", "#!/bin/sh\n");
    place.check(
        &mut run("query.wasm"),
        6,
        &[],
        &["error: this is not a WebAssembly component", "hint: a query is a `.wasm` file built for the target `wasm32-wasip2`"],
    );
    place.write("query.wasm", "");
    place.check(
        &mut run("query.wasm"),
        6,
        &[],
        &["error: the file is empty, not a WebAssembly component", "hint: build the query again"],
    );
    place.write("query.wasm", b"\0asm\x01\0\0\0");
    place.check(
        &mut run("query.wasm"),
        6,
        &[],
        &[
            "error: this is a core WebAssembly module, not a component",
            "hint: build it for the target `wasm32-wasip2`, or make a component of it with `wasm-tools component new`",
        ],
    );
    place.write("query.wasm", b"\0asm\x0d\0\x01\0");
    place.check(
        &mut run("query.wasm"),
        6,
        &[],
        &[
            "error: the component does not export `describe` and `run`: it is not a query",
            "hint: it exports nothing; a query targets the world `query` of podlens:query@0.1.0",
        ],
    );
}

#[test]
fn a_file_is_run_where_its_path_is_given() {
    let fake = Fake::builder().always(get(PODS), pods(&["web-0"], "")).start();
    let place = Place::mount(fake.authority());
    // A file of a builtin's name is meant where the path says so.
    fs::copy(guests::PRINTS, place.path().join("restarts")).expect("the folder can be written");
    fs::copy(guests::PRINTS, place.path().join("pod-names.wasm")).expect("the folder can be written");
    for (component, first) in
        [("restarts", "No rows found.\n"), ("./restarts", "query: plain\n"), ("pod-names.wasm", "query: plain\n")]
    {
        let mut command = place.in_pod("127.0.0.1", fake.port());
        let done = place.run(command.args(["run", component]).current_dir(place.path()));
        assert!(done.code == 0 && done.stderr.starts_with(first), "{component}: {done:?}");
    }
}

// The way to the cluster.

#[test]
fn nothing_to_go_by_is_told_with_all_that_was_tried() {
    let place = Place::empty();
    let mut command = program::command();
    command.env("HOME", place.path());
    place.check(
        command.args(["run", "pod-names"]),
        4,
        &[],
        &[
            "error: no kubeconfig, and not in a pod: there is no way to an API server",
            "hint: looked at:",
            "hint: the kubeconfig `FOLDER/.kube/config`, since the environment's `KUBECONFIG` is not set: missing",
            "hint: the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`: not set, as they would be in a pod",
            "hint: set `KUBECONFIG` or name a kubeconfig, or run in a pod with a service account",
        ],
    );
    let mut command = program::command();
    command.env("KUBECONFIG", format!("{0}/a:{0}/b", place.path().display()));
    place.write("b", "");
    place.check(
        command.arg("cluster-info"),
        4,
        &[],
        &[
            "error: no kubeconfig, and not in a pod: there is no way to an API server",
            "hint: looked at:",
            "hint: the kubeconfig `FOLDER/a`, from the environment's `KUBECONFIG`: missing",
            "hint: the kubeconfig `FOLDER/b`, from the environment's `KUBECONFIG`: empty",
            "hint: the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`: not set, as they would be in a pod",
            "hint: set `KUBECONFIG` or name a kubeconfig, or run in a pod with a service account",
        ],
    );
    let mut command = program::command();
    place.check(
        command.env("KUBERNETES_SERVICE_HOST", "10.96.0.1").arg("cluster-info"),
        4,
        &[],
        &[
            "error: the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are needed in a pod, and not \
             both are set",
            "hint: the kubelet sets them in every pod; outside a cluster use a kubeconfig",
        ],
    );
}

#[test]
fn a_mount_that_is_not_in_order_is_told_before_any_request() {
    let fake = Fake::start([]);
    let place = Place::mount(fake.authority());
    let info = || {
        let mut command = place.in_pod("127.0.0.1", fake.port());
        command.arg("cluster-info");
        command
    };
    place.write("token", "");
    place.check(&mut info(), 4, &[], &["error: cannot use the token file `FOLDER/token`", "  caused by: the token is empty"]);
    place.write("token", "one\ntwo");
    place.check(
        &mut info(),
        4,
        &[],
        &["error: cannot use the token file `FOLDER/token`", "  caused by: the token has whitespace in it"],
    );
    place.write("token", "\u{feff}token");
    place.check(
        &mut info(),
        4,
        &[],
        &["error: cannot use the token file `FOLDER/token`", "  caused by: the token has characters other than visible ASCII"],
    );
    fs::remove_file(place.path().join("token")).expect("it was just written");
    place.check(
        &mut info(),
        4,
        &[],
        &[
            "error: the service account's token `FOLDER/token` is missing",
            "hint: the pod or its service account may say `automountServiceAccountToken: false`; a projected volume with a \
             `serviceAccountToken` gives one, too",
        ],
    );
    fs::create_dir(place.path().join("token")).expect("the folder can be written");
    place.check(&mut info(), 4, &[], &["error: cannot read the token file `FOLDER/token`", "  caused by: not a regular file"]);
    fs::remove_dir(place.path().join("token")).expect("it was just made");
    place.write("token", TOKEN);

    place.write("ca.crt", "");
    place.check(&mut info(), 4, &[], &["error: cannot use the certificate authority `FOLDER/ca.crt`", "  caused by: it is empty"]);
    place.write("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    place.check(
        &mut info(),
        4,
        &[],
        &[
            "error: cannot use the certificate authority `FOLDER/ca.crt`",
            "  caused by: none of its certificates can be used as a certificate authority",
        ],
    );
    place.write("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    place.check(
        &mut info(),
        4,
        &[],
        &["error: cannot use the certificate authority `FOLDER/ca.crt`", "  caused by: it is not well-formed PEM"],
    );
    fs::remove_file(place.path().join("ca.crt")).expect("it was just written");
    place.check(
        &mut info(),
        4,
        &[],
        &["error: cannot read the certificate authority `FOLDER/ca.crt`", "  caused by: No such file or directory (os error 2)"],
    );
    place.write("ca.crt", fake.authority().pem());

    place.write("namespace", "..");
    place.check(&mut info(), 4, &[], &["error: the namespace from `FOLDER/namespace` is not a namespace's name"]);
    assert_eq!(fake.connections(), 0);
}

#[test]
fn a_kubeconfig_that_is_not_in_order_is_told_and_never_shown() {
    let place = Place::empty();
    let authority = Authority::new();
    let info = |arguments: &[&str]| {
        let mut command = place.with_kubeconfig();
        // Neither is taken instead.
        command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", "1");
        command.env("PODLENS_SERVICE_ACCOUNT_DIR", place.path()).arg("cluster-info").args(arguments).current_dir(place.path());
        command
    };
    place.write("config", "users: [{name: dev, user: {token: canary}}, {");
    place.check(
        &mut info(&[]),
        4,
        &[],
        &["error: cannot read the kubeconfig `FOLDER/config`", "  caused by: it is not well-formed YAML (line 1, column 45)"],
    );
    place.write("config", "users: canary");
    place.check(
        &mut info(&[]),
        4,
        &[],
        &[
            "error: cannot read the kubeconfig `FOLDER/config`",
            "  caused by: a value is not of the kind that its field takes (line 1, column 8)",
        ],
    );
    place.write("config", "kind: Secret\napiVersion: v1\ndata: {token: canary}");
    place.check(
        &mut info(&[]),
        4,
        &[],
        &[
            "error: cannot read the kubeconfig `FOLDER/config`",
            "  caused by: it is another kind of object: kind `Config` of version `v1` is expected",
        ],
    );
    place.write("config", b"\xff\xfe");
    place.check(&mut info(&[]), 4, &[], &["error: cannot read the kubeconfig `FOLDER/config`", "  caused by: it is not UTF-8"]);
    place.check(
        &mut info(&["--kubeconfig", "nosuch"]),
        4,
        &[],
        &["error: cannot read the kubeconfig `nosuch`", "  caused by: No such file or directory (os error 2)"],
    );
    place.write("empty", "");
    place.check(&mut info(&["--kubeconfig", "empty"]), 4, &[], &["error: the kubeconfig `empty` is empty"]);

    place.write_kubeconfig(&authority, "https://127.0.0.1:1", &json!({ "token": "canary" }));
    place.check(
        &mut info(&["--context", "prod"]),
        4,
        &[],
        &["error: the kubeconfig has no context `prod`", "hint: there are: `dev`"],
    );
    place.write_kubeconfig(&authority, "http://127.0.0.1:8080", &json!({}));
    place.check(
        &mut info(&[]),
        4,
        &[],
        &[
            "error: `server` of cluster `dev` in `FOLDER/config` is not usable",
            "  caused by: `http://127.0.0.1:PORT` is not https",
            "hint: a token must not cross a network in the clear: use the server's https address",
        ],
    );
    place.write_kubeconfig(&authority, "https://canary:canary@127.0.0.1:1", &json!({}));
    place.check(
        &mut info(&[]),
        4,
        &[],
        &[
            "error: `server` of cluster `dev` in `FOLDER/config` is not usable",
            "  caused by: there is an `@` in it, as before a host that is given with user and password",
            "hint: who we are is the user's to say: `username` and `password` of a kubeconfig's user",
        ],
    );
    place.write_kubeconfig(&authority, "https://127.0.0.1:1", &json!({ "token": "a canary" }));
    place.check(
        &mut info(&[]),
        4,
        &[],
        &["error: cannot use the `token` of user `dev` in `FOLDER/config`", "  caused by: the token has whitespace in it"],
    );
    place.write_kubeconfig(&authority, "https://127.0.0.1:1", &json!({ "tokenFile": "nosuch" }));
    place.check(
        &mut info(&[]),
        4,
        &[],
        &["error: cannot read the token file `FOLDER/nosuch`", "  caused by: No such file or directory (os error 2)"],
    );
    place.write_kubeconfig(
        &authority,
        "https://127.0.0.1:1",
        &json!({ "exec": { "apiVersion": "v0", "command": "aws", "args": ["canary"] } }),
    );
    place.check(
        &mut info(&[]),
        4,
        &[],
        &[
            "error: the `exec` of user `dev` in `FOLDER/config` has an `apiVersion` other than `client.authentication.k8s.io/v1` and \
             `client.authentication.k8s.io/v1beta1`",
            "hint: older plugins' entries are brought up to date by the tool that wrote them",
        ],
    );
    place.write_kubeconfig(&authority, "https://127.0.0.1:1", &json!({ "client-key-data": "canary" }));
    place.check(&mut info(&[]), 4, &[], &["error: `client-key-data` of user `dev` in `FOLDER/config` is not base64"]);
}

#[test]
fn cluster_info_tells_where_and_who() {
    let info = || {
        [
            (get("/version").token(TOKEN), Answer::json(200, r#"{"gitVersion":"v1.37.2","platform":"linux/amd64"}"#)),
            (post("/apis/authentication.k8s.io/v1/selfsubjectreviews").token(TOKEN), Answer::json(201, REVIEW)),
        ]
    };
    check(
        Fake::start(info()),
        &["cluster-info"],
        0,
        &[
            "server                  https://127.0.0.1:PORT              (the environment's `KUBERNETES_SERVICE_HOST`)",
            "namespace               shop                                 (`FOLDER/namespace`)",
            "certificate authority   as configured                        (`FOLDER/ca.crt`)",
            "credentials             bearer token from a file             (`FOLDER/token`)",
            "version                 v1.37.2                              (linux/amd64)",
            "user                    system:serviceaccount:shop:default   (says the API server)",
            "groups                  one, system:authenticated",
        ],
        &[],
    );
    let fake = Fake::start(info());
    let place = Place::empty();
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": TOKEN }));
    let mut command = place.with_kubeconfig();
    place.check(
        command.arg("cluster-info"),
        0,
        &[
            "server                  https://127.0.0.1:PORT              (cluster `dev` in `FOLDER/config`)",
            "namespace               shop                                 (context `dev` in `FOLDER/config`)",
            "certificate authority   as configured                        (`FOLDER/ca.crt`)",
            "credentials             bearer token                         (user `dev` in `FOLDER/config`)",
            "version                 v1.37.2                              (linux/amd64)",
            "user                    system:serviceaccount:shop:default   (says the API server)",
            "groups                  one, system:authenticated",
        ],
        &[],
    );
}

#[test]
fn the_namespace_is_the_contexts_or_the_pods_own_unless_one_is_given() {
    let list =
        |namespace: &str| (get(&format!("/api/v1/namespaces/{namespace}/pods")), Answer::json(200, pod_list(&[], "").to_string()));
    let all = (get("/api/v1/pods"), Answer::json(200, pod_list(&[], "").to_string()));
    let fake = Fake::start([list("shop"), list("of-pod"), list("a"), list("a"), list("b"), all, list("shop")]);
    let place = Place::mount(fake.authority());
    let in_pod = || place.in_pod("127.0.0.1", fake.port());
    let none = &["No rows found."];
    place.check(in_pod().args(["run", "pod-names"]), 0, &[], none);
    place.check(in_pod().env("POD_NAMESPACE", "of-pod").args(["run", "pod-names"]), 0, &[], none);
    place.check(in_pod().args(["run", "pod-names", "-n", "a"]), 0, &[], none);
    place.check(in_pod().args(["run", "pod-names", "-n", "b", "--namespace=a"]), 0, &[], none);
    place.check(in_pod().args(["run", "pod-names", "--all-namespaces"]), 0, &[], none);
    place.write_kubeconfig(fake.authority(), &fake.address(), &json!({ "token": TOKEN }));
    place.check(place.with_kubeconfig().args(["run", "pod-names"]), 0, &[], none);
}

// Output.

/// Two pods of containers that were restarted; the first ended then.
fn restarted(at: Timestamp) -> Value {
    let ended = json!({
        "exitCode": 137, "reason": "OOMKilled", "finishedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "message": "out of memory, \"again\"\nline 2\u{1b}[31m\u{202e}",
    });
    pod_list(
        &[
            json!({
                "metadata": { "name": "web-0", "namespace": NAMESPACE },
                "status": { "containerStatuses": [
                    { "name": "app", "restartCount": 12, "image": "registry.example/web:1", "lastState": { "terminated": ended } },
                    { "name": "proxy", "restartCount": 0, "image": "registry.example/proxy:1" },
                ] },
            }),
            json!({
                "metadata": { "name": "a-long-name-1", "namespace": NAMESPACE },
                "status": { "containerStatuses": [{ "name": "app", "restartCount": 1, "image": "registry.example/web:1" }] },
            }),
        ],
        "",
    )
}

/// One answer, in each encoding.
#[track_caller]
fn check_output(list: &Value, arguments: &[&str], code: i32, stdout: &[&str], stderr: &[&str]) {
    for answer in [Answer::json(200, list.to_string()), Answer::protobuf(protobuf_list(list))] {
        check(Fake::start([(get(PODS), answer)]), arguments, code, stdout, stderr);
    }
}

#[test]
fn tables_are_kubectls() {
    let list = &restarted(Timestamp::now() - SignedDuration::from_hours(5 * 24 + 3));
    check_output(
        list,
        &["run", "restarts"],
        0,
        &[
            "NAMESPACE   NAME            CONTAINER   RESTARTS   LAST REASON   EXIT CODE   LAST END",
            "shop        web-0           app         12         OOMKilled     137         5d3h",
            "shop        a-long-name-1   app         1          <none>        <none>      <none>",
        ],
        &[],
    );
    check_output(
        list,
        &["run", "restarts", "-o", "table", "--no-headers", "-p", "min=2"],
        0,
        &["shop   web-0   app   12    OOMKilled   137   5d3h"],
        &[],
    );
    check_output(
        list,
        &["run", "restarts", "-o", "wide"],
        0,
        &[
            "NAMESPACE   NAME            CONTAINER   RESTARTS   LAST REASON   EXIT CODE   LAST END   IMAGE                    \
             LAST MESSAGE",
            "shop        web-0           app         12         OOMKilled     137         5d3h       registry.example/web:1   \
             out of memory, \"again\"\\u{a}line 2\\u{1b}[31m\\u{202e}",
            "shop        a-long-name-1   app         1          <none>        <none>      <none>     registry.example/web:1   \
             <none>",
        ],
        &[],
    );
}

#[test]
fn data_is_whole_and_escaped_as_its_format_does() {
    let list = &restarted("2026-01-02T03:04:05Z".parse().expect("this is a time"));
    check_output(
        list,
        &["run", "restarts", "-o", "json"],
        0,
        &[
            "[",
            "    {",
            r#"        "namespace": "shop","#,
            r#"        "name": "web-0","#,
            r#"        "container": "app","#,
            r#"        "restarts": 12,"#,
            r#"        "lastReason": "OOMKilled","#,
            r#"        "exitCode": 137,"#,
            r#"        "lastEnd": "2026-01-02T03:04:05Z","#,
            r#"        "image": "registry.example/web:1","#,
            r#"        "lastMessage": "out of memory, \"again\"\nline 2\u001b[31m\u202e""#,
            "    },",
            "    {",
            r#"        "namespace": "shop","#,
            r#"        "name": "a-long-name-1","#,
            r#"        "container": "app","#,
            r#"        "restarts": 1,"#,
            r#"        "lastReason": null,"#,
            r#"        "exitCode": null,"#,
            r#"        "lastEnd": null,"#,
            r#"        "image": "registry.example/web:1","#,
            r#"        "lastMessage": null"#,
            "    }",
            "]",
        ],
        &[],
    );
    check_output(
        list,
        &["run", "restarts", "-o", "yaml"],
        0,
        &[
            "- namespace: shop",
            "  name: web-0",
            "  container: app",
            "  restarts: 12",
            "  lastReason: OOMKilled",
            "  exitCode: 137",
            r#"  lastEnd: "2026-01-02T03:04:05Z""#,
            "  image: registry.example/web:1",
            r#"  lastMessage: "out of memory, \"again\"\nline 2\e[31m\U0000202E""#,
            "- namespace: shop",
            "  name: a-long-name-1",
            "  container: app",
            "  restarts: 1",
            "  lastReason: null",
            "  exitCode: null",
            "  lastEnd: null",
            "  image: registry.example/web:1",
            "  lastMessage: null",
        ],
        &[],
    );
    check_output(
        list,
        &["run", "restarts", "-o", "csv"],
        0,
        &[
            "namespace,name,container,restarts,lastReason,exitCode,lastEnd,image,lastMessage",
            r#"shop,web-0,app,12,OOMKilled,137,2026-01-02T03:04:05Z,registry.example/web:1,"out of memory, ""again"""#,
            "line 2\u{1b}[31m\u{202e}\"",
            "shop,a-long-name-1,app,1,,,,registry.example/web:1,",
        ],
        &[],
    );
    check_output(list, &["run", "restarts", "-o", "csv", "--no-headers", "-p", "min=100"], 0, &[], &[]);
    check_output(list, &["run", "restarts", "-o", "name"], 0, &["pod/web-0", "pod/a-long-name-1"], &[]);
    check_unasked(
        &["run", "images", "-o", "name"],
        2,
        &[],
        &["error: this query has no column `name` for output format `name`", "hint: choose another format with `-o`"],
    );
}

#[test]
fn no_rows_are_said_to_be_none() {
    let list = &pod_list(&[], "");
    check_output(list, &["run", "restarts"], 0, &[], &["No rows found."]);
    check_output(list, &["run", "restarts", "-o", "wide"], 0, &[], &["No rows found."]);
    check_output(list, &["run", "restarts", "-o", "name"], 0, &[], &["No rows found."]);
    check_output(list, &["run", "restarts", "-o", "json"], 0, &["[]"], &[]);
    check_output(list, &["run", "restarts", "-o", "yaml"], 0, &["[]"], &[]);
    check_output(
        list,
        &["run", "restarts", "-o", "csv"],
        0,
        &["namespace,name,container,restarts,lastReason,exitCode,lastEnd,image,lastMessage"],
        &[],
    );
}

#[test]
fn what_a_query_prints_is_on_standard_error_and_harmless() {
    let fake = Fake::start([]);
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(["run", guests::PRINTS]));
    assert_eq!((done.code, done.stdout.as_str()), (0, "TEXT\nprinted\n"));
    let lines: Vec<_> = done.stderr.lines().filter(|line| !line.contains("long ")).collect();
    assert_eq!(
        lines,
        [
            "query: plain",
            r"query: \u{1b}[31mred\u{1b}[0m",
            r"query: before\u{d}after",
            r"query: bell\u{7}, C1 \u{9b}31m, turned \u{202e}round",
            "warning: log limit of 64Ki reached: the rest is dropped (raise it with `--max-log-bytes`)",
        ]
    );
}

#[test]
fn a_panic_is_told_in_its_own_words() {
    let fake = Fake::start([]);
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(["run", guests::PANICS]));
    let told = [
        "error: the query panicked while it should run",
        "  caused by: panicked at tests/guests/examples/panics.rs:6:5:",
        "    the guest's own words",
    ];
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains(&lines(&told)) && done.stderr.ends_with("    at run\n"), "{}", done.stderr);
    check_unasked(&["run", guests::EXITS], 1, &[], &["error: the query ended its process with status 1 while it should run"]);
}

// Formats beyond kubectl's, and those that take an argument.

#[test]
fn an_answer_takes_many_forms() {
    let run = |format: &'static str| ["run", guests::ALL_TYPES, "--sort-by=.restarts", "-o", format];
    check_unasked(
        &run("jsonpath={range .items[?(@.restarts>=3)]}{.name}{'\\t'}{.restarts}{'\\n'}{end}"),
        0,
        &["web-10\t3", "job\t3", "api-日本\t12"],
        &[],
    );
    check_unasked(
        &run("custom-columns=POD:.name,WHY:.lastReason"),
        0,
        &["POD        WHY", "dns.1      ", "web-9      <none>", "web-10     OOMKilled", "job        Completed", "api-日本   Error"],
        &[],
    );
    check_unasked(&run("jsonpath-as-json={.items[-1].restarts}"), 0, &["[", "    12", "]"], &[]);
    let fake = Fake::start([]);
    let place = Place::mount(fake.authority());
    let print = |format| {
        let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(run(format)).args(["-p", "hostile=true"]));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{format}");
        assert!(!done.stdout.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{format}: {}", done.stdout);
        done.stdout
    };
    let lines = print("jsonl");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!((rows.len(), rows[1]["name"].as_str()), (6, Some("db\u{1b}[2J\nx")), "{lines}");
    for (format, expected) in [
        ("html", "<td class=\"text\">&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;</td>"),
        ("markdown", r"| `shop` | `db\u{1b}[2J\u{a}x` | -9223372036854775808 | -0 | true | `</td><script>alert(1)</script>` |"),
        (
            "prometheus",
            "podlens_all_types_restarts{namespace=\"shop\",name=\"job\",ready=\"false\",last_reason=\"Completed\",memory=\"1Gi\"} 3\n",
        ),
    ] {
        let output = print(format);
        assert!(output.contains(expected), "{output}");
    }
}

#[test]
fn what_cannot_be_printed_is_refused_before_any_request() {
    check_unasked(
        &["run", "pod-names", "-o", "prometheus"],
        2,
        &[],
        &[
            "error: this query has no column that is a metric for output format `prometheus`, expected at least one",
            "hint: choose another format with `-o`",
        ],
    );
    check_unasked(
        &["run", "pod-names", "--sort-by", ".node"],
        2,
        &[],
        &[
            "error: this query has no column `node` to sort by; expected one of `namespace`, `name`",
            "hint: name a column with `--sort-by`, such as `--sort-by=.restarts`",
        ],
    );
    for (format, told) in [
        ("jsonpath={.items", "`{.items` has no `}`"),
        ("jsonpath", "expected a template, such as `{.items[*].name}`"),
        ("custom-columns=NAME", "`NAME` is not a column; expected a header, `:` and a path, such as `POD:.name`"),
        ("json={.items}", "this format takes no argument; leave out the `=` and what follows"),
    ] {
        let error = format!("error: invalid value '{format}' for '--output <FORMAT>': {told}");
        check_wrong_value(&["run", "pod-names", "-o", format], &error);
    }
}

#[test]
fn what_a_template_does_not_find_is_told() {
    check_unasked(
        &["run", guests::ALL_TYPES, "-o", "jsonpath={.items[5].name}"],
        1,
        &[],
        &["error: the answer cannot be written", "  caused by: position 5 is not in a list of 5"],
    );
}

// Readers and disks.

/// Starts `podlens` with a pipe for standard output that nobody reads.
fn unread(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("podlens can be started")
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let fake = Fake::builder().always(get(PODS), pods(&["web-0"; 500], "")).start();
    let place = Place::mount(fake.authority());
    program::podlens();
    let started = Instant::now();
    for arguments in [
        &["run", guests::EMITS, "-o", "json"][..],
        &["run", guests::EMITS, "-o", "csv"],
        // These write at their end only.
        &["run", "pod-names"],
        &["run", "pod-names", "-o", "yaml"],
        &["run", "--help"],
        &["demo"],
    ] {
        let mut child = unread(place.in_pod("127.0.0.1", fake.port()).args(arguments));
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it can be waited for");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()), "{arguments:?}");
    }
    // One that has read something, as `head -1` does.
    let mut child = unread(place.in_pod("127.0.0.1", fake.port()).args(["run", guests::EMITS, "-o", "csv"]));
    let mut line = [0; 5];
    child.stdout.take().expect("it is piped").read_exact(&mut line).expect("it writes");
    let output = child.wait_with_output().expect("it can be waited for");
    assert_eq!((&line, output.status.code(), output.stderr.as_slice()), (b"text\n", Some(0), b"".as_slice()));
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn a_full_disk_is_told() {
    let fake = Fake::builder()
        .always(get(PODS), pods(&["web-0"], ""))
        .always(get("/version"), Answer::json(200, r#"{"gitVersion":"v1.37.2"}"#))
        .always(post("/apis/authentication.k8s.io/v1/selfsubjectreviews"), Answer::json(201, REVIEW))
        .start();
    let place = Place::mount(fake.authority());
    for arguments in [
        &["run", "pod-names"][..],
        &["run", "pod-names", "-o", "json"],
        &["run", guests::EMITS, "-o", "csv"],
        &["cluster-info"],
        &["demo"],
    ] {
        let full = File::options().write(true).open("/dev/full").expect("this system has /dev/full");
        let child = place.in_pod("127.0.0.1", fake.port()).args(arguments).stdout(full).stderr(Stdio::piped()).spawn();
        let output = child.expect("podlens can be started").wait_with_output().expect("it can be waited for");
        let stderr = lines(&["error: the answer cannot be written", "  caused by: No space left on device (os error 28)"]);
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(1), stderr.into()), "{arguments:?}");
    }
}

// Limits.

#[track_caller]
fn check_limit(limit: Limit, value: &str, arguments: &[&str], stdout: &[&str], complete: bool) {
    let fake = Fake::builder().always(get(PODS), pods(&["web-0", "web-1", "web-2"], "")).start();
    let place = Place::mount(fake.authority());
    let flag = format!("--{}", limit.name());
    let mut command = place.in_pod("127.0.0.1", fake.port());
    command.arg("run").args(arguments).args([&flag, value]);
    let told = [
        "warning: the answer is not complete".to_owned(),
        format!("error: the run reached its limit of {}: {value}", limit.what()),
        format!("hint: raise it with `{flag}`, if the query should have more"),
    ];
    let told: Vec<_> = told.iter().skip(usize::from(complete)).map(String::as_str).collect();
    place.check(&mut command, 5, stdout, &told);
}

#[test]
fn a_run_that_reaches_a_limit_ends_with_its_name() {
    let nothing_yet = true;
    check_limit(Limit::WallTime, "300ms", &[guests::SLEEPS], &[], nothing_yet);
    check_limit(Limit::CpuTime, "300ms", &[guests::LOOPS], &[], nothing_yet);
    check_limit(Limit::Memory, "32Mi", &[guests::GROWS], &[], nothing_yet);
    check_limit(Limit::HostCalls, "10", &[guests::LISTS_FOREVER], &[], nothing_yet);
    check_limit(Limit::Requests, "3", &[guests::LISTS_FOREVER], &[], nothing_yet);
    check_limit(Limit::Pods, "5", &[guests::LISTS_FOREVER], &[], nothing_yet);
    check_limit(Limit::ResponseBytes, "1Ki", &[guests::LISTS_FOREVER], &[], nothing_yet);
    let cut = "# the answer is not complete";
    check_limit(Limit::Rows, "2", &[guests::EMITS], &["TEXT", "again", "again", cut], !nothing_yet);
    check_limit(
        Limit::OutputBytes,
        "30",
        &[guests::EMITS, "-o", "csv"],
        &["text", "again", "again", &format!("{cut},")],
        !nothing_yet,
    );
    check_limit(Limit::Rows, "1", &[guests::EMITS, "-o", "jsonpath={.items[*].text}"], &[], !nothing_yet);
}

/// This one ends nothing.
#[test]
fn a_log_that_reaches_its_limit_is_cut_and_says_so() {
    check_unasked(
        &["run", guests::LOGS, "--max-log-bytes", "10", "--cpu-limit", "200ms"],
        5,
        &[],
        &[
            "query: again",
            "warning: log limit of 10 reached: the rest is dropped (raise it with `--max-log-bytes`)",
            "query: agai",
            "error: the run reached its limit of processor time: 200ms",
            "hint: raise it with `--cpu-limit`, if the query should have more",
        ],
    );
}
