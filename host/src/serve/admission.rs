//! Which run begins now, which waits, and which is refused.
//!
//! There are so many slots, and each tenant may have so many runs at once, begin so many in a second, and let so many wait. Those of one
//! tenant begin in the order in which they came. A slot that becomes free goes to the tenant that has had the fewest turns since it began to
//! wait, so that a tenant with a long queue delays another's next run by no more than the runs that have a slot already.
//!
//! Turns are counted as in start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), each run with the weight 1: a tenant that comes
//! back takes up where the others are, and has saved up nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::policy::{Rates, TenantName};

/// Least and most that somebody is told to wait. The header has whole seconds; who waits a minute may as well ask anew.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long a run takes, as long as none has ended. Arbitrary; for estimates alone.
const FIRST_RUN: Duration = Duration::from_secs(1);

/// The weight of one run in the mean of all, as a part of 8: some ten runs are remembered.
const MEAN_OF: u32 = 8;

/// Tenants whose state is kept before it is looked whether it has to be. Arbitrary.
const KEPT_TENANTS: usize = 64;

/// Decides. Clones share the slots.
#[derive(Clone, Debug)]
pub(crate) struct Admission(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    slots: usize,
    running: usize,
    queued: usize,
    closed: bool,
    tenants: HashMap<TenantName, Tenant>,
    /// The tenants that wait and may run, who is next first.
    ready: BTreeMap<Turn, TenantName>,
    /// The turns of the tenant that was served last: who comes now begins here.
    turns: u64,
    /// Numbers those who come.
    next: u64,
    mean_run: Duration,
    /// How many tenants there may be before those that are idle are removed.
    sweep_at: usize,
}

/// A place in the order of tenants: by turns, and among those with as many by when they came.
type Turn = (u64, u64);

#[derive(Debug)]
struct Tenant {
    running: usize,
    concurrent_runs: usize,
    /// Those who wait, in the order in which they came.
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    bucket: Bucket,
    turns: u64,
    /// Its place in [`State::ready`].
    ready: Option<Turn>,
}

/// A run was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) why: Why,
    /// When to ask again; an estimate, in whole seconds.
    pub(crate) retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The tenant has begun too many of late.
    Rate,
    /// Too many of the tenant's wait.
    QueueFull,
    /// None begins any more.
    Closed,
}

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    tenant: TenantName,
    since: Instant,
}

impl Admission {
    /// With so many slots, and at least one.
    pub(crate) fn new(slots: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            slots: slots.max(1),
            running: 0,
            queued: 0,
            closed: false,
            tenants: HashMap::new(),
            ready: BTreeMap::new(),
            turns: 0,
            next: 0,
            mean_run: FIRST_RUN,
            sweep_at: KEPT_TENANTS,
        })))
    }

    /// Waits for a slot, or refuses at once. Dropped, it waits no more.
    pub(crate) async fn admit(&self, tenant: &TenantName, rates: &Rates) -> Result<Place, Refused> {
        // The lock must not be held while it waits.
        let waiting = self.state().enter(tenant, rates).map(|(number, begins)| Waiting {
            admission: self.clone(),
            tenant: tenant.clone(),
            number,
            begins,
            taken: false,
        })?;
        Ok(waiting.place().await)
    }

    /// Counts what is done at once, and needs no slot, as a run that begins.
    pub(crate) fn count(&self, tenant: &TenantName, rates: &Rates) -> Result<(), Refused> {
        let (mut state, now) = (self.state(), Instant::now());
        state.tenant(tenant, rates, now)?.bucket.take(now).map_err(|wait| Refused::new(Why::Rate, wait))
    }

    /// The refusal of one for whom there is no room beside those of the tenant that are there.
    pub(crate) fn full(&self, tenant: &TenantName) -> Refused {
        let state = self.state();
        let running = state.tenants.get(tenant).map_or(0, |tenant| tenant.running);
        Refused::new(Why::QueueFull, next_begins(state.mean_run, running, state.ready.len(), state.slots))
    }

    /// Refuses those who come from now on. Those who wait still get their turn.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    pub(crate) fn running(&self) -> usize {
        self.state().running
    }

    pub(crate) fn queued(&self) -> usize {
        self.state().queued
    }

    /// Changes how many run at once, to at least one. Where it is fewer than run now, none is stopped.
    pub(crate) fn set_slots(&self, slots: usize) {
        let mut state = self.state();
        state.slots = slots.max(1);
        state.begin_next();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done with it can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Queues a run, or refuses it. One for which there is a slot does not stay in the queue.
    fn enter(&mut self, name: &TenantName, rates: &Rates) -> Result<(u64, oneshot::Receiver<()>), Refused> {
        let (now, number) = (Instant::now(), self.next);
        let (running, slots, mean_run, others) = (self.running, self.slots, self.mean_run, self.ready.len());
        let tenant = self.tenant(name, rates, now)?;
        tenant.concurrent_runs = rates.concurrent_runs.max(1);
        let begins_at_once = running < slots && tenant.running < tenant.concurrent_runs && tenant.waiting.is_empty();
        if !begins_at_once && tenant.waiting.len() >= rates.queue {
            return Err(Refused::new(Why::QueueFull, next_begins(mean_run, tenant.running, others, slots)));
        }
        tenant.bucket.take(now).map_err(|wait| Refused::new(Why::Rate, wait))?;

        let (begin, begins) = oneshot::channel();
        tenant.waiting.insert(number, begin);
        self.next += 1;
        self.queued += 1;
        self.settle(name);
        self.begin_next();
        Ok((number, begins))
    }

    /// A tenant with its rate of the moment, as long as anything begins.
    fn tenant(&mut self, name: &TenantName, rates: &Rates, now: Instant) -> Result<&mut Tenant, Refused> {
        if self.closed {
            return Err(Refused::new(Why::Closed, Duration::ZERO));
        }
        self.sweep(now);
        let tenant = self.tenants.entry(name.clone()).or_insert_with(|| Tenant::new(rates, now));
        tenant.bucket.set(rates.runs_per_second, burst(rates), now);
        Ok(tenant)
    }

    /// Gives free slots to those whose turn it is.
    fn begin_next(&mut self) {
        while self.running < self.slots
            && let Some((turn, name)) = self.ready.pop_first()
        {
            let Some(tenant) = self.tenants.get_mut(&name) else { continue };
            tenant.ready = None;
            if let Some((_, begin)) = tenant.waiting.pop_first() {
                tenant.running += 1;
                tenant.turns = turn.0 + 1;
                self.turns = turn.0;
                self.running += 1;
                self.queued -= 1;
                // Who does not hear it any more gives the slot back when it sees that it waits no more.
                let _ = begin.send(());
            }
            self.settle(&name);
        }
    }

    /// Puts a tenant among those whose turn may come, or takes it from there, as it should be now.
    fn settle(&mut self, name: &TenantName) {
        let Some(tenant) = self.tenants.get_mut(name) else { return };
        let is_ready = !tenant.waiting.is_empty() && tenant.running < tenant.concurrent_runs;
        match tenant.ready {
            None if is_ready => {
                tenant.turns = tenant.turns.max(self.turns);
                let turn = (tenant.turns, self.next);
                self.next += 1;
                tenant.ready = Some(turn);
                self.ready.insert(turn, name.clone());
            }
            Some(turn) if !is_ready => {
                tenant.ready = None;
                self.ready.remove(&turn);
            }
            _ => {}
        }
    }

    /// A run has ended, or was given up before it began.
    fn leave(&mut self, name: &TenantName) {
        self.running -= 1;
        if let Some(tenant) = self.tenants.get_mut(name) {
            tenant.running -= 1;
        }
        self.settle(name);
        self.begin_next();
    }

    /// Forgets tenants of whom nothing has to be known, now and then: their names may have come and gone with policies.
    fn sweep(&mut self, now: Instant) {
        if self.tenants.len() < self.sweep_at {
            return;
        }
        let (turns, queued) = (self.turns, self.queued);
        self.tenants.retain(|_, tenant| {
            let had_its_turn = tenant.turns > turns && queued > 0;
            tenant.running > 0 || !tenant.waiting.is_empty() || had_its_turn || !tenant.bucket.is_full(now)
        });
        self.sweep_at = (2 * self.tenants.len()).max(KEPT_TENANTS);
    }
}

/// After how long the next of a tenant begins, which makes room in its queue: when one of its own ends, or where none runs, when all other
/// tenants have had a turn.
fn next_begins(mean_run: Duration, running: usize, others: usize, slots: usize) -> Duration {
    let part = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
    if running > 0 { mean_run / part(running) } else { mean_run.saturating_mul(part(others)) / part(slots) }
}

/// How many runs may begin at once after a while without any.
fn burst(rates: &Rates) -> f64 {
    rates.runs_per_second.max(1.0)
}

impl Tenant {
    fn new(rates: &Rates, now: Instant) -> Self {
        Self {
            running: 0,
            concurrent_runs: rates.concurrent_runs,
            waiting: BTreeMap::new(),
            bucket: Bucket::new(rates.runs_per_second, burst(rates), now),
            turns: 0,
            ready: None,
        }
    }
}

impl Refused {
    fn new(why: Why, wait: Duration) -> Self {
        let whole = Duration::from_secs(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
        Self { why, retry_after: whole.clamp(RETRY_AFTER.0, RETRY_AFTER.1) }
    }
}

/// One who waits.
#[derive(Debug)]
struct Waiting {
    admission: Admission,
    tenant: TenantName,
    number: u64,
    begins: oneshot::Receiver<()>,
    /// Whether its slot is another's to give back.
    taken: bool,
}

impl Waiting {
    async fn place(mut self) -> Place {
        // The other end is used before it is dropped, but for one who is dropped itself.
        let _ = (&mut self.begins).await;
        self.taken = true;
        Place { admission: self.admission.clone(), tenant: self.tenant.clone(), since: Instant::now() }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut state = self.admission.state();
        let waited = state.tenants.get_mut(&self.tenant).and_then(|tenant| tenant.waiting.remove(&self.number));
        match waited {
            Some(_) => {
                state.queued -= 1;
                state.settle(&self.tenant);
            }
            None => state.leave(&self.tenant),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.mean_run = (state.mean_run.saturating_mul(MEAN_OF - 1)).saturating_add(self.since.elapsed()) / MEAN_OF;
        state.leave(&self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const RUN: Duration = Duration::from_millis(10);

    fn tenant(name: &str) -> TenantName {
        TenantName::parse(name).unwrap()
    }

    fn rates(concurrent_runs: usize, queue: usize) -> Rates {
        Rates { concurrent_runs, runs_per_second: 1e9, queue }
    }

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    /// Admits or refuses without waiting.
    fn at_once(admission: &Admission, name: &str, rates: &Rates) -> Option<Result<Place, Refused>> {
        poll(pin!(admission.admit(&tenant(name), rates)))
    }

    fn refused(admission: &Admission, name: &str, rates: &Rates) -> (Why, u64) {
        let refused = at_once(admission, name, rates).expect("it does not wait").unwrap_err();
        (refused.why, refused.retry_after.as_secs())
    }

    fn counts(admission: &Admission) -> (usize, usize) {
        (admission.running(), admission.queued())
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_run_than_there_are_slots() {
        let (admission, rates) = (Admission::new(2), rates(9, 9));
        let [a, b] = ["a", "b"].map(|name| at_once(&admission, name, &rates).unwrap().unwrap());
        let name = tenant("c");
        let mut c = pin!(admission.admit(&name, &rates));
        assert!(poll(c.as_mut()).is_none());
        assert_eq!(counts(&admission), (2, 1));
        drop(a);
        let c = poll(c.as_mut()).expect("there is a slot").unwrap();
        assert_eq!(counts(&admission), (2, 0));
        drop((b, c));
        assert_eq!(counts(&admission), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_no_more_runs_than_it_may() {
        let (admission, rates) = (Admission::new(9), rates(1, 1));
        let (a, b) = (tenant("a"), tenant("b"));
        let first = admission.admit(&a, &rates).await.unwrap();
        let mut second = pin!(admission.admit(&a, &rates));
        assert!(poll(second.as_mut()).is_none());
        assert_eq!(refused(&admission, "a", &rates), (Why::QueueFull, 1));
        // Another's is not behind it.
        let other = admission.admit(&b, &rates).await.unwrap();
        assert_eq!(counts(&admission), (2, 1));
        drop(other);
        assert!(poll(second.as_mut()).is_none(), "the slot is no use to it");
        drop(first);
        assert!(poll(second.as_mut()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_queue_a_run_begins_or_does_not() {
        let (admission, rates) = (Admission::new(1), rates(9, 0));
        let place = at_once(&admission, "a", &rates).unwrap().unwrap();
        assert_eq!(refused(&admission, "a", &rates).0, Why::QueueFull);
        assert_eq!(refused(&admission, "b", &rates).0, Why::QueueFull);
        drop(place);
        at_once(&admission, "b", &rates).unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn runs_of_one_tenant_begin_in_their_order() {
        let (admission, rates, name) = (Admission::new(1), rates(9, 9), tenant("a"));
        let mut place = admission.admit(&name, &rates).await.unwrap();
        let mut waiting: Vec<_> = (0..5).map(|_| Box::pin(admission.admit(&name, &rates))).collect();
        assert!(waiting.iter_mut().all(|waiting| poll(waiting.as_mut()).is_none()));
        while !waiting.is_empty() {
            drop(place);
            assert!(waiting.iter_mut().skip(1).all(|waiting| poll(waiting.as_mut()).is_none()));
            place = poll(waiting.remove(0).as_mut()).expect("the first is next").unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_queue_is_not_before_anothers_next_run() {
        let (admission, rates, hog) = (Admission::new(2), rates(1000, 1000), tenant("hog"));
        let mut places: Vec<_> = vec![admission.admit(&hog, &rates).await.unwrap(), admission.admit(&hog, &rates).await.unwrap()];
        let mut queue: Vec<_> = (0..1000).map(|_| Box::pin(admission.admit(&hog, &rates))).collect();
        assert!(queue.iter_mut().all(|waiting| poll(waiting.as_mut()).is_none()));
        let victims = ["a", "b"].map(tenant);
        for name in &victims {
            let mut victim = pin!(admission.admit(name, &rates));
            assert!(poll(victim.as_mut()).is_none());
            drop(places.remove(0));
            places.push(poll(victim.as_mut()).expect("the next slot is its").unwrap());
        }
        // Both have had a turn, and the hog's comes before their next.
        let mut again = pin!(admission.admit(&victims[0], &rates));
        assert!(poll(again.as_mut()).is_none());
        drop(places.remove(0));
        places.push(poll(queue[0].as_mut()).expect("it is the hog's turn").unwrap());
        drop(places.remove(0));
        assert!(poll(again.as_mut()).is_some());
    }

    /// Jain's index of fairness: 1 where all have as much, 1/n where one has all.
    fn jain(shares: &[u32]) -> f64 {
        let shares: Vec<_> = shares.iter().map(|share| f64::from(*share)).collect();
        let (sum, squares) = (shares.iter().sum::<f64>(), shares.iter().map(|share| share * share).sum::<f64>());
        sum * sum / (shares.len() as f64 * squares)
    }

    /// How many runs of each tenant end in 10 s, where each has so many clients that ask again as soon as they were answered.
    async fn shares(slots: usize, clients: &[usize], run: impl Fn(usize) -> Duration + Copy + 'static) -> Vec<u32> {
        let local = tokio::task::LocalSet::new();
        let counts: Vec<_> = clients.iter().map(|_| Rc::new(Cell::new(0))).collect();
        let admission = Admission::new(slots);
        for (index, clients) in clients.iter().enumerate() {
            for _ in 0..*clients {
                let (admission, count, name) = (admission.clone(), Rc::clone(&counts[index]), tenant(&format!("t{index}")));
                local.spawn_local(async move {
                    loop {
                        let place = admission.admit(&name, &rates(1000, 1000)).await.unwrap();
                        tokio::time::sleep(run(index)).await;
                        drop(place);
                        count.set(count.get() + 1);
                    }
                });
            }
        }
        local.run_until(tokio::time::sleep(Duration::from_secs(10))).await;
        counts.iter().map(|count| count.get()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn equal_demands_have_equal_shares() {
        for slots in [1, 2, 3, 8] {
            let shares = shares(slots, &[4; 10], |_| RUN).await;
            assert!(jain(&shares) >= 0.99, "{shares:?}");
            let all = u32::try_from(slots * 1000).unwrap();
            assert!(shares.iter().sum::<u32>() >= all * 99 / 100, "no slot is idle: {shares:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hog_has_no_more_than_nine_others() {
        for slots in [1, 2, 4] {
            let mut clients = [slots; 10];
            clients[0] = 1000;
            let shares = shares(slots, &clients, |_| RUN).await;
            assert!(jain(&shares) >= 0.95, "{shares:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hog_is_not_starved_by_those_who_come_again_and_again() {
        let mut clients = [1; 10];
        clients[0] = 1000;
        let shares = shares(1, &clients, |_| RUN).await;
        assert!(jain(&shares) >= 0.95, "{shares:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn slots_that_others_do_not_use_are_anybodys() {
        let shares = shares(4, &[10, 1], |_| RUN).await;
        assert!(shares[0] + shares[1] >= 3960, "no slot is idle: {shares:?}");
        // Its one client waits for one run of another's, at most, before each of its own.
        assert!(shares[1] >= 490, "{shares:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_begins_no_more_in_a_second_than_it_may() {
        let admission = Admission::new(9);
        let rates = Rates { concurrent_runs: 9, runs_per_second: 2.0, queue: 9 };
        for _ in 0..2 {
            at_once(&admission, "a", &rates).unwrap().unwrap();
        }
        assert_eq!(refused(&admission, "a", &rates), (Why::Rate, 1));
        at_once(&admission, "b", &rates).unwrap().unwrap();
        tokio::time::advance(Duration::from_millis(500)).await;
        at_once(&admission, "a", &rates).unwrap().unwrap();
        assert_eq!(refused(&admission, "a", &rates), (Why::Rate, 1));
        // What is not used is not saved up.
        tokio::time::advance(Duration::from_secs(3600)).await;
        for _ in 0..2 {
            at_once(&admission, "a", &rates).unwrap().unwrap();
        }
        assert_eq!(refused(&admission, "a", &rates), (Why::Rate, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_as_told_is_admitted() {
        for (runs_per_second, seconds) in [(0.1, 10), (0.3, 4), (0.001, 60), (0.0, 60)] {
            let admission = Admission::new(9);
            let rates = Rates { concurrent_runs: 9, runs_per_second, queue: 9 };
            at_once(&admission, "a", &rates).unwrap().unwrap();
            assert_eq!(refused(&admission, "a", &rates), (Why::Rate, seconds));
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(at_once(&admission, "a", &rates).unwrap().is_ok(), seconds < 60);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_costs_no_token_and_is_estimated_by_past_runs() {
        let admission = Admission::new(1);
        let rates = Rates { concurrent_runs: 1, runs_per_second: 1.0, queue: 0 };
        for _ in 0..100 {
            let place = at_once(&admission, "a", &rates).unwrap().unwrap();
            tokio::time::advance(Duration::from_secs(20)).await;
            drop(place);
        }
        let _place = at_once(&admission, "a", &rates).unwrap().unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..5 {
            assert_eq!(refused(&admission, "a", &rates), (Why::QueueFull, 20));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closed_it_lets_those_run_who_wait() {
        let (admission, rates, name) = (Admission::new(1), rates(9, 9), tenant("a"));
        let place = admission.admit(&name, &rates).await.unwrap();
        let mut waiting = pin!(admission.admit(&name, &rates));
        assert!(poll(waiting.as_mut()).is_none());
        admission.close();
        assert_eq!(refused(&admission, "a", &rates), (Why::Closed, 1));
        drop(place);
        poll(waiting.as_mut()).expect("it has waited").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn slots_can_be_more_and_fewer() {
        let (admission, rates, name) = (Admission::new(1), rates(9, 9), tenant("a"));
        let place = admission.admit(&name, &rates).await.unwrap();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(admission.admit(&name, &rates))).collect();
        assert!(waiting.iter_mut().all(|waiting| poll(waiting.as_mut()).is_none()));
        admission.set_slots(3);
        assert_eq!(counts(&admission), (3, 1));
        admission.set_slots(0);
        let two: Vec<_> = waiting.drain(..2).map(|mut waiting| poll(waiting.as_mut()).unwrap().unwrap()).collect();
        drop(two);
        assert_eq!(counts(&admission), (1, 1), "one is the least, and one runs");
        drop(place);
        assert_eq!(counts(&admission), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_higher_allowance_lets_those_run_who_wait() {
        let (admission, name) = (Admission::new(9), tenant("a"));
        let _place = admission.admit(&name, &rates(1, 9)).await.unwrap();
        let few = rates(1, 9);
        let mut waiting = pin!(admission.admit(&name, &few));
        assert!(poll(waiting.as_mut()).is_none());
        let more = rates(2, 9);
        let mut next = pin!(admission.admit(&name, &more));
        assert!(poll(next.as_mut()).is_none());
        assert!(poll(waiting.as_mut()).is_some(), "it came first");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_loses_no_slot() {
        let (admission, rates, name) = (Admission::new(1), rates(9, 9), tenant("a"));
        // Before it is asked at all, while it waits, when it could begin and does not know yet, and when it has begun.
        drop(admission.admit(&name, &rates));
        let place = admission.admit(&name, &rates).await.unwrap();
        {
            let mut waiting = pin!(admission.admit(&name, &rates));
            assert!(poll(waiting.as_mut()).is_none());
            assert_eq!(counts(&admission), (1, 1));
        }
        assert_eq!(counts(&admission), (1, 0));
        let other = tenant("b");
        let mut behind = pin!(admission.admit(&other, &rates));
        {
            let mut waiting = pin!(admission.admit(&name, &rates));
            assert!(poll(waiting.as_mut()).is_none());
            drop(place);
            assert_eq!(counts(&admission), (1, 0));
            assert!(poll(behind.as_mut()).is_none());
        }
        assert_eq!(counts(&admission), (1, 0), "the slot is the next one's");
        drop(poll(behind.as_mut()).expect("it has the slot").unwrap());
        assert_eq!(counts(&admission), (0, 0));
        assert!(admission.state().ready.is_empty());
    }

    /// At any time, in any order: each step asks, looks, gives up or ends, by a fixed sequence of pseudo-random numbers.
    #[tokio::test(start_paused = true)]
    async fn nothing_is_lost_however_they_come_and_go() {
        let admission = Admission::new(3);
        let names: Vec<_> = (0..5).map(|index| tenant(&format!("t{index}"))).collect();
        let rates = rates(2, 4);
        let (mut waiting, mut places) = (Vec::new(), Vec::new());
        let mut random = 1_u64;
        for _ in 0..20_000 {
            // Knuth's MMIX; the upper bits are the good ones.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pick = usize::try_from(random >> 40).unwrap();
            match (random >> 33) % 5 {
                0 | 1 => waiting.push(Box::pin(admission.admit(&names[pick % names.len()], &rates))),
                2 if !waiting.is_empty() => drop(waiting.swap_remove(pick % waiting.len())),
                3 if !places.is_empty() => drop(places.swap_remove(pick % places.len())),
                _ => {
                    let mut still = Vec::new();
                    for mut future in waiting {
                        match poll(future.as_mut()) {
                            Some(done) => places.extend(done.ok()),
                            None => still.push(future),
                        }
                    }
                    waiting = still;
                }
            }
            let state = admission.state();
            assert!(state.running <= 3 && state.tenants.values().all(|tenant| tenant.running <= 2 && tenant.waiting.len() <= 4));
            assert_eq!(state.running, state.tenants.values().map(|tenant| tenant.running).sum::<usize>());
            assert_eq!(state.queued, state.tenants.values().map(|tenant| tenant.waiting.len()).sum::<usize>());
            assert!(state.running == 3 || state.ready.is_empty(), "no slot is free while somebody could run");
            let ready = state.tenants.values().filter(|tenant| !tenant.waiting.is_empty() && tenant.running < 2);
            assert_eq!(ready.count(), state.ready.len());
        }
        drop((waiting, places));
        assert_eq!(counts(&admission), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn tenants_of_the_past_are_forgotten() {
        let admission = Admission::new(9);
        let rates = Rates { concurrent_runs: 9, runs_per_second: 1.0, queue: 9 };
        for index in 0..10_000 {
            at_once(&admission, &format!("t{index}"), &rates).unwrap().unwrap();
            tokio::time::advance(Duration::from_millis(100)).await;
            assert!(admission.state().tenants.len() <= KEPT_TENANTS);
        }
        // One whose rate is still counted is not.
        assert_eq!(refused(&admission, "t9999", &rates).0, Why::Rate);
    }
}
