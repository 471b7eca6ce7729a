//! `podlens policy`: what a policy of `podlens serve` gives, before anybody is given it.
//!
//! `explain.rs` holds a query against a tenant; `json.rs` tells a policy to programs.

mod explain;
mod json;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::builtin;
use super::exit::{self, Failure, USAGE};
use crate::error::{Error, Kind};
use crate::limits::Limit;
use crate::output::escape_hidden;
use crate::serve::policy::{self, AllowedQuery, Policy, Tenant};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  podlens policy check policy.yaml                                        what each tenant is given
  podlens policy check policy.yaml -o json                                the same, for programs
  podlens policy explain policy.yaml --tenant checkout --query restarts   whether it may run a query, and why not";

#[derive(Debug, clap::Subcommand)]
#[command(before_help = EXAMPLES)]
pub(super) enum PolicyCommand {
    /// Check a policy file, and print what each tenant is given
    Check(CheckArgs),
    /// Print what a query can ask for beside what a tenant is given
    Explain(explain::ExplainArgs),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PolicyFormat {
    /// Lines for people
    #[default]
    Text,
    /// One object, for programs
    Json,
}

const CHECK_EXIT_CODES: &str = "\
-o json
  digest, audience, concurrentRuns, cache and tenants: what holds, defaults included, by the names
  that the file has for it. Each tenant has name, callers, identity, allNamespaces, namespaces,
  labelSelector, fieldSelector, wholeObjects, withhold, queries, upload, limits and rates. Bytes and
  milliseconds are numbers; of a token's hash there are twelve digits, as tokenSHA256Prefix.

Exit codes:
  0  it is a policy
  2  it is none, or cannot be read; standard error says where and why";

#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXIT_CODES)]
pub(super) struct CheckArgs {
    /// The policy's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How to tell it
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: PolicyFormat,
}

pub(super) async fn policy(command: PolicyCommand) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::Check(args) => check(&args),
        PolicyCommand::Explain(args) => explain::explain(args).await,
    }
}

fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let policy = read(&args.file)?;
    match args.output {
        PolicyFormat::Text => exit::unless_broken_pipe(io::stdout().lock().write_all(summary(&policy).as_bytes())),
        PolicyFormat::Json => tell(&json::policy(&policy)),
    }
}

/// One document, as `podlens inspect -o json` writes it.
fn tell(value: &serde_json::Value) -> Result<ExitCode, Failure> {
    let text = escape_hidden(format!("{value:#}\n"));
    exit::unless_broken_pipe(io::stdout().lock().write_all(text.as_bytes()))
}

/// The policy in a file, and nothing in it that this podlens does not have.
fn read(path: &Path) -> Result<Policy, Failure> {
    let failed = |error: Error| Failure { code: USAGE, ..error.into() };
    let wrong = |error| failed(Error::new(Kind::Configuration, format!("`{}` is no policy", text::path(path))).because(error));
    let policy = Policy::parse(&policy::read(path).map_err(failed)?).map_err(wrong)?;
    policy.check_built_in(|name| builtin::query(name).is_some()).map_err(|error| {
        let names: Vec<_> = builtin::names().collect();
        failed(error.hint(format!("add the digest that `podlens inspect` shows, or name one of {}", text::Quoted(&names))))
    })?;
    Ok(policy)
}

fn summary(policy: &Policy) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "Policy {}", policy.digest);
    let runs = policy.concurrent_runs.map_or_else(|| "as many as the server decides".to_owned(), |runs| runs.to_string());
    let _ = writeln!(out, "  runs at once   {runs}");
    let _ = writeln!(out, "  audience       {}", policy.audience);
    let cache = policy.cache.as_ref().map_or_else(
        || "none".to_owned(),
        |cache| {
            let idle = u64::try_from(cache.idle.as_millis()).unwrap_or(u64::MAX);
            let (bytes, idle) = (crate::Unit::Bytes.show(cache.bytes), crate::Unit::Milliseconds.show(idle));
            format!("reads as {}; {bytes} at the most; drops what nobody reads for {idle}", cache.identity)
        },
    );
    let _ = writeln!(out, "  cache          {cache}");
    if policy.tenants.is_empty() {
        out += "\nNo tenants: nobody may do anything\n";
    }
    for tenant in policy.tenants.values() {
        let _ = writeln!(out, "\nTenant {}", tenant.name);
        for (what, given) in given(tenant) {
            let _ = writeln!(out, "  {what:<13}  {given}");
        }
    }
    out
}

/// What a tenant is given, by what it is.
fn given(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let callers: Vec<_> = tenant.callers.iter().map(ToString::to_string).collect();
    let queries: Vec<_> = tenant.queries.iter().map(query).collect();
    let limits: Vec<_> =
        Limit::ALL.iter().map(|limit| format!("{} {}", limit.name(), limit.unit().show(tenant.limits.get(*limit)))).collect();
    let upload = tenant.upload.map_or_else(
        || "none".to_owned(),
        |upload| {
            format!("{} components of at most {} each", upload.components, crate::Unit::Bytes.show(upload.component_bytes as u64))
        },
    );
    let rates = tenant.rates;
    vec![
        ("callers", callers.join(", ")),
        ("reads as", tenant.identity.to_string()),
        ("pods", pods(tenant)),
        ("whole objects", if tenant.grant.gives_objects() { "yes" } else { "no" }.to_owned()),
        ("withheld", withheld(tenant)),
        ("queries", if queries.is_empty() { "none".to_owned() } else { queries.join(", ") }),
        ("uploads", upload),
        ("limits", limits.join(", ")),
        (
            "rates",
            format!("{} runs at once, {} each second, {} waiting", rates.concurrent_runs, rates.runs_per_second, rates.queue),
        ),
    ]
}

fn query(query: &AllowedQuery) -> String {
    match &query.digest {
        None => format!("{} (comes with podlens)", query.name),
        Some(digest) => format!("{} ({digest})", query.name),
    }
}

fn pods(tenant: &Tenant) -> String {
    let grant = &tenant.grant;
    let mut pods = match grant.given_namespaces() {
        None => "of all namespaces".to_owned(),
        Some(namespaces) => format!("of {}", namespaces.map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    for (what, selector) in [("labels", grant.given_labels().to_string()), ("fields", grant.given_fields().to_string())] {
        if !selector.is_empty() {
            pods += &format!("; {what} {}", text::visible(&selector));
        }
    }
    pods
}

fn withheld(tenant: &Tenant) -> String {
    let withheld: Vec<_> = tenant.grant.withheld().iter().map(|redaction| redaction.name()).collect();
    if withheld.is_empty() { "nothing".to_owned() } else { withheld.join(", ") }
}
