//! `podlens inspect`: what a file is, what it can reach, what built it; or the queries that come with podlens.
//!
//! `text.rs` tells it to people, `json.rs` to programs. All that is told comes from `Runtime::inspect`.

mod text;

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use super::exit::{self, Failure};
use super::{builtin, component};
use crate::output::inspection;

const EXAMPLES: &str = "\
Examples:
  podlens inspect                       the queries that come with podlens
  podlens inspect restarts              columns, parameters and reach of one of them
  podlens inspect ./mine.wasm -o json   the same of a file, for programs";

const EXIT_CODES: &str = "\
Exit codes:
  0  told
  2  wrong usage
  6  told, and it cannot be used as a query; standard error says why";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(super) struct InspectArgs {
    /// A component's file, or the name of a query that comes with podlens [default: list those]
    #[arg(value_name = "COMPONENT")]
    component: Option<String>,

    /// How to tell it
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: InspectFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum InspectFormat {
    /// Lines for people
    #[default]
    Text,
    /// One object, for programs
    Json,
}

pub(super) async fn inspect(args: InspectArgs) -> Result<ExitCode, Failure> {
    let Some(name) = args.component else { return list(args.output) };
    let told_of = component::inspect(&name).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    let told = match args.output {
        InspectFormat::Text => text::inspection(&mut out, &name, &told_of),
        InspectFormat::Json => inspection::inspection(&mut out, &told_of),
    };
    let told = exit::unless_broken_pipe(told.and_then(|()| out.flush()));
    match told_of.query {
        Ok(_) => told,
        Err(error) => Err(error.into()),
    }
}

fn list(format: InspectFormat) -> Result<ExitCode, Failure> {
    let queries: Vec<_> = builtin::summaries().collect();
    let out = io::stdout().lock();
    exit::unless_broken_pipe(match format {
        InspectFormat::Text => text::list(out, &queries),
        InspectFormat::Json => inspection::list(out, &queries),
    })
}
