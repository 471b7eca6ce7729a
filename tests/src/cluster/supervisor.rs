//! The process that runs the two servers, `tests/cluster/serve`: this is the side that talks to it.
//!
//! A process of its own, because nothing in a test process survives its SIGKILL to clean up. The end of its standard
//! input, which only this process holds, tells it to stop.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

#[derive(Debug)]
pub(super) struct Supervisor {
    process: Child,
    /// `None` once it was told to stop.
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Supervisor {
    /// Starts both servers on the files in `data`, which this process must not delete any more.
    pub(super) fn spawn(assets: &Path, data: &Path, port: u16, api_server_flags: &[String]) -> Self {
        let log = File::create(data.join("serve.log")).expect("the temporary folder is writable");
        let mut process = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/serve"))
            .arg(assets)
            .arg(data)
            .arg(port.to_string())
            .args(api_server_flags)
            // etcd takes every flag from `ETCD_*` too, and Go programs change with `GODEBUG`.
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            // A Ctrl-C in the terminal is for the tests; the servers end after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("`tests/cluster/serve` runs: it needs `bash`");
        let stdin = process.stdin.take().expect("it is piped");
        let stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, pipes: Mutex::new(Some((stdin, stdout))) }
    }

    /// Sends a command and returns the answer; `tests/cluster/serve` lists both.
    pub(super) fn command(&self, command: &str) -> String {
        let mut pipes = self.pipes.lock().expect("no holder of the lock panics");
        let (stdin, stdout) = pipes.as_mut().expect("it runs until it is dropped");
        let mut answer = String::new();
        writeln!(stdin, "{command}")
            .and_then(|()| stdout.read_line(&mut answer))
            .unwrap_or_else(|error| panic!("`tests/cluster/serve` is gone: {error}"));
        answer.trim_end().to_owned()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // A poisoned lock is a failing test, whose servers must stop all the same.
        self.pipes.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let _ = self.process.wait();
    }
}
