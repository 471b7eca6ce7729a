//! Flags as typed. Their spelling and meaning are kubectl's where kubectl has them.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use super::limit_args::LimitArgs;
use super::output::Format;
use crate::kube::{FieldSelector, LabelSelector, Namespace};

const EXAMPLES: &str = "\
Examples:
  podlens demo                                  the whole story, without a cluster
  podlens run restarts -A -p min=3              a query that comes with podlens
  podlens run ./mine.wasm -n shop -l app=web    a query of your own";

const EXIT_CODES: &str = "\
Exit codes:
  0  answered
  1  the query answered with an error, or trapped
  2  wrong usage
  3  refused, by the grant or by the API server (401, 403)
  4  the cluster cannot be reached, or gave no usable answer
  5  a limit ended the run
  6  the component cannot be used as a query";

/// Runs sandboxed WebAssembly queries over the pods of a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(name = "podlens", version, before_help = EXAMPLES, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a query and print its answer
    Run(Box<RunArgs>),
    /// Show the API server's address and version, and who you are to it
    ClusterInfo(ConnectArgs),
    /// Show podlens at work on an API server of its own, without a cluster
    Demo(DemoArgs),
}

/// How to reach the cluster.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct ConnectArgs {
    /// The kubeconfig to use, and no other [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use [default: its current-context]
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RunArgs {
    /// A component's file, or the name of a query that comes with podlens
    #[arg(value_name = "COMPONENT")]
    pub(super) component: String,

    /// A parameter of the query; may be given several times
    #[arg(short = 'p', long = "param", value_name = "KEY=VALUE")]
    pub(super) parameters: Vec<String>,

    /// How to print the answer
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: Format,

    /// Print no line of headers
    #[arg(long)]
    pub(super) no_headers: bool,

    #[command(flatten)]
    pub(super) connect: ConnectArgs,

    // Last, since each begins a section of the help.
    #[command(flatten)]
    pub(super) grant: GrantArgs,

    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// Which pods the query may see. These flags are the grant: it can see no other pod, whatever it asks for.
#[derive(Debug, Default, ClapArgs)]
#[command(next_help_heading = "Grant: the pods that the query may see")]
pub(super) struct GrantArgs {
    /// A namespace; may be given several times [default: the context's, or the pod's own]
    #[arg(short = 'n', long = "namespace", value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    pub(super) namespaces: Vec<Namespace>,

    /// All namespaces
    #[arg(short = 'A', long)]
    pub(super) all_namespaces: bool,

    /// Only pods with these labels, such as `app=web,tier in (a,b)`
    #[arg(short = 'l', long = "selector", value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(super) labels: LabelSelector,

    /// Only pods with these fields, such as `status.phase=Running`
    #[arg(long = "field-selector", value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(super) fields: FieldSelector,

    /// Also whole objects, environment values and annotations included, if the query asks for them
    #[arg(long)]
    pub(super) whole_objects: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DemoArgs {
    /// Keep the demo's API server running, and print what `podlens run` needs to use it as if inside a pod
    #[arg(long)]
    pub(super) serve: bool,
}
