//! The twelve usual mistakes, each made on a real API server: `doctor`'s first ✘ names it, and what it says to do mends it when it
//! is pasted into a shell.
//!
//! Four of them need no API server at all (`fast/doctor.rs` has more of those), and are here for the pasting.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use podlens_tests::cluster::{Cluster, Namespace, Options};
use podlens_tests::fake::Authority;
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::arrange::{answer, cluster, eventually, kubectl};

/// Somebody's place of work: a folder, an environment, and a shell whose `kubectl` is an admin's.
struct Place {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    /// A pod of this account, with plain files for its mount, as somebody who copied them has.
    fn pod(cluster: &Cluster, token: &str, namespace: &str) -> Self {
        let place = Self::bare(cluster);
        for (name, text) in [("token", token), ("ca.crt", cluster.ca_pem()), ("namespace", namespace)] {
            fs::write(place.path(name), text).expect("the folder is writable");
        }
        place
    }

    /// A pod without a mount.
    fn bare(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let place = Self { folder, variables: Vec::new() };
        let kubectl = cluster.kubectl();
        let shim = format!(
            "#!/bin/sh\nKUBECONFIG={} exec {} \"$@\"\n",
            cluster.kubeconfig_path().display(),
            Path::new(kubectl.get_program()).display()
        );
        let bin = place.path("bin");
        fs::create_dir(&bin).expect("the folder is writable");
        fs::write(bin.join("kubectl"), shim).expect("the folder is writable");
        fs::set_permissions(bin.join("kubectl"), fs::Permissions::from_mode(0o755)).expect("it is ours");
        std::os::unix::fs::symlink(program::podlens(), bin.join("podlens")).expect("the folder is writable");
        let mount = place.folder.path().display().to_string();
        let address = cluster.address();
        place
            .with("PODLENS_SERVICE_ACCOUNT_DIR", &mount)
            .with("KUBERNETES_SERVICE_HOST", &address.ip().to_string())
            .with("KUBERNETES_SERVICE_PORT", &address.port().to_string())
    }

    /// A kubeconfig for `server`, and no pod.
    fn kubeconfig(cluster: &Cluster, server: &str, token: &str, namespace: &str) -> Self {
        let place = Self::pod(cluster, token, namespace);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "dev", "cluster": { "server": server, "certificate-authority": "ca.crt" } }],
            "users": [{ "name": "me", "user": { "tokenFile": "token" } }],
            "contexts": [{ "name": "dev", "context": { "cluster": "dev", "user": "me", "namespace": namespace } }],
            "current-context": "dev",
        });
        let path = place.path("config");
        fs::write(&path, config.to_string()).expect("the folder is writable");
        place.with("KUBECONFIG", &path.display().to_string())
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("bash");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        shell.args(["-ec", script]).env_clear().current_dir(self.folder.path()).env("PATH", path).env("HOME", "/nonexistent");
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        shell
    }

    /// What the doctor says, as machines read it.
    fn doctor(&self, after: &str) -> (i32, Value) {
        let Done { code, stdout, stderr } = program::run(&mut self.shell(&format!("{after}\npodlens doctor -o json")));
        let report = stdout.find("{\n").map(|at| &stdout[at..]).unwrap_or_default();
        (code, serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
    }

    /// The doctor's first ✘ is this step, says this, and what it says to do, pasted, lets the doctor find nothing wrong.
    #[track_caller]
    fn check(&self, exit_code: i32, says: &str) {
        let commands = self.commands(exit_code, says);
        // The authorizer learns of a new binding a moment later; what is already there may not be created again.
        let mut paste = commands.join("\n");
        eventually("the doctor finds nothing wrong", || {
            let (code, report) = self.doctor(&paste);
            if !paste.contains("export ") {
                paste.clear();
            }
            (code == 0 && report["healthy"] == true).then_some(())
        });
    }

    #[track_caller]
    fn commands(&self, exit_code: i32, says: &str) -> Vec<String> {
        let (code, report) = self.doctor("");
        let failed = first_failed(&report);
        assert_eq!((code, report["exitCode"].as_i64()), (exit_code, Some(exit_code.into())), "{report:#}");
        assert!(failed["summary"].as_str().is_some_and(|summary| summary.contains(says)), "{failed:#}");
        let commands = failed["fix"]["commands"].as_array().expect("there is a fix");
        commands.iter().map(|command| command.as_str().expect("a command is text").to_owned()).collect()
    }
}

/// The README has a row for this mistake, made at this place: what `kubectl get pods` prints that is given the same values, the
/// doctor's first ✘, and what it says to do.
#[track_caller]
fn is_in_the_readme(place: &Place, cluster: &Cluster, mistake: &str, namespace: &str) {
    let failed = first_failed(&place.doctor("").1);
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let commands: Vec<_> = failed["fix"]["commands"].as_array().expect("there is a fix").iter().map(text).collect();
    let fix = match (commands.as_slice(), &failed["fix"]["yaml"]) {
        ([], Value::String(yaml)) => format!("`{}`", yaml.split_whitespace().collect::<Vec<_>>().join(" ")),
        ([], _) => text(&failed["fix"]["text"]),
        // A pipe ends a table's cell, in code as well.
        (commands, _) => {
            commands.iter().map(|command| format!("`{}`", command.replace('|', "\\|"))).collect::<Vec<_>>().join("<br>")
        }
    };
    let told = format!("{}: {}", text(&failed["name"]), text(&failed["summary"]));
    // A date, and what the resolver of this machine says.
    let told = told.split_once(": it was good until").map_or(told.as_str(), |(told, _)| told);
    let kubectl = kubectl_says(place, namespace);
    let kubectl = match kubectl.split_once(": lookup kubernetes.default.svc") {
        Some((said, _)) => format!("{said}: lookup kubernetes.default.svc: no such host"),
        None => kubectl,
    };
    let row = format!("| {mistake} | `{kubectl}` | {told} | {fix} |")
        .replace(&cluster.address().to_string(), "10.96.0.1:443")
        .replace(&format!(":{}", cluster.address().port()), ":443")
        .replace(&place.path("config").display().to_string(), "~/.kube/config")
        .replace(&place.folder.path().display().to_string(), "sa")
        .replace(namespace, "shop");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("it is in the repository");
    assert!(readme.lines().any(|line| line == row), "the README has no row\n{row}");
}

/// The last line of what `kubectl get pods` prints, of a kubeconfig with the values that the place has.
fn kubectl_says(place: &Place, namespace: &str) -> String {
    let value = |name: &str| place.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let config = match value("KUBECONFIG") {
        Some(config) => PathBuf::from(config),
        // kubectl looks at one fixed path for a mount, and where there is none takes it that nobody said anything.
        None if !place.path("token").exists() => PathBuf::from("/nonexistent/config"),
        None => {
            let server = format!(
                "https://{}:{}",
                value("KUBERNETES_SERVICE_HOST").expect("this is a pod"),
                value("KUBERNETES_SERVICE_PORT").expect("this is a pod")
            );
            let config = json!({
                "clusters": [{ "name": "c", "cluster": { "server": server, "certificate-authority": "ca.crt" } }],
                "users": [{ "name": "u", "user": { "tokenFile": "token" } }],
                "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u", "namespace": namespace } }],
                "current-context": "c",
            });
            let path = place.path("kubectl-config");
            fs::write(&path, config.to_string()).expect("the folder is writable");
            path
        }
    };
    let kubectl = fs::read_to_string(place.path("bin/kubectl")).expect("it was written");
    let kubectl = kubectl.split_whitespace().skip_while(|word| *word != "exec").nth(1).expect("it runs kubectl").to_owned();
    let mut command = Command::new(kubectl);
    command.args(["get", "pods", "--request-timeout=10s"]).env_clear().current_dir(place.folder.path());
    for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
        command.envs(value(name).map(|value| (name, value)));
    }
    let done = program::run(command.env("HOME", place.folder.path()).env("KUBECONFIG", config));
    done.stderr.lines().last().unwrap_or_default().to_owned()
}

fn first_failed(report: &Value) -> Value {
    let steps = report["steps"].as_array().expect("there are steps");
    assert_eq!(steps.iter().map(|step| step["step"].as_u64()).collect::<Vec<_>>(), (1..=10).map(Some).collect::<Vec<_>>());
    steps.iter().find(|step| step["result"] == "failed").cloned().unwrap_or_else(|| panic!("nothing failed: {report:#}"))
}

/// A namespace, and a token of its account `default`.
fn account(cluster: &Cluster, prefix: &str) -> (Namespace, String) {
    let namespace = cluster.namespace(prefix);
    let token = cluster.service_account_token(&namespace, "default", 3600);
    (namespace, token)
}

/// The same, with the right to list and get the namespace's pods.
fn reader(cluster: &Cluster, prefix: &str) -> (Namespace, String) {
    let (namespace, token) = account(cluster, prefix);
    cluster.grant_pods(&namespace, "default", &["get", "list"]);
    (namespace, token)
}

#[test]
fn nothing_is_wrong_where_nothing_is() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "healthy");
    let mount = cluster.mount(&namespace, "default");
    let place =
        Place::pod(cluster, &token, &namespace).with("PODLENS_SERVICE_ACCOUNT_DIR", mount.path().to_str().expect("it is UTF-8"));
    let (code, report) = place.doctor("");
    assert_eq!(code, 0, "{report:#}");
    let results: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| step["result"].as_str().unwrap()).collect();
    // DNS is not needed for an address.
    let mut expected = ["passed"; 10];
    expected[2] = "skipped";
    assert_eq!(results, expected, "{report:#}");
    assert!(!report.to_string().contains(token.rsplit('.').next().unwrap()), "a token is printed");
}

#[test]
fn mistake_1_no_mount() {
    let cluster = cluster();
    let (namespace, _) = reader(cluster, "no-mount");
    let place = Place::bare(cluster).with("PODLENS_SERVICE_ACCOUNT_DIR", "/nonexistent/serviceaccount");
    let (code, report) = place.doctor("");
    let failed = first_failed(&report);
    assert_eq!(code, 11, "{report:#}");
    assert!(failed["summary"].as_str().unwrap().contains("no service account is mounted"), "{failed:#}");
    is_in_the_readme(&place, cluster, "no mount", &namespace);
    // The address is known all the same, and whether anything is there.
    assert_eq!(report["steps"][3]["result"], "passed", "{report:#}");

    // Pasted into a pod's manifest, it makes the API server give the pod a mount.
    fs::write(place.path("fix.yaml"), failed["fix"]["yaml"].as_str().expect("the fix is YAML")).unwrap();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "podlens", "namespace": &*namespace },
        "spec": { "automountServiceAccountToken": false, "containers": [{ "name": "app", "image": "registry.example.com/app:1" }] },
    });
    fs::write(place.path("pod.json"), pod.to_string()).unwrap();
    let script = "kubectl patch --local -f pod.json --type=merge --patch-file=fix.yaml -o json | kubectl create -f - -o json";
    let created: Value = serde_json::from_str(&answer(program::run(&mut place.shell(script)))).unwrap();
    let mounts = &created["spec"]["containers"][0]["volumeMounts"];
    assert_eq!(mounts[0]["mountPath"], "/var/run/secrets/kubernetes.io/serviceaccount", "{created:#}");
    let mount = cluster.mount(&namespace, "default");
    let place = place.with("PODLENS_SERVICE_ACCOUNT_DIR", mount.path().to_str().unwrap());
    assert_eq!(place.doctor("").0, 0);
}

#[test]
fn mistake_2_wrong_ca() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "wrong-ca");
    // Elsewhere a controller does this, in every namespace.
    let config_map = json!({ "metadata": { "name": "kube-root-ca.crt" }, "data": { "ca.crt": cluster.ca_pem() } });
    cluster.post(&format!("/api/v1/namespaces/{namespace}/configmaps"), &config_map);

    let place = Place::pod(cluster, &token, &namespace);
    fs::write(place.path("ca.crt"), Authority::new().pem()).unwrap();
    is_in_the_readme(&place, cluster, "wrong CA", &namespace);
    place.check(15, "wrong CA");

    let server = format!("https://{}", cluster.address());
    let place = Place::kubeconfig(cluster, &server, &token, &namespace);
    fs::write(place.path("ca.crt"), Authority::new().pem()).unwrap();
    place.check(15, "wrong CA");
}

#[test]
fn mistake_3_expired_token() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "expired");
    // That the key is right: of a moment ago, the API server takes it.
    assert_eq!(Place::pod(cluster, &cluster.aged(&token, 1), &namespace).doctor("").0, 0);
    let expired = cluster.aged(&token, 7 * 24 * 3600);
    let place = Place::pod(cluster, &expired, &namespace);
    is_in_the_readme(&place, cluster, "expired token", &namespace);
    place.check(17, "the token expired 6 days ago");
    let server = format!("https://{}", cluster.address());
    Place::kubeconfig(cluster, &server, &expired, &namespace).check(17, "the token expired 6 days ago");
}

#[test]
fn mistake_4_wrong_audience() {
    let cluster = cluster();
    let (namespace, _) = reader(cluster, "audience");
    let token = cluster.token(&namespace, "default", &json!({ "audiences": ["vault"] }));
    let place = Place::pod(cluster, &token, &namespace);
    is_in_the_readme(&place, cluster, "wrong audience", &namespace);
    place.check(17, "wrong audience: the token is meant for `vault`");
}

#[test]
fn mistake_5_no_role() {
    let cluster = cluster();
    let (namespace, token) = account(cluster, "no-role");
    let place = Place::pod(cluster, &token, &namespace);
    is_in_the_readme(&place, cluster, "no role", &namespace);
    place.check(19, "no role binding there gives us a role with `list` on pods");

    // The YAML says the same, and may be applied over what is there already.
    let (namespace, token) = account(cluster, "no-role");
    let place = Place::pod(cluster, &token, &namespace);
    let yaml = first_failed(&place.doctor("").1)["fix"]["yaml"].as_str().expect("there is YAML").to_owned();
    fs::write(place.path("fix.yaml"), yaml).unwrap();
    for _ in 0..2 {
        let done = program::run(&mut place.shell("kubectl apply -f fix.yaml"));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    }
    eventually("the rights", || (place.doctor("").0 == 0).then_some(()));
}

#[test]
fn mistake_6_role_without_binding() {
    let cluster = cluster();
    let (namespace, token) = account(cluster, "unbound");
    answer(kubectl(cluster, ["create", "role", "reader", "--verb=get,list", "--resource=pods", "-n", &namespace]));
    let place = Place::pod(cluster, &token, &namespace);
    is_in_the_readme(&place, cluster, "role without binding", &namespace);
    place.check(19, "(a role alone gives nothing)");
}

#[test]
fn mistake_7_binding_in_the_wrong_namespace() {
    let cluster = cluster();
    let (namespace, token) = account(cluster, "misbound");
    let (role, user) = (format!("--role={namespace}"), format!("--serviceaccount={namespace}:default"));
    // Whoever forgets `-n`.
    answer(kubectl(cluster, ["create", "role", &namespace, "--verb=get,list", "--resource=pods"]));
    answer(kubectl(cluster, ["create", "rolebinding", &namespace, &role, &user]));
    cluster.wait_until_allowed(
        &format!("system:serviceaccount:{namespace}:default"),
        &json!({ "namespace": "default", "verb": "list", "resource": "pods" }),
    );
    let place = Place::pod(cluster, &token, &namespace);
    is_in_the_readme(&place, cluster, "binding to the wrong namespace", &namespace);
    place.check(19, "and may in `default`: the role binding is in the wrong namespace");
}

#[test]
fn mistake_8_list_without_get() {
    let cluster = cluster();
    let (namespace, token) = account(cluster, "list-only");
    cluster.grant_pods(&namespace, "default", &["list"]);
    let place = Place::pod(cluster, &token, &namespace);
    is_in_the_readme(&place, cluster, "`list` without `get`", &namespace);
    place.check(19, "the role has `list` without `get`");
}

#[test]
fn what_rbac_gave_a_query_that_only_lists_can_be_widened() {
    let cluster = cluster();
    let namespace = cluster.namespace("widened");
    let printed = answer(program::run(program::command().args(["rbac", "pod-names", "-n", &namespace])));
    cluster.create_service_account(&namespace, "podlens");
    let place = Place::pod(cluster, &cluster.service_account_token(&namespace, "podlens", 3600), &namespace);
    fs::write(place.path("access.yaml"), printed).unwrap();
    // The account was there before; of that kubectl warns.
    assert_eq!(program::run(&mut place.shell("kubectl apply -f access.yaml")).code, 0);
    let user = format!("system:serviceaccount:{namespace}:podlens");
    cluster.wait_until_allowed(&user, &json!({ "namespace": &*namespace, "verb": "list", "resource": "pods" }));
    place.check(19, "the role has `list` without `get` (queries that only list need no `get`)");
}

#[test]
fn mistake_9_proxy_variables() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "proxy");
    // A network where names are resolved by the proxy alone.
    let proxy = serve((Ipv4Addr::LOCALHOST, 0).into(), cluster.address(), true);
    let server = format!("https://kubernetes.default.svc:{}", cluster.address().port());
    let place = Place::kubeconfig(cluster, &server, &token, &namespace).with("HTTPS_PROXY", &format!("http://{proxy}"));
    let (_, report) = place.doctor("");
    assert!(first_failed(&report)["fix"]["text"].as_str().unwrap().contains("`HTTPS_PROXY` is set"), "{report:#}");
    is_in_the_readme(&place, cluster, "proxy variables set", &namespace);
    place.check(13, "`HTTPS_PROXY` is set, and podlens does not use it");

    // Where the API server is reached without it, a word is enough.
    let place = Place::pod(cluster, &token, &namespace).with("HTTPS_PROXY", "http://127.0.0.1:9");
    let (code, report) = place.doctor("");
    assert_eq!((code, &report["steps"][1]["result"]), (0, &json!("noted")), "{report:#}");
}

#[test]
fn mistake_10_wrong_host() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "wrong-host");
    // Another of the machine's addresses, which is not in the certificate.
    let other = serve((Ipv4Addr::new(127, 0, 0, 2), cluster.address().port()).into(), cluster.address(), false);
    let place = Place::pod(cluster, &token, &namespace).with("KUBERNETES_SERVICE_HOST", &other.ip().to_string());
    is_in_the_readme(&place, cluster, "wrong host", &namespace);
    place.check(15, "wrong host: the certificate is for `127.0.0.1`");
    let place = Place::kubeconfig(cluster, &format!("https://{other}"), &token, &namespace);
    place.check(15, "not for `127.0.0.2`");
}

#[test]
fn mistake_11_dns_down() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "dns");
    let server = format!("https://kubernetes.default.svc:{}", cluster.address().port());
    // In a pod, whose environment has the address.
    let place = Place::kubeconfig(cluster, &server, &token, &namespace);
    is_in_the_readme(&place, cluster, "DNS down", &namespace);
    place.check(13, "the name `kubernetes.default.svc` cannot be resolved");

    // Elsewhere it has to be known: it takes the place of `IP`.
    let mut place = Place::kubeconfig(cluster, &server, &token, &namespace);
    place.variables.retain(|(name, _)| *name == "KUBECONFIG");
    let fix = place.commands(13, "cannot be resolved").join("\n").replace("https://IP:", "https://127.0.0.1:");
    assert_eq!(place.doctor(&fix).0, 0);
}

#[test]
fn mistake_12_api_server_down() {
    let cluster = Cluster::start(&Options::default());
    let (namespace, token) = reader(&cluster, "down");
    let place = Place::pod(&cluster, &token, &namespace);
    cluster.kill_api_server();
    is_in_the_readme(&place, &cluster, "API server down", &namespace);
    let fix = place.commands(14, "nothing listens there: connection refused").join("\n");
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| program::run(&mut place.shell(&fix.replace("sleep 5", "sleep 0.2"))));
        cluster.start_api_server();
        waiting.join().expect("it does not panic")
    });
    assert_eq!(waiting.code, 0, "{}", waiting.stdout);
    assert!(waiting.stdout.ends_with("\n✔ the API server answers, and queries can be run.\n"), "{}", waiting.stdout);
}

#[test]
fn a_binding_to_a_role_that_is_not_there_is_told() {
    let cluster = cluster();
    let (namespace, token) = account(cluster, "dangling");
    let user = format!("--serviceaccount={namespace}:default");
    answer(kubectl(cluster, ["create", "rolebinding", "reader", "--role=gone", &user, "-n", &namespace]));
    let place = Place::pod(cluster, &token, &namespace);
    eventually("the dangling binding", || {
        let failed = first_failed(&place.doctor("").1);
        failed["facts"].to_string().contains(r#"\"gone\" not found"#).then_some(())
    });
}

#[test]
fn other_accounts_and_places_get_lines_of_their_own() {
    let cluster = cluster();
    let (namespace, token) = reader(cluster, "lines");
    let other = cluster.namespace("other");
    let place = Place::pod(cluster, &token, &namespace);
    let done = program::run(&mut place.shell(&format!("podlens doctor -o json -n {namespace} -n {other}")));
    let fix = first_failed(&serde_json::from_str(&done.stdout).unwrap())["fix"]["commands"].to_string();
    assert!(fix.contains(&format!("--namespace={other} ")) && !fix.contains(&format!("--namespace={namespace} ")), "{fix}");
    let done = program::run(&mut place.shell(&format!("podlens doctor -o json -n {other}")));
    let failed = first_failed(&serde_json::from_str(&done.stdout).unwrap());
    let summary = failed["summary"].as_str().unwrap();
    assert!(summary.ends_with(&format!("and may in `{namespace}`: each namespace needs a role binding of its own")), "{summary}");
    let done = program::run(&mut place.shell("podlens doctor -o json -A"));
    let failed = first_failed(&serde_json::from_str(&done.stdout).unwrap());
    assert!(failed["summary"].as_str().unwrap().ends_with("`-A` needs a ClusterRoleBinding"), "{failed:#}");
    assert_eq!(failed["reason"], "no-binding-here");
    let fix = failed["fix"]["commands"].to_string();
    assert!(fix.contains(&format!("kubectl create clusterrolebinding podlens-{namespace}.default ")), "{fix}");

    let (namespace, user) = (cluster.namespace("jane"), cluster.client_certificate("jane doe", None));
    let place = Place::kubeconfig(cluster, &format!("https://{}", cluster.address()), "unused", &namespace);
    fs::write(place.path("jane.crt"), &user.certificate_pem).unwrap();
    fs::write(place.path("jane.key"), &user.key_pem).unwrap();
    let config = fs::read_to_string(place.path("config")).unwrap();
    let certificate = r#""client-certificate":"jane.crt","client-key":"jane.key""#;
    fs::write(place.path("config"), config.replace(r#""tokenFile":"token""#, certificate)).unwrap();
    place.check(19, "no role binding there gives us a role");
}

/// Listens there, and passes connections on; as a proxy if it is to be one. It ends with the process.
fn serve(listen: SocketAddr, target: SocketAddr, is_proxy: bool) -> SocketAddr {
    let listener = TcpListener::bind(listen).expect("loopback has this address");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that goes away has its reasons.
            thread::spawn(move || pass_on(client, target, is_proxy));
        }
    });
    address
}

fn pass_on(mut client: TcpStream, target: SocketAddr, is_proxy: bool) -> io::Result<()> {
    if is_proxy {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            head.extend(byte);
        }
        assert!(head.starts_with(b"CONNECT kubernetes.default.svc:"), "{}", String::from_utf8_lossy(&head));
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    }
    let server = TcpStream::connect(target)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
