//! `podlens proxy`: the cluster's pods on this machine, read-only.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::connect::{ConnectArgs, connect};
use super::exit::{self, Failure};
use super::grant_args::of_namespaces;
use super::interrupt::Interrupts;
use crate::kube::Namespace;
use crate::proxy::{ListenError, Listeners, Proxy};

/// kubectl's (`pkg/cmd/proxy/proxy.go`).
const DEFAULT_PORT: u16 = 8001;

const EXAMPLES: &str = "\
Examples:
  podlens proxy -A                                    then, in another terminal:
  curl localhost:8001/api/v1/namespaces/default/pods
  kubectl --server http://localhost:8001 get pods";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct ProxyArgs {
    /// The port to listen on, at 127.0.0.1 and ::1, which every user of this machine can connect to; 0 for one that is free [default: 8001]
    #[arg(short = 'p', long, value_name = "PORT")]
    port: Option<u16>,

    /// The one address to listen on, which has to be a loopback address [default: 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,

    /// Listen on a Unix socket, which only you can connect to, and on no port
    #[arg(short = 'u', long, value_name = "PATH", conflicts_with_all = ["port", "address"])]
    unix_socket: Option<PathBuf>,

    #[command(flatten)]
    connect: ConnectArgs,

    // Last, since it begins a section of the help.
    #[command(flatten)]
    grant: ProxyGrantArgs,
}

/// What is served. These flags are the grant: nothing else is, whatever the API server would allow.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Grant: what is served, whole objects with environment values and annotations")]
struct ProxyGrantArgs {
    /// The pods of a namespace; may be given several times [default: the context's, or the pod's own]
    #[arg(short = 'n', long = "namespace", value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespaces: Vec<Namespace>,

    /// The pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Also watches, which last until their client ends them
    #[arg(long)]
    allow_watch: bool,
}

pub(super) async fn proxy(args: ProxyArgs) -> Result<ExitCode, Failure> {
    let client = connect(args.connect)?;
    let ProxyGrantArgs { namespaces, all_namespaces, allow_watch } = args.grant;
    let grant = of_namespaces(all_namespaces, namespaces, client.namespace());
    // A pod that is served is a whole one.
    let proxy = Proxy { client, grant: grant.whole_objects(), watch: allow_watch };

    // From the first client on, an interrupt ends in order: a Unix socket is removed.
    let interrupts = Interrupts::listen()?;
    let port = args.port.unwrap_or(DEFAULT_PORT);
    let listeners = match (&args.unix_socket, args.address) {
        (Some(path), _) => Listeners::unix(path).await,
        (None, Some(address)) => Listeners::at(address, port).await,
        (None, None) => Listeners::loopback(port).await,
    }
    .map_err(cannot_listen)?;
    let told = tell(&listeners);
    if told.is_ok() {
        proxy.serve(listeners, interrupts.wait()).await;
    }
    exit::unless_broken_pipe(told)
}

fn cannot_listen(error: ListenError) -> Failure {
    let hint = error.hint();
    Failure::usage(error, hint)
}

/// Word for word as kubectl, for the scripts that wait for it; one line for each address.
fn tell(listeners: &Listeners) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in listeners.addresses() {
        writeln!(out, "Starting to serve on {address}")?;
    }
    out.flush()
}
