//! What a policy gives, for programs. Keys are never renamed or removed; new ones may be added. They are the policy's own where that has one.

use serde_json::{Map, Value, json};

use crate::kube::ServiceAccount;
use crate::limits::Limit;
use crate::serve::policy::{Caller, Identity, Policy, Tenant, hash_beginning};

pub(super) fn policy(policy: &Policy) -> Value {
    let cache = policy
        .cache
        .as_ref()
        .map(|cache| json!({ "identity": identity(&cache.identity), "bytes": cache.bytes, "idleMilliseconds": u64::try_from(cache.idle.as_millis()).unwrap_or(u64::MAX) }));
    json!({
        "digest": policy.digest.to_string(),
        "audience": policy.audience,
        "concurrentRuns": policy.concurrent_runs,
        "cache": cache,
        "tenants": policy.tenants.values().map(|given| tenant(given)).collect::<Vec<_>>(),
    })
}

fn tenant(tenant: &Tenant) -> Value {
    let grant = &tenant.grant;
    let queries = tenant.queries.iter();
    let queries =
        queries.map(|query| json!({ "name": query.name.as_str(), "digest": query.digest.map(|digest| digest.to_string()) }));
    let upload = tenant.upload.map(|upload| json!({ "components": upload.components, "componentBytes": upload.component_bytes }));
    let limits: Map<_, _> = Limit::ALL.iter().map(|limit| (limit.name().to_owned(), tenant.limits.get(*limit).into())).collect();
    json!({
        "name": tenant.name.as_str(),
        "callers": tenant.callers.iter().map(caller).collect::<Vec<_>>(),
        "identity": identity(&tenant.identity),
        "allNamespaces": grant.given_namespaces().is_none(),
        "namespaces": grant.given_namespaces().map_or_else(Vec::new, |given| given.map(ToString::to_string).collect()),
        "labelSelector": grant.given_labels().to_string(),
        "fieldSelector": grant.given_fields().to_string(),
        "wholeObjects": grant.gives_objects(),
        "withhold": grant.withheld().iter().map(|redaction| redaction.name()).collect::<Vec<_>>(),
        "queries": queries.collect::<Vec<_>>(),
        "upload": upload,
        "limits": limits,
        "rates": {
            "concurrentRuns": tenant.rates.concurrent_runs,
            "runsPerSecond": tenant.rates.runs_per_second,
            "queue": tenant.rates.queue,
        },
    })
}

fn caller(caller: &Caller) -> Value {
    match caller {
        Caller::ServiceAccount(given) => json!({ "serviceAccount": account(given) }),
        Caller::TokenSha256(hash) => json!({ "tokenSHA256Prefix": hash_beginning(hash) }),
        Caller::Certificate { common_name } => json!({ "certificate": { "commonName": common_name } }),
        Caller::Anonymous => json!({ "anonymous": true }),
    }
}

/// As the policy has it: `host`, or an account.
fn identity(identity: &Identity) -> Value {
    match identity {
        Identity::Host => "host".into(),
        Identity::ServiceAccount(given) => json!({ "serviceAccount": account(given) }),
    }
}

fn account(account: &ServiceAccount) -> Value {
    json!({ "namespace": account.namespace.to_string(), "name": account.name() })
}
