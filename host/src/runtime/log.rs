//! What a guest prints: lines for the operator, bounded and made harmless. Never an answer, never data.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::limits::{Budget, Limit};
use crate::text::push_visible;

/// Longest line that is passed on, in bytes before escaping. A longer one is broken up.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes that one write may have: what WASI's own streams allow.
const WRITE_BYTES: usize = 64 << 10;
/// How long a line on standard error is held back: it may be the message of a panic, which the error tells, and only the error. Arbitrary;
/// between a message and its trap lie some microseconds of a guest, and whatever the machine does meanwhile.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(500);
/// Between two looks at what was held back long enough.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Most lines that are held back. Arbitrary; a Python traceback through a few functions.
const LAST_WORDS_LINES: usize = 32;

/// What language runtimes add to a message and helps nobody here.
const NOISE: &[&str] = &["note: run with `RUST_BACKTRACE=1`", "Redirecting call to abort()"];

/// Where log lines go. Those on standard error come up to half a second late: they may be a panic's message, which the error tells.
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
    /// Lines on standard error that are held back, each with when it came.
    held: VecDeque<(Instant, String)>,
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

    /// Passes on what has no end of line yet, and what is held back.
    pub(super) fn finish(&self) {
        self.with(|inner| {
            self.end_lines(inner);
            self.release(inner, usize::MAX);
        });
    }

    /// Takes the message that the guest left as it ended, without the lines before it. It is then no line of the log.
    pub(super) fn take_last_words(&self) -> Vec<String> {
        self.with(|inner| {
            self.end_lines(inner);
            let begin = beginning_of_message(&inner.held);
            // An empty line sets the message off.
            let before = inner.held.iter().take(begin).rposition(|(_, text)| !text.is_empty()).map_or(0, |last| last + 1);
            self.release(inner, before);
            let words = inner.held.drain(..).map(|(_, text)| text);
            words.filter(|text| !text.is_empty() && !NOISE.iter().any(|noise| text.starts_with(noise))).collect()
        })
    }

    /// Passes on lines that were held back long enough, until dropped.
    pub(super) async fn release_in_time(&self) -> Infallible {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            looks.tick().await;
            self.with(|inner| {
                let is_old = |held: &&(Instant, String)| held.0.elapsed() >= LAST_WORDS_WAIT;
                let old = inner.held.iter().take_while(is_old).count();
                self.release(inner, old);
            });
        }
    }

    fn end_lines(&self, inner: &mut Inner) {
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            let rest = std::mem::take(inner.partial(stream));
            if !rest.is_empty() {
                self.pass_on(inner, stream, &rest);
            }
        }
    }

    /// Passes on at most this many of the lines that are held back.
    fn release(&self, inner: &mut Inner, lines: usize) {
        for (_, text) in inner.held.drain(..lines.min(inner.held.len())) {
            (self.shared.sink)(LogLine { stream: LogStream::Stderr, text });
        }
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
                self.release(inner, usize::MAX);
                let value = Limit::LogBytes.unit().show(self.shared.budget.limits().get(Limit::LogBytes));
                let text =
                    format!("log limit of {value} reached: the rest is dropped (raise it with `--{}`)", Limit::LogBytes.name());
                (self.shared.sink)(LogLine { stream: LogStream::Host, text });
            }
        });
    }

    fn pass_on(&self, inner: &mut Inner, stream: LogStream, line: &[u8]) {
        let text = harmless(line);
        if stream == LogStream::Stderr {
            let too_many = (inner.held.len() + 1).saturating_sub(LAST_WORDS_LINES);
            self.release(inner, too_many);
            return inner.held.push_back((Instant::now(), text));
        }
        // Lines stay in their order.
        self.release(inner, usize::MAX);
        (self.shared.sink)(LogLine { stream, text });
    }
}

/// Where the message of a panic or of an exception that nobody caught begins, by how the runtimes of languages write it.
fn beginning_of_message(lines: &VecDeque<(Instant, String)>) -> usize {
    let last = |is: fn(&str) -> bool| lines.iter().rposition(|(_, text)| is(text));
    let rust = last(|text| text.starts_with("thread '") && text.contains("panicked at "));
    let python = last(|text| text == "Traceback (most recent call last):");
    let go = last(|text| text.starts_with("panic: ") || text.starts_with("fatal error: "));
    // JavaScript: the message, then the stack.
    let javascript = last(|text| text == "Stack:").map(|stack| stack.saturating_sub(1));
    rust.or(python).or(go).or(javascript).unwrap_or(0)
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

    fn lines(limit: u64, writes: &[(LogStream, &[u8])], trapped: bool) -> (Vec<(LogStream, String)>, Vec<String>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let budget = Arc::new(Budget::new(Limits::default().with(Limit::LogBytes, limit)));
        let log = Log::new(budget, Arc::new(move |line: LogLine| sink.lock().unwrap().push((line.stream, line.text))));
        for (stream, bytes) in writes {
            log.write(*stream, bytes);
        }
        let last_words = if trapped { log.take_last_words() } else { Vec::new() };
        log.finish();
        let seen = seen.lock().unwrap().clone();
        (seen, last_words)
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
            false,
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
        assert_eq!(last_words, [""; 0]);
    }

    #[test]
    fn past_the_limit_the_rest_is_dropped_and_said_once() {
        let (seen, _) =
            lines(5, &[(LogStream::Stdout, b"abc\n"), (LogStream::Stdout, b"defgh"), (LogStream::Stderr, b"more\n")], false);
        let texts: Vec<_> = seen.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["abc", "log limit of 5 reached: the rest is dropped (raise it with `--max-log-bytes`)", "d"]);
    }

    #[test]
    fn an_endless_line_is_broken_up() {
        let (seen, _) = lines(100_000, &[(LogStream::Stdout, &[b'x'; 10_000])], false);
        assert_eq!(seen.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [4096, 4096, 1808]);
    }

    #[test]
    fn a_message_is_told_from_the_lines_before_it() {
        use LogStream::{Stderr, Stdout};
        let rust: &[u8] =
            b"\nthread 'main' (1) panicked at src/lib.rs:1:2:\nits words\nnote: run with `RUST_BACKTRACE=1` environment\n";
        let python: &[u8] = b"Traceback (most recent call last):\n  File \"app.py\", line 3, in run\nValueError: bad\n";
        let javascript: &[u8] = b"Error: bad\nStack:\n  run@query.js:1:2\n\nRedirecting call to abort() to mozalloc_abort\n";
        for (message, before, words) in [
            (rust, vec!["one"], vec!["thread 'main' (1) panicked at src/lib.rs:1:2:", "its words"]),
            (
                python,
                vec!["one"],
                vec!["Traceback (most recent call last):", "  File \"app.py\", line 3, in run", "ValueError: bad"],
            ),
            (javascript, vec!["one"], vec!["Error: bad", "Stack:", "  run@query.js:1:2"]),
            (b"unknown\nwords", vec![], vec!["one", "unknown", "words"]),
        ] {
            let (seen, last_words) = lines(1000, &[(Stdout, b"out\n"), (Stderr, b"one\n"), (Stderr, message)], true);
            let seen: Vec<_> = seen.into_iter().map(|(_, text)| text).collect();
            assert_eq!(
                (seen, last_words),
                (
                    [vec!["out"], before].concat().into_iter().map(str::to_owned).collect(),
                    words.into_iter().map(str::to_owned).collect()
                )
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_not_held_back_for_long() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let log =
            Log::new(Arc::new(Budget::new(Limits::default())), Arc::new(move |line: LogLine| sink.lock().unwrap().push(line.text)));
        log.write(LogStream::Stderr, b"one\n");
        tokio::time::timeout(LAST_WORDS_WAIT - LOOK_INTERVAL, log.release_in_time()).await.unwrap_err();
        assert!(seen.lock().unwrap().is_empty());
        tokio::time::timeout(LAST_WORDS_WAIT, log.release_in_time()).await.unwrap_err();
        assert_eq!(*seen.lock().unwrap(), ["one"]);
        assert_eq!(log.take_last_words(), [""; 0]);
    }
}
