//! `podlens rbac`: the least access that a query needs, as YAML; whether an account has it; and what it has besides.
//!
//! What a query needs is what it imports (`runtime/uses.rs`), where it may look. `manifest.rs` writes it down, `ask.rs` asks the
//! API server about an account, `diff.rs` compares the two. `doctor` writes its remedies with the same words.

mod ask;
mod diff;
mod document;
mod manifest;
mod naming;
mod needs;
mod subject;
mod yaml;

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::connect::ConnectArgs;
use super::exit::{self, Failure};
use super::{component, connect, report};
use crate::Config;
use crate::config::Look;
use crate::error::{Error, Kind};
use crate::kube::{Namespace, ServiceAccount};
use crate::output::style::{Mark, Style};
use crate::policy::Scope;
use ask::Asker;
use needs::Needs;

pub(super) use manifest::Right;
pub(super) use subject::Subject;

/// The exit code where the account may do what is needed, and more. No failure has it (`exit.rs`), nor any step of the doctor.
const TOO_MUCH: u8 = 7;

/// The exit code where the account may do what is needed, and the API server cannot tell whether it may do more.
const INCOMPLETE: u8 = 8;

const EXAMPLES: &str = "\
Examples:
  podlens rbac restarts -n shop | kubectl apply -f -    let podlens run it in this namespace
  podlens rbac ./mine.wasm -n shop --check              may the account `podlens` of `shop` run it?
  podlens rbac ./mine.wasm -A --diff                    what does it lack, and what may it do beyond that?";

const EXIT_CODES: &str = "\
Exit codes:
  0  printed; with --check: the account may; with --diff: it may do this,
     and nothing else that was asked about
  3  the account may not, or the API server refuses to tell
  7  with --diff: it may do this, and more
  8  with --diff: it may do this, and the API server cannot list whether more
  and those of `podlens --help`

--check and --diff ask the API server, and tell how. --diff asks
  as that account   for its rules in the namespaces, and puts some questions for all namespaces
  as anybody else   the questions alone, which needs the right to create `subjectaccessreviews`
The questions are about pods and their subresources, secrets, config maps, nodes, namespaces and
tokens. Other resources, other namespaces and single objects by name are not asked about.";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(super) struct RbacArgs {
    /// A component's file, or the name of a query that comes with podlens
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// A namespace whose pods the query is to read; may be given several times [default: the context's, or the pod's own]
    #[arg(short = 'n', long = "namespace", value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespaces: Vec<Namespace>,

    /// The pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// The account that the query is to run as, in the first of the namespaces unless it says another
    #[arg(long, value_name = "[NAMESPACE:]NAME", default_value = subject::ACCOUNT)]
    service_account: String,

    /// Ask the API server whether the account may do what the query needs, instead of printing YAML
    #[arg(long, conflicts_with = "diff")]
    check: bool,

    /// Ask the API server what the account lacks, and what it may do besides (see below), instead of printing YAML
    #[arg(long)]
    diff: bool,

    #[command(flatten)]
    connect: ConnectArgs,
}

pub(super) async fn rbac(mut args: RbacArgs) -> Result<ExitCode, Failure> {
    let query = component::load(&args.component).await?;
    let connect_args = std::mem::take(&mut args.connect);
    if !args.check && !args.diff {
        let namespace = default_namespace(&args, connect_args)?;
        let (needs, account) = (needs(&args, query.uses(), &namespace), account(&args, &namespace)?);
        let text = document::document(&args.component, &query, &needs, &account);
        return exit::unless_broken_pipe(io::stdout().lock().write_all(text.as_bytes()));
    }
    let client = connect::connect(connect_args)?;
    let (needs, account) = (needs(&args, query.uses(), client.namespace()), account(&args, client.namespace())?);
    let asker = Asker::find(&client, account).await?;
    if args.check { check(&asker, &needs).await } else { diff(&asker, &needs).await }
}

fn needs(args: &RbacArgs, uses: crate::PodAccess, default: &Namespace) -> Needs {
    let scope = match (args.all_namespaces, args.namespaces.is_empty()) {
        (true, _) => Scope::All,
        (false, true) => Scope::Namespaces(vec![default.clone()]),
        (false, false) => Scope::Namespaces(args.namespaces.clone()),
    };
    Needs::new(uses, scope)
}

fn account(args: &RbacArgs, default: &Namespace) -> Result<ServiceAccount, Failure> {
    let (namespace, name) = match args.service_account.split_once(':') {
        Some((namespace, name)) => (namespace, name),
        None => (args.namespaces.first().unwrap_or(default).as_str(), args.service_account.as_str()),
    };
    let account = Namespace::parse(namespace).ok().and_then(|namespace| ServiceAccount::new(namespace, name));
    account.ok_or_else(|| {
        let message = format!("`{}` is not a service account", crate::text::excerpt(&args.service_account));
        Error::new(Kind::InvalidArgument, message)
            .hint("give its name, such as `podlens`, or its namespace and name, such as `shop:podlens`")
            .into()
    })
}

/// The namespace of no flag. YAML can be written without any cluster at hand; where one is configured, and cannot be told, its
/// namespace is not guessed.
fn default_namespace(args: &RbacArgs, connect: ConnectArgs) -> Result<Namespace, Failure> {
    if !args.namespaces.is_empty() || (args.all_namespaces && args.service_account.contains(':')) {
        return Ok(Namespace::default());
    }
    let options = connect::options(connect);
    match Config::infer(&options) {
        Ok(config) => Ok(config.namespace().clone()),
        Err(error) if Look::is_nothing(&options) => {
            let last_resort = Namespace::default();
            report::say(&format!("warning: the namespace is `{last_resort}`, since no other is configured: {error}"));
            Ok(last_resort)
        }
        Err(error) => {
            let message = "the namespace is not known: the configuration that would say it cannot be used";
            Err(Error::new(Kind::Configuration, message).because(error).hint("give `-n`, such as `-n shop`").into())
        }
    }
}

async fn check(asker: &Asker<'_>, needs: &Needs) -> Result<ExitCode, Failure> {
    let style = Style::of_stdout();
    let mut lines = Vec::new();
    let mut all = true;
    for access in needs.accesses() {
        let answer = asker.ask(&access).await?;
        all &= answer.allowed;
        let mark = style.mark(if answer.allowed { Mark::Good } else { Mark::Bad });
        lines.push(format!("{mark} {access}{}", ask::because(&answer)));
    }
    if lines.is_empty() {
        lines.push(format!("{} it reads no pods, and needs no access", style.mark(Mark::Good)));
    }
    lines.insert(0, format!("{}, asked by {}:", asker.who(), asker.how()));
    let printed = print(&lines)?;
    if all {
        return Ok(printed);
    }
    let message = format!("{} may not do all that the query needs", asker.who());
    Err(Error::new(Kind::Denied, message).hint("`podlens rbac` without `--check` prints what gives it").into())
}

async fn diff(asker: &Asker<'_>, needs: &Needs) -> Result<ExitCode, Failure> {
    let diff = diff::diff(asker, needs).await?;
    let printed = print(&diff.lines(&Style::of_stdout()))?;
    Ok(if diff.is_missing_something() {
        let message = format!("{} may not do all that the query needs", asker.who());
        return Err(Error::new(Kind::Denied, message).hint("`podlens rbac` without `--diff` prints what gives it").into());
    } else if diff.has_too_much() {
        ExitCode::from(TOO_MUCH)
    } else if diff.is_incomplete() {
        ExitCode::from(INCOMPLETE)
    } else {
        printed
    })
}

fn print(lines: &[String]) -> Result<ExitCode, Failure> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    exit::unless_broken_pipe(io::stdout().lock().write_all(text.as_bytes()))
}
