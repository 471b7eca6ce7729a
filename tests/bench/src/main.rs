//! The benchmark's command line. What it does is in the library.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Compares podlens with what one would use instead, side by side on a real API server.
#[derive(Debug, Parser)]
#[command(name = "podlens-bench", bin_name = "tests/bench/run", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    bench: Bench,
}

#[derive(Debug, Args)]
struct Bench {
    /// How often every competitor runs; slow ones run twice from 10,000 pods on.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The sizes: numbers of pods [default: 10,500,10000].
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pods: Vec<u32>,
    /// Adds 50,000 pods; takes ten minutes or so more.
    #[arg(long)]
    large: bool,
    /// Only these competitors, by name or by the beginning of it, such as `podlens,kubectl-get`.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Lets slow competitors run with more than 10,000 pods too.
    #[arg(long)]
    all: bool,
    /// Fails where a competitor cannot take part, for want of its tools.
    #[arg(long)]
    strict: bool,
    /// Where to write latest.json and latest.md [default: tests/bench/results for all sizes and competitors, else target/bench/results].
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the table of the README, of the results in tests/bench/results.
    Readme,
    /// Puts `podlens serve` under load, and writes serve.json and serve.md; takes ten minutes or so.
    Serve(Serve),
    /// Runs a command, and writes to a file what it took: one measurement of the benchmark.
    #[command(hide = true)]
    Measure {
        report: PathBuf,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Only these parts: a throughput, b fairness, c memory, d the cache, e restarts of the API server, f ends of the server.
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = ["a", "b", "c", "d", "e", "f"])]
    only: Vec<String>,
    /// Components that are loaded in part c; each is compiled first.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=1000))]
    components: u16,
    /// Pods of part d.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(100..))]
    pods: u16,
    /// Restarts of part e.
    #[arg(long, value_name = "N", default_value_t = 20)]
    restarts: u16,
    /// Ends of part f.
    #[arg(long, value_name = "N", default_value_t = 200)]
    ends: u16,
    /// Where to write serve.json and serve.md [default: tests/bench/results for all parts, else target/bench/results].
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

/// The sizes, but for the large one.
const SIZES: [u32; 3] = [10, 500, 10_000];

/// The large one.
const LARGE: u32 = 50_000;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        None => arguments.bench.run(),
        Some(Command::Readme) => readme(),
        Some(Command::Serve(serve)) => serve.run(),
        Some(Command::Measure { report, command }) => podlens_bench::measure(report, command),
    };
    done.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}

impl Bench {
    fn run(&self) -> podlens_bench::Result<ExitCode> {
        let text = podlens_bench::run(&self.options()?, &say)?;
        print(&text);
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> podlens_bench::Result<podlens_bench::Options> {
        let mut pods = if self.pods.is_empty() { SIZES.to_vec() } else { self.pods.clone() };
        pods.extend(self.large.then_some(LARGE));
        pods.sort_unstable();
        pods.dedup();
        // A part must not replace the whole.
        let results = match &self.results {
            Some(results) => results.clone(),
            None if self.pods.is_empty() && self.only.is_empty() => results(),
            None => target()?.join("bench/results"),
        };
        Ok(podlens_bench::Options {
            rounds: self.rounds.into(),
            pods: pods.into_iter().map(|pods| usize::try_from(pods).expect("at most 100,000")).collect(),
            only: self.only.clone(),
            all: self.all,
            strict: self.strict,
            results,
        })
    }
}

impl Serve {
    fn run(&self) -> podlens_bench::Result<ExitCode> {
        let results = match &self.results {
            Some(results) => results.clone(),
            None if self.only.is_empty() => results(),
            None => target()?.join("bench/results"),
        };
        let options = podlens_bench::ServeOptions {
            only: self.only.clone(),
            components: self.components.into(),
            pods: self.pods.into(),
            restarts: self.restarts.into(),
            ends: self.ends.into(),
            results,
        };
        print(&podlens_bench::serve(&options, &say)?);
        Ok(ExitCode::SUCCESS)
    }
}

fn readme() -> podlens_bench::Result<ExitCode> {
    let path = results().join("latest.json");
    let json = std::fs::read_to_string(&path)
        .map_err(|error| format!("reading `{}`: {error}; `tests/bench/run` without flags writes it", path.display()))?;
    print(&podlens_bench::readme(&json)?);
    Ok(ExitCode::SUCCESS)
}

/// The folder of results that are kept.
fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// The target folder, which this program lies in.
fn target() -> podlens_bench::Result<PathBuf> {
    let here = std::env::current_exe().map_err(|error| format!("looking for this program: {error}"))?;
    here.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "this program lies in no target folder".to_owned())
}

#[expect(clippy::print_stdout, reason = "results are for standard output")]
fn print(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "what goes on is for standard error")]
fn say(text: &str) {
    eprintln!("tests/bench: {text}");
}
