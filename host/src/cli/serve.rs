//! `podlens serve`: tenants' queries over HTTP. And the process that compiles what tenants upload.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::connect::{self, ConnectArgs};
use super::exit::{self, Failure};
use super::interrupt::Interrupts;
use super::{builtin, component};
use crate::config::{Authority, Collector};
use crate::error::{Error, Kind};
use crate::runtime::MAX_COMPONENT_BYTES;
use crate::serve::audit::Destination;
use crate::serve::policy::MAX_CONCURRENT_RUNS;
use crate::serve::{Apart, PLACES, Server, ServerOptions, TlsFiles, rlimits};
use crate::{Client, Config};

const EXAMPLES: &str = "\
Examples:
  podlens serve --policy policy.yaml --audit-log audit.jsonl     then, in another terminal:
  curl -H \"Authorization: Bearer $TOKEN\" localhost:8080/v1/queries
  curl -H \"Authorization: Bearer $TOKEN\" 'localhost:8080/v1/queries/restarts/run?min=3'";

const TRACES: &str = "\
Traces:
  --otlp-endpoint is the collector's address, to which `/v1/traces` is added. Without the flag, the
  variables OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT say where, as they do
  for other programs. These hold, too: OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE and _TIMEOUT,
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and its _ARG, OTEL_BSP_*.
  A caller's `traceparent` is continued once it is known who is calling. Which traces are kept is
  decided here alone: a caller's sampled flag counts for nothing, with any sampler.";

/// How many guests run at once for each processor, where the policy does not say: one that waits for the API server needs none. Arbitrary.
const SLOTS_PER_CPU: usize = 4;

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = TRACES)]
pub(super) struct ServeArgs {
    /// Who may run what, over which pods, as whom; read again as it changes. `podlens policy check` tells what is wrong with one
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    /// Where each run and each call of the API server is put on record; `-` for standard output. Without a record nothing is run
    #[arg(long, value_name = "FILE")]
    audit_log: PathBuf,

    /// The folder of components that the policy names by digest; looked at again as it changes [default: none]
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,

    /// Where to listen; beyond loopback a certificate is needed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Where to answer /livez, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    health_listen: SocketAddr,

    /// The server's certificate and those that lead to its authority, PEM; read again as it changes
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    tls_cert_file: Option<PathBuf>,

    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,

    /// The authority that signs callers' certificates, PEM [default: callers show tokens]
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    client_ca_file: Option<PathBuf>,

    /// Clients at once, from 1 to 65536; whoever says nothing makes room for who comes. Each may take 40 KiB of memory
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=65_536), default_value = "16384")]
    max_connections: usize,

    /// Read pods from the API server for each run, whatever the policy says of a cache
    #[arg(long)]
    no_cache: bool,

    /// Where traces of requests and runs are sent, as OTLP over HTTP (see below) [default: nowhere]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,

    /// How long requests are still taken after SIGTERM, while /readyz says that the server ends
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "3s")]
    shutdown_delay: Duration,

    /// How long runs may take after that
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s")]
    shutdown_grace: Duration,

    #[command(flatten)]
    connect: ConnectArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "expected a duration, such as 30s, 500ms or 5m".to_owned())
}

pub(super) async fn serve(args: ServeArgs) -> Result<ExitCode, Failure> {
    keep_memory_private();
    allow_descriptors();
    take_file_limits_as_errors()?;
    let client = Client::new(usable(connect::config(args.connect)?)?)?;
    let collector = Collector::find(args.otlp_endpoint.as_deref())?;
    let slots = std::thread::available_parallelism().map_or(1, usize::from).saturating_mul(SLOTS_PER_CPU).min(MAX_CONCURRENT_RUNS);
    let guests = tokio::runtime::Builder::new_multi_thread().thread_name("podlens-guest").enable_all().build()?;
    let interrupts = Interrupts::listen()?;
    let tls = match (args.tls_cert_file, args.tls_private_key_file) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key, client_ca: args.client_ca_file }),
        _ => None,
    };
    let options = ServerOptions {
        client,
        runtime: component::pooled_runtime(PLACES)?,
        policy: args.policy,
        listen: args.listen,
        health_listen: args.health_listen,
        tls,
        queries: args.queries,
        built_in: builtin::query,
        apart: apart(),
        audit: match args.audit_log.as_os_str() == "-" {
            true => Destination::Stdout,
            false => Destination::File(args.audit_log),
        },
        collector,
        caches: !args.no_cache,
        slots,
        guests: guests.handle().clone(),
        max_connections: args.max_connections,
        shutdown_delay: args.shutdown_delay,
        shutdown_grace: args.shutdown_grace,
    };
    let (first, second) = interrupts.twice();
    let mut first = std::pin::pin!(first);
    // The wish to end may come before.
    let server = tokio::select! {
        server = Server::start(options) => Some(server),
        () = &mut first => None,
    };
    let ended = match server {
        Some(Ok(server)) => {
            tell(&server.urls());
            server.serve(first, second).await;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    };
    // A guest that computes must not hold up the end.
    guests.shutdown_background();
    ended
}

/// Where it is to be found. On standard error, since the audit log may be on standard output.
fn tell([api, health]: &[String; 2]) {
    super::report::say(&format!("serving on {api}, health and metrics on {health}"));
}

/// What may reach the cluster in other people's name has to know whom it talks to, and be nobody but itself.
fn usable(config: Config) -> Result<Config, Failure> {
    let refused = |message: &str, hint: &str| Err(Failure::usage(Error::new(Kind::InvalidArgument, message), hint));
    if matches!(config.tls.authority, Authority::Anybody(_)) {
        return refused(
            "`serve` does not talk to a server whose certificate nobody verifies",
            "give `--certificate-authority`, and take `insecure-skip-tls-verify` out of the kubeconfig",
        );
    }
    if config.impersonation.is_some() {
        return refused(
            "`serve` does not act as one other user: each tenant is read as, by the policy",
            "leave out `--as` and `--as-group`, and take them out of the kubeconfig",
        );
    }
    if config.proxy.is_some() {
        return refused("`serve` does not send its credentials through a proxy", "take `proxy-url` out of the kubeconfig");
    }
    Ok(config)
}

/// Each client is a descriptor, and so is each connection to the API server: as many as this process may have.
fn allow_descriptors() {
    let most = getrlimit(Resource::Nofile);
    // Where it may not, there are fewer clients at once.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most.maximum, ..most });
}

/// A file that may not grow any more, such as the audit log, is a full disk, and not the end of the process.
fn take_file_limits_as_errors() -> io::Result<()> {
    /// signal(7).
    const SIGXFSZ: i32 = 25;
    // Once somebody listens, the system's own way with it is never taken again.
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

/// Tokens are in this process' memory: neither a core file nor a debugger of the same user is to have them.
fn keep_memory_private() {
    // Where the system has none of it, there is nothing to lose.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// How to have a component compiled by another process; `None` where what it compiles could not be handed over.
fn apart() -> Option<Apart> {
    let folder = component::usable_cache_folder()?;
    let program = std::env::current_exe().ok()?;
    Some(Apart::new(program, vec!["compile-component".to_owned()], vec![(component::CACHE_VARIABLE.to_owned(), folder)]))
}

/// What [`Apart`] starts.
pub(super) fn compile_component() -> Result<ExitCode, Failure> {
    rlimits()?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let runtime = component::runtime()?;
    // The second time it has to be there already: else whoever asked would compile it himself.
    match runtime.compile(&bytes).and_then(|_| runtime.compile(&bytes)) {
        Ok(again) if again.from_cache => Ok(ExitCode::SUCCESS),
        Ok(_) => {
            write!(io::stdout(), "what was compiled could not be kept")?;
            Ok(ExitCode::from(exit::ERROR))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            write!(io::stdout(), "{error}{cause}")?;
            Ok(ExitCode::from(exit::ERROR))
        }
    }
}
