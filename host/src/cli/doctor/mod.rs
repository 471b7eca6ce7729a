//! `podlens doctor`: why the API server does not answer, step by step, and how to fix it.
//!
//! The steps go from the configuration to a real list (`step.rs`). Each is looked into as far as the ones before it allow, and none
//! is left out because an earlier one failed while it can still teach something. `remedy.rs` knows what to do, `report.rs` prints.

mod access;
mod asked;
mod certificate;
mod configuration;
mod credentials;
mod network;
mod peer;
mod reason;
mod remedy;
mod report;
mod step;
mod through;
mod tls;
mod told;

use std::process::ExitCode;
use std::time::Duration;

use super::connect::{self, ConnectArgs};
use super::exit::{self, Failure};
use super::rbac::Subject;
use crate::Client;
use crate::config::{Config, Look};
use crate::kube::Namespace;
use access::Wish;
use asked::About;
use credentials::Verdict;
use peer::Peer;
use reason::Reason;
use remedy::Remedies;
use report::{Format, Report};
use step::{Finding, Step};
use told::Told;

/// How long each answer may take. Arbitrary: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

const HELP: &str = "\
Exit codes: 0 where nothing is wrong, else that of the first step that failed:
  11  configuration  no usable kubeconfig or service account
  12  address        no address, or one that is none
  13  DNS            its name cannot be resolved
  14  TCP            no connection
  15  TLS            another authority, another name, or a certificate out of date
  16  anonymous      what answers is no API server
  17  credentials    expired, not yet valid, for somebody else, or none
  18  identity       the API server does not accept the credentials
  19  access         it accepts them, and does not let us list and get pods
  20  version        it does not tell its version
   2  wrong usage, as everywhere

-o json prints one object:
  healthy      true where no step failed
  exitCode     as above
  firstFailed  the name of the first step that failed, or null
  steps        for each: step (its number), name, result (passed, noted, failed or skipped),
               reason, summary, facts (each a name and a value), and fix: null, or text,
               commands (for a shell) and yaml
  reason       null, or for a step that failed one of
               no-configuration, bad-configuration, no-mount, no-address, bad-address,
               dns, refused, timeout, no-connection, proxy-refused, no-tls, wrong-ca, wrong-host,
               certificate-expired, certificate-not-yet-valid, bad-certificate, no-api-server,
               unavailable, no-credentials, expired-token, token-not-yet-valid, wrong-audience,
               expired-client-certificate, unauthorized, anonymous, no-role, no-binding-here,
               list-without-get, get-without-list

Nothing that is printed is a secret: a token is decoded here, and only what it says of itself
is shown.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct DoctorArgs {
    /// How to print what is found
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,

    /// A namespace whose pods are to be read; may be given several times [default: the context's, or the pod's own]
    #[arg(short = 'n', long = "namespace", value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespaces: Vec<Namespace>,

    /// The pods of all namespaces are to be read
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    #[command(flatten)]
    connect: ConnectArgs,
}

pub(super) async fn doctor(mut args: DoctorArgs) -> Result<ExitCode, Failure> {
    let options = connect::options(std::mem::take(&mut args.connect));
    let look = Look::around(&options);
    let told = Told { options, namespaces: args.namespaces, all_namespaces: args.all_namespaces };
    let mut report = Report::new(args.output);
    examine(&Remedies { look: &look, told: &told }, &mut report).await;
    let (failed, printed) = report.finish();
    let printed = exit::unless_broken_pipe(printed)?;
    Ok(failed.map_or(printed, |step| ExitCode::from(step.exit_code())))
}

async fn examine(remedies: &Remedies<'_>, report: &mut Report) {
    let look = remedies.look;
    report.add(configuration::configuration(look));
    report.add(configuration::address(look));
    let may_ask = reach(remedies, report).await;
    let anonymous = match look.anonymous() {
        Some(anonymous) if may_ask => Some(About::ask(anonymous).await),
        _ => None,
    };
    let us = match &look.config {
        Ok(config) => Us::look(config, anonymous.as_ref(), remedies).await,
        Err(_) => Us::unknown(),
    };
    report.add(match &anonymous {
        Some(about) => about.anonymous(us.is_answered),
        None => Step::Anonymous.open("not asked: there is no trusted connection"),
    });
    for finding in us.findings {
        report.add(finding);
    }
    report.add(match us.about.or(anonymous) {
        Some(about) => about.version(us.is_answered),
        None => Step::Version.open("not asked"),
    });
}

/// Steps 3 to 5, to the server or to the proxy before it. Whether it is worth asking the server something.
async fn reach(remedies: &Remedies<'_>, report: &mut Report) -> bool {
    let look = remedies.look;
    let mut skip = |why: &str| {
        for step in [Step::Dns, Step::Tcp, Step::Tls] {
            report.add(step.open(why));
        }
    };
    let Some(way) = &look.way else {
        skip("not looked into without an address");
        return false;
    };
    let server = Peer { host: way.server.value.host().to_owned(), port: way.server.value.port(), is_proxy: false };
    let proxy = match &way.proxy {
        Ok(proxy) => proxy.as_ref(),
        Err(_) => {
            skip("not looked into: the way goes through a proxy that cannot be used");
            return false;
        }
    };
    let (next, proxy_credentials) = match proxy.map(|proxy| through::peer(&proxy.value)) {
        Some(Some((peer, credentials))) => (peer, credentials),
        Some(None) => {
            skip("not looked into: this is the proxy's to do");
            return true;
        }
        None => (server.clone(), None),
    };
    let (finding, addresses) = network::resolve(&next, remedies).await;
    report.add(finding);
    if addresses.is_empty() {
        report.add(Step::Tcp.open("not looked into without an address"));
        report.add(Step::Tls.open("not looked into without a connection"));
        return false;
    }
    let (finding, stream) = network::connect(&next, &addresses, remedies).await;
    report.add(finding);
    let Some(mut stream) = stream else {
        report.add(Step::Tls.open("not looked into without a connection"));
        return false;
    };
    if next.is_proxy
        && let Err(why) = through::connect(&mut stream, &server, proxy_credentials.as_deref()).await
    {
        let finding = Step::Tls.bad(Reason::ProxyRefused, format!("no connection through the proxy: {why}"));
        report.add(finding.fix(remedies.no_tunnel()));
        return false;
    }
    // Without a usable configuration there may be nobody to trust; the chain is worth a look all the same.
    let config = match (&look.config, look.anonymous()) {
        (Ok(config), _) => config.clone(),
        (Err(_), Some(anonymous)) => anonymous,
        (Err(_), None) => {
            report.add(tls::look(stream, &server, remedies).await);
            return false;
        }
    };
    let finding = tls::shake_hands(stream, &server, &config, remedies).await;
    let is_trusted = !finding.is_bad();
    report.add(finding);
    is_trusted
}

/// What the API server says to us.
struct Us {
    /// Steps 7 to 9.
    findings: [Finding; 3],
    /// What it tells us of itself, where it does not tell strangers.
    about: Option<About>,
    /// Whether it is an API server that answers us: what strangers are told matters less then.
    is_answered: bool,
}

impl Us {
    fn unknown() -> Self {
        let why = "not looked into without a usable configuration";
        let findings = [Step::Credentials, Step::Identity, Step::Access].map(|step| step.open(why));
        Self { findings, about: None, is_answered: false }
    }

    /// `anonymous` is what strangers are told, where it was worth asking.
    async fn look(config: &Config, anonymous: Option<&About>, remedies: &Remedies<'_>) -> Self {
        let now = anonymous.map_or_else(jiff::Timestamp::now, About::now);
        let client = match (anonymous, Client::new(config.clone())) {
            (Some(_), Ok(client)) => client,
            (_, client) => {
                let credentials = credentials::credentials(config, Verdict::Unknown, now, remedies);
                let identity = match client {
                    Ok(_) => Step::Identity.open("not asked: there is no trusted connection"),
                    Err(error) => asked::failed(Step::Identity, &error),
                };
                return Self { findings: [credentials, identity, Step::Access.open("not asked")], about: None, is_answered: false };
            }
        };
        let (identity, verdict, review) = asked::identity(&client).await;
        let credentials = credentials::credentials(config, verdict, now, remedies);
        let access = if identity.is_bad() {
            Step::Access.open("not asked by somebody unknown")
        } else {
            let user = review.map(|review| review.username).or_else(|| credentials::user(config));
            let subject = user.map(|user| Subject::of_user(&user));
            let told = remedies.told;
            let places = match (told.all_namespaces, told.namespaces.is_empty()) {
                (true, _) => vec![None],
                (false, true) => vec![Some(config.namespace())],
                (false, false) => told.namespaces.iter().map(Some).collect(),
            };
            let wish = Wish { places, own: config.namespace(), subject: subject.as_ref() };
            access::access(&client, &wish, remedies).await
        };
        // A refusal is an answer, too.
        let is_refused =
            matches!(access.reason, Some(Reason::NoRole | Reason::NoBindingHere | Reason::ListWithoutGet | Reason::GetWithoutList));
        let is_answered = verdict == Verdict::Accepted || !identity.is_bad() && (!access.is_bad() || is_refused);
        let about = match anonymous {
            Some(about) if about.is_known() => None,
            _ => Some(About::ask(config.clone()).await),
        };
        Self { findings: [credentials, identity, access], about, is_answered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_reason() {
        let words: Vec<_> = HELP.split([' ', ',', '\n']).collect();
        for reason in Reason::ALL {
            let word = serde_json::to_value(reason).unwrap();
            assert!(words.contains(&word.as_str().unwrap()), "{word}");
        }
    }
}
