//! What one run of a tenant may use: where its policy says nothing, and at the most.

use crate::limits::{Limit, Limits};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Of a tenant whose policy sets none. Smaller than those of `podlens run`: there is one user there, and one run.
pub(super) fn defaults() -> Limits {
    Limit::ALL.iter().fold(Limits::default(), |limits, limit| limits.with(*limit, bounds(*limit).0))
}

/// The most that a policy may set.
pub(super) fn most(limit: Limit) -> u64 {
    bounds(limit).1
}

/// The default and the most, in the limit's unit. All arbitrary but for what is said beside them.
fn bounds(limit: Limit) -> (u64, u64) {
    match limit {
        // A caller waits for it. 50,000 pods take about five seconds.
        Limit::WallTime => (30_000, 300_000),
        Limit::CpuTime => (10_000, 300_000),
        // Of a query that is compiled to WebAssembly. One with a JavaScript or Python runtime in it needs 256 MiB.
        Limit::Memory => (128 * MIB, GIB),
        Limit::HostCalls => (2_000_000, 20_000_000),
        // Pages of 500: 50,000 pods, twice.
        Limit::Requests => (200, 10_000),
        Limit::Pods => (50_000, 1_000_000),
        // 50,000 pods met in practice, twice.
        Limit::ResponseBytes => (GIB, 16 * GIB),
        Limit::Rows => (50_000, 1_000_000),
        Limit::OutputBytes => (8 * MIB, 64 * MIB),
        Limit::LogBytes => (16 << 10, MIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_no_more_than_who_runs_a_query_alone() {
        for limit in Limit::ALL {
            let (default, most) = bounds(*limit);
            assert!(default <= limit.default_value() && default < most, "{}", limit.name());
            assert_eq!(defaults().get(*limit), default);
        }
    }
}
