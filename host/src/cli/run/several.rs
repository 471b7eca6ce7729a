//! Several runs that give one answer: each over the pods of one cluster or namespace, at the same time, in the order in which they were
//! named.

use std::io::Write;
use std::process::ExitCode;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::super::exit::{self, Failure};
use super::super::report;
use super::Job;
use super::answer::{self, Answer, Whole};
use super::target::Target;
use crate::error::Error;
use crate::query::{Column, Row};
use crate::runtime::Outcome;

/// Most runs at the same time: each has limits of its own, and memory up to them.
const AT_ONCE: usize = 8;

/// Prints the rows of all targets. One that fails is a warning, as long as another does not.
pub(super) async fn answer(
    job: &Job<'_>,
    targets: &[Target],
    columns: &[Column],
    mut answer: Answer<impl Write>,
) -> Result<ExitCode, Failure> {
    let count = targets.len();
    let mut runs = stream::iter(targets).map(|target| run(job, target)).buffered(AT_ONCE);
    let mut failures = Vec::new();
    let mut whole = Whole::Yes;
    for target in targets {
        let Some((rows, ended)) = runs.next().await else { break };
        if let Ok(outcome) = &ended {
            answer.took.extend(job.took(&outcome.report));
        }
        match ended.and_then(|outcome| answer::judge(outcome, &answer.progress)) {
            Ok(Whole::Yes) if target.is_whole => {}
            Ok(Whole::Yes | Whole::No) => whole = Whole::No,
            // Rows of a run that broke off are not all of its cluster's: none of them is shown.
            Err(error) => {
                whole = Whole::No;
                failures.push((&target.name, error));
                continue;
            }
        }
        let printed = rows.into_iter().try_for_each(|row| answer.row(&answer::begun(row, &target.cells, columns)));
        if printed.is_err() {
            // Nobody reads on: the others end here.
            return exit::unless_broken_pipe(printed);
        }
    }
    // An answer of which nothing came is no answer.
    if failures.len() == count {
        let mut failures = failures.into_iter();
        let Some((name, error)) = failures.next() else { return answer.end(Ok(whole)) };
        for (name, error) in failures {
            answer.progress.suspend(|| report::say(&report::warning(&format!("{name} gave no answer"), &error)));
        }
        return answer.end(Err(error.told_as(format!("{name} gave no answer, and no other did"))));
    }
    for (name, error) in &failures {
        answer.progress.suspend(|| report::say(&report::warning(&format!("{name} is not in the answer"), error)));
    }
    answer.end(Ok(whole))
}

async fn run(job: &Job<'_>, target: &Target) -> (Vec<Row>, Result<Outcome, Error>) {
    match &target.source {
        Err(error) => (Vec::new(), Err(error.clone())),
        Ok(source) => {
            let (rows, outcome) = answer::collect(job.start(source.clone(), target)).await;
            (rows, Ok(outcome))
        }
    }
}
