//! `podlens run`: a query, the pods it may see, its answer.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{GrantArgs, RunArgs};
use super::exit::{self, Failure};
use super::output::progress::{Progress, ProgressHandle};
use super::output::{Format, Printer, PrinterOptions};
use super::{component, connect, report};
use crate::kube::Namespace;
use crate::limits::Limit;
use crate::query::{Argument, ArgumentError};
use crate::runtime::{LogLine, LogStream, Run, RunOptions};
use crate::source::{ApiServer, PodSource};
use crate::{Grant, Query};

/// Bytes that are collected before they are written to a file or a pipe.
const OUTPUT_BUFFER_BYTES: usize = 64 << 10;
/// How often the count of pods is brought up to date.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let query = component::load(&args.component).await?;
    let arguments = arguments(&query, &args.parameters)?;
    let stdout = io::stdout();
    let printer_options = PrinterOptions { headers: !args.no_headers, now: Timestamp::now(), terminal: stdout.is_terminal() };
    let output: Box<dyn Write> = match printer_options.terminal {
        true => Box::new(stdout),
        false => Box::new(BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, stdout)),
    };
    let printer = Printer::new(args.output, query.description(), printer_options, output)
        .map_err(|error| Failure::usage(error, "choose another format with `-o`"))?;

    let client = connect::connect(args.connect)?;
    let progress = Progress::start();
    let options = RunOptions {
        grant: grant(args.grant, client.namespace()),
        limits: args.limits.0,
        arguments,
        log: Arc::new(log(progress.handle())),
    };
    let run = query.run(Arc::new(ApiServer::new(client)) as Arc<dyn PodSource>, options);
    print(run, printer, args.output, &progress.handle()).await
}

/// The flags are the grant.
fn grant(args: GrantArgs, default: &Namespace) -> Grant {
    let mut grant = match (args.all_namespaces, args.namespaces.is_empty()) {
        (true, _) => Grant::all_namespaces(),
        (false, true) => Grant::nothing().namespace(default.clone()),
        (false, false) => args.namespaces.into_iter().fold(Grant::nothing(), Grant::namespace),
    };
    if args.whole_objects {
        grant = grant.whole_objects();
    }
    grant.labels(&args.labels).fields(&args.fields)
}

fn arguments(query: &Query, given: &[String]) -> Result<Vec<Argument>, Failure> {
    let wrong = |error: ArgumentError| Failure::usage(error, "give parameters as `-p key=value`");
    let pairs = given.iter().map(|text| Argument::split(text)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    query.description().arguments(pairs).map_err(wrong)
}

fn log(progress: ProgressHandle) -> impl Fn(LogLine) + Send + Sync {
    move |line| {
        let text = match line.stream {
            LogStream::Stdout | LogStream::Stderr => format!("query: {}", line.text),
            LogStream::Host => format!("warning: {}", line.text),
        };
        progress.suspend(|| report::say(&text));
    }
}

/// Prints rows as they come, and then how the run ended.
async fn print(
    mut run: Run,
    mut printer: Printer<impl Write>,
    format: Format,
    progress: &ProgressHandle,
) -> Result<ExitCode, Failure> {
    let mut rows = 0_u64;
    let mut pods = 0;
    let mut printed = Ok(());
    let mut look = tokio::time::interval(PROGRESS_INTERVAL);
    while printed.is_ok() {
        tokio::select! {
            row = run.next_row() => match row {
                Some(row) => {
                    rows += 1;
                    printed = progress.suspend(|| printer.row(&row));
                }
                None => break,
            },
            // A query that answers only at its end shows that it reads.
            _ = look.tick() => {
                let read = run.used(Limit::Pods);
                progress.add_pods(read - pods);
                pods = read;
            }
        }
    }
    if printed.is_err() {
        // Nobody reads on: the run ends here.
        return exit::unless_broken_pipe(printed);
    }
    let outcome = run.finish().await;
    // A query may answer although a list broke off. Its answer is printed, and not passed off as whole.
    let result = outcome.result.and(match outcome.report.incomplete {
        Some(error) => Err(error.told_as("the query answered although a list ended early")),
        None => Ok(()),
    });
    let printed = exit::unless_broken_pipe(progress.suspend(|| printer.finish(result.is_ok())));
    for warning in &outcome.report.warnings {
        progress.suspend(|| report::say(&format!("warning: {warning}")));
    }
    match result {
        Err(error) => {
            if rows > 0 {
                progress.suspend(|| report::say("warning: the answer is not complete"));
            }
            Err(error.into())
        }
        Ok(()) => {
            if rows == 0 && matches!(format, Format::Table | Format::Wide | Format::Name) {
                report::say("No rows found.");
            }
            printed
        }
    }
}
