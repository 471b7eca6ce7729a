//! What a process takes: wall time, CPU time and memory, from its start to its end, with its standard output in a pipe that is read.
//!
//! The process is started by a small one, `podlens-bench measure`, for two reasons. Its peak of resident memory begins with that of whoever
//! started it; and the system tells the use of *all* children of a process, of which that one has a single one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

use crate::Result;
use crate::machine::as_f64;
use crate::results::Use;

/// How much of what a process says on standard error is shown when it fails.
const WORDS_BYTES: usize = 2_000;

/// A process that can be started. It gets this environment and nothing of ours.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: BTreeMap<OsString, OsString>,
}

impl Line {
    /// Runs it to its end, and returns its standard output with what it took.
    pub(crate) fn run(&self) -> Result<(String, Use)> {
        let program = self.program.display();
        let folder = tempfile::tempdir().map_err(|error| format!("making a temporary folder: {error}"))?;
        let report = folder.path().join("use.json");
        let helper = std::env::current_exe().map_err(|error| format!("looking for this program: {error}"))?;
        let mut child = Command::new(helper)
            .arg("measure")
            .arg(&report)
            .arg("--")
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("starting `{program}`: {error}"))?;
        let mut stderr = child.stderr.take().expect("it is piped");
        let words = thread::spawn(move || {
            let mut words = Vec::new();
            // What cannot be read is not shown; the exit code still tells.
            let _ = stderr.read_to_end(&mut words);
            words
        });
        let mut answer = Vec::new();
        let read = child.stdout.take().expect("it is piped").read_to_end(&mut answer);
        let status = child.wait().map_err(|error| format!("waiting for `{program}`: {error}"))?;
        let words = words.join().expect("it does not panic");
        if !status.success() {
            let words = String::from_utf8_lossy(&words[..words.len().min(WORDS_BYTES)]).trim_end().to_owned();
            return Err(format!("`{program}` failed, {status}: {words}"));
        }
        read.map_err(|error| format!("reading what `{program}` prints: {error}"))?;
        let answer = String::from_utf8(answer).map_err(|_| format!("what `{program}` prints is not UTF-8"))?;
        let report = fs::read(&report).map_err(|error| format!("reading what `{program}` took: {error}"))?;
        let used = serde_json::from_slice(&report).map_err(|error| format!("reading what `{program}` took: {error}"))?;
        Ok((answer, used))
    }
}

/// The small process: runs `command` to its end, writes what it took to `report`, and exits as it did.
///
/// Of several processes, such as those of a pipe in a shell, CPU time is of all, and memory that of the largest.
///
/// # Errors
///
/// When the command cannot be started, or the report not be written.
pub fn measure(report: &Path, command: &[OsString]) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().ok_or("there is no command to measure")?;
    let shown = Path::new(program).display();
    let begin = Instant::now();
    let mut child = Command::new(program).args(arguments).spawn().map_err(|error| format!("starting `{shown}`: {error}"))?;
    let status = child.wait().map_err(|error| format!("waiting for `{shown}`: {error}"))?;
    let wall = begin.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| format!("asking what `{shown}` took: {error}"))?;
    let used = Use { wall_ms: wall.as_secs_f64() * 1e3, ..children(&usage) };
    let text = serde_json::to_vec(&used).expect("numbers can be written");
    fs::write(report, text).map_err(|error| format!("writing `{}`: {error}", report.display()))?;
    // One that a signal ended has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
    Ok(code.into())
}

fn children(usage: &Usage) -> Use {
    let milliseconds = |time: TimeVal| as_f64(time.num_microseconds().unsigned_abs()) / 1e3;
    Use {
        user_ms: milliseconds(usage.user_time()),
        system_ms: milliseconds(usage.system_time()),
        // Linux counts in KiB (getrusage(2)).
        peak_kib: usage.max_rss().unsigned_abs(),
        ..Use::default()
    }
}
