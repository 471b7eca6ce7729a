//! One run of a query for a case, as `podlens run` would do it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::exit::Failure;
use super::super::{report, run};
use super::case::Case;
use super::fault::Faulty;
use crate::Query;
use crate::error::Error;
use crate::output::style::Style;
use crate::output::{Format, Printer, PrinterOptions};
use crate::query::{Argument, Row};
use crate::runtime::{LogLine, RunOptions};
use crate::source::PodSource;

/// What happened.
pub(super) struct Attempt {
    /// The rows as `podlens run -o json` prints them, as a whole array also where the run failed.
    pub(super) rows: String,
    pub(super) row_count: usize,
    /// The error as podlens prints it, where the run failed.
    pub(super) error: Option<String>,
    /// The log of the query, and what podlens warns of.
    pub(super) log: Vec<String>,
    /// Reads that were to fail, and that the query never asked for.
    pub(super) unmet_faults: Vec<String>,
}

impl Attempt {
    pub(super) async fn run(query: &Query, case: &Case) -> Self {
        let source = Faulty::new(case.pods.source(), &case.faults);
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut answered = Answered::default();
        let parameters = case.parameters.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let result = match query.description().arguments(parameters) {
            Ok(arguments) => answer(query, case, arguments, &source, &log, &mut answered).await,
            Err(error) => Err(Failure::usage(error, run::PARAMETERS_HINT)),
        };
        let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            rows: json(query, &answered.rows),
            row_count: answered.rows.len(),
            error: result.err().map(|failure| report::explained(&failure)),
            log,
            unmet_faults: source.unmet(&answered.failures),
        }
    }
}

/// What a run gave, whether it failed or not.
#[derive(Default)]
struct Answered {
    rows: Vec<Row>,
    failures: Vec<Error>,
}

async fn answer(
    query: &Query,
    case: &Case,
    arguments: Vec<Argument>,
    source: &Faulty,
    log: &Arc<Mutex<Vec<String>>>,
    answered: &mut Answered,
) -> Result<(), Failure> {
    let sink = log.clone();
    let options = RunOptions {
        grant: case.grant.clone(),
        limits: case.limits.clone(),
        arguments,
        log: Arc::new(move |line: LogLine| sink.lock().unwrap_or_else(PoisonError::into_inner).push(run::shown(&line))),
        now: Some(case.now),
    };
    let (rows, outcome) = run::collect(query.run(Arc::new(source.clone()) as Arc<dyn PodSource>, options)).await;
    *answered = Answered { rows, failures: outcome.report.failures.clone() };
    let (meaning, warnings) = run::meaning(outcome);
    log.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
    meaning.map(|_| ()).map_err(Failure::from)
}

/// Rows are bounded by the limits of the run.
fn json(query: &Query, rows: &[Row]) -> String {
    let mut text = Vec::new();
    // Of no format but a table.
    let style = Style::of_stdout();
    let options =
        PrinterOptions { headers: false, now: Timestamp::UNIX_EPOCH, terminal: false, style, sort_by: None, links: Vec::new() };
    let printed = Printer::new(Format::Json, query.description(), &options, &mut text).map(|mut printer| {
        rows.iter().try_for_each(|row| printer.row(row))?;
        printer.finish(true)
    });
    debug_assert!(matches!(printed, Ok(Ok(()))), "rows are printed into memory, and JSON has all of them");
    String::from_utf8(text).unwrap_or_default()
}
