//! What is remembered of a run, for the tenant whose it was. Not what was in it: counts, times and words of ours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Wish;
use crate::Report;
use crate::error::Error;
use crate::limits::{Limit, Limits};
use crate::runtime::{Digest, HostFunction};
use crate::serve::audit::{Counts, PodsFrom};
use crate::serve::cache::Reading;
use crate::serve::outcome::Outcome;
use crate::serve::policy::TenantName;

/// Most reports of one tenant, and most tenants of whom there are some. Arbitrary; some 2 KB each.
const KEPT_OF_TENANT: usize = 100;
const KEPT_TENANTS: usize = 200;

/// One run, ended.
#[derive(Debug)]
pub(crate) struct RunReport {
    id: Uuid,
    tenant: TenantName,
    query: String,
    digest: Digest,
    started: Timestamp,
    pub(crate) elapsed: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) counts: Counts,
    pub(crate) source: Option<PodsFrom>,
    pub(crate) resource_version: Option<String>,
    observed: Option<Timestamp>,
    warnings: Vec<String>,
    /// What the grant has refused last.
    pub(crate) denied: Option<String>,
    /// The same, where that is what ended the run.
    pub(crate) ended_by: Option<String>,
    calls: Vec<(&'static str, u64)>,
    /// Used, and the limit.
    limits: Vec<(Limit, u64, u64)>,
    problem: Option<Value>,
}

impl RunReport {
    pub(super) fn new(
        id: Uuid,
        wish: &Wish,
        started: Timestamp,
        outcome: Outcome,
        report: &Report,
        reading: &Reading,
        result: &Result<(), Error>,
    ) -> Self {
        let error = result.as_ref().err();
        // A query may have gone on after one, and ended for another reason.
        let ends = |denied: &String| error.is_some_and(|error| error.causes().any(|cause| cause.to_string().contains(denied)));
        let ended_by = report.denied.clone().filter(ends);
        Self { problem: error.map(problem), ended_by, ..Self::of(id, wish, started, outcome, Some(report), reading) }
    }

    /// Of one that did not come to its end. `report`: what it was by then, if it began.
    pub(super) fn cancelled(id: Uuid, wish: &Wish, started: Timestamp, report: Option<&Report>, reading: &Reading) -> Self {
        Self::of(id, wish, started, Outcome::Cancelled, report, reading)
    }

    fn of(id: Uuid, wish: &Wish, started: Timestamp, outcome: Outcome, report: Option<&Report>, reading: &Reading) -> Self {
        let limits: &Limits = &wish.caller.tenant.limits;
        let used = |limit| match (report, limit) {
            (None, _) => 0,
            (Some(report), Limit::Memory) => report.peak_memory(),
            (Some(report), limit) => report.used(limit),
        };
        let calls = |report: &Report| HostFunction::ALL.iter().map(|function| (function.name(), report.calls(*function))).collect();
        Self {
            id,
            tenant: wish.caller.tenant.name.clone(),
            query: wish.name.clone(),
            digest: wish.loaded.query.digest(),
            started,
            elapsed: report.map_or(Duration::ZERO, |report| report.elapsed),
            outcome,
            counts: Counts {
                pods: used(Limit::Pods),
                rows: used(Limit::Rows),
                requests: used(Limit::Requests),
                response_bytes: used(Limit::ResponseBytes),
                host_calls: used(Limit::HostCalls),
                cpu_milliseconds: used(Limit::CpuTime),
                wall_milliseconds: used(Limit::WallTime),
                peak_memory_bytes: used(Limit::Memory),
            },
            source: reading.from,
            resource_version: reading.resource_version.clone(),
            observed: reading.observed,
            warnings: report.map(|report| report.warnings.clone()).unwrap_or_default(),
            denied: report.and_then(|report| report.denied.clone()),
            ended_by: None,
            calls: report.map(calls).unwrap_or_default(),
            limits: Limit::ALL.iter().map(|limit| (*limit, used(*limit), limits.get(*limit))).collect(),
            problem: None,
        }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Of when its pods were.
    pub(crate) fn reading(&self) -> Reading {
        Reading { from: self.source, resource_version: self.resource_version.clone(), observed: self.observed }
    }

    /// As JSON, for the tenant.
    pub(crate) fn json(&self) -> Value {
        let limits: serde_json::Map<_, _> = self
            .limits
            .iter()
            .map(|(limit, used, most)| {
                let unit = match limit.unit() {
                    crate::limits::Unit::Count => "count",
                    crate::limits::Unit::Bytes => "bytes",
                    crate::limits::Unit::Milliseconds => "milliseconds",
                };
                (limit.name().to_owned(), json!({ "used": used, "limit": most, "unit": unit }))
            })
            .collect();
        let calls: serde_json::Map<_, _> =
            self.calls.iter().map(|(function, times)| ((*function).to_owned(), (*times).into())).collect();
        json!({
            "runID": self.id.to_string(),
            "query": self.query,
            "digest": self.digest.to_string(),
            "started": self.started.to_string(),
            "elapsedMilliseconds": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "outcome": self.outcome.name(),
            "limitReached": self.outcome.limit(),
            "source": self.source.map(source),
            "resourceVersion": self.resource_version,
            "observedAt": self.observed.map(|at| at.to_string()),
            "limits": limits,
            "calls": calls,
            "warnings": self.warnings,
            "denied": self.denied,
            "problem": self.problem,
        })
    }
}

/// Where pods came from, as a header and a report name it.
pub(crate) fn source(from: PodsFrom) -> &'static str {
    match from {
        PodsFrom::Cache => "cache",
        PodsFrom::ApiServer => "api-server",
    }
}

/// An error for the tenant: of the query's own words all of them; of the cluster's none, which are for the server's owner.
fn problem(error: &Error) -> Value {
    let causes: Vec<_> = error.causes().filter(|_| error.is_query()).map(ToString::to_string).collect();
    json!({ "message": error.to_string(), "causes": causes })
}

/// The last runs of each tenant.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<BTreeMap<TenantName, VecDeque<Arc<RunReport>>>>);

impl Reports {
    pub(super) fn keep(&self, report: RunReport) -> Arc<RunReport> {
        let report = Arc::new(report);
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() >= KEPT_TENANTS && !reports.contains_key(&report.tenant) {
            let oldest = reports.iter().min_by_key(|(_, of)| of.back().map(|report| report.started)).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                reports.remove(&oldest);
            }
        }
        let of_tenant = reports.entry(report.tenant.clone()).or_default();
        if of_tenant.len() == KEPT_OF_TENANT {
            of_tenant.pop_front();
        }
        of_tenant.push_back(Arc::clone(&report));
        report
    }

    /// A run of this tenant's. Of another's there is none.
    pub(crate) fn find(&self, tenant: &TenantName, id: Uuid) -> Option<Arc<RunReport>> {
        let reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.get(tenant)?.iter().rev().find(|report| report.id == id).cloned()
    }
}
