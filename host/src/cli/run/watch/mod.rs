//! `--watch`: the same query, again and again, over pods that are kept up to date.
//!
//! The query knows nothing of it: it lists what an update holds. `view.rs` shows its rows, `screen.rs` on a terminal.

mod screen;
mod view;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::super::exit::{self, Failure};
use super::super::interrupt::Interrupts;
use super::super::report;
use super::answer::{self, Whole};
use super::target::Target;
use super::{Job, RunArgs, printer, wrong};
use crate::Query;
use crate::error::{Error, Kind};
use crate::output::Format;
use crate::query::{Argument, ColumnType, Description, Row};
use crate::runtime::LogSink;
use crate::source::{Watch, WatchUpdate};
use view::View;

/// How often a terminal shows ages anew while nothing changes. Arbitrary; ages are told in seconds for two minutes.
const AGES_INTERVAL: Duration = Duration::from_secs(5);

/// Whether answers in this format can follow each other.
pub(super) fn can_show(format: &Format) -> bool {
    matches!(format, Format::Table | Format::Wide | Format::Name | Format::Json | Format::JsonLines | Format::Yaml)
}

/// Answers until it is interrupted, nobody reads on, or something fails.
pub(super) async fn watch(
    args: &RunArgs,
    query: &Query,
    arguments: &[Argument],
    description: &Description,
    targets: Vec<Target>,
) -> Result<ExitCode, Failure> {
    let [target] = <[Target; 1]>::try_from(targets).map_err(|_| {
        let hint = "name one context, and with several namespaces a query whose rows tell theirs";
        wrong("`--watch` follows one cluster, and one answer", hint)
    })?;
    let client = target.client.as_ref().ok_or_else(|| Error::new(Kind::InvalidArgument, "`--watch` follows a cluster"))?;
    let interrupts = Interrupts::listen()?;
    let log = Log::default();
    let job = Job { query, arguments, limits: &args.limits.0, log: log.sink(), now: None, stats: false };
    let print = |rows: &[Row]| {
        let mut text = Vec::new();
        let mut printer = printer(args, description, SystemTime::now(), &mut text)?;
        rows.iter().try_for_each(|row| printer.row(row))?;
        printer.finish(true)?;
        Ok::<_, Failure>(text)
    };
    let has_ages = matches!(args.output, Format::Table | Format::Wide)
        && description.columns.iter().any(|column| column.column_type == ColumnType::Time);
    let watch = Watch::new(client, &target.grant)?;
    let mut following = Following {
        view: View::new(&args.output, io::stdout().is_terminal())?,
        watch,
        log,
        ages: (has_ages && io::stdout().is_terminal()).then(|| tokio::time::interval(AGES_INTERVAL)),
        rows: None,
        trouble: false,
    };
    let ended = tokio::select! {
        () = interrupts.wait() => Ok(()),
        ended = following.follow(&job, &target, print) => ended,
    };
    // Whatever was the end, what was shown last stays.
    let closed = following.view.close(ended.is_err());
    match ended {
        Err(failure) if failure.is_broken_pipe() => Ok(ExitCode::SUCCESS),
        Err(failure) => Err(failure),
        Ok(()) => exit::unless_broken_pipe(closed),
    }
}

struct Following {
    watch: Watch,
    view: View,
    ages: Option<tokio::time::Interval>,
    log: Log,
    /// What is shown.
    rows: Option<Vec<Row>>,
    trouble: bool,
}

/// What a run says besides its rows, until its rows are shown.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn sink(&self) -> LogSink {
        let log = self.clone();
        // A run's own limit bounds it.
        Arc::new(move |line| log.lines().push(super::shown(&line)))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines())
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Following {
    async fn follow(
        &mut self,
        job: &Job<'_>,
        target: &Target,
        print: impl Fn(&[Row]) -> Result<Vec<u8>, Failure>,
    ) -> Result<(), Failure> {
        loop {
            let update = tokio::select! {
                update = self.watch.next() => update?,
                () = tick(&mut self.ages) => {
                    if let Some(rows) = &self.rows {
                        self.view.show(&print(rows)?)?;
                    }
                    continue;
                }
            };
            let trouble = self.trouble(&update);
            let (rows, outcome) = answer::collect(job.start(Arc::new(update.pods), target)).await;
            let (meaning, warnings) = answer::meaning(outcome);
            self.view.say([trouble, self.log.take(), warnings].concat());
            if meaning? == Whole::Yes {
                self.view.show(&print(&rows)?)?;
                self.rows = Some(rows);
            }
        }
    }

    /// That the API server is away: always on a screen, which shows one moment, and elsewhere once, as that it is back.
    fn trouble(&mut self, update: &WatchUpdate) -> Vec<String> {
        let was = std::mem::replace(&mut self.trouble, update.trouble.is_some());
        match &update.trouble {
            Some(error) if !was || self.view.is_screen() => {
                report::warning("the API server is away; what is shown is of before", error).lines().map(str::to_owned).collect()
            }
            None if was && !self.view.is_screen() => vec!["the API server is back".to_owned()],
            _ => Vec::new(),
        }
    }
}

async fn tick(ages: &mut Option<tokio::time::Interval>) {
    match ages {
        Some(ages) => {
            ages.tick().await;
        }
        None => std::future::pending().await,
    }
}
