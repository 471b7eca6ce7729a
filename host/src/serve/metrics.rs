//! stub
use std::time::Duration;
use super::admission::Admission; use super::audit::Counts; use super::outcome::Outcome; use super::policy::TenantName;
#[derive(Clone, Default)] pub(crate) struct Metrics;
impl Metrics {
    pub(crate) const CONTENT_TYPE: &'static str = "text/plain";
    pub(crate) fn new() -> Self { Self }
    pub(crate) fn encode(&self) -> String { String::new() }
    pub(crate) fn watch(&self, _: &Admission) {}
    pub(crate) fn set_tenants<'a>(&self, _: impl Iterator<Item = &'a TenantName>) {}
    pub(crate) fn run_admitted(&self, _: &TenantName, _: Duration) {}
    pub(crate) fn run_ended(&self, _: &TenantName, _: Outcome, _: &Counts, _: Duration) {}
    pub(crate) fn audit_recorded(&self, _: bool) {}
    pub(crate) fn upstream_called(&self, _: Option<u16>, _: bool, _: Duration) {}
    pub(crate) fn http_answered(&self, _: &'static str, _: &hyper::Method, _: u16, _: Duration) {}
    pub(crate) fn http_rejected(&self, _: &'static str) {}
    pub(crate) fn cache_holds(&self, _: usize, _: usize) {}
    pub(crate) fn policy_reloaded(&self, _: bool) {}
}
