//! `podlens run`: a query, the pods it may see, its answer.
//!
//! `target.rs` finds the pods, `answer.rs` prints what a run says of them, `several.rs` makes one answer of several runs, `watch.rs` asks
//! again when pods change, and `record.rs` keeps what was read.

mod answer;
mod record;
mod several;
mod target;
mod watch;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::connect::{HEADING, ReachArgs};
use super::exit::{self, Failure};
use super::grant_args::GrantArgs;
use super::limit_args::LimitArgs;
use super::pods_from::PodsFromArgs;
use super::{component, report, stats};
use crate::Query;
use crate::error::{Error, Kind};
use crate::limits::Limits;
use crate::output::progress::{Progress, ProgressHandle};
use crate::output::style::Style;
use crate::output::{Format, FormatParser, Printer, PrinterOptions, SortBy};
use crate::query::{Argument, ArgumentError, Description};
use crate::runtime::{LogLine, LogSink, LogStream, Report, Run, RunOptions};
use crate::source::PodSource;
use answer::{Answer, Whole};
pub(super) use answer::{collect, meaning};
use record::{RecordArgs, Recording};
use target::{Asked, Target};

/// Bytes that are collected before they are written to a file or a pipe.
const OUTPUT_BUFFER_BYTES: usize = 64 << 10;

/// What to do about a parameter that is wrong.
pub(super) const PARAMETERS_HINT: &str = "give parameters as `-p key=value`";

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// A component's file, or the name of a query that comes with podlens; `podlens inspect` lists those
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// A parameter of the query; may be given several times
    #[arg(short = 'p', long = "param", value_name = "KEY=VALUE")]
    parameters: Vec<String>,

    /// How to print the answer
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table", value_parser = FormatParser)]
    output: Format,

    /// The column to sort the rows by, such as `.restarts`; those without a value first
    #[arg(long, value_name = "COLUMN")]
    sort_by: Option<SortBy>,

    /// Answer again whenever pods change, until Ctrl-C; with `-o jsonl` a line for each row that comes or goes
    #[arg(short = 'w', long)]
    watch: bool,

    /// Print no line of headers
    #[arg(long)]
    no_headers: bool,

    /// After the answer, tell on standard error what the run took: time, memory, calls, pods, rows
    #[arg(long, conflicts_with = "watch")]
    stats: bool,

    /// The kubeconfig's context to use; may be given several times, for an answer with a column `cluster` [default: its
    /// current-context]
    #[arg(long = "context", value_name = "NAME", help_heading = HEADING)]
    contexts: Vec<String>,

    #[command(flatten)]
    reach: ReachArgs,

    // Last, since each begins a section of the help.
    #[command(flatten)]
    grant: GrantArgs,

    #[command(flatten)]
    from: PodsFromArgs,

    #[command(flatten)]
    record: RecordArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) async fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let asked = Asked { contexts: &args.contexts, reach: &args.reach, from: &args.from, grant: &args.grant };
    check(&args)?;
    let clients = asked.clients();
    let query = component::load(&args.component).await?;
    let arguments = arguments(&query, &args.parameters)?;
    let mut description = query.description().clone();
    description.columns.splice(..0, asked.columns(&query.description().columns));
    // Before anything is asked for: a format that cannot show the answer is told at once.
    printer(&args, &description, SystemTime::now(), io::sink())?;

    let targets = asked.targets(clients, &query.description().columns).await?;
    if args.record.is_given() && targets.len() > 1 {
        let message = "one recording is of one run, and this answer takes several";
        return Err(wrong(message, "record each with one `--context` and one `-n` of its own"));
    }
    if args.watch {
        return watch::watch(&args, &query, &arguments, &description, targets).await;
    }
    let progress = Progress::start();
    let now = targets.iter().find_map(|target| target.now);
    let job = Job {
        query: &query,
        arguments: &arguments,
        limits: &args.limits.0,
        log: Arc::new(log(progress.handle())),
        // Pods of an earlier moment are shown as of then; and what is recorded is to be had again.
        now: now.or_else(|| args.record.is_given().then(whole_seconds)),
        stats: args.stats,
    };
    let stdout = io::stdout();
    let output: Box<dyn Write> = match stdout.is_terminal() {
        true => Box::new(stdout),
        false => Box::new(BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, stdout)),
    };
    let printer = printer(&args, &description, job.now.unwrap_or_else(SystemTime::now), output)?;
    let answer = Answer { printer, format: args.output.clone(), progress: progress.handle(), rows: 0, took: Vec::new() };
    match <[Target; 1]>::try_from(targets) {
        Ok([target]) => one(&job, &args.record, target, &description, answer).await,
        Err(targets) => several::answer(&job, &targets, &description.columns, answer).await,
    }
}

/// This moment, as a recording keeps it.
fn whole_seconds() -> SystemTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs())
}

/// Flags that ask for what there is not.
fn wrong(message: &str, hint: &str) -> Failure {
    Failure::usage(Error::new(Kind::InvalidArgument, message), hint)
}

/// Flags that mean nothing together.
fn check(args: &RunArgs) -> Result<(), Failure> {
    if args.from.are_given() && !args.contexts.is_empty() {
        return Err(wrong(
            "`--context` names a cluster, and the pods come from elsewhere",
            "give `--context`, or `--from` or `--replay`",
        ));
    }
    if args.watch && (args.from.are_given() || args.record.is_given()) {
        return Err(wrong(
            "`--watch` follows a cluster, and records nothing",
            "leave out `--watch`, or `--from`, `--replay` and `--record`",
        ));
    }
    if args.watch && !watch::can_show(&args.output) {
        return Err(wrong(
            "this format is not for `--watch`",
            "with `--watch`, print `table`, `wide`, `name`, `jsonl`, `json` or `yaml`",
        ));
    }
    Ok(())
}

fn printer<W: Write>(args: &RunArgs, description: &Description, now: SystemTime, out: W) -> Result<Printer<W>, Failure> {
    let options = PrinterOptions {
        headers: !args.no_headers,
        now: Timestamp::try_from(now).unwrap_or_default(),
        terminal: io::stdout().is_terminal(),
        style: Style::of_stdout(),
        sort_by: args.sort_by.clone(),
        links: Vec::new(),
    };
    Printer::new(args.output.clone(), description, &options, out).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error, hint)
    })
}

fn arguments(query: &Query, given: &[String]) -> Result<Vec<Argument>, Failure> {
    let wrong = |error: ArgumentError| Failure::usage(error, PARAMETERS_HINT);
    let pairs = given.iter().map(|text| Argument::split(text)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    query.description().arguments(pairs).map_err(wrong)
}

/// What is the same for all runs of one command.
struct Job<'a> {
    query: &'a Query,
    arguments: &'a [Argument],
    limits: &'a Limits,
    /// Where the query's log goes.
    log: LogSink,
    /// What the query's clock shows; `None` for the machine's time.
    now: Option<SystemTime>,
    /// Whether to tell what each run took.
    stats: bool,
}

impl Job<'_> {
    /// The lines that tell what a run took, if they are asked for.
    fn took(&self, report: &Report) -> Vec<String> {
        if self.stats { stats::lines(report, self.query.compilation()) } else { Vec::new() }
    }

    /// Starts a run over a target's pods, read from `source`.
    fn start(&self, source: Arc<dyn PodSource>, target: &Target) -> Run {
        let options = RunOptions {
            grant: target.grant.clone(),
            limits: self.limits.clone(),
            arguments: self.arguments.to_vec(),
            log: self.log.clone(),
            now: self.now,
        };
        self.query.run(source, options)
    }
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

/// Prints the rows of the one run as they come.
async fn one(
    job: &Job<'_>,
    record: &RecordArgs,
    target: Target,
    description: &Description,
    mut answer: Answer<impl Write>,
) -> Result<ExitCode, Failure> {
    let source = target.source.clone()?;
    let recording = match job.now {
        Some(now) => record.start(&source, &target.grant, now, job.query)?,
        None => None,
    };
    let source = recording.as_ref().map_or(source, |recording| recording.source());
    let run = job.start(source, &target);
    let printed = answer.print(run, &target.cells, &description.columns).await;
    let recorded = recording.map_or(Ok(()), Recording::write);
    let outcome = match printed {
        Ok(outcome) => outcome,
        // Nobody reads on: the run has ended there.
        Err(error) => return exit::unless_broken_pipe(Err(error)),
    };
    answer.took.extend(job.took(&outcome.report));
    let result = answer::judge(outcome, &answer.progress).map(|whole| if target.is_whole { whole } else { Whole::No });
    // The answer comes first: it is there, whatever became of the file.
    let code = answer.end(result)?;
    recorded?;
    Ok(code)
}
