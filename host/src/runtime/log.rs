//! What a guest prints: lines for the operator, bounded and made harmless. Never an answer, never data.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::limits::{Budget, Limit};
use crate::text::push_visible;

/// Longest line that is passed on, in bytes before escaping. A longer one is broken up.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes that one write may have: what WASI's own streams allow.
const WRITE_BYTES: usize = 64 << 10;
/// How many of the last lines on standard error are kept for the error of a query that traps: a panic's message and its place.
const LAST_WORDS_LINES: usize = 4;

/// Where log lines go.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// The sink where the embedder gives none.
pub(super) fn to_tracing() -> LogSink {
    Arc::new(|line| tracing::info!(target: "podlens::query", stream = ?line.stream, "{}", line.text))
}

/// One line that a query printed. Control characters in it are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Where it was printed.
    pub stream: LogStream,
    /// The line, without its end.
    pub text: String,
}

/// The stream of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// podlens itself: lines were dropped.
    Host,
}

/// The log of one run.
#[derive(Clone)]
pub(super) struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    budget: Arc<Budget>,
    sink: LogSink,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    last_words: Vec<String>,
    truncated: bool,
}

impl Log {
    pub(super) fn new(budget: Arc<Budget>, sink: LogSink) -> Self {
        Self { shared: Arc::new(Shared { budget, sink, inner: Mutex::default() }) }
    }

    pub(super) fn stdout(&self) -> impl StdoutStream + use<> {
        Stream { log: self.clone(), stream: LogStream::Stdout }
    }

    pub(super) fn stderr(&self) -> impl StdoutStream + use<> {
        Stream { log: self.clone(), stream: LogStream::Stderr }
    }

    /// Passes on what has no end of line yet.
    pub(super) fn finish(&self) {
        self.with(|inner| {
            for stream in [LogStream::Stdout, LogStream::Stderr] {
                let rest = std::mem::take(inner.partial(stream));
                if !rest.is_empty() {
                    self.pass_on(inner, stream, &rest);
                }
            }
        });
    }

    /// The last lines on standard error.
    pub(super) fn last_words(&self) -> Vec<String> {
        self.with(|inner| inner.last_words.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Never fails and never waits: a log must not change what a query does.
    fn write(&self, stream: LogStream, bytes: &[u8]) {
        self.with(|inner| {
            let taken = self.shared.budget.charge_up_to(Limit::LogBytes, bytes.len() as u64);
            let kept = &bytes[..usize::try_from(taken).unwrap_or(bytes.len()).min(bytes.len())];
            for piece in kept.split_inclusive(|byte| *byte == b'\n') {
                let mut line = std::mem::take(inner.partial(stream));
                line.extend_from_slice(piece);
                while line.last() == Some(&b'\n') || line.len() >= MAX_LINE_BYTES {
                    let end = line.len().min(MAX_LINE_BYTES);
                    let rest = line.split_off(end);
                    self.pass_on(inner, stream, line.strip_suffix(b"\n").unwrap_or(&line));
                    line = rest;
                }
                *inner.partial(stream) = line;
            }
            if kept.len() < bytes.len() && !inner.truncated {
                inner.truncated = true;
                let value = Limit::LogBytes.unit().show(self.shared.budget.limits().get(Limit::LogBytes));
                let text =
                    format!("log limit of {value} reached: the rest is dropped (raise it with `--{}`)", Limit::LogBytes.name());
                (self.shared.sink)(LogLine { stream: LogStream::Host, text });
            }
        });
    }

    fn pass_on(&self, inner: &mut Inner, stream: LogStream, line: &[u8]) {
        let text = harmless(line);
        // What Rust's runtime advises after a panic helps nobody here.
        if stream == LogStream::Stderr && !text.is_empty() && !text.starts_with("note: run with `RUST_BACKTRACE=1`") {
            if inner.last_words.len() == LAST_WORDS_LINES {
                inner.last_words.remove(0);
            }
            inner.last_words.push(text.clone());
        }
        (self.shared.sink)(LogLine { stream, text });
    }
}

impl Inner {
    fn partial(&mut self, stream: LogStream) -> &mut Vec<u8> {
        match stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr | LogStream::Host => &mut self.stderr,
        }
    }
}

/// The line with everything escaped that could move a cursor, colour a terminal or reverse a text; tabs become blanks.
fn harmless(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = String::with_capacity(line.len());
    push_visible(&mut text, &String::from_utf8_lossy(line).replace('\t', " "));
    text
}

struct Stream {
    log: Log,
    stream: LogStream,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    /// Not used by the interfaces that are linked; what is written here is dropped.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Stream { log: self.log.clone(), stream: self.stream })
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn lines(limit: u64, writes: &[(LogStream, &[u8])]) -> (Vec<(LogStream, String)>, Vec<String>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let budget = Arc::new(Budget::new(Limits::default().with(Limit::LogBytes, limit)));
        let log = Log::new(budget, Arc::new(move |line: LogLine| sink.lock().unwrap().push((line.stream, line.text))));
        for (stream, bytes) in writes {
            log.write(*stream, bytes);
        }
        log.finish();
        let seen = seen.lock().unwrap().clone();
        (seen, log.last_words())
    }

    #[test]
    fn lines_are_joined_by_stream_and_made_harmless() {
        use LogStream::{Stderr, Stdout};
        let (seen, last_words) = lines(
            1000,
            &[
                (Stdout, b"one\ntw"),
                (Stderr, b"\x1b[2J\x07\n"),
                (Stdout, b"o\r\nthree\tfour"),
                (Stderr, "\u{202e}abc \u{9b}31m \u{ff}".as_bytes()),
                (Stderr, b"\xff"),
            ],
        );
        assert_eq!(
            seen,
            [
                (Stdout, "one".to_owned()),
                (Stderr, "\\u{1b}[2J\\u{7}".to_owned()),
                (Stdout, "two".to_owned()),
                (Stdout, "three four".to_owned()),
                (Stderr, "\\u{202e}abc \\u{9b}31m ÿ\u{fffd}".to_owned()),
            ]
        );
        assert_eq!(last_words.len(), 2);
    }

    #[test]
    fn past_the_limit_the_rest_is_dropped_and_said_once() {
        let (seen, _) = lines(5, &[(LogStream::Stdout, b"abc\n"), (LogStream::Stdout, b"defgh"), (LogStream::Stderr, b"more\n")]);
        let texts: Vec<_> = seen.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["abc", "log limit of 5 reached: the rest is dropped (raise it with `--max-log-bytes`)", "d"]);
    }

    #[test]
    fn an_endless_line_is_broken_up() {
        let (seen, _) = lines(100_000, &[(LogStream::Stdout, &[b'x'; 10_000])]);
        assert_eq!(seen.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [4096, 4096, 1808]);
    }
}
