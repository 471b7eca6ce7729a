//! Has a component compiled by another process: compiling is work that its author chooses the size of.
//!
//! The process is this program again, with bounds on processor time, memory and files that it sets itself before it reads a byte, and with
//! an empty environment. What it compiles it leaves in the folder of compiled components, where loading finds it; what it says is read up to
//! a bound. One runs at a time.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::{Error, Kind};
use crate::text::visible_at_most;

/// Processor time. One written in Rust takes 0.2 s, one with a Python runtime 10 s, on one core.
const CPU_SECONDS: u64 = 40;
/// Wall time; the machine may be busy.
const WALL_TIME: Duration = Duration::from_secs(60);
/// Address space. Compiling one with a Python runtime takes some 600 MB.
const MEMORY_BYTES: u64 = 2 << 30;
/// The largest file that it may write: a compiled component. One with a Python runtime has 40 MB.
const FILE_BYTES: u64 = 256 << 20;
/// Files that it may have open.
const FILES: u64 = 64;

/// Most of what it says that is read.
const SAID_MAX_BYTES: u64 = 4096;
const SAID_MAX_CHARACTERS: usize = 512;

/// How to start it.
#[derive(Debug)]
pub(crate) struct Apart {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    one: Semaphore,
}

/// Bounds this process, before it compiles what somebody else wrote.
pub(crate) fn rlimits() -> std::io::Result<()> {
    for (resource, most) in [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::As, MEMORY_BYTES),
        (Resource::Fsize, FILE_BYTES),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Others' runs come first. Where that cannot be, it is bounded all the same.
    let _ = nice(19);
    Ok(())
}

impl Apart {
    /// `program` with these arguments and nothing but this environment has to call [`rlimits`], read a component from standard input, compile
    /// it, and end with 0, or else say why not on standard output.
    pub(crate) fn new(program: PathBuf, arguments: Vec<String>, environment: Vec<(String, PathBuf)>) -> Self {
        Self { program, arguments, environment, one: Semaphore::new(1) }
    }

    pub(super) async fn compile(&self, bytes: &[u8]) -> Result<(), Error> {
        // Never closed, so this always waits for its turn.
        let _one = self.one.acquire().await;
        let failed = |message: &str| Error::new(Kind::Component, message.to_owned());
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).current_dir("/").kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            // Not the component's fault.
            Error::new(Kind::Fault, "the compiler cannot be started").because(error)
        })?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("the compiler cannot be talked to"));
        };
        let work = async {
            let mut said = Vec::new();
            let give = async {
                // It may end before it has read all: then it says why.
                let _ = input.write_all(bytes).await;
                drop(input);
            };
            let mut output = output.take(SAID_MAX_BYTES);
            let (read, ()) = tokio::join!(output.read_to_end(&mut said), give);
            read?;
            // What it says beyond that finds nobody who listens.
            drop(output);
            Ok::<_, std::io::Error>((child.wait().await?, said))
        };
        let (status, said) = match timeout(WALL_TIME, work).await {
            Err(_) => return Err(failed("the component takes too long to compile")),
            Ok(Err(error)) => return Err(failed("the compiler cannot be talked to").because(error)),
            Ok(Ok(ended)) => ended,
        };
        if status.success() {
            return Ok(());
        }
        let said = visible_at_most(String::from_utf8_lossy(&said).trim(), SAID_MAX_CHARACTERS);
        Err(match (status.code(), said.is_empty()) {
            (Some(_), false) => failed(&said),
            _ => failed("compiling the component takes more time or memory than a component may"),
        })
    }
}
