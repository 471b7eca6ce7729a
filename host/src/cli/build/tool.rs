//! Runs a tool of a language, such as cargo. What it says goes to standard error as it comes.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::failed;
use crate::cli::report;
use crate::error::Error;
use crate::text;

/// Most bytes that are read of what a tool prints for podlens. Arbitrary; cargo's list of what it built has some hundred for each crate.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// A tool, ready to run in a project's folder.
pub(super) struct Tool {
    command: Command,
    name: String,
    get_it: &'static str,
}

impl Tool {
    /// `get_it` says how to install what is missing.
    pub(super) fn new(program: impl AsRef<OsStr>, folder: &Path, get_it: &'static str) -> Self {
        let name = text::path(Path::new(program.as_ref()));
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        Self { command, name, get_it }
    }

    /// Shows it under this name, instead of the program's whole path.
    pub(super) fn called(self, name: &Path) -> Self {
        Self { name: text::path(name), ..self }
    }

    pub(super) fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it to its end, and says how it was called.
    pub(super) async fn run(mut self) -> Result<(), Error> {
        self.say();
        // Data alone goes to our standard output.
        self.command.stdout(io::stderr());
        let mut child = self.start()?;
        self.end(&mut child).await
    }

    /// Runs it to its end, and returns its standard output.
    pub(super) async fn answer(mut self) -> Result<Vec<u8>, Error> {
        self.command.stdout(Stdio::piped());
        let mut child = self.start()?;
        let mut answer = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let read = stdout.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await;
            read.map_err(|error| failed(format!("what `{}` prints cannot be read", self.name)).because(error))?;
        }
        self.end(&mut child).await?;
        Ok(answer)
    }

    /// Says how it is called.
    pub(super) fn say(&self) {
        let command = self.command.as_std();
        let words = command.get_args().map(|word| text::path(Path::new(word)));
        report::say(&format!("$ {}", [self.name.clone()].into_iter().chain(words).collect::<Vec<_>>().join(" ")));
    }

    fn start(&mut self) -> Result<Child, Error> {
        self.command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(format!("`{}` is not installed", self.name)).hint(self.get_it),
            _ => failed(format!("`{}` cannot be started", self.name)).because(error),
        })
    }

    async fn end(&self, child: &mut Child) -> Result<(), Error> {
        let status = child.wait().await.map_err(|error| failed(format!("waiting for `{}` failed", self.name)).because(error))?;
        if status.success() {
            return Ok(());
        }
        // `exit status: 101`, or the signal.
        Err(failed(format!("`{}` failed: {status}", self.name)).hint("its own words are above"))
    }
}
