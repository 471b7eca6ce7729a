//! `podlens demo`: the story that it tells, and the cluster that it keeps up.
//!
//! `readme.rs` compares the whole of the story with the README.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::{fs, io};

use podlens_tests::program::{self, Done};

/// What the demo says, told from beginning to end.
pub(crate) fn story() -> String {
    let Done { code, stdout, stderr } = program::run(program::command().arg("demo"));
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    stdout
}

/// `text` without what differs from one demo to the next: the port, and the ages in its tables.
pub(crate) fn steady(text: &str) -> String {
    let of_an_age = |word: &str| {
        let units = word.trim_start_matches(|character: char| character.is_ascii_digit());
        units.len() < word.len()
            && word.ends_with(['s', 'm', 'h', 'd'])
            && word.chars().all(|it| it.is_ascii_digit() || "smhdy".contains(it))
    };
    let without_port = |word: &str| match word.split_once("127.0.0.1:") {
        Some((before, after)) => format!("{before}127.0.0.1:PORT{}", after.trim_start_matches(|it: char| it.is_ascii_digit())),
        None => word.to_owned(),
    };
    let steady_word = |word: &str| if of_an_age(word) { "AGE".to_owned() } else { without_port(word) };
    let steady_line = |line: &str| line.split(' ').map(steady_word).collect::<Vec<_>>().join(" ").trim_end().to_owned();
    text.lines().map(|line| steady_line(line) + "\n").collect()
}

#[test]
fn each_step_of_the_story_fails_for_its_own_reason_until_the_last() {
    let story = steady(&story());
    let mut rest = story.as_str();
    for expected in [
        "An API server runs in this process at https://127.0.0.1:PORT, ",
        "\n1. The address alone.",
        "\nerror: the query could not be answered\n",
        "is not a server to be trusted\n",
        "its certificate is issued by none of the platform's authorities\n",
        "hint: clusters sign their certificates themselves",
        "\n2. The address and the CA, no token.",
        " answered `GET /api/v1/pods` with 403 Forbidden\n",
        r#"pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope"#,
        "\n3. The token of its service account, too.",
        " answered `GET /api/v1/pods` with 403 Forbidden\n",
        r#"User "system:serviceaccount:shop:default" cannot list resource "pods""#,
        "\n4. A service account with a role",
        "\n$ podlens run pod-names -A -l app=web\nNAMESPACE   NAME\nshop        web-",
        "\n$ podlens run restarts -A -p min=3\nNAMESPACE     NAME ",
        "OOMKilled     137         AGE\n",
        "\n$ podlens run unready -A\nNAMESPACE   NAME ",
        "CrashLoopBackOff     AGE\n",
        "\n$ podlens run images -A\nIMAGE ",
        "\nTry them yourself: `podlens demo --serve`",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no `{expected}` in what is left of the story: {rest}"));
        rest = &rest[at + expected.len()..];
    }
    // Three are refused, and no more.
    assert_eq!(story.matches("\nerror: ").count(), 3);
}

#[test]
fn the_story_is_always_the_same() {
    assert_eq!(steady(&story()), steady(&story()));
}

/// `podlens demo --serve`, until it is told to end.
pub(crate) struct Serving {
    child: Child,
    /// Held open, so that it never writes to a pipe that nobody reads.
    _stdout: BufReader<ChildStdout>,
    printed: Vec<String>,
}

impl Serving {
    pub(crate) fn start() -> Self {
        let mut command = program::command();
        let child = command.args(["demo", "--serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("podlens can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut printed = Vec::new();
        while printed.last().is_none_or(|line: &String| !line.starts_with("podlens ")) {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).expect("a pipe can be read") > 0, "it ends after {printed:?}");
            printed.push(line.trim_end().to_owned());
        }
        Self { child, _stdout: stdout, printed }
    }

    /// The environment that it prints.
    fn exports(&self) -> Vec<(&str, &str)> {
        self.printed.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect()
    }

    fn export(&self, name: &str) -> &str {
        let found = self.exports().into_iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.printed)).1
    }

    /// What is printed after these words.
    fn told(&self, what: &str) -> &str {
        self.printed.iter().find_map(|line| line.strip_prefix(what)).expect("it is printed")
    }

    /// The kubeconfig of a server that reads as its tenants' accounts.
    pub(crate) fn server_kubeconfig(&self) -> &Path {
        Path::new(self.told("# The account of a server that reads as its tenants' accounts: "))
    }

    /// The token of that server's caller in this namespace.
    pub(crate) fn caller_token(&self, namespace: &str) -> String {
        let name = format!("{namespace}.token");
        let mut paths = self.told("# The tokens of that server's callers: ").split(' ');
        let path = paths.find(|path| path.ends_with(&name)).expect("the namespace has a caller");
        fs::read_to_string(path).expect("it can be read").trim().to_owned()
    }

    /// The mount of the account that may list pods.
    pub(crate) fn mount(&self) -> PathBuf {
        self.export("PODLENS_SERVICE_ACCOUNT_DIR").into()
    }

    /// `podlens` in the environment that it prints.
    fn client(&self) -> Command {
        let mut command = program::command();
        command.envs(self.exports());
        command
    }

    /// Ends it as a terminal or a supervisor does.
    fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill can be started");
        assert!(killed.success());
        let status = self.child.wait().expect("it can be waited for");
        let stderr = io::read_to_string(self.child.stderr.take().expect("it is piped")).expect("standard error is UTF-8");
        (status, stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_it_prints_is_all_that_a_client_needs() {
    let serving = Serving::start();
    let names: Vec<&str> = serving.exports().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "PODLENS_SERVICE_ACCOUNT_DIR"]);

    // The command that it prints.
    let command = serving.printed.last().and_then(|line| line.strip_prefix("podlens ")).expect("it is the last line");
    let done = program::run(serving.client().args(command.split(' ')));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.starts_with("NAMESPACE ") && done.stdout.lines().count() > 5, "{}", done.stdout);

    // Who asks is the account of the mount, in its namespace.
    let done = program::run(serving.client().arg("cluster-info"));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    for expected in ["https://127.0.0.1:", "v1.37.2", "system:serviceaccount:", "system:authenticated"] {
        assert!(done.stdout.contains(expected), "no `{expected}` in {}", done.stdout);
    }

    // The other account is known, and may nothing.
    let other = serving.printed.iter().find_map(|line| line.strip_prefix("# The account without a role: "));
    let mut client = serving.client();
    let done =
        program::run(client.env("PODLENS_SERVICE_ACCOUNT_DIR", other.expect("it is printed")).args(["run", "pod-names", "-A"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains(r#"User "system:serviceaccount:shop:default" cannot list resource "pods""#), "{}", done.stderr);

    // A token that it did not issue is none.
    let mount = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(mount.path().join("token"), "forged").expect("the folder can be written");
    fs::copy(serving.mount().join("ca.crt"), mount.path().join("ca.crt")).expect("the folder can be written");
    let mut client = serving.client();
    let done = program::run(client.env("PODLENS_SERVICE_ACCOUNT_DIR", mount.path()).args(["run", "pod-names", "-A"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("401 Unauthorized"), "{}", done.stderr);
}

#[test]
fn what_a_server_for_others_needs_is_there_and_private() {
    let serving = Serving::start();
    let folder = serving.mount().parent().expect("the mounts are in a folder").to_owned();
    let kubeconfig = serving.told("# The account of a server that reads as its tenants' accounts: ");
    let tokens = serving.told("# The tokens of that server's callers: ");
    let paths = ["serve.kubeconfig", "shop.token", "payments.token"].map(|name| folder.join(name));
    let printed: Vec<&Path> = [kubeconfig].into_iter().chain(tokens.split(' ')).map(Path::new).collect();
    assert_eq!(printed, paths);
    for path in &paths {
        assert_eq!(fs::metadata(path).expect("it is there").permissions().mode() & 0o777, 0o600, "{}", path.display());
    }

    // The kubeconfig is one, and its account may not read pods itself.
    let podlens = |arguments: &[&str]| program::run(program::command().env("KUBECONFIG", &paths[0]).args(arguments));
    let done = podlens(&["cluster-info"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.contains("system:serviceaccount:podlens:podlens"), "{}", done.stdout);
    let done = podlens(&["run", "pod-names", "-A"]);
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains(r#"User "system:serviceaccount:podlens:podlens" cannot list resource "pods""#), "{}", done.stderr);
    // As who may, it does.
    let done = podlens(&["run", "pod-names", "-n", "payments", "--as", "system:serviceaccount:payments:podlens-reader"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.contains("ledger-0") && !done.stdout.contains("redis-0"), "{}", done.stdout);

    // A caller's token is none for the API server.
    let mount = tempfile::tempdir().expect("a temporary folder can be made");
    fs::copy(&paths[1], mount.path().join("token")).expect("the folder can be written");
    fs::copy(serving.mount().join("ca.crt"), mount.path().join("ca.crt")).expect("the folder can be written");
    let mut client = serving.client();
    let done = program::run(client.env("PODLENS_SERVICE_ACCOUNT_DIR", mount.path()).args(["run", "pod-names", "-A"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("401 Unauthorized"), "{}", done.stderr);
}

#[test]
fn it_ends_when_it_is_told_to_and_leaves_nothing() {
    for signal in ["-TERM", "-INT"] {
        let serving = Serving::start();
        let mount = serving.mount();
        let folder: &Path = mount.parent().expect("the mounts are in a folder");
        assert_eq!(fs::metadata(folder).expect("it is there").permissions().mode() & 0o777, 0o700);
        assert!(mount.join("token").exists());
        let (status, stderr) = serving.end(signal);
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{signal}");
        assert!(!folder.exists(), "{} is left", folder.display());
    }
}
