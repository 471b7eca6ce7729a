//! Runs of a query within this process, and what they give.

use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use podlens::{Cell, CompileCache, Error, Grant, LogLine, PodSource, Query, Report, RunOptions, Runtime, RuntimeOptions};

use crate::projects;

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) rows: Vec<Vec<Cell>>,
    /// `success`, or the error with its causes.
    pub(crate) told: String,
    pub(crate) log: Vec<String>,
    pub(crate) report: Report,
}

/// Compiles and describes the component at `path`.
pub(crate) async fn load(path: &Path) -> Query {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        // As `podlens build` had it compiled, which checks what it built.
        let mut options = RuntimeOptions::default();
        options.cache = Some(CompileCache::open(&projects::cache()).expect("the target folder can be written"));
        options.source_lines = true;
        Runtime::with_options(options).expect("this machine runs WebAssembly")
    });
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    runtime.load(bytes).await.unwrap_or_else(|error| panic!("{}: {}", path.display(), told(&error)))
}

/// Runs `query` with every limit at its default.
pub(crate) async fn run(query: &Query, source: Arc<dyn PodSource>, grant: Grant, arguments: &[(&str, &str)]) -> Ran {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = log.clone();
    let mut options = RunOptions::default();
    options.grant = grant;
    options.arguments = query.description().arguments(arguments.iter().copied()).unwrap_or_else(|error| panic!("{error}"));
    options.log = Arc::new(move |line: LogLine| lines.lock().expect("no panic").push(format!("{:?}: {}", line.stream, line.text)));
    let mut run = query.run(source, options);
    let mut rows = Vec::new();
    while let Some(row) = run.next_row().await {
        rows.push(row.cells().to_vec());
    }
    let outcome = run.finish().await;
    let told = outcome.result.as_ref().map_or_else(told, |()| "success".to_owned());
    let log = log.lock().expect("no panic").clone();
    Ran { rows, told, log, report: outcome.report }
}

/// An error and its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
