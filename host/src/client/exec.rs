//! Runs a credential plugin, and keeps what it says until that ends.
//!
//! As k8s.io/client-go v0.37.2 `plugin/pkg/client/auth/exec` does, with bounds: on time, and on what is read of it. Unlike there, a
//! credential is renewed a little before it ends, and the last one is kept while it is still good.

use std::io::{self, IsTerminal as _};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::config::{EXEC_INFO, ExecCredential, ExecPlugin};
use crate::error::{Error, Kind};
use crate::text::{excerpt, push_visible};

/// How long before its end a credential is renewed: client-go's leeway for tokens (`transport/token_source.go`), so that none ends on its
/// way to the API server.
const LEEWAY: Duration = Duration::from_secs(10);

/// How long a renewal is not tried again while the last credential is still good, be it that it failed or that what came ends soon, too.
/// Arbitrary.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// How long a plugin may run. Arbitrary: it asks a service of the cloud, which takes seconds, or a person, who has to find a browser.
const TIMEOUT: Duration = Duration::from_secs(60);
const INTERACTIVE_TIMEOUT: Duration = Duration::from_secs(300);

/// Most bytes of an answer. A token has some kilobytes, a certificate chain no more; arbitrary.
const OUTPUT_MAX_BYTES: u64 = 1 << 20;

/// Most bytes of a plugin's standard error that are shown, and how long an unfinished line of it, such as a prompt, is waited for.
/// Arbitrary.
const WORDS_MAX_BYTES: usize = 64 * 1024;
const PROMPT_AFTER: Duration = Duration::from_millis(200);

/// A plugin and its last answer.
pub(super) struct Exec {
    plugin: Arc<ExecPlugin>,
    current: RwLock<Option<Arc<ExecCredential>>>,
    /// Held by the one that runs the plugin.
    last: Mutex<Last>,
}

/// The last time that it was run.
struct Last {
    /// When the next renewal may be.
    pause: Instant,
    /// Why it gave no credential, for those who waited for one, too.
    failure: Option<Error>,
}

impl Exec {
    pub(super) fn new(plugin: Arc<ExecPlugin>) -> Self {
        Self { plugin, current: RwLock::new(None), last: Mutex::new(Last { pause: Instant::now(), failure: None }) }
    }

    /// The longest that [`Exec::get`] takes.
    pub(super) fn patience(&self) -> Duration {
        INTERACTIVE_TIMEOUT
    }

    /// A credential that is good for now.
    pub(super) async fn get(&self) -> Result<Arc<ExecCredential>, Error> {
        let (mut last, seen) = match self.current() {
            None => (self.last.lock().await, None),
            Some(current) => match state(&current, Timestamp::now()) {
                State::Good => return Ok(current),
                State::Ending => match self.last.try_lock() {
                    Ok(last) if last.pause <= Instant::now() => (last, Some(current)),
                    Ok(_) | Err(_) => return Ok(current),
                },
                State::Ended => (self.last.lock().await, Some(current)),
            },
        };
        // Whoever held the lock may have run it.
        if let Some(current) = self.current()
            && seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &current))
        {
            return Ok(current);
        }
        // One who waited gets what came, be it a failure or a credential that has ended: by this clock, which may not be the server's.
        if Instant::now() < last.pause {
            match (&last.failure, &seen) {
                (Some(failure), _) => return Err(failure.clone()),
                (None, Some(seen)) => return Ok(Arc::clone(seen)),
                (None, None) => {}
            }
        }
        let renewed = self.run().await;
        *last = Last { pause: Instant::now() + RENEWAL_PAUSE, failure: renewed.as_ref().err().cloned() };
        match (renewed, seen) {
            (Err(error), Some(seen)) if state(&seen, Timestamp::now()) != State::Ended => {
                tracing::warn!("{error}; the last credential is still used");
                Ok(seen)
            }
            (result, _) => result,
        }
    }

    /// Another credential than `refused`, running the plugin unless that happened already. `None` where it fails, or says the same.
    pub(super) async fn replace(&self, refused: &Arc<ExecCredential>) -> Option<Arc<ExecCredential>> {
        let mut last = self.last.lock().await;
        let other = match self.current() {
            Some(current) if !Arc::ptr_eq(&current, refused) => current,
            _ => {
                let renewed = self.run().await;
                last.pause = Instant::now() + RENEWAL_PAUSE;
                renewed.map_err(|error| tracing::warn!("{error}")).ok()?
            }
        };
        (!other.is_same(refused)).then_some(other)
    }

    fn current(&self) -> Option<Arc<ExecCredential>> {
        // A writer does nothing that could panic between its lock and its unlock.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn run(&self) -> Result<Arc<ExecCredential>, Error> {
        let credential = Arc::new(run(&self.plugin).await?);
        tracing::debug!(plugin = %excerpt(&self.plugin.command), expires = ?credential.expires, "gave a credential");
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&credential));
        Ok(credential)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Good, and to be renewed.
    Ending,
    Ended,
}

fn state(credential: &ExecCredential, now: Timestamp) -> State {
    let left = credential.expires.map(|end| end.duration_since(now));
    match left.map(Duration::try_from) {
        None => State::Good,
        Some(Ok(left)) if left > LEEWAY => State::Good,
        Some(Ok(left)) if left > Duration::ZERO => State::Ending,
        Some(_) => State::Ended,
    }
}

/// Runs the plugin once.
async fn run(plugin: &ExecPlugin) -> Result<ExecCredential, Error> {
    let shown = excerpt(&plugin.command);
    let failed = |what: &str| Error::new(Kind::Configuration, format!("the credential plugin `{shown}` {what}"));
    let interactive = plugin
        .interactive(io::stdin().is_terminal())
        .ok_or_else(|| failed("needs a terminal on standard input, and there is none"))?;
    let limit = if interactive { INTERACTIVE_TIMEOUT } else { TIMEOUT };
    let mut child = spawn(plugin, interactive).map_err(|error| failed("cannot be run").because(error))?;
    let (status, output) = timeout(limit, finish(&mut child, &shown))
        .await
        .map_err(|_| {
            failed(&format!("gave no answer within {} s", limit.as_secs()))
                .hint("run it by hand to see what it waits for: a person, maybe")
        })?
        .map_err(|error| failed("cannot be read from").because(error))?;
    // First, since one that is not read to its end may well fail.
    if output.len() as u64 > OUTPUT_MAX_BYTES {
        return Err(failed(&format!("gave more than {OUTPUT_MAX_BYTES} bytes")));
    }
    if !status.success() {
        return Err(
            failed(&format!("failed: {status}")).hint("what it said about that, if anything, is above; run it by hand to see more")
        );
    }
    ExecCredential::parse(&output, plugin.version).map_err(|error| failed("gave an answer that is no credential").because(error))
}

fn spawn(plugin: &ExecPlugin, interactive: bool) -> io::Result<Child> {
    Command::new(&plugin.path)
        .args(&plugin.arguments)
        .envs(plugin.environment.iter().map(|(name, value)| (name, value)))
        .env(EXEC_INFO, plugin.info(interactive))
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Reads the answer to its end, shows what the plugin says meanwhile, and waits for its own end. What it leaves running in the
/// background is not waited for, unless that still holds the answer's pipe.
async fn finish(child: &mut Child, shown: &str) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let answer = async {
        let mut output = Vec::new();
        // One byte more than is accepted tells that there is more; the pipe is closed then.
        stdout.take(OUTPUT_MAX_BYTES + 1).read_to_end(&mut output).await?;
        Ok((child.wait().await?, output))
    };
    let mut words = Words::new(shown);
    let (mut answer, mut listening) = (pin!(answer), pin!(words.pass_on(stderr)));
    tokio::select! {
        done = &mut answer => {
            // Its last words are in the pipe.
            let _ = timeout(PROMPT_AFTER, listening).await;
            done
        }
        () = &mut listening => answer.await,
    }
}

/// What a plugin says on standard error: for a person, by way of the log, and escaped.
struct Words<'a> {
    shown: &'a str,
    line: Vec<u8>,
    bytes: usize,
}

impl<'a> Words<'a> {
    fn new(shown: &'a str) -> Self {
        Self { shown, line: Vec::new(), bytes: 0 }
    }

    async fn pass_on(&mut self, mut from: ChildStderr) {
        while self.read(&mut from).await {}
        self.end_line();
    }

    async fn read(&mut self, from: &mut (impl AsyncRead + Unpin)) -> bool {
        let mut piece = [0; 1024];
        let length = match timeout(PROMPT_AFTER, from.read(&mut piece)).await {
            Ok(Ok(0) | Err(_)) => return false,
            Ok(Ok(length)) => length,
            Err(_) => {
                self.end_line();
                return true;
            }
        };
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes <= WORDS_MAX_BYTES {
            for byte in &piece[..length] {
                match byte {
                    b'\n' => self.end_line(),
                    byte => self.line.push(*byte),
                }
            }
        }
        true
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        if !text.is_empty() {
            let mut visible = String::new();
            push_visible(&mut visible, &text);
            tracing::warn!("{}: {visible}", self.shown);
        }
    }
}

/// What was said last is shown, too, when the plugin has ended before it was read to its end.
impl Drop for Words<'_> {
    fn drop(&mut self) {
        self.end_line();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::{ExecInput, ExecVersion};

    /// A plugin, and the file that it adds a line to each time that it is run.
    fn plugin(folder: &std::path::Path, script: &str) -> (Exec, std::path::PathBuf) {
        let (path, runs) = (folder.join("plugin"), folder.join("runs"));
        fs::write(&path, format!("#!/bin/sh\necho >>'{}'\n{script}\n", runs.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let plugin = ExecPlugin {
            command: "plugin".into(),
            path,
            arguments: Vec::new(),
            environment: Vec::new(),
            version: ExecVersion::V1,
            input: ExecInput::Never,
            cluster: None,
        };
        (Exec::new(Arc::new(plugin)), runs)
    }

    fn count(runs: &std::path::Path) -> usize {
        fs::read_to_string(runs).map_or(0, |text| text.lines().count())
    }

    #[tokio::test]
    async fn who_waited_for_a_failure_runs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (exec, runs) = plugin(folder.path(), "sleep 0.2; exit 1");
        let (a, b, c) = tokio::join!(exec.get(), exec.get(), exec.get());
        assert!(a.is_err() && b.is_err() && c.is_err());
        assert_eq!(count(&runs), 1);
    }

    #[tokio::test]
    async fn a_credential_that_has_ended_already_is_not_renewed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let answer = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t","expirationTimestamp":"2026-01-01T00:00:00Z"}}"#;
        let (exec, runs) = plugin(folder.path(), &format!("echo '{answer}'"));
        let first = exec.get().await.unwrap();
        assert!(Arc::ptr_eq(&first, &exec.get().await.unwrap()));
        assert_eq!(count(&runs), 1);
        exec.last.lock().await.pause = Instant::now();
        assert!(!Arc::ptr_eq(&first, &exec.get().await.unwrap()));
        assert_eq!(count(&runs), 2);
    }
}
