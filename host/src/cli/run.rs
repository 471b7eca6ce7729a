//! `podlens run`: a query, the pods it may see, its answer.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::connect::ConnectArgs;
use super::exit::{self, Failure};
use super::grant_args::GrantArgs;
use super::limit_args::LimitArgs;
use super::output::progress::{Progress, ProgressHandle};
use super::output::{Format, Printer, PrinterOptions};
use super::{component, connect, report};
use crate::Query;
use crate::error::Error;
use crate::limits::Limit;
use crate::query::{Argument, ArgumentError};
use crate::runtime::{LogLine, LogStream, Outcome, Run, RunOptions};
use crate::source::{ApiServer, PodSource};

/// Bytes that are collected before they are written to a file or a pipe.
const OUTPUT_BUFFER_BYTES: usize = 64 << 10;
/// What to do about a parameter that is wrong.
pub(super) const PARAMETERS_HINT: &str = "give parameters as `-p key=value`";
/// How often the count of pods is brought up to date.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// A component's file, or the name of a query that comes with podlens
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// A parameter of the query; may be given several times
    #[arg(short = 'p', long = "param", value_name = "KEY=VALUE")]
    parameters: Vec<String>,

    /// How to print the answer
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,

    /// Print no line of headers
    #[arg(long)]
    no_headers: bool,

    #[command(flatten)]
    connect: ConnectArgs,

    // Last, since each begins a section of the help.
    #[command(flatten)]
    grant: GrantArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

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
    // A credential plugin may have to ask a person, who takes longer than a run may.
    client.authenticate().await?;
    let progress = Progress::start();
    let options = RunOptions {
        grant: args.grant.grant(client.namespace()),
        limits: args.limits.0,
        arguments,
        log: Arc::new(log(progress.handle())),
        now: None,
    };
    let run = query.run(Arc::new(ApiServer::new(client)) as Arc<dyn PodSource>, options);
    print(run, printer, args.output, &progress.handle()).await
}

fn arguments(query: &Query, given: &[String]) -> Result<Vec<Argument>, Failure> {
    let wrong = |error: ArgumentError| Failure::usage(error, PARAMETERS_HINT);
    let pairs = given.iter().map(|text| Argument::split(text)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    query.description().arguments(pairs).map_err(wrong)
}

fn log(progress: ProgressHandle) -> impl Fn(LogLine) + Send + Sync {
    move |line| progress.suspend(|| report::say(&shown(&line)))
}

/// A line of a query's log, for a person.
pub(super) fn shown(line: &LogLine) -> String {
    match line.stream {
        LogStream::Stdout | LogStream::Stderr => format!("query: {}", line.text),
        LogStream::Host => format!("warning: {}", line.text),
    }
}

/// Whether a run has answered, with all that it was to see. A query may answer although a list broke off. Its answer is not passed off
/// as whole.
pub(super) fn whole(outcome: &Outcome) -> Result<(), Error> {
    outcome.result.clone()?;
    match &outcome.report.incomplete {
        Some(error) => Err(error.clone().told_as("the query answered although a list ended early")),
        None => Ok(()),
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
    let result = whole(&outcome);
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
