//! `podlens serve` as a process, the demo's API server likewise, and an HTTP/1.1 client that does what it is told and no more.
//!
//! Both programs end when they are dropped. What they say on standard error is read all the time, so that neither waits for a reader.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program;

/// Most bytes of what a program said that are kept: its last words. Arbitrary.
const SAID_BYTES: usize = 64 << 10;

/// How long components may take to be loaded. Arbitrary: a thousand are compiled within a minute or two.
const LOADING: Duration = Duration::from_secs(600);

/// The SHA-256 of something, in hexadecimal: as a policy names components, after `sha256:`, and tokens.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `podlens demo --serve`.
#[derive(Debug)]
pub struct Demo {
    process: Process,
    folder: PathBuf,
}

impl Demo {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start, or says something else than it does.
    pub fn start() -> Self {
        let mut child = program::command()
            .args(["demo", "--serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("podlens can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut folder = None;
        let mut line = String::new();
        while !line.starts_with("podlens ") {
            line.clear();
            assert!(stdout.read_line(&mut line).expect("a pipe can be read") > 0, "the demo ends before it serves");
            folder = line.trim_end().strip_prefix("export PODLENS_SERVICE_ACCOUNT_DIR=").map(PathBuf::from).or(folder);
        }
        let folder = folder.and_then(|mount| Some(mount.parent()?.to_owned())).expect("the demo tells of a mount");
        Self { process: Process::new(child, stdout), folder }
    }

    /// The kubeconfig of the account that reads as others.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("serve.kubeconfig")
    }

    /// The token of a tenant's caller: of `shop` or `payments`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn token(&self, tenant: &str) -> String {
        fs::read_to_string(self.folder.join(format!("{tenant}.token"))).expect("the demo wrote it")
    }

    /// Its process' id.
    pub fn id(&self) -> u32 {
        self.process.child.id()
    }
}

/// A child, and what it says, which is read to its end.
#[derive(Debug)]
struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    fn new(mut child: Child, stdout: impl Read + Send + 'static) -> Self {
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        Self::reading(child, stderr, stdout)
    }

    fn reading(child: Child, stderr: impl io::BufRead + Send + 'static, mut stdout: impl Read + Send + 'static) -> Self {
        let said: Arc<Mutex<String>> = Arc::default();
        let to = Arc::clone(&said);
        let readers = vec![
            thread::spawn(move || {
                for line in stderr.lines().map_while(Result::ok) {
                    let mut said = to.lock().unwrap_or_else(PoisonError::into_inner);
                    if said.len() < SAID_BYTES {
                        *said += &line;
                        said.push('\n');
                    }
                }
            }),
            thread::spawn(move || drop(io::copy(&mut stdout, &mut io::sink()))),
        ];
        Self { child, said, readers }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

/// What `/readyz` says; `None` where it says nothing.
fn readiness(health: SocketAddr) -> Option<String> {
    let mut connection = std::net::TcpStream::connect(health).ok()?;
    io::Write::write_all(&mut connection, b"GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut said = String::new();
    connection.read_to_string(&mut said).ok()?;
    Some(said)
}

/// `podlens serve`, on ports of loopback that are free, with an audit log and a cache of compiled components of its own.
#[derive(Debug)]
pub struct Serving {
    process: Process,
    folder: TempDir,
    api: SocketAddr,
    health: SocketAddr,
}

impl Serving {
    /// Starts `program` with this kubeconfig, this policy and these components, each of which is known by its digest.
    ///
    /// # Panics
    ///
    /// When it does not serve; with what it said.
    pub fn start(program: &Path, kubeconfig: &Path, policy: &str, components: &[Vec<u8>], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("the folder can be written");
        write("policy.yaml", policy.as_bytes());
        fs::create_dir(folder.path().join("queries")).expect("the folder can be written");
        for component in components {
            write(&format!("queries/{}.wasm", sha256(component)), component);
        }
        let mut command = Command::new(program);
        command.env_clear().env("KUBECONFIG", kubeconfig).env("PODLENS_CACHE_DIR", folder.path().join("cache"));
        command.args(["serve", "--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0"]);
        for (flag, name) in [("--policy", "policy.yaml"), ("--audit-log", "audit.jsonl"), ("--queries", "queries")] {
            command.arg(flag).arg(folder.path().join(name));
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("podlens can be started");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut before = String::new();
        let [api, health] = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).expect("a pipe can be read") > 0, "it ends before it serves: {before}");
            if let Some(urls) = line.trim_end().strip_prefix("serving on http://") {
                let (api, health) = urls.split_once(", health and metrics on http://").expect("it tells both");
                break [api, health].map(|address| address.parse().expect("it is an address and a port"));
            }
            before += &line;
        };
        let process = Process::reading(child, stderr, io::empty());
        // It answers at once, and loads components meanwhile.
        let until = Instant::now() + LOADING;
        while readiness(health).is_none_or(|checks| checks.contains("[-]queries")) {
            assert!(Instant::now() < until, "components are not loaded after {LOADING:?}");
            thread::sleep(Duration::from_millis(5));
        }
        Self { process, folder, api, health }
    }

    /// Where queries are run.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Where `/livez` and `/metrics` are.
    pub fn health(&self) -> SocketAddr {
        self.health
    }

    /// Its process' id.
    pub fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// Its policy file.
    pub fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.yaml")
    }

    /// Its audit log so far.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn audit_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("audit.jsonl")).expect("it can be read")
    }

    /// What it said on standard error, up to 64 KiB.
    pub fn said(&self) -> String {
        self.process.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its resident memory, in bytes.
    ///
    /// # Panics
    ///
    /// When it has ended, or without `/proc`.
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory as long as it runs");
        let kib: u64 = line.trim().strip_suffix(" kB").and_then(|kib| kib.trim().parse().ok()).expect("Linux counts in kB");
        kib << 10
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Sends it a signal, such as `TERM`.
    ///
    /// # Panics
    ///
    /// When there is no process any more to send it to.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status().expect("`kill` can be started");
        assert!(sent.success(), "{signal} finds nobody");
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.child.wait().expect("it can be waited for")
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection that is kept between requests. It knows bodies with a length, as all are that are not streamed.
#[derive(Debug)]
pub struct Connection {
    stream: tokio::io::BufReader<TcpStream>,
    host: SocketAddr,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Nobody listens, or there is no port left.
    pub async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: tokio::io::BufReader::new(stream), host: to })
    }

    /// Asks and waits for the answer. `token` may be empty.
    ///
    /// # Errors
    ///
    /// The connection ended before the answer did.
    pub async fn ask(&mut self, method: &str, target: &str, token: &str, body: &[u8]) -> io::Result<Answer> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if !token.is_empty() {
            request += &format!("Authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Type: application/wasm\r\nContent-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        self.stream.write_all(request.as_bytes()).await?;
        // A server that refuses the request does not read its body.
        let _ = self.stream.write_all(body).await;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(Ok(0), str::parse).map_err(|_| io::ErrorKind::InvalidData)?;
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).await?;
        Ok(answer)
    }
}

/// One request on a connection of its own.
///
/// # Errors
///
/// As [`Connection::open`] and [`Connection::ask`].
pub async fn ask(to: SocketAddr, method: &str, target: &str, token: &str, body: &[u8]) -> io::Result<Answer> {
    Connection::open(to).await?.ask(method, target, token, body).await
}

/// The sum of a metric's samples whose line begins with `name`, a label or more included.
pub fn metric(metrics: &str, name: &str) -> f64 {
    let of_it = metrics.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with([' ', '{', ',']));
    // Adding to `-0.0`, the sum of nothing, would show.
    of_it.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).fold(0.0, |sum, value| sum + value)
}
