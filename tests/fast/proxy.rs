//! `podlens proxy`, as its clients and its owner meet it. What is decided about a request, and what becomes of bytes that are none, is in
//! `host/src/proxy/tests.rs`; here is what goes over real sockets, and what the API server gets to see.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv6Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use podlens_tests::fake::{Answer, Authority, Fake, Opening, get};
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{PODS, Place, TOKEN, lines, pod, pod_list};

/// For whatever ends by itself. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running proxy.
struct Proxy {
    place: Place,
    child: Child,
    /// All that it said when it was ready.
    told: String,
    port: u16,
}

impl Proxy {
    /// In a pod of the cluster whose API server is `fake`, on a port that the system chooses.
    fn start(fake: &Fake, arguments: &[&str]) -> Self {
        let place = Place::mount(fake.authority());
        let command = place.in_pod("127.0.0.1", fake.port());
        Self::run(place, command, &[&["--port", "0"], arguments].concat())
    }

    fn run(place: Place, mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .arg("proxy")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("podlens can be started");
        let mut told = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut told).expect("standard output is UTF-8");
        if told.is_empty() {
            let output = child.wait_with_output().expect("it has ended");
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let port = told.trim_end().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
        Self { place, child, told, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stream
    }

    /// Sends these bytes, with `HOST` for the proxy's address, and gives all that comes until the connection ends.
    fn send(&self, bytes: &str) -> String {
        let mut stream = self.connect();
        // It may close the connection before it has read all.
        let _ = stream.write_all(bytes.replace("HOST", &format!("localhost:{}", self.port)).as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One request on a connection of its own; `headers` are lines.
    fn ask(&self, method: &str, target: &str, headers: &str) -> Response {
        Response::read(&self.send(&format!("{method} {target} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{headers}\r\n")))
    }

    fn get(&self, target: &str) -> Response {
        self.ask("GET", target, "")
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("there is `kill`");
        assert!(status.success());
    }

    /// Ends it as Ctrl-C does. Gives its exit code, and all that it said meanwhile.
    fn finish(mut self) -> (Option<i32>, String) {
        self.signal("-INT");
        self.wait()
    }

    fn wait(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("it can be waited for").code();
        let mut stderr = String::new();
        self.child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("standard error is UTF-8");
        (code, stderr)
    }

    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("this needs /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel keeps it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) code: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let code = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a code");
        let headers: Vec<_> =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { dechunk(body) } else { body.to_owned() };
        Self { code, headers, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Code, reason and message of a Status.
    #[track_caller]
    fn status(&self) -> (u16, String, String) {
        let json = self.json();
        assert_eq!((&json["kind"], &json["status"], &json["code"]), (&"Status".into(), &"Failure".into(), &self.code.into()));
        let text = |field: &str| json[field].as_str().expect("text").to_owned();
        (self.code, text("reason"), text("message"))
    }
}

fn dechunk(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("the length of a chunk");
        if length == 0 {
            return body;
        }
        body += &rest[..length];
        text = &rest[length + 2..];
    }
    panic!("a body that breaks off: {body:?}");
}

fn list() -> String {
    pod_list(&[pod("web-0")], "").to_string()
}

/// A page of something that stands before the API server.
fn html(code: u16) -> Answer {
    Answer::text(code, "<html>").header("Content-Type", "text/html")
}

// What is served.

#[test]
fn pods_are_served() {
    let fake = Fake::builder()
        .always(
            get(PODS),
            Answer::json(200, list()).header("Audit-Id", "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11").header("Set-Cookie", "a=b"),
        )
        .always(get("/api/v1/namespaces/shop/pods/web-0"), Answer::json(200, pod("web-0").to_string()).chunked(7))
        .always(get("/version"), Answer::json(200, "{}"))
        .always(get("/readyz"), Answer::text(200, "ok"))
        .start();
    let proxy = Proxy::start(&fake, &[]);
    let response = proxy.get(PODS);
    assert_eq!((response.code, response.body.as_str()), (200, list().as_str()));
    let mut names: Vec<_> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "audit-id",
        "cache-control",
        "connection",
        "content-length",
        "content-security-policy",
        "content-type",
        "cross-origin-resource-policy",
        "date",
        "x-content-type-options",
    ];
    assert_eq!(names, expected);
    assert_eq!(proxy.get("/api/v1/namespaces/shop/pods/web-0").json(), pod("web-0"));
    assert_eq!((proxy.get("/version").body.as_str(), proxy.get("/readyz").body.as_str()), ("{}", "ok"));
    let head = proxy.ask("HEAD", PODS, "");
    assert_eq!((head.code, head.body.as_str(), head.header("content-length")), (200, "", Some(list().len().to_string().as_str())));
    assert_eq!(proxy.finish(), (Some(0), String::new()));
}

#[test]
fn it_says_where_it_is_as_kubectl_does() {
    let fake = Fake::builder().always(get(PODS), Answer::json(200, list())).start();
    let proxy = Proxy::start(&fake, &[]);
    assert_eq!(proxy.told, format!("Starting to serve on 127.0.0.1:{}\n", proxy.port));
    // By IPv6, where this machine has it.
    if let Ok(mut stream) = TcpStream::connect((Ipv6Addr::LOCALHOST, proxy.port)) {
        let request = format!("GET {PODS} HTTP/1.1\r\nHost: [::1]:{}\r\nConnection: close\r\n\r\n", proxy.port);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(Response::read(&answer).code, 200);
    }
}

#[test]
fn discovery_tells_of_pods_alone_and_asks_nobody() {
    let fake = Fake::start([]);
    let proxy = Proxy::start(&fake, &[]);
    assert_eq!(proxy.get("/api?timeout=32s").json()["versions"], json!(["v1"]));
    assert_eq!(proxy.get("/apis?timeout=32s").json()["groups"], json!([]));
    let resources = proxy.get("/api/v1?timeout=32s").json()["resources"].clone();
    assert_eq!(
        (&resources[0]["name"], &resources[0]["verbs"], resources.as_array().map(Vec::len)),
        (&"pods".into(), &json!(["get", "list"]), Some(1))
    );
    let form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (path, groups) in [("/api", 1), ("/apis", 0)] {
        let response = proxy.ask("GET", path, &format!("Accept: {form},application/json\r\n"));
        assert_eq!(response.header("content-type"), Some(form));
        assert_eq!(response.json()["items"].as_array().map(Vec::len), Some(groups));
    }
    assert!(proxy.get("/").json()["paths"].as_array().unwrap().contains(&"/api/v1/pods".into()));
    drop(proxy);
    let watching = Proxy::start(&fake, &["--allow-watch"]);
    assert_eq!(watching.get("/api/v1").json()["resources"][0]["verbs"], json!(["get", "list", "watch"]));
}

#[test]
fn nothing_of_the_client_goes_further() {
    let fake = Fake::builder().always(get(PODS), Answer::json(200, list())).start();
    let proxy = Proxy::start(&fake, &[]);
    let headers = "Authorization: Bearer stolen\r\nCookie: session=stolen\r\nX-Remote-User: stolen\r\nX-Remote-Group: stolen\r\n\
                   X-Forwarded-For: stolen\r\nX-Forwarded-Uri: /stolen\r\nForwarded: for=stolen\r\nProxy-Authorization: Basic stolen\r\n\
                   User-Agent: stolen\r\nReferer: stolen\r\nX-Stolen: stolen\r\nIf-None-Match: stolen\r\n\
                   Accept: application/json;stolen=stolen, application/yaml\r\nConnection: X-Stolen, Authorization\r\n";
    assert_eq!(proxy.ask("GET", &format!("{PODS}?limit=5&labelSelector=app%3Dweb"), headers).code, 200);
    for header in ["Impersonate-User: admin", "impersonate-group: system:masters", "Impersonate-Uid: 1", "Impersonate-Extra-a: b"] {
        let refused = proxy.ask("GET", PODS, &format!("{header}\r\nConnection: impersonate-user\r\n"));
        assert_eq!(refused.status().0, 403, "{header}");
    }
    let seen = fake.seen();
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    let query = [("labelSelector", "app=web"), ("limit", "5")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.query.as_slice()), ("GET", PODS, query.as_slice()));
    let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
    assert_eq!((seen.token(), seen.header("accept")), (Some(TOKEN), Some("application/yaml")));
    assert!(seen.header("user-agent").unwrap().starts_with("podlens/"), "{seen:?}");
    assert!(!format!("{seen:?}").contains("stolen"), "{seen:?}");
}

// What is not.

#[test]
fn what_is_refused_asks_nobody() {
    let fake = Fake::start([]);
    let proxy = Proxy::start(&fake, &[]);
    for (method, target, headers, code) in [
        ("POST", PODS, "Content-Length: 2\r\n\r\n{}", 405),
        ("DELETE", "/api/v1/namespaces/shop/pods/web-0", "", 405),
        ("PATCH", "/api/v1/namespaces/shop/pods/web-0", "", 405),
        ("OPTIONS", PODS, "Origin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n", 403),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/exec?command=sh", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 400),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/exec?command=sh", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/proxy/", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods/..", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods/%2e%2e", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods/", "", 403),
        ("GET", "/api/v1/namespaces/shop/secrets", "", 403),
        ("GET", "/api/v1/namespaces/../pods", "", 403),
        ("GET", "/api/v1/namespaces/shop%2fpods", "", 403),
        ("GET", "//api/v1/pods", "", 403),
        ("GET", "/api/v1/pods", "", 403),
        ("GET", "/api/v1/namespaces/other/pods", "", 403),
        ("GET", "/api/v1/namespaces/other/pods/web-0", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods?watch=1", "", 403),
        ("GET", "/api/v1/namespaces/shop/pods?watch=yes", "", 400),
        ("GET", "/api/v1/namespaces/shop/pods?limit=1&limit=2", "", 400),
        ("GET", "/api/v1/namespaces/shop/pods?dryRun=All", "", 400),
        ("GET", PODS, "Content-Length: 0\r\n", 400),
        ("GET", PODS, "Transfer-Encoding: chunked\r\n\r\n0\r\n", 400),
        ("GET", PODS, "Expect: 100-continue\r\n", 400),
        ("GET", PODS, "Upgrade: h2c\r\n", 400),
        ("GET", PODS, "Host: evil.example\r\n", 400),
        ("GET", PODS, "Origin: null\r\n", 403),
        ("GET", PODS, "Origin: http://localhost:3000\r\n", 403),
        ("GET", PODS, "Sec-Fetch-Site: cross-site\r\n", 403),
        ("GET", PODS, "Sec-Fetch-Site: same-site\r\n", 403),
        ("GET", PODS, "Accept: text/html\r\n", 406),
        ("GET", "http://evil.example/api/v1/namespaces/shop/pods", "", 400),
    ] {
        let response = proxy.ask(method, target, headers);
        assert_eq!(response.status().0, code, "{method} {target} {headers}");
        assert_eq!(response.header("connection"), Some("close"), "{method} {target} {headers}");
        assert!(!response.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{response:?}");
    }
    for (bytes, codes) in [
        ("GET /api/v1/namespaces/shop/pods HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        ("GET /api/v1/namespaces/shop/pods HTTP/1.1\r\n\r\n", "400"),
        ("GET /api/v1/namespaces/shop/pods HTTP/1.0\r\nHost: HOST\r\n\r\n", "505"),
        ("GET /api/v1/namespaces/shop/pods HTTP/1.1\nHost: HOST\n\n", ""),
        ("GET /api/v1/namespaces/shop/pods HTTP/1.1\r\nHost: HOST\r\nX: y\r\n z\r\n\r\n", "400"),
        ("GET /api/v1/namespaces/shop/pods#a HTTP/1.1\r\nHost: HOST\r\n\r\n", ""),
        (
            "POST /api HTTP/1.1\r\nHost: HOST\r\nContent-Length: 70\r\n\r\nGET /api/v1/namespaces/shop/pods HTTP/1.1\r\nHost: HOST\r\n\r\n",
            "405",
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ] {
        let answers = proxy.send(bytes);
        let seen: Vec<_> = answers.lines().filter_map(|line| line.strip_prefix("HTTP/1.")?.get(2..5)).collect();
        assert!(seen.join(" ") == codes || (codes.is_empty() && seen == ["400"]), "{bytes:?}: {answers}");
    }
    assert_eq!(fake.seen(), []);
}

#[test]
fn a_refusal_says_what_to_do() {
    let fake = Fake::start([]);
    let proxy = Proxy::start(&fake, &[]);
    for (target, message) in [
        (
            "/api/v1/namespaces/other/pods",
            "namespace `other` is not granted: start `podlens proxy` with `-n` for each namespace that is wanted, or with `-A`",
        ),
        (
            "/api/v1/pods",
            "not all namespaces are granted: start `podlens proxy` with `-n` for each namespace that is wanted, or with `-A`",
        ),
        ("/api/v1/namespaces/shop/pods?watch=1", "watches are not served: start `podlens proxy` with `--allow-watch`"),
        ("/api/v1/secrets", "`podlens proxy` serves lists of pods, pods by name, `/version` and health checks, and nothing else"),
    ] {
        assert_eq!(proxy.get(target).status(), (403, "Forbidden".into(), message.into()));
    }
}

#[test]
fn the_flags_are_the_grant() {
    let fake = Fake::builder()
        .always(get("/api/v1/pods"), Answer::json(200, list()))
        .always(get("/api/v1/namespaces/a/pods"), Answer::json(200, list()))
        .always(get("/api/v1/namespaces/b/pods"), Answer::json(200, list()))
        .start();
    let codes = |flags: &[&str]| {
        let proxy = Proxy::start(&fake, flags);
        ["/api/v1/pods", "/api/v1/namespaces/a/pods", "/api/v1/namespaces/b/pods"].map(|target| proxy.get(target).code)
    };
    assert_eq!(codes(&[]), [403, 403, 403]);
    assert_eq!(codes(&["-n", "a"]), [403, 200, 403]);
    assert_eq!(codes(&["-n", "a", "-n", "b"]), [403, 200, 200]);
    assert_eq!(codes(&["-A"]), [200, 200, 200]);
}

// The API server's part.

#[test]
fn what_the_api_server_refuses_is_told_as_it_says() {
    let forbidden = r#"pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "shop""#;
    let fake = Fake::builder().script([
        (get(PODS), Answer::status(403, "Forbidden", forbidden)),
        (get(PODS), Answer::text(429, "Too many requests, please try again later.").header("Retry-After", "1")),
        (get(PODS), Answer::status(410, "Expired", "The provided continue parameter is too old")),
        (get(PODS), html(503)),
        (get(PODS), Answer::redirect(302, "/api/v1/secrets")),
        (get(PODS), html(200)),
        (get(PODS), Answer::json(200, "{}").header("Content-Encoding", "gzip")),
    ]);
    let fake = fake.start();
    let proxy = Proxy::start(&fake, &[]);
    assert_eq!(proxy.get(PODS).status(), (403, "Forbidden".into(), forbidden.into()));
    let response = proxy.get(PODS);
    let throttled = "the API server answers 429 Too Many Requests, without more";
    assert_eq!(response.status(), (429, "TooManyRequests".into(), throttled.into()));
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(proxy.get(PODS).status().0, 410);
    assert_eq!(proxy.get(PODS).status().0, 503);
    for _ in 0..3 {
        let response = proxy.get(PODS);
        assert_eq!((response.status().0, response.header("location")), (502, None));
        assert!(!response.body.contains("html"), "{response:?}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_not_a_whole_one() {
    let long = pod_list(&vec![pod("web-0"); 5_000], "").to_string();
    let fake = Fake::start([
        (get(PODS), Answer::json(200, long.clone()).truncated()),
        (get(PODS), Answer::json(200, long).chunked(1_000).truncated()),
    ]);
    let proxy = Proxy::start(&fake, &[]);
    for _ in 0..2 {
        let answer = proxy.send(&format!("GET {PODS} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let told = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|told| told.parse::<usize>().unwrap());
        match told {
            Some(told) => assert!(body.len() < told),
            None => assert!(!body.ends_with("0\r\n\r\n")),
        }
    }
}

#[test]
fn a_connection_that_went_stale_is_replaced() {
    let fake =
        Fake::builder().openings([Opening::Close]).script([(get(PODS), Answer::cut()), (get(PODS), Answer::json(200, list()))]);
    let fake = fake.start();
    let proxy = Proxy::start(&fake, &[]);
    assert_eq!(proxy.get(PODS).code, 200);
}

#[test]
fn a_token_that_has_rotated_is_read_again() {
    let fake = Fake::start([
        (get(PODS).token(TOKEN), Answer::status(401, "Unauthorized", "Unauthorized")),
        (get(PODS).token("rotated"), Answer::json(200, list())),
        (get(PODS).token("rotated"), Answer::status(401, "Unauthorized", "Unauthorized")),
    ]);
    let proxy = Proxy::start(&fake, &[]);
    proxy.place.write("token", "rotated");
    assert_eq!(proxy.get(PODS).code, 200);
    let response = proxy.get(PODS);
    assert_eq!((response.status().0, response.header("www-authenticate")), (401, None));
}

#[test]
fn an_api_server_that_is_not_there_is_told() {
    let fake = Fake::start([]);
    let proxy = Proxy::start(&fake, &[]);
    let address = fake.address();
    drop(fake);
    let (code, reason, message) = proxy.get(PODS).status();
    assert_eq!((code, reason.as_str()), (503, "ServiceUnavailable"));
    assert!(message.starts_with(&format!("cannot reach the API server at `{address}`: ")), "{message}");
    let folder = proxy.place.path().display().to_string();
    assert!(!message.contains(&folder), "{message}");
    let (code, stderr) = proxy.finish();
    assert_eq!(code, Some(0));
    assert!(stderr.contains(&format!("cannot reach the API server at `{address}`")), "{stderr}");
}

#[test]
fn the_token_is_never_told() {
    let fake = Fake::builder().always(get(PODS), Answer::status(401, "Unauthorized", "Unauthorized")).start();
    let place = Place::mount(fake.authority());
    let mut command = place.in_pod("127.0.0.1", fake.port());
    command.env("PODLENS_LOG", "trace");
    let proxy = Proxy::run(place, command, &["--port", "0"]);
    let answers = [proxy.get(PODS), proxy.get("/api/v1/secrets"), proxy.get("/")].map(|response| format!("{response:?}"));
    let (_, stderr) = proxy.finish();
    assert!(!answers.concat().contains(TOKEN) && !stderr.contains(TOKEN), "{stderr}");
}

// Many clients, long answers, and the end.

#[test]
fn a_long_answer_takes_no_memory() {
    const MEGABYTES: usize = 300;
    let fake = Fake::builder().always(get(PODS), Answer::json(200, vec![b' '; 1 << 20]).times(MEGABYTES)).start();
    let proxy = Proxy::start(&fake, &[]);
    assert_eq!(proxy.get("/api").code, 200);
    let before = proxy.peak_kib();
    let mut stream = proxy.connect();
    write!(stream, "GET {PODS} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", proxy.port).unwrap();
    // A client that does not take it at first: what the API server sends meanwhile must not pile up.
    thread::sleep(Duration::from_secs(1));
    let (mut read, mut piece) = (0, vec![0; 1 << 20]);
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            length => read += length,
        }
    }
    assert!(read > MEGABYTES << 20, "{read}");
    let grown = proxy.peak_kib() - before;
    assert!(grown < 16 << 10, "{grown} KiB more for an answer of {MEGABYTES} MiB");
}

#[test]
fn who_says_nothing_keeps_nobody_out() {
    let fake = Fake::builder().always(get(PODS), Answer::json(200, list())).start();
    let proxy = Proxy::start(&fake, &[]);
    let mut crowd: Vec<TcpStream> = Vec::new();
    for number in 0..400 {
        let mut stream = proxy.connect();
        if number % 2 == 0 {
            let _ = stream.write_all(b"GET /api HTTP/1.1\r\n");
        }
        crowd.push(stream);
    }
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(proxy.get(PODS).code, 200);
    }
    // Far below the time that each of the crowd is given.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let files = fs::read_dir(format!("/proc/{}/fd", proxy.child.id())).expect("this needs /proc").count();
    assert!(files < 150, "{files} open files");
    drop(crowd);
}

#[test]
fn a_client_that_goes_ends_its_request() {
    let fake = Fake::builder().always(get(PODS), Answer::json(200, vec![b' '; 1 << 20]).times(100_000)).start();
    let proxy = Proxy::start(&fake, &[]);
    let mut stream = proxy.connect();
    write!(stream, "GET {PODS} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", proxy.port).unwrap();
    stream.read_exact(&mut [0; 4096]).unwrap();
    drop(stream);
    // The one connection to the API server is closed with it: nothing else ends an answer of 100 GB.
    let sockets = || {
        let links = fs::read_dir(format!("/proc/{}/fd", proxy.child.id())).expect("this needs /proc");
        links
            .filter_map(|link| fs::read_link(link.ok()?.path()).ok())
            .filter(|to| to.to_string_lossy().starts_with("socket:"))
            .count()
    };
    let idle = Proxy::start(&fake, &[]);
    let expected = {
        let links = fs::read_dir(format!("/proc/{}/fd", idle.child.id())).expect("this needs /proc");
        links
            .filter_map(|link| fs::read_link(link.ok()?.path()).ok())
            .filter(|to| to.to_string_lossy().starts_with("socket:"))
            .count()
    };
    let deadline = Instant::now() + PATIENCE;
    while sockets() > expected {
        assert!(Instant::now() < deadline, "{} sockets, not {expected}", sockets());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn answers_under_way_are_finished_at_the_end() {
    let fake = Fake::start([(get(PODS), Answer::json(200, list()).held())]);
    let mut proxy = Proxy::start(&fake, &[]);
    let mut stream = proxy.connect();
    write!(stream, "GET {PODS} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", proxy.port).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while fake.seen().is_empty() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(10));
    }
    // One that says nothing is not waited for.
    let _silent = proxy.connect();
    proxy.signal("-TERM");
    while TcpStream::connect(("127.0.0.1", proxy.port)).is_ok() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(10));
    }
    fake.release();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(Response::read(&answer).body, list());
    assert_eq!(proxy.wait(), (Some(0), String::new()));
}

// Where it listens.

fn usage(place: &Place, arguments: &[&str], stderr: &[&str]) {
    let mut command = place.in_pod("127.0.0.1", 1);
    let done = program::run(command.arg("proxy").args(arguments));
    assert_eq!((done.code, done.stdout.as_str(), done.stderr), (2, "", lines(stderr)), "{arguments:?}");
}

#[test]
fn nobody_from_elsewhere_is_listened_to() {
    let place = Place::mount(&Authority::new());
    for address in ["0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "::ffff:127.0.0.1", "fe80::1"] {
        usage(
            &place,
            &["--address", address],
            &[
                &format!("error: `{address}` is not a loopback address, as `127.0.0.1` and `::1` are"),
                "hint: whoever reaches the proxy reads pods as you: to reach it from elsewhere, forward its port, as `ssh -L` does",
            ],
        );
    }
    let fake = Fake::builder().authority(&Authority::new()).always(get(PODS), Answer::json(200, list())).start();
    let proxy = Proxy::start(&fake, &["--address", "127.0.0.2"]);
    assert!(proxy.told.starts_with("Starting to serve on 127.0.0.2:"), "{}", proxy.told);
    TcpStream::connect(("127.0.0.1", proxy.port)).unwrap_err();
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let place = Place::mount(&Authority::new());
    let done = program::run(place.in_pod("127.0.0.1", 1).args(["proxy", "--port", &port]));
    assert_eq!((done.code, done.stdout.as_str()), (2, ""));
    assert!(done.stderr.starts_with(&format!("error: cannot listen on `127.0.0.1:{port}`\n  caused by: ")), "{}", done.stderr);
    assert!(done.stderr.ends_with("hint: choose another port with `--port`; with `--port 0` the system does\n"), "{}", done.stderr);
}

#[test]
fn a_unix_socket_is_its_owners() {
    let fake = Fake::builder().always(get(PODS), Answer::json(200, list())).start();
    let place = Place::mount(fake.authority());
    let path = place.path().join("proxy.sock");
    // One that was left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let command = place.in_pod("127.0.0.1", fake.port());
    let proxy = Proxy::run(place, command, &["--unix-socket", path.to_str().unwrap()]);
    assert_eq!(proxy.told, format!("Starting to serve on {}\n", path.display()));
    assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ask = |path: &Path, host: &str| {
        let mut stream = UnixStream::connect(path).unwrap();
        write!(stream, "GET {PODS} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Response::read(&answer)
    };
    assert_eq!(ask(&path, "localhost").body, list());
    assert_eq!(ask(&path, "evil.example").status().0, 403);
    // Another one finds it in use.
    let arguments = ["proxy", "--unix-socket", path.to_str().unwrap()];
    let second = program::run(proxy.place.in_pod("127.0.0.1", fake.port()).args(arguments));
    assert_eq!((second.code, second.stdout.as_str()), (2, ""));
    assert!(second.stderr.contains("another process listens there"), "{}", second.stderr);
    proxy.signal("-TERM");
    let deadline = Instant::now() + PATIENCE;
    while path.exists() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_socket_and_a_port_are_two_things() {
    let place = Place::mount(&Authority::new());
    for arguments in [&["--unix-socket", "s", "--port", "1"][..], &["--unix-socket", "s", "--address", "::1"], &["-n", "a", "-A"]] {
        let done = program::run(place.in_pod("127.0.0.1", 1).arg("proxy").args(arguments));
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{}", done.stderr);
    }
}
