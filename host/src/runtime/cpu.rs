//! The processor time of a run: what its thread spends inside the run's future. Waiting costs nothing, and neither does another
//! program that takes the processor away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::limits::{Budget, Limit, LimitReached};

/// Shared by the future that is measured and by the epoch's callback inside it.
pub(super) struct CpuClock {
    budget: Arc<Budget>,
    /// Nanoseconds of the polls that are over.
    spent: AtomicU64,
    /// The thread's clock at the start of the poll that runs now. Read only by the thread that set it.
    poll_started: AtomicU64,
}

impl CpuClock {
    pub(super) fn new(budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self { budget, spent: AtomicU64::new(0), poll_started: AtomicU64::new(0) })
    }

    /// To be called from inside the measured future.
    pub(super) fn check(&self) -> Result<(), LimitReached> {
        let running = thread_time().saturating_sub(self.poll_started.load(Ordering::Relaxed));
        self.note(self.spent.load(Ordering::Relaxed).saturating_add(running))
    }

    fn note(&self, nanos: u64) -> Result<(), LimitReached> {
        let millis = nanos / 1_000_000;
        self.budget.observe(Limit::CpuTime, millis);
        if millis > self.budget.limits().get(Limit::CpuTime) { Err(self.budget.reach(Limit::CpuTime)) } else { Ok(()) }
    }

    /// `future`, measured by this clock.
    pub(super) fn measure<F: Future>(self: &Arc<Self>, future: F) -> Measured<F> {
        Measured { clock: self.clone(), future: Box::pin(future) }
    }
}

pub(super) struct Measured<F> {
    clock: Arc<CpuClock>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let started = thread_time();
        self.clock.poll_started.store(started, Ordering::Relaxed);
        let poll = self.future.as_mut().poll(context);
        let spent = self.clock.spent.fetch_add(thread_time().saturating_sub(started), Ordering::Relaxed);
        // Only noted here: the callback inside the guest ends the run.
        self.clock.budget.observe(Limit::CpuTime, spent / 1_000_000);
        poll
    }
}

/// Processor time of this thread, in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let duration = Duration::new(time.tv_sec.unsigned_abs(), 0) + Duration::from_nanos(time.tv_nsec.unsigned_abs());
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
