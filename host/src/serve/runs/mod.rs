//! One tenant's run: admitted, put on record, given pods as that tenant, and put on record again.
//!
//! Guests run on threads of their own (`Runner::guests`); what waits for the network, for clients and for a turn does so elsewhere, so that a
//! guest that computes keeps nobody else waiting. `report.rs` is what is remembered of a run, `answers.rs` counts what clients have not
//! taken yet, and `witness.rs` puts on record what the API server was asked.

mod answers;
mod report;
mod witness;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Error, Kind};
use crate::limits::Limit;
use crate::query::{Argument, Description, Row};
use crate::runtime::{Digest, LogLine, Report, Run, RunOptions};
use crate::serve::admission::{Admission, Place, Refused};
use crate::serve::audit::{self, Allowed, AuditLog, Counts, Decision, Event, Recorded, RunComplete, RunStarted};
use crate::serve::authenticate::Authenticated;
use crate::serve::cache::{AccessReviews, Cache, Reading, TenantPods};
use crate::serve::metrics::{Metrics, RunEnded};
use crate::serve::outcome::Outcome;
use crate::serve::policy::{Tenant, TenantName};
use crate::serve::queries::Loaded;
use crate::serve::traces::Span;
use crate::source::ApiServer;
use crate::text;

pub(crate) use answers::{Answer, Answers};
pub(crate) use report::{Reports, RunReport, source};
pub(crate) use witness::CallWitness;

/// How much longer than a run may take its rows may, to whoever reads them as they come. Arbitrary.
const TAKING_TIME: Duration = Duration::from_secs(10);

/// The tenants of a policy.
type Tenants = BTreeMap<TenantName, Arc<Tenant>>;

/// Starts runs, and sees to it that none goes unrecorded.
pub(crate) struct Runner {
    /// The host's own client: each run gets one that acts as its tenant.
    pub(crate) client: Client,
    pub(crate) access: Arc<AccessReviews>,
    /// Of the policy of the moment: who waited for a turn begins only if nothing has changed for him.
    pub(crate) tenants: watch::Sender<Tenants>,
    /// Changes with the policy.
    pub(crate) cache: RwLock<Option<Arc<Cache>>>,
    pub(crate) admission: Admission,
    pub(crate) audit: AuditLog,
    pub(crate) metrics: Metrics,
    pub(crate) reports: Reports,
    pub(crate) answers: Answers,
    /// Where guests run.
    pub(crate) guests: Handle,
    /// Where everything else does.
    pub(crate) io: Handle,
}

/// What is to be run, by whom.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) caller: Authenticated,
    /// For the record.
    pub(crate) told: audit::Caller,
    /// What the tenant calls it.
    pub(crate) name: String,
    pub(crate) loaded: Arc<Loaded>,
    /// Why it may.
    pub(crate) allowed: Allowed,
    pub(crate) arguments: Vec<Argument>,
    /// Whether the cache is not good enough.
    pub(crate) fresh: bool,
    /// Of the policy that all of this is by.
    pub(crate) policy: Digest,
}

/// Why there is no run.
#[derive(Debug)]
pub(crate) enum NoRun {
    /// There is no room for it now.
    Refused(Refused),
    /// The policy has become another one for this tenant while it waited.
    Changed,
    /// It cannot be put on record.
    NoAudit,
}

impl Runner {
    /// Waits for a turn, and starts.
    pub(crate) async fn start(self: &Arc<Self>, wish: Wish) -> Result<TenantRun, NoRun> {
        if self.audit.turns_away() {
            return Err(NoRun::NoAudit);
        }
        let tenant = Arc::clone(&wish.caller.tenant);
        let queued = std::time::Instant::now();
        let request = Span::current();
        let place = request.within("queue", self.admission.admit(&tenant.name, &tenant.rates)).await.map_err(|refused| {
            self.metrics.run_not_begun(&tenant.name, Outcome::Throttled);
            NoRun::Refused(refused)
        })?;
        let queued = queued.elapsed();
        // Taken before it is asked whether the policy is still the same: a newer one's cache is then never read by an older one's run.
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| !wish.fresh);
        if self.while_same(&tenant, || ()).is_none() {
            return Err(NoRun::Changed);
        }
        let id = Uuid::new_v4();
        let place = Arc::new(place);
        let trace = request.run(id, &wish.caller, &wish.name, wish.loaded.query.digest());
        let digest = wish.loaded.query.digest().to_string();
        let words = format!("tenant/{} component/{} run/{id}", tenant.name, digest.get(..19).unwrap_or(&digest));
        let witness = CallWitness {
            audit: self.audit.clone(),
            metrics: self.metrics.clone(),
            run: Some((id, tenant.name.clone())),
            trace: Some(trace.clone()),
            place: Some(Arc::clone(&place)),
        };
        let client = self.client.witnessed(Arc::new(witness)).acting(tenant.identity.acting()).announcing(&words);
        let access = Arc::clone(&self.access);
        let pods = TenantPods::new(cache, ApiServer::new(client), tenant.identity.clone(), access, self.io.clone(), trace.clone());
        let pods = Arc::new(pods);
        let options = RunOptions {
            grant: tenant.grant.clone(),
            limits: tenant.limits.clone(),
            arguments: wish.arguments.clone(),
            log: Arc::new({
                let tenant = tenant.name.clone();
                move |line: LogLine| tracing::info!(target: "podlens::guest", %tenant, run = %id, "{}", line.text)
            }),
            now: None,
        };
        let recorded = self.audit.record(Event::RunStarted(RunStarted { run: on_record(id, &wish) }));
        if recorded.is_refused() {
            return Err(NoRun::NoAudit);
        }
        // From here on its end is on record, too, whoever gives up waiting.
        let (runner, open, started) = (Arc::clone(self), Some(Open { run: None, place }), Timestamp::now());
        let tenants = self.tenants.subscribe();
        let mut begun =
            TenantRun { open, tenants, is_revoked: false, runner, wish, id, trace, pods, queued, started, began: Instant::now() };
        recorded.written().await.map_err(|_| NoRun::NoAudit)?;

        let entered = self.guests.enter();
        let run = begun.wish.loaded.query.run(begun.pods.clone(), options);
        drop(entered);
        begun.began = Instant::now();
        if let Some(open) = &mut begun.open {
            open.run = Some(run);
        }
        Ok(begun)
    }

    /// Does something if the policy has not changed for a tenant; it does not change meanwhile.
    pub(crate) fn while_same<T>(&self, tenant: &Arc<Tenant>, work: impl FnOnce() -> T) -> Option<T> {
        let tenants = self.tenants.borrow();
        tenants.get(&tenant.name).is_some_and(|now| now == tenant).then(work)
    }
}

fn on_record(id: Uuid, wish: &Wish) -> audit::Run {
    audit::Run {
        run_id: id,
        tenant: wish.caller.tenant.name.clone(),
        caller: wish.told.clone(),
        query: wish.name.clone(),
        component_digest: Some(wish.loaded.query.digest()),
        policy_digest: wish.policy,
        decision: Decision::Allow(wish.allowed),
        parameters: wish.arguments.iter().map(|argument| argument.name.clone()).collect(),
    }
}

/// A tenant's run in progress. Dropped before its end, it is cancelled, and is on record as that.
pub(crate) struct TenantRun {
    /// `None` once it has ended.
    open: Option<Open>,
    /// Those of the policy, as it changes.
    tenants: watch::Receiver<Tenants>,
    /// Whether its tenant was gone as its rows were read.
    is_revoked: bool,
    runner: Arc<Runner>,
    wish: Wish,
    id: Uuid,
    trace: Span,
    pods: Arc<TenantPods>,
    /// How long it waited for its turn.
    queued: Duration,
    started: Timestamp,
    /// When the guest began.
    began: Instant,
}

struct Open {
    /// `None` until its beginning is on record.
    run: Option<Run>,
    place: Arc<Place>,
}

impl TenantRun {
    /// Its name: in the audit log, to the API server, and to ask for its report.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn description(&self) -> &Description {
        self.wish.loaded.query.description()
    }

    /// Of when its pods are, as far as they were read.
    pub(crate) fn reading(&self) -> Reading {
        self.pods.reading()
    }

    /// By when it has ended, and its answer should have been taken: a client that takes it slowly keeps a place that others wait for.
    pub(crate) fn deadline(&self) -> Instant {
        self.began + self.wish.caller.tenant.limits.duration(Limit::WallTime) + TAKING_TIME
    }

    /// The next row; `None` after the last.
    pub(crate) async fn next_row(&mut self) -> Option<Row> {
        let run = self.open.as_mut()?.run.as_mut()?;
        tokio::select! {
            biased;
            () = gone(&mut self.tenants, &self.wish.caller.tenant.name) => {
                self.is_revoked = true;
                None
            }
            row = run.next_row() => row,
        }
    }

    /// Returns when the policy does not have its tenant any more.
    pub(crate) async fn revoked(&mut self) {
        gone(&mut self.tenants, &self.wish.caller.tenant.name).await;
    }

    /// Waits for the end, puts it on record, and says how it was. An answer that cannot be put on record is none.
    pub(crate) async fn finish(mut self) -> (Result<(), Error>, Arc<RunReport>) {
        const REVOKED: &str = "the policy does not have this tenant any more";
        let run = self.open.as_mut().and_then(|open| open.run.as_mut());
        let ending = match run {
            // Rows were left unread, which would be lost in silence.
            Some(_) if self.is_revoked => Err(REVOKED),
            // Given up here, dropping this still has it, and puts it on record as cancelled.
            Some(run) => tokio::select! {
                biased;
                () = gone(&mut self.tenants, &self.wish.caller.tenant.name) => Err(REVOKED),
                ending = run.ended() => Ok(ending),
            },
            None => Err("the run has ended"),
        };
        let ending = match ending {
            Ok(ending) => ending,
            Err(why) => {
                let report = self.cancel();
                return (Err(Error::new(Kind::Denied, why)), report.unwrap_or_else(|| self.cancelled(None)));
            }
        };
        // Until it is on record.
        let _place = self.open.take().map(|open| open.place);
        let result = match (ending.result, ending.report.incomplete.clone()) {
            (Ok(()), Some(error)) => Err(error.told_as("the query has not seen all pods")),
            (result, _) => result,
        };
        let outcome = Outcome::of(&result);
        if outcome == Outcome::Internal {
            self.runner.metrics.panicked();
        }
        self.runner.metrics.postcheck_violated(ending.report.foreign_pods);
        let report = RunReport::new(self.id, &self.wish, self.started, outcome, &ending.report, &self.pods.reading(), &result);
        // Who asked is told the outermost words alone; who runs this server has to know all of them. What the grant denies is told in full.
        let is_known = outcome == Outcome::Denied && report.ended_by.is_some();
        if let (Outcome::Upstream | Outcome::Internal | Outcome::Denied, Err(error), false) = (outcome, &result, is_known) {
            let (tenant, run) = (&self.wish.caller.tenant.name, self.id);
            tracing::warn!(%tenant, %run, cause = error.causes_in_line(), "a run failed: {}", text::visible(&error.to_string()));
        }
        let report = self.runner.reports.keep(report);
        match self.end(&report).written().await {
            Ok(()) => (result, report),
            Err(_) => (Err(Error::unavailable("the run could not be put on record, and its answer is withheld", None)), report),
        }
    }

    fn cancelled(&self, report: Option<&Report>) -> Arc<RunReport> {
        let report = RunReport::cancelled(self.id, &self.wish, self.started, report, &self.pods.reading());
        self.runner.reports.keep(report)
    }

    fn end(&self, report: &RunReport) -> Recorded {
        let Counts { pods, rows, response_bytes, host_calls, cpu_milliseconds, peak_memory_bytes, .. } = report.counts;
        let ended = RunEnded {
            outcome: report.outcome,
            queued: self.queued,
            elapsed: report.elapsed,
            cpu: Duration::from_millis(cpu_milliseconds),
            peak_memory_bytes,
            host_calls,
            pods,
            response_bytes,
            rows,
        };
        self.runner.metrics.run_ended(&self.wish.caller.tenant.name, &ended);
        self.trace.run_ended(&ended);
        self.runner.audit.record(Event::RunComplete(RunComplete {
            run: on_record(self.id, &self.wish),
            outcome: report.outcome,
            denied: report.denied.clone(),
            counts: report.counts,
            source: report.source,
            resource_version: report.resource_version.clone(),
        }))
    }

    /// Ends it, if it has not ended, and puts that on record.
    fn cancel(&mut self) -> Option<Arc<RunReport>> {
        let Open { run, place } = self.open.take()?;
        let report = run.as_ref().map(Run::so_far);
        drop(run);
        let report = self.cancelled(report.as_ref());
        // Nobody waits for its answer.
        drop(self.end(&report));
        // Only now: the server ends once no place is taken.
        drop(place);
        Some(report)
    }
}

/// Returns when the policy does not have this tenant any more.
async fn gone(tenants: &mut watch::Receiver<Tenants>, tenant: &TenantName) {
    // An error would mean that the policy changes no more, and a run has its other end.
    let _ = tenants.wait_for(|tenants| !tenants.contains_key(tenant)).await;
}

impl Drop for TenantRun {
    fn drop(&mut self) {
        self.cancel();
    }
}
