//! A real Kubernetes API server and its etcd, for the tests that only a real one can pass or fail.
//!
//! TLS, authentication, RBAC, admission, TokenRequest, validation and storage are the real ones. There is no kubelet,
//! scheduler or controller manager: pods run nowhere and have the status that a test writes; a namespace has the service
//! account that the harness creates.
//!
//! Everything here blocks, and works from plain and from async tests alike: requests run on a runtime of the harness's
//! own (`rest.rs`). A test arranges with this API and acts with the code under test. What cannot be had panics: there is
//! no test without a cluster.
//!
//! Read `tests/cluster/build` for where the programs come from, and `tests/cluster/serve` for how they run and end.
//!
//! ```no_run
//! use podlens_tests::cluster::{Cluster, realistic_pod};
//!
//! let cluster = Cluster::shared();
//! let namespace = cluster.namespace("restarts");
//! cluster.create_pods(&namespace, 600, realistic_pod);
//! cluster.grant_pods(&namespace, "default", &["get", "list"]);
//!
//! let pods = format!("/api/v1/namespaces/{namespace}/pods?limit=1");
//! let token = cluster.service_account_token(&namespace, "default", 600);
//! assert_eq!(cluster.request_as(&token, "GET", &pods).status, 200);
//! // The right ends where the namespace does.
//! assert_eq!(cluster.request_as(&token, "GET", "/api/v1/pods").status, 403);
//! ```

mod access;
mod assets;
mod certificates;
mod loopback;
mod mount;
mod pods;
mod rest;
mod supervisor;
mod tokens;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use self::access::Namespace;
use self::certificates::Certificates;
pub use self::certificates::ClientCertificate;
use self::loopback::Loopback;
pub use self::mount::Mount;
pub use self::pods::realistic_pod;
pub use self::rest::Answer;
use self::supervisor::Supervisor;

/// How long a start may take. A second is usual; the rest is for a machine that compiles something meanwhile.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// Between two looks at a server that is not ready yet.
const READY_INTERVAL: Duration = Duration::from_millis(25);

/// Starts that lose their port to another process before the API server binds it.
const PORT_ATTEMPTS: usize = 5;

/// What a cluster has that the shared one has not. Default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Logs every request at level Metadata, for [`Cluster::audit_events`].
    pub audit_log: bool,
    /// Makes [`Cluster::compact`] take effect at once: the API server reads old lists from etcd, not from the snapshots
    /// in its cache, which outlive a compaction by up to 15 seconds (`compactorPollPeriod` in its cacher).
    pub compaction: bool,
    /// More flags for kube-apiserver, such as `--feature-gates=…`; a repeated flag overrides the harness's.
    pub api_server_flags: Vec<String>,
}

/// A running API server with its etcd. Dropped, it is stopped and its data is gone; so it is when the process ends,
/// however it ends.
#[derive(Debug)]
pub struct Cluster {
    // Dropped first: it stops the two servers.
    supervisor: Supervisor,
    loopback: Loopback,
    certificates: Certificates,
    client: rest::Client,
    admin_token: String,
    assets: PathBuf,
    data: PathBuf,
    compaction: bool,
    namespaces: AtomicUsize,
}

impl Cluster {
    /// The cluster of this test process, started on first use.
    ///
    /// # Panics
    ///
    /// When the programs cannot be had or do not start; the message says what to do.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&Options::default()))
    }

    /// A cluster of one's own: for a test that restarts it, or needs [`Options`].
    ///
    /// # Panics
    ///
    /// As [`Cluster::shared`].
    pub fn start(options: &Options) -> Self {
        let assets = assets::find();
        for _ in 0..PORT_ATTEMPTS {
            match Self::try_start(assets, options) {
                Ok(cluster) => return cluster,
                Err(log) if log.contains("address already in use") => {}
                Err(log) => panic!("the cluster does not start; its last words:\n{log}"),
            }
        }
        panic!("no port stays free: another process took each of {PORT_ATTEMPTS}");
    }

    /// The error is the end of the servers' logs.
    fn try_start(assets: &Path, options: &Options) -> Result<Self, String> {
        let loopback = Loopback::reserve();
        let certificates = Certificates::generate();
        let admin_token = random_token();
        let data = tempfile::Builder::new().prefix("podlens-cluster-").tempdir().expect("the temporary folder is writable");
        write_files(data.path(), &certificates, &admin_token, loopback.ipv4());

        let client = rest::Client::new(&certificates.ca_pem, loopback.ipv4());
        let flags = flags(options, data.path());
        let supervisor = Supervisor::spawn(assets, data.path(), loopback.ipv4().port(), &flags);
        // From here on the supervisor deletes it.
        let data = data.keep();
        let cluster = Self {
            supervisor,
            loopback,
            certificates,
            client,
            admin_token,
            assets: assets.to_owned(),
            data,
            compaction: options.compaction,
            namespaces: AtomicUsize::new(0),
        };
        cluster.wait_until_ready()?;
        cluster.loopback.forward_ipv6();
        cluster.create_default_service_account();
        Ok(cluster)
    }

    /// Where the API server listens on IPv4 loopback.
    pub fn address(&self) -> SocketAddr {
        self.loopback.ipv4()
    }

    /// Where the API server is reached on IPv6 loopback; the port is that of [`Cluster::address`].
    ///
    /// # Panics
    ///
    /// On a machine without IPv6 loopback.
    pub fn ipv6_address(&self) -> SocketAddr {
        self.loopback.ipv6().expect("this test needs IPv6 loopback: sysctl net.ipv6.conf.lo.disable_ipv6=0")
    }

    /// The certificate of the CA that signed the serving certificate, and that signs client certificates.
    pub fn ca_pem(&self) -> &str {
        &self.certificates.ca_pem
    }

    /// A bearer token in group `system:masters`, which RBAC does not restrict.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// A certificate that authenticates as this user, in this group if there is one.
    pub fn client_certificate(&self, user: &str, group: Option<&str>) -> ClientCertificate {
        self.certificates.client(user, group)
    }

    /// An admin's kubeconfig file.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.data.join("kubeconfig")
    }

    /// kubectl as the cluster's admin, with a home of its own and nothing of the caller's environment but `PATH`.
    pub fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(self.assets.join("kubectl"));
        kubectl
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.data.join("home"))
            .env("KUBECONFIG", self.kubeconfig_path());
        kubectl
    }

    /// Kills the API server, as a crash would. etcd keeps what was written.
    pub fn kill_api_server(&self) {
        self.supervisor.command("kill");
    }

    /// Ends the API server as an upgrade would: it drains for up to three seconds.
    pub fn terminate_api_server(&self) {
        self.supervisor.command("terminate");
    }

    /// Starts the API server again, at the same address, and returns when it is ready.
    pub fn start_api_server(&self) {
        self.supervisor.command("start");
        if let Err(log) = self.wait_until_ready() {
            panic!("the API server does not start again; its last words:\n{log}");
        }
    }

    /// Forgets the past, as the API server does every five minutes: a continue token from before the last write is then
    /// answered with 410. Needs [`Options::compaction`].
    pub fn compact(&self) {
        assert!(self.compaction, "the cluster was started with `compaction`");
        rest::compact(&self.data.join("etcd.sock"));
    }

    /// What was asked of the API server so far, oldest first: `audit.k8s.io/v1` events. Needs [`Options::audit_log`].
    ///
    /// An event is written when its answer is complete, which a client may see a moment earlier.
    pub fn audit_events(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.data.join("audit.log")).expect("the cluster was started with `audit_log`");
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What the API server logged so far.
    pub fn api_server_log(&self) -> String {
        fs::read_to_string(self.data.join("kube-apiserver.log")).unwrap_or_default()
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while !self.client.is_ready(&self.admin_token) {
            let running = self.supervisor.command("state");
            if running != "etcd api-server" || Instant::now() > deadline {
                return Err(self.last_words());
            }
            thread::sleep(READY_INTERVAL);
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let mut words = String::new();
        for log in ["etcd.log", "kube-apiserver.log", "serve.log"] {
            let text = fs::read_to_string(self.data.join(log)).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            for line in &lines[lines.len().saturating_sub(20)..] {
                writeln!(words, "{log}: {line}").expect("a String takes everything");
            }
        }
        words
    }
}

fn flags(options: &Options, data: &Path) -> Vec<String> {
    let mut flags = options.api_server_flags.clone();
    if options.compaction {
        flags.push("--feature-gates=ListFromCacheSnapshot=false".to_owned());
    }
    if options.audit_log {
        flags.push(format!("--audit-policy-file={}", data.join("audit-policy.json").display()));
        flags.push(format!("--audit-log-path={}", data.join("audit.log").display()));
    }
    flags
}

/// The files that `tests/cluster/serve` expects, and the kubeconfig.
fn write_files(data: &Path, certificates: &Certificates, admin_token: &str, address: SocketAddr) {
    let audit_policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{ "level": "Metadata" }],
    });
    // JSON is YAML.
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "podlens", "cluster": {
            "server": format!("https://{address}"),
            "certificate-authority": data.join("ca.crt"),
        }}],
        "users": [{ "name": "admin", "user": { "token": admin_token } }],
        "contexts": [{ "name": "podlens", "context": { "cluster": "podlens", "user": "admin" } }],
        "current-context": "podlens",
    });
    let files = [
        ("ca.crt", &certificates.ca_pem),
        ("serving.crt", &certificates.serving_pem),
        ("serving.key", &certificates.serving_key_pem),
        ("service-account.key", &certificates.service_account_key_pem),
        ("service-account.pub", &certificates.service_account_public_pem),
        ("tokens.csv", &format!("{admin_token},admin,admin,system:masters\n")),
        ("audit-policy.json", &audit_policy.to_string()),
        ("kubeconfig", &kubeconfig.to_string()),
    ];
    for (name, content) in files {
        fs::write(data.join(name), content).expect("the temporary folder is writable");
    }
}

/// 128 bits nobody can guess, in hexadecimal.
fn random_token() -> String {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).expect("the system has random bytes");
    bytes.iter().fold(String::new(), |mut token, byte| {
        write!(token, "{byte:02x}").expect("a String takes everything");
        token
    })
}
