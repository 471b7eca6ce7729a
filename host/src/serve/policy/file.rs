//! The policy file as it is written, read into a [`Policy`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_saphyr::UserMessageFormatter;

use super::limits;
use super::written::{Fields, PolicyError, Written};
use super::{AllowedQuery, CachePolicy, Caller, Identity, Policy, QueryName, Rates, Tenant, TenantName, Upload};
use crate::kube::{FieldSelector, LabelSelector, Namespace, ServiceAccount};
use crate::limits::{Limit, Limits, Unit};
use crate::policy::{Grant, Redaction};
use crate::runtime::{Digest, MAX_COMPONENT_BYTES};
use crate::text::{Quoted, excerpt, visible};
use crate::yaml::{self, Bounds};

const API_VERSION: &str = "podlens.dev/v1alpha1";
const KIND: &str = "Policy";

/// Most bytes of a file. Arbitrary: a thousand tenants with all that can be said of each.
const MAX_BYTES: usize = 1 << 20;
/// Of a file, which has seven levels. Arbitrary.
const BOUNDS: Bounds = Bounds { depth: 16, nodes: 100_000 };
/// Most tenants, and callers, namespaces and queries of each. Arbitrary; each request is held against them.
const MAX_TENANTS: usize = 1000;
const MAX_LISTED: usize = 1000;

/// The audience of tokens where the file says none.
const AUDIENCE: &str = "podlens";
/// Longest audience. Arbitrary.
const MAX_AUDIENCE_BYTES: usize = 253;
/// Longest common name (RFC 5280, appendix A.1, `ub-common-name-length`).
const MAX_COMMON_NAME_CHARACTERS: usize = 64;
/// How the names begin that Kubernetes keeps for itself, such as `system:masters` and `system:node:…`.
const SYSTEM: &str = "system:";
/// The SHA-256 of nothing: the hash of a token that was left out.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Most runs at once and waiting. Arbitrary.
pub(crate) const MAX_CONCURRENT_RUNS: usize = 1000;
const MAX_QUEUE: usize = 10_000;
/// Fewest and most runs of a tenant in a second. Arbitrary: one in 100 s, and more than one server answers.
const RUNS_PER_SECOND: (f64, f64) = (0.01, 100_000.0);
/// Of a tenant of which the file says nothing. Arbitrary: a dashboard of a few people.
const RATES: Rates = Rates { concurrent_runs: 2, runs_per_second: 5.0, queue: 20 };

/// Of a tenant that may bring components, where the file does not say how many and how large. Arbitrary: ten times what a query in Rust has.
const UPLOAD: Upload = Upload { components: 4, component_bytes: 8 << 20 };
/// Most components of a tenant. Arbitrary; each is kept compiled.
const MAX_COMPONENTS: usize = 100;

/// Memory of the cache, and how long it keeps what nobody reads, where the file does not say it. Arbitrary: about 15,000 pods, and as long
/// as a dashboard may be out of sight.
const CACHE_BYTES: u64 = 64 << 20;
const CACHE_IDLE: Duration = Duration::from_secs(10 * 60);
/// The most. Arbitrary.
const MAX_CACHE_BYTES: u64 = 16 << 30;
const MAX_CACHE_IDLE_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;

pub(super) fn parse(text: &[u8]) -> Result<Policy, PolicyError> {
    let whole = |problem: &str| PolicyError::new("", problem);
    if text.len() > MAX_BYTES {
        return Err(whole(&format!("it has {} bytes: at most {MAX_BYTES} are read", text.len())));
    }
    let digest = Digest::of(text);
    let text = std::str::from_utf8(text).map_err(|_| whole("it is not UTF-8 text, as YAML is"))?;
    let file: Value = yaml::parse(text, BOUNDS).map_err(|error| {
        let error = error.render_with_formatter(&UserMessageFormatter);
        whole(&format!("it is not well-formed YAML: {}", error.lines().map(visible).collect::<Vec<_>>().join("; ")))
    })?;
    policy(Written::file(&file), digest)
}

fn policy(file: Written<'_>, digest: Digest) -> Result<Policy, PolicyError> {
    let file = file.fields(&["apiVersion", "kind", "audience", "concurrentRuns", "cache", "tenants"])?;
    for (name, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        let expected_text = format!("`{expected}`");
        let written = file.need(name, &expected_text)?;
        if !written.is_text(expected) {
            return Err(written.expected(expected_text));
        }
    }
    Ok(Policy {
        digest,
        tenants: tenants(&file.need("tenants", "a list of tenants")?)?,
        cache: file.read("cache", cache)?,
        concurrent_runs: file.read("concurrentRuns", |runs| runs.count(MAX_CONCURRENT_RUNS))?,
        audience: file.read("audience", audience)?.unwrap_or_else(|| AUDIENCE.to_owned()),
    })
}

fn audience(written: Written<'_>) -> Result<String, PolicyError> {
    let expected = "what tokens are made for, such as `podlens`";
    let audience = written.text(expected)?;
    let is_one = audience.len() <= MAX_AUDIENCE_BYTES && audience.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one { Ok(audience.to_owned()) } else { Err(written.expected(expected)) }
}

fn cache(written: Written<'_>) -> Result<CachePolicy, PolicyError> {
    let fields = written.fields(&["identity", "bytes", "idle"])?;
    let idle = |written: Written<'_>| value(&written, Unit::Milliseconds, MAX_CACHE_IDLE_MILLISECONDS).map(Duration::from_millis);
    Ok(CachePolicy {
        identity: identity(fields.need("identity", IDENTITY)?)?,
        bytes: fields.read("bytes", |bytes| value(&bytes, Unit::Bytes, MAX_CACHE_BYTES))?.unwrap_or(CACHE_BYTES),
        idle: fields.read("idle", idle)?.unwrap_or(CACHE_IDLE),
    })
}

/// None is fine: then nobody may do anything.
fn tenants(written: &Written<'_>) -> Result<BTreeMap<TenantName, Arc<Tenant>>, PolicyError> {
    let mut tenants = BTreeMap::new();
    let mut known: Vec<(Caller, TenantName)> = Vec::new();
    for item in bounded(written, written.items("tenants")?, MAX_TENANTS)? {
        let fields = item.fields(&[
            "name",
            "callers",
            "identity",
            "namespaces",
            "allNamespaces",
            "labelSelector",
            "fieldSelector",
            "wholeObjects",
            "withhold",
            "queries",
            "upload",
            "limits",
            "rates",
        ])?;
        let name = fields.need("name", LABEL)?;
        let tenant_name = TenantName::parse(name.text(LABEL)?).ok_or_else(|| name.expected(LABEL))?;
        if tenants.contains_key(&tenant_name) {
            return Err(name.wrong(format!("`{tenant_name}` is the name of a tenant before this one, too")));
        }
        let callers = callers(&fields, &tenant_name, &mut known)?;
        let tenant = tenant(&fields, tenant_name.clone(), callers)?;
        tenants.insert(tenant_name, Arc::new(tenant));
    }
    Ok(tenants)
}

const LABEL: &str = "a name: 1 to 63 of a-z, 0-9 and `-`, beginning and ending with a letter or digit";

fn tenant(fields: &Fields<'_>, name: TenantName, callers: Vec<Caller>) -> Result<Tenant, PolicyError> {
    Ok(Tenant {
        name,
        callers,
        identity: identity(fields.need("identity", IDENTITY)?)?,
        grant: grant(fields)?,
        queries: fields.read("queries", |written| queries(&written))?.unwrap_or_default(),
        upload: fields.read("upload", upload)?,
        limits: fields.read("limits", run_limits)?.unwrap_or_else(limits::defaults),
        rates: fields.read("rates", rates)?.unwrap_or(RATES),
    })
}

/// The callers of a tenant. Nobody is a caller of two: which of the two grants would hold?
fn callers(fields: &Fields<'_>, tenant: &TenantName, known: &mut Vec<(Caller, TenantName)>) -> Result<Vec<Caller>, PolicyError> {
    let written = fields.need("callers", "a list of who may call")?;
    let mut callers = Vec::new();
    for item in bounded(&written, written.some_items("who may call")?, MAX_LISTED)? {
        let place = item.place().to_owned();
        let caller = caller(item)?;
        if let Some((_, of)) = known.iter().find(|(other, _)| *other == caller) {
            return Err(PolicyError::new(place, format!("{caller} is a caller of tenant `{of}` already")));
        }
        known.push((caller.clone(), tenant.clone()));
        callers.push(caller);
    }
    Ok(callers)
}

fn caller(written: Written<'_>) -> Result<Caller, PolicyError> {
    const KINDS: [&str; 4] = ["serviceAccount", "tokenSHA256", "certificate", "anonymous"];
    let fields = written.fields(&KINDS)?;
    let Some((only, written)) = fields.only().and_then(|only| Some((only, fields.get(only)?))) else {
        return Err(fields.wrong(format!("is no caller, expected one of {}", Quoted(&KINDS))));
    };
    match only {
        "serviceAccount" => service_account(written).map(Caller::ServiceAccount),
        "tokenSHA256" => token_hash(&written).map(Caller::TokenSha256),
        "certificate" => {
            let fields = written.fields(&["commonName"])?;
            let common_name = common_name(&fields.need("commonName", COMMON_NAME)?)?;
            Ok(Caller::Certificate { common_name })
        }
        _ if written.flag()? => Ok(Caller::Anonymous),
        _ => Err(written.expected("`true`, or another caller")),
    }
}

const COMMON_NAME: &str = "the common name of a certificate, such as `jane`, which does not begin with `system:`";

fn common_name(written: &Written<'_>) -> Result<String, PolicyError> {
    let name = written.text(COMMON_NAME)?;
    let is_one = name.chars().count() <= MAX_COMMON_NAME_CHARACTERS
        && !name.chars().any(crate::text::is_hidden)
        && name.trim() == name
        && !name.starts_with(SYSTEM);
    if is_one { Ok(name.to_owned()) } else { Err(written.expected(COMMON_NAME)) }
}

fn token_hash(written: &Written<'_>) -> Result<[u8; 32], PolicyError> {
    let expected = "the SHA-256 of a token: 64 digits of 0-9 and a-f";
    let text = written.text(expected)?;
    if text == EMPTY_SHA256 {
        return Err(written.wrong("is the SHA-256 of nothing: the token was left out when it was made"));
    }
    // A token may be mistaken for its hash: it is not quoted.
    Digest::from_hex(text).map(|digest| *digest.as_bytes()).ok_or_else(|| written.wrong(format!("is not {expected}")))
}

const ACCOUNT: &str = "a service account, such as `{namespace: shop, name: podlens-reader}`";

fn service_account(written: Written<'_>) -> Result<ServiceAccount, PolicyError> {
    let fields = written.fields(&["namespace", "name"])?;
    let namespace = namespace(&fields.need("namespace", ACCOUNT)?)?;
    let name = fields.need("name", ACCOUNT)?;
    let expected = "a service account's name: 1 to 253 of a-z, 0-9, `-` and `.`";
    ServiceAccount::new(namespace, name.text(expected)?).ok_or_else(|| name.expected(expected))
}

fn namespace(written: &Written<'_>) -> Result<Namespace, PolicyError> {
    let text = written.text("a namespace, such as `shop`")?;
    Namespace::parse(text).map_err(|error| written.wrong(error.to_string()))
}

const IDENTITY: &str =
    "whom the API server is asked as: `{serviceAccount: {namespace: …, name: …}}`, or `host` for the server itself";

fn identity(written: Written<'_>) -> Result<Identity, PolicyError> {
    if written.is_text("host") {
        return Ok(Identity::Host);
    }
    if !written.is_mapping() {
        return Err(written.expected(IDENTITY));
    }
    let fields = written.fields(&["serviceAccount"])?;
    service_account(fields.need("serviceAccount", ACCOUNT)?).map(Identity::ServiceAccount)
}

fn grant(fields: &Fields<'_>) -> Result<Grant, PolicyError> {
    let all = fields.read("allNamespaces", |all| all.flag())?.unwrap_or_default();
    let mut grant = match (fields.get("namespaces"), all) {
        (None, true) => Grant::all_namespaces(),
        (Some(_), true) => return Err(fields.wrong("has `namespaces` beside `allNamespaces`, expected one of the two")),
        (None, false) => return Err(fields.wrong("has no `namespaces`, expected a list of namespaces, or `allNamespaces: true`")),
        (Some(written), false) => {
            let items = bounded(&written, written.some_items("namespaces")?, MAX_LISTED)?;
            items.iter().try_fold(Grant::nothing(), |grant, item| namespace(item).map(|namespace| grant.namespace(namespace)))?
        }
    };
    if let Some(written) = fields.get("labelSelector") {
        let text = written.text("a label selector, such as `team=checkout`")?;
        let selector = LabelSelector::parse(text).map_err(|error| written.wrong(error.to_string()))?;
        grant = grant.labels(&selector);
        conditions(&written, selector.is_empty())?;
    }
    if let Some(written) = fields.get("fieldSelector") {
        let text = written.text("a field selector, such as `status.phase!=Failed`")?;
        let selector = FieldSelector::parse(text).map_err(|error| written.wrong(error.to_string()))?;
        grant = grant.fields(&selector);
        conditions(&written, FieldSelector::has_empty_condition(text))?;
    }
    if fields.read("wholeObjects", |whole| whole.flag())?.unwrap_or_default() {
        grant = grant.whole_objects();
    }
    let withheld = fields.read("withhold", |written| withheld(&written))?.unwrap_or_else(|| vec![Redaction::Env]);
    Ok(withheld.into_iter().fold(grant, Grant::withhold))
}

/// Refuses a selector without a condition, or with one that is empty: what a template left out must not pass for none.
fn conditions(written: &Written<'_>, one_is_empty: bool) -> Result<(), PolicyError> {
    match one_is_empty {
        true => Err(written.wrong("has a condition that is empty: leave the field out where there is none")),
        false => Ok(()),
    }
}

fn withheld(written: &Written<'_>) -> Result<Vec<Redaction>, PolicyError> {
    let names: Vec<_> = Redaction::ALL.iter().map(|redaction| redaction.name()).collect();
    let expected = format!("one of {}", Quoted(&names));
    let redaction = |item: Written<'_>| item.text(&expected)?.parse().map_err(|_| item.expected(&expected));
    written.items("what queries do not see")?.into_iter().map(redaction).collect()
}

fn queries(written: &Written<'_>) -> Result<Vec<AllowedQuery>, PolicyError> {
    let mut queries: Vec<AllowedQuery> = Vec::new();
    for item in bounded(written, written.items("queries")?, MAX_LISTED)? {
        let fields = item.fields(&["name", "digest"])?;
        let written = fields.need("name", LABEL)?;
        let name = QueryName::parse(written.text(LABEL)?).ok_or_else(|| written.expected(LABEL))?;
        if queries.iter().any(|query| query.name == name) {
            return Err(written.wrong(format!("`{name}` is the name of a query before this one, too")));
        }
        queries.push(AllowedQuery { name, digest: fields.read("digest", |digest| component_digest(&digest))? });
    }
    Ok(queries)
}

fn component_digest(written: &Written<'_>) -> Result<Digest, PolicyError> {
    let expected = "a component's digest: `sha256:` and 64 digits of 0-9 and a-f, as `podlens inspect` shows it";
    let text = written.text(expected)?;
    text.strip_prefix("sha256:").and_then(Digest::from_hex).ok_or_else(|| written.expected(expected))
}

fn upload(written: Written<'_>) -> Result<Upload, PolicyError> {
    let fields = written.fields(&["components", "componentBytes"])?;
    let bytes = |written: Written<'_>| {
        let bytes = value(&written, Unit::Bytes, MAX_COMPONENT_BYTES as u64)?;
        // No more than the most, which is a `usize`.
        Ok(usize::try_from(bytes).unwrap_or(MAX_COMPONENT_BYTES))
    };
    Ok(Upload {
        components: fields.read("components", |count| count.count(MAX_COMPONENTS))?.unwrap_or(UPLOAD.components),
        component_bytes: fields.read("componentBytes", bytes)?.unwrap_or(UPLOAD.component_bytes),
    })
}

fn run_limits(written: Written<'_>) -> Result<Limits, PolicyError> {
    let names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
    let fields = written.fields(&names)?;
    Limit::ALL.iter().try_fold(limits::defaults(), |all, limit| {
        let set = fields.read(limit.name(), |written| value(&written, limit.unit(), limits::most(*limit)))?;
        Ok(set.map_or(all.clone(), |value| all.with(*limit, value)))
    })
}

fn rates(written: Written<'_>) -> Result<Rates, PolicyError> {
    let fields = written.fields(&["concurrentRuns", "runsPerSecond", "queue"])?;
    let (fewest, most) = RUNS_PER_SECOND;
    Ok(Rates {
        concurrent_runs: fields.read("concurrentRuns", |runs| runs.count(MAX_CONCURRENT_RUNS))?.unwrap_or(RATES.concurrent_runs),
        runs_per_second: fields.read("runsPerSecond", |runs| runs.number(fewest, most))?.unwrap_or(RATES.runs_per_second),
        queue: fields.read("queue", |queue| queue.count(MAX_QUEUE))?.unwrap_or(RATES.queue),
    })
}

/// A value of this unit, no more than the most.
fn value(written: &Written<'_>, unit: Unit, most: u64) -> Result<u64, PolicyError> {
    let typed = written.typed().unwrap_or_default();
    let value = unit.parse(&typed).map_err(|expected| {
        let expected = expected.strip_prefix("expected ").unwrap_or(&expected);
        written.expected(expected)
    })?;
    if value > most {
        return Err(written.wrong(format!("is `{}`, expected at most {}", excerpt(&typed), unit.show(most))));
    }
    Ok(value)
}

/// As many items as are read.
fn bounded<'a>(list: &Written<'_>, items: Vec<Written<'a>>, most: usize) -> Result<Vec<Written<'a>>, PolicyError> {
    if items.len() > most {
        return Err(list.wrong(format!("has {} items: at most {most} are read", items.len())));
    }
    Ok(items)
}
