//! What a case expects: holds what happened against it, or writes it down.

use std::path::Path;

use serde_json::Value;

use super::Verdict;
use super::attempt::Attempt;
use super::difference;
use super::file::{CaseError, CaseFolder};
use crate::{Query, text};

const ROWS: &str = "expected.json";
const ERROR: &str = "expected-error.txt";

/// Most bytes of the rows: with their names, twice what a run may emit by default.
const MAX_ROWS_BYTES: u64 = 128 << 20;
/// Most bytes of an error. Arbitrary; a backtrace has some thousand.
const MAX_ERROR_BYTES: u64 = 1 << 20;

/// What came of a case; `update`: keep what happened as what is expected.
pub(super) fn judge(folder: &CaseFolder, query: &Query, attempt: &Attempt, update: bool) -> Result<Verdict, CaseError> {
    let mut wrong: Vec<_> =
        attempt.unmet_faults.iter().map(|place| format!("nothing asked for {place}, which was to fail")).collect();
    if update {
        return kept(folder, attempt, wrong);
    }
    let rows = folder.read_text(ROWS, MAX_ROWS_BYTES)?;
    let error = folder.read_text(ERROR, MAX_ERROR_BYTES)?;
    if rows.is_none() && error.is_none() {
        wrong.push(format!("it has neither `{ROWS}` nor `{ERROR}`: write them with `--update`, and look at them"));
        // What it would write.
        wrong.extend(attempt.error.clone());
        return Ok(Verdict::Failed(wrong));
    }
    match (&error, &attempt.error) {
        (None, Some(error)) => wrong.push(format!("the run fails\n{error}")),
        (Some(_), None) => wrong.push(format!("the run does not fail, as `{ERROR}` says")),
        (Some(expected), Some(error)) if lines(expected) != lines(error) => {
            wrong.push(format!("the error is another one\n{}", difference::of_texts(&lines(expected), &lines(error))));
        }
        _ => {}
    }
    let columns: Vec<_> = query.description().columns.iter().map(|column| column.name.as_str()).collect();
    let expected = read_rows(&folder.file(ROWS), rows.as_deref().unwrap_or("[]"))?;
    let actual: Vec<Value> = serde_json::from_str(&attempt.rows).unwrap_or_default();
    if let Some(difference) = difference::of_rows(&expected, &actual, &columns) {
        wrong.push(format!("the rows are others\n{difference}"));
    }
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) })
}

fn read_rows(path: &Path, text: &str) -> Result<Vec<Value>, CaseError> {
    serde_json::from_str(text)
        .map_err(|error| CaseError::of(path, format_args!("is not a JSON array of rows: {}", text::visible(&error.to_string()))))
}

/// An error by its lines, whatever an editor did to their ends.
fn lines(text: &str) -> String {
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>().trim_end().to_owned() + "\n"
}

/// Writes what happened. That a run fails where nothing said so is written, too, and told all the same.
fn kept(folder: &CaseFolder, attempt: &Attempt, mut wrong: Vec<String>) -> Result<Verdict, CaseError> {
    let was_expected = folder.file(ERROR).exists();
    let rows = (attempt.error.is_none() || attempt.row_count > 0).then_some(attempt.rows.as_bytes());
    let mut written = Vec::new();
    for (name, content) in [(ROWS, rows), (ERROR, attempt.error.as_deref().map(str::as_bytes))] {
        if folder.keep(name, content)? {
            written.push(format!("{} `{name}`", if content.is_some() { "wrote" } else { "removed" }));
        }
    }
    if let (Some(error), false) = (&attempt.error, was_expected) {
        wrong.push(format!("the run fails; it is expected to from now on\n{error}"));
    }
    Ok(match (wrong.is_empty(), written.is_empty()) {
        (true, true) => Verdict::Passed,
        (true, false) => Verdict::Updated(written),
        (false, _) => Verdict::Failed(written.into_iter().chain(wrong).collect()),
    })
}
