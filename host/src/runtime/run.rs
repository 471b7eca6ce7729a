//! One run, from arguments to report.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::confine::{confined, deadline};
use super::cpu::CpuClock;
use super::load::Query;
use super::log::{self, Log, LogSink};
use super::outcome;
use super::store::Sandbox;
use crate::bindings::podlens::query::types as wit;
use crate::error::{Error, Kind};
use crate::imports::{HostCall, HostFunction, Notes};
use crate::limits::{Budget, Limit, Limits};
use crate::policy::Grant;
use crate::query::{Argument, ArgumentValue, Row};
use crate::source::{PodSource, SkippedNamespace};

/// Rows that wait for their reader before the query does. Arbitrary; lets both work at the same time.
const ROWS_AHEAD: usize = 256;

/// What one run is given.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunOptions {
    /// The pods that the query may see. Default: none.
    pub grant: Grant,
    /// What it may use.
    pub limits: Limits,
    /// What it is told; from [`Description::arguments`](crate::Description::arguments). Defaults are filled in where it is not.
    pub arguments: Vec<Argument>,
    /// Where its log lines go. Default: `tracing`, at level info.
    pub log: LogSink,
    /// What its wall clock shows, standing still, so that the same pods give the same answer. Default: the machine's time.
    pub now: Option<SystemTime>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { grant: Grant::nothing(), limits: Limits::default(), arguments: Vec::new(), log: log::to_tracing(), now: None }
    }
}

/// A run in progress. Dropping it ends it.
pub struct Run {
    rows: mpsc::Receiver<Row>,
    task: JoinHandle<Result<(), Error>>,
    budget: Arc<Budget>,
    notes: Arc<Notes>,
    started: Instant,
}

/// How a run ended, and what it used.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether the answer is complete. If not, the rows that were read are only a part.
    pub result: Result<(), Error>,
    /// What was used, and what the operator should know.
    pub report: Report,
}

/// What a run used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Wall time of the run.
    pub elapsed: Duration,
    /// What the operator should know of the answer, in sentences; an answer with a warning is still complete.
    pub warnings: Vec<String>,
    /// Why a list broke off that the query did not read again, if one did. It may have answered all the same: then it has not seen
    /// all pods.
    pub incomplete: Option<Error>,
    /// Namespaces that are not in the answer, by a source that [leaves out](crate::ApiServer::skip_refused_namespaces) what it is refused.
    pub skipped: Vec<SkippedNamespace>,
    /// What the source of pods failed with, each time that the query was told so, whatever it made of it; the first 100. What was read
    /// ahead of the query and never asked for is not among them.
    pub failures: Vec<Error>,
    /// What the grant has refused the query last, if it has: names only what was asked for, never what exists.
    pub denied: Option<String>,
    /// Pods that a source returned and that were not asked for. No query saw one of them, nor what they came with.
    pub foreign_pods: u64,
    used: Vec<(Limit, u64)>,
    limits: Limits,
    peak_memory: u64,
    calls: Vec<(HostFunction, u64)>,
    last_calls: Vec<HostCall>,
}

impl Report {
    /// How much of a limit was used, in its [`Limit::unit`]. Of memory: what was in use at the end.
    pub fn used(&self, limit: Limit) -> u64 {
        self.used.iter().find(|(used, _)| *used == limit).map_or(0, |(_, value)| *value)
    }

    /// The limits that held.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The most memory that was in use at one time, in bytes: the guest's, and that of the pods it held.
    pub fn peak_memory(&self) -> u64 {
        self.peak_memory
    }

    /// How often the query called a function of the host.
    pub fn calls(&self, function: HostFunction) -> u64 {
        self.calls.iter().find(|(called, _)| *called == function).map_or(0, |(_, times)| *times)
    }

    /// The last few calls of the query to the host, the oldest first: what it was about when it failed. Names, selectors and counts,
    /// never what is in a pod or a row.
    pub fn last_calls(&self) -> &[HostCall] {
        &self.last_calls
    }
}

impl Query {
    /// Starts a run. Must be called inside a tokio runtime; the guest runs as a task of it.
    ///
    /// Any number of runs may go on at the same time; they share nothing but compiled code. Arguments that do not fit the description
    /// end the run at once, with an error for which [`Error::is_invalid_argument`] holds.
    pub fn run(&self, source: Arc<dyn PodSource>, options: RunOptions) -> Run {
        let RunOptions { grant, limits, arguments, log, now } = options;
        let started = Instant::now();
        let budget = Arc::new(Budget::new(limits));
        let notes = Arc::new(Notes::default());
        let (sender, rows) = mpsc::channel(ROWS_AHEAD);
        let sandbox = Sandbox {
            grant: Arc::new(grant),
            source,
            reads_fields: self.uses.fields,
            budget: budget.clone(),
            deadline: deadline(&budget, started),
            columns: self.columns.clone(),
            rows: Some(sender),
            notes: notes.clone(),
            log: Log::new(budget.clone(), log),
            cpu: CpuClock::new(budget.clone()),
            now,
        };
        let arguments = self.description.complete(arguments);
        let (shared, pre) = (self.shared.clone(), self.pre.clone());
        let task = tokio::spawn(async move {
            let arguments = arguments
                .map_err(|error| Error::new(Kind::InvalidArgument, "the arguments do not fit the query").because(error))?;
            let arguments: Vec<_> = arguments.into_iter().map(argument).collect();
            let notes = sandbox.notes.clone();
            let answered = confined(sandbox, &shared, "run", async |store| {
                let query = pre.instantiate_async(&mut *store).await?;
                query.call_run(store, &arguments).await
            });
            answered.await?.map_err(|error| outcome::of_guest_error(error, &notes))
        });
        Run { rows, task, budget, notes, started }
    }
}

impl Run {
    /// The next row, in the order in which the query emitted them; `None` after the last. Then ask [`Run::finish`] whether
    /// they are all. Safe to cancel.
    pub async fn next_row(&mut self) -> Option<Row> {
        self.rows.recv().await
    }

    /// How much of a limit was used so far.
    pub fn used(&self, limit: Limit) -> u64 {
        self.budget.used(limit)
    }

    /// Waits for the end, and says how it was. Rows that were not read before are dropped.
    pub async fn finish(mut self) -> Outcome {
        self.ended().await
    }

    /// The same for who may give up waiting, and then still has the run. Not to be called again once it has answered.
    pub(crate) async fn ended(&mut self) -> Outcome {
        while self.rows.recv().await.is_some() {}
        let result = match (&mut self.task).await {
            Ok(result) => result,
            Err(error) => Err(Error::new(Kind::Fault, "the run was stopped by a fault of podlens").because(error)),
        };
        Outcome { result, report: self.so_far() }
    }

    /// What it has used so far, and what the operator should know by now.
    pub(crate) fn so_far(&self) -> Report {
        let (calls, last_calls) = self.notes.calls();
        let used = Limit::ALL.iter().map(|limit| (*limit, self.budget.used(*limit))).collect();
        Report {
            elapsed: self.started.elapsed(),
            warnings: self.notes.warnings(),
            incomplete: self.notes.incomplete_list(),
            skipped: self.notes.skipped(),
            failures: self.notes.source_failures(),
            denied: self.notes.last_denied(),
            foreign_pods: self.notes.foreign_pods(),
            used,
            limits: self.budget.limits().clone(),
            peak_memory: self.budget.peak_memory(),
            calls,
            last_calls,
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn argument(argument: Argument) -> wit::Argument {
    wit::Argument {
        name: argument.name,
        value: match argument.value {
            ArgumentValue::Text(text) => wit::ArgumentValue::Text(text),
            ArgumentValue::Integer(integer) => wit::ArgumentValue::Integer(integer),
            ArgumentValue::Number(number) => wit::ArgumentValue::Number(number),
            ArgumentValue::Boolean(boolean) => wit::ArgumentValue::Boolean(boolean),
        },
    }
}
