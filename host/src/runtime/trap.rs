//! How a guest was stopped by the engine: what it said last, why, and where it was.
//!
//! Guests choose the names of their functions and what they say, so all of it is made fit to be shown here.

use std::fmt;

use wasmtime::{FrameInfo, WasmBacktrace};

use crate::text::visible_at_most;

/// Most frames that are kept. Arbitrary; the innermost ones, which tell most.
const MAX_FRAMES: usize = 12;
/// Longest name of a function or file, in characters. Arbitrary: Rust's generics make names of some hundred.
const MAX_NAME_CHARACTERS: usize = 160;

/// How the names of functions begin that Rust's runtime calls once a panic has begun, and of those that begin one.
const PANIC_MACHINERY: &[&str] = &[
    "__rustc::",
    "__rust_",
    "rust_begin_unwind",
    "rust_panic",
    "abort",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::index::",
    "core::str::slice_error_fail",
    "std::alloc::",
    "std::panicking::",
    "std::process::",
    "std::sys::",
    "std::sys_common::",
];

/// The cause of an error: the engine stopped the query, because it panicked or did what WebAssembly does not allow.
///
/// Its `Display` has a line for each thing that is known. To find it, walk an error's sources: [`Trap::of`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// What the query said last on standard error: the message of a panic, or of an exception that nobody caught. Empty where it said
    /// nothing, or where the trap is of another kind. Not among the lines of the run's log.
    pub message: Vec<String>,
    /// What the engine says, such as `wasm trap: out of bounds memory access`.
    pub reason: String,
    /// Where the query was, the innermost function first, without those of a panic's own machinery.
    pub frames: Vec<Frame>,
    /// How many functions of a panic's own machinery are left out.
    pub machinery_frames: usize,
}

/// A function that a query was in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its name, demangled where it is Rust's; `None` where the component has no names.
    pub function: Option<String>,
    /// Its number in its module.
    pub index: u32,
    /// The name of its module.
    pub module: Option<String>,
    /// The file and line, where the component has debug information and [`RuntimeOptions`](crate::RuntimeOptions) asks for it.
    pub source: Option<String>,
}

impl Trap {
    pub(super) fn new(trap: &wasmtime::Error, message: Vec<String>) -> Self {
        let mut message: Vec<_> = message.iter().map(|line| shown(line)).collect();
        if let Some(first) = message.first_mut()
            && let Some(panicked) = first.find("panicked at ").filter(|_| first.starts_with("thread '"))
        {
            // A query has but one thread.
            first.drain(..panicked);
        }
        let mut frames: Vec<_> = trap.downcast_ref::<WasmBacktrace>().into_iter().flat_map(frames).collect();
        let machinery_frames = match trap.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::UnreachableCodeReached) => frames.iter().take_while(|frame| frame.is_machinery()).count(),
            _ => 0,
        };
        frames.drain(..machinery_frames);
        frames.truncate(MAX_FRAMES);
        Self { message, reason: shown(&trap.root_cause().to_string()), frames, machinery_frames }
    }

    /// The trap that led to `error`, if one did.
    pub fn of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_slice() {
            [] => f.write_str(&self.reason)?,
            lines => f.write_str(&lines.join("\n"))?,
        }
        self.frames.iter().try_for_each(|frame| write!(f, "\nat {frame}"))
    }
}

impl std::error::Error for Trap {}

impl Frame {
    fn is_machinery(&self) -> bool {
        self.function.as_ref().is_some_and(|name| PANIC_MACHINERY.iter().any(|start| name.starts_with(start)))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, &self.module) {
            (Some(name), _) => f.write_str(name)?,
            (None, Some(module)) => write!(f, "function {} of {module}", self.index)?,
            (None, None) => write!(f, "function {}", self.index)?,
        }
        self.source.iter().try_for_each(|source| write!(f, " ({source})"))
    }
}

fn frames(backtrace: &WasmBacktrace) -> impl Iterator<Item = Frame> {
    backtrace.frames().iter().flat_map(of_frame)
}

/// The function, and those that the compiler made part of it.
fn of_frame(frame: &FrameInfo) -> Vec<Frame> {
    let plain = |name: Option<&str>, source: Option<String>| Frame {
        function: name.or(frame.func_name()).map(demangled),
        index: frame.func_index(),
        module: frame.module().name().map(short),
        source,
    };
    if frame.symbols().is_empty() {
        return vec![plain(None, None)];
    }
    let symbols = frame.symbols().iter().map(|symbol| {
        let place = [symbol.line(), symbol.column()].into_iter().map_while(|number| number);
        let source = symbol.file().map(|file| place.fold(short(file), |text, number| format!("{text}:{number}")));
        plain(symbol.name(), source)
    });
    symbols.collect()
}

fn demangled(name: &str) -> String {
    match rustc_demangle::try_demangle(name) {
        // Without the hash at its end.
        Ok(demangled) => short(&format!("{demangled:#}")),
        Err(_) => short(name),
    }
}

fn short(text: &str) -> String {
    visible_at_most(text, MAX_NAME_CHARACTERS)
}

/// A guest's text, made harmless and at most this long.
pub(super) fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 1000;
    visible_at_most(text, MAX_CHARS)
}
