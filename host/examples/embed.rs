//! A tool of its own that runs somebody's query over one namespace, under a tight budget, and prints rows as they come.
//!
//! ```text
//! cargo run --release --example embed -- target/wasm/wasm32-wasip2/guest/restarts.wasm shop min=3
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use podlens::{
    ApiServer, Client, Config, ConfigOptions, Description, Grant, Limit, Limits, LogLine, Namespace, Row, RunOptions, Runtime,
};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((component, rest)) = arguments.split_first() else {
        report("usage: embed COMPONENT [NAMESPACE [KEY=VALUE]...]");
        return ExitCode::from(2);
    };
    match answer(component, rest).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn answer(component: &str, rest: &[String]) -> Result<(), Failure> {
    // 1. The cluster, from a kubeconfig or from the service account of the pod around us.
    let client = Client::new(Config::infer(&ConfigOptions::default())?)?;
    let namespace = match rest.first() {
        Some(name) => Namespace::parse(name)?,
        None => client.namespace().clone(),
    };

    // 2. The query. One `Runtime` serves any number of them.
    let query = Runtime::new()?.load(std::fs::read(component)?).await?;

    // 3. What the run may see, what it may use, what it is told, and where its log goes.
    let mut options = RunOptions::default();
    options.grant = Grant::nothing().namespace(namespace);
    options.limits = Limits::default().with(Limit::CpuTime, 2_000).with(Limit::Memory, 64 << 20).with(Limit::Rows, 10_000);
    options.arguments = query.description().arguments(rest.iter().skip(1).filter_map(|pair| pair.split_once('=')))?;
    options.log = Arc::new(|line: LogLine| report(&format!("query: {}", line.text)));

    // 4. Rows as they come; then whether they are all.
    let mut run = query.run(Arc::new(ApiServer::new(client)), options);
    while let Some(row) = run.next_row().await {
        print(query.description(), &row);
    }
    let outcome = run.finish().await;
    for warning in &outcome.report.warnings {
        report(&format!("warning: {warning}"));
    }
    report(&format!(
        "{} rows from {} pods in {:?}, {} ms of processor time",
        outcome.report.used(Limit::Rows),
        outcome.report.used(Limit::Pods),
        outcome.report.elapsed,
        outcome.report.used(Limit::CpuTime),
    ));
    Ok(outcome.result?)
}

#[expect(clippy::print_stdout, reason = "the answer")]
fn print(description: &Description, row: &Row) {
    let cells = description.columns.iter().zip(row.cells()).map(|(column, cell)| format!("{}={cell:?}", column.name));
    println!("{}", cells.collect::<Vec<_>>().join(" "));
}

#[expect(clippy::print_stderr, reason = "words for people")]
fn report(text: &str) {
    eprintln!("{text}");
}
