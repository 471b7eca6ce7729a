//! `podlens test`: runs a query over the pods of its test cases, and holds its answers against the expected ones.
//!
//! `folder.rs` finds cases and component, `stale.rs` tells whether that is old, `case.rs` and `pods.rs` read a case, `attempt.rs` runs it with the faults of `fault.rs`, and `expected.rs`
//! judges what happened by `difference.rs`, or keeps it. `report.rs` prints, `junit.rs` writes the same for a machine.

mod attempt;
mod case;
mod difference;
mod expected;
mod fault;
mod file;
mod folder;
mod junit;
mod pods;
mod report;
mod stale;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::component;
use super::exit::{ERROR, Failure, USAGE};
use crate::Query;
use crate::error::{Error, Kind};
use attempt::Attempt;
use case::Case;
use file::CaseFolder;
use folder::Folder;
use report::Report;

const HELP: &str = "\
A query's folder has what `podlens build` made of it, and in `test/` a folder for each case.

Files:
  case.yaml           how it is run, every key optional: description, parameters, namespaces,
                      selector, fieldSelector, wholeObjects, now, pageSize, limits, faults
  pods.yaml           the pods it reads, as `kubectl get pods -o yaml` writes them; or pods.json,
                      or recording.json, as `podlens run --record` writes it
  expected.json       the rows, as `podlens run -o json` prints them
  expected-error.txt  where the run is to fail: the error, as podlens prints it

Examples:
  podlens test .                           the query of this folder
  podlens test shop/* -f oom               every case with `oom` in its folder or its name
  podlens test . --component restarts      the same cases, with a query that comes with podlens
  podlens test . --update                  keep what happens now as what is expected

Settings:
  description: A list that expires is no answer
  parameters: {min: 3, team: checkout}     as with `-p`
  namespaces: [shop, payments]             the grant; by default all namespaces, or the recording's
  selector: app=web
  fieldSelector: status.phase=Running
  wholeObjects: true
  now: 2026-01-02T03:04:05Z                what the query's clock shows; by default the
                                           beginning of 2026, or the recording's moment
  pageSize: 2
  limits: {max-pods: 100, timeout: 5s}     the flags of `podlens run`
  faults:                                  reads that fail, counted from 1
    - {list: 1, page: 2, error: expired}   or denied, unavailable, truncated
    - {get: 1, error: not-found}           or denied, unavailable, truncated
A case whose query does not meet all of its faults fails.

Exit codes:
  0  all passed
  1  some failed
  2  wrong usage, or a case that cannot be read
  6  the component cannot be used as a query";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct TestArgs {
    /// A query's folder with `test/` in it, or the folder of the cases
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,

    /// The query to test: a component's file, or the name of one that comes with podlens [default: what was
    /// built in the folder]
    #[arg(long, value_name = "COMPONENT")]
    component: Option<String>,

    /// Only cases with this text in `DIR/NAME`
    #[arg(short = 'f', long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    filter: String,

    /// Write what happens into the cases, as what is expected
    #[arg(long)]
    update: bool,

    /// Also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(super) async fn test(args: TestArgs) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let mut folders = Vec::new();
    for path in &args.folders {
        folders.extend(Folder::find(path, args.component.as_deref(), &args.filter)?);
    }
    if folders.is_empty() {
        let error = Error::new(Kind::InvalidArgument, format!("no case has `{}` in it", crate::text::excerpt(&args.filter)));
        return Err(error.hint("`--filter` looks into `DIR/NAME`, the folder as it was given and the case's").into());
    }
    let mut report = Report::new();
    for folder in &folders {
        let query = component::load(&folder.component).await?;
        if let Some(warning) = &folder.stale {
            super::report::say(&super::plugin::as_typed(warning));
        }
        report.folder(folder)?;
        for name in &folder.cases {
            let tested = tested(&query, folder, name, args.update).await;
            report.case(tested)?;
        }
    }
    report.summary(started.elapsed())?;
    if let Some(path) = &args.junit {
        junit::write(path, report.folders(), started.elapsed())?;
    }
    Ok(match report.worst() {
        Verdict::Passed | Verdict::Updated(_) => ExitCode::SUCCESS,
        Verdict::Failed(_) => ExitCode::from(ERROR),
        Verdict::Unreadable(_) => ExitCode::from(USAGE),
    })
}

/// A case, and what came of it.
struct Tested {
    name: String,
    description: String,
    verdict: Verdict,
    /// What the query logged, and podlens' warnings of the run.
    log: Vec<String>,
    elapsed: Duration,
}

/// What came of a case, the worse the later. Texts are fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Passed,
    /// It was rewritten: what was written.
    Updated(Vec<String>),
    /// Why, as blocks of lines.
    Failed(Vec<String>),
    Unreadable(String),
}

async fn tested(query: &Query, folder: &Folder, name: &str, update: bool) -> Tested {
    let started = Instant::now();
    let read = CaseFolder::new(&folder.path, name).and_then(|files| Case::read(&files).map(|case| (files, case)));
    let (description, log, verdict) = match read {
        Err(error) => (String::new(), Vec::new(), Verdict::Unreadable(error.to_string())),
        Ok((files, case)) => {
            let attempt = Attempt::run(query, &case).await;
            let verdict = expected::judge(&files, query, &attempt, update);
            (case.description, attempt.log, verdict.unwrap_or_else(|error| Verdict::Unreadable(error.to_string())))
        }
    };
    Tested { name: crate::text::visible(name), description, verdict, log, elapsed: started.elapsed() }
}
