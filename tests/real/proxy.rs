//! `podlens proxy` between a real `kubectl` and a real API server.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use podlens_tests::cluster::{Cluster, Mount, realistic_pod};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::arrange::{answer, cluster, eventually, in_pod, kubectl, reader, requests_when, tiny_pod};

/// Longest wait for bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running proxy, in a pod, and a home for the kubectl that uses it.
struct Proxy {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Proxy {
    fn start(cluster: &Cluster, mount: &Mount, arguments: &[&str]) -> Self {
        let mut child = in_pod(cluster, mount)
            .args(["proxy", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("podlens can be started");
        let told = first_line(child.stdout.as_mut().expect("it is piped"));
        let port = told.strip_prefix("Starting to serve on 127.0.0.1:").and_then(|port| port.trim_end().parse().ok());
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        Self { child, port: port.expect("the proxy says where it is"), home }
    }

    /// kubectl as somebody who has no kubeconfig and no credentials.
    fn kubectl(&self, cluster: &Cluster, arguments: &[&str]) -> Done {
        program::run(
            cluster
                .kubectl()
                .env("HOME", self.home.path())
                .env("KUBECONFIG", "/dev/null")
                .args(["--server", &format!("http://localhost:{}", self.port)])
                .args(arguments),
        )
    }

    /// An answer's head, lines without their ends, and body, of a connection that is closed after it.
    fn ask(&self, method: &str, target: &str) -> (Vec<String>, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy listens");
        ask(&mut stream, method, target, &format!("localhost:{}", self.port))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: &mut ChildStdout) -> String {
    let mut told = String::new();
    BufReader::new(stdout).read_line(&mut told).expect("standard output is UTF-8");
    told
}

fn ask(stream: &mut (impl Read + Write), method: &str, target: &str, host: &str) -> (Vec<String>, String) {
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("there is an answer");
    let head: Vec<_> = head.lines().map(str::to_owned).collect();
    let is_chunked = head.iter().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
    (head, if is_chunked { whole(body) } else { body.to_owned() })
}

/// The chunks of a body together (RFC 9112 section 7.1).
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n").expect("a chunk begins with its length");
        let length = usize::from_str_radix(length, 16).expect("the length is hexadecimal");
        body += &rest[..length];
        if length == 0 {
            return body;
        }
        chunks = rest[length..].strip_prefix("\r\n").expect("a chunk ends with its line");
    }
}

/// The columns of kubectl's table that do not change with time.
fn steady(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().take(3).collect()).collect()
}

#[test]
fn kubectl_prints_what_it_prints_without_a_proxy() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "proxied");
    cluster.create_pods(&namespace, 12, realistic_pod);
    let proxy = Proxy::start(cluster, &mount, &[]);
    for arguments in [
        &["get", "pods", "-o", "name"][..],
        &["get", "po", "-o", "name", "-l", "team in (search,billing)"],
        &["get", "pods", "-o", "name", "--field-selector", "spec.nodeName=node-003"],
        &["get", "pods", "-o", "name", "--chunk-size", "5"],
        &["get", "pods", "-o", "json", "--show-managed-fields"],
        &["get", "pods", "-o", "yaml"],
        &["get", "pod", "web-00003", "-o", "yaml"],
        &["get", "pod/web-00003", "pod/web-00004", "-o", "name"],
        &["get", "pods", "-o", "custom-columns=N:.metadata.name,R:.status.containerStatuses[*].restartCount"],
        &["get", "pods", "-o", "jsonpath={.items[*].status.podIP}"],
    ] {
        let arguments = [&["-n", &namespace][..], arguments].concat();
        let direct = kubectl(cluster, &arguments);
        assert_eq!(proxy.kubectl(cluster, &arguments), direct, "{arguments:?}");
        assert_eq!(direct.code, 0, "{}", direct.stderr);
    }
    for arguments in [
        &["get", "pods"][..],
        &["get", "pods", "-o", "wide"],
        &["get", "pods", "--no-headers", "--sort-by", ".metadata.name"],
        &["get", "pod", "web-00003"],
    ] {
        let arguments = [&["-n", &namespace][..], arguments].concat();
        let (direct, proxied) = (answer(kubectl(cluster, &arguments)), answer(proxy.kubectl(cluster, &arguments)));
        assert_eq!(steady(&proxied), steady(&direct), "{arguments:?}");
        assert_eq!(proxied.lines().next().map(|line| line.split_whitespace().count() > 4), Some(true), "{proxied}");
    }
    let missing = proxy.kubectl(cluster, &["-n", &namespace, "get", "pod", "nobody"]);
    assert_eq!((missing.code, missing.stderr.as_str()), (1, "Error from server (NotFound): pods \"nobody\" not found\n"));
    // As the proxy's account: nothing of the client's own reaches the API server.
    let by = cluster.audit_events().into_iter().filter(|event| event["objectRef"]["namespace"] == namespace.name());
    let by: Vec<_> = by.filter(|event| event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("podlens/"))).collect();
    assert!(by.len() > 10);
    for event in by {
        assert_eq!(event["user"]["username"], format!("system:serviceaccount:{namespace}:default"));
    }
}

#[test]
fn a_list_in_pages_is_the_whole_list() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "pages");
    cluster.create_pods(&namespace, 1_201, |index| tiny_pod(&format!("pod-{index:04}")));
    let proxy = Proxy::start(cluster, &mount, &[]);
    let list = ["get", "pods", "-n", &namespace, "-o", "name"];
    let direct = answer(kubectl(cluster, list));
    assert_eq!(direct.lines().count(), 1_201);
    assert!(answer(proxy.kubectl(cluster, &list)) == direct);
    let table = answer(proxy.kubectl(cluster, &["get", "pods", "-n", &namespace, "--no-headers"]));
    assert_eq!(table.lines().count(), 1_201);
    let pages = requests_when(cluster, &namespace, 6).into_iter().filter(|(code, uri)| *code == 200 && uri.contains("limit=500"));
    assert_eq!(pages.count(), 6);
    // In one piece, too.
    let (_, whole) = proxy.ask("GET", &format!("/api/v1/namespaces/{namespace}/pods"));
    assert_eq!(whole.matches("\"name\":\"pod-").count(), 1_201);
}

#[test]
fn what_the_api_server_refuses_is_printed_as_it_says() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "allowed");
    let other = cluster.namespace("not-allowed");
    let proxy = Proxy::start(cluster, &mount, &["-A"]);
    let user = format!("system:serviceaccount:{namespace}:default");
    for (arguments, expected) in [
        (
            &["get", "pods", "-n", &other][..],
            format!(
                "pods is forbidden: User \"{user}\" cannot list resource \"pods\" in API group \"\" in the namespace \"{other}\""
            ),
        ),
        (
            &["get", "pods", "-A"],
            format!("pods is forbidden: User \"{user}\" cannot list resource \"pods\" in API group \"\" at the cluster scope"),
        ),
        (
            &["get", "pod", "web-0", "-n", &other, "-o", "yaml"],
            format!(
                "pods \"web-0\" is forbidden: User \"{user}\" cannot get resource \"pods\" in API group \"\" in the namespace \"{other}\""
            ),
        ),
    ] {
        let done = proxy.kubectl(cluster, arguments);
        assert_eq!((done.code, done.stderr), (1, format!("Error from server (Forbidden): {expected}\n")));
    }
}

#[test]
fn nothing_but_reads_goes_through() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "read-only");
    let other = cluster.namespace("not-granted");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    // The account itself could do all of it.
    cluster.grant(&namespace, "default", &json!({ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }));
    let proxy = Proxy::start(cluster, &mount, &[]);
    let refused = |arguments: &[&str]| {
        let done = proxy.kubectl(cluster, &[&["-n", &namespace][..], arguments].concat());
        assert_ne!(done.code, 0, "{arguments:?}: {}", done.stdout);
        done.stderr
    };
    assert!(refused(&["delete", "pod", "web-0", "--wait=false"]).contains("(MethodNotAllowed)"));
    assert!(refused(&["logs", "web-0"]).contains("(Forbidden): `podlens proxy` serves lists of pods"));
    for arguments in [
        &["exec", "web-0", "--", "true"][..],
        &["attach", "web-0"],
        &["port-forward", "pod/web-0", "0:80"],
        &["label", "pod", "web-0", "a=b"],
        &["run", "web-1", "--image=registry.example.com/app:1"],
        &["debug", "web-0", "--image=registry.example.com/app:1"],
        &["get", "secrets"],
        &["get", "--raw", &format!("/api/v1/namespaces/{namespace}/secrets")],
        &["get", "pods", "--watch"],
        &["get", "pods", "--as", "admin"],
        &["create", "token", "default"],
        &["auth", "can-i", "list", "pods"],
    ] {
        refused(arguments);
    }
    let done = proxy.kubectl(cluster, &["-n", &other, "get", "pods"]);
    let expected = format!(
        "namespace `{other}` is not granted: start `podlens proxy` with `-n` for each namespace that is wanted, or with `-A`"
    );
    assert_eq!((done.code, done.stderr), (1, format!("Error from server (Forbidden): {expected}\n")));
    // The pod is as it was, and the API server heard of reads alone.
    assert_eq!(cluster.get(&format!("/api/v1/namespaces/{namespace}/pods/web-0"))["metadata"]["labels"], Value::Null);
    let user = format!("system:serviceaccount:{namespace}:default");
    for event in cluster.audit_events().into_iter().filter(|event| event["user"]["username"] == user.as_str()) {
        assert!(matches!(event["verb"].as_str(), Some("get" | "list")), "{event}");
        assert_eq!(
            (&event["objectRef"]["resource"], &event["objectRef"]["subresource"]),
            (&"pods".into(), &Value::Null),
            "{event}"
        );
    }
}

#[test]
fn curl_gets_what_there_is() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "curl");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let proxy = Proxy::start(cluster, &mount, &[]);
    let get = |target: &str| proxy.ask("GET", target);
    let (head, body) = get(&format!("/api/v1/namespaces/{namespace}/pods/web-0"));
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(head.iter().any(|line| line.starts_with("audit-id: ")), "{head:?}");
    let direct = cluster.get(&format!("/api/v1/namespaces/{namespace}/pods/web-0"));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), direct);
    let (head, body) = proxy.ask("HEAD", &format!("/api/v1/namespaces/{namespace}/pods"));
    assert_eq!((head[0].as_str(), body.as_str()), ("HTTP/1.1 200 OK", ""));
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(get(path).1, "ok");
    }
    assert_eq!(serde_json::from_str::<Value>(&get("/version").1).unwrap(), cluster.get("/version"));
    let version = answer(proxy.kubectl(cluster, &["version"]));
    assert!(version.contains("Server Version: v1.37.2"), "{version}");
}

#[test]
fn a_watch_goes_on_until_the_proxy_ends() {
    let cluster = cluster();
    let namespace = cluster.namespace("watched");
    cluster.grant_pods(&namespace, "default", &["get", "list", "watch"]);
    let mut proxy = Proxy::start(cluster, &cluster.mount(&namespace, "default"), &["--allow-watch"]);
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/namespaces/{namespace}/pods?watch=true HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", proxy.port)
        .unwrap();
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let mut event = String::new();
    while !event.contains("\"web-0\"") {
        assert_ne!(stream.read_line(&mut event).unwrap(), 0, "{event}");
    }
    assert!(event.contains("\"type\":\"ADDED\""), "{event}");
    // kubectl's own, too.
    let mut kubectl = Command::new(cluster.kubectl().get_program())
        .env("HOME", proxy.home.path())
        .env("KUBECONFIG", "/dev/null")
        .args(["--server", &format!("http://localhost:{}", proxy.port), "-n", &namespace, "get", "pods", "-w", "-o", "name"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(first_line(kubectl.stdout.as_mut().unwrap()), "pod/web-0\n");
    // The proxy ends, and its watches with it, each with the end of a body.
    Command::new("kill").args(["-TERM", &proxy.child.id().to_string()]).status().unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    let code = eventually("the end of the proxy", || proxy.child.try_wait().unwrap());
    assert_eq!(code.code(), Some(0));
    kubectl.kill().unwrap();
    kubectl.wait().unwrap();
}

#[test]
fn clients_that_take_nothing_hold_nobody_up() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "stalled");
    cluster.create_pods(&namespace, 500, realistic_pod);
    let proxy = Proxy::start(cluster, &mount, &[]);
    // Several megabytes each, far more than lie in the buffers of a socket that nobody reads from.
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        let target = format!("/api/v1/namespaces/{namespace}/pods?pretty=true");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", proxy.port).unwrap();
        stream.read_exact(&mut [0; 1024]).unwrap();
        stalled.push(stream);
    }
    std::thread::sleep(Duration::from_secs(2));
    // All of them share one connection to the API server, and so does this one.
    let start = Instant::now();
    assert_eq!(proxy.ask("GET", &format!("/api/v1/namespaces/{namespace}/pods/web-00000")).0[0], "HTTP/1.1 200 OK");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_unix_socket_serves_its_owner() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "socket");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    let mut child = in_pod(cluster, &mount).arg("proxy").arg("--unix-socket").arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(first_line(child.stdout.as_mut().unwrap()), format!("Starting to serve on {}\n", path.display()));
    assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).unwrap();
    let (head, body) = ask(&mut stream, "GET", &format!("/api/v1/namespaces/{namespace}/pods/web-0"), "localhost");
    assert_eq!((head[0].as_str(), body.contains("\"name\":\"web-0\"")), ("HTTP/1.1 200 OK", true));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!path.exists());
}
