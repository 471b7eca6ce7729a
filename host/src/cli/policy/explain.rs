//! `podlens policy explain`: what a component can ask for, and what a tenant is given of it.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tabwriter::TabWriter;

use super::super::exit::{self, Failure};
use super::super::{builtin, component};
use super::PolicyFormat;
use crate::error::{Error, Kind};
use crate::runtime::{Digest, Inspection};
use crate::serve::policy::{Tenant, TenantName};
use crate::text::{Quoted, excerpt};

const EXIT_CODES: &str = "\
-o json
  tenant, digest, allowed, and lines: what the query asks, what it is given, whether that is refused.

Exit codes:
  0  the tenant may run it, and is given all that it can ask for
  2  wrong usage, or no policy
  3  the tenant may not run it, or it would be refused what it asks for
  6  the component cannot be used as a query";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct ExplainArgs {
    /// The policy's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The tenant's name
    #[arg(long, value_name = "NAME")]
    tenant: String,

    /// A component's file, or the name of a query that comes with podlens
    #[arg(long, value_name = "COMPONENT")]
    query: String,

    /// How to tell it
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: PolicyFormat,
}

/// One thing that a query can ask for.
struct Line {
    asked: &'static str,
    given: String,
    /// Whether it stands in the way.
    is_refused: bool,
}

pub(super) async fn explain(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let policy = super::read(&args.file)?;
    let tenant = TenantName::parse(&args.tenant).and_then(|name| policy.tenants.get(&name)).ok_or_else(|| {
        let names: Vec<_> = policy.tenants.keys().map(TenantName::as_str).collect();
        let message = format!("the policy has no tenant `{}`", excerpt(&args.tenant));
        Failure::from(Error::new(Kind::InvalidArgument, message).hint(format!("its tenants are: {}", Quoted(&names))))
    })?;
    let inspection = component::inspect(&args.query).await?;
    let lines = lines(tenant, &inspection)?;
    let told = match args.output {
        PolicyFormat::Text => exit::unless_broken_pipe(io::stdout().lock().write_all(&table(tenant, &lines)?))?,
        PolicyFormat::Json => {
            let told = lines.iter().map(|line| json!({ "asks": line.asked, "given": line.given, "refused": line.is_refused }));
            super::tell(&json!({
                "tenant": tenant.name.as_str(),
                "digest": inspection.digest.to_string(),
                "allowed": !lines.iter().any(|line| line.is_refused),
                "lines": told.collect::<Vec<_>>(),
            }))?
        }
    };
    if !lines.iter().any(|line| line.is_refused) {
        return Ok(told);
    }
    let message = format!("tenant `{}` is not given all that `{}` needs", tenant.name, excerpt(&args.query));
    Err(Error::new(Kind::Denied, message).into())
}

fn table(tenant: &Tenant, lines: &[Line]) -> io::Result<Vec<u8>> {
    let mut table = TabWriter::new(Vec::new()).padding(3);
    writeln!(table, "THE QUERY\tTENANT {}", tenant.name)?;
    for Line { asked, given, is_refused } in lines {
        let mark = if *is_refused { "NO: " } else { "" };
        writeln!(table, "{asked}\t{mark}{given}")?;
    }
    table.into_inner().map_err(|error| io::Error::from(error.error().kind()))
}

fn lines(tenant: &Tenant, inspection: &Inspection) -> Result<Vec<Line>, Error> {
    let uses = inspection.query.as_ref().map_err(Clone::clone)?.uses();
    let abilities = inspection.abilities();
    let mut lines = vec![runs(tenant, inspection)];
    let mut asks = |asked, given: String| lines.push(Line { asked, given, is_refused: false });
    for (can, asked) in [(uses.list, "lists pods"), (uses.get, "gets pods by name")] {
        if can {
            asks(asked, format!("{}, as {}", super::pods(tenant), tenant.identity));
        }
    }
    if uses.fields {
        asks("reads specs or statuses", format!("given; withheld: {}", super::withheld(tenant)));
    } else if uses.list || uses.get {
        asks("reads metadata only", format!("given; withheld: {}", super::withheld(tenant)));
    } else {
        asks("reads no pods", String::new());
    }
    if abilities.objects {
        let is_given = tenant.grant.gives_objects();
        let given = match is_given {
            true => format!("given; withheld: {}", super::withheld(tenant)),
            false => "whole objects are not granted: add `wholeObjects: true`".to_owned(),
        };
        lines.push(Line { asked: "can ask for whole objects", given, is_refused: !is_given });
    }
    Ok(lines)
}

/// Whether the tenant may run the component: under what name, or why not.
fn runs(tenant: &Tenant, inspection: &Inspection) -> Line {
    let digest = &inspection.digest;
    let mut differs = Vec::new();
    for query in &tenant.queries {
        let allowed = query.digest.or_else(|| builtin::query(query.name.as_str()).map(Digest::of));
        if allowed == Some(*digest) {
            return Line { asked: "runs", given: format!("as `{}`", query.name), is_refused: false };
        }
        differs.push(query.name.as_str());
    }
    if let Some(upload) = tenant.upload {
        let (bytes, most) = (inspection.sizes.total, upload.component_bytes as u64);
        let is_refused = bytes > most;
        let given = match is_refused {
            true => format!("it has {bytes} bytes, and what the tenant brings at most {most}"),
            false => "as a component that the tenant brings".to_owned(),
        };
        return Line { asked: "runs", given, is_refused };
    }
    let given = match differs.is_empty() {
        true => format!("no query is allowed; this one is {digest}"),
        false => format!("it is none of {}; this one is {digest}", Quoted(&differs)),
    };
    Line { asked: "runs", given, is_refused: true }
}
