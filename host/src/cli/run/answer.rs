//! A run's rows, as they come or all at once, and what its end means.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use super::super::exit::{self, Failure, PARTIAL};
use super::super::{report, stats};
use crate::error::Error;
use crate::limits::Limit;
use crate::output::progress::ProgressHandle;
use crate::output::{Format, Printer};
use crate::query::{Cell, Column, Row};
use crate::runtime::{Outcome, Report, Run};
use crate::text::visible;

/// How often the count of pods is brought up to date.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Whether an answer has all that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Whole {
    Yes,
    /// Something that was named is not in it.
    No,
}

/// A run that prints as it goes.
pub(super) struct Answer<W: Write> {
    pub(super) printer: Printer<W>,
    pub(super) format: Format,
    pub(super) progress: ProgressHandle,
    pub(super) rows: u64,
    /// Lines that tell what the runs took, to be said after the answer.
    pub(super) took: Vec<String>,
}

impl<W: Write> Answer<W> {
    /// Prints the rows of `run` as they come, each begun with `cells`. An error ends the run.
    pub(super) async fn print(&mut self, mut run: Run, cells: &[Cell], columns: &[Column]) -> io::Result<Outcome> {
        let mut pods = 0;
        let mut look = tokio::time::interval(PROGRESS_INTERVAL);
        loop {
            tokio::select! {
                row = run.next_row() => match row {
                    Some(row) => self.row(&begun(row, cells, columns))?,
                    None => return Ok(run.finish().await),
                },
                // A query that answers only at its end shows that it reads.
                _ = look.tick() => {
                    let read = run.used(Limit::Pods);
                    self.progress.add_pods(read - pods);
                    pods = read;
                }
            }
        }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows += 1;
        self.progress.suspend(|| self.printer.row(row))
    }

    /// Prints what is left, and says how it went.
    pub(super) fn end(self, result: Result<Whole, Error>) -> Result<ExitCode, Failure> {
        let Self { printer, format, progress, rows, took } = self;
        let is_shown_whole = match &result {
            Ok(Whole::Yes) => true,
            // The rows are all that their cluster or namespace has, and a program is told the rest by the exit code.
            Ok(Whole::No) => format.is_for_programs(),
            Err(_) => false,
        };
        let printed = exit::unless_broken_pipe(progress.suspend(|| printer.finish(is_shown_whole)));
        for line in &took {
            progress.suspend(|| report::say(line));
        }
        match result {
            Err(error) => {
                if rows > 0 {
                    progress.suspend(|| report::say("warning: the answer is not complete"));
                }
                Err(error.into())
            }
            Ok(whole) => {
                if rows == 0 && format.is_silent_without_rows() {
                    report::say("No rows found.");
                }
                match whole {
                    Whole::Yes => printed,
                    Whole::No => printed.map(|_| ExitCode::from(PARTIAL)),
                }
            }
        }
    }
}

/// A run whose rows are kept until it has ended.
pub(in crate::cli) async fn collect(mut run: Run) -> (Vec<Row>, Outcome) {
    let mut rows = Vec::new();
    while let Some(row) = run.next_row().await {
        rows.push(row);
    }
    (rows, run.finish().await)
}

/// What the end of a run means. Its warnings are said, and what helps to find out why it was stopped.
pub(super) fn judge(outcome: Outcome, progress: &ProgressHandle) -> Result<Whole, Error> {
    let (meaning, warnings) = meaning(outcome);
    for warning in &warnings {
        progress.suspend(|| report::say(warning));
    }
    meaning
}

/// What the end of a run means, and what there is to warn of.
pub(in crate::cli) fn meaning(outcome: Outcome) -> (Result<Whole, Error>, Vec<String>) {
    let Outcome { result, report } = outcome;
    let stopped = result.as_ref().err().map(|error| stats::of_failure(error, &report)).unwrap_or_default();
    let Report { warnings, incomplete, skipped, .. } = report;
    let mut told = stopped;
    told.extend(warnings.iter().map(|warning| format!("warning: {}", visible(warning))));
    let is_whole = if skipped.is_empty() { Whole::Yes } else { Whole::No };
    for skipped in skipped {
        told.push(report::warning(&format!("namespace `{}` is not in the answer", skipped.namespace), &skipped.error));
    }
    // A query may answer although a list broke off. Its answer is printed, and not passed off as whole.
    let meaning = result.and(match incomplete {
        Some(error) => Err(error.told_as("the query answered although a list ended early")),
        None => Ok(is_whole),
    });
    (meaning, told)
}

/// A row that begins with what says where it is from.
pub(super) fn begun(row: Row, cells: &[Cell], columns: &[Column]) -> Row {
    if cells.is_empty() {
        return row;
    }
    let all = cells.iter().chain(row.cells()).cloned().collect();
    // The cells fit their columns: those in front are texts, and the others did before.
    Row::new(all, columns).unwrap_or(row)
}
