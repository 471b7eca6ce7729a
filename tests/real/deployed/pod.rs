//! A pod of the Deployment, as far as there can be one without a kubelet: the container's command line, environment and mounts as the manifest
//! says, its user, and a root folder with nothing in it but those mounts and the program.
//!
//! The program is that of the image of `deploy/Containerfile`, which needs nothing else: `tests/run` builds it, and names it in
//! `PODLENS_STATIC`. Where it is not named, it is the one that other tests run, and the loader and the libraries that `ldd` names are in the
//! root as well, and only these.
//!
//! What a kubelet does beyond that is not done: the root can be written to by root alone, instead of by nobody, and there is no seccomp
//! profile. Where the test is not root, the container's user is who runs it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use podlens_tests::cluster::Cluster;
use podlens_tests::program;
use serde_json::Value;
use tempfile::TempDir;

use super::{HOST, deployed};
use crate::arrange::answer;

/// A folder that becomes the root of a process.
struct Root(TempDir);

impl Root {
    /// With the program in it, as `/podlens`.
    fn with_program() -> Self {
        let folder = tempfile::Builder::new().prefix("podlens-root-").tempdir().expect("the temporary folder is writable");
        // Another user has to get in.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let root = Self(folder);
        let (program, libraries) = program_and_libraries();
        root.copy(&program, Path::new("/podlens"));
        for library in libraries {
            root.copy(&library, &library);
        }
        root
    }

    /// Where `path`, as the process sees it, is for us.
    fn at(&self, path: &Path) -> PathBuf {
        self.0.path().join(path.strip_prefix("/").expect("a path in a container is absolute"))
    }

    fn copy(&self, file: &Path, to: &Path) {
        let to = self.at(to);
        fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("the folder is writable");
        fs::copy(file, to).expect("the file can be read");
    }

    /// Puts a file into a volume there, as a kubelet does: behind links that it can swap, and for the container's group alone to read.
    fn write(&self, path: &Path, content: &str, user: u32) {
        let (path, name) = (self.at(path), path.file_name().expect("a file has a name"));
        let volume = path.parent().expect("a file is in a volume");
        let content_folder = volume.join("..content");
        if !content_folder.exists() {
            fs::create_dir_all(&content_folder).expect("the folder is writable");
            symlink("..content", volume.join("..data")).expect("the folder is new");
        }
        let file = content_folder.join(name);
        fs::write(&file, content).expect("the folder is writable");
        fs::set_permissions(&file, Permissions::from_mode(0o440)).expect("it is ours");
        if is_root() {
            chown(&file, None, Some(user)).expect("root may");
        }
        symlink(Path::new("..data").join(name), &path).expect("each file is written once");
    }

    /// `program` in this root, as this user where we may choose, with nothing in its environment.
    fn command(&self, program: &str, user: u32) -> Command {
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("chroot");
                command.args([&format!("--userspec={user}:{user}"), "--groups="].map(OsStr::new));
                command
            }
            // Root of a user namespace may change its root, and is nobody else.
            false => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "chroot"]);
                command
            }
        };
        command.arg(self.0.path()).arg(program).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// All files and links, as the process sees them.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("it is there") {
                let path = entry.expect("it is there").path();
                match path.is_dir() && !path.is_symlink() {
                    true => folders.push(path),
                    false => files.push(format!("/{}", path.strip_prefix(self.0.path()).expect("it is inside").display())),
                }
            }
        }
        files.sort();
        files
    }
}

fn is_root() -> bool {
    // The owner of a process' own folder is its user.
    fs::metadata("/proc/self").expect("there is /proc").uid() == 0
}

/// The program, and what it cannot be loaded without.
fn program_and_libraries() -> (PathBuf, Vec<PathBuf>) {
    if let Some(program) = std::env::var_os("PODLENS_STATIC") {
        return (program.into(), Vec::new());
    }
    let program = program::podlens();
    let ldd = program::run(Command::new("ldd").arg(program));
    let paths = ldd.stdout.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    (program.to_owned(), paths.filter(|path| Path::new(path) != program).map(PathBuf::from).collect())
}

/// What a container of the Deployment is told.
struct Container {
    command: Vec<String>,
    variables: Vec<(String, String)>,
    mounts: Vec<(String, PathBuf)>,
    user: u32,
    spec: Value,
}

impl Container {
    fn of_deployment(cluster: &Cluster) -> Self {
        let deployment = cluster.get(&format!("/apis/apps/v1/namespaces/{HOST}/deployments/podlens"));
        let spec = deployment["spec"]["template"]["spec"].clone();
        let container = &spec["containers"][0];
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let command = [items(&container["command"]), items(&container["args"])].concat();
        Self {
            command: command.iter().map(text).collect(),
            variables: items(&container["env"]).iter().map(|item| (text(&item["name"]), text(&item["value"]))).collect(),
            mounts: items(&container["volumeMounts"])
                .iter()
                .map(|mount| (text(&mount["name"]), text(&mount["mountPath"]).into()))
                .collect(),
            user: spec["securityContext"]["runAsUser"].as_u64().and_then(|user| user.try_into().ok()).expect("it has a number"),
            spec,
        }
    }

    fn volume(&self, name: &str) -> &Value {
        let volumes = self.spec["volumes"].as_array().expect("there are some");
        volumes.iter().find(|volume| volume["name"] == name).expect("what is mounted is there")
    }

    /// Fills a root as a kubelet would.
    fn mount(&self, cluster: &Cluster, root: &Root, files: &Files<'_>) {
        for (name, path) in &self.mounts {
            let volume = self.volume(name);
            let put = |name: &str, content: &str| root.write(&path.join(name), content, self.user);
            if let Some(sources) = volume["projected"]["sources"].as_array() {
                for source in sources {
                    // What it says of the token is what a kubelet asks for.
                    if let Some(token) = source.get("serviceAccountToken") {
                        put("token", &cluster.token(HOST, "podlens", &without_path(token)));
                    } else if source["configMap"]["name"] == "kube-root-ca.crt" {
                        put("ca.crt", cluster.ca_pem());
                    } else {
                        put("namespace", HOST);
                    }
                }
            } else if volume["configMap"]["name"] == "podlens-policy" {
                put("policy.yaml", files.policy);
            } else if volume["secret"]["secretName"] == "podlens-tls" {
                put("tls.crt", files.certificate);
                put("tls.key", files.key);
            } else {
                // k8s.io/kubernetes `pkg/volume/emptydir`: of everybody, and a tmpfs is mounted over it where it is of memory, which the
                // kernel gives the sticky bit (`mode=` of tmpfs(5) is 1777 by itself). Then it is of the pod's group, and what is made in it is
                // too (`fsGroup`, `pkg/volume/volume_linux.go`).
                let mode = if volume["emptyDir"]["medium"] == "Memory" { 0o3777 } else { 0o2777 };
                assert!(volume.get("emptyDir").is_some(), "{volume}");
                let folder = root.at(path);
                fs::create_dir_all(&folder).expect("the folder is writable");
                if is_root() {
                    chown(&folder, None, Some(self.user)).expect("root may");
                }
                fs::set_permissions(&folder, Permissions::from_mode(mode)).expect("it is ours");
            }
        }
    }
}

fn without_path(token: &Value) -> Value {
    let mut spec = token.clone();
    spec.as_object_mut().expect("it is an object").remove("path");
    spec
}

/// What the pod's owner brings: a policy, and the Secret `podlens-tls`.
pub(super) struct Files<'a> {
    pub(super) policy: &'a str,
    pub(super) certificate: &'a str,
    pub(super) key: &'a str,
}

/// A server in its pod.
pub(super) struct Pod {
    child: Child,
    root: Root,
    cache: PathBuf,
    /// Where callers call, and where probes do.
    pub(super) api: SocketAddr,
    pub(super) health: SocketAddr,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// What one has left: its two outputs, and what it had compiled.
pub(super) struct Remains {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) compiled: usize,
}

impl Pod {
    /// Starts one, and returns when it serves.
    pub(super) fn start(cluster: &Cluster, files: &Files<'_>) -> Self {
        let container = Container::of_deployment(cluster);
        let root = Root::with_program();
        container.mount(cluster, &root, files);
        let (program, arguments) = container.command.split_first().expect("there is a command");
        let cache = container.variables.iter().find(|(name, _)| name == "PODLENS_CACHE_DIR").expect("it is set");
        let cache = root.at(Path::new(&cache.1));
        let mut command = root.command(program, container.user);
        command
            // Pods do not share ports, and tests do.
            .args(arguments.iter().map(|argument| argument.replace(":8443", ":0").replace(":8081", ":0")))
            .envs(container.variables.iter().map(|(name, value)| (name, value)))
            .env("KUBERNETES_SERVICE_HOST", cluster.address().ip().to_string())
            .env("KUBERNETES_SERVICE_PORT", cluster.address().port().to_string());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("chroot can be started");
        let mut stdout = child.stdout.take().expect("it is piped");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let (mut told, mut urls) = (String::new(), None);
        while urls.is_none() {
            let mut line = String::new();
            if stderr.read_line(&mut line).expect("standard error is UTF-8") == 0 {
                panic!("it does not serve: {told}");
            }
            urls = ports(&line);
            told += &line;
        }
        let [api, health] = urls.expect("it was told").map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("standard output is UTF-8");
            text
        });
        let stderr = thread::spawn(move || {
            stderr.read_to_string(&mut told).expect("standard error is UTF-8");
            told
        });
        Self { child, root, cache, api, health, stdout, stderr }
    }

    /// Ends it as a kubelet does, and returns what is left of it.
    pub(super) fn end(mut self) -> Remains {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("there is `kill`");
        assert!(sent.success());
        let code = self.child.wait().expect("it can be waited for").code();
        let compiled = self.root.files().iter().filter(|file| self.root.at(Path::new(file)).starts_with(&self.cache)).count();
        let stdout = self.stdout.join().expect("it does not panic");
        let stderr = self.stderr.join().expect("it does not panic");
        Remains { code, stdout, stderr, compiled }
    }
}

/// The ports of `serving on https://0.0.0.0:1, health and metrics on http://0.0.0.0:2`.
fn ports(line: &str) -> Option<[u16; 2]> {
    let line = line.trim_end().strip_prefix("serving on https://0.0.0.0:")?;
    let (api, health) = line.split_once(", health and metrics on http://0.0.0.0:")?;
    Some([api.parse().ok()?, health.parse().ok()?])
}

#[test]
fn a_root_with_nothing_but_the_mount_is_enough() {
    let cluster = deployed();
    let namespace = cluster.namespace("empty-root");
    cluster.grant_pods(&namespace, "default", &["get", "list"]);
    cluster.create_pods(&namespace, 1, |_| crate::arrange::tiny_pod("alone"));
    let root = Root::with_program();
    let mount = Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
    let user = Container::of_deployment(cluster).user;
    let token = cluster.service_account_token(&namespace, "default", 600);
    for (name, content) in [("token", token.as_str()), ("ca.crt", cluster.ca_pem()), ("namespace", namespace.name())] {
        root.write(&mount.join(name), content, user);
    }
    // Nothing else is there: no passwd, no resolv.conf, no certificates, no time zones, no /tmp, no /proc, no /dev.
    let (_, libraries) = program_and_libraries();
    let is_needed = |file: &str| file == "/podlens" || Path::new(file).starts_with(mount) || libraries.contains(&file.into());
    let files = root.files();
    assert!(files.iter().all(|file| is_needed(file)), "{files:?}");

    let mut command = root.command("/podlens", user);
    command
        .env("KUBERNETES_SERVICE_HOST", cluster.address().ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", cluster.address().port().to_string())
        .args(["run", "pod-names", "-o", "csv"]);
    assert_eq!(answer(program::run(&mut command)), format!("namespace,name\n{namespace},alone\n"));
    assert_eq!(root.files(), files, "nothing was written");
}
