//! A running `podlens serve`, requests to it as bytes, and its log.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use podlens_tests::fake::{Answer, Authority, Builder, ClientCertificate, Fake, Seen, get};
use podlens_tests::program::{self, Done};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::arrange::Place;
use crate::demo;
use crate::proxy::Response;

/// For whatever ends by itself. The machine may be busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that is waited for.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The version of the scripted API server.
const VERSION: &str = r#"{"gitVersion":"v1.37.2","platform":"linux/amd64"}"#;

/// Waits until `look` finds something.
#[track_caller]
pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "there is no {what}");
        thread::sleep(LOOK_INTERVAL);
    }
}

/// A scripted API server that answers, any number of times, what a server asks of its own accord: whether it is there.
pub(super) fn cluster() -> Builder {
    Fake::builder().always(get("/version"), Answer::json(200, VERSION))
}

/// What the API server was asked for somebody: all but whether it is there.
pub(super) fn asked(fake: &Fake) -> Vec<Seen> {
    fake.seen().into_iter().filter(|seen| seen.path != "/version").collect()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The static token of a tenant.
pub(super) fn token(tenant: &str) -> String {
    format!("static-token-of-{tenant}-7f3a9c")
}

/// The header that shows it.
pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A policy of these tenants.
pub(super) fn policy(tenants: &[String]) -> String {
    let head = "apiVersion: podlens.dev/v1alpha1\nkind: Policy\ntenants:\n";
    head.to_owned() + if tenants.is_empty() { "  []\n" } else { "" } + &tenants.concat()
}

/// A tenant of a policy: it shows its static [`token`], reads the namespace of its name as the host, and has what `more` says, in lines. Where
/// that says nothing of rates, they are no matter.
pub(super) fn tenant(name: &str, queries: &[String], more: &[&str]) -> String {
    let token = hex(token(name).as_bytes());
    let queries = queries.join(", ");
    let rates = if more.iter().any(|line| line.starts_with("rates:")) { "" } else { "  rates: {runsPerSecond: 100}\n" };
    let mut text = format!("- name: {name}\n  callers: [{{tokenSHA256: {token}}}]\n  identity: host\n  namespaces: [{name}]\n");
    text += &format!("  queries: [{queries}]\n{rates}");
    text.extend(more.iter().map(|line| format!("  {line}\n")));
    text
}

/// A query that comes with podlens.
pub(super) fn built_in(name: &str) -> String {
    format!("{{name: {name}}}")
}

/// The digest of a component, as a policy has it.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// A guest of the tests, as a query of this name.
pub(super) fn guest(name: &str, path: &str) -> String {
    let bytes = fs::read(path).expect("the build has made it");
    format!("{{name: {name}, digest: \"{}\"}}", digest(&bytes))
}

/// What a server is to be started with.
pub(super) struct Setup {
    pub(super) place: Place,
    command: Command,
    arguments: Vec<String>,
    audit: String,
    listen: String,
    stdout: Stdio,
}

impl Setup {
    /// In a pod of the cluster whose API server is `fake`.
    pub(super) fn of_fake(fake: &Fake, policy: &str) -> Self {
        let place = Place::mount(fake.authority());
        let command = place.in_pod("127.0.0.1", fake.port());
        Self::new(place, command, policy)
    }

    /// With the account that the demo has for a server.
    pub(super) fn of_demo(demo: &demo::Serving, policy: &str) -> Self {
        let mut command = program::command();
        command.env("KUBECONFIG", demo.server_kubeconfig());
        Self::new(Place::empty(), command, policy)
    }

    fn new(place: Place, command: Command, policy: &str) -> Self {
        place.write("policy.yaml", policy);
        fs::create_dir(place.path().join("queries")).expect("a temporary folder can be written");
        let audit = place.path().join("audit.jsonl").display().to_string();
        Self { place, command, arguments: Vec::new(), audit, listen: "127.0.0.1:0".to_owned(), stdout: Stdio::null() }
    }

    /// Puts these components into the folder of queries.
    pub(super) fn queries(self, paths: &[&str]) -> Self {
        for path in paths {
            let name = Path::new(path).file_name().expect("it is a file");
            fs::copy(path, self.place.path().join("queries").join(name)).expect("a temporary folder can be written");
        }
        self
    }

    /// With a folder for compiled components, without which nothing can be uploaded.
    pub(super) fn with_cache(mut self) -> Self {
        self.command.env("PODLENS_CACHE_DIR", self.place.path().join("compiled"));
        self
    }

    pub(super) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().copied().map(str::to_owned));
        self
    }

    /// In an environment that has this, too.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With no more than so many KiB of addresses.
    pub(super) fn addresses(mut self, kib: u64) -> Self {
        let mut bounded = Command::new("/bin/sh");
        bounded.arg("-c").arg(format!("ulimit -v {kib} && exec \"$0\" \"$@\"")).arg(self.command.get_program()).env_clear();
        bounded.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.command = bounded;
        self
    }

    pub(super) fn listen(mut self, listen: &str) -> Self {
        listen.clone_into(&mut self.listen);
        self
    }

    /// The audit log goes to standard output, which is this.
    pub(super) fn audit_to(mut self, stdout: File) -> Self {
        "-".clone_into(&mut self.audit);
        self.stdout = stdout.into();
        self
    }

    /// TLS, with a certificate of this authority, which signs those of callers, too.
    pub(super) fn tls(self, authority: &Authority) -> Self {
        let (certificate, key) = authority.server();
        let paths = [("tls.crt", certificate), ("tls.key", key), ("clients.crt", authority.pem())]
            .map(|(name, text)| self.place.write(name, text).display().to_string());
        let [certificate, key, clients] = &paths;
        self.arguments(&["--tls-cert-file", certificate, "--tls-private-key-file", key, "--client-ca-file", clients])
    }

    fn prepared(&mut self) -> &mut Command {
        let path = |name: &str| self.place.path().join(name);
        self.command
            .arg("serve")
            .arg("--policy")
            .arg(path("policy.yaml"))
            .arg("--queries")
            .arg(path("queries"))
            .args(["--audit-log", &self.audit, "--listen", &self.listen, "--health-listen", "127.0.0.1:0"])
            .args(&self.arguments)
    }

    /// What it says where it does not start.
    pub(super) fn refused(mut self) -> Done {
        self.prepared();
        let Self { place, mut command, .. } = self;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("podlens can be started");
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().expect("it can be waited for").is_none() {
            if Instant::now() > deadline {
                // Then it has started, and its exit code is none.
                child.kill().expect("it runs");
            }
            thread::sleep(LOOK_INTERVAL);
        }
        let Output { status, stdout, stderr } = child.wait_with_output().expect("it has ended");
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        drop(place);
        Done { code: status.code().unwrap_or(-1), stdout, stderr }
    }

    /// Starts, and waits until it listens.
    pub(super) fn start(mut self) -> Server {
        self.prepared();
        let Self { place, mut command, stdout, .. } = self;
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().expect("podlens can be started");
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let says = Arc::clone(&said);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut said = says.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        let mut server = Server { place, child, said, api: 0, health: 0 };
        let ports = wait_for("server", || {
            if let Ok(Some(status)) = server.child.try_wait() {
                panic!("it ended with {status}: {}", server.said());
            }
            let said = server.said();
            let line = said.lines().find(|line| line.starts_with("serving on "))?.to_owned();
            let ports = line.split("://").skip(1).filter_map(|url| url.split(':').nth(1)?.split(',').next()?.parse().ok());
            <[u16; 2]>::try_from(ports.collect::<Vec<_>>()).ok()
        });
        [server.api, server.health] = ports;
        wait_for("queries", || (!server.health("/readyz?verbose").body.contains("[-]queries")).then_some(()));
        server
    }
}

/// A running server.
pub(super) struct Server {
    pub(super) place: Place,
    child: Child,
    said: Arc<Mutex<String>>,
    pub(super) api: u16,
    health: u16,
}

impl Server {
    /// In a pod of the cluster whose API server is `fake`, with nothing but a policy.
    pub(super) fn of_fake(fake: &Fake, tenants: &[String]) -> Self {
        Setup::of_fake(fake, &policy(tenants)).start()
    }

    /// All that it has said so far.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn connect(&self) -> TcpStream {
        connect(self.api)
    }

    /// One request on a connection of its own; `headers` are lines.
    #[track_caller]
    pub(super) fn ask(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Response {
        Response::read(&self.send(&request(self.api, method, target, headers, body)))
    }

    /// A GET by a tenant.
    #[track_caller]
    pub(super) fn get(&self, tenant: &str, target: &str) -> Response {
        self.ask("GET", target, &bearer(&token(tenant)), b"")
    }

    /// Arguments as JSON, by a tenant.
    #[track_caller]
    pub(super) fn post(&self, tenant: &str, target: &str, body: &str) -> Response {
        let headers = bearer(&token(tenant)) + "Content-Type: application/json\r\n";
        self.ask("POST", target, &headers, body.as_bytes())
    }

    /// A component, by a tenant.
    #[track_caller]
    pub(super) fn put(&self, tenant: &str, target: &str, component: &[u8]) -> Response {
        self.ask("PUT", target, &(bearer(&token(tenant)) + "Content-Type: application/wasm\r\n"), component)
    }

    /// Sends these bytes, with `HOST` for the server's address, and gives all that comes until the connection ends.
    pub(super) fn send(&self, bytes: &[u8]) -> String {
        exchange(self.connect(), bytes)
    }

    /// A GET through TLS. None where there is no answer: the handshake failed, perhaps only once the certificate was looked at.
    pub(super) fn ask_by_tls(
        &self,
        authority: &Authority,
        identity: Option<&ClientCertificate>,
        target: &str,
        headers: &str,
    ) -> Option<Response> {
        self.send_by_tls(authority, identity, &request(self.api, "GET", target, headers, b""))
    }

    /// The same with the bytes of a request.
    pub(super) fn send_by_tls(
        &self,
        authority: &Authority,
        identity: Option<&ClientCertificate>,
        bytes: &[u8],
    ) -> Option<Response> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        let pem = authority.pem();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is PEM")).expect("it is an authority");
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("ring has them");
        let builder = builder.with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = vec![CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).expect("it is PEM")];
                let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("it is PEM");
                builder.with_client_auth_cert(chain, key).expect("the key is the certificate's")
            }
        };
        let name = ServerName::try_from("localhost").expect("it is a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("the configuration is whole");
        let answer = exchange(StreamOwned::new(connection, self.connect()), bytes);
        (!answer.is_empty()).then(|| Response::read(&answer))
    }

    /// A GET of the second listener.
    #[track_caller]
    pub(super) fn health(&self, target: &str) -> Response {
        Response::read(&exchange(connect(self.health), &request(self.health, "GET", target, "", b"")))
    }

    /// The value of one series of the metrics; 0 where there is none.
    #[track_caller]
    pub(super) fn metric(&self, series: &str) -> f64 {
        let metrics = self.health("/metrics").body;
        let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    #[track_caller]
    pub(super) fn wait_until_metric(&self, series: &str, value: f64) {
        wait_for(&format!("`{series}` of {value}"), || (self.metric(series) == value).then_some(()));
    }

    /// Waits until it says that it is ready.
    #[track_caller]
    pub(super) fn wait_until_ready(&self) {
        wait_for("readiness", || (self.health("/readyz").code == 200).then_some(()));
    }

    pub(super) fn audit_path(&self) -> PathBuf {
        self.place.path().join("audit.jsonl")
    }

    /// The whole lines of the audit log.
    pub(super) fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.audit_path()).expect("it can be read");
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// Those of one stage.
    pub(super) fn audited(&self, stage: &str) -> Vec<Value> {
        self.audit().into_iter().filter(|line| line["stage"] == stage).collect()
    }

    pub(super) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("there is `kill`");
        assert!(status.success());
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) -> ExitStatus {
        wait_for("end", || self.child.try_wait().expect("it can be waited for"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let said = format!("the server said:\n{}\n", self.said());
            // Where the test has failed already; who cannot read it has lost nothing else.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        }
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    stream
}

/// A request that ends its connection.
pub(super) fn request(port: u16, method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{length}{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> String {
    // It may close the connection before it has read all.
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    read_to_end(stream)
}

/// All that comes until the connection ends, in whichever way.
pub(super) fn read_to_end(mut stream: impl Read) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads on until `text` ends with this.
#[track_caller]
pub(super) fn read_until(stream: &mut impl Read, text: &mut String, end: &str) {
    let mut piece = [0; 4096];
    while !text.contains(end) {
        let length = match stream.read(&mut piece) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => panic!("{error} after {text:?}"),
        };
        assert!(length > 0, "it ends with {text:?}");
        text.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
}

/// The body of a problem, but for the run that it is of.
#[track_caller]
pub(super) fn problem(response: &Response, code: u16, word: &str) -> Value {
    let json = response.json();
    assert_eq!((response.code, &json["code"]), (code, &json!(word)), "{}", response.body);
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!((&json["status"], &json["type"]), (&json!(code), &json!(format!("urn:podlens:problem:{word}"))));
    json
}
