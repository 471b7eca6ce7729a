//! The thread that writes the log, and the way to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::chain::Chain;
use super::{Attempted, AuditError, Cause, Destination, Event, LogName, Observer};

/// How long a line may take. Arbitrary: a disk that is busy takes less, and who waits for an answer would not wait much longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Most lines that wait to be written; some KiB each. Arbitrary: more than there are requests at once.
const QUEUE: usize = 16 * 1024;

/// How many may wait where one more is of a kind that anybody can cause, or begins something that will have an end: the rest is for what has
/// happened already.
const REFUSALS: usize = QUEUE / 4;
const BEGINNINGS: usize = QUEUE / 2;

/// The log of one server. Clones write to the same.
#[derive(Clone, Debug)]
pub(crate) struct AuditLog {
    lines: mpsc::Sender<Line>,
    state: Arc<State>,
}

struct State {
    name: LogName,
    well: AtomicBool,
    /// Whether somebody has waited too long since the last line was written.
    stalled: AtomicBool,
    /// How many had no place among those that wait, and the thread does not know of yet.
    lost: AtomicU64,
    observer: Observer,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("name", &self.name).field("well", &self.well).finish_non_exhaustive()
    }
}

/// An event, or nothing, for who wants to know that all before it is written.
struct Line {
    event: Option<Event>,
    /// When it was given.
    at: Timestamp,
    written: oneshot::Sender<Result<(), AuditError>>,
}

/// A line on its way into the log. Dropped, it gets there all the same, and nobody is told.
#[derive(Debug)]
#[must_use = "what is told of must not happen, or not be handed on, before the line is in the log"]
pub(crate) struct Recorded {
    written: Result<oneshot::Receiver<Result<(), AuditError>>, AuditError>,
    state: Arc<State>,
}

impl AuditLog {
    /// Opens it, and begins to write.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is another server's, or its last line is not one of an audit log's. No thread can be begun.
    pub(crate) fn open(to: &Destination, observer: Observer) -> Result<Self, AuditError> {
        Self::of(Chain::open(to)?, observer)
    }

    pub(super) fn of(mut chain: Chain, observer: Observer) -> Result<Self, AuditError> {
        let (lines, mut waiting) = mpsc::channel::<Line>(QUEUE);
        let (well, stalled, lost) = (AtomicBool::new(true), AtomicBool::new(false), AtomicU64::new(0));
        let state = Arc::new(State { name: chain.name(), well, stalled, lost, observer });
        let told = Arc::clone(&state);
        let write = move || {
            while let Some(Line { event, at, written }) = waiting.blocking_recv() {
                chain.lose(told.lost.swap(0, Ordering::AcqRel));
                let added = event.map_or(Ok(false), |event| chain.add(&event, at));
                told.stalled.store(false, Ordering::Release);
                match &added {
                    Ok(true) => told.tell(Ok(())),
                    // Nothing was to be written.
                    Ok(false) => {}
                    Err(error) => told.tell(Err(error)),
                }
                // Nobody need wait for it.
                let _ = written.send(added.map(drop));
            }
        };
        let begun = thread::Builder::new().name("podlens-audit".to_owned()).spawn(write);
        begun.map_err(|error| AuditError { attempted: Attempted::Open, log: state.name.clone(), cause: error.into() })?;
        Ok(Self { lines, state })
    }

    /// Sends one line on its way. What it tells of must not happen, or not be handed on, before [`Recorded::written`] says so.
    pub(crate) fn record(&self, event: Event) -> Recorded {
        let (written, is_written) = oneshot::channel();
        let waiting = QUEUE - self.lines.capacity();
        let has_room = match event {
            Event::Refused(_) => waiting < REFUSALS,
            Event::RunStarted(_) | Event::QueryChanged(_) => waiting < BEGINNINGS,
            Event::Call(_) | Event::RunComplete(_) => true,
        };
        let line = Line { event: Some(event), at: Timestamp::now(), written };
        let sent = match has_room {
            true => self.lines.try_send(line).map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => Cause::Full,
                mpsc::error::TrySendError::Closed(_) => Cause::Gone,
            }),
            false => Err(Cause::Full),
        };
        let written = sent.map(|()| is_written).map_err(|cause| self.state.failed(cause));
        Recorded { written, state: Arc::clone(&self.state) }
    }

    /// Waits until all that is on its way is written, though not for long.
    pub(crate) async fn flush(&self) -> Result<(), AuditError> {
        let (written, is_written) = oneshot::channel();
        let line = Line { event: None, at: Timestamp::now(), written };
        let flushed = async {
            self.lines.send(line).await.map_err(|_| self.state.failed(Cause::Gone))?;
            is_written.await.map_err(|_| self.state.failed(Cause::Gone))?
        };
        timeout(PATIENCE, flushed).await.unwrap_or_else(|_| Err(self.state.stands_still()))
    }

    /// Whether it is of no use to wait for a line now: whoever did so last has waited in vain.
    pub(crate) fn is_stalled(&self) -> bool {
        self.state.stalled.load(Ordering::Acquire)
    }

    /// Whether a line is not even begun now, for it would be waited for in vain. Then it is lost.
    pub(crate) fn turns_away(&self) -> bool {
        let turns_away = self.is_stalled();
        if turns_away {
            self.state.lost.fetch_add(1, Ordering::AcqRel);
        }
        turns_away
    }

    /// Whether nothing will be written any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.lines.is_closed()
    }

    /// Whether the last line that was to be written is in the log.
    pub(crate) fn is_well(&self) -> bool {
        self.state.well.load(Ordering::Acquire)
    }
}

impl Recorded {
    /// Whether it is not on its way at all.
    pub(crate) fn is_refused(&self) -> bool {
        self.written.is_err()
    }

    /// Waits until the line is in the log.
    ///
    /// # Errors
    ///
    /// It is not. One that took too long may be there later, and tell of what has not happened, never the other way round.
    pub(crate) async fn written(self) -> Result<(), AuditError> {
        match timeout(PATIENCE, self.written?).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err(self.state.failed(Cause::Gone)),
            Err(_) => Err(self.state.stands_still()),
        }
    }
}

impl State {
    /// Somebody has waited in vain.
    fn stands_still(&self) -> AuditError {
        self.stalled.store(true, Ordering::Release);
        self.failed(Cause::Stalled)
    }

    fn failed(&self, cause: Cause) -> AuditError {
        let error = AuditError { attempted: Attempted::Write, log: self.name.clone(), cause };
        match error.cause {
            // It is written, though not fast enough for all.
            Cause::Full => {
                self.lost.fetch_add(1, Ordering::AcqRel);
                (self.observer)(Err(&error), false);
            }
            _ => self.tell(Err(&error)),
        }
        error
    }

    fn tell(&self, written: Result<(), &AuditError>) {
        let was_well = self.well.swap(written.is_ok(), Ordering::AcqRel);
        (self.observer)(written, was_well != written.is_ok());
    }
}
